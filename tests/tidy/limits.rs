//! Limits stand in one file, and those of one subject in a file below it, where their relations are checked at compile
//! time.
//!
//! What a name ends in says what it is. `_MAX` and `_MIN` are limits, and so is a size in bytes that another module may
//! use. A size that only its own folder knows is layout, and stays beside what it describes; so does one that is
//! computed from a shape with `size_of`.

use crate::finding::Finding;
use crate::source::words;
use crate::tree::Tree;

const HOME: &str = "src/base/limits.rs";
/// What has no room there.
const REST: &str = "src/base/limits/";

pub(crate) fn check(tree: &Tree) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (path, source) in tree.sources().filter(|(path, _)| is_elsewhere(path)) {
        for line in source.product() {
            let Some((name, public)) = constant(&line.code) else { continue };
            let limit = name.ends_with("_MAX") || name.ends_with("_MIN");
            let shared = public && name.ends_with("_BYTES") && !line.code.contains("size_of");
            if limit || shared {
                let instead = format!("move it to {HOME} with what must hold between it and the others");
                findings.push(Finding::new(path, line.number, format!("the limit {name} is hidden here"), instead));
            }
        }
    }
    findings
}

fn is_elsewhere(path: &str) -> bool {
    path.starts_with("src/") && path != HOME && !path.starts_with(REST)
}

/// The name of a constant that is declared on this line, and whether other folders may use it.
fn constant(code: &str) -> Option<(&str, bool)> {
    let code = code.trim_start();
    let (visibility, rest) = code.split_once("const ")?;
    let (_, name) = words(rest).next().filter(|(at, _)| *at == 0)?;
    let known = ["", "pub", "pub(super)", "pub(crate)", "pub(self)"].contains(&visibility.trim_end());
    known.then_some((name, matches!(visibility.trim_end(), "pub" | "pub(crate)")))
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::finding::expect;

    #[test]
    fn a_limit_outside_the_file_of_limits_is_found() {
        expect(
            check,
            &[
                ("src/base/limits.rs", "pub const LINES_MAX: usize = 5;\n"),
                ("src/base/limits/tasks.rs", "pub const WORDS_MAX: usize = 5;\n"),
                ("src/server/session.rs", "const FRAMES_MAX: usize = 5;\npub(crate) const ROW_BYTES: usize = 5;\n"),
                (
                    "src/wire/frame.rs",
                    "pub const HEAD_BYTES: usize = size_of::<Head>();\nconst ROW_BYTES: usize = 5;\n",
                ),
                ("src/wire/tests/golden.rs", "const ROWS_MAX: usize = 5;\n"),
            ],
            &[
                "src/server/session.rs:1 the limit FRAMES_MAX is hidden here",
                "src/server/session.rs:2 the limit ROW_BYTES is hidden here",
            ],
        );
    }
}
