//! The bytes of one of everything, pinned in `tests/golden`: a layout that changes by accident is noticed here.
//!
//! After a deliberate change (a new version of a record): `STOCKADE_GOLDEN=write cargo test --lib wire::tests::golden`,
//! and the difference belongs into the commit that bumps the version.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::samples::Ingredients;
use super::writing::write;
use crate::base::{OrderId, Timestamp};
use crate::engine::order::{LineUnits, State};
use crate::engine::order_hash;
use crate::wire::layout::split_record;
use crate::wire::{FrameWriter, REPLY_HEADER_BYTES, REQUEST_HEADER_BYTES, ReplyWriter, Tag, encode_fact, encode_hello};

/// The name of a variant, from its debug form.
fn name(value: &impl core::fmt::Debug) -> String {
    let text = format!("{value:?}");
    let words = text.split(|letter: char| !letter.is_alphanumeric());
    words.take(3).filter(|word| word.starts_with(char::is_uppercase)).collect::<Vec<_>>().join(".")
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes every byte");
        text
    })
}

fn check(file: &str, lines: &[(String, Vec<u8>)]) {
    let text: String = lines.iter().map(|(name, bytes)| format!("{name} {}\n", hex(bytes))).collect();
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var("STOCKADE_GOLDEN").is_ok_and(|value| value == "write") {
        std::fs::write(&path, &text).expect("the golden file can be written");
    }
    let golden = std::fs::read_to_string(&path).expect("the golden file is there");
    for (golden, now) in golden.lines().zip(text.lines()) {
        assert_eq!(now, golden, "{file}: a layout changed; records that were released never do");
    }
    assert_eq!(text.lines().count(), golden.lines().count(), "{file}: one line for each record");
}

#[test]
fn request_records_have_their_golden_bytes() {
    let example = Ingredients::example();
    let mut lines = Vec::new();
    let mut writer = FrameWriter::default();
    let mut record = |name: String, push: &dyn Fn(&mut FrameWriter)| {
        writer.begin(1, 0);
        push(&mut writer);
        lines.push((name, writer.finish()[REQUEST_HEADER_BYTES..].to_vec()));
    };
    for command in example.commands() {
        record(name(&command), &|writer| {
            let _ = writer.push(&command).expect("fits");
        });
    }
    for query in example.queries() {
        record(name(&query), &|writer| {
            let _ = writer.push_query(&query).expect("fits");
        });
    }
    record("Status".to_owned(), &|writer| {
        let _ = writer.push_status().expect("fits");
    });
    check("wire-requests.txt", &lines);
}

#[test]
fn reply_records_have_their_golden_bytes() {
    let example = Ingredients::example();
    let tag = Tag { correlation: 0x1122_3344_5566_7788, index: 0x99AA, expires_at_ms: 0 };
    let record = |reply| {
        let mut writer = ReplyWriter::default();
        write(&mut writer, tag, reply, &example.granted);
        (name(reply), writer.finish()[REPLY_HEADER_BYTES..].to_vec())
    };
    check("wire-replies.txt", &example.replies().iter().map(record).collect::<Vec<_>>());
}

#[test]
fn fact_records_have_their_golden_bytes() {
    let example = Ingredients::example();
    let mut entry = Vec::new();
    example.facts().iter().for_each(|fact| encode_fact(fact, &mut entry));
    let mut rest = entry.as_slice();
    let mut lines = Vec::new();
    for fact in example.facts() {
        let (record, behind) = split_record(rest).expect("a record for each fact");
        lines.push((name(&fact), record.to_vec()));
        rest = behind;
    }
    check("log-facts.txt", &lines);
}

#[test]
fn frames_have_their_golden_bytes() {
    let example = Ingredients::example();
    let mut requests = FrameWriter::default();
    requests.begin(0x1122_3344_5566_7788, 250);
    requests.push_status().expect("fits");
    requests.push(&example.commands()[6]).expect("fits");
    let mut replies = ReplyWriter::default();
    replies.begin(Timestamp::from_ms(0x0102_0304_0506));
    replies.answer(Tag::default(), &example.answers()[0], &[]);
    replies.answer(Tag::default(), &example.answers()[1], &[]);
    let frames = [
        ("requests".to_owned(), requests.finish().to_vec()),
        ("replies".to_owned(), replies.finish()),
        ("hello".to_owned(), encode_hello(&example.hello())),
    ];
    check("wire-frames.txt", &frames);
}

/// What `docs/WIRE-PROTOCOL.md`, "Books", hashes for one order, written down once more.
fn books_hash(order: u128, state: State, lines: &[LineUnits]) -> u128 {
    let mut bytes = order.to_le_bytes().to_vec();
    bytes.push(state as u8);
    for line in lines {
        let taken = line.owed + line.reserved + line.lapsed + line.committed + line.shipped + line.cancelled;
        let units = [taken, line.reserved, line.lapsed, line.committed, line.shipped, line.cancelled];
        units.iter().for_each(|units| bytes.extend_from_slice(&units.to_le_bytes()));
    }
    let hash = xxhash_rust::xxh3::xxh3_128(&bytes);
    assert_eq!(hash, order_hash(OrderId::from_bits(order), state, lines.iter().copied()), "as the engine keeps it");
    hash
}

#[test]
fn the_worked_example_of_the_books_has_its_golden_sum() {
    let lines = [2, 1].map(|committed| LineUnits { committed, ..LineUnits::default() });
    let confirmed = books_hash(0x019f_0000_0001_0000_1000_0000_0000_0001, State::Confirmed, &lines);
    let blocked = books_hash(0x019f_0000_0002_0000_1000_0000_0000_0002, State::Blocked, &[]);
    let sum = confirmed.wrapping_add(blocked);
    let document = include_str!("../../../docs/WIRE-PROTOCOL.md");
    let values = [confirmed, blocked, sum].map(|value| format!("`{value:032x}`"));
    let missing: Vec<_> = values.iter().filter(|value| !document.contains(value.as_str())).collect();
    assert!(
        missing.is_empty(),
        "one order, the blocked identifier, their sum hash to {values:?}; not told: {missing:?}"
    );
}

#[test]
fn the_hash_of_the_books_is_the_published_xxh3() {
    // The specification's own values for empty input and seed 0.
    assert_eq!(xxhash_rust::xxh3::xxh3_128(&[]), 0x99aa_06d3_0147_98d8_6001_c324_468d_497f);
}
