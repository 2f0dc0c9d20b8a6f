//! The result of a run: one table for people, one JSON document for programs.
//!
//! # Always true
//! - A run is good only when nothing went wrong on the way and the books agree: [`Report::is_good`].
//! - The JSON names every setting that shaped the figures.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};
use stockade::base::Price;
use stockade::wire::Status;

use crate::drive::Lateness;
use crate::hostile::HostileFigures;
use crate::latency::LatencyUs;
use crate::progress::{grouped, rounded};
use crate::readings::ReadingsFigures;
use crate::replay::class::{ByReason, Class};
use crate::soak::SoakFigures;

/// Everything a run came to; most of it is of one scenario, and none of the others'.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) scenario: &'static str,
    /// Orders sent and answered.
    pub(crate) orders: u64,
    /// Orders that got units (all of them, or with take-what-exists some).
    pub(crate) reserved: u64,
    pub(crate) sold_out: u64,
    pub(crate) other_refusals: u64,
    /// Why orders were refused otherwise, and how often.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) refusals: BTreeMap<String, u64>,
    /// Answers that were not as they must be, missing, or twice.
    pub(crate) errors: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) error_list: Vec<String>,
    pub(crate) elapsed_s: f64,
    pub(crate) orders_per_s: f64,
    pub(crate) latency_us: LatencyUs,
    pub(crate) audit: Audit,
    pub(crate) server: ServerFigures,
    pub(crate) settings: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open_loop: Option<OpenLoop>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overload: Option<OverloadFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hostile: Option<HostileFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mixed: Option<MixedFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) soak: Option<SoakFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) readings: Option<ReadingsFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replay: Option<ReplayFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) crash: Option<CrashFigures>,
}

/// Whether the books agree.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Audit {
    pub(crate) ok: bool,
    /// The books of every market, asked through the API, are what the generator knows.
    pub(crate) books: bool,
    /// What folding the log offline gives is that too; `null` for a server this run did not start.
    pub(crate) log: Option<bool>,
    pub(crate) differences: Vec<String>,
}

/// The server's own figures at the end.
#[derive(Debug, Default, Serialize)]
pub(crate) struct ServerFigures {
    pub(crate) rss_bytes: u64,
    /// Appended since the server started.
    pub(crate) log_bytes: u64,
    pub(crate) syncs: u64,
}

/// How well an open loop kept its moments.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct OpenLoop {
    pub(crate) rate: u64,
    pub(crate) sends: u64,
    /// Over 1 ms after their moment.
    pub(crate) late_sends: u64,
    /// More than 1 % were: the latencies are the generator's, not the server's.
    pub(crate) generator_was_the_limit: bool,
}

/// What became of a sale that was handed off.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct MixedFigures {
    pub(crate) completed: u64,
    /// Declined by the provider, rejected by the checker, or cancelled by their customers.
    pub(crate) cancelled: u64,
    pub(crate) expired: u64,
    /// Customers who cancelled a moment after placing, and of them those who were in time.
    pub(crate) regretted: u64,
    pub(crate) regretted_in_time: u64,
    /// Held when they were placed, and let go a moment later.
    pub(crate) reviewed: u64,
    /// Paid at the storefront, which told what came of it; of them paid another way after they had been declined, and
    /// those of which a part of the money went back.
    pub(crate) reported: u64,
    pub(crate) paid_otherwise: u64,
    pub(crate) partly_refunded: u64,
    /// How old the oldest wanted effect was when the last order had been answered, in seconds.
    pub(crate) lag_s: f64,
    /// From then until nothing was wanted any more.
    pub(crate) drained_after_s: f64,
    /// Orders handed over a second, from the first placement to the end of the draining.
    pub(crate) handed_over_per_s: f64,
}

/// What became of a file.
#[derive(Debug, Serialize)]
pub(crate) struct ReplayFigures {
    pub(crate) lines: u64,
    pub(crate) orders: u64,
    pub(crate) by_reason: ByReason,
    pub(crate) units: ReplayUnits,
    #[serde(flatten)]
    pub(crate) money: ReplayMoney,
    /// Where the first malformed lines are, and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) malformed: Vec<String>,
}

/// Where the units of a file went.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct ReplayUnits {
    pub(crate) asked: u64,
    pub(crate) received: u64,
    pub(crate) taken: u64,
    pub(crate) cancelled: u64,
    pub(crate) shipped: u64,
    pub(crate) returned: u64,
    pub(crate) written_off: u64,
}

/// Where the money of a file went, in pennies.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct ReplayMoney {
    pub(crate) captured: Price,
    pub(crate) refunded: Price,
    /// What went back, less what the file says that units given back cost.
    pub(crate) price_difference: i64,
}

impl ReplayMoney {
    /// So much went back for units that cost so much as the file lists them.
    pub(crate) fn add_difference(&mut self, refunded: Price, listed: Price) {
        self.price_difference += refunded.cast_signed() - listed.cast_signed();
    }
}

/// What the kills met.
#[derive(Debug, Default, Clone, Copy, Serialize)]
pub(crate) struct CrashFigures {
    pub(crate) cycles: u32,
    /// Orders in flight at a kill: nobody knew what became of them.
    pub(crate) unknown: u64,
    /// Of those: had been accepted before the kill, and the resend said so.
    pub(crate) unknown_but_accepted: u64,
    /// Accepted orders sent again after a restart, which must repeat their first answer.
    pub(crate) repeats_checked: u64,
    /// Orders confirmed between two kills.
    pub(crate) confirmed: u64,
    pub(crate) longest_restart_s: f64,
}

impl From<&Status> for ServerFigures {
    fn from(status: &Status) -> Self {
        Self { rss_bytes: status.rss_bytes, log_bytes: status.log_bytes, syncs: status.syncs }
    }
}

/// What a flood over the limit came to, step by step.
#[derive(Debug, Serialize)]
pub(crate) struct OverloadFigures {
    /// Placements a second that the server admits.
    pub(crate) limit: u32,
    /// Calm, each flood, the second after, calm again.
    pub(crate) steps: Vec<OverloadStep>,
}

/// One step of it.
#[derive(Debug, Serialize)]
pub(crate) struct OverloadStep {
    pub(crate) name: String,
    pub(crate) offered_per_s: f64,
    pub(crate) accepted_per_s: f64,
    /// Accepted of what could have been: the limit, or what was offered if that is less.
    pub(crate) goodput: f64,
    pub(crate) overloaded: u64,
    /// Of accepted orders, from the moment each should have been sent.
    pub(crate) accepted_us: LatencyUs,
    pub(crate) generator_was_the_limit: bool,
    /// Payment results and cancellations beside the flood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) urgent: Option<UrgentFigures>,
}

/// Confirmations and cancellations beside a flood.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct UrgentFigures {
    pub(crate) commands: u64,
    /// Share answered in time.
    pub(crate) in_time: f64,
    pub(crate) latency_us: LatencyUs,
}

impl OverloadStep {
    fn rows(&self, table: &mut Table) {
        let rate = |per_s: f64| grouped(rounded(per_s));
        let LatencyUs { p50, p99, p999, .. } = self.accepted_us;
        let (offered, accepted) = (rate(self.offered_per_s), rate(self.accepted_per_s));
        table.row(&self.name, &format!("{offered}/s offered, {accepted}/s accepted ({:.1} %)", 100.0 * self.goodput));
        table.row("", &format!("accepted after p50 {p50:.0} us, p99 {p99:.0} us, p99.9 {p999:.0} us"));
        if let Some(UrgentFigures { commands, in_time, latency_us }) = self.urgent {
            let (count, share) = (grouped(commands), 100.0 * in_time);
            table.row("", &format!("{count} urgent, {share:.3} % in time, p99 {:.0} us", latency_us.p99));
        }
        if self.generator_was_the_limit {
            table.row("", "! more than 1 % of its sends were late: the generator was the limit");
        }
    }
}

impl OpenLoop {
    pub(crate) const fn new(rate: u64, lateness: Lateness) -> Self {
        Self { rate, sends: lateness.sends, late_sends: lateness.late, generator_was_the_limit: lateness.is_limit() }
    }
}

impl Report {
    /// Nothing went wrong, the books agree, hostile clients and readings did no more than they may, a soak was flat.
    pub(crate) fn is_good(&self) -> bool {
        let hostile_is_good = self.hostile.as_ref().is_none_or(HostileFigures::is_good);
        let soak_is_good = self.soak.as_ref().is_none_or(SoakFigures::is_good);
        let readings_are_good = self.readings.as_ref().is_none_or(ReadingsFigures::is_good);
        self.errors == 0 && self.audit.ok && hostile_is_good && soak_is_good && readings_are_good
    }

    /// The table on standard output.
    pub(crate) fn table(&self) -> String {
        let mut table = Table::default();
        table.row("scenario", self.scenario);
        table.row("orders", &grouped(self.orders));
        table.row("  reserved", &grouped(self.reserved));
        table.row("  sold out", &grouped(self.sold_out));
        table.row("  other refusals", &grouped(self.other_refusals));
        for (why, count) in &self.refusals {
            table.row("", &format!("{} x {why}", grouped(*count)));
        }
        table.row("errors", &grouped(self.errors));
        table.row("elapsed", &format!("{:.2} s", self.elapsed_s));
        table.row("orders a second", &grouped(rounded(self.orders_per_s)));
        let LatencyUs { p50, p99, p999, max } = self.latency_us;
        table.row("latency", &format!("p50 {p50:.0} us, p99 {p99:.0} us, p99.9 {p999:.0} us, max {max:.0} us"));
        self.extra_rows(&mut table);
        let ServerFigures { rss_bytes, log_bytes, syncs } = self.server;
        let server = format!("rss {}, log {}, {} syncs", mib(rss_bytes), mib(log_bytes), grouped(syncs));
        table.row("server", &server);
        table.row("audit", self.audit.words());
        for difference in self.audit.differences.iter().chain(&self.error_list) {
            table.row("", &format!("! {difference}"));
        }
        table.text
    }

    fn extra_rows(&self, table: &mut Table) {
        if self.settings.get("short_run") == Some(&Value::Bool(true)) {
            table.row("", "a short run (below 10 s): not a figure to quote");
        }
        if let Some(open) = &self.open_loop {
            let (sends, late) = (grouped(open.sends), grouped(open.late_sends));
            table.row(
                "open loop",
                &format!("{} orders a second asked; {late} of {sends} sends late", grouped(open.rate)),
            );
            if open.generator_was_the_limit {
                table.row("", "! more than 1 % late: the generator was the limit, these latencies are its own");
            }
        }
        self.overload.iter().flat_map(|overload| &overload.steps).for_each(|step| step.rows(table));
        self.hostile.iter().for_each(|hostile| hostile.rows(table));
        self.soak.iter().for_each(|soak| soak.rows(table));
        self.readings.iter().for_each(|readings| readings.rows(table));
        if let Some(mixed) = &self.mixed {
            table.row("completed", &grouped(mixed.completed));
            let regretted = (grouped(mixed.regretted), grouped(mixed.regretted_in_time));
            table.row("  cancelled", &grouped(mixed.cancelled));
            table.row("  expired", &grouped(mixed.expired));
            table.row("  regretted", &format!("{}, of which {} in time", regretted.0, regretted.1));
            table.row("  held, let go", &grouped(mixed.reviewed));
            let [otherwise, refunded] = [mixed.paid_otherwise, mixed.partly_refunded].map(grouped);
            let reported = format!("{}: {otherwise} another way, {refunded} refunded in part", grouped(mixed.reported));
            table.row("  paid at the storefront", &reported);
            let drained =
                format!("{:.2} s behind at the end, drained {:.2} s later", mixed.lag_s, mixed.drained_after_s);
            table.row("adapters", &drained);
            table.row("  handed over a second", &grouped(rounded(mixed.handed_over_per_s)));
        }
        if let Some(replay) = &self.replay {
            table.row("lines", &grouped(replay.lines));
            for class in Class::ALL.into_iter().filter(|class| replay.by_reason.of(*class) > 0) {
                table.row(&format!("  {}", class.name()), &grouped(replay.by_reason.of(class)));
            }
            let ReplayMoney { captured, refunded, price_difference } = replay.money;
            table.row("  captured", &format!("{captured} pennies, of which {refunded} went back"));
            table.row("  price difference", &format!("{price_difference:+} pennies"));
            for line in &replay.malformed {
                table.row("", line);
            }
        }
        if let Some(crash) = &self.crash {
            table.row("cycles", &grouped(u64::from(crash.cycles)));
            let unknown = (grouped(crash.unknown), grouped(crash.unknown_but_accepted));
            table.row("  outcome unknown", &format!("{}, of which {} had been accepted", unknown.0, unknown.1));
            table.row("  repeats checked", &grouped(crash.repeats_checked));
            table.row("  longest restart", &format!("{:.2} s", crash.longest_restart_s));
        }
    }
}

impl Audit {
    const fn words(&self) -> &'static str {
        match (self.ok, self.log) {
            (true, Some(_)) => "the books agree, and so does the log",
            (true, None) => "the books agree",
            (false, _) => "DIFFERS",
        }
    }
}

/// Rows of a label and a value.
#[derive(Default)]
pub(crate) struct Table {
    text: String,
}

const LABEL_WIDTH: usize = 30;

impl Table {
    pub(crate) fn row(&mut self, label: &str, value: &str) {
        writeln!(self.text, "{label:<LABEL_WIDTH$}{value}").expect("law: a string takes every letter");
    }
}

pub(crate) fn mib(bytes: u64) -> String {
    format!("{} MiB", grouped(bytes >> 20))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn report() -> Report {
        let mut by_reason = ByReason::default();
        by_reason.count(Class::Reserved);
        Report {
            scenario: "replay",
            orders: 2,
            reserved: 1,
            sold_out: 1,
            other_refusals: 0,
            refusals: BTreeMap::new(),
            errors: 0,
            error_list: Vec::new(),
            elapsed_s: 0.5,
            orders_per_s: 4.0,
            latency_us: LatencyUs { p50: 1.0, p99: 2.0, p999: 3.0, max: 4.0 },
            audit: Audit { ok: true, books: true, log: Some(true), differences: Vec::new() },
            server: ServerFigures { rss_bytes: 1 << 20, log_bytes: 2 << 20, syncs: 3 },
            settings: Map::from_iter([("short_run".to_owned(), Value::Bool(true))]),
            replay: Some(ReplayFigures {
                lines: 1,
                orders: 2,
                by_reason,
                units: ReplayUnits::default(),
                money: ReplayMoney::default(),
                malformed: Vec::new(),
            }),
            ..Report::default()
        }
    }

    #[test]
    fn the_json_has_every_key_that_programs_look_for() {
        let json = serde_json::to_value(report()).expect("serializes");
        for path in [
            "/scenario",
            "/orders",
            "/reserved",
            "/sold_out",
            "/other_refusals",
            "/errors",
            "/elapsed_s",
            "/orders_per_s",
            "/latency_us/p50",
            "/latency_us/p99",
            "/latency_us/p999",
            "/latency_us/max",
            "/audit/ok",
            "/server/rss_bytes",
            "/server/log_bytes",
            "/server/syncs",
            "/settings/short_run",
            "/replay/lines",
            "/replay/orders",
            "/replay/units/returned",
            "/replay/captured",
            "/replay/refunded",
            "/replay/price_difference",
            "/replay/by_reason/reserved",
            "/replay/by_reason/cancellation_partly_matched",
            "/replay/by_reason/malformed",
        ] {
            assert!(json.pointer(path).is_some(), "{path} in {json}");
        }
        assert_eq!(json["replay"]["by_reason"].as_object().map(Map::len), Some(11));
    }

    #[test]
    fn the_table_says_what_differs() {
        let mut report = report();
        assert!(report.is_good());
        report.audit = Audit { ok: false, differences: vec!["units reserved: 1, 2".into()], ..Audit::default() };
        let table = report.table();
        assert!(!report.is_good() && table.contains("DIFFERS") && table.contains("! units reserved: 1, 2"), "{table}");
        assert!(table.contains("a short run (below 10 s)"), "{table}");
    }
}
