//! The deterministic core: commands in, facts out, state folded from facts. No clock, no I/O, no threads, no floats.
//!
//! ```text
//! decide(&state, command, now) ─► fact + answer | refusal      may say no; changes nothing
//! fold(&mut state, fact, at)                                    total; the only way state changes
//! submit(&mut state, command, now) ─► both, with due expiries before them
//! ```
//!
//! # Always true
//! - The engine never learns that there is a network, a disk, a wall clock or another shard.
//! - Folding the same facts at the same times gives the same state (`digest`), whoever decided them.
//! - Ids are looked up through hashes seeded per process, so nothing that leaves depends on their order.
//!
//! # Reading order
//! `command`, `fact`, `refusal`: three lists that are the whole product. `order` and `ledger`: what an order and a unit
//! can be. Then `decide` and `fold`, and `turn`, which joins them.

#![deny(clippy::float_arithmetic, clippy::wildcard_enum_match_arm, clippy::unwrap_used, clippy::iter_over_hash_type)]

pub mod choices;
pub mod command;
pub mod fact;
pub mod refusal;

pub mod answer;
pub mod ledger;
pub mod market;
pub mod order;
pub mod query;

mod decide;
mod fill;
mod find;
mod fold;
mod for_sale;
mod routing;
mod turn;
mod wanted;

mod tasks;
mod waits;

mod account;
mod attempt;
mod books;
mod capacity;
mod catalog;
mod channel;
mod content;
mod cursor;
mod deadline;
mod digest;
mod directory;
mod effect;
mod ends;
mod happening;
mod history;
mod hold;
mod huge_pages;
mod image;
mod index;
mod invariants;
mod keys;
mod kits;
mod marks;
mod money;
mod numbers;
mod on_hand;
mod orders;
mod past;
mod payment;
mod policy;
mod pool;
mod read;
mod requests;
mod reservation;
mod retention;
mod retire;
mod return_;
mod returns;
mod shortage;
mod sieve;
mod steps;
mod stock_level;
mod task;
mod velocity;
mod waiting;

pub use answer::{Answer, Granted};
pub use books::order_hash;
pub use capacity::{Capacity, KEPT, Kept};
pub use choices::{FailureReason, HoldReason, RetryClass};
pub use command::{Command, DIRECTORY_SHARD, Edit, Line, LinePrice, LineQuantity, Place, Whose};
pub use cursor::Cursor;
pub use decide::{Decision, Scratch};
pub use directory::{Directory, fewest_markets};
pub use effect::{Action, AsideReason, Effect, Effects, Report};
pub use fact::{Draw, Fact, Placed};
pub use for_sale::ForSale;
pub use happening::{Happening, Value};
pub use image::ImageError;
pub use kits::Component;
pub use money::MoneySums;
pub use payment::{Dispute, Label, PaymentReport, Stage, Step};
pub use policy::{Policy, StockLevel};
pub use query::{Books, Query};
pub use refusal::Refusal;
pub use reservation::{ExtendReason, PREPAID_METHODS, Reservations};
pub use retention::Retention;
pub use return_::{
    DISPOSITIONS, DeclineReason, Disposition, Kind as ReturnKind, Reason as ReturnReason, ReturnCommand, ReturnFact,
    ReturnReport, Stage as ReturnStage,
};
pub use task::{Remedy, TASKS, TaskKind, TaskPlace, Wait};
pub use velocity::Velocity;

use crate::base::{MarketId, ShardId};

/// The state of one shard: its markets and their orders; for shard 0 also the directory of all markets.
#[derive(Debug)]
pub struct Engine {
    shard: ShardId,
    capacity: Capacity,
    directory: Directory,
    /// By market number; `None` for markets of other shards.
    markets: Vec<Option<Box<market::Market>>>,
    sku_count: u64,
    kit_count: u64,
    /// Places of stock, all markets together.
    place_count: u64,
    /// Policies of SKUs, all markets together.
    policy_count: u64,
    /// Of customers that policies count, all markets together.
    customer_counts: u64,
    /// Caps of channels, all markets together.
    channel_cap_count: u64,
    /// Keys of customers that markets may count, all markets together.
    velocity_keys: u64,
    /// Stock requests remembered, all markets together.
    request_count: usize,
    orders: orders::Orders,
    /// Of orders with details.
    keys: keys::Keys,
    deadlines: deadline::Deadlines,
    /// When orders that ended are closed.
    closings: deadline::Deadlines,
    /// When tombstones may leave.
    leavings: deadline::Deadlines,
    watched: for_sale::Watched,
    crossed: stock_level::Crossed,
    wants: wanted::Wants,
    holds: hold::Holds,
    accounts: account::Accounts,
    returns: returns::Returns,
    histories: history::Histories,
    tasks: tasks::Tasks,
    /// Pairs of an order and a SKU that it waits for, all markets together.
    waiting_pairs: u64,
    /// Markets in which something arrived for those who wait.
    filling: std::collections::VecDeque<MarketId>,
    /// Markets that are short of something, whose orders are put back.
    short_markets: std::collections::VecDeque<MarketId>,
    on_hand: on_hand::OnHand,
    cursors: cursor::Cursors,
    /// What was to be done with the money of an order before it changed; kept for its memory.
    outlook_before: steps::Outlook,
    /// What customers hold by an order, before and after it is changed; kept for its memory.
    held: [fold::Held; 2],
}

impl Engine {
    /// An empty shard of a node with so many shards.
    #[must_use]
    pub fn new(shard: ShardId, shards: u16, capacity: Capacity) -> Self {
        Self {
            shard,
            capacity,
            directory: Directory::new(shards),
            markets: Vec::new(),
            sku_count: 0,
            kit_count: 0,
            place_count: 0,
            policy_count: 0,
            customer_counts: 0,
            channel_cap_count: 0,
            velocity_keys: 0,
            request_count: 0,
            orders: orders::Orders::default(),
            keys: keys::Keys::default(),
            deadlines: deadline::Deadlines::default(),
            closings: deadline::Deadlines::default(),
            leavings: deadline::Deadlines::default(),
            watched: for_sale::Watched::default(),
            crossed: stock_level::Crossed::default(),
            wants: wanted::Wants::default(),
            holds: hold::Holds::default(),
            accounts: account::Accounts::default(),
            returns: returns::Returns::default(),
            histories: history::Histories::default(),
            tasks: tasks::Tasks::default(),
            waiting_pairs: 0,
            filling: std::collections::VecDeque::new(),
            short_markets: std::collections::VecDeque::new(),
            on_hand: on_hand::OnHand::default(),
            cursors: cursor::Cursors::default(),
            outlook_before: steps::Outlook::default(),
            held: Default::default(),
        }
    }

    /// Takes the memory for so many more orders of one line now, so that accepting them never waits for the system.
    pub fn reserve(&mut self, orders: u64) {
        let orders = usize::try_from(orders).unwrap_or(usize::MAX);
        self.orders.reserve(orders);
        self.deadlines.reserve(orders);
    }
}
