//! Instructions of what a shard does most, counted and not timed: the same on a busy machine as on a quiet one.
//!
//! Each case carries out 10,000 commands that come as frames of 100: decoded into a batch, submitted, decided, folded,
//! written as facts and as replies. The log takes no time and counts for nothing. Callgrind counts; what a command
//! costs is compared with `instructions.txt` beside this file.
//!
//! ```text
//! cargo run --release --example instructions                       compare; fails above +2 %
//! INSTRUCTIONS=write cargo run --release --example instructions    keep what is counted now
//! cargo run --release --example instructions -- place              one case
//! ```
//!
//! # Why so
//! Identifiers are hashed with seeds drawn anew in every process, which moves a count by a few in a thousand; the bound
//! is wide enough for that. It would not be for a release built in several codegen units, where an edit far from any
//! hot path moved counts by up to 3.9 %. It is no bench to cargo, which builds those to unwind.

mod rig;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command as Process, ExitCode};

use stockade::base::limits::FRAME_BYTES_MAX;
use stockade::base::{ChangeId, RequestId, SiteId, SkuId};
use stockade::engine::choices::PaymentMethod;
use stockade::engine::{Command, Effects, Line, PaymentReport};
use stockade::shard::{Lane, Submission};
use stockade::wire::{FrameDecoder, FrameWriter, Intake, Refused, Request, RequestHeader, RequestSink, Tag};

use rig::{Desk, LINES};

const COMMANDS: usize = 10_000;
const FRAME_COMMANDS: usize = 100;
/// What a count may be above the one that is kept, in thousandths of it.
const MORE_MAX: u64 = 20;

const CART: &[Line] = &[
    Line { sku: SkuId(1), quantity: 1, price: 999 },
    Line { sku: SkuId(2), quantity: 2, price: 1_999 },
    Line { sku: SkuId(3), quantity: 1, price: 250 },
    Line { sku: SkuId(4), quantity: 3, price: 75 },
];
const SOLD_OUT: &[Line] = &[Line { sku: SkuId(2), quantity: 1, price: 999 }];

/// Brings a shard to where the case begins; the commands that are counted.
type Prepare = fn(&mut Desk) -> Vec<Command<'static>>;

const CASES: [(&str, Prepare); 9] = [
    ("place", |desk| placements(desk, LINES)),
    ("place_handed_off", |desk| {
        hand_off(desk);
        placements(desk, LINES)
    }),
    ("place_cart", |desk| {
        for (sku, code) in (2..).zip(["second", "third", "fourth"]) {
            create(desk, code);
            receive(desk, SkuId(sku));
        }
        placements(desk, CART)
    }),
    ("repeat", |desk| {
        let commands = placements(desk, LINES);
        carry_out(desk, frames(&commands));
        commands
    }),
    ("sold_out", |desk| {
        create(desk, "second");
        placements(desk, SOLD_OUT)
    }),
    ("confirm", |desk| {
        let placed = placed(desk);
        placed.map(|number| Command::Confirm { order: desk.orders.id(number), attempt: ChangeId(1) }).collect()
    }),
    ("pay_handed_off", |desk| {
        hand_off(desk);
        let placed = placed(desk);
        let pay = |number| Command::ReportPayment {
            order: desk.orders.id(number),
            attempt: ChangeId::HANDED_OFF,
            method: PaymentMethod::Card,
            currency: rig::CURRENCY,
            report: PaymentReport::authorised(999),
        };
        placed.map(pay).collect()
    }),
    ("cancel", |desk| {
        let placed = placed(desk);
        placed.map(|number| Command::Cancel { order: desk.orders.id(number), block: false }).collect()
    }),
    ("hand_over", |desk| {
        let placed = placed(desk);
        let confirms: Vec<_> = placed
            .clone()
            .map(|number| Command::Confirm { order: desk.orders.id(number), attempt: ChangeId(1) })
            .collect();
        carry_out(desk, frames(&confirms));
        let hand_over = |number| Command::HandOver { order: desk.orders.id(number), change: ChangeId(2), lines: &[] };
        placed.map(hand_over).collect()
    }),
];

fn placements(desk: &mut Desk, lines: &'static [Line]) -> Vec<Command<'static>> {
    (0..COMMANDS).map(|_| desk.orders.place(lines)).collect()
}

/// Places as many orders; their numbers.
fn placed(desk: &mut Desk) -> std::ops::RangeInclusive<u64> {
    let commands = placements(desk, LINES);
    carry_out(desk, frames(&commands));
    1..=COMMANDS as u64
}

fn hand_off(desk: &mut Desk) {
    let effects = Effects { payment: true, release: true, check: false };
    let market = desk.orders.market;
    desk.carry_out(&[Command::SetEffects { market, effects }]);
}

fn create(desk: &mut Desk, code: &'static str) {
    let market = desk.orders.market;
    desk.carry_out(&[Command::CreateSku { market, code }]);
}

fn receive(desk: &mut Desk, sku: SkuId) {
    let request = RequestId::new(desk.orders.made_at, desk.orders.market, u64::from(sku.0));
    desk.carry_out(&[Command::Receive { request, sku, site: SiteId(1), quantity: 1_000_000 }]);
}

fn frames(commands: &[Command<'_>]) -> Vec<Vec<u8>> {
    let mut writer = FrameWriter::default();
    let frame = |commands: &[Command<'_>]| {
        writer.begin(1, 0);
        for command in commands {
            let _index = writer.push(command).expect("a frame has room for them");
        }
        writer.finish().to_vec()
    };
    commands.chunks(FRAME_COMMANDS).map(frame).collect()
}

/// As a session does it for one shard.
struct ToSubmission(Submission);

impl RequestSink for ToSubmission {
    fn request(&mut self, tag: Tag, request: &Request<'_>) -> Intake {
        self.0.lane = Lane::of(request);
        self.0.batch.push(tag, request);
        Intake::Taken
    }

    fn status(&mut self, _: Tag) -> Intake {
        Intake::Taken
    }

    fn refused(&mut self, _: Tag, why: Refused) -> Intake {
        panic!("a sound request is refused: {why:?}");
    }
}

/// Everything a node does with these frames, but for network and disk. The one function that callgrind looks into.
#[inline(never)]
fn carry_out(desk: &mut Desk, frames: Vec<Vec<u8>>) {
    let mut decoder = FrameDecoder::default();
    let decode = |frame: Vec<u8>| {
        let mut sink = ToSubmission(desk.submission(&[]));
        let header = RequestHeader::parse(&frame, FRAME_BYTES_MAX).expect("sound").expect("whole");
        decoder.decode(&header, &frame, 0, &mut sink).expect("sound");
        sink.0
    };
    let submissions = frames.into_iter().map(decode).collect();
    desk.round(submissions);
}

/// The counted part of a case; `carry_out` itself also prepares some.
#[inline(never)]
fn counted(desk: &mut Desk, frames: Vec<Vec<u8>>) {
    carry_out(desk, frames);
}

fn run(prepare: Prepare) {
    let mut desk = Desk::new();
    let commands = prepare(&mut desk);
    assert_eq!(commands.len(), COMMANDS, "a case is of so many commands");
    let frames = frames(&commands);
    counted(&mut desk, frames);
}

/// Instructions of one command of a case, counted by running this program under callgrind; `None` without valgrind.
fn count(case: &str) -> Option<u64> {
    let this = std::env::current_exe().expect("this program has a path");
    let mut callgrind = Process::new("valgrind");
    callgrind.args(["--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=*instructions*counted*"]);
    let output = callgrind.arg(this).args([RUN, case]).output().ok()?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{case} under callgrind: {said}");
    let collected = said.lines().find_map(|line| line.split_once("Collected : ").map(|(_, count)| count.trim()));
    let collected: u64 = collected.and_then(|count| count.parse().ok()).expect("callgrind tells what it collected");
    assert!(collected > 0, "callgrind did not see the counted function");
    Some(collected / COMMANDS as u64)
}

/// Runs one case and says nothing.
const RUN: &str = "--run";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, case] = &arguments[..]
        && flag == RUN
    {
        let (_, prepare) = CASES.iter().find(|(name, _)| name == case).expect("a case of this name");
        run(*prepare);
        return ExitCode::SUCCESS;
    }
    if cfg!(debug_assertions) {
        println!("what is counted is what is shipped: run it with --release");
        return ExitCode::FAILURE;
    }
    if let Some(unknown) = arguments.iter().find(|name| !CASES.iter().any(|(case, _)| case == name)) {
        let known: Vec<&str> = CASES.iter().map(|(case, _)| *case).collect();
        println!("there is no case {unknown}; there are {}", known.join(", "));
        return ExitCode::FAILURE;
    }
    let wanted = |case: &str| arguments.is_empty() || arguments.iter().any(|name| name == case);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions.txt");
    let kept = kept(&path);
    let mut counts = BTreeMap::new();
    let mut too_many = Vec::new();
    for (case, _) in CASES.iter().filter(|(case, _)| wanted(case)) {
        let Some(count) = count(case) else {
            println!("NOT MEASURED: there is no valgrind here");
            return ExitCode::SUCCESS;
        };
        let before = kept.get(*case).copied();
        let change = before
            .map_or(String::from("new"), |before| format!("{:+.1} %", (count as f64 / before as f64 - 1.0) * 100.0));
        println!("{case:<20} {count:>7} instructions a command  {change}");
        if before.is_some_and(|before| count * 1_000 > before * (1_000 + MORE_MAX)) {
            too_many.push(*case);
        }
        counts.insert(*case, count);
    }
    if std::env::var("INSTRUCTIONS").is_ok_and(|what| what == "write") {
        let lines: String = CASES
            .iter()
            .filter_map(|(case, _)| Some(format!("{case} {}\n", counts.get(case).or(kept.get(*case))?)))
            .collect();
        std::fs::write(&path, lines).expect("the file is there");
        return ExitCode::SUCCESS;
    }
    if too_many.is_empty() {
        return ExitCode::SUCCESS;
    }
    println!("more than 2 % above benches/instructions.txt: {}", too_many.join(", "));
    ExitCode::FAILURE
}

fn kept(path: &Path) -> BTreeMap<String, u64> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let pairs = text.lines().filter_map(|line| line.split_once(' '));
    pairs.map(|(case, count)| (case.to_owned(), count.parse().expect("a number behind the case"))).collect()
}
