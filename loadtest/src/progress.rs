//! Live progress on a terminal: orders answered, rate, p99; silent when standard error is none. Remembers it for the
//! page of the result.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use indicatif::{ProgressBar, ProgressStyle};

use crate::latency;
use crate::series::Series;

const SHOW_EVERY: Duration = Duration::from_millis(200);

/// A line that is written over and over, and what was seen meanwhile.
pub(crate) struct Progress {
    bar: ProgressBar,
    run_began: Instant,
    pub(crate) series: Series,
    begin: Instant,
    shown: Option<Instant>,
    phase: String,
}

impl Progress {
    pub(crate) fn new() -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.set_style(ProgressStyle::with_template("{spinner} {msg}").expect("law: the template is well formed"));
        Self::with(bar)
    }

    /// Shows nothing.
    pub(crate) fn hidden() -> Self {
        Self::with(ProgressBar::hidden())
    }

    fn with(bar: ProgressBar) -> Self {
        let now = Instant::now();
        Self { bar, run_began: now, series: Series::default(), begin: now, shown: None, phase: String::new() }
    }

    /// Begins another part of the run; the rate counts from here.
    pub(crate) fn begin(&mut self, phase: impl Into<String>) {
        self.phase = phase.into();
        self.series.begin(&self.phase);
        self.begin = Instant::now();
        self.shown = None;
        self.bar.set_message(self.phase.clone());
        self.bar.tick();
    }

    /// Shows how far it is, now and then.
    pub(crate) fn show(&mut self, answered: u64, latencies: &Histogram<u64>) {
        self.series.add(self.run_began.elapsed().as_secs_f64(), answered);
        if self.bar.is_hidden() || self.shown.is_some_and(|shown| shown.elapsed() < SHOW_EVERY) {
            return;
        }
        self.shown = Some(Instant::now());
        let elapsed_s = self.begin.elapsed().as_secs_f64().max(1e-3);
        let (rate, p99_us) = (answered as f64 / elapsed_s, latency::at(latencies, 0.99));
        self.bar.set_message(format!(
            "{}: {} orders in {elapsed_s:.0} s, {} a second, p99 {p99_us:.0} us",
            self.phase,
            grouped(answered),
            grouped(rounded(rate)),
        ));
        self.bar.tick();
    }

    /// Wipes the line.
    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// To the nearest whole number; negative ones are zero.
pub(crate) const fn rounded(number: f64) -> u64 {
    number.round() as u64
}

/// 1234567 as 1,234,567.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), text);
        }
    }
}
