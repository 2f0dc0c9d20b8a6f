//! What a soak sees of the server: orders kept, memory, bytes on the disk; and whether they stay as they are.
//!
//! ```text
//! bytes │        ┌────────── first half ─────────┬───────── second half ─────────┐
//!       │    ╱▔▔╲▁▁╱▔▔╲▁▁╱▔▔╲▁▁      peaks: snapshots being made
//!       │ ╱
//!       └────────┴── as much leaves as comes ────────────────────────────────────► time
//! ```
//!
//! # Always true
//! - Only what came after the first order could have left twice over is judged; a run too short for that is not.
//! - Flat means: neither the middle nor the peak of the second half is over [`GROWTH_MAX`] times that of the first, or
//!   over so many times as are the orders kept. On a machine that stalls, more are kept at one time than at another.

use serde::Serialize;

use super::rounds::Done;
use crate::formula::Formula;
use crate::progress::grouped;
use crate::report::{Table, mib};

/// Growth from the first half to the second that is noise.
const GROWTH_MAX: f64 = 1.05;
/// Lives of an order until what has come and what has gone are even: tables have grown, the first images are made.
const LIVES_TO_SETTLE: f64 = 2.0;
/// In less nothing can be told.
const JUDGED_S_MIN: f64 = 60.0;
/// Samples that are reported.
const REPORTED_MAX: usize = 500;

/// What was seen at some moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Sample {
    pub(crate) at_s: f64,
    pub(crate) orders: u64,
    pub(crate) rss_bytes: u64,
    /// Log and images of our own server; `None` of somebody else's.
    pub(crate) data_bytes: Option<u64>,
}

/// Everything seen. Two a second: a week of them is 50 MB.
#[derive(Debug, Default)]
pub(super) struct Samples {
    samples: Vec<Sample>,
}

/// What a soak came to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct SoakFigures {
    /// Commands of every kind that were answered.
    pub(crate) commands: u64,
    pub(crate) handed_over: u64,
    pub(crate) cancelled: u64,
    pub(crate) expired: u64,
    /// Orders kept, at their most.
    pub(crate) kept_max: u64,
    pub(crate) rss_max_bytes: u64,
    /// The whole of what the server said it may take; `null` of somebody else's.
    pub(crate) formula_bytes: Option<u64>,
    pub(crate) under_formula: Option<bool>,
    /// From when on as much leaves as comes, in seconds of the run.
    pub(crate) settled_at_s: f64,
    /// `null` when the run was too short to tell.
    pub(crate) memory: Option<Growth>,
    pub(crate) disk: Option<Growth>,
    /// Of each part of the run the sample with most memory.
    pub(crate) over_time: Vec<Sample>,
}

/// From the first half of what is judged to the second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Growth {
    pub(crate) middle_orders: [u64; 2],
    pub(crate) peak_orders: [u64; 2],
    pub(crate) middle_bytes: [u64; 2],
    pub(crate) peak_bytes: [u64; 2],
    pub(crate) flat: bool,
}

/// What stands for a half beside its peak.
#[derive(Debug, Clone, Copy)]
enum Middle {
    /// Memory lies flat between snapshots: that is where.
    Median,
    /// The disk saws: bytes come evenly and go by segments, and a median of it jumps by one.
    Mean,
}

impl Middle {
    /// Of values in order.
    fn of(self, values: &[u64]) -> Option<u64> {
        match self {
            Self::Median => values.get(values.len() / 2).copied(),
            Self::Mean => values.iter().sum::<u64>().checked_div(values.len() as u64),
        }
    }
}

impl Samples {
    pub(super) fn add(&mut self, sample: Sample) {
        self.samples.push(sample);
    }

    pub(super) fn figures(&self, life_s: f64, elapsed_s: f64, done: &Done, formula: Option<&Formula>) -> SoakFigures {
        let max = |pick: fn(&Sample) -> u64| self.samples.iter().map(pick).max().unwrap_or(0);
        let (settled_at_s, rss_max_bytes) = (LIVES_TO_SETTLE * life_s, max(|sample| sample.rss_bytes));
        let growth = |middle, pick: fn(&Sample) -> Option<u64>| {
            if elapsed_s - settled_at_s < JUDGED_S_MIN {
                return None;
            }
            let middle_s = f64::midpoint(settled_at_s, elapsed_s);
            let half = |from: f64, to: f64| -> Vec<(u64, u64)> {
                let seen = self.samples.iter().filter(|sample| (from..to).contains(&sample.at_s));
                seen.filter_map(|sample| Some((sample.orders, pick(sample)?))).collect()
            };
            Growth::of(middle, &half(settled_at_s, middle_s), &half(middle_s, elapsed_s))
        };
        SoakFigures {
            commands: done.commands,
            handed_over: done.handed_over,
            cancelled: done.cancelled,
            expired: done.accepted - done.handed_over - done.cancelled,
            kept_max: max(|sample| sample.orders),
            rss_max_bytes,
            formula_bytes: formula.map(|formula| formula.memory_bytes_max),
            under_formula: formula.map(|formula| rss_max_bytes <= formula.memory_bytes_max),
            settled_at_s,
            memory: growth(Middle::Median, |sample| Some(sample.rss_bytes)),
            disk: growth(Middle::Mean, |sample| sample.data_bytes),
            over_time: self.thinned(),
        }
    }

    fn thinned(&self) -> Vec<Sample> {
        let parts = self.samples.chunks(self.samples.len().div_ceil(REPORTED_MAX).max(1));
        parts.filter_map(|part| part.iter().max_by_key(|sample| sample.rss_bytes)).copied().collect()
    }
}

impl Growth {
    /// Of orders kept and bytes in each half; `None` when nothing was seen in one of them.
    fn of(middle: Middle, first: &[(u64, u64)], second: &[(u64, u64)]) -> Option<Self> {
        let middle_and_peak = |half: &[(u64, u64)], pick: fn(&(u64, u64)) -> u64| {
            let mut half: Vec<u64> = half.iter().map(pick).collect();
            half.sort_unstable();
            Some([middle.of(&half)?, *half.last()?])
        };
        let of = |pick| {
            let (first, second) = (middle_and_peak(first, pick)?, middle_and_peak(second, pick)?);
            Some([[first[0], second[0]], [first[1], second[1]]])
        };
        let ([middle_orders, peak_orders], [middle_bytes, peak_bytes]) = (of(|seen| seen.0)?, of(|seen| seen.1)?);
        let times = |[from, to]: [u64; 2]| to as f64 / from.max(1) as f64;
        let is_flat = |bytes, orders| times(bytes) <= GROWTH_MAX * times(orders).max(1.0);
        let flat = is_flat(middle_bytes, middle_orders) && is_flat(peak_bytes, peak_orders);
        Some(Self { middle_orders, peak_orders, middle_bytes, peak_bytes, flat })
    }

    fn words(&self) -> String {
        let [middle, peak] =
            [self.middle_bytes, self.peak_bytes].map(|[first, second]| format!("{} and {}", mib(first), mib(second)));
        format!("{}: middles {middle}, peaks {peak}", if self.flat { "flat" } else { "GROWS" })
    }
}

impl SoakFigures {
    /// Memory stayed below the formula, and nothing that could be judged grew.
    pub(crate) fn is_good(&self) -> bool {
        let grows = |growth: &Option<Growth>| growth.is_some_and(|growth| !growth.flat);
        self.under_formula != Some(false) && !grows(&self.memory) && !grows(&self.disk)
    }

    pub(crate) fn rows(&self, table: &mut Table) {
        table.row("commands", &grouped(self.commands));
        table.row("  handed over", &grouped(self.handed_over));
        table.row("  cancelled", &grouped(self.cancelled));
        table.row("  expired", &grouped(self.expired));
        table.row("orders kept at once", &grouped(self.kept_max));
        let rss = mib(self.rss_max_bytes);
        match (self.formula_bytes, self.under_formula) {
            (Some(bytes), Some(true)) => table.row("memory at most", &format!("{rss}, of {} allowed", mib(bytes))),
            (Some(bytes), _) => table.row("memory at most", &format!("! {rss}, MORE than the {} allowed", mib(bytes))),
            (None, _) => table.row("memory at most", &rss),
        }
        let settled = format!("not judged: a run must go on for {JUDGED_S_MIN:.0} s after {:.0} s", self.settled_at_s);
        for (name, growth) in [("memory over time", &self.memory), ("disk over time", &self.disk)] {
            table.row(name, &growth.map_or_else(|| settled.clone(), |growth| growth.words()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;

    fn growth(first: &[u64], second: &[u64]) -> Growth {
        let bytes = |half: &[u64]| half.iter().map(|mib| (1_000, mib * MIB)).collect::<Vec<_>>();
        Growth::of(Middle::Median, &bytes(first), &bytes(second)).expect("both halves have samples")
    }

    #[test]
    fn what_grows_in_its_middle_or_at_its_peak_is_not_flat() {
        assert!(growth(&[100, 100, 200], &[103, 104, 190]).flat, "noise");
        assert!(!growth(&[100, 100, 200], &[106, 106, 190]).flat, "the median");
        assert!(!growth(&[100, 100, 200], &[100, 100, 211]).flat, "the peak");
        assert!(growth(&[100, 100, 200], &[50, 50, 60]).flat, "shrinking is no growth");
        for middle in [Middle::Median, Middle::Mean] {
            assert_eq!(Growth::of(middle, &[(1, 1)], &[]), None);
        }
    }

    #[test]
    fn a_saw_that_is_cut_at_another_tooth_does_not_grow_and_one_that_climbs_does() {
        // Up by four segments, down by all of them: a half ends within a tooth.
        let saw = |from: u64, climb: u64| -> Vec<(u64, u64)> {
            (from..from + 450).map(|at| (1_000, 3_000 + at / 20 % 5 * 250 + at * climb / 450)).collect()
        };
        assert!(Growth::of(Middle::Mean, &saw(0, 0), &saw(450, 0)).is_some_and(|growth| growth.flat));
        assert!(Growth::of(Middle::Mean, &saw(0, 500), &saw(450, 500)).is_some_and(|growth| !growth.flat));
    }

    #[test]
    fn more_memory_for_more_orders_is_no_growth_and_less_orders_excuse_nothing() {
        let growth = |first, second| {
            Growth::of(Middle::Median, &[first; 3], &[second; 3]).expect("both halves have samples").flat
        };
        assert!(growth((100, 1_000), (120, 1_250)), "a fifth more orders, a quarter more memory");
        assert!(!growth((100, 1_000), (120, 1_270)));
        assert!(growth((100, 1_000), (50, 1_049)) && !growth((100, 1_000), (50, 1_051)));
    }

    #[test]
    fn a_long_run_reports_a_bounded_number_of_samples_with_every_peak() {
        let mut samples = Samples::default();
        for at in 0..10_007_u32 {
            let rss_bytes = if at == 5_432 { 900 } else { u64::from(at % 7) };
            samples.add(Sample { at_s: f64::from(at), orders: 1, rss_bytes, data_bytes: None });
        }
        let thinned = samples.thinned();
        assert!((REPORTED_MAX / 2..=REPORTED_MAX).contains(&thinned.len()), "{}", thinned.len());
        assert!(thinned.iter().any(|sample| sample.rss_bytes == 900));
        assert!(Samples::default().thinned().is_empty());
    }

    #[test]
    fn only_what_comes_after_two_lives_is_judged_and_a_short_run_is_not() {
        let mut samples = Samples::default();
        for second in 0..200_u32 {
            // It grows while orders come and none leaves.
            let rss_bytes = u64::from(second.min(100)) * MIB;
            samples.add(Sample { at_s: f64::from(second), orders: 5, rss_bytes, data_bytes: None });
        }
        let done = Done::default();
        let formula = Formula { memory_bytes_max: 99 * MIB, door_bytes_max: 0, connection_bytes_max: 0 };
        let figures = samples.figures(50.0, 200.0, &done, None);
        assert!(figures.is_good() && figures.memory.is_some_and(|memory| memory.flat), "{figures:?}");
        assert_eq!((figures.disk, figures.under_formula), (None, None));
        let figures = samples.figures(20.0, 200.0, &done, None);
        assert!(!figures.is_good() && figures.memory.is_some_and(|memory| !memory.flat), "{figures:?}");
        let figures = samples.figures(80.0, 200.0, &done, Some(&formula));
        assert_eq!((figures.memory, figures.under_formula), (None, Some(false)), "too short, and too much");
        assert!(!figures.is_good());
    }
}
