//! Images there and back, and bytes that are none.

use crate::base::limits::{AUTHORISATION_NOTICE_MS, PAYMENT_ATTEMPTS_MAX};
use crate::base::{
    ChangeId, Currency, CustomerKey, MarketId, OrderId, RequestId, Sequence, ShardId, SiteId, SkuId, Timestamp,
};
use crate::engine::choices::{PaymentMethod, Take};
use crate::engine::command::IdentityHashes;
use crate::engine::{
    Capacity, Command, Component, Disposition, Engine, ExtendReason, Fact, HoldReason, ImageError, Line, LineQuantity,
    PaymentReport, Place, Policy, Reservations, ReturnCommand, ReturnKind, ReturnReason, Scratch, TaskKind, Velocity,
    Whose,
};

/// A little of everything: orders of several kinds, details, changes, a tombstone, a blocked identifier, a kit,
/// orders that wait, units that arrived for them, a place that is short, and orders that are held.
fn engine() -> Engine {
    let mut engine = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED);
    let (mut scratch, now) = (Scratch::default(), Timestamp::from_ms(1_000_000));
    let market = MarketId::new(1).expect("1 fits");
    let mut entry = Sequence(0);
    let mut submit = |command: &Command<'_>| {
        let mut command = *command;
        if let Command::Place(place) = &mut command {
            place.key = engine.key_for(place);
        }
        entry = entry.next();
        engine.stand_at(entry);
        let _answer = engine.submit(&command, now, &mut scratch, &mut |_| {}).expect("accepted");
    };
    submit(&Command::AssignMarket { code: "m" });
    submit(&Command::MoveCursor { sink: "erp", upto: Sequence(7) });
    submit(&Command::MoveCursor { sink: "mail", upto: Sequence(3) });
    submit(&Command::DetachCursor { sink: "mail", upto: Sequence(3) });
    submit(&Command::OpenMarket { market, code: "m" });
    submit(&Command::CreateSite { market, rank: 1, code: "north" });
    submit(&Command::CreateSku { market, code: "mug" });
    for site in [1, 2] {
        let request = RequestId::new(now, market, site.into());
        submit(&Command::Receive { request, sku: SkuId(1), site: SiteId(site), quantity: 40 });
    }
    // Fewer keys than there will be.
    submit(&Command::SetVelocity { market, velocity: Velocity { window_ms: 60_000, keys_max: 5 } });
    let lines = [Line { sku: SkuId(1), quantity: 6, price: 3 }; 2];
    let order = |number| OrderId::new(now, market, number);
    let place = Place {
        order: order(0),
        customer: CustomerKey(7),
        take: Take::WhatExists,
        hold_ms: 60_000,
        currency: Currency::new(*b"GBP").expect("pounds exist"),
        payment: PaymentMethod::Card,
        channel: 1,
        zone: 2,
        hashes: None,
        lines: &lines,
        details: b"sealed, with a tag behind it",
        key: None,
    };
    for number in 0..8 {
        submit(&Command::Place(Place {
            order: order(number),
            hashes: (number % 2 == 0).then_some(IdentityHashes { account: 1, address: 2, instrument: 3 }),
            lines: &lines[..1 + number as usize % 2],
            customer: CustomerKey(u128::from(number) / 3),
            ..place
        }));
    }
    submit(&Command::Erase { whose: Whose::Customer { market, customer: CustomerKey(1) } });
    submit(&Command::Erase { whose: Whose::Guest { order: order(0) } });
    submit(&Command::Confirm { order: order(1), attempt: ChangeId(1) });
    submit(&Command::HandOver { order: order(1), change: ChangeId(2), lines: &[] });
    let (id, two) = (ChangeId(9), [LineQuantity { line: 0, quantity: 2 }]);
    submit(&Command::ReportDelivered { order: order(1), change: ChangeId(3), lines: &two });
    let reason = ReturnReason::Defective;
    let asked = ReturnCommand::Request { kind: ReturnKind::CustomerReturn, reason, lines: &two };
    let came = ReturnCommand::Receive { site: SiteId(2), lines: &two };
    let looked = ReturnCommand::Inspect {
        site: SiteId(2),
        disposition: Disposition::Damaged,
        lines: &[LineQuantity { line: 0, quantity: 1 }],
    };
    for what in [asked, came, looked] {
        submit(&Command::Return { order: order(1), id, what });
    }
    submit(&Command::SetChannelCap { market, sku: SkuId(1), channel: 1, units_max: Some(99) });
    let reservations = Reservations { activity_ms_max: 90_000, payment_ms_max: 120_000, unpaid_ms: [1, 2, 3, 4, 5] };
    submit(&Command::SetReservations { market, reservations });
    let until = now.after_ms(100_000);
    submit(&Command::Extend { order: order(3), until, reason: ExtendReason::PaymentStart });
    submit(&Command::Cancel { order: order(2), block: false });
    submit(&Command::Cancel { order: order(99), block: true });
    submit(&Command::CreateSku { market, code: "lamp" });
    let policy = Policy { oversell_max: 9, low_stock: 2, ..Policy::default() };
    submit(&Command::SetPolicy { market, sku: SkuId(2), policy });
    for number in 20..22 {
        let lines = &[Line { sku: SkuId(2), quantity: 4, price: 3 }];
        submit(&Command::Place(Place { order: order(number), lines, ..place }));
    }
    let components = &[Component { sku: SkuId(1), units: 2 }];
    submit(&Command::DefineKit { market, code: "pair", components });
    let lines = &[Line { sku: SkuId(3), quantity: 1, price: 9 }];
    submit(&Command::Place(Place { order: order(30), lines, ..place }));
    let request = RequestId::new(now, market, 9);
    submit(&Command::Receive { request, sku: SkuId(2), site: SiteId(1), quantity: 5 });
    let request = RequestId::new(now, market, 10);
    submit(&Command::ReportCount { request, sku: SkuId(1), site: SiteId(1), as_of: Sequence(20), counted: 3 });
    // Neighbours in number, for the same reason of the same owner.
    for number in [4, 5] {
        submit(&Command::HoldOrder { order: order(number), owner: "risk", reason: HoldReason::Fraud, note: "look" });
    }
    submit(&Command::Confirm { order: order(5), attempt: ChangeId(1) });
    submit(&Command::ReportPayment {
        order: order(6),
        attempt: ATTEMPT,
        method: PaymentMethod::Card,
        currency: place.currency,
        report: PaymentReport::Authorised { total: 1, until: now.after_ms(AUTHORISATION_NOTICE_MS + 7) },
    });
    engine
}

/// Of which somebody said when it ends.
const ATTEMPT: ChangeId = ChangeId(77_777_777);

fn parts(engine: &Engine) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let kept: Result<(), ()> = engine.write_image(&mut |part| {
        parts.push(part.to_vec());
        Ok(())
    });
    kept.expect("a vector takes every part");
    parts
}

#[test]
fn an_image_read_back_is_the_same_state() {
    let engine = engine();
    let mut read = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED);
    parts(&engine).iter().for_each(|part| read.read_image_part(part).expect("sound"));
    read.finish_image().expect("everything fits");
    assert_eq!(read.digest(), engine.digest());
    assert_eq!(parts(&read), parts(&engine), "and so is its image");
}

#[test]
fn what_had_arrived_is_given_to_who_waits_after_an_image_too() {
    let engine = engine();
    let mut read = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED);
    parts(&engine).iter().for_each(|part| read.read_image_part(part).expect("sound"));
    read.finish_image().expect("everything fits");
    let (mut filled, mut draws) = (Vec::new(), Vec::new());
    while let Some(fact) = read.next_fill(&mut draws) {
        if let Fact::Filled { order, draws } = fact {
            filled.push((order, draws[0].quantity));
        }
        read.fold(&fact, Timestamp::from_ms(1_000_000));
        read.check_invariants().expect("every law holds");
    }
    let order = |number| OrderId::new(Timestamp::from_ms(1_000_000), MarketId::new(1).expect("1 fits"), number);
    assert_eq!(filled, [(order(20), 4), (order(21), 1)], "in the order of acceptance");
}

/// Takes an image in, changed as told.
fn read_changed(change: impl FnOnce(&mut Vec<u8>, usize)) -> Result<Engine, ImageError> {
    let mut bytes = parts(&engine()).concat();
    let first_key = bytes.windows(6).position(|item| item == FIRST_KEY).expect("a slot in its second generation");
    change(&mut bytes, first_key);
    let mut read = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED);
    read.read_image_part(&bytes)?;
    read.finish_image().map(|()| read)
}

/// The slot of the guest's order that was erased.
const FIRST_KEY: &[u8] = &[19, 0, 1, 0, 0, 0];

#[test]
fn an_image_whose_keys_do_not_fit_its_orders_is_refused() {
    let sound = read_changed(|_, _| {}).expect("it fits");
    assert_eq!(sound.key_names().map(|key| key.generation).collect::<Vec<_>>(), [1, 0, 0, 1, 0, 0]);
    sound.check_invariants().expect("every law holds");
    let refused = |why: &str, change: &dyn Fn(&mut Vec<u8>, usize)| {
        assert!(read_changed(change).is_err(), "{why}");
    };
    refused("orders name slots that are not there", &|bytes, at| _ = bytes.drain(at..at + 6));
    refused("an order's key has a later generation than its slot", &|bytes, at| bytes[at + 6 + 2] = 0xFF);
    refused("a slot is neither free nor used", &|bytes, at| _ = bytes.splice(at..at, FIRST_KEY.iter().copied()));
    refused("nothing of keys is called so", &|bytes, at| bytes[at + 1] = 2);
    let free = |slot: u8| [19, 1, slot, 0, 0, 0];
    let behind = |at: usize| at + 6 * 6;
    refused("a slot is free and used", &|bytes, at| _ = bytes.splice(behind(at)..behind(at), free(1)));
    refused("a slot is free twice", &|bytes, at| _ = bytes.splice(behind(at)..behind(at), free(0)));
    refused("a slot is free that is not there", &|bytes, at| _ = bytes.splice(behind(at)..behind(at), free(9)));
    let rename = |bytes: &mut Vec<u8>, order: usize, slot: u8| {
        let sealed = (0..bytes.len()).filter(|at| bytes[*at..].starts_with(b"sealed, with")).nth(order);
        bytes[sealed.expect("few orders") - 8] = slot;
    };
    refused("two guests share a key", &|bytes, _| rename(bytes, 1, 2));
    refused("a customer has two keys", &|bytes, _| rename(bytes, 6, 5));
    refused("a key that was used is free no more", &|bytes, at| _ = bytes.drain(behind(at)..behind(at) + 6));
}

#[test]
fn what_is_missing_is_put_back_after_an_image_too() {
    let mut read = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED);
    parts(&engine()).iter().for_each(|part| read.read_image_part(part).expect("sound"));
    read.finish_image().expect("everything fits");
    read.stand_at(Sequence(1_000));
    let (mut orders, mut draws, mut looks) = (Vec::new(), Vec::new(), usize::MAX);
    while let Some(fact) = read.next_put_back(&mut looks, &mut draws) {
        read.fold(&fact, Timestamp::from_ms(1_000_000));
        read.check_invariants().expect("every law holds");
        let Fact::OrderPutBack { order, .. } = fact else { panic!("{fact:?}") };
        orders.push(order.bits() as u64 & 0xFF);
    }
    assert!(orders.len() > 2 && orders.is_sorted_by(|one, other| one > other), "newest first: {orders:?}");
    assert!(!read.has_put_backs());
}

#[test]
fn when_authorisations_end_goes_through_an_image_and_what_fits_no_attempt_is_refused() {
    let read = |change: &dyn Fn(&mut [u8])| {
        let end = 1_000_000 + AUTHORISATION_NOTICE_MS + 7;
        let fields = [ATTEMPT.0.to_le_bytes(), end.to_le_bytes()].concat();
        read_changed(|bytes, _| {
            let at = bytes.windows(16).position(|item| item == fields).expect("when it ends");
            change(&mut bytes[at - 19..at + 16]);
        })
    };
    let mut sound = read(&|item| assert_eq!((item[0], item[17]), (34, 1))).expect("it fits");
    sound.check_invariants().expect("every law holds");
    let ends = TaskKind::AuthorisationEnds as usize - 1;
    let count = |engine: &mut Engine, now| {
        engine.handle_time(Timestamp::from_ms(now));
        engine.task_counts()[ends]
    };
    assert_eq!((count(&mut sound, 1_000_006), sound.next_task()), (0, Some(Timestamp::from_ms(1_000_007))));
    assert_eq!((count(&mut sound, 1_000_007), sound.next_task()), (1, None));
    assert!(read(&|item| item[19] ^= 1).is_err(), "of another attempt");
    assert!(read(&|item| item[27..35].fill(0)).is_err(), "never");
    assert!(read(&|item| item[1] ^= 0x40).is_err(), "of an order that is not there");
    assert!(read(&|item| item[17] = PAYMENT_ATTEMPTS_MAX as u8 + 1).is_err(), "of too many");
}

#[test]
fn no_flipped_byte_panics() {
    let whole = parts(&engine()).concat();
    for at in 0..whole.len() {
        for flip in [1, 2, 0x80, 0xFF] {
            let mut bytes = whole.clone();
            bytes[at] ^= flip;
            let mut read = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED);
            if read.read_image_part(&bytes).is_ok() && read.finish_image().is_ok() {
                let _broken = read.check_invariants();
                read.watch_for_sale(Timestamp::MAX);
                read.take_for_sale(&mut |_| {});
            }
            let _short = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED).read_image_part(&bytes[..at]);
        }
    }
}
