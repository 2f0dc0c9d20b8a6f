//! One line of the file, read by itself: either its class is settled, or it is something to do.
//!
//! # Always true
//! - The order of the questions here is the precedence of the classes (`replay`, "Precedence").
//! # Not here
//! - Whatever depends on other lines: `shop` gathers orders, `model` knows what is left.

use stockade::base::Price;
use stockade::base::limits::{CODE_BYTES_MAX, LINE_QUANTITY_MAX};

use super::class::Class;
use super::price;

/// The columns, in this order.
pub(crate) const COLUMNS: [&str; 8] =
    ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"];

/// Codes that name no goods: postage, discounts, fees, samples, donations. Case-sensitive.
const NOT_GOODS: [&str; 11] = ["POST", "DOT", "M", "m", "S", "D", "C2", "B", "CRUK", "BANK CHARGES", "AMAZONFEE"];
const NOT_GOODS_PREFIX: &str = "gift_";

/// A line that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) invoice: &'a str,
    /// Empty for guests.
    pub(crate) customer: &'a str,
    pub(crate) country: &'a [u8],
    /// The date, as the file writes it.
    pub(crate) day: &'a [u8],
    pub(crate) says: Says<'a>,
}

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says<'a> {
    /// Units of an order.
    Order { sku: &'a str, quantity: u32, price: Price },
    /// Units a known customer gives back, and what the shop says each of them cost, if that can be paid.
    Cancellation { sku: &'a str, quantity: u32, price: Option<Price> },
    /// Units the shop threw away or could not find.
    WriteOff { sku: &'a str, quantity: u32 },
    /// Nothing to do.
    Settled(Class),
}

/// Reads the fields of one record, or says why they cannot be read.
pub(crate) fn read<'a>(fields: &[&'a [u8]]) -> Result<Line<'a>, &'static str> {
    let &[invoice, code, _, quantity, date, price, customer, country] = fields else {
        return Err("not eight fields");
    };
    let day = date.trim_ascii().split(|byte| *byte == b' ').next().unwrap_or_default();
    let invoice = printable(invoice).filter(|text| !text.is_empty()).ok_or("no invoice number")?;
    let code = printable(code).filter(|text| !text.is_empty()).ok_or("no stock code")?;
    let customer = printable(customer).ok_or("the customer is no plain text")?;
    let (quantity, is_negative) = read_quantity(printable(quantity).unwrap_or_default())?;
    let price = price::read(printable(price).unwrap_or_default());
    let is_cancellation = invoice.starts_with('C');
    if price == price::Reading::NoNumber {
        return Err("the price is no decimal number");
    }
    if code.len() > CODE_BYTES_MAX {
        return Err("the stock code is too long");
    }
    if is_cancellation && !is_negative {
        return Err("a cancellation of a positive quantity");
    }
    let says = if invoice.starts_with('A') || NOT_GOODS.contains(&code) || code.starts_with(NOT_GOODS_PREFIX) {
        Says::Settled(Class::NoGoods)
    } else if is_cancellation && customer.is_empty() {
        Says::Settled(Class::CancellationGuest)
    } else if is_cancellation {
        let price = if let price::Reading::Pennies(price) = price { Some(price) } else { None };
        Says::Cancellation { sku: code, quantity, price }
    } else if is_negative {
        Says::WriteOff { sku: code, quantity }
    } else if let price::Reading::Pennies(price) = price {
        Says::Order { sku: code, quantity, price }
    } else {
        Says::Settled(Class::BadPrice)
    };
    Ok(Line { invoice, customer, country, day, says })
}

/// Without the blanks around it; `None` for anything but printable ASCII.
fn printable(field: &[u8]) -> Option<&str> {
    let text = field.trim_ascii();
    let is_printable = text.iter().all(|byte| (b' '..=b'~').contains(byte));
    if is_printable { core::str::from_utf8(text).ok() } else { None }
}

fn read_quantity(text: &str) -> Result<(u32, bool), &'static str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err("the quantity is no whole number");
    }
    match digits.parse::<u32>() {
        Ok(0) => Err("a quantity of zero"),
        Ok(quantity) if quantity <= LINE_QUANTITY_MAX => Ok((quantity, digits.len() < text.len())),
        Ok(_) | Err(_) => Err("the quantity is too large"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(record: &str) -> Result<Says<'_>, &'static str> {
        let fields: Vec<&[u8]> = record.split('|').map(str::as_bytes).collect();
        read(&fields).map(|line| line.says)
    }

    fn check(record: &str, expected: Says<'_>) {
        assert_eq!(says(record), Ok(expected), "{record}");
    }

    const fn order(sku: &str, quantity: u32, price: Price) -> Says<'_> {
        Says::Order { sku, quantity, price }
    }

    #[test]
    fn blanks_around_a_field_are_not_part_of_it() {
        let fields: [&[u8]; 8] =
            [b" 536365", b"85123A ", b"x", b" 6 ", b" 2010-12-01 08:26:00", b"2.55\r", b" 17850.0", b"France"];
        let says = order("85123A", 6, 255);
        let day = b"2010-12-01";
        let line = Line { invoice: "536365", customer: "17850.0", country: b"France", day, says };
        assert_eq!(read(&fields), Ok(line));
    }

    #[test]
    fn goods_are_told_from_what_is_none_by_their_exact_code() {
        check("536365|85123A|x|6|t|2.55|17850.0|France", order("85123A", 6, 255));
        check("536365|85123a|x|6|t|2.55|17850.0|France", order("85123a", 6, 255));
        check("536365|post|x|6|t|2.55||France", order("post", 6, 255));
        check("536365|PADS|x|6|t|2.55||France", order("PADS", 6, 255));
        for code in NOT_GOODS.iter().copied().chain(["gift_0001_20", "gift_"]) {
            check(&format!("536365|{code}|x|6|t|2.55|1|France"), Says::Settled(Class::NoGoods));
            check(&format!("C36365|{code}|x|-6|t|2.55|1|France"), Says::Settled(Class::NoGoods));
        }
    }

    #[test]
    fn an_adjustment_invoice_counts_as_no_goods_whatever_it_says() {
        check("A563185|B|Adjust bad debt|1|t|11062.06||France", Says::Settled(Class::NoGoods));
        check("A563186|85123A|Adjust bad debt|1|t|-11062.06||France", Says::Settled(Class::NoGoods));
        check("A563186|85123A|x|-1|t|1|7|France", Says::Settled(Class::NoGoods));
    }

    #[test]
    fn prices_drop_order_lines_and_nothing_else() {
        check("550193|PADS|x|1|t|0.001|13952.0|France", Says::Settled(Class::BadPrice));
        check("550193|22423|x|1|t|-1.00|13952.0|France", Says::Settled(Class::BadPrice));
        check("550193|22423|x|1|t|0.0||France", order("22423", 1, 0));
        check("550193|22423|x|-1|t|0.001||France", Says::WriteOff { sku: "22423", quantity: 1 });
        check("C50193|22423|x|-1|t|0.001|7|France", Says::Cancellation { sku: "22423", quantity: 1, price: None });
    }

    #[test]
    fn negative_quantities_are_cancellations_or_write_offs() {
        check("541431|23166|x|74215|t|1.04|12346.0|France", order("23166", 74_215, 104));
        let cancelled = Says::Cancellation { sku: "23166", quantity: 74_215, price: Some(104) };
        check("C541433|23166|x|-74215|t|1.04|12346.0|France", cancelled);
        check("C541433|23166|x|-74215|t|1.04||France", Says::Settled(Class::CancellationGuest));
        check("556691|23005|thrown away|-9600|t|0.0||France", Says::WriteOff { sku: "23005", quantity: 9_600 });
        check("556691|23005|thrown away|-9600|t|0.0|7|France", Says::WriteOff { sku: "23005", quantity: 9_600 });
    }

    #[test]
    fn what_cannot_be_read_is_malformed_and_says_why() {
        let long = "x".repeat(65);
        for (record, why) in [
            ("536365|85123A|x|6|t|2.55|17850.0", "not eight fields"),
            ("536365|85123A|x|6|t|2.55|17850.0|France|", "not eight fields"),
            (" |85123A|x|6|t|2.55|17850.0|France", "no invoice number"),
            ("536365||x|6|t|2.55|17850.0|France", "no stock code"),
            ("536365|85é|x|6|t|2.55|17850.0|France", "no stock code"),
            ("536365|85123A|x|six|t|2.55|17850.0|France", "the quantity is no whole number"),
            ("536365|85123A|x|6.0|t|2.55|17850.0|France", "the quantity is no whole number"),
            ("536365|85123A|x|0|t|2.55|17850.0|France", "a quantity of zero"),
            ("536365|85123A|x|10000001|t|2.55|17850.0|France", "the quantity is too large"),
            ("C36365|85123A|x|6|t|2.55|17850.0|France", "a cancellation of a positive quantity"),
            ("536365|85123A|x|6|t|free|17850.0|France", "the price is no decimal number"),
            ("A36365|POST|x|0|t|2.55|17850.0|France", "a quantity of zero"),
            (&format!("536365|{long}|x|6|t|2.55|17850.0|France"), "the stock code is too long"),
        ] {
            assert_eq!(says(record), Err(why), "{record}");
        }
    }
}
