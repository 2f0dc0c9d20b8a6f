//! A client command's connection: one server, one market, and the words for what can go wrong.
//!
//! # Always true
//! - A market that is named and does not exist is an error; only `market create` creates one.

use std::collections::HashMap;
use std::path::Path;

use tokio::task::JoinSet;

use super::fault::CliFault;
use super::settings::ClientSettings;
use super::suggestion::Suggestion;
use crate::base::limits::PAGE_ROWS_MAX;
use crate::base::{CodeList, MarketId, SiteId, SkuId};
use crate::client::{Client, ClientIdentity, ClientOptions, PemSource, QueryReply, Response};
use crate::engine::query::SiteRow;
use crate::engine::{Answer, Command, Granted, Query, Refusal};
use crate::wire::Refused;

/// What was answered: the answer, and what each line got when it was short or is owed some.
pub(super) type Answered = (Answer, Vec<Granted>);

/// A server.
pub(super) struct Connection {
    pub(super) client: Client,
    suggestion: Suggestion,
}

/// A server and one of its markets.
pub(super) struct MarketConnection {
    pub(super) client: Client,
    pub(super) market: MarketId,
    pub(super) market_name: String,
    pub(super) suggestion: Suggestion,
}

impl Connection {
    pub(super) async fn open(settings: &ClientSettings) -> Result<Self, CliFault> {
        Ok(Self { client: Client::connect(options(settings)?).await?, suggestion: Suggestion::new(settings) })
    }

    pub(super) async fn into_market(self, name: &str) -> Result<MarketConnection, CliFault> {
        match self.client.query(&Query::Market { code: name }).await? {
            QueryReply::Market(market) => {
                let Self { client, suggestion } = self;
                Ok(MarketConnection { client, market, market_name: name.to_owned(), suggestion })
            }
            QueryReply::Refused(Refused::Engine(Refusal::UnknownMarket)) => Err(CliFault::Refused {
                what: format!("market {name}"),
                why: format!(
                    "no such market; create it with: {}",
                    self.suggestion.server_command("market create", &[name])
                ),
            }),
            other => Err(unexpected("market", &other)),
        }
    }
}

impl MarketConnection {
    pub(super) async fn open(settings: &ClientSettings) -> Result<Self, CliFault> {
        Connection::open(settings).await?.into_market(&settings.market).await
    }

    /// Refuses an identifier of another market: the server goes by the market inside it, whatever the command says,
    /// and SKU numbers of this market mean other SKUs there.
    pub(super) fn check_market(&self, what: &str, of: MarketId) -> Result<(), CliFault> {
        if of == self.market {
            return Ok(());
        }
        Err(CliFault::usage(format!(
            "{what}: this identifier belongs to market number {of}, and --market {} is number {}; --market must name \
             the market of the identifier",
            self.market_name, self.market
        )))
    }

    /// Submits a command; a refusal becomes a fault that begins with `what`.
    pub(super) async fn submit(&self, what: &str, command: &Command<'_>) -> Result<Answered, CliFault> {
        submit(&self.client, what, command).await
    }

    /// Asks a query; a refusal becomes a fault that begins with `what`.
    pub(super) async fn query(&self, what: &str, query: &Query<'_>) -> Result<QueryReply, CliFault> {
        match self.client.query(query).await? {
            QueryReply::Refused(why) => Err(CliFault::refused(what, &why)),
            reply => Ok(reply),
        }
    }

    /// Numbers of SKU codes, `None` for those that do not exist.
    pub(super) async fn resolve(&self, codes: &[&str]) -> Result<Vec<Option<SkuId>>, CliFault> {
        let mut numbers = Vec::with_capacity(codes.len());
        for page in codes.chunks(PAGE_ROWS_MAX) {
            let list: CodeList = page.iter().copied().collect();
            let query = Query::ResolveSkus { market: self.market, codes: list.codes() };
            match self.query("looking up SKUs", &query).await? {
                QueryReply::SkuNumbers(found) => numbers.extend(found),
                other => return Err(unexpected("SKU numbers", &other)),
            }
        }
        Ok(numbers)
    }

    /// Numbers of SKU codes, all of which must exist.
    pub(super) async fn resolve_all(&self, codes: &[&str]) -> Result<Vec<SkuId>, CliFault> {
        let numbers = self.resolve(codes).await?;
        let missing = codes.iter().zip(&numbers).filter(|(_, number)| number.is_none());
        let missing: Vec<&str> = missing.map(|(code, _)| *code).collect();
        if missing.is_empty() {
            return Ok(numbers.into_iter().flatten().collect());
        }
        let create = self.suggestion.command("sku create", &missing);
        Err(CliFault::Refused {
            what: format!("SKU {}", missing.join(", ")),
            why: format!("not in market {}; create it with: {create}", self.market_name),
        })
    }

    /// Codes of SKU numbers.
    pub(super) async fn codes(&self, skus: impl Iterator<Item = SkuId>) -> Result<HashMap<SkuId, String>, CliFault> {
        let mut asking = JoinSet::new();
        let mut wanted: Vec<_> = skus.collect();
        wanted.sort_unstable();
        wanted.dedup();
        for sku in wanted {
            let (client, market) = (self.client.clone(), self.market);
            let after = SkuId(sku.0.saturating_sub(1));
            asking.spawn(async move { client.query(&Query::Skus { market, after, rows_max: 1 }).await });
        }
        let mut codes = HashMap::new();
        while let Some(answered) = asking.join_next().await {
            match answered.expect("law: a query does not panic")? {
                QueryReply::Skus(rows) => codes.extend(rows.into_iter().map(|row| (row.sku, row.code))),
                QueryReply::Refused(why) => return Err(CliFault::refused("looking up SKUs", &why)),
                other => return Err(unexpected("SKU codes", &other)),
            }
        }
        Ok(codes)
    }

    /// The sites of the market.
    pub(super) async fn sites(&self) -> Result<Vec<SiteRow>, CliFault> {
        match self.query("looking up sites", &Query::Sites { market: self.market }).await? {
            QueryReply::Sites(rows) => Ok(rows),
            other => Err(unexpected("sites", &other)),
        }
    }

    /// The number of a site.
    pub(super) async fn site(&self, code: &str) -> Result<SiteId, CliFault> {
        let rows = self.sites().await?;
        let found = rows.iter().find(|row| row.code == code).map(|row| row.site);
        found.ok_or_else(|| CliFault::Refused {
            what: format!("site {code}"),
            why: format!(
                "market {} has only {}; create it with: {}",
                self.market_name,
                rows.iter().map(|row| row.code.as_str()).collect::<Vec<_>>().join(", "),
                self.suggestion.command("site create", &[code])
            ),
        })
    }
}

/// Submits a command; a refusal becomes a fault that begins with `what`.
pub(super) async fn submit(client: &Client, what: &str, command: &Command<'_>) -> Result<Answered, CliFault> {
    match client.submit(command).await? {
        Response::Answered { answer, granted } => Ok((answer, granted)),
        Response::Refused(why) => Err(CliFault::refused(what, &why)),
    }
}

/// The number in an answer, and whether it had been given before.
pub(super) fn numbered((answer, _): Answered) -> Result<(u32, bool), CliFault> {
    match answer {
        Answer::Numbered { number, repeated } => Ok((number, repeated)),
        other => Err(unexpected("a number", &other)),
    }
}

/// The server answered something that does not answer the question.
pub(super) fn unexpected(wanted: &str, got: &impl std::fmt::Debug) -> CliFault {
    CliFault::Refused { what: format!("asked for {wanted}"), why: format!("the server answered {got:?}") }
}

fn options(settings: &ClientSettings) -> Result<ClientOptions, CliFault> {
    let pem = |path: &Path| PemSource::File(path.to_path_buf());
    let identity = match (&settings.cert, &settings.key) {
        (Some(cert), Some(key)) => Some(ClientIdentity { cert: pem(cert), key: pem(key) }),
        (None, None) => None,
        (Some(_), None) => return Err(CliFault::usage("--client-cert needs --client-key with it")),
        (None, Some(_)) => return Err(CliFault::usage("--client-key needs --client-cert with it")),
    };
    Ok(ClientOptions {
        address: settings.address,
        server_name: settings.server_name.clone(),
        ca: pem(&ca(settings)?),
        identity,
        deadline: settings.deadline,
        ..ClientOptions::default()
    })
}

/// Whom to trust: what was said, or the certificate that a server on this machine made for itself.
fn ca(settings: &ClientSettings) -> Result<std::path::PathBuf, CliFault> {
    if let Some(ca) = &settings.ca {
        return Ok(ca.clone());
    }
    if !settings.address.ip().is_loopback() {
        let address = settings.address;
        return Err(CliFault::usage(format!("connecting to {address} needs --ca FILE: the certificate to trust")));
    }
    let made = settings.data.join("dev").join("cert.pem");
    if made.exists() {
        return Ok(made);
    }
    Err(CliFault::usage(format!(
        "{} does not exist: no server was ever started with this data directory. Start one with `stockade serve`, or \
         say which server and which certificate to trust with --connect ADDR --ca FILE (or its data directory with \
         --data DIR)",
        made.display()
    )))
}

#[cfg(test)]
mod tests {
    use super::super::config::Given;
    use super::*;

    fn settings(flags: &[(&'static str, &str)]) -> ClientSettings {
        let flags = flags.iter().map(|(key, value)| (*key, (*value).to_owned()));
        let given = Given::read(None, std::iter::empty(), flags).expect("known keys");
        ClientSettings::from_given(&given).expect("sound")
    }

    #[test]
    fn a_server_elsewhere_is_trusted_only_by_a_named_certificate() {
        let fault = options(&settings(&[("client.connect", "192.0.2.1:7733")])).expect_err("nobody to trust");
        assert!(fault.to_string().contains("--ca FILE"), "{fault}");
        let told = [("client.connect", "192.0.2.1:7733"), ("client.ca", "ca.pem")];
        assert_eq!(options(&settings(&told)).expect("told").ca, PemSource::File("ca.pem".into()));
    }

    #[test]
    fn without_a_server_ever_started_here_the_fault_names_both_flags() {
        let fault = options(&settings(&[("data", "/no/such/dir")])).expect_err("no certificate");
        assert!(fault.to_string().contains("--connect ADDR --ca FILE"), "{fault}");
        assert_eq!(fault.exit_code(), 2);
    }

    #[test]
    fn half_an_identity_is_refused() {
        assert!(options(&settings(&[("client.ca", "c"), ("client.cert", "c")])).is_err());
        assert!(options(&settings(&[("client.ca", "c"), ("client.key", "k")])).is_err());
    }
}
