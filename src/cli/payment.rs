//! `order pay`, `order payment` and `order refund`: attempts to pay an order, what they come to, what is to go back.
//!
//! # Why so
//! Amounts are written in the order's currency, so the order is looked at before anything is told of its money.

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::order::{check_name, find, view};
use super::payment_args::{self, PayArgs, RefundArgs, ToldArgs};
use super::payment_report::{BegunReport, RefundReport, ToldReport};
use super::price;
use super::settings::ClientSettings;
use crate::base::ChangeId;
use crate::client::Response;
use crate::engine::{Answer, Command, Refusal};
use crate::wire::Refused;

/// Begins an attempt.
pub(super) async fn begin(settings: &ClientSettings, args: &PayArgs) -> Result<BegunReport, CliFault> {
    let PayArgs { order: text, method, attempt, .. } = args;
    check_name(text)?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, text).await?;
    let attempt = attempt.map_or_else(|| connection.client.new_change_id(), ChangeId);
    let command = Command::StartPayment { order, attempt, method: *method };
    let (answer, _) = connection.submit(&format!("paying order {text}"), &command).await?;
    let Answer::Done { state, repeated, .. } = answer else {
        return Err(unexpected("what became of the attempt", &answer));
    };
    let (id, method) = (order.to_string(), method.name());
    Ok(BegunReport { id, state: state.name(), attempt: attempt.to_string(), method, repeated })
}

/// Tells what an attempt came to.
pub(super) async fn tell(settings: &ClientSettings, args: &ToldArgs) -> Result<ToldReport, CliFault> {
    let ToldArgs { order: text, attempt, .. } = args;
    check_name(text)?;
    let given = args.currency()?;
    let connection = MarketConnection::open(settings).await?;
    let view = view(&connection, text).await?;
    let (order, attempt, method) = (view.order, *attempt, args.method.unwrap_or(view.payment));
    let currency = given.unwrap_or(view.currency);
    let report = args.report(currency, connection.client.log_time())?;
    let command = Command::ReportPayment { order, attempt, method, currency, report };
    match connection.submit(&format!("the payment of order {text}"), &command).await? {
        (Answer::Done { state, moved, repeated, .. }, _) => {
            let order = (order.to_string(), state.name());
            Ok(ToldReport::new(order, (attempt, report), currency, (moved, repeated)))
        }
        (Answer::RetakeFailed { sku, .. }, _) => {
            let codes = connection.codes(std::iter::once(sku)).await?;
            let why = format!(
                "the payment is entered, but the order's reservation had ended and {} is sold out meanwhile; the money \
                 must be given back",
                codes.get(&sku).map_or("a SKU", String::as_str)
            );
            Err(CliFault::Refused { what: format!("order {text} was not confirmed"), why })
        }
        (other, _) => Err(unexpected("what became of the payment", &other)),
    }
}

/// Asks for money to go back.
pub(super) async fn refund(settings: &ClientSettings, args: &RefundArgs) -> Result<RefundReport, CliFault> {
    let RefundArgs { order: text, amount, change, .. } = args;
    check_name(text)?;
    let connection = MarketConnection::open(settings).await?;
    let view = view(&connection, text).await?;
    let (order, currency) = (view.order, view.currency);
    let amount = payment_args::amount("AMOUNT", amount, currency)?;
    let change = change.map_or_else(|| connection.client.new_change_id(), ChangeId);
    let command = Command::RequestRefund { order, change, amount };
    let what = format!("giving back money of order {text}");
    let answer = match connection.client.submit(&command).await? {
        Response::Answered { answer, .. } => answer,
        Response::Refused(Refused::Engine(Refusal::RefundTooMuch { left })) => {
            let left = price::text(left, currency);
            let why = format!(
                "{left} {currency} of what was taken can still go back; the rest does already, or was never told of"
            );
            return Err(CliFault::Refused { what, why });
        }
        Response::Refused(why) => return Err(CliFault::refused(what, &why)),
    };
    let Answer::Done { state, repeated, .. } = answer else {
        return Err(unexpected("what became of the refund", &answer));
    };
    Ok(RefundReport {
        id: order.to_string(),
        state: state.name(),
        change: change.to_string(),
        amount: price::text(amount, currency),
        amount_minor: amount,
        currency: currency.to_string(),
        repeated,
    })
}
