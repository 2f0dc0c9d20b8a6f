//! What a shard adds to deciding: the same placements through the engine alone and through inbox, batch machine,
//! outbox.
//!
//! Expected: the whole turn costs little more than decide, fold and encode, well below 100 ns an order in large
//! batches, since queues, wakers and clocks are paid for once a submission or once a turn. One order a submission pays
//! them every time, and shows what a session that sends single orders costs its shard.

mod rig;

use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use stockade::base::Timestamp;
use stockade::engine::Scratch;
use stockade::shard::{LogClock, Submission};
use stockade::wire::encode_fact;

use rig::{Desk, LINES, Orders, unbounded};

/// Orders of one timed round.
const ROUND: usize = 1_024;

/// Times only the rounds, not the making of what is submitted.
fn timed<T>(rounds: u64, mut prepare: impl FnMut() -> T, mut round: impl FnMut(T)) -> Duration {
    let mut spent = Duration::ZERO;
    for _ in 0..rounds {
        let prepared = prepare();
        let begin = Instant::now();
        round(prepared);
        spent += begin.elapsed();
    }
    spent
}

fn engine_alone(rounds: u64) -> Duration {
    let now = LogClock::new(Timestamp::ZERO).now();
    let mut orders = Orders::new(now);
    let (mut engine, mut scratch, mut facts) = (unbounded(), Scratch::default(), Vec::new());
    for command in orders.set_up() {
        engine.submit(&command, now, &mut scratch, &mut |_| {}).expect("an empty engine takes it");
    }
    let prepare = || (0..ROUND).map(|_| orders.place(LINES)).collect::<Vec<_>>();
    timed(rounds, prepare, |commands| {
        facts.clear();
        commands.iter().for_each(|command| engine.touch(command));
        for command in &commands {
            let decided = engine.submit(command, now, &mut scratch, &mut |fact| {
                encode_fact(fact, &mut facts);
            });
            decided.expect("there is stock");
        }
    })
}

/// A round of placements, so many of them a submission.
fn a_round(desk: &mut Desk, batch: usize) -> Vec<Submission> {
    let commands: Vec<_> = (0..ROUND).map(|_| desk.orders.place(LINES)).collect();
    commands.chunks(batch).map(|commands| desk.submission(commands)).collect()
}

fn placements(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("shard");
    group.throughput(Throughput::Elements(ROUND as u64)).measurement_time(Duration::from_secs(3)).sample_size(20);
    group.bench_function("engine alone", |bencher| bencher.iter_custom(engine_alone));
    for batch in [1_024, 32, 1] {
        group.bench_function(format!("turns, {batch} orders a submission"), |bencher| {
            bencher.iter_custom(|rounds| {
                let desk = std::cell::RefCell::new(Desk::new());
                timed(
                    rounds,
                    || a_round(&mut desk.borrow_mut(), batch),
                    |submissions| desk.borrow_mut().round(submissions),
                )
            });
        });
    }
    group.finish();
}

criterion_group!(benches, placements);
criterion_main!(benches);
