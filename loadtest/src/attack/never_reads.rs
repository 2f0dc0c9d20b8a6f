//! Never reads: asks for large answers as fast as it may and takes none of them.

use std::rc::Rc;

use bytes::Bytes;
use stockade::base::limits::AVAILABILITY_SKUS_MAX;
use stockade::base::{MarketId, SkuId};
use stockade::engine::Query;
use stockade::wire::FrameWriter;

use super::front::{Front, sound_frame};
use crate::arguments::ChildAttack;

/// Questions of one frame; each is answered with twice its own bytes.
const QUESTIONS: usize = 20;

pub(super) async fn attack(front: &Rc<Front>, options: &ChildAttack) {
    let (sound, large) = (Bytes::from(sound_frame()), large_frame(options));
    let within = Rc::clone(front);
    let act = async move |_: usize, connection: &quinn::Connection| {
        let Ok((mut send, _never_read)) = connection.open_bi().await else { return };
        within.count_stream();
        let mut frame = sound.clone();
        // Ends when the server does: writing waits for it to read, and it waits for us.
        while send.write_chunk(frame.clone()).await.is_ok() {
            within.count_sent(frame.len());
            frame = large.clone();
        }
    };
    front.crowd(options.count, act).await;
}

fn large_frame(options: &ChildAttack) -> Bytes {
    let market = MarketId::new(options.market).unwrap_or_default();
    let skus = vec![SkuId(options.sku); AVAILABILITY_SKUS_MAX];
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    for _ in 0..QUESTIONS {
        let pushed = writer.push_query(&Query::Availability { market, skus: &skus });
        pushed.expect("law: twenty questions of 40 KB fit a frame of 1 MiB");
    }
    Bytes::from(writer.into_frame())
}
