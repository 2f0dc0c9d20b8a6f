//! The command line as clap reads it: every command, every flag and what the help says about them.
//!
//! # Not here
//! - What values of settings mean: flags that are also settings stay text here and are read where the file's and the
//!   environment's are (`config`, `settings`), so that all three are spelled and refused alike.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::order_args::OrderCommand;
use super::serve_args::{ServeArgs, given};
use super::sku_args::SkuCommand;
use super::velocity::VelocityArgs;
use super::wanted::WantedCommand;

const EXAMPLES: &str = "\
Examples:
  stockade serve                                  start a server here, data in ./data
  stockade sku create MUG-BLUE
  stockade stock receive MUG-BLUE 100
  stockade order place --line MUG-BLUE=2@12.50
  stockade order confirm 1
  stockade status

Every flag of a server or a client can also stand in a file (--config FILE, TOML) or in the environment
(STOCKADE_ORDERS_MAX=1000, STOCKADE_TLS__CERT=server.pem). Flags win over the environment, that over the file.

Exit codes: 0 done, 1 failed, 2 usage, 10 data directory in use, 11 damage or drift, 12 the disk failed.";

/// An order matching and reservation server: never oversells, never forgets an answer.
#[derive(Debug, Parser)]
#[command(name = "stockade", version, after_help = EXAMPLES, arg_required_else_help = true)]
pub(super) struct Cli {
    /// Settings from this TOML file.
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// What is logged to standard error: off, error, warn, info, debug, or a filter such as stockade=debug.
    #[arg(long = "log", global = true, value_name = "FILTER")]
    pub(super) log_filter: Option<String>,
    /// How it is logged: text or json.
    #[arg(long, global = true, value_name = "FORMAT")]
    pub(super) log_format: Option<String>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Start a server. Needs no arguments: data in ./data, listening on 127.0.0.1:7733.
    Serve(Box<ServeArgs>),
    /// Create a market: a pool of stock and its orders.
    #[command(subcommand)]
    Market(MarketCommand),
    /// Create a site: a place that holds stock. `main` exists in every market.
    #[command(subcommand)]
    Site(SiteCommand),
    /// Create SKUs: what can be sold.
    #[command(subcommand)]
    Sku(SkuCommand),
    /// Kits: SKUs that are sold as so many units of others.
    #[command(subcommand)]
    Kit(super::kit::KitCommand),
    /// Receive stock and look at it.
    #[command(subcommand)]
    Stock(StockCommand),
    /// Place orders, look at them, have them paid, confirm and cancel them.
    #[command(subcommand)]
    Order(OrderCommand),
    /// See what adapters are asked for, and what they tried in vain.
    #[command(subcommand)]
    Wanted(WantedCommand),
    /// List orders that somebody has to look at, the oldest first, and why.
    Tasks(super::tasks::TasksArgs),
    /// Erase somebody's details, so that nobody can read them any more. The orders stay.
    Erase(super::erase::EraseArgs),
    /// Show what the server is, holds and has done.
    Status(ClientArgs),
    /// Fold the log of a stopped server and check every counter against it.
    Audit {
        /// The server's data directory.
        #[arg(value_name = "DATA_DIR")]
        data: PathBuf,
        /// One JSON document instead of a table.
        #[arg(long)]
        json: bool,
    },
    /// Have a server that runs make a snapshot now, and wait until it is made and read back.
    Snapshot {
        /// The server's data directory.
        #[arg(value_name = "DATA_DIR")]
        data: PathBuf,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Copy the data of a server, also while it runs; the copy is read back.
    Backup {
        /// The server's data directory.
        #[arg(value_name = "DATA_DIR")]
        data: PathBuf,
        /// Where the copy goes; no log may be there.
        #[arg(value_name = "DIR")]
        into: PathBuf,
        /// Copied in a second, at most.
        #[arg(long, value_name = "SIZE", default_value = "64MiB")]
        bytes_per_second: String,
        /// Copy the keys of customers' details too: whoever has the copy can read them, whatever is erased later.
        #[arg(long)]
        with_keys: bool,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Copy a backup into a data directory from which a server goes on.
    Restore {
        /// The backup.
        #[arg(value_name = "DIR")]
        backup: PathBuf,
        /// The new data directory; no log may be there.
        #[arg(value_name = "DATA_DIR")]
        data: PathBuf,
        /// Take the keys of customers' details from here, and not from the backup: the `keys` of the server's own data
        /// directory, if that is left.
        #[arg(long, value_name = "DIR", conflicts_with = "without_keys")]
        keys: Option<PathBuf>,
        /// Go on without the details of every order in the backup, for good.
        #[arg(long)]
        without_keys: bool,
        /// One JSON document.
        #[arg(long)]
        json: bool,
    },
    /// Read or rescue the log of a stopped server.
    #[command(subcommand)]
    Log(LogCommand),
}

#[derive(Debug, Subcommand)]
pub(super) enum MarketCommand {
    /// Create a market, or tell the number of one that exists.
    Create {
        /// Its name: 1 to 64 bytes.
        name: String,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show where a market's units are and in which states its orders, at a stated place of the log.
    Books {
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show what of a market's orders is left to adapters, or set it for orders placed from now on.
    Effects {
        /// Charging and giving back.
        #[arg(long, value_name = "YES", action = clap::ArgAction::Set)]
        payment: Option<bool>,
        /// Telling the warehouse.
        #[arg(long, value_name = "YES", action = clap::ArgAction::Set)]
        release: Option<bool>,
        /// Checking whether orders are to be trusted.
        #[arg(long, value_name = "YES", action = clap::ArgAction::Set)]
        check: Option<bool>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show how long a market keeps what is over, or set it.
    Retention {
        /// From the end of an order to its closing: as long can goods come back. At most 3653d.
        #[arg(long, value_name = "SPAN")]
        return_window: Option<String>,
        /// How long an identifier is known at least; then a closed order leaves. 1m to 366d.
        #[arg(long, value_name = "SPAN")]
        ids_kept: Option<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show how long reservations of the market (--market) may be made to last, or set it.
    Reservations {
        /// From the acceptance: as long may activity keep a reservation alive. At most 31d.
        #[arg(long, value_name = "SPAN")]
        activity_max: Option<String>,
        /// From the start of a payment, which is told once an order: as long may it take. At most 31d.
        #[arg(long, value_name = "SPAN")]
        payment_max: Option<String>,
        /// How long an order waits for a payment of this method, when it does not say itself: card=15m,
        /// bank_transfer=3d. At most 31d. May be repeated.
        #[arg(long, value_name = "METHOD=SPAN")]
        unpaid: Vec<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show what a market counts of whoever places orders, or set it; or show what somebody placed lately.
    Velocity(VelocityArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum SiteCommand {
    /// Create a site, or tell the number of one that exists (which keeps its rank).
    Create {
        /// Its code: 1 to 64 bytes.
        code: String,
        /// Sites with lower ranks give their units first. `main` has rank 0.
        #[arg(long, default_value_t = 0)]
        rank: u16,
        #[command(flatten)]
        client: ClientArgs,
    },
}

#[derive(Debug, Subcommand)]
pub(super) enum StockCommand {
    /// Receive every line of a CSV file (`sku,site,quantity`); the same file again changes nothing.
    ///
    /// Creates SKUs that do not exist, never sites. If a line is wrong, all wrong lines are listed and nothing is
    /// received. Beside the file a receipt (FILE.csv.imported) remembers that it was imported; the server remembers by
    /// itself for 24 hours.
    Import(ImportArgs),
    /// Receive units of one SKU.
    Receive {
        /// The SKU's code.
        sku: String,
        /// Units that came in.
        quantity: u64,
        /// Where they lie.
        #[arg(long, default_value = "main")]
        site: String,
        /// Identifier of this receipt (32 hexadecimal digits); the same again changes nothing. Drawn unless given.
        #[arg(long, value_name = "ID")]
        request: Option<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Say that units lie elsewhere or are for something else: at another site, set aside, damaged, disposed of, sent
    /// back.
    Move {
        /// The SKU's code.
        sku: String,
        /// Units.
        quantity: u64,
        /// From where: a site, and available, quality_hold, damaged or quarantine; available unless said.
        #[arg(long, default_value = "main", value_name = "SITE[:BUCKET]")]
        from: String,
        /// To where: the same, or write_off or supplier.
        #[arg(long, value_name = "SITE[:BUCKET]")]
        to: String,
        /// Identifier of this movement (32 hexadecimal digits); the same again changes nothing. Drawn unless given.
        #[arg(long, value_name = "ID")]
        request: Option<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Say how many units of one SKU were counted at a site: all that lie there, also what is reserved, sold or set
    /// aside. The difference goes to or comes from what is available.
    Count {
        /// The SKU's code.
        sku: String,
        /// Units that were counted.
        counted: u64,
        /// Units that were on hand when they were counted; refused when something happened since. Asked of the server
        /// unless given.
        #[arg(long, value_name = "UNITS")]
        expected: Option<u64>,
        /// Position of the last entry of the market's shard that was known when they were counted, as the log and the
        /// webhook tell it: what has come and gone since is reckoned, and nothing is refused for it. Units that orders
        /// hold and that are not there are owed to the newest of them again.
        #[arg(long, value_name = "POSITION", conflicts_with = "expected")]
        as_of: Option<u64>,
        /// Where.
        #[arg(long, default_value = "main")]
        site: String,
        /// Identifier of this count (32 hexadecimal digits); the same again changes nothing. Drawn unless given.
        #[arg(long, value_name = "ID")]
        request: Option<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Correct what is available of one SKU: units found, or gone.
    Adjust {
        /// The SKU's code.
        sku: String,
        /// Units more, or with a minus fewer.
        #[arg(allow_hyphen_values = true, value_name = "+UNITS|-UNITS")]
        delta: i64,
        /// Why.
        #[arg(long, value_enum)]
        reason: Reason,
        /// Where they lie, or lay.
        #[arg(long, default_value = "main")]
        site: String,
        /// Identifier of this adjustment (32 hexadecimal digits); the same again changes nothing. Drawn unless given.
        #[arg(long, value_name = "ID")]
        request: Option<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// List the open orders that hold units of a SKU, or wait for them, and until when.
    Holders {
        /// Its code.
        sku: String,
        /// Orders with numbers after this one.
        #[arg(long, default_value_t = 0, value_name = "NUMBER")]
        after: u64,
        /// At most so many, from 1.
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show the stock of SKUs, site by site.
    Get {
        /// Their codes.
        #[arg(required = true, value_name = "SKU")]
        skus: Vec<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
}

/// Why stock is corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Reason {
    Count,
    Damaged,
    Lost,
    Found,
    Other,
}

#[derive(Debug, Args)]
pub(super) struct ImportArgs {
    /// The file.
    #[arg(value_name = "FILE.csv")]
    pub(super) file: PathBuf,
    /// Receive the good lines although others are wrong. Put the corrected lines into a file of their own afterwards:
    /// the whole file corrected is another file, and all of it would be received.
    #[arg(long)]
    pub(super) skip_bad: bool,
    /// Receive all lines although this file was imported before: another delivery with the same content.
    #[arg(long)]
    pub(super) again: bool,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

#[derive(Debug, Subcommand)]
pub(super) enum LogCommand {
    /// Print every segment, frame, entry and fact in the log.
    Dump {
        /// The server's data directory.
        #[arg(value_name = "DATA_DIR")]
        data: PathBuf,
    },
    /// Copy what is sound of a damaged log into a new directory and list what that leaves out.
    Salvage {
        /// The damaged data directory; it is only read.
        #[arg(value_name = "DATA_DIR")]
        data: PathBuf,
        /// The new one.
        #[arg(value_name = "NEW_DIR")]
        new: PathBuf,
        /// Go on although something is lost.
        #[arg(long)]
        accept_loss: bool,
    },
}

/// Flags of every command that talks to a server.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Server")]
pub(super) struct ClientArgs {
    /// The server. [default: 127.0.0.1:7733]
    #[arg(long, value_name = "ADDR")]
    connect: Option<String>,
    /// The certificate to trust (PEM). [default on loopback: DATA/dev/cert.pem]
    #[arg(long, value_name = "FILE")]
    ca: Option<String>,
    /// The certificate to show (PEM).
    #[arg(long, value_name = "FILE")]
    client_cert: Option<String>,
    /// Its private key (PEM).
    #[arg(long, value_name = "FILE")]
    client_key: Option<String>,
    /// The market to work on. [default: default]
    #[arg(long, value_name = "NAME")]
    market: Option<String>,
    /// Data directory of a server on this machine, where its certificate is. [default: data]
    #[arg(long, value_name = "DIR")]
    data: Option<String>,
    /// How long to wait for an answer. [default: 30s]
    #[arg(long, value_name = "TIME")]
    deadline: Option<String>,
    /// One JSON document instead of text.
    #[arg(long)]
    pub(super) json: bool,
}

impl ClientArgs {
    pub(super) fn settings(self) -> Vec<(&'static str, String)> {
        given([
            ("client.connect", self.connect),
            ("client.ca", self.ca),
            ("client.cert", self.client_cert),
            ("client.key", self.client_key),
            ("client.market", self.market),
            ("client.deadline", self.deadline),
            ("data", self.data),
        ])
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Cli, clap::Error> {
        Cli::try_parse_from(line.split_whitespace())
    }

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_flag_of_a_server_is_a_known_setting_and_every_setting_has_a_flag() {
        let flags = "stockade serve --data d --address a --shards 1 --orders-max 1 --lines-max 1 --details-bytes-max 1 \
                     --keys-max 1 --skus-max 1 --kits-max 1 \
                     --places-max 1 --policies-max 1 --customers-max 1 --waiting-max 1 --holds-max 1 \
                     --payments-max 1 --returns-max 1 --velocity-max 1 --connections-max 1 \
                     --orders-per-second-max 1 --reserve-orders 1 --durability sync --segment-bytes 1 \
                     --low-water-bytes 1 --http-address none \
                     --snapshot-log-bytes 1 --snapshot-bytes-per-second 1 --sync-method measure \
                     --tls-cert c --tls-key k --tls-client-ca a --payment none --warehouse none \
                     --check none --simulated-rejected 1 --simulated-doubted 1 --simulated-doubted-above 1 \
                     --simulated-delay 1s --simulated-declined 1 --simulated-lost 1 --simulated-repeated 1 \
                     --simulated-seed 1 --webhook-url u --webhook-secret-file f --webhook-ca c --webhook-name n \
                     --feed-behind-bytes 1";
        let Command::Serve(serve) = parse(flags).expect("sound").command else { panic!("serve") };
        let client = "stockade status --connect a --ca c --client-cert c --client-key k --market m --deadline 1s";
        let Command::Status(client) = parse(client).expect("sound").command else { panic!("status") };
        let mut keys: Vec<_> = serve.settings().into_iter().chain(client.settings()).map(|(key, _)| key).collect();
        keys.extend(["log.filter", "log.format"]);
        let mut known: Vec<_> = super::super::config::KEYS.iter().map(|(key, _)| *key).collect();
        keys.sort_unstable();
        known.sort_unstable();
        assert_eq!(keys, known);
    }

    #[test]
    fn what_is_missing_or_contradicts_itself_is_a_usage_error() {
        for bad in [
            "stockade",
            "stockade sell",
            "stockade sku create",
            "stockade stock get",
            "stockade stock receive MUG",
            "stockade stock receive MUG many",
            "stockade order place",
            "stockade order cancel 1 --block --line 0=1",
            "stockade order cancel 1 --change 4",
            "stockade order list --limit 0",
            "stockade order pay 1",
            "stockade order pay 1 --method cash-on-delivery",
            "stockade order payment 1 --attempt 4",
            "stockade order payment 1 --captured 5",
            "stockade order payment 1 --attempt 4 --captured 5 --voided",
            "stockade order payment 1 --attempt 4 --failed declined",
            "stockade order payment 1 --attempt 4 --voided --retry now",
            "stockade order payment 1 --attempt somebody --voided",
            "stockade order refund 1",
            "stockade serve extra",
        ] {
            assert_eq!(parse(bad).expect_err(bad).exit_code(), 2, "{bad}");
        }
    }
}
