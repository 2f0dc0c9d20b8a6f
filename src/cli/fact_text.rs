//! Facts in words, one line each, for `log dump`.

use crate::base::{CustomerKey, OrderId, SiteId};
use crate::engine::fact::{Change, Draw, Edited};
use crate::engine::{
    Component, Fact, LineQuantity, PaymentReport, Placed, Report, Reservations, Retention, ReturnFact, Velocity, Whose,
};

/// One line that says what happened. Markets, sites and SKUs are told by number, as the log has them.
pub(super) fn text(fact: &Fact<'_>) -> String {
    match fact {
        Fact::MarketAssigned { market, shard, code } => format!("market {market} assigned to shard {shard}: {code}"),
        Fact::MarketOpened { market, code } => format!("market {market} opened: {code}"),
        Fact::SiteCreated { market, site, rank, code } => {
            format!("site {site} created in market {market}, rank {rank}: {code}")
        }
        Fact::SkuCreated { market, sku, code } => format!("sku {sku} created in market {market}: {code}"),
        Fact::Received { request, sku, site, quantity } => {
            format!("received {quantity} of sku {sku} at site {site}, request {request}")
        }
        Fact::Adjusted { request, sku, site, delta, reason } => {
            format!("adjusted sku {sku} at site {site} by {delta:+} ({reason:?}), request {request}")
        }
        Fact::StockMoved { request, sku, from, to, quantity } => {
            let [from, to] = [from, to].map(|at| format!("{} at site {}", at.bucket.name(), at.site));
            format!("moved {quantity} of sku {sku} from {from} to {to}, request {request}")
        }
        Fact::StockCounted { request, sku, site, expected, counted } => {
            format!("counted {counted} of sku {sku} at site {site}, where {expected} were, request {request}")
        }
        Fact::CountReported { request, sku, site, as_of, on_hand, counted, short, excess } => {
            let known = format!("as of entry {as_of}, where {on_hand} were known, request {request}");
            let short = if *short > 0 { format!("; orders hold {short} that are not there") } else { String::new() };
            let excess = if *excess > 0 { format!("; {excess} have left all the same") } else { String::new() };
            format!("counted {counted} of sku {sku} at site {site} {known}{short}{excess}")
        }
        Fact::OrderPutBack { order, sku, draws } => {
            format!("put back {order}, for sku {sku} is missing: {}", draws_text(draws))
        }
        Fact::Placed(placed) => placed_text(placed),
        Fact::Confirmed { order, attempt, entered, draws } => {
            let late = if draws.is_empty() { "" } else { " late" };
            let taken = match entered {
                0 => String::new(),
                minor => format!(" with {minor} minor units taken in all"),
            };
            let again = if draws.is_empty() { String::new() } else { format!(", taken again: {}", draws_text(draws)) };
            format!("confirmed {order}{late}, attempt {attempt}{taken}{again}")
        }
        Fact::RetakeFailed { order, attempt, sku } => {
            format!("confirm of {order} came too late, attempt {attempt}: sku {sku} was gone")
        }
        Fact::Cancelled { order } => format!("cancelled {order}"),
        Fact::Blocked { order } => format!("blocked {order}"),
        Fact::LinesCancelled { order, change, draws } => {
            format!("cancelled of {order}: {}{}", draws_text(draws), change_text(change))
        }
        Fact::Edited { order, change, what } => {
            format!("edited {order}: {}{}", edited_text(what), change_text(change))
        }
        Fact::Extended { order, deadline, reason } => {
            format!("extended {order} until {}, for {}", deadline.utc(), reason.name().replace('_', " "))
        }
        Fact::ReservationsSet { market, reservations } => {
            let Reservations { activity_ms_max, payment_ms_max, .. } = reservations;
            let unpaid: Vec<_> =
                reservations.unpaid().map(|(method, ms)| format!("{} {ms} ms", method.name())).collect();
            format!(
                "market {market} reserves {activity_ms_max} ms through activity, {payment_ms_max} ms for a payment, \
                 unpaid {}",
                unpaid.join(", ")
            )
        }
        Fact::ChannelCapSet { market, sku, channel, units_max: Some(most) } => {
            format!("market {market}, sku {sku}: at most {most} units through channel {channel}")
        }
        Fact::ChannelCapSet { market, sku, channel, units_max: None } => {
            format!("market {market}, sku {sku}: any number of units through channel {channel}")
        }
        Fact::VelocitySet { market, velocity: Velocity { window_ms: 0, .. } } => {
            format!("market {market} counts nothing of whoever places orders")
        }
        Fact::VelocitySet { market, velocity: Velocity { window_ms, keys_max } } => {
            format!("market {market} counts orders of {window_ms} ms, of {keys_max} keys")
        }
        Fact::Expired { order } => format!("expired {order}"),
        Fact::HandedOver { order, change, draws } => {
            format!("handed over of {order}: {}{}", draws_text(draws), change_text(change))
        }
        Fact::Returned { order, change, site, draws } => {
            format!("returned to site {site} of {order}: {}{}", draws_text(draws), change_text(change))
        }
        Fact::RetentionSet { market, retention: Retention { return_window_ms, ids_kept_ms } } => {
            format!("market {market} keeps ended orders {return_window_ms} ms, identifiers {ids_kept_ms} ms")
        }
        Fact::KitDefined { market, sku, code, components } => {
            let part = |part: &Component| format!("{} of sku {}", part.units, part.sku);
            let parts: Vec<_> = components.iter().map(part).collect();
            format!("kit {code} of market {market} is sku {sku}: {}", parts.join(", "))
        }
        Fact::PolicySet { market, sku, policy } => {
            format!("market {market}, sku {sku}: {}", super::policy::in_words(policy))
        }
        Fact::EffectsSet { market, effects } => {
            format!("market {market} wants of adapters: {}", super::effects::in_words(*effects))
        }
        Fact::EffectReported { order, effect, attempt, report } => {
            format!("{} of {order}, attempt {attempt}: {}", effect.name(), report_text(*report))
        }
        Fact::CursorMoved { sink, upto, attached: true } => {
            format!("sink {sink} has taken everything up to entry {upto}")
        }
        Fact::CursorMoved { sink, upto, attached: false } => {
            format!("the log is no longer kept for sink {sink}, which has got to entry {upto}")
        }
        Fact::Filled { order, draws } => format!("filled of {order}: {}", draws_text(draws)),
        Fact::StockLevelChanged { market, sku, level, for_sale } => {
            format!("stock of sku {sku} of market {market} is {}: {for_sale} for sale", level.name())
        }
        Fact::Held { order, owner, reason, note } => {
            let note = if note.is_empty() { String::new() } else { format!(": {note}") };
            format!("{owner} holds {order}, for {}{note}", reason.name())
        }
        Fact::HoldLifted { order, owner, reason } => {
            format!("{owner} no longer holds {order} for {}", reason.name())
        }
        Fact::PaymentStarted { order, attempt, method } => {
            format!("payment {attempt} of {order} began: {}", method.name())
        }
        Fact::PaymentReported { order, attempt, report, draws, short, .. } => {
            let late = match (short, draws) {
                (Some(sku), _) => format!("; too late: sku {sku} was gone"),
                (None, []) => String::new(),
                (None, draws) => format!("; late, taken again: {}", draws_text(draws)),
            };
            format!("payment {attempt} of {order}: {}{late}", payment_text(*report))
        }
        Fact::RefundRequested { order, change, amount } => {
            format!("{amount} minor units of {order} are to go back{}", change_text(change))
        }
        Fact::Delivered { order, change, lines } => {
            format!("delivered of {order}: {}{}", lines_text(lines), change_text(change))
        }
        Fact::Return { order, id, what } => return_text(&format!("return {id} of {order}"), *what),
        Fact::Retired { market, before } => {
            format!("market {market} refuses identifiers made before {} ms", before.ms())
        }
        Fact::Erased { whose: Whose::Customer { market, customer } } => {
            format!("erased the details of customer {customer:?} of market {market}")
        }
        Fact::Erased { whose: Whose::Guest { order } } => format!("erased the details of {order}"),
        Fact::Closed { orders } => format!("closed {}", orders_text(orders)),
        Fact::Left { orders } => format!("left: {}", orders_text(orders)),
    }
}

fn report_text(report: Report) -> String {
    match report {
        Report::Done => "done".into(),
        Report::SetAside(reason) => format!("set aside, {}", reason.name().replace('_', " ")),
        Report::Resumed => "to be tried again".into(),
        Report::Rejected => "rejected".into(),
    }
}

fn payment_text(report: PaymentReport) -> String {
    let word = report.name().replace('_', " ");
    match report {
        PaymentReport::Failed { reason, class } => format!("{word}, {}, retry {}", reason.name(), class.name()),
        _ => {
            let until = report.until().utc_or_none().map(|until| format!(", until {until}")).unwrap_or_default();
            report.total().map_or(word.clone(), |total| format!("{word}, {total} minor units in all{until}"))
        }
    }
}

fn placed_text(placed: &Placed<'_>) -> String {
    let line = |line: &crate::engine::Line| format!("{} of sku {} at {}", line.quantity, line.sku, line.price);
    let lines: Vec<_> = placed.lines.iter().map(line).collect();
    let customer =
        if placed.customer == CustomerKey::default() { "a guest".into() } else { format!("{:?}", placed.customer) };
    let held = if placed.confirmed { "confirmed at once".into() } else { format!("held for {} ms", placed.hold_ms) };
    let details = match placed.key {
        Some(key) => format!("{} bytes of sealed details, key {key}", placed.details.len()),
        None => "no details".into(),
    };
    format!(
        "placed {} by {customer}, {held}, prices in minor units of {}: {}; taken: {}; {details}",
        placed.order,
        placed.currency,
        lines.join(", "),
        draws_text(placed.draws)
    )
}

fn edited_text(what: &Edited<'_>) -> String {
    let mut parts = Vec::new();
    if !what.removed.is_empty() {
        parts.push(format!("cancelled {}", draws_text(what.removed)));
    }
    for (at, line) in what.lines.iter().enumerate() {
        parts.push(format!("added {} of sku {} at {}", line.quantity, line.sku, line.price));
        if at + 1 == what.lines.len() {
            parts.push(format!("taken {}", draws_text(what.draws)));
        }
    }
    parts.extend(what.prices.iter().map(|priced| format!("line {} costs {}", priced.line, priced.price)));
    parts.extend(what.zone.map(|zone| format!("goes to zone {zone}")));
    parts.join("; ")
}

fn return_text(which: &str, what: ReturnFact<'_>) -> String {
    match what {
        ReturnFact::Requested { kind, reason, lines } => {
            format!("{which} begins: {} for {}, {}", kind.name(), reason.name(), lines_text(lines))
        }
        ReturnFact::Told(report) => match report.declined() {
            Some(reason) => format!("{which} is declined: {}", reason.name()),
            None => format!("{which} is {}", report.stage().name().replace('_', " ")),
        },
        ReturnFact::Received { site, draws } => {
            format!("{which} came in at site {site}, handed over: {}", draws_text(draws))
        }
        ReturnFact::Inspected { site, disposition, draws } => {
            format!("{which}, {} at site {site}: {}", disposition.name().replace('_', " "), draws_text(draws))
        }
    }
}

fn lines_text(lines: &[LineQuantity]) -> String {
    let one = |line: &LineQuantity| format!("{} of line {}", line.quantity, line.line);
    lines.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn draws_text(draws: &[Draw]) -> String {
    let draw = |draw: &Draw| match draw.site {
        SiteId::NOWHERE => format!("{} of line {} owed", draw.quantity, draw.line),
        site => format!("{} of line {} at site {site}", draw.quantity, draw.line),
    };
    match draws {
        [] => "nothing".to_owned(),
        draws => draws.iter().map(draw).collect::<Vec<_>>().join(", "),
    }
}

fn orders_text(orders: &[OrderId]) -> String {
    orders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn change_text(change: &Change) -> String {
    match change.excess {
        0 => format!(", change {}", change.id),
        excess => format!(", change {}, {excess} units more were reported", change.id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::{ChangeId, MarketId, SiteId, SkuId, Timestamp};
    use crate::engine::choices::PaymentMethod;
    use crate::engine::{FailureReason, RetryClass};

    #[test]
    fn a_fact_is_one_line_that_names_what_moved() {
        let order = OrderId::new(Timestamp::from_ms(1), MarketId::new(1).expect("fits"), 2);
        let draws = [Draw { line: 0, site: SiteId(1), quantity: 3 }];
        let change = Change { id: ChangeId(8), content: 0, excess: 2 };
        let text = text(&Fact::HandedOver { order, change, draws: &draws });
        assert_eq!(
            text,
            format!("handed over of {order}: 3 of line 0 at site 1, change 8, 2 units more were reported")
        );
    }

    #[test]
    fn a_confirmation_tells_what_it_entered_and_what_was_taken_again() {
        let order = OrderId::new(Timestamp::from_ms(1), MarketId::new(1).expect("fits"), 2);
        let draws = [Draw { line: 0, site: SiteId(1), quantity: 3 }];
        let told = |entered, draws| text(&Fact::Confirmed { order, attempt: ChangeId(4), entered, draws });
        assert_eq!(told(0, &[]), format!("confirmed {order}, attempt 4"));
        assert_eq!(told(900, &[]), format!("confirmed {order}, attempt 4 with 900 minor units taken in all"));
        assert_eq!(told(0, &draws), format!("confirmed {order} late, attempt 4, taken again: 3 of line 0 at site 1"));
    }

    #[test]
    fn what_was_told_of_a_payment_is_one_line_with_what_came_of_it() {
        let order = OrderId::new(Timestamp::from_ms(1), MarketId::new(1).expect("fits"), 2);
        let draws = [Draw { line: 0, site: SiteId(1), quantity: 3 }];
        let told = |report, draws, short| {
            let (attempt, method) = (ChangeId(4), PaymentMethod::Card);
            text(&Fact::PaymentReported { order, attempt, method, report, draws, short })
        };
        let failed = PaymentReport::Failed { reason: FailureReason::TimedOut, class: RetryClass::OtherMethod };
        assert_eq!(told(failed, &[], None), format!("payment 4 of {order}: failed, timed_out, retry other_method"));
        let until = Timestamp::from_ms(86_400_000);
        assert_eq!(
            told(PaymentReport::Authorised { total: 900, until }, &[], None),
            format!("payment 4 of {order}: authorised, 900 minor units in all, until 1970-01-02T00:00:00.000Z")
        );
        let captured = PaymentReport::Captured { total: 900 };
        assert_eq!(
            told(captured, &draws, None),
            format!("payment 4 of {order}: captured, 900 minor units in all; late, taken again: 3 of line 0 at site 1")
        );
        assert_eq!(
            told(captured, &[], Some(SkuId(9))),
            format!("payment 4 of {order}: captured, 900 minor units in all; too late: sku 9 was gone")
        );
        assert_eq!(told(PaymentReport::DisputeWon, &[], None), format!("payment 4 of {order}: dispute won"));
    }
}
