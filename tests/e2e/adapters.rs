//! The hand-off in earnest: a node whose payment provider, warehouse and checker are slow, lose what they are told and
//! say things twice, and which is killed again and again. What the three wrote in their books is held against the
//! orders.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, Instant};

use stockade::adapters::Opinion;
use stockade::base::{ChangeId, MarketId, OrderId, SkuId};
use stockade::client::{Client, QueryReply, Response};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::ledger::Bucket;
use stockade::engine::order::State;
use stockade::engine::query::{CheckState, OrderView};
use stockade::engine::{AsideReason, Command, Effect, Effects, Place, Query, Report};
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
            let patient_with = &[State::PendingPayment, State::InReview, State::Confirmed][..[0, 2, 3][turn / 3 % 3]];
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
async fn settled(client: &Client, market: MarketId, orders: &[OrderId]) -> Views {
    let begun = Instant::now();
    loop {
        let mut left = Vec::new();
        for effect in Effect::ALL {
            assert_eq!(wanted(client, market, effect, true).await, 0, "{} set aside", effect.name());
            left.push(wanted(client, market, effect, false).await);
        }
        // Looked at behind the lists: what was done last is told before it leaves them.
        let mut views = BTreeMap::new();
        for order in orders {
            views.extend(view(client, *order).await.map(|view| (*order, view)));
        }
        let open = views.values().filter(|view| view.state.is_open()).count();
        if open == 0 && left == [0, 0, 0] {
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

async fn leave_all(client: &Client, market: MarketId) {
    let effects = Effects { payment: true, release: true, check: true };
    let set = client.submit(&Command::SetEffects { market, effects }).await.expect("an answer");
    assert!(matches!(set, Response::Answered { .. }), "{set:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_often_it_is_killed_nothing_wanted_is_forgotten_and_nothing_is_done_twice() {
    let dir = tempfile::tempdir().expect("a directory");
    let simulated = Simulated { delay_ms: 60, declined: 100, rejected: 100, doubted: 0, lost: 150, repeated: 300 };
    let simulated = Some(simulated);
    let settings = Settings { simulated, snapshot_log_bytes: 40_000, shards: Some(2), ..Settings::new(dir.path()) };
    let node = Node::start(&settings);
    let client = node.client().await;
    let (market, sku) = stocked(&client, "default", UNITS).await;
    leave_all(&client, market).await;
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
    check_opinions(&views, &settings);
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

type Views = BTreeMap<OrderId, Box<OrderView>>;

/// Holds the books of the checker against the orders: it says one thing of an order, and what it does not trust never
/// leaves.
fn check_opinions(views: &Views, settings: &Settings) {
    let said = books(&settings.books_of("check"));
    let asked: BTreeMap<_, _> = said.iter().map(|line| (line[1].clone(), line[0].clone())).collect();
    assert_eq!(asked.len(), said.len(), "asked again, it said it again");
    let simulated = settings.simulated.expect("there is a checker");
    for (order, view) in views {
        let (said, opinion) = (asked.get(&order.to_string()).map(String::as_str), simulated.opinion(*order));
        let right = match opinion {
            Opinion::Trusted => "trusted",
            Opinion::Rejected => "rejected",
            Opinion::Review => "review",
        };
        assert!(said.is_none_or(|said| said == right), "{order} is {said:?}");
        assert_eq!(view.check, CheckState::Over, "{order} is {:?}", view.state);
        let may_leave = said.is_some() && opinion != Opinion::Rejected;
        assert!(may_leave || view.state != State::Completed, "{order} left, and the checker said {said:?}");
    }
    for word in ["trusted", "rejected"] {
        assert!(asked.values().any(|said| said == word), "nothing was {word}");
    }
}

/// Holds what a provider did against an order: what was taken and did not go back is what its units cost that left.
fn check_money(view: &OrderView, ([authorised, captured, refunded], is_closed): ([u64; 3], bool)) -> u64 {
    let sold = view.lines.iter().map(|line| line.price * u64::from(line.shipped)).sum();
    assert_eq!(captured - refunded, sold, "{} is {:?}", view.order, view.state);
    assert!(authorised <= captured || is_closed, "money of {} stays set aside: {:?}", view.order, view.payments);
    let known: Vec<_> = view.payments.iter().map(|payment| [payment.captured, payment.refunded]).collect();
    assert_eq!(known, [[captured, refunded]], "{} knows what was done", view.order);
    sold
}

/// Holds the books of provider and warehouse against the orders.
fn check(views: &Views, payment: &[Vec<String>], warehouse: &[Vec<String>]) {
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
        let sold = check_money(view, money.get(id).copied().unwrap_or_default());
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

/// Orders of which the checker thinks one thing, so many of them.
fn thought_of(
    client: &Client,
    market: MarketId,
    simulated: Simulated,
    (opinion, count): (Opinion, usize),
) -> Vec<OrderId> {
    let orders = std::iter::repeat_with(|| client.new_order_id(market));
    orders.filter(|order| simulated.opinion(*order) == opinion).take(count).collect()
}

async fn views(client: &Client, orders: &[OrderId]) -> Views {
    let mut views = Views::new();
    for order in orders {
        views.insert(*order, view(client, *order).await.expect("it was placed"));
    }
    views
}

/// Waits until nothing is wanted any more, and a person is to decide about so many.
async fn left_to_a_person(client: &Client, market: MarketId, count: usize) {
    let begun = Instant::now();
    loop {
        let mut left = Vec::new();
        for (effect, aside) in
            [(Effect::Check, true), (Effect::Check, false), (Effect::Payment, false), (Effect::Release, false)]
        {
            left.push(wanted(client, market, effect, aside).await);
        }
        if left == [count, 0, 0, 0] {
            return;
        }
        assert!(begun.elapsed() < PATIENCE, "{left:?} effects wanted");
        tokio::task::yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_leaves_before_somebody_said_that_its_order_is_to_be_trusted() {
    let dir = tempfile::tempdir().expect("a directory");
    let simulated = Simulated { delay_ms: 4, declined: 0, rejected: 300, doubted: 300, lost: 30, repeated: 300 };
    let settings = Settings { simulated: Some(simulated), shards: Some(2), ..Settings::new(dir.path()) };
    let node = Node::start(&settings);
    let client = node.client().await;
    let (market, sku) = stocked(&client, "default", UNITS).await;
    leave_all(&client, market).await;
    let [trusted, rejected, doubted] = [Opinion::Trusted, Opinion::Rejected, Opinion::Review]
        .map(|opinion| thought_of(&client, market, simulated, (opinion, 20)));
    let orders = [&trusted[..], &rejected, &doubted].concat();
    for (turn, order) in orders.iter().enumerate() {
        let lines = [line(sku, 1)];
        let Command::Place(asked) = place(*order, &lines) else { unreachable!("it places") };
        let payment = if turn % 2 == 0 { PaymentMethod::Card } else { PaymentMethod::BankTransfer };
        let placed = client.submit(&Command::Place(Place { payment, ..asked })).await.expect("an answer");
        assert!(matches!(placed, Response::Answered { .. }), "{placed:?}");
    }
    left_to_a_person(&client, market, doubted.len()).await;
    // What waits for a person waits through a restart.
    node.stop();
    let node = Node::start(&settings);
    let client = node.client().await;
    let held = views(&client, &doubted).await;
    for view in held.values() {
        assert_eq!(
            (view.state, view.check, view.missing),
            (State::InReview, CheckState::InReview, 0),
            "{}",
            view.order
        );
    }
    let ended = views(&client, &[&trusted[..], &rejected].concat()).await;
    for (order, view) in &ended {
        let right = if trusted.contains(order) { State::Completed } else { State::Cancelled };
        assert_eq!((view.state, view.check), (right, CheckState::Over), "{order}");
    }
    let told = times(&books(&settings.books_of("warehouse")), "told");
    let trusted_ids: BTreeSet<_> = trusted.iter().map(ToString::to_string).collect();
    assert_eq!(told.keys().cloned().collect::<BTreeSet<_>>(), trusted_ids, "a warehouse heard of these");
    let count = doubted.len() as i64;
    assert_eq!(
        balances(&client, market, sku).await,
        [UNITS as i64 - 2 * count, 0, count, count],
        "what is held is sold"
    );

    for (turn, order) in doubted.iter().enumerate() {
        let report = if turn % 2 == 0 { Report::Done } else { Report::Rejected };
        let command = Command::ReportEffect { order: *order, effect: Effect::Check, attempt: 1, report };
        let said = client.submit(&command).await.expect("an answer");
        assert!(matches!(said, Response::Answered { .. }), "{said:?}");
        // Whoever comes second decides nothing.
        let late = Command::ReportEffect {
            order: *order,
            effect: Effect::Check,
            attempt: 1,
            report: Report::SetAside(AsideReason::Review),
        };
        let said = client.submit(&late).await.expect("an answer");
        assert!(matches!(said, Response::Answered { .. }), "{said:?}");
    }
    let views = settled(&client, market, &orders).await;
    let money = money(&books(&settings.books_of("payment")));
    let mut sold = 0;
    for (order, view) in &views {
        let is_accepted =
            trusted.contains(order) || doubted.iter().position(|other| other == order).is_some_and(|at| at % 2 == 0);
        assert_eq!(view.state, if is_accepted { State::Completed } else { State::Cancelled }, "{order}");
        check_money(view, money[&order.to_string()]);
        sold += i64::from(is_accepted);
    }
    check_opinions(&views, &settings);
    assert_eq!(balances(&client, market, sku).await, [UNITS as i64 - sold, 0, 0, sold], "no unit is stranded");
    node.stop();
}
