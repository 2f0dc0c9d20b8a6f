//! How a run went over time: orders answered, phase by phase, at most so many points of each.
//!
//! # Always true
//! - However long a run takes, it keeps a bounded number of points: when they are too many, every other one goes, and
//!   the next ones are taken half as often.

use std::time::Duration;

/// Points kept of one phase.
const POINTS_MAX: usize = 600;
/// Between two points, at first.
const EVERY: Duration = Duration::from_millis(100);

/// What was seen at some moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Point {
    /// Since the run began.
    pub(crate) at_s: f64,
    /// Orders answered since the phase began.
    pub(crate) answered: u64,
}

/// A part of a run.
#[derive(Debug, Clone)]
pub(crate) struct Phase {
    pub(crate) name: String,
    pub(crate) points: Vec<Point>,
    every_s: f64,
}

/// Every phase so far.
#[derive(Debug, Default, Clone)]
pub(crate) struct Series {
    pub(crate) phases: Vec<Phase>,
}

/// Orders answered a second between two points of a phase, at the later one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rate {
    pub(crate) at_s: f64,
    pub(crate) per_s: f64,
}

impl Series {
    pub(crate) fn begin(&mut self, name: &str) {
        self.phases.push(Phase { name: name.to_owned(), points: Vec::new(), every_s: EVERY.as_secs_f64() });
    }

    /// Takes a point, unless the last one is too young.
    pub(crate) fn add(&mut self, at_s: f64, answered: u64) {
        let Some(phase) = self.phases.last_mut() else { return };
        // A timer that comes a little early must not halve the points.
        let is_due = phase.points.last().is_none_or(|last| at_s - last.at_s >= 0.9 * phase.every_s);
        if is_due {
            phase.points.push(Point { at_s, answered });
        }
        if phase.points.len() > POINTS_MAX {
            let mut at = 0;
            phase.points.retain(|_| {
                at += 1;
                at % 2 == 1
            });
            phase.every_s *= 2.0;
        }
    }
}

impl Phase {
    pub(crate) fn rates(&self) -> Vec<Rate> {
        let rate = |pair: &[Point]| {
            let (from, to) = (pair[0], pair[1]);
            let per_s = to.answered.saturating_sub(from.answered) as f64 / (to.at_s - from.at_s).max(1e-9);
            Rate { at_s: to.at_s, per_s }
        };
        self.points.windows(2).map(rate).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_phase_keeps_its_shape_in_a_bounded_number_of_points() {
        let mut series = Series::default();
        series.add(0.0, 5);
        assert!(series.phases.is_empty(), "nothing has begun");
        series.begin("sale");
        for tenth in 0..100_000_u32 {
            series.add(f64::from(tenth) * 0.1, u64::from(tenth) * 7);
        }
        let phase = &series.phases[0];
        assert!((POINTS_MAX / 3..=POINTS_MAX).contains(&phase.points.len()), "{}", phase.points.len());
        assert!(phase.rates().iter().all(|rate| (rate.per_s - 70.0).abs() < 0.01));
        assert!(phase.points.last().is_some_and(|last| last.at_s > 9_900.0));
    }

    #[test]
    fn points_that_come_too_soon_are_left_out() {
        let mut series = Series::default();
        series.begin("sale");
        for (at_s, answered) in [(0.0, 0), (0.02, 1), (0.1, 10), (0.15, 12), (0.2, 30)] {
            series.add(at_s, answered);
        }
        let rates: Vec<f64> = series.phases[0].rates().iter().map(|rate| rate.per_s.round()).collect();
        assert_eq!(rates, [100.0, 200.0]);
    }
}
