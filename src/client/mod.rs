//! The library other programs use: connections kept alive, requests batched and resent, identifiers made from the
//! server's log time.
//!
//! ```text
//! submit ─┐                        ┌─ frame ─► server
//! submit ─┼─► pending ─ one frame ─┤            │
//! submit ─┘   (while one is        └─◄ replies ─┘
//!              in flight, the next gathers)
//! open_stream ─► whole frames, many in flight, matched by the caller
//! ```
//!
//! # Always true
//! - A request is sent again only under the identifier it had, so whatever it asks for happens at most once.
//! - Every reply belongs to a request that is open; anything else ends the connection.
//! # Not here
//! - Deciding what to ask.

mod fault;
mod options;
mod response;

mod lane;
mod pool;

mod batcher;
mod retry;

mod clock;
mod connect;
mod connection;
mod stream;

pub use fault::ClientError;
pub use options::{ClientIdentity, ClientOptions, PemSource};
pub use pool::Client;
pub use response::{QueryReply, Response};
pub use stream::{FrameReceiver, FrameSender, FrameStream, frames};
