//! The command line of `sku`: every command, every flag and what the help says about them.

use clap::{Args, Subcommand};

use super::args::ClientArgs;

#[derive(Debug, Subcommand)]
pub(super) enum SkuCommand {
    /// Create SKUs, or tell the numbers of those that exist.
    Create {
        /// Their codes, case-sensitive: 1 to 64 bytes each.
        #[arg(required = true, value_name = "CODE")]
        codes: Vec<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show what may be sold of a SKU, and to one customer; set what is given. 0 takes a rule away.
    Policy {
        /// The SKU's code.
        sku: String,
        #[command(flatten)]
        policy: PolicyArgs,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// List through which channels only so many units of a SKU are sold, and how many are.
    Channels {
        /// The SKU's code.
        sku: String,
        /// Channels behind this one.
        #[arg(long, default_value_t = 0, value_name = "CHANNEL")]
        after: u16,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(1..))]
        limit: u64,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Set how many units of a SKU are sold through one channel, of orders accepted from now on.
    ///
    /// Open orders count; what is cancelled or expires is given back, what was handed over is not. Another number goes
    /// on counting.
    ChannelCap {
        /// The SKU's code.
        sku: String,
        /// Number of the sales channel, as orders name it; 0 is none and has no cap.
        #[arg(value_parser = clap::value_parser!(u16).range(1..))]
        channel: u16,
        /// Units at most, or none for any number.
        #[arg(value_name = "UNITS|none")]
        units_max: String,
        #[command(flatten)]
        client: ClientArgs,
    },
}

/// Rules of a SKU.
#[derive(Debug, Args)]
pub(super) struct PolicyArgs {
    /// Units that are never for sale, all sites together.
    #[arg(long, value_name = "UNITS")]
    pub(super) safety_stock: Option<u64>,
    /// Units one order asks at least, all its lines of the SKU together.
    #[arg(long, value_name = "UNITS")]
    pub(super) order_min: Option<u32>,
    /// Units one order asks at most.
    #[arg(long, value_name = "UNITS")]
    pub(super) order_max: Option<u32>,
    /// Units one customer may have, open orders counted; what is cancelled or expires is given back.
    #[arg(long, value_name = "UNITS")]
    pub(super) customer_max: Option<u32>,
    /// The same for one day.
    #[arg(long, value_name = "UNITS")]
    pub(super) customer_day_max: Option<u32>,
    /// Recognise customers also by the hashes of account, address and payment instrument. A change counts anew.
    #[arg(long, value_name = "YES", action = clap::ArgAction::Set)]
    pub(super) by_hashes: Option<bool>,
    /// Minutes after midnight UTC at which a day begins, below 1440. A change counts anew.
    #[arg(long, value_name = "MINUTES")]
    pub(super) day_begins: Option<u16>,
    /// Units that may be sold before they are there: they are owed, and what comes in goes to them first.
    #[arg(long, value_name = "UNITS")]
    pub(super) oversell_max: Option<u64>,
    /// So many units for sale, or fewer, are low stock: the log and the webhook tell once when it comes to that.
    #[arg(long, value_name = "UNITS")]
    pub(super) low_stock: Option<u64>,
    /// Count what a customer returns no more. A change counts anew.
    #[arg(long, value_name = "YES", action = clap::ArgAction::Set)]
    pub(super) returns_give_back: Option<bool>,
}
