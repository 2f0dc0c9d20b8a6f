//! Lines as they stand on the command line: `SKU=QTY@PRICE` of a placement, `LINE=QTY` of a cancellation.

use super::fault::CliFault;
use super::price;
use crate::base::{Currency, Price};
use crate::engine::LineQuantity;

/// One line to place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WantedLine {
    pub(super) sku: String,
    pub(super) quantity: u32,
    pub(super) price: Price,
}

/// Reads `SKU=QTY@PRICE`. The SKU ends at the last `=`, so its code may contain one.
/// The price has no default: an order that costs nothing is confirmed at once, which nobody may get by forgetting.
pub(super) fn wanted(text: &str, currency: Currency) -> Result<WantedLine, CliFault> {
    let fault = |why: &str| CliFault::usage(format!("--line {text}: {why}"));
    let (sku, rest) = text
        .rsplit_once('=')
        .filter(|(sku, _)| !sku.is_empty())
        .ok_or_else(|| fault("a line is SKU=QTY@PRICE, such as MUG-BLUE=2@12.50"))?;
    let (quantity, price) = rest.split_once('@').ok_or_else(|| {
        fault("the price of one unit is missing; write SKU=QTY@PRICE, such as MUG-BLUE=2@12.50, or @0 when it is free")
    })?;
    let quantity = units(quantity).ok_or_else(|| fault("the quantity must be a whole number from 1"))?;
    let price = price::parse(price, currency).map_err(|why| fault(&why.to_string()))?;
    Ok(WantedLine { sku: sku.to_owned(), quantity, price })
}

/// Reads `LINE=QTY`.
pub(super) fn part(text: &str) -> Result<LineQuantity, CliFault> {
    let read = || {
        let (line, quantity) = text.split_once('=')?;
        Some(LineQuantity { line: line.parse().ok()?, quantity: units(quantity)? })
    };
    read().ok_or_else(|| {
        CliFault::usage(format!("--line {text}: write LINE=QTY, such as 0=1; lines count from 0, quantities from 1"))
    })
}

fn units(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|quantity| digits && *quantity > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<WantedLine, CliFault> {
        wanted(text, "GBP".parse().expect("a currency"))
    }

    #[test]
    fn a_line_has_a_sku_a_quantity_and_a_price() {
        let line = read("85123A=6@2.55").expect("sound");
        assert_eq!(line, WantedLine { sku: "85123A".into(), quantity: 6, price: 255 });
        assert_eq!(read("MUG=1@0").expect("sound").price, 0);
        assert_eq!(read("SIZE=XL=2@1").expect("sound").sku, "SIZE=XL");
    }

    #[test]
    fn a_line_that_makes_no_sense_is_quoted_with_what_is_allowed() {
        for (bad, why) in [
            ("MUG", "SKU=QTY"),
            ("=3", "SKU=QTY"),
            ("MUG=1", "@0 when it is free"),
            ("MUG=0@1", "from 1"),
            ("MUG=-1@1", "from 1"),
            ("MUG=+1@1", "from 1"),
            ("MUG=1.5@1", "from 1"),
            ("MUG=99999999999@1", "from 1"),
            ("MUG=1@", "decimal"),
            ("MUG=1@2.555", "GBP has 2"),
        ] {
            let fault = read(bad).expect_err(bad);
            assert!(fault.to_string().contains(why) && fault.to_string().contains(bad), "{fault}");
            assert_eq!(fault.exit_code(), 2);
        }
    }

    #[test]
    fn a_part_of_an_order_is_a_line_and_a_quantity() {
        assert_eq!(part("0=3").expect("sound"), LineQuantity { line: 0, quantity: 3 });
        for bad in ["0", "0=", "0=0", "a=1", "70000=1"] {
            assert!(part(bad).is_err(), "{bad}");
        }
    }
}
