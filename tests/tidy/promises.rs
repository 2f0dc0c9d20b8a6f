//! The tests that `docs/GUARANTEES.md` and `docs/FEATURES.md` name exist: a promise whose proof was renamed or removed
//! is noticed here.

use crate::finding::Finding;
use crate::tree::Tree;

const PAGES: [&str; 2] = ["docs/GUARANTEES.md", "docs/FEATURES.md"];
/// A name in backticks with so many underscores is the name of a test: tests are sentences.
const UNDERSCORES_MIN: usize = 3;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    PAGES
        .into_iter()
        .filter_map(|page| Some((page, tree.text(page)?)))
        .flat_map(|page| check_page(page, tree))
        .collect()
}

fn check_page((page, text): (&str, &str), tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for name in test_names(line) {
            let defined = format!("fn {name}(");
            let exists = tree.texts().any(|(path, text)| path.ends_with(".rs") && text.contains(&defined));
            if !exists {
                let what = format!("no test is called {name}");
                let instead = "name the test that proves it, or take the promise back";
                findings.push(Finding::new(page, number, what, instead));
            }
        }
    }
    findings
}

/// The names of tests in a line, which stand in backticks.
pub(crate) fn test_names(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2).filter(|name| is_test(name))
}

fn is_test(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    name.chars().all(plain) && name.matches('_').count() >= UNDERSCORES_MIN
}

#[test]
fn a_promise_whose_test_is_not_there_is_found() {
    let page = "| `nothing_is_sold_twice_ever` | `cargo test` |\n| `no_unit_is_lost` `orders_max` |\n";
    let files = [(PAGES[0], page), ("tests/a.rs", "#[test]\nfn no_unit_is_lost() {}\n")];
    crate::finding::expect(check, &files, &["docs/GUARANTEES.md:1 no test is called nothing_is_sold_twice_ever"]);
}
