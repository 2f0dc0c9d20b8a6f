//! The attackers of one phase, seen from here: a process that is told by the end of its input when it is over.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use stockade::client::{ClientOptions, PemSource};
use tokio::sync::oneshot;

use crate::arguments::{Hostile, Kind};
use crate::attack::{Counts, STANDING};
use crate::drive::Goods;
use crate::failure::Failure;
use crate::progress::rounded;

/// Attackers at work. They end with this.
pub(super) struct Company {
    process: Child,
    standing: oneshot::Receiver<()>,
    counts: oneshot::Receiver<Counts>,
}

impl Company {
    /// Sends them out against the server that `client` would connect to.
    pub(super) fn start(kind: Kind, hostile: &Hostile, client: &ClientOptions, goods: Goods) -> Result<Self, Failure> {
        let mut command = std::env::current_exe().map(Command::new).map_err(Failure::io("finding", "this program"))?;
        command.args(["child-attack", kind.name(), "--address", &client.address.to_string()]);
        command.arg("--trust").arg(file(&client.ca)?).args(["--name", &client.expected_name()]);
        if let Some(identity) = &client.identity {
            command.arg("--identity").arg(file(&identity.cert)?).arg("--identity-key").arg(file(&identity.key)?);
        }
        command.args(["--count", &connections(kind, hostile).to_string()]);
        let per_second = if kind == Kind::Handshakes { hostile.handshakes } else { hostile.streams };
        command.args(["--per-second", &per_second.to_string()]);
        let over_ms = match kind {
            Kind::NeverReads | Kind::HalfFrames | Kind::Gaps => rounded(hostile.over.min(hostile.duration / 2.0) * 1e3),
            // Their pace is asked for, or they have none.
            Kind::Streams | Kind::Handshakes | Kind::Idle => 0,
        };
        command.args(["--over-ms", &over_ms.to_string()]);
        command.args(["--market", &goods.market.number().to_string(), "--sku", &goods.sku.0.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().map_err(Failure::io("starting attackers by", "this program"))?;
        let (stand, standing) = oneshot::channel();
        let (count, counts) = oneshot::channel();
        if let Some(output) = process.stdout.take() {
            std::thread::spawn(move || follow(output, stand, count));
        }
        Ok(Self { process, standing, counts })
    }

    /// Waits until everybody is there.
    pub(super) async fn stand(&mut self) -> Result<(), Failure> {
        (&mut self.standing).await.map_err(|_| failed("ended before they stood"))
    }

    /// Calls them back; what they did.
    pub(super) async fn end(mut self) -> Result<Counts, Failure> {
        drop(self.process.stdin.take());
        (&mut self.counts).await.map_err(|_| failed("ended without their counts"))
    }
}

impl Drop for Company {
    fn drop(&mut self) {
        // They have nothing more to say; whoever does not end is ended.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// Connections that they begin with.
pub(super) const fn connections(kind: Kind, hostile: &Hostile) -> u32 {
    match kind {
        Kind::NeverReads | Kind::HalfFrames | Kind::Streams | Kind::Gaps => hostile.attackers,
        // They come and go: with the first of them the phase has begun.
        Kind::Handshakes => 1,
        Kind::Idle => hostile.idle,
    }
}

fn follow(output: ChildStdout, stand: oneshot::Sender<()>, count: oneshot::Sender<Counts>) {
    let mut lines = BufReader::new(output).lines().map_while(Result::ok);
    // Who waits for either of them may be gone.
    if lines.next().as_deref() == Some(STANDING) && stand.send(()).is_ok() {
        let counts = lines.next().and_then(|line| serde_json::from_str(&line).ok());
        let _told = counts.map(|counts| count.send(counts));
    }
}

fn file(source: &PemSource) -> Result<&std::path::Path, Failure> {
    match source {
        PemSource::File(path) => Ok(path),
        PemSource::Text(_) => Err(Failure::Usage("attackers read certificates from files")),
    }
}

fn failed(answer: &str) -> Failure {
    Failure::Unexpected { attempt: "attackers".to_owned(), answer: answer.to_owned() }
}
