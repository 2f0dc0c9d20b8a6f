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
mod file_disk;

mod entry;
mod handle;
mod log;
mod probe;
mod stats;

pub use disk::{Access, Disk, DiskFile};
pub use entry::{Entry, Notify, Progress, ReplayedEntry, StreamTail};
pub use fault::Fault;
pub use file_disk::FileDisk;
pub use handle::Handle;
pub use log::{Log, Opened, Running};
pub use options::{Durability, Options, SyncMethod};
pub use probe::{ProbeCost, ProbeReport};
pub use stats::{Counts, Stats};
