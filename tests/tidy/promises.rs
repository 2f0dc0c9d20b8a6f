//! The tests that `docs/GUARANTEES.md` names exist: a promise whose proof was renamed or removed is noticed here.

use crate::finding::Finding;
use crate::tree::Tree;

const PAGE: &str = "docs/GUARANTEES.md";
/// A name in backticks with so many underscores is the name of a test: tests are sentences.
const UNDERSCORES_MIN: usize = 3;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.text(PAGE) else { return Vec::new() };
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(page.lines()) {
        for name in line.split('`').skip(1).step_by(2).filter(|name| is_test(name)) {
            let defined = format!("fn {name}(");
            let exists = tree.texts().any(|(path, text)| path.ends_with(".rs") && text.contains(&defined));
            if !exists {
                let what = format!("no test is called {name}");
                findings.push(Finding::new(
                    PAGE,
                    number,
                    what,
                    "name the test that proves it, or take the promise back",
                ));
            }
        }
    }
    findings
}

fn is_test(name: &str) -> bool {
    let plain = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    name.chars().all(plain) && name.matches('_').count() >= UNDERSCORES_MIN
}

#[test]
fn a_promise_whose_test_is_not_there_is_found() {
    let page = "| `nothing_is_sold_twice_ever` | `cargo test` |\n| `no_unit_is_lost` `orders_max` |\n";
    let files = [(PAGE, page), ("tests/a.rs", "#[test]\nfn no_unit_is_lost() {}\n")];
    crate::finding::expect(check, &files, &["docs/GUARANTEES.md:1 no test is called nothing_is_sold_twice_ever"]);
}
