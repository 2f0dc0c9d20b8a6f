//! What a request costs between the network and the engine, and a fact between the engine and the log.
//!
//! Expected, on one core: decoding a single-line placement into a batch and taking it out again a few tens of
//! nanoseconds (72 bytes are checked field by field and copied once); writing its answer or its fact about ten (40 and
//! 80 bytes are written once); reading a fact back about twenty. More than that would show in every other number of the
//! server: 1,500,000 orders a second leave 1,300 ns for client, network, TLS, engine and log together.
//!
//! Run: `cargo bench --bench wire`.

use core::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use stockade::base::limits::FRAME_BYTES_MAX;
use stockade::base::{ChangeId, Currency, CustomerKey, MarketId, OrderId, OrderNumber, SiteId, SkuId, Timestamp};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::order::State;
use stockade::engine::refusal::Refusal;
use stockade::engine::{Answer, Command, Draw, Fact, Line, Place, Placed};
use stockade::wire::{
    Batch, FactReader, FactScratch, FrameDecoder, FrameWriter, Intake, Refused, ReplyWriter, Request, RequestHeader,
    RequestSink, Tag, decode_replies, encode_fact,
};

const ORDERS: u16 = 1_024;

fn order(index: u16) -> OrderId {
    let market = MarketId::new(1).expect("fits");
    OrderId::new(Timestamp::from_ms(1_800_000_000_000), market, u64::from(index).wrapping_mul(0x9E37_79B9_7F4A_7C15))
}

fn place(index: u16, lines: &[Line]) -> Command<'_> {
    Command::Place(Place {
        order: order(index),
        customer: CustomerKey(7),
        take: Take::AllOrNothing,
        hold_ms: 600_000,
        currency: Currency::new(*b"GBP").expect("a currency"),
        payment: PaymentMethod::Card,
        channel: 1,
        zone: 44,
        hashes: None,
        lines,
        details: &[],
        key: None,
    })
}

fn line() -> Line {
    Line { sku: SkuId(1), quantity: 1, price: 1_299 }
}

/// Routes everything to one shard, as a session of a single-shard node does.
#[derive(Default)]
struct ToBatch {
    batch: Batch,
    refused: usize,
}

impl RequestSink for ToBatch {
    fn request(&mut self, tag: Tag, request: &Request<'_>) -> Intake {
        self.batch.push(tag, request);
        Intake::Taken
    }

    fn status(&mut self, _: Tag) -> Intake {
        Intake::Taken
    }

    fn refused(&mut self, _: Tag, _: Refused) -> Intake {
        self.refused += 1;
        Intake::Taken
    }
}

fn requests(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("requests");
    group.throughput(Throughput::Elements(u64::from(ORDERS)));
    let lines = [line()];
    let mut writer = FrameWriter::default();
    group.bench_function("encode single-line placement", |bench| {
        bench.iter(|| {
            writer.begin(1, 0);
            for index in 0..ORDERS {
                writer.push(black_box(&place(index, &lines))).expect("fits a frame");
            }
            writer.finish().len()
        });
    });
    writer.begin(1, 0);
    (0..ORDERS).for_each(|index| {
        let _ = writer.push(&place(index, &lines)).expect("fits a frame");
    });
    let frame = writer.finish().to_vec();
    let (mut decoder, mut sink) = (FrameDecoder::default(), ToBatch::default());
    let mut decode = |sink: &mut ToBatch| {
        sink.batch.clear();
        let header = RequestHeader::parse(black_box(&frame), FRAME_BYTES_MAX).expect("sound").expect("whole");
        decoder.decode(&header, &frame, 0, sink).expect("sound");
    };
    group.bench_function("decode single-line placement into a batch", |bench| bench.iter(|| decode(&mut sink)));
    group.bench_function("decode single-line placement into a batch and iterate it", |bench| {
        bench.iter(|| {
            decode(&mut sink);
            sink.batch.iter().map(|(tag, request)| u64::from(tag.index) + weigh(&request)).sum::<u64>()
        });
    });
    group.finish();
}

fn weigh(request: &Request<'_>) -> u64 {
    match request {
        Request::Command(Command::Place(place)) => {
            u64::from(black_box(place).lines[0].quantity) + place.order.made_at().ms()
        }
        Request::Command(_) | Request::Query(_) => 0,
    }
}

fn replies(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("replies");
    group.throughput(Throughput::Elements(u64::from(ORDERS)));
    let answer = Answer::Placed {
        number: OrderNumber(1),
        accepted_at: Timestamp::from_ms(1_800_000_000_000),
        deadline: Timestamp::from_ms(1_800_000_600_000),
        state: State::PendingPayment,
        short: false,
        owed: false,
        repeated: false,
    };
    let refused = Refused::Engine(Refusal::SoldOut { sku: SkuId(1), asked: 1, available: 0 });
    let mut writer = ReplyWriter::default();
    let mut spare = Vec::new();
    let mut write = |refuse: bool| {
        writer.begin(Timestamp::from_ms(1_800_000_000_000));
        for index in 0..ORDERS {
            let tag = Tag { correlation: 1, index, expires_at_ms: 0 };
            if refuse {
                writer.refuse(tag, black_box(&refused));
            } else {
                writer.answer(tag, black_box(&answer), &[]);
            }
        }
        spare = writer.take(core::mem::take(&mut spare));
        spare.len()
    };
    group.bench_function("encode answer to a placement", |bench| bench.iter(|| write(false)));
    group.bench_function("encode sold out", |bench| bench.iter(|| write(true)));
    write(false);
    let frame = spare.clone();
    group.bench_function("decode answer to a placement", |bench| {
        bench.iter(|| {
            let mut seen = 0;
            decode_replies(black_box(&frame), |_, index, reply| {
                black_box(&reply);
                seen += u64::from(index);
            })
            .expect("sound");
            seen
        });
    });
    group.finish();
}

fn facts(bench: &mut Criterion) {
    let mut group = bench.benchmark_group("facts");
    group.throughput(Throughput::Elements(u64::from(ORDERS)));
    let (lines, draws) = ([line()], [Draw { line: 0, site: SiteId(1), quantity: 1 }]);
    let fact = |index| {
        let Command::Place(place) = place(index, &lines) else { unreachable!("made above") };
        Fact::Placed(Placed {
            order: place.order,
            customer: place.customer,
            take: place.take,
            hold_ms: place.hold_ms,
            currency: place.currency,
            payment: place.payment,
            channel: place.channel,
            zone: place.zone,
            confirmed: false,
            hashes: None,
            lines: &lines,
            draws: &draws,
            details: &[],
            key: None,
        })
    };
    let mut entry = Vec::new();
    let write = |entry: &mut Vec<u8>| {
        entry.clear();
        (0..ORDERS).for_each(|index| encode_fact(black_box(&fact(index)), entry));
        entry.len()
    };
    group.bench_function("encode single-line placement", |bench| bench.iter(|| write(&mut entry)));
    write(&mut entry);
    let mut scratch = FactScratch::default();
    group.bench_function("read single-line placement", |bench| {
        bench.iter(|| {
            let mut reader = FactReader::new(black_box(&entry), &mut scratch);
            let mut read = 0;
            while let Some(fact) = reader.next() {
                black_box(&fact.expect("sound"));
                read += 1;
            }
            read
        });
    });
    let confirmed = |index| Fact::Confirmed { order: order(index), attempt: ChangeId(1), entered: 0, draws: &[] };
    group.bench_function("encode confirm", |bench| {
        bench.iter_batched_ref(
            || Vec::with_capacity(64 * usize::from(ORDERS)),
            |entry| (0..ORDERS).for_each(|index| encode_fact(black_box(&confirmed(index)), entry)),
            BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(wire, requests, replies, facts);
criterion_main!(wire);
