//! One of everything, made from a handful of ingredients: a property test varies them, a golden file pins one set.

use crate::base::{
    ChangeId, CodeList, Currency, CustomerKey, MarketId, OrderId, OrderNumber, RequestId, Sequence, ShardId, SiteId,
    SkuId, Timestamp,
};
use crate::engine::choices::{AdjustReason, PaymentMethod, Take};
use crate::engine::command::IdentityHashes;
use crate::engine::fact::Change;
use crate::engine::ledger::{Account, Bucket};
use crate::engine::order::State;
use crate::engine::query::{
    DrawView, HolderPage, HolderRow, LineView, OrderPage, OrderRow, OrderView, RetentionView, SiteRow, StockRow,
    WantPage, WantRow,
};
use crate::engine::refusal::{Field, Legal};
use crate::engine::{
    Answer, Books, Command, Component, Draw, Fact, Granted, Line, LinePrice, LineQuantity, Place, Placed, Query,
    Refusal, StockLevel,
};
use crate::wire::{BooksAt, Grants, Hello, Part, Refused, Reply, ServerVersion, SkuRow};

mod edits;
mod holds;
mod payments;
mod returns;
mod settings;
mod status;
mod tasks;
mod velocity;

/// What samples are made of.
#[derive(Debug, Clone)]
pub(super) struct Ingredients {
    pub(super) words: [u64; 8],
    pub(super) pick: u8,
    pub(super) lines: Vec<Line>,
    pub(super) quantities: Vec<LineQuantity>,
    pub(super) prices: Vec<LinePrice>,
    pub(super) draws: Vec<Draw>,
    pub(super) granted: Vec<Granted>,
    pub(super) skus: Vec<SkuId>,
    pub(super) components: Vec<Component>,
    pub(super) codes: CodeList,
    pub(super) code: String,
    pub(super) details: Vec<u8>,
    pub(super) orders: Vec<OrderId>,
}

impl Ingredients {
    /// The set of the golden files.
    pub(super) fn example() -> Self {
        let line = |sku, quantity, price| Line { sku: SkuId(sku), quantity, price };
        let draw = |line, site, quantity| Draw { line, site: SiteId(site), quantity };
        Self {
            words: core::array::from_fn(|at| 0x0101_0101_0101_0101 * (at as u64 + 1)),
            pick: 1,
            lines: vec![line(7, 2, 1_299), line(8, 1, 0)],
            quantities: vec![LineQuantity { line: 0, quantity: 2 }, LineQuantity { line: 1, quantity: 1 }],
            prices: vec![LinePrice { line: 1, price: 250 }],
            draws: vec![draw(0, 1, 2), draw(1, 2, 1)],
            granted: vec![Granted { taken: 2, owed: 1 }, Granted { taken: 0, owed: 0 }],
            skus: vec![SkuId(7), SkuId(8)],
            components: vec![Component { sku: SkuId(7), units: 2 }, Component { sku: SkuId(8), units: 1 }],
            codes: ["85123A", "é"].into_iter().collect(),
            code: "22633".to_owned(),
            details: b"hello".to_vec(),
            orders: vec![OrderId::from_bits(7), OrderId::from_bits(u128::MAX - 1)],
        }
    }

    const fn word(&self, at: usize) -> u64 {
        self.words[at % 8]
    }

    const fn small(&self, at: usize) -> u16 {
        (self.word(at) & 0xFFFF) as u16
    }

    const fn medium(&self, at: usize) -> u32 {
        (self.word(at) & 0xFFFF_FFFF) as u32
    }

    fn wide(&self, at: usize) -> u128 {
        u128::from(self.word(at)) << 64 | u128::from(self.word(at + 1))
    }

    const fn yes(&self, bit: u8) -> bool {
        self.pick >> bit & 1 == 1
    }

    fn market(&self) -> MarketId {
        MarketId::new(self.medium(2) & MarketId::MAX.number()).expect("20 bits fit")
    }

    fn order(&self) -> OrderId {
        OrderId::from_bits(self.wide(0))
    }

    fn time(&self, at: usize) -> Timestamp {
        Timestamp::from_ms(self.word(at) & Timestamp::MAX.ms())
    }

    fn state(&self) -> State {
        State::ALL[usize::from(self.pick) % State::ALL.len()]
    }

    const fn take(&self) -> Take {
        if self.yes(0) { Take::WhatExists } else { Take::AllOrNothing }
    }

    fn payment(&self) -> PaymentMethod {
        PaymentMethod::from_byte(self.pick % 6).expect("six methods")
    }

    fn currency(&self) -> Currency {
        Currency::new([b'A' + self.pick % 26, b'B', b'P']).expect("three letters")
    }

    fn hashes(&self) -> Option<IdentityHashes> {
        let hashes = IdentityHashes { account: self.word(3), address: self.word(4), instrument: self.word(5) };
        self.yes(0).then_some(hashes)
    }

    fn place(&self) -> Place<'_> {
        Place {
            order: self.order(),
            customer: CustomerKey(self.wide(2)),
            take: self.take(),
            hold_ms: self.medium(4),
            currency: self.currency(),
            payment: self.payment(),
            channel: self.small(5),
            zone: self.small(6),
            hashes: self.hashes(),
            lines: &self.lines,
            details: &self.details,
            key: None,
        }
    }

    /// Every command a client can send.
    pub(super) fn commands(&self) -> Vec<Command<'_>> {
        let (market, code, order, change) = (self.market(), self.code.as_str(), self.order(), ChangeId(self.word(5)));
        let (request, sku) = (RequestId::from_bits(self.wide(4)), SkuId(self.medium(1)));
        let (site, lines) = (SiteId(self.small(3)), self.quantities.as_slice());
        let reason = AdjustReason::from_byte(self.pick % 5).expect("five reasons");
        let mut all = vec![
            Command::AssignMarket { code },
            Command::CreateSite { market, rank: self.small(0), code },
            Command::CreateSku { market, code },
            Command::Receive { request, sku, site, quantity: self.word(6) },
            Command::Adjust { request, sku, site, delta: self.word(6).cast_signed(), reason },
            Command::Place(self.place()),
            Command::Confirm { order, attempt: change },
            Command::Cancel { order, block: self.yes(0) },
            Command::CancelLines { order, change, lines },
            Command::HandOver { order, change, lines },
            Command::ReturnToStock { order, change, site, lines },
            Command::SetRetention { market, retention: self.retention() },
            Command::SetPolicy { market, sku, policy: self.policy() },
            Command::SetEffects { market, effects: self.effects() },
            Command::ReportEffect { order, effect: self.effect(), attempt: self.medium(4), report: self.report() },
            Command::Extend { order, until: self.time(2), reason: self.extend_reason() },
            Command::SetReservations { market, reservations: self.reservations() },
            Command::SetVelocity { market, velocity: self.velocity() },
            Command::SetChannelCap { market, sku, channel: self.small(3), units_max: self.units_max() },
            Command::MoveStock { request, sku, from: self.account(0), to: self.account(4), quantity: self.word(2) },
            Command::CountStock { request, sku, site, expected: self.word(3), counted: self.word(4) },
            Command::ReportCount { request, sku, site, as_of: Sequence(self.word(5)), counted: self.word(4) },
            Command::DefineKit { market, code, components: &self.components },
            Command::Erase { whose: self.whose() },
            Command::HoldOrder { order, owner: code, reason: self.hold_reason(), note: self.codes.codes().text() },
            Command::LiftHold { order, owner: code, reason: self.hold_reason() },
        ];
        all.extend(self.payment_commands());
        all.extend(self.return_commands());
        all.push(self.edit_command());
        all
    }

    /// Every query.
    pub(super) fn queries(&self) -> Vec<Query<'_>> {
        let (market, rows_max) = (self.market(), self.small(0));
        vec![
            Query::Stock { market, skus: &self.skus },
            Query::Availability { market, skus: &self.skus },
            Query::ResolveSkus { market, codes: self.codes.codes() },
            Query::Sites { market },
            Query::Skus { market, after: SkuId(self.medium(1)), rows_max },
            Query::Order { order: self.order() },
            Query::OrderByNumber { market, number: OrderNumber(self.word(3)) },
            Query::OpenOrders { market, after: OrderNumber(self.word(4)), rows_max },
            Query::Books { market },
            Query::CustomerOrders {
                market,
                customer: CustomerKey(self.wide(2)),
                before: OrderNumber(self.word(1)),
                rows_max,
            },
            Query::Holders { market, sku: SkuId(self.medium(3)), after: OrderNumber(self.word(2)), rows_max },
            Query::OrderHistory { order: self.order(), after: self.medium(5), rows_max },
            Query::HeldOrders { market, after: OrderNumber(self.word(6)), rows_max },
            Query::Tasks { market, kind: self.yes(1).then_some(self.task_kind()), after: self.task_place(), rows_max },
            Query::Waits { order: self.order() },
            self.velocity_query(),
            Query::Recipe { market, sku: SkuId(self.medium(2)) },
            Query::Market { code: &self.code },
            Query::Retention { market },
            Query::Policy { market, sku: SkuId(self.medium(1)) },
            Query::Effects { market },
            Query::Reservations { market },
            Query::ChannelCaps { market, sku: SkuId(self.medium(3)), after: self.small(1), rows_max },
            Query::Wanted {
                market: (market != MarketId::default()).then_some(market),
                effect: self.effect(),
                aside: self.yes(2),
                after: self.word(5),
                rows_max,
            },
        ]
    }

    fn account(&self, at: usize) -> Account {
        let bucket = Bucket::ALL[usize::from(self.small(at)) % Bucket::ALL.len()];
        Account { site: SiteId(self.small(at + 1)), bucket }
    }

    fn level(&self) -> StockLevel {
        StockLevel::from_byte(self.pick % 3).expect("three levels")
    }

    fn placed(&self) -> Placed<'_> {
        let place = self.place();
        Placed {
            order: place.order,
            customer: place.customer,
            take: place.take,
            hold_ms: place.hold_ms,
            currency: place.currency,
            payment: place.payment,
            channel: place.channel,
            zone: place.zone,
            confirmed: self.yes(1),
            hashes: place.hashes,
            lines: &self.lines,
            draws: &self.draws,
            details: &self.details,
            key: self.key(),
        }
    }

    /// Every fact.
    pub(super) fn facts(&self) -> Vec<Fact<'_>> {
        let (market, code, order, attempt) = (self.market(), self.code.as_str(), self.order(), ChangeId(self.word(5)));
        let (request, sku) = (RequestId::from_bits(self.wide(4)), SkuId(self.medium(1)));
        let (site, draws) = (SiteId(self.small(3)), self.draws.as_slice());
        let change = Change { id: attempt, content: self.word(6), excess: self.word(7) };
        let reason = AdjustReason::from_byte(self.pick % 5).expect("five reasons");
        let mut all = vec![
            Fact::MarketAssigned { market, shard: ShardId(self.small(6)), code },
            Fact::MarketOpened { market, code },
            Fact::SiteCreated { market, site, rank: self.small(0), code },
            Fact::SkuCreated { market, sku, code },
            Fact::Received { request, sku, site, quantity: self.word(6) },
            Fact::Adjusted { request, sku, site, delta: self.word(6).cast_signed(), reason },
            Fact::Placed(self.placed()),
            Fact::Confirmed { order, attempt, entered: self.word(7), draws },
            Fact::RetakeFailed { order, attempt, sku },
            Fact::Cancelled { order },
            Fact::Blocked { order },
            Fact::LinesCancelled { order, change, draws },
            Fact::Expired { order },
            Fact::HandedOver { order, change, draws },
            Fact::Returned { order, change, site, draws },
            Fact::RetentionSet { market, retention: self.retention() },
            Fact::Retired { market, before: self.time(3) },
            Fact::Closed { orders: &self.orders },
            Fact::Left { orders: &self.orders },
            Fact::PolicySet { market, sku, policy: self.policy() },
            Fact::EffectsSet { market, effects: self.effects() },
            Fact::EffectReported { order, effect: self.effect(), attempt: self.medium(4), report: self.report() },
            Fact::Extended { order, deadline: self.time(2), reason: self.extend_reason() },
            Fact::ReservationsSet { market, reservations: self.reservations() },
            Fact::VelocitySet { market, velocity: self.velocity() },
            Fact::ChannelCapSet { market, sku, channel: self.small(3), units_max: self.units_max() },
            Fact::StockMoved { request, sku, from: self.account(1), to: self.account(3), quantity: self.word(2) },
            Fact::StockCounted { request, sku, site, expected: self.word(3), counted: self.word(4) },
            self.count_reported(request, sku, site),
            Fact::OrderPutBack { order, sku, draws },
            Fact::Filled { order, draws },
            Fact::StockLevelChanged { market, sku, level: self.level(), for_sale: self.word(1) },
            Fact::KitDefined { market, sku, code, components: &self.components },
            Fact::CursorMoved { sink: code, upto: Sequence(self.word(7)), attached: self.yes(0) },
            Fact::Erased { whose: self.whose() },
            Fact::Held { order, owner: code, reason: self.hold_reason(), note: self.codes.codes().text() },
            Fact::HoldLifted { order, owner: code, reason: self.hold_reason() },
        ];
        all.extend(self.payment_facts());
        all.extend(self.return_facts());
        all.push(self.edit_fact(change));
        all
    }

    /// Every answer, a placement whole, short, owed, and both.
    pub(super) fn answers(&self) -> Vec<Answer> {
        let (state, repeated) = (self.state(), self.yes(0));
        let placed = |short, owed| Answer::Placed {
            number: OrderNumber(self.word(0)),
            accepted_at: self.time(1),
            deadline: self.time(2),
            state,
            short,
            owed,
            repeated,
        };
        vec![
            Answer::Numbered { number: self.medium(0), repeated },
            Answer::Stock { available: self.word(3), repeated },
            placed(false, false),
            placed(true, false),
            Answer::Done { state, moved: self.word(4), excess: self.word(5), repeated },
            Answer::RetakeFailed { sku: SkuId(self.medium(6)), repeated },
            Answer::Set { repeated },
            Answer::Extended { deadline: self.time(4), repeated },
            placed(false, true),
            placed(true, true),
            Answer::Erased { orders: self.medium(5), repeated },
            Answer::Return { state, stage: self.return_stage(0), moved: self.word(6), repeated },
        ]
    }

    /// Every refusal.
    pub(super) fn refusals(&self) -> Vec<Refused> {
        let (sku, line, first, second) = (SkuId(self.medium(1)), self.small(2), self.word(3), self.word(4));
        let field = Field::ALL[usize::from(self.pick) % Field::ALL.len()];
        let engine = [
            Refusal::UnknownMarket,
            Refusal::UnknownSite,
            Refusal::UnknownSku { sku },
            Refusal::UnknownOrder,
            Refusal::UnknownLine { line },
            Refusal::SoldOut { sku, asked: first, available: second },
            Refusal::Conflict,
            Refusal::Blocked,
            Refusal::IllegalState { state: self.state(), legal: Legal(self.pick) },
            Refusal::IdFromFuture { now: self.time(5) },
            Refusal::IdTooOld,
            Refusal::AtCapacity,
            Refusal::TooManyChanges,
            Refusal::OutOfBounds { field, min: first, max: second },
            Refusal::NotAvailable { available: first },
            Refusal::NotEnoughUnits { line, units: second },
            Refusal::TooManyDraws,
            Refusal::Closed { state: self.state() },
            Refusal::OrderLimit { sku, min: first, max: second },
            Refusal::CustomerLimit { sku, max: first, left: second, daily: self.yes(2) },
            Refusal::NotAsExpected { on_hand: first },
            Refusal::UnknownMovement,
            Refusal::IsKit { sku },
            Refusal::NotAKit { sku },
            Refusal::EventForgotten { oldest: Sequence(first) },
            Refusal::EventFromFuture { newest: Sequence(second) },
            Refusal::ChannelCap { sku, max: first, left: second },
            Refusal::Erased,
        ];
        let doors = [
            Refused::Malformed { field: Part::ALL[usize::from(self.pick) % Part::ALL.len()] as u8 },
            Refused::UnknownKind { kind: self.pick },
            Refused::UnknownVersion { kind: self.pick, version: 9 },
            Refused::Overloaded { retry_after_ms: self.medium(7) },
            Refused::DeadlinePassed,
            Refused::DiskLow,
            Refused::ShuttingDown,
        ];
        let returns = [Refusal::UnknownReturn, Refusal::IllegalReturn { stage: self.return_stage(1) }];
        let engine = engine.into_iter().chain(self.payment_refusals()).chain(returns);
        engine.map(Refused::Engine).chain(doors).collect()
    }

    pub(super) fn order_view(&self) -> OrderView {
        let place = self.place();
        OrderView {
            order: place.order,
            number: OrderNumber(self.word(0)),
            state: self.state(),
            closed: self.yes(2),
            customer: place.customer,
            accepted_at: self.time(1),
            deadline: self.time(2),
            take: place.take,
            currency: place.currency,
            payment: place.payment,
            channel: place.channel,
            zone: place.zone,
            hashes: place.hashes,
            lines: self.lines.iter().map(|line| self.line_view(line)).collect(),
            draws: self.draws.iter().map(|draw| self.draw_view(draw)).collect(),
            details: if self.is_erased() { Vec::new() } else { self.details.clone() },
            key: None,
            erased: self.is_erased(),
            holds: self.holds(),
            missing: u64::from(place.zone) * 1_000_003,
            check: self.check_state(),
            payments: self.payments(),
            returns: self.returns(),
        }
    }

    const fn line_view(&self, line: &Line) -> LineView {
        LineView {
            sku: line.sku,
            asked: line.quantity,
            price: line.price,
            taken: self.medium(0),
            owed: self.medium(7),
            reserved: self.medium(1),
            lapsed: self.medium(2),
            committed: self.medium(3),
            shipped: self.medium(4),
            cancelled: self.medium(5),
            returned: self.medium(6),
            delivered: self.medium(0) / 3,
        }
    }

    const fn draw_view(&self, draw: &Draw) -> DrawView {
        let (line, site, reserved) = (draw.line, draw.site, draw.quantity);
        DrawView { line, site, reserved, committed: self.medium(3), shipped: self.medium(4) }
    }

    fn want_row(&self) -> WantRow {
        WantRow {
            place: self.word(0),
            order: self.order(),
            number: OrderNumber(self.word(1)),
            action: self.action(),
            attempt: self.medium(2),
            since: self.time(3),
            aside: self.aside(),
            state: self.state(),
            amount: self.word(4),
            currency: self.currency(),
            payment: self.payment(),
        }
    }

    /// The greeting.
    pub(super) fn hello(&self) -> Hello {
        let version = ServerVersion { major: 1, minor: 2, patch: self.small(0) };
        Hello { version, ..Hello::of_this_build(self.small(1), self.time(0)) }
    }

    /// Every reply to a query, as a client sees it.
    pub(super) fn query_replies(&self) -> Vec<Reply<'static>> {
        let balances = core::array::from_fn(|at| self.word(at).cast_signed());
        let site = |code: &str| SiteRow { site: SiteId(self.small(1)), rank: self.small(2), code: code.to_owned() };
        let sku = |(sku, code): (&SkuId, &str)| SkuRow { sku: *sku, code: code.to_owned() };
        let (order, number) = (self.order(), OrderNumber(self.word(3)));
        let row = OrderRow { order, number, state: self.state(), deadline: self.time(4) };
        let holder = HolderRow { order: row, owed: self.word(1), reserved: self.word(5), committed: self.word(7) };
        let orders = core::array::from_fn(|at| self.word(at));
        let (units, orders_hash, money) = (balances, self.wide(6), self.money());
        let books = Books { units, owed: self.word(2), orders, orders_hash, money };
        let at = BooksAt { stream: ShardId(self.small(0)), sequence: Sequence(self.word(1)), books };
        let (at_site, owed) = (SiteId(self.small(1)), self.word(5));
        let stock = self.skus.iter().map(|sku| StockRow { sku: *sku, site: at_site, balances, owed });
        vec![
            Reply::Stock { rows: stock.collect(), more: false },
            Reply::Availability((0..self.skus.len()).map(|at| self.word(at)).collect()),
            Reply::SkuNumbers(self.skus.iter().map(|sku| (sku.0 != 0).then_some(*sku)).collect()),
            Reply::Sites(self.codes.codes().iter().map(site).collect()),
            Reply::Skus(self.skus.iter().zip(self.codes.codes().iter()).map(sku).collect()),
            Reply::Order(Box::new(self.order_view())),
            Reply::OpenOrders(OrderPage { rows: vec![row; self.skus.len()], next: (number.0 != 0).then_some(number) }),
            Reply::Holders(HolderPage { rows: vec![holder; self.skus.len()], next: (number.0 != 0).then_some(number) }),
            Reply::HeldOrders(self.held_page(row)),
            Reply::Tasks(self.task_page(row)),
            Reply::Waits(self.order_waits()),
            Reply::Velocity(self.velocity_view()),
            Reply::OrderHistory(self.history_page()),
            Reply::Books(Box::new(at)),
            Reply::Status(Box::new(self.status())),
            Reply::Policy(self.policy()),
            Reply::Recipe(self.components.clone()),
            Reply::Effects(self.effects()),
            Reply::Reservations(self.reservations()),
            Reply::ChannelCaps(self.channel_page()),
            Reply::Wanted(WantPage { rows: vec![self.want_row(); self.skus.len()], next: self.yes(5).then_some(7) }),
            Reply::Retention(RetentionView { retention: self.retention(), retired_before: self.time(3) }),
        ]
    }

    /// Every reply there is: answers, refusals, replies to queries.
    pub(super) fn replies(&self) -> Vec<Reply<'static>> {
        let answers = self.answers().into_iter().map(|answer| Reply::Answer(answer, Grants::default()));
        let refusals = self.refusals().into_iter().map(Reply::Refused);
        answers.chain(refusals).chain(self.query_replies()).collect()
    }
}
