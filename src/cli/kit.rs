//! `kit define` and `kit show`: SKUs that are sold as so many units of others.

use std::collections::HashMap;
use std::fmt;

use clap::Subcommand;
use serde::Serialize;

use super::args::ClientArgs;
use super::connection::{MarketConnection, numbered, unexpected};
use super::fault::CliFault;
use super::settings::ClientSettings;
use super::table::Table;
use crate::base::SkuId;
use crate::client::QueryReply;
use crate::engine::{Command, Component, Query};

/// What is asked about kits.
#[derive(Debug, Subcommand)]
pub(super) enum KitCommand {
    /// Define a kit: a SKU of its own, whose components are taken together. It never changes.
    Define {
        /// The kit's code, which no SKU has.
        kit: String,
        /// What one kit takes: SKU=UNITS, or a SKU of which it takes one.
        #[arg(required = true, value_name = "SKU[=UNITS]")]
        components: Vec<String>,
        #[command(flatten)]
        client: ClientArgs,
    },
    /// Show what a kit is made of, and how many are for sale.
    Show {
        /// The kit's code.
        kit: String,
        #[command(flatten)]
        client: ClientArgs,
    },
}

/// A kit and what one of it takes.
#[derive(Debug, Serialize)]
pub(super) struct Kit {
    market: String,
    kit: String,
    number: u32,
    /// Kits for sale now.
    for_sale: u64,
    components: Vec<Part>,
}

/// So many units of a SKU in it.
#[derive(Debug, Serialize)]
struct Part {
    sku: String,
    units: u32,
    /// Units for sale of it now, kits or not.
    for_sale: u64,
}

impl fmt::Display for Kit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "kit {} of market {}: number {}, {} for sale", self.kit, self.market, self.number, self.for_sale)?;
        let mut table = Table::new(&["component", "units", "for sale"]);
        for Part { sku, units, for_sale } in &self.components {
            table.row(vec![sku.clone(), units.to_string(), for_sale.to_string()]);
        }
        table.fmt(f)
    }
}

/// `SKU=UNITS`, or a SKU of which a kit takes one.
fn component(given: &str) -> (&str, u32) {
    match given.rsplit_once('=').map(|(sku, units)| (sku, units.parse())) {
        Some((sku, Ok(units))) => (sku, units),
        _ => (given, 1),
    }
}

/// Defines a kit, or finds that it is defined so, and shows it.
pub(super) async fn define(settings: &ClientSettings, code: &str, given: &[String]) -> Result<Kit, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let (skus, units): (Vec<&str>, Vec<u32>) = given.iter().map(|given| component(given)).unzip();
    let numbers = connection.resolve_all(&skus).await?;
    let components: Vec<Component> =
        numbers.into_iter().zip(units).map(|(sku, units)| Component { sku, units }).collect();
    let command = Command::DefineKit { market: connection.market, code, components: &components };
    let (number, _) = numbered(connection.submit(&format!("kit {code}"), &command).await?)?;
    look(&connection, code, SkuId(number)).await
}

/// Shows what a kit is made of.
pub(super) async fn show(settings: &ClientSettings, code: &str) -> Result<Kit, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let sku = connection.resolve_all(&[code]).await?[0];
    look(&connection, code, sku).await
}

async fn look(connection: &MarketConnection, code: &str, kit: SkuId) -> Result<Kit, CliFault> {
    let market = connection.market;
    let recipe = match connection.query("the recipe", &Query::Recipe { market, sku: kit }).await? {
        QueryReply::Recipe(recipe) => recipe,
        other => return Err(unexpected("the recipe", &other)),
    };
    if recipe.is_empty() {
        let why = "a plain SKU, and no kit".to_owned();
        return Err(CliFault::Refused { what: format!("kit {code}"), why });
    }
    let skus: Vec<SkuId> = core::iter::once(kit).chain(recipe.iter().map(|part| part.sku)).collect();
    let for_sale = match connection.query("what is for sale", &Query::Availability { market, skus: &skus }).await? {
        QueryReply::Availability(units) => units,
        other => return Err(unexpected("what is for sale", &other)),
    };
    let for_sale: HashMap<SkuId, u64> = skus.into_iter().zip(for_sale).collect();
    let units = |sku: SkuId| for_sale.get(&sku).copied().unwrap_or_default();
    let mut codes = connection.codes(recipe.iter().map(|part| part.sku)).await?;
    let part = |part: &Component| Part {
        sku: codes.remove(&part.sku).unwrap_or_else(|| part.sku.to_string()),
        units: part.units,
        for_sale: units(part.sku),
    };
    Ok(Kit {
        market: connection.market_name.clone(),
        kit: code.to_owned(),
        number: kit.0,
        for_sale: units(kit),
        components: recipe.iter().map(part).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_a_code_and_perhaps_its_units() {
        let given = ["MUG=2", "MUG", "A=B", "A=B=3", "MUG=0"];
        assert_eq!(given.map(component), [("MUG", 2), ("MUG", 1), ("A=B", 1), ("A=B", 3), ("MUG", 0)]);
    }
}
