//! `order edit`: lines added, units removed, prices and the zone set, all of it or nothing. See `docs/EDITS.md`.

use clap::Args;

use super::args::ClientArgs;
use super::connection::{MarketConnection, unexpected};
use super::fault::CliFault;
use super::order::{done, find, named, not_placed};
use super::order_line::{self, WantedLine};
use super::order_report::DoneReport;
use super::price;
use super::settings::ClientSettings;
use crate::base::{ChangeId, Currency, SkuId};
use crate::client::{QueryReply, Response};
use crate::engine::{Command, Edit, Line, LinePrice, Query};

#[derive(Debug, Args)]
pub(super) struct EditArgs {
    /// Its number, or its identifier (32 hexadecimal digits).
    #[arg(value_name = "ID|NUMBER")]
    order: String,
    /// A line more: SKU, units, and the price of one unit (12.50; 0 when it is free). May be repeated.
    #[arg(long, value_name = "SKU=QTY@PRICE")]
    add: Vec<String>,
    /// So many units less of this line; lines count from 0. May be repeated.
    #[arg(long, value_name = "LINE=QTY")]
    remove: Vec<String>,
    /// What a unit of this line costs from now on. May be repeated.
    #[arg(long, value_name = "LINE=PRICE")]
    price: Vec<String>,
    /// Where it goes to from now on: the shop's own number.
    #[arg(long)]
    zone: Option<u16>,
    /// Name of this edit (a number); a repeat of it changes nothing. Drawn unless given.
    #[arg(long)]
    change: Option<u64>,
    #[command(flatten)]
    pub(super) client: ClientArgs,
}

/// Reads `LINE=PRICE`.
fn priced(text: &str, currency: Currency) -> Result<LinePrice, CliFault> {
    let fault = |why: &str| CliFault::usage(format!("--price {text}: {why}"));
    let read = text.split_once('=').and_then(|(line, price)| Some((line.parse().ok()?, price)));
    let (line, price) = read.ok_or_else(|| fault("write LINE=PRICE, such as 0=12.50; lines count from 0"))?;
    let price = price::parse(price, currency).map_err(|why| fault(&why.to_string()))?;
    Ok(LinePrice { line, price })
}

pub(super) async fn edit(settings: &ClientSettings, args: &EditArgs) -> Result<DoneReport, CliFault> {
    named(&args.order)?;
    if args.add.is_empty() && args.remove.is_empty() && args.price.is_empty() && args.zone.is_none() {
        return Err(CliFault::usage("nothing to edit; give --add, --remove, --price or --zone"));
    }
    let remove = args.remove.iter().map(|line| order_line::part(line)).collect::<Result<Vec<_>, _>>()?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, &args.order).await?;
    let currency = match connection.query(&format!("order {}", args.order), &Query::Order { order }).await? {
        QueryReply::Order(view) => view.currency,
        other => return Err(unexpected("an order", &other)),
    };
    let wanted = args.add.iter().map(|line| order_line::wanted(line, currency)).collect::<Result<Vec<_>, _>>()?;
    let prices = args.price.iter().map(|line| priced(line, currency)).collect::<Result<Vec<_>, _>>()?;
    let codes: Vec<&str> = wanted.iter().map(|line| line.sku.as_str()).collect();
    let skus = if codes.is_empty() { Vec::new() } else { connection.resolve_all(&codes).await? };
    let line = |(line, sku): (&WantedLine, &SkuId)| Line { sku: *sku, quantity: line.quantity, price: line.price };
    let add: Vec<Line> = wanted.iter().zip(&skus).map(line).collect();
    let change = args.change.map_or_else(|| connection.client.new_change_id(), ChangeId);
    let edit = Edit { zone: args.zone, prices: &prices, remove: &remove, add: &add };
    match connection.client.submit(&Command::EditOrder { order, change, edit }).await? {
        Response::Answered { answer, granted } => done(order, &(answer, granted)),
        Response::Refused(why) => Err(not_placed("the order was not edited", &why, &codes, &skus)),
    }
}
