//! `market velocity`: what a market counts of whoever places orders, shown or set, and what somebody placed lately.

use std::fmt;

use clap::Args;
use serde::Serialize;

use super::args::ClientArgs;
use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::order;
use super::settings::ClientSettings;
use super::units;
use crate::base::CustomerKey;
use crate::base::limits::{VELOCITY_KEYS_DEFAULT, VELOCITY_KEYS_MAX, VELOCITY_WINDOW_MS_MAX, VELOCITY_WINDOW_MS_MIN};
use crate::client::QueryReply;
use crate::engine::command::IdentityHashes;
use crate::engine::query::{VelocityCount, VelocityView};
use crate::engine::{Command, Query, Velocity};

/// What is asked, and of whom.
#[derive(Debug, Args)]
pub(super) struct VelocityArgs {
    #[command(flatten)]
    pub(super) asked: Asked,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

/// What is to be counted, and whose orders are to be told of.
#[derive(Debug, Args)]
pub(super) struct Asked {
    /// For how long an order counts: 1m to 31d; 0 to count nothing.
    #[arg(long, value_name = "SPAN")]
    window: Option<String>,
    /// Of how many keys: past it whoever was quiet longest is forgotten. Unless set before, 10000.
    #[arg(long, value_name = "COUNT")]
    keys: Option<u32>,
    /// Show what the customer of this key placed: 32 hexadecimal digits.
    #[arg(long, value_name = "KEY")]
    customer: Option<String>,
    /// Show what was placed with this hash of an account.
    #[arg(long, value_name = "HASH", default_value_t = 0)]
    account: u64,
    /// Show what was placed with this hash of an address.
    #[arg(long, value_name = "HASH", default_value_t = 0)]
    address: u64,
    /// Show what was placed with this hash of an instrument.
    #[arg(long, value_name = "HASH", default_value_t = 0)]
    instrument: u64,
}

/// What is counted, and what was.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    market: String,
    window_ms: u32,
    keys_max: u32,
    from: String,
    upto: String,
    counts: Vec<ShownCount>,
}

/// What one key placed.
#[derive(Debug, Serialize)]
struct ShownCount {
    key: &'static str,
    orders: u32,
    other_currency: u32,
    money: u64,
    currency: Option<String>,
    incomplete: bool,
}

impl ShownCount {
    fn new(key: &'static str, count: &VelocityCount) -> Self {
        let VelocityCount { orders, other_currency, money, currency, incomplete } = *count;
        Self { key, orders, other_currency, money, currency: currency.map(|code| code.to_string()), incomplete }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { market, window_ms, keys_max, from, upto, counts } = self;
        if *window_ms == 0 {
            return writeln!(f, "market {market} counts nothing of whoever places orders");
        }
        let window = units::span_text(u64::from(*window_ms));
        writeln!(f, "market {market} counts what was placed within {window}, of {keys_max} keys")?;
        if !counts.is_empty() {
            writeln!(f, "  from {from} to {upto}")?;
        }
        for ShownCount { key, orders, other_currency, money, currency, incomplete } in counts {
            write!(f, "  {key:<12}{orders} orders")?;
            if let Some(currency) = currency {
                write!(f, ", {money} {currency} in minor units")?;
            }
            if *other_currency > 0 {
                write!(f, ", {other_currency} of them in other currencies")?;
            }
            writeln!(f, "{}", if *incomplete { "; there may have been more" } else { "" })?;
        }
        Ok(())
    }
}

/// Sets what is given, and shows what is in force then, and what was placed.
pub(super) async fn velocity(settings: &ClientSettings, asked: &Asked) -> Result<Shown, CliFault> {
    let window_ms = asked.window.as_deref().map(window).transpose()?;
    let customer = order::customer(asked.customer.as_deref())?;
    let connection = MarketConnection::open(settings).await?;
    let market = connection.market;
    let mut now = look(&connection, customer, asked).await?;
    let wanted = wanted(now.velocity, window_ms, asked.keys)?;
    if wanted != now.velocity {
        connection.submit("velocity", &Command::SetVelocity { market, velocity: wanted }).await?;
        now = look(&connection, customer, asked).await?;
    }
    let VelocityView { velocity: Velocity { window_ms, keys_max }, from, upto, .. } = now;
    let Asked { account, address, instrument, .. } = *asked;
    let asked = [
        ("customer", customer != CustomerKey::default(), &now.customer),
        ("account", account != 0, &now.account),
        ("address", address != 0, &now.address),
        ("instrument", instrument != 0, &now.instrument),
    ];
    let counts = asked.into_iter().filter(|(_, is_asked, _)| *is_asked);
    Ok(Shown {
        market: connection.market_name.clone(),
        window_ms,
        keys_max,
        from: from.utc(),
        upto: upto.utc(),
        counts: counts.map(|(key, _, count)| ShownCount::new(key, count)).collect(),
    })
}

/// What is to be in force, of what is and what was given.
fn wanted(now: Velocity, window_ms: Option<u32>, keys: Option<u32>) -> Result<Velocity, CliFault> {
    if keys.is_some_and(|keys| !(1..=VELOCITY_KEYS_MAX).contains(&keys)) {
        return Err(CliFault::usage(format!("--keys: must be 1 to {VELOCITY_KEYS_MAX}")));
    }
    match (window_ms.unwrap_or(now.window_ms), keys) {
        (0, Some(_)) => Err(CliFault::usage("--keys: the market counts nothing; give it a --window".to_owned())),
        (0, None) => Ok(Velocity::default()),
        (window_ms, keys) => {
            let before = if now.keys_max == 0 { VELOCITY_KEYS_DEFAULT } else { now.keys_max };
            Ok(Velocity { window_ms, keys_max: keys.unwrap_or(before) })
        }
    }
}

async fn look(connection: &MarketConnection, customer: CustomerKey, asked: &Asked) -> Result<VelocityView, CliFault> {
    let market = connection.market;
    let hashes = IdentityHashes { account: asked.account, address: asked.address, instrument: asked.instrument };
    match connection.query("velocity", &Query::Velocity { market, customer, hashes }).await? {
        QueryReply::Velocity(view) => Ok(view),
        other => Err(unexpected("velocity", &other)),
    }
}

fn window(text: &str) -> Result<u32, CliFault> {
    let wrong = |why: &str| CliFault::usage(format!("--window {text}: must be {why}"));
    if text == "0" {
        return Ok(0);
    }
    let ms = units::span_ms(text).ok_or_else(|| wrong(units::SPAN))?;
    let [least, most] = [VELOCITY_WINDOW_MS_MIN, VELOCITY_WINDOW_MS_MAX];
    let is_window = |ms: &u32| *ms == 0 || (least..=most).contains(ms);
    u32::try_from(ms).ok().filter(is_window).ok_or_else(|| wrong("1m to 31d, or 0"))
}
