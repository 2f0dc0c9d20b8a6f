//! What an operator may choose, with its defaults. A node started without a word runs on these.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use super::snapshot_wish::SnapshotWishes;
use super::snapshots::SnapshotOptions;
use crate::adapters::simulated::Behaviour;
use crate::adapters::webhook::WebhookOptions;
use crate::base::limits::{
    CONNECTIONS_DEFAULT, CUSTOMERS_DEFAULT, DETAILS_BYTES_DEFAULT, DRAWS_PER_LINE_MEAN_MAX, FEED_BEHIND_BYTES_DEFAULT,
    HOLDS_DEFAULT, KEYS_DEFAULT, KITS_DEFAULT, LINES_DEFAULT, LOG_LOW_WATER_BYTES_DEFAULT, LOG_SEGMENT_BYTES_DEFAULT,
    ORDERS_DEFAULT, PAYMENTS_DEFAULT, PLACES_DEFAULT, POLICIES_DEFAULT, RETURNS_DEFAULT, SKUS_DEFAULT,
    SNAPSHOT_BYTES_PER_SECOND_DEFAULT, SNAPSHOT_LOG_BYTES_DEFAULT, VELOCITY_DEFAULT, WAITING_DEFAULT,
};
use crate::client::ClientOptions;
use crate::engine::Capacity;
use crate::server::{ServerOptions, TlsOptions};
use crate::wal::{self, Durability, SyncMethod};

/// Certificates of the door.
pub type TlsConfig = TlsOptions;

/// The configuration of a node.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything is kept.
    pub data: PathBuf,
    /// Where the node listens (UDP). Port 0 takes a free one.
    pub address: SocketAddr,
    /// Where metrics and health are told over HTTP; `None` for nowhere.
    pub http_address: Option<SocketAddr>,
    /// How many shards; `None` for as many as the directory was made for, or one. Fixed at first start.
    pub shards: Option<u16>,
    /// Orders kept by all shards together. Divided evenly.
    pub orders_max: u64,
    /// Lines of all orders together. Divided evenly.
    pub lines_max: u64,
    /// Bytes of customer details of all orders together. Divided evenly.
    pub details_bytes_max: u64,
    /// Keys under which details are sealed. Divided evenly.
    pub keys_max: u64,
    /// SKUs of all markets together. Divided evenly.
    pub skus_max: u64,
    /// Kits of all markets together, which are SKUs too. Divided evenly.
    pub kits_max: u64,
    /// Places of all markets: SKUs, each counted at every site where anything was said of it.
    /// Divided evenly.
    pub places_max: u64,
    /// Counts of customers that policies limit, all shards together. Divided evenly.
    pub customers_max: u64,
    /// Policies of SKUs of all markets. Divided evenly.
    pub policies_max: u64,
    /// Pairs of an order and a SKU of which it is owed units, all shards together. Divided evenly.
    pub waiting_max: u64,
    /// Holds of all orders together.
    pub holds_max: u64,
    /// Attempts to pay, of all orders together.
    pub payments_max: u64,
    /// Returns of all orders together, and their lines, each once more for each site at which it came in.
    pub returns_max: u64,
    /// Keys of customers that markets may count for velocity, all markets together. Divided evenly.
    pub velocity_max: u64,
    /// Connections served at once; the next one is refused.
    pub connections_max: usize,
    /// Placements admitted in a second, all connections together; `None` for as many as come.
    pub orders_per_second_max: Option<u32>,
    /// Orders whose memory is taken from the system before the node listens. More than zero makes the start slower and
    /// the first sale faster.
    pub reserve_orders: u64,
    /// When an answer may be given.
    pub durability: Durability,
    /// Bytes of one segment of the log.
    pub segment_bytes: u64,
    /// Free bytes on the disk below which new orders are refused.
    pub low_water_bytes: u64,
    /// A snapshot is made when so many bytes of the log have been sealed since the last one; zero for none.
    pub snapshot_log_bytes: u64,
    /// Bytes that making one reads and writes in a second, at most.
    pub snapshot_bytes_per_second: u64,
    /// Bytes of the log that are kept for a sink that does not take them.
    pub feed_behind_bytes: u64,
    /// How the log gets to the disk; `None` for whichever a probe at start finds cheaper.
    pub sync_method: Option<SyncMethod>,
    /// A payment provider that is not there, for trying things out.
    pub simulated_payment: Option<Behaviour>,
    /// A warehouse that is not there.
    pub simulated_warehouse: Option<Behaviour>,
    /// A service that checks orders, and is not there.
    pub simulated_check: Option<Behaviour>,
    /// Who is told every fact.
    pub webhook: Option<WebhookOptions>,
    /// Certificates; none of them on loopback for one made at first start.
    pub tls: TlsConfig,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("data"),
            address: ClientOptions::ADDRESS_DEFAULT,
            http_address: Some(Self::HTTP_ADDRESS_DEFAULT),
            shards: None,
            orders_max: ORDERS_DEFAULT,
            lines_max: LINES_DEFAULT,
            details_bytes_max: DETAILS_BYTES_DEFAULT,
            keys_max: KEYS_DEFAULT,
            skus_max: SKUS_DEFAULT,
            kits_max: KITS_DEFAULT,
            places_max: PLACES_DEFAULT,
            customers_max: CUSTOMERS_DEFAULT,
            policies_max: POLICIES_DEFAULT,
            waiting_max: WAITING_DEFAULT,
            holds_max: HOLDS_DEFAULT,
            payments_max: PAYMENTS_DEFAULT,
            returns_max: RETURNS_DEFAULT,
            velocity_max: VELOCITY_DEFAULT,
            connections_max: CONNECTIONS_DEFAULT,
            orders_per_second_max: None,
            reserve_orders: 0,
            durability: Durability::Sync,
            segment_bytes: LOG_SEGMENT_BYTES_DEFAULT,
            low_water_bytes: LOG_LOW_WATER_BYTES_DEFAULT,
            snapshot_log_bytes: SNAPSHOT_LOG_BYTES_DEFAULT,
            snapshot_bytes_per_second: SNAPSHOT_BYTES_PER_SECOND_DEFAULT,
            feed_behind_bytes: FEED_BEHIND_BYTES_DEFAULT,
            sync_method: None,
            simulated_payment: None,
            simulated_warehouse: None,
            simulated_check: None,
            webhook: None,
            tls: TlsConfig::default(),
        }
    }
}

impl Config {
    /// Where metrics and health are told, unless set.
    pub const HTTP_ADDRESS_DEFAULT: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 7_734);

    /// What one of `shards` shards may keep.
    #[must_use]
    pub const fn capacity(&self, shards: u16) -> Capacity {
        let shards = shards as u64;
        Capacity {
            orders_max: self.orders_max / shards,
            lines_max: self.lines_max / shards,
            draws_max: self.lines_max.saturating_mul(DRAWS_PER_LINE_MEAN_MAX) / shards,
            changes_max: self.lines_max / shards,
            details_bytes_max: self.details_bytes_max / shards,
            keys_max: self.keys_max / shards,
            skus_max: self.skus_max / shards,
            kits_max: self.kits_max / shards,
            places_max: self.places_max / shards,
            customers_max: self.customers_max / shards,
            policies_max: self.policies_max / shards,
            waiting_max: self.waiting_max / shards,
            holds_max: self.holds_max / shards,
            payments_max: self.payments_max / shards,
            returns_max: self.returns_max / shards,
            velocity_max: self.velocity_max / shards,
        }
    }

    /// The door's part.
    #[must_use]
    pub fn door(&self) -> ServerOptions {
        ServerOptions {
            tls: self.tls.clone(),
            connections_max: self.connections_max,
            orders_per_second_max: self.orders_per_second_max,
            ..ServerOptions::new(self.address, &self.data)
        }
    }

    /// Where the keys of details lie.
    #[must_use]
    pub fn keys_dir(&self) -> PathBuf {
        self.data.join(KEYS_DIR)
    }

    /// The part of the snapshots; `None` where there are none.
    pub(super) fn snapshots(&self) -> Option<SnapshotOptions> {
        let wanted = self.snapshot_log_bytes > 0 && self.durability != Durability::Memory;
        wanted.then(|| SnapshotOptions {
            dir: self.data.join(LOG_DIR),
            log_bytes: self.snapshot_log_bytes,
            segment_bytes: self.segment_bytes,
            bytes_per_second: self.snapshot_bytes_per_second.max(1),
            low_water_bytes: self.low_water_bytes,
            feed_behind_bytes: self.feed_behind_bytes,
            wishes: SnapshotWishes::of(&self.data),
        })
    }

    /// The log's part.
    #[must_use]
    pub fn log(&self, shards: u16) -> wal::Options {
        wal::Options {
            durability: self.durability,
            segment_bytes: self.segment_bytes,
            low_water_bytes: self.low_water_bytes,
            sync_method: self.sync_method,
            ..wal::Options::new(self.data.join(LOG_DIR), shards)
        }
    }
}

/// The log's directory inside the data directory.
pub(super) const LOG_DIR: &str = "log";
/// That of the keys.
const KEYS_DIR: &str = "keys";
