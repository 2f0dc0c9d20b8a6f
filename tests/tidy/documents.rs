//! Documents: each begins with its one title.

use crate::finding::Finding;
use crate::tree::Tree;

/// The lines of a Markdown text that are prose, not code, with their numbers.
pub(crate) fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    (1..).zip(text.lines()).filter(move |(_, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        !fence && !fenced
    })
}

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        if !text.starts_with("# ") {
            findings.push(Finding::new(path, 1, "no title", "begin with `# ` and what the page is about"));
        }
        for (line, _) in prose(text).filter(|(_, line)| line.starts_with("# ")).skip(1) {
            findings.push(Finding::new(path, line, "a second title", "one page, one title; sections begin with `## `"));
        }
        if text.lines().filter(|line| line.trim_start().starts_with("```")).count() % 2 == 1 {
            findings.push(Finding::new(path, 0, "a block of code never ends", "close it"));
        }
    }
    findings
}

#[test]
fn a_document_without_a_title_or_with_two_is_found() {
    let files =
        [("docs/A.md", "# A\n```sh\n# not a title\n```\n"), ("docs/B.md", "B\n"), ("docs/C.md", "# C\n\n# D\n```\n")];
    let expected = ["docs/B.md:1 no title", "docs/C.md:3 a second title", "docs/C.md:0 a block of code never ends"];
    crate::finding::expect(check, &files, &expected);
}
