//! A wish for a snapshot: how somebody on the server's machine asks for one and hears what became of it.
//!
//! ```text
//! who asks                          DATA_DIR                                    the snapshots' thread
//!   makes the file ───────────────► snapshot.wanted ──── renames it ──────────► snapshot.making
//!   waits until neither is there ◄─ (nothing), or snapshot.failed with the reason ◄──┘
//! ```
//!
//! # Always true
//! - Two who ask at once get one snapshot.
//! - A wish that nobody takes up is taken back by who made it.
//! # Why so
//! Whoever may write into the data directory may ask, and nobody else: a snapshot costs the disk something, and the
//! door lets in whoever has a certificate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::base::limits::{SNAPSHOT_WISH_LOOK_MS, SNAPSHOT_WISH_MS_MAX};

/// The files of a wish.
#[derive(Debug, Clone)]
pub struct SnapshotWish {
    wanted: PathBuf,
    making: PathBuf,
    failed: PathBuf,
}

/// Why a wish was not fulfilled.
#[derive(Debug, thiserror::Error)]
pub enum WishFault {
    /// A file could not be made, looked at or removed.
    #[error("cannot {attempt} {path}: {source}")]
    File {
        /// A verb.
        attempt: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nobody took it up.
    #[error("the server did not take it up; with snapshot_log_bytes 0, or durability memory, it makes no snapshots")]
    Ignored,
    /// The server tried.
    #[error("no snapshot was made: {why}")]
    Failed {
        /// The server's words.
        why: String,
    },
}

impl SnapshotWish {
    /// Of the server whose data lies there.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        let file = |name: &str| data.join(name);
        Self { wanted: file("snapshot.wanted"), making: file("snapshot.making"), failed: file("snapshot.failed") }
    }

    /// Asks, and waits until the snapshot is made.
    ///
    /// # Errors
    /// [`WishFault`].
    pub fn ask(&self) -> Result<(), WishFault> {
        remove(&self.failed).map_err(file("remove", &self.failed))?;
        // Somebody may have asked already: what comes of that is as good.
        fs::write(&self.wanted, b"").map_err(file("make", &self.wanted))?;
        let asked = Instant::now();
        loop {
            let is_wanted = self.wanted.try_exists().map_err(file("look for", &self.wanted))?;
            if !is_wanted && !self.making.try_exists().map_err(file("look for", &self.making))? {
                break;
            }
            if is_wanted && asked.elapsed() > Duration::from_millis(SNAPSHOT_WISH_MS_MAX) {
                remove(&self.wanted).map_err(file("remove", &self.wanted))?;
                return Err(WishFault::Ignored);
            }
            std::thread::park_timeout(Duration::from_millis(SNAPSHOT_WISH_LOOK_MS));
        }
        match fs::read_to_string(&self.failed) {
            Ok(why) => Err(WishFault::Failed { why }),
            Err(source) if source.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(file("read", &self.failed)(source)),
        }
    }

    /// Takes a wish up. `false` when there is none.
    pub(super) fn take_up(&self) -> bool {
        fs::rename(&self.wanted, &self.making).is_ok()
    }

    /// Tells who asked what became of it: made, or why not.
    pub(super) fn settle(&self, why: Option<&str>) {
        let told = why.map_or(Ok(()), |why| fs::write(&self.failed, why)).and_then(|()| remove(&self.making));
        if let Err(fault) = told {
            tracing::warn!(%fault, "who asked for a snapshot could not be told what became of it");
        }
    }

    /// Removes what is left of old ones.
    pub(super) fn forget(&self) {
        for path in [&self.wanted, &self.making, &self.failed] {
            let _not_there = fs::remove_file(path);
        }
    }
}

fn file(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WishFault {
    move |source| WishFault::File { attempt, path: path.to_path_buf(), source }
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(fault) if fault.kind() != io::ErrorKind::NotFound => Err(fault),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_hears_what_became_of_it() {
        let dir = tempfile::tempdir().expect("a directory");
        let wish = SnapshotWish::of(dir.path());
        let answer = |why: Option<&'static str>| {
            let wish = wish.clone();
            std::thread::spawn(move || {
                while !wish.take_up() {
                    std::thread::yield_now();
                }
                wish.settle(why);
            })
        };
        let server = answer(Some("the disk is low"));
        assert_eq!(wish.ask().expect_err("it failed").to_string(), "no snapshot was made: the disk is low");
        server.join().expect("no panic");
        let server = answer(None);
        wish.ask().expect("it was made");
        server.join().expect("no panic");
        wish.forget();
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0);
    }
}
