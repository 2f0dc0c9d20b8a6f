//! Half frames: a header that promises, some of what it promises, then silence; on new streams again and again.
//!
//! ```text
//! even ones   before any sound frame: 32 KiB promised, half of it sent; held until the server has had enough
//! odd ones    after one: 1 MiB promised, 16 KiB sent; given up a little later, and another one begun
//! ```

use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use stockade::base::limits::{FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX, STREAMS_MAX};

use super::front::{Front, sound_frame};
use crate::arguments::ChildAttack;

/// Between two streams of one connection.
const EVERY: Duration = Duration::from_millis(50);
/// What is sent of a frame.
const SENT_BYTES: usize = FIRST_FRAME_BYTES_MAX / 2;
/// Streams a restless attacker holds before it gives the oldest one up.
const HELD_MAX: usize = STREAMS_MAX as usize - 1;

pub(super) async fn attack(front: &Rc<Front>, options: &ChildAttack) {
    let (patient, restless) = (beginning(FIRST_FRAME_BYTES_MAX), beginning(FRAME_BYTES_MAX));
    let sound = Bytes::from(sound_frame());
    let within = Rc::clone(front);
    let act = async move |at: usize, connection: &quinn::Connection| {
        let is_restless = !at.is_multiple_of(2);
        let frame = if is_restless { &restless } else { &patient };
        let mut held = VecDeque::new();
        for turn in 0_u64.. {
            let Ok((mut send, receive)) = connection.open_bi().await else { return };
            within.count_stream();
            let first = if is_restless && turn == 0 { &sound } else { frame };
            // What a window does not let through is not waited for.
            let writing = tokio::time::timeout(EVERY, send.write_chunk(first.clone()));
            if let Ok(Ok(())) = writing.await {
                within.count_sent(first.len());
            }
            held.push_back((send, receive));
            if is_restless && held.len() > HELD_MAX {
                held.pop_front();
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    front.crowd(options.count, act).await;
}

/// The beginning of a frame that says it is so long.
fn beginning(frame_bytes: usize) -> Bytes {
    let mut frame = sound_frame();
    let length = u32::try_from(frame_bytes).expect("law: a frame's length fits 32 bits");
    frame[..size_of::<u32>()].copy_from_slice(&length.to_le_bytes());
    frame.resize(SENT_BYTES, 0);
    Bytes::from(frame)
}
