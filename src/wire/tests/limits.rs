//! Sizes that were promised, and what happens at the limits.

use super::samples::Ingredients;
use super::writing::write;
use crate::base::limits::{
    DETAILS_BYTES_MAX, DRAWS_MAX, FRAME_BYTES_MAX, FRAME_COMMANDS_MAX, LINES_MAX, RECORD_BYTES_MAX,
    STOCK_ROWS_PER_RECORD_MAX,
};
use crate::base::{SiteId, SkuId, Timestamp};
use crate::engine::ledger::BUCKETS;
use crate::engine::query::StockRow;
use crate::engine::{Command, Draw, Fact, Line};
use crate::wire::{
    FactReader, FactScratch, FrameWriter, PushError, REPLY_HEADER_BYTES, REQUEST_HEADER_BYTES, Reply, ReplyHeader,
    ReplyWriter, Tag, decode_replies, encode_fact, encode_hello,
};

fn single_line() -> Ingredients {
    let line = Line { sku: SkuId(1), quantity: 1, price: 1 };
    let draw = Draw { line: 0, site: SiteId(1), quantity: 1 };
    Ingredients { pick: 0, lines: vec![line], draws: vec![draw], details: Vec::new(), ..Ingredients::example() }
}

fn placement(from: &Ingredients) -> Command<'_> {
    from.commands()[5]
}

#[test]
fn a_single_line_placement_takes_72_bytes_its_answer_40_its_fact_80() {
    let from = single_line();
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    writer.push(&placement(&from)).expect("fits");
    assert_eq!(writer.finish().len(), REQUEST_HEADER_BYTES + 72);
    let mut entry = Vec::new();
    encode_fact(&from.facts()[6], &mut entry);
    assert_eq!(entry.len(), 80);
    for reply in [&from.replies()[2], &from.replies()[12]] {
        let mut writer = ReplyWriter::default();
        write(&mut writer, Tag::default(), reply, &[]);
        assert_eq!(writer.finish().len(), REPLY_HEADER_BYTES + 40, "{reply:?}");
    }
    assert_eq!((REQUEST_HEADER_BYTES, REPLY_HEADER_BYTES), (24, 16));
    assert_eq!(encode_hello(&from.hello()).len(), 80);
}

#[test]
fn the_largest_placement_fits_a_record_and_a_frame() {
    let one = single_line();
    let from = Ingredients {
        pick: 1,
        lines: vec![one.lines[0]; LINES_MAX],
        draws: vec![one.draws[0]; DRAWS_MAX],
        details: vec![7; DETAILS_BYTES_MAX],
        ..one
    };
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    assert_eq!(writer.push(&placement(&from)), Ok(0));
    let (facts, mut entry) = (from.facts(), Vec::new());
    encode_fact(&facts[6], &mut entry);
    assert!(entry.len() <= RECORD_BYTES_MAX);
    let mut scratch = FactScratch::default();
    let mut reader = FactReader::new(&entry, &mut scratch);
    assert!(matches!(reader.next(), Some(Ok(fact @ Fact::Placed(_))) if fact == facts[6]));
}

#[test]
fn a_push_that_does_not_fit_leaves_the_frame_as_it_was() {
    let from = Ingredients { lines: vec![single_line().lines[0]; LINES_MAX], ..single_line() };
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    let outcome = core::iter::repeat_with(|| (writer.bytes(), writer.push(&placement(&from))))
        .find(|(_, pushed)| pushed.is_err())
        .expect("a frame ends");
    assert_eq!(outcome, (writer.bytes(), Err(PushError::FrameFull)));
    assert!(writer.bytes() <= FRAME_BYTES_MAX);
    assert_eq!(super::round_trip::keep(writer.finish(), 0).batch.len(), writer.len());
}

#[test]
fn a_frame_ends_at_its_commands() {
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    for _ in 0..FRAME_COMMANDS_MAX {
        writer.push_status().expect("fits");
    }
    assert_eq!(writer.push_status(), Err(PushError::FrameFull));
    assert_eq!(super::round_trip::keep(writer.finish(), 0).statuses.len(), FRAME_COMMANDS_MAX);
}

#[test]
fn what_no_record_can_carry_is_refused_before_it_is_sent() {
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    let from = Ingredients { details: vec![0; 70_000], ..single_line() };
    assert_eq!(writer.push(&placement(&from)), Err(PushError::TooLarge));
    let from = Ingredients { lines: vec![single_line().lines[0]; 70_000], ..single_line() };
    assert_eq!(writer.push(&placement(&from)), Err(PushError::TooLarge));
    let code = "x".repeat(256);
    let from = Ingredients { codes: [code.as_str()].into_iter().collect(), ..single_line() };
    assert_eq!(writer.push_query(&from.queries()[2]), Err(PushError::TooLarge));
    assert!(writer.is_empty() && writer.bytes() == REQUEST_HEADER_BYTES);
}

/// Cuts frames that lie behind each other apart.
fn frames(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut frames = Vec::new();
    while let Some(header) = ReplyHeader::parse(bytes).expect("sound") {
        let (frame, rest) = bytes.split_at(header.length);
        frames.push(frame);
        bytes = rest;
    }
    frames
}

#[test]
fn replies_that_pass_one_frame_go_on_in_the_next() {
    let from = Ingredients::example();
    let mut writer = ReplyWriter::new(vec![1, 2, 3]);
    writer.begin(Timestamp::from_ms(4));
    let answers = 60_000_u64;
    for number in 0..answers {
        let tag = Tag { correlation: number, index: 0, expires_at_ms: 0 };
        writer.answer(tag, &from.answers()[2], &[]);
    }
    let bytes = writer.take(Vec::new());
    assert!(writer.is_empty(), "a writer starts over in its spare buffer");
    let mut next = 0;
    for frame in frames(&bytes) {
        assert!(frame.len() <= FRAME_BYTES_MAX);
        decode_replies(frame, |correlation, _, _| {
            assert_eq!(correlation, next);
            next += 1;
        })
        .expect("sound");
    }
    assert_eq!(next, answers);
}

#[test]
fn stock_rows_that_pass_one_record_go_on_in_the_next() {
    for (rows, parts) in
        [(0, 1), (1, 1), (STOCK_ROWS_PER_RECORD_MAX, 1), (STOCK_ROWS_PER_RECORD_MAX + 1, 2), (20_000, 5)]
    {
        let row =
            |number: usize| StockRow { sku: SkuId(number as u32), site: SiteId(1), balances: [1; BUCKETS], owed: 1 };
        let sent: Vec<_> = (0..rows).map(row).collect();
        let mut writer = ReplyWriter::default();
        writer.stock(Tag::default(), &sent);
        let (mut came, mut mores) = (Vec::new(), Vec::new());
        for frame in frames(&writer.finish()) {
            decode_replies(frame, |_, _, reply| {
                if let Reply::Stock { rows, more } = reply {
                    came.extend(rows);
                    mores.push(more);
                }
            })
            .expect("sound");
        }
        assert_eq!(came, sent);
        assert_eq!(mores, [vec![true; parts - 1], vec![false]].concat(), "{rows} rows");
    }
}

#[test]
fn a_writer_without_replies_has_no_bytes() {
    let mut writer = ReplyWriter::default();
    writer.begin(Timestamp::from_ms(1));
    assert!(writer.is_empty());
    assert!(writer.finish().is_empty());
}

#[test]
fn log_time_of_a_frame_is_that_of_its_begin() {
    let from = Ingredients::example();
    let mut writer = ReplyWriter::default();
    for time in [5, 6] {
        writer.begin(Timestamp::from_ms(time));
        writer.answer(Tag::default(), &from.answers()[0], &[]);
    }
    let bytes = writer.finish();
    let times: Vec<_> = frames(&bytes)
        .into_iter()
        .map(|frame| ReplyHeader::parse(frame).expect("sound").map(|header| header.log_time.ms()))
        .collect();
    assert_eq!(times, [Some(5), Some(6)]);
}
