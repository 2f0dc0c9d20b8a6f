//! `log dump` and `log salvage`: the log of a server that is not running.
//!
//! # Always true
//! - Neither changes anything in the directory it reads.

use std::path::Path;

use super::fault::CliFault;
use super::local::log_directory;
use super::output::{remark, say};
use super::suggestion::quoted;
use super::{backup, fact_text};
use crate::wal::{self, Dropped, Item, Reader, ReplayedEntry, Salvaged};
use crate::wire::{FactReader, FactScratch};

/// Prints everything there is, sound or not, and ends as recovery judges it: a torn tail is no damage.
pub(super) fn dump(data: &Path) -> Result<(), CliFault> {
    let reader = Reader::open(&log_directory(data))?;
    let (mut scratch, mut unreadable, mut facts_unreadable) = (FactScratch::default(), 0, 0);
    reader.dump(&mut |item| {
        let text = item_text(&item, &mut scratch);
        match item {
            Item::Segment { sound: false, .. } | Item::Unreadable(_) => unreadable += 1,
            Item::Entry(_) => facts_unreadable += text.matches(FACT_UNREADABLE).count(),
            Item::Segment { sound: true, .. } | Item::Frame { .. } => {}
        }
        say(&text);
    })?;
    unreadable += facts_unreadable;
    if unreadable > 0 {
        remark(&format!("{unreadable} parts of the log were unreadable; they are marked above"));
    }
    reader.read(&mut |_| {}, &mut |_| {})?;
    if facts_unreadable > 0 { Err(CliFault::UnreadableFacts(facts_unreadable)) } else { Ok(()) }
}

/// How a fact that cannot be read begins; at the start of a line, where no text of a fact can stand.
const FACT_UNREADABLE: &str = "\n      UNREADABLE: ";

fn item_text(item: &Item<'_>, scratch: &mut FactScratch) -> String {
    match item {
        Item::Segment { file, sound: true } => format!("segment {file}"),
        Item::Segment { file, sound: false } => format!("segment {file}: ITS HEADER IS DAMAGED"),
        Item::Frame { offset, number, durable_upto, entries, .. } => {
            format!("  frame {number} at byte {offset}: {entries} entries, frames up to {durable_upto} were durable")
        }
        Item::Entry(entry) => entry_text(entry, scratch),
        Item::Unreadable(region) => {
            format!("  UNREADABLE: {} bytes from byte {} of {}", region.bytes, region.offset, region.file)
        }
    }
}

fn entry_text(entry: &ReplayedEntry<'_>, scratch: &mut FactScratch) -> String {
    let mut text = format!("    stream {} entry {} at {}", entry.stream, entry.sequence, entry.log_time.utc());
    let mut facts = FactReader::new(entry.bytes, scratch);
    while let Some(fact) = facts.next() {
        text += &fact.map_or_else(
            |error| format!("{FACT_UNREADABLE}{error}"),
            |fact| format!("\n      {}", fact_text::text(&fact)),
        );
    }
    text
}

/// Copies what is sound and says what that leaves out.
pub(super) fn salvage(data: &Path, new: &Path, accept_loss: bool) -> Result<(), CliFault> {
    let from = log_directory(data);
    let salvaged = wal::salvage(&from, &log_directory(new), accept_loss).map_err(|fault| match fault {
        wal::Fault::LossNotAccepted { entries, regions } => CliFault::usage(format!(
            "salvage would lose {entries} entries that are known of, and {regions} regions cannot be read; nothing was \
             written. Look at them with `stockade log dump {}`, and add --accept-loss to go on",
            quoted(&data.to_string_lossy())
        )),
        other => other.into(),
    })?;
    say(&salvaged_text(&salvaged, new));
    if backup::bring_keys(data, new)? {
        say("keys of customers' details were copied\n");
    }
    Ok(())
}

fn salvaged_text(salvaged: &Salvaged, new: &Path) -> String {
    let mut text = format!("{} entries kept in {}\n", salvaged.kept, new.display());
    for Dropped { stream, first, last, readable } in &salvaged.dropped {
        text += &format!("dropped: entries {first} to {last} of stream {stream} ({readable} of them readable)\n");
    }
    for region in &salvaged.unreadable {
        text += &format!("unreadable: {} bytes from byte {} of {}\n", region.bytes, region.offset, region.file);
    }
    if salvaged.dropped.is_empty() && salvaged.unreadable.is_empty() {
        text += "nothing was lost\n";
    }
    text
}
