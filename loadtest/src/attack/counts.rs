//! What attackers did, and what was done to them.

use std::collections::BTreeMap;

use quinn::ConnectionError;
use serde::{Deserialize, Serialize};
use stockade::wire::CloseCode;

/// Of one kind of attackers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Connections whose handshake was completed.
    pub(crate) opened: u64,
    /// Turned away before that.
    pub(crate) refused: u64,
    /// Whose handshake failed otherwise, mostly by taking too long.
    pub(crate) failed: u64,
    /// Streams opened.
    pub(crate) streams: u64,
    /// Bytes written to them.
    pub(crate) sent_bytes: u64,
    /// Connections that ended before the attackers ended them, by why.
    pub(crate) ended: BTreeMap<String, u64>,
}

impl Counts {
    /// A handshake did not come to its end.
    pub(super) fn count_unmet(&mut self, error: &ConnectionError) {
        match error {
            ConnectionError::ConnectionClosed(_) => self.refused += 1,
            _ => self.failed += 1,
        }
    }

    /// A connection ended, not by us.
    pub(super) fn count_ended(&mut self, error: &ConnectionError) {
        *self.ended.entry(words(error)).or_default() += 1;
    }
}

/// The codes a server closes connections with that break its rules, or that it has no room for.
const CODES: [CloseCode; 17] = [
    CloseCode::Done,
    CloseCode::FrameTooLong,
    CloseCode::FrameTooShort,
    CloseCode::UnknownVersion,
    CloseCode::UnknownFrameKind,
    CloseCode::RecordLength,
    CloseCode::RecordCount,
    CloseCode::TooManyCommands,
    CloseCode::Reserved,
    CloseCode::FrameTimeout,
    CloseCode::ShuttingDown,
    CloseCode::TooManyConnections,
    CloseCode::UnreadableReply,
    CloseCode::UnexpectedStream,
    CloseCode::Internal,
    CloseCode::ReplyTimeout,
    CloseCode::TooManyGaps,
];

/// Why a connection ended: a code by name, or what QUIC says.
fn words(error: &ConnectionError) -> String {
    match error {
        ConnectionError::ApplicationClosed(close) => {
            let number = close.error_code.into_inner();
            let code = CODES.iter().find(|code| u64::from(code.number()) == number);
            code.map_or_else(|| format!("code {number}"), |code| format!("code {number}, {code:?}"))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use quinn::{ApplicationClose, VarInt};

    use super::*;

    #[test]
    fn what_ended_a_connection_is_counted_by_its_name() {
        let closed = |code: u32| {
            ConnectionError::ApplicationClosed(ApplicationClose {
                error_code: VarInt::from_u32(code),
                reason: Bytes::new(),
            })
        };
        let mut counts = Counts::default();
        for error in [closed(15), closed(15), closed(99), ConnectionError::TimedOut] {
            counts.count_ended(&error);
        }
        let ended: Vec<_> = counts.ended.iter().map(|(why, count)| (why.as_str(), *count)).collect();
        assert_eq!(ended, [("code 15, ReplyTimeout", 2), ("code 99", 1), ("timed out", 1)]);
        assert!(CODES.iter().zip(0..).all(|(code, number)| code.number() == number), "none is left out");
    }
}
