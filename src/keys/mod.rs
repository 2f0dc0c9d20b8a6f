//! Keys: what customers' details are sealed under, kept apart from the log, so that overwriting one erases details
//! from every copy of the log there ever was.
//!
//! ```text
//! shard thread                          keys' thread                       shard-00000.keys
//!  Keyring                               Overwriter                        ┌────────┬────────┐
//!  │ seal, open  ◄── table in memory     │                                 │ header │ header │
//!  │ destroy(7.2) ──► name ────────────► draw a key, write the first copy, ├────────┼────────┤
//!  │ destroyed() ◄── 7.3 and its key ◄── sync, write the second, sync      │ slots  │ slots  │  64 slots a block,
//!  ▼                                     ▼                                 │ 0..64  │ 0..64  │  every block twice
//!                                                                          └────────┴────────┘
//! ```
//!
//! Keys are random and made ahead: a placement takes one that has long been on the disk and waits for no sync of this
//! file. Which of them are in use only the log says; here is no word of it.
//!
//! # Always true
//! - The two copies of a slot are never written between the same two syncs: of a key that is in use one whole copy is
//!   on the disk at every moment, whatever a power cut does to the block that is being written.
//! - A key that was handed to [`Keyring::destroy`] and is counted by [`Keyring::destroyed`] is in neither copy, and not
//!   in the table.
//! - After a start every key in the file is either in use or was never used: all others have been overwritten.
//! - Sealing is deterministic, and what was sealed opens under the same name and for the same order alone.
//! # Not here
//! - Who uses which key, and when one is dead: the engine's state. When its death is durable: the shard.
//! - What a copy of the log without this file is worth: `docs/SECURITY.md`. The bytes: `docs/LOG-FORMAT.md`.
//! # Why so
//! One file for each shard, because shards know nothing of each other, their number is fixed in the log's directory,
//! and a file that grows by itself needs no ranges moved. They are few and their own directory: it can be mounted
//! elsewhere, and left out of a backup by its name.

mod fault;

mod cipher;
mod layout;
mod table;

mod file;
mod opening;
mod private;

mod copying;
mod keyring;
mod overwriter;

#[cfg(test)]
mod tests;

pub use copying::{Copied, check_on, copy_on, leave_out_on};
pub use fault::Fault;
pub use keyring::Keyring;
pub use opening::{Expected, Found, Opened, Place, open_on};
pub use overwriter::{Running, start};
pub use private::check_private;
