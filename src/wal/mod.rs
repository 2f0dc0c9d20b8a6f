//! The log: bytes that survive.
//!
//! One per node, with one *stream* for each shard. What all shards append while one sync is under way is the next
//! *frame*: one write, one sync, no timer.
//!
//! ```text
//! shard 0 ─┐                                           segment 7            segment 8 (prepared: zeroes)
//! shard 1 ─┼─► queue ─► thread ─► Writer ─► frame ─► ┌────────┬───┬───┬──┐ ┌────────┬─────
//! shard 2 ─┘     ▲                  │                │ header │ 41│ 42│ 0│ │   0    │  0
//!                │                  │ durable        └────────┴───┴───┴──┘ └────────┴─────
//!      marks, wakers, buffers ◄─────┘
//! ```
//!
//! # Always true
//! - A stream's mark (`Handle::durable`) moves only after the frame that holds the entry is on the disk.
//! - A block once durable is never written again. After a failed write or sync no mark moves again.
//! - At recovery nothing is guessed: the `verdict` table says *end*, *cut* or *damage*, and only a torn tail that
//!   nothing proves to have been durable is cut.
//!
//! # Not here
//! - What entries mean. They are opaque; `docs/LOG-FORMAT.md` draws every byte around them.
//! - When an entry is made, and who waits for it: the shard.

mod fault;
mod options;

mod aligned;
mod disk;
mod fields;
mod file_disk;

mod directory;
mod entry;
mod frame;
mod frame_buffer;
mod segment;

mod recovery;
mod verdict;
mod walk;
mod window;

mod prepare;
mod probe;
mod tail;
mod writer;

mod backup;
mod follow;
mod image;
mod reader;
mod salvage;
mod sealed;
mod sweep;
mod trim;

mod handle;
mod keeper;
mod log;
mod stats;
mod thread;

#[cfg(test)]
mod fake_disk;
#[cfg(test)]
mod tests;

pub use backup::{BackedUp, backup, backup_on, restore};
pub use directory::{check_free, node_of, shards_of};
pub use disk::{Access, Disk, DiskFile};
pub use entry::{Entry, Notify, Progress, ReplayedEntry, StreamTail};
pub use fault::Fault;
pub use file_disk::FileDisk;
pub use follow::{Followed, Follower};
pub use handle::Handle;
pub use image::{ImageReader, ImageWriter, TakePart, images_on, remove_images_on};
pub use log::{Log, Opened, Running};
pub use options::{Durability, Options, SyncMethod};
pub use prepare::{Order, Prepared, prepare};
pub use probe::{ProbeCost, ProbeReport};
pub use reader::{Item, ReadReport, Reader, Region};
pub use recovery::Cut;
pub use salvage::{Dropped, Salvaged, salvage, salvage_on};
pub use sealed::{Joint, Sealed};
pub use stats::{Counts, Stats};
pub use trim::trim_on;
pub use writer::{Committed, Emptied, Mark, Outcome, Writer};
