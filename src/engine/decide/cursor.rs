//! How far a sink has got.

use super::super::Engine;
use super::super::answer::Answer;
use super::super::catalog::check_code;
use super::super::cursor::Cursor;
use super::super::fact::Fact;
use super::super::refusal::Refusal;
use super::{Decision, Outcome};
use crate::base::Sequence;

impl Engine {
    pub(super) fn move_cursor<'s>(&self, sink: &'s str, upto: Sequence) -> Outcome<'s> {
        check_code(sink)?;
        let known = self.cursors.get(sink);
        if known.is_none() && self.cursors.is_full() {
            return Err(Refusal::AtCapacity);
        }
        let upto = known.map_or(upto, |cursor| cursor.upto.max(upto));
        Ok(moved(sink, known, Cursor { upto, attached: true }))
    }

    /// A cursor that has moved on since is in use.
    pub(super) fn detach_cursor<'s>(&self, sink: &'s str, upto: Sequence) -> Outcome<'s> {
        check_code(sink)?;
        match self.cursors.get(sink) {
            Some(known) if known.upto <= upto => Ok(moved(sink, Some(known), Cursor { attached: false, ..known })),
            Some(_) | None => Ok(Decision::Repeated(Answer::Set { repeated: true })),
        }
    }
}

fn moved<'s>(sink: &'s str, known: Option<Cursor>, Cursor { upto, attached }: Cursor) -> Decision<'s> {
    if known == Some(Cursor { upto, attached }) {
        return Decision::Repeated(Answer::Set { repeated: true });
    }
    let fact = Fact::CursorMoved { sink, upto, attached };
    Decision::Happened { fact, answer: Answer::Set { repeated: false } }
}
