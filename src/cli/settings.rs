//! Settings with their types and defaults: what `config` found, understood.
//!
//! # Not here
//! - Whether the settings fit the machine and each other: the node checks that when it starts.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{ConfigFault, Given};
use super::units;
use crate::base::limits::{
    CLIENT_DEADLINE_MS_DEFAULT, CONNECTIONS_DEFAULT, CONNECTIONS_MAX, CUSTOMERS_DEFAULT, DETAILS_BYTES_DEFAULT,
    FEED_BEHIND_BYTES_DEFAULT, HOLDS_DEFAULT, KEYS_DEFAULT, KITS_DEFAULT, LINES_DEFAULT, LOG_LOW_WATER_BYTES_DEFAULT,
    LOG_SEGMENT_BYTES_DEFAULT, ORDERS_DEFAULT, ORDERS_PER_SECOND_MAX, PAYMENTS_DEFAULT, PLACES_DEFAULT,
    POLICIES_DEFAULT, RETURNS_DEFAULT, SHARDS_MAX, SIMULATED_DELAY_MS_MAX, SKUS_DEFAULT,
    SNAPSHOT_BYTES_PER_SECOND_DEFAULT, SNAPSHOT_LOG_BYTES_DEFAULT, VELOCITY_DEFAULT, WAITING_DEFAULT,
};
use crate::client::ClientOptions;
use crate::node::{Behaviour, Config, Target, WebhookOptions};
use crate::wal::{Durability, SyncMethod};

/// Where a server keeps its data unless told otherwise.
pub(super) const DATA_DEFAULT: &str = "data";
/// The market that exists at first start.
pub(super) const MARKET_DEFAULT: &str = "default";

/// Everything `stockade serve` can be told.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ServeSettings {
    pub(super) data: PathBuf,
    pub(super) address: SocketAddr,
    pub(super) shards: Option<u16>,
    pub(super) orders_max: u64,
    pub(super) lines_max: u64,
    pub(super) details_bytes_max: u64,
    pub(super) keys_max: u64,
    pub(super) skus_max: u64,
    pub(super) kits_max: u64,
    pub(super) places_max: u64,
    pub(super) customers_max: u64,
    pub(super) policies_max: u64,
    pub(super) waiting_max: u64,
    pub(super) holds_max: u64,
    pub(super) payments_max: u64,
    pub(super) returns_max: u64,
    pub(super) velocity_max: u64,
    pub(super) connections_max: usize,
    pub(super) orders_per_second_max: Option<u32>,
    pub(super) reserve_orders: u64,
    pub(super) durability: Durability,
    pub(super) segment_bytes: u64,
    pub(super) low_water_bytes: u64,
    pub(super) http_address: Option<SocketAddr>,
    pub(super) snapshot_log_bytes: u64,
    pub(super) snapshot_bytes_per_second: u64,
    pub(super) sync_method: Option<SyncMethod>,
    pub(super) feed_behind_bytes: u64,
    pub(super) simulated: SimulatedSettings,
    pub(super) webhook: Option<WebhookSettings>,
    pub(super) tls_cert: Option<PathBuf>,
    pub(super) tls_key: Option<PathBuf>,
    pub(super) tls_client_ca: Option<PathBuf>,
}

impl ServeSettings {
    pub(super) fn from_given(given: &Given) -> Result<Self, ConfigFault> {
        let count = |key, default| Ok(given.get(key, units::COUNT, units::count)?.unwrap_or(default));
        let bytes = |key, default| Ok(given.get(key, units::BYTES, units::bytes)?.unwrap_or(default));
        let path = |key| given.text(key).map(PathBuf::from);
        let address =
            given.get("address", "an IP address and a port, such as 127.0.0.1:7733", |text| text.parse().ok())?;
        Ok(Self {
            data: data(given),
            address: address.unwrap_or(ClientOptions::ADDRESS_DEFAULT),
            shards: given.get("shards", &format!("1 to {SHARDS_MAX}"), shards)?,
            orders_max: count("orders_max", ORDERS_DEFAULT)?,
            lines_max: count("lines_max", LINES_DEFAULT)?,
            details_bytes_max: bytes("details_bytes_max", DETAILS_BYTES_DEFAULT)?,
            keys_max: count("keys_max", KEYS_DEFAULT)?,
            skus_max: count("skus_max", SKUS_DEFAULT)?,
            kits_max: count("kits_max", KITS_DEFAULT)?,
            places_max: count("places_max", PLACES_DEFAULT)?,
            customers_max: count("customers_max", CUSTOMERS_DEFAULT)?,
            policies_max: count("policies_max", POLICIES_DEFAULT)?,
            waiting_max: count("waiting_max", WAITING_DEFAULT)?,
            holds_max: count("holds_max", HOLDS_DEFAULT)?,
            payments_max: count("payments_max", PAYMENTS_DEFAULT)?,
            returns_max: count("returns_max", RETURNS_DEFAULT)?,
            velocity_max: count("velocity_max", VELOCITY_DEFAULT)?,
            connections_max: given
                .get("connections_max", &format!("1 to {CONNECTIONS_MAX}"), connections)?
                .unwrap_or(CONNECTIONS_DEFAULT),
            orders_per_second_max: given
                .get("orders_per_second_max", &format!("1 to {ORDERS_PER_SECOND_MAX}, or none"), per_second)?
                .flatten(),
            reserve_orders: count("reserve_orders", 0)?,
            durability: given.get("durability", DURABILITY, durability)?.unwrap_or_default(),
            segment_bytes: bytes("segment_bytes", LOG_SEGMENT_BYTES_DEFAULT)?,
            low_water_bytes: bytes("low_water_bytes", LOG_LOW_WATER_BYTES_DEFAULT)?,
            http_address: given
                .get("http_address", "an IP address and a port, such as 127.0.0.1:7734, or none", http_address)?
                .unwrap_or(Some(Config::HTTP_ADDRESS_DEFAULT)),
            snapshot_log_bytes: bytes("snapshot_log_bytes", SNAPSHOT_LOG_BYTES_DEFAULT)?,
            snapshot_bytes_per_second: bytes("snapshot_bytes_per_second", SNAPSHOT_BYTES_PER_SECOND_DEFAULT)?,
            sync_method: given.get("sync_method", "fdatasync, direct-dsync or measure", sync_method)?.flatten(),
            feed_behind_bytes: bytes("feed_behind_bytes", FEED_BEHIND_BYTES_DEFAULT)?,
            simulated: SimulatedSettings::from_given(given)?,
            webhook: WebhookSettings::from_given(given)?,
            tls_cert: path("tls.cert"),
            tls_key: path("tls.key"),
            tls_client_ca: path("tls.client_ca"),
        })
    }
}

/// Counterparties that are not there, and how they behave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SimulatedSettings {
    payment: bool,
    warehouse: bool,
    check: bool,
    delay_ms: u64,
    declined: u16,
    rejected: u16,
    doubted: u16,
    doubted_above: u32,
    lost: u16,
    repeated: u16,
    seed: u64,
}

impl SimulatedSettings {
    fn from_given(given: &Given) -> Result<Self, ConfigFault> {
        let allowed = "simulated or none";
        let whether = |key| Ok(given.get(key, allowed, simulated)?.unwrap_or(false));
        let share = |key| Ok(given.get(key, "a share of a thousand, 0 to 1000", per_mille)?.unwrap_or(0));
        let delay_ms = given.get("simulated.delay", &format!("{}, at most 5s", units::SPAN), |text| {
            units::span_ms(text).filter(|ms| *ms <= SIMULATED_DELAY_MS_MAX)
        })?;
        let above = given.get("simulated.doubted_above", units::COUNT, |text| {
            units::count(text).and_then(|count| u32::try_from(count).ok())
        })?;
        Ok(Self {
            payment: whether("payment")?,
            warehouse: whether("warehouse")?,
            check: whether("check")?,
            delay_ms: delay_ms.unwrap_or(50),
            declined: share("simulated.declined")?,
            rejected: share("simulated.rejected")?,
            doubted: share("simulated.doubted")?,
            doubted_above: above.unwrap_or(0),
            lost: share("simulated.lost")?,
            repeated: share("simulated.repeated")?,
            seed: given.get("simulated.seed", units::COUNT, units::count)?.unwrap_or(1),
        })
    }

    /// The payment provider, the warehouse and the checker, with their books beside the log.
    pub(super) fn behaviours(&self, data: &Path) -> [Option<Behaviour>; 3] {
        let Self {
            payment,
            warehouse,
            check,
            delay_ms,
            declined,
            rejected,
            doubted,
            doubted_above,
            lost,
            repeated,
            seed,
        } = *self;
        let files = [
            (payment, "simulated-payment.log"),
            (warehouse, "simulated-warehouse.log"),
            (check, "simulated-check.log"),
        ];
        files.map(|(wanted, file)| {
            let file = data.join(file);
            wanted.then_some(Behaviour {
                file,
                delay_ms,
                declined,
                rejected,
                doubted,
                doubted_above,
                lost,
                repeated,
                seed,
            })
        })
    }
}

fn simulated(text: &str) -> Option<bool> {
    match text {
        "simulated" => Some(true),
        "none" => Some(false),
        _ => None,
    }
}

fn per_mille(text: &str) -> Option<u16> {
    text.parse().ok().filter(|share| *share <= 1_000)
}

/// Who is told every fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WebhookSettings {
    target: Target,
    secret_file: PathBuf,
    ca: Option<PathBuf>,
    name: String,
}

impl WebhookSettings {
    fn from_given(given: &Given) -> Result<Option<Self>, ConfigFault> {
        let path = |key| given.text(key).map(PathBuf::from);
        let allowed = "https://HOST/PATH without a password in it, or http:// to a receiver on this machine";
        let target = given.get("webhook.url", allowed, |text| Target::parse(text).ok())?;
        let name = given.get("webhook.name", "1 to 32 letters, digits, - or _", sink_name)?;
        let name = name.unwrap_or_else(|| "webhook".to_owned());
        let missing = |key, missing| ConfigFault::Missing { key, missing };
        match (target, path("webhook.secret_file")) {
            (Some(target), Some(secret_file)) => Ok(Some(Self { target, secret_file, ca: path("webhook.ca"), name })),
            (Some(_), None) => Err(missing("webhook.url", "webhook.secret_file")),
            (None, Some(_)) => Err(missing("webhook.secret_file", "webhook.url")),
            (None, None) => Ok(None),
        }
    }

    pub(super) fn options(self) -> WebhookOptions {
        let Self { target, secret_file, ca, name } = self;
        WebhookOptions { name, target, secret_file, ca }
    }
}

/// It is part of an HTTP header and of a label.
fn sink_name(text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    ((1..=32).contains(&text.len()) && text.bytes().all(is_plain)).then(|| text.to_owned())
}

/// Whom a client command talks to.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ClientSettings {
    pub(super) address: SocketAddr,
    /// The name in the server's certificate, when it was given one.
    pub(super) server_name: Option<String>,
    pub(super) data: PathBuf,
    pub(super) ca: Option<PathBuf>,
    pub(super) cert: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    pub(super) market: String,
    pub(super) deadline: Duration,
}

impl ClientSettings {
    pub(super) fn from_given(given: &Given) -> Result<Self, ConfigFault> {
        let path = |key| given.text(key).map(PathBuf::from);
        let deadline_ms = given.get("client.deadline", units::SPAN, units::span_ms)?;
        let allowed = "an address and a port, such as 127.0.0.1:7733 or stock.example.org:7733";
        let connect = given.get("client.connect", allowed, resolve)?;
        let (address, server_name) = connect.unwrap_or((ClientOptions::ADDRESS_DEFAULT, None));
        Ok(Self {
            address,
            server_name,
            data: data(given),
            ca: path("client.ca"),
            cert: path("client.cert"),
            key: path("client.key"),
            market: given.text("client.market").unwrap_or_else(|| MARKET_DEFAULT.to_owned()),
            deadline: Duration::from_millis(deadline_ms.unwrap_or(CLIENT_DEADLINE_MS_DEFAULT)),
        })
    }
}

/// What goes to the log of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LogSettings {
    pub(super) filter: Option<String>,
    pub(super) json: bool,
}

impl LogSettings {
    pub(super) fn from_given(given: &Given) -> Result<Self, ConfigFault> {
        let json = given.get("log.format", "text or json", |text| match text {
            "text" => Some(false),
            "json" => Some(true),
            _ => None,
        })?;
        let filter = given.get("log.filter", "a filter such as info, warn or stockade=debug", |text| {
            tracing_subscriber::EnvFilter::try_new(text).ok().map(|_| text.to_owned())
        })?;
        Ok(Self { filter, json: json.unwrap_or(false) })
    }
}

fn data(given: &Given) -> PathBuf {
    given.text("data").unwrap_or_else(|| DATA_DEFAULT.to_owned()).into()
}

fn shards(text: &str) -> Option<u16> {
    text.parse().ok().filter(|shards| (1..=SHARDS_MAX).contains(shards))
}

const DURABILITY: &str = "sync (an answer is on the disk), interval:TIME such as interval:50ms (a power cut loses at \
                          most that much), or memory (nothing is kept)";

fn durability(text: &str) -> Option<Durability> {
    match text {
        "sync" => Some(Durability::Sync),
        "memory" => Some(Durability::Memory),
        _ => {
            let ms = units::span_ms(text.strip_prefix("interval:")?)?;
            Some(Durability::Interval { ms: u32::try_from(ms).ok()? })
        }
    }
}

fn connections(text: &str) -> Option<usize> {
    let count = units::count(text).and_then(|count| usize::try_from(count).ok())?;
    (1..=CONNECTIONS_MAX).contains(&count).then_some(count)
}

fn per_second(text: &str) -> Option<Option<u32>> {
    if text == "none" {
        return Some(None);
    }
    let count = units::count(text).and_then(|count| u32::try_from(count).ok())?;
    (1..=ORDERS_PER_SECOND_MAX).contains(&count).then_some(Some(count))
}

fn http_address(text: &str) -> Option<Option<SocketAddr>> {
    if text == "none" { Some(None) } else { text.parse().ok().map(Some) }
}

fn sync_method(text: &str) -> Option<Option<SyncMethod>> {
    match text {
        "measure" => Some(None),
        "fdatasync" => Some(Some(SyncMethod::Fdatasync)),
        "direct-dsync" => Some(Some(SyncMethod::DirectDsync)),
        _ => None,
    }
}

/// An address, and the host's name when it was given by name. Of several addresses the first IPv4 one: a server
/// without arguments listens on that of `localhost`.
fn resolve(text: &str) -> Option<(SocketAddr, Option<String>)> {
    if let Ok(address) = text.parse() {
        return Some((address, None));
    }
    let (host, _) = text.rsplit_once(':')?;
    let addresses: Vec<_> = text.to_socket_addrs().ok()?.collect();
    let address = addresses.iter().find(|address| address.is_ipv4()).or(addresses.first())?;
    Some((*address, Some(host.to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn given(flags: &[(&'static str, &str)]) -> Given {
        let flags = flags.iter().map(|(key, value)| (*key, (*value).to_owned()));
        Given::read(None, std::iter::empty(), flags).expect("known keys")
    }

    #[test]
    fn without_any_setting_a_server_keeps_its_data_here_and_listens_on_loopback() {
        let settings = ServeSettings::from_given(&given(&[])).expect("defaults");
        assert_eq!(settings.data, PathBuf::from("data"));
        assert_eq!(settings.address.to_string(), "127.0.0.1:7733");
        assert_eq!((settings.durability, settings.shards), (Durability::Sync, None));
    }

    #[test]
    fn settings_are_spelled_plainly() {
        let flags = [("durability", "interval:50ms"), ("segment_bytes", "64 MiB"), ("orders_max", "10_000_000")];
        let settings = ServeSettings::from_given(&given(&flags)).expect("sound");
        assert_eq!(settings.durability, Durability::Interval { ms: 50 });
        assert_eq!((settings.segment_bytes, settings.orders_max), (64 << 20, 10_000_000));
        let measured = ServeSettings::from_given(&given(&[("sync_method", "measure")])).expect("sound");
        assert_eq!(measured.sync_method, None);
    }

    #[test]
    fn every_typed_setting_refuses_nonsense_by_name() {
        for key in [
            "address",
            "shards",
            "orders_max",
            "lines_max",
            "details_bytes_max",
            "keys_max",
            "skus_max",
            "kits_max",
            "places_max",
            "customers_max",
            "policies_max",
            "waiting_max",
            "holds_max",
            "payments_max",
            "returns_max",
            "velocity_max",
            "connections_max",
            "orders_per_second_max",
            "reserve_orders",
            "durability",
            "segment_bytes",
            "low_water_bytes",
            "http_address",
            "snapshot_log_bytes",
            "snapshot_bytes_per_second",
            "sync_method",
            "payment",
            "warehouse",
            "check",
            "feed_behind_bytes",
            "webhook.url",
            "simulated.delay",
            "simulated.declined",
            "simulated.rejected",
            "simulated.doubted",
            "simulated.doubted_above",
            "simulated.lost",
            "simulated.repeated",
            "simulated.seed",
        ] {
            let fault = ServeSettings::from_given(&given(&[(key, "nonsense")])).expect_err(key);
            assert!(fault.to_string().starts_with(&format!("{key} = \"nonsense\" given with --")), "{fault}");
        }
        assert!(ServeSettings::from_given(&given(&[("shards", "65")])).is_err());
        assert!(ServeSettings::from_given(&given(&[("connections_max", "0")])).is_err(), "nobody could come");
        let limit = |text| ServeSettings::from_given(&given(&[("orders_per_second_max", text)]));
        assert!(limit("0").is_err(), "a server that takes nothing");
        assert_eq!(limit("50_000").map(|settings| settings.orders_per_second_max).ok(), Some(Some(50_000)));
        assert_eq!(limit("none").map(|settings| settings.orders_per_second_max).ok(), Some(None));
        assert!(ClientSettings::from_given(&given(&[("client.deadline", "30")])).is_err(), "30 of what?");
        assert!(LogSettings::from_given(&given(&[("log.format", "xml")])).is_err());
    }

    #[test]
    fn a_server_can_be_named_by_address_or_by_name() {
        let named = ClientSettings::from_given(&given(&[("client.connect", "localhost:7000")])).expect("resolves");
        assert_eq!(named.server_name.as_deref(), Some("localhost"));
        assert_eq!(named.address.port(), 7_000);
        let plain = ClientSettings::from_given(&given(&[("client.connect", "127.0.0.1:7000")])).expect("parses");
        assert_eq!(plain.server_name, None);
        assert!(ClientSettings::from_given(&given(&[("client.connect", "127.0.0.1")])).is_err(), "no port");
    }
}
