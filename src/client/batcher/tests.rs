//! The batcher without sockets: what becomes a frame, what is sent again, and which reply is believed.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::*;
use crate::base::{ChangeId, MarketId, OrderId, SkuId, Timestamp};
use crate::engine::{Answer, Command, Query, Refusal};
use crate::wire::{FrameDecoder, Grants, Intake, RequestHeader, RequestSink};

type Told = Rc<RefCell<Vec<(u64, Result<Settled, NoAnswer>)>>>;

struct Caller {
    name: u64,
    told: Told,
    gone: Rc<Cell<bool>>,
}

impl Waiter for Caller {
    fn deliver(self, outcome: Result<Settled, NoAnswer>) {
        self.told.borrow_mut().push((self.name, outcome));
    }
    fn is_gone(&self) -> bool {
        self.gone.get()
    }
    fn expires_ms(&self) -> u64 {
        1_000
    }
}

#[derive(Default)]
struct Bench {
    batcher: Option<Batcher<Caller>>,
    told: Told,
    /// Whether every caller so far has given up.
    gone: Rc<Cell<bool>>,
}

/// The attempts a frame asks to confirm, which name their callers here.
#[derive(Default)]
struct Asked(Vec<u64>);

impl RequestSink for Asked {
    fn request(&mut self, _: Tag, request: &Request<'_>) -> Intake {
        if let Request::Command(Command::Confirm { attempt, .. }) = request {
            self.0.push(attempt.0);
        }
        Intake::Taken
    }
    fn status(&mut self, _: Tag) -> Intake {
        Intake::Taken
    }
    fn refused(&mut self, _: Tag, why: Refused) -> Intake {
        panic!("{why:?}");
    }
}

impl Bench {
    fn batcher(&mut self) -> &mut Batcher<Caller> {
        self.batcher.get_or_insert_with(Batcher::new)
    }

    fn submit(&mut self, name: u64) {
        let order = OrderId::new(Timestamp::from_ms(1), MarketId::new(1).expect("fits"), name);
        let caller = Caller { name, told: Rc::clone(&self.told), gone: Rc::clone(&self.gone) };
        let command = Command::Confirm { order, attempt: ChangeId(name) };
        self.batcher().handle_submit(&Request::Command(command), caller);
    }

    /// The next frame: its correlation, and who is in it.
    fn frame(&mut self, now_ms: u64) -> Option<(u64, Vec<u64>)> {
        let frame = self.batcher().poll_frame(now_ms)?;
        let header = RequestHeader::parse(&frame, FRAME_BYTES_MAX).expect("sound").expect("whole");
        let mut asked = Asked::default();
        FrameDecoder::default().decode(&header, &frame, 0, &mut asked).expect("sound");
        Some((header.correlation, asked.0))
    }

    fn reply(&mut self, correlation: u64, index: u16, reply: Reply<'_>) -> Result<(), StrayReply> {
        self.batcher().handle_reply(correlation, index, reply, 0)
    }

    fn done(&mut self, correlation: u64, index: u16) {
        let answer = Answer::RetakeFailed { sku: SkuId(1), repeated: false };
        self.reply(correlation, index, Reply::Answer(answer, Grants::default())).expect("expected");
    }

    fn told(&self) -> Vec<u64> {
        self.told.borrow().iter().map(|(name, _)| *name).collect()
    }
}

#[test]
fn what_is_submitted_while_a_frame_is_in_flight_is_the_next_frame() {
    let mut bench = Bench::default();
    bench.submit(1);
    assert_eq!(bench.frame(0), Some((1, vec![1])), "an idle client sends at once");
    bench.submit(2);
    bench.submit(3);
    assert_eq!(bench.frame(0), None);
    bench.done(1, 0);
    assert_eq!(bench.frame(0), Some((2, vec![2, 3])));
    bench.done(2, 1);
    assert_eq!(bench.frame(0), None, "one is still open");
    bench.done(2, 0);
    assert_eq!((bench.told(), bench.batcher().is_idle()), (vec![1, 3, 2], true));
}

#[test]
fn after_a_lost_connection_only_what_is_open_is_sent_again_and_first() {
    let mut bench = Bench::default();
    (1..=3).for_each(|name| bench.submit(name));
    assert_eq!(bench.frame(0), Some((1, vec![1, 2, 3])));
    bench.reply(1, 1, Reply::Refused(Refusal::AtCapacity.into())).expect("expected");
    bench.submit(4);
    bench.batcher().handle_lost();
    assert_eq!(bench.frame(0), Some((2, vec![1, 3])), "the refused one was told so");
    assert_eq!(bench.reply(1, 0, Reply::Refused(Refused::DiskLow)), Err(StrayReply::Frame { correlation: 1 }));
    bench.done(2, 0);
    bench.done(2, 1);
    assert_eq!(bench.frame(0), Some((3, vec![4])));
}

#[test]
fn a_refusal_after_a_lost_connection_says_nothing_of_the_first_sending_unless_the_engine_decided() {
    let mut bench = Bench::default();
    (1..=3).for_each(|name| bench.submit(name));
    assert_eq!(bench.frame(0), Some((1, vec![1, 2, 3])));
    bench.batcher().handle_lost();
    assert_eq!(bench.frame(0), Some((2, vec![1, 2, 3])));
    bench.reply(2, 0, Reply::Refused(Refused::DeadlinePassed)).expect("expected");
    bench.reply(2, 1, Reply::Refused(Refusal::AtCapacity.into())).expect("expected");
    bench.reply(2, 2, Reply::Refused(Refused::Overloaded { retry_after_ms: 40 })).expect("expected");
    assert_eq!(bench.frame(40), Some((3, vec![3])), "a retry that can be afforded comes first");
    let out_of_time = Refused::Overloaded { retry_after_ms: 5_000 };
    bench.reply(3, 0, Reply::Refused(out_of_time)).expect("expected");
    let told: Vec<_> = bench.told.take().into_iter().map(|(_, outcome)| outcome).collect();
    assert_eq!(
        told,
        [
            Err(NoAnswer::OutcomeUnknown(Refused::DeadlinePassed)),
            Ok(Settled::Command(Response::Refused(Refusal::AtCapacity.into()))),
            Err(NoAnswer::OutcomeUnknown(out_of_time)),
        ]
    );
    bench.submit(4);
    assert_eq!(bench.frame(50), Some((4, vec![4])));
    bench.reply(4, 0, Reply::Refused(Refused::DeadlinePassed)).expect("expected");
    let first_sending = bench.told.take().pop().expect("told").1;
    assert_eq!(first_sending, Ok(Settled::Command(Response::Refused(Refused::DeadlinePassed))));
}

#[test]
fn a_reply_that_fits_nothing_open_is_not_believed() {
    let mut bench = Bench::default();
    bench.submit(1);
    bench.submit(2);
    assert_eq!(bench.frame(0), Some((1, vec![1, 2])));
    let refused = || Reply::Refused(Refused::DiskLow);
    assert_eq!(bench.reply(9, 0, refused()), Err(StrayReply::Frame { correlation: 9 }));
    assert_eq!(bench.reply(1, 2, refused()), Err(StrayReply::Request { index: 2 }));
    bench.done(1, 0);
    assert_eq!(bench.reply(1, 0, refused()), Err(StrayReply::Request { index: 0 }), "answered already");
    assert_eq!(bench.reply(1, 1, Reply::SkuNumbers(Vec::new())), Err(StrayReply::Kind { index: 1 }));
}

#[test]
fn an_overloaded_server_is_asked_again_when_it_said_so() {
    let mut bench = Bench::default();
    bench.submit(1);
    assert_eq!(bench.frame(0), Some((1, vec![1])));
    bench.reply(1, 0, Reply::Refused(Refused::Overloaded { retry_after_ms: 40 })).expect("expected");
    assert_eq!((bench.told(), bench.batcher().poll_deadline()), (vec![], Some(40)));
    assert_eq!(bench.frame(39), None);
    assert_eq!(bench.frame(40), Some((2, vec![1])));
    bench.reply(2, 0, Reply::Refused(Refused::Overloaded { retry_after_ms: 5_000 })).expect("expected");
    assert_eq!(bench.told(), [1], "the caller will have given up by then, so it is told");
}

#[test]
fn a_caller_that_has_gone_is_not_sent_for() {
    let mut bench = Bench::default();
    let told = Rc::clone(&bench.told);
    let query = Query::Books { market: MarketId::new(1).expect("fits") };
    bench.batcher().handle_submit(&Request::Query(query), Caller { name: 1, told, gone: Rc::new(true.into()) });
    assert_eq!(bench.frame(0), None);
    assert!(bench.batcher().is_idle());
}

#[test]
fn callers_that_give_up_in_an_outage_are_forgotten_before_there_is_a_connection() {
    let mut bench = Bench::default();
    (1..=3).for_each(|name| bench.submit(name));
    assert_eq!(bench.frame(0), Some((1, vec![1, 2, 3])));
    bench.reply(1, 0, Reply::Refused(Refused::Overloaded { retry_after_ms: 40 })).expect("expected");
    bench.batcher().handle_lost();
    bench.submit(4);
    std::mem::take(&mut bench.gone).set(true);
    bench.submit(5);
    bench.batcher().handle_lost();
    assert_eq!(Rc::strong_count(&bench.told), 2, "one caller is left, and the bench");
    assert_eq!(bench.frame(0), Some((2, vec![5])));
    bench.done(2, 0);
    assert!(bench.batcher().is_idle());
}

#[test]
fn more_than_a_frame_holds_travels_in_several() {
    let mut bench = Bench::default();
    let all = FRAME_COMMANDS_MAX as u64 + 10;
    (0..all).for_each(|name| bench.submit(name));
    let mut sent = 0;
    while let Some((correlation, names)) = bench.frame(0) {
        sent += names.len() as u64;
        (0..names.len()).for_each(|index| bench.done(correlation, u16::try_from(index).expect("fits")));
    }
    assert_eq!((sent, bench.told().len() as u64), (all, all));
}
