//! What an edit asks for: lines added, units removed, prices and the zone set.

use super::{Line, LineQuantity};
use crate::base::Price;

/// Changes of an order that happen together or not at all; at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edit<'a> {
    /// Where the order goes to from now on.
    pub zone: Option<u16>,
    /// What each unit of some lines costs from now on. A line may be named once.
    pub prices: &'a [LinePrice],
    /// How many units fewer of some lines. A line may be named once.
    pub remove: &'a [LineQuantity],
    /// Lines behind those that are there.
    pub add: &'a [Line],
}

/// Another price of one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinePrice {
    /// Position of the line in the order, from 0.
    pub line: u16,
    /// Price of one unit in minor units.
    pub price: Price,
}
