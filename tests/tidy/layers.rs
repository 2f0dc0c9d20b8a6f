//! Imports point inwards, by one table.
//!
//! ```text
//! base ─┬─► engine ─┬─► wire ─┬───────► shard ─► server, adapters ─┐
//!       ├─► wal ────│─────────┴─► keys ──│─────────────────────────┼─► node ─► cli ─► main
//!       └─► quic ───┴────────────────────┴─► client ───────────────┘
//! ```

use crate::finding::Finding;
use crate::source::{Source, is_word, words};
use crate::tree::Tree;

/// What each folder of `src` may name besides itself. A folder that is not here has no place in the house yet.
const MAY_NAME: [(&str, &[&str]); 13] = [
    ("base", &[]),
    ("engine", &["base"]),
    ("wal", &["base"]),
    ("wire", &["base", "engine"]),
    ("keys", &["base", "wal"]),
    ("shard", &["base", "engine", "wal", "wire"]),
    ("feed", &["base", "engine", "wal", "wire"]),
    ("adapters", &["base", "engine", "wal", "wire", "shard", "feed", "quic"]),
    ("quic", &["base"]),
    ("server", &["base", "engine", "wire", "shard", "quic"]),
    ("client", &["base", "engine", "wire", "quic"]),
    ("node", &["base", "engine", "wal", "wire", "keys", "shard", "adapters", "quic", "server", "client"]),
    ("cli", &["base", "engine", "wal", "wire", "keys", "shard", "client", "node"]),
];

/// Files outside those folders; the longest beginning that fits counts.
const FILES_MAY_NAME: [(&str, &[&str]); 6] = [
    ("src/lib.rs", &[]),
    ("src/main.rs", &["node", "cli"]),
    ("loadtest/src/", &["base", "engine", "wire", "client"]),
    // Attackers know QUIC and keep no rules.
    ("loadtest/src/attack/", &["base", "engine", "wire", "quic"]),
    // Runs the server and the audit as a child process, so that one `cargo run` is enough.
    ("loadtest/src/child.rs", &["base", "engine", "wal", "wire", "client", "node", "adapters"]),
    // Knows beforehand which orders the simulated payment provider declines.
    ("loadtest/src/drive/template.rs", &["base", "engine", "wire", "client", "adapters"]),
];

const INSTEAD: &str = "move what is needed inwards, or pass it in as a value or a trait";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        if let Some(inside) = path.strip_prefix("src/")
            && let Some((layer, _)) = inside.split_once('/')
        {
            match MAY_NAME.iter().find(|(name, _)| *name == layer) {
                None => findings.push(Finding::new(
                    path,
                    0,
                    format!("layer {layer} is not in the table"),
                    "add it to tests/tidy/layers.rs and to docs/ARCHITECTURE.md",
                )),
                Some((_, may)) => {
                    let wrong = |named: &str| named != layer && !may.contains(&named);
                    findings.extend(
                        named(source, &["crate"])
                            .filter(|(_, named)| wrong(named))
                            .map(|(line, named)| Finding::new(path, line, format!("{layer} names {named}"), INSTEAD)),
                    );
                    findings.extend(climbs(path, inside, source));
                }
            }
        } else if let Some((_, may)) = FILES_MAY_NAME.iter().rev().find(|(begin, _)| path.starts_with(begin)) {
            let own = if path.starts_with("src/") { &["crate", "stockade"][..] } else { &["stockade"] };
            let wrong = named(source, own).filter(|(_, named)| !may.contains(&named.as_str()));
            findings.extend(wrong.map(|(line, named)| Finding::new(path, line, format!("names {named}"), INSTEAD)));
        }
    }
    findings
}

/// Layers named as `root::layer` or `root::{layer, …}`, with the line.
fn named(source: &Source, roots: &[&str]) -> impl Iterator<Item = (usize, String)> {
    let code = source.code();
    let mut found = Vec::new();
    for (at, word) in words(&code).filter(|(_, word)| roots.contains(word)) {
        let Some(rest) = code[at + word.len()..].strip_prefix("::") else { continue };
        let line = 1 + code[..at].matches('\n').count();
        match rest.strip_prefix('{') {
            Some(list) => found.extend(
                first_words(list).map(|(offset, name)| (line + list[..offset].matches('\n').count(), name.to_owned())),
            ),
            None => found
                .extend(words(rest).next().filter(|(begin, _)| *begin == 0).map(|(_, name)| (line, name.to_owned()))),
        }
    }
    found.into_iter()
}

/// The first word of each member of a list in braces, whose opening brace is already passed.
fn first_words(list: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut nesting = 0_u32;
    let mut fresh = true;
    let mut begins = Vec::new();
    for (at, letter) in list.char_indices() {
        match letter {
            '{' => nesting += 1,
            '}' if nesting == 0 => break,
            '}' => nesting -= 1,
            ',' if nesting == 0 => fresh = true,
            _ if fresh && is_word(letter) => {
                begins.push(at);
                fresh = false;
            }
            _ => {}
        }
    }
    begins.into_iter().filter_map(|at| words(&list[at..]).next().map(|(_, word)| (at, word)))
}

/// `super::super` that leaves the layer without naming where it goes.
fn climbs(path: &str, inside: &str, source: &Source) -> Vec<Finding> {
    let depth = inside.trim_end_matches("/mod.rs").split('/').count();
    let mut findings = Vec::new();
    for line in &source.lines {
        let dense: String = line.code.chars().filter(|letter| !letter.is_whitespace()).collect();
        let climb = (1..6).take_while(|&times| dense.contains(&"super::".repeat(times))).last().unwrap_or(0);
        if climb >= depth + usize::from(line.test) {
            findings.push(Finding::new(
                path,
                line.number,
                "climbs out of its layer with super",
                "name the layer: crate::…",
            ));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::finding::expect;

    #[test]
    fn an_import_that_points_outwards_or_sideways_is_found() {
        expect(
            check,
            &[
                ("src/engine/order.rs", "use crate::base::Price;\nuse crate::wal::Handle;\n"),
                ("src/server/session.rs", "use crate::{\n    base::{Price, Code},\n    client::Client,\n};\n"),
                ("src/wal/mod.rs", "fn a() { crate::engine::go() } // crate::shard\n"),
            ],
            &[
                "src/engine/order.rs:2 engine names wal",
                "src/server/session.rs:3 server names client",
                "src/wal/mod.rs:1 wal names engine",
            ],
        );
    }

    #[test]
    fn a_folder_nobody_placed_is_found() {
        expect(check, &[("src/stuff/mod.rs", "")], &["src/stuff/mod.rs:0 layer stuff is not in the table"]);
    }

    #[test]
    fn the_generator_speaks_to_the_server_through_the_client_but_for_one_file() {
        expect(
            check,
            &[
                ("loadtest/src/child.rs", "use stockade::node::Node;\nuse stockade::shard::Shard;\n"),
                ("loadtest/src/flash.rs", "use stockade::client::Client;\nuse stockade::node::Node;\n"),
                ("src/main.rs", "use stockade::cli;\nuse stockade::wal::Log;\n"),
            ],
            &["loadtest/src/child.rs:2 names shard", "loadtest/src/flash.rs:2 names node", "src/main.rs:2 names wal"],
        );
    }

    #[test]
    fn climbing_out_of_a_layer_is_found() {
        let climbing = "use super::super::super::wal::Log;\nuse super::super::order;\n";
        let inline = "use super::a;\n#[cfg(test)]\nmod tests {\n    use super::super::a;\n\
                      use super::super::super::wal;\n}\n";
        expect(
            check,
            &[("src/engine/decide/place.rs", climbing), ("src/engine/order.rs", inline)],
            &[
                "src/engine/decide/place.rs:1 climbs out of its layer with super",
                "src/engine/order.rs:5 climbs out of its layer with super",
            ],
        );
    }
}
