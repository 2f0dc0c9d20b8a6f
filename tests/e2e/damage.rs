//! A node on a log that something happened to: what it cuts, and what it refuses to start on.
//!
//! Rows are those of the table in `src/wal/verdict.rs`, made with an editor's hand on the real files.
//!
//! # Always true
//! - A refused start names the file, has exit code 11 and changes no segment; the audit says the same.
//! # Not here
//! - Every byte and every shape of damage: the tests of `wal`, on a disk in memory.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stockade::client::Response;
use stockade::engine::{Answer, Command, Place};
use stockade::node;
use stockade::wal::{Item, Reader};
use tempfile::TempDir;

use crate::child::{Node, Settings};
use crate::harness::{line, place, stocked};

const BLOCK: usize = 4_096;
const SEGMENT: usize = 256 * BLOCK;
const ORDERS: u64 = 300;

fn settings(data: &Path) -> Settings {
    Settings { segment_bytes: SEGMENT as u64, ..Settings::new(data) }
}

/// A frame as the dump tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Frame {
    file: String,
    offset: usize,
    entries: u32,
}

/// The log of a node that took some orders, one after the other, and was stopped: the last frame holds nothing and
/// vouches for the one before.
struct Lived {
    dir: TempDir,
    frames: Vec<Frame>,
}

impl Lived {
    async fn new() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let node = Node::start(&settings(dir.path()));
        let client = node.client().await;
        let (market, sku) = stocked(&client, "default", ORDERS).await;
        for _ in 0..ORDERS {
            // With so many details no frame is one block: segments end with a block that no frame fits.
            let lines = [line(sku, 1)];
            let Command::Place(order) = place(client.new_order_id(market), &lines) else { unreachable!() };
            let placed = client.submit(&Command::Place(Place { details: &[7; BLOCK], ..order })).await;
            assert!(matches!(placed, Ok(Response::Answered { answer: Answer::Placed { .. }, .. })), "{placed:?}");
        }
        drop(client);
        node.stop();
        let frames = frames(dir.path());
        assert_eq!(frames.last().map(|frame| frame.entries), Some(0), "the last frame vouches");
        Self { dir, frames }
    }

    /// Frames with entries, of the newest segment or of those before it.
    fn full(&self, newest: bool) -> Vec<&Frame> {
        let last = &self.frames.last().expect("frames").file;
        self.frames.iter().filter(|frame| frame.entries > 0 && (frame.file == *last) == newest).collect()
    }

    fn vouching(&self) -> &Frame {
        self.frames.last().expect("frames")
    }

    /// Where the log ends.
    fn end(&self) -> Frame {
        Frame { offset: self.vouching().offset + BLOCK, ..self.vouching().clone() }
    }

    /// A copy to be damaged.
    fn copy(&self) -> Copy {
        let dir = tempfile::tempdir().expect("a directory");
        for part in ["log", "keys"] {
            fs::create_dir(dir.path().join(part)).expect("made");
            for entry in fs::read_dir(self.dir.path().join(part)).expect("it is there") {
                let path = entry.expect("readable").path();
                fs::copy(&path, dir.path().join(part).join(path.file_name().expect("a name"))).expect("copied");
            }
        }
        Copy { dir }
    }

    #[track_caller]
    fn check_refused(&self, row: &str, damage: impl FnOnce(&Copy), file: &str, complaint: &str) {
        let copy = self.copy();
        damage(&copy);
        let before = copy.segments();
        let (code, said) = Node::refused(&settings(copy.dir.path()));
        assert_eq!(code, 11, "{row}: {said}");
        assert!(said.contains(file) && said.contains(complaint), "{row}: {said}");
        let audit = node::audit(copy.dir.path(), &mut |_| {}).expect_err("damage");
        assert_eq!(audit.to_string(), said.trim_end(), "{row}: the audit sees what the start sees");
        assert!(copy.segments() == before, "{row}: a refused start changes nothing");
    }

    /// The tail is cut, loudly for the audit, and what was durable is there.
    #[track_caller]
    fn check_cut(&self, row: &str, damage: impl FnOnce(&Copy), orders: u64) {
        let copy = self.copy();
        damage(&copy);
        let audit = node::audit(copy.dir.path(), &mut |_| {}).expect("a torn tail is no damage");
        assert!(audit.ok && audit.torn.is_some() && audit.orders == orders, "{row}: {audit:?}");
        Node::start(&settings(copy.dir.path())).stop();
        let audit = node::audit(copy.dir.path(), &mut |_| {}).expect("sound");
        assert!(audit.ok && audit.torn.is_none() && audit.orders == orders, "{row}: {audit:?}");
    }
}

struct Copy {
    dir: TempDir,
}

impl Copy {
    fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join("log").join(file)
    }

    fn edit(&self, file: &str, edit: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = fs::read(self.path(file)).expect("readable");
        edit(&mut bytes);
        fs::write(self.path(file), bytes).expect("written");
    }

    /// Turns one bit.
    fn flip(&self, frame: &Frame, at: usize) {
        self.edit(&frame.file, |bytes| bytes[frame.offset + at] ^= 4);
    }

    /// Writes over some blocks from the start of a frame.
    fn fill(&self, frame: &Frame, blocks: usize, with: u8) {
        self.edit(&frame.file, |bytes| bytes[frame.offset..frame.offset + blocks * BLOCK].fill(with));
    }

    fn segments(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let paths = fs::read_dir(self.dir.path().join("log")).expect("a log").map(|entry| entry.expect("there").path());
        let mut paths: Vec<_> = paths.filter(|path| !path.ends_with("LOCK")).collect();
        paths.sort();
        paths.into_iter().map(|path| (path.clone(), fs::read(path).expect("readable"))).collect()
    }
}

fn frames(data: &Path) -> Vec<Frame> {
    let mut frames = Vec::new();
    let reader = Reader::open(&data.join("log")).expect("nobody uses it");
    let mut visit = |item: Item<'_>| match item {
        Item::Frame { file, offset, entries, .. } => {
            let offset = usize::try_from(offset).expect("small");
            frames.push(Frame { file: file.to_owned(), offset, entries });
        }
        Item::Segment { .. } | Item::Entry(_) | Item::Unreadable(_) => {}
    };
    reader.dump(&mut visit).expect("readable");
    frames
}

/// In a header; in a body.
const HEADER: usize = 20;
const BODY: usize = 300;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_torn_tail_that_nobody_was_told_of_is_cut_and_the_node_starts() {
    let lived = Lived::new().await;
    let (end, vouching) = (lived.end(), lived.vouching());
    let last = *lived.full(true).last().expect("frames");
    let behind = Frame { offset: end.offset + BLOCK, ..end.clone() };
    lived.check_cut("row 3", |copy| copy.fill(&behind, 1, 0xA5), ORDERS);
    lived.check_cut("row 5", |copy| copy.fill(&end, 1, 0xA5), ORDERS);
    let unvouched = |copy: &Copy| copy.fill(vouching, 1, 0);
    lived.check_cut(
        "row 5, the header of the last order",
        |copy| (unvouched(copy), copy.flip(last, HEADER)).0,
        ORDERS - 1,
    );
    lived.check_cut("row 7", |copy| (unvouched(copy), copy.flip(last, BODY)).0, ORDERS - 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_frame_that_was_durable_and_is_damaged_stops_the_start() {
    let lived = Lived::new().await;
    let (newest, sealed) = (lived.full(true), lived.full(false));
    let (middle, last) = (newest[0], *newest.last().expect("frames"));
    let end_of_sealed = *sealed.last().expect("frames");
    assert!(newest.len() > 1 && sealed.len() > 7, "{:?}", lived.frames);
    let (file, sealed_file) = (&middle.file, &end_of_sealed.file);
    lived.check_refused("row 4", |copy| copy.fill(middle, 2, 0), file, "missing");
    lived.check_refused("row 6", |copy| copy.flip(middle, HEADER), file, "header of a frame is broken");
    lived.check_refused("row 8", |copy| copy.flip(middle, BODY), file, "body of a frame is broken");
    lived.check_refused(
        "row 8, the last of a quiet log",
        |copy| copy.flip(last, BODY),
        file,
        "body of a frame is broken",
    );
    lived.check_refused("row 6, the last of a quiet log", |copy| copy.flip(last, HEADER), file, "header of a frame");
    lived.check_refused("row 4, the last of a quiet log", |copy| copy.fill(last, 2, 0), file, "missing");
    lived.check_refused(
        "row 9, header",
        |copy| copy.flip(end_of_sealed, HEADER),
        sealed_file,
        "header of a durable frame",
    );
    lived.check_refused("row 9, body", |copy| copy.flip(end_of_sealed, BODY), sealed_file, "body of a durable frame");
    lived.check_refused("row 9, zeroes", |copy| copy.fill(end_of_sealed, 2, 0), sealed_file, "missing");
    let behind = Frame { offset: SEGMENT - BLOCK, ..end_of_sealed.clone() };
    assert_eq!(end_of_sealed.offset, SEGMENT - 3 * BLOCK, "a block is left over: {:?}", lived.frames);
    lived.check_refused("row 10", |copy| copy.fill(&behind, 1, 1), sealed_file, "bytes after the last frame");
    let stale = |copy: &Copy| {
        copy.edit(file, |bytes| bytes.copy_within(middle.offset..middle.offset + 2 * BLOCK, last.offset));
    };
    lived.check_refused("row 11", stale, file, "another number");
    let old = |copy: &Copy| {
        let older = fs::read(copy.path(sealed_file)).expect("readable");
        let from = end_of_sealed.offset;
        copy.edit(file, |bytes| bytes[last.offset..][..2 * BLOCK].copy_from_slice(&older[from..from + 2 * BLOCK]));
    };
    lived.check_refused("row 11, from another segment", old, file, "epoch");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn a_file_that_is_missing_or_has_lost_its_header_stops_the_start() {
    let lived = Lived::new().await;
    let files: Vec<_> = [0, 200].map(|at| lived.frames[at].file.clone()).into();
    let newest = &lived.vouching().file;
    assert!(files[0] != files[1] && files[1] != *newest, "three segments: {:?}", lived.frames);
    let remove = |file: String| move |copy: &Copy| fs::remove_file(copy.path(&file)).expect("there");
    lived.check_refused(
        "the first segment",
        remove(files[0].clone()),
        "begins after entry",
        "put the missing segments",
    );
    lived.check_refused("a middle segment", remove(files[1].clone()), &files[1], "missing");
    lived.check_refused("the header of all", remove("stockade.header".into()), "stockade.header", "missing");
    let flipped = |copy: &Copy| copy.edit("stockade.header", |bytes| bytes[20] ^= 1);
    lived.check_refused("a bit of the header of all", flipped, "stockade.header", "checksum");
    for file in [&files[0], &files[1], newest] {
        let blank = |copy: &Copy| copy.edit(file, |bytes| bytes[..BLOCK].fill(0));
        lived.check_refused("a segment's header", blank, file, "its header is gone");
    }
    let short = |copy: &Copy| copy.edit(&files[1], |bytes| bytes.truncate(SEGMENT / 2));
    lived.check_refused("half a segment", short, &files[1], "not as long");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn the_last_order_of_a_quiet_log_is_never_cut_even_when_the_node_was_killed() {
    let dir = tempfile::tempdir().expect("a directory");
    let settings = settings(dir.path());
    let node = Node::start(&settings);
    let client = node.client().await;
    let (market, sku) = stocked(&client, "default", 2).await;
    drop(client);
    node.stop();
    // Everything there is has been vouched for, so the next two frames are the order's and the one that vouches for it.
    let node = Node::start(&settings);
    let client = node.client().await;
    let before = client.status().await.expect("a status").log_frames;
    let placed = client.submit(&place(client.new_order_id(market), &[line(sku, 1)])).await.expect("an answer");
    assert!(matches!(placed, Response::Answered { answer: Answer::Placed { .. }, .. }), "{placed:?}");
    let vouched = async { while client.status().await.expect("a status").log_frames < before + 2 {} };
    tokio::time::timeout(Duration::from_secs(30), vouched).await.expect("a quiet log vouches for its last frame");
    drop(client);
    node.kill();

    let frames = frames(dir.path());
    let [.., last, vouching] = &frames[..] else { panic!("{frames:?}") };
    assert!(last.entries > 0 && vouching.entries == 0, "{frames:?}");
    let path = dir.path().join("log").join(&last.file);
    let mut bytes = fs::read(&path).expect("readable");
    bytes[last.offset + BODY / 2] ^= 1;
    fs::write(&path, bytes).expect("written");
    let (code, said) = Node::refused(&settings);
    assert_eq!(code, 11, "{said}");
    assert!(said.contains(&last.file) && said.contains("a later one says was durable"), "{said}");
}
