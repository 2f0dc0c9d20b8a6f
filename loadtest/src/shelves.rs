//! What is left of every SKU after a sale of many.
//!
//! # Always true
//! - What was asked of every SKU is counted again at the end from the numbers of the orders, and what is left of it is
//!   what was there less that, or nothing. One unit sold twice, or refused while it was there, shows at its SKU.

use stockade::base::limits::PAGE_ROWS_MAX;
use stockade::base::{MarketId, SkuId};
use stockade::engine::Query;
use stockade::engine::ledger::Bucket;
use stockade::wire::Reply;

use crate::drive::{Driven, Goods};
use crate::exchange::{Ask, Exchange};
use crate::failure::Failure;

/// Compares what is left of every SKU with what was asked of it.
pub(crate) async fn check_shelves(
    exchange: &mut Exchange,
    goods: Goods,
    units: u64,
    driven: &mut Driven,
) -> Result<(), Failure> {
    driven.sums.check_numbers();
    let asked = asked(goods, driven.sent);
    let taken: u64 = asked.iter().map(|asked| (*asked).min(units)).sum();
    let sums = &mut driven.sums;
    let (reserved, refused) = (sums.reserved, sums.other_refusals);
    // What was refused for another reason may have been of any SKU.
    if reserved > taken || (refused == 0 && reserved != taken) {
        sums.errors.add(|| format!("{reserved} orders accepted, where {taken} units were there for those who asked"));
    }
    let count = goods.skus();
    let skus: Vec<SkuId> = (0..count as u32).map(|at| SkuId(goods.sku.0 + at)).collect();
    for (turn, asked) in (0..).zip(asked.chunks(count)) {
        let market = goods.market_at(turn);
        for (page, asked) in skus.chunks(PAGE_ROWS_MAX).zip(asked.chunks(PAGE_ROWS_MAX)) {
            for ((sku, asked), left) in page.iter().zip(asked).zip(left_of(exchange, market, page).await?) {
                let least = units.saturating_sub(*asked).cast_signed();
                if left < least || (refused == 0 && left != least) {
                    sums.errors.add(|| format!("market {market} SKU {sku}: {asked} asked of {units}, {left} are left"));
                }
            }
        }
    }
    Ok(())
}

/// Units for sale of each of these SKUs.
async fn left_of(exchange: &mut Exchange, market: MarketId, skus: &[SkuId]) -> Result<Vec<i64>, Failure> {
    let read = |reply: &Reply<'_>| match reply {
        Reply::Stock { rows, more: false } => Some(rows.iter().map(|row| row.balance(Bucket::Available)).collect()),
        _ => None,
    };
    exchange.ask_one("looking at stock", Ask::Query(Query::Stock { market, skus }), read).await
}

/// Units asked of each SKU of each market by the first `orders` orders.
fn asked(goods: Goods, orders: u64) -> Vec<u64> {
    let skus = goods.skus();
    let mut asked = vec![0; goods.markets as usize * skus];
    for n in 0..orders {
        asked[goods.turn_of(n) as usize * skus + (goods.sku_of(n).0 - goods.sku.0) as usize] += 1;
    }
    asked
}
