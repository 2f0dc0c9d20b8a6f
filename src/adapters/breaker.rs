//! A circuit breaker: a counterparty that fails and fails is left alone for a while, then asked once.
//!
//! ```text
//! closed ── so many failures in a row ─► open ── its span is over ─► one probe ── succeeds ─► closed
//!                                          ▲                            └─ fails ─► open, twice as long
//!                                          └────────────────────────────────────────┘
//! ```
//!
//! Michael Nygard, "Release It!", chapter "Stability Patterns".

use crate::base::limits::{ADAPTER_FAILURES_MAX, BREAKER_OPEN_MS, BREAKER_OPEN_MS_MAX};

#[derive(Debug, Default)]
pub(super) struct Breaker {
    failures: u32,
    /// How often it opened since the last success.
    opened: u32,
    /// While it is open: when a probe may go.
    probe_at_ms: Option<u64>,
    probing: bool,
}

impl Breaker {
    /// Whether something may be asked of the counterparty now.
    pub(super) const fn allows(&self, now_ms: u64) -> bool {
        match self.probe_at_ms {
            None => true,
            Some(at) => now_ms >= at && !self.probing,
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        self.probe_at_ms.is_some()
    }

    /// When it may allow something, while it does not.
    pub(super) const fn poll_deadline(&self) -> Option<u64> {
        if self.probing { None } else { self.probe_at_ms }
    }

    pub(super) const fn handle_asked(&mut self) {
        self.probing = self.probe_at_ms.is_some();
    }

    /// What was about to be asked was not: another may be the probe.
    pub(super) const fn handle_not_asked(&mut self) {
        self.probing = false;
    }

    pub(super) fn handle_success(&mut self) {
        *self = Self::default();
    }

    pub(super) const fn handle_failure(&mut self, now_ms: u64) {
        self.failures += 1;
        // Others that were under way when it opened say nothing new.
        let is_news = self.probing || self.probe_at_ms.is_none();
        if is_news && (self.probing || self.failures >= ADAPTER_FAILURES_MAX) {
            let shift = if self.opened < 20 { self.opened } else { 20 };
            let span = BREAKER_OPEN_MS << shift;
            let span = if span < BREAKER_OPEN_MS_MAX { span } else { BREAKER_OPEN_MS_MAX };
            self.probe_at_ms = Some(now_ms + span);
            self.opened += 1;
            self.probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_opens_after_so_many_failures_lets_one_probe_through_and_closes_when_that_succeeds() {
        let mut breaker = Breaker::default();
        for _ in 0..ADAPTER_FAILURES_MAX {
            assert!(breaker.allows(1_000));
            breaker.handle_asked();
            breaker.handle_failure(1_000);
        }
        assert!(breaker.is_open() && !breaker.allows(1_000 + BREAKER_OPEN_MS - 1));
        breaker.handle_failure(1_500);
        let second = 1_000 + BREAKER_OPEN_MS;
        assert!(breaker.allows(second), "a straggler does not lengthen it");
        breaker.handle_asked();
        assert!(!breaker.allows(second), "one probe at a time");
        breaker.handle_failure(second);
        assert!(!breaker.allows(second + 2 * BREAKER_OPEN_MS - 1) && breaker.allows(second + 2 * BREAKER_OPEN_MS));
        breaker.handle_asked();
        breaker.handle_success();
        assert!(breaker.allows(second) && !breaker.is_open());
    }
}
