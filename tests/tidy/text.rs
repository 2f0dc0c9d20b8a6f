//! Lines as an editor shows them: at most 120 wide, no white space at the end, no tabs, one newline at the end.

use crate::finding::Finding;
use crate::tree::Tree;

const WIDTH_MAX: usize = 120;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for (line, number) in text.split('\n').zip(1..) {
            let mut found = |what: &str, instead: &str| findings.push(Finding::new(path, number, what, instead));
            if line.ends_with([' ', '\t', '\r']) {
                found("white space at the end", "remove it");
            }
            if line.trim_end().contains('\t') {
                found("a tab", "spaces");
            }
            if line.chars().count() > WIDTH_MAX && !may_be_wide(path, line) {
                found(&format!("{} columns wide", line.chars().count()), "break it; the bound is 120");
            }
        }
        if !text.is_empty() && (!text.ends_with('\n') || text.ends_with("\n\n")) {
            findings.push(Finding::new(
                path,
                text.lines().count(),
                "does not end in one newline",
                "end it with exactly one",
            ));
        }
    }
    findings
}

/// Rows of tables and addresses cannot be broken; golden bytes and features of dependencies are not prose.
fn may_be_wide(path: &str, line: &str) -> bool {
    let line = line.trim_start();
    let address = line.split_whitespace().any(|word| word.contains("://") && word.chars().count() > WIDTH_MAX / 2);
    path.starts_with("tests/golden/")
        || path.ends_with("Cargo.toml")
        || path.ends_with(".md") && line.starts_with('|')
        || address
}

#[test]
fn wide_lines_and_white_space_at_the_end_are_found() {
    let wide = format!("{}\n| {}\n", "x".repeat(121), "y".repeat(121));
    let files = [("docs/A.md", wide.as_str()), ("src/a.rs", "let a; \n\tlet b;\n\n"), ("src/b.rs", "let c;")];
    let expected = [
        "docs/A.md:1 121 columns wide",
        "src/a.rs:1 white space at the end",
        "src/a.rs:2 a tab",
        "src/a.rs:3 does not end in one newline",
        "src/b.rs:1 does not end in one newline",
    ];
    crate::finding::expect(check, &files, &expected);
}
