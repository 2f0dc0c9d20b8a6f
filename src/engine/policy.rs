//! Policies: what a shop lets be sold of one SKU, and to one customer.
//!
//! ```text
//! for sale = available at all sites - safety stock + oversell allowance - what is owed
//! one order        at least order_min, at most order_max units of the SKU, all its lines together
//! one customer     at most customer_max units for as long as the limit stands, customer_day_max a day
//! ```
//!
//! A customer is recognised by the key of the placement and, if the policy says so, by each of its hashes: every one of
//! them has a count of its own and none may be exceeded.
//!
//! # Always true
//! - A count is taken in the same step as the units and given back in the same step as they are: open orders count, and
//!   what was cancelled or has lapsed does not. What comes back from a customer stays counted, unless the policy says
//!   otherwise.
//! - A limit counts orders accepted from the moment it was set. A change of its number goes on counting; a change of
//!   how customers are recognised, of what returns give back, or of when a day begins, counts anew.
//! - A count is kept while it is not zero, an order's leaving notwithstanding.
//! # Not here
//! - Whether an order may be placed: `decide::policy`. When counts move: `fold::policy`.
//! # Why so
//! Counts are kept for limited SKUs only, and there is a most of them: whoever made up customers by the million would
//! otherwise fill the memory with them.

use hashbrown::HashMap;

use super::channel::ChannelCaps;
use super::command::IdentityHashes;
use super::order::LineUnits;
use super::pool::Table;
use crate::base::{CustomerKey, OrderNumber, SkuId, Timestamp};

const DAY_MS: u64 = 24 * 3_600 * 1_000;
const MINUTE_MS: u64 = 60 * 1_000;

/// What a shop lets be sold of one SKU. Zero in any field means that there is no such rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Policy {
    /// Units that are never for sale, all sites together. They may still be handed over for what was sold before.
    pub safety_stock: u64,
    /// Units that one order asks at least.
    pub order_min: u32,
    /// Units that one order asks at most.
    pub order_max: u32,
    /// Units that one customer may have bought since the limit was set.
    pub customer_max: u32,
    /// Units that one customer may have bought in one day.
    pub customer_day_max: u32,
    /// A customer is also recognised by the hashes of account, address and instrument.
    pub by_hashes: bool,
    /// Minutes after midnight UTC at which a day begins, below 1,440.
    pub day_begins_min: u16,
    /// Units that may be sold without being there: the oversell allowance. What is owed uses it up.
    pub oversell_max: u64,
    /// A fact tells when so many units or fewer are for sale, or none, and when there are more again.
    pub low_stock: u64,
    /// What comes back from a customer is counted no more.
    pub returns_give_back: bool,
}

impl Policy {
    /// Whether customers are counted.
    pub(super) const fn counts(&self) -> bool {
        self.customer_max > 0 || self.customer_day_max > 0
    }

    /// Units of a line that count against what a customer may have.
    pub(super) fn counted(&self, units: &LineUnits) -> u64 {
        units.sold() - if self.returns_give_back { u64::from(units.returned) } else { 0 }
    }

    /// Whether a fact tells when stock is low.
    pub(super) const fn tells(&self) -> bool {
        self.low_stock > 0
    }

    /// How so many units for sale are called.
    pub(super) const fn level(&self, for_sale: u64) -> StockLevel {
        match (self.tells(), for_sale) {
            (true, 0) => StockLevel::Out,
            (true, units) if units <= self.low_stock => StockLevel::Low,
            _ => StockLevel::Enough,
        }
    }

    /// The day of a moment, counted from the first day of 1970.
    pub(super) const fn day(&self, at: Timestamp) -> u64 {
        (at.ms() + DAY_MS - self.day_begins_min as u64 * MINUTE_MS) / DAY_MS
    }

    /// Every key by which the customer of an order is recognised.
    pub(super) fn keys(
        &self,
        customer: CustomerKey,
        hashes: Option<IdentityHashes>,
    ) -> impl Iterator<Item = CustomerId> + use<> {
        let IdentityHashes { account, address, instrument } = hashes.filter(|_| self.by_hashes).unwrap_or_default();
        let all = [customer.0, account.into(), address.into(), instrument.into()];
        (0..).zip(all).filter(|(_, key)| *key != 0).map(|(kind, key)| CustomerId { kind, key })
    }
}

/// How much is for sale of a SKU whose policy says what is little.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum StockLevel {
    /// More than [`Policy::low_stock`]; also of a SKU whose policy does not say.
    #[default]
    Enough = 0,
    /// So many or fewer.
    Low = 1,
    /// None.
    Out = 2,
}

impl StockLevel {
    /// The level with this number; `None` for a number that names nothing.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Enough),
            1 => Some(Self::Low),
            2 => Some(Self::Out),
            _ => None,
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Enough => "enough",
            Self::Low => "low",
            Self::Out => "out",
        }
    }
}

/// One way of recognising a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct CustomerId {
    /// 0: the customer's key; 1 to 3: account, address, instrument.
    pub(super) kind: u8,
    pub(super) key: u128,
}

/// Units one customer has bought of one SKU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Count {
    /// Since the limit was set; zero while there is none.
    pub(super) held: u64,
    /// Of these, on [`Rule::day`], of orders accepted since the day's limit was set; zero while there is none.
    pub(super) today: u64,
}

type Customers = HashMap<CustomerId, Count, foldhash::fast::RandomState>;

/// A policy and its counts.
#[derive(Debug, Default)]
pub(super) struct Rule {
    pub(super) policy: Policy,
    /// What was told of its stock last.
    pub(super) level: StockLevel,
    /// Orders from this number on count against `customer_max`.
    pub(super) held_from: OrderNumber,
    /// And from this one on against `customer_day_max`.
    pub(super) day_from: OrderNumber,
    /// The day of the newest order that was counted.
    pub(super) day: u64,
    customers: Customers,
}

/// Units of an order about to be counted, or given back.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counted {
    pub(super) number: OrderNumber,
    pub(super) accepted_at: Timestamp,
    pub(super) before: u64,
    pub(super) after: u64,
}

impl Rule {
    pub(super) fn count(&self, customer: CustomerId) -> Count {
        self.customers.get(&customer).copied().unwrap_or_default()
    }

    pub(super) fn is_counted(&self, customer: CustomerId) -> bool {
        self.customers.contains_key(&customer)
    }

    pub(super) fn customers(&self) -> usize {
        self.customers.len()
    }

    /// Every count, by customer: the table itself has the order of its seed.
    pub(super) fn sorted(&self) -> Vec<(CustomerId, Count)> {
        let mut counts: Vec<_> = self.customers.iter().map(|(customer, count)| (*customer, *count)).collect();
        counts.sort_unstable_by_key(|(customer, _)| *customer);
        counts
    }

    /// Puts a count back where there is none yet; `None` when there is, or when it is of nothing.
    pub(super) fn restore(&mut self, customer: CustomerId, count: Count) -> Option<()> {
        let is_new = count != Count::default() && self.customers.insert(customer, count).is_none();
        is_new.then_some(())
    }

    /// Sets the policy; `next` is the number of the next order. A rule that is new begins to count with it.
    pub(super) fn set(&mut self, policy: Policy, next: OrderNumber) {
        let before = std::mem::replace(&mut self.policy, policy);
        if !policy.tells() {
            self.level = StockLevel::Enough;
        }
        // Under other keys, or on other days, what was counted could not be given back.
        let others = before.by_hashes != policy.by_hashes || before.returns_give_back != policy.returns_give_back;
        let held_begins = others || (before.customer_max == 0) != (policy.customer_max == 0);
        let day_begins = others
            || (before.customer_day_max == 0) != (policy.customer_day_max == 0)
            || before.day_begins_min != policy.day_begins_min;
        if held_begins {
            self.held_from = next;
            self.keep(|count| count.held = 0);
        }
        if day_begins {
            (self.day_from, self.day) = (next, 0);
            self.keep(|count| count.today = 0);
        }
    }

    /// Whether units of such an order are counted, now that a later day may have begun.
    pub(super) fn counts_order(&self, number: OrderNumber, accepted_at: Timestamp) -> bool {
        let holds = self.policy.customer_max > 0 && number >= self.held_from;
        let by_day = self.policy.customer_day_max > 0 && number >= self.day_from;
        holds || by_day && self.policy.day(accepted_at) >= self.day
    }

    /// Counts units of an order that moved into or out of what its customer holds.
    pub(super) fn move_units(&mut self, keys: impl Iterator<Item = CustomerId>, order: &Counted) {
        let day = self.policy.day(order.accepted_at);
        let by_day = self.policy.customer_day_max > 0 && order.number >= self.day_from;
        if by_day && day > self.day {
            self.day = day;
            self.keep(|count| count.today = 0);
        }
        let holds = self.policy.customer_max > 0 && order.number >= self.held_from;
        let is_today = by_day && day == self.day;
        if !holds && !is_today {
            return;
        }
        for key in keys {
            let count = self.customers.entry(key).or_default();
            for (counted, sum) in [(holds, &mut count.held), (is_today, &mut count.today)] {
                if counted {
                    *sum = (*sum + order.after).checked_sub(order.before).expect("law: what is given back was counted");
                }
            }
            if *count == Count::default() {
                self.customers.remove(&key);
            }
        }
    }

    /// Changes every count and drops those of nothing.
    fn keep(&mut self, change: impl Fn(&mut Count)) {
        self.customers.retain(|_, count| {
            change(count);
            *count != Count::default()
        });
    }
}

/// Elements of one chunk of the table of rules: few SKUs have one.
const RULES_CHUNK: usize = 128;

/// The policies of a market.
#[derive(Debug, Default)]
pub(super) struct Policies {
    /// By SKU number less one.
    rules: Table<Option<Box<Rule>>, RULES_CHUNK>,
    len: usize,
    caps: ChannelCaps,
    /// Rules that count customers, and caps, which count channels.
    counting: usize,
    /// Rules that tell when stock is low.
    telling: usize,
    /// Counts of all rules together.
    customers: u64,
}

impl Policies {
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Whether no placement has to be held against any.
    pub(super) const fn is_empty(&self) -> bool {
        self.counting == 0 && self.len == 0
    }

    pub(super) const fn customers(&self) -> u64 {
        self.customers
    }

    /// Whether any rule counts customers, or any cap a channel.
    pub(super) const fn counts(&self) -> bool {
        self.counting > 0
    }

    pub(super) const fn caps(&self) -> &ChannelCaps {
        &self.caps
    }

    /// The caps, for changing what they hold.
    pub(super) const fn caps_mut(&mut self) -> &mut ChannelCaps {
        &mut self.caps
    }

    /// Changes which caps there are. Tells how many more there are than before.
    pub(super) fn change_caps(&mut self, change: impl FnOnce(&mut ChannelCaps)) -> i64 {
        let before = self.caps.len();
        change(&mut self.caps);
        self.counting = self.counting + self.caps.len() - before;
        self.caps.len() as i64 - before as i64
    }

    pub(super) fn rule(&self, sku: SkuId) -> Option<&Rule> {
        // Most markets have none, and most placements are of those.
        if self.len == 0 { None } else { self.rules.get(index(sku))?.as_deref() }
    }

    pub(super) fn safety_stock(&self, sku: SkuId) -> u64 {
        self.rule(sku).map_or(0, |rule| rule.policy.safety_stock)
    }

    pub(super) fn oversell_max(&self, sku: SkuId) -> u64 {
        self.rule(sku).map_or(0, |rule| rule.policy.oversell_max)
    }

    /// Whether any rule tells when stock is low.
    pub(super) const fn tells(&self) -> bool {
        self.telling > 0
    }

    /// Every rule, by SKU.
    pub(super) fn iter(&self) -> impl Iterator<Item = (SkuId, &Rule)> {
        self.rules.iter().filter_map(|(index, rule)| Some((SkuId(index as u32 + 1), rule.as_deref()?)))
    }

    /// Changes the rule of a SKU, which comes to be if there is none and goes if it says nothing any more. Tells how
    /// many counts more there are than before.
    pub(super) fn change(&mut self, sku: SkuId, change: impl FnOnce(&mut Rule)) -> i64 {
        let slot = self.rules.get_or_grow(index(sku));
        self.len += usize::from(slot.is_none());
        let rule = slot.get_or_insert_default();
        let (counted, told, customers) = (rule.policy.counts(), rule.policy.tells(), rule.customers.len() as u64);
        change(rule);
        self.counting = self.counting + usize::from(rule.policy.counts()) - usize::from(counted);
        self.telling = self.telling + usize::from(rule.policy.tells()) - usize::from(told);
        let more = rule.customers.len() as i64 - customers.cast_signed();
        self.customers = self.customers.wrapping_add_signed(more);
        if rule.policy == Policy::default() {
            *slot = None;
            self.len -= 1;
        }
        more
    }
}

const fn index(sku: SkuId) -> usize {
    sku.0.wrapping_sub(1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_when_the_market_says() {
        let at = |hours: u64| Timestamp::from_ms(1_000 * DAY_MS + hours * 3_600_000);
        let utc = Policy::default();
        assert_eq!((utc.day(at(0)), utc.day(at(23)), utc.day(at(24))), (1_001, 1_001, 1_002));
        let six = Policy { day_begins_min: 360, ..utc };
        assert_eq!((six.day(at(5)), six.day(at(6)), six.day(at(29)), six.day(at(30))), (1_000, 1_001, 1_001, 1_002));
        assert_eq!(Policy { day_begins_min: 1_439, ..utc }.day(Timestamp::ZERO), 0, "before the first day's beginning");
    }

    #[test]
    fn a_customer_is_known_by_the_key_and_only_if_asked_by_the_hashes() {
        let hashes = Some(IdentityHashes { account: 7, address: 0, instrument: 9 });
        let kinds = |policy: Policy, customer| -> Vec<u8> {
            policy.keys(CustomerKey(customer), hashes).map(|id| id.kind).collect()
        };
        let by_key = Policy::default();
        let by_all = Policy { by_hashes: true, ..by_key };
        assert_eq!((kinds(by_key, 5), kinds(by_key, 0)), (vec![0], vec![]));
        assert_eq!((kinds(by_all, 5), kinds(by_all, 0)), (vec![0, 1, 3], vec![1, 3]));
    }
}
