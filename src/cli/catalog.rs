//! `market create`, `site create`, `sku create`: names become numbers. Creating what exists says so and
//! changes nothing.

use std::fmt;

use serde::Serialize;
use tokio::task::JoinSet;

use super::connection::{Connection, MarketConnection, numbered, submit};
use super::fault::CliFault;
use super::settings::ClientSettings;
use crate::base::SkuId;
use crate::base::limits::IMPORT_IN_FLIGHT_MAX;
use crate::client::Client;
use crate::engine::Command;

/// What was created, or existed.
#[derive(Debug, Serialize)]
pub(super) struct Created {
    kind: &'static str,
    code: String,
    number: u32,
    existed: bool,
}

/// Several of them.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct CreatedList(Vec<Created>);

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, code, number, existed } = self;
        let done = if *existed { "exists already" } else { "created" };
        writeln!(f, "{kind} {code} {done}: number {number}")
    }
}

impl fmt::Display for CreatedList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|created| created.fmt(f))
    }
}

pub(super) async fn create_market(settings: &ClientSettings, name: &str) -> Result<Created, CliFault> {
    let server = Connection::open(settings).await?;
    let answer = submit(&server.client, &format!("market {name}"), &Command::AssignMarket { code: name }).await?;
    created("market", name, answer)
}

pub(super) async fn create_site(settings: &ClientSettings, code: &str, rank: u16) -> Result<Created, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let command = Command::CreateSite { market: connection.market, rank, code };
    created("site", code, connection.submit(&format!("site {code}"), &command).await?)
}

pub(super) async fn create_skus(settings: &ClientSettings, codes: &[String]) -> Result<CreatedList, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let mut list = Vec::with_capacity(codes.len());
    for code in codes {
        let command = Command::CreateSku { market: connection.market, code };
        list.push(created("SKU", code, connection.submit(&format!("SKU {code}"), &command).await?)?);
    }
    Ok(CreatedList(list))
}

fn created(kind: &'static str, code: &str, answer: super::connection::Answered) -> Result<Created, CliFault> {
    let (number, existed) = numbered(answer)?;
    Ok(Created { kind, code: code.to_owned(), number, existed })
}

/// Creates many SKUs at once; their numbers in the order of the codes.
pub(super) async fn create_many(connection: &MarketConnection, codes: &[&str]) -> Result<Vec<SkuId>, CliFault> {
    let mut creating = JoinSet::new();
    let mut numbers = vec![SkuId(0); codes.len()];
    for (index, code) in codes.iter().enumerate() {
        if creating.len() == IMPORT_IN_FLIGHT_MAX {
            take(&mut creating, &mut numbers).await?;
        }
        let (client, market, code) = (connection.client.clone(), connection.market, (*code).to_owned());
        creating.spawn(async move { (index, create_one(&client, market, &code).await) });
    }
    while !creating.is_empty() {
        take(&mut creating, &mut numbers).await?;
    }
    Ok(numbers)
}

type Creating = JoinSet<(usize, Result<SkuId, CliFault>)>;

async fn take(creating: &mut Creating, numbers: &mut [SkuId]) -> Result<(), CliFault> {
    if let Some(done) = creating.join_next().await {
        let (index, number) = done.expect("law: a creation does not panic");
        numbers[index] = number?;
    }
    Ok(())
}

async fn create_one(client: &Client, market: crate::base::MarketId, code: &str) -> Result<SkuId, CliFault> {
    let answer = submit(client, &format!("SKU {code}"), &Command::CreateSku { market, code }).await?;
    numbered(answer).map(|(number, _)| SkuId(number))
}
