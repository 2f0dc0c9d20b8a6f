//! `order accept` and `order reject`: a person says whether an order is to be trusted.
//!
//! # Why so
//! The same report says of any effect that somebody saw to it (`wanted done`). Of a check it is a decision about an
//! order, so it has a name of its own, needs no attempt, and is refused where nobody waits for it.

use super::connection::MarketConnection;
use super::fault::CliFault;
use super::order;
use super::order_report::DoneReport;
use super::settings::ClientSettings;
use crate::engine::query::CheckState;
use crate::engine::{Command, Effect, Report};

/// What somebody decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Decision {
    Accept,
    Reject,
}

impl Decision {
    const fn report(self) -> Report {
        match self {
            Self::Accept => Report::Done,
            Self::Reject => Report::Rejected,
        }
    }

    const fn words(self) -> [&'static str; 2] {
        match self {
            Self::Accept => ["accepting", "accepted"],
            Self::Reject => ["rejecting", "rejected"],
        }
    }
}

/// Looks whether the order is being checked, and says what was decided. Whoever says something first decides.
pub(super) async fn decide(settings: &ClientSettings, text: &str, decision: Decision) -> Result<DoneReport, CliFault> {
    order::check_name(text)?;
    let connection = MarketConnection::open(settings).await?;
    let view = order::view(&connection, text).await?;
    let [doing, done] = decision.words();
    let why = match view.check {
        CheckState::Pending | CheckState::InReview => None,
        CheckState::NotNeeded => Some("nobody is to check it".to_owned()),
        CheckState::Over => Some(format!("its check is over, and it is {}", view.state.name())),
    };
    if let Some(why) = why {
        return Err(CliFault::Refused { what: format!("order {text} was not {done}"), why });
    }
    let report =
        Command::ReportEffect { order: view.order, effect: Effect::Check, attempt: 1, report: decision.report() };
    order::done(view.order, &connection.submit(&format!("{doing} order {text}"), &report).await?)
}
