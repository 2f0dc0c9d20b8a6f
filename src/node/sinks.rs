//! Sinks of a node that has just been recovered: each has a cursor in every shard before anything happens that it is to
//! be told.
//!
//! # Always true
//! - A sink that is new begins with what happens from now on; one that was known, where it had got.
//! - A cursor that was detached is attached again: what is left of the log is kept from now on.

use std::collections::BTreeSet;

use super::NodeFault;
use super::appender::Appender;
use crate::base::limits::CURSORS_MAX;
use crate::base::{Sequence, ShardId};
use crate::engine::{Command, Engine};

/// Attaches the cursors of a sink and says where they stand, by shard.
///
/// # Errors
/// [`NodeFault::Sinks`] when a shard remembers as many others as it may.
pub(super) fn attach(appender: &mut Appender<'_>, sink: &str) -> Result<Vec<Sequence>, NodeFault> {
    if appender.engines.iter().any(|engine| cursor(engine, sink).is_none() && engine.cursors().count() >= CURSORS_MAX) {
        return Err(NodeFault::Sinks { sink: sink.to_owned(), max: CURSORS_MAX });
    }
    let shards = (0..appender.engines.len()).map(|shard| {
        let upto = cursor(&appender.engines[shard], sink).unwrap_or(appender.last[shard]);
        appender.submit(ShardId(shard as u16), &Command::MoveCursor { sink, upto });
        upto
    });
    Ok(shards.collect())
}

/// Whom the log is kept for although nobody tells them anything.
pub(super) fn unattended<'e>(engines: &'e [Engine], configured: Option<&str>) -> BTreeSet<&'e str> {
    let cursors = engines.iter().flat_map(Engine::cursors);
    let held = cursors.filter(|(sink, cursor)| cursor.attached && Some(*sink) != configured);
    held.map(|(sink, _)| sink).collect()
}

fn cursor(engine: &Engine, sink: &str) -> Option<Sequence> {
    engine.cursors().find(|(known, _)| *known == sink).map(|(_, cursor)| cursor.upto)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Timestamp;
    use crate::engine::{Capacity, Scratch};

    #[test]
    fn the_log_is_kept_for_whoever_is_attached_and_not_configured() {
        let engine = |shard, commands: &[Command<'_>]| {
            let mut engine = Engine::new(ShardId(shard), 2, Capacity::UNBOUNDED);
            for command in commands {
                let _done =
                    engine.submit(command, Timestamp::ZERO, &mut Scratch::default(), &mut |_| {}).expect("done");
            }
            engine
        };
        let held = |sink| Command::MoveCursor { sink, upto: Sequence(1) };
        let let_go = Command::DetachCursor { sink: "mail", upto: Sequence(1) };
        let engines = [engine(0, &[held("erp"), held("mail"), let_go]), engine(1, &[held("erp"), held("books")])];
        let told = |configured| unattended(&engines, configured).into_iter().collect::<Vec<_>>();
        assert_eq!((told(None), told(Some("erp"))), (vec!["books", "erp"], vec!["books"]));
    }
}
