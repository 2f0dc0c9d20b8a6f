//! Edits with numbers at which programs break.

use stockade::base::{ChangeId, OrderId, SkuId};
use stockade::engine::{Command, Edit, Line, LinePrice, LineQuantity};

use super::EDGES;
use crate::dice::Dice;

/// Up to two lines with prices.
pub(super) fn prices(dice: &mut Dice) -> Vec<LinePrice> {
    let mut edge = || EDGES[dice.below(EDGES.len() as u64) as usize];
    let prices = [(); 2].map(|()| LinePrice { line: edge().min(u64::from(u16::MAX)) as u16, price: edge() });
    prices[..edge() as usize % 3].iter().map(|it| LinePrice { line: it.line % 0x7FFF, ..*it }).collect()
}

/// Some of what an edit may ask, most often in lines that the order may have.
pub(super) fn extreme<'a>(
    dice: &mut Dice,
    (order, change): (OrderId, ChangeId),
    (prices, remove, add): (&'a [LinePrice], &'a [LineQuantity], &'a [Line]),
) -> Command<'a> {
    const FEW: &[LineQuantity] = &[LineQuantity { line: 0, quantity: 1 }];
    const ALL: &[LineQuantity] = &[LineQuantity { line: 0, quantity: 3 }, LineQuantity { line: 1, quantity: 2 }];
    const LINES: &[Line] = &[
        Line { sku: SkuId(1), quantity: 1, price: 1_000_000_000_000 },
        Line { sku: SkuId(2), quantity: 2, price: 0 },
        Line { sku: SkuId(3), quantity: 1, price: 1 },
    ];
    const PRICES: &[LinePrice] = &[LinePrice { line: 0, price: 1_000_000_000_000 }, LinePrice { line: 1, price: 0 }];
    let prices = [&[], prices, &PRICES[..1], PRICES][dice.below(4) as usize];
    let remove = [&[], remove, FEW, ALL][dice.below(4) as usize];
    let add = [&[], add, &LINES[dice.below(3) as usize..], &LINES[..1]][dice.below(4) as usize];
    let zone = [None, Some(0), Some(u16::MAX)][dice.below(3) as usize];
    Command::EditOrder { order, change, edit: Edit { zone, prices, remove, add } }
}
