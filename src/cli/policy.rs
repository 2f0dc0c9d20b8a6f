//! `sku policy`: what may be sold of a SKU, and to one customer; shown, or set.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use crate::base::SkuId;
use crate::client::QueryReply;
use crate::engine::{Command, Policy, Query};

/// What is given on the command line; what is not stays as it is.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub(super) safety_stock: Option<u64>,
    pub(super) order_min: Option<u32>,
    pub(super) order_max: Option<u32>,
    pub(super) customer_max: Option<u32>,
    pub(super) customer_day_max: Option<u32>,
    pub(super) by_hashes: Option<bool>,
    pub(super) day_begins_min: Option<u16>,
    pub(super) oversell_max: Option<u64>,
    pub(super) low_stock: Option<u64>,
    pub(super) returns_give_back: Option<bool>,
}

/// The policy of a SKU. Zero means that there is no such rule.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    market: String,
    sku: String,
    safety_stock: u64,
    order_min: u32,
    order_max: u32,
    customer_max: u32,
    customer_day_max: u32,
    by_hashes: bool,
    day_begins_min: u16,
    oversell_max: u64,
    low_stock: u64,
    returns_give_back: bool,
    #[serde(skip)]
    words: String,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "SKU {} of market {}", self.sku, self.market)?;
        self.words.split("; ").try_for_each(|rule| writeln!(f, "  {rule}"))
    }
}

/// A policy in words, rules separated by semicolons.
pub(super) fn in_words(policy: &Policy) -> String {
    let Policy {
        safety_stock,
        order_min,
        order_max,
        customer_max,
        customer_day_max,
        by_hashes,
        day_begins_min,
        oversell_max,
        low_stock,
        returns_give_back,
    } = *policy;
    let mut rules = Vec::new();
    if safety_stock > 0 {
        rules.push(format!("{safety_stock} units are never for sale"));
    }
    if oversell_max > 0 {
        rules.push(format!("{oversell_max} units may be sold before they are there"));
    }
    if low_stock > 0 {
        rules.push(format!("{low_stock} units for sale are low stock"));
    }
    if order_min > 0 {
        rules.push(format!("at least {order_min} units an order"));
    }
    if order_max > 0 {
        rules.push(format!("at most {order_max} units an order"));
    }
    if customer_max > 0 {
        rules.push(format!("at most {customer_max} units a customer"));
    }
    if customer_day_max > 0 {
        let (hours, minutes) = (day_begins_min / 60, day_begins_min % 60);
        rules.push(format!("at most {customer_day_max} units a customer and day, from {hours:02}:{minutes:02} UTC"));
    }
    if by_hashes && (customer_max > 0 || customer_day_max > 0) {
        rules.push("a customer is also known by account, address and instrument".to_owned());
    }
    if returns_give_back && (customer_max > 0 || customer_day_max > 0) {
        rules.push("what a customer returns is counted no more".to_owned());
    }
    if rules.is_empty() { "no rule".to_owned() } else { rules.join("; ") }
}

/// Sets what is given, and shows what is in force then.
pub(super) async fn policy(settings: &ClientSettings, sku: &str, wanted: &Wanted) -> Result<Shown, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let market = connection.market;
    let number = connection.resolve_all(&[sku]).await?[0];
    let mut now = look(&connection, number).await?;
    let policy = Policy {
        safety_stock: wanted.safety_stock.unwrap_or(now.safety_stock),
        order_min: wanted.order_min.unwrap_or(now.order_min),
        order_max: wanted.order_max.unwrap_or(now.order_max),
        customer_max: wanted.customer_max.unwrap_or(now.customer_max),
        customer_day_max: wanted.customer_day_max.unwrap_or(now.customer_day_max),
        by_hashes: wanted.by_hashes.unwrap_or(now.by_hashes),
        day_begins_min: wanted.day_begins_min.unwrap_or(now.day_begins_min),
        oversell_max: wanted.oversell_max.unwrap_or(now.oversell_max),
        low_stock: wanted.low_stock.unwrap_or(now.low_stock),
        returns_give_back: wanted.returns_give_back.unwrap_or(now.returns_give_back),
    };
    if policy != now {
        let command = Command::SetPolicy { market, sku: number, policy };
        connection.submit(&format!("the policy of {sku}"), &command).await?;
        now = look(&connection, number).await?;
    }
    Ok(Shown {
        market: connection.market_name.clone(),
        sku: sku.to_owned(),
        safety_stock: now.safety_stock,
        order_min: now.order_min,
        order_max: now.order_max,
        customer_max: now.customer_max,
        customer_day_max: now.customer_day_max,
        by_hashes: now.by_hashes,
        day_begins_min: now.day_begins_min,
        oversell_max: now.oversell_max,
        low_stock: now.low_stock,
        returns_give_back: now.returns_give_back,
        words: in_words(&now),
    })
}

async fn look(connection: &MarketConnection, sku: SkuId) -> Result<Policy, CliFault> {
    match connection.query("the policy", &Query::Policy { market: connection.market, sku }).await? {
        QueryReply::Policy(policy) => Ok(policy),
        other => Err(unexpected("the policy", &other)),
    }
}
