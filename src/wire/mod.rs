//! Frozen shapes: the bytes that leave the process and the bytes that stay on the disk. The only user of rkyv.
//!
//! ```text
//! client                                    server                             log
//! FrameWriter ── request frame ──► FrameDecoder ─► Batch ─► shard ─► encode_fact ─► entry ─► FactReader
//! decode_replies ◄── reply frame ── ReplyWriter ◄───────── shard
//! ```
//!
//! # Always true
//! - A shape that was ever released never changes; a new version is a new struct beside the old one.
//! - Nothing is trusted: whatever the bytes, the outcome is a value or an error, never a panic.
//! - No pointers, no strings, no maps inside a fixed struct; what varies lies behind it, by lengths we define.
//! # Not here
//! - Whether a request makes sense: `engine`. Sockets and streams: `server`, `client`. Checksums: `wal`.
//!
//! `docs/WIRE-PROTOCOL.md` and `docs/LOG-FORMAT.md` draw every byte.

mod layout;

mod frame;
mod hold;
mod payment;
mod policy;
mod record_error;
mod refused;
mod refused_numbers;
mod returns;
mod task;
mod velocity;
mod whose;

mod account;
mod batch;
mod request;
mod request_decode;
mod request_encode;
mod request_records;

mod reply;
mod reply_decode;
mod reply_decode_queries;
mod reply_encode;
mod reply_records;
mod reply_rows;

mod status;
mod status_decode;
mod status_encode;

mod edit;
mod effects;
mod fact_decode;
mod fact_encode;
mod fact_records;

pub use batch::Batch;
pub use fact_decode::{FactReader, FactScratch};
pub use fact_encode::encode_fact;
pub use frame::{
    CloseCode, FrameError, PROTOCOL_VERSION, REPLY_HEADER_BYTES, REQUEST_HEADER_BYTES, ReplyFrameKind, ReplyHeader,
    RequestHeader,
};
pub use layout::RECORD_VERSION;
pub use payment::{MONEY_BYTES, PAYMENT_BYTES};
pub use record_error::RecordError;
pub use refused::{Part, Refused};
pub use reply::{BooksAt, Grants, Reply, SkuRow};
pub use reply_decode::{decode_hello, decode_replies};
pub use reply_encode::ReplyWriter;
pub use request::{FrameDecoder, FrameWriter, Intake, Pause, Request, RequestSink, Tag};
pub use request_encode::PushError;
pub use returns::{RETURN_BYTES, ROW_BYTES};
pub use status::{DurabilityMode, Hello, STAGES, ServerVersion, Stage, Status, Summary, SyncMethodCode};
pub use status_encode::encode_hello;

#[cfg(test)]
mod tests;
