//! `log dump` and `log salvage`: the log of a server that is not running.
//!
//! # Always true
//! - Neither changes anything in the directory it reads.

use std::path::Path;

use super::fact_text;
use super::fault::CliFault;
use super::local::log_directory;
use super::output::say;
use super::time_text::utc;
use crate::wal::{self, Dropped, Item, Reader, ReplayedEntry, Salvaged};
use crate::wire::{FactReader, FactScratch};

/// Prints everything there is, sound or not.
pub(super) fn dump(data: &Path) -> Result<(), CliFault> {
    let reader = Reader::open(&log_directory(data))?;
    let mut scratch = FactScratch::default();
    reader.dump(&mut |item| say(&item_text(&item, &mut scratch)))?;
    Ok(())
}

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
    let mut text = format!("    stream {} entry {} at {}", entry.stream, entry.sequence, utc(entry.log_time));
    let mut facts = FactReader::new(entry.bytes, scratch);
    while let Some(fact) = facts.next() {
        text += "\n      ";
        text += &fact.map_or_else(|error| format!("UNREADABLE: {error}"), |fact| fact_text::text(&fact));
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
            data.display()
        )),
        other => other.into(),
    })?;
    say(&salvaged_text(&salvaged, new));
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
