//! Where settings come from: defaults, then a TOML file, then the environment, then flags; the later one wins.
//!
//! ```text
//! file         tls.cert = "server.pem"        [tls] cert = "server.pem"
//! environment  STOCKADE_TLS__CERT=server.pem
//! flag         --tls-cert server.pem
//! ```
//!
//! # Always true
//! - A key that nobody knows is refused with the list of those that exist: a misspelt limit is not a limit.
//! - A value that cannot be used is named together with where it stands and what is allowed.
//! # Not here
//! - What the values mean: `settings`.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use config::{File, FileFormat, Source, Value, ValueKind};

/// Every key there is, and what it sets.
pub(super) const KEYS: &[(&str, &str)] = &[
    ("data", "directory of the log and, on loopback, of the certificate made for it"),
    ("address", "where the server listens (UDP)"),
    ("shards", "number of shards, fixed at first start"),
    ("orders_max", "orders kept; beyond it placements are refused"),
    ("lines_max", "lines of all orders kept"),
    ("details_bytes_max", "bytes of sealed customer details kept"),
    ("keys_max", "keys under which details are sealed: one a customer, one an order of a guest"),
    ("skus_max", "SKUs of all markets kept"),
    ("kits_max", "kits of all markets kept"),
    ("places_max", "SKUs kept, each counted at every site where anything was said of it"),
    ("policies_max", "policies of SKUs of all markets kept"),
    ("customers_max", "counts of customers that policies of SKUs limit"),
    ("waiting_max", "pairs of an order and a SKU of which it is owed units"),
    ("holds_max", "holds of all orders kept"),
    ("payments_max", "attempts to pay of all orders kept"),
    ("returns_max", "returns of all orders kept, and their lines, each once more for each site it came in at"),
    ("velocity_max", "keys of customers of whom markets count what they placed lately"),
    ("connections_max", "connections served at once"),
    ("orders_per_second_max", "placements admitted in a second, or none"),
    ("reserve_orders", "orders whose memory is taken before the server listens"),
    ("durability", "sync, memory, or interval:TIME"),
    ("segment_bytes", "size of one segment of the log"),
    ("low_water_bytes", "free disk space below which new orders are refused"),
    ("http_address", "where metrics and health are told over HTTP, or none"),
    ("snapshot_log_bytes", "bytes of the log after which a snapshot is made, 0 for none"),
    ("snapshot_bytes_per_second", "bytes that making a snapshot reads and writes in a second"),
    ("sync_method", "fdatasync, direct-dsync, or measure"),
    ("payment", "who works off the wanted list of payments: simulated, or none"),
    ("warehouse", "who works off the wanted list of releases: simulated, or none"),
    ("check", "who says whether orders are to be trusted: simulated, or none"),
    ("feed_behind_bytes", "bytes of the log kept for a webhook that does not take them"),
    ("webhook.url", "who is told every fact over HTTP"),
    ("webhook.secret_file", "file with the secrets that sign messages to it"),
    ("webhook.ca", "the certificate authority it trusts (PEM), instead of the system's"),
    ("webhook.name", "names its place in the log"),
    ("simulated.delay", "how long the simulated ones take to answer"),
    ("simulated.declined", "of a thousand orders, those the simulated provider declines"),
    ("simulated.rejected", "of a thousand orders, those the simulated checker rejects"),
    ("simulated.doubted", "of a thousand others, those it leaves to a person"),
    ("simulated.doubted_above", "orders placed lately above which it leaves one to a person, 0 for any"),
    ("simulated.lost", "of a thousand questions or answers, those that get lost"),
    ("simulated.repeated", "of a thousand answers, those that come once more"),
    ("simulated.seed", "of their chances"),
    ("tls.cert", "the server's certificate (PEM)"),
    ("tls.key", "its private key (PEM)"),
    ("tls.client_ca", "whose clients may connect (PEM)"),
    ("log.filter", "what is logged, such as info or stockade=debug"),
    ("log.format", "text or json"),
    ("client.connect", "the server that client commands talk to"),
    ("client.ca", "the certificate they trust (PEM)"),
    ("client.cert", "the certificate they show (PEM)"),
    ("client.key", "its private key (PEM)"),
    ("client.market", "the market they work on"),
    ("client.deadline", "how long they wait for an answer"),
];

const PREFIX: &str = "STOCKADE_";

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Origin {
    File(PathBuf),
    Environment(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "in {}", path.display()),
            Self::Environment(name) => write!(f, "in the environment variable {name}"),
            Self::Flag(flag) => write!(f, "given with {flag}"),
        }
    }
}

/// What is wrong with the configuration.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConfigFault {
    #[error("reading the configuration file {path}: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("the key {key} {origin} is not known. Known keys:\n{}", known())]
    UnknownKey { key: String, origin: Origin },
    #[error("{key} {origin} is {found}; it must be text or a whole number")]
    Kind { key: String, origin: Origin, found: &'static str },
    #[error("{key} is given and {missing} is not: set both")]
    Missing { key: &'static str, missing: &'static str },
    #[error("{key} = {value:?} {origin}: it must be {allowed}")]
    Value { key: &'static str, value: String, origin: Origin, allowed: String },
}

fn known() -> String {
    let lines = KEYS.iter().map(|(key, says)| format!("  {key:<18} {says}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The values that were given, each with where it stands.
#[derive(Debug, Default)]
pub(super) struct Given {
    values: BTreeMap<&'static str, (String, Origin)>,
}

impl Given {
    /// Reads the file, then the environment, then the flags (key and value of each).
    pub(super) fn read(
        file: Option<&Path>,
        environment: impl Iterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (&'static str, String)>,
    ) -> Result<Self, ConfigFault> {
        let mut given = Self::default();
        if let Some(path) = file {
            given.read_file(path)?;
        }
        for (name, value) in environment {
            if let Some(key) = name.strip_prefix(PREFIX) {
                let key = key.to_lowercase().replace("__", ".");
                given.put(&key, value, Origin::Environment(name))?;
            }
        }
        for (key, value) in flags {
            given.put(key, value, Origin::Flag(flag(key)))?;
        }
        Ok(given)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), ConfigFault> {
        let fault = |reason: String| ConfigFault::File { path: path.to_path_buf(), reason };
        // The library guesses other names when this one does not exist; a file that was named must be there.
        std::fs::metadata(path).map_err(|error| fault(error.to_string()))?;
        let read = File::from(path).format(FileFormat::Toml).collect();
        let tables = read.map_err(|error| fault(error.to_string()))?;
        let origin = Origin::File(path.to_path_buf());
        let mut sorted: Vec<_> = tables.into_iter().collect();
        sorted.sort_by(|one, other| one.0.cmp(&other.0));
        sorted.into_iter().try_for_each(|(key, value)| self.put_value(&key, value, &origin))
    }

    fn put_value(&mut self, key: &str, value: Value, origin: &Origin) -> Result<(), ConfigFault> {
        let kind = |found| Err(ConfigFault::Kind { key: key.to_owned(), origin: origin.clone(), found });
        let text = match value.kind {
            ValueKind::Table(table) => {
                let mut sorted: Vec<_> = table.into_iter().collect();
                sorted.sort_by(|one, other| one.0.cmp(&other.0));
                return sorted
                    .into_iter()
                    .try_for_each(|(name, value)| self.put_value(&format!("{key}.{name}"), value, origin));
            }
            ValueKind::String(text) => text,
            ValueKind::I64(number) => number.to_string(),
            ValueKind::I128(number) => number.to_string(),
            ValueKind::U64(number) => number.to_string(),
            ValueKind::U128(number) => number.to_string(),
            ValueKind::Nil => return kind("empty"),
            ValueKind::Boolean(_) => return kind("true or false"),
            ValueKind::Float(_) => return kind("a number with a fraction"),
            ValueKind::Array(_) => return kind("a list"),
        };
        self.put(key, text, origin.clone())
    }

    fn put(&mut self, key: &str, value: String, origin: Origin) -> Result<(), ConfigFault> {
        let known = KEYS.iter().find(|(known, _)| *known == key);
        let (key, _) = known.ok_or_else(|| ConfigFault::UnknownKey { key: key.to_owned(), origin: origin.clone() })?;
        self.values.insert(key, (value, origin));
        Ok(())
    }

    /// The value of a key, if one was given; `allowed` says what `parse` takes.
    pub(super) fn get<T>(
        &self,
        key: &'static str,
        allowed: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ConfigFault> {
        let Some((value, origin)) = self.values.get(key) else { return Ok(None) };
        match parse(value) {
            Some(parsed) => Ok(Some(parsed)),
            None => Err(ConfigFault::Value {
                key,
                value: value.clone(),
                origin: origin.clone(),
                allowed: allowed.to_owned(),
            }),
        }
    }

    /// The value of a key that may be any text.
    pub(super) fn text(&self, key: &'static str) -> Option<String> {
        self.values.get(key).map(|(value, _)| value.clone())
    }
}

/// The flag that sets a key.
pub(super) fn flag(key: &str) -> String {
    match key {
        "log.filter" => "--log".to_owned(),
        "client.cert" | "client.key" => format!("--{}", key.replace('.', "-")),
        _ => format!("--{}", key.trim_start_matches("client.").replace(['.', '_'], "-")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(text: &str) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().expect("a file");
        file.write_all(text.as_bytes()).expect("written");
        file
    }

    fn read(text: &str, environment: &[(&str, &str)], flags: &[(&'static str, &str)]) -> Result<Given, ConfigFault> {
        let file = file(text);
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Given::read(Some(file.path()), environment, flags.iter().map(|(key, value)| (*key, (*value).to_owned())))
    }

    #[test]
    fn flags_win_over_the_environment_and_the_environment_over_the_file() {
        let text = "data = 'file'\nshards = 2\n[tls]\ncert = 'file.pem'\n";
        let environment = [("STOCKADE_DATA", "environment"), ("STOCKADE_TLS__CERT", "e.pem"), ("PATH", "x")];
        let given = read(text, &environment, &[("data", "flag")]).expect("sound");
        assert_eq!(given.text("data").as_deref(), Some("flag"));
        assert_eq!(given.text("tls.cert").as_deref(), Some("e.pem"));
        assert_eq!(given.text("shards").as_deref(), Some("2"));
        assert_eq!(given.text("tls.key"), None);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_keys_that_exist() {
        for fault in [
            read("order_max = 5", &[], &[]).expect_err("misspelt"),
            read("[tls]\nca = 'x'", &[], &[]).expect_err("unknown"),
            read("", &[("STOCKADE_ORDER_MAX", "5")], &[]).expect_err("misspelt"),
        ] {
            let text = fault.to_string();
            assert!(
                text.contains("not known") && text.contains("orders_max") && text.contains("tls.client_ca"),
                "{text}"
            );
        }
    }

    #[test]
    fn a_value_that_cannot_be_used_says_where_it_stands_and_what_is_allowed() {
        let given = read("", &[("STOCKADE_SHARDS", "many")], &[]).expect("sound");
        let fault = given.get("shards", "1 to 64", |text| text.parse::<u16>().ok()).expect_err("no number");
        let text = fault.to_string();
        assert_eq!(text, "shards = \"many\" in the environment variable STOCKADE_SHARDS: it must be 1 to 64");
        for bad in ["shards = 1.5", "shards = true", "shards = [1]"] {
            assert!(matches!(read(bad, &[], &[]), Err(ConfigFault::Kind { .. })), "{bad}");
        }
    }

    #[test]
    fn a_file_that_is_missing_or_no_toml_is_named() {
        let missing = Given::read(Some(Path::new("/no/such/file")), std::iter::empty(), []).expect_err("missing");
        assert!(missing.to_string().contains("/no/such/file"), "{missing}");
        assert!(matches!(read("shards = = 2", &[], &[]), Err(ConfigFault::File { .. })));
    }

    #[test]
    fn a_key_is_told_by_the_flag_that_sets_it() {
        let flags = ["orders_max", "tls.client_ca", "client.connect", "client.cert", "log.filter", "log.format"];
        let expected = ["--orders-max", "--tls-client-ca", "--connect", "--client-cert", "--log", "--log-format"];
        assert_eq!(flags.map(flag), expected);
    }
}
