//! What a command says: text for people, or one JSON document, on standard output and nowhere else.
//!
//! # Why so
//! `println!` panics when nobody reads (`stockade order list | head`). Somebody who stopped reading has seen enough:
//! the rest is dropped.

use std::fmt::Display;
use std::io::{self, Write};

use serde::Serialize;

/// How the outcome is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Shows an outcome.
pub(super) fn show<T: Display + Serialize>(form: Form, report: &T) {
    match form {
        Form::Text => say(&report.to_string()),
        Form::Json => {
            let text = serde_json::to_string_pretty(report).expect("law: reports are plain data with text keys");
            say(&text);
        }
    }
}

/// Writes text, ended by a line feed.
pub(super) fn say(text: &str) {
    let mut out = io::stdout().lock();
    let line_feed = if text.ends_with('\n') { "" } else { "\n" };
    // See the letter: whoever closed the pipe wants no more.
    let _unread = out.write_all(text.as_bytes()).and_then(|()| out.write_all(line_feed.as_bytes()));
    let _unread = out.flush();
}

/// Writes a remark for people that is no part of the outcome.
pub(super) fn remark(text: &str) {
    let _unread = writeln!(io::stderr().lock(), "{text}");
}
