//! Whatever is written is read back the same, every kind, with any values.

use proptest::collection::vec;
use proptest::prelude::{Strategy, any, proptest};

use super::samples::Ingredients;
use super::writing::write;
use crate::base::limits::FRAME_BYTES_MAX;
use crate::base::{ChangeId, CodeList, OrderId, SiteId, SkuId, Timestamp};
use crate::engine::{Answer, Command, Component, Draw, Granted, Line, LinePrice, LineQuantity};
use crate::wire::{
    Batch, FactReader, FactScratch, FrameDecoder, FrameWriter, Intake, Refused, Reply, ReplyWriter, Request,
    RequestHeader, RequestSink, Tag, decode_hello, decode_replies, encode_fact, encode_hello,
};

/// Keeps everything a frame held.
#[derive(Debug)]
pub(super) struct Kept {
    /// Requests it takes.
    room: usize,
    pub(super) batch: Batch,
    pub(super) statuses: Vec<Tag>,
    pub(super) refused: Vec<(Tag, Refused)>,
}

impl Default for Kept {
    fn default() -> Self {
        Self { room: usize::MAX, batch: Batch::default(), statuses: Vec::new(), refused: Vec::new() }
    }
}

impl RequestSink for Kept {
    fn request(&mut self, tag: Tag, request: &Request<'_>) -> Intake {
        if self.batch.len() >= self.room {
            return Intake::Later;
        }
        self.batch.push(tag, request);
        Intake::Taken
    }

    fn status(&mut self, tag: Tag) -> Intake {
        self.statuses.push(tag);
        Intake::Taken
    }

    fn refused(&mut self, tag: Tag, why: Refused) -> Intake {
        self.refused.push((tag, why));
        Intake::Taken
    }
}

/// Decodes a whole, sound frame.
pub(super) fn keep(frame: &[u8], now_ms: u64) -> Kept {
    let mut kept = Kept::default();
    let header = RequestHeader::parse(frame, FRAME_BYTES_MAX).expect("a sound header").expect("a whole header");
    FrameDecoder::default().decode(&header, frame, now_ms, &mut kept).expect("a sound frame");
    kept
}

#[test]
fn a_frame_whose_records_are_taken_a_few_at_a_time_is_the_same_frame() {
    let mut writer = FrameWriter::default();
    writer.begin(7, 500);
    let order = OrderId::from_bits(77);
    for attempt in 0..10 {
        writer.push(&Command::Confirm { order, attempt: ChangeId(attempt) }).expect("fits");
    }
    let frame = writer.into_frame();
    let whole = keep(&frame, 1_000);
    for at_once in [1, 2, 3, 9] {
        let header = RequestHeader::parse(&frame, FRAME_BYTES_MAX).expect("sound").expect("whole");
        let (mut decoder, mut kept) = (FrameDecoder::default(), Kept { room: at_once, ..Kept::default() });
        let mut pause = decoder.decode(&header, &frame, 1_000, &mut kept).expect("sound");
        while let Some(from) = pause {
            assert_eq!(kept.batch.len(), kept.room, "it went on until there was no room");
            kept.room += at_once;
            pause = decoder.resume(from, &frame, &mut kept);
        }
        assert!(kept.batch.iter().eq(whole.batch.iter()), "{at_once} at a time");
    }
}

fn ingredients() -> impl Strategy<Value = Ingredients> {
    let line = any::<(u32, u32, u64)>().prop_map(|(sku, quantity, price)| Line { sku: SkuId(sku), quantity, price });
    let quantity = any::<(u16, u32)>().prop_map(|(line, quantity)| LineQuantity { line, quantity });
    let draw = any::<(u16, u16, u32)>().prop_map(|(line, site, quantity)| Draw { line, site: SiteId(site), quantity });
    let arrays = (vec(line, 0..40), vec(quantity, 0..40), vec(draw, 0..40), vec(any::<u32>(), 0..40));
    let texts = (vec(any::<u32>(), 0..20), vec("[ -~é€😀]{0,30}", 0..20), "\\PC{0,64}", vec(any::<u8>(), 0..200));
    (any::<[u64; 8]>(), any::<u8>(), arrays, texts).prop_map(|(words, pick, arrays, texts)| Ingredients {
        words,
        pick,
        lines: arrays.0,
        prices: arrays
            .1
            .iter()
            .map(|it: &LineQuantity| LinePrice { line: it.line, price: it.quantity.into() })
            .collect(),
        quantities: arrays.1,
        draws: arrays.2,
        orders: arrays.3.iter().map(|number| OrderId::from_bits(u128::from(*number) << 64)).collect(),
        granted: arrays.3.iter().map(|units| Granted { taken: *units, owed: units / 3 }).collect(),
        components: arrays.3.iter().map(|units| Component { sku: SkuId(units / 7), units: *units }).collect(),
        skus: texts.0.into_iter().map(SkuId).collect(),
        codes: texts.1.iter().map(String::as_str).collect::<CodeList>(),
        code: texts.2,
        details: texts.3,
    })
}

fn requests_come_back(from: &Ingredients) {
    let mut writer = FrameWriter::default();
    writer.begin(from.words[0], 70);
    let (commands, queries) = (from.commands(), from.queries());
    commands.iter().for_each(|command| {
        let _ = writer.push(command).expect("fits");
    });
    queries.iter().for_each(|query| {
        let _ = writer.push_query(query).expect("fits");
    });
    let status_index = writer.push_status().expect("fits");
    let kept = keep(writer.finish(), 1_000);
    assert_eq!(kept.refused, [], "nothing of a sound frame is refused");
    let sent = commands.into_iter().map(Request::Command).chain(queries.into_iter().map(Request::Query));
    for (index, (sent, (tag, came))) in sent.zip(kept.batch.iter()).enumerate() {
        assert_eq!(came, sent);
        let index = u16::try_from(index).expect("few");
        assert_eq!(tag, Tag { correlation: from.words[0], index, expires_at_ms: 1_070 });
    }
    assert_eq!(kept.batch.len(), 77);
    assert_eq!(kept.statuses.iter().map(|tag| tag.index).collect::<Vec<_>>(), [status_index]);
}

fn facts_come_back(from: &Ingredients) {
    let facts = from.facts();
    let mut entry = Vec::new();
    facts.iter().for_each(|fact| encode_fact(fact, &mut entry));
    let mut scratch = FactScratch::default();
    let mut reader = FactReader::new(&entry, &mut scratch);
    for fact in &facts {
        assert_eq!(reader.next(), Some(Ok(*fact)));
    }
    assert_eq!(reader.next(), None);
}

fn replies_come_back(from: &Ingredients) {
    let sent = from.replies();
    let mut writer = ReplyWriter::default();
    writer.begin(Timestamp::from_ms(77));
    for (index, reply) in sent.iter().enumerate() {
        let tag = Tag { correlation: from.words[1], index: u16::try_from(index).expect("few"), expires_at_ms: 0 };
        write(&mut writer, tag, reply, &from.granted);
    }
    let mut at = 0;
    let header = decode_replies(&writer.finish(), |correlation, index, reply| {
        assert_eq!((correlation, usize::from(index)), (from.words[1], at));
        if let Reply::Answer(answer, grants) = reply {
            let told = matches!(answer, Answer::Placed { short, owed, .. } if short || owed);
            assert_eq!(grants.iter().collect::<Vec<_>>(), if told { from.granted.as_slice() } else { &[] });
            assert!(matches!(&sent[at], Reply::Answer(sent, _) if *sent == answer), "{answer:?}");
        } else {
            assert_eq!(reply, sent[at]);
        }
        at += 1;
    })
    .expect("a sound frame");
    assert_eq!((at, header.log_time), (sent.len(), Timestamp::from_ms(77)));
}

proptest! {
    #[test]
    fn every_request_comes_back_as_it_was_sent(from in ingredients()) {
        requests_come_back(&from);
    }

    #[test]
    fn every_fact_comes_back_as_it_was_written(from in ingredients()) {
        facts_come_back(&from);
    }

    #[test]
    fn every_reply_comes_back_as_it_was_written(from in ingredients()) {
        replies_come_back(&from);
    }

    #[test]
    fn the_greeting_comes_back_as_it_was_written(from in ingredients()) {
        assert_eq!(decode_hello(&encode_hello(&from.hello())), Ok(from.hello()));
    }
}

#[test]
fn a_batch_takes_requests_of_several_frames_and_forgets_them_when_cleared() {
    let example = Ingredients::example();
    let mut batch = Batch::default();
    for round in 0..2 {
        for correlation in 0..3 {
            let tag = Tag { correlation, index: 0, expires_at_ms: 0 };
            example.commands().iter().for_each(|command| batch.push(tag, &Request::Command(*command)));
        }
        assert_eq!(batch.len(), 159, "round {round}");
        assert_eq!(batch.tag(110).correlation, 2);
        batch.clear();
        assert!(batch.is_empty() && batch.bytes() == 0);
    }
}

#[test]
fn a_frame_without_deadline_never_expires() {
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    writer.push_status().expect("fits");
    assert_eq!(keep(writer.finish(), 5_000).statuses[0].expires_at_ms, 0);
}
