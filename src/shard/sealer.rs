//! The seam to whoever keeps the keys: seals details before they are decided about, opens them for who reads.
//!
//! ```text
//! place with details ─► engine: which key? ─► seal ─► decide, fold, log: nothing but sealed bytes from here on
//! reading an order   ─► engine: key, sealed bytes ─► open ─► reply
//! a key's last order is closed, or a customer erased ─► durable ─► destroy ─ ─ ─► destroyed ─► the erasure is answered
//! ```
//!
//! # Always true
//! - Which keys live is the engine's state and nobody else's. At start every slot is brought to the name that
//!   [`Engine::key_names`](crate::engine::Engine::key_names) says it has: one of another generation is overwritten.
//!   Slots beyond those have never been used: generation 0.
//! - A key is destroyed only once the fact that says so is durable.
//! - Sealing is deterministic: the same details of the same order under the same key are the same bytes, so that a
//!   repeat can be told from a conflict.
//! # Why so
//! A shard never waits for the file of keys. Keys are there before they are needed, and overwriting one is somebody
//! else's work.

use std::task::Waker;

use crate::base::{KeyName, OrderId};

/// Keeps the keys of one shard. Called by the shard's thread alone.
pub trait Sealer: Send {
    /// Appends the sealed details to `out`:
    /// [`SEAL_BYTES`](crate::base::limits::SEAL_BYTES) longer than they are. `false`, and nothing appended, when the
    /// slot holds no key of this generation: not made yet, or lost.
    fn seal(&mut self, key: KeyName, order: OrderId, details: &[u8], out: &mut Vec<u8>) -> bool;

    /// Appends the details. `false`, and nothing appended, when the key is gone or these bytes are not what was sealed
    /// for this order under it.
    fn open(&mut self, key: KeyName, order: OrderId, sealed: &[u8], out: &mut Vec<u8>) -> bool;

    /// The key is dead: from here on neither sealed under nor opened with, and to be overwritten with that of the next
    /// generation. Never waits. The slot can be sealed under again, with the next generation, once that is durable.
    fn destroy(&mut self, key: KeyName);

    /// How many of the keys handed to [`Sealer::destroy`] are overwritten on the disk, counted in the order they were
    /// handed over: the first so many are.
    fn destroyed(&self) -> u64;

    /// Whom to wake whenever [`Sealer::destroyed`] has come to say more. Called once, before anything else.
    fn watch(&mut self, waker: Waker);
}
