//! Sinks of a node that has just been recovered: each has a cursor in every shard before anything happens that it is to
//! be told.
//!
//! # Always true
//! - A sink that is new begins with what happens from now on; one that was known, where it had got.
//! - A cursor that was detached is attached again: what is left of the log is kept from now on.

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

fn cursor(engine: &Engine, sink: &str) -> Option<Sequence> {
    engine.cursors().find(|(known, _)| *known == sink).map(|(_, cursor)| cursor.upto)
}
