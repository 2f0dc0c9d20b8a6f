//! Frozen shapes.
pub mod frame;
mod layout;
mod request_records;
mod refused;
mod request_encode;
mod request_decode;
mod request;
mod batch;
pub use batch::Batch;
pub use frame::{CloseCode, FrameError, ReplyFrameKind, ReplyHeader, RequestHeader};
pub use layout::RECORD_VERSION;
pub use refused::{Part, Refused};
pub use request::{FrameDecoder, FrameWriter, Request, RequestSink, Tag};
pub use request_encode::PushError;
