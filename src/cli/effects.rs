//! `market effects`: what of a market's orders is left to adapters; shown, or set.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use crate::client::QueryReply;
use crate::engine::{Command, Effects, Query};

/// What is left to adapters.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    market: String,
    payment: bool,
    release: bool,
    check: bool,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = in_words(Effects { payment: self.payment, release: self.release, check: self.check });
        writeln!(f, "market {} wants of adapters, for orders placed from now on: {words}", self.market)
    }
}

/// What adapters are asked for, in words.
pub(super) const fn in_words(effects: Effects) -> &'static str {
    match (effects.payment, effects.release, effects.check) {
        (false, false, false) => "nothing",
        (true, false, false) => "payment",
        (false, true, false) => "release",
        (true, true, false) => "payment and release",
        (false, false, true) => "check",
        (true, false, true) => "payment and check",
        (false, true, true) => "release and check",
        (true, true, true) => "payment, release and check",
    }
}

/// Sets what is given, and shows what is in force then.
pub(super) async fn effects(
    settings: &ClientSettings,
    payment: Option<bool>,
    release: Option<bool>,
    check: Option<bool>,
) -> Result<Shown, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let market = connection.market;
    let mut now = look(&connection).await?;
    let effects = Effects {
        payment: payment.unwrap_or(now.payment),
        release: release.unwrap_or(now.release),
        check: check.unwrap_or(now.check),
    };
    if effects != now {
        connection.submit("effects", &Command::SetEffects { market, effects }).await?;
        now = look(&connection).await?;
    }
    let Effects { payment, release, check } = now;
    Ok(Shown { market: connection.market_name.clone(), payment, release, check })
}

async fn look(connection: &MarketConnection) -> Result<Effects, CliFault> {
    match connection.query("effects", &Query::Effects { market: connection.market }).await? {
        QueryReply::Effects(effects) => Ok(effects),
        other => Err(unexpected("effects", &other)),
    }
}
