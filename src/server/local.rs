//! What a session answers without a shard, and the reply frames that say so.
//!
//! # Always true
//! - However many status requests are answered together, the status is asked for once: it adds up histograms of the
//!   whole node, and the task that does so keeps every other connection waiting.

use super::admission::{MARKET_BYTES, REFUSED_BYTES, STATUS_BYTES};
use crate::base::Timestamp;
use crate::engine::Answer;
use crate::wire::{Refused, ReplyWriter, Status, Tag};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Local {
    Refused(Refused),
    /// What the creation of a market answers.
    Answered(Answer),
    /// Units for sale, as the board has them, and what was counted for it.
    Availability {
        units: Vec<u64>,
        answer_bytes: usize,
    },
    Status,
}

impl Local {
    /// What was counted for it before it was made, and is owed until it is written.
    pub(super) const fn answer_bytes(&self) -> usize {
        match self {
            Self::Refused(_) => REFUSED_BYTES,
            Self::Answered(_) => MARKET_BYTES,
            Self::Availability { answer_bytes, .. } => *answer_bytes,
            Self::Status => STATUS_BYTES,
        }
    }
}

/// The reply frames; `status` is called once at most.
pub(super) fn encode_local(local: &[(Tag, Local)], now: Timestamp, status: impl Fn() -> Status) -> Vec<u8> {
    let mut known = None;
    // Put where they will stay: what grows by doubling takes twice what was counted for it.
    let answer_bytes = local.iter().map(|(_, local)| local.answer_bytes()).sum();
    let mut writer = ReplyWriter::new(Vec::with_capacity(answer_bytes));
    writer.begin(now);
    for (tag, answer) in local {
        match answer {
            Local::Refused(why) => writer.refuse(*tag, why),
            Local::Answered(answer) => writer.answer(*tag, answer, &[]),
            Local::Availability { units, .. } => writer.availability(*tag, units),
            Local::Status => writer.status(*tag, known.get_or_insert_with(&status)),
        }
    }
    writer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Reply, decode_replies};
    use std::cell::Cell;

    #[test]
    fn long_lists_take_no_more_than_was_counted_for_them() {
        let counted = 128 + 8 * 10_000;
        let list = (Tag::default(), Local::Availability { units: vec![7; 10_000], answer_bytes: counted });
        let frames = encode_local(&[list.clone(), list.clone(), list], Timestamp::ZERO, Status::default);
        assert!(frames.len() > 3 * 80_000 && frames.capacity() <= 3 * counted, "{}", frames.capacity());
    }

    #[test]
    fn many_status_requests_of_one_turn_cost_one_look_at_the_node() {
        let looks = Cell::new(0);
        let status = || {
            looks.set(looks.get() + 1);
            Status { orders: 17, ..Status::default() }
        };
        let tag = |index| Tag { index, ..Tag::default() };
        let refused = (tag(0), Local::Refused(Refused::ShuttingDown));
        assert!(!encode_local(std::slice::from_ref(&refused), Timestamp::ZERO, status).is_empty());
        assert_eq!(looks.get(), 0, "nobody asked");
        let mut local = vec![refused];
        local.extend((1..=200).map(|index| (tag(index), Local::Status)));
        let frame = encode_local(&local, Timestamp::ZERO, status);
        let mut answered = 0;
        decode_replies(&frame, |_, _, reply| {
            answered += u32::from(matches!(reply, Reply::Status(status) if status.orders == 17));
        })
        .expect("sound");
        assert_eq!((answered, looks.get()), (200, 1));
    }
}
