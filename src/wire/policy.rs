//! A policy as records carry it: the same 44 bytes in a request, in a reply and in a fact.

use super::effects::flag;
use super::layout::{Malformed, fixed};
use crate::engine::Policy;

fixed! {
    /// What may be sold of a SKU.
    PolicyPart as ArchivedPolicyPart, 44 {
        safety_stock: u64,
        order_min: u32,
        order_max: u32,
        customer_max: u32,
        customer_day_max: u32,
        day_begins_min: u16,
        by_hashes: u8,
        returns_give_back: u8,
        oversell_max: u64,
        low_stock: u64,
    }
}

impl From<&Policy> for PolicyPart {
    fn from(policy: &Policy) -> Self {
        let Policy {
            safety_stock,
            order_min,
            order_max,
            customer_max,
            customer_day_max,
            by_hashes,
            day_begins_min,
            oversell_max,
            low_stock,
            returns_give_back,
        } = *policy;
        Self {
            safety_stock,
            order_min,
            order_max,
            customer_max,
            customer_day_max,
            day_begins_min,
            by_hashes: by_hashes.into(),
            returns_give_back: returns_give_back.into(),
            oversell_max,
            low_stock,
        }
    }
}

impl ArchivedPolicyPart {
    pub(super) fn read(&self) -> Result<Policy, Malformed> {
        Ok(Policy {
            safety_stock: self.safety_stock.to_native(),
            order_min: self.order_min.to_native(),
            order_max: self.order_max.to_native(),
            customer_max: self.customer_max.to_native(),
            customer_day_max: self.customer_day_max.to_native(),
            by_hashes: flag(self.by_hashes)?,
            day_begins_min: self.day_begins_min.to_native(),
            oversell_max: self.oversell_max.to_native(),
            low_stock: self.low_stock.to_native(),
            returns_give_back: flag(self.returns_give_back)?,
        })
    }
}
