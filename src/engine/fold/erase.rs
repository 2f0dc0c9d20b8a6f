//! Folding what has to do with keys: an order begins to use one, leaves it, or nobody can read it any more.

use super::super::Engine;
use super::super::command::Whose;
use super::super::fact::Placed;
use crate::base::CustomerKey;

impl Engine {
    /// The details of an order that is being accepted were sealed under a key.
    #[cold]
    pub(super) fn fold_sealed(&mut self, placed: &Placed<'_>) {
        assert_eq!(placed.key.is_some(), !placed.details.is_empty(), "law: what is sealed names its key");
        if let Some(key) = placed.key {
            self.keys.use_key(key, placed.order.market(), placed.customer);
        }
    }

    /// An order is being closed.
    pub(super) fn leave_key(&mut self, position: u32) {
        let record = self.orders.record(position);
        if let Some(key) = self.orders.key(record) {
            self.keys.leave(key, record.order.market(), record.customer);
        }
    }

    pub(super) fn fold_erased(&mut self, whose: Whose) {
        let (market, customer) = match whose {
            Whose::Customer { market, customer } => (market, customer),
            Whose::Guest { order } => (order.market(), CustomerKey::default()),
        };
        let key = match whose {
            Whose::Customer { .. } => self.keys.of(market, customer),
            Whose::Guest { order } => self.orders.key(self.orders.record(self.position_of(order))),
        };
        let (key, is_counted) = (key.filter(|key| self.keys.is_live(*key)), self.counts_velocity_of(whose));
        assert!(key.is_some() || is_counted, "law: who is erased has a key, or counts");
        if is_counted {
            self.forget_velocity(market, customer);
        }
        if let Some(key) = key {
            self.keys.kill(key, market, customer);
        }
    }
}
