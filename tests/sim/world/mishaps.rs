//! What happens now and then: snapshots, backups, clocks that are set, a disk that is low, and crashes.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use stockade::shard::{FakeKeys, make_snapshot_on, tidy_up_on};
use stockade::wal::backup_on;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::{Crashed, World};
use crate::disk::SimDisk;
use crate::life::Life;

impl World {
    /// Keeps an image of what is sealed, and trims the log below the older one and below the cursors.
    fn snapshot(&mut self) -> Result<(), Crashed> {
        let (before, mut told) = (self.disk.moved(), 0);
        let mut pace = |bytes| {
            told += bytes;
            ControlFlow::Continue(())
        };
        let is_disk_low = self.sinks.are_open && self.rng.once_in(8);
        let made = make_snapshot_on(&self.disk, &mut pace).and_then(|made| {
            let Some(made) = made else { return Ok(None) };
            let cursors = if is_disk_low { &[][..] } else { &made.cursors };
            let trimmed = tidy_up_on(&self.disk, cursors, &mut pace)?;
            Ok(Some((made, trimmed)))
        });
        match made {
            Ok(Some((made, trimmed))) => {
                self.report.snapshots += 1;
                let moved = self.disk.moved() - before;
                // Of a part that is not sound nothing is told.
                let is_told = self.has_broken_image || told >= moved - moved / 50;
                assert!(is_told, "of {moved} bytes moved for a snapshot {told} were told");
                self.has_broken_image = false;
                self.report.trimmed += trimmed as u64;
                if is_disk_low {
                    self.sinks.let_go();
                }
                if self.rng.once_in(2) {
                    self.sinks.detach(&made.cursors, made.joint.segment);
                }
                Ok(())
            }
            Ok(None) => Ok(()),
            Err(fault) if self.disk.is_off() => {
                let _power_failed = fault;
                if is_disk_low {
                    self.sinks.let_go();
                }
                Err(Crashed)
            }
            Err(fault) => panic!("a snapshot fails on a healthy disk: {fault}"),
        }
    }

    /// Copies the log as it is; what was answered so far is in the copy.
    fn back_up(&mut self) -> Result<(), Crashed> {
        let copy = SimDisk::new(self.rng.next(), false);
        match backup_on(&self.disk, &copy, &mut |_| {}) {
            Err(_power_failed) if self.disk.is_off() => return Err(Crashed),
            copied => _ = copied.unwrap_or_else(|fault| panic!("a healthy log cannot be copied: {fault}")),
        }
        let fold_afresh = self.rng.once_in(8);
        let before = self.life().so_far(fold_afresh);
        // Keys are no part of a copy of the log. Those of the same seed are the same.
        let keys: Vec<_> = (0..self.options.shards).map(|shard| FakeKeys::new(shard.into())).collect();
        let restored = Life::begin(&copy, &self.options, &self.readings, 0, &before, &self.promises, &keys);
        restored.unwrap_or_else(|fault| panic!("a copy cannot be opened: {fault}"));
        self.report.backups += 1;
        Ok(())
    }

    pub(super) fn something_rare(&mut self) -> Result<(), Crashed> {
        match self.rng.below(9) {
            8 => self.back_up()?,
            4.. => self.snapshot()?,
            0 => _ = self.readings.wall_ms.fetch_add(3_600_000, Ordering::Relaxed),
            1 => _ = self.readings.wall_ms.fetch_sub(3_600_000, Ordering::Relaxed),
            _ => {
                let mut state = self.life().committer.log.state();
                state.disk_low = !state.disk_low;
            }
        }
        Ok(())
    }

    /// Crashes now, or lets the power fail in the middle of a disk operation to come.
    pub(super) fn crash_somehow(&mut self) {
        if self.rng.once_in(2) {
            let operations = self.rng.below(6);
            self.disk.fail_after(operations);
            for _ in 0..20 {
                self.ask_something();
                self.turn();
                if self.commit().is_err() || (self.rng.once_in(8) && self.snapshot().is_err()) {
                    break;
                }
                self.listen(10);
            }
        }
        self.crash();
    }

    pub(super) fn crash(&mut self) {
        let fold_afresh = self.rng.once_in(3);
        let before = self.life.take().expect("a life has begun").end(fold_afresh);
        self.disk.crash();
        // One of two: with both broken and the log trimmed there is nothing to recover from.
        if !self.has_broken_image && self.rng.once_in(3) {
            self.has_broken_image = self.disk.break_newest_image();
            self.report.images_broken += u64::from(self.has_broken_image);
        }
        self.report.crashes += 1;
        self.report.trace = xxh3_64_with_seed(b"crash", self.report.trace);
        self.begin_life(&before);
    }
}
