//! A node in a process of its own: what its exit code is, what it says on the way out, what it leaves when killed.
//!
//! ```text
//! test process ── starts itself again, this file's test alone, settings in the environment ──► the node
//!      ▲ "listening on ADDRESS" or an exit code and an error                                     │
//!      └─────────────────────────────────────────────────────────────────────────────────────────┘
//! ```
//!
//! # Always true
//! - No child outlives its test: its standard input is a pipe from here, and it ends when that closes.
//! # Why so
//! Exit codes, signals and limits belong to a process. A node inside the test's own could not be given any.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use stockade::adapters::Opinion;
use stockade::adapters::simulated::Behaviour;
use stockade::base::OrderId;
use stockade::client::{Client, ClientOptions};
use stockade::node::{self, Config, Target, Watch, WebhookOptions};
use stockade::wal::{Progress, SyncMethod};

/// The name of the test below, which is also the way into a child.
const ENTRY: &str = "child::a_node_in_a_process_of_its_own_stops_when_it_is_told_to";
const VARIABLE: &str = "STOCKADE_TEST_NODE";
const READY: &str = "listening on ";
const WATCHED: &str = "watched on ";

/// What a test chooses about a node; everything else is the default.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) data: PathBuf,
    pub(crate) address: SocketAddr,
    /// Where metrics and health are told.
    pub(crate) watched: SocketAddr,
    pub(crate) shards: Option<u16>,
    pub(crate) low_water_bytes: u64,
    pub(crate) segment_bytes: u64,
    /// Zero for no snapshots.
    pub(crate) snapshot_log_bytes: u64,
    /// Measures the disk at the start, as a node does that is told nothing.
    pub(crate) probes: bool,
    /// A payment provider, a warehouse and a checker that are not there.
    pub(crate) simulated: Option<Simulated>,
    /// Who is told every fact.
    pub(crate) webhook: Option<Webhook>,
    /// A program that starts the node, with its arguments.
    pub(crate) through: Vec<OsString>,
}

/// A receiver of facts, and what is kept for it.
#[derive(Debug, Clone)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    pub(crate) secret_file: PathBuf,
    pub(crate) ca: PathBuf,
    pub(crate) feed_behind_bytes: u64,
}

/// How the simulated counterparties behave; shares are per thousand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Simulated {
    pub(crate) delay_ms: u64,
    pub(crate) declined: u16,
    pub(crate) rejected: u16,
    pub(crate) doubted: u16,
    pub(crate) lost: u16,
    pub(crate) repeated: u16,
}

impl Simulated {
    /// Of their chances.
    pub(crate) const SEED: u64 = 7;

    /// What the checker thinks of an order.
    pub(crate) const fn opinion(&self, order: OrderId) -> Opinion {
        Behaviour::opinion(Self::SEED, [self.rejected, self.doubted], order)
    }
}

impl Settings {
    pub(crate) fn new(data: &Path) -> Self {
        Self {
            data: data.to_owned(),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            watched: SocketAddr::from(([127, 0, 0, 1], 0)),
            shards: None,
            low_water_bytes: 0,
            segment_bytes: 1 << 20,
            snapshot_log_bytes: 0,
            probes: false,
            simulated: None,
            webhook: None,
            through: Vec::new(),
        }
    }

    fn to_variable(&self) -> String {
        let Self { data, address, watched, low_water_bytes, segment_bytes, snapshot_log_bytes, probes, .. } = self;
        let (shards, data) = (self.shards.unwrap_or(0), data.display());
        let simulated = self.simulated.map_or(String::from("none"), |it| {
            let Simulated { delay_ms, declined, rejected, doubted, lost, repeated } = it;
            format!("{delay_ms},{declined},{rejected},{doubted},{lost},{repeated}")
        });
        let webhook = self.webhook.as_ref().map_or(String::from("none"), |it| {
            let Webhook { url, secret_file, ca, feed_behind_bytes } = it;
            format!("{url},{},{},{feed_behind_bytes}", secret_file.display(), ca.display())
        });
        format!(
            "{address} {shards} {low_water_bytes} {segment_bytes} {snapshot_log_bytes} {probes} {watched} {simulated} \
             {webhook} {data}"
        )
    }

    fn from_variable(text: &str) -> Self {
        let parts: Vec<_> = text.splitn(10, ' ').collect();
        let number = |part: &str| part.parse().expect("a number");
        let simulated = |part: &str| match part.split(',').collect::<Vec<_>>()[..] {
            ["none"] => None,
            [delay_ms, ref shares @ ..] => {
                let shares: Vec<u16> = shares.iter().map(|share| share.parse().expect("a share")).collect();
                let [declined, rejected, doubted, lost, repeated] = shares[..] else { panic!("five shares: {part}") };
                Some(Simulated { delay_ms: number(delay_ms), declined, rejected, doubted, lost, repeated })
            }
            [] => panic!("six numbers, not {part}"),
        };
        let webhook = |part: &str| match part.split(',').collect::<Vec<_>>()[..] {
            ["none"] => None,
            [url, secret_file, ca, feed_behind_bytes] => Some(Webhook {
                url: url.to_owned(),
                secret_file: secret_file.into(),
                ca: ca.into(),
                feed_behind_bytes: number(feed_behind_bytes),
            }),
            _ => panic!("a URL, two files and a number, not {part}"),
        };
        Self {
            address: parts[0].parse().expect("an address"),
            shards: Some(parts[1].parse().expect("a number")).filter(|shards| *shards > 0),
            low_water_bytes: number(parts[2]),
            segment_bytes: number(parts[3]),
            snapshot_log_bytes: number(parts[4]),
            probes: parts[5] == "true",
            watched: parts[6].parse().expect("an address"),
            simulated: simulated(parts[7]),
            webhook: webhook(parts[8]),
            ..Self::new(Path::new(parts[9]))
        }
    }

    /// Where a simulated counterparty keeps its books.
    pub(crate) fn books_of(&self, counterparty: &str) -> PathBuf {
        self.data.join(format!("simulated-{counterparty}.log"))
    }

    fn behaviour(&self, counterparty: &str) -> Option<Behaviour> {
        let Simulated { delay_ms, declined, rejected, doubted, lost, repeated } = self.simulated?;
        let file = self.books_of(counterparty);
        Some(Behaviour {
            file,
            delay_ms,
            declined,
            rejected,
            doubted,
            doubted_above: 0,
            lost,
            repeated,
            seed: Simulated::SEED,
        })
    }

    fn config(&self) -> Config {
        Config {
            data: self.data.clone(),
            address: self.address,
            http_address: Some(self.watched),
            shards: self.shards,
            orders_max: 100_000,
            lines_max: 200_000,
            details_bytes_max: 4 << 20,
            keys_max: 2_000,
            skus_max: 10_000,
            low_water_bytes: self.low_water_bytes,
            segment_bytes: self.segment_bytes,
            snapshot_log_bytes: self.snapshot_log_bytes,
            sync_method: (!self.probes).then_some(SyncMethod::Fdatasync),
            simulated_payment: self.behaviour("payment"),
            simulated_warehouse: self.behaviour("warehouse"),
            simulated_check: self.behaviour("check"),
            feed_behind_bytes: self.webhook.as_ref().map_or(u64::MAX, |webhook| webhook.feed_behind_bytes),
            webhook: self.webhook.as_ref().map(|webhook| WebhookOptions {
                name: "webhook".to_owned(),
                target: Target::parse(&webhook.url).expect("a sound URL"),
                secret_file: webhook.secret_file.clone(),
                ca: Some(webhook.ca.clone()),
            }),
            ..Config::default()
        }
    }
}

/// A node that listens.
pub(crate) struct Node {
    process: Child,
    pub(crate) address: SocketAddr,
    /// Where it tells metrics and health.
    pub(crate) watched: SocketAddr,
    data: PathBuf,
    _out: BufReader<ChildStdout>,
}

/// How a node ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// `None`: by a signal.
    pub(crate) code: Option<i32>,
    pub(crate) said: String,
}

impl Node {
    /// Starts a node and waits until it listens; how it ended when it does not.
    pub(crate) fn try_start(settings: &Settings) -> Result<Self, Ended> {
        let this = std::env::current_exe().expect("this program has a path");
        let mut line: Vec<OsString> = settings.through.clone();
        line.extend([this.into_os_string(), "--exact".into(), ENTRY.into(), "--nocapture".into()]);
        let mut command = Command::new(&line[0]);
        command.args(&line[1..]).env(VARIABLE, settings.to_variable());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("a process");
        let mut out = BufReader::new(process.stdout.take().expect("a pipe"));
        match addresses_told(&mut out) {
            Some((watched, address)) => Ok(Self { process, address, watched, data: settings.data.clone(), _out: out }),
            None => Err(ended(&mut process)),
        }
    }

    #[track_caller]
    pub(crate) fn start(settings: &Settings) -> Self {
        Self::try_start(settings).unwrap_or_else(|ended| panic!("it did not start: {ended:?}"))
    }

    /// Starts a node that must not start; its exit code and its words.
    #[track_caller]
    pub(crate) fn refused(settings: &Settings) -> (i32, String) {
        match Self::try_start(settings) {
            Ok(node) => panic!("it listens on {}", node.address),
            Err(Ended { code, said }) => (code.unwrap_or_else(|| panic!("ended by a signal: {said}")), said),
        }
    }

    pub(crate) async fn client(&self) -> Client {
        self.client_that_trusts(&self.data).await
    }

    /// The certificate of its data directory, wherever that is seen from here.
    pub(crate) async fn client_that_trusts(&self, data: &Path) -> Client {
        let options =
            ClientOptions { connect_wait: Duration::from_secs(5), ..ClientOptions::local(self.address, data) };
        Client::connect(options).await.expect("a connection")
    }

    pub(crate) fn pid(&self) -> Pid {
        i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).expect("a child has a number")
    }

    /// SIGTERM, and waits for the end, which must be a good one.
    #[track_caller]
    pub(crate) fn stop(self) {
        kill_process(self.pid(), Signal::TERM).expect("it runs");
        let ended = self.wait();
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }

    /// SIGKILL: it has no say in how it ends.
    pub(crate) fn kill(mut self) {
        self.process.kill().expect("it runs");
        assert_eq!(self.wait().code, None, "ended by a signal");
    }

    /// Waits for an end nobody asked for.
    pub(crate) fn wait(mut self) -> Ended {
        ended(&mut self.process)
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, and need not be.
        let _ended = self.process.kill().and_then(|()| self.process.wait());
    }
}

/// Where it is watched, and where it listens; `None` when it ends before it does.
fn addresses_told(out: &mut impl BufRead) -> Option<(SocketAddr, SocketAddr)> {
    let mut lines = out.lines().map(|line| line.expect("text"));
    let mut told = |what: &str| {
        let address = lines.find_map(|line| line.split_once(what).map(|(_, address)| address.trim().to_owned()))?;
        Some(address.parse().expect("an address"))
    };
    Some((told(WATCHED)?, told(READY)?))
}

fn ended(process: &mut Child) -> Ended {
    // Waiting closes the pipe, and the child would end because of that.
    let pipe = process.stdin.take();
    let mut said = String::new();
    if let Some(mut words) = process.stderr.take() {
        words.read_to_string(&mut said).expect("readable");
    }
    let status = process.wait().expect("a child can be waited for");
    drop(pipe);
    Ended { code: status.code(), said }
}

/// Tells the parent, on standard output.
struct Announce;

impl Watch for Announce {
    fn recovering(&mut self, _: Progress) {}

    fn recovered(&mut self, _: u64) {}

    fn watched(&mut self, address: SocketAddr) {
        println!("{WATCHED}{address}");
    }

    fn ready(&mut self, address: SocketAddr) {
        println!("{READY}{address}");
    }
}

fn become_node(settings: &Settings) -> ! {
    std::thread::spawn(|| {
        // Nobody writes: a read that returns, however it does, says that the pipe is closed.
        let _closed = std::io::stdin().read(&mut [0]);
        std::process::exit(1);
    });
    let code = match node::serve(&settings.config(), &mut Announce) {
        Ok(()) => 0,
        Err(fault) => {
            eprintln!("{fault}");
            fault.exit_code()
        }
    };
    std::process::exit(code.into())
}

#[test]
fn a_node_in_a_process_of_its_own_stops_when_it_is_told_to() {
    if let Ok(settings) = std::env::var(VARIABLE) {
        become_node(&Settings::from_variable(&settings));
    }
    let data = tempfile::tempdir().expect("a directory");
    let node = Node::start(&Settings { probes: true, ..Settings::new(data.path()) });
    kill_process(node.pid(), Signal::TERM).expect("it runs");
    let Ended { code, said } = node.wait();
    assert_eq!(code, Some(0), "{said}");
}
