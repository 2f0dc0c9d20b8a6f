//! Erasing: that details which were given can be read by nobody any more.
//!
//! What is erased is the key; the state only says which. The order itself stays, and so do its amounts, the number that
//! stands for its customer, and its hashes: limits of customers are counted by them. What the customer placed lately is
//! forgotten; what is counted of a hash is not, for others may have it too.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::command::{Place, Whose};
use super::super::fact::Fact;
use super::super::orders::{Details, Phase};
use super::super::refusal::{Field, Refusal};
use super::{Decision, Outcome};
use crate::base::{CustomerKey, KeyName, OrderId};

impl Engine {
    pub(super) fn erase<'s>(&self, whose: Whose) -> Outcome<'s> {
        self.market(whose.market())?;
        let key = match whose {
            Whose::Customer { customer: CustomerKey(0), .. } => {
                return Err(Refusal::OutOfBounds { field: Field::Customer, min: 1, max: u64::MAX });
            }
            Whose::Customer { market, customer } => self.keys.of(market, customer),
            Whose::Guest { order } => self.guest_key(order)?,
        };
        let key = key.filter(|key| self.keys.is_live(*key));
        if key.is_none() && !self.counts_velocity_of(whose) {
            return Ok(Decision::Repeated(Answer::Erased { orders: 0, repeated: true }));
        }
        let answer = Answer::Erased { orders: key.map_or(0, |key| self.keys.users(key)), repeated: false };
        Ok(Decision::Happened { fact: Fact::Erased { whose }, answer })
    }

    /// Whether anything is counted of what somebody placed, under the key of a customer.
    pub(in crate::engine) fn counts_velocity_of(&self, whose: Whose) -> bool {
        let Whose::Customer { market, customer } = whose else { return false };
        let velocities = self.market(market).ok().and_then(|market| market.velocities.as_ref());
        velocities.is_some_and(|velocities| velocities.has(customer))
    }

    /// The key of an order that has one of its own.
    fn guest_key(&self, order: OrderId) -> Result<Option<KeyName>, Refusal> {
        let position = self.orders.find(order).ok_or(Refusal::UnknownOrder)?;
        let record = self.orders.record(position);
        if record.number.0 == 0 {
            return Err(Refusal::UnknownOrder);
        }
        if record.customer != CustomerKey::default() {
            return Err(Refusal::OutOfBounds { field: Field::Customer, min: 0, max: 0 });
        }
        Ok(self.orders.key(record))
    }

    /// The key to seal the details of a placement under: of the order itself if it is known, else its customer's, else
    /// one that nobody uses. `None` when there is none, or when the placement will be refused without looking at them.
    #[must_use]
    pub fn key_for(&self, place: &Place<'_>) -> Option<KeyName> {
        match self.orders.find(place.order) {
            Some(position) => self.orders.key(self.orders.record(position)).filter(|key| self.keys.is_live(*key)),
            None => self.next_key(place),
        }
    }

    /// The key that the next order with details of this customer uses.
    fn next_key(&self, place: &Place<'_>) -> Option<KeyName> {
        let own = self.keys.of(place.order.market(), place.customer);
        own.or_else(|| self.keys.next(self.capacity.keys_max))
    }

    /// Looks whether there is a key for details that are new.
    pub(super) fn check_key(&self, place: &Place<'_>) -> Result<(), Refusal> {
        match place.key {
            Some(key) if !place.details.is_empty() => {
                assert_eq!(self.next_key(place), Some(key), "law: details are sealed under the key of their customer");
                Ok(())
            }
            None if place.details.is_empty() => Ok(()),
            // No key was left to seal them under.
            _ => Err(Refusal::AtCapacity),
        }
    }

    /// Whether a repeated placement gives the details that it gave first, as far as can be told.
    pub(super) fn check_details(&self, position: u32, place: &Place<'_>) -> Result<(), Refusal> {
        let record = self.orders.record(position);
        // What a tombstone was given is gone, and it still repeats its answer.
        if place.details.is_empty() || record.phase != Phase::Whole {
            return Ok(());
        }
        match self.orders.extra(record).map(|extra| &extra.details) {
            Some(Details::Sealed { key, bytes }) if self.keys.is_live(*key) => {
                if bytes.as_ref() == place.details {
                    Ok(())
                } else {
                    Err(Refusal::Conflict)
                }
            }
            _ => Err(Refusal::Erased),
        }
    }
}
