//! One file, one idea: no Rust file is longer than a reader takes in at a sitting.

use crate::finding::Finding;
use crate::tree::Tree;

const LINES_MAX: usize = 500;

/// Files that may be longer, and why that is better than two files.
const LONGER: [(&str, &str); 0] = [];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    check_with(tree, &LONGER)
}

fn check_with(tree: &Tree, longer: &[(&str, &str)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        let lines = source.lines.len();
        let excused = longer.iter().any(|(file, _)| *file == path);
        if lines > LINES_MAX && !excused {
            let instead = format!("find the second idea in it and give it a file; the bound is {LINES_MAX}");
            findings.push(Finding::new(path, lines, format!("{lines} lines"), instead));
        }
        if lines <= LINES_MAX && excused {
            findings.push(Finding::new(path, 0, "needs its exception no more", "remove it from tests/tidy/sizes.rs"));
        }
    }
    findings
}

#[test]
fn a_file_that_is_too_long_is_found_unless_it_is_excused() {
    let (long, short) = ("\n".repeat(501), "\n".repeat(500));
    let tree = Tree::of(&[("src/a.rs", &long), ("src/b.rs", &short), ("src/c.rs", &long)]);
    let said: Vec<_> =
        check_with(&tree, &[("src/b.rs", ""), ("src/c.rs", "")]).iter().map(ToString::to_string).collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(said[0].starts_with("src/a.rs:501: 501 lines;"), "{said:?}");
    assert!(said[1].starts_with("src/b.rs:0: needs its exception no more;"), "{said:?}");
}
