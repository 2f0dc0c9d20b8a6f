//! `market reservations`: how long reservations of a market last; shown, or set.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::units;
use crate::base::limits::HOLD_MS_MAX;
use crate::client::QueryReply;
use crate::engine::{Command, Query, Reservations};

/// How long reservations of a market last.
#[derive(Debug, Serialize)]
pub(super) struct Shown {
    market: String,
    activity_ms_max: u32,
    payment_ms_max: u32,
    /// By payment method, where an order does not say itself.
    unpaid_ms: BTreeMap<&'static str, u32>,
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { market, activity_ms_max, payment_ms_max, unpaid_ms } = self;
        let text = |ms: &u32| units::span_text(u64::from(*ms));
        writeln!(f, "market {market}")?;
        writeln!(f, "  activity keeps a reservation alive until {} after its acceptance", text(activity_ms_max))?;
        writeln!(f, "  a payment that starts, once an order, keeps it alive for {} more", text(payment_ms_max))?;
        writeln!(f, "  an order that does not say itself waits for its payment")?;
        unpaid_ms.iter().try_for_each(|(method, ms)| writeln!(f, "    {method:<14}{}", text(ms)))
    }
}

/// Sets what is given, and shows what is in force then.
pub(super) async fn reservations(
    settings: &ClientSettings,
    activity_max: Option<&str>,
    payment_max: Option<&str>,
    unpaid: &[String],
) -> Result<Shown, CliFault> {
    let activity_ms_max = activity_max.map(|text| span("--activity-max", text)).transpose()?;
    let payment_ms_max = payment_max.map(|text| span("--payment-max", text)).transpose()?;
    let unpaid = unpaid.iter().map(|text| of_method(text)).collect::<Result<Vec<_>, _>>()?;
    let connection = MarketConnection::open(settings).await?;
    let market = connection.market;
    let mut now = look(&connection).await?;
    let mut wanted = Reservations {
        activity_ms_max: activity_ms_max.unwrap_or(now.activity_ms_max),
        payment_ms_max: payment_ms_max.unwrap_or(now.payment_ms_max),
        unpaid_ms: now.unpaid_ms,
    };
    for (method, ms) in unpaid {
        wanted.unpaid_ms[method] = ms;
    }
    if wanted != now {
        connection.submit("reservations", &Command::SetReservations { market, reservations: wanted }).await?;
        now = look(&connection).await?;
    }
    let Reservations { activity_ms_max, payment_ms_max, .. } = now;
    let unpaid_ms = now.unpaid().map(|(method, ms)| (method.name(), ms)).collect();
    Ok(Shown { market: connection.market_name.clone(), activity_ms_max, payment_ms_max, unpaid_ms })
}

/// A payment method, by its number, and how long an order waits for it.
fn of_method(text: &str) -> Result<(usize, u32), CliFault> {
    let names: Vec<_> = Reservations::default().unpaid().map(|(method, _)| method.name()).collect();
    let wrong = || CliFault::usage(format!("--unpaid {text}: must be METHOD=TIME, METHOD one of {}", names.join(", ")));
    let (method, time) = text.split_once('=').ok_or_else(wrong)?;
    let number = names.iter().position(|name| *name == method.replace('-', "_")).ok_or_else(wrong)?;
    match span("--unpaid", time)? {
        0 => Err(CliFault::usage(format!("--unpaid {text}: must be longer than nothing"))),
        ms => Ok((number, ms)),
    }
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
