//! What is pointed at exists: links of documents, their sections, and files named in backticks anywhere.

use crate::documents::prose;
use crate::finding::Finding;
use crate::source::parent;
use crate::tree::Tree;

/// A text in backticks that begins like this is the path of a file.
const ROOTS: [&str; 6] = ["src/", "tests/", "benches/", "docs/", "loadtest/", ".ci/"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts().filter(|(path, _)| path.ends_with(".md")) {
        for (line, prose) in prose(text) {
            for target in targets(prose).filter(|target| !leads_somewhere(tree, path, target)) {
                findings.push(Finding::new(
                    path,
                    line,
                    format!("the link {target} leads nowhere"),
                    "mend it or remove it",
                ));
            }
            findings.extend(missing_files(tree, path, line, prose));
        }
    }
    for (path, source) in tree.sources() {
        for line in &source.lines {
            findings.extend(missing_files(tree, path, line.number, &line.comment));
        }
    }
    findings
}

fn missing_files(tree: &Tree, path: &str, line: usize, text: &str) -> impl Iterator<Item = Finding> {
    let missing =
        quoted(text).map(|name| name.trim_end_matches('/')).filter(|name| is_path(name) && !tree.exists(name));
    let finding = |name| Finding::new(path, line, format!("there is no {name}"), "name what is there, from the root");
    missing.map(finding).collect::<Vec<_>>().into_iter()
}

fn is_path(name: &str) -> bool {
    let plain = name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-./".contains(letter));
    plain && ROOTS.iter().any(|root| name.starts_with(root))
}

/// What stands in backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The targets of `[text](target)`, outside backticks.
fn targets(text: &str) -> impl Iterator<Item = &str> {
    let outside = text.split('`').step_by(2);
    outside.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| rest.split_once(')').map(|(target, _)| target))
}

fn leads_somewhere(tree: &Tree, path: &str, target: &str) -> bool {
    if target.contains("://") || target.starts_with("mailto:") {
        return true;
    }
    let (file, section) = target.split_once('#').unwrap_or((target, ""));
    let file = if file.is_empty() { path.to_owned() } else { join(parent(path), file) };
    let has_section = |text: &str| prose(text).any(|(_, line)| line.starts_with('#') && slug(line) == section);
    tree.exists(&file) && (section.is_empty() || tree.text(&file).is_none_or(has_section))
}

fn join(folder: &str, target: &str) -> String {
    let mut parts: Vec<_> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            _ => parts.push(part),
        }
    }
    parts.join("/")
}

/// The name a heading gets: lower case, spaces become hyphens, other marks go.
fn slug(heading: &str) -> String {
    let kept = |letter: char| match letter {
        ' ' => Some('-'),
        _ if letter.is_alphanumeric() || letter == '-' || letter == '_' => Some(letter),
        _ => None,
    };
    heading.trim_start_matches('#').trim().to_lowercase().chars().filter_map(kept).collect()
}

#[test]
fn links_sections_and_files_that_are_not_there_are_found() {
    let files = [
        ("docs/A.md", "# A b\n[1](B.md) [2](C.md) [3](https://x.y) [4](#a-b) [5](#c)\n```\n[6](D.md)\n```\n"),
        ("docs/B.md", "# B\n[1](../src/a.rs) [2](A.md#a-b) `src/b.rs` `src/a.rs` `src/…/c.rs` `[7](E.md)`\n"),
        ("src/a.rs", "//! See `docs/B.md` and `docs/F.md`.\nlet a = \"`src/g.rs`\";\n"),
    ];
    let expected = [
        "docs/A.md:2 the link C.md leads nowhere",
        "docs/A.md:2 the link #c leads nowhere",
        "docs/B.md:2 there is no src/b.rs",
        "src/a.rs:1 there is no docs/F.md",
    ];
    crate::finding::expect(check, &files, &expected);
}
