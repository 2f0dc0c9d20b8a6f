//! Edits: an order is changed as a whole or not at all, and only what differs moves.

use crate::rig::{MARKET, Rig, room_for};
use crate::script::{Script, check};

#[test]
fn an_edit_happens_whole_or_not_at_all() {
    check(
        "
        receive  mug 5
        receive  cup 1
        place    o1 mug*2@100              -> #1 pending_payment
        edit     o1 add mug*1 cup*2 remove 0*1 price 0=50 zone 9 id=2 -> no: sold_out cup asked=2 available=1
        order    o1                        -> pending_payment mug reserved=2
        prices   o1                        -> 100
        zone     o1                        -> 0
        stock    mug                       -> available=3 reserved=2
        stock    cup                       -> available=1
        history  o1                        -> placed 0 n=2
        edit     o1 add mug*2@60 cup*1@7 remove 0*1 price 0=50 zone 9 id=2 -> pending_payment moved=2
        order    o1                        -> pending_payment mug reserved=1 cancelled=1 | mug reserved=2 \
                                              | cup reserved=1
        prices   o1                        -> 50 60 7
        zone     o1                        -> 9
        missing  o1                        -> 177
        stock    mug                       -> available=2 reserved=3
        stock    cup                       -> reserved=1
        history  o1                        -> placed 0 n=2 | lines_cancelled 0 n=1 | lines_added n=3 \
                                              | repriced lines=1 | rezoned zone=9
    ",
    );
}

/// Every counter of every SKU at every site, and the books.
fn goods(script: &Script) -> String {
    let skus: Vec<_> = script.rig.twin.skus(MARKET).collect();
    let stock = script.rig.engine.stock(MARKET, &skus).expect("they exist");
    let books = script.rig.engine.books(MARKET).expect("the market is open");
    format!("{stock:?} {:?} {}", books.units, books.owed)
}

#[test]
fn an_edit_of_prices_moves_no_unit() {
    let mut script = Script::new(Rig::new(room_for(10)));
    script.run(
        "
        site     north rank=5
        receive  mug 2 at=north
        receive  mug 1
        receive  tea 4
        kit      gift tea*2
        policy   mug oversell=4
        place    o1 mug*4@100 gift*1@300 cod
        place    o2 mug*1@100 tea*1@10
        place    o3 mug*1@100
        told     o2 try=1 authorised=50
        hold     o1 desk:fraud
    ",
    );
    let edit_all = |script: &mut Script, id: u64| {
        let before = goods(script);
        script.run(&format!("edit o1 price 0=9 1=0 id={id}0"));
        script.run(&format!("edit o2 price 1=11 zone {id} id={id}1"));
        script.run(&format!("edit o2 zone 3 id={id}2"));
        script.run(&format!("edit o3 price 0=10{id} id={id}3"));
        assert_eq!(goods(script), before, "an edit of prices and of the zone moved something");
    };
    edit_all(&mut script, 1);
    script.run("lift o1 desk:fraud -> confirmed moved=0");
    edit_all(&mut script, 2);
    script.run("ship o1 0*1 id=4 -> fulfilling moved=1\n confirm o3 -> confirmed moved=1");
    edit_all(&mut script, 3);
    script.rig.go_through_image();
    edit_all(&mut script, 4);
    // One that comes to be paid by it moves from what is reserved to what is committed, and nowhere else.
    script.run("told o2 try=1 authorised=110 -> pending_payment moved=0");
    script.run("edit o2 price 0=99 id=50 -> confirmed moved=0\n stock tea -> available=1 committed=3");
}

#[test]
fn a_unit_that_changes_lines_stays_where_it_lies() {
    check(
        "
        site     north rank=5
        receive  mug 1
        receive  mug 2 at=north
        policy   mug oversell=5
        place    o1 mug*3@100              -> #1 pending_payment
        place    o2 mug*2@100              -> #2 pending_payment owed n=2
        stock    mug                       -> reserved=3 owed=2
        edit     o1 remove 0*3 add mug*2@70 mug*1@60 id=3 -> pending_payment moved=0
        order    o1                        -> pending_payment mug cancelled=3 | mug reserved=2 | mug reserved=1
        draws    o1                        -> 1@main reserved=1 | 1@north reserved=1 | 2@north reserved=1
        order    o2                        -> pending_payment mug owed=2
        stock    mug                       -> reserved=3 owed=2
        missing  o1                        -> 200
        edit     o1 remove 1*2 add mug*1@70 id=4 -> pending_payment moved=1
        draws    o1                        -> 2@north reserved=1 | 3@main reserved=1
        order    o2                        -> pending_payment mug owed=1 reserved=1
        draws    o2                        -> 0@north reserved=1
    ",
    );
}

#[test]
fn what_is_sold_out_may_change_its_price_by_a_swap() {
    check(
        "
        receive  mug 2
        place    o1 mug*2@100 cod          -> #1 confirmed
        place    o2 mug*1                  -> no: sold_out mug asked=1 available=0
        edit     o1 remove 0*1 add mug*2@70 id=2 -> no: sold_out mug asked=1 available=0
        edit     o1 remove 0*1 add mug*1@70 id=2 -> confirmed moved=0
        order    o1                        -> confirmed mug committed=1 cancelled=1 | mug committed=1
        stock    mug                       -> committed=2
        history  o1                        -> placed_confirmed 0 n=2 | lines_cancelled 0 n=1 | lines_added 1 n=1
        ship     o1                        -> completed moved=2
    ",
    );
}

#[test]
fn another_size_is_one_removed_and_a_line_added() {
    check(
        "
        receive  small 1
        receive  large 1
        place    o1 small*1@100 cod        -> #1 confirmed
        edit     o1 remove 0*1 add large*1@100 id=2 -> confirmed moved=2
        order    o1                        -> confirmed small cancelled=1 | large committed=1
        stock    small                     -> available=1
        stock    large                     -> committed=1
        ship     o1                        -> completed moved=1
        return   o1 1*1 id=9               -> completed moved=1
        stock    large                     -> available=1
    ",
    );
}

#[test]
fn five_instead_of_three_is_a_line_of_two_and_three_instead_of_five_is_two_removed() {
    check(
        "
        receive  mug 5
        place    o1 mug*3@100 cod          -> #1 confirmed
        edit     o1 add mug*2@100 id=2     -> confirmed moved=2
        order    o1                        -> confirmed mug committed=3 | mug committed=2
        edit     o1 remove 0*2 id=3        -> confirmed moved=2
        order    o1                        -> confirmed mug committed=1 cancelled=2 | mug committed=2
        stock    mug                       -> available=2 committed=3
    ",
    );
}

#[test]
fn owed_units_are_kept_and_added() {
    check(
        "
        policy   mug oversell=4
        receive  mug 1
        place    o1 mug*2@100              -> #1 pending_payment owed n=1
        edit     o1 remove 0*2 add mug*2@5 id=2 -> pending_payment moved=0
        order    o1                        -> pending_payment mug cancelled=2 | mug owed=1 reserved=1
        edit     o1 add mug*2@5 id=3       -> pending_payment moved=2
        stock    mug                       -> reserved=1 owed=3
        edit     o1 add mug*2@5 id=4       -> no: sold_out mug asked=2 available=1
        edit     o1 remove 1*2 add mug*1@6 id=5 -> pending_payment moved=1
        order    o1                        -> pending_payment mug cancelled=2 | mug cancelled=2 | mug owed=2 \
                                              | mug reserved=1
        receive  mug 3                     -> available=0
        order    o1                        -> pending_payment mug cancelled=2 | mug cancelled=2 | mug reserved=2 \
                                              | mug reserved=1
        stock    mug                       -> available=1 reserved=3
    ",
    );
}

#[test]
fn what_is_removed_goes_to_who_waits_for_it() {
    check(
        "
        policy   mug oversell=4
        receive  mug 2
        place    o1 mug*2@100 cod          -> #1 confirmed
        place    o2 mug*1@100 cod          -> #2 confirmed owed n=1
        edit     o1 remove 0*2 id=2        -> cancelled moved=2
        order    o2                        -> confirmed mug committed=1
        stock    mug                       -> available=1 committed=1
    ",
    );
}

#[test]
fn kits_are_netted_with_the_same_kit_alone() {
    check(
        "
        receive  mug 4
        kit      gift mug*2
        place    o1 gift*1@100             -> #1 pending_payment
        place    o2 mug*2                  -> #2 pending_payment
        edit     o1 remove 0*1 add gift*1@90 id=2 -> pending_payment moved=0
        stock    mug                       -> reserved=4
        edit     o1 remove 1*1 add mug*2 id=3 -> no: sold_out mug asked=2 available=0
        cancel   o2                        -> cancelled moved=2
        edit     o1 remove 1*1 add mug*3 id=3 -> no: sold_out mug asked=3 available=2
        edit     o1 remove 1*1 add mug*2 id=3 -> pending_payment moved=3
        order    o1                        -> pending_payment gift cancelled=1 | gift cancelled=1 | mug reserved=2
        stock    mug                       -> available=2 reserved=2
        edit     o1 remove 2*2 add gift*1 id=4 -> pending_payment moved=3
        stock    mug                       -> available=2 reserved=2
    ",
    );
}

#[test]
fn what_was_handed_over_is_not_removed() {
    check(
        "
        receive  mug 3
        receive  cup 1
        place    o1 mug*3@100 cod          -> #1 confirmed
        ship     o1 0*1 id=2               -> fulfilling moved=1
        edit     o1 remove 0*3 id=3        -> no: not_enough_units line=0 units=2
        edit     o1 remove 0*2 add cup*1 id=3 -> fulfilling moved=3
        order    o1                        -> fulfilling mug shipped=1 cancelled=2 | cup committed=1
        ship     o1 1*1 id=4               -> completed moved=1
        deliver  o1 1*1 id=5               -> completed moved=1
        request  o1 r1 1*1                 -> completed requested moved=1
        arrive   o1 r1 1*1                 -> completed received moved=1
        inspect  o1 r1 restock 1*1         -> completed inspected moved=1
        stock    cup                       -> available=1
    ",
    );
}

#[test]
fn an_order_of_which_everything_is_removed_is_over() {
    check(
        "
        receive  mug 4
        place    o1 mug*1                  -> #1 pending_payment
        place    o2 mug*1 cod              -> #2 confirmed
        place    o3 mug*2 cod              -> #3 confirmed
        ship     o3 0*1 id=2               -> fulfilling moved=1
        edit     o1 remove 0*1 id=3        -> cancelled moved=1
        edit     o2 remove 0*1 price 0=7 zone 5 id=3 -> cancelled moved=1
        edit     o3 remove 0*1 id=3        -> completed moved=1
        edit     o3 remove 0*1 id=3        -> completed moved=1 again
        stock    mug                       -> available=3 customer=1
        zone     o2                        -> 5
    ",
    );
}

#[test]
fn what_is_added_is_reserved_until_the_deadline_which_does_not_move() {
    check(
        "
        receive  mug 4
        place    o1 mug*1@100 hold=60s     -> #1 pending_payment
        wait     30s                       -> nothing expired
        edit     o1 add mug*2@50 id=2      -> pending_payment moved=2
        wait     29s                       -> nothing expired
        wait     1s                        -> o1 expired
        order    o1                        -> expired mug lapsed=1 | mug lapsed=2
        stock    mug                       -> available=4
        edit     o1 add mug*2@50 id=2      -> expired moved=2 again
        confirm  o1 try=1                  -> confirmed moved=3
        order    o1                        -> confirmed mug committed=1 | mug committed=2
        cancel   o1                        -> cancelled moved=3
    ",
    );
}

#[test]
fn added_lines_are_cancelled_and_handed_over_like_others() {
    check(
        "
        site     north rank=5
        receive  mug 1
        receive  mug 2 at=north
        place    o1 mug*1@100 cod          -> #1 confirmed
        edit     o1 add mug*2@50 id=2      -> confirmed moved=2
        drop     o1 1*1 id=3               -> confirmed moved=1
        ship     o1 1*1 id=4               -> fulfilling moved=1
        ship     o1 2*1 id=5               -> no: unknown_line 2
        cancel   o1                        -> completed moved=2
        stock    mug                       -> available=2 customer=1
    ",
    );
}

#[test]
fn an_edit_told_twice_happens_once() {
    check(
        "
        receive  mug 9
        place    o1 mug*2@100 mug*1@5 cod  -> #1 confirmed
        edit     o1 add mug*1@50 remove 0*1 1*1 price 0=90 1=3 zone 4 id=2 -> confirmed moved=1
        edit     o1 add mug*1@50 remove 0*1 1*1 price 0=90 1=3 zone 4 id=2 -> confirmed moved=1 again
        edit     o1 add mug*1@51 remove 0*1 1*1 price 0=90 1=3 zone 4 id=2 -> no: conflict
        edit     o1 add mug*2@50 remove 0*1 1*1 price 0=90 1=3 zone 4 id=2 -> no: conflict
        edit     o1 add cup*1@50 remove 0*1 1*1 price 0=90 1=3 zone 4 id=2 -> no: conflict
        edit     o1 add mug*1@50 mug*1@50 remove 0*1 1*1 price 0=90 1=3 zone 4 id=2 -> no: conflict
        edit     o1 add mug*1@50 remove 0*2 1*1 price 0=90 1=3 zone 4 id=2 -> no: conflict
        edit     o1 add mug*1@50 remove 0*1 price 0=90 1=3 zone 4 id=2 -> no: conflict
        edit     o1 add mug*1@50 remove 0*1 1*1 price 0=91 1=3 zone 4 id=2 -> no: conflict
        edit     o1 add mug*1@50 remove 0*1 1*1 price 0=90 zone 4 id=2 -> no: conflict
        edit     o1 add mug*1@50 remove 0*1 1*1 price 0=90 1=3 zone 5 id=2 -> no: conflict
        edit     o1 add mug*1@50 remove 0*1 1*1 price 0=90 1=3 id=2 -> no: conflict
        edit     o1 zone 0 id=2            -> no: conflict
        drop     o1 0*1 id=2               -> no: conflict
        ship     o1 id=2                   -> no: conflict
        refund   o1 1 id=2                 -> no: conflict
        drop     o1 0*1 id=3               -> confirmed moved=1
        edit     o1 remove 0*1 id=3        -> no: conflict
        edit     o1 remove 2*1 id=4        -> cancelled moved=1
        edit     o1 add mug*1@50 remove 0*1 1*1 price 0=90 1=3 zone 4 id=2 -> cancelled moved=1 again
        stock    mug                       -> available=9
    ",
    );
}

#[test]
fn a_placement_repeated_after_an_edit_is_the_same_placement() {
    check(
        "
        receive  mug 9
        policy   cup oversell=3
        place    o1 mug*2@100 cup*1@100 customer=7 -> #1 pending_payment owed n=1
        edit     o1 add mug*1@50 cup*1@5 price 0=90 zone 4 id=2 -> pending_payment moved=2
        place    o1 mug*2@100 cup*1@100 customer=7 -> #1 pending_payment owed n=1 again
        place    o1 mug*2@90 cup*1@100 customer=7 -> no: conflict
        place    o1 mug*2@90 cup*1@100 mug*1@50 cup*1@5 customer=7 -> no: conflict
        edit     o1 remove 0*2 1*1 id=3    -> pending_payment moved=3
        place    o1 mug*2@100 cup*1@100 customer=7 -> #1 pending_payment again
        edit     o1 remove 2*1 3*1 id=4    -> cancelled moved=2
        place    o1 mug*2@100 cup*1@100 customer=7 -> #1 cancelled again
    ",
    );
}

#[test]
fn an_image_and_a_replay_know_what_was_edited() {
    let mut script = Script::new(Rig::new(room_for(10)));
    let steps = [
        "policy   mug oversell=2 customer=9",
        "receive  mug 3",
        "place    o1 mug*2@100 cup*1@0 customer=5 exists -> #1 pending_payment taken=2,0",
        "edit     o1 remove 0*1 add mug*2@60 mug*2@61 price 0=7 1=8 zone 3 id=2 -> pending_payment moved=3",
        "order    o1 -> pending_payment mug reserved=1 cancelled=1 | cup nothing | mug reserved=2 | mug owed=2",
        "edit     o1 remove 0*1 add mug*2@60 mug*2@61 price 0=7 1=8 zone 3 id=2 -> pending_payment moved=3 again",
        "prices   o1 -> 7 8 60 61",
        "zone     o1 -> 3",
        "place    o1 mug*2@100 cup*1@0 customer=5 exists -> #1 pending_payment taken=2,0 again",
        "place    o2 mug*5 customer=5 -> no: customer_limit mug max=9 left=4",
        "told     o1 try=1 authorised=249 -> confirmed moved=5",
        "ship     o1 2*1 id=3 -> fulfilling moved=1",
        "edit     o1 remove 2*1 3*2 0*1 id=4 -> completed moved=4",
    ];
    for step in steps {
        script.run(step);
        script.rig.go_through_image();
    }
}

#[test]
fn an_added_line_draws_on_its_sites_in_rank_order_whatever_only_changed_to_it() {
    check(
        "
        site     north rank=5
        receive  mug 2 at=north
        place    o1 mug*1@100 cod          -> #1 confirmed
        receive  mug 2
        edit     o1 remove 0*1 add mug*2@9 id=2 -> confirmed moved=1
        draws    o1                        -> 1@main committed=1 | 1@north committed=1
        drop     o1 1*1 id=3               -> confirmed moved=1
        draws    o1                        -> 1@main committed=1
    ",
    );
}
