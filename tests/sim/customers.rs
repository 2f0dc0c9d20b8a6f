//! What clients think of asking.

use std::collections::{BTreeMap, BTreeSet};

use stockade::base::{ChangeId, CustomerKey, MarketId, OrderId, Price, RequestId, Sequence, SiteId, SkuId, Timestamp};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::ledger::{Account, Bucket};
use stockade::engine::{ExtendReason, HoldReason, Line, LinePrice, LineQuantity, Whose};

use crate::ask::{Ask, Placement, customer_of, detail_of};
use crate::returning::Step;
use crate::rng::Rng;

pub(crate) struct Customers {
    pub(crate) markets: Vec<MarketId>,
    /// That are stocked, kits not counted.
    skus: u32,
    /// Kits of every market, numbered behind its other SKUs.
    pub(crate) kits: u32,
    /// Every order anybody thought of.
    pub(crate) orders: Vec<OrderId>,
    /// The last entry that somebody counts as of; zero when nobody does.
    pub(crate) count_upto: u64,
    /// Markets whose orders an adapter sees paid, and nobody else.
    pub(crate) paid_by_adapter: BTreeSet<MarketId>,
    /// Of every order, what a unit of each line costs.
    pub(crate) prices: BTreeMap<OrderId, Vec<Price>>,
    changes: u64,
    /// What came back may be thrown away, or go to the supplier: clients hear of everything that does.
    pub(crate) may_leave: bool,
    /// Orders of which goods come back: few, so that steps of one return meet.
    coming_back: Vec<OrderId>,
}

impl Customers {
    pub(crate) fn new(markets: Vec<MarketId>, skus: u32) -> Self {
        Self {
            markets,
            skus,
            kits: 0,
            orders: Vec::new(),
            count_upto: 0,
            paid_by_adapter: BTreeSet::new(),
            prices: BTreeMap::new(),
            // The first ones name attempts that are confirmed.
            changes: 10,
            may_leave: false,
            coming_back: Vec::new(),
        }
    }

    pub(crate) fn ask(&mut self, rng: &mut Rng, now: Timestamp) -> Ask {
        if self.orders.is_empty() || rng.below(100) < 45 {
            return self.place(rng, now);
        }
        let order = self.some_order(rng);
        if rng.once_in(5) && !self.coming_back.is_empty() {
            let order = *rng.pick(&self.coming_back);
            return self.come_back(rng, order);
        }
        match rng.below(120) {
            0..4 => {
                let reason = *rng.pick(&[ExtendReason::Activity, ExtendReason::PaymentStart]);
                Ask::Extend { order, until: now.after_ms(rng.below(10_000)), reason }
            }
            4..7 => {
                let (owner, reason) = some_hold(rng);
                Ask::Hold { order, owner, reason }
            }
            7..10 => {
                let (owner, reason) = some_hold(rng);
                // What the others say stays.
                Ask::Lift { order, owner: if owner == STERN { "staff" } else { owner }, reason }
            }
            10..26 if self.paid_by_adapter.contains(&order.market()) => Ask::Look { order },
            10..30 => Ask::Confirm { order, attempt: ChangeId(rng.below(2)) },
            30..42 => Ask::Cancel { order, block: false },
            42..50 => self.cancel_and_block(rng, now),
            50..55 => self.edit(rng, order),
            55..60 => Ask::CancelLines { order, change: self.change(), lines: some_lines(rng) },
            60..74 => self.hand_over(rng, order),
            74..82 => Ask::Return { order, change: self.change(), lines: some_lines(rng) },
            82..90 => self.restock(rng, now),
            90..92 => self.adjust(rng, now),
            92..94 => self.move_units(rng, now),
            94..96 => Ask::Erase { whose: self.somebody(rng, order), known: Vec::new() },
            96..98 if self.count_upto > 0 => self.count(rng, now),
            98..112 => self.start_payment(rng, order),
            112..114 => Ask::RequestRefund { order, change: self.change(), amount: rng.between(1, 900) },
            _ => Ask::Look { order },
        }
    }

    pub(crate) fn receive(&mut self, rng: &mut Rng, now: Timestamp, market: MarketId, sku: SkuId, site: SiteId) -> Ask {
        let request = RequestId::new(now, market, rng.next());
        Ask::Receive { request, sku, site, quantity: rng.between(5, 60) }
    }

    fn restock(&mut self, rng: &mut Rng, now: Timestamp) -> Ask {
        let (market, sku, site) = (*rng.pick(&self.markets), self.sku(rng), SiteId(rng.between(1, 2) as u16));
        self.receive(rng, now, market, sku, site)
    }

    fn adjust(&mut self, rng: &mut Rng, now: Timestamp) -> Ask {
        let request = RequestId::new(now, *rng.pick(&self.markets), rng.next());
        let delta = if rng.once_in(2) { -1 } else { 1 } * rng.between(1, 5).cast_signed();
        Ask::Adjust { request, sku: self.sku(rng), site: SiteId(rng.between(1, 2) as u16), delta }
    }

    fn move_units(&mut self, rng: &mut Rng, now: Timestamp) -> Ask {
        let request = RequestId::new(now, *rng.pick(&self.markets), rng.next());
        let shelves = [Bucket::Available, Bucket::Available, Bucket::QualityHold, Bucket::Quarantine];
        let [from, to] =
            [(); 2].map(|()| Account { site: SiteId(rng.between(1, 2) as u16), bucket: *rng.pick(&shelves) });
        Ask::Move { request, sku: self.sku(rng), from, to, quantity: rng.between(1, 6) }
    }

    /// Of any time, most often a little while ago: hardly ever what lay there.
    fn count(&self, rng: &mut Rng, now: Timestamp) -> Ask {
        let request = RequestId::new(now, *rng.pick(&self.markets), rng.next());
        let ago = if rng.once_in(4) { rng.below(self.count_upto) } else { rng.below(self.count_upto.min(20)) };
        let (sku, site, as_of) = (self.sku(rng), SiteId(rng.between(1, 2) as u16), Sequence(self.count_upto - ago));
        Ask::Count { request, sku, site, as_of, counted: rng.below(30) }
    }

    fn place(&mut self, rng: &mut Rng, now: Timestamp) -> Ask {
        let order = self.new_order(rng, now);
        self.orders.push(order);
        let lines = if rng.once_in(15) { rng.between(20, 60) } else { rng.between(1, 3) };
        let line = |rng: &mut Rng| Line {
            sku: self.sku_or_kit(rng),
            quantity: rng.between(1, 4) as u32,
            price: rng.below(900),
        };
        let lines: Vec<_> = (0..lines).map(|_| line(rng)).collect();
        self.prices.insert(order, lines.iter().map(|line| line.price).collect());
        Ask::Place(Placement {
            order,
            take: *rng.pick(&[Take::AllOrNothing, Take::WhatExists]),
            hold_ms: *rng.pick(&[0, 40, 500, 5_000, 60_000]),
            payment: *rng.pick(&[PaymentMethod::Card, PaymentMethod::BankTransfer, PaymentMethod::CashOnDelivery]),
            lines,
            details: vec![detail_of(order); rng.below(40) as usize],
        })
    }

    /// Of some lines more, units less, other prices and another zone, what there is of them.
    fn edit(&mut self, rng: &mut Rng, order: OrderId) -> Ask {
        let mut some = |one_in: u64| rng.once_in(one_in);
        let [adds, removes, prices, zone] = [some(2), some(2), some(3), some(4)];
        let mut add = Vec::new();
        for _ in 0..if adds { rng.between(1, 2) } else { 0 } {
            let (sku, quantity) = (self.sku_or_kit(rng), rng.between(1, 2) as u32);
            add.push(Line { sku, quantity, price: rng.below(900) });
        }
        Ask::Edit {
            order,
            change: self.change(),
            zone: zone.then(|| rng.below(5) as u16),
            prices: (0..1).filter(|_| prices).map(|line| LinePrice { line, price: rng.below(900) }).collect(),
            remove: if removes { some_lines(rng) } else { Vec::new() },
            add,
        }
    }

    /// Of an order that exists, or of one that may be placed later under this name.
    fn cancel_and_block(&mut self, rng: &mut Rng, now: Timestamp) -> Ask {
        let order = if rng.once_in(2) { self.some_order(rng) } else { self.new_order(rng, now) };
        Ask::Cancel { order, block: true }
    }

    /// Who placed an order, or somebody else.
    fn somebody(&self, rng: &mut Rng, order: OrderId) -> Whose {
        if customer_of(order) == CustomerKey(0) || rng.once_in(10) {
            return Whose::Guest { order };
        }
        Whose::Customer { market: order.market(), customer: customer_of(order) }
    }

    /// Again and again until one works, each time another way.
    pub(crate) fn start_payment(&mut self, rng: &mut Rng, order: OrderId) -> Ask {
        let method = *rng.pick(&[PaymentMethod::Card, PaymentMethod::Card, PaymentMethod::Wallet]);
        Ask::StartPayment { order, attempt: self.change(), method }
    }

    /// An order was accepted that needs no payment: it may leave, and come back.
    pub(crate) fn note_confirmed(&mut self, rng: &mut Rng, order: OrderId) {
        if rng.once_in(4) || self.coming_back.is_empty() {
            self.coming_back.push(order);
        }
        if self.coming_back.len() > 3 {
            self.coming_back.remove(0);
        }
    }

    /// Of few numbers too.
    fn come_back(&mut self, rng: &mut Rng, order: OrderId) -> Ask {
        if rng.once_in(5) {
            return Ask::HandOver { order, change: self.change(), lines: Vec::new() };
        }
        let line = u16::from(rng.once_in(5));
        let lines = vec![LineQuantity { line, quantity: rng.between(1, 2) as u32 }];
        if rng.once_in(5) {
            return Ask::Delivered { order, change: self.change(), lines };
        }
        Ask::ComeBack { order, id: ChangeId(rng.below(2)), step: Step::some(rng, lines, self.may_leave) }
    }

    fn hand_over(&mut self, rng: &mut Rng, order: OrderId) -> Ask {
        let lines = if rng.once_in(2) { Vec::new() } else { some_lines(rng) };
        Ask::HandOver { order, change: self.change(), lines }
    }

    fn new_order(&self, rng: &mut Rng, now: Timestamp) -> OrderId {
        OrderId::new(now, *rng.pick(&self.markets), rng.next())
    }

    /// Mostly a recent one.
    fn some_order(&self, rng: &mut Rng) -> OrderId {
        let recent = self.orders.len().saturating_sub(30);
        let from = if rng.once_in(4) { 0 } else { recent };
        *rng.pick(&self.orders[from..])
    }

    fn sku(&self, rng: &mut Rng) -> SkuId {
        SkuId(rng.between(1, self.skus.into()) as u32)
    }

    fn sku_or_kit(&self, rng: &mut Rng) -> SkuId {
        SkuId(rng.between(1, (self.skus + self.kits).into()) as u32)
    }

    pub(crate) fn change(&mut self) -> ChangeId {
        self.changes += 1;
        ChangeId(self.changes)
    }
}

/// Who lifts no hold.
pub(crate) const STERN: &str = "risk";

fn some_hold(rng: &mut Rng) -> (&'static str, HoldReason) {
    let owner = if rng.once_in(6) { STERN } else { *rng.pick(&["staff", "desk"]) };
    (owner, *rng.pick(&[HoldReason::Fraud, HoldReason::Address]))
}

fn some_lines(rng: &mut Rng) -> Vec<LineQuantity> {
    let lines = rng.between(1, 2) as u16;
    (0..lines).map(|line| LineQuantity { line, quantity: rng.between(1, 3) as u32 }).collect()
}
