//! What is always true of returns, held against the answers of the engine alone: `docs/RETURNS.md`, "What is always
//! true".

use std::collections::BTreeMap;

use stockade::base::{MarketId, SiteId, SkuId};
use stockade::engine::Disposition;
use stockade::engine::ledger::Bucket;
use stockade::engine::query::{OrderView, ReturnPieceView, ReturnView};
use stockade::engine::{Component, ReturnKind, ReturnStage};

use super::Rig;

impl Rig {
    /// Whoever waits for the next return that ends by itself does not sleep past it.
    pub(super) fn check_wake(&self) {
        if let Some(end) = self.twin.next_end() {
            let wake = self.engine.next_retirement_at();
            assert!(wake.is_some_and(|wake| wake <= end), "a return ends at {end:?}, woken at {wake:?}");
        }
    }

    pub(super) fn check_returns(&self, market: MarketId) {
        let mut lying: BTreeMap<(SkuId, SiteId), u64> = BTreeMap::new();
        for id in self.twin.order_ids(market) {
            let view = self.engine.order(id).expect("it is kept");
            assert!(!view.closed || view.returns.is_empty(), "returns of {id} outlive it");
            check_claims(&view);
            for (piece, sku) in view.returns.iter().flat_map(|it| &it.pieces).map(|piece| (piece, sku(&view, piece))) {
                let recipe = self.engine.recipe(market, sku).expect("it is known");
                let itself = vec![Component { sku, units: 1 }];
                for part in if recipe.is_empty() { itself } else { recipe } {
                    let units = u64::from(part.units) * u64::from(lies(piece));
                    *lying.entry((part.sku, piece.site)).or_default() += units;
                }
            }
        }
        for ((sku, site), units) in lying {
            let rows = self.engine.stock(market, &[sku]).expect("it is known");
            let held =
                rows.iter().filter(|row| row.site == site).map(|row| row.balance(Bucket::QualityHold)).sum::<i64>();
            assert!(
                held.cast_unsigned() >= units,
                "{units} of {sku} lie with returns at {site}, and only {held} there"
            );
        }
    }
}

fn sku(view: &OrderView, piece: &ReturnPieceView) -> SkuId {
    view.lines[usize::from(piece.line)].sku
}

fn lies(piece: &ReturnPieceView) -> u32 {
    let gone: u32 = piece.became.iter().sum();
    assert!(gone <= piece.received, "more became something than came in: {piece:?}");
    piece.received - gone
}

/// Laws 1 to 4, line by line; units that were put back are those that came back with no return.
fn check_claims(view: &OrderView) {
    for (at, line) in (0..).zip(&view.lines) {
        let claims = |by_carriers: bool| {
            let of_kind = view.returns.iter().filter(|it| is_by_carrier(it.kind) == by_carriers);
            of_kind.map(|it| claim(it, at)).sum::<u32>()
        };
        let (by_customers, by_carriers) = (claims(false), claims(true));
        let with_returns: u32 = view.returns.iter().map(|it| received(it, at) - sent_back(it, at)).sum();
        let put_back = line.returned.checked_sub(with_returns).expect("what came in with returns came back");
        assert!(
            by_customers <= line.delivered,
            "{at} of {}: {by_customers} claimed by customers: {line:?}",
            view.order
        );
        assert!(by_carriers + line.delivered <= line.shipped, "{at} of {}: {by_carriers} by carriers", view.order);
        let all = by_customers + by_carriers + put_back;
        assert!(all <= line.shipped, "{at} of {}: {all} of {} claimed or put back", view.order, line.shipped);
        for it in &view.returns {
            let asked = it.lines.iter().filter(|asked| asked.line == at).map(|asked| asked.asked).sum::<u32>();
            assert!(received(it, at) <= asked, "{at} of {}: more came in than was asked: {it:?}", view.order);
        }
    }
}

/// As the page says what a return claims of a line.
fn claim(it: &ReturnView, line: u16) -> u32 {
    let asked = it.lines.iter().filter(|asked| asked.line == line).map(|asked| asked.asked).sum::<u32>();
    match it.stage {
        ReturnStage::Declined | ReturnStage::Cancelled | ReturnStage::Expired => 0,
        ReturnStage::Closed => received(it, line) - sent_back(it, line),
        _ => asked - sent_back(it, line),
    }
}

fn received(it: &ReturnView, line: u16) -> u32 {
    it.pieces.iter().filter(|piece| piece.line == line).map(|piece| piece.received).sum()
}

fn sent_back(it: &ReturnView, line: u16) -> u32 {
    let of_line = it.pieces.iter().filter(|piece| piece.line == line);
    of_line.map(|piece| piece.became[Disposition::BackToCustomer as usize - 1]).sum()
}

fn is_by_carrier(kind: ReturnKind) -> bool {
    matches!(kind, ReturnKind::Refused | ReturnKind::NotCollected | ReturnKind::CarrierReturn)
}
