//! A file system of a few megabytes that only these tests see: to be filled up, or to be read only.
//!
//! ```text
//! holder: unshare --mount, mounts a tmpfs, waits      its standard input is a pipe from here
//!    ▲ nsenter                                        /proc/HOLDER/root shows the test what is in there
//!   node
//! ```
//!
//! # Why so
//! A disk is full in earnest only when the kernel says so. A mount of one's own needs a user namespace or root; where
//! neither may be had, the test says on standard error that it proved nothing.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

pub(crate) struct Room {
    holder: Child,
    at: TempDir,
    own_users: bool,
}

impl Room {
    /// Mounts a tmpfs with these options; `None`, and loud about it, where that is not allowed.
    pub(crate) fn mounted(options: &str) -> Option<Self> {
        let as_root = rustix::process::geteuid().is_root();
        let made = Self::hold(options, !as_root);
        if made.is_none() {
            eprintln!("NOT TESTED: no file system of one's own may be mounted here (unshare --mount)");
        }
        made
    }

    fn hold(options: &str, own_users: bool) -> Option<Self> {
        let at = tempfile::tempdir().expect("a directory");
        let script = r#"mount -t tmpfs -o "$1" tmpfs "$0" && echo mounted && read -r _"#;
        let mut command = Command::new("unshare");
        command.args(["--mount", "--propagation", "private"]);
        if own_users {
            command.args(["--user", "--map-root-user"]);
        }
        command.args(["sh", "-c", script]).arg(at.path()).arg(options);
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().ok()?;
        let mut line = String::new();
        BufReader::new(holder.stdout.take().expect("a pipe")).read_line(&mut line).expect("readable");
        let room = Self { holder, at, own_users };
        (line.trim() == "mounted").then_some(room)
    }

    /// What starts a program in there.
    pub(crate) fn entrance(&self) -> Vec<OsString> {
        let pid = self.holder.id();
        let mut line: Vec<OsString> = vec!["nsenter".into(), format!("--mount=/proc/{pid}/ns/mnt").into()];
        if self.own_users {
            line.extend([format!("--user=/proc/{pid}/ns/user").into(), "--preserve-credentials".into()]);
        }
        line
    }

    /// Where it is, for a program in there.
    pub(crate) fn path(&self) -> &Path {
        self.at.path()
    }

    /// Where it is, for us.
    pub(crate) fn seen_from_here(&self) -> PathBuf {
        let inside = self.at.path().strip_prefix("/").expect("a temporary directory has an absolute path");
        Path::new(&format!("/proc/{}/root", self.holder.id())).join(inside)
    }

    /// Bytes that may still be written there.
    pub(crate) fn free_bytes(&self) -> u64 {
        let room = rustix::fs::statvfs(self.seen_from_here()).expect("it is mounted");
        room.f_bavail * room.f_frsize
    }

    /// Leaves so many bytes free, by a file that is there for nothing else.
    pub(crate) fn leave(&self, bytes: u64) {
        let path = self.seen_from_here().join("filler");
        let filler = std::fs::OpenOptions::new().create(true).append(true).open(path).expect("room for a name");
        let length = filler.metadata().expect("it is open").len() + self.free_bytes();
        let length = length.checked_sub(bytes).expect("there is less room than that already");
        rustix::fs::fallocate(&filler, rustix::fs::FallocateFlags::empty(), 0, length).expect("room");
    }

    /// Takes that file away.
    pub(crate) fn clear(&self) {
        std::fs::remove_file(self.seen_from_here().join("filler")).expect("it was filled");
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // It ends by itself when its pipe closes, and its mount with it.
        let _ended = self.holder.wait();
    }
}
