//! A directory of its own for every test, a server in it, and commands that run there.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// What every command of these tests starts from.
pub(crate) fn program(dir: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stockade"));
    let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("STOCKADE_"));
    ours.for_each(|(name, _)| {
        command.env_remove(name);
    });
    command.current_dir(dir);
    command
}

/// How a command ended.
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    pub(crate) fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("text");
        let code = output.status.code().expect("ended by itself");
        Self { code, out: text(output.stdout), err: text(output.stderr) }
    }

    /// It worked; what it said.
    #[track_caller]
    pub(crate) fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// It worked; its JSON.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        serde_json::from_str(&self.ok()).expect("one JSON document")
    }

    /// It failed with this code; its error.
    #[track_caller]
    pub(crate) fn failed(self, code: i32) -> String {
        assert_eq!(self.code, code, "{}{}", self.out, self.err);
        self.err
    }
}

/// Runs a command to its end.
pub(crate) fn run(dir: &Path, arguments: &[&str]) -> Ended {
    Ended::of(program(dir).args(arguments).output().expect("the program runs"))
}

/// A server in a directory of its own, on a free port of loopback.
pub(crate) struct Server {
    pub(crate) dir: TempDir,
    child: Child,
    pub(crate) address: String,
    pub(crate) said: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a directory"))
    }

    pub(crate) fn start_in(dir: TempDir) -> Self {
        Self::start_with(dir, &[])
    }

    pub(crate) fn start_with(dir: TempDir, flags: &[&str]) -> Self {
        let small = [
            ["--shards", "2"],
            ["--segment-bytes", "1MiB"],
            ["--low-water-bytes", "1MiB"],
            ["--orders-max", "10000"],
            ["--keys-max", "1000"],
        ];
        let mut serve = program(dir.path());
        serve
            .args(["serve", "--address", "127.0.0.1:0", "--http-address", "none", "--log", "warn"])
            .args(small.concat())
            .args(flags);
        let mut child = serve.stdout(Stdio::piped()).spawn().expect("the program runs");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut said = Vec::new();
        // The last line it says is how to stop it.
        while !said.last().is_some_and(|line: &String| line.starts_with("Ctrl-C")) {
            said.push(lines.next().expect("the server says that it is ready").expect("text"));
        }
        let ready = said[0].strip_prefix("stockade is ready on ").expect("the first line");
        let address = ready.split(' ').next().expect("an address").to_owned();
        Self { dir, child, address, said }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a client command against this server.
    pub(crate) fn run(&self, line: &str) -> Ended {
        self.run_words(&line.split_whitespace().collect::<Vec<_>>())
    }

    pub(crate) fn run_words(&self, words: &[&str]) -> Ended {
        let server = ["--connect", &self.address];
        Ended::of(program(self.path()).args(words).args(server).output().expect("the program runs"))
    }

    /// SIGTERM, and the end.
    #[track_caller]
    pub(crate) fn stop(mut self) -> TempDir {
        let pid = Pid::from_child(&self.child);
        kill_process(pid, Signal::TERM).expect("it lives");
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "a server that was told to stop has done nothing wrong");
        std::mem::replace(&mut self.dir, tempfile::tempdir().expect("a directory"))
    }

    /// SIGKILL, and the end.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.kill().expect("it lives");
        self.child.wait().expect("it ends");
        std::mem::replace(&mut self.dir, tempfile::tempdir().expect("a directory"))
    }

    /// One number of `stock get --json`.
    #[track_caller]
    pub(crate) fn stock(&self, sku: &str, bucket: &str) -> i64 {
        let stock = self.run(&format!("stock get {sku} --json")).json();
        let rows = stock["stock"].as_array().expect("rows").iter();
        rows.map(|row| row[bucket].as_i64().expect("a number")).sum()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // A server that was stopped already has nothing left to kill.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
