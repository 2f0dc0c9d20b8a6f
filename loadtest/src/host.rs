//! The server under test: one this run started, or one that was there.
//!
//! ```text
//! start ─► running ─ kill ─► gone ─ start again ─► running ─ stop ─► ended ─ audit ─► removed with its directory
//! ```
//!
//! # Always true
//! - A server this run started never outlives it: its standard input is a pipe from here, and it ends when that closes.
//! # Not here
//! - What the child process does: `child`.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use stockade::client::{Client, ClientIdentity, ClientOptions, PemSource};
use tempfile::TempDir;

use crate::arguments::{Durability, Simulated, Target};
use crate::child::{FORMULA, READY};
use crate::failure::Failure;
use crate::formula::Formula;

/// Bytes of the server's own words shown when it fails.
const SAID_BYTES_MAX: usize = 2_000;

/// Where the orders go.
pub(crate) struct Host {
    target: Target,
    address: SocketAddr,
    own: Option<Own>,
}

/// What our own server must have room for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    pub(crate) orders: u64,
    pub(crate) lines: u64,
    /// Orders whose memory is taken before the run, so that no figure measures the system finding pages.
    pub(crate) reserved: u64,
    /// Connections it serves; `None` for as many as it serves by default.
    pub(crate) connections_max: Option<u32>,
    /// Placements a second that it admits; `None` for as many as come.
    pub(crate) orders_per_second_max: Option<u32>,
    /// Attempts to pay orders; `None` for as many as it keeps by default.
    pub(crate) payments: Option<u64>,
    /// How its simulated payment provider, checker and warehouse behave; `None` for none.
    pub(crate) simulated: Option<Simulated>,
}

/// A server of our own.
struct Own {
    directory: TempDir,
    room: Room,
    /// Told by the server at its start.
    formula: Option<Formula>,
    process: Option<Child>,
}

impl Host {
    /// Connects to nothing yet; starts a server unless there is one to use.
    pub(crate) fn start(target: &Target, room: Room) -> Result<Self, Failure> {
        if let Some(address) = target.connect {
            return Ok(Self { target: target.clone(), address, own: None });
        }
        let parent = target.data_in.clone().unwrap_or_else(std::env::temp_dir);
        let directory = tempfile::Builder::new()
            .prefix("stockade-loadtest-")
            .tempdir_in(&parent)
            .map_err(Failure::io("making a directory in", parent))?;
        let mut own = Own { directory, room, formula: None, process: None };
        let address = own.start(target)?;
        Ok(Self { target: target.clone(), address, own: Some(own) })
    }

    /// A client of it with so many connections.
    pub(crate) async fn connect(&self, connections: usize) -> Result<Client, Failure> {
        Ok(Client::connect(ClientOptions { connections, ..self.options() }).await?)
    }

    /// How a client comes to it.
    pub(crate) fn options(&self) -> ClientOptions {
        let mut options = match (&self.own, &self.target.ca) {
            (Some(own), _) => ClientOptions::local(self.address, &own.data()),
            (None, Some(ca)) => {
                ClientOptions { address: self.address, ca: PemSource::File(ca.clone()), ..ClientOptions::default() }
            }
            (None, None) => ClientOptions { address: self.address, ..ClientOptions::default() },
        };
        if let (Some(cert), Some(key)) = (&self.target.cert, &self.target.key) {
            let (cert, key) = (PemSource::File(cert.clone()), PemSource::File(key.clone()));
            options.identity = Some(ClientIdentity { cert, key });
        }
        options
    }

    /// What our own server said it may take of memory; nobody knows of somebody else's.
    pub(crate) fn formula(&self) -> Option<Formula> {
        self.own.as_ref()?.formula
    }

    /// Bytes of log and images of our own server.
    pub(crate) fn data_bytes(&self) -> Result<Option<u64>, Failure> {
        let Some(own) = &self.own else { return Ok(None) };
        let data = own.data();
        bytes_of(&data).map(Some).map_err(Failure::io("looking at the size of", data))
    }

    /// Whether this run started it.
    pub(crate) const fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// SIGKILL, now.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        let own = self.own.as_mut().ok_or(NOT_OURS)?;
        let Some(mut process) = own.process.take() else { return Ok(()) };
        let data = own.data();
        process.kill().and_then(|()| process.wait()).map(drop).map_err(Failure::io("killing the server of", data))
    }

    /// Starts it again on what the last one left; how long that took.
    pub(crate) fn start_again(&mut self) -> Result<Duration, Failure> {
        let begin = Instant::now();
        self.address = self.own.as_mut().ok_or(NOT_OURS)?.start(&self.target)?;
        Ok(begin.elapsed())
    }

    /// Ends our own server as an operator would, and lets the log be folded offline; `None` for somebody else's server.
    pub(crate) fn stop_and_audit(&mut self) -> Result<Option<Value>, Failure> {
        let Some(own) = &mut self.own else { return Ok(None) };
        own.stop()?;
        own.audit().map(Some)
    }
}

const NOT_OURS: Failure = Failure::Usage("only a server that this run started can be killed: leave out --connect");

impl Own {
    fn data(&self) -> PathBuf {
        self.directory.path().join("data")
    }

    fn words(&self) -> PathBuf {
        self.directory.path().join("server.log")
    }

    fn start(&mut self, target: &Target) -> Result<SocketAddr, Failure> {
        let words = File::options()
            .create(true)
            .append(true)
            .open(self.words())
            .map_err(Failure::io("opening", self.words()))?;
        let mut command = this_program()?;
        command.arg("child-serve").arg("--data").arg(self.data());
        command.args(["--shards", &target.shards.to_string(), "--durability", durability(target.durability)]);
        command.args(["--orders-max", &self.room.orders.to_string(), "--lines-max", &self.room.lines.to_string()]);
        command.args(["--reserve-orders", &self.room.reserved.to_string()]);
        if let Some(connections) = self.room.connections_max {
            command.args(["--connections-max", &connections.to_string()]);
        }
        if let Some(limit) = self.room.orders_per_second_max {
            command.args(["--orders-per-second-max", &limit.to_string()]);
        }
        if let Some(payments) = self.room.payments {
            command.args(["--payments-max", &payments.to_string()]);
        }
        if let Some(Simulated { delay, declined, rejected, lost, repeated, simulated_seed }) = self.room.simulated {
            command.args(["--delay", &delay.to_string(), "--declined", &declined.to_string()]);
            command.args(["--rejected", &rejected.to_string(), "--lost", &lost.to_string()]);
            command.args(["--repeated", &repeated.to_string(), "--simulated-seed", &simulated_seed.to_string()]);
            command.arg("--hands-off");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(words);
        let mut process = command.spawn().map_err(Failure::io("starting a server on", self.data()))?;
        let (mut formula, mut address) = (None, None);
        if let Some(output) = process.stdout.take() {
            for line in BufReader::new(output).lines().take(2) {
                let line = line.map_err(Failure::io("listening to the server of", self.data()))?;
                formula = formula.or_else(|| line.strip_prefix(FORMULA)?.parse().ok());
                address = line.strip_prefix(READY).and_then(|address| address.trim().parse().ok());
            }
        }
        self.formula = formula;
        self.process = Some(process);
        address.ok_or_else(|| self.failed("did not get ready"))
    }

    /// SIGTERM, and waits for the end.
    fn stop(&mut self) -> Result<(), Failure> {
        let Some(mut process) = self.process.take() else { return Ok(()) };
        let attempt = || Failure::io("ending the server of", self.data());
        let pid = i32::try_from(process.id()).ok().and_then(Pid::from_raw).expect("law: a child has a number");
        // Waiting would close the pipe, and the server would end at once instead of in order.
        let pipe = process.stdin.take();
        kill_process(pid, Signal::TERM).map_err(|errno| attempt()(errno.into()))?;
        let status = process.wait().map_err(attempt())?;
        drop(pipe);
        if status.success() { Ok(()) } else { Err(self.failed(&format!("ended with {status}"))) }
    }

    fn audit(&self) -> Result<Value, Failure> {
        let output = this_program()?
            .arg("child-audit")
            .arg(self.data())
            .output()
            .map_err(Failure::io("starting the audit of", self.data()))?;
        let said = || String::from_utf8_lossy(&output.stderr).into_owned();
        if !output.status.success() {
            return Err(Failure::Child { what: format!("for the audit ended with {}", output.status), said: said() });
        }
        serde_json::from_slice(&output.stdout)
            .map_err(|error| Failure::Child { what: format!("for the audit printed no JSON ({error})"), said: said() })
    }

    fn failed(&self, what: &str) -> Failure {
        let mut said = String::new();
        if File::open(self.words()).and_then(|mut words| words.read_to_string(&mut said)).is_err() {
            said = "(its words cannot be read)".to_owned();
        }
        let from = said.char_indices().rev().nth(SAID_BYTES_MAX).map_or(0, |(at, _)| at);
        Failure::Child { what: what.to_owned(), said: said[from..].to_owned() }
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            // On the way out after a failure: there is nobody left to tell.
            let _ended = process.kill().and_then(|()| process.wait());
        }
    }
}

/// Bytes of every file below a directory. Files may come and go meanwhile.
fn bytes_of(directory: &Path) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let found = match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => bytes_of(&entry.path()),
            Ok(metadata) => Ok(metadata.len()),
            Err(error) => Err(error),
        };
        match found {
            Ok(found) => bytes += found,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Ok(bytes)
}

fn this_program() -> Result<Command, Failure> {
    std::env::current_exe().map(Command::new).map_err(Failure::io("finding", "this program"))
}

const fn durability(durability: Durability) -> &'static str {
    match durability {
        Durability::Sync => "sync",
        Durability::Interval => "interval",
        Durability::Memory => "memory",
    }
}
