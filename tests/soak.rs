//! A sale that goes on for ever, in simulated time: however many orders came and went, memory is what is kept, and the
//! books are of all of them.
//!
//! Of 100 orders 80 are confirmed, 5 cancelled and 15 expire; of the 80, 70 are handed over soon and 10 late. Return
//! windows are short, so most orders have left when the next ones come.
//!
//! ```text
//! STOCKADE_SOAK_ORDERS=50000000 cargo test --release --test soak -- --nocapture
//! ```

use std::collections::{BTreeMap, VecDeque};

use stockade::base::{
    ChangeId, Currency, CustomerKey, MarketId, OrderId, RequestId, ShardId, SiteId, SkuId, Timestamp,
};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::ledger::Bucket;
use stockade::engine::order::{LineUnits, STATES, State};
use stockade::engine::{
    Capacity, Command, Engine, Fact, Kept, Line, LineQuantity, Place, Refusal, Retention, Scratch, order_hash,
};

const ORDERS_VARIABLE: &str = "STOCKADE_SOAK_ORDERS";
const ORDERS_DEFAULT: u64 = 1_000_000;
const START: Timestamp = Timestamp::from_ms(1_760_000_000_000);
const MARKET: MarketId = MarketId::new(1).expect("1 fits");
const RETENTION: Retention = Retention { return_window_ms: 1_000, ids_kept_ms: 60_000 };
/// Orders placed in one millisecond of simulated time.
const ORDERS_PER_MS: u64 = 1;
const HOLD_MS: u32 = 2_000;
/// When an order is confirmed or cancelled, handed over, and handed over late.
const PAID_AFTER_MS: u64 = 500;
const HANDED_OVER_AFTER_MS: u64 = 3_000;
const LATE_AFTER_MS: u64 = 20_000;
/// Orders that can be known at once: those of the time for which identifiers are kept, and what is open longer.
const KEPT_MAX: u64 = (RETENTION.ids_kept_ms + LATE_AFTER_MS) * ORDERS_PER_MS;

/// What becomes of an order.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    HandedOver,
    HandedOverLate,
    Cancelled,
    Expired,
}

const fn fate(number: u64) -> Fate {
    match number % 100 {
        0..70 => Fate::HandedOver,
        70..80 => Fate::HandedOverLate,
        80..85 => Fate::Cancelled,
        _ => Fate::Expired,
    }
}

/// Most orders have a line or two; one in a thousand is long, one in ten has details.
const fn line_count(number: u64) -> usize {
    match number % 1_000 {
        7 => 40,
        other => 1 + other as usize % 3,
    }
}

struct Sale {
    engine: Engine,
    scratch: Scratch,
    now: Timestamp,
    /// What is still to be done, by the moment it is due.
    due: BTreeMap<u64, VecDeque<u64>>,
    retired: Vec<OrderId>,
    facts: u64,
    states: [u64; STATES],
    hash: u128,
    handed_over: i64,
}

impl Sale {
    fn new(orders: u64) -> Self {
        let engine = Engine::new(ShardId(0), 1, Capacity { orders_max: 2 * KEPT_MAX, ..Capacity::default() });
        let mut sale = Self {
            engine,
            scratch: Scratch::default(),
            now: START,
            due: BTreeMap::new(),
            retired: Vec::new(),
            facts: 0,
            states: [0; STATES],
            hash: 0,
            handed_over: 0,
        };
        sale.submit(&Command::AssignMarket { code: "sale" });
        sale.submit(&Command::OpenMarket { market: MARKET, code: "sale" });
        sale.submit(&Command::SetRetention { market: MARKET, retention: RETENTION });
        for number in 1..=3_u32 {
            sale.submit(&Command::CreateSku { market: MARKET, code: &format!("sku {number}") });
            let request = RequestId::new(START, MARKET, number.into());
            let quantity = 100 * orders;
            sale.submit(&Command::Receive { request, sku: SkuId(number), site: SiteId(1), quantity });
        }
        sale
    }

    fn submit(&mut self, command: &Command<'_>) {
        let Self { engine, scratch, now, facts, .. } = self;
        let answer = engine.submit(command, *now, scratch, &mut |_| *facts += 1);
        assert!(answer.is_ok(), "{command:?}: {answer:?}");
    }

    /// One millisecond: what is due, new orders, and the sweeps of a turn.
    fn tick(&mut self, numbers: std::ops::Range<u64>) {
        while let Some(due) = self.due.first_entry().filter(|due| *due.key() <= self.now.ms()) {
            for number in due.remove() {
                self.go_on(number);
            }
        }
        for number in numbers {
            self.place(number);
        }
        while let Some(fact) = self.engine.next_due(self.now) {
            self.engine.fold(&fact, self.now);
        }
        while let Some(fact) = self.engine.next_retirement(self.now, &mut self.retired) {
            self.engine.fold(&fact, self.now);
        }
        self.now = self.now.after_ms(1);
    }

    fn place(&mut self, number: u64) {
        let order = order_id(number);
        place(number, |mut place| {
            place.key = self.engine.key_for(&place);
            self.submit(&Command::Place(place));
        });
        if fate(number) != Fate::Expired {
            self.due.entry(self.now.ms() + PAID_AFTER_MS).or_default().push_back(number);
        }
        self.count(order, number);
    }

    /// The next step of an order that is not left to itself.
    fn go_on(&mut self, number: u64) {
        let order = order_id(number);
        let age_ms = self.now.since_ms(order.made_at());
        let hand_over_at = match fate(number) {
            Fate::HandedOver => HANDED_OVER_AFTER_MS,
            Fate::HandedOverLate => LATE_AFTER_MS,
            Fate::Cancelled | Fate::Expired => return self.submit(&Command::Cancel { order, block: false }),
        };
        if age_ms < HANDED_OVER_AFTER_MS {
            self.submit(&Command::Confirm { order, attempt: ChangeId(1) });
            let at = order.made_at().ms() + hand_over_at;
            self.due.entry(at).or_default().push_back(number);
        } else if number.is_multiple_of(2) {
            self.submit(&Command::HandOver { order, change: ChangeId(2), lines: &[] });
        } else {
            let lines: Vec<_> = (0..line_count(number) as u16).map(|line| LineQuantity { line, quantity: 2 }).collect();
            self.submit(&Command::HandOver { order, change: ChangeId(2), lines: &lines });
        }
    }

    /// What the books have to say of an order in the end.
    fn count(&mut self, order: OrderId, number: u64) {
        let (state, line) = match fate(number) {
            Fate::HandedOver | Fate::HandedOverLate => {
                self.handed_over += 2 * line_count(number) as i64;
                (State::Completed, LineUnits { shipped: 2, ..LineUnits::default() })
            }
            Fate::Cancelled => (State::Cancelled, LineUnits { cancelled: 2, ..LineUnits::default() }),
            Fate::Expired => (State::Expired, LineUnits { lapsed: 2, ..LineUnits::default() }),
        };
        self.states[state as usize] += 1;
        let lines = vec![line; line_count(number)];
        self.hash = self.hash.wrapping_add(order_hash(order, state, lines.into_iter()));
    }
}

fn order_id(number: u64) -> OrderId {
    OrderId::new(START.after_ms(number / ORDERS_PER_MS), MARKET, number)
}

fn place(number: u64, submit: impl FnOnce(Place<'_>)) {
    let lines: Vec<Line> =
        (0..line_count(number)).map(|line| Line { sku: SkuId(1 + line as u32 % 3), quantity: 2, price: 100 }).collect();
    submit(Place {
        order: order_id(number),
        customer: CustomerKey(u128::from(number % 1_000)),
        take: Take::AllOrNothing,
        hold_ms: HOLD_MS,
        currency: Currency::new(*b"GBP").expect("pounds exist"),
        payment: PaymentMethod::Card,
        channel: 0,
        zone: 0,
        hashes: None,
        lines: &lines,
        details: if number.is_multiple_of(10) { b"Ada Lovelace, 12 St James's Square" } else { b"" },
        key: None,
    });
}

#[test]
fn a_sale_without_end_runs_in_flat_memory_with_exact_books() {
    let orders = std::env::var(ORDERS_VARIABLE)
        .map_or(ORDERS_DEFAULT, |text| text.parse().unwrap_or_else(|_| panic!("{ORDERS_VARIABLE} is a number")));
    assert!(orders >= 3 * KEPT_MAX, "{ORDERS_VARIABLE} is at least {}: before that nothing can be flat", 3 * KEPT_MAX);
    let mut sale = Sale::new(orders);
    let mut when_full = [0; 5];
    for ms in 0..orders / ORDERS_PER_MS {
        if ms * ORDERS_PER_MS == 2 * KEPT_MAX {
            when_full = sale.engine.places_used();
        }
        sale.tick(ms * ORDERS_PER_MS..(ms + 1) * ORDERS_PER_MS);
        assert!(sale.engine.orders() <= KEPT_MAX, "{} orders are kept after {ms} ms", sale.engine.orders());
    }
    let at_the_end = sale.engine.places_used();
    for (full, end) in when_full.into_iter().zip(at_the_end) {
        assert!(
            end <= full + full / 50,
            "records, lines, draws, extras, slots grew from {when_full:?} to {at_the_end:?}"
        );
    }
    // An order that left is refused, not accepted again.
    place(0, |place| {
        let refused = sale.engine.submit(&Command::Place(place), sale.now, &mut sale.scratch, &mut |_| {});
        assert_eq!(refused, Err(Refusal::IdTooOld));
    });
    // The last ones end, and everything leaves.
    let end = sale.now.after_ms(LATE_AFTER_MS + 2 * RETENTION.ids_kept_ms);
    while sale.now < end {
        sale.tick(0..0);
    }
    assert_eq!((sale.engine.orders(), sale.engine.kept(Kept::DetailsBytes)), (0, 0), "everything has left");
    sale.engine.check_invariants().expect("the invariants hold");
    let books = sale.engine.books(MARKET).expect("the market is open");
    assert_eq!((books.orders, books.orders_hash), (sale.states, sale.hash), "the books are of all orders ever");
    assert_eq!(books.units[Bucket::Customer as usize], sale.handed_over);
    assert_eq!(books.units[Bucket::Reserved as usize] + books.units[Bucket::Committed as usize], 0);
    println!(
        "{orders} orders; records, lines, draws, extras and slots with memory: {when_full:?}, at the end {at_the_end:?}"
    );
}

/// What leaves is told to the log, and folding the log again forgets the same.
#[test]
fn a_replica_forgets_what_the_log_says_has_left() {
    let mut sale = Sale::new(1);
    let mut replica = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED);
    let setup = [
        Fact::MarketAssigned { market: MARKET, shard: ShardId(0), code: "sale" },
        Fact::MarketOpened { market: MARKET, code: "sale" },
        Fact::RetentionSet { market: MARKET, retention: RETENTION },
    ];
    setup.iter().for_each(|fact| replica.fold(fact, START));
    let (mut told, mut now) = (0, START);
    for number in 0..200_u64 {
        now = START.after_ms(number * 1_000);
        let order = OrderId::new(now, MARKET, number);
        let mut both = |engine: &mut Engine| {
            let block = Command::Cancel { order, block: true };
            engine.submit(&block, now, &mut Scratch::default(), &mut |fact| replica.fold(fact, now)).expect("blocked");
            let mut orders = Vec::new();
            while let Some(fact) = engine.next_retirement(now, &mut orders) {
                told += usize::from(matches!(fact, Fact::Left { .. }));
                engine.fold(&fact, now);
                replica.fold(&fact, now);
            }
        };
        both(&mut sale.engine);
    }
    assert!(told > 100, "only {told} facts let something leave");
    assert_eq!(replica.orders(), sale.engine.orders());
    assert!(replica.orders() < 70, "{} blocked identifiers are kept at {now:?}", replica.orders());
}
