//! The result of a run as one page that needs nothing else: figures, orders a second over time, latency by percentile;
//! of a soak also memory over time.
//!
//! # Always true
//! - The page names no other file and no address: it opens without a network, and in ten years.
//! - Whatever comes from outside (names, messages) is escaped.

use std::fmt::Write as _;

use hdrhistogram::Histogram;

use crate::latency;
use crate::progress::{grouped, rounded};
use crate::report::Report;
use crate::series::{Phase, Rate, Series};
use crate::soak::{Sample, SoakFigures};

/// Of a chart, in its own units.
const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 280.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 42.0;
const BOTTOM: f64 = 40.0;
/// Width of a letter of a name, about.
const LETTER: f64 = 7.0;
/// Shares of answers that the latency chart names: how many nines, and how that is written.
const NINES: [(f64, &str); 7] = [
    (0.0, "0 %"),
    (1.0, "90 %"),
    (2.0, "99 %"),
    (3.0, "99.9 %"),
    (4.0, "99.99 %"),
    (5.0, "99.999 %"),
    (6.0, "99.9999 %"),
];
/// Points of the latency curve per nine.
const STEPS_PER_NINE: u32 = 20;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --rule: #d8dee4; --paper: #ffffff; --mark: #0b62c4;
        --fill: #0b62c422; --bad: #b42318; --good: #1a7f37 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e6edf3; --soft: #9198a1; --rule: #30363d; --paper: #0d1117; --mark: #58a6ff; --fill: #58a6ff22;
          --bad: #ff7b72; --good: #56d364 } }
body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; color: var(--ink); background: var(--paper);
       font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p { color: var(--soft); margin: .25rem 0 }
.tiles { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1rem; margin: 1.5rem 0 }
@media (max-width: 36rem) { .tiles { grid-template-columns: repeat(2, 1fr) } }
.tile { border-top: 2px solid var(--rule); padding-top: .5rem } .tile b { display: block; font-size: 1.35rem }
.tile span { color: var(--soft); font-size: .85rem } .good { color: var(--good) } .bad { color: var(--bad) }
svg { width: 100%; height: auto; display: block } svg text { fill: var(--soft); font-size: 12px }
.grid { stroke: var(--rule); stroke-width: 1 } .line { fill: none; stroke: var(--mark); stroke-width: 1.75 }
.area { fill: var(--fill); stroke: none } .dot { fill: var(--mark) }
pre { overflow-x: auto; border: 1px solid var(--rule); padding: 1rem; font-size: .85rem }
table { border-collapse: collapse; font-size: .9rem } td { padding: .15rem 1.5rem .15rem 0; vertical-align: top }
td:first-child { color: var(--soft) }
";

/// The page.
pub(crate) fn page(report: &Report, series: &Series, latencies: Option<&Histogram<u64>>) -> String {
    let title = format!("Stockade load test: {}", report.scenario);
    let mut page = String::new();
    let mut put = |text: &str| page.push_str(text);
    put("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    put("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    put(&format!("<title>{}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n", escaped(&title)));
    put(&format!("<h1>{}</h1>\n{}", escaped(&title), verdict(report)));
    put(&tiles(report));
    put("<h2>Orders answered a second</h2>\n");
    put(&throughput(series).unwrap_or_else(|| "<p>The run was too short for a curve.</p>\n".to_owned()));
    put("<h2>Latency by percentile</h2>\n");
    let curve = latencies.and_then(latency_chart);
    put(&curve.unwrap_or_else(|| "<p>Nothing was answered.</p>\n".to_owned()));
    if let Some(chart) = report.soak.as_ref().and_then(memory_chart) {
        put("<h2>Memory of the server</h2>\n");
        put(&chart);
    }
    put(&format!("<h2>Result</h2>\n<pre>{}</pre>\n", escaped(&report.table())));
    put("<h2>Settings</h2>\n<table>\n");
    for (key, value) in &report.settings {
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        put(&format!("<tr><td>{}</td><td>{}</td></tr>\n", escaped(key), escaped(&value)));
    }
    put("</table>\n</body>\n</html>\n");
    page
}

fn verdict(report: &Report) -> String {
    let (class, words) = match (report.is_good(), report.open_loop.is_some_and(|open| open.generator_was_the_limit)) {
        (false, _) => ("bad", "Something went wrong: see the result below."),
        (true, true) => {
            ("bad", "Every answer was right, but the generator was too slow for the rate: latencies are its own.")
        }
        (true, false) => ("good", "Every answer was right, and the books agree."),
    };
    format!("<p class=\"{class}\">{words}</p>\n")
}

fn tiles(report: &Report) -> String {
    let us = |us: f64| if us < 10_000.0 { format!("{us:.0} µs") } else { format!("{:.1} ms", us / 1e3) };
    let latency = &report.latency_us;
    let tiles = [
        ("orders a second", grouped(rounded(report.orders_per_s))),
        ("orders", grouped(report.orders)),
        ("reserved", grouped(report.reserved)),
        ("sold out", grouped(report.sold_out)),
        ("p50", us(latency.p50)),
        ("p99", us(latency.p99)),
        ("p99.9", us(latency.p999)),
        ("errors", grouped(report.errors)),
    ];
    let tiles = tiles.map(|(name, value)| format!("<div class=\"tile\"><b>{value}</b><span>{name}</span></div>"));
    format!("<div class=\"tiles\">{}</div>\n", tiles.concat())
}

/// A chart being drawn: what its axes span, and its elements so far.
struct Chart {
    x: (f64, f64),
    y: (f64, f64),
    svg: String,
}

impl Chart {
    fn new(x: (f64, f64), y: (f64, f64), label: &str) -> Self {
        let svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n", escaped(label));
        Self { x, y, svg }
    }

    fn at_x(&self, x: f64) -> f64 {
        LEFT + (x - self.x.0) / (self.x.1 - self.x.0) * (WIDTH - LEFT - RIGHT)
    }

    fn at_y(&self, y: f64) -> f64 {
        HEIGHT - BOTTOM - (y - self.y.0) / (self.y.1 - self.y.0) * (HEIGHT - TOP - BOTTOM)
    }

    fn put(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.svg, "{element}").expect("law: a string takes every letter");
    }

    /// A horizontal line with its number beside it.
    fn row(&mut self, y: f64, label: &str) {
        let (at, right) = (self.at_y(y), WIDTH - RIGHT);
        self.put(format_args!(r#"<line class="grid" x1="{LEFT}" x2="{right}" y1="{at:.1}" y2="{at:.1}"/>"#));
        let (x, baseline) = (LEFT - 8.0, at + 4.0);
        self.put(format_args!(r#"<text x="{x}" y="{baseline:.1}" text-anchor="end">{}</text>"#, escaped(label)));
    }

    /// A vertical line with its number below it.
    fn column(&mut self, x: f64, label: &str) {
        let (at, bottom, below) = (self.at_x(x), HEIGHT - BOTTOM, HEIGHT - BOTTOM + 18.0);
        self.put(format_args!(r#"<line class="grid" x1="{at:.1}" x2="{at:.1}" y1="{TOP}" y2="{bottom}"/>"#));
        self.put(format_args!(r#"<text x="{at:.1}" y="{below}" text-anchor="middle">{}</text>"#, escaped(label)));
    }

    /// Columns of a span that begins at zero.
    fn seconds(&mut self, span_s: f64) {
        let step = round_step(span_s / 8.0);
        for line in 0..=(span_s / step) as u64 {
            let at_s = line as f64 * step;
            self.column(at_s, &format!("{} s", short(at_s)));
        }
    }

    fn curve(&mut self, points: &[(f64, f64)]) {
        let path: Vec<String> =
            points.iter().map(|(x, y)| format!("{:.1},{:.1}", self.at_x(*x), self.at_y(*y))).collect();
        let (Some(first), Some(last)) = (points.first(), points.last()) else { return };
        let (begin, end, bottom) = (self.at_x(first.0), self.at_x(last.0), HEIGHT - BOTTOM);
        let path = path.join(" ");
        self.put(format_args!(r#"<polygon class="area" points="{begin:.1},{bottom} {path} {end:.1},{bottom}"/>"#));
        self.put(format_args!(r#"<polyline class="line" points="{path}"/>"#));
    }

    fn finish(mut self) -> String {
        self.svg.push_str("</svg>\n");
        self.svg
    }
}

/// Of each phase with a curve: its name and its rates.
fn curves(series: &Series) -> Vec<(&Phase, Vec<Rate>)> {
    let curves = series.phases.iter().map(|phase| (phase, phase.rates()));
    curves.filter(|(_, rates)| rates.len() > 1).collect()
}

fn throughput(series: &Series) -> Option<String> {
    let curves = curves(series);
    let begin = curves.first()?.0.points.first()?.at_s;
    let end = curves.last()?.1.last()?.at_s;
    let most = curves.iter().flat_map(|(_, rates)| rates).map(|rate| rate.per_s).fold(1.0, f64::max);
    let step = round_step(most / 4.0);
    let top = (most / step).ceil() * step;
    let mut chart = Chart::new((0.0, (end - begin).max(0.1)), (0.0, top), "orders answered a second over time");
    for line in 0..=rounded(top / step) {
        let per_s = line as f64 * step;
        chart.row(per_s, &grouped(rounded(per_s)));
    }
    chart.seconds(end - begin);
    let mut taken_upto = 0.0;
    for (phase, rates) in &curves {
        let points: Vec<(f64, f64)> = rates.iter().map(|rate| (rate.at_s - begin, rate.per_s)).collect();
        chart.curve(&points);
        let at = chart.at_x(points.first().map_or(0.0, |(x, _)| *x));
        // A name that would run into the one before goes above it.
        let y = if at < taken_upto { TOP - 26.0 } else { TOP - 10.0 };
        taken_upto = at + LETTER * phase.name.chars().count() as f64;
        chart.put(format_args!(r#"<text x="{at:.1}" y="{y}">{}</text>"#, escaped(&phase.name)));
    }
    Some(chart.finish())
}

fn memory_chart(soak: &SoakFigures) -> Option<String> {
    let samples = &soak.over_time;
    let end = samples.last()?.at_s.max(0.1);
    let mib = |sample: &Sample| sample.rss_bytes as f64 / f64::from(1 << 20);
    let step = round_step(samples.iter().map(mib).fold(1.0, f64::max) / 4.0);
    let rows = (samples.iter().map(mib).fold(1.0, f64::max) / step).ceil();
    let mut chart = Chart::new((0.0, end), (0.0, rows * step), "memory of the server over time");
    for row in 0..=rounded(rows) {
        let at = row as f64 * step;
        chart.row(at, &format!("{} MiB", grouped(rounded(at))));
    }
    chart.seconds(end);
    chart.curve(&samples.iter().map(|sample| (sample.at_s, mib(sample))).collect::<Vec<_>>());
    Some(chart.finish())
}

/// 1, 2 or 5 times a power of ten, at least `about`.
fn round_step(about: f64) -> f64 {
    let power = 10_f64.powf(about.max(1e-6).log10().floor());
    let steps = [1.0, 2.0, 5.0, 10.0];
    power * steps.into_iter().find(|step| step * power >= about).unwrap_or(10.0)
}

/// Without zeroes at the end.
fn short(number: f64) -> String {
    let text = format!("{number:.3}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Both axes are logarithmic: what is rare and slow is what one looks for.
fn latency_chart(latencies: &Histogram<u64>) -> Option<String> {
    if latencies.is_empty() {
        return None;
    }
    // One answer of so many is the rarest that can be told.
    let nines = (latencies.len() as f64).log10().clamp(1.0, 6.0);
    let steps = rounded(nines * f64::from(STEPS_PER_NINE));
    let quantile = |nines: f64| 1.0 - 10_f64.powf(-nines);
    let point = |step: u64| {
        let nines = nines.min(step as f64 / f64::from(STEPS_PER_NINE));
        (nines, latency::at(latencies, quantile(nines)).max(1.0).log10())
    };
    let points: Vec<(f64, f64)> = (0..=steps).map(point).collect();
    let (least, most) = (points.first()?.1.floor(), points.last()?.1.ceil());
    let mut chart = Chart::new((0.0, nines), (least, most.max(least + 1.0)), "latency by percentile");
    for power in (least as i32)..=(most.max(least + 1.0) as i32) {
        chart.row(power.into(), &microseconds(10_f64.powi(power)));
    }
    for (at, label) in NINES.into_iter().filter(|(at, _)| *at <= nines) {
        chart.column(at, label);
    }
    chart.curve(&points);
    for (at, label) in NINES.into_iter().skip(1).filter(|(at, _)| *at <= nines) {
        let us = latency::at(latencies, quantile(at));
        let (x, y) = (chart.at_x(at), chart.at_y(us.max(1.0).log10()));
        let title = format!("{label} within {}", microseconds(us));
        chart.put(format_args!(r#"<circle class="dot" cx="{x:.1}" cy="{y:.1}" r="4"><title>{title}</title></circle>"#));
    }
    Some(chart.finish())
}

fn microseconds(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{} µs", short(us)),
        us if us < 1e6 => format!("{} ms", short(us / 1e3)),
        us => format!("{} s", short(us / 1e6)),
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::report;

    fn series() -> Series {
        let mut series = Series::default();
        for phase in ["warm-up", "a sale <of \"mugs\">"] {
            series.begin(phase);
            let begin = if phase == "warm-up" { 0.0 } else { 3.0 };
            for tenth in 0..30_u32 {
                series.add(begin + f64::from(tenth) * 0.1, u64::from(tenth * tenth) * 100);
            }
        }
        series
    }

    #[test]
    fn a_page_needs_nothing_else_and_escapes_what_comes_from_outside() {
        let mut latencies = latency::histogram();
        (1..=100_000).for_each(|n| latency::record(&mut latencies, n * 1_000, 1));
        let mut report = report();
        report.error_list.push("refused: <script>".into());
        let page = page(&report, &series(), Some(&latencies));
        for outside in ["http", "src=", "href", "url(", "@import", "<script"] {
            assert!(!page.contains(outside), "{outside}");
        }
        assert!(page.contains("a sale &lt;of &quot;mugs&quot;&gt;") && page.contains("refused: &lt;script&gt;"));
        assert_eq!(page.matches("<polyline").count(), 3, "two phases and the latencies");
        for label in ["99.99 %", "100 ms", "Every answer was right", "replay"] {
            assert!(page.contains(label), "{label}");
        }
        assert!(!page.contains("NaN") && !page.contains("inf"));
    }

    #[test]
    fn every_point_lies_within_its_chart() {
        let chart = throughput(&series()).expect("two curves");
        let lists = chart.split("points=\"").skip(1).filter_map(|behind| behind.split('"').next());
        for pair in lists.flat_map(|list| list.split(' ')) {
            let (x, y) = pair.split_once(',').expect("x,y");
            let (x, y): (f64, f64) = (x.parse().expect("a number"), y.parse().expect("a number"));
            assert!((LEFT..=WIDTH - RIGHT + 0.1).contains(&x) && (TOP..=HEIGHT - BOTTOM).contains(&y), "{pair}");
        }
    }

    #[test]
    fn a_soak_shows_the_memory_of_the_server() {
        let mut report = report();
        assert!(!page(&report, &Series::default(), None).contains("<h2>Memory of the server</h2>"));
        let sample = |at_s: f64, mib: u64| Sample { at_s, orders: 1, rss_bytes: mib << 20, data_bytes: None };
        let over_time = vec![sample(0.0, 90), sample(40.0, 400), sample(80.0, 380)];
        report.soak = Some(SoakFigures { over_time, ..SoakFigures::default() });
        let page = page(&report, &Series::default(), None);
        for part in ["<h2>Memory of the server</h2>", "400 MiB", "80 s", "<polyline"] {
            assert!(page.contains(part), "{part}: {page}");
        }
    }

    #[test]
    fn a_run_of_nothing_has_a_page_too() {
        let page = page(&report(), &Series::default(), Some(&latency::histogram()));
        assert!(page.contains("too short for a curve") && page.contains("Nothing was answered"));
        assert_eq!((round_step(0.3), round_step(3.0), round_step(70_000.0)), (0.5, 5.0, 100_000.0));
    }
}
