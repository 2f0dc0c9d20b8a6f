//! The file behind a simulated counterparty: a line for everything it did, appended before anybody is told.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;

pub(super) struct Ledger {
    file: File,
}

impl Ledger {
    /// Reads what was done before, line by line; a last line that was cut short is dropped.
    ///
    /// # Errors
    /// The file cannot be made, read or written; or `take` does not know a line.
    pub(super) fn open(path: &Path, mut take: impl FnMut(&[&str]) -> Option<()>) -> io::Result<Self> {
        if let Some(dir) = path.parent() {
            std::fs::create_dir_all(dir)?;
        }
        let file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let (mut reader, mut line, mut whole) = (BufReader::new(&file), String::new(), 0);
        while reader.read_line(&mut line)? > 0 && line.ends_with('\n') {
            whole += line.len() as u64;
            take(&line.split_whitespace().collect::<Vec<_>>()).ok_or_else(|| {
                let what = format!("{} holds a line that means nothing: {}", path.display(), line.trim_end());
                io::Error::new(io::ErrorKind::InvalidData, what)
            })?;
            line.clear();
        }
        file.set_len(whole)?;
        Ok(Self { file })
    }

    /// Appends a line in one write.
    pub(super) fn add(&mut self, line: &str) -> io::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_was_cut_short_never_happened_and_one_that_means_nothing_is_named() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("deep/ledger");
        let mut ledger = Ledger::open(&path, |_| None).expect("empty");
        ledger.add("paid 1").expect("written");
        OpenOptions::new().append(true).open(&path).expect("there").write_all(b"paid 2").expect("half");
        let mut seen = Vec::new();
        let mut read = |words: &[&str]| {
            seen.push(words.join(" "));
            (words[0] == "paid").then_some(())
        };
        Ledger::open(&path, &mut read).expect("sound").add("void 3").expect("written");
        let why = Ledger::open(&path, &mut read).err().expect("void means nothing").to_string();
        assert!(why.ends_with("holds a line that means nothing: void 3"), "{why}");
        assert_eq!(seen, ["paid 1", "paid 1", "void 3"]);
    }
}
