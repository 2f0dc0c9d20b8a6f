//! Starting a node, running it until it is told to stop, and stopping it in order.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Notify;

use super::appender::Appender;
use super::config::LOG_DIR;
use super::keys::Started;
use super::snapshots::Snapshots;
use super::status::NodeStatus;
use super::watched::{Parts, Watched};
use super::{Config, NodeFault, keys, markets, memory, sinks};
use crate::adapters::Adapter;
use crate::adapters::simulated::{SimulatedCheck, SimulatedPayment, SimulatedWarehouse};
use crate::adapters::webhook::{Source, Webhook, WebhookOptions};
use crate::engine::Engine;
use crate::server::{HttpDoor, HttpSource, NodeParts, Registry, Server, ServerOptions};
use crate::shard::{Inbox, LogClock, Recovery, Shard, ShardHandle, recover_on};
use crate::wal::{self, Durability, FileDisk, Handle, Joint, Log, Progress, Running};

/// Who is told how far the node is.
pub trait Watch {
    /// The log is being read.
    fn recovering(&mut self, progress: Progress);
    /// Every fact of the log is folded.
    fn recovered(&mut self, facts: u64);
    /// Metrics and health are told here, from before recovery on.
    fn watched(&mut self, address: SocketAddr) {
        let _nobody_asks = address;
    }
    /// The node listens.
    fn ready(&mut self, address: SocketAddr);
}

/// Runs a node until SIGTERM or SIGINT, then answers what is under way and stops. A second signal ends the process at
/// once.
///
/// # Errors
/// Any [`NodeFault`]: the node did not start, or its log failed under it.
pub fn serve(config: &Config, watch: &mut dyn Watch) -> Result<(), NodeFault> {
    let shards = shards(config)?;
    config.log(shards).check_for_node()?;
    if let Some(webhook) = &config.webhook {
        check_webhook(webhook, config.durability)?;
    }
    let options = config.door();
    memory::check(config, shards, options.memory_bytes_max())?;
    std::fs::create_dir_all(&config.data).map_err(|source| NodeFault::Data { path: config.data.clone(), source })?;
    let watched = Arc::new(Watched::new());
    let http = match config.http_address {
        Some(address) => Some(HttpDoor::start(address, Arc::clone(&watched) as Arc<dyn HttpSource>)?),
        None => None,
    };
    if let Some(door) = &http {
        watch.watched(door.local_addr());
    }
    let core = Core::start(config, shards, watch)?;
    watched.recovered();
    let outcome = run_door(&options, &core, config, &watched, watch);
    watched.stop();
    core.stop().and(outcome)
}

fn check_webhook(webhook: &WebhookOptions, durability: Durability) -> Result<(), NodeFault> {
    let why = match durability {
        Durability::Memory => "durability is memory, and a webhook follows the log; use sync or interval".to_owned(),
        Durability::Sync | Durability::Interval { .. } => match webhook.check() {
            Ok(()) => return Ok(()),
            Err(why) => why.to_string(),
        },
    };
    Err(NodeFault::Webhook { sink: webhook.name.clone(), why })
}

/// As many shards as asked for, as the directory was made for, or one.
fn shards(config: &Config) -> Result<u16, NodeFault> {
    match config.shards {
        Some(shards) => Ok(shards),
        None => Ok(wal::shards_of(&config.data.join(LOG_DIR))?.unwrap_or(1)),
    }
}

/// What lives behind the door: log and shards.
struct Core {
    log: Handle,
    running: Running,
    shards: Vec<ShardHandle>,
    registry: Registry,
    clock: LogClock,
    failure: Arc<Failure>,
    keys: Option<crate::keys::Running>,
    snapshots: Option<Snapshots>,
    adapters: Vec<Adapter>,
    webhook: Option<Webhook>,
}

/// What recovery begins with: the newest image that can be read, or nothing.
fn recover_images(config: &Config, shards: u16, reserve: u64) -> Result<(Recovery, Option<Joint>), NodeFault> {
    let disk = FileDisk::new(&config.data.join(LOG_DIR));
    if config.durability == Durability::Memory {
        let mut recovery = Recovery::new(shards, config.capacity(shards));
        recovery.reserve(reserve);
        return Ok((recovery, None));
    }
    wal::check_free(&disk)?;
    let (recovery, image) = recover_on(&disk, shards, config.capacity(shards), reserve)?;
    if let Some(joint) = &image {
        tracing::info!(segment = joint.segment, "recovered from the image before the segment");
    }
    Ok((recovery, image))
}

/// How the log failed, or the keys, if they did.
#[derive(Default)]
struct Failure {
    fault: Mutex<Option<NodeFault>>,
    happened: Notify,
}

impl Core {
    fn start(config: &Config, shards: u16, watch: &mut dyn Watch) -> Result<Self, NodeFault> {
        let log_options = config.log(shards);
        let entry_bytes_max = log_options.entry_bytes_max();
        let reserve = config.reserve_orders.min(config.orders_max) / u64::from(shards);
        let (mut recovery, image) = recover_images(config, shards, reserve)?;
        let opened = Log::open(&log_options, &mut |entry| recovery.handle_entry(entry), &mut |progress| {
            watch.recovering(progress);
        })?;
        NodeFault::check_joint(&opened.trimmed, &opened.tails, image.as_ref())?;
        watch.recovered(recovery.facts());
        let (mut engines, last_time) = recovery.finish()?;
        let keys = keys::open(config, &engines)?;
        let mut last: Vec<_> = opened.tails.iter().map(|tail| tail.sequence).collect();
        let clock = LogClock::new(last_time);
        let failure = Arc::<Failure>::default();
        let (log, running) = opened.start(Box::new({
            let failure = Arc::clone(&failure);
            move |fault| failure.report("the log failed: nothing is acknowledged any more", fault)
        }))?;
        let mut appender = Appender { engines: &mut engines, last: &mut last, log: &log, now: clock.now() };
        let registry = markets::settle(&mut appender)?;
        keys.erase_lost(&mut appender);
        let mut attach = |options: &WebhookOptions| sinks::attach(&mut appender, &options.name);
        let cursors = config.webhook.as_ref().map(&mut attach).transpose()?;
        for sink in sinks::unattended(&engines, config.webhook.as_ref().map(|webhook| &*webhook.name)) {
            let behind = config.feed_behind_bytes;
            tracing::warn!(
                sink,
                behind,
                "the log is kept for a sink that is not configured, until it is so much behind"
            );
        }
        let Started { sealers, running: keys } = keys.start({
            let failure = Arc::clone(&failure);
            move |fault| failure.report("keys cannot be destroyed: no erasure is acknowledged any more", fault)
        })?;
        let start = |(stream, ((engine, last), sealer)): (u16, ((Engine, _), _))| {
            let (log, stream) = (Arc::new(log.clone()), crate::base::ShardId(stream));
            Shard::new(engine, stream, last, entry_bytes_max, log, clock.clone(), sealer).start()
        };
        let started: Result<Vec<_>, _> = (0..).zip(engines.into_iter().zip(last).zip(sealers)).map(start).collect();
        let shards = started.map_err(|source| NodeFault::System { what: "a shard", source })?;
        let inboxes = || shards.iter().map(ShardHandle::inbox).collect::<Vec<_>>();
        let snapshots = config.snapshots().map(|options| Snapshots::start(options, log.clone(), inboxes()));
        let snapshots = snapshots.transpose()?;
        let adapters = start_adapters(config, &shards, &registry, &clock)?;
        let webhook = config.webhook.clone().zip(cursors).map(|(options, cursors)| {
            let (disk, sink) = (FileDisk::new(&config.data.join(LOG_DIR)), options.name.clone());
            let source = Source { disk, log: log.clone(), inboxes: inboxes(), cursors, clock: clock.clone() };
            Webhook::start(options, source).map_err(|why| NodeFault::Webhook { sink, why: why.to_string() })
        });
        let webhook = webhook.transpose()?;
        Ok(Self { log, running, shards, registry, clock, failure, keys, snapshots, adapters, webhook })
    }

    fn inboxes(&self) -> Vec<Inbox> {
        self.shards.iter().map(ShardHandle::inbox).collect()
    }

    /// Lets the shards finish what they were given, then the log; tells whether the log had failed.
    fn stop(self) -> Result<(), NodeFault> {
        drop(self.webhook);
        drop(self.adapters);
        drop(self.snapshots);
        for shard in self.shards {
            let _engine = shard.stop();
        }
        if let Some(keys) = self.keys {
            keys.stop();
        }
        self.running.stop();
        self.failure.outcome()
    }
}

/// Whoever works off the wanted lists.
fn start_adapters(
    config: &Config,
    shards: &[ShardHandle],
    registry: &Registry,
    clock: &LogClock,
) -> Result<Vec<Adapter>, NodeFault> {
    let inboxes = || shards.iter().map(ShardHandle::inbox).collect::<Vec<_>>();
    let home = || {
        let registry = registry.clone();
        move |market| registry.shard(market)
    };
    let mut adapters = Vec::new();
    if let Some(behaviour) = config.simulated_payment.clone() {
        let make = || SimulatedPayment::open(behaviour);
        adapters.push(Adapter::start("simulated-payment", inboxes(), home(), clock.clone(), make));
    }
    if let Some(behaviour) = config.simulated_warehouse.clone() {
        let make = || SimulatedWarehouse::open(behaviour);
        adapters.push(Adapter::start("simulated-warehouse", inboxes(), home(), clock.clone(), make));
    }
    if let Some(behaviour) = config.simulated_check.clone() {
        let make = || SimulatedCheck::open(behaviour);
        adapters.push(Adapter::start("simulated-check", inboxes(), home(), clock.clone(), make));
    }
    let started: io::Result<_> = adapters.into_iter().collect();
    started.map_err(|source| NodeFault::System { what: "an adapter", source })
}

impl Failure {
    fn report(&self, what: &str, fault: impl Into<NodeFault>) {
        let fault = fault.into();
        tracing::error!(%fault, "{what}");
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(fault);
        self.happened.notify_one();
    }

    /// The first fault, whoever else still holds this.
    fn outcome(&self) -> Result<(), NodeFault> {
        match self.fault.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(fault) => Err(fault),
            None => Ok(()),
        }
    }
}

/// Opens the door and serves until told to stop.
fn run_door(
    options: &ServerOptions,
    core: &Core,
    config: &Config,
    watched: &Watched,
    watch: &mut dyn Watch,
) -> Result<(), NodeFault> {
    let system = |what| move |source: io::Error| NodeFault::System { what, source };
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(system("the network runtime"))?;
    runtime.block_on(async {
        let stop = told_to_stop(Arc::clone(&core.failure)).map_err(system("signal handlers"))?;
        let status = NodeStatus {
            begun: Instant::now(),
            inboxes: core.inboxes(),
            log: core.log.clone(),
            clock: core.clock.clone(),
            capacity: config.capacity(1),
            log_dir: config.data.join(LOG_DIR),
            sinks: core.webhook.iter().map(Webhook::stats).collect(),
        };
        let parts = NodeParts {
            registry: core.registry.clone(),
            inboxes: core.inboxes(),
            clock: core.clock.clone(),
            status: Arc::new(status),
        };
        let server = Server::bind(options, parts)?;
        watched.serve(Parts {
            inboxes: core.inboxes(),
            log: core.log.clone(),
            traffic: server.traffic(),
            sinks: core.webhook.iter().map(|webhook| (webhook.name().to_owned(), webhook.stats())).collect(),
            adapters: core.adapters.iter().map(|adapter| (adapter.name(), adapter.stats())).collect(),
            log_dir: config.data.join(LOG_DIR),
            capacity: config.capacity(1),
        });
        watch.ready(server.local_addr());
        server
            .run(async {
                stop.await;
                watched.stop();
            })
            .await;
        Ok(())
    })
}

/// Over when the node is to stop: a signal, or the log failed.
fn told_to_stop(failure: Arc<Failure>) -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => tracing::info!("SIGTERM: answering what is under way"),
            _ = interrupt.recv() => tracing::info!("SIGINT: answering what is under way"),
            () = failure.happened.notified() => return,
        }
        tokio::spawn(async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            tracing::warn!("a second signal: ending at once");
            std::process::exit(SECOND_SIGNAL_EXIT);
        });
    })
}

/// As a shell reports a process that SIGTERM ended.
const SECOND_SIGNAL_EXIT: i32 = 128 + 15;

#[cfg(test)]
mod tests {
    use super::*;

    struct Nobody;

    impl Watch for Nobody {
        fn recovering(&mut self, _: Progress) {}
        fn recovered(&mut self, _: u64) {}
        fn ready(&mut self, _: SocketAddr) {
            panic!("it should not have started");
        }
    }

    #[test]
    fn a_log_that_failed_decides_the_exit_code_although_others_still_watch_it() {
        let failure = Arc::<Failure>::default();
        let _watching = Arc::clone(&failure);
        assert!(failure.outcome().is_ok());
        failure.report("it failed", wal::Fault::Failed);
        assert_eq!(failure.outcome().expect_err("it failed").exit_code(), 12);
    }

    #[test]
    fn options_of_the_log_are_checked_before_anything_is_made_of_them() {
        let dir = tempfile::tempdir().expect("a directory");
        let good = Config { data: dir.path().join("data"), ..Config::default() };
        let refused = |config: &Config| {
            let fault = serve(config, &mut Nobody).expect_err("out of range");
            assert_eq!(fault.exit_code(), 2);
            fault.to_string()
        };
        let small = refused(&Config { segment_bytes: 32 << 10, ..good.clone() });
        assert_eq!(small, "segment_bytes is 32768; it must be 1 MiB to 4 GiB, in steps of 4 KiB");
        let none = refused(&Config { shards: Some(0), ..good.clone() });
        assert_eq!(none, "shards is 0; it must be 1 to 64");
        assert!(!good.data.exists(), "nothing was made");
    }
}
