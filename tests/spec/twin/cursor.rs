//! How far each sink has got: everything that was ever said of it, and the answer worked out from that.

use stockade::base::Sequence;
use stockade::base::limits::CURSORS_MAX;
use stockade::engine::{Answer, Cursor, Refusal};

use super::{Twin, check_code};

/// What was said of a sink and changed something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Took(Sequence),
    Detached,
}

/// What was said of one sink, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Story(Vec<Said>);

impl Story {
    fn cursor(&self) -> Cursor {
        let took = self.0.iter().filter_map(|said| match said {
            Said::Took(upto) => Some(*upto),
            Said::Detached => None,
        });
        let upto = took.max().expect("a sink is known because it took something");
        Cursor { upto, attached: self.0.last() != Some(&Said::Detached) }
    }
}

impl Twin {
    pub(super) fn move_cursor(&mut self, sink: &str, upto: Sequence) -> Result<Answer, Refusal> {
        check_code(sink)?;
        let before = self.sinks.get(sink).map(Story::cursor);
        if before.is_none() && self.sinks.len() == CURSORS_MAX {
            return Err(Refusal::AtCapacity);
        }
        let story = self.sinks.entry(sink.to_owned()).or_default();
        story.0.push(Said::Took(upto));
        Ok(Answer::Set { repeated: before == Some(story.cursor()) })
    }

    pub(super) fn detach_cursor(&mut self, sink: &str, upto: Sequence) -> Result<Answer, Refusal> {
        check_code(sink)?;
        let Some(story) = self.sinks.get_mut(sink) else { return Ok(Answer::Set { repeated: true }) };
        let before = story.cursor();
        if before.upto <= upto {
            story.0.push(Said::Detached);
        }
        Ok(Answer::Set { repeated: before == story.cursor() })
    }

    /// Every cursor, in order of the names.
    pub(crate) fn cursors(&self) -> Vec<(&str, Cursor)> {
        self.sinks.iter().map(|(sink, story)| (sink.as_str(), story.cursor())).collect()
    }
}
