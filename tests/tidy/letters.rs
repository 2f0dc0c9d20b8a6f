//! Every module opens with a letter to its reader.

use crate::finding::Finding;
use crate::tree::Tree;

/// A first line shorter than this says nothing the file's name does not say.
const LETTER_CHARS_MIN: usize = 20;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, _) in tree.sources() {
        let first = tree.text(path).and_then(|text| text.lines().next()).unwrap_or_default();
        let letter = first.strip_prefix("//! ").unwrap_or_default();
        if letter.chars().count() < LETTER_CHARS_MIN {
            let instead = "begin with `//!`: what it is for, what is always true, what is not here, why so";
            findings.push(Finding::new(path, 1, "no letter to the reader", instead));
        }
    }
    findings
}

#[test]
fn a_module_without_a_letter_is_found() {
    let expected = ["benches/b.rs:1 no letter to the reader", "src/c.rs:1 no letter to the reader"];
    let files = [
        ("src/a.rs", "//! Reservations: units set aside for one order.\n"),
        ("benches/b.rs", "use std::io;\n\n//! Reservations: units set aside for one order.\n"),
        ("src/c.rs", "//! The module c.\n"),
    ];
    crate::finding::expect(check, &files, &expected);
}
