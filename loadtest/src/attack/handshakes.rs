//! Handshakes: so many new connections a second, each closed as soon as it stands.

use std::rc::Rc;
use std::time::{Duration, Instant};

use quinn::VarInt;
use tokio::task::JoinSet;

use super::front::Front;
use crate::arguments::ChildAttack;

const TICK: Duration = Duration::from_millis(5);
/// Attempts that may be behind; a server that answers none is not asked for ever more.
const UNDER_WAY_MAX: usize = 2_000;

pub(super) async fn attack(front: &Rc<Front>, options: &ChildAttack) {
    let (begin, mut begun) = (Instant::now(), 0);
    let mut ticks = tokio::time::interval(TICK);
    let mut under_way = JoinSet::new();
    loop {
        ticks.tick().await;
        while under_way.try_join_next().is_some() {}
        let due = begin.elapsed().as_secs_f64() * f64::from(options.per_second);
        while f64::from(begun) < due {
            begun += 1;
            if under_way.len() < UNDER_WAY_MAX {
                let front = Rc::clone(front);
                under_way.spawn_local(async move {
                    if let Some(connection) = front.connect().await {
                        connection.close(VarInt::from_u32(0), b"");
                    }
                });
            }
        }
    }
}
