//! `stock move`: units lie elsewhere, or are for something else.

use std::fmt;

use serde::Serialize;

use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::stock::open;
use crate::engine::ledger::{Account, Bucket};
use crate::engine::{Answer, Command};

/// What `stock move` did.
#[derive(Debug, Serialize)]
pub(super) struct Moved {
    sku: String,
    quantity: u64,
    from: String,
    to: String,
    /// At the site where they lie now, right after it happened first.
    available: u64,
    request: String,
    /// It had happened before and nothing changed.
    repeated: bool,
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { sku, quantity, from, to, available, request, repeated } = self;
        match repeated {
            false => {
                writeln!(f, "{quantity} of {sku} moved from {from} to {to}: {available} available (request {request})")
            }
            true => {
                writeln!(f, "request {request} was carried out before; nothing changed ({available} available then)")
            }
        }
    }
}

pub(super) async fn move_units(
    settings: &ClientSettings,
    sku: &str,
    ([from, to], quantity): ([&str; 2], u64),
    request: Option<&str>,
) -> Result<Moved, CliFault> {
    let (connection, request) = open(settings, request).await?;
    let number = connection.resolve_all(&[sku]).await?[0];
    let accounts = (account(&connection, from).await?, account(&connection, to).await?);
    let command = Command::MoveStock { request, sku: number, from: accounts.0, to: accounts.1, quantity };
    match connection.submit(&format!("moving {quantity} of {sku}"), &command).await? {
        (Answer::Stock { available, repeated }, _) => Ok(Moved {
            sku: sku.to_owned(),
            quantity,
            from: from.to_owned(),
            to: to.to_owned(),
            available,
            request: request.to_string(),
            repeated,
        }),
        (other, _) => Err(unexpected("stock", &other)),
    }
}

/// `SITE` or `SITE:BUCKET`. A colon that no bucket follows is part of the site's code.
async fn account(connection: &MarketConnection, text: &str) -> Result<Account, CliFault> {
    let named = text.rsplit_once(':').and_then(|(site, bucket)| Some((site, bucket_of(bucket)?)));
    let (site, bucket) = named.unwrap_or((text, Bucket::Available));
    Ok(Account { site: connection.site(site).await?, bucket })
}

fn bucket_of(name: &str) -> Option<Bucket> {
    Bucket::ALL.into_iter().find(|bucket| bucket.may_be_filled() && bucket.name() == name)
}
