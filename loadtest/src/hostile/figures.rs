//! What hostile clients came to, phase by phase, and the verdict.
//!
//! # Always true
//! - Memory is judged by two sums: the whole process by the whole formula, and what was added since the first attackers
//!   came by what the door may take for the connections that were really open.
//! - A ratio is of a phase to the one without attackers.

use serde::Serialize;

use super::watch::{Newcomers, Peak};
use crate::attack::Counts;
use crate::formula::Formula;
use crate::latency::LatencyUs;
use crate::progress::{grouped, rounded};
use crate::report::{Table, mib};

/// How many times its own p99 an honest client may see beside attackers.
const RATIO_PROMISED: f64 = 2.0;

/// Every phase, and what they come to.
#[derive(Debug, Default, Serialize)]
pub(crate) struct HostileFigures {
    /// Of the server this run started.
    pub(crate) formula: Option<Formula>,
    pub(crate) phases: Vec<Phase>,
    pub(crate) verdict: Verdict,
}

/// Whether the promise was kept.
#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Verdict {
    /// `null` for a server whose formula nobody knows.
    pub(crate) memory_under_formula: Option<bool>,
    pub(crate) p99_ratio_worst: f64,
    pub(crate) p99_at_most_double: bool,
    /// Asked for: beyond it the run has failed.
    pub(crate) p99_ratio_max: Option<f64>,
}

/// Honest clients, alone or beside one kind of attackers.
#[derive(Debug, Serialize)]
pub(crate) struct Phase {
    pub(crate) name: &'static str,
    pub(crate) orders: u64,
    /// Honest orders that were refused, whatever the reason: there is stock for all of them.
    pub(crate) refused: u64,
    pub(crate) errors: u64,
    pub(crate) honest_us: LatencyUs,
    pub(crate) ratio: Option<Ratio>,
    pub(crate) generator_was_the_limit: bool,
    pub(crate) newcomers: Newcomers,
    pub(crate) attackers: Option<Counts>,
    pub(crate) memory: Memory,
}

/// Latencies of a phase as multiples of those without attackers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Ratio {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
}

/// The server's memory during a phase.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Memory {
    /// Resident, at its most.
    pub(crate) peak_bytes: u64,
    /// Beyond what was there before the first attackers came.
    pub(crate) added_bytes: u64,
    /// Open at once, at their most.
    pub(crate) connections: u64,
    /// What the door may take for so many.
    pub(crate) door_bytes_max: Option<u64>,
    pub(crate) under_formula: Option<bool>,
}

impl Ratio {
    pub(crate) fn new(beside: &LatencyUs, alone: &LatencyUs) -> Self {
        let of = |pick: fn(&LatencyUs) -> f64| pick(beside) / pick(alone).max(1e-3);
        Self { p50: of(|us| us.p50), p99: of(|us| us.p99), p999: of(|us| us.p999) }
    }
}

impl Memory {
    pub(super) fn new(peak: Peak, at_rest_bytes: u64, formula: Option<&Formula>) -> Self {
        let added_bytes = peak.rss_bytes.saturating_sub(at_rest_bytes);
        let door_bytes_max = formula.map(|formula| formula.door(peak.connections));
        let under = |formula: &Formula| {
            peak.rss_bytes <= formula.memory_bytes_max && added_bytes <= formula.door(peak.connections)
        };
        let (peak_bytes, connections) = (peak.rss_bytes, peak.connections);
        Self { peak_bytes, added_bytes, connections, door_bytes_max, under_formula: formula.map(under) }
    }
}

impl Verdict {
    pub(crate) fn of(phases: &[Phase], p99_ratio_max: Option<f64>) -> Self {
        let beside = || phases.iter().filter(|phase| phase.attackers.is_some());
        let known = phases.iter().map(|phase| phase.memory.under_formula);
        let worst = beside().filter_map(|phase| phase.ratio).map(|ratio| ratio.p99).fold(0.0, f64::max);
        Self {
            memory_under_formula: known.reduce(|one, other| one.zip(other).map(|(one, other)| one && other)).flatten(),
            p99_ratio_worst: worst,
            p99_at_most_double: worst <= RATIO_PROMISED,
            p99_ratio_max,
        }
    }

    /// Whether the run has failed for what it measured.
    fn is_good(&self) -> bool {
        self.memory_under_formula != Some(false) && self.p99_ratio_max.is_none_or(|max| self.p99_ratio_worst <= max)
    }
}

impl HostileFigures {
    pub(crate) fn is_good(&self) -> bool {
        self.verdict.is_good()
    }

    pub(crate) fn rows(&self, table: &mut Table) {
        self.phases.iter().for_each(|phase| phase.rows(table));
        if let Some(formula) = &self.formula {
            table.row("formula", &format!("{} for the whole server", mib(formula.memory_bytes_max)));
        }
        let yes = |yes: bool| if yes { "yes" } else { "NO" };
        let memory = self.verdict.memory_under_formula.map_or("not known of this server", yes);
        table.row("memory under the formula", memory);
        let double = yes(self.verdict.p99_at_most_double);
        table.row("p99 at most doubles", &format!("{double} (worst {:.2} times)", self.verdict.p99_ratio_worst));
    }
}

impl Phase {
    fn rows(&self, table: &mut Table) {
        let LatencyUs { p50, p99, p999, .. } = self.honest_us;
        table.row(self.name, &format!("p50 {p50:.0} us, p99 {p99:.0} us, p99.9 {p999:.0} us"));
        if let Some(Ratio { p50, p99, p999 }) = self.ratio {
            table.row("", &format!("{p50:.2}, {p99:.2} and {p999:.2} times as long as alone"));
        }
        if self.refused + self.errors > 0 {
            table.row("", &format!("! {} honest orders refused, {} errors", self.refused, self.errors));
        }
        let Newcomers { tried, failed, slowest_ms } = self.newcomers;
        table.row("", &format!("{tried} newcomers, {failed} not let in, slowest after {slowest_ms:.0} ms"));
        if let Some(attackers) = &self.attackers {
            attackers_rows(attackers, table);
        }
        let memory = &self.memory;
        let door = memory.door_bytes_max.map_or_else(String::new, |max| format!(", at most {} allowed", mib(max)));
        let (peak, added) = (mib(memory.peak_bytes), mib(memory.added_bytes));
        table.row("", &format!("rss {peak}, {added} added by {} connections{door}", grouped(memory.connections)));
        if memory.under_formula == Some(false) {
            table.row("", "! more memory than the formula allows");
        }
        if self.generator_was_the_limit {
            table.row("", "! more than 1 % of the honest sends were late: the generator had too little of the machine");
        }
    }
}

fn attackers_rows(attackers: &Counts, table: &mut Table) {
    let Counts { opened, refused, failed, streams, sent_bytes, ended } = attackers;
    let connections = [opened, refused, failed].map(|count| grouped(*count));
    let [opened, refused, failed] = connections;
    let sent = format!("{:.1} MB", rounded(*sent_bytes as f64 / 1e5) as f64 / 10.0);
    table.row("", &format!("attackers: {opened} connections, {refused} refused, {failed} failed"));
    table.row("", &format!("           {} streams, {sent}", grouped(*streams)));
    for (why, count) in ended {
        table.row("", &format!("           {} ended: {why}", grouped(*count)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMULA: Formula = Formula { memory_bytes_max: 1_000, door_bytes_max: 100, connection_bytes_max: 10 };
    const ALONE: LatencyUs = LatencyUs { p50: 100.0, p99: 1_000.0, p999: 2_000.0, max: 3_000.0 };

    fn phase(attacked: bool, p99: f64, under_formula: Option<bool>) -> Phase {
        let honest_us = LatencyUs { p99, ..ALONE };
        Phase {
            name: "some",
            orders: 1,
            refused: 0,
            errors: 0,
            honest_us,
            ratio: attacked.then(|| Ratio::new(&honest_us, &ALONE)),
            generator_was_the_limit: false,
            newcomers: Newcomers::default(),
            attackers: attacked.then(Counts::default),
            memory: Memory { under_formula, ..Memory::default() },
        }
    }

    #[test]
    fn memory_must_stay_below_both_sums() {
        for (rss_bytes, connections, at_rest, under) in
            [(700, 50, 100, true), (700, 49, 100, false), (1_001, 1_000, 900, false), (90, 0, 100, true)]
        {
            let memory = Memory::new(Peak { rss_bytes, connections }, at_rest, Some(&FORMULA));
            assert_eq!(memory.under_formula, Some(under), "{memory:?}");
        }
        assert_eq!(Memory::new(Peak::default(), 0, None).under_formula, None);
    }

    #[test]
    fn the_verdict_is_that_of_the_worst_phase_beside_attackers() {
        let phases = [phase(false, 9_000.0, Some(true)), phase(true, 1_500.0, Some(true))];
        let verdict = Verdict::of(&phases, None);
        assert_eq!((verdict.memory_under_formula, verdict.p99_ratio_worst), (Some(true), 1.5));
        assert!(verdict.p99_at_most_double && verdict.is_good(), "alone nobody is compared");
        assert!(!Verdict::of(&phases, Some(1.4)).is_good());
        let phases = [phase(false, 9.0, Some(true)), phase(true, 2_100.0, Some(false))];
        let verdict = Verdict::of(&phases, None);
        assert!(!verdict.p99_at_most_double && !verdict.is_good());
        let unknown = Verdict::of(&[phase(true, 2_100.0, None)], Some(3.0));
        assert!(unknown.memory_under_formula.is_none() && unknown.is_good());
    }
}
