//! The engine is a function: no clock, no chance, no I/O, no floats, and no hash order in anything that leaves it.

use crate::finding::Finding;
use crate::source::{Line, Source, has_word, is_word, words};
use crate::tree::Tree;

/// Words the engine does not know, and what it uses instead.
const UNKNOWN: [(&str, &str); 15] = [
    ("Instant", CLOCK),
    ("SystemTime", CLOCK),
    ("thread_rng", CHANCE),
    ("rand", CHANCE),
    ("getrandom", CHANCE),
    ("f32", FLOATS),
    ("f64", FLOATS),
    ("async", CALLS),
    ("await", CALLS),
    ("spawn", CALLS),
    ("Mutex", CALLS),
    ("RwLock", CALLS),
    ("println", CALLS),
    ("eprintln", CALLS),
    ("env", CALLS),
];
/// Modules of the standard library the engine does not know.
const UNKNOWN_MODULES: [&str; 7] = ["time", "fs", "io", "net", "thread", "env", "process"];

const CLOCK: &str = "take `now` as an argument: it is log time, and a replay must see the same";
const CHANCE: &str = "take what is drawn as part of the command";
const FLOATS: &str = "count in integers";
const CALLS: &str = "the engine decides and folds; threads, files and sockets are around it";

/// Lints that must be raised at its door.
const LINTS: [&str; 4] = ["float_arithmetic", "wildcard_enum_match_arm", "unwrap_used", "iter_over_hash_type"];

const HASHED: [&str; 2] = ["HashMap", "HashSet"];
const WALKS: [&str; 9] =
    ["iter", "iter_mut", "keys", "values", "values_mut", "into_iter", "into_values", "drain", "retain"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources().filter(|(path, _)| path.starts_with("src/engine/")) {
        for line in &source.lines {
            let mut found = |what: String, instead: &str| findings.push(Finding::new(path, line.number, what, instead));
            for (word, instead) in UNKNOWN.iter().filter(|(word, _)| has_word(&line.code, word)) {
                found(format!("the engine names {word}"), instead);
            }
            for module in UNKNOWN_MODULES.iter().filter(|module| line.code.contains(&format!("std::{module}"))) {
                found(format!("the engine names std::{module}"), CALLS);
            }
            if let Some(literal) = float_literal(&line.code) {
                found(format!("a float, {literal}"), FLOATS);
            }
        }
        findings.extend(walks(source).map(|(line, name)| {
            let instead = "keep an order of its own beside it: nothing that leaves may depend on the seed of a hash";
            Finding::new(path, line, format!("walks over the hash table {name}"), instead)
        }));
        if path == "src/engine/mod.rs" {
            let denied = |lint: &&&str| !source.lines.iter().any(|line| line.code.contains(&format!("clippy::{lint}")));
            findings.extend(LINTS.iter().filter(denied).map(|lint| {
                let instead = format!("#![deny(clippy::{lint})]");
                Finding::new(path, 0, format!("the lint {lint} is not raised"), instead)
            }));
        }
    }
    findings
}

/// A literal such as `1.5`; neither the range `1..5` nor the field `pair.0.1`.
fn float_literal(code: &str) -> Option<&str> {
    code.match_indices('.').find_map(|(dot, _)| {
        let begin = code[..dot].rfind(|letter| !is_word(letter)).map_or(0, |at| at + 1);
        let end = code[dot + 1..].find(|letter| !is_word(letter)).map_or(code.len(), |length| dot + 1 + length);
        let digits = |text: &str| text.starts_with(|letter: char| letter.is_ascii_digit());
        let alone = !code[..begin].ends_with('.');
        (alone && digits(&code[begin..dot]) && digits(&code[dot + 1..end])).then(|| &code[begin..end])
    })
}

/// Places in the product that walk over something declared as a hash table in the same file.
fn walks(source: &Source) -> impl Iterator<Item = (usize, String)> {
    let tables: Vec<_> = source.product().filter_map(declared_table).collect();
    let walked = move |line: &Line| {
        tables.clone().into_iter().find(|table| {
            words(&line.code).filter(|(_, word)| word == table).any(|(at, word)| {
                let call = line.code[at + word.len()..].strip_prefix('.').and_then(|rest| words(rest).next());
                let begin =
                    line.code[..at].trim_end_matches(['&', ' ']).trim_end_matches("self.").trim_end_matches("mut");
                let after = line.code[at + word.len()..].trim_start();
                call.is_some_and(|(at, call)| at == 0 && WALKS.contains(&call))
                    || begin.trim_end_matches(['&', ' ']).ends_with(" in") && after.starts_with('{')
            })
        })
    };
    source
        .product()
        .filter_map(move |line| walked(line).map(|table| (line.number, table)))
        .collect::<Vec<_>>()
        .into_iter()
}

/// `name: HashMap<…>` or `let name = HashMap::…`.
fn declared_table(line: &Line) -> Option<String> {
    let at = HASHED.iter().find_map(|hashed| words(&line.code).find(|(_, word)| word == hashed)).map(|(at, _)| at)?;
    let before = line.code[..at].trim_end().trim_end_matches(['&', ' ']);
    let before = before.strip_suffix(':').or_else(|| before.strip_suffix('='))?;
    words(before).last().map(|(_, name)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{check, float_literal};
    use crate::finding::expect;

    #[test]
    fn clocks_chance_threads_and_floats_in_the_engine_are_found() {
        expect(
            check,
            &[
                (
                    "src/engine/order.rs",
                    "//! Instant\nuse std::time::Duration;\nlet now = Instant::now();\nlet n = 1.5;\n",
                ),
                ("src/engine/pool.rs", "fn share(n: u64) -> f64 {\nlet tuple = pair.0.1; let range = 0..5;\n"),
                ("src/wal/probe.rs", "let now = Instant::now();\n"),
            ],
            &[
                "src/engine/order.rs:2 the engine names std::time",
                "src/engine/order.rs:3 the engine names Instant",
                "src/engine/order.rs:4 a float, 1.5",
                "src/engine/pool.rs:1 the engine names f64",
            ],
        );
        assert_eq!(float_literal("x = 1_000.25_f64;"), Some("1_000.25_f64"));
    }

    #[test]
    fn a_walk_over_a_hash_table_is_found_except_in_tests() {
        let text = "struct A {\n    seen: HashMap<u32, u32>,\n    rows: Vec<u32>,\n}\n\
                    for row in &self.seen {\nself.seen.get(&1);\nself.seen.values().sum();\nself.rows.iter();\n\
                    for row in &mut self.rows {\n#[cfg(test)]\nmod tests {\n    seen.iter();\n}\n";
        expect(
            check,
            &[("src/engine/orders.rs", text)],
            &[
                "src/engine/orders.rs:5 walks over the hash table seen",
                "src/engine/orders.rs:7 walks over the hash table seen",
            ],
        );
    }

    #[test]
    fn a_lint_that_is_not_raised_at_the_door_is_found() {
        let text = "#![deny(clippy::float_arithmetic, clippy::unwrap_used, clippy::iter_over_hash_type)]\n";
        let expected = ["src/engine/mod.rs:0 the lint wildcard_enum_match_arm is not raised"];
        expect(check, &[("src/engine/mod.rs", text)], &expected);
    }
}
