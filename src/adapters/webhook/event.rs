//! What a webhook is told: a batch of events as JSON. `docs/WEBHOOKS.md` names every field.
//!
//! # Always true
//! - The same batch has the same identifier and the same bytes, however often it is sent.
//! - Details of customers are not in it, only how many bytes they are.

use serde_json::{Map, Value, json};

use super::contents::{describe_edited, describe_placed};
use crate::base::{OrderId, Timestamp};
use crate::engine::fact::Change;
use crate::engine::ledger::Account;
use crate::engine::{
    Component, DeclineReason, Draw, Fact, LineQuantity, PaymentReport, Policy, Report, Retention, ReturnFact, Velocity,
    Whose,
};
use crate::feed::{Batch, Event, Position};
use crate::wire::FactScratch;

/// The type of every message.
pub(super) const TYPE: &str = "stockade.events";

/// The identifier of a message: the same for the same events.
pub(super) fn id(sink: &str, batch: &Batch) -> String {
    let (first, last) = batch.positions();
    format!("{sink}-{}-{}-{}", batch.shard(), position(first), position(last))
}

/// The bytes of a message.
pub(super) fn body(sink: &str, batch: &Batch, scratch: &mut FactScratch) -> Vec<u8> {
    let (first, last) = batch.positions();
    let mut events = Vec::with_capacity(batch.len());
    let mut newest = batch.begun_at().unwrap_or(Timestamp::ZERO);
    batch.read(scratch, |event| {
        if let Event::Fact { at, .. } = event {
            newest = at;
        }
        events.push(value(&event));
    });
    let message = json!({
        "type": TYPE,
        "timestamp": newest.utc(),
        "data": {
            "sink": sink,
            "shard": batch.shard().0,
            "first": position(first),
            "last": position(last),
            "events": events,
        },
    });
    message.to_string().into_bytes()
}

fn position(Position { sequence, index }: Position) -> String {
    format!("{sequence}.{index}")
}

fn value(event: &Event<'_>) -> Value {
    let (kind, mut fields) = match event {
        Event::Gap { after, upto } => ("feed.gap", json!({ "after": after.0, "upto": upto.0 })),
        Event::Fact { fact, .. } => describe(fact),
    };
    let mut all = Map::new();
    all.insert("position".to_owned(), position(event.position()).into());
    if let Event::Fact { at, .. } = event {
        all.insert("at".to_owned(), at.utc().into());
    }
    all.insert("type".to_owned(), kind.into());
    if let Some(fields) = fields.as_object_mut() {
        all.append(fields);
    }
    Value::Object(all)
}

fn describe(fact: &Fact<'_>) -> (&'static str, Value) {
    match *fact {
        Fact::MarketAssigned { market, shard, code } => {
            ("market.assigned", json!({ "market": market.number(), "shard": shard.0, "code": code }))
        }
        Fact::MarketOpened { market, code } => ("market.opened", json!({ "market": market.number(), "code": code })),
        Fact::RetentionSet { market, retention: Retention { return_window_ms, ids_kept_ms } } => (
            "market.retention_set",
            json!({ "market": market.number(), "return_window_ms": return_window_ms, "ids_kept_ms": ids_kept_ms }),
        ),
        Fact::ReservationsSet { market, reservations } => {
            let unpaid = reservations.unpaid().map(|(method, ms)| (method.name().to_owned(), ms.into()));
            let fields = json!({
                "market": market.number(), "activity_ms_max": reservations.activity_ms_max,
                "payment_ms_max": reservations.payment_ms_max, "unpaid_ms": unpaid.collect::<Map<String, Value>>(),
            });
            ("market.reservations_set", fields)
        }
        Fact::ChannelCapSet { market, sku, channel, units_max } => (
            "sku.channel_cap_set",
            json!({ "market": market.number(), "sku": sku.0, "channel": channel, "units_max": units_max }),
        ),
        Fact::VelocitySet { market, velocity: Velocity { window_ms, keys_max } } => {
            ("market.velocity_set", json!({ "market": market.number(), "window_ms": window_ms, "keys_max": keys_max }))
        }
        Fact::EffectsSet { market, effects } => (
            "market.effects_set",
            json!({
                "market": market.number(),
                "payment": effects.payment,
                "release": effects.release,
                "check": effects.check,
            }),
        ),
        Fact::Retired { market, before } => {
            ("market.retired", json!({ "market": market.number(), "before": before.utc() }))
        }
        Fact::SiteCreated { market, site, rank, code } => {
            ("site.created", json!({ "market": market.number(), "site": site.0, "rank": rank, "code": code }))
        }
        Fact::SkuCreated { market, sku, code } => {
            ("sku.created", json!({ "market": market.number(), "sku": sku.0, "code": code }))
        }
        Fact::KitDefined { market, sku, code, components } => {
            let part = |part: &Component| json!({ "sku": part.sku.0, "units": part.units });
            let components: Vec<_> = components.iter().map(part).collect();
            let market = market.number();
            ("kit.defined", json!({ "market": market, "sku": sku.0, "code": code, "components": components }))
        }
        Fact::PolicySet { market, sku, policy } => {
            let mut fields = describe_policy(policy);
            fields["market"] = market.number().into();
            fields["sku"] = sku.0.into();
            ("sku.policy_set", fields)
        }
        Fact::StockLevelChanged { market, sku, level, for_sale } => {
            let market = market.number();
            let fields = json!({ "market": market, "sku": sku.0, "level": level.name(), "for_sale": for_sale });
            ("sku.stock_level_changed", fields)
        }
        Fact::Received { request, sku, site, quantity } => {
            let market = request.market().number();
            let fields = json!({
                "market": market, "request": request.to_string(), "sku": sku.0, "site": site.0, "quantity": quantity,
            });
            ("stock.received", fields)
        }
        Fact::Adjusted { request, sku, site, delta, reason } => {
            let market = request.market().number();
            let fields = json!({
                "market": market, "request": request.to_string(), "sku": sku.0, "site": site.0, "delta": delta,
                "reason": reason.name(),
            });
            ("stock.adjusted", fields)
        }
        Fact::StockMoved { request, sku, from, to, quantity } => {
            let market = request.market().number();
            let fields = json!({
                "market": market, "request": request.to_string(), "sku": sku.0, "from": account(from),
                "to": account(to), "quantity": quantity,
            });
            ("stock.moved", fields)
        }
        Fact::StockCounted { request, sku, site, expected, counted } => {
            let market = request.market().number();
            let fields = json!({
                "market": market, "request": request.to_string(), "sku": sku.0, "site": site.0, "expected": expected,
                "counted": counted,
            });
            ("stock.counted", fields)
        }
        Fact::Erased { whose: Whose::Customer { market, customer } } => {
            ("details.erased", json!({ "market": market.number(), "customer": format!("{customer:?}") }))
        }
        Fact::Erased { whose: Whose::Guest { order } } => {
            ("details.erased", json!({ "market": order.market().number(), "order": order.to_string() }))
        }
        Fact::CountReported { request, sku, site, as_of, on_hand, counted, short, excess } => {
            let market = request.market().number();
            let fields = json!({
                "market": market, "request": request.to_string(), "sku": sku.0, "site": site.0, "as_of": as_of.0,
                "on_hand": on_hand, "counted": counted, "short": short, "excess": excess,
            });
            ("stock.count_reported", fields)
        }
        Fact::Closed { orders } => ("orders.closed", json!({ "orders": texts(orders) })),
        Fact::Left { orders } => ("orders.left", json!({ "orders": texts(orders) })),
        Fact::CursorMoved { .. } => unreachable!("law: facts about cursors are not told"),
        Fact::Placed(_)
        | Fact::Confirmed { .. }
        | Fact::RetakeFailed { .. }
        | Fact::Extended { .. }
        | Fact::Cancelled { .. }
        | Fact::Blocked { .. }
        | Fact::LinesCancelled { .. }
        | Fact::Edited { .. }
        | Fact::Expired { .. }
        | Fact::Filled { .. }
        | Fact::OrderPutBack { .. }
        | Fact::HandedOver { .. }
        | Fact::Returned { .. }
        | Fact::Held { .. }
        | Fact::HoldLifted { .. }
        | Fact::PaymentStarted { .. }
        | Fact::PaymentReported { .. }
        | Fact::RefundRequested { .. }
        | Fact::Delivered { .. }
        | Fact::Return { .. }
        | Fact::EffectReported { .. } => describe_order(fact),
    }
}

/// Facts about one order.
fn describe_order(fact: &Fact<'_>) -> (&'static str, Value) {
    let (kind, order, mut fields) = match *fact {
        Fact::Placed(ref placed) => ("order.placed", placed.order, describe_placed(placed)),
        Fact::Confirmed { order, attempt, entered, draws } => {
            let entered = (entered > 0).then(|| entered.to_string());
            let fields = json!({ "attempt": attempt.to_string(), "entered": entered, "taken_again": units(draws) });
            ("order.confirmed", order, fields)
        }
        Fact::RetakeFailed { order, attempt, sku } => {
            ("order.retake_failed", order, json!({ "attempt": attempt.to_string(), "sku": sku.0 }))
        }
        Fact::Extended { order, deadline, reason } => {
            ("order.extended", order, json!({ "deadline": deadline.utc(), "reason": reason.name() }))
        }
        Fact::Cancelled { order } => ("order.cancelled", order, json!({})),
        Fact::Blocked { order } => ("order.blocked", order, json!({})),
        Fact::Expired { order } => ("order.expired", order, json!({})),
        Fact::Filled { order, draws } => ("order.filled", order, json!({ "units": units(draws) })),
        Fact::OrderPutBack { order, sku, draws } => {
            ("order.put_back", order, json!({ "sku": sku.0, "units": units(draws) }))
        }
        Fact::LinesCancelled { order, change, draws } => ("order.lines_cancelled", order, moved(&change, draws)),
        Fact::Edited { order, change, ref what } => ("order.edited", order, describe_edited(&change, what)),
        Fact::HandedOver { order, change, draws } => ("order.handed_over", order, moved(&change, draws)),
        Fact::Returned { order, change, site, draws } => {
            let mut fields = moved(&change, draws);
            fields["site"] = site.0.into();
            ("order.returned", order, fields)
        }
        Fact::EffectReported { order, effect, attempt, report } => {
            let (report, reason) = match report {
                Report::Done => ("done", None),
                Report::SetAside(reason) => ("set_aside", Some(reason.name())),
                Report::Resumed => ("resumed", None),
                Report::Rejected => ("rejected", None),
            };
            let fields = json!({ "effect": effect.name(), "attempt": attempt, "report": report, "reason": reason });
            ("order.effect_reported", order, fields)
        }
        Fact::Held { order, owner, reason, note } => {
            ("order.held", order, json!({ "owner": owner, "reason": reason.name(), "note": note }))
        }
        Fact::HoldLifted { order, owner, reason } => {
            ("order.hold_lifted", order, json!({ "owner": owner, "reason": reason.name() }))
        }
        Fact::PaymentStarted { order, attempt, method } => {
            ("order.payment_started", order, json!({ "attempt": attempt.to_string(), "method": method.name() }))
        }
        Fact::PaymentReported { order, attempt, method, report, draws, short } => {
            let (reason, class) = match report {
                PaymentReport::Failed { reason, class } => (Some(reason.name()), Some(class.name())),
                _ => (None, None),
            };
            let (total, until) = (report.total().map(|total| total.to_string()), report.until().utc_or_none());
            let fields = json!({
                "attempt": attempt.to_string(), "method": method.name(), "report": report.name(), "total": total,
                "until": until, "reason": reason, "class": class, "taken_again": units(draws),
                "short_sku": short.map(|sku| sku.0),
            });
            ("order.payment_reported", order, fields)
        }
        Fact::RefundRequested { order, change, amount } => {
            ("order.refund_requested", order, json!({ "change": change.id.to_string(), "amount": amount.to_string() }))
        }
        Fact::Delivered { order, change, lines } => {
            ("order.delivered", order, json!({ "change": change.id.to_string(), "units": quantities(lines) }))
        }
        Fact::Return { order, id, what } => {
            let (kind, mut fields) = describe_return(what);
            fields["return"] = id.to_string().into();
            (kind, order, fields)
        }
        _ => unreachable!("law: only facts about one order come here"),
    };
    fields["market"] = order.market().number().into();
    fields["order"] = order.to_string().into();
    (kind, fields)
}

fn describe_return(what: ReturnFact<'_>) -> (&'static str, Value) {
    match what {
        ReturnFact::Requested { kind, reason, lines } => {
            let fields = json!({ "kind": kind.name(), "reason": reason.name(), "units": quantities(lines) });
            ("return.requested", fields)
        }
        ReturnFact::Told(report) => {
            let reason = report.declined().map(DeclineReason::name);
            ("return.told", json!({ "stage": report.stage().name(), "reason": reason }))
        }
        ReturnFact::Received { site, draws } => ("return.received", json!({ "site": site.0, "units": units(draws) })),
        ReturnFact::Inspected { site, disposition, draws } => {
            let fields = json!({ "site": site.0, "disposition": disposition.name(), "units": units(draws) });
            ("return.inspected", fields)
        }
    }
}

fn describe_policy(policy: Policy) -> Value {
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
    } = policy;
    json!({
        "safety_stock": safety_stock,
        "order_min": order_min,
        "order_max": order_max,
        "customer_max": customer_max,
        "customer_day_max": customer_day_max,
        "by_hashes": by_hashes,
        "day_begins_min": day_begins_min,
        "oversell_max": oversell_max,
        "low_stock": low_stock,
        "returns_give_back": returns_give_back,
    })
}

fn account(Account { site, bucket }: Account) -> Value {
    json!({ "site": site.0, "bucket": bucket.name() })
}

fn moved(change: &Change, draws: &[Draw]) -> Value {
    json!({ "change": change.id.to_string(), "units": units(draws), "excess": change.excess })
}

pub(super) fn units(draws: &[Draw]) -> Vec<Value> {
    let one = |draw: &Draw| json!({ "line": draw.line, "site": draw.site.0, "quantity": draw.quantity });
    draws.iter().map(one).collect()
}

fn quantities(lines: &[LineQuantity]) -> Vec<Value> {
    lines.iter().map(|line| json!({ "line": line.line, "quantity": line.quantity })).collect()
}

fn texts(orders: &[OrderId]) -> Vec<String> {
    orders.iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::base::limits::{ORDER_TOTAL_MAX, SEAL_BYTES};
    use crate::base::{ChangeId, Currency, CustomerKey, KeyName, MarketId, Sequence, ShardId, SiteId, SkuId};
    use crate::engine::choices::{PaymentMethod, Take};
    use crate::engine::{FailureReason, Line, Placed, RetryClass};
    use crate::feed::Feed;
    use crate::wal::{ReplayedEntry, StreamTail};
    use crate::wire::encode_fact;

    const PAGE: &str = include_str!("../../../docs/WEBHOOKS.md");

    /// The feed of a shard in which these things happened in entry 7.
    fn feed(facts: &[Fact<'_>]) -> Feed {
        let mut feed = Feed::new(&[Sequence(6)]);
        let mut bytes = Vec::new();
        facts.iter().for_each(|fact| encode_fact(fact, &mut bytes));
        let log_time = Timestamp::from_ms(1_795_707_635_600);
        let entry = ReplayedEntry { stream: ShardId(0), sequence: Sequence(7), log_time, bytes: &bytes };
        feed.handle_entry(&entry).expect("facts");
        feed
    }

    #[test]
    fn the_example_of_the_page_is_what_is_sent() {
        let order: OrderId = "01a218840790000011c534f691952b9f".parse().expect("an identifier");
        let placed = Placed {
            order,
            customer: CustomerKey(42),
            take: Take::AllOrNothing,
            hold_ms: 900_000,
            currency: Currency::new(*b"EUR").expect("euros exist"),
            payment: PaymentMethod::Card,
            channel: 1,
            zone: 44,
            confirmed: false,
            hashes: None,
            lines: &[Line { sku: SkuId(1), quantity: 2, price: 339 }],
            draws: &[Draw { line: 0, site: SiteId(1), quantity: 2 }],
            details: &[7; 3 + SEAL_BYTES],
            key: Some(KeyName { slot: 4, generation: 0 }),
        };
        let confirmed = Fact::Confirmed { order, attempt: ChangeId(u64::MAX), entered: 0, draws: &[] };
        let mut feed = feed(&[Fact::Placed(placed), confirmed]);
        let batch = feed.poll_batch(ShardId(0)).expect("two events");
        let sent: Value = serde_json::from_slice(&body("webhook", &batch, &mut FactScratch::default())).expect("JSON");
        let example = PAGE.split("```json").nth(1).and_then(|behind| behind.split("```").next()).expect("an example");
        assert_eq!(sent, serde_json::from_str::<Value>(example).expect("JSON"));
        assert_eq!(id("webhook", &batch), "webhook-0-7.0-7.1");
    }

    #[test]
    fn a_gap_stands_where_its_last_entry_would() {
        let mut feed = feed(&[]);
        feed.handle_begun(&[StreamTail { sequence: Sequence(20), log_time: Timestamp::ZERO }]);
        let batch = feed.poll_batch(ShardId(0)).expect("a gap");
        let sent: Value = serde_json::from_slice(&body("webhook", &batch, &mut FactScratch::default())).expect("JSON");
        let gap = json!([{ "position": "20.0", "type": "feed.gap", "after": 7, "upto": 20 }]);
        assert_eq!(sent["data"]["events"], gap);
    }

    #[test]
    fn the_fields_of_facts_about_one_order_name_it_and_its_market() {
        let order = OrderId::new(Timestamp::ZERO, MarketId::new(3).expect("fits"), 9);
        let change = Change { id: ChangeId(5), content: 0, excess: 2 };
        let draws = &[Draw { line: 1, site: SiteId(4), quantity: 6 }][..];
        let (kind, fields) = describe(&Fact::Returned { order, change, site: SiteId(2), draws });
        let units = json!([{ "line": 1, "site": 4, "quantity": 6 }]);
        let expected =
            json!({ "order": order.to_string(), "market": 3, "change": "5", "excess": 2, "site": 2, "units": units });
        assert_eq!((kind, fields), ("order.returned", expected));
    }

    #[test]
    fn amounts_of_payments_may_exceed_what_json_counts_with_and_are_text() {
        let order = OrderId::new(Timestamp::ZERO, MarketId::new(3).expect("fits"), 9);
        let (attempt, method, total) = (ChangeId(5), PaymentMethod::Card, ORDER_TOTAL_MAX);
        let reported = |report, short| Fact::PaymentReported { order, attempt, method, report, draws: &[], short };
        let fields = |report: &str, told: [Value; 3], short: Value| {
            let [total, reason, class] = told;
            let until = if report == "authorised" { json!("1970-01-02T00:00:00.000Z") } else { Value::Null };
            json!({
                "order": order.to_string(), "market": 3, "attempt": "5", "method": "card", "report": report,
                "total": total, "until": until, "reason": reason, "class": class, "taken_again": [], "short_sku": short,
            })
        };
        let failed = PaymentReport::Failed { reason: FailureReason::Declined, class: RetryClass::OtherMethod };
        let told = [Value::Null, json!("declined"), json!("other_method")];
        assert_eq!(describe(&reported(failed, None)).1, fields("failed", told, Value::Null));
        let told = [json!(total.to_string()), Value::Null, Value::Null];
        let captured = reported(PaymentReport::Captured { total }, Some(SkuId(7)));
        assert_eq!(describe(&captured), ("order.payment_reported", fields("captured", told, json!(7))));
        let until = Timestamp::from_ms(86_400_000);
        let told = [json!(total.to_string()), Value::Null, Value::Null];
        let authorised = reported(PaymentReport::Authorised { total, until }, None);
        assert_eq!(describe(&authorised).1, fields("authorised", told, Value::Null));
        let change = Change { id: ChangeId(5), content: 0, excess: 0 };
        let (kind, fields) = describe(&Fact::RefundRequested { order, change, amount: total });
        let expected = json!({ "order": order.to_string(), "market": 3, "change": "5", "amount": total.to_string() });
        assert_eq!((kind, fields), ("order.refund_requested", expected));
    }

    #[test]
    fn the_page_names_every_type_there_is_and_no_other() {
        let is_type = |word: &str| {
            let (subject, happened) = word.split_once('.')?;
            let is_subject = ["order", "orders", "stock", "sku", "site", "market", "feed", "return"].contains(&subject);
            let is_word =
                !happened.is_empty() && happened.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
            (is_subject && is_word).then(|| word.to_owned())
        };
        let code = include_str!("event.rs").split("#[cfg(test)]").next().expect("the code");
        let sent: BTreeSet<String> = code.split('"').filter_map(is_type).collect();
        let rows = PAGE.lines().filter(|line| line.starts_with("| `")).filter_map(|line| line.split('|').nth(1));
        let named: BTreeSet<String> = rows.flat_map(|names| names.split('`')).filter_map(is_type).collect();
        assert!(sent.len() > 20);
        assert_eq!(sent, named, "sent (left), on the page (right)");
    }
}
