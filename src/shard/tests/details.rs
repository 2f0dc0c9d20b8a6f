//! Details on their way through a shard: sealed, opened, and gone for good before anybody is told so.

use std::time::{Duration, Instant};

use super::*;
use crate::base::KeyName;
use crate::base::limits::ERASURES_WAITING_MAX;
use crate::engine::query::OrderView;
use crate::engine::{Capacity, Kept, Whose};
use crate::shard::{FakeKeys, Sealer};

const ADA: CustomerKey = CustomerKey(7);
const BOB: CustomerKey = CustomerKey(8);
const SECRET: &[u8] = b"Ada Lovelace, 12 St James's Square";

fn with_details(number: u64, customer: CustomerKey, details: &'static [u8]) -> Request<'static> {
    let Request::Command(Command::Place(place)) = place(number, 60_000) else { unreachable!("it is a placement") };
    Request::Command(Command::Place(Place { customer, details, ..place }))
}

fn erase(customer: CustomerKey) -> Request<'static> {
    Request::Command(Command::Erase { whose: Whose::Customer { market: market(), customer } })
}

fn erased(orders: u32) -> Told {
    Told::Answer(Answer::Erased { orders, repeated: orders == 0 })
}

impl Bench {
    /// A shard with five units, so many keys, and a test that says when one is overwritten.
    fn with_keys(keys_max: u64) -> (Self, FakeKeys) {
        let keys = FakeKeys::new(1);
        keys.hold();
        let capacity = Capacity { keys_max, ..Capacity::default() };
        let mut bench = Self::start_with(Arc::default(), SetReadings::default(), capacity, Box::new(keys.clone()));
        bench.set_up(5);
        (bench, keys)
    }

    /// The power fails. What was durable of the log is folded again, and keys are brought to the names it gives them.
    fn start_again_with(self, keys: &FakeKeys) -> Self {
        while self.log.entries.pop().is_some() {}
        let engine = self.log.durable_engine(Capacity::default());
        assert_eq!(keys.recover(engine.key_names()), 0, "nothing was overwritten too early");
        Self::start_with(self.log, self.time, Capacity::default(), Box::new(keys.clone()))
    }

    fn settle_all(&self) {
        while self.log.settle_one() {}
    }

    /// The order as a client reads it.
    fn view(&mut self, number: u64) -> OrderView {
        self.submit(&[look(number)]);
        self.run();
        let mut views = Vec::new();
        while let Some(chunk) = self.replies.take() {
            let header = ReplyHeader::parse(&chunk).expect("sound").expect("whole");
            decode_replies(&chunk[..header.length], |_, _, reply| {
                if let Reply::Order(view) = reply {
                    views.push(*view);
                }
            })
            .expect("sound");
        }
        views.pop().expect("the order is known")
    }

    fn details(&mut self, number: u64) -> Option<Vec<u8>> {
        let view = self.view(number);
        assert!(view.details.is_empty() || !view.erased);
        (!view.erased).then_some(view.details)
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[test]
fn what_is_logged_is_sealed_and_what_is_read_is_not() {
    let (mut bench, _keys) = Bench::with_keys(9);
    bench.submit(&[with_details(1, ADA, SECRET), with_details(2, CustomerKey(0), SECRET), place(3, 60_000)]);
    bench.shard.turn();
    let entry = bench.log.entries.pop().expect("three facts");
    assert!(!contains(&entry.bytes, b"Ada") && !contains(&entry.bytes, b"Lovelace"));
    bench.log.entries.push(entry);
    bench.run();
    assert_eq!(bench.told().len(), 3);
    assert_eq!([1, 2, 3].map(|number| bench.details(number)), [Some(SECRET.into()), Some(SECRET.into()), Some(vec![])]);
}

#[test]
fn an_order_that_comes_again_is_recognised_by_what_it_was_sealed_to() {
    let (mut bench, _keys) = Bench::with_keys(9);
    bench.submit(&[with_details(1, ADA, b"Ada"), with_details(1, ADA, b"Ada"), with_details(1, ADA, b"Eve")]);
    bench.run();
    let told = bench.told();
    assert!(matches!(told[1], Told::Answer(Answer::Placed { repeated: true, .. })), "{told:?}");
    assert_eq!(told[2], Told::Refused(Refusal::Conflict.into()));
}

#[test]
fn an_erasure_is_answered_once_it_is_durable_and_the_key_is_overwritten() {
    let (mut bench, keys) = Bench::with_keys(9);
    bench.submit(&[with_details(1, ADA, SECRET), with_details(2, BOB, b"Bob")]);
    bench.run();
    assert_eq!(bench.told().len(), 2);
    bench.submit(&[erase(ADA)]);
    bench.shard.turn();
    bench.shard.turn();
    assert_eq!((keys.overwrite(), bench.told()), (0, vec![]), "nothing is destroyed that a crash would bring back");
    bench.settle_all();
    bench.submit(&[erase(ADA)]);
    bench.run();
    assert_eq!(bench.told(), [], "the same again waits for the same key");
    assert_eq!(keys.overwrite(), 1);
    bench.run();
    assert_eq!(bench.told(), [erased(1), erased(0)]);
    assert_eq!((bench.details(1), bench.details(2)), (None, Some(b"Bob".to_vec())));
    bench.submit(&[with_details(1, ADA, SECRET), erase(ADA), erase(BOB)]);
    bench.run();
    assert_eq!(bench.told(), [Told::Refused(Refusal::Erased.into()), erased(0)], "the other waits for its key");
}

#[test]
fn a_crash_before_the_erasure_is_durable_undoes_it_and_one_after_does_not() {
    for is_durable in [false, true] {
        let (mut bench, keys) = Bench::with_keys(9);
        bench.submit(&[with_details(1, ADA, SECRET)]);
        bench.run();
        bench.submit(&[erase(ADA)]);
        bench.shard.turn();
        if is_durable {
            bench.settle_all();
            // Handed over, and not overwritten when the power fails.
            bench.shard.turn();
        }
        let mut bench = bench.start_again_with(&keys);
        assert_eq!(bench.details(1), (!is_durable).then(|| SECRET.to_vec()), "durable: {is_durable}");
    }
}

#[test]
fn the_last_order_of_a_key_takes_it_along() {
    let (mut bench, keys) = Bench::with_keys(9);
    let retention = Retention { return_window_ms: 1_000, ..Retention::default() };
    bench.submit(&[Request::Command(Command::SetRetention { market: market(), retention })]);
    let cancel = |number| Request::Command(Command::Cancel { order: order(number), block: false });
    bench.submit(&[with_details(1, ADA, SECRET), with_details(2, ADA, SECRET), cancel(1)]);
    bench.run();
    bench.pass(1_000);
    bench.run();
    bench.run();
    assert_eq!((keys.overwrite(), bench.details(2)), (0, Some(SECRET.to_vec())), "the other order has it still");
    bench.submit(&[cancel(2)]);
    bench.run();
    bench.pass(1_000);
    bench.run();
    bench.run();
    assert_eq!((keys.overwrite(), bench.shard.engine().kept(Kept::Keys)), (1, 0));
}

#[test]
fn who_needs_a_key_that_is_not_overwritten_yet_comes_again_and_who_needs_none_does_not() {
    let (mut bench, keys) = Bench::with_keys(1);
    bench.submit(&[with_details(1, ADA, SECRET)]);
    bench.run();
    bench.submit(&[erase(ADA)]);
    bench.run();
    bench.told();
    bench.submit(&[with_details(2, BOB, b"Bob"), place(3, 60_000)]);
    bench.run();
    let told = bench.told();
    assert!(matches!(told[0], Told::Refused(Refused::Overloaded { .. })) && is_placed(&told[1]), "{told:?}");
    keys.overwrite();
    bench.submit(&[with_details(2, BOB, b"Bob"), with_details(4, ADA, SECRET)]);
    bench.run();
    let told = bench.told();
    assert!(is_placed(&told[1]), "{told:?}");
    assert_eq!(told[2], Told::Refused(Refusal::AtCapacity.into()));
    assert_eq!(bench.details(2), Some(b"Bob".to_vec()));
}

#[test]
fn what_was_sealed_under_a_key_that_is_lost_is_shown_as_erased_and_cannot_be_compared() {
    let (mut bench, keys) = Bench::with_keys(9);
    bench.submit(&[with_details(1, ADA, SECRET)]);
    bench.run();
    bench.told();
    // The file of keys is newer than the log.
    let _lost = keys.recover([KeyName { slot: 0, generation: 5 }].into_iter());
    assert_eq!(bench.details(1), None);
    bench.submit(&[with_details(1, ADA, SECRET)]);
    bench.run();
    assert_eq!(bench.told(), [Told::Refused(Refusal::Erased.into())]);
}

#[test]
fn with_the_disk_low_an_order_with_details_repeats_its_answer_and_a_new_one_is_refused() {
    let (mut bench, _keys) = Bench::with_keys(9);
    bench.submit(&[with_details(1, ADA, SECRET)]);
    bench.run();
    bench.told();
    bench.log.disk_low.store(true, Ordering::Relaxed);
    bench.submit(&[
        with_details(1, ADA, SECRET),
        with_details(1, ADA, b"Eve"),
        with_details(2, ADA, SECRET),
        erase(ADA),
    ]);
    bench.run();
    let told = bench.told();
    assert!(matches!(told[0], Told::Answer(Answer::Placed { repeated: true, .. })), "{told:?}");
    assert_eq!(told[1..], [Told::Refused(Refusal::Conflict.into()), Told::Refused(Refused::DiskLow)]);
}

/// Counts what it is asked to seal.
struct Counting(FakeKeys, Arc<AtomicUsize>);

impl Sealer for Counting {
    fn seal(&mut self, key: KeyName, order: OrderId, details: &[u8], out: &mut Vec<u8>) -> bool {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.seal(key, order, details, out)
    }

    fn open(&mut self, key: KeyName, order: OrderId, sealed: &[u8], out: &mut Vec<u8>) -> bool {
        self.0.open(key, order, sealed, out)
    }

    fn destroy(&mut self, key: KeyName) {
        self.0.destroy(key);
    }

    fn destroyed(&self) -> u64 {
        self.0.destroyed()
    }

    fn watch(&mut self, waker: Waker) {
        self.0.watch(waker);
    }
}

#[test]
fn what_is_refused_is_not_sealed_first() {
    let sealed = Arc::new(AtomicUsize::new(0));
    let keys = Counting(FakeKeys::new(1), Arc::clone(&sealed));
    let mut bench = Bench::start_with(Arc::default(), SetReadings::default(), Capacity::default(), Box::new(keys));
    bench.set_up(1);
    bench.submit(&[with_details(1, ADA, SECRET)]);
    bench.submit(&(2..50).map(|number| with_details(number, ADA, SECRET)).collect::<Vec<_>>());
    bench.run();
    assert_eq!((bench.told().len(), sealed.load(Ordering::Relaxed)), (49, 1));
}

#[test]
fn more_erasures_than_may_wait_come_again() {
    let (mut bench, keys) = Bench::with_keys(9);
    bench.submit(&[with_details(1, ADA, SECRET)]);
    bench.run();
    bench.told();
    let asked = ERASURES_WAITING_MAX + 1;
    for _ in 0..asked {
        bench.submit(&[erase(ADA)]);
    }
    bench.run();
    let told = bench.told();
    assert!(matches!(told.as_slice(), [Told::Refused(Refused::Overloaded { .. })]), "{}", told.len());
    // What is durable is handed over in the next turn.
    bench.run();
    assert_eq!(keys.overwrite(), 1);
    bench.run();
    assert_eq!(bench.told().len(), ERASURES_WAITING_MAX);
}

#[test]
fn a_shard_that_rests_is_woken_by_the_log_and_by_whoever_overwrites_keys() {
    let (bench, keys) = Bench::with_keys(9);
    let Bench { shard, log, outbox, mut replies, inbox, .. } = bench;
    let handle = shard.start().expect("a thread");
    let submit = |requests: &[Request<'_>]| {
        let mut batch = inbox.take_spare_batch();
        for (index, request) in (0..).zip(requests) {
            batch.push(Tag { correlation: 1, index, expires_at_ms: 0 }, request);
        }
        let submission = Submission { lane: Lane::Orders, batch, outbox: Arc::clone(&outbox) };
        assert!(inbox.submit(submission).is_ok());
    };
    let patience = Instant::now() + Duration::from_secs(20);
    let until = |done: &mut dyn FnMut() -> bool, what: &str| {
        while !done() {
            assert!(Instant::now() < patience, "nobody woke the shard: {what}");
            std::thread::yield_now();
        }
    };
    // No reservation whose end would wake it.
    let Request::Command(Command::Place(place)) = with_details(1, ADA, SECRET) else { unreachable!() };
    let confirmed = Request::Command(Command::Place(Place { payment: PaymentMethod::CashOnDelivery, ..place }));
    submit(&[confirmed, erase(ADA)]);
    // The shard has nothing more to do. It wakes because its entry is durable, and hands the key over.
    until(&mut || log.settle_one(), "no entry");
    until(&mut || keys.overwrite() == 1, "no key handed over");
    // It rests again. It wakes because the key is overwritten, and answers.
    let mut told = Vec::new();
    until(
        &mut || {
            while let Some(chunk) = replies.take() {
                read(&chunk, &mut told);
            }
            told.len() == 2
        },
        "no answer",
    );
    assert_eq!(told[1].1, erased(1));
    let _engine = handle.stop();
}
