//! What is left to be looked at when everything has come to its end: nothing whose cause is gone.

use std::collections::BTreeSet;

use stockade::base::{MarketId, Timestamp};
use stockade::engine::query::{OrderView, TaskRow};
use stockade::engine::{Engine, TaskKind};

/// Holds every task against its order, and every order against its tasks. Nothing is set aside or disputed any more.
pub(crate) fn check<'o>(
    engine: &Engine,
    (market, now): (MarketId, Timestamp),
    orders: impl Iterator<Item = &'o OrderView>,
) {
    let (mut tasks, mut after) = (Vec::<TaskRow>::new(), None);
    loop {
        let page = engine.tasks(market, None, after, 256, now).expect("the market is open");
        tasks.extend(page.rows);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    let mut listed: BTreeSet<_> = tasks.iter().map(|task| (task.order.order, task.kind)).collect();
    assert_eq!(listed.len(), tasks.len(), "an order is listed twice for one reason");
    for order in orders {
        let is_paid_for = order.state.is_open() && !order.state.awaits_payment();
        let owed = order.lines.iter().any(|line| line.owed > 0);
        let failed = order.payments.iter().any(|payment| payment.refund_failed > 0);
        let ends = order.payments.iter().any(|payment| payment.until > Timestamp::ZERO);
        // Of some causes the order alone says whether they are there, of others only whether they may be.
        let causes = [
            (TaskKind::Held, order.state.is_open() && !order.holds.is_empty(), true),
            (TaskKind::Unpaid, is_paid_for && order.missing > 0, true),
            (TaskKind::RefundFailed, failed, false),
            (TaskKind::PutBack, owed, false),
            (TaskKind::AuthorisationEnds, order.state.is_open() && ends, false),
        ];
        for (kind, is_there, is_sure) in causes {
            let is_listed = listed.remove(&(order.order, kind));
            assert!(is_there || !is_listed, "{} is listed as {} without a cause", order.order, kind.name());
            assert!(is_listed || !is_there || !is_sure, "{} is {}, and nobody is told", order.order, kind.name());
        }
    }
    assert!(listed.is_empty(), "causes that are gone: {listed:?}");
}
