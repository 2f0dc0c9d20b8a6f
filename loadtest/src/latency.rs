//! Latencies: recorded in nanoseconds, told in microseconds, and written for the plotters of HdrHistogram.

use std::io::{self, Write};

use hdrhistogram::Histogram;
use serde::Serialize;

/// A minute; what takes longer counts as a minute.
const NS_MAX: u64 = 60_000_000_000;
const NS_PER_US: f64 = 1_000.0;
/// Lines per halving of the distance to 100 %.
const TICKS_PER_HALF: u32 = 5;

/// Microseconds by which a share of the answers had come.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct LatencyUs {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    pub(crate) max: f64,
}

/// An empty histogram.
pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, NS_MAX, 3).expect("law: these bounds make a histogram")
}

/// Records `count` answers that took so long.
pub(crate) fn record(histogram: &mut Histogram<u64>, nanoseconds: u64, count: u64) {
    if count > 0 {
        histogram.record_n(nanoseconds.clamp(1, NS_MAX), count).expect("law: the value is within the bounds");
    }
}

fn us(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / NS_PER_US
}

/// Microseconds at a quantile.
pub(crate) fn at(histogram: &Histogram<u64>, quantile: f64) -> f64 {
    us(histogram.value_at_quantile(quantile))
}

impl From<&Histogram<u64>> for LatencyUs {
    fn from(histogram: &Histogram<u64>) -> Self {
        Self { p50: at(histogram, 0.5), p99: at(histogram, 0.99), p999: at(histogram, 0.999), max: us(histogram.max()) }
    }
}

/// Writes the percentile distribution (`.hgrm`) as HdrHistogram's own tools do, values in microseconds.
pub(crate) fn write_hgrm(histogram: &Histogram<u64>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{:>12} {:>14} {:>10} {:>14}\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)")?;
    let mut counted = 0;
    for step in histogram.iter_quantiles(TICKS_PER_HALF) {
        counted += step.count_since_last_iteration();
        let (value, quantile) = (us(step.value_iterated_to()), step.quantile_iterated_to());
        write!(out, "{value:12.3} {quantile:1.12} {counted:10}")?;
        if quantile < 1.0 {
            write!(out, " {:14.2}", 1.0 / (1.0 - quantile))?;
        }
        writeln!(out)?;
    }
    writeln!(
        out,
        "#[Mean    = {:12.3}, StdDeviation   = {:12.3}]",
        histogram.mean() / NS_PER_US,
        histogram.stdev() / NS_PER_US
    )?;
    writeln!(out, "#[Max     = {:12.3}, Total count    = {:12}]", us(histogram.max()), histogram.len())?;
    let sub_buckets = 2_048;
    writeln!(out, "#[Buckets = {:12}, SubBuckets     = {sub_buckets:12}]", histogram.buckets())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_ends_with_every_value_and_the_largest() {
        let mut latencies = histogram();
        record(&mut latencies, 1_000, 99);
        record(&mut latencies, 2_000_000, 1);
        record(&mut latencies, u64::MAX, 0);
        let mut out = Vec::new();
        write_hgrm(&latencies, &mut out).expect("a vector takes every byte");
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "       Value     Percentile TotalCount 1/(1-Percentile)");
        assert_eq!(lines[2], "       1.000 0.000000000000         99           1.00");
        let last = lines.iter().rfind(|line| !line.starts_with('#')).expect("lines");
        let parts: Vec<&str> = last.split_whitespace().collect();
        assert_eq!(parts[1..], ["1.000000000000", "100"], "{last}");
        assert!((2_000.0..2_002.0).contains(&parts[0].parse::<f64>().expect("a number")), "{last}");
        assert!(text.contains("Total count    =          100]"), "{text}");
    }

    #[test]
    fn quantiles_are_told_in_microseconds() {
        let mut latencies = histogram();
        record(&mut latencies, 5_000, 999);
        record(&mut latencies, u64::MAX, 1);
        let told = LatencyUs::from(&latencies);
        assert!((5.0..5.01).contains(&told.p50) && (5.0..5.01).contains(&told.p99), "{told:?}");
        assert!(told.max > 59e6, "what takes longer counts as a minute: {told:?}");
    }
}
