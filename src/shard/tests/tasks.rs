//! Tasks that log time alone makes show.

use super::{BEGIN_MS, Bench, Next, Request, order, place};
use crate::base::limits::AUTHORISATION_NOTICE_MS;
use crate::base::{ChangeId, Currency, Timestamp};
use crate::engine::choices::PaymentMethod;
use crate::engine::{Command, PaymentReport, TaskKind};

#[test]
fn a_shard_that_nobody_asks_counts_an_authorisation_that_ends_once_its_day_has_come() {
    let mut bench = Bench::new(1);
    bench.submit(&[place(1, 1_000)]);
    let until = Timestamp::from_ms(BEGIN_MS + AUTHORISATION_NOTICE_MS + 5_000);
    bench.submit(&[Request::Command(Command::ReportPayment {
        order: order(1),
        attempt: ChangeId(7),
        method: PaymentMethod::Card,
        currency: Currency::new(*b"EUR").expect("three letters"),
        report: PaymentReport::Authorised { total: 5, until },
    })]);
    bench.run();
    let counted = |bench: &Bench| bench.inbox.stats().tasks[TaskKind::AuthorisationEnds as usize - 1];
    // The reservation's own deadline is passed over first.
    bench.pass(4_999);
    bench.run();
    assert_eq!(counted(&bench), 0);
    assert_eq!(bench.shard.turn(), Next::Idle(Some(Timestamp::from_ms(BEGIN_MS + 5_000))));
    bench.pass(1);
    let entries = bench.entries();
    assert_eq!(bench.shard.turn(), Next::Idle(None), "and it does not come back for it");
    assert_eq!((counted(&bench), bench.entries()), (1, entries), "nothing happened: there is no fact of it");
}
