//! Bytes that are not as they should be: refused or read, never a panic; and what is read means exactly its bytes.

use super::round_trip::{Kept, keep};
use super::samples::Ingredients;
use super::writing::write;
use crate::base::limits::{FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX};
use crate::base::{Sequence, Timestamp};
use crate::engine::Command;
use crate::wire::{
    CloseCode, FactReader, FactScratch, FrameDecoder, FrameError, FrameWriter, Part, RecordError, Refused, ReplyWriter,
    Request, RequestHeader, Tag, decode_hello, decode_replies, encode_fact, encode_hello,
};

/// One frame for each request there is.
fn request_frames() -> Vec<Vec<u8>> {
    let example = Ingredients::example();
    let mut writer = FrameWriter::default();
    let mut frames = Vec::new();
    let mut frame = |push: &dyn Fn(&mut FrameWriter)| {
        writer.begin(5, 9);
        push(&mut writer);
        frames.push(writer.finish().to_vec());
    };
    for command in example.commands() {
        frame(&|writer| {
            let _ = writer.push(&command).expect("fits");
        });
    }
    for query in example.queries() {
        frame(&|writer| {
            let _ = writer.push_query(&query).expect("fits");
        });
    }
    frame(&|writer| {
        let _ = writer.push_status().expect("fits");
    });
    frames
}

/// One frame for each reply there is.
fn reply_frames() -> Vec<Vec<u8>> {
    let example = Ingredients::example();
    let frame = |reply| {
        let mut writer = ReplyWriter::default();
        writer.begin(Timestamp::from_ms(3));
        write(&mut writer, Tag::default(), reply, &example.granted);
        writer.finish()
    };
    example.replies().iter().map(frame).collect()
}

/// One entry for each fact there is.
fn entries() -> Vec<Vec<u8>> {
    let entry = |fact| {
        let mut entry = Vec::new();
        encode_fact(&fact, &mut entry);
        entry
    };
    Ingredients::example().facts().into_iter().map(entry).collect()
}

/// Reads a request frame whatever it is; a request that comes out must be written as the very bytes it came from.
fn read_requests(frame: &[u8]) -> Result<Kept, FrameError> {
    let mut kept = Kept::default();
    let Some(header) = RequestHeader::parse(frame, FRAME_BYTES_MAX)? else { return Ok(kept) };
    let frame = frame.get(..header.length).unwrap_or(frame);
    FrameDecoder::default().decode(&header, frame, 0, &mut kept)?;
    if kept.refused.is_empty() && kept.statuses.is_empty() {
        let mut writer = FrameWriter::default();
        writer.begin(header.correlation, header.deadline_ms);
        for (_, request) in kept.batch.iter() {
            match request {
                Request::Command(command) => writer.push(&command).expect("it came from a frame"),
                Request::Query(query) => writer.push_query(&query).expect("it came from a frame"),
            };
        }
        assert_eq!(writer.finish(), frame, "what was read is what was there");
    }
    Ok(kept)
}

/// Reads an entry whatever it is; facts that come out must be written as the very bytes they came from.
fn read_facts(entry: &[u8]) -> Result<usize, RecordError> {
    let mut scratch = FactScratch::default();
    let mut reader = FactReader::new(entry, &mut scratch);
    let mut again = Vec::new();
    let mut facts = 0;
    while let Some(fact) = reader.next() {
        let fact = match fact {
            Ok(fact) => fact,
            Err(error) => {
                assert_eq!(reader.next(), None, "nothing follows an error");
                return Err(error);
            }
        };
        encode_fact(&fact, &mut again);
        facts += 1;
    }
    assert_eq!(again, entry, "what was read is what was there");
    Ok(facts)
}

fn read_replies(frame: &[u8]) {
    let _ = decode_replies(frame, |_, _, reply| drop(format!("{reply:?}")));
    let _ = decode_hello(frame);
}

#[test]
fn any_flipped_byte_is_read_or_refused() {
    for frame in request_frames() {
        for at in 0..frame.len() {
            for flip in [1, 0x80, 0xFF] {
                let mut frame = frame.clone();
                frame[at] ^= flip;
                let _ = read_requests(&frame);
            }
        }
    }
    for entry in entries() {
        for at in 0..entry.len() {
            let mut entry = entry.clone();
            entry[at] ^= 0xFF;
            let _ = read_facts(&entry);
        }
    }
    for mut frame in reply_frames().into_iter().chain([encode_hello(&Ingredients::example().hello())]) {
        for at in 0..frame.len() {
            frame[at] ^= 0xFF;
            read_replies(&frame);
            frame[at] ^= 0xFF;
        }
    }
}

/// A small generator of numbers (xorshift64*), so that a seed is a run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below the bound")
    }

    /// One to four damages: bytes overwritten, removed, inserted, or the end cut off.
    fn damage(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len().max(1));
            let value = self.next().to_le_bytes()[0];
            match self.below(8) {
                0 => bytes.truncate(at),
                1 => bytes.insert(at.min(bytes.len()), value),
                2 if at < bytes.len() => drop(bytes.remove(at)),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = value),
            }
        }
    }

    /// Half of the time the length of a damaged frame is put right, so that the damage is found further in.
    fn mend_length(&mut self, frame: &mut [u8]) {
        if frame.len() >= 4 && self.below(2) == 0 {
            let length = u32::try_from(frame.len()).expect("a small frame");
            frame[..4].copy_from_slice(&length.to_le_bytes());
        }
    }
}

/// A million in release builds; `STOCKADE_WIRE_MUTATIONS` sets another number.
fn mutations() -> u64 {
    let default = if cfg!(debug_assertions) { 200_000 } else { 1_000_000 };
    std::env::var("STOCKADE_WIRE_MUTATIONS").ok().and_then(|number| number.parse().ok()).unwrap_or(default)
}

#[test]
fn a_million_damages_never_panic() {
    let (requests, replies, entries) = (request_frames(), reply_frames(), entries());
    let mut numbers = Numbers(0x5EED_0000_0000_0001);
    let (mut read, mut refused, mut bad) = (0_u64, 0_u64, 0_u64);
    for round in 0..mutations() {
        let of = |frames: &[Vec<u8>], numbers: &mut Numbers| frames[numbers.below(frames.len())].clone();
        match round % 4 {
            0 | 1 => {
                let mut frame = of(&requests, &mut numbers);
                numbers.damage(&mut frame);
                numbers.mend_length(&mut frame);
                match read_requests(&frame) {
                    Ok(kept) if kept.refused.is_empty() => read += 1,
                    Ok(_) => refused += 1,
                    Err(_) => bad += 1,
                }
            }
            2 => {
                let mut entry = of(&entries, &mut numbers);
                numbers.damage(&mut entry);
                let _ = read_facts(&entry);
            }
            _ => {
                let mut frame = of(&replies, &mut numbers);
                numbers.damage(&mut frame);
                numbers.mend_length(&mut frame);
                read_replies(&frame);
            }
        }
    }
    let least = mutations() / 100;
    assert!(read > least && refused > least && bad > least, "all three outcomes: {read}, {refused}, {bad}");
}

#[test]
fn random_bytes_are_never_a_frame_by_accident() {
    let mut numbers = Numbers(7);
    for _ in 0..10_000 {
        let bytes: Vec<u8> = (0..numbers.below(200)).map(|_| numbers.next().to_le_bytes()[3]).collect();
        assert!(!matches!(read_requests(&bytes), Ok(kept) if !kept.batch.is_empty()));
        let _ = read_facts(&bytes);
        read_replies(&bytes);
    }
}

#[test]
fn a_frame_cut_short_waits_for_its_header_and_is_refused_after_it() {
    for frame in request_frames() {
        let header = RequestHeader::parse(&frame, FRAME_BYTES_MAX).expect("sound").expect("whole");
        assert_eq!(header.length, frame.len());
        for len in 0..frame.len() {
            let parsed = RequestHeader::parse(&frame[..len], FRAME_BYTES_MAX);
            assert_eq!(parsed, Ok((len >= 24).then_some(header)));
            let decoded = FrameDecoder::default().decode(&header, &frame[..len], 0, &mut Kept::default());
            assert_eq!(decoded.map_err(|error| error.close_code()), Err(CloseCode::FrameTooShort));
        }
    }
}

/// A frame of one confirm with some bytes replaced, and the code it closes the connection with.
fn closes_with(at: usize, bytes: &[u8]) -> Option<CloseCode> {
    let mut frame = request_frames()[6].clone();
    frame[at..at + bytes.len()].copy_from_slice(bytes);
    read_requests(&frame).err().map(|error| error.close_code())
}

#[test]
fn every_lie_of_a_header_has_its_close_code() {
    assert_eq!(closes_with(0, &[56]), None, "the frame itself is sound");
    assert_eq!(closes_with(0, &[23]), Some(CloseCode::FrameTooShort), "shorter than its header");
    assert_eq!(closes_with(0, &[57]), Some(CloseCode::FrameTooShort), "longer than what came");
    assert_eq!(closes_with(0, &[48]), Some(CloseCode::RecordLength), "its record runs past the end");
    assert_eq!(closes_with(0, &[0, 0, 16, 1]), Some(CloseCode::FrameTooLong));
    assert_eq!(closes_with(4, &[2]), Some(CloseCode::UnknownVersion));
    assert_eq!(closes_with(5, &[2]), Some(CloseCode::UnknownFrameKind));
    assert_eq!(closes_with(6, &[2, 0]), Some(CloseCode::RecordCount), "one record more than there is");
    assert_eq!(closes_with(6, &[0, 0]), Some(CloseCode::RecordCount), "no record");
    assert_eq!(closes_with(6, &[1, 32]), Some(CloseCode::TooManyCommands));
    assert_eq!(closes_with(20, &[1]), Some(CloseCode::Reserved));
    assert_eq!(closes_with(26, &[0, 0]), Some(CloseCode::RecordLength), "a record without length");
    assert_eq!(closes_with(26, &[5, 0]), Some(CloseCode::RecordLength), "a record past the end");
    assert_eq!(closes_with(26, &[3, 0]), Some(CloseCode::RecordLength), "the next record begins with zeroes");
}

#[test]
fn the_first_frame_may_be_held_to_a_smaller_limit() {
    let mut frame = request_frames()[0].clone();
    frame[..4].copy_from_slice(&(FIRST_FRAME_BYTES_MAX as u32 + 1).to_le_bytes());
    let refused = RequestHeader::parse(&frame, FIRST_FRAME_BYTES_MAX).map_err(|error| error.close_code());
    assert_eq!(refused, Err(CloseCode::FrameTooLong));
    assert!(RequestHeader::parse(&frame, FRAME_BYTES_MAX).is_ok());
}

/// What becomes of the only record of frame `which` when the byte at `at` (from the record's begin) is `byte`.
fn refused_with(which: usize, at: usize, byte: u8) -> Option<Refused> {
    let mut frame = request_frames()[which].clone();
    frame[24 + at] = byte;
    read_requests(&frame).expect("a sound frame").refused.first().map(|(_, refused)| *refused)
}

#[test]
fn every_part_of_a_record_that_can_be_malformed_is_named() {
    let malformed = |part: Part| Some(Refused::Malformed { field: part as u8 });
    assert_eq!(refused_with(6, 0, 6), malformed(Part::Length), "a confirm that says it is a placement");
    assert_eq!(refused_with(6, 31, 1), malformed(Part::Padding), "the last byte of a confirm is padding");
    assert_eq!(refused_with(5, 45, 2), malformed(Part::Flags));
    assert_eq!(refused_with(2, 6, 0x10), malformed(Part::Market));
    assert_eq!(refused_with(0, 6, 0xFF), malformed(Part::Code));
    assert_eq!(refused_with(5, 40, b'g'), malformed(Part::Currency));
    assert_eq!(refused_with(5, 43, 2), malformed(Part::Take));
    assert_eq!(refused_with(5, 44, 6), malformed(Part::Payment));
    assert_eq!(refused_with(4, 34, 5), malformed(Part::Reason));
    assert_eq!(refused_with(7, 20, 2), malformed(Part::Block));
    let of_kind = |kind| request_frames().iter().position(|frame| frame[24] == kind).expect("one of every kind");
    let (erase, pay, report) = (of_kind(18), of_kind(23), of_kind(24));
    assert_eq!(refused_with(pay, 28, 6), malformed(Part::Payment));
    assert_eq!(refused_with(report, 47, 6), malformed(Part::Payment));
    assert_eq!(refused_with(report, 48, b'g'), malformed(Part::Currency));
    assert_eq!(refused_with(report, 44, 0), malformed(Part::PaymentReport));
    assert_eq!(refused_with(report, 44, 13), malformed(Part::PaymentReport));
    assert_eq!(refused_with(report, 36, 1), malformed(Part::PaymentReport), "an end of what has none");
    assert_eq!(refused_with(report, 42, 1), malformed(Part::Value), "no log time");
    assert_eq!(refused_with(report, 28, 1), malformed(Part::PaymentReport), "a total of what has none");
    assert_eq!(refused_with(report, 45, 1), malformed(Part::PaymentReport), "a reason of what did not fail");
    assert_eq!(refused_with(report + 4, 45, 11), malformed(Part::PaymentReport), "a reason that is none");
    assert_eq!(refused_with(report + 4, 46, 0), malformed(Part::PaymentReport), "a failure without a class");
    assert_eq!(refused_with(erase, 24, 1), malformed(Part::Guest), "a guest in a market");
    assert_eq!(refused_with(erase, 24, 2), malformed(Part::Guest));
    assert_eq!(refused_with(erase, 7, 1), malformed(Part::Market));
    assert_eq!(refused_with(6, 0, 200), Some(Refused::UnknownKind { kind: 200 }));
    assert_eq!(refused_with(6, 1, 2), Some(Refused::UnknownVersion { kind: 7, version: 2 }));
}

#[test]
fn a_return_that_cannot_be_is_named() {
    let order = Ingredients::example().order_view();
    let id = crate::base::ChangeId(0xA1A2_A3A4_A5A6_A7A8);
    let returns = vec![crate::engine::query::ReturnView { id, ..order.returns[0].clone() }];
    let mut writer = ReplyWriter::default();
    writer.order(Tag::default(), &crate::engine::query::OrderView { returns, ..order });
    let frame = writer.finish().to_vec();
    let at = frame.windows(8).position(|bytes| bytes == id.0.to_le_bytes()).expect("its number");
    let named = |field: usize, byte: u8| {
        let mut frame = frame.clone();
        frame[at + field] = byte;
        match decode_replies(&frame, |_, _, _| {}) {
            Err(FrameError::UnreadableReply { part, .. }) => Part::from_byte(part),
            _ => None,
        }
    };
    assert_eq!(named(16, frame[at + 16]), None, "the frame itself is sound");
    for (field, bytes) in [(16, [0, 6]), (17, [10, 255]), (18, [0, 12]), (19, [8, 255])] {
        assert_eq!(bytes.map(|byte| named(field, byte)), [Some(Part::Return); 2], "byte {field}");
    }
}

#[test]
fn an_attempt_to_pay_that_cannot_be_is_named() {
    // Without returns the step of its last attempt is the last byte before the padding.
    let order = Ingredients::example().order_view();
    let mut writer = ReplyWriter::default();
    writer.order(Tag::default(), &crate::engine::query::OrderView { returns: Vec::new(), ..order });
    let frame = writer.finish().to_vec();
    let end = 1 + frame.iter().rposition(|byte| *byte != 0).expect("a step");
    let named = |before_end: usize, byte: u8| {
        let mut frame = frame.clone();
        frame[end - before_end] = byte;
        match decode_replies(&frame, |_, _, _| {}) {
            Err(FrameError::UnreadableReply { part, .. }) => Part::from_byte(part),
            _ => None,
        }
    };
    assert_eq!(named(1, frame[end - 1]), None, "the frame itself is sound");
    assert_eq!((named(1, 0), named(1, 5)), (Some(Part::PaymentView), Some(Part::PaymentView)), "a step");
    assert_eq!(named(2, 3), Some(Part::PaymentView), "a dispute that is none of the three");
    assert_eq!(named(4, 1), Some(Part::PaymentReport), "a reason without a class");
    assert_eq!((named(5, 0), named(5, 8)), (Some(Part::PaymentView), Some(Part::PaymentView)), "a stage");
    assert_eq!(named(6, 6), Some(Part::Payment));
}

#[test]
fn what_only_the_node_commands_has_no_kind_on_the_wire() {
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    for command in [
        Command::OpenMarket { market: crate::base::MarketId::default(), code: "x" },
        Command::MoveCursor { sink: "x", upto: Sequence(1) },
        Command::DetachCursor { sink: "x", upto: Sequence(1) },
    ] {
        assert_eq!(writer.push(&command), Err(crate::wire::PushError::NotForClients));
    }
    for kind in 0..=u8::MAX {
        let mut frame = request_frames()[2].clone();
        frame[24] = kind;
        let kept = read_requests(&frame).expect("a sound frame");
        let is_of_the_node = |request| {
            matches!(
                request,
                Request::Command(
                    Command::OpenMarket { .. } | Command::MoveCursor { .. } | Command::DetachCursor { .. }
                )
            )
        };
        assert!(!kept.batch.iter().any(|(_, request)| is_of_the_node(request)), "kind {kind}");
    }
}

#[test]
fn a_bad_record_in_a_sound_frame_leaves_the_others_alone() {
    let example = Ingredients::example();
    let mut writer = FrameWriter::default();
    writer.begin(5, 0);
    example.commands().iter().for_each(|command| {
        let _ = writer.push(command).expect("fits");
    });
    let mut frame = writer.finish().to_vec();
    frame[24] = 0xEE;
    let kept = keep(&frame, 0);
    assert_eq!(kept.batch.len(), 52);
    assert_eq!(kept.refused.len(), 1);
    assert_eq!((kept.refused[0].0.index, kept.refused[0].1), (0, Refused::UnknownKind { kind: 0xEE }));
    assert_eq!(kept.batch.tag(0).index, 1, "the rest keeps its indices");
}

#[test]
fn a_fact_of_another_kind_or_version_or_length_is_named() {
    let entry = entries()[9].clone();
    let read = |at: usize, byte: u8| {
        let mut entry = entry.clone();
        entry[at] = byte;
        read_facts(&entry)
    };
    assert_eq!(read_facts(&entry), Ok(1));
    assert_eq!(read(0, 99), Err(RecordError::UnknownKind { at: 0, kind: 99 }));
    assert_eq!(read(1, 2), Err(RecordError::UnknownVersion { at: 0, kind: 10, version: 2, reads: 1 }));
    let mut placed = entries()[6].clone();
    placed[1] = 1;
    let plain = RecordError::UnknownVersion { at: 0, kind: 7, version: 1, reads: 2 };
    assert_eq!(read_facts(&placed), Err(plain), "details that are not sealed are refused");
    assert_eq!(read(2, 4), Err(RecordError::Length { at: 0 }));
    assert_eq!(read(2, 0), Err(RecordError::Length { at: 0 }));
    assert_eq!(read(23, 1), Err(RecordError::Malformed { at: 0, kind: 10, part: Part::Padding }));
}
