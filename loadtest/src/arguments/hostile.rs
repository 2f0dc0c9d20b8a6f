//! Arguments of honest clients beside hostile ones, and of the attackers a run starts.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{positive_seconds, ratio, seconds};

/// Honest clients beside hostile ones.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Hostile {
    /// Orders the honest clients place a second, at random moments, whether or not answers come.
    #[arg(long, default_value_t = 20_000, value_name = "R",
          value_parser = clap::value_parser!(u32).range(100..=1_000_000))]
    pub(crate) rate: u32,
    /// Seconds of each phase: alone, beside each kind, alone again. A server waits 10 s for half a frame and for a
    /// client that does not read, so in less nobody is thrown out for that.
    #[arg(long, default_value_t = 12.0, value_name = "S", value_parser = positive_seconds)]
    pub(crate) duration: f64,
    /// Kinds of attackers, in this order.
    #[arg(long, value_name = "KIND,…", value_delimiter = ',', value_enum,
          default_values_t = <Kind as ValueEnum>::value_variants().to_vec())]
    pub(crate) kinds: Vec<Kind>,
    /// Hostile connections of those kinds that need not more or less: they never read, send half frames, many streams,
    /// gaps.
    #[arg(long, default_value_t = 200, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) attackers: u32,
    /// Seconds over which they begin to never read, to send half frames or gaps, one after the other, at most half of
    /// --duration; 0 for all at once, which shows what a burst of so much work costs rather than what they do.
    #[arg(long, default_value_t = 5.0, value_name = "S", value_parser = seconds)]
    pub(crate) over: f64,
    /// New streams a second.
    #[arg(long, default_value_t = 2_000, value_name = "R",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) streams: u32,
    /// New connections a second.
    #[arg(long, default_value_t = 500, value_name = "R", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) handshakes: u32,
    /// Idle connections.
    #[arg(long, default_value_t = 10_000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) idle: u32,
    /// Fail when the p99 of honest clients beside attackers is more than so many times what it is without. [default:
    /// report it only, since attackers, server and clients share one machine]
    #[arg(long, value_name = "X", value_parser = ratio)]
    pub(crate) p99_ratio_max: Option<f64>,
    /// Honest connections.
    #[arg(long, default_value_t = 4, value_name = "C", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
    /// Orders in one frame.
    #[arg(long, default_value_t = 8, value_name = "B", value_parser = clap::value_parser!(u16).range(1..=8_192))]
    pub(crate) batch: u16,
}

/// What attackers do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// Ask for large answers and take none.
    NeverReads,
    /// Begin frames and stop in the middle, on new streams again and again.
    HalfFrames,
    /// Open streams.
    Streams,
    /// Open connections.
    Handshakes,
    /// Send every other byte of a stream, and never the first.
    Gaps,
    /// Hold connections and say nothing.
    Idle,
}

impl Kind {
    /// The word for people, for JSON and for the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::NeverReads => "never-reads",
            Self::HalfFrames => "half-frames",
            Self::Streams => "streams",
            Self::Handshakes => "handshakes",
            Self::Gaps => "gaps",
            Self::Idle => "idle",
        }
    }
}

/// The attackers this program starts.
#[derive(Debug, Clone, Args)]
pub(crate) struct ChildAttack {
    pub(crate) kind: Kind,
    #[arg(long)]
    pub(crate) address: SocketAddr,
    /// The certificate to trust.
    #[arg(long = "trust")]
    pub(crate) ca: PathBuf,
    /// The name it must carry.
    #[arg(long)]
    pub(crate) name: String,
    #[arg(long = "identity", requires = "identity_key")]
    pub(crate) cert: Option<PathBuf>,
    #[arg(long = "identity-key", id = "identity_key", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// Connections to begin with.
    #[arg(long)]
    pub(crate) count: u32,
    /// Streams or handshakes a second.
    #[arg(long)]
    pub(crate) per_second: u32,
    /// Milliseconds over which they begin.
    #[arg(long)]
    pub(crate) over_ms: u64,
    /// What to ask about.
    #[arg(long)]
    pub(crate) market: u32,
    #[arg(long)]
    pub(crate) sku: u32,
}
