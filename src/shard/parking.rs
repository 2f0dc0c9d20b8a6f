//! Putting the shard's thread to sleep and waking it, without a lost wake-up and without a spin.
//!
//! ```text
//!           rest(IDLE)                      rest(STALLED)
//! AWAKE ───────────────► IDLE      AWAKE ─────────────────► STALLED
//!   ▲   work submitted     │         ▲   an entry is durable   │
//!   └──────────────────────┘         └─────────────────────────┘
//! ```
//!
//! # Always true
//! - No wake-up is lost: the thread says how it rests *before* it looks for a reason a last time, and whoever gives it
//!   a reason looks whether it rests *after* having done so; one of the two sees the other.
//! - Only the reason it waits for wakes it: an idle shard is not woken because the disk answered, unless a key is to be
//!   destroyed once it has (`Either`).
//! - What it waits for is one bit each.

use std::sync::atomic::{AtomicU8, Ordering, fence};
use std::time::Duration;

use crossbeam_utils::sync::{Parker, Unparker};

/// What the thread waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Rest {
    /// For work.
    Idle = 1,
    /// For the disk; work has to wait too.
    Stalled = 2,
    /// For work or the disk, whichever comes first.
    Either = 3,
}

const AWAKE: u8 = 0;

/// The side that wakes.
#[derive(Debug)]
pub(super) struct Parking {
    resting: AtomicU8,
    unparker: Unparker,
}

impl Parking {
    pub(super) fn new() -> (Self, Parker) {
        let parker = Parker::new();
        (Self { resting: AtomicU8::new(AWAKE), unparker: parker.unparker().clone() }, parker)
    }

    /// Wakes the thread if it waits for this. To be called after the reason can be seen.
    pub(super) fn wake(&self, from: Rest) {
        fence(Ordering::SeqCst);
        let rests = self.resting.load(Ordering::Relaxed) & from as u8 != 0;
        // Of many who find it resting, one pays for the system call.
        if rests && self.resting.swap(AWAKE, Ordering::Relaxed) != AWAKE {
            self.unparker.unpark();
        }
    }

    /// Wakes the thread whatever it waits for.
    pub(super) fn wake_always(&self) {
        self.resting.store(AWAKE, Ordering::SeqCst);
        self.unparker.unpark();
    }

    /// Rests until woken or until `span` is over, unless `reason` says that there is one not to.
    pub(super) fn rest(&self, parker: &Parker, how: Rest, span: Option<Duration>, reason: impl FnOnce() -> bool) {
        self.resting.store(how as u8, Ordering::Relaxed);
        fence(Ordering::SeqCst);
        if !reason() {
            match span {
                Some(span) => parker.park_timeout(span),
                None => parker.park(),
            }
        }
        self.resting.store(AWAKE, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;

    #[test]
    fn no_wake_up_is_lost() {
        let (parking, parker) = Parking::new();
        let given = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    for _ in 0..20_000 {
                        given.fetch_add(1, Ordering::Relaxed);
                        parking.wake(Rest::Idle);
                    }
                });
            }
            let mut taken = 0;
            while taken < 40_000 {
                // Without a timeout: a lost wake-up hangs this test.
                parking.rest(&parker, Rest::Idle, None, || given.load(Ordering::Relaxed) > 0);
                taken += given.swap(0, Ordering::Relaxed);
            }
        });
    }

    #[test]
    fn only_the_reason_it_waits_for_wakes_it() {
        let (parking, parker) = Parking::new();
        parking.rest(&parker, Rest::Idle, None, || {
            parking.wake(Rest::Stalled);
            assert_eq!(parking.resting.load(Ordering::Relaxed), Rest::Idle as u8);
            parking.wake(Rest::Idle);
            false
        });
        assert_eq!(parking.resting.load(Ordering::Relaxed), AWAKE);
    }
}
