//! The end of a run: the books through the public API, then the log folded offline, both against what the run knows.

use serde_json::{Value, json};
use stockade::base::MarketId;

use crate::books::{Ledger, Shown};
use crate::exchange::Exchange;
use crate::failure::Failure;
use crate::host::Host;
use crate::report::{Audit, ServerFigures};

/// In which everything is paid.
const CURRENCY: &str = "GBP";

/// A market and what must be in it.
pub(crate) struct Known {
    pub(crate) market: MarketId,
    pub(crate) name: String,
    pub(crate) ledger: Ledger,
}

/// Compares the books of every market, then ends our own server and compares what its log says.
pub(crate) async fn audit(
    host: &mut Host,
    exchange: &mut Exchange,
    markets: &[Known],
) -> Result<(Audit, ServerFigures), Failure> {
    let mut differences = Vec::new();
    for known in markets {
        differences.extend(compare_books(exchange, known).await?);
    }
    let server = ServerFigures::from(&exchange.status().await?);
    let books = differences.is_empty();
    let log = host.stop_and_audit()?.map(|document| {
        let found = compare_log(&document, markets);
        differences.extend(found.iter().cloned());
        found.is_empty()
    });
    let ok = differences.is_empty();
    Ok((Audit { ok, books, log, differences }, server))
}

/// How the books of one market differ from what is known.
pub(crate) async fn compare_books(exchange: &mut Exchange, known: &Known) -> Result<Vec<String>, Failure> {
    let theirs = exchange.books(known.market).await?;
    let differences = known.ledger.differences(&theirs);
    Ok(differences.into_iter().map(|difference| format!("market {}: {difference}", known.name)).collect())
}

/// How the offline audit differs: its own verdict, and its books of each market.
fn compare_log(document: &Value, markets: &[Known]) -> Vec<String> {
    let mut differences = Vec::new();
    if document["ok"] != json!(true) {
        differences.push(format!("the offline audit found drift: {document}"));
    }
    for known in markets {
        let ours = serde_json::to_value(Shown::from(&known.ledger)).expect("law: books are plain JSON");
        let theirs = document["markets"]
            .as_array()
            .and_then(|markets| markets.iter().find(|market| market["market"] == json!(known.market.number())));
        let Some(theirs) = theirs else {
            differences.push(format!("market {} is not in the log", known.name));
            continue;
        };
        for part in ["units", "orders", "orders_hash"] {
            if ours[part] != theirs[part] {
                let (ours, theirs) = (&ours[part], &theirs[part]);
                differences.push(format!("market {}, {part}: {ours} by our count, {theirs} in the log", known.name));
            }
        }
        let parts = ["authorised", "captured", "refunded", "charged_back"];
        let sums = parts.map(|part| theirs["money"][CURRENCY][part].as_str().map_or(Some(0), |sum| sum.parse().ok()));
        let found = match sums {
            [Some(authorised), Some(captured), Some(refunded), Some(charged_back)] => {
                known.ledger.money.difference([authorised, captured, refunded, charged_back], "the log")
            }
            _ => Some(format!("money is not to be read: {}", theirs["money"])),
        };
        differences.extend(found.map(|found| format!("market {}: {found}", known.name)));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_log_must_tell_the_same_books() {
        let mut ledger = Ledger::default();
        ledger.receive(5);
        let known = [Known { market: MarketId::new(2).expect("fits"), name: "sale".into(), ledger }];
        let mut market = serde_json::to_value(Shown::from(&known[0].ledger)).expect("serializes");
        market["market"] = json!(2);
        let document = json!({"ok": true, "markets": [{"market": 1}, market]});
        assert_eq!(compare_log(&document, &known), Vec::<String>::new());
        let mut drifted = document.clone();
        drifted["ok"] = json!(false);
        drifted["markets"][1]["units"]["available"] = json!(4);
        assert_eq!(compare_log(&drifted, &known).len(), 2);
        drifted["markets"][1]["money"] = json!({"GBP": {"authorised": "5", "captured": "5", "refunded": "5"}});
        assert_eq!(compare_log(&drifted, &known).len(), 3);
        assert_eq!(compare_log(&json!({"ok": true, "markets": []}), &known), ["market sale is not in the log"]);
    }
}
