//! Orders and rows of the wanted list for the tests beside.

use crate::base::{ChangeId, Currency, CustomerKey, MarketId, OrderId, OrderNumber, SkuId, Timestamp};
use crate::engine::choices::{PaymentMethod, Take};
use crate::engine::order::State;
use crate::engine::query::{CheckState, LineView, OrderView, PaymentView, WantRow};
use crate::engine::{Action, Dispute, Stage, Step};

pub(super) fn order(number: u64) -> OrderId {
    OrderId::new(Timestamp::from_ms(1), MarketId::new(1).expect("small"), number)
}

pub(super) fn row(place: u64, number: u64, action: Action, attempt: u32) -> WantRow {
    WantRow {
        place,
        order: order(number),
        number: OrderNumber(number),
        action,
        attempt,
        since: Timestamp::from_ms(place),
        aside: None,
        state: State::PendingPayment,
        amount: 5,
        currency: Currency::new(*b"GBP").expect("pounds exist"),
        payment: PaymentMethod::Card,
    }
}

/// A confirmed order of one line.
pub(super) fn view(number: u64, units: u32) -> Box<OrderView> {
    let line = LineView {
        sku: SkuId(1),
        asked: units,
        price: 5,
        taken: units,
        owed: 0,
        reserved: 0,
        lapsed: 0,
        committed: units,
        shipped: 0,
        cancelled: 0,
        returned: 0,
        delivered: 0,
    };
    Box::new(OrderView {
        order: order(number),
        number: OrderNumber(number),
        state: State::Confirmed,
        closed: false,
        customer: CustomerKey(0),
        accepted_at: Timestamp::ZERO,
        deadline: Timestamp::ZERO,
        take: Take::AllOrNothing,
        currency: Currency::new(*b"GBP").expect("pounds exist"),
        payment: PaymentMethod::Card,
        channel: 0,
        zone: 0,
        hashes: None,
        lines: vec![line],
        draws: Vec::new(),
        details: Vec::new(),
        key: None,
        erased: false,
        holds: Vec::new(),
        missing: 0,
        check: CheckState::NotNeeded,
        payments: Vec::new(),
        returns: Vec::new(),
    })
}

/// The same, with these attempts to pay it.
pub(super) fn view_of_payments(number: u64, payments: &[PaymentView]) -> Box<OrderView> {
    Box::new(OrderView { payments: payments.to_vec(), ..*view(number, 1) })
}

/// An attempt by card that was begun, with which this is to be done.
pub(super) fn payment(attempt: ChangeId, step: Step) -> PaymentView {
    PaymentView {
        attempt,
        method: PaymentMethod::Card,
        stage: Stage::Created,
        failure: None,
        dispute: Dispute::None,
        authorised: 0,
        captured: 0,
        refunded: 0,
        refund_asked: 0,
        refund_failed: 0,
        charged_back: 0,
        until: Timestamp::ZERO,
        step,
    }
}
