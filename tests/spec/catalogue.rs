//! Markets, sites and SKUs: codes become numbers, once.

use stockade::base::{MarketId, ShardId, SkuId};
use stockade::engine::refusal::Field;
use stockade::engine::{Answer, Capacity, Command, Refusal};

use crate::rig::{MARKET, Rig, room_for};
use crate::script::check;

fn numbered(number: u32, repeated: bool) -> Answer {
    Answer::Numbered { number, repeated }
}

#[test]
fn every_market_has_a_site_main_and_sites_are_numbered_from_there() {
    check(
        "
        site     main                -> number=1 again
        site     north rank=5        -> number=2
        site     south rank=1        -> number=3
        site     north rank=1        -> number=2 again
        receive  mug 1 at=north
        receive  mug 1 at=south
        place    o1 mug*1
        draws    o1                  -> 0@south reserved=1
    ",
    );
}

#[test]
fn codes_of_skus_are_case_sensitive_and_numbered_in_each_market() {
    check(
        "
        sku      mug                 -> number=1
        sku      Mug                 -> number=2
        sku      mug                 -> number=1 again
        market   second
        sku      Mug                 -> number=1
    ",
    );
}

#[test]
fn a_code_has_1_to_64_bytes_and_nothing_that_cannot_be_seen() {
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    let (long, longer) = ("x".repeat(64), "x".repeat(65));
    let wide = "é".repeat(32);
    let wider = "é".repeat(33);
    let no = Err(Refusal::OutOfBounds { field: Field::Code, min: 1, max: 64 });
    for code in
        ["", " ", " a", "a ", "a\tb", "a\n", "\u{7f}", "a\0b", "\u{85}", "\u{a0}a", "a\u{2003}", &longer, &wider]
    {
        assert_eq!(rig.submit(&Command::CreateSku { market, code }), no, "{code:?}");
        assert_eq!(rig.submit(&Command::CreateSite { market, rank: 0, code }), no, "{code:?}");
        assert_eq!(rig.submit(&Command::AssignMarket { code }), no, "{code:?}");
    }
    for code in ["a", "a b", "a  b", "é", &long, &wide, "*#|->", "日本"] {
        assert!(rig.submit(&Command::CreateSku { market, code }).is_ok(), "{code:?}");
        assert!(rig.submit(&Command::CreateSite { market, rank: 0, code }).is_ok(), "{code:?}");
    }
    rig.check_everything();
}

#[test]
fn codes_resolve_to_their_numbers() {
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    for code in ["mug", "cup"] {
        rig.submit(&Command::CreateSku { market, code }).expect("created");
    }
    let resolved = rig.engine.resolve_skus(market, &["cup", "mug", "Mug", ""]);
    assert_eq!(resolved, Ok(vec![Some(SkuId(2)), Some(SkuId(1)), None, None]));
    assert_eq!(rig.engine.resolve_skus(MarketId::MAX, &["mug"]), Err(Refusal::UnknownMarket));
    let page = |after, rows_max| rig.engine.skus(market, SkuId(after), rows_max).expect("the market is open");
    assert_eq!(page(0, 1), [(SkuId(1), "mug".to_owned())]);
    assert_eq!(page(1, 9), [(SkuId(2), "cup".to_owned())]);
    assert_eq!(page(2, 9), []);
}

#[test]
fn a_sku_beyond_the_configured_number_is_refused() {
    let mut rig = Rig::new(Capacity { skus_max: 2, ..Capacity::default() });
    let (first, second) = (rig.open("default"), rig.open("second"));
    assert!(rig.submit(&Command::CreateSku { market: first, code: "mug" }).is_ok());
    assert!(rig.submit(&Command::CreateSku { market: second, code: "mug" }).is_ok());
    assert_eq!(rig.submit(&Command::CreateSku { market: second, code: "cup" }), Err(Refusal::AtCapacity));
    assert!(rig.submit(&Command::CreateSku { market: second, code: "mug" }).is_ok(), "what exists is still found");
}

#[test]
fn a_market_that_is_not_open_is_unknown_to_every_command() {
    let mut rig = Rig::new(room_for(10));
    rig.open("default");
    let market = MarketId::new(2).expect("fits");
    assert_eq!(rig.submit(&Command::CreateSku { market, code: "mug" }), Err(Refusal::UnknownMarket));
    assert_eq!(rig.submit(&Command::CreateSite { market, rank: 0, code: "north" }), Err(Refusal::UnknownMarket));
    assert_eq!(rig.engine.books(market), Err(Refusal::UnknownMarket));
}

#[test]
fn the_directory_gives_new_markets_to_the_shard_with_fewest() {
    let mut rig = Rig::of_shard(ShardId(0), 3, room_for(10));
    for (at, code) in ["a", "b", "c", "d", "e"].into_iter().enumerate() {
        let told = rig.submit(&Command::AssignMarket { code }).expect("there is room");
        assert_eq!(told.answer, numbered(at as u32 + 1, false));
    }
    let again = rig.submit(&Command::AssignMarket { code: "b" }).expect("it exists");
    assert_eq!(again.answer, numbered(2, true));
    let shards: Vec<u16> = rig.twin.directory().map(|(_, shard, _)| shard.0).collect();
    assert_eq!(shards, [0, 1, 2, 0, 1]);
    rig.check_directory();
}

#[test]
fn only_the_shard_with_the_directory_assigns_markets() {
    let mut rig = Rig::of_shard(ShardId(1), 2, room_for(10));
    assert_eq!(rig.submit(&Command::AssignMarket { code: "a" }), Err(Refusal::UnknownMarket));
    let open = Command::OpenMarket { market: MARKET, code: "a" };
    assert_eq!(rig.submit(&open).expect("the node says so").answer, numbered(1, false));
    assert_eq!(rig.submit(&open).expect("it is open").answer, numbered(1, true));
    assert!(rig.submit(&Command::CreateSku { market: MARKET, code: "mug" }).is_ok());
    rig.check_everything();
}

#[test]
fn there_are_at_most_256_sites_in_a_market_and_4096_markets() {
    let mut rig = Rig::new(room_for(10));
    let market = rig.open("default");
    for number in 2..=256 {
        let code = format!("site {number}");
        let told = rig.submit(&Command::CreateSite { market, rank: 0, code: &code }).expect("there is room");
        assert_eq!(told.answer, numbered(number, false));
    }
    let refused = rig.submit(&Command::CreateSite { market, rank: 0, code: "one more" });
    assert!(matches!(refused, Err(Refusal::OutOfBounds { field: Field::Sites, .. })), "{refused:?}");
    for number in 2..=4_096 {
        rig.submit(&Command::AssignMarket { code: &format!("market {number}") }).expect("there is room");
    }
    let refused = rig.submit(&Command::AssignMarket { code: "one more" });
    assert!(matches!(refused, Err(Refusal::OutOfBounds { field: Field::Markets, .. })), "{refused:?}");
    assert!(rig.submit(&Command::AssignMarket { code: "default" }).is_ok(), "what exists is still found");
    rig.check_everything();
    rig.check_directory();
}
