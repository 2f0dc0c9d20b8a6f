//! The largest answer of every kind, as it lies on the wire, against what is counted for it.

use super::*;
use crate::base::limits::{CURRENCIES_MAX, RETURNS_PER_ORDER_MAX};
use crate::base::{
    ChangeId, CodeList, Currency, CustomerKey, OrderId, OrderNumber, Sequence, ShardId, SiteId, SkuId, Timestamp,
};
use crate::engine::choices::{PaymentMethod, Take};
use crate::engine::command::IdentityHashes;
use crate::engine::order::{STATES, State};
use crate::engine::query::{
    ChannelPage, ChannelRow, CheckState, DrawView, HeldPage, HeldRow, HistoryPage, HistoryRow, HoldView, HolderPage,
    HolderRow, LineView, OrderPage, OrderRow, OrderView, OrderWaits, PaymentView, ReturnLineView, ReturnPieceView,
    ReturnView, SiteRow, StockRow, TaskPage, TaskRow, VelocityView, WaitRow,
};
use crate::engine::{
    Answer, Books, Component, DISPOSITIONS, Dispute, FailureReason, Granted, Happening, HoldReason, Line, MoneySums,
    Place, Refusal, RetryClass, ReturnKind, ReturnReason, ReturnStage, Stage, Step, TaskKind, Wait,
};
use crate::wire::{Refused, ReplyWriter, Status, Tag};

fn place(lines: &[Line]) -> Command<'_> {
    Command::Place(Place {
        order: order(),
        customer: CustomerKey(1),
        take: Take::WhatExists,
        hold_ms: 1,
        currency: Currency::new(*b"GBP").expect("a currency"),
        payment: PaymentMethod::Card,
        channel: 0,
        zone: 0,
        hashes: None,
        lines,
        details: &[],
        key: None,
    })
}

fn market() -> MarketId {
    MarketId::new(1).expect("fits")
}

fn order() -> OrderId {
    OrderId::new(Timestamp::from_ms(5), market(), 9)
}

fn placed(short: bool) -> Answer {
    let (at, state) = (Timestamp::from_ms(1), State::PendingPayment);
    Answer::Placed { number: OrderNumber(1), accepted_at: at, deadline: at, state, short, owed: short, repeated: false }
}

fn largest_order() -> OrderView {
    let line = LineView {
        sku: SkuId(1),
        asked: 1,
        price: 1,
        taken: 1,
        owed: 1,
        reserved: 1,
        lapsed: 1,
        committed: 1,
        shipped: 1,
        cancelled: 1,
        returned: 1,
        delivered: 1,
    };
    OrderView {
        order: order(),
        number: OrderNumber(1),
        state: State::Confirmed,
        closed: false,
        customer: CustomerKey(1),
        accepted_at: Timestamp::from_ms(1),
        deadline: Timestamp::from_ms(1),
        take: Take::WhatExists,
        currency: Currency::new(*b"GBP").expect("a currency"),
        payment: PaymentMethod::Card,
        channel: 0,
        zone: 0,
        hashes: Some(IdentityHashes { account: 1, address: 1, instrument: 1 }),
        lines: vec![line; LINES_MAX],
        draws: vec![DrawView { line: 0, site: SiteId(1), reserved: 1, committed: 1, shipped: 1 }; ORDER_DRAWS_MAX],
        details: vec![7; DETAILS_BYTES_MAX],
        key: None,
        erased: false,
        holds: vec![longest_hold(); HOLDS_PER_ORDER_MAX],
        missing: 1,
        check: CheckState::InReview,
        // Those that somebody told of, and that of the adapters.
        payments: vec![failed_payment(); PAYMENT_ATTEMPTS_MAX + 1],
        returns: vec![fullest_return(); RETURNS_PER_ORDER_MAX],
    }
}

/// A row of each line that says what was asked costs less than one that says what came in.
fn fullest_return() -> ReturnView {
    let piece = ReturnPieceView { line: 0, site: SiteId(1), received: 1, became: [1; DISPOSITIONS] };
    ReturnView {
        id: ChangeId(1),
        kind: ReturnKind::Refused,
        reason: ReturnReason::Other,
        stage: ReturnStage::Received,
        declined: None,
        until: Timestamp::from_ms(1),
        lines: vec![ReturnLineView { line: 0, asked: 1 }],
        pieces: vec![piece; RETURN_ROWS_MAX / RETURNS_PER_ORDER_MAX - 1],
    }
}

const fn failed_payment() -> PaymentView {
    PaymentView {
        attempt: ChangeId::HANDED_OFF,
        method: PaymentMethod::Card,
        stage: Stage::Failed,
        failure: Some((FailureReason::Declined, RetryClass::Now)),
        dispute: Dispute::Open,
        refund_failed: 1,
        authorised: 1,
        captured: 1,
        refunded: 1,
        refund_asked: 1,
        charged_back: 1,
        until: Timestamp::ZERO,
        step: Step::GiveBack { total: 1 },
    }
}

fn money() -> Vec<(Currency, MoneySums)> {
    let currency = |at: usize| Currency::new([b'A' + (at / 26) as u8, b'A' + (at % 26) as u8, b'A']);
    (0..CURRENCIES_MAX).map(|at| (currency(at).expect("three letters"), MoneySums::from_parts([1; 4]))).collect()
}

fn longest_hold() -> HoldView {
    let (owner, note) = ("o".repeat(CODE_BYTES_MAX), "n".repeat(HOLD_NOTE_BYTES_MAX));
    HoldView { owner, reason: HoldReason::Other, note, since: Timestamp::from_ms(1) }
}

fn written(write: impl FnOnce(&mut ReplyWriter)) -> usize {
    let mut writer = ReplyWriter::default();
    write(&mut writer);
    writer.finish().len()
}

/// The answer is not above its figure, and the figure has little to spare.
fn check(request: &Request<'_>, write: impl FnOnce(&mut ReplyWriter)) {
    let (counted, bytes) = (answer_bytes_max(request), written(write));
    assert!(bytes <= counted, "{bytes} bytes where {counted} were counted");
    assert!(counted <= bytes + 2 * ANSWER_BYTES, "{counted} counted where {bytes} bytes are the most");
}

fn check_query(query: &Query<'_>, write: impl FnOnce(&mut ReplyWriter)) {
    check(&Request::Query(*query), write);
}

#[test]
fn no_answer_to_a_command_or_refusal_is_larger_than_what_is_counted_for_it() {
    let tag = Tag::default();
    let lines = [Line { sku: SkuId(1), quantity: 1, price: 1 }; LINES_MAX];
    check(&Request::Command(place(&lines)), |writer| {
        writer.answer(tag, &placed(true), &[Granted { taken: 1, owed: 1 }; LINES_MAX]);
    });
    check(&Request::Command(place(&lines[..1])), |writer| writer.answer(tag, &placed(false), &[]));
    let cancel = Request::Command(Command::Cancel { order: order(), block: false });
    let done = Answer::Done { state: State::Cancelled, moved: 1, excess: 1, repeated: false };
    check(&cancel, |writer| writer.answer(tag, &done, &[]));
    check(&cancel, |writer| writer.refuse(tag, &Refused::Engine(Refusal::UnknownMarket)));
    assert!(
        written(|writer| writer.answer(tag, &Answer::Numbered { number: 1, repeated: false }, &[])) <= MARKET_BYTES
    );
    assert!(written(|writer| writer.status(tag, &Status::default())) <= STATUS_BYTES);
}

#[test]
fn no_answer_to_a_query_is_larger_than_what_is_counted_for_it() {
    let (tag, market) = (Tag::default(), market());
    let code = "x".repeat(CODE_BYTES_MAX);
    let codes: CodeList = (0..PAGE_ROWS_MAX).map(|_| code.as_str()).collect();
    let row = StockRow { sku: SkuId(1), site: SiteId(1), balances: [1; BUCKETS], owed: 1 };
    for skus in [1, STOCK_ROWS_PER_RECORD_MAX / SITES_MAX, PAGE_ROWS_MAX] {
        let rows = vec![row; STOCK_ROWS_PER_RECORD_MAX.min(skus * SITES_MAX)];
        check_query(&Query::Stock { market, skus: &vec![SkuId(1); skus] }, |writer| writer.stock(tag, &rows));
    }
    let numbers = [Some(SkuId(1)); PAGE_ROWS_MAX];
    check_query(&Query::ResolveSkus { market, codes: codes.codes() }, |writer| writer.sku_numbers(tag, &numbers));
    let sites = vec![SiteRow { site: SiteId(1), rank: 1, code: code.clone() }; SITES_MAX];
    check_query(&Query::Sites { market }, |writer| writer.sites(tag, &sites));
    let recipe = [Component { sku: SkuId(1), units: 1 }; KIT_COMPONENTS_MAX];
    check_query(&Query::Recipe { market, sku: SkuId(1) }, |writer| writer.recipe(tag, &recipe));
    let rows_max = u16::MAX;
    let numbers = [SkuId(1); PAGE_ROWS_MAX];
    let skus = Query::Skus { market, after: SkuId(0), rows_max };
    check_query(&skus, |writer| writer.skus(tag, &numbers, codes.codes()));
    let row =
        OrderRow { order: order(), number: OrderNumber(1), state: State::Confirmed, deadline: Timestamp::from_ms(1) };
    let held = HolderRow { order: row, owed: 1, reserved: 1, committed: 1 };
    let holders = HolderPage { rows: vec![held; PAGE_ROWS_MAX], next: Some(OrderNumber(1)) };
    let of_sku = Query::Holders { market, sku: SkuId(1), after: OrderNumber(0), rows_max };
    check_query(&of_sku, |writer| writer.holders(tag, &holders));
    let hold = HeldRow { order: row, hold: longest_hold() };
    let held = HeldPage { rows: vec![hold; HELD_ROWS_MAX + HOLDS_PER_ORDER_MAX - 1], next: Some(OrderNumber(1)) };
    let held_orders = Query::HeldOrders { market, after: OrderNumber(0), rows_max };
    check_query(&held_orders, |writer| writer.held_orders(tag, &held));
    let words = "w".repeat(TASK_WORDS_BYTES_MAX);
    let (kind, since, currency) = (TaskKind::Held, Timestamp::from_ms(1), Currency::new(*b"GBP").expect("a currency"));
    let task = TaskRow { kind, since, order: row, amount: 1, currency, words: words.clone() };
    let next = Some(task.place());
    let tasks = TaskPage { rows: vec![task; PAGE_ROWS_MAX], next };
    let of_all = Query::Tasks { market, kind: None, after: next, rows_max };
    check_query(&of_all, |writer| writer.tasks(tag, &tasks));
    let wait = WaitRow { what: Wait::Task(kind), since, until: since, amount: 1, words };
    let waits = OrderWaits { currency, rows: vec![wait; ORDER_WAITS_MAX] };
    check_query(&Query::Waits { order: order() }, |writer| writer.waits(tag, &waits));
    let of_customer = Query::Velocity { market, customer: CustomerKey(1), hashes: IdentityHashes::default() };
    check_query(&of_customer, |writer| writer.velocity(tag, &VelocityView::default()));
    let cap = ChannelRow { channel: 1, units_max: 1, held: 1 };
    let caps = ChannelPage { rows: vec![cap; PAGE_ROWS_MAX], next: Some(1) };
    let of_channels = Query::ChannelCaps { market, sku: SkuId(1), after: 0, rows_max };
    check_query(&of_channels, |writer| writer.channel_caps(tag, &caps));
    let happened = HistoryRow {
        place: 1,
        position: Sequence(1),
        at: Timestamp::from_ms(1),
        what: Happening::Placed,
        line: Some(0),
        value: 1,
    };
    let (closed, not_shown, next) = (true, 1, Some(1));
    let rows = vec![happened; 1 + HISTORY_ENTRIES_MAX];
    let history = HistoryPage { shard: ShardId(1), closed, not_shown, rows, next };
    let of_order = Query::OrderHistory { order: order(), after: 0, rows_max };
    check_query(&of_order, |writer| writer.order_history(tag, &history));
    let page = OrderPage { rows: vec![row; PAGE_ROWS_MAX], next: Some(OrderNumber(1)) };
    let of_customer = Query::CustomerOrders { market, customer: CustomerKey(1), before: OrderNumber(0), rows_max };
    check_query(&of_customer, |writer| writer.open_orders(tag, &page));
    let open = Query::OpenOrders { market, after: OrderNumber(0), rows_max };
    check_query(&open, |writer| writer.open_orders(tag, &page));
    let view = largest_order();
    check_query(&Query::Order { order: order() }, |writer| writer.order(tag, &view));
    let by_number = Query::OrderByNumber { market, number: OrderNumber(1) };
    check_query(&by_number, |writer| writer.order(tag, &view));
    let books = Books { units: [1; BUCKETS], owed: 1, orders: [1; STATES], orders_hash: 1, money: money() };
    check_query(&Query::Books { market }, |writer| writer.books(tag, &books, ShardId(1), Sequence(1)));
    let numbered = Answer::Numbered { number: 1, repeated: true };
    check_query(&Query::Market { code: &code }, |writer| writer.answer(tag, &numbered, &[]));
}
