//! What a walk sets in its markets.

use stockade::base::{CustomerKey, MarketId, SkuId};
use stockade::engine::{Command, Policy, Reservations, Retention, Velocity, Whose};

use super::Walk;

impl Walk {
    pub(super) fn erase(&mut self) {
        let market = self.market();
        let whose = match self.dice.below(4) {
            customer @ 0..3 => Whose::Customer { market, customer: CustomerKey(customer.into()) },
            _ => Whose::Guest { order: self.order() },
        };
        self.submit(&Command::Erase { whose });
    }

    pub(super) fn set_reservations(&mut self) {
        let spans = [0, 1, 60, 400, 5_000, 31 * 24 * 3_600_000, u32::MAX];
        let (activity_ms_max, payment_ms_max) = (self.dice.pick(&spans), self.dice.pick(&spans));
        let unpaid = [1, 60, 400, 5_000, 5_000];
        let mut unpaid_ms = [(); 5].map(|()| self.dice.pick(&unpaid));
        if self.dice.below(6) == 0 {
            unpaid_ms[self.dice.below(5) as usize] = self.dice.pick(&[0, 31 * 24 * 3_600_000, u32::MAX]);
        }
        let (market, reservations) = (self.market(), Reservations { activity_ms_max, payment_ms_max, unpaid_ms });
        self.submit(&Command::SetReservations { market, reservations });
    }

    pub(super) fn set_channel_cap(&mut self) {
        let (market, sku, channel) = (self.market(), self.sku(), self.dice.below(4) as u16);
        let units_max = self.dice.pick(&[None, Some(0), Some(2), Some(4), Some(9), Some(u32::MAX)]);
        self.submit(&Command::SetChannelCap { market, sku, channel, units_max });
    }

    pub(super) fn set_velocity(&mut self) {
        let window_ms = self.dice.pick(&[0, 59_999, 60_000, 60_000, 60_001, 90_000, 31 * 24 * 3_600_000, u32::MAX]);
        let keys_max = self.dice.pick(&[0, 1, 2, 3, 5, 1_000_001]);
        let (market, is_off) = (self.market(), self.dice.once_in(8));
        let velocity = if is_off { Velocity::default() } else { Velocity { window_ms, keys_max } };
        self.submit(&Command::SetVelocity { market, velocity });
    }

    pub(super) fn set_retention(&mut self) {
        let return_window_ms = self.dice.pick(&[0, 0, 250, 5_000, 100_000_000, u64::MAX]);
        let ids_kept_ms = self.dice.pick(&[59_999, 60_000, 60_000, 60_500, 75_000, 100_000_000]);
        let (market, retention) = (self.market(), Retention { return_window_ms, ids_kept_ms });
        self.submit(&Command::SetRetention { market, retention });
    }

    pub(super) fn set_policy(&mut self) {
        let market = self.market();
        let sku = self.sku();
        let policy = Policy {
            safety_stock: self.dice.pick(&[0, 0, 1, 3]),
            order_min: self.dice.pick(&[0, 0, 0, 2]),
            order_max: self.dice.pick(&[0, 0, 1, 3]),
            customer_max: self.dice.pick(&[0, 0, 1, 2, 5]),
            customer_day_max: self.dice.pick(&[0, 0, 1, 3]),
            by_hashes: self.dice.once_in(3),
            // Some days begin while the walk goes on.
            day_begins_min: self.dice.pick(&[0, 533, 534, 534, 1_440]),
            oversell_max: self.dice.pick(&[0, 0, 1, 3, 8]),
            low_stock: self.dice.pick(&[0, 0, 1, 2]),
            returns_give_back: self.dice.once_in(3),
        };
        self.submit(&Command::SetPolicy { market, sku, policy });
    }

    /// Changes how much of a SKU may be sold, and leaves who may buy it as it is.
    pub(super) fn set_allowance(&mut self, market: MarketId, sku: SkuId) {
        if self.owes {
            let oversell_max = self.dice.pick(&[0, 1, 3, 8, 8]);
            let low_stock = self.dice.pick(&[0, 0, 1, 2]);
            let safety_stock = self.dice.pick(&[0, 0, 1, 2]);
            let policy = Policy { oversell_max, low_stock, safety_stock, ..self.rig.twin.policy(market, sku) };
            self.submit(&Command::SetPolicy { market, sku, policy });
        }
    }
}
