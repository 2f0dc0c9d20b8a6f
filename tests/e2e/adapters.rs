//! The hand-off in earnest: a node whose payment provider and warehouse are slow, lose what they are told and say
//! things twice, and which is killed again and again. What the two wrote in their books is held against the orders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use stockade::base::{ChangeId, MarketId, OrderId, SkuId};
use stockade::client::{Client, QueryReply, Response};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::ledger::Bucket;
use stockade::engine::order::State;
use stockade::engine::query::OrderView;
use stockade::engine::{Command, Effect, Effects, Place, Query};
use stockade::wire::Refused;
use tokio::task::JoinSet;

use crate::child::{Node, Settings, Simulated};
use crate::harness::{line, place, stocked};

const UNITS: u64 = 700;
const KILLS: usize = 6;
const ORDERS_PER_LIFE: usize = 120;
/// Longer than any run takes; only a hand-off that hangs gets there.
const PATIENCE: Duration = Duration::from_secs(120);

/// Lines of the books of a counterparty; one that was cut short by a kill never happened.
fn books(path: &Path) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let whole = text.split_inclusive('\n').filter(|line| line.ends_with('\n'));
    whole.map(|line| line.split_whitespace().map(str::to_owned).collect()).collect()
}

/// Places orders until the node dies under them: some for less time than their payment takes, some cancelled at once.
fn shop(client: &Client, (market, sku): (MarketId, SkuId), orders: &mut Vec<OrderId>) -> JoinSet<()> {
    let mut shoppers = JoinSet::new();
    for turn in 0..ORDERS_PER_LIFE {
        let (client, order) = (client.clone(), client.new_order_id(market));
        orders.push(order);
        shoppers.spawn(async move {
            let lines = [line(sku, 1 + turn as u32 % 2)];
            let Command::Place(asked) = place(order, &lines) else { unreachable!("it places") };
            let hold_ms = if turn % 4 == 0 { 40 } else { asked.hold_ms };
            // A node that is killed answers nothing.
            let payment = if turn % 2 == 0 { PaymentMethod::Card } else { PaymentMethod::BankTransfer };
            let placed = client.submit(&Command::Place(Place { hold_ms, payment, ..asked })).await;
            if placed.is_err() || turn % 3 > 0 {
                return;
            }
            // At once, after it was paid for, or after the goods left.
            let patient_with = &[State::PendingPayment, State::Confirmed][..turn / 3 % 3];
            while let Ok(QueryReply::Order(view)) = client.query(&Query::Order { order }).await
                && patient_with.contains(&view.state)
            {
                tokio::task::yield_now().await;
            }
            let _cancelled = client.submit(&Command::Cancel { order, block: false }).await;
        });
    }
    shoppers
}

async fn wanted(client: &Client, market: MarketId, effect: Effect, aside: bool) -> usize {
    let query = Query::Wanted { market: Some(market), effect, aside, after: 0, rows_max: 256 };
    match client.query(&query).await.expect("an answer") {
        QueryReply::Wanted(page) => page.rows.len() + usize::from(page.next.is_some()),
        other => panic!("{other:?}"),
    }
}

async fn view(client: &Client, order: OrderId) -> Option<Box<OrderView>> {
    match client.query(&Query::Order { order }).await.expect("an answer") {
        QueryReply::Order(view) => Some(view),
        QueryReply::Refused(Refused::Engine(_)) => None,
        other => panic!("{other:?}"),
    }
}

/// Waits until nothing is wanted and no order is open any more; the orders as they are then.
async fn settled(client: &Client, market: MarketId, orders: &[OrderId]) -> BTreeMap<OrderId, Box<OrderView>> {
    let begun = Instant::now();
    loop {
        let mut views = BTreeMap::new();
        for order in orders {
            views.extend(view(client, *order).await.map(|view| (*order, view)));
        }
        let open = views.values().filter(|view| view.state.is_open()).count();
        let mut left = Vec::new();
        for effect in Effect::ALL {
            assert_eq!(wanted(client, market, effect, true).await, 0, "{} set aside", effect.name());
            left.push(wanted(client, market, effect, false).await);
        }
        if open == 0 && left == [0, 0] {
            return views;
        }
        assert!(begun.elapsed() < PATIENCE, "{open} orders open, {left:?} effects wanted");
        tokio::task::yield_now().await;
    }
}

async fn balances(client: &Client, market: MarketId, sku: SkuId) -> [i64; 4] {
    match client.query(&Query::Stock { market, skus: &[sku] }).await.expect("an answer") {
        QueryReply::Stock(rows) => [Bucket::Available, Bucket::Reserved, Bucket::Committed, Bucket::Customer]
            .map(|bucket| rows.iter().map(|row| row.balance(bucket)).sum()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_often_it_is_killed_nothing_wanted_is_forgotten_and_nothing_is_done_twice() {
    let dir = tempfile::tempdir().expect("a directory");
    let simulated = Some(Simulated { delay_ms: 60, declined: 100, lost: 150, repeated: 300 });
    let settings = Settings { simulated, snapshot_log_bytes: 40_000, shards: Some(2), ..Settings::new(dir.path()) };
    let node = Node::start(&settings);
    let client = node.client().await;
    let (market, sku) = stocked(&client, "default", UNITS).await;
    let effects = Effects { payment: true, release: true, check: false };
    let set = client.submit(&Command::SetEffects { market, effects }).await.expect("an answer");
    assert!(matches!(set, Response::Answered { .. }), "{set:?}");
    node.stop();

    let (payment, warehouse) = (settings.books_of("payment"), settings.books_of("warehouse"));
    let mut orders = Vec::new();
    for life in 0..KILLS {
        let node = Node::start(&settings);
        let client = node.client().await;
        let done = |_: ()| books(&payment).len() + books(&warehouse).len();
        let before = done(());
        let mut shoppers = shop(&client, (market, sku), &mut orders);
        // In the middle of it, each time further on.
        let begun = Instant::now();
        while done(()) < before + 10 + 30 * life {
            assert!(begun.elapsed() < PATIENCE, "life {life}: {} lines in the books", done(()) - before);
            tokio::task::yield_now().await;
        }
        node.kill();
        shoppers.shutdown().await;
    }
    let node = Node::start(&settings);
    let client = node.client().await;
    shop(&client, (market, sku), &mut orders).join_all().await;
    let views = settled(&client, market, &orders).await;
    check(&views, &books(&payment), &books(&warehouse));
    let sold = views.values().flat_map(|view| &view.lines).map(|line| i64::from(line.shipped)).sum();
    assert_eq!(balances(&client, market, sku).await, [UNITS as i64 - sold, 0, 0, sold], "no unit is stranded");
    node.stop();
}

/// What a line of books says was done to an order, how often.
fn times(books: &[Vec<String>], word: &str) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::<String, usize>::new();
    for line in books.iter().filter(|line| line[0] == word) {
        *times.entry(line[1].clone()).or_default() += 1;
    }
    times
}

/// What a provider did to the one attempt that adapters make of an order: authorised, captured, refunded, in all, and
/// whether it is closed. Each amount only grows, so whatever is done twice is not done twice.
fn money(books: &[Vec<String>]) -> BTreeMap<String, ([u64; 3], bool)> {
    let mut money = BTreeMap::<String, ([u64; 3], bool)>::new();
    for line in books {
        let [word, order, attempt, total, currency] = &line[..] else { panic!("{line:?}") };
        assert_eq!((attempt, currency.as_str()), (&ChangeId::HANDED_OFF.to_string(), "GBP"), "{line:?}");
        let (sums, is_closed) = money.entry(order.clone()).or_default();
        let total: u64 = total.parse().expect("minor units");
        match ["authorised", "captured", "refunded"].iter().position(|known| known == word) {
            Some(at) => assert!(std::mem::replace(&mut sums[at], total) < total, "done twice: {line:?}"),
            None => *is_closed = true,
        }
        let [authorised, captured, refunded] = *sums;
        assert!(refunded <= captured && (authorised == 0 || captured <= authorised), "{line:?} after {sums:?}");
    }
    money
}

/// Holds the books of both against the orders.
fn check(views: &BTreeMap<OrderId, Box<OrderView>>, payment: &[Vec<String>], warehouse: &[Vec<String>]) {
    let money = money(payment);
    let (told, handed_over) = (times(warehouse, "told"), times(warehouse, "handed_over"));
    assert!(handed_over.values().all(|times| *times == 1), "handed over more than once: {handed_over:?}");
    for (what, orders) in [("paid", money.keys().collect::<Vec<_>>()), ("handed over", handed_over.keys().collect())] {
        let unknown: Vec<_> =
            orders.into_iter().filter(|id| !views.keys().any(|order| order.to_string() == **id)).collect();
        assert!(unknown.is_empty(), "{what} without an order that was accepted: {unknown:?}");
    }
    let mut states = BTreeSet::new();
    for (order, view) in views {
        let id = &order.to_string();
        let ([authorised, captured, refunded], is_closed) = money.get(id).copied().unwrap_or_default();
        let sold: u64 = view.lines.iter().map(|line| line.price * u64::from(line.shipped)).sum();
        assert_eq!(captured - refunded, sold, "{order} is {:?}", view.state);
        assert!(authorised <= captured || is_closed, "money of {order} stays set aside: {:?}", view.payments);
        let known: Vec<_> = view.payments.iter().map(|payment| [payment.captured, payment.refunded]).collect();
        assert_eq!(known, [[captured, refunded]], "{order} knows what was done");
        let is_sold = view.state == State::Completed;
        assert_eq!(sold > 0, is_sold, "{order} is {:?}", view.state);
        assert!(!is_sold || told.contains_key(id) && handed_over.contains_key(id), "{order} is sold and never left");
        states.insert(view.state as u8);
    }
    for word in ["authorised", "captured", "refunded", "closed", "declined"] {
        assert!(!times(payment, word).is_empty(), "nothing was {word}");
    }
    let seen = [State::Completed, State::Cancelled, State::Expired].map(|state| state as u8);
    assert_eq!(states, BTreeSet::from(seen), "every way to end was gone");
}
