//! `order place | get | list | extend | confirm | cancel | hand-over | return`.

use super::connection::{Answered, MarketConnection, unexpected};
use super::fault::CliFault;
use super::order_args::{Payment, PlaceArgs};
use super::order_line::{self, WantedLine};
use super::order_report::{DoneReport, ExtendedReport, OrderListReport, OrderReport, PlacedReport, TakenReport};
use super::settings::ClientSettings;
use super::suggestion::Suggestion;
use super::{tasks, units};
use crate::base::limits::{HOLD_MS_MAX, PAGE_ROWS_MAX};
use crate::base::{ChangeId, Currency, CustomerKey, OrderId, OrderNumber, SkuId};
use crate::client::{QueryReply, Response};
use crate::engine::choices::{PaymentMethod, Take};
use crate::engine::query::OrderView;
use crate::engine::{Answer, Command, ExtendReason, Granted, Line, Place, Query, Refusal};
use crate::wire::Refused;

/// A placement, understood, before any server was asked.
struct Wanted {
    lines: Vec<WantedLine>,
    currency: Currency,
    /// Zero where nothing is said.
    hold_ms: u32,
    customer: CustomerKey,
    id: Option<OrderId>,
}

fn understand(args: &PlaceArgs) -> Result<Wanted, CliFault> {
    let currency: Currency =
        args.currency.parse().map_err(|why| CliFault::usage(format!("--currency {}: {why}", args.currency)))?;
    let lines = args.lines.iter().map(|text| order_line::wanted(text, currency)).collect::<Result<_, _>>()?;
    let hold_ms = args.hold.as_deref().map(hold_ms).transpose()?.unwrap_or_default();
    Ok(Wanted { lines, currency, hold_ms, customer: customer(args.customer.as_deref())?, id: id(args.id.as_deref())? })
}

fn hold_ms(text: &str) -> Result<u32, CliFault> {
    let ms = units::span_ms(text).and_then(|ms| u32::try_from(ms).ok());
    ms.filter(|ms| (1..=HOLD_MS_MAX).contains(ms))
        .ok_or_else(|| CliFault::usage(format!("--hold {text}: it must be {}, at most 31d", units::SPAN)))
}

pub(super) fn customer(text: Option<&str>) -> Result<CustomerKey, CliFault> {
    let Some(text) = text else { return Ok(CustomerKey::default()) };
    let sound = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let bits = u128::from_str_radix(text, 16).ok().filter(|_| sound);
    bits.map(CustomerKey).ok_or_else(|| CliFault::usage("--customer: a key is exactly 32 hexadecimal digits"))
}

fn id(text: Option<&str>) -> Result<Option<OrderId>, CliFault> {
    text.map(|text| text.parse().map_err(|why| CliFault::usage(format!("--id: {why}")))).transpose()
}

const fn payment(payment: Payment) -> PaymentMethod {
    match payment {
        Payment::Unspecified => PaymentMethod::Unspecified,
        Payment::Card => PaymentMethod::Card,
        Payment::Wallet => PaymentMethod::Wallet,
        Payment::BankTransfer => PaymentMethod::BankTransfer,
        Payment::Invoice => PaymentMethod::Invoice,
        Payment::CashOnDelivery => PaymentMethod::CashOnDelivery,
    }
}

pub(super) async fn place(settings: &ClientSettings, args: &PlaceArgs) -> Result<PlacedReport, CliFault> {
    let wanted = understand(args)?;
    let connection = MarketConnection::open(settings).await?;
    wanted.id.map_or(Ok(()), |id| connection.check_market("--id", id.market()))?;
    let codes: Vec<&str> = wanted.lines.iter().map(|line| line.sku.as_str()).collect();
    let skus = connection.resolve_all(&codes).await?;
    let line = |(line, sku): (&WantedLine, &SkuId)| Line { sku: *sku, quantity: line.quantity, price: line.price };
    let lines: Vec<Line> = wanted.lines.iter().zip(&skus).map(line).collect();
    let order = wanted.id.unwrap_or_else(|| connection.client.new_order_id(connection.market));
    let place = Place {
        order,
        customer: wanted.customer,
        take: if args.take_what_exists { Take::WhatExists } else { Take::AllOrNothing },
        hold_ms: wanted.hold_ms,
        currency: wanted.currency,
        payment: payment(args.payment),
        channel: args.channel,
        zone: args.zone,
        hashes: None,
        lines: &lines,
        details: args.details.as_bytes(),
        key: None,
    };
    match connection.client.submit(&Command::Place(place)).await? {
        Response::Answered { answer, granted } => {
            placed(&connection.suggestion, order, &wanted.lines, (answer, granted))
        }
        Response::Refused(why) => Err(not_placed("the order was not placed", &why, &codes, &skus)),
    }
}

fn placed(
    suggestion: &Suggestion,
    order: OrderId,
    lines: &[WantedLine],
    (answer, granted): Answered,
) -> Result<PlacedReport, CliFault> {
    let Answer::Placed { number, accepted_at, deadline, state, short, owed, repeated } = answer else {
        return Err(unexpected("an order", &answer));
    };
    let line = |(index, line): (usize, &WantedLine)| {
        let all = Granted { taken: line.quantity, owed: 0 };
        let Granted { taken, owed } = granted.get(index).copied().unwrap_or(all);
        TakenReport { sku: line.sku.clone(), asked: line.quantity, taken, owed }
    };
    Ok(PlacedReport {
        number: number.0,
        id: order.to_string(),
        state: state.name(),
        accepted_at: accepted_at.utc(),
        reserved_until: deadline.utc_or_none(),
        short,
        owed,
        repeated,
        lines: lines.iter().enumerate().map(line).collect(),
        confirm: suggestion.command("order confirm", &[&number.to_string()]),
    })
}

/// The server names SKUs by number; people do not.
pub(super) fn not_placed(what: &str, why: &Refused, codes: &[&str], skus: &[SkuId]) -> CliFault {
    if let Refused::Engine(Refusal::SoldOut { sku, asked, available }) = why
        && let Some(at) = skus.iter().position(|known| known == sku)
    {
        let why = format!("sold out: {} has {available} available, {asked} asked", codes[at]);
        return CliFault::Refused { what: what.to_owned(), why };
    }
    CliFault::refused(what, why)
}

/// An order by its identifier or by the number people use.
pub(super) enum Named {
    Id(OrderId),
    Number(OrderNumber),
}

/// Looks whether this may name an order, before any server is asked.
pub(super) fn check_name(text: &str) -> Result<(), CliFault> {
    named(text).map(|_| ())
}

pub(super) fn named(text: &str) -> Result<Named, CliFault> {
    if let Ok(order) = text.parse() {
        return Ok(Named::Id(order));
    }
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|number| digits && *number > 0);
    number.map(|number| Named::Number(OrderNumber(number))).ok_or_else(|| {
        CliFault::usage(format!("{text:?} names no order: give its number (1, 2, 3, …) or its 32 hexadecimal digits"))
    })
}

pub(super) async fn view(connection: &MarketConnection, text: &str) -> Result<OrderView, CliFault> {
    let query = match named(text)? {
        Named::Id(order) => {
            connection.check_market(&format!("order {text}"), order.market())?;
            Query::Order { order }
        }
        Named::Number(number) => Query::OrderByNumber { market: connection.market, number },
    };
    match connection.client.query(&query).await? {
        QueryReply::Order(view) => Ok(*view),
        QueryReply::Refused(Refused::Engine(Refusal::UnknownOrder)) if matches!(query, Query::OrderByNumber { .. }) => {
            let (what, market) = (format!("order {text}"), &connection.market_name);
            Err(CliFault::Refused { what, why: format!("no order number {text} in market {market}") })
        }
        QueryReply::Refused(why) => Err(CliFault::refused(format!("order {text}"), &why)),
        other => Err(unexpected("an order", &other)),
    }
}

/// The identifier; the server is asked only when it was not given.
pub(super) async fn find(connection: &MarketConnection, text: &str) -> Result<OrderId, CliFault> {
    match named(text)? {
        Named::Id(order) => {
            connection.check_market(&format!("order {text}"), order.market())?;
            Ok(order)
        }
        Named::Number(_) => view(connection, text).await.map(|view| view.order),
    }
}

pub(super) async fn get(settings: &ClientSettings, text: &str) -> Result<OrderReport, CliFault> {
    named(text)?;
    let connection = MarketConnection::open(settings).await?;
    let view = view(&connection, text).await?;
    let codes = connection.codes(view.lines.iter().map(|line| line.sku)).await?;
    let waits = tasks::waits(&connection, view.order).await?;
    Ok(OrderReport::new(&view, &codes, waits))
}

/// Orders that hold units, with numbers after `after`.
pub(super) async fn list(settings: &ClientSettings, after: u64, limit: u64) -> Result<OrderListReport, CliFault> {
    let connection = MarketConnection::open(settings).await?;
    let market = connection.market;
    let ask = |after, rows_max| Query::OpenOrders { market, after, rows_max };
    let mut report = gather(&connection, "open orders", (after, limit), ask).await?;
    report.more = report.next.map(|next| {
        let (next, limit) = (next.to_string(), limit.to_string());
        connection.suggestion.command("order list", &["--after", &next, "--limit", &limit])
    });
    Ok(report)
}

/// Every order of a customer that is kept, newest first, with numbers before `before`.
pub(super) async fn list_of(
    settings: &ClientSettings,
    key: &str,
    before: u64,
    limit: u64,
) -> Result<OrderListReport, CliFault> {
    let customer = customer(Some(key))?;
    let connection = MarketConnection::open(settings).await?;
    let market = connection.market;
    let ask = |before, rows_max| Query::CustomerOrders { market, customer, before, rows_max };
    let mut report = gather(&connection, "the customer's orders", (before, limit), ask).await?;
    report.nobody = "no orders of this customer are kept";
    report.more = report.next.map(|next| {
        let (next, limit) = (next.to_string(), limit.to_string());
        connection.suggestion.command("order list", &["--customer", key, "--before", &next, "--limit", &limit])
    });
    Ok(report)
}

/// Pages of orders from a number on, until there are so many or no more.
async fn gather(
    connection: &MarketConnection,
    what: &str,
    (from, limit): (u64, u64),
    ask: impl Fn(OrderNumber, u16) -> Query<'static>,
) -> Result<OrderListReport, CliFault> {
    let mut report = OrderListReport { orders: Vec::new(), next: Some(from), more: None, nobody: "no open orders" };
    while let Some(from) = report.next
        && (report.orders.len() as u64) < limit
    {
        let left = (limit - report.orders.len() as u64).min(PAGE_ROWS_MAX as u64);
        let rows_max = u16::try_from(left).expect("law: a page's rows fit 16 bits");
        let reply = connection.query(what, &ask(OrderNumber(from), rows_max)).await?;
        let (QueryReply::OpenOrders(page) | QueryReply::CustomerOrders(page)) = reply else {
            return Err(unexpected(what, &"something else"));
        };
        report.orders.extend(page.rows.iter().map(Into::into));
        report.next = page.next.map(|number| number.0);
    }
    Ok(report)
}

pub(super) async fn confirm(
    settings: &ClientSettings,
    text: &str,
    attempt: Option<u64>,
) -> Result<DoneReport, CliFault> {
    named(text)?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, text).await?;
    let attempt = attempt.map_or_else(|| connection.client.new_change_id(), ChangeId);
    let answer = connection.submit(&format!("confirming order {text}"), &Command::Confirm { order, attempt }).await?;
    if let (Answer::RetakeFailed { sku, .. }, _) = answer {
        let codes = connection.codes(std::iter::once(sku)).await?;
        let why = format!(
            "its reservation had ended and {} is sold out meanwhile; the payment must be given back",
            codes.get(&sku).map_or("a SKU", String::as_str)
        );
        return Err(CliFault::Refused { what: format!("order {text} was not confirmed"), why });
    }
    done(order, &answer)
}

pub(super) async fn extend(
    settings: &ClientSettings,
    text: &str,
    time: &str,
    reason: ExtendReason,
) -> Result<ExtendedReport, CliFault> {
    named(text)?;
    let ms = units::span_ms(time).ok_or_else(|| CliFault::usage(format!("{time}: it must be {}", units::SPAN)))?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, text).await?;
    let until = connection.client.log_time().after_ms(ms);
    match connection.submit(&format!("extending order {text}"), &Command::Extend { order, until, reason }).await? {
        (Answer::Extended { deadline, repeated }, _) => {
            Ok(ExtendedReport { id: order.to_string(), reserved_until: deadline.utc(), repeated })
        }
        (other, _) => Err(unexpected("a deadline", &other)),
    }
}

pub(super) async fn cancel(
    settings: &ClientSettings,
    text: &str,
    block: bool,
    (lines, change): (&[String], Option<u64>),
) -> Result<DoneReport, CliFault> {
    named(text)?;
    let lines = lines.iter().map(|line| order_line::part(line)).collect::<Result<Vec<_>, _>>()?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, text).await?;
    let change = change.map_or_else(|| connection.client.new_change_id(), ChangeId);
    let command = match lines.is_empty() {
        true => Command::Cancel { order, block },
        false => Command::CancelLines { order, change, lines: &lines },
    };
    done(order, &connection.submit(&format!("cancelling order {text}"), &command).await?)
}

/// What is said of an order's goods.
pub(super) enum Goods<'a> {
    /// They left the building.
    HandedOver,
    /// They are at this site again.
    Returned(&'a str),
}

pub(super) async fn goods(
    settings: &ClientSettings,
    text: &str,
    goods: Goods<'_>,
    (lines, change): (&[String], Option<u64>),
) -> Result<DoneReport, CliFault> {
    named(text)?;
    let lines = &lines.iter().map(|line| order_line::part(line)).collect::<Result<Vec<_>, _>>()?;
    let connection = MarketConnection::open(settings).await?;
    let order = find(&connection, text).await?;
    let change = change.map_or_else(|| connection.client.new_change_id(), ChangeId);
    let (what, command) = match goods {
        Goods::HandedOver => ("handing over", Command::HandOver { order, change, lines }),
        Goods::Returned(site) => {
            let site = connection.site(site).await?;
            ("taking back", Command::ReturnToStock { order, change, site, lines })
        }
    };
    done(order, &connection.submit(&format!("{what} units of order {text}"), &command).await?)
}

pub(super) fn done(order: OrderId, (answer, _): &Answered) -> Result<DoneReport, CliFault> {
    match answer {
        Answer::Done { state, moved, repeated, excess } => Ok(DoneReport {
            id: order.to_string(),
            state: state.name(),
            moved: *moved,
            excess: *excess,
            repeated: *repeated,
        }),
        other => Err(unexpected("what became of the order", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_named_by_its_number_or_its_identifier() {
        assert!(matches!(named("17"), Ok(Named::Number(OrderNumber(17)))));
        assert!(matches!(named("00000000000000000000000000000017"), Ok(Named::Id(_))));
        for bad in ["", "0", "-1", "+1", "abc", "1.0"] {
            assert_eq!(named(bad).err().map(|fault| fault.exit_code()), Some(2), "{bad:?}");
        }
    }

    #[test]
    fn sold_out_is_told_by_the_code_people_know() {
        let why = Refused::Engine(Refusal::SoldOut { sku: SkuId(9), asked: 3, available: 1 });
        let fault = not_placed("the order was not placed", &why, &["CUP", "MUG"], &[SkuId(4), SkuId(9)]);
        assert_eq!(fault.to_string(), "the order was not placed: sold out: MUG has 1 available, 3 asked");
    }
}
