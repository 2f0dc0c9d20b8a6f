//! Gaps: streams whose first byte never comes, and of the rest every other byte alone, so that the server can read
//! nothing and has to keep each in a place of its own. How that is brought about: `forge`.

use std::rc::Rc;

use stockade::base::limits::STREAMS_MAX;

use super::forge::STREAM_BYTES_WANTED;
use super::front::Front;
use crate::arguments::ChildAttack;

pub(super) async fn attack(front: &Rc<Front>, options: &ChildAttack) {
    let bytes = vec![0; STREAM_BYTES_WANTED];
    let within = Rc::clone(front);
    let act = async move |_: usize, connection: &quinn::Connection| {
        let mut held = Vec::new();
        for _ in 0..STREAMS_MAX {
            let Ok((mut send, receive)) = connection.open_bi().await else { return };
            within.count_stream();
            if send.write_all(&bytes).await.is_err() {
                return;
            }
            within.count_sent(bytes.len());
            held.push((send, receive));
        }
        let _over = connection.closed().await;
    };
    front.crowd(options.count, act).await;
}
