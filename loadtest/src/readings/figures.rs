//! What checkouts beside readings came to, phase by phase, and the verdict.
//!
//! # Always true
//! - A ratio is of the two phases of one pair, which follow each other; the verdict is that of the middle pair.
//! # Why so
//! Machines drift, and one stall of a disk decides the p99 of a phase. Neighbours share the drift, and the middle one
//! of several pairs does not know the stall.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::latency::LatencyUs;
use crate::progress::{grouped, rounded};
use crate::report::Table;

/// How many times as long as without readings a checkout may take beside them.
const RATIO_PROMISED: f64 = 1.1;

/// Every phase, and what they come to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ReadingsFigures {
    pub(crate) phases: Vec<Phase>,
    pub(crate) verdict: Verdict,
}

/// Whether the promise was kept.
#[derive(Debug, Default, Clone, PartialEq, Serialize)]
pub(crate) struct Verdict {
    /// Of each pair: p99 of checkouts beside readings by p99 without.
    pub(crate) p99_ratios: Vec<f64>,
    /// The middle one; of an even number, the mean of the two in the middle.
    pub(crate) p99_ratio: f64,
    /// The same of placing alone.
    pub(crate) placed_p99_ratio: f64,
    pub(crate) p99_at_most_a_tenth_longer: bool,
    /// Asked for: beyond it the run has failed.
    pub(crate) p99_ratio_max: Option<f64>,
}

/// Checkouts, with or without readings.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Phase {
    pub(crate) checkouts: u64,
    pub(crate) refused: u64,
    /// From the moment of a checkout until its order was accepted, and until it was confirmed.
    pub(crate) placed_us: LatencyUs,
    pub(crate) checkout_us: LatencyUs,
    pub(crate) generator_was_the_limit: bool,
    pub(crate) readings: Option<Beside>,
}

/// Readings beside checkouts.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Beside {
    pub(crate) answered: u64,
    pub(crate) per_s: f64,
    /// Rows of all answers.
    pub(crate) rows: u64,
    pub(crate) overloaded: u64,
    pub(crate) errors: u64,
    /// By kind, from the moment each should have been asked.
    pub(crate) latency_us: BTreeMap<&'static str, LatencyUs>,
}

impl Verdict {
    /// Of phases in pairs.
    pub(crate) fn of(phases: &[Phase], p99_ratio_max: Option<f64>) -> Self {
        let ratios = |pick: fn(&Phase) -> f64| -> Vec<f64> {
            let ratio = |pair: &[Phase]| {
                let of = |with: bool| pair.iter().find(|phase| phase.readings.is_some() == with).map(pick);
                Some(of(true)? / of(false)?.max(1e-3))
            };
            phases.chunks(2).filter_map(ratio).collect()
        };
        let p99_ratios = ratios(|phase| phase.checkout_us.p99);
        let p99_ratio = middle(&p99_ratios);
        Self {
            p99_ratio,
            placed_p99_ratio: middle(&ratios(|phase| phase.placed_us.p99)),
            p99_at_most_a_tenth_longer: p99_ratio <= RATIO_PROMISED,
            p99_ratios,
            p99_ratio_max,
        }
    }
}

fn middle(ratios: &[f64]) -> f64 {
    let mut sorted = ratios.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.len(), sorted.len() / 2) {
        (0, _) => 0.0,
        (len, at) if len.is_multiple_of(2) => f64::midpoint(sorted[at - 1], sorted[at]),
        (_, at) => sorted[at],
    }
}

impl ReadingsFigures {
    pub(crate) fn is_good(&self) -> bool {
        self.verdict.p99_ratio_max.is_none_or(|max| self.verdict.p99_ratio <= max)
    }

    pub(crate) fn rows(&self, table: &mut Table) {
        self.phases.iter().for_each(|phase| phase.rows(table));
        let Verdict { p99_ratios, p99_ratio, placed_p99_ratio, p99_at_most_a_tenth_longer, .. } = &self.verdict;
        let of_pairs = p99_ratios.iter().map(|ratio| format!("{ratio:.2}")).collect::<Vec<_>>().join(", ");
        table.row("p99 beside readings", &format!("{p99_ratio:.2} times as long ({of_pairs} of the pairs)"));
        table.row("", &format!("placing alone {placed_p99_ratio:.2} times"));
        let words = if *p99_at_most_a_tenth_longer { "yes" } else { "NO" };
        table.row("at most a tenth longer", words);
    }
}

impl Phase {
    fn rows(&self, table: &mut Table) {
        let LatencyUs { p50, p99, p999, .. } = self.checkout_us;
        let name = if self.readings.is_some() { "beside readings" } else { "checkouts alone" };
        table.row(name, &format!("p50 {p50:.0} us, p99 {p99:.0} us, p99.9 {p999:.0} us"));
        let placed = format!("placed within p50 {:.0} us, p99 {:.0} us", self.placed_us.p50, self.placed_us.p99);
        table.row("", &placed);
        if self.refused > 0 {
            table.row("", &format!("! {} refused", grouped(self.refused)));
        }
        if let Some(beside) = &self.readings {
            let [answered, rows, per_s] = [beside.answered, beside.rows, rounded(beside.per_s)].map(grouped);
            table.row("", &format!("{answered} readings ({per_s}/s), {rows} rows, {} overloaded", beside.overloaded));
            for (kind, LatencyUs { p50, p99, .. }) in &beside.latency_us {
                table.row("", &format!("  {kind}: p50 {p50:.0} us, p99 {p99:.0} us"));
            }
        }
        if self.generator_was_the_limit {
            table.row("", "! more than 1 % of the checkouts began late: the generator had too little of the machine");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phase(p99: f64, with: bool) -> Phase {
        let us = LatencyUs { p50: 1.0, p99, p999: p99, max: p99 };
        let beside = Beside { answered: 1, per_s: 1.0, rows: 1, overloaded: 0, errors: 0, latency_us: BTreeMap::new() };
        Phase {
            checkouts: 1,
            refused: 0,
            placed_us: us,
            checkout_us: us,
            generator_was_the_limit: false,
            readings: with.then_some(beside),
        }
    }

    #[test]
    fn the_verdict_is_that_of_the_middle_pair_whichever_phase_came_first() {
        let phases = [
            phase(100.0, false),
            phase(105.0, true),
            phase(900.0, true),
            phase(200.0, false),
            phase(50.0, false),
            phase(54.0, true),
        ];
        let verdict = Verdict::of(&phases, Some(1.09));
        assert_eq!(verdict.p99_ratios, [1.05, 4.5, 1.08]);
        assert!((verdict.p99_ratio - 1.08).abs() < 1e-9 && verdict.p99_at_most_a_tenth_longer);
        let figures = ReadingsFigures { phases: phases.to_vec(), verdict };
        assert!(figures.is_good());
        assert!(!ReadingsFigures { verdict: Verdict::of(&phases, Some(1.07)), phases: Vec::new() }.is_good());
        assert!((middle(&[1.0, 2.0, 4.0, 9.0]) - 3.0).abs() < 1e-9);
    }
}
