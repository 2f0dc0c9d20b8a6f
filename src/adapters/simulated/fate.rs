//! What chance has in store for an order, and for one question about it.

use super::super::backoff::Chance;
use crate::base::OrderId;
use crate::base::limits::ADAPTER_ANSWER_MS_MAX;

const THOUSAND: u64 = 1_000;

/// How long somebody waits for what was lost: long enough to be late, not so long that nothing else happens.
pub(super) const LOST_MS: u64 = ADAPTER_ANSWER_MS_MAX / 20;

/// Whether so many in a thousand orders, this one among them, have a property.
pub(super) const fn has(seed: u64, order: OrderId, salt: u64, per_mille: u16) -> bool {
    let bits = order.bits();
    let mut chance = Chance::new(seed ^ salt ^ bits as u64 ^ (bits >> 64) as u64);
    chance.below(THOUSAND) < per_mille as u64
}

/// Whether this time, so often in a thousand.
pub(super) const fn now(chance: &mut Chance, per_mille: u16) -> bool {
    chance.below(THOUSAND) < per_mille as u64
}
