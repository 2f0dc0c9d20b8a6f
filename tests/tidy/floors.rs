//! Crates below a version with a known hole are not built, whether or not `cargo deny` is at hand.
//!
//! The floors are read from `deny.toml`, which says why each is there; the versions from `Cargo.lock`.

use crate::finding::Finding;
use crate::tree::Tree;

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let (Some(deny), Some(lock)) = (tree.text("deny.toml"), tree.text("Cargo.lock")) else {
        let instead = "both are part of the repository";
        return vec![Finding::new("deny.toml", 0, "deny.toml or Cargo.lock is missing", instead)];
    };
    let mut findings = Vec::new();
    for (name, version, line) in locked(lock) {
        for (denied, below) in denied(deny).filter(|(denied, _)| *denied == name) {
            if below.is_none_or(|below| numbers(version) < numbers(below)) {
                let instead = "see deny.toml for the reason, and cargo update";
                findings.push(Finding::new("Cargo.lock", line, format!("{denied} {version} is denied"), instead));
            }
        }
    }
    findings
}

/// `crate = "name:<version"`, or a name alone; what some crates may still use is left to `cargo deny`.
fn denied(text: &str) -> impl Iterator<Item = (&str, Option<&str>)> {
    let outright = text.lines().filter(|line| !line.contains("wrappers"));
    let specs = outright.filter_map(|line| quoted(line.split_once("crate = ")?.1));
    specs.map(|spec| spec.split_once(":<").map_or((spec, None), |(name, version)| (name, Some(version))))
}

/// Name, version and line of every package that is built.
fn locked(text: &str) -> impl Iterator<Item = (&str, &str, usize)> {
    let pairs = text.lines().zip(text.lines().skip(1)).zip(1..);
    pairs.filter_map(|((name, version), line)| {
        Some((quoted(name.strip_prefix("name = ")?)?, quoted(version.strip_prefix("version = ")?)?, line))
    })
}

fn quoted(text: &str) -> Option<&str> {
    text.split('"').nth(1)
}

fn numbers(version: &str) -> Vec<u64> {
    version.split(['.', '-', '+']).map_while(|part| part.parse().ok()).collect()
}

#[test]
fn a_version_below_its_floor_and_a_banned_crate_are_found() {
    let deny =
        "deny = [\n    { crate = \"rkyv:<0.8.17\", reason = \"\" },\n    { crate = \"atty\", reason = \"\" },\n]\n";
    let lock = "name = \"rkyv\"\nversion = \"0.8.9\"\n\nname = \"atty\"\nversion = \"1.0.0\"\n";
    let expected = ["Cargo.lock:1 rkyv 0.8.9 is denied", "Cargo.lock:4 atty 1.0.0 is denied"];
    crate::finding::expect(check, &[("deny.toml", deny), ("Cargo.lock", lock)], &expected);
    let sound = "name = \"rkyv\"\nversion = \"0.8.17\"\n";
    crate::finding::expect(check, &[("deny.toml", deny), ("Cargo.lock", sound)], &[]);
}
