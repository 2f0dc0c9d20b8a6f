//! What every scenario shares: the server, chance, the settings that go into the report, and live progress.

use hdrhistogram::Histogram;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::arguments::Target;
use crate::failure::Failure;
use crate::host::{Host, Room};
use crate::progress::Progress;

/// Figures from shorter runs are not worth quoting.
const SHORT_RUN_S: f64 = 10.0;

/// A run under way.
pub(crate) struct Session {
    pub(crate) host: Host,
    pub(crate) seed: u64,
    /// Drawn, whatever the seed: two runs against one server never share a market.
    run: u64,
    pub(crate) progress: Progress,
    pub(crate) settings: Map<String, Value>,
    /// Left here for `--hgrm`.
    pub(crate) latencies: Option<Histogram<u64>>,
}

impl Session {
    /// Starts a server or takes the one named; `scenario` are its arguments.
    pub(crate) fn start(target: &Target, scenario: &impl Serialize, room: Room) -> Result<Self, Failure> {
        let progress = Progress::new();
        let seed = target.seed.unwrap_or_else(drawn);
        let mut settings = match serde_json::to_value(scenario) {
            Ok(Value::Object(settings)) => settings,
            Ok(_) | Err(_) => Map::new(),
        };
        let mut put = |key: &str, value: Value| settings.insert(key.to_owned(), value);
        put("seed", seed.into());
        put("cores", std::thread::available_parallelism().map_or(0, std::num::NonZero::get).into());
        put("build", if cfg!(debug_assertions) { "debug" } else { "release" }.into());
        put("version", env!("CARGO_PKG_VERSION").into());
        if let Some(address) = target.connect {
            put("connect", address.to_string().into());
        } else {
            put("shards", target.shards.into());
            put("durability", serde_json::to_value(target.durability).unwrap_or_default());
        }
        let host = Host::start(target, room)?;
        Ok(Self { host, seed, run: drawn(), progress, settings, latencies: None })
    }

    /// A name no other run uses.
    pub(crate) fn market_name(&self, part: &str) -> String {
        format!("loadtest-{:016x}-{part}", self.run)
    }

    /// Says in the settings whether the run was too short to quote.
    pub(crate) fn set_short_run(&mut self, elapsed_s: f64) {
        // A run of ten seconds by its own clock ends within a few milliseconds of it.
        let short = elapsed_s < SHORT_RUN_S * 0.99;
        self.settings.insert("short_run".to_owned(), short.into());
    }
}

/// Randomness of the process: the keys of a standard hash map.
fn drawn() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id())
}
