//! `erase`: nobody can read somebody's details any more.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::args::ClientArgs;
use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::order;
use super::settings::ClientSettings;
use crate::engine::{Answer, Command, Whose};

#[derive(Debug, Args)]
pub(super) struct EraseArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct WhoseArgs {
    /// A customer: of all their orders in the market. 32 hexadecimal digits.
    #[arg(long, value_name = "KEY")]
    customer: Option<String>,
    /// A guest, by the order: its number, or its identifier (32 hexadecimal digits).
    #[arg(long, value_name = "ID|NUMBER")]
    order: Option<String>,
}

/// What became of it.
#[derive(Debug, Serialize)]
pub(super) struct Erased {
    market: String,
    customer: Option<String>,
    order: Option<String>,
    /// Orders whose details could be read until now.
    orders: u32,
    repeated: bool,
}

impl fmt::Display for Erased {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match (&self.customer, &self.order) {
            (Some(customer), _) => format!("of customer {customer} in market {}", self.market),
            (None, order) => format!("of order {}", order.as_deref().unwrap_or_default()),
        };
        match self.orders {
            0 => writeln!(f, "no details {whose} can be read"),
            1 => writeln!(f, "the details {whose} are erased: of one order, which stays"),
            orders => writeln!(f, "the details {whose} are erased: of {orders} orders, which stay"),
        }
    }
}

/// Has the key destroyed that the details were sealed under, and waits until it is.
pub(super) async fn erase(settings: &ClientSettings, args: &EraseArgs) -> Result<Erased, CliFault> {
    let WhoseArgs { customer, order } = &args.whose;
    let key = order::customer(customer.as_deref())?;
    order.as_deref().map_or(Ok(()), order::check_name)?;
    let connection = MarketConnection::open(settings).await?;
    let whose = match order {
        Some(text) => Whose::Guest { order: order::find(&connection, text).await? },
        None => Whose::Customer { market: connection.market, customer: key },
    };
    let guest = match whose {
        Whose::Guest { order } => Some(order.to_string()),
        Whose::Customer { .. } => None,
    };
    match connection.submit("the details were not erased", &Command::Erase { whose }).await? {
        (Answer::Erased { orders, repeated }, _) => {
            let market = connection.market_name.clone();
            Ok(Erased { market, customer: customer.clone(), order: guest, orders, repeated })
        }
        (other, _) => Err(unexpected("an erasure", &other)),
    }
}
