//! How much a shard may keep, and how much of that it does.
//!
//! # Always true
//! - What commands on orders and stock make grow is kept by number or by bytes, up to a most: the memory of all of it
//!   is a sum that is known at the start.

use super::Engine;
use crate::base::limits;

/// How much one shard may keep. Past any of these a command is refused `AtCapacity` (for a policy `OutOfBounds`), and
/// what a shard does by itself waits; nothing is ever dropped for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capacity {
    /// Orders, blocked identifiers included.
    pub orders_max: u64,
    /// Lines of all orders together.
    pub lines_max: u64,
    /// Draws of all orders together: the units of one line may come from several sites.
    pub draws_max: u64,
    /// Changes of quantities remembered of all orders together.
    pub changes_max: u64,
    /// Bytes of sealed details of all orders together.
    pub details_bytes_max: u64,
    /// Keys under which details are sealed.
    pub keys_max: u64,
    /// SKUs of all markets together, kits included.
    pub skus_max: u64,
    /// Kits of all markets together.
    pub kits_max: u64,
    /// Policies of SKUs of all markets together.
    pub policies_max: u64,
    /// Counts of customers that policies limit.
    pub customers_max: u64,
    /// Places: SKUs of all markets, each counted at every site where anything was ever said of its stock.
    pub places_max: u64,
    /// Pairs of an order and a SKU that it waits for.
    pub waiting_max: u64,
    /// Holds of all orders together.
    pub holds_max: u64,
    /// Payment attempts of all orders together, one for each that adapters are to charge included.
    pub payments_max: u64,
    /// Returns of all orders together, and their lines, each once more for each site at which it came in.
    pub returns_max: u64,
    /// Keys of customers that markets may count, all of them together.
    pub velocity_max: u64,
}

impl Capacity {
    /// No limit but memory: for folding what was accepted under somebody else's limits.
    pub const UNBOUNDED: Self = Self {
        orders_max: u64::MAX,
        lines_max: u64::MAX,
        draws_max: u64::MAX,
        changes_max: u64::MAX,
        details_bytes_max: u64::MAX,
        keys_max: u64::MAX,
        skus_max: u64::MAX,
        kits_max: u64::MAX,
        policies_max: u64::MAX,
        customers_max: u64::MAX,
        places_max: u64::MAX,
        waiting_max: u64::MAX,
        holds_max: u64::MAX,
        payments_max: u64::MAX,
        returns_max: u64::MAX,
        velocity_max: u64::MAX,
    };
}

impl Default for Capacity {
    fn default() -> Self {
        Self {
            orders_max: limits::ORDERS_DEFAULT,
            lines_max: limits::LINES_DEFAULT,
            draws_max: limits::LINES_DEFAULT * limits::DRAWS_PER_LINE_MEAN_MAX,
            changes_max: limits::LINES_DEFAULT,
            details_bytes_max: limits::DETAILS_BYTES_DEFAULT,
            keys_max: limits::KEYS_DEFAULT,
            skus_max: limits::SKUS_DEFAULT,
            kits_max: limits::KITS_DEFAULT,
            policies_max: limits::POLICIES_DEFAULT,
            customers_max: limits::CUSTOMERS_DEFAULT,
            places_max: limits::PLACES_DEFAULT,
            waiting_max: limits::WAITING_DEFAULT,
            holds_max: limits::HOLDS_DEFAULT,
            payments_max: limits::PAYMENTS_DEFAULT,
            returns_max: limits::RETURNS_DEFAULT,
            velocity_max: limits::VELOCITY_DEFAULT,
        }
    }
}

/// What a shard keeps, up to a most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Kept {
    /// Orders, tombstones and blocked identifiers included.
    Orders = 0,
    /// Their lines.
    Lines = 1,
    /// Their draws.
    Draws = 2,
    /// Remembered changes of their quantities.
    Changes = 3,
    /// Bytes of sealed details.
    DetailsBytes = 4,
    /// Keys under which details are sealed.
    Keys = 5,
    /// SKUs, kits included.
    Skus = 6,
    /// Kits.
    Kits = 7,
    /// SKUs, each at every site where anything was ever said of its stock.
    Places = 8,
    /// Policies of SKUs.
    Policies = 9,
    /// Counts of customers that policies limit.
    Customers = 10,
    /// Pairs of an order and a SKU of which it is owed units.
    Waits = 11,
    /// Holds.
    Holds = 12,
    /// Payment attempts.
    Payments = 13,
    /// Returns, and their lines, each once more for each site at which it came in.
    Returns = 14,
    /// Keys of customers that markets may count: the room they set, used or not.
    Velocity = 15,
}

/// How many kinds there are.
pub const KEPT: usize = 16;

impl Kept {
    /// Every kind, in the order of their numbers.
    pub const ALL: [Self; KEPT] = [
        Self::Orders,
        Self::Lines,
        Self::Draws,
        Self::Changes,
        Self::DetailsBytes,
        Self::Keys,
        Self::Skus,
        Self::Kits,
        Self::Places,
        Self::Policies,
        Self::Customers,
        Self::Waits,
        Self::Holds,
        Self::Payments,
        Self::Returns,
        Self::Velocity,
    ];

    /// The word for people and for names of metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Orders => "orders",
            Self::Lines => "lines",
            Self::Draws => "draws",
            Self::Changes => "changes",
            Self::DetailsBytes => "details_bytes",
            Self::Keys => "keys",
            Self::Skus => "skus",
            Self::Kits => "kits",
            Self::Places => "places",
            Self::Policies => "policies",
            Self::Customers => "customers",
            Self::Waits => "waits",
            Self::Holds => "holds",
            Self::Payments => "payments",
            Self::Returns => "returns",
            Self::Velocity => "velocity",
        }
    }
}

impl Capacity {
    /// The most of one kind.
    #[must_use]
    pub const fn max(&self, kept: Kept) -> u64 {
        match kept {
            Kept::Orders => self.orders_max,
            Kept::Lines => self.lines_max,
            Kept::Draws => self.draws_max,
            Kept::Changes => self.changes_max,
            Kept::DetailsBytes => self.details_bytes_max,
            Kept::Keys => self.keys_max,
            Kept::Skus => self.skus_max,
            Kept::Kits => self.kits_max,
            Kept::Places => self.places_max,
            Kept::Policies => self.policies_max,
            Kept::Customers => self.customers_max,
            Kept::Waits => self.waiting_max,
            Kept::Holds => self.holds_max,
            Kept::Payments => self.payments_max,
            Kept::Returns => self.returns_max,
            Kept::Velocity => self.velocity_max,
        }
    }
}

impl Engine {
    /// How much of one kind it keeps.
    #[must_use]
    pub const fn kept(&self, kept: Kept) -> u64 {
        match kept {
            Kept::Orders => self.orders.len() as u64,
            Kept::Lines => self.orders.line_count(),
            Kept::Draws => self.orders.draw_count(),
            Kept::Changes => self.orders.change_count(),
            Kept::DetailsBytes => self.orders.details_bytes(),
            Kept::Keys => self.keys.live(),
            Kept::Skus => self.sku_count,
            Kept::Kits => self.kit_count,
            Kept::Places => self.place_count,
            Kept::Policies => self.policy_count,
            Kept::Customers => self.customer_counts,
            Kept::Waits => self.waiting_pairs,
            Kept::Holds => self.holds.len(),
            Kept::Payments => self.accounts.len(),
            Kept::Returns => self.returns.len(),
            Kept::Velocity => self.velocity_keys,
        }
    }
}
