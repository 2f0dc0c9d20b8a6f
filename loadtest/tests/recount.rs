//! A recount of a replay that shares no code with the generator: slow, plain, from the rules alone.
//!
//! The generator replays a file through a server it starts, and reports how many lines ended in which class and what
//! became of the money. Here the same file is read again and counted again, without a server and without any of the
//! generator's types; both must agree, class by class and to the penny. `tests/data/recount.py` is a third count,
//! compared when there is a Python to run it.
//!
//! Set `RECOUNT_FILE` to compare the counts of another file too, as `docs/TESTING.md` does for the whole seven months.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Command;

type Counts = BTreeMap<String, i64>;

/// What is counted beside the classes: units and pennies.
const SUMS: [&str; 5] = ["units/cancelled", "units/returned", "captured", "refunded", "price_difference"];

const NOT_GOODS: &str = "|POST|DOT|M|m|S|D|C2|B|CRUK|BANK CHARGES|AMAZONFEE|";

/// Splits CSV into records; quotes may hold commas, line ends and doubled quotes.
fn records(text: &str) -> Vec<Vec<String>> {
    let mut records = vec![vec![String::new()]];
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        let record = records.last_mut().expect("never empty");
        let field = record.last_mut().expect("never empty");
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            ',' if !quoted => record.push(String::new()),
            '\n' if !quoted => records.push(vec![String::new()]),
            '\r' if !quoted && letters.peek() == Some(&'\n') => {}
            other => field.push(other),
        }
    }
    records.retain(|record| record.len() > 1 || !record[0].is_empty());
    records
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_digit())
}

/// -?digits, as a number that no test file exceeds.
fn whole(text: &str) -> Option<i64> {
    is_digits(text.trim_start_matches('-')).then(|| text.parse().ok()).flatten()
}

/// -?digits(.digits)?; the answer is the number of pennies, if a price may be that.
fn price(text: &str) -> Option<Option<i64>> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let mut parts = digits.split('.');
    let (pounds, fraction) = (parts.next()?, parts.next().unwrap_or("00"));
    if parts.next().is_some() || !is_digits(pounds) || !is_digits(fraction) {
        return None;
    }
    let tenths_of_nothing = fraction.chars().skip(2).all(|letter| letter == '0');
    let hundredths: String = fraction.chars().chain("00".chars()).take(2).collect();
    let pennies: i64 = format!("{pounds}{hundredths}").parse().unwrap_or(i64::MAX);
    let is_possible = tenths_of_nothing && pennies <= 1_000_000_000_000 && (!negative || pennies == 0);
    Some(is_possible.then_some(pennies))
}

/// What a line is before anything is known about stock.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Malformed,
    NoGoods,
    Guest,
    Cancellation,
    WriteOff,
    BadPrice,
    Order,
}

struct Row {
    kind: Kind,
    invoice: String,
    code: String,
    units: i64,
    price: Option<i64>,
    customer: String,
    day: String,
}

fn row(record: &[String]) -> Row {
    let field = |at: usize| record.get(at).map_or("", |text| text.trim()).to_owned();
    let (invoice, code, customer) = (field(0), field(1), field(6));
    let units = whole(&field(3)).unwrap_or(0);
    let price = price(&field(5));
    let cancels = invoice.starts_with('C');
    let plain = [&invoice, &code, &customer].iter().all(|text| text.chars().all(|it| (' '..='~').contains(&it)));
    let readable = record.len() == 8 && plain && !invoice.is_empty() && !code.is_empty() && code.len() <= 64;
    let sized = units != 0 && units.abs() <= 10_000_000 && !(cancels && units > 0);
    let kind = if !readable || !sized || price.is_none() {
        Kind::Malformed
    } else if invoice.starts_with('A') || NOT_GOODS.contains(&format!("|{code}|")) || code.starts_with("gift_") {
        Kind::NoGoods
    } else if cancels {
        if customer.is_empty() { Kind::Guest } else { Kind::Cancellation }
    } else if units < 0 {
        Kind::WriteOff
    } else if price == Some(None) {
        Kind::BadPrice
    } else {
        Kind::Order
    };
    let day = field(4).split(' ').next().unwrap_or_default().to_owned();
    Row { kind, invoice, code, units: units.abs(), price: price.flatten(), customer, day }
}

/// Units of one line that a customer has, in the order they were taken.
struct Sale {
    customer: String,
    code: String,
    units: i64,
    price: i64,
    has_left: bool,
}

struct Count {
    stock: HashMap<String, i64>,
    sales: Vec<Sale>,
    counts: Counts,
}

impl Count {
    fn add(&mut self, class: &str) {
        self.sum(class, 1);
    }

    fn sum(&mut self, what: &str, amount: i64) {
        *self.counts.entry(what.to_owned()).or_default() += amount;
    }

    fn sell(&mut self, row: &Row, customer: &str) {
        let stock = self.stock.get_mut(&row.code).expect("received before");
        let units = row.units.min(*stock);
        *stock -= units;
        self.add(if units == row.units {
            "reserved"
        } else if units > 0 {
            "partly_reserved"
        } else {
            "sold_out"
        });
        let price = row.price.expect("a possible price");
        self.sum("captured", units * price);
        if !customer.is_empty() {
            let (customer, code) = (customer.to_owned(), row.code.clone());
            self.sales.push(Sale { customer, code, units, price, has_left: false });
        }
    }

    fn cancel(&mut self, row: &Row) {
        let mut wanted = row.units;
        for at in (0..self.sales.len()).rev() {
            let sale = &mut self.sales[at];
            if sale.code == row.code && sale.customer == row.customer {
                let (back, price, has_left) = (sale.units.min(wanted), sale.price, sale.has_left);
                sale.units -= back;
                wanted -= back;
                *self.stock.entry(row.code.clone()).or_default() += back;
                self.sum(if has_left { "units/returned" } else { "units/cancelled" }, back);
                self.sum("refunded", back * price);
                self.sum("price_difference", row.price.map_or(0, |listed| back * (price - listed)));
            }
        }
        self.add(if wanted == 0 {
            "cancellation_matched"
        } else if wanted == row.units {
            "cancellation_unmatched"
        } else {
            "cancellation_partly_matched"
        });
    }
}

/// Lines per class, and `lines` and `orders` beside them.
fn recount(text: &str, short_percent: u64) -> Counts {
    let rows: Vec<Row> = records(text).iter().skip(1).map(|record| row(record)).collect();
    let mut stock: HashMap<String, i64> = HashMap::new();
    let mut lines_of: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        if row.kind != Kind::Malformed {
            lines_of.entry(&row.invoice).or_default().push(at);
        }
        if row.kind == Kind::Order {
            *stock.entry(row.code.clone()).or_default() += row.units;
        }
    }
    let kept_percent = 100 - i64::try_from(short_percent).expect("at most 100");
    stock.values_mut().for_each(|units| *units = *units * kept_percent / 100);
    let mut count = Count { stock, sales: Vec::new(), counts: Counts::new() };
    SUMS.iter().for_each(|sum| count.sum(sum, 0));
    let (mut orders, mut day) = (0, "");
    for (at, row) in rows.iter().enumerate() {
        if row.kind != Kind::Malformed && row.day != day {
            day = &row.day;
            count.sales.iter_mut().for_each(|sale| sale.has_left = true);
        }
        match row.kind {
            Kind::Malformed => count.add("malformed"),
            Kind::NoGoods => count.add("no_goods"),
            Kind::Guest => count.add("cancellation_guest"),
            Kind::WriteOff => count.add("write_off"),
            Kind::BadPrice => count.add("bad_price"),
            Kind::Cancellation => count.cancel(row),
            Kind::Order => {}
        }
        let whole_invoice = lines_of.get(row.invoice.as_str()).map_or(&[][..], Vec::as_slice);
        if whole_invoice.first() == Some(&at) {
            let ordered = whole_invoice.iter().map(|&line| &rows[line]).filter(|line| line.kind == Kind::Order);
            orders += i64::from(ordered.clone().next().is_some());
            ordered.for_each(|line| count.sell(line, &row.customer));
        }
    }
    count.counts.insert("orders".into(), orders);
    count.counts.insert("lines".into(), i64::try_from(rows.len()).expect("a file is not that long"));
    count.counts
}

fn data(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/data").join(name)
}

fn text_of(file: &Path) -> String {
    let bytes = std::fs::read(file).expect("the file is there");
    let mut text = String::new();
    if file.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzipped text");
        return text;
    }
    String::from_utf8(bytes).expect("text")
}

/// From an object with `lines`, `orders`, `by_reason` and the sums; classes without a line are left out.
fn counts_of(replay: &serde_json::Value) -> Counts {
    let number = |value: &serde_json::Value| value.as_i64().expect("a count");
    let by_reason = replay["by_reason"].as_object().expect("classes");
    let mut counts: Counts = by_reason.iter().map(|(class, lines)| (class.clone(), number(lines))).collect();
    assert_eq!(counts.values().sum::<i64>(), number(&replay["lines"]), "every line has one class");
    counts.retain(|_, lines| *lines > 0);
    for sum in SUMS {
        counts.insert(sum.into(), number(replay.pointer(&format!("/{sum}")).expect("a sum")));
    }
    counts.insert("orders".into(), number(&replay["orders"]));
    counts.insert("lines".into(), number(&replay["lines"]));
    counts
}

fn generator_says(file: &Path, short_percent: u64) -> Counts {
    let directory = tempfile::tempdir().expect("a directory");
    let json = directory.path().join("replay.json");
    let run = Command::new(env!("CARGO_BIN_EXE_loadtest"))
        .args(["replay", "--short", &short_percent.to_string(), "--json"])
        .args([&json, file])
        .output()
        .expect("the generator runs");
    let said = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "replay of {} ended with {}: {said}", file.display(), run.status);
    let report: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&json).expect("a report")).expect("the report is JSON");
    assert_eq!(report["audit"]["ok"], true, "{report}");
    counts_of(&report["replay"])
}

/// `None` when no Python runs here.
fn python_says(file: &Path, short_percent: u64) -> Option<Counts> {
    let run = Command::new("python3")
        .arg(data("recount.py"))
        .arg(file)
        .args(["--short", &short_percent.to_string()])
        .output()
        .ok()?;
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(counts_of(&serde_json::from_slice(&run.stdout).expect("JSON")))
}

fn check(file: &Path, short_percent: u64) {
    let counted = recount(&text_of(file), short_percent);
    match python_says(file, short_percent) {
        Some(python) => assert_eq!(python, counted, "recount.py and this recount, {short_percent} % short"),
        None => eprintln!("NOT RUN: tests/data/recount.py, because python3 cannot be started here"),
    }
    assert_eq!(generator_says(file, short_percent), counted, "generator and recount, {short_percent} % short");
}

#[test]
fn the_generator_and_the_recounts_agree_on_a_real_shop() {
    for short_percent in [5, 30] {
        check(&data("online-retail-excerpt.csv"), short_percent);
    }
}

#[test]
fn the_generator_and_the_recounts_agree_on_odd_lines() {
    check(&data("odd-lines.csv"), 5);
}

#[test]
fn the_generator_and_the_recounts_agree_on_the_file_somebody_named() {
    let Some(file) = std::env::var_os("RECOUNT_FILE") else { return };
    check(Path::new(&file), 5);
}

#[test]
fn the_excerpt_has_every_class_a_real_shop_has() {
    let counts = recount(&text_of(&data("online-retail-excerpt.csv")), 5);
    let odd = recount(&text_of(&data("odd-lines.csv")), 5);
    for class in [
        "reserved",
        "partly_reserved",
        "sold_out",
        "no_goods",
        "write_off",
        "bad_price",
        "cancellation_matched",
        "cancellation_partly_matched",
        "cancellation_unmatched",
        "cancellation_guest",
    ] {
        assert!(counts.contains_key(class), "{class} does not occur: {counts:?}");
    }
    for sum in SUMS {
        assert_ne!(counts[sum], 0, "{sum} says nothing: {counts:?}");
    }
    assert!(odd.contains_key("malformed"), "{odd:?}");
}
