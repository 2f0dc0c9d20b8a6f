//! The house rules that neither the compiler nor a lint can see, read off the text of the repository alone.
//!
//! ```text
//! Tree (every path, every text) ─► rule ─► findings      file:line: what is wrong; what to do instead
//! ```
//!
//! Each rule stands in a file of its own, over tests of itself on made-up text. To look at another checkout:
//! `TIDY_ROOT=DIR cargo test --test tidy`.
//!
//! # Always true
//! - Nothing is built and nothing is started; the whole run takes milliseconds.
//! - An exception is written down with its reason, and one that nobody needs any more is itself a finding.
//! # Not here
//! - Formatting, and whatever clippy can say: `Cargo.toml`, `.clippy.toml`, the lints inside `src/engine/mod.rs`.
//! - That the inner layers need no network: they are built without it (`.ci/run`).

mod finding;
mod source;
mod tree;

mod floors;
mod layers;
mod outside;

mod engine;
mod limits;

mod bans;
mod letters;
mod names;
mod sizes;
mod text;

mod documents;
mod features;
mod links;
mod promises;
mod words;

use std::path::PathBuf;

use finding::Finding;
use tree::Tree;

/// Every rule, in the order its findings are printed.
const RULES: [fn(&Tree) -> Vec<Finding>; 15] = [
    layers::check,
    outside::check,
    floors::check,
    engine::check,
    limits::check,
    bans::check,
    letters::check,
    names::check,
    sizes::check,
    text::check,
    documents::check,
    links::check,
    promises::check,
    features::check,
    words::check,
];

#[test]
fn the_house_is_tidy() {
    let root = std::env::var_os("TIDY_ROOT").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let tree = Tree::read(&root);
    assert!(tree.texts().count() > 0, "nothing to read in {}", root.display());
    let findings: Vec<_> = RULES.iter().flat_map(|rule| rule(&tree)).collect();
    let listed: String = findings.iter().map(|finding| format!("{finding}\n")).collect();
    assert!(findings.is_empty(), "{} findings\n{listed}", findings.len());
}
