//! A wish for a snapshot: how somebody on the server's machine asks for one and hears what became of it.
//!
//! ```text
//! who asks                            DATA_DIR                                   the snapshots' thread
//!   makes a file of its own ────────► snapshot-N.wanted ──── renames it ───────► snapshot-N.making
//!   waits for one of these ◄───────── snapshot-N.made │ snapshot-N.failed ◄──────┘ with the reason
//!                                     snapshots.on      there while a thread takes wishes up
//! ```
//!
//! # Always true
//! - Success is said, never concluded from something that is not there; and it is said of a snapshot that was begun
//!   after it was asked for.
//! - Nobody touches the file of another who asks. All who ask before one snapshot begins get that one.
//! - A wish that was being fulfilled when its server ended is wanted again at the next one.
//! # Why so
//! Whoever may write into the data directory may ask, and nobody else: a snapshot costs the disk something, and the
//! door lets in whoever has a certificate.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::base::limits::{SNAPSHOT_LOOK_MS, SNAPSHOT_WISH_LOOK_MS, SNAPSHOT_WISH_MS_MAX};

/// Where wishes are.
#[derive(Debug, Clone)]
pub struct SnapshotWishes {
    data: PathBuf,
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
    #[error(
        "the server takes no such wish up: with snapshot_log_bytes 0, or durability memory, it makes no snapshots; one \
         that is still starting can be asked again"
    )]
    Ignored,
    /// The server ended before it was made.
    #[error("the server ended before the snapshot was made; the next one that starts makes it")]
    Gone,
    /// The server tried.
    #[error("no snapshot was made: {why}")]
    Failed {
        /// The server's words.
        why: String,
    },
}

const WANTED: &str = "wanted";
const MAKING: &str = "making";
const MADE: &str = "made";
const FAILED: &str = "failed";

impl SnapshotWishes {
    /// Of the server whose data lies there.
    #[must_use]
    pub fn of(data: &Path) -> Self {
        Self { data: data.to_path_buf() }
    }

    /// Asks under a name that nobody else uses, and waits until the snapshot is made. `is_served` says whether a server
    /// runs on the data.
    ///
    /// # Errors
    /// [`WishFault`].
    pub fn ask(&self, name: u64, is_served: impl Fn() -> bool) -> Result<(), WishFault> {
        let path = |state: &str| self.data.join(format!("snapshot-{name}.{state}"));
        let (wanted, made, failed) = (path(WANTED), path(MADE), path(FAILED));
        fs::write(&wanted, b"").map_err(file("make", &wanted))?;
        let (asked, mut looked) = (Instant::now(), Instant::now());
        loop {
            if made.try_exists().map_err(file("look for", &made))? {
                return fs::remove_file(&made).map_err(file("remove", &made));
            }
            if failed.try_exists().map_err(file("look for", &failed))? {
                let why = fs::read_to_string(&failed).map_err(file("read", &failed))?;
                fs::remove_file(&failed).map_err(file("remove", &failed))?;
                return Err(WishFault::Failed { why });
            }
            // Not at every turn: looking takes the lock for a moment, where nobody has it.
            if looked.elapsed() > Duration::from_millis(SNAPSHOT_LOOK_MS) {
                if !is_served() {
                    return Err(WishFault::Gone);
                }
                looked = Instant::now();
            }
            let is_late = asked.elapsed() > Duration::from_millis(SNAPSHOT_WISH_MS_MAX);
            if is_late && !self.on().exists() {
                fs::remove_file(&wanted).map_err(file("remove", &wanted))?;
                return Err(WishFault::Ignored);
            }
            std::thread::park_timeout(Duration::from_millis(SNAPSHOT_WISH_LOOK_MS));
        }
    }

    /// There while a thread takes wishes up.
    fn on(&self) -> PathBuf {
        self.data.join("snapshots.on")
    }

    /// Says that wishes are taken up from here on, and wants again what a server before this one was making.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn open(&self) -> io::Result<()> {
        for making in self.all(MAKING) {
            fs::rename(&making, making.with_extension(WANTED))?;
        }
        fs::write(self.on(), b"")
    }

    /// Says that none are taken up, and forgets what was told and never read.
    pub(super) fn close(&self) {
        let told = [MADE, FAILED].into_iter().flat_map(|state| self.all(state));
        for path in told.chain([self.on()]) {
            let _not_there = fs::remove_file(path);
        }
    }

    /// Takes up every wish there is.
    pub(super) fn take_up(&self) -> Vec<PathBuf> {
        let taken = self.all(WANTED).into_iter().filter_map(|wanted| {
            let making = wanted.with_extension(MAKING);
            // One that was taken back meanwhile is not there.
            fs::rename(&wanted, &making).ok().map(|()| making)
        });
        taken.collect()
    }

    /// Tells who asked what became of it: made, or why not.
    pub(super) fn settle(making: &[PathBuf], why: Option<&str>) {
        for path in making {
            let told = match why {
                None => fs::rename(path, path.with_extension(MADE)),
                Some(why) => fs::write(path, why).and_then(|()| fs::rename(path, path.with_extension(FAILED))),
            };
            if let Err(fault) = told {
                tracing::warn!(%fault, "who asked for a snapshot could not be told what became of it");
            }
        }
    }

    fn all(&self, state: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.data).into_iter().flatten().flatten().map(|entry| entry.path());
        let is_wish = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            name.starts_with("snapshot-") && path.extension().is_some_and(|extension| extension == state)
        };
        entries.filter(is_wish).collect()
    }
}

fn file(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> WishFault {
    move |source| WishFault::File { attempt, path: path.to_path_buf(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Asks under these names at once; what each is told.
    fn ask(wishes: &SnapshotWishes, names: &[u64]) -> Vec<std::thread::JoinHandle<Result<(), String>>> {
        let one = |name: u64| {
            let wishes = wishes.clone();
            std::thread::spawn(move || wishes.ask(name, || true).map_err(|why| why.to_string()))
        };
        names.iter().copied().map(one).collect()
    }

    fn taken(wishes: &SnapshotWishes, count: usize) -> Vec<PathBuf> {
        let mut making = Vec::new();
        while making.len() < count {
            making.extend(wishes.take_up());
            std::thread::yield_now();
        }
        making
    }

    #[test]
    fn each_who_asks_hears_of_a_snapshot_that_was_begun_after_it_asked() {
        let dir = tempfile::tempdir().expect("a directory");
        let wishes = SnapshotWishes::of(dir.path());
        wishes.open().expect("writable");
        let first = ask(&wishes, &[1, 2]);
        let making = taken(&wishes, 2);
        // Asked while those are being made.
        let later = ask(&wishes, &[3]);
        let for_later = taken(&wishes, 1);
        SnapshotWishes::settle(&making, Some("the disk is low"));
        for told in first {
            assert_eq!(told.join().expect("no panic"), Err("no snapshot was made: the disk is low".to_owned()));
        }
        SnapshotWishes::settle(&for_later, None);
        for told in later {
            assert_eq!(told.join().expect("no panic"), Ok(()));
        }
        wishes.close();
        assert_eq!(fs::read_dir(dir.path()).expect("it is there").count(), 0);
    }

    #[test]
    fn a_wish_whose_server_ended_is_wanted_again_at_the_next_one() {
        let dir = tempfile::tempdir().expect("a directory");
        let wishes = SnapshotWishes::of(dir.path());
        wishes.open().expect("writable");
        assert!(matches!(wishes.ask(7, || false), Err(WishFault::Gone)));
        assert_eq!(wishes.take_up().len(), 1);
        assert_eq!(wishes.take_up().len(), 0, "taken up once");
        wishes.open().expect("writable");
        assert_eq!(wishes.take_up().len(), 1);
    }
}
