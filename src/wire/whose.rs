//! Whose details a record is about: a customer of a market, or a guest by the order.
//!
//! # Always true
//! - A guest's order says its market itself, and the market beside it is zero.

use super::layout::{Malformed, fixed};
use super::refused::Part;
use crate::base::{CustomerKey, MarketId, OrderId};
use crate::engine::Whose;

fixed! {
    /// As requests and facts have it.
    WhosePart as ArchivedWhosePart, 21 {
        market: u32,
        bits: u128,
        guest: u8,
    }
}

impl From<Whose> for WhosePart {
    fn from(whose: Whose) -> Self {
        match whose {
            Whose::Customer { market, customer } => Self { market: market.number(), bits: customer.0, guest: 0 },
            Whose::Guest { order } => Self { market: 0, bits: order.bits(), guest: 1 },
        }
    }
}

impl ArchivedWhosePart {
    /// Whose, if it is somebody.
    pub(super) fn read(&self) -> Result<Whose, Malformed> {
        let bits = self.bits.to_native();
        match (self.guest, self.market.to_native()) {
            (0, market) => {
                let market = MarketId::new(market).ok_or(Malformed(Part::Market))?;
                Ok(Whose::Customer { market, customer: CustomerKey(bits) })
            }
            (1, 0) => Ok(Whose::Guest { order: OrderId::from_bits(bits) }),
            _ => Err(Malformed(Part::Guest)),
        }
    }
}
