//! Pace: when the next frame of a connection should leave.
//!
//! ```text
//! closed   as soon as an earlier one has been answered     measures throughput
//! open     at random moments of a rate, answers or not     measures latency, from the moment it should have left
//! ```
//!
//! The superposition of independent Poisson processes is one of their summed rate, so each connection draws its own
//! arrivals and none waits for another.
//!
//! # Why so
//! The runtime's timers tick in whole milliseconds, too coarse for sends of which 99 % must leave within one. A thread
//! that sleeps most of the time wakes the connections instead, four times a millisecond.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::Notify;

use crate::chance::Chance;

/// A send this much after its moment is late.
pub(crate) const LATE_NS: u64 = 1_000_000;
const TICK: Duration = Duration::from_micros(250);

/// When frames should leave.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// At most so many orders in flight on each connection.
    Closed { orders_in_flight: u64 },
    /// So many orders a second over all connections; from `burst_from_ns` on everything at once.
    Open { orders_per_s: f64, burst_from_ns: Option<u64> },
}

/// Moments of one connection's sends.
#[derive(Debug)]
pub(crate) struct Arrivals {
    chance: Chance,
    frames_per_s: f64,
    burst_from_ns: u64,
    next_ns: f64,
}

impl Arrivals {
    pub(crate) fn new(seed: u64, frames_per_s: f64, burst_from_ns: Option<u64>) -> Self {
        let mut chance = Chance::new(seed);
        let next_ns = chance.gap_ns(frames_per_s);
        Self { chance, frames_per_s, burst_from_ns: burst_from_ns.unwrap_or(u64::MAX), next_ns }
    }

    /// When the next frame should leave, in nanoseconds of the drive.
    pub(crate) const fn next_ns(&self) -> u64 {
        let next_ns = self.next_ns as u64;
        if next_ns < self.burst_from_ns { next_ns } else { self.burst_from_ns }
    }

    /// The next frame leaves.
    pub(crate) fn advance(&mut self) {
        self.next_ns += self.chance.gap_ns(self.frames_per_s);
    }
}

/// A thread that notifies, four times a millisecond.
pub(crate) struct Ticker {
    pub(crate) tick: Arc<Notify>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Ticker {
    pub(crate) fn start() -> Self {
        let (tick, stop) = (Arc::new(Notify::new()), Arc::new(AtomicBool::new(false)));
        let (ticking, stopped) = (Arc::clone(&tick), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                #[expect(clippy::disallowed_methods, reason = "a thread whose only work is to tick")]
                std::thread::sleep(TICK);
                ticking.notify_one();
            }
        });
        Self { tick, stop, thread: Some(thread) }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

/// How many sends left late.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Lateness {
    pub(crate) sends: u64,
    pub(crate) late: u64,
}

impl Lateness {
    pub(crate) const fn count(&mut self, late_by_ns: u64) {
        self.sends += 1;
        self.late += (late_by_ns > LATE_NS) as u64;
    }

    /// More than 1 %: the generator was the limit, and its latencies say nothing about the server.
    pub(crate) const fn is_limit(self) -> bool {
        self.late * 100 > self.sends
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_keep_their_rate_and_their_order() {
        let mut arrivals = Arrivals::new(3, 1_000.0, None);
        let mut last = 0;
        for _ in 0..10_000 {
            assert!(arrivals.next_ns() >= last);
            last = arrivals.next_ns();
            arrivals.advance();
        }
        assert!((9_500_000_000..10_500_000_000).contains(&last), "10,000 arrivals take ten seconds: {last}");
    }

    #[test]
    fn a_burst_makes_everything_due_at_once() {
        let mut arrivals = Arrivals::new(3, 10.0, Some(1_000_000));
        for _ in 0..100 {
            assert_eq!(arrivals.next_ns(), 1_000_000);
            arrivals.advance();
        }
    }

    #[test]
    fn one_late_send_in_a_hundred_is_allowed() {
        let mut lateness = Lateness::default();
        (0..99).for_each(|_| lateness.count(LATE_NS));
        lateness.count(LATE_NS + 1);
        assert!(!lateness.is_limit());
        lateness.count(LATE_NS + 1);
        assert!(lateness.is_limit());
    }
}
