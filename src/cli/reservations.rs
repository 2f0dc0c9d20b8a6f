//! `market reservations`: how long reservations of a market may be made to last; shown, or set.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::units;
use crate::base::limits::HOLD_MS_MAX;
use crate::client::QueryReply;
use crate::engine::{Command, Query, Reservations};

/// How long reservations of a market may be made to last.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    market: String,
    activity_ms_max: u32,
    payment_ms_max: u32,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { market, activity_ms_max, payment_ms_max } = self;
        let text = |ms: &u32| units::span_text(u64::from(*ms));
        writeln!(f, "market {market}")?;
        writeln!(f, "  activity keeps a reservation alive until {} after its acceptance", text(activity_ms_max))?;
        writeln!(f, "  a payment that starts, once an order, keeps it alive for {} more", text(payment_ms_max))
    }
}

/// Sets what is given, and shows what is in force then.
pub(super) async fn reservations(
    settings: &ClientSettings,
    activity_max: Option<&str>,
    payment_max: Option<&str>,
) -> Result<Shown, CliFault> {
    let activity_ms_max = activity_max.map(|text| span("--activity-max", text)).transpose()?;
    let payment_ms_max = payment_max.map(|text| span("--payment-max", text)).transpose()?;
    let connection = MarketConnection::open(settings).await?;
    let market = connection.market;
    let mut now = look(&connection).await?;
    let wanted = Reservations {
        activity_ms_max: activity_ms_max.unwrap_or(now.activity_ms_max),
        payment_ms_max: payment_ms_max.unwrap_or(now.payment_ms_max),
    };
    if wanted != now {
        connection.submit("reservations", &Command::SetReservations { market, reservations: wanted }).await?;
        now = look(&connection).await?;
    }
    let Reservations { activity_ms_max, payment_ms_max } = now;
    Ok(Shown { market: connection.market_name.clone(), activity_ms_max, payment_ms_max })
}

async fn look(connection: &MarketConnection) -> Result<Reservations, CliFault> {
    match connection.query("reservations", &Query::Reservations { market: connection.market }).await? {
        QueryReply::Reservations(reservations) => Ok(reservations),
        other => Err(unexpected("reservations", &other)),
    }
}

fn span(option: &str, text: &str) -> Result<u32, CliFault> {
    let wrong = |why: &str| CliFault::usage(format!("{option} {text}: must be {why}"));
    let ms = units::span_ms(text).ok_or_else(|| wrong(units::SPAN))?;
    let most = || wrong(&format!("at most {}", units::span_text(HOLD_MS_MAX.into())));
    u32::try_from(ms).ok().filter(|ms| *ms <= HOLD_MS_MAX).ok_or_else(most)
}
