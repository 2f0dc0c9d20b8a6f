//! Which crates may be named where: the network stays in the outer layers, rkyv in `wire`, `unsafe` in one file.

use crate::finding::Finding;
use crate::source::words;
use crate::tree::Tree;

const OUTER: &[&str] =
    &["src/adapters/", "src/quic/", "src/server/", "src/client/", "src/node/", "src/cli/", "src/main.rs"];

/// Cryptography needs no network: keys are inner, signatures and certificates are not.
const CRYPTOGRAPHY: &[&str] =
    &["src/keys/", "src/adapters/", "src/quic/", "src/server/", "src/client/", "src/node/", "src/cli/"];

/// A crate, the places that may name it, and why no other.
const CRATES: [(&str, &[&str], &str); 19] = [
    ("rkyv", &["src/wire/"], "encode and decode in wire, whose shapes are frozen"),
    ("tokio", OUTER, NETWORK),
    ("quinn", OUTER, NETWORK),
    ("rustls", OUTER, NETWORK),
    ("rcgen", OUTER, NETWORK),
    ("socket2", OUTER, NETWORK),
    ("dashmap", OUTER, NETWORK),
    ("clap", OUTER, NETWORK),
    ("config", OUTER, NETWORK),
    ("serde", OUTER, NETWORK),
    ("serde_json", OUTER, NETWORK),
    ("tracing_subscriber", OUTER, NETWORK),
    ("indicatif", OUTER, NETWORK),
    ("csv", OUTER, NETWORK),
    ("hyper", OUTER, NETWORK),
    ("aws_lc_rs", CRYPTOGRAPHY, "seal and open in keys; sign in adapters"),
    ("base64", OUTER, NETWORK),
    ("rustls_native_certs", OUTER, NETWORK),
    ("tokio_rustls", OUTER, NETWORK),
];

const NETWORK: &str = "keep it in the outer layers: the inner ones build without the feature `net`";

/// Files with `unsafe`, each with its proof beside it.
const UNSAFE: [(&str, &str); 1] = [("src/engine/huge_pages.rs", "madvise takes a raw address; measured in BENCHMARKS")];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        let proven = UNSAFE.iter().any(|(file, _)| *file == path);
        for line in &source.lines {
            let found = |what: String, instead: &str| Finding::new(path, line.number, what, instead);
            let is_path = |at: usize, word: &str| {
                line.code[at + word.len()..].starts_with("::") && !line.code[..at].ends_with("::")
                    || line.code.trim_start().starts_with("use ") && line.code[at + word.len()..].starts_with(';')
            };
            for (at, word) in words(&line.code) {
                if word == "unsafe" && !proven {
                    findings.push(found(
                        "unsafe".into(),
                        "write it without; a measured exception is listed in tests/tidy/outside.rs",
                    ));
                }
                if !path.starts_with("src/") {
                    continue;
                }
                let rule = CRATES.iter().find(|(name, ..)| *name == word);
                if let Some((name, places, instead)) = rule.filter(|_| is_path(at, word))
                    && !places.iter().any(|place| path.starts_with(place))
                {
                    findings.push(found(format!("names the crate {name}"), instead));
                }
            }
        }
    }
    let unused = UNSAFE.iter().filter(|(file, _)| {
        tree.sources().any(|(path, source)| {
            path == *file && !source.lines.iter().any(|line| words(&line.code).any(|(_, word)| word == "unsafe"))
        })
    });
    findings.extend(unused.map(|(file, _)| {
        Finding::new(file, 0, "needs its exception for unsafe no more", "remove it from tests/tidy/outside.rs")
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::finding::expect;

    #[test]
    fn the_network_in_an_inner_layer_is_found() {
        expect(
            check,
            &[
                ("src/server/session.rs", "use tokio::sync;\n"),
                (
                    "src/shard/thread.rs",
                    "//! Not tokio::sync.\nuse tokio::sync;\nuse super::config::Row;\nuse quinn;\n",
                ),
                ("src/wal/frame.rs", "#[derive(rkyv::Archive)]\n"),
                ("src/wire/frame.rs", "#[derive(rkyv::Archive)]\n"),
            ],
            &[
                "src/shard/thread.rs:2 names the crate tokio",
                "src/shard/thread.rs:4 names the crate quinn",
                "src/wal/frame.rs:1 names the crate rkyv",
            ],
        );
    }

    #[test]
    fn unsafe_outside_the_listed_file_is_found_and_a_needless_listing_too() {
        expect(check, &[("benches/wal.rs", "unsafe { go() } // unsafe\n")], &["benches/wal.rs:1 unsafe"]);
        expect(check, &[("src/engine/huge_pages.rs", "unsafe { go() }\n")], &[]);
        expect(
            check,
            &[("src/engine/huge_pages.rs", "fn safe() {}\n")],
            &["src/engine/huge_pages.rs:0 needs its exception for unsafe no more"],
        );
    }
}
