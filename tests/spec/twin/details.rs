//! Details in the twin: plain, with a mark on those that nobody may read any more. Keys are counted and have no names.

use std::collections::BTreeSet;

use stockade::base::limits::SEAL_BYTES;
use stockade::base::{CustomerKey, MarketId, OrderId};
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Place, Refusal, Whose};

use super::order::{Order, Record};
use super::{Told, Twin, out_of_bounds};

impl Twin {
    pub(super) fn erase(&mut self, whose: Whose) -> Result<Answer, Refusal> {
        let market = self.market_mut(whose.market())?;
        let is_meant = match whose {
            Whose::Customer { customer: CustomerKey(0), .. } => {
                return Err(out_of_bounds(Field::Customer, 1, u64::MAX));
            }
            Whose::Customer { customer, .. } => Meant::Customer(customer),
            Whose::Guest { order } => match market.known(order) {
                Some(Record::Order(known)) if known.asked.customer != CustomerKey(0) => {
                    return Err(out_of_bounds(Field::Customer, 0, 0));
                }
                Some(Record::Order(_)) => Meant::Order(order),
                Some(Record::Blocked) | None => return Err(Refusal::UnknownOrder),
            },
        };
        let mut orders = 0;
        for (id, record) in &mut market.orders {
            let Record::Order(order) = record else { continue };
            let is_one = match is_meant {
                Meant::Customer(customer) => order.asked.customer == customer,
                Meant::Order(meant) => *id == meant,
            };
            if is_one && order.is_readable() && !market.closed.contains(id) {
                order.erased = true;
                orders += 1;
            }
        }
        let was_counted = match is_meant {
            Meant::Customer(customer) => self.forget_counts(whose.market(), customer),
            Meant::Order(_) => false,
        };
        Ok(Answer::Erased { orders, repeated: orders == 0 && !was_counted })
    }

    /// What a placement gets whose order is known.
    pub(super) fn repeat(order: &Order, place: &Place<'_>, is_closed: bool) -> Result<Told, Refusal> {
        if !order.placed.is_but_for_details(place) {
            return Err(Refusal::Conflict);
        }
        let compares = !place.details.is_empty() && !is_closed;
        if compares && order.erased {
            return Err(Refusal::Erased);
        }
        if compares && order.asked.details != place.details {
            return Err(Refusal::Conflict);
        }
        Ok(order.accepted(true))
    }

    /// Whether there is a key for the details of one more order.
    pub(super) fn check_keys(&self, place: &Place<'_>) -> Result<(), Refusal> {
        let own = (place.order.market(), place.customer);
        let is_guest = place.customer == CustomerKey(0);
        let (customers, guests) = self.keys();
        let has_key = place.details.is_empty() || !is_guest && customers.contains(&own);
        if has_key || customers.len() as u64 + guests < self.capacity.keys_max {
            Ok(())
        } else {
            Err(Refusal::AtCapacity)
        }
    }

    /// Who has a key, and how many guests' orders have.
    fn keys(&self) -> (BTreeSet<(MarketId, CustomerKey)>, u64) {
        let (mut customers, mut guests) = (BTreeSet::new(), 0);
        for (number, market) in &self.markets {
            for (id, record) in &market.orders {
                let Record::Order(order) = record else { continue };
                if !order.is_readable() || market.closed.contains(id) {
                    continue;
                }
                if order.asked.customer == CustomerKey(0) {
                    guests += 1;
                } else {
                    customers.insert((*number, order.asked.customer));
                }
            }
        }
        (customers, guests)
    }

    pub(crate) fn keys_live(&self) -> u64 {
        let (customers, guests) = self.keys();
        customers.len() as u64 + guests
    }
}

enum Meant {
    Customer(CustomerKey),
    Order(OrderId),
}

impl Order {
    fn is_readable(&self) -> bool {
        !self.asked.details.is_empty() && !self.erased
    }

    pub(super) fn sealed_bytes(&self) -> u64 {
        sealed_bytes(&self.asked.details)
    }
}

/// What details come to when they are sealed.
pub(super) fn sealed_bytes(details: &[u8]) -> u64 {
    if details.is_empty() { 0 } else { (details.len() + SEAL_BYTES) as u64 }
}
