//! The child processes of a run: this program again, as a server, and as the audit of what a server left.
//!
//! The only file that knows the library's node.
//!
//! ```text
//! child-serve   stdout: "formula …", "listening on ADDRESS", once it does   ends on SIGTERM, or when its stdin closes
//! child-audit   stdout: {"ok", "drift", "markets": [books …]}
//! ```
//!
//! # Why so
//! Standard input is a pipe from whoever started the server. When that program is gone, however it went, the pipe
//! closes and the server ends too: a run leaves no process behind.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use stockade::adapters::simulated::Behaviour;
use stockade::node::{self, Config, Watch};
use stockade::wal::{Durability as LogDurability, Progress};

use crate::arguments::{ChildServe, Durability, Simulated};
use crate::formula::Formula;

/// What the line begins with that says where the server listens.
pub(crate) const READY: &str = "listening on ";
/// What the line begins with that says what it may take of memory.
pub(crate) const FORMULA: &str = "formula ";
/// Between two syncs of `--durability interval`.
const INTERVAL_MS: u32 = 10;
/// A run has few SKUs; a shop has some thousands.
const SKUS_MAX: u64 = 200_000;
/// Log bytes to expect of an order, and what a segment may have: a small run need not wait for a large file of zeroes.
const LOG_BYTES_PER_ORDER: u64 = 128;
const SEGMENT_BYTES: (u64, u64) = (16 << 20, 256 << 20);

/// Runs a node until it is told to stop.
pub(crate) fn serve(options: &ChildServe) -> ExitCode {
    end_with_parent();
    let (least, most) = SEGMENT_BYTES;
    let Simulated { delay, declined, rejected, lost, repeated, simulated_seed } = options.simulated;
    let simulated = |file: &str| {
        let file = options.data.join(file);
        let behaviour = Behaviour {
            file,
            delay_ms: delay,
            declined,
            rejected,
            doubted: 0,
            doubted_above: 0,
            lost,
            repeated,
            seed: simulated_seed,
        };
        options.hands_off.then_some(behaviour)
    };
    let config = Config {
        data: options.data.clone(),
        address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        // Beside a server that somebody may be running.
        http_address: None,
        shards: Some(options.shards),
        // Each shard must have room for one market that takes everything.
        orders_max: options.orders_max * u64::from(options.shards),
        lines_max: options.lines_max * u64::from(options.shards),
        reserve_orders: options.reserve_orders,
        connections_max: options.connections_max.unwrap_or(Config::default().connections_max),
        orders_per_second_max: options.orders_per_second_max,
        payments_max: options
            .payments_max
            .map_or(Config::default().payments_max, |max| max * u64::from(options.shards)),
        skus_max: SKUS_MAX * u64::from(options.shards),
        segment_bytes: (options.orders_max * LOG_BYTES_PER_ORDER).clamp(least, most).next_multiple_of(least),
        simulated_payment: simulated("simulated-payment.log"),
        simulated_warehouse: simulated("simulated-warehouse.log"),
        simulated_check: simulated("simulated-check.log"),
        durability: match options.durability {
            Durability::Sync => LogDurability::Sync,
            Durability::Interval => LogDurability::Interval { ms: INTERVAL_MS },
            Durability::Memory => LogDurability::Memory,
        },
        ..Config::default()
    };
    println!("{FORMULA}{}", formula(&config, options.shards));
    finish(node::serve(&config, &mut Announce))
}

fn formula(config: &Config, shards: u16) -> Formula {
    let door = |connections_max| Config { connections_max, ..config.clone() }.door().memory_bytes_max();
    Formula {
        memory_bytes_max: config.memory_bytes_max(shards),
        door_bytes_max: door(0),
        connection_bytes_max: door(1) - door(0),
    }
}

/// Folds the log of a server that has ended, and prints what that gives.
pub(crate) fn audit(data: &Path) -> ExitCode {
    finish(node::audit(data, &mut |_| {}).map(|audit| {
        let drift: Vec<&String> = audit.drift.iter().map(|drift| &drift.broken).collect();
        println!("{}", json!({ "ok": audit.ok, "drift": drift, "markets": audit.markets }));
    }))
}

fn finish(outcome: Result<(), node::NodeFault>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            eprintln!("{fault}");
            ExitCode::from(crate::EXIT_WRONG)
        }
    }
}

fn end_with_parent() {
    std::thread::spawn(|| {
        // Nobody writes: a read that returns, however it does, says that the pipe is closed.
        let _closed = std::io::stdin().read(&mut [0]);
        std::process::exit(i32::from(crate::EXIT_WRONG));
    });
}

/// Tells the parent, on standard output.
struct Announce;

impl Watch for Announce {
    fn recovering(&mut self, _: Progress) {}

    fn recovered(&mut self, _: u64) {}

    fn ready(&mut self, address: SocketAddr) {
        let mut out = std::io::stdout();
        // When the parent is gone, so are we, by the other pipe.
        let _told = writeln!(out, "{READY}{address}").and_then(|()| out.flush());
    }
}
