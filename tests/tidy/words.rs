//! Words that have no place in the repository: they tell about somebody's desk, not about the house.
//!
//! A reader has this repository and nothing else: a path of one machine, a document that is not here, or who typed what
//! with which tool says nothing to that reader. The words stand here in two halves, so that this file passes its own
//! rule.

use crate::finding::Finding;
use crate::tree::Tree;

/// Whole words or phrases, in small letters, with what to write instead.
const WORDS: [(&str, &str); 16] = [
    (concat!("ag", "ent"), TOOL),
    (concat!("ag", "ents"), TOOL),
    (concat!("ll", "m"), TOOL),
    (concat!("cla", "ude"), TOOL),
    (concat!("anth", "ropic"), TOOL),
    (concat!("chat", "gpt"), TOOL),
    (concat!("cop", "ilot"), TOOL),
    (concat!("session", " id"), TOOL),
    (concat!("work", "tree"), TOOL),
    (concat!("this", " issue"), PLAN),
    (concat!("next", " issue"), PLAN),
    (concat!("later", " issue"), PLAN),
    (concat!("previous", " issue"), PLAN),
    (concat!("design", ".md"), DOCUMENT),
    (concat!("domain", ".md"), DOCUMENT),
    (concat!("house-style", ".md"), DOCUMENT),
];
/// Beginnings of paths that exist on one machine only.
const PATHS: [&str; 4] = [concat!("/wo", "rk/"), concat!("/tm", "p/"), concat!("/ho", "me/"), concat!("/ro", "ot/")];
/// Longer words that hold one of the others and mean something else.
const INNOCENT: [&str; 1] = [concat!("user-ag", "ent")];

const TOOL: &str = "say what the thing is, not who made it or with what";
const PLAN: &str = "say what is so now, or \"not built yet\"";
const DOCUMENT: &str = "name the page under docs/ that says so";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, text) in tree.texts() {
        for (line, number) in text.lines().zip(1..) {
            let innocent = |line: String, word: &&str| line.replace(*word, "");
            let as_written = line;
            let line = INNOCENT.iter().fold(line.to_lowercase(), innocent);
            // The name of a file is what it is, capitals included.
            let inside = |word: &str| if word.ends_with(".md") { as_written } else { &line };
            for (word, instead) in WORDS.iter().filter(|(word, _)| holds(inside(word), word)) {
                findings.push(Finding::new(path, number, format!("the word \"{word}\""), *instead));
            }
            for begin in PATHS.iter().filter(|begin| line.match_indices(**begin).any(|(at, _)| begins_path(&line, at)))
            {
                let instead = "a path from the root of the repository, or a temporary directory";
                findings.push(Finding::new(path, number, format!("a path under {begin}"), instead));
            }
        }
    }
    findings
}

/// A phrase with no letter or digit at either side.
fn holds(line: &str, phrase: &str) -> bool {
    let is_edge = |letter: Option<char>| !letter.is_some_and(char::is_alphanumeric);
    line.match_indices(phrase)
        .any(|(at, _)| is_edge(line[..at].chars().next_back()) && is_edge(line[at + phrase.len()..].chars().next()))
}

fn begins_path(line: &str, at: usize) -> bool {
    !line[..at].ends_with(|letter: char| letter.is_alphanumeric() || ".-_/".contains(letter))
}

#[test]
fn words_about_somebody_s_desk_are_found_and_their_neighbours_are_not() {
    let tool = concat!("An ag", "ent wrote it.\nThe user-ag", "ent header, an ag", "enda, a session.\n");
    let path =
        concat!("//! See /wo", "rk/notes and src/wo", "rk/a.rs.\n//! domain", ".md says so.\n//! DOMAIN.md too.\n");
    let expected = [
        concat!("docs/A.md:1 the word \"ag", "ent\""),
        concat!("src/a.rs:1 a path under /wo", "rk/"),
        concat!("src/a.rs:2 the word \"domain", ".md\""),
    ];
    crate::finding::expect(check, &[("docs/A.md", tool), ("src/a.rs", path)], &expected);
}
