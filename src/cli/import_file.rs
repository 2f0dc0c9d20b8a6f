//! The file of `stock import`: `sku,site,quantity`, read and checked line by line before anything is sent.
//!
//! ```text
//! sku,site,quantity
//! MUG-BLUE,main,100
//! "PLATE, ROSE",main,24
//! ```
//!
//! # Always true
//! - Every wrong line is listed with its number in the file and the reason; one wrong line hides no other.
//! - The hash covers every byte of the file: one file is one delivery.
//! # Not here
//! - Whether sites exist: `import` asks the server.

use csv::{ByteRecord, ReaderBuilder, Trim};
use xxhash_rust::xxh3::xxh3_128;

use crate::base::limits::{CODE_BYTES_MAX, IMPORT_LINES_MAX, STOCK_COMMAND_UNITS_MAX};

/// A line that can be received.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImportLine {
    /// In the file, from 1.
    pub(super) number: u64,
    pub(super) sku: String,
    pub(super) site: String,
    pub(super) quantity: u64,
}

/// A line that cannot, and why.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(super) struct BadLine {
    /// In the file, from 1.
    pub(super) line: u64,
    pub(super) reason: String,
}

/// A file, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ImportFile {
    pub(super) hash: u128,
    pub(super) lines: Vec<ImportLine>,
    pub(super) bad: Vec<BadLine>,
}

/// Why a file is none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ImportFileFault {
    #[error("the first line must be sku,site,quantity; it is {found:?}")]
    Heading { found: String },
    #[error("it has more than {IMPORT_LINES_MAX} lines; split it into several files")]
    TooLong,
}

/// Reads a file.
pub(super) fn parse(bytes: &[u8]) -> Result<ImportFile, ImportFileFault> {
    let text = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).trim(Trim::All).from_reader(text);
    let mut record = ByteRecord::new();
    check_heading(&mut reader, &mut record)?;
    let mut file = ImportFile { hash: xxh3_128(bytes), lines: Vec::new(), bad: Vec::new() };
    let mut numbers = LineNumbers { text, upto: 0, number: 1 };
    while let Ok(true) = reader.read_byte_record(&mut record) {
        if file.lines.len() + file.bad.len() == IMPORT_LINES_MAX {
            return Err(ImportFileFault::TooLong);
        }
        let number = numbers.at(record.position().map_or(0, csv::Position::byte));
        match line(number, &record) {
            Ok(line) => file.lines.push(line),
            Err(reason) => file.bad.push(BadLine { line: number, reason }),
        }
    }
    Ok(file)
}

/// Numbers of lines by their place in the file. The reader's own go wrong behind empty lines and carriage returns.
struct LineNumbers<'t> {
    text: &'t [u8],
    upto: usize,
    number: u64,
}

impl LineNumbers<'_> {
    /// The number of the line in which the record begins that the reader met from `byte` on; records come in order.
    fn at(&mut self, byte: u64) -> u64 {
        let from = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let empty = self.text[from..].iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let begins = from + empty;
        self.number += self.text[self.upto..begins].iter().filter(|byte| **byte == b'\n').count() as u64;
        self.upto = begins;
        self.number
    }
}

fn check_heading(reader: &mut csv::Reader<&[u8]>, record: &mut ByteRecord) -> Result<(), ImportFileFault> {
    // Reading bytes out of memory fails for nothing but the end.
    let _at_end = reader.read_byte_record(record);
    if record.iter().eq([&b"sku"[..], b"site", b"quantity"]) {
        return Ok(());
    }
    let found = record.iter().map(String::from_utf8_lossy).collect::<Vec<_>>().join(",");
    Err(ImportFileFault::Heading { found })
}

fn line(number: u64, record: &ByteRecord) -> Result<ImportLine, String> {
    let fields: Vec<&[u8]> = record.iter().collect();
    let [sku, site, quantity] = fields[..] else {
        return Err(format!("it has {} fields; there must be three: sku,site,quantity", fields.len()));
    };
    Ok(ImportLine { number, sku: code("SKU", sku)?, site: code("site", site)?, quantity: units(quantity)? })
}

fn code(what: &str, bytes: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|_| format!("the {what} is not UTF-8"))?;
    if !(1..=CODE_BYTES_MAX).contains(&text.len()) {
        return Err(format!("the {what} has {} bytes; a code has 1 to {CODE_BYTES_MAX}", text.len()));
    }
    if text.chars().any(char::is_control) {
        return Err(format!("the {what} holds a control character"));
    }
    Ok(text.to_owned())
}

fn units(bytes: &[u8]) -> Result<u64, String> {
    let text = String::from_utf8_lossy(bytes);
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let parsed = text.parse().ok().filter(|units| digits && (1..=STOCK_COMMAND_UNITS_MAX).contains(units));
    parsed.ok_or_else(|| format!("the quantity {text:?} is not a whole number from 1 to {STOCK_COMMAND_UNITS_MAX}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_with_their_numbers_whatever_the_spreadsheet_did_to_them() {
        let text = "\u{feff}sku,site,quantity\r\nMUG,main,3\r\n\r\n\"PLATE, ROSE\", main ,24\r\n";
        let file = parse(text.as_bytes()).expect("a file");
        let plate = ImportLine { number: 4, sku: "PLATE, ROSE".into(), site: "main".into(), quantity: 24 };
        assert_eq!(file.bad, []);
        assert_eq!(file.lines.len(), 2);
        assert_eq!(file.lines[1], plate);
    }

    #[test]
    fn every_wrong_line_is_listed_with_its_number_and_a_reason() {
        let long = "x".repeat(65);
        let text = format!(
            "sku,site,quantity\nMUG,main,3\nMUG,main\nMUG,main,0\n,main,1\nMUG,,1\n{long},main,1\nMUG,main,1.5\n\
             MUG,main,-2\nMUG,main,1,9\nMUG,main,1000000000001\n"
        );
        let file = parse(text.as_bytes()).expect("a file");
        assert_eq!(file.lines.len(), 1);
        let numbers: Vec<_> = file.bad.iter().map(|bad| bad.line).collect();
        assert_eq!(numbers, [3, 4, 5, 6, 7, 8, 9, 10, 11]);
        assert!(file.bad[0].reason.contains("2 fields") && file.bad[1].reason.contains("\"0\""), "{:?}", file.bad);
    }

    #[test]
    fn bytes_that_are_no_text_are_a_wrong_line_like_any_other() {
        let file = parse(b"sku,site,quantity\n\xFF\xFE,main,1\nMUG,main,1\n").expect("a file");
        assert_eq!((file.lines.len(), file.bad.len()), (1, 1));
        assert!(file.bad[0].reason.contains("UTF-8"));
    }

    #[test]
    fn a_file_with_another_heading_is_refused_before_its_lines_are_read() {
        for bad in ["", "MUG,main,3\n", "sku;site;quantity\n", "SKU,site,quantity\n"] {
            assert!(matches!(parse(bad.as_bytes()), Err(ImportFileFault::Heading { .. })), "{bad:?}");
        }
    }

    #[test]
    fn one_byte_makes_another_file() {
        let hash = |text: &str| parse(text.as_bytes()).expect("a file").hash;
        assert_eq!(hash("sku,site,quantity\nMUG,main,3\n"), hash("sku,site,quantity\nMUG,main,3\n"));
        assert_ne!(hash("sku,site,quantity\nMUG,main,3\n"), hash("sku,site,quantity\nMUG,main,4\n"));
    }
}
