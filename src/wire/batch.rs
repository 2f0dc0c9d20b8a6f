//! A batch: requests of one or more frames for one shard, in flat arrays that are used again and again.
//!
//! ```text
//! items   │ tag, request without its arrays, where they are │ … one an item
//! arrays  │ lines … │ line quantities … │ prices … │ SKUs … │ components … │ ends … │ text … │ bytes … │ of all items
//! ```
//!
//! # Always true
//! - In the steady state nothing is allocated: [`Batch::clear`] keeps the memory.
//! - A request comes out as it went in.

use core::ops::Range;

use super::request::{Request, Tag};
use crate::base::{Codes, SkuId};
use crate::engine::{Command, Component, Edit, Line, LinePrice, LineQuantity, Place, Query};

/// Requests for one shard, in the order they came.
#[derive(Debug, Default)]
pub struct Batch {
    items: Vec<Item>,
    lines: Vec<Line>,
    quantities: Vec<LineQuantity>,
    prices: Vec<LinePrice>,
    edits: Vec<EditSpans>,
    skus: Vec<SkuId>,
    components: Vec<Component>,
    ends: Vec<u32>,
    text: String,
    bytes: Vec<u8>,
}

/// A request whose slices are empty; `array` and `blob` say where they are.
#[derive(Debug)]
struct Item {
    tag: Tag,
    request: Request<'static>,
    array: Span,
    blob: Span,
}

/// Where the arrays of an edit are: it has one more than an item has room for.
#[derive(Debug, Clone, Copy)]
struct EditSpans {
    prices: Span,
    remove: Span,
    add: Span,
}

/// A range of one of the arrays.
#[derive(Debug, Clone, Copy, Default)]
struct Span {
    start: u32,
    end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        let narrow = |at| u32::try_from(at).expect("law: a batch stays below 4 GiB");
        Self { start: narrow(start), end: narrow(end) }
    }

    const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

fn append<T: Copy>(to: &mut Vec<T>, from: &[T]) -> Span {
    let start = to.len();
    to.extend_from_slice(from);
    Span::new(start, to.len())
}

impl Batch {
    /// Appends a copy of a request.
    pub fn push(&mut self, tag: Tag, request: &Request<'_>) {
        let item = match request {
            Request::Command(command) => self.detach_command(command),
            Request::Query(query) => self.detach_query(query),
        };
        let (request, array, blob) = item;
        self.items.push(Item { tag, request, array, blob });
    }

    /// Forgets all requests, keeps the memory.
    pub fn clear(&mut self) {
        self.items.clear();
        self.lines.clear();
        self.quantities.clear();
        self.prices.clear();
        self.edits.clear();
        self.skus.clear();
        self.components.clear();
        self.ends.clear();
        self.text.clear();
        self.bytes.clear();
    }

    /// How many requests.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Bytes in use: what a bounded queue counts.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.items.len() * size_of::<Item>()
            + self.lines.len() * size_of::<Line>()
            + self.quantities.len() * size_of::<LineQuantity>()
            + self.prices.len() * size_of::<LinePrice>()
            + self.edits.len() * size_of::<EditSpans>()
            + (self.skus.len() + self.ends.len()) * 4
            + self.components.len() * size_of::<Component>()
            + self.text.len()
            + self.bytes.len()
    }

    /// The requests, in the order they came.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (Tag, Request<'_>)> {
        self.items.iter().map(|item| (item.tag, self.attach(item)))
    }

    /// One request.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    #[inline]
    pub fn request(&self, index: usize) -> Request<'_> {
        self.attach(&self.items[index])
    }

    /// The tag of one request.
    ///
    /// # Panics
    /// When there are not so many.
    #[must_use]
    #[inline]
    pub fn tag(&self, index: usize) -> Tag {
        self.items[index].tag
    }

    fn add_text(&mut self, text: &str) -> Span {
        let start = self.text.len();
        self.text.push_str(text);
        Span::new(start, self.text.len())
    }

    fn detach_command(&mut self, command: &Command<'_>) -> (Request<'static>, Span, Span) {
        let (mut array, mut blob) = (Span::default(), Span::default());
        let command = match *command {
            Command::Place(ref place) => {
                array = append(&mut self.lines, place.lines);
                blob = append(&mut self.bytes, place.details);
                Command::Place(Place { lines: &[], details: &[], ..*place })
            }
            Command::AssignMarket { code } => {
                blob = self.add_text(code);
                Command::AssignMarket { code: "" }
            }
            Command::OpenMarket { market, code } => {
                blob = self.add_text(code);
                Command::OpenMarket { market, code: "" }
            }
            Command::MoveCursor { sink, upto } => {
                blob = self.add_text(sink);
                Command::MoveCursor { sink: "", upto }
            }
            Command::DetachCursor { sink, upto } => {
                blob = self.add_text(sink);
                Command::DetachCursor { sink: "", upto }
            }
            Command::CreateSite { market, rank, code } => {
                blob = self.add_text(code);
                Command::CreateSite { market, rank, code: "" }
            }
            Command::CreateSku { market, code } => {
                blob = self.add_text(code);
                Command::CreateSku { market, code: "" }
            }
            Command::DefineKit { market, code, components } => {
                array = append(&mut self.components, components);
                blob = self.add_text(code);
                Command::DefineKit { market, code: "", components: &[] }
            }
            Command::CancelLines { order, change, lines } => {
                array = append(&mut self.quantities, lines);
                Command::CancelLines { order, change, lines: &[] }
            }
            Command::EditOrder { order, change, edit } => {
                let spans = EditSpans {
                    prices: append(&mut self.prices, edit.prices),
                    remove: append(&mut self.quantities, edit.remove),
                    add: append(&mut self.lines, edit.add),
                };
                array = append(&mut self.edits, &[spans]);
                let edit = Edit { zone: edit.zone, prices: &[], remove: &[], add: &[] };
                Command::EditOrder { order, change, edit }
            }
            Command::HandOver { order, change, lines } => {
                array = append(&mut self.quantities, lines);
                Command::HandOver { order, change, lines: &[] }
            }
            Command::ReturnToStock { order, change, site, lines } => {
                array = append(&mut self.quantities, lines);
                Command::ReturnToStock { order, change, site, lines: &[] }
            }
            Command::ReportDelivered { order, change, lines } => {
                array = append(&mut self.quantities, lines);
                Command::ReportDelivered { order, change, lines: &[] }
            }
            Command::Return { order, id, what } => {
                let (what, lines) = what.with_lines(&[]);
                array = append(&mut self.quantities, lines);
                Command::Return { order, id, what }
            }
            Command::SetPolicy { market, sku, policy } => Command::SetPolicy { market, sku, policy },
            Command::SetRetention { market, retention } => Command::SetRetention { market, retention },
            Command::SetEffects { market, effects } => Command::SetEffects { market, effects },
            Command::SetReservations { market, reservations } => Command::SetReservations { market, reservations },
            Command::SetChannelCap { market, sku, channel, units_max } => {
                Command::SetChannelCap { market, sku, channel, units_max }
            }
            Command::SetVelocity { market, velocity } => Command::SetVelocity { market, velocity },
            Command::Extend { order, until, reason } => Command::Extend { order, until, reason },
            Command::ReportEffect { order, effect, attempt, report } => {
                Command::ReportEffect { order, effect, attempt, report }
            }
            Command::Receive { request, sku, site, quantity } => Command::Receive { request, sku, site, quantity },
            Command::Adjust { request, sku, site, delta, reason } => {
                Command::Adjust { request, sku, site, delta, reason }
            }
            Command::MoveStock { request, sku, from, to, quantity } => {
                Command::MoveStock { request, sku, from, to, quantity }
            }
            Command::CountStock { request, sku, site, expected, counted } => {
                Command::CountStock { request, sku, site, expected, counted }
            }
            Command::ReportCount { request, sku, site, as_of, counted } => {
                Command::ReportCount { request, sku, site, as_of, counted }
            }
            Command::Confirm { order, attempt } => Command::Confirm { order, attempt },
            Command::Cancel { order, block } => Command::Cancel { order, block },
            Command::Erase { whose } => Command::Erase { whose },
            Command::HoldOrder { order, owner, reason, note } => {
                (blob, array) = (self.add_text(owner), self.add_text(note));
                Command::HoldOrder { order, owner: "", reason, note: "" }
            }
            Command::StartPayment { order, attempt, method } => Command::StartPayment { order, attempt, method },
            Command::ReportPayment { order, attempt, method, currency, report } => {
                Command::ReportPayment { order, attempt, method, currency, report }
            }
            Command::RequestRefund { order, change, amount } => Command::RequestRefund { order, change, amount },
            Command::LiftHold { order, owner, reason } => {
                blob = self.add_text(owner);
                Command::LiftHold { order, owner: "", reason }
            }
        };
        (Request::Command(command), array, blob)
    }

    fn detach_query(&mut self, query: &Query<'_>) -> (Request<'static>, Span, Span) {
        let (mut array, mut blob) = (Span::default(), Span::default());
        let query = match *query {
            Query::Market { code } => {
                blob = self.add_text(code);
                Query::Market { code: "" }
            }
            Query::Stock { market, skus } => {
                array = append(&mut self.skus, skus);
                Query::Stock { market, skus: &[] }
            }
            Query::Availability { market, skus } => {
                array = append(&mut self.skus, skus);
                Query::Availability { market, skus: &[] }
            }
            Query::ResolveSkus { market, codes } => {
                blob = self.add_text(codes.text());
                array = append(&mut self.ends, codes.ends());
                Query::ResolveSkus { market, codes: Codes::default() }
            }
            Query::Sites { market } => Query::Sites { market },
            Query::Skus { market, after, rows_max } => Query::Skus { market, after, rows_max },
            Query::Recipe { market, sku } => Query::Recipe { market, sku },
            Query::Order { order } => Query::Order { order },
            Query::OrderByNumber { market, number } => Query::OrderByNumber { market, number },
            Query::OpenOrders { market, after, rows_max } => Query::OpenOrders { market, after, rows_max },
            Query::CustomerOrders { market, customer, before, rows_max } => {
                Query::CustomerOrders { market, customer, before, rows_max }
            }
            Query::Holders { market, sku, after, rows_max } => Query::Holders { market, sku, after, rows_max },
            Query::OrderHistory { order, after, rows_max } => Query::OrderHistory { order, after, rows_max },
            Query::HeldOrders { market, after, rows_max } => Query::HeldOrders { market, after, rows_max },
            Query::Tasks { market, kind, after, rows_max } => Query::Tasks { market, kind, after, rows_max },
            Query::Waits { order } => Query::Waits { order },
            Query::Velocity { market, customer, hashes } => Query::Velocity { market, customer, hashes },
            Query::Books { market } => Query::Books { market },
            Query::Policy { market, sku } => Query::Policy { market, sku },
            Query::Retention { market } => Query::Retention { market },
            Query::Effects { market } => Query::Effects { market },
            Query::Reservations { market } => Query::Reservations { market },
            Query::ChannelCaps { market, sku, after, rows_max } => Query::ChannelCaps { market, sku, after, rows_max },
            Query::Wanted { market, effect, aside, after, rows_max } => {
                Query::Wanted { market, effect, aside, after, rows_max }
            }
        };
        (Request::Query(query), array, blob)
    }

    #[inline]
    fn attach(&self, item: &Item) -> Request<'_> {
        let mut request: Request<'_> = item.request;
        match &mut request {
            Request::Command(command) => self.attach_command(command, item),
            Request::Query(query) => self.attach_query(query, item),
        }
        request
    }

    #[inline]
    fn attach_command<'a>(&'a self, command: &mut Command<'a>, item: &Item) {
        match command {
            Command::Place(place) => {
                place.lines = &self.lines[item.array.range()];
                place.details = &self.bytes[item.blob.range()];
            }
            Command::AssignMarket { code }
            | Command::OpenMarket { code, .. }
            | Command::MoveCursor { sink: code, .. }
            | Command::DetachCursor { sink: code, .. }
            | Command::CreateSite { code, .. }
            | Command::CreateSku { code, .. }
            | Command::LiftHold { owner: code, .. } => *code = &self.text[item.blob.range()],
            Command::HoldOrder { owner, note, .. } => {
                *owner = &self.text[item.blob.range()];
                *note = &self.text[item.array.range()];
            }
            Command::DefineKit { code, components, .. } => {
                *code = &self.text[item.blob.range()];
                *components = &self.components[item.array.range()];
            }
            Command::CancelLines { lines, .. }
            | Command::HandOver { lines, .. }
            | Command::ReportDelivered { lines, .. }
            | Command::ReturnToStock { lines, .. } => *lines = &self.quantities[item.array.range()],
            Command::EditOrder { edit, .. } => {
                let EditSpans { prices, remove, add } = self.edits[item.array.start as usize];
                edit.prices = &self.prices[prices.range()];
                edit.remove = &self.quantities[remove.range()];
                edit.add = &self.lines[add.range()];
            }
            Command::Return { what, .. } => *what = what.with_lines(&self.quantities[item.array.range()]).0,
            Command::SetPolicy { .. }
            | Command::SetRetention { .. }
            | Command::SetEffects { .. }
            | Command::SetReservations { .. }
            | Command::SetChannelCap { .. }
            | Command::SetVelocity { .. }
            | Command::Extend { .. }
            | Command::ReportEffect { .. }
            | Command::StartPayment { .. }
            | Command::ReportPayment { .. }
            | Command::RequestRefund { .. }
            | Command::Receive { .. }
            | Command::Adjust { .. }
            | Command::MoveStock { .. }
            | Command::CountStock { .. }
            | Command::ReportCount { .. }
            | Command::Confirm { .. }
            | Command::Cancel { .. }
            | Command::Erase { .. } => {}
        }
    }

    fn attach_query<'a>(&'a self, query: &mut Query<'a>, item: &Item) {
        match query {
            Query::Market { code } => *code = &self.text[item.blob.range()],
            Query::Stock { skus, .. } | Query::Availability { skus, .. } => *skus = &self.skus[item.array.range()],
            Query::ResolveSkus { codes, .. } => *codes = self.codes(item),
            Query::Sites { .. }
            | Query::Skus { .. }
            | Query::Recipe { .. }
            | Query::Order { .. }
            | Query::OrderByNumber { .. }
            | Query::OpenOrders { .. }
            | Query::CustomerOrders { .. }
            | Query::Holders { .. }
            | Query::OrderHistory { .. }
            | Query::HeldOrders { .. }
            | Query::Tasks { .. }
            | Query::Waits { .. }
            | Query::Velocity { .. }
            | Query::Books { .. }
            | Query::Policy { .. }
            | Query::Retention { .. }
            | Query::Effects { .. }
            | Query::Reservations { .. }
            | Query::ChannelCaps { .. }
            | Query::Wanted { .. } => {}
        }
    }

    fn codes(&self, item: &Item) -> Codes<'_> {
        Codes::new(&self.text[item.blob.range()], &self.ends[item.array.range()])
            .expect("law: codes come out as they went in")
    }
}
