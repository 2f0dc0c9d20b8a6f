//! Files are named after what a reader looks for, and the top level is fixed.

use crate::finding::Finding;
use crate::tree::Tree;

const NAMELESS: [&str; 9] = ["utils", "util", "helpers", "helper", "common", "impls", "manager", "misc", "stuff"];

const TOP: [&str; 13] = [
    "Cargo.toml",
    "README.md",
    "LICENSE-MIT",
    "LICENSE-APACHE",
    "deny.toml",
    "rust-toolchain.toml",
    "src",
    "benches",
    "loadtest",
    "tests",
    "docs",
    "Cargo.lock",
    "CHANGELOG.md",
];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, _) in tree.texts() {
        let top = path.split('/').next().unwrap_or_default();
        if !TOP.contains(&top) && !top.starts_with('.') {
            findings.push(Finding::new(
                path,
                0,
                format!("{top} is new at the top level"),
                "put it into one of the folders there",
            ));
        }
        let stems = path.split('/').map(|part| part.split('.').next().unwrap_or_default());
        for stem in stems.filter(|stem| NAMELESS.contains(stem)) {
            findings.push(Finding::new(
                path,
                0,
                format!("{stem} says nothing"),
                "name it after what a reader looks for",
            ));
        }
    }
    findings
}

#[test]
fn a_name_that_says_nothing_and_a_new_top_level_are_found() {
    let files = [("src/wal/utils.rs", ""), ("src/helpers/a.rs", ""), ("scripts/a.py", ""), ("src/base/ids.rs", "")];
    let expected = [
        "scripts/a.py:0 scripts is new at the top level",
        "src/helpers/a.rs:0 helpers says nothing",
        "src/wal/utils.rs:0 utils says nothing",
    ];
    crate::finding::expect(check, &files, &expected);
}
