//! Arguments of checkouts beside readings.

use clap::Args;
use serde::Serialize;

use super::{positive_seconds, ratio};

/// Checkouts beside readings.
#[derive(Debug, Clone, Args, Serialize)]
pub(crate) struct Readings {
    /// Checkouts begun a second, at random moments, whether or not answers come. A checkout is an order placed, and
    /// confirmed as soon as that is answered; it takes from the moment it should have begun until it is confirmed.
    #[arg(long, default_value_t = 2_000, value_name = "R",
          value_parser = clap::value_parser!(u32).range(10..=100_000))]
    pub(crate) rate: u32,
    /// Readings a second beside them, at even moments: orders of a customer, who holds a SKU, the books, what happened
    /// to an order, and an order, in turn.
    #[arg(long, default_value_t = 1_000, value_name = "R",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) readings: u32,
    /// Seconds of each phase.
    #[arg(long, default_value_t = 10.0, value_name = "S", value_parser = positive_seconds)]
    pub(crate) duration: f64,
    /// Pairs of phases, one without readings and one with them. Which comes first changes from pair to pair, so that
    /// what the machine does meanwhile falls on both alike.
    #[arg(long, default_value_t = 4, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) pairs: u16,
    /// Orders that are there before the first phase, all open. Readings are about these.
    #[arg(long, default_value_t = 100_000, value_name = "N",
          value_parser = clap::value_parser!(u32).range(1..=2_000_000))]
    pub(crate) book: u32,
    /// Customers that they are of, in turn.
    #[arg(long, default_value_t = 50, value_name = "C", value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) customers: u32,
    /// SKUs that they hold, in turn.
    #[arg(long, default_value_t = 49, value_name = "S", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) skus: u32,
    /// Rows asked of a page.
    #[arg(long, default_value_t = 1_024, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1_024))]
    pub(crate) rows: u16,
    /// Fail when the p99 of checkouts beside readings is more than so many times what it is without, in the middle one
    /// of the pairs. [default: report it only, since readers, server and shoppers share one machine]
    #[arg(long, value_name = "X", value_parser = ratio)]
    pub(crate) p99_ratio_max: Option<f64>,
    /// Connections of the checkouts; readings have one of their own.
    #[arg(long, default_value_t = 4, value_name = "C", value_parser = clap::value_parser!(u16).range(1..=1_000))]
    pub(crate) connections: u16,
}
