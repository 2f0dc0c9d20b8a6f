//! Log time: a monotonic clock that follows the wall clock without ever jumping.
//!
//! ```text
//! log time
//!    │                       ┌── wall clock, stepped back an hour
//!    │            ╱──────────╱─  half speed until the wall clock is met
//!    │         ╱╱           ╱
//!    │ ───── ╱  twice as fast until it is met
//!    │  ╱╱╱
//!    └──────────────────────────► monotonic time
//! ```
//!
//! [`LogTime`] is the machine: readings in, log time out; any number of threads may hand it readings, none waits.
//! [`LogClock`] is the one of a node, with the real readings.
//!
//! # Always true
//! - A reading never answers with less than an earlier one did, and never with less than the log's last log time.
//! - Between two readings log time advances at least half and at most twice as much as the monotonic clock did (give or
//!   take the millisecond it is told in).
//!
//! # Why so
//! Log time is the monotonic clock plus an offset, and only the offset moves: at every reading, a little towards the
//! wall clock, by at most half of what passed downwards and all of what passed upwards. So a stepped wall clock
//! neither turns time back nor lets every reservation expire at once; and a reader needs two loads and no lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::Timestamp;
use crate::base::limits::{CLOCK_STEP_MS_MIN, CLOCK_UPDATE_US_MIN};

/// What one reading says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// Log time.
    pub now: Timestamp,
    /// The wall clock was stepped by so many milliseconds since the reading before.
    pub step_ms: Option<i64>,
}

/// The machine. All times in it are microseconds.
#[derive(Debug)]
pub struct LogTime {
    /// Log time less monotonic time.
    offset: AtomicI64,
    /// Wall time less monotonic time, as last seen.
    wall_offset: AtomicI64,
    /// Monotonic time at which the offset was last moved.
    moved_at: AtomicU64,
    /// The latest log time told.
    latest: AtomicU64,
    steps: AtomicU64,
}

impl LogTime {
    /// Log time begins at the wall clock, or at `last` where the wall clock is behind it.
    #[must_use]
    pub fn new(last: Timestamp, monotonic_ns: u64, wall_ms: u64) -> Self {
        let monotonic = monotonic_ns / 1_000;
        let wall_offset = offset(wall_ms.saturating_mul(1_000), monotonic);
        let begin = Timestamp::from_ms(wall_ms.max(last.ms())).ms() * 1_000;
        Self {
            offset: AtomicI64::new(offset(begin, monotonic)),
            wall_offset: AtomicI64::new(wall_offset),
            moved_at: AtomicU64::new(monotonic),
            latest: AtomicU64::new(begin),
            steps: AtomicU64::new(0),
        }
    }

    /// Tells the machine both clocks; it answers with log time.
    pub fn handle_reading(&self, monotonic_ns: u64, wall_ms: u64) -> Reading {
        let monotonic = monotonic_ns / 1_000;
        let step_ms = self.follow_wall(monotonic, wall_ms);
        let offset = self.offset.load(Ordering::Acquire);
        let told = monotonic.saturating_add_signed(offset);
        let now = self.latest.fetch_max(told, Ordering::AcqRel).max(told);
        Reading { now: Timestamp::from_ms(now / 1_000), step_ms }
    }

    /// Moves the offset towards the wall clock. Of several readers that come at once, one does.
    fn follow_wall(&self, monotonic: u64, wall_ms: u64) -> Option<i64> {
        let moved_at = self.moved_at.load(Ordering::Acquire);
        let passed = monotonic.saturating_sub(moved_at);
        if passed < CLOCK_UPDATE_US_MIN {
            return None;
        }
        self.moved_at.compare_exchange(moved_at, monotonic, Ordering::AcqRel, Ordering::Relaxed).ok()?;
        let wall_offset = offset(Timestamp::from_ms(wall_ms).ms() * 1_000, monotonic);
        let passed = passed.cast_signed();
        let away = wall_offset.saturating_sub(self.offset.load(Ordering::Acquire));
        self.offset.fetch_add(away.clamp(-(passed / 2), passed), Ordering::AcqRel);
        self.notice_step(wall_offset)
    }

    fn notice_step(&self, wall_offset: i64) -> Option<i64> {
        let before = self.wall_offset.swap(wall_offset, Ordering::AcqRel);
        let step_ms = wall_offset.saturating_sub(before) / 1_000;
        if step_ms.unsigned_abs() < CLOCK_STEP_MS_MIN {
            return None;
        }
        self.steps.fetch_add(1, Ordering::Relaxed);
        Some(step_ms)
    }

    /// How long to sleep, in real time, so as not to sleep past `deadline`, were it `now`. Half as long while log time
    /// runs fast.
    #[must_use]
    pub fn sleep_until(&self, deadline: Timestamp, now: Timestamp) -> Duration {
        let left = Duration::from_millis(deadline.since_ms(now));
        let fast = self.offset.load(Ordering::Acquire) < self.wall_offset.load(Ordering::Acquire);
        if fast { left / 2 } else { left }
    }

    /// How often the wall clock was stepped.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps.load(Ordering::Relaxed)
    }
}

fn offset(time_us: u64, monotonic_us: u64) -> i64 {
    time_us.cast_signed().saturating_sub(monotonic_us.cast_signed())
}

/// Where the readings come from.
pub trait Readings: Send + Sync {
    /// Nanoseconds since some moment of this process; never less than before.
    fn monotonic_ns(&self) -> u64;
    /// Milliseconds since the Unix epoch, as the machine believes.
    fn wall_ms(&self) -> u64;
}

/// The machine's own clocks.
#[derive(Debug)]
struct RealReadings {
    begin: Instant,
}

impl Readings for RealReadings {
    fn monotonic_ns(&self) -> u64 {
        u64::try_from(self.begin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn wall_ms(&self) -> u64 {
        // A wall clock before 1970 counts as 1970.
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}

/// The clock of a node: one, shared by everybody.
#[derive(Clone)]
pub struct LogClock {
    shared: Arc<Shared>,
}

struct Shared {
    time: LogTime,
    readings: Box<dyn Readings>,
}

impl LogClock {
    /// With the machine's clocks. `last` is the last log time of the recovered log, over all streams.
    #[must_use]
    pub fn new(last: Timestamp) -> Self {
        Self::with_readings(last, RealReadings { begin: Instant::now() })
    }

    /// With clocks of somebody's own.
    #[must_use]
    pub fn with_readings(last: Timestamp, readings: impl Readings + 'static) -> Self {
        let (monotonic_ns, wall_ms) = (readings.monotonic_ns(), readings.wall_ms());
        if wall_ms < last.ms() {
            let behind_ms = last.ms() - wall_ms;
            tracing::warn!(behind_ms, "the wall clock is behind the log; log time runs at half speed until they meet");
        }
        let time = LogTime::new(last, monotonic_ns, wall_ms);
        Self { shared: Arc::new(Shared { time, readings: Box::new(readings) }) }
    }

    /// Log time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        let readings = &*self.shared.readings;
        let reading = self.shared.time.handle_reading(readings.monotonic_ns(), readings.wall_ms());
        if let Some(step_ms) = reading.step_ms {
            tracing::warn!(step_ms, "the wall clock was stepped; log time follows at half or double speed");
        }
        reading.now
    }

    /// Nanoseconds of this process's own time; deadlines of requests and durations are told in it.
    #[must_use]
    pub fn monotonic_ns(&self) -> u64 {
        self.shared.readings.monotonic_ns()
    }

    /// The same in milliseconds.
    #[must_use]
    pub fn monotonic_ms(&self) -> u64 {
        self.monotonic_ns() / 1_000_000
    }

    /// See [`LogTime::sleep_until`].
    #[must_use]
    pub fn sleep_until(&self, deadline: Timestamp, now: Timestamp) -> Duration {
        self.shared.time.sleep_until(deadline, now)
    }

    /// How often the wall clock was stepped.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.shared.time.steps()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR_MS: i64 = 3_600_000;
    const BEGIN_MS: u64 = 1_700_000_000_000;

    /// A wall clock that can be stepped, read every few milliseconds.
    struct Bench {
        time: LogTime,
        monotonic_ms: u64,
        wall_ms: u64,
        now: Timestamp,
        steps: Vec<i64>,
    }

    impl Bench {
        fn new(last_ms: u64) -> Self {
            let time = LogTime::new(Timestamp::from_ms(last_ms), 0, BEGIN_MS);
            let now = time.handle_reading(0, BEGIN_MS).now;
            Self { time, monotonic_ms: 0, wall_ms: BEGIN_MS, now, steps: Vec::new() }
        }

        fn step(&mut self, by_ms: i64) {
            self.wall_ms = self.wall_ms.saturating_add_signed(by_ms);
        }

        /// Lets `ms` pass and checks the promise of the letter above.
        fn pass(&mut self, ms: u64) {
            self.monotonic_ms += ms;
            self.wall_ms += ms;
            let reading = self.time.handle_reading(self.monotonic_ms * 1_000_000, self.wall_ms);
            self.steps.extend(reading.step_ms);
            let advanced = reading.now.since_ms(self.now);
            assert!(reading.now >= self.now, "log time never turns back");
            assert!(advanced + 1 >= ms / 2 && advanced <= 2 * ms + 1, "{advanced} ms in {ms} ms");
            self.now = reading.now;
        }

        fn pass_until_met(&mut self, at_most_ms: u64) -> u64 {
            let begin = self.monotonic_ms;
            while self.now.ms().abs_diff(self.wall_ms) > 1 {
                assert!(self.monotonic_ms - begin <= at_most_ms, "log time never met the wall clock");
                self.pass(250);
            }
            self.monotonic_ms - begin
        }
    }

    #[test]
    fn log_time_follows_a_wall_clock_that_behaves() {
        let mut bench = Bench::new(0);
        for ms in [1, 2, 3, 250, 10_000, 60_000] {
            bench.pass(ms);
            assert_eq!(bench.now.ms(), bench.wall_ms);
        }
        assert_eq!(bench.time.steps(), 0);
    }

    #[test]
    fn a_step_forward_is_caught_up_at_double_speed_and_nothing_expires_more_than_twice_early() {
        let mut bench = Bench::new(0);
        bench.pass(1_000);
        let deadline = bench.now.after_ms(60_000);
        bench.step(HOUR_MS);
        let before = bench.monotonic_ms;
        while bench.now < deadline {
            bench.pass(7);
        }
        assert!(bench.monotonic_ms - before >= 30_000 - 7, "a minute's reservation lives half a minute at least");
        let took = bench.pass_until_met(2 * HOUR_MS.unsigned_abs());
        assert!(took >= HOUR_MS.unsigned_abs() - 61_000);
        assert_eq!(bench.steps, [HOUR_MS]);
    }

    #[test]
    fn a_step_back_is_waited_for_at_half_speed() {
        let mut bench = Bench::new(0);
        bench.pass(1_000);
        bench.step(-HOUR_MS);
        let took = bench.pass_until_met(3 * HOUR_MS.unsigned_abs());
        assert!(took >= 2 * HOUR_MS.unsigned_abs() - 1_000);
        assert_eq!((bench.steps.as_slice(), bench.time.steps()), ([-HOUR_MS].as_slice(), 1));
    }

    #[test]
    fn a_clock_behind_the_recovered_log_starts_at_the_log() {
        let mut bench = Bench::new(BEGIN_MS + 10_000);
        assert_eq!(bench.now.ms(), BEGIN_MS + 10_000);
        let took = bench.pass_until_met(30_000);
        assert!((19_000..=21_000).contains(&took), "{took}");
        assert_eq!(bench.time.steps(), 0, "a late start is not a step");
    }

    #[test]
    fn frequent_readings_keep_the_pace_of_rare_ones() {
        let mut bench = Bench::new(0);
        bench.step(HOUR_MS);
        for _ in 0..10_000 {
            bench.pass(1);
        }
        let advanced = bench.now.ms() - BEGIN_MS;
        assert!((19_990..=20_000).contains(&advanced), "{advanced}");
    }

    #[test]
    fn sleeping_takes_a_fast_log_time_into_account() {
        let mut bench = Bench::new(0);
        let deadline = |bench: &Bench| bench.time.sleep_until(bench.now.after_ms(1_000), bench.now);
        assert_eq!(deadline(&bench), Duration::from_secs(1));
        bench.step(HOUR_MS);
        bench.pass(10);
        assert_eq!(deadline(&bench), Duration::from_millis(500));
        assert_eq!(bench.time.sleep_until(Timestamp::ZERO, bench.now), Duration::ZERO);
    }

    #[test]
    fn many_threads_read_one_clock_and_none_sees_it_turn_back() {
        let clock = LogClock::new(Timestamp::ZERO);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let mut before = clock.now();
                    for _ in 0..20_000 {
                        let now = clock.now();
                        assert!(now >= before);
                        before = now;
                    }
                });
            }
        });
    }
}
