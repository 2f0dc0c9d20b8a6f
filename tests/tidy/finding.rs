//! A finding: one place where a rule is broken, and what to do instead.

use std::fmt;

use crate::tree::Tree;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) path: String,
    /// Counted from 1; 0 when the whole file is meant.
    pub(crate) line: usize,
    pub(crate) what: String,
    pub(crate) instead: String,
}

impl Finding {
    pub(crate) fn new(path: &str, line: usize, what: impl Into<String>, instead: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, what: what.into(), instead: instead.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}; {}", self.path, self.line, self.what, self.instead)
    }
}

/// What a rule says about made-up files: `path:line what`, without the advice.
#[track_caller]
pub(crate) fn expect(rule: fn(&Tree) -> Vec<Finding>, files: &[(&str, &str)], expected: &[&str]) {
    let found: Vec<_> = rule(&Tree::of(files))
        .iter()
        .map(|finding| format!("{}:{} {}", finding.path, finding.line, finding.what))
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn a_finding_names_the_place_the_fault_and_the_remedy() {
    let finding = Finding::new("src/base/ids.rs", 7, "a float", "count in minor units");
    assert_eq!(finding.to_string(), "src/base/ids.rs:7: a float; count in minor units");
}
