//! The keeper: prepares segments ahead of the writer, at low priority, and watches the room on the disk.
//!
//! # Always true
//! - The log's thread never waits for it unless every prepared segment is used up.
//! - While the writer waits for a segment, the keeper neither rests nor spares the room below low water: what is
//!   appended then is urgent.
//! - `disk_low` is true from the first failed preparation, or the first measurement below low water, until one
//!   succeeds. Two segments were ready before that; urgent commands go on into them.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use crossbeam_utils::sync::{Parker, Unparker};

use super::disk::Disk;
use super::handle::Shared;
use super::prepare::{Order, Prepared, prepare};
use crate::base::limits::{LOG_SEGMENTS_AHEAD, LOG_SPACE_CHECK_MS};

/// Nice value of the keeper: behind everything that answers.
const PRIORITY: i32 = 10;

/// Where the keeper and the log's thread meet.
pub(super) struct Port<F> {
    pub(super) ready: ArrayQueue<Prepared<F>>,
    wanted_upto: AtomicU64,
    urgent: AtomicBool,
    stop: AtomicBool,
    unparker: Unparker,
}

impl<F> Port<F> {
    pub(super) fn new(unparker: Unparker) -> Self {
        let ready = ArrayQueue::new(LOG_SEGMENTS_AHEAD + 1);
        let (urgent, stop) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { ready, wanted_upto: AtomicU64::new(0), urgent, stop, unparker }
    }

    /// Asks for segments up to this number; asking twice asks once.
    pub(super) fn want(&self, upto: u64) {
        if self.wanted_upto.swap(upto, Ordering::Relaxed) != upto {
            self.unparker.unpark();
        }
    }

    /// The writer waits.
    pub(super) fn hurry(&self) {
        if !self.urgent.swap(true, Ordering::Relaxed) {
            self.unparker.unpark();
        }
    }

    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.unparker.unpark();
    }

    fn is_urgent(&self) -> bool {
        self.urgent.load(Ordering::Relaxed)
    }

    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

pub(super) struct Keeper<D: Disk> {
    pub(super) disk: D,
    pub(super) shared: Arc<Shared>,
    pub(super) port: Arc<Port<D::File>>,
    pub(super) parker: Parker,
    /// What to prepare next.
    pub(super) order: Order,
}

impl<D: Disk> Keeper<D> {
    pub(super) fn run(mut self) {
        if let Err(error) = rustix::process::setpriority_process(None, PRIORITY) {
            tracing::debug!(%error, "the segment keeper runs at normal priority");
        }
        while !self.port.is_stopped() {
            let low = self.prepare_wanted() || self.is_below_low_water();
            self.shared.set_disk_low(low);
            if self.port.is_stopped() {
                break;
            }
            self.parker.park_timeout(Duration::from_millis(LOG_SPACE_CHECK_MS));
        }
    }

    /// Whether a preparation failed; it is tried again at the next turn.
    fn prepare_wanted(&mut self) -> bool {
        while self.order.number <= self.port.wanted_upto.load(Ordering::Relaxed) {
            let mut begun = Instant::now();
            let (port, parker) = (&self.port, &self.parker);
            // Rests as long as it worked, so that the log's own syncs find the disk free.
            let mut breathe = || {
                if !port.is_urgent() {
                    parker.park_timeout(begun.elapsed());
                }
                begun = Instant::now();
                if port.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            };
            let low_water_bytes = if port.is_urgent() { 0 } else { self.order.low_water_bytes };
            match prepare(&self.disk, Order { low_water_bytes, ..self.order }, &mut breathe) {
                Ok(Some(prepared)) => self.hand_over(prepared),
                Ok(None) => return false,
                Err(fault) => {
                    if !self.shared.is_disk_low() {
                        tracing::error!(%fault, "cannot prepare the next segment of the log: placements are refused");
                    }
                    return true;
                }
            }
        }
        false
    }

    fn hand_over(&mut self, prepared: Prepared<D::File>) {
        self.order.number += 1;
        let pushed = self.port.ready.push(prepared);
        assert!(pushed.is_ok(), "no more segments are prepared than were wanted");
        self.port.urgent.store(false, Ordering::Relaxed);
        self.shared.nudge();
    }

    fn is_below_low_water(&self) -> bool {
        match self.disk.free_bytes() {
            Ok(free) => free < self.order.low_water_bytes,
            Err(error) => {
                tracing::warn!(%error, "cannot measure the room on the disk");
                self.shared.is_disk_low()
            }
        }
    }
}
