//! A stream of whole frames, many in flight, without a queue or a copy in between. For load generators and importers
//! that build their frames themselves.
//!
//! # Always true
//! - One `send_all` is one write however many frames it carries, and one `recv` hands out every whole frame that has
//!   arrived. Coalescing, not framing, decides how many orders a core can carry.
//! # Not here
//! - Matching replies with requests, resending, deadlines: whoever drives the stream does that; `Client::submit` does
//!   it for everybody else.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use quinn::{ReadError, RecvStream, SendStream, WriteError};

use super::ClientError;
use super::clock::ServerClock;
use super::connect::lost;
use crate::base::limits::{FRAME_BYTES_MAX, READ_BUFFER_BYTES_MAX};
use crate::wire::ReplyHeader;

const FIRST_BYTES: usize = 64 * 1_024;
const _: () = assert!(FIRST_BYTES < READ_BUFFER_BYTES_MAX && READ_BUFFER_BYTES_MAX > FRAME_BYTES_MAX);

/// Both halves of a stream.
#[derive(Debug)]
pub struct FrameStream {
    sender: FrameSender,
    receiver: FrameReceiver,
}

impl FrameStream {
    pub(super) fn new(send: SendStream, receive: RecvStream, address: SocketAddr, clock: Arc<ServerClock>) -> Self {
        let sender = FrameSender { stream: send, address };
        let receiver =
            FrameReceiver { stream: receive, address, clock, buffer: Vec::new(), start: 0, whole: 0, end: 0 };
        Self { sender, receiver }
    }

    /// Both halves, to be driven by two tasks.
    #[must_use]
    pub fn split(self) -> (FrameSender, FrameReceiver) {
        (self.sender, self.receiver)
    }

    /// See [`FrameSender::send`].
    ///
    /// # Errors
    /// As there.
    pub async fn send(&mut self, frame: Bytes) -> Result<(), ClientError> {
        self.sender.send(frame).await
    }

    /// See [`FrameReceiver::recv`].
    ///
    /// # Errors
    /// As there.
    pub async fn recv(&mut self) -> Result<Option<&[u8]>, ClientError> {
        self.receiver.recv().await
    }

    /// See [`FrameSender::finish`].
    pub fn finish(&mut self) {
        self.sender.finish();
    }
}

/// The half that sends.
#[derive(Debug)]
pub struct FrameSender {
    stream: SendStream,
    address: SocketAddr,
}

impl FrameSender {
    /// Sends one frame. Returns when quinn has taken it, which is not yet when the server has.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn send(&mut self, frame: Bytes) -> Result<(), ClientError> {
        self.send_all(&mut [frame]).await
    }

    /// Sends frames, each of them whole or a part in order, as one write. They are left empty.
    ///
    /// # Errors
    /// The connection ended.
    pub async fn send_all(&mut self, frames: &mut [Bytes]) -> Result<(), ClientError> {
        let address = self.address;
        self.stream.write_all_chunks(frames).await.map_err(|error| write_fault(address, &error))
    }

    /// Says that nothing more will be sent: the server answers what is open and ends the stream.
    pub fn finish(&mut self) {
        // A stream that has ended already has nothing left to finish.
        let _ended = self.stream.finish();
    }
}

/// The half that receives.
#[derive(Debug)]
pub struct FrameReceiver {
    stream: RecvStream,
    address: SocketAddr,
    clock: Arc<ServerClock>,
    /// `start..whole` was handed out last, `whole..end` is the beginning of a frame, the rest is room.
    buffer: Vec<u8>,
    start: usize,
    whole: usize,
    end: usize,
}

impl FrameReceiver {
    /// Waits for the next whole frame and hands out it and every other that is there, one behind the other
    /// ([`frames`] takes them apart). `None`: the server has answered everything and ended the stream.
    ///
    /// May be cancelled and called again without losing a byte.
    ///
    /// # Errors
    /// The connection ended, or the bytes are no reply frames.
    pub async fn recv(&mut self) -> Result<Option<&[u8]>, ClientError> {
        self.start = self.whole;
        loop {
            if self.measure()? {
                return Ok(Some(&self.buffer[self.start..self.whole]));
            }
            self.make_room();
            let read = self.stream.read(&mut self.buffer[self.end..]).await;
            match read.map_err(|error| read_fault(self.address, &error))? {
                Some(bytes) => self.end += bytes,
                None if self.start == self.end => return Ok(None),
                None => return Err(self.protocol("a stream that ends inside a frame".into())),
            }
        }
    }

    /// Moves `whole` past every whole frame; whether there is one.
    fn measure(&mut self) -> Result<bool, ClientError> {
        let mut newest = None;
        while let Some(header) =
            ReplyHeader::parse(&self.buffer[self.whole..self.end]).map_err(|error| self.protocol(error.to_string()))?
        {
            if self.end - self.whole < header.length {
                break;
            }
            self.whole += header.length;
            newest = newest.max(Some(header.log_time));
        }
        if let Some(log_time) = newest {
            self.clock.handle_log_time(log_time);
        }
        Ok(self.whole > self.start)
    }

    /// Moves the beginning of a frame to the front; grows when that was not enough or the last read filled everything.
    fn make_room(&mut self) {
        let full = self.end == self.buffer.len();
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            self.whole = 0;
        }
        if full && self.buffer.len() < READ_BUFFER_BYTES_MAX {
            let bytes = (self.buffer.len() * 2).clamp(FIRST_BYTES, READ_BUFFER_BYTES_MAX);
            self.buffer.resize(bytes, 0);
        }
    }

    fn protocol(&self, reason: String) -> ClientError {
        ClientError::Protocol { address: self.address, reason }
    }
}

/// Takes apart what [`FrameReceiver::recv`] handed out.
pub fn frames(whole: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = whole;
    std::iter::from_fn(move || {
        let header = ReplyHeader::parse(rest).ok().flatten()?;
        let (frame, behind) = rest.split_at_checked(header.length)?;
        rest = behind;
        Some(frame)
    })
}

fn write_fault(address: SocketAddr, error: &WriteError) -> ClientError {
    match error {
        WriteError::ConnectionLost(error) => lost(address, error),
        other => ClientError::Lost { address, reason: other.to_string() },
    }
}

fn read_fault(address: SocketAddr, error: &ReadError) -> ClientError {
    match error {
        ReadError::ConnectionLost(error) => lost(address, error),
        other => ClientError::Lost { address, reason: other.to_string() },
    }
}
