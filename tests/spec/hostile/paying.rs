//! Payments with numbers at the end of their range, and as many as anybody has.

use stockade::base::limits::{CHANGES_MAX, ORDER_TOTAL_MAX, PAYMENT_ATTEMPTS_MAX};
use stockade::base::{ChangeId, Currency, OrderId, RequestId, SiteId, SkuId};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::{
    Answer, Command, Effects, FailureReason, Line, LineQuantity, PaymentReport, Refusal, RetryClass, Step,
};

use super::{EDGES, small_world};
use crate::dice::Dice;
use crate::replaying::place;
use crate::rig::{MARKET, Rig, START};

/// One command about payments with something extreme in it.
pub(super) fn extreme(dice: &mut Dice, order: OrderId, change: ChangeId) -> Command<'static> {
    let edge = EDGES[dice.below(EDGES.len() as u64) as usize];
    let amount = [edge, ORDER_TOTAL_MAX, ORDER_TOTAL_MAX - 1, 1, 100][dice.below(5) as usize];
    let attempt = [change, ChangeId::HANDED_OFF, ChangeId(1), ChangeId(2)][dice.below(4) as usize];
    let method = PaymentMethod::from_byte(dice.below(6) as u8).expect("six methods");
    let reports = [
        PaymentReport::authorised(amount),
        PaymentReport::Captured { total: amount },
        PaymentReport::Refunded { total: amount },
        PaymentReport::RefundFailed { total: amount },
        PaymentReport::ChargedBack { total: amount },
        PaymentReport::Disputed,
        PaymentReport::Expired,
        PaymentReport::Failed { reason: FailureReason::Other, class: RetryClass::Never },
    ];
    match dice.below(6) {
        0 => Command::StartPayment { order, attempt, method },
        1 | 2 => Command::RequestRefund { order, change, amount },
        _ => {
            let currency = Currency::new(*[b"ZZZ", b"ZZZ", b"GBP"][dice.below(3) as usize]).expect("three letters");
            let report = reports[dice.below(reports.len() as u64) as usize];
            Command::ReportPayment { order, attempt, method, currency, report }
        }
    }
}

fn tell(rig: &mut Rig, order: OrderId, attempt: ChangeId, report: PaymentReport) -> Result<Answer, Refusal> {
    let (method, currency) = (PaymentMethod::Card, Currency::new(*b"GBP").expect("pounds exist"));
    let command = Command::ReportPayment { order, attempt, method, currency, report };
    rig.submit(&command).map(|told| told.answer)
}

/// An order of ten units that is to be paid by an adapter, and costs as much as an order may.
fn dearest() -> (Rig, OrderId) {
    let mut rig = small_world(START);
    let effects = Effects { payment: true, ..Effects::default() };
    rig.submit(&Command::SetEffects { market: MARKET, effects }).expect("set");
    let (sku, site, request) = (SkuId(1), SiteId(1), RequestId::new(START, MARKET, 99));
    rig.submit(&Command::Receive { request, sku, site, quantity: 9_223_400 }).expect("received");
    let order = OrderId::new(START, MARKET, 1);
    let price = 1_000_000_000_000;
    let rest = ORDER_TOTAL_MAX % price;
    let lines =
        [Line { sku, quantity: (ORDER_TOTAL_MAX / price) as u32, price }, Line { sku, quantity: 1, price: rest }];
    rig.engine_alone(&Command::Place(place(order, &lines))).expect("placed");
    (rig, order)
}

/// Without the twin, which keeps nine million units one by one.
#[test]
fn an_order_of_the_largest_total_is_paid_sixteen_times_over_and_all_but_one_goes_back() {
    let (mut rig, order) = dearest();
    let (method, currency) = (PaymentMethod::Card, Currency::new(*b"GBP").expect("pounds exist"));
    let report = PaymentReport::Captured { total: ORDER_TOTAL_MAX };
    for attempt in (0..PAYMENT_ATTEMPTS_MAX as u64 - 1).map(ChangeId).chain([ChangeId::HANDED_OFF]) {
        let command = Command::ReportPayment { order, attempt, method, currency, report };
        rig.engine_alone(&command).expect("a report");
        rig.check_laws();
    }
    let view = rig.engine.order(order).expect("it is kept");
    let steps: Vec<Step> = view.payments.iter().map(|payment| payment.step).collect();
    assert_eq!(steps.len(), PAYMENT_ATTEMPTS_MAX);
    assert_eq!(steps[0], Step::Nothing, "the adapters' stands first, and the newest go back first");
    assert!(steps[1..].iter().all(|step| *step == Step::GiveBack { total: ORDER_TOTAL_MAX }), "{steps:?}");
    let money = rig.engine.books(MARKET).expect("open").money;
    assert_eq!(money[0].1.captured, PAYMENT_ATTEMPTS_MAX as u128 * u128::from(ORDER_TOTAL_MAX));
    let refused = rig.engine_alone(&Command::RequestRefund { order, change: ChangeId(7), amount: ORDER_TOTAL_MAX });
    refused.expect("what stays may be asked back");
    let refused = rig.engine_alone(&Command::RequestRefund { order, change: ChangeId(8), amount: 1 });
    assert_eq!(refused.map(|told| told.answer), Err(Refusal::RefundTooMuch { left: 0 }));
    rig.check_laws();
    rig.go_through_image();
    rig.check_laws();
}

/// What failed and is asked for again is asked for twice: sums come near the end of 64 bits, and no further.
#[test]
fn a_refund_of_the_largest_amount_fails_once_and_is_asked_for_again() {
    let (mut rig, order) = dearest();
    let (attempt, method) = (ChangeId::HANDED_OFF, PaymentMethod::Card);
    let currency = Currency::new(*b"GBP").expect("pounds exist");
    let most = ORDER_TOTAL_MAX;
    let tell = |report| Command::ReportPayment { order, attempt, method, currency, report };
    rig.engine_alone(&tell(PaymentReport::Captured { total: most })).expect("paid");
    for (change, asked) in [(1, most), (2, 2 * most)] {
        let refund = Command::RequestRefund { order, change: ChangeId(change), amount: most };
        rig.engine_alone(&refund).expect("all of it is there");
        let payments = rig.engine.order(order).expect("it is kept").payments;
        assert_eq!((payments[0].refund_asked, payments[0].step), (asked, Step::GiveBack { total: most }));
        rig.engine_alone(&tell(PaymentReport::RefundFailed { total: most })).expect("a report");
        rig.check_laws();
    }
    let refused = rig.engine_alone(&Command::RequestRefund { order, change: ChangeId(3), amount: 1 });
    assert_eq!(refused.map(|told| told.answer), Err(Refusal::RefundTooMuch { left: 0 }));
    rig.go_through_image();
    rig.check_laws();
}

#[test]
fn a_refund_fails_as_often_as_an_order_remembers_changes() {
    let mut rig = small_world(START);
    let order = OrderId::new(START, MARKET, 1);
    let lines = [Line { sku: SkuId(1), quantity: 1, price: 100 }];
    rig.submit(&Command::Place(place(order, &lines))).expect("placed");
    tell(&mut rig, order, ChangeId(1), PaymentReport::Captured { total: ORDER_TOTAL_MAX }).expect("and much more");
    for change in 1..=CHANGES_MAX as u64 {
        let refund = Command::RequestRefund { order, change: ChangeId(change), amount: 100 };
        rig.submit(&refund).expect("what failed is there again");
        tell(&mut rig, order, ChangeId(1), PaymentReport::RefundFailed { total: 100 * change }).expect("a report");
        let [payment] = rig.engine.order(order).expect("it is kept").payments[..] else { panic!("one attempt") };
        assert_eq!((payment.refund_asked, payment.refund_failed), (100 * change, 100 * change));
        assert_eq!(payment.step, Step::GiveBack { total: ORDER_TOTAL_MAX - 100 }, "what is too much goes back anyway");
    }
    let refused = rig.submit(&Command::RequestRefund { order, change: ChangeId(999), amount: 100 });
    assert_eq!(refused.map(|told| told.answer), Err(Refusal::TooManyChanges));
    rig.check_everything();
    rig.check_replica();
}

#[test]
fn a_line_of_an_order_that_is_paid_in_part_and_cancelled_unit_by_unit_never_goes_back_twice() {
    let mut rig = small_world(START);
    let order = OrderId::new(START, MARKET, 1);
    let lines = [Line { sku: SkuId(1), quantity: 9, price: 7 }];
    rig.submit(&Command::Place(place(order, &lines))).expect("placed");
    tell(&mut rig, order, ChangeId(1), PaymentReport::Captured { total: 63 }).expect("paid");
    for change in (1..=9).map(ChangeId) {
        let lines = [LineQuantity { line: 0, quantity: 1 }];
        rig.submit(&Command::CancelLines { order, change, lines: &lines }).expect("a unit less");
        let [payment] = rig.engine.order(order).expect("it is kept").payments[..] else { panic!("one attempt") };
        assert_eq!(payment.step, Step::GiveBack { total: 7 * change.0 });
        if change.0 % 2 == 0 {
            tell(&mut rig, order, ChangeId(1), PaymentReport::Refunded { total: 7 * change.0 }).expect("a report");
        }
        rig.check_everything();
    }
    rig.check_replica();
}
