//! The text format of Prometheus, version 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>): families of samples.
//!
//! # Always true
//! - A family's `HELP` and `TYPE` stand once, before its samples.
//! - The buckets of a histogram are cumulative and end with `+Inf`, which is its count.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

/// Upper bounds of the buckets of times, in microseconds: 1, 2.5 and 5 of every power of ten from 50 µs to 10 s.
const BOUNDS_US: [u64; 17] = [
    50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];
/// Upper bounds of the buckets of counts and of bytes: powers of four.
const BOUNDS_COUNT: [u64; 11] = [1, 4, 16, 64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576];

/// Metrics on their way out.
#[derive(Debug, Default)]
pub struct Exposition {
    text: String,
}

impl Exposition {
    /// Begins a family: its name, its type (`gauge`, `counter`, `histogram`) and what it means, in one line.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    /// A sample. `labels` is empty or reads `shard="0",lane="orders"`; its values hold no quote and no line break.
    pub fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
        self.line(format_args!("{name}{open}{labels}{close} {value}"));
    }

    /// A family of one sample without labels.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }

    /// A histogram of microseconds, told in seconds.
    pub fn seconds(&mut self, name: &str, labels: &str, histogram: &Histogram<u64>) {
        self.buckets(name, labels, histogram, &BOUNDS_US, 1_000_000);
    }

    /// A histogram of counts or of bytes.
    pub fn counts(&mut self, name: &str, labels: &str, histogram: &Histogram<u64>) {
        self.buckets(name, labels, histogram, &BOUNDS_COUNT, 1);
    }

    /// Everything.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }

    fn buckets(&mut self, name: &str, labels: &str, histogram: &Histogram<u64>, bounds: &[u64], unit: u64) {
        let comma = if labels.is_empty() { "" } else { "," };
        let (mut recorded, mut below, mut sum) = (histogram.iter_recorded().peekable(), 0, 0_u128);
        for bound in bounds {
            while let Some(step) = recorded.next_if(|step| step.value_iterated_to() <= *bound) {
                below += step.count_at_value();
                sum += u128::from(step.count_at_value()) * u128::from(step.value_iterated_to());
            }
            let le = decimal((*bound).into(), unit);
            self.line(format_args!("{name}_bucket{{{labels}{comma}le=\"{le}\"}} {below}"));
        }
        for step in recorded {
            below += step.count_at_value();
            sum += u128::from(step.count_at_value()) * u128::from(step.value_iterated_to());
        }
        self.line(format_args!("{name}_bucket{{{labels}{comma}le=\"+Inf\"}} {below}"));
        self.sample(&format!("{name}_sum"), labels, decimal(sum, unit));
        self.sample(&format!("{name}_count"), labels, below);
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("law: a string takes every line");
    }
}

/// A count of `unit`ths as a decimal: 2,500 microseconds are 0.0025.
fn decimal(count: u128, unit: u64) -> String {
    let (whole, rest) = (count / u128::from(unit), count % u128::from(unit));
    if rest == 0 {
        return whole.to_string();
    }
    let digits = unit.ilog10() as usize;
    let fraction = format!("{rest:0digits$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_is_told_in_cumulative_buckets_of_seconds() {
        let mut histogram = Histogram::<u64>::new(3).expect("three digits");
        for value in [40, 100, 101, 2_400, 30_000_000] {
            histogram.record(value).expect("it grows");
        }
        let mut out = Exposition::default();
        out.family("x_seconds", "histogram", "How long.");
        out.seconds("x_seconds", "shard=\"1\"", &histogram);
        let text = out.into_text();
        for line in [
            "# HELP x_seconds How long.",
            "# TYPE x_seconds histogram",
            "x_seconds_bucket{shard=\"1\",le=\"0.00005\"} 1",
            "x_seconds_bucket{shard=\"1\",le=\"0.0001\"} 2",
            "x_seconds_bucket{shard=\"1\",le=\"0.00025\"} 3",
            "x_seconds_bucket{shard=\"1\",le=\"0.0025\"} 4",
            "x_seconds_bucket{shard=\"1\",le=\"10\"} 4",
            "x_seconds_bucket{shard=\"1\",le=\"+Inf\"} 5",
            "x_seconds_count{shard=\"1\"} 5",
        ] {
            assert!(text.lines().any(|told| told == line), "{line} is not in:\n{text}");
        }
        let sum = text.lines().find_map(|line| line.strip_prefix("x_seconds_sum{shard=\"1\"} ")).expect("a sum");
        let sum: f64 = sum.parse().expect("a number");
        assert!((sum - 30.002_641).abs() < 0.05, "{sum}");
    }

    #[test]
    fn decimals_are_exact() {
        let cases = [(0, "0"), (50, "0.00005"), (1_000_000, "1"), (2_500_000, "2.5"), (1_000_001, "1.000001")];
        for (count, text) in cases {
            assert_eq!(decimal(count, 1_000_000), text);
        }
        assert_eq!(decimal(7, 1), "7");
    }
}
