//! What is to be done with attempts of every kind, and that doing it comes to an end.

use super::super::attempt::Attempt;
use super::super::choices::PaymentMethod;
use super::super::payment::PaymentReport;
use super::*;
use crate::base::ChangeId;

/// An attempt that came to this.
fn attempt(id: u64, reports: &[PaymentReport]) -> Attempt {
    reports.iter().fold(Attempt::new(ChangeId(id), PaymentMethod::Card), |attempt, report| attempt.told(*report))
}

const fn due(due: Price, now: Price) -> Due {
    Due { cost: 100, due, now, is_unpaid: false, is_prepaid: true, is_handed_off: true }
}

fn check(attempts: &[Attempt], due: Due, expected: &[Step]) {
    assert_eq!(steps(attempts, due).iter().collect::<Vec<_>>(), expected, "{attempts:?} {due:?}");
}

const AUTHORISED: PaymentReport = PaymentReport::authorised(100);
const CAPTURED: PaymentReport = PaymentReport::Captured { total: 100 };

#[test]
fn what_is_set_aside_is_taken_as_goods_leave_and_the_rest_let_go() {
    let paid = attempt(1, &[AUTHORISED]);
    check(&[paid], due(100, 0), &[Step::Nothing]);
    check(&[paid], due(100, 30), &[Step::Capture { total: 30 }]);
    let some = paid.told(PaymentReport::Captured { total: 30 });
    check(&[some], due(100, 30), &[Step::Nothing]);
    check(&[some], due(60, 60), &[Step::Capture { total: 60 }]);
    check(&[some.told(PaymentReport::Captured { total: 60 })], due(60, 60), &[Step::Close]);
    check(&[paid], due(0, 0), &[Step::Close]);
}

#[test]
fn what_is_too_much_goes_back_the_newest_first() {
    let (first, second) = (attempt(1, &[CAPTURED]), attempt(2, &[CAPTURED]));
    check(&[first, second], due(100, 0), &[Step::Nothing, Step::GiveBack { total: 100 }]);
    check(&[first, second], due(30, 0), &[Step::GiveBack { total: 70 }, Step::GiveBack { total: 100 }]);
    check(&[attempt(1, &[AUTHORISED]), second], due(100, 0), &[Step::Close, Step::Nothing]);
    let in_dispute = second.told(PaymentReport::Disputed);
    check(&[first, in_dispute], due(100, 0), &[Step::Nothing, Step::Nothing]);
}

#[test]
fn what_was_given_back_counts_whatever_it_was_for() {
    let mut attempts = [attempt(1, &[CAPTURED])];
    ask_refund(&mut attempts, due(100, 100), 30);
    check(&attempts, due(100, 100), &[Step::GiveBack { total: 30 }]);
    check(&attempts, due(60, 60), &[Step::GiveBack { total: 40 }]);
    assert_eq!(refundable(&attempts, due(60, 60)), 60);
    let taken_back = [attempts[0].told(PaymentReport::ChargedBack { total: 80 })];
    check(&taken_back, due(100, 100), &[Step::GiveBack { total: 20 }]);
    assert_eq!(refundable(&taken_back, due(100, 100)), 0);
}

#[test]
fn what_was_paid_twice_goes_back_whole_whatever_was_given_back_before() {
    let mut attempts = [attempt(1, &[CAPTURED]), Attempt::new(ChangeId(2), PaymentMethod::Card)];
    ask_refund(&mut attempts[..1], due(100, 100), 40);
    attempts[0] = attempts[0].told(PaymentReport::Refunded { total: 40 });
    attempts[1] = attempts[1].told(CAPTURED);
    check(&attempts, due(100, 100), &[Step::Nothing, Step::GiveBack { total: 100 }]);
}

#[test]
fn a_refund_leaves_exactly_so_much_less_whatever_goes_back_beside_it() {
    for (reports, cost_due, left) in
        [([100, 100], 100, 100), ([140, 0], 100, 100), ([100, 0], 60, 60), ([30, 70], 100, 100)]
    {
        let mut attempts: Vec<_> = (1..)
            .zip(reports.into_iter().filter(|total| *total > 0))
            .map(|(id, total)| attempt(id, &[PaymentReport::Captured { total }]))
            .collect();
        let due = due(cost_due, cost_due);
        assert_eq!(refundable(&attempts, due), left, "{attempts:?}");
        ask_refund(&mut attempts, due, 30);
        attempts.iter().try_for_each(Attempt::check).expect("sound");
        assert_eq!(refundable(&attempts, due), left - 30, "{attempts:?}");
        let back: u64 = steps(&attempts, due).iter().filter_map(Step::amount).sum();
        let taken: u64 = attempts.iter().map(|attempt| attempt.captured).sum();
        assert_eq!(taken - back, left - 30, "{attempts:?}");
    }
}

#[test]
fn what_a_bank_took_back_is_not_given_back_as_well() {
    let mut attempts =
        [attempt(1, &[PaymentReport::Captured { total: 50 }]), attempt(2, &[PaymentReport::Captured { total: 50 }])];
    ask_refund(&mut attempts, due(100, 100), 30);
    attempts[1] =
        attempts[1].told(PaymentReport::Refunded { total: 30 }).told(PaymentReport::ChargedBack { total: 50 });
    check(&attempts, due(100, 100), &[Step::Nothing, Step::Nothing]);
}

#[test]
fn an_attempt_that_nobody_needs_is_ended_and_one_that_waits_is_charged_with_what_is_missing() {
    let unpaid = Due { is_unpaid: true, ..due(100, 0) };
    let begun = Attempt::new(ChangeId(9), PaymentMethod::Wallet);
    let gift = attempt(1, &[PaymentReport::Captured { total: 20 }]);
    check(&[gift, begun], unpaid, &[Step::Nothing, Step::Charge { amount: 80 }]);
    check(&[begun, attempt(1, &[AUTHORISED])], unpaid, &[Step::Close, Step::Nothing]);
    check(&[begun.told(PaymentReport::Processing)], unpaid, &[Step::Nothing]);
    let unasked = Due { is_prepaid: false, ..due(100, 0) };
    check(&[begun.told(PaymentReport::Processing)], unasked, &[Step::Close]);
    check(&[begun, attempt(1, &[CAPTURED])], due(100, 0), &[Step::Close, Step::Nothing]);
    check(&[Attempt { is_let_go: true, ..begun }], unpaid, &[Step::Close]);
    check(&[begun], Due { is_handed_off: false, ..unpaid }, &[Step::Nothing]);
}

#[test]
fn what_was_given_back_after_all_was_taken_is_not_taken_again() {
    // 90 were set aside, 15 of them cancelled before they were taken.
    let mut attempts = [attempt(1, &[PaymentReport::authorised(90), PaymentReport::Captured { total: 75 }])];
    let due = Due { cost: 90, ..due(75, 75) };
    ask_refund(&mut attempts, due, 10);
    check(&attempts, due, &[Step::GiveBack { total: 10 }]);
    let given = [attempts[0].told(PaymentReport::Refunded { total: 10 })];
    check(&given, due, &[Step::Close]);
    assert_eq!(missing(&given, due), 0);
}

#[test]
fn what_one_attempt_is_to_give_back_no_other_takes_over() {
    let mut attempts = vec![attempt(1, &[CAPTURED])];
    ask_refund(&mut attempts, due(100, 100), 40);
    attempts[0] = attempts[0].told(PaymentReport::ChargedBack { total: 20 });
    check(&attempts, due(100, 100), &[Step::GiveBack { total: 40 }]);
    assert_eq!(missing(&attempts, due(100, 100)), 20);
    attempts.push(attempt(2, &[PaymentReport::Captured { total: 20 }]));
    check(&attempts, due(100, 100), &[Step::GiveBack { total: 40 }, Step::Nothing]);
}

#[test]
fn money_that_went_back_counts_as_asked_for_as_far_as_it_was_to_stay() {
    let paid = attempt(1, &[CAPTURED]).told(PaymentReport::ChargedBack { total: 60 });
    let before = shortfall(&[paid], due(100, 100));
    let mut attempts = [paid.told(PaymentReport::Refunded { total: 5 })];
    note_refund(&mut attempts, due(100, 100), before);
    assert_eq!((attempts[0].refund_asked, missing(&attempts, due(100, 100))), (5, 60));
    let gone = [Attempt { is_let_go: true, ..paid }];
    check(&gone, due(100, 100), &[Step::GiveBack { total: 40 }]);
}

/// Taken back by a bank is what had already gone back, and what is left to pay for is missing whole.
#[test]
fn what_was_given_back_for_less_and_asked_for_too_is_not_owed_twice() {
    let paid = Attempt { refund_asked: 15, ..attempt(1, &[CAPTURED, PaymentReport::Refunded { total: 50 }]) };
    assert_eq!(missing(&[paid], due(50, 0)), 0);
    let taken_back = paid.told(PaymentReport::ChargedBack { total: 50 });
    assert_eq!(missing(&[taken_back], due(50, 0)), 50);
    let goodwill = Attempt { refund_asked: 15, ..attempt(1, &[CAPTURED, PaymentReport::Refunded { total: 15 }]) };
    assert_eq!(missing(&[goodwill], due(100, 0)), 0);
    assert_eq!(missing(&[goodwill.told(PaymentReport::ChargedBack { total: 50 })], due(100, 0)), 50);
}

/// Whatever was told, in whatever order: doing what is said to be done comes to an end, and then the order has what
/// is due, or all there is, and nothing is left set aside.
#[test]
fn steps_come_to_an_end_and_leave_what_is_due() {
    let mut state = 7_u64;
    let mut below = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    for _ in 0..20_000 {
        let mut attempts = Vec::new();
        for id in 0..below(4) {
            let mut attempt = Attempt::new(ChangeId(id), PaymentMethod::Card);
            for _ in 0..below(4) {
                let total = 1 + below(150);
                attempt = attempt.told(match below(7) {
                    0 => PaymentReport::authorised(total),
                    1 => PaymentReport::Captured { total },
                    2 => PaymentReport::Refunded { total },
                    3 => PaymentReport::Voided,
                    4 => PaymentReport::Expired,
                    5 => PaymentReport::Processing,
                    _ => PaymentReport::authorised(2 * total),
                });
            }
            attempts.push(attempt);
        }
        let due = Due {
            cost: 200,
            due: below(200),
            now: below(200),
            is_unpaid: false,
            is_prepaid: true,
            is_handed_off: false,
        };
        let due = Due { now: due.now.min(due.due), ..due };
        let captured: u64 = attempts.iter().map(|attempt| attempt.captured).sum();
        let refunded: u64 = attempts.iter().map(|attempt| attempt.refunded).sum();
        let room: u64 = attempts.iter().map(Attempt::room).sum();
        let mut rounds = 0;
        while steps(&attempts, due).any() {
            for (index, step) in steps(&attempts, due).iter().enumerate() {
                attempts[index] = match step {
                    Step::Nothing | Step::Charge { .. } => attempts[index],
                    Step::Capture { total } => attempts[index].told(PaymentReport::Captured { total }),
                    Step::GiveBack { total } => attempts[index].told(PaymentReport::Refunded { total }),
                    Step::Close => attempts[index].told(PaymentReport::Voided),
                };
            }
            rounds += 1;
            assert!(rounds < 5, "{attempts:?} {due:?}");
        }
        attempts.iter().try_for_each(Attempt::check).expect("sound");
        let net: u64 = attempts.iter().map(|attempt| attempt.captured - attempt.refunded).sum();
        let there = (captured - refunded).min(due.due);
        let aim = if due.now == due.due { due.due } else { due.now.max(there) };
        assert_eq!(net, there.max(aim.min(there + room)), "{attempts:?} {due:?}");
        let left: u64 = attempts.iter().map(Attempt::room).sum();
        assert!(left == 0 || net < due.due, "{left} is set aside for nothing: {attempts:?} {due:?}");
        assert!(left >= (due.due - net).min(there + room - net), "what is needed is let go: {attempts:?} {due:?}");
    }
}
