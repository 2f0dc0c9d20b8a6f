//! The table of features is whole: every row once and in order, each with a word that says whether it is there, with
//! the name of a test that shows it, and with a reason where it is not.
//!
//! # Not here
//! - That the named tests exist: `promises`.

use crate::finding::Finding;
use crate::promises::test_names;
use crate::tree::Tree;

const PAGE: &str = "docs/FEATURES.md";
const ROWS: usize = 95;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.text(PAGE) else { return Vec::new() };
    let (mut findings, mut rows) = (Vec::new(), 0);
    let mut find = |line, what: String, instead| findings.push(Finding::new(PAGE, line, what, instead));
    for (number, line) in (1..).zip(page.lines()) {
        let cells: Vec<&str> = line.trim().trim_matches('|').split('|').map(str::trim).collect();
        let Some(Ok(row)) = line.starts_with('|').then(|| cells[0].parse::<usize>()) else { continue };
        rows += 1;
        if row != rows {
            find(number, format!("row {row} where {rows} should be"), "rows are numbered in order, each once");
            rows = row;
        }
        let &[_, _, here, shown] = cells.as_slice() else {
            find(number, format!("row {row} has {} cells", cells.len()), "number, feature, here, shown by");
            continue;
        };
        let tests = test_names(shown).count();
        let words = shown.split('`').step_by(2).any(|text| text.chars().any(char::is_alphabetic));
        match here {
            "yes" if tests == 0 => find(number, format!("nothing shows row {row}"), "name the test, or say no"),
            "partly" if tests == 0 || !words => {
                find(number, format!("row {row} is there in part"), "name the test that shows it, and what is missing");
            }
            "no" if !words => find(number, format!("row {row} is not there"), "say why"),
            "yes" | "partly" | "no" => {}
            _ => find(number, format!("row {row} is {here}"), "a feature is there: yes, partly or no"),
        }
    }
    if rows != ROWS {
        find(0, format!("{rows} rows"), "the table has every feature that is asked for");
    }
    findings
}

#[test]
fn rows_that_are_missing_unproven_or_unexplained_are_found() {
    let good = (5..=95).map(|row| format!("| {row} | sells | yes | `nothing_is_sold_twice` |\n")).collect::<String>();
    let page = format!(
        "# Features\n| # | feature | here | shown by |\n|---|---|---|---|\n| 1 | a | yes | tests |\n| 2 | b | partly | \
         `no_unit_is_ever_lost` |\n| 4 | c | no | |\n| 4 | d | maybe | later |\n{good}"
    );
    crate::finding::expect(
        check,
        &[(PAGE, &page)],
        &[
            "docs/FEATURES.md:4 nothing shows row 1",
            "docs/FEATURES.md:5 row 2 is there in part",
            "docs/FEATURES.md:6 row 4 where 3 should be",
            "docs/FEATURES.md:6 row 4 is not there",
            "docs/FEATURES.md:7 row 4 where 5 should be",
            "docs/FEATURES.md:7 row 4 is maybe",
        ],
    );
}
