//! A shop's file as a list of steps: what happened, in the order of the file.
//!
//! All lines of one invoice are one order, and it stands where the first line of the invoice stands, wherever the
//! others are.
//!
//! # Not here
//! - What a line means by itself: `line`. What the steps come to: `model`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use csv::{ByteRecord, ReaderBuilder};
use flate2::read::MultiGzDecoder;
use stockade::base::limits::LINES_MAX;
use stockade::base::{CustomerKey, Price};
use xxhash_rust::xxh3::xxh3_128;

use super::class::{ByReason, Class};
use super::line::{self, COLUMNS, Line, Says};

/// Position of a code in [`Shop::skus`].
pub(crate) type SkuIndex = usize;

/// Malformed lines that are kept to be shown; all of them are counted.
const MALFORMED_SHOWN_MAX: usize = 20;

/// Everything a file says.
#[derive(Debug, Default)]
pub(crate) struct Shop {
    /// Lines, the header not counted.
    pub(crate) lines: u64,
    /// Codes that name goods, in order of appearance.
    pub(crate) skus: Vec<String>,
    /// Units asked in orders, per SKU.
    pub(crate) demand: Vec<u64>,
    /// What happened.
    pub(crate) steps: Vec<Step>,
    /// Lines whose class no stock decides.
    pub(crate) settled: ByReason,
    /// The first malformed lines: where, and why.
    pub(crate) malformed: Vec<(u64, &'static str)>,
}

/// One thing that happened.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// All lines of one invoice.
    Order(Basket),
    /// One cancellation line, and what it says a unit cost.
    Cancellation { line: u64, customer: CustomerKey, sku: SkuIndex, quantity: u32, price: Option<Price> },
    /// One write-off line.
    WriteOff { sku: SkuIndex, quantity: u32 },
    /// What was ordered and not cancelled leaves the building.
    EndOfDay,
}

/// An order to place.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Basket {
    pub(crate) invoice: String,
    /// Zero for guests.
    pub(crate) customer: CustomerKey,
    pub(crate) country: Vec<u8>,
    pub(crate) lines: Vec<BasketLine>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BasketLine {
    pub(crate) sku: SkuIndex,
    pub(crate) quantity: u32,
    pub(crate) price: Price,
}

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("cannot open {path}: {source}")]
    Open { path: String, source: std::io::Error },
    #[error("cannot read {path}: {source}")]
    Read { path: String, source: csv::Error },
    #[error("{path} does not begin with the header {}", COLUMNS.join(","))]
    Header { path: String },
    #[error("invoice {invoice} has more than {LINES_MAX} lines of goods, the most one order may have")]
    TooManyLines { invoice: String },
}

impl Shop {
    /// Reads a CSV file, gzipped when its name ends in `.gz`.
    pub(crate) fn open(path: &Path) -> Result<Self, FileError> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|source| FileError::Open { path: name.clone(), source })?;
        if path.extension().is_some_and(|extension| extension == "gz") {
            Self::read(&name, MultiGzDecoder::new(BufReader::new(file)))
        } else {
            Self::read(&name, file)
        }
    }

    /// Reads CSV; `name` is for messages.
    pub(crate) fn read(name: &str, bytes: impl Read) -> Result<Self, FileError> {
        let mut records = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(bytes);
        let mut record = ByteRecord::new();
        let mut gathering = Gathering::default();
        let broken = |source| FileError::Read { path: name.to_owned(), source };
        if !records.read_byte_record(&mut record).map_err(broken)? || !is_header(&record) {
            return Err(FileError::Header { path: name.to_owned() });
        }
        while records.read_byte_record(&mut record).map_err(broken)? {
            let fields: Vec<&[u8]> = record.iter().collect();
            gathering.take(line::read(&fields))?;
        }
        Ok(gathering.finish())
    }
}

fn is_header(record: &ByteRecord) -> bool {
    let first = |field: &[u8]| field.strip_prefix("\u{feff}".as_bytes()).unwrap_or(field).to_vec();
    let fields: Vec<Vec<u8>> = record.iter().map(first).collect();
    fields == COLUMNS.map(|column| column.as_bytes().to_vec())
}

/// A shop while its file is read.
#[derive(Default)]
struct Gathering {
    shop: Shop,
    sku_by_code: HashMap<String, SkuIndex>,
    /// Where an invoice's order stands in the steps.
    step_by_invoice: HashMap<String, usize>,
    /// Of the last line that could be read.
    day: Vec<u8>,
}

impl Gathering {
    fn take(&mut self, line: Result<Line<'_>, &'static str>) -> Result<(), FileError> {
        self.shop.lines += 1;
        match line {
            Ok(line) => self.take_line(&line),
            Err(why) => {
                self.shop.settled.count(Class::Malformed);
                if self.shop.malformed.len() < MALFORMED_SHOWN_MAX {
                    self.shop.malformed.push((self.shop.lines, why));
                }
                Ok(())
            }
        }
    }

    fn take_line(&mut self, line: &Line<'_>) -> Result<(), FileError> {
        let number = self.shop.lines;
        if line.day != self.day && !self.day.is_empty() {
            self.shop.steps.push(Step::EndOfDay);
        }
        line.day.clone_into(&mut self.day);
        let at = self.step_of_invoice(line);
        match line.says {
            Says::Settled(class) => self.shop.settled.count(class),
            Says::Cancellation { sku, quantity, price } => {
                let (sku, customer) = (self.sku(sku), customer_key(line.customer));
                self.shop.steps.push(Step::Cancellation { line: number, customer, sku, quantity, price });
            }
            Says::WriteOff { sku, quantity } => {
                let sku = self.sku(sku);
                self.shop.steps.push(Step::WriteOff { sku, quantity });
            }
            Says::Order { sku, quantity, price } => {
                let sku = self.sku(sku);
                self.shop.demand[sku] += u64::from(quantity);
                let Step::Order(basket) = &mut self.shop.steps[at] else {
                    unreachable!("law: the step of an invoice is its order")
                };
                if basket.lines.len() == LINES_MAX {
                    return Err(FileError::TooManyLines { invoice: line.invoice.to_owned() });
                }
                basket.lines.push(BasketLine { sku, quantity, price });
            }
        }
        Ok(())
    }

    /// Where the order of a line's invoice stands; its customer and country are those of the first line.
    fn step_of_invoice(&mut self, line: &Line<'_>) -> usize {
        if let Some(&at) = self.step_by_invoice.get(line.invoice) {
            return at;
        }
        let at = self.shop.steps.len();
        self.step_by_invoice.insert(line.invoice.to_owned(), at);
        self.shop.steps.push(Step::Order(Basket {
            invoice: line.invoice.to_owned(),
            customer: customer_key(line.customer),
            country: line.country.to_vec(),
            lines: Vec::new(),
        }));
        at
    }

    /// Without the orders that turned out to have no line.
    fn finish(mut self) -> Shop {
        self.shop.steps.retain(|step| !matches!(step, Step::Order(basket) if basket.lines.is_empty()));
        self.shop
    }

    fn sku(&mut self, code: &str) -> SkuIndex {
        if let Some(&sku) = self.sku_by_code.get(code) {
            return sku;
        }
        let sku = self.shop.skus.len();
        self.shop.skus.push(code.to_owned());
        self.shop.demand.push(0);
        self.sku_by_code.insert(code.to_owned(), sku);
        sku
    }
}

/// Hash of a CustomerID as the file writes it; zero for guests.
fn customer_key(id: &str) -> CustomerKey {
    CustomerKey(if id.is_empty() { 0 } else { xxh3_128(id.as_bytes()) })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn shop(lines: &str) -> Shop {
        let text = format!("{}\n{}", COLUMNS.join(","), lines.trim_start());
        Shop::read("test", text.as_bytes()).expect("readable")
    }

    #[test]
    fn an_invoice_is_one_order_at_its_first_line_even_when_its_lines_are_apart() {
        let shop = shop(
            "
1,a,\"CUPS, \"\"SIX\"\"\",2,t,1.00,7,France
2,a,x,3,t,1.00,8,France
1,b,x,4,t,0.50,7,France
1,a,x,1,t,1.00,7,France
",
        );
        let [Step::Order(first), Step::Order(second)] = &shop.steps[..] else { panic!("two orders: {shop:?}") };
        assert_eq!((first.invoice.as_str(), first.lines.len()), ("1", 3), "duplicate SKUs are not merged");
        assert_eq!((second.invoice.as_str(), second.lines.len()), ("2", 1));
        assert_eq!((shop.lines, shop.skus.len(), &shop.demand[..]), (4, 2, &[6, 4][..]));
        assert_ne!(first.customer, second.customer);
    }

    #[test]
    fn an_order_stands_where_its_invoice_begins_even_with_a_line_that_is_dropped() {
        let shop = shop(
            "
1,POST,x,1,t,1.00,7,France
2,a,x,1,t,1.00,7,France
1,a,x,1,t,0.001,7,France
1,b,x,1,t,1.00,7,France
3,POST,x,1,t,1.00,7,France
",
        );
        let orders: Vec<&str> = shop
            .steps
            .iter()
            .map(|step| match step {
                Step::Order(basket) => basket.invoice.as_str(),
                Step::Cancellation { .. } | Step::WriteOff { .. } | Step::EndOfDay => "other",
            })
            .collect();
        assert_eq!(orders, ["1", "2"]);
        assert_eq!((shop.settled.of(Class::NoGoods), shop.settled.of(Class::BadPrice)), (2, 1));
    }

    #[test]
    fn a_day_ends_where_a_line_of_another_day_stands() {
        let shop = shop("1,a,x,1,d1 8:00,1,7,F\n2,a,x,1,d1 9:00,1,7,F\n3,POST,x,1,d2 8:00,1,7,F\n4,a,x,0,d3,1,7,F\n");
        assert!(matches!(shop.steps[..], [Step::Order(_), Step::Order(_), Step::EndOfDay]), "{:?}", shop.steps);
    }

    #[test]
    fn codes_that_differ_only_by_case_are_two_skus_and_dropped_lines_make_no_demand() {
        let shop = shop("1,85123A,x,2,t,1,7,F\n1,85123a,x,3,t,1,7,F\n1,85123a,x,9,t,0.001,7,F\n1,,x,9,t,1,7,F\n");
        assert_eq!((&shop.skus[..], &shop.demand[..]), (&["85123A".into(), "85123a".into()][..], &[2, 3][..]));
        assert_eq!(shop.malformed, [(4, "no stock code")]);
    }

    #[test]
    fn a_file_of_another_shape_is_refused_by_name() {
        for text in ["", "a,b\n", "InvoiceNo,StockCode\n"] {
            let refused = Shop::read("orders.csv", text.as_bytes()).expect_err("no header");
            assert!(
                refused.to_string().starts_with("orders.csv does not begin with the header InvoiceNo,"),
                "{refused}"
            );
        }
        let mut long = COLUMNS.join(",") + "\n";
        (0..=LINES_MAX).for_each(|_| long += "9,a,x,1,t,1,7,F\n");
        let refused = Shop::read("orders.csv", long.as_bytes()).expect_err("too long");
        assert!(matches!(refused, FileError::TooManyLines { invoice } if invoice == "9"));
    }
}
