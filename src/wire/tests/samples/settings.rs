//! What markets set, what is counted in them, and what happened to an order, of the ingredients.

use super::Ingredients;
use crate::base::{CustomerKey, KeyName, RequestId, Sequence, ShardId, SiteId, SkuId};
use crate::engine::query::{ChannelPage, ChannelRow, CheckState, HistoryPage, HistoryRow};
use crate::engine::{
    AsideReason, Effect, Effects, ExtendReason, Fact, Happening, Policy, Report, Reservations, Retention, Whose,
};

impl Ingredients {
    pub(super) const fn effects(&self) -> Effects {
        Effects { payment: self.yes(0), release: self.yes(1), check: self.yes(2) }
    }

    pub(super) const fn policy(&self) -> Policy {
        Policy {
            safety_stock: self.word(3),
            order_min: self.medium(4),
            order_max: self.medium(5),
            customer_max: self.medium(6),
            customer_day_max: self.medium(7),
            by_hashes: self.yes(1),
            day_begins_min: self.small(2),
            oversell_max: self.word(1),
            low_stock: self.word(0),
            returns_give_back: self.yes(2),
        }
    }

    pub(super) const fn count_reported(&self, request: RequestId, sku: SkuId, site: SiteId) -> Fact<'static> {
        let (as_of, on_hand, counted) = (Sequence(self.word(7)), self.word(6), self.word(5));
        Fact::CountReported { request, sku, site, as_of, on_hand, counted, short: self.word(4), excess: self.word(3) }
    }

    pub(super) const fn effect(&self) -> Effect {
        match (self.yes(3), self.yes(5)) {
            (true, _) => Effect::Payment,
            (false, true) => Effect::Release,
            (false, false) => Effect::Check,
        }
    }

    pub(super) const fn aside(&self) -> Option<AsideReason> {
        AsideReason::from_byte(self.pick % if matches!(self.effect(), Effect::Check) { 4 } else { 3 })
    }

    pub(super) fn check_state(&self) -> CheckState {
        CheckState::from_byte(self.pick % 4).expect("there are four")
    }

    pub(super) const fn report(&self) -> Report {
        match self.aside() {
            Some(reason) => Report::SetAside(reason),
            None if self.yes(4) => Report::Resumed,
            None if matches!(self.effect(), Effect::Check) && self.yes(1) => Report::Rejected,
            None => Report::Done,
        }
    }

    pub(super) const fn extend_reason(&self) -> ExtendReason {
        if self.yes(1) { ExtendReason::Activity } else { ExtendReason::PaymentStart }
    }

    pub(super) const fn reservations(&self) -> Reservations {
        let unpaid_ms = [self.medium(0), self.medium(1), self.medium(2), self.medium(4), self.medium(5)];
        Reservations { activity_ms_max: self.medium(3), payment_ms_max: self.medium(6), unpaid_ms }
    }

    pub(super) fn whose(&self) -> Whose {
        let customer = CustomerKey(self.wide(3));
        if self.yes(2) {
            Whose::Guest { order: self.order() }
        } else {
            Whose::Customer { market: self.market(), customer }
        }
    }

    /// The name of the key that its details are sealed under.
    pub(super) fn key(&self) -> Option<KeyName> {
        let key = KeyName { slot: self.medium(6), generation: self.medium(7) };
        (!self.details.is_empty()).then_some(key)
    }

    pub(super) const fn is_erased(&self) -> bool {
        self.yes(4) && !self.yes(2)
    }

    pub(super) fn units_max(&self) -> Option<u32> {
        self.yes(1).then(|| self.medium(2))
    }

    pub(super) fn channel_page(&self) -> ChannelPage {
        let row = ChannelRow { channel: self.small(4), units_max: self.medium(2), held: self.word(5) };
        let next = self.small(6);
        ChannelPage { rows: vec![row; self.skus.len()], next: (next != 0).then_some(next) }
    }

    pub(super) fn history_page(&self) -> HistoryPage {
        let row = |happening: &Happening| HistoryRow {
            place: self.medium(1),
            position: Sequence(self.word(2)),
            at: self.time(4),
            what: *happening,
            line: self.yes(3).then(|| self.small(6) >> 1),
            value: self.word(7),
        };
        let next = self.medium(3);
        HistoryPage {
            shard: ShardId(self.small(2)),
            closed: self.yes(4),
            not_shown: self.medium(6),
            rows: Happening::ALL.iter().map(row).collect(),
            next: (next != 0).then_some(next),
        }
    }

    pub(super) const fn retention(&self) -> Retention {
        Retention { return_window_ms: self.word(1), ids_kept_ms: self.word(2) }
    }
}
