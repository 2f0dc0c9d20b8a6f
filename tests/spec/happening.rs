//! What happened to an order: every fact about it, in the order in which it happened, bounded.

use stockade::base::limits::{HISTORY_ENTRIES_MAX, HISTORY_LAST_ENTRIES_MAX};
use stockade::base::{MarketId, OrderId};
use stockade::engine::refusal::Field;
use stockade::engine::{Capacity, Refusal};

use crate::rig::{MARKET, Rig, START};
use crate::script::{Script, check};

#[test]
fn an_order_tells_what_happened_to_it_oldest_first_with_its_times() {
    check(
        "
        receive  mug 9
        place    o1 mug*4 hold=60s
        history  o1 times                  -> placed 0 n=4 at=0
        wait     1s
        extend   o1 70s payment_start      -> reserved for 70000 ms
        wait     1s
        confirm  o1
        wait     1s
        drop     o1 0*1
        ship     o1 0*2 id=2
        return   o1 0*1 id=3
        cancel   o1
        history  o1 times rows=3           -> placed 0 n=4 at=0 | payment_started until=71000 at=1000 \
                                              | confirmed n=4 at=2000 | next=3
        history  o1 times after=3          -> lines_cancelled 0 n=1 at=3000 | handed_over 0 n=2 at=3000 \
                                              | returned 0 n=1 at=3000 | cancelled n=1 at=3000
        history  o1 after=7                -> nothing
    ",
    );
}

#[test]
fn what_changes_nothing_leaves_no_trace() {
    check(
        "
        receive  mug 9
        place    o1 mug*2
        place    o1 mug*2
        extend   o1 1s                     -> reserved for 60000 ms again
        confirm  o1
        confirm  o1
        ship     o1 0*1 id=2
        ship     o1 0*1 id=2               -> fulfilling moved=1 again
        cancel   o1
        cancel   o1
        history  o1                        -> placed 0 n=2 | confirmed n=2 | handed_over 0 n=1 | cancelled n=1
    ",
    );
}

#[test]
fn an_order_that_needed_no_payment_says_so_and_several_lines_are_told_as_one() {
    check(
        "
        receive  mug 9
        receive  cup 9
        place    o1 mug*2 cup*3 cod
        ship     o1 0*1 1*2 id=2
        ship     o1 1*9 id=3               -> fulfilling moved=1 excess=8
        drop     o1 0*1 id=4
        history  o1                        -> placed_confirmed n=5 | handed_over n=3 | handed_over 1 n=1 \
                                              | handed_over_in_excess n=8 | lines_cancelled 0 n=1
        history  o9                        -> no: unknown_order
        history  o1 rows=0                 -> no: out_of_bounds Rows
    ",
    );
}

#[test]
fn an_order_expires_at_its_deadline_whenever_that_is_noticed_and_may_be_paid_late_or_in_vain() {
    check(
        "
        receive  mug 3
        place    o1 mug*2 hold=5s
        place    o2 mug*1 hold=5s
        wait     9s                        -> o1 o2 expired
        confirm  o1
        place    o3 mug*1
        confirm  o2                        -> not_taken_again mug
        cancel   o2
        history  o1 times                  -> placed 0 n=2 at=0 | expired n=2 at=5000 | confirmed_late n=2 at=9000
        history  o2                        -> placed 0 n=1 | expired n=1 | retake_failed mug | cancelled n=1
    ",
    );
}

#[test]
fn what_adapters_are_asked_for_and_report_is_told_with_its_attempt() {
    check(
        "
        receive  mug 9
        effects  payment release
        place    o1 mug*2
        report   o1 payment 1 tries_used_up
        report   o1 payment 1 resumed
        told     o1 adapter authorised=200
        told     o1 adapter captured=200
        report   o1 release 1 refused
        report   o1 release 1 resumed
        report   o1 release 1 done
        drop     o1 0*1
        cancel   o1
        report   o1 payment 3 done
        history  o1                        -> placed 0 n=2 | payment_tries_used_up attempt=1 \
                                              | payment_resumed attempt=1 | authorised amount=200 | charged n=2 \
                                              | release_wanted attempt=1 | captured amount=200 \
                                              | release_refused attempt=1 | release_resumed attempt=1 \
                                              | release_done attempt=1 | lines_cancelled 0 n=1 \
                                              | give_back_wanted attempt=2 | release_wanted attempt=2 \
                                              | cancelled n=1 | give_back_wanted attempt=3 \
                                              | release_wanted attempt=3 | payment_done attempt=3
    ",
    );
}

#[test]
fn late_money_of_an_adapter_is_told_as_charged_late_or_wanted_back() {
    check(
        "
        receive  mug 2
        effects  payment
        place    o1 mug*1 hold=1s
        place    o2 mug*1 hold=1s
        wait     2s                        -> o1 o2 expired
        told     o1 adapter captured=100
        place    o3 mug*1 cod
        told     o2 adapter captured=100   -> not_taken_again mug
        history  o1                        -> placed 0 n=1 | expired n=1 | close_wanted attempt=2 \
                                              | captured amount=100 | charged_late n=1 | look_wanted attempt=3
        history  o2                        -> placed 0 n=1 | expired n=1 | close_wanted attempt=2 \
                                              | captured amount=100 | retake_failed mug | give_back_wanted attempt=3
        history  o3                        -> placed_confirmed 0 n=1
    ",
    );
}

#[test]
fn an_order_that_was_owed_something_tells_when_it_came() {
    check(
        "
        policy   mug oversell=9
        policy   cup oversell=9
        place    o1 mug*4 cup*1 cod
        receive  mug 3
        receive  mug 1
        receive  cup 1
        history  o1                        -> placed_confirmed n=5 | filled 0 n=3 | filled 0 n=1 | filled 1 n=1
    ",
    );
}

#[test]
fn a_blocked_identifier_and_a_closed_order_tell_how_they_came_to_be_and_no_more() {
    check(
        "
        retention window=1s ids=24h
        receive  mug 5
        wait     3s
        block    o9
        history  o9 times                  -> blocked at=3000
        place    o1 mug*2
        cancel   o1
        history  o1 times                  -> placed 0 n=2 at=3000 | cancelled n=2 at=3000
        wait     2s
        history  o1 times                  -> placed n=0 at=3000 | closed
    ",
    );
}

/// An order of which so much happened after its placement.
fn busy(extensions: usize) -> (Script, OrderId) {
    let mut script = Script::new(Rig::new(Capacity::default()));
    script.run("receive mug 5\nplace o1 mug*1 hold=60s");
    for second in 0..extensions {
        script.try_line(&format!("extend o1 {}s", 61 + second));
    }
    let id = script.rig.open_orders(MARKET, 9)[0].order;
    (script, id)
}

#[test]
fn of_what_is_too_much_the_first_and_the_last_are_shown_and_the_rest_is_counted() {
    let (mut script, id) = busy(HISTORY_ENTRIES_MAX);
    let all = script.rig.history(id);
    assert_eq!((all.rows.len(), all.not_shown), (1 + HISTORY_ENTRIES_MAX, 0));
    script.run("confirm o1\nship o1\nreturn o1 0*1 id=4");
    let shown = script.rig.history(id);
    assert_eq!((shown.rows.len(), shown.not_shown), (1 + HISTORY_ENTRIES_MAX, 3));
    let places: Vec<u32> = shown.rows.iter().map(|row| row.place).collect();
    let first = HISTORY_ENTRIES_MAX - HISTORY_LAST_ENTRIES_MAX;
    assert_eq!(places[..=first], *(1..=first as u32 + 1).collect::<Vec<_>>());
    assert_eq!(places[first + 1], first as u32 + 1 + 1 + 3, "three are missing behind them");
    assert_eq!(script.rig.history(id).rows.last().map(|row| row.what.name()), Some("returned"));
    script.rig.check_replica();
    assert_eq!(script.rig.history(id), shown, "also after an image and a replay");
}

#[test]
fn entries_name_the_place_in_the_stream_that_tells_them() {
    let (script, id) = busy(3);
    let rows = script.rig.history(id).rows;
    assert_eq!(rows[0].position.0, 0, "that of the placement is not kept");
    let positions: Vec<u64> = rows[1..].iter().map(|row| row.position.0).collect();
    assert_eq!(positions[1..], [positions[0] + 1, positions[0] + 2], "a step is an entry here: {positions:?}");
}

#[test]
fn a_market_or_an_order_that_is_not_there_has_no_history() {
    let mut rig = Rig::new(Capacity::default());
    let nobody = OrderId::new(START, MarketId::new(9).expect("fits"), 1);
    assert_eq!(rig.engine.order_history(nobody, 0, 1), Err(Refusal::UnknownMarket));
    let market = rig.open("m");
    let nobody = OrderId::new(START, market, 1);
    assert_eq!(rig.engine.order_history(nobody, 0, 1), Err(Refusal::UnknownOrder));
    let rows = Refusal::OutOfBounds { field: Field::Rows, min: 1, max: 1_024 };
    assert_eq!(rig.engine.order_history(nobody, 0, 0), Err(rows));
}
