//! A Rust file taken apart: what is code, what is comment, what is test.
//!
//! ```text
//! let n = "// no"; // yes      text
//! let n = "     ";             code       what is not code is blank, so that columns stay
//!                  // yes      comment
//! ```
//!
//! # Not here
//! - Syntax. Tokens are enough for every rule there is.

/// One line, three times over.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    /// Counted from 1.
    pub(crate) number: usize,
    pub(crate) code: String,
    pub(crate) comment: String,
    /// Inside an item that is compiled for tests only.
    pub(crate) test: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) lines: Vec<Line>,
    /// The whole file is test code.
    pub(crate) test: bool,
    /// Modules it declares for tests only, as paths without `.rs`.
    pub(crate) test_modules: Vec<String>,
}

impl Source {
    pub(crate) fn read(path: &str, text: &str) -> Self {
        let (code, comment) = split(text);
        let (regions, modules) = test_items(&code);
        let test_line = |number: usize| regions.iter().any(|&(first, last)| (first..=last).contains(&number));
        let lines = code.lines().zip(comment.lines()).zip(1..).map(|((code, comment), number)| Line {
            number,
            code: code.trim_end().to_owned(),
            comment: comment.trim().to_owned(),
            test: test_line(number),
        });
        let folder = path.strip_suffix("/mod.rs").or_else(|| path.strip_suffix(".rs")).unwrap_or(path);
        let folder = if path.ends_with("/lib.rs") || path.ends_with("/main.rs") { parent(path) } else { folder };
        Self {
            lines: lines.collect(),
            test: path.split('/').any(|part| part == "tests" || part == "benches" || part == "tests.rs"),
            test_modules: modules.iter().map(|module| format!("{folder}/{module}")).collect(),
        }
    }

    /// Lines that are compiled into the product.
    pub(crate) fn product(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| !self.test && !line.test)
    }

    /// Lines that only tests and benches see.
    pub(crate) fn tests(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| self.test || line.test)
    }

    /// The code as one text, line by line.
    pub(crate) fn code(&self) -> String {
        self.lines.iter().map(|line| format!("{}\n", line.code)).collect()
    }
}

/// The folder of a path.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

pub(crate) const fn is_word(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || letter == '_'
}

/// The words of a text, each with the byte it begins at.
pub(crate) fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut rest = 0;
    std::iter::from_fn(move || {
        let begin = rest + text[rest..].find(is_word)?;
        let end = text[begin..].find(|letter| !is_word(letter)).map_or(text.len(), |length| begin + length);
        rest = end;
        Some((begin, &text[begin..end]))
    })
}

pub(crate) fn has_word(text: &str, word: &str) -> bool {
    words(text).any(|(_, found)| found == word)
}

#[derive(Clone, Copy, PartialEq)]
enum Mode {
    Code,
    LineComment,
    BlockComment { depth: usize },
    String,
    RawString { hashes: usize },
}

/// Code and comments, each with everything else blank.
fn split(text: &str) -> (String, String) {
    let letters: Vec<char> = text.chars().collect();
    let at = |index: usize| letters.get(index).copied().unwrap_or('\0');
    let (mut code, mut comment) = (String::new(), String::new());
    let (mut mode, mut index) = (Mode::Code, 0);
    while index < letters.len() {
        // How many letters go together, and whether they are code, comment or neither.
        let (length, to_code, to_comment, next) = match mode {
            Mode::Code => match (at(index), at(index + 1)) {
                ('/', '/') => (2, false, true, Mode::LineComment),
                ('/', '*') => (2, false, true, Mode::BlockComment { depth: 1 }),
                ('"', _) => (1, true, false, Mode::String),
                ('r', '"' | '#') => match raw_string(&letters, index) {
                    Some(hashes) => (hashes + 2, true, false, Mode::RawString { hashes }),
                    None => (1, true, false, Mode::Code),
                },
                ('\'', '\\') => {
                    let end = (index + 3..letters.len()).find(|&end| at(end) == '\'').unwrap_or(index);
                    (end + 1 - index, false, false, Mode::Code)
                }
                ('\'', _) if at(index + 2) == '\'' => (3, false, false, Mode::Code),
                _ => (1, true, false, Mode::Code),
            },
            Mode::LineComment if at(index) == '\n' => (1, false, false, Mode::Code),
            Mode::LineComment => (1, false, true, mode),
            Mode::BlockComment { depth } => match (at(index), at(index + 1)) {
                ('*', '/') if depth == 1 => (2, false, true, Mode::Code),
                ('*', '/') => (2, false, true, Mode::BlockComment { depth: depth - 1 }),
                ('/', '*') => (2, false, true, Mode::BlockComment { depth: depth + 1 }),
                _ => (1, false, true, mode),
            },
            Mode::String if at(index) == '\\' => (2, false, false, mode),
            Mode::String if at(index) == '"' => (1, true, false, Mode::Code),
            Mode::RawString { hashes } if at(index) == '"' && (1..=hashes).all(|n| at(index + n) == '#') => {
                (hashes + 1, true, false, Mode::Code)
            }
            Mode::String | Mode::RawString { .. } => (1, false, false, mode),
        };
        for letter in letters.iter().skip(index).take(length) {
            let keep = |keep: bool| if keep || *letter == '\n' { *letter } else { ' ' };
            code.push(keep(to_code));
            comment.push(keep(to_comment));
        }
        (index, mode) = (index + length, next);
    }
    (code, comment)
}

/// The number of `#` when a raw string begins here.
fn raw_string(letters: &[char], index: usize) -> Option<usize> {
    let before = |back: usize| index.checked_sub(back).map_or(' ', |at| letters[at]);
    let prefixed = matches!(before(1), 'b' | 'c') && !is_word(before(2));
    let hashes = letters[index + 1..].iter().take_while(|letter| **letter == '#').count();
    ((!is_word(before(1)) || prefixed) && letters.get(index + 1 + hashes) == Some(&'"')).then_some(hashes)
}

/// Items behind `#[cfg(test)]`: first and last line of each, and the modules among them that are other files.
fn test_items(code: &str) -> (Vec<(usize, usize)>, Vec<String>) {
    let line_of = |at: usize| 1 + code[..at].matches('\n').count();
    let (mut regions, mut modules) = (Vec::new(), Vec::new());
    let attributes = ["#[cfg(test)]", "#[cfg(all(test"].into_iter().flat_map(|cfg| code.match_indices(cfg));
    for (at, cfg) in attributes {
        let mut nesting = 0_i32;
        let mut end = code.len();
        for (offset, letter) in code[at..].char_indices().skip(cfg.len()) {
            nesting += i32::from(letter == '{') - i32::from(letter == '}');
            if nesting == 0 && (letter == ';' || letter == '}') {
                end = at + offset;
                break;
            }
        }
        regions.push((line_of(at), line_of(end.min(code.len().saturating_sub(1)))));
        let item: Vec<_> = words(&code[at..end]).map(|(_, word)| word).collect();
        if let [.., "mod", module] = item[..] {
            modules.push(module.to_owned());
        }
    }
    (regions, modules)
}

#[test]
fn strings_comments_and_letters_are_told_from_code() {
    let text = "let a = \"x // \\\" y\"; // b\nlet c = r#\"z \" \"#; /* d /* e */ f */ let g: &'s str = '\"'; 'h'\n";
    let (code, comment) = split(text);
    assert_eq!(code, "let a = \"         \";     \nlet c = r#\"    \"#;                   let g: &'s str =    ;    \n");
    assert_eq!(comment.lines().map(str::trim).collect::<Vec<_>>(), ["// b", "/* d /* e */ f */"]);
}

#[test]
fn items_behind_cfg_test_are_test_code() {
    let text =
        "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n#[cfg(test)]\nuse x::{y, z};\nfn d() {}\n";
    let source = Source::read("src/base/ids.rs", text);
    let test: Vec<_> = source.tests().map(|line| line.number).collect();
    assert_eq!(test, [2, 3, 4, 5, 7, 8]);
}

#[test]
fn words_end_where_identifiers_end() {
    assert!(has_word("deny(unsafe_code) unsafe {", "unsafe"));
    assert!(!has_word("deny(unsafe_code)", "unsafe"));
}
