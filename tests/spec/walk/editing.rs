//! What a walk makes of orders that were placed: edits of every kind, most of them of what is there, some of nothing,
//! some told before.

use std::collections::BTreeSet;

use stockade::base::limits::{LINE_QUANTITY_MAX, UNIT_PRICE_MAX};
use stockade::base::{ChangeId, OrderId, SkuId};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::order::State;
use stockade::engine::query::OrderView;
use stockade::engine::{Answer, Command, Edit, Line, LinePrice, LineQuantity, PaymentReport, Refusal};

use super::Walk;
use crate::rig::is_repeated;

/// An edit, kept so that it can be sent again.
#[derive(Clone)]
pub(super) struct Sent {
    order: OrderId,
    change: ChangeId,
    zone: Option<u16>,
    prices: Vec<LinePrice>,
    remove: Vec<LineQuantity>,
    add: Vec<Line>,
}

impl Walk {
    pub(super) fn edit(&mut self) {
        let sent = match self.edited.take() {
            Some(known) if self.dice.once_in(8) => known,
            Some(known) if self.dice.once_in(10) => self.nearly_the_same(known),
            _ => match self.an_unpaid_order() {
                Some(view) if self.dice.once_in(2) => self.edit_what_is_unpaid(&view),
                _ => self.another_edit(),
            },
        };
        let Sent { order, change, zone, ref prices, ref remove, ref add } = sent;
        let before = self.rig.twin.view(order).map(|view| view.state);
        let outcome = self.ask(&Command::EditOrder { order, change, edit: Edit { zone, prices, remove, add } });
        let came = match outcome.as_ref().map(|told| told.answer) {
            Err(&Refusal::OutOfBounds { field, .. }) => format!("no {field:?}"),
            Err(refusal) => format!("{refusal:?}").split(' ').next().unwrap_or_default().to_owned(),
            Ok(answer) if is_repeated(answer) => "again".to_owned(),
            Ok(Answer::Done { state, .. }) => format!("{} to {}", before.map_or("none", State::name), state.name()),
            Ok(answer) => unreachable!("nothing that an edit comes to: {answer:?}"),
        };
        self.reached.insert(format!("edit: {came}"));
        self.edited = Some(sent);
    }

    fn another_edit(&mut self) -> Sent {
        let change = if self.dice.once_in(2) { self.change() } else { ChangeId(self.dice.below(1 << 32)) };
        let order = self.a_known_order().filter(|_| !self.dice.once_in(15)).unwrap_or_else(|| self.order());
        let mut sent = Sent { order, change, zone: None, prices: Vec::new(), remove: Vec::new(), add: Vec::new() };
        let view = self.rig.engine.order(order).ok().filter(|view| !view.lines.is_empty());
        if self.dice.once_in(4) {
            sent.zone = Some(self.dice.below(3) as u16);
        }
        if self.dice.once_in(2) {
            let free = view.as_ref().is_some_and(|view| view.lines.iter().all(|line| line.price == 0));
            let prices: &[u64] = if free && !self.dice.once_in(4) { &[0] } else { &[0, 40, 100, 100, 130] };
            let lines = self.lines_to_edit(view.as_ref());
            sent.prices = lines.into_iter().map(|line| LinePrice { line, price: self.dice.pick(prices) }).collect();
        }
        if !self.dice.once_in(3) {
            let lines = self.lines_to_edit(view.as_ref());
            sent.remove = lines.into_iter().map(|line| self.units_to_remove(view.as_ref(), line)).collect();
        }
        if self.dice.once_in(2) || sent.remove.is_empty() {
            sent.add = (0..1 + self.dice.below(2)).map(|_| self.line_to_add(view.as_ref(), &sent.remove)).collect();
        }
        // What is left of what has begun to leave.
        if let Some(view) = view.filter(|view| view.state == State::Fulfilling && self.dice.once_in(3)) {
            sent.remove = there(&view);
            sent.add.clear();
        }
        self.spoil(&mut sent);
        sent
    }

    /// An order that waits for its payment, where anybody tells of payments.
    fn an_unpaid_order(&mut self) -> Option<OrderView> {
        if !self.pays {
            return None;
        }
        let market = self.dice.pick(&self.markets.clone());
        let views = self.rig.twin.order_ids(market).into_iter().filter_map(|id| self.rig.engine.order(id).ok());
        let waits = |state| matches!(state, State::PendingPayment | State::PaymentFailed);
        let views: Vec<OrderView> = views.filter(|view| waits(view.state)).collect();
        (!views.is_empty()).then(|| views[self.dice.below(views.len() as u64) as usize].clone())
    }

    /// Some of it is paid. It is to cost less, so that it may come to be paid already, or to have less, or nothing.
    fn edit_what_is_unpaid(&mut self, view: &OrderView) -> Sent {
        let (order, change) = (view.order, ChangeId(self.dice.below(1 << 32)));
        if view.state == State::PendingPayment && !self.dice.once_in(3) {
            let (attempt, method) = (ChangeId(self.dice.below(3)), PaymentMethod::Card);
            let report = PaymentReport::authorised(self.dice.pick(&[20, 60, 90]));
            self.ask(&Command::ReportPayment { order, attempt, method, currency: view.currency, report }).ok();
        }
        let lines = 0..view.lines.len() as u16;
        let (mut prices, mut remove) = (Vec::new(), Vec::new());
        if self.dice.once_in(3) {
            remove = there(view);
            remove.truncate(if self.dice.once_in(2) { 1 } else { remove.len() });
        } else {
            let price = self.dice.pick(&[0, 1, 20, 40]);
            prices = lines.map(|line| LinePrice { line, price }).collect();
            prices[0].price += 1;
        }
        Sent { order, change, zone: None, prices, remove, add: Vec::new() }
    }

    /// One line of an order or two that stand together.
    fn lines_to_edit(&mut self, view: Option<&OrderView>) -> Vec<u16> {
        let lines = view.map_or(2, |view| view.lines.len() as u64);
        let first = self.dice.below(lines);
        let count = if lines > 1 && self.dice.once_in(3) { 2 } else { 1 };
        (0..count).map(|at| ((first + at) % lines) as u16).collect()
    }

    /// All that is there to be removed of a line, or some of it; now and then one too many.
    fn units_to_remove(&mut self, view: Option<&OrderView>, line: u16) -> LineQuantity {
        let there = view.and_then(|view| view.lines.get(usize::from(line)));
        let there = there.map_or(1, |line| line.owed + line.reserved + line.committed);
        let quantity = match self.dice.below(10) {
            0 => there + 1,
            1..6 => there,
            _ => self.dice.below(u64::from(there) + 1) as u32,
        };
        LineQuantity { line, quantity: quantity.max(1) }
    }

    /// As a rule of what is removed, and about as much.
    fn line_to_add(&mut self, view: Option<&OrderView>, removed: &[LineQuantity]) -> Line {
        let mut sku = self.sku();
        let mut quantity = 1 + self.dice.below(3) as u32;
        if let (Some(view), Some(first)) = (view, removed.first())
            && !self.dice.once_in(3)
        {
            sku = view.lines.get(usize::from(first.line)).map_or(SkuId(1), |line| line.sku);
            quantity = (first.quantity + self.dice.below(3) as u32).saturating_sub(1).max(1);
        }
        let free = view.is_some_and(|view| view.lines.iter().all(|line| line.price == 0));
        Line { sku, quantity, price: if free { 0 } else { self.dice.pick(&[0, 50, 100, 100]) } }
    }

    /// One in many is wrong in itself.
    fn spoil(&mut self, sent: &mut Sent) {
        match self.dice.below(200) {
            0 => sent.add.iter_mut().for_each(|line| line.quantity = 0),
            1 => sent.add.iter_mut().for_each(|line| line.quantity = LINE_QUANTITY_MAX + 1),
            2 => sent.add.iter_mut().for_each(|line| line.price = UNIT_PRICE_MAX + 1),
            3 => sent.remove.iter_mut().for_each(|line| line.quantity = 0),
            4 => sent.remove.extend(sent.remove.clone()),
            5 => sent.prices.extend(sent.prices.clone()),
            6 => sent.prices.iter_mut().for_each(|line| line.price = UNIT_PRICE_MAX + 1),
            7 => sent.prices.iter_mut().for_each(|line| line.line += 7),
            8 => sent.remove.iter_mut().for_each(|line| line.line += 7),
            9 => (sent.zone, sent.prices, sent.remove, sent.add) = (None, Vec::new(), Vec::new(), Vec::new()),
            10 => {
                for line in &mut sent.add {
                    (line.quantity, line.price) = (LINE_QUANTITY_MAX, UNIT_PRICE_MAX);
                }
            }
            _ => {}
        }
    }

    /// The same edit but for one thing.
    fn nearly_the_same(&mut self, mut sent: Sent) -> Sent {
        match self.dice.below(5) {
            0 => sent.zone = sent.zone.map_or(Some(1), |_| None),
            1 => sent.prices.iter_mut().for_each(|line| line.price ^= 1),
            2 => sent.remove.iter_mut().for_each(|line| line.quantity += 1),
            3 => sent.add.iter_mut().for_each(|line| line.quantity += 1),
            _ => sent.add.reverse(),
        }
        sent
    }
}

/// What a thousand walks must have come by, or they prove less than they say.
pub(super) fn check_reached(reached: &BTreeSet<String>) {
    let expected = [
        "again",
        "no Lines",
        "no Line",
        "no Quantity",
        "no Price",
        "no Total",
        "AtCapacity",
        "ChannelCap",
        "Conflict",
        "CustomerLimit",
        "IllegalState",
        "NotEnoughUnits",
        "OrderLimit",
        "SoldOut",
        "UnknownLine",
        "UnknownOrder",
        "UnknownSku",
        "pending_payment to pending_payment",
        "pending_payment to confirmed",
        "pending_payment to cancelled",
        "payment_failed to payment_failed",
        "payment_failed to cancelled",
        "confirmed to confirmed",
        "confirmed to cancelled",
        "in_review to in_review",
        "in_review to cancelled",
        "fulfilling to fulfilling",
        "fulfilling to completed",
    ];
    let missed: Vec<&str> = expected.into_iter().filter(|came| !reached.contains(&format!("edit: {came}"))).collect();
    assert!(missed.is_empty(), "no walk came by edits that are {missed:?}");
}

/// All units of an order that may be removed.
fn there(view: &OrderView) -> Vec<LineQuantity> {
    let held = (0..).zip(&view.lines).map(|(line, it)| (line, it.owed + it.reserved + it.committed));
    held.filter(|(_, quantity)| *quantity > 0).map(|(line, quantity)| LineQuantity { line, quantity }).collect()
}
