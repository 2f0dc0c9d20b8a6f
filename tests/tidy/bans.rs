//! Things that are never written, each with what is written instead.

use crate::finding::Finding;
use crate::source::{Source, has_word, words};
use crate::tree::Tree;

/// Banned in all code.
const EVERYWHERE: [(&str, &str); 7] = [
    ("#[allow(", "#[expect(…, reason = \"…\")], which complains once it is not needed"),
    ("#![allow(", "#[expect(…, reason = \"…\")] on the one item that needs it"),
    ("todo!(", "write it, or leave out what would call it"),
    ("unimplemented!(", "write it, or leave out what would call it"),
    ("dbg!(", "a tracing event, if somebody should see it"),
    ("#[ignore", "make it cheap enough to run, or run it by an environment variable that docs/TESTING.md names"),
    ("access_unchecked", "rkyv::access: the checked form is the only one"),
];

/// Banned in what is compiled into the product.
const IN_PRODUCT: [(&str, &str); 1] =
    [(".unwrap()", "handle it, or .expect(\"law: …\") when only a bug of ours could fail it")];

/// Words left behind by somebody who meant to come back.
const UNFINISHED: [&str; 3] = ["FIXME", "TODO", "XXX"];

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources() {
        let found = |line, what: &str, instead: &str| Finding::new(path, line, what, instead);
        for line in &source.lines {
            let dense: String = line.code.chars().filter(|letter| !letter.is_whitespace()).collect();
            let banned = EVERYWHERE.iter().filter(|(ban, _)| dense.contains(ban));
            findings.extend(banned.map(|(ban, instead)| found(line.number, ban, instead)));
            let unfinished =
                UNFINISHED.iter().filter(|word| has_word(&line.comment, word) || has_word(&line.code, word));
            findings.extend(unfinished.map(|word| found(line.number, word, "do it now, or write an issue")));
        }
        for line in source.product() {
            let banned = IN_PRODUCT.iter().filter(|(ban, _)| line.code.contains(ban));
            findings.extend(banned.map(|(ban, instead)| found(line.number, ban, instead)));
        }
        for line in source.tests().filter(|line| sleeps(&line.code)) {
            findings.push(found(line.number, "a sleep in a test", "wait for the event itself, under a time limit"));
        }
        findings.extend(test_names(source).map(|(line, name)| {
            let what = format!("the test {name} is no sentence");
            Finding::new(path, line, what, "say what is true when it passes: three words or more")
        }));
    }
    let documents = tree.texts().filter(|(path, _)| path.ends_with(".md"));
    for (path, text) in documents {
        for (line, number) in text.lines().zip(1..) {
            let unfinished = UNFINISHED.iter().filter(|word| has_word(line, word));
            findings.extend(
                unfinished.map(|word| Finding::new(path, number, *word, "write it, or leave the sentence out")),
            );
        }
    }
    findings
}

/// Calls a function that sleeps; a method of that name is somebody's own.
fn sleeps(code: &str) -> bool {
    words(code).filter(|(_, word)| *word == "sleep" || *word == "sleep_until").any(|(at, word)| {
        let before = code[..at].trim_end();
        code[at + word.len()..].starts_with('(') && !before.ends_with('.') && !before.ends_with("fn")
    })
}

/// Tests whose name has fewer than three words, or begins with `test_`.
fn test_names(source: &Source) -> impl Iterator<Item = (usize, &str)> {
    let is_test = |code: &str| code.contains("#[test]") || code.contains("#[tokio::test");
    let next_function = |from: usize| {
        source.lines[from..].iter().find_map(|line| {
            let mut names = words(&line.code).map(|(_, word)| word).skip_while(|word| *word != "fn").skip(1);
            names.next().map(|name| (line.number, name))
        })
    };
    let tests = source.lines.iter().enumerate().filter(move |(_, line)| is_test(&line.code));
    tests
        .filter_map(move |(at, _)| next_function(at))
        .filter(|(_, name)| name.matches('_').count() < 2 || name.starts_with("test_"))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::finding::expect;

    #[test]
    fn what_is_never_written_is_found_in_code_and_not_in_strings() {
        expect(
            check,
            &[(
                "src/a.rs",
                "# [allow(x)]\n\"todo!()\"; todo!();\n// FIXME\nlet a = b.unwrap();\nlet a = b.unwrap_or(1);\n",
            )],
            &["src/a.rs:1 #[allow(", "src/a.rs:2 todo!(", "src/a.rs:3 FIXME", "src/a.rs:4 .unwrap()"],
        );
        expect(check, &[("docs/A.md", "# A\nTODO\n")], &["docs/A.md:2 TODO"]);
    }

    #[test]
    fn a_sleep_in_a_test_is_found_and_an_unwrap_there_is_not() {
        let text = "fn a() { sleep(1) }\n#[cfg(test)]\nmod tests {\n    a.unwrap(); tokio::time::sleep(2);\n}\n";
        expect(check, &[("src/a.rs", text)], &["src/a.rs:4 a sleep in a test"]);
        let expected = ["tests/a.rs:1 a sleep in a test", "tests/a.rs:2 a sleep in a test"];
        let text = "thread::sleep(x);\nsleep(x);\nclock.sleep_until(x);\nfn sleep(x: u32) {}\n";
        expect(check, &[("tests/a.rs", text)], &expected);
    }

    #[test]
    fn a_test_whose_name_is_no_sentence_is_found() {
        let text =
            "#[test]\nfn works() {}\n#[test]\nfn a_unit_is_sold_once() {}\n#[test]\n#[ignore]\nfn test_a_b() {}\n";
        let expected = [
            "tests/a.rs:6 #[ignore",
            "tests/a.rs:2 the test works is no sentence",
            "tests/a.rs:7 the test test_a_b is no sentence",
        ];
        expect(check, &[("tests/a.rs", text)], &expected);
    }
}
