//! The repository as the rules see it: which paths exist, and the text of those that are written by hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::source::Source;

/// Never looked into: what git, cargo and a server on its defaults make.
const SKIPPED: [&str; 3] = [".git", "target", "data"];
/// Endings of files that people write.
const WRITTEN: [&str; 5] = [".rs", ".md", ".toml", ".py", ".txt"];
const WRITTEN_NAMES: [&str; 6] =
    ["Cargo.lock", ".ci/run", ".gitignore", ".gitattributes", "LICENSE-MIT", "LICENSE-APACHE"];

pub(crate) struct Tree {
    /// Files and directories, from the root, with `/` between.
    paths: BTreeSet<String>,
    texts: BTreeMap<String, String>,
    sources: BTreeMap<String, Source>,
}

impl Tree {
    pub(crate) fn read(root: &Path) -> Self {
        let (mut paths, mut texts) = (BTreeSet::new(), BTreeMap::new());
        walk(root, "", &mut paths, &mut texts);
        Self::new(paths, texts)
    }

    /// A made-up repository.
    pub(crate) fn of(files: &[(&str, &str)]) -> Self {
        let mut paths = BTreeSet::new();
        for (path, _) in files {
            paths.extend(path.match_indices('/').map(|(at, _)| path[..at].to_owned()));
            paths.insert((*path).to_owned());
        }
        Self::new(paths, files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    fn new(paths: BTreeSet<String>, texts: BTreeMap<String, String>) -> Self {
        let rust = texts.iter().filter(|(path, _)| path.ends_with(".rs"));
        let mut sources: BTreeMap<_, _> = rust.map(|(path, text)| (path.clone(), Source::read(path, text))).collect();
        let test_modules: Vec<_> = sources.values().flat_map(|source| source.test_modules.clone()).collect();
        for (path, source) in &mut sources {
            source.test |= test_modules
                .iter()
                .any(|module| path.strip_prefix(module).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')));
        }
        Self { paths, texts, sources }
    }

    /// Every text, by path.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.texts.iter().map(|(path, text)| (path.as_str(), text.as_str()))
    }

    pub(crate) fn text(&self, path: &str) -> Option<&str> {
        self.texts.get(path).map(String::as_str)
    }

    /// Every Rust file, by path.
    pub(crate) fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources.iter().map(|(path, source)| (path.as_str(), source))
    }

    pub(crate) fn exists(&self, path: &str) -> bool {
        self.paths.contains(path)
    }
}

fn walk(root: &Path, inside: &str, paths: &mut BTreeSet<String>, texts: &mut BTreeMap<String, String>) {
    let directory = root.join(inside);
    let entries = std::fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    for entry in entries {
        let entry = entry.expect("an entry of a directory");
        let Ok(name) = entry.file_name().into_string() else { continue };
        if SKIPPED.contains(&name.as_str()) && (inside.is_empty() || name == "target") {
            continue;
        }
        let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
        if entry.file_type().expect("a type").is_dir() {
            walk(root, &path, paths, texts);
        } else if WRITTEN.iter().any(|ending| path.ends_with(ending)) || WRITTEN_NAMES.contains(&path.as_str()) {
            let text = std::fs::read_to_string(entry.path()).unwrap_or_else(|error| panic!("{path}: {error}"));
            texts.insert(path.clone(), text);
        }
        paths.insert(path);
    }
}

#[test]
fn a_module_declared_for_tests_only_is_test_code_wherever_it_stands() {
    let tree = Tree::of(&[
        ("src/wal/mod.rs", "#[cfg(test)]\nmod fake_disk;\nmod real;\n"),
        ("src/wal/fake_disk.rs", "fn a() {}\n"),
        ("src/wal/real.rs", "fn a() {}\n"),
    ]);
    let test: Vec<_> = tree.sources().filter(|(_, source)| source.test).map(|(path, _)| path).collect();
    assert_eq!(test, ["src/wal/fake_disk.rs"]);
    assert!(tree.exists("src/wal") && !tree.exists("src/wa"));
}
