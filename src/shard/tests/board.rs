//! The board: what stands there, when, and that whoever is refused by it would have been refused by the shard.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};

use super::*;
use crate::engine::Component;
use crate::shard::Offer;

fn offer(bench: &Bench) -> Option<Offer> {
    bench.inbox.board().offer(market(), SkuId(1))
}

/// A placement of one unit whose identifier was made so many milliseconds after the beginning.
fn made_at(ms: u64, number: u64) -> OrderId {
    OrderId::new(Timestamp::from_ms(BEGIN_MS + ms), market(), number)
}

/// SKU 2: two units of SKU 1.
fn define_kit(bench: &mut Bench) {
    let components = [Component { sku: SkuId(1), units: 2 }];
    bench.submit(&[Request::Command(Command::DefineKit { market: market(), code: "kit", components: &components })]);
    bench.run();
}

/// A placement of one kit.
fn one_kit(order: OrderId) -> Place<'static> {
    static ONE_KIT: [Line; 1] = [Line { sku: SkuId(2), quantity: 1, price: 9 }];
    Place { lines: &ONE_KIT, ..one(order) }
}

fn one(order: OrderId) -> Place<'static> {
    let Request::Command(Command::Place(like)) = place(0, 1_000) else { unreachable!() };
    Place { order, ..like }
}

#[test]
fn what_is_for_sale_stands_there_once_it_is_durable_and_not_before() {
    let mut bench = Bench::new(2);
    assert_eq!(offer(&bench), Some(Offer::Units(2)));
    bench.submit(&[place(1, 1_000)]);
    bench.shard.turn();
    assert_eq!(offer(&bench), Some(Offer::Units(2)), "nobody may know yet");
    bench.log.settle_one();
    assert_eq!(offer(&bench), Some(Offer::Units(1)));
    bench.submit(&[place(2, 1_000)]);
    bench.run();
    assert_eq!(offer(&bench), Some(Offer::SoldOut { newest_accepted: order(2).made_at() }));
    assert_eq!(bench.inbox.board().offer(market(), SkuId(2)), None, "there is no such SKU");
    assert_eq!(bench.inbox.board().offer(MarketId::MAX, SkuId(1)), None, "nor such a market");
}

#[test]
fn what_is_for_sale_of_a_kit_follows_its_components() {
    let mut bench = Bench::new(4);
    define_kit(&mut bench);
    let offer = |bench: &Bench| bench.inbox.board().offer(market(), SkuId(2));
    assert_eq!(offer(&bench), Some(Offer::Units(2)));
    bench.submit(&[place(1, 1_000)]);
    bench.run();
    assert_eq!(offer(&bench), Some(Offer::Units(1)), "a unit of a component went");
    let kit = one_kit(order(2));
    bench.submit(&[Request::Command(Command::Place(kit))]);
    bench.run();
    assert_eq!(offer(&bench), Some(Offer::SoldOut { newest_accepted: order(2).made_at() }));
    let (board, now) = (bench.inbox.board(), bench.now());
    assert_eq!(board.refuse(&kit, now), None, "it was accepted");
    let late = one_kit(OrderId::new(order(2).made_at().after_ms(1), market(), 3));
    let sold_out = Refusal::SoldOut { sku: SkuId(2), asked: 1, available: 0 };
    assert_eq!(board.refuse(&late, order(2).made_at().after_ms(1)), Some(sold_out));
    let request = RequestId::new(bench.now(), market(), 9);
    let receive = Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: 1 };
    bench.submit(&[Request::Command(receive)]);
    bench.run();
    assert_eq!(offer(&bench), Some(Offer::Units(1)), "a component came");
    assert_eq!(offer(&bench.start_again()), Some(Offer::Units(1)));
}

#[test]
fn what_was_for_sale_at_a_stop_stands_there_after_the_start() {
    let bench = Bench::new(3);
    let again = bench.start_again();
    assert_eq!(offer(&again), Some(Offer::Units(3)));
}

#[test]
fn the_repeat_of_an_accepted_order_is_never_refused_and_newer_ones_are() {
    let mut bench = Bench::new(1);
    bench.pass(100);
    let (accepted, newer) = (made_at(90, 1), made_at(91, 2));
    bench.submit(&[Request::Command(Command::Place(one(accepted)))]);
    bench.run();
    let (board, now) = (bench.inbox.board(), Timestamp::from_ms(BEGIN_MS + 100));
    assert_eq!(board.refuse(&one(accepted), now), None);
    assert_eq!(board.refuse(&one(made_at(90, 3)), now), None, "made in the same millisecond: the shard knows");
    let refusal = Refusal::SoldOut { sku: SkuId(1), asked: 1, available: 0 };
    assert_eq!(board.refuse(&one(newer), now), Some(refusal));
    // After a crash nobody remembers which was the newest: whatever may have been accepted goes to the shard.
    let mut again = bench.start_again();
    again.run();
    assert_eq!(again.inbox.board().refuse(&one(newer), now), None);
    assert_eq!(again.inbox.board().refuse(&one(made_at(2_101, 4)), Timestamp::from_ms(BEGIN_MS + 101)), Some(refusal));
}

#[test]
fn a_unit_whose_reservation_is_dead_is_never_sold_out() {
    let mut bench = Bench::new(1);
    bench.submit(&[place(1, 1_000)]);
    bench.run();
    let (board, next) = (bench.inbox.board(), one(made_at(500, 2)));
    bench.pass(999);
    assert!(board.refuse(&next, Timestamp::from_ms(BEGIN_MS + 999)).is_some());
    assert_eq!(board.refuse(&next, Timestamp::from_ms(BEGIN_MS + 1_000)), None, "no sweep has come by");
    bench.pass(1);
    bench.shard.turn();
    assert_eq!(board.refuse(&next, Timestamp::from_ms(BEGIN_MS + 1_000)), None, "the expiry is not durable");
    bench.log.settle_one();
    assert_eq!(offer(&bench), Some(Offer::Units(1)));
}

#[test]
fn what_the_shard_refuses_for_another_reason_goes_to_the_shard() {
    let mut bench = Bench::new(0);
    bench.run();
    let (board, now) = (bench.inbox.board(), Timestamp::from_ms(BEGIN_MS + 10));
    let sold_out = one(made_at(9, 1));
    assert!(board.refuse(&sold_out, now).is_some());
    let from_the_future = one(made_at(2_011, 1));
    assert_eq!(board.refuse(&from_the_future, now), None);
    let derived = OrderId::from_bits(made_at(9, 1).bits() | 1 << 59);
    assert_eq!(board.refuse(&one(derived), now), None, "its time may be older than its acceptance");
    assert_eq!(board.refuse(&Place { hold_ms: u32::MAX, ..sold_out }, now), None);
    let unknown = [ONE_UNIT[0], Line { sku: SkuId(9), ..ONE_UNIT[0] }];
    assert_eq!(board.refuse(&Place { lines: &unknown, ..sold_out }, now), None);
}

#[test]
fn what_takes_what_exists_is_refused_only_when_nothing_does() {
    let mut bench = Bench::new(1);
    bench.submit(&[Request::Command(Command::CreateSku { market: market(), code: "t" })]);
    bench.run();
    let (board, now) = (bench.inbox.board(), Timestamp::from_ms(BEGIN_MS + 10));
    let other = Line { sku: SkuId(2), quantity: 3, price: 5 };
    let lines = [ONE_UNIT[0], other, other];
    let all = Place { lines: &lines, ..one(made_at(9, 1)) };
    let refusal = Refusal::SoldOut { sku: SkuId(2), asked: 6, available: 0 };
    assert_eq!(board.refuse(&all, now), Some(refusal));
    assert_eq!(board.refuse(&Place { take: Take::WhatExists, ..all }, now), None);
    assert!(board.refuse(&Place { take: Take::WhatExists, lines: &lines[1..], ..all }, now).is_some());
}

/// What may happen between the doors, the shard and the disk.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// A new order, its identifier made so many milliseconds before (or after) now.
    Ask {
        skew_ms: i64,
        hold_ms: u32,
        kit: bool,
    },
    /// An order again, counted from the newest.
    AskAgain {
        back: usize,
    },
    Cancel {
        back: usize,
    },
    Restock {
        units: u64,
    },
    Turn,
    Settle,
    Hear,
    Pass {
        ms: u64,
    },
    Crash,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (-3_000..2_000_i64, 1..3_000_u32, any::<bool>())
            .prop_map(|(skew_ms, hold_ms, kit)| Step::Ask { skew_ms, hold_ms, kit }),
        5 => (0..12_usize).prop_map(|back| Step::AskAgain { back }),
        1 => (0..12_usize).prop_map(|back| Step::Cancel { back }),
        2 => (1..3_u64).prop_map(|units| Step::Restock { units }),
        6 => proptest::prelude::Just(Step::Turn),
        6 => proptest::prelude::Just(Step::Settle),
        4 => proptest::prelude::Just(Step::Hear),
        4 => (1..1_500_u64).prop_map(|ms| Step::Pass { ms }),
        1 => proptest::prelude::Just(Step::Crash),
    ]
}

/// Orders by number, and which of them a client was told are accepted.
#[derive(Default)]
struct Shop {
    asked: Vec<Place<'static>>,
    accepted: BTreeSet<usize>,
    refused_by_board: usize,
    requests: u64,
}

impl Shop {
    /// As a session does it: the board first, then the shard. What the board refuses is checked against a shard that
    /// knows everything durable and nothing else.
    fn ask(&mut self, bench: &Bench, number: usize) -> Result<(), proptest::test_runner::TestCaseError> {
        let (wanted, now) = (self.asked[number], bench.now());
        let Some(refusal) = bench.inbox.board().refuse(&wanted, now) else {
            // Turned away is one more way to stay unanswered.
            let _turned_away = bench.submit_as(number as u64, &Request::Command(Command::Place(wanted)));
            return Ok(());
        };
        self.refused_by_board += 1;
        prop_assert!(!self.accepted.contains(&number), "an acceptance that was answered is not repeated");
        let mut durable = bench.log.durable_engine(Capacity::default());
        let outcome = durable.submit(&Command::Place(wanted), now, &mut Scratch::default(), &mut |_| {});
        prop_assert!(
            matches!(outcome, Err(Refusal::SoldOut { .. } | Refusal::Blocked)),
            "the board said {refusal:?}, a shard says {outcome:?}"
        );
        Ok(())
    }

    fn hear(&mut self, bench: &mut Bench) {
        for (number, told) in bench.told_with_correlation() {
            if is_placed(&told) {
                self.accepted.insert(number as usize);
            }
        }
    }
}

proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 300, ..Default::default() })]

    #[test]
    fn whoever_the_board_refuses_was_never_accepted_and_would_be_refused(steps in vec(step(), 1..120)) {
        let mut bench = Bench::new(3);
        define_kit(&mut bench);
        let mut shop = Shop::default();
        for step in steps {
            match step {
                Step::Ask { skew_ms, hold_ms, kit } => {
                    let at = bench.now().ms().saturating_add_signed(skew_ms);
                    let id = OrderId::new(Timestamp::from_ms(at), market(), shop.asked.len() as u64);
                    shop.asked.push(Place { hold_ms, ..if kit { one_kit(id) } else { one(id) } });
                    shop.ask(&bench, shop.asked.len() - 1)?;
                }
                Step::AskAgain { back } if back < shop.asked.len() => shop.ask(&bench, shop.asked.len() - 1 - back)?,
                Step::Cancel { back } if back < shop.asked.len() => {
                    let order = shop.asked[shop.asked.len() - 1 - back].order;
                    let cancel = Command::Cancel { order, block: back % 3 == 0 };
                    let _turned_away = bench.submit_as(u64::MAX, &Request::Command(cancel));
                }
                Step::AskAgain { .. } | Step::Cancel { .. } => {}
                Step::Restock { units } => {
                    shop.requests += 1;
                    let request = RequestId::new(bench.now(), market(), shop.requests + 1);
                    let receive = Command::Receive { request, sku: SkuId(1), site: SiteId(1), quantity: units };
                    let _turned_away = bench.submit_as(u64::MAX, &Request::Command(receive));
                }
                Step::Turn => _ = bench.shard.turn(),
                Step::Settle => _ = bench.log.settle_one(),
                Step::Hear => shop.hear(&mut bench),
                Step::Pass { ms } => bench.pass(ms),
                Step::Crash => bench = bench.start_again(),
            }
        }
        // Nobody asks any more: what is sold out is refused at the door, and the board is what the engine says.
        bench.run();
        shop.hear(&mut bench);
        let units = bench.shard.engine().availability(market(), &[SkuId(1)]).expect("known")[0];
        prop_assert_eq!(offer(&bench).map(Offer::units), Some(units));
        let kits = bench.inbox.board().offer(market(), SkuId(2)).map(Offer::units);
        prop_assert_eq!(kits, Some(units / 2));
        bench.pass(10_000);
        bench.run();
        let late = one(OrderId::new(bench.now(), market(), 1 << 40));
        let units = bench.shard.engine().availability(market(), &[SkuId(1)]).expect("known")[0];
        prop_assert_eq!(bench.inbox.board().refuse(&late, bench.now()).is_some(), units == 0);
        let late = one_kit(late.order);
        prop_assert_eq!(bench.inbox.board().refuse(&late, bench.now()).is_some(), units < 2);
    }
}
