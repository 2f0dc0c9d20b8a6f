//! The receipt of an import: `FILE.csv.imported`, beside the file. It remembers under which time its lines were
//! received, so that the same file uses the same identifiers however much later it comes again.
//!
//! ```text
//! no receipt ─► written, finished: false ─► lines are received ─► written again, finished: true
//! ```
//!
//! # Always true
//! - It is on the disk before the first line is sent: an import that was broken off is recognised.
//! # Why so
//! The server remembers a stock request for 24 hours of its log time and cannot tell after that whether it was carried
//! out. Something that lives as long as the file has to.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::base::Timestamp;

/// One import of one content of the file into one market.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Receipt {
    /// XXH3-128 of the file's bytes.
    pub(super) file_hash: String,
    pub(super) market: String,
    /// The time in the identifiers of its requests: log time of the server.
    pub(super) made_at_ms: u64,
    /// Log time at which the import was begun, for people.
    pub(super) begun_at: String,
    pub(super) lines: u64,
    /// Every line was answered.
    pub(super) finished: bool,
}

impl Receipt {
    pub(super) fn new(hash: u128, market: &str, (made_at, begun_at): (Timestamp, Timestamp), lines: u64) -> Self {
        let file_hash = format!("{hash:032x}");
        let market = market.to_owned();
        Self { file_hash, market, made_at_ms: made_at.ms(), begun_at: begun_at.utc(), lines, finished: false }
    }

    /// The time in the identifiers of its requests.
    pub(super) const fn at(&self) -> Timestamp {
        Timestamp::from_ms(self.made_at_ms)
    }

    fn is_of(&self, hash: u128, market: &str) -> bool {
        self.file_hash == format!("{hash:032x}") && self.market == market
    }
}

/// Where the receipts of a file are.
pub(super) fn path(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".imported");
    name.into()
}

/// The receipt of this content and market, if there is one.
///
/// # Errors
/// The receipts are there and cannot be read.
pub(super) fn find(path: &Path, hash: u128, market: &str) -> io::Result<Option<Receipt>> {
    Ok(all(path)?.into_iter().find(|receipt| receipt.is_of(hash, market)))
}

/// Keeps a receipt, in the place of an older one of the same content and market.
///
/// # Errors
/// It is not on the disk.
pub(super) fn keep(path: &Path, receipt: &Receipt) -> io::Result<()> {
    let mut receipts = all(path)?;
    let same = |other: &Receipt| other.file_hash == receipt.file_hash && other.market == receipt.market;
    receipts.retain(|other| !same(other));
    receipts.push(receipt.clone());
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let text = serde_json::to_string_pretty(&receipts).map_err(io::Error::other)?;
    let mut file = File::create(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    // The file's name is on the disk only when its directory is.
    File::open(directory_of(path))?.sync_all()
}

/// Where a file lies; a bare name lies in the current directory.
fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

fn all(path: &Path) -> io::Result<Vec<Receipt>> {
    match fs::read(path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: (Timestamp, Timestamp) = (Timestamp::from_ms(1_000), Timestamp::from_ms(1_500));

    #[test]
    fn a_receipt_is_found_by_content_and_market_and_replaced_by_a_newer_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = path(&dir.path().join("stock.csv"));
        assert!(path.ends_with("stock.csv.imported"));
        assert_eq!(find(&path, 7, "default").expect("readable"), None);
        let first = Receipt::new(7, "default", AT, 3);
        keep(&path, &first).expect("kept");
        keep(&path, &Receipt::new(7, "other", AT, 3)).expect("kept");
        let finished = Receipt { finished: true, ..first };
        keep(&path, &finished).expect("kept");
        assert_eq!(find(&path, 7, "default").expect("readable"), Some(finished));
        assert_eq!(find(&path, 8, "default").expect("readable"), None);
    }

    #[test]
    fn a_bare_name_lies_in_the_current_directory() {
        assert_eq!(directory_of(Path::new("stock.csv.imported")), Path::new("."));
        assert_eq!(directory_of(Path::new("in/stock.csv.imported")), Path::new("in"));
    }

    #[test]
    fn receipts_that_cannot_be_read_are_an_error_and_never_taken_for_none() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("x.imported");
        fs::write(&path, "{").expect("written");
        assert!(find(&path, 7, "default").is_err());
        assert!(keep(&path, &Receipt::new(7, "default", AT, 1)).is_err());
    }
}
