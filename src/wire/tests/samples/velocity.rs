//! What markets count of whoever places orders, of the ingredients.

use super::Ingredients;
use crate::base::CustomerKey;
use crate::engine::query::{VelocityCount, VelocityView};
use crate::engine::{Query, Velocity};

impl Ingredients {
    pub(super) const fn velocity(&self) -> Velocity {
        Velocity { window_ms: self.medium(1), keys_max: self.medium(4) }
    }

    pub(super) fn velocity_query(&self) -> Query<'static> {
        let (market, customer) = (self.market(), CustomerKey(self.wide(1)));
        Query::Velocity { market, customer, hashes: self.hashes().unwrap_or_default() }
    }

    pub(super) fn velocity_view(&self) -> VelocityView {
        let count = |at: usize| VelocityCount {
            orders: self.medium(at),
            other_currency: self.medium(at + 1),
            money: self.word(at + 2),
            currency: self.yes(0).then(|| self.currency()),
            incomplete: self.yes(1),
        };
        VelocityView {
            velocity: self.velocity(),
            from: self.time(2),
            upto: self.time(3),
            customer: count(0),
            account: count(3),
            address: VelocityCount::default(),
            instrument: count(5),
        }
    }
}
