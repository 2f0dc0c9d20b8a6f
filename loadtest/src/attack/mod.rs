//! The attackers of `hostile`: a process of their own that does one kind of harm until its standard input closes.
//!
//! ```text
//! parent ── arguments ──► child-attack ── raw QUIC, one socket ──► server
//!    │ ◄── "standing" ─────────┘    once everybody it begins with has connected, or could not
//!    └── closes the pipe ──► counts as one line of JSON, end
//! ```
//!
//! # Always true
//! - Nothing here waits for the server to be kind: who is closed comes again, and what fails is counted.
//! - A process ends when its parent does.
//! # Not here
//! - Judging what the server did about it: `hostile`. The client library: it keeps the rules.
//! # Why so
//! A process, and not a thread: attackers of another machine would not take this one's cores from the honest clients,
//! so they run at the lowest priority; and what they hold, ten thousand connections for instance, is gone with them.
//! All of them share one socket: a QUIC connection is known by its identifier and needs no port of its own, so the
//! limit on open files is never near.

mod counts;
mod forge;
mod frames;
mod front;

mod gaps;
mod half_frames;
mod handshakes;
mod idle;
mod never_reads;
mod streams;

use std::io::{Read, Write};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::task::LocalSet;

use crate::arguments::{ChildAttack, Kind};
pub(crate) use counts::Counts;
use front::{Front, Manner};

/// What the line says that is printed when everybody is there.
pub(crate) const STANDING: &str = "standing";
/// Whoever has not connected by then is not waited for.
const STANDING_WAIT: Duration = Duration::from_secs(120);
/// At the end: for the last packets.
const PARTING_WAIT: Duration = Duration::from_secs(3);
/// Politeness: the server and its honest clients come first.
const NICENESS: i32 = 19;

/// Attacks until standard input closes.
pub(crate) fn run(options: &ChildAttack) -> ExitCode {
    // A system that does not let us be polite is attacked all the same.
    let _niceness = rustix::process::nice(NICENESS);
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return failed(&error.to_string()),
    };
    match LocalSet::new().block_on(&runtime, attack(options)) {
        Ok(counts) => {
            println!("{}", serde_json::to_string(&counts).expect("law: counts are plain JSON"));
            ExitCode::SUCCESS
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &str) -> ExitCode {
    eprintln!("attackers: {error}");
    ExitCode::from(crate::EXIT_WRONG)
}

async fn attack(options: &ChildAttack) -> Result<Counts, String> {
    let closed = closed_input();
    let manner = match options.kind {
        Kind::NeverReads => Manner::DEAF,
        Kind::Gaps => Manner::FORGED,
        Kind::HalfFrames | Kind::Streams | Kind::Handshakes | Kind::Idle => Manner::PLAIN,
    };
    let front = Rc::new(Front::open(options, manner)?);
    let work = async {
        match options.kind {
            Kind::NeverReads => never_reads::attack(&front, options).await,
            Kind::HalfFrames => half_frames::attack(&front, options).await,
            Kind::Streams => streams::attack(&front, options).await,
            Kind::Handshakes => handshakes::attack(&front, options).await,
            Kind::Gaps => gaps::attack(&front, options).await,
            Kind::Idle => idle::attack(&front, options).await,
        }
    };
    let standing = async {
        let _late = tokio::time::timeout(STANDING_WAIT, front.wait_for(options.count)).await;
        println!("{STANDING}");
        let _told = std::io::stdout().flush();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = work => {}
        () = standing => {}
        _ = closed => {}
    }
    let counts = front.counts();
    front.close();
    let _gone = tokio::time::timeout(PARTING_WAIT, front.wait_idle()).await;
    Ok(counts)
}

/// Standard input is a pipe from the parent: it closes when the attack is over, or the parent is gone.
fn closed_input() -> oneshot::Receiver<()> {
    let (tell, closed) = oneshot::channel();
    std::thread::spawn(move || {
        let _closed = std::io::stdin().read(&mut [0]);
        let _told = tell.send(());
    });
    closed
}
