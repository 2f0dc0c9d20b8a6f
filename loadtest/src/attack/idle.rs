//! Idle: connections that say nothing but that they are there.

use std::rc::Rc;

use super::front::Front;
use crate::arguments::ChildAttack;

pub(super) async fn attack(front: &Rc<Front>, options: &ChildAttack) {
    front.crowd(options.count, async |_, _| {}).await;
}
