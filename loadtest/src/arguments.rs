//! Arguments: what a run is asked to do, in words a newcomer understands.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use serde::Serialize;

mod hostile;
mod readings;

pub(crate) use hostile::{ChildAttack, Hostile, Kind};
pub(crate) use readings::Readings;

/// Drives orders through a Stockade server, checks every answer, and audits the books at the end.
///
/// Without --connect it starts a server of its own on a temporary directory, durable, and removes both at the end.
///
/// Exit codes: 0 everything agrees; 1 something does not, or went wrong; 2 the arguments make no sense;
/// 13 the generator itself was too slow for the asked rate.
#[derive(Debug, Parser)]
#[command(version, verbatim_doc_comment, max_term_width = 110)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) scenario: Scenario,
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What to run.
#[derive(Debug, Subcommand)]
pub(crate) enum Scenario {
    /// A flash sale: everybody wants one SKU.
    Flash(Flash),
    /// A shop of many SKUs: every order asks one unit of one of them, all alike or some far more than others. What is
    /// left of each is compared at the end with what was asked of it.
    Uniform(Uniform),
    /// More placements than the server may take, and payment results beside them. A step in which the generator was the
    /// limit is marked; the exit code does not say so, as what counts is what was accepted and what was in time.
    Overload(Overload),
    /// A sale in a real one's proportions, its orders paid and handed over by adapters while it goes on. Of 100 orders
    /// 15 are never paid and expire, some are declined, 5 are cancelled by their customers a moment later.
    Mixed(Mixed),
    /// A sale in a real one's proportions that goes on and on, with short windows: orders close and leave behind it.
    /// Memory and disk are looked at all the time. From when as much leaves as comes they must not grow, or the run has
    /// failed; a run of less than about four minutes is too short to tell.
    Soak(Soak),
    /// Honest clients beside hostile ones: who never reads, sends half frames, thousands of streams, hundreds of
    /// handshakes or streams full of gaps, or just sits there. Each kind by itself, after a time without any.
    Hostile(Hostile),
    /// Checkouts without readings and beside them, in turn: how much longer they take while somebody reads pages of
    /// orders, holders, books and histories. Every page is held against what is known.
    Readings(Readings),
    /// A real shop's orders from a CSV file, every line accounted for.
    Replay(Replay),
    /// Kill the server under load, again and again, and look for anything that was lost.
    Crash(Crash),
    /// The server this program starts for itself.
    #[command(hide = true, name = "child-serve")]
    ChildServe(ChildServe),
    /// The attackers this program starts for `hostile`.
    #[command(hide = true, name = "child-attack")]
    ChildAttack(ChildAttack),
    /// The offline audit this program runs after its server has ended.
    #[command(hide = true, name = "child-audit")]
    ChildAudit {
        /// Of a server that has ended.
        data: PathBuf,
    },
}

/// A flash sale.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Flash {
    /// Units for sale of the hot SKU. Every order asks one; with --lines, one of each.
    #[arg(long, default_value_t = 10_000, value_name = "U")]
    pub(crate) units: u64,
    /// Lines of an order: so many hot SKUs, one unit of each.
    #[arg(long, default_value_t = 1, value_name = "L", value_parser = clap::value_parser!(u8).range(1..=10))]
    pub(crate) lines: u8,
    /// Customers; they order in turn. [default: one customer places ten orders in a row, then the next comes]
    #[arg(long, value_name = "M", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) customers: Option<u64>,
    /// Stop after so many orders. [default: stop by --duration]
    #[arg(long, value_name = "N", conflicts_with = "duration", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) orders: Option<u64>,
    /// Stop after so many seconds. Figures worth quoting take 10 s or more. [default: 10]
    #[arg(long, value_name = "S", value_parser = positive_seconds)]
    pub(crate) duration: Option<f64>,
    /// QUIC connections.
    #[arg(long, default_value_t = 4, value_name = "C", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// Orders waiting for their answer at any time, all connections together. A new frame goes out when an old one has
    /// been answered: a closed loop, which measures throughput. Without meaning when --rate is given.
    #[arg(long, default_value_t = 32_768, value_name = "F",
          value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub(crate) in_flight: u32,
    /// Orders in one frame; fewer when --in-flight leaves less to each connection.
    #[arg(long, default_value_t = 1_024, value_name = "B", value_parser = clap::value_parser!(u16).range(1..=8_192))]
    pub(crate) batch: u16,
    /// Send so many orders a second, at random moments (Poisson), whether or not answers come: an open loop, which
    /// measures latency, counted from the moment an order should have been sent. Exit code 13 when more than 1 % of the
    /// sends are over 1 ms late.
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) rate: Option<u64>,
    /// Seconds a reservation lasts. When that is not at least 600 more than the run takes, the run waits at the end
    /// until all have expired, and expects just that.
    #[arg(long, default_value_t = 3_600, value_name = "S",
          value_parser = clap::value_parser!(u32).range(1..=2_678_400))]
    pub(crate) hold: u32,
    /// Orders sent first to a market of their own, not counted in any figure.
    #[arg(long, default_value_t = 100_000, value_name = "N")]
    pub(crate) warm_up: u64,
}

/// A shop of many SKUs.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Uniform {
    /// How many markets. Orders take them in turn; the server spreads them over its --shards.
    #[arg(long, default_value_t = 1, value_name = "M", value_parser = clap::value_parser!(u32).range(1..=4_000))]
    pub(crate) markets: u32,
    /// How many SKUs each market has; at most 400,000 in all.
    #[arg(long, default_value_t = 10_000, value_name = "S",
          value_parser = clap::value_parser!(u32).range(1..=400_000))]
    pub(crate) skus: u32,
    /// How uneven: the SKU of rank k is asked in proportion to 1 / k^Z (Zipf's law); 0 for all alike.
    #[arg(long, default_value_t = 1.0, value_name = "Z", value_parser = exponent)]
    pub(crate) zipf: f64,
    /// Units of each SKU in each market.
    #[arg(long, default_value_t = 1_000, value_name = "U")]
    pub(crate) units: u64,
    /// Stop after so many orders. [default: stop by --duration]
    #[arg(long, value_name = "N", conflicts_with = "duration", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) orders: Option<u64>,
    /// Stop after so many seconds. [default: 10]
    #[arg(long, value_name = "S", value_parser = positive_seconds)]
    pub(crate) duration: Option<f64>,
    /// QUIC connections.
    #[arg(long, default_value_t = 4, value_name = "C", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// Orders waiting for their answer at any time, all connections together.
    #[arg(long, default_value_t = 32_768, value_name = "F",
          value_parser = clap::value_parser!(u32).range(1..=4_000_000))]
    pub(crate) in_flight: u32,
    /// Orders in one frame.
    #[arg(long, default_value_t = 1_024, value_name = "B", value_parser = clap::value_parser!(u16).range(1..=8_192))]
    pub(crate) batch: u16,
    /// Send so many orders a second whether or not answers come, as for flash.
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(crate) rate: Option<u64>,
}

/// A flood over the operator's limit.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Overload {
    /// Placements a second that the server admits: `orders_per_second_max`. Our own server is started with it; with
    /// --connect say what that one was started with.
    #[arg(long, default_value_t = 50_000, value_name = "L",
          value_parser = clap::value_parser!(u32).range(100..=10_000_000))]
    pub(crate) limit: u32,
    /// How many times the limit is offered, one step after the other.
    #[arg(long, default_value = "2,10", value_name = "T,…", value_delimiter = ',',
          value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(crate) times: Vec<u32>,
    /// Seconds of each step.
    #[arg(long, default_value_t = 10.0, value_name = "S", value_parser = positive_seconds)]
    pub(crate) duration: f64,
    /// Confirmations and cancellations a second, half and half, of orders accepted before the flood.
    #[arg(long, default_value_t = 5_000, value_name = "R",
          value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(crate) urgent: u32,
    /// Milliseconds within which a confirmation or cancellation counts as answered in time.
    #[arg(long, default_value_t = 100, value_name = "MS", value_parser = clap::value_parser!(u32).range(1..=60_000))]
    pub(crate) in_time: u32,
    /// QUIC connections of the flood; the urgent commands have one of their own.
    #[arg(long, default_value_t = 4, value_name = "C", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// Orders in one frame.
    #[arg(long, default_value_t = 16, value_name = "B", value_parser = clap::value_parser!(u16).range(1..=8_192))]
    pub(crate) batch: u16,
}

/// A sale that is handed off.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Mixed {
    /// Orders placed a second, at random moments.
    #[arg(long, default_value_t = 5_000, value_name = "R",
          value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub(crate) rate: u32,
    /// Seconds of placing. Adapters go on until nothing is wanted any more.
    #[arg(long, default_value_t = 10.0, value_name = "S", value_parser = positive_seconds)]
    pub(crate) duration: f64,
    /// QUIC connections.
    #[arg(long, default_value_t = 4, value_name = "C", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// Orders in one frame.
    #[arg(long, default_value_t = 8, value_name = "B", value_parser = clap::value_parser!(u16).range(1..=8_192))]
    pub(crate) batch: u16,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

/// A sale without end.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Soak {
    /// Orders in all.
    #[arg(long, default_value_t = 50_000_000, value_name = "N",
          value_parser = clap::value_parser!(u64).range(1..=10_000_000_000))]
    pub(crate) orders: u64,
    /// Orders placed a second, at even moments. For each there are 1.65 further commands.
    #[arg(long, default_value_t = 50_000, value_name = "R",
          value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub(crate) rate: u32,
    /// Seconds after its making for which an identifier is known: as long is every order kept at least.
    #[arg(long, default_value_t = 60, value_name = "S", value_parser = clap::value_parser!(u32).range(60..=86_400))]
    pub(crate) kept: u32,
    /// Seconds from the end of an order in which goods could come back.
    #[arg(long, default_value_t = 1, value_name = "S", value_parser = clap::value_parser!(u32).range(0..=86_400))]
    pub(crate) window: u32,
    /// QUIC connections. Each works off one round of orders at a time.
    #[arg(long, default_value_t = 8, value_name = "C", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// Orders in one round: placed together, then confirmed or cancelled together, then handed over.
    #[arg(long, default_value_t = 512, value_name = "B", value_parser = clap::value_parser!(u16).range(1..=8_192))]
    pub(crate) batch: u16,
}

/// How the payment provider, the checker and the warehouse of our own server behave; with --connect say how that one's
/// do.
#[derive(Debug, Clone, Copy, Args, Serialize)]
pub(crate) struct Simulated {
    /// Milliseconds they take to answer.
    #[arg(long, default_value_t = 5, value_name = "MS", value_parser = clap::value_parser!(u64).range(0..=5_000))]
    pub(crate) delay: u64,
    /// Orders in a thousand that are declined.
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    pub(crate) declined: u16,
    /// Orders in a thousand that are rejected. Nobody has doubts about one: nobody is there to decide.
    #[arg(long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    pub(crate) rejected: u16,
    /// Questions or answers in a thousand that get lost.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=300))]
    pub(crate) lost: u16,
    /// Answers in a thousand that come once more.
    #[arg(long, default_value_t = 10, value_name = "N", value_parser = clap::value_parser!(u16).range(0..=1_000))]
    pub(crate) repeated: u16,
    /// Of their chances.
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) simulated_seed: u64,
}

/// A real shop.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Replay {
    /// Orders of a shop: CSV with the columns InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice,
    /// CustomerID, Country; gzipped when the name ends in .gz.
    pub(crate) file: PathBuf,
    /// Percent of each SKU's demand that stock falls short of.
    #[arg(long, default_value_t = 5, value_name = "P", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) short: u8,
}

/// Crash cycles.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Crash {
    /// How often: load, SIGKILL 50 to 500 ms later, restart, check.
    #[arg(long, default_value_t = 100, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) cycles: u32,
    /// Orders in all, spread over the cycles.
    #[arg(long, default_value_t = 2_000_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) orders: u64,
    /// QUIC connections.
    #[arg(long, default_value_t = 4, value_name = "C", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// Orders in one frame.
    #[arg(long, default_value_t = 64, value_name = "B", value_parser = clap::value_parser!(u16).range(1..=8_192))]
    pub(crate) batch: u16,
}

/// Which server.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct Target {
    /// Use a server that runs already, instead of starting one. Each run makes markets of its own there.
    #[arg(long, global = true, value_name = "ADDR")]
    pub(crate) connect: Option<SocketAddr>,
    /// The certificate to trust. [default: ./data/dev/cert.pem, which a server started here made]
    #[arg(long, global = true, value_name = "FILE", requires = "connect")]
    pub(crate) ca: Option<PathBuf>,
    /// Our certificate, for servers that ask for one.
    #[arg(long, global = true, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The key of --cert.
    #[arg(long, global = true, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Where our own server keeps its data: a fresh directory is made in this one and removed at the end. It should lie
    /// on a real disk. [default: the system's directory for temporary files]
    #[arg(long, global = true, value_name = "DIR", conflicts_with = "connect")]
    pub(crate) data_in: Option<PathBuf>,
    /// Shards of our own server.
    #[arg(long, global = true, default_value_t = 1, value_name = "N", conflicts_with = "connect",
          value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) shards: u16,
    /// When our own server calls something durable.
    #[arg(long, global = true, default_value = "sync", conflicts_with = "connect")]
    pub(crate) durability: Durability,
    /// Where chance begins: two runs with the same seed draw the same numbers. [default: drawn, and reported]
    #[arg(long, global = true, value_name = "N")]
    pub(crate) seed: Option<u64>,
}

/// When something counts as durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Durability {
    /// Synced before it is answered.
    Sync,
    /// Synced now and then; a crash of the machine loses that much.
    Interval,
    /// Never.
    Memory,
}

/// Where results go, beside the table on standard output.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Results")]
pub(crate) struct Output {
    /// Write the result as JSON.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write a page that opens anywhere: figures, orders a second over time, latency by percentile.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Write the latencies as a percentile distribution, for the plotters of HdrHistogram.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) hgrm: Option<PathBuf>,
}

/// The server this program starts for itself.
#[derive(Debug, Clone, Args)]
pub(crate) struct ChildServe {
    #[arg(long)]
    pub(crate) data: PathBuf,
    #[arg(long)]
    pub(crate) shards: u16,
    #[arg(long)]
    pub(crate) durability: Durability,
    #[arg(long)]
    pub(crate) orders_max: u64,
    #[arg(long)]
    pub(crate) lines_max: u64,
    #[arg(long)]
    pub(crate) reserve_orders: u64,
    #[arg(long)]
    pub(crate) connections_max: Option<usize>,
    #[arg(long)]
    pub(crate) orders_per_second_max: Option<u32>,
    #[arg(long)]
    pub(crate) payments_max: Option<u64>,
    #[arg(long)]
    pub(crate) hands_off: bool,
    #[command(flatten)]
    pub(crate) simulated: Simulated,
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds: f64 = text.parse().map_err(|_| "a number of seconds, such as 10 or 0.5".to_owned())?;
    if (0.0..=86_400.0).contains(&seconds) { Ok(seconds) } else { Err("0 to 86400 seconds".to_owned()) }
}

fn positive_seconds(text: &str) -> Result<f64, String> {
    let seconds = seconds(text)?;
    if seconds > 0.0 { Ok(seconds) } else { Err("more than 0 seconds".to_owned()) }
}

fn ratio(text: &str) -> Result<f64, String> {
    let ratio: f64 = text.parse().map_err(|_| "a number, such as 2 or 1.5".to_owned())?;
    if ratio.is_finite() && ratio > 0.0 { Ok(ratio) } else { Err("more than 0".to_owned()) }
}

fn exponent(text: &str) -> Result<f64, String> {
    let exponent: f64 = text.parse().map_err(|_| "a number, such as 1 or 0.8".to_owned())?;
    if (0.0..=4.0).contains(&exponent) { Ok(exponent) } else { Err("0 to 4".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn every_flag_of_the_manual_is_spelled_so() {
        for line in [
            "loadtest flash --orders 2000000 --units 10000",
            "loadtest flash --duration 10 --connections 8 --in-flight 1024 --batch 1 --units 1 --customers 5",
            "loadtest flash --rate 50000 --json a.json --hgrm a.hgrm --html a.html",
            "loadtest uniform --skus 100000 --zipf 1.1 --units 50 --orders 1000000",
            "loadtest uniform --markets 1000 --skus 10 --shards 2",
            "loadtest uniform --zipf 0 --rate 20000 --duration 10",
            "loadtest --json a.json replay FILE.csv.gz --short 5",
            "loadtest crash --cycles 100 --orders 2000000 --seed 7",
            "loadtest overload --limit 50000 --times 2,10 --duration 60 --urgent 5000 --in-time 100",
            "loadtest mixed --rate 5000 --duration 10 --delay 20 --declined 50 --lost 5 --repeated 10",
            "loadtest soak --orders 50000000 --rate 100000 --kept 60 --window 1",
            "loadtest hostile --rate 20000 --duration 10 --streams 2000 --handshakes 500 --idle 10000",
            "loadtest hostile --kinds gaps,never-reads --attackers 50 --p99-ratio-max 2",
            "loadtest readings --rate 2000 --readings 1000 --pairs 4 --book 100000 --p99-ratio-max 1.1",
            "loadtest flash --connect 127.0.0.1:7733 --ca data/dev/cert.pem",
        ] {
            Arguments::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}: {error}"));
        }
        for line in [
            "loadtest",
            "loadtest flash --orders 0",
            "loadtest flash --orders 1 --duration 1",
            "loadtest flash --ca x",
            "loadtest hostile --kinds rude",
        ] {
            Arguments::try_parse_from(line.split(' ')).expect_err(line);
        }
    }
}
