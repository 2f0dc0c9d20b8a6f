//! Kits: components only, taken together, in whole kits per site.

use stockade::base::limits::{KIT_LINES_MAX, KITS_OF_COMPONENT_MAX};
use stockade::base::{Currency, CustomerKey, OrderId, SkuId};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::refusal::Field;
use stockade::engine::{Capacity, Command, Component, Line, Place, Refusal};

use crate::rig::{MARKET, Rig, START};
use crate::script::{Script, check, check_within};

#[test]
fn a_kit_is_defined_once_and_never_changes() {
    check(
        "
        sku     mug            -> number=1
        sku     tea            -> number=2
        kit     gift mug*2 tea*1  -> number=3
        kit     gift tea*1 mug*2  -> number=3 again
        kit     gift mug*2        -> no: conflict
        kit     gift mug*2 tea*2  -> no: conflict
        kit     mug tea*1         -> no: not_a_kit mug
        sku     gift              -> number=3 again
        ",
    );
}

#[test]
fn a_recipe_is_bounded() {
    check(
        "
        sku     mug
        kit     gift                       -> no: out_of_bounds Components
        kit     gift mug*0                 -> no: out_of_bounds KitUnits
        kit     gift mug*10001             -> no: out_of_bounds KitUnits
        kit     gift mug*1 mug*2           -> no: out_of_bounds Line
        kit     gift #9*1                  -> no: unknown_sku #9
        kit     gift mug*10000             -> number=2
        kit     hamper gift*1              -> no: is_kit gift
        kit     a #1*1 #2*1 #3*1 #4*1 #5*1 #6*1 #7*1 #8*1 #9*1 #10*1 #11*1 #12*1 #13*1 #14*1 #15*1 #16*1 #17*1 \
                -> no: out_of_bounds Components
        ",
    );
    check_within(
        Capacity { kits_max: 1, ..Capacity::default() },
        "
        sku     mug
        kit     one mug*1  -> number=2
        kit     two mug*2  -> no: at_capacity
        kit     one mug*1  -> number=2 again
        sku     cup        -> number=3
        ",
    );
    check_within(
        Capacity { skus_max: 1, ..Capacity::default() },
        "
        sku     mug
        kit     one mug*1  -> no: at_capacity
        ",
    );
}

#[test]
fn a_sku_is_in_a_bounded_number_of_kits() {
    let mut rig = Rig::new(Capacity::default());
    rig.open("default");
    rig.submit(&Command::CreateSku { market: MARKET, code: "mug" }).expect("created");
    let components = [Component { sku: SkuId(1), units: 1 }];
    for number in 0..KITS_OF_COMPONENT_MAX {
        let code = format!("kit-{number}");
        rig.submit(&Command::DefineKit { market: MARKET, code: &code, components: &components }).expect("defined");
    }
    let max = KITS_OF_COMPONENT_MAX as u64;
    let refused = Err(Refusal::OutOfBounds { field: Field::KitsOfComponent, min: 0, max });
    assert_eq!(
        rig.engine_alone(&Command::DefineKit { market: MARKET, code: "more", components: &components }),
        refused
    );
    rig.check_everything();
}

#[test]
fn an_order_names_kits_on_a_bounded_number_of_lines() {
    let mut rig = Rig::new(Capacity::default());
    rig.open("default");
    rig.submit(&Command::CreateSku { market: MARKET, code: "mug" }).expect("created");
    let components = [Component { sku: SkuId(1), units: 1 }];
    rig.submit(&Command::DefineKit { market: MARKET, code: "kit", components: &components }).expect("defined");
    let lines = [Line { sku: SkuId(2), quantity: 1, price: 100 }; KIT_LINES_MAX + 1];
    let place = |lines| {
        Command::Place(Place {
            order: OrderId::new(START, MARKET, 1),
            customer: CustomerKey::default(),
            take: Take::AllOrNothing,
            hold_ms: 1_000,
            currency: Currency::new(*b"GBP").expect("pounds exist"),
            payment: PaymentMethod::Card,
            channel: 0,
            zone: 0,
            hashes: None,
            lines,
            details: &[],
            key: None,
        })
    };
    let max = KIT_LINES_MAX as u64;
    assert_eq!(rig.engine_alone(&place(&lines)), Err(Refusal::OutOfBounds { field: Field::KitLines, min: 0, max }));
    let sold_out = Refusal::SoldOut { sku: SkuId(2), asked: max, available: 0 };
    assert_eq!(rig.submit(&place(&lines[1..])), Err(sold_out));
}

#[test]
fn a_kit_has_no_units_of_its_own() {
    check(
        "
        receive mug 5
        kit     gift mug*1
        receive gift 1                                      -> no: is_kit gift
        adjust  gift 1                                      -> no: is_kit gift
        move    gift 1 from=main:available to=main:damaged  -> no: is_kit gift
        count   gift 0 expected=0                           -> no: is_kit gift
        policy  gift oversell=1                             -> no: is_kit gift
        policy  gift safety=1                               -> no: is_kit gift
        policy  gift max=2                                  -> set
        stock   gift                                        -> nothing
        ",
    );
}

#[test]
fn every_movement_of_kits_is_one_of_whole_kits_of_components() {
    check(
        "
        receive mug 10
        receive tea 5
        kit     gift mug*2 tea*1         -> number=3
        for_sale gift                    -> for_sale=5
        place   o1 gift*4                -> #1 pending_payment
        stock   mug                      -> available=2 reserved=8
        stock   tea                      -> available=1 reserved=4
        stock   gift                     -> nothing
        for_sale gift                    -> for_sale=1
        confirm o1                       -> confirmed moved=4
        stock   mug                      -> available=2 committed=8
        drop    o1 0*1 id=1              -> confirmed moved=1
        stock   mug                      -> available=4 committed=6
        ship    o1 0*2 id=2              -> fulfilling moved=2
        stock   mug                      -> available=4 committed=2 customer=4
        stock   tea                      -> available=2 committed=1 customer=2
        return  o1 0*1 id=3              -> fulfilling moved=1
        stock   mug                      -> available=6 committed=2 customer=2
        stock   tea                      -> available=3 committed=1 customer=1
        order   o1                       -> fulfilling gift committed=1 shipped=2 cancelled=1 returned=1
        cancel  o1                       -> completed moved=2
        stock   mug                      -> available=8 customer=2
        ",
    );
}

#[test]
fn a_reservation_of_kits_lapses_and_is_taken_again_whole() {
    check(
        "
        site    north rank=5
        receive mug 4
        receive tea 2
        kit     gift mug*2 tea*1
        place   o1 gift*2 hold=10s       -> #1 pending_payment
        wait    10s                      -> o1 expired
        for_sale gift                    -> for_sale=2
        move    mug 2 from=main:available to=north:available
        confirm o1 try=1                 -> not_taken_again gift
        move    tea 1 from=main:available to=north:available
        confirm o1 try=2                 -> confirmed moved=2
        draws   o1                       -> 0@main committed=1 | 0@north committed=1
        ",
    );
}

#[test]
fn lines_that_share_components_are_summed() {
    check(
        "
        receive mug 5
        receive tea 5
        receive jar 5
        kit     gift mug*2 tea*1
        kit     pair mug*1 jar*1
        place   o1 gift*2 mug*2          -> no: sold_out mug asked=2 available=1
        place   o1 mug*2 gift*2          -> no: sold_out gift asked=2 available=1
        place   o1 gift*2 pair*2         -> no: sold_out pair asked=2 available=1
        place   o1 gift*1 gift*1 mug*1   -> #1 pending_payment
        stock   mug                      -> reserved=5
        cancel  o1                       -> cancelled moved=3
        place   o2 gift*1 pair*2 mug*1   -> #2 pending_payment
        stock   mug                      -> reserved=5
        ",
    );
}

#[test]
fn what_exists_goes_to_lines_in_line_order() {
    check(
        "
        receive mug 5
        receive tea 5
        kit     gift mug*2 tea*1
        place   o1 mug*4 gift*2 exists   -> #1 pending_payment taken=4,0
        cancel  o1                       -> cancelled moved=4
        place   o2 gift*3 mug*4 exists   -> #2 pending_payment taken=2,1
        place   o3 gift*1 exists         -> no: sold_out gift asked=1 available=0
        ",
    );
}

#[test]
fn a_site_gives_whole_kits() {
    check(
        "
        site    north rank=5
        receive mug 3
        receive tea 9
        receive mug 3 at=north
        receive tea 9 at=north
        kit     gift mug*2 tea*1
        for_sale gift                    -> for_sale=2
        place   o1 gift*3                -> no: sold_out gift asked=3 available=2
        place   o1 gift*2                -> #1 pending_payment
        draws   o1                       -> 0@main reserved=1 | 0@north reserved=1
        stock   mug                      -> available=2 reserved=4
        ",
    );
}

#[test]
fn a_plain_line_leaves_a_kit_the_site_that_only_the_kit_needs() {
    check(
        "
        site    north rank=5
        receive mug 1
        receive tea 1
        receive mug 1 at=north
        kit     gift mug*1 tea*1
        place   o1 mug*1 gift*1          -> #1 pending_payment
        draws   o1                       -> 0@north reserved=1 | 1@main reserved=1
        ",
    );
}

#[test]
fn safety_stock_of_a_component_keeps_kits_back() {
    check(
        "
        receive mug 6
        receive tea 9
        kit     gift mug*2 tea*1
        policy  mug safety=3             -> set
        for_sale gift                    -> for_sale=1
        place   o1 gift*2                -> no: sold_out gift asked=2 available=1
        place   o1 gift*1                -> #1 pending_payment
        for_sale gift                    -> for_sale=0
        policy  mug safety=0             -> set
        for_sale gift                    -> for_sale=2
        ",
    );
}

#[test]
fn nothing_of_a_component_that_somebody_waits_for_is_for_sale_in_a_kit() {
    check(
        "
        receive mug 2
        receive tea 9
        kit     gift mug*1 tea*1
        policy  mug oversell=5           -> set
        place   o1 mug*2 gift*1          -> #1 pending_payment owed n=1
        for_sale gift                    -> for_sale=0
        place   o2 gift*1                -> no: sold_out gift asked=1 available=0
        place   o3 mug*1                 -> #2 pending_payment owed n=1
        receive mug 1
        for_sale gift                    -> for_sale=0
        cancel  o1
        order   o3                       -> pending_payment mug reserved=1
        for_sale gift                    -> for_sale=2
        ",
    );
}

#[test]
fn kits_that_come_to_be_free_go_to_whoever_waits_for_a_component() {
    check(
        "
        receive mug 4
        receive tea 2
        kit     gift mug*2 tea*1
        place   o1 gift*2 hold=60s       -> #1 pending_payment
        policy  mug oversell=9           -> set
        place   o2 mug*3 cod             -> #2 confirmed owed n=3
        drop    o1 0*1 id=1              -> pending_payment moved=1
        order   o2                       -> confirmed mug owed=1 committed=2
        wait    60s                      -> o1 expired
        order   o2                       -> confirmed mug committed=3
        stock   mug                      -> available=1 committed=3
        stock   tea                      -> available=2
        ",
    );
}

#[test]
fn lines_and_sites_share_what_the_safety_stock_leaves() {
    check(
        "
        site    north rank=5
        receive mug 3
        receive tea 9
        receive mug 3 at=north
        receive tea 9 at=north
        kit     gift mug*2 tea*1
        policy  mug safety=3             -> set
        for_sale gift                    -> for_sale=1
        place   o1 gift*2                -> no: sold_out gift asked=2 available=1
        place   o1 gift*1 gift*1         -> no: sold_out gift asked=2 available=1
        place   o1 gift*1 mug*2          -> no: sold_out mug asked=2 available=1
        place   o1 gift*1 mug*1          -> #1 pending_payment
        stock   mug                      -> available=3 reserved=3
        ",
    );
}

#[test]
fn who_holds_a_component_holds_it_in_kits_too() {
    check(
        "
        receive mug 9
        receive tea 9
        kit     gift mug*2 tea*1
        place   o1 gift*2
        place   o2 mug*1 gift*1 cod
        place   o3 tea*1
        holders mug                      -> o1 reserved=4 | o2 committed=3
        holders gift                     -> o1 reserved=2 | o2 committed=1
        holders tea                      -> o1 reserved=2 | o2 committed=1 | o3 reserved=1
        ",
    );
}

#[test]
fn limits_on_a_kit_count_kits_and_limits_on_a_component_count_what_is_in_them() {
    check(
        "
        receive mug 20
        receive tea 20
        kit     gift mug*2 tea*1
        policy  gift customer=2 max=2            -> set
        place   o1 gift*3 customer=7             -> no: order_limit gift min=0 max=2
        place   o1 gift*2 customer=7             -> #1 pending_payment
        place   o2 gift*1 customer=7             -> no: customer_limit gift max=2 left=0
        policy  mug customer=3 min=2             -> set
        place   o3 gift*2 customer=8             -> no: customer_limit mug max=3 left=3
        place   o3 gift*1 customer=8             -> #2 pending_payment
        place   o4 mug*2 customer=8              -> no: customer_limit mug max=3 left=1
        drop    o3 0*1 id=1                      -> cancelled moved=1
        place   o4 mug*2 customer=8              -> #3 pending_payment
        place   o5 gift*1 customer=8             -> no: customer_limit mug max=3 left=1
        ",
    );
}

#[test]
fn levels_of_a_kit_follow_its_components() {
    check(
        "
        receive mug 5
        receive tea 5
        kit     gift mug*2 tea*1
        policy  gift low=1               -> set
        levels                           -> nothing
        place   o1 mug*2                 -> #1 pending_payment
        levels                           -> gift low for_sale=1
        place   o2 tea*5                 -> #2 pending_payment
        levels                           -> gift out for_sale=0
        cancel  o2
        levels                           -> gift low for_sale=1
        cancel  o1
        levels                           -> gift enough for_sale=2
        ",
    );
}

#[test]
fn units_that_left_with_kits_stay_counted_when_their_order_is_closed() {
    check(
        "
        retention window=10s ids=60s
        receive mug 4
        kit     gift mug*2
        place   o1 gift*2 cod            -> #1 confirmed
        ship    o1 id=1                  -> completed moved=2
        return  o1 0*1 id=2              -> completed moved=1
        wait    20s                      -> nothing expired
        order   o1                       -> completed closed
        stock   mug                      -> available=2 customer=2
        ",
    );
}

#[test]
fn kits_and_components_sold_side_by_side_take_each_unit_once() {
    let rounds: String = (0..20).map(|round| format!("place k{round} gift*1\nplace m{round} mug*1\n")).collect();
    let start = "receive mug 60\nreceive tea 25\nkit gift mug*2 tea*1\n";
    let end = "
        stock    mug                     -> reserved=60
        stock    tea                     -> available=5 reserved=20
        place    late gift*1             -> no: sold_out gift asked=1 available=0
        place    late mug*1              -> no: sold_out mug asked=1 available=0
        cancel   m0                      -> cancelled moved=1
        for_sale gift                    -> for_sale=0
        cancel   m1                      -> cancelled moved=1
        for_sale gift                    -> for_sale=1
        place    late gift*1             -> #41 pending_payment
        receive  mug 3
        for_sale gift                    -> for_sale=1
        ";
    check(&format!("{start}{rounds}{end}"));
}

#[test]
fn an_image_and_a_replay_keep_the_recipe() {
    let mut script = Script::new(Rig::new(Capacity::default()));
    script.run("receive mug 5\nreceive tea 3\nkit gift mug*2 tea*1\nplace o1 gift*1");
    script.rig.check_replica();
    script.run(
        "
        kit      gift tea*1 mug*2        -> number=3 again
        for_sale gift                    -> for_sale=1
        place    o2 gift*2               -> no: sold_out gift asked=2 available=1
        cancel   o1                      -> cancelled moved=1
        stock    mug                     -> available=5
        place    o2 gift*2               -> #2 pending_payment
        ",
    );
}
