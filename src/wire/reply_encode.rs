//! Reply frames: what a server writes. The other direction is `reply_decode`.
//!
//! ```text
//! begin(log time) ─ answer ─ refuse ─ stock … ─ finish ─► one frame, or several behind each other
//! ```
//!
//! # Always true
//! - No frame passes [`FRAME_BYTES_MAX`]: a record that would is the first of the next frame.
//! - Stock rows that one record cannot hold go on in the next one of the same correlation and index, flagged.

use super::frame::{REPLY_HEADER_BYTES, ReplyFrameKind, close_frame, open_replies};
use super::hold::{HoldPart, part_bytes, put_words};
use super::layout::{RecordHead, Writable, pad, padded, put, put_all};
use super::payment::{PAYMENT_BYTES, PaymentPart, money_bytes, put_money};
use super::refused::Refused;
use super::refused_numbers::{Parts, to_parts};
use super::reply_records::{
    AnswerHead, AvailabilityV1, BooksV5, CLOSED, ChannelCapsV1, ChannelRowV1, DoneV1, DrawViewV1, ERASED, EffectsV2,
    ErasedV1, ExtendedV1, GrantedV2, HAS_HASHES, HeldOrdersV1, HeldRowV1, HistoryRowV1, HolderRowV1, HoldersV1,
    LineViewV3, MORE, NO_LINE, NumberedV1, OWED, OpenOrdersReplyV1, OrderHistoryV1, OrderRowV1, PlacedLinesV2,
    PlacedV1, PolicyV2, REPEATED, RecipeRowV1, RecipeV1, RefusedV1, ReplyHashesV1, ReplyKind, ReservationsV2,
    RetakeFailedV1, RetentionV1, ReturnV1, SHORT, SiteRowV1, SitesV1, SkuNumbersV1, SkuRowV1, SkusV1, StockChangedV1,
    StockRowV3, StockV3, WantRowV2, WantedV2,
};
use super::reply_rows::{count16, order_fixed};
use super::request::Tag;
use super::returns::{put_returns, returns_bytes};
use super::status::Status;
use super::status_encode::status_fixed;
use super::task::{page_bytes, put_page, put_waits, waits_bytes};
use super::velocity::{VELOCITY, put_velocity};
use crate::base::limits::{FRAME_BYTES_MAX, STOCK_ROWS_PER_RECORD_MAX};
use crate::base::{Codes, Sequence, ShardId, SkuId, Timestamp};
use crate::engine::query::{
    ChannelPage, ChannelRow, HeldPage, HeldRow, HistoryPage, HistoryRow, HolderPage, HolderRow, OrderPage, OrderRow,
    OrderView, OrderWaits, RetentionView, SiteRow, StockRow, TaskPage, VelocityView, WantPage,
};
use crate::engine::{Answer, Books, Component, Effects, Granted, Policy, Reservations, Retention};

/// Writes reply frames into one buffer.
#[derive(Debug, Default)]
pub struct ReplyWriter {
    buffer: Vec<u8>,
    frame_start: usize,
    count: u16,
    log_time: Timestamp,
}

impl ReplyWriter {
    /// Writes into `buffer`, whose content is forgotten and whose memory is kept.
    #[must_use]
    pub fn new(mut buffer: Vec<u8>) -> Self {
        buffer.clear();
        Self { buffer, ..Self::default() }
    }

    /// Frames begun from here on tell this log time.
    pub fn begin(&mut self, log_time: Timestamp) {
        self.close();
        self.log_time = log_time;
    }

    /// Appends an answer. `granted` holds what each line got when the answer says `short` or `owed`; else it is not
    /// looked at.
    pub fn answer(&mut self, tag: Tag, answer: &Answer, granted: &[Granted]) {
        match *answer {
            Answer::Placed { number, accepted_at, deadline, state, short, owed, repeated } => {
                let (number, accepted_at, deadline) = (number.0, accepted_at.ms(), deadline.ms());
                if short || owed {
                    let bytes = 42 + 8 * granted.len();
                    let flags = flag(repeated) | if short { SHORT } else { 0 } | if owed { OWED } else { 0 };
                    let head = self.head(ReplyKind::PlacedLines, bytes, tag, state as u8, flags);
                    let lines = count16(granted.len());
                    put(&mut self.buffer, &PlacedLinesV2 { head, number, accepted_at, deadline, lines });
                    let line = |line: &Granted| GrantedV2 { taken: line.taken, owed: line.owed };
                    put_all(&mut self.buffer, granted.iter().map(line));
                    self.seal(bytes);
                } else {
                    let head = self.head(ReplyKind::Placed, 40, tag, state as u8, flag(repeated));
                    put(&mut self.buffer, &PlacedV1 { head, number, accepted_at, deadline });
                }
            }
            Answer::Done { state, moved, excess, repeated } => {
                let head = self.head(ReplyKind::Done, 32, tag, state as u8, flag(repeated));
                put(&mut self.buffer, &DoneV1 { head, moved, excess });
            }
            Answer::Return { state, stage, moved, repeated } => {
                let head = self.head(ReplyKind::Return, 25, tag, state as u8, flag(repeated));
                self.put_padded(25, &ReturnV1 { head, moved, stage: stage as u8 });
            }
            Answer::Numbered { number, repeated } => {
                let head = self.head(ReplyKind::Numbered, 20, tag, 0, flag(repeated));
                self.put_padded(20, &NumberedV1 { head, number });
            }
            Answer::Stock { available, repeated } => {
                let head = self.head(ReplyKind::StockChanged, 24, tag, 0, flag(repeated));
                put(&mut self.buffer, &StockChangedV1 { head, available });
            }
            Answer::Set { repeated } => {
                let head = self.head(ReplyKind::Set, 16, tag, 0, flag(repeated));
                put(&mut self.buffer, &head);
            }
            Answer::Extended { deadline, repeated } => {
                let head = self.head(ReplyKind::Extended, 24, tag, 0, flag(repeated));
                put(&mut self.buffer, &ExtendedV1 { head, deadline: deadline.ms() });
            }
            Answer::Erased { orders, repeated } => {
                let head = self.head(ReplyKind::Erased, 20, tag, 0, flag(repeated));
                self.put_padded(20, &ErasedV1 { head, orders });
            }
            Answer::RetakeFailed { sku, repeated } => {
                let head = self.head(ReplyKind::RetakeFailed, 20, tag, 0, flag(repeated));
                self.put_padded(20, &RetakeFailedV1 { head, sku: sku.0 });
            }
        }
    }

    /// Appends a refusal.
    pub fn refuse(&mut self, tag: Tag, refused: &Refused) {
        let Parts { number, state, small, medium, first, second } = to_parts(refused);
        let head = self.head(ReplyKind::Refused, 40, tag, state, 0);
        put(&mut self.buffer, &RefusedV1 { head, number, small, medium, first, second });
    }

    /// Appends stock rows, in as many records as they need (at least one).
    pub fn stock(&mut self, tag: Tag, rows: &[StockRow]) {
        let (head, last) =
            rows.split_at(rows.len().saturating_sub(1) / STOCK_ROWS_PER_RECORD_MAX * STOCK_ROWS_PER_RECORD_MAX);
        for part in head.chunks(STOCK_ROWS_PER_RECORD_MAX) {
            self.stock_part(tag, part, MORE);
        }
        self.stock_part(tag, last, 0);
    }

    fn stock_part(&mut self, tag: Tag, rows: &[StockRow], flags: u8) {
        let bytes = 18 + 94 * rows.len();
        let head = self.head(ReplyKind::Stock, bytes, tag, 0, flags);
        put(&mut self.buffer, &StockV3 { head, rows: count16(rows.len()) });
        let row =
            |row: &StockRow| StockRowV3 { sku: row.sku.0, site: row.site.0, balances: row.balances, owed: row.owed };
        put_all(&mut self.buffer, rows.iter().map(row));
        self.seal(bytes);
    }

    /// Appends the units for sale of SKUs, in the order asked.
    pub fn availability(&mut self, tag: Tag, units: &[u64]) {
        let bytes = 18 + 8 * units.len();
        let head = self.head(ReplyKind::Availability, bytes, tag, 0, 0);
        put(&mut self.buffer, &AvailabilityV1 { head, rows: count16(units.len()) });
        put_all(&mut self.buffer, units.iter().copied());
        self.seal(bytes);
    }

    /// Appends the numbers of resolved SKU codes, in the order asked.
    pub fn sku_numbers(&mut self, tag: Tag, numbers: &[Option<SkuId>]) {
        let bytes = 18 + 4 * numbers.len();
        let head = self.head(ReplyKind::SkuNumbers, bytes, tag, 0, 0);
        put(&mut self.buffer, &SkuNumbersV1 { head, rows: count16(numbers.len()) });
        put_all(&mut self.buffer, numbers.iter().map(|number| number.map_or(0, |sku| sku.0)));
        self.seal(bytes);
    }

    /// Appends what a kit is made of.
    pub fn recipe(&mut self, tag: Tag, recipe: &[Component]) {
        let bytes = 18 + 8 * recipe.len();
        let head = self.head(ReplyKind::Recipe, bytes, tag, 0, 0);
        put(&mut self.buffer, &RecipeV1 { head, rows: count16(recipe.len()) });
        put_all(&mut self.buffer, recipe.iter().map(|part| RecipeRowV1 { sku: part.sku.0, units: part.units }));
        self.seal(bytes);
    }

    /// Appends the sites of a market.
    pub fn sites(&mut self, tag: Tag, sites: &[SiteRow]) {
        let bytes = 18 + sites.iter().map(|site| 6 + site.code.len()).sum::<usize>();
        let head = self.head(ReplyKind::Sites, bytes, tag, 0, 0);
        put(&mut self.buffer, &SitesV1 { head, rows: count16(sites.len()) });
        for site in sites {
            put(
                &mut self.buffer,
                &SiteRowV1 { site: site.site.0, rank: site.rank, code_len: count16(site.code.len()) },
            );
        }
        sites.iter().for_each(|site| self.buffer.extend_from_slice(site.code.as_bytes()));
        self.seal(bytes);
    }

    /// Appends a page of SKUs: their numbers and, in the same order, their codes.
    pub fn skus(&mut self, tag: Tag, numbers: &[SkuId], codes: Codes<'_>) {
        assert_eq!(numbers.len(), codes.len(), "law: every SKU of a page has a code");
        let bytes = 18 + 6 * numbers.len() + codes.text().len();
        let head = self.head(ReplyKind::Skus, bytes, tag, 0, 0);
        put(&mut self.buffer, &SkusV1 { head, rows: count16(numbers.len()) });
        for (sku, code) in numbers.iter().zip(codes.iter()) {
            put(&mut self.buffer, &SkuRowV1 { sku: sku.0, code_len: count16(code.len()) });
        }
        self.buffer.extend_from_slice(codes.text().as_bytes());
        self.seal(bytes);
    }

    /// Appends everything known of one order.
    pub fn order(&mut self, tag: Tag, view: &OrderView) {
        let (hashes_flag, hashes_len) = if view.hashes.is_some() { (HAS_HASHES, 24) } else { (0, 0) };
        let holds_len = view.holds.iter().map(part_bytes).sum::<usize>();
        let bytes = ORDER_FIXED_BYTES
            + 52 * view.lines.len()
            + 16 * view.draws.len()
            + hashes_len
            + view.details.len()
            + holds_len
            + PAYMENT_BYTES * view.payments.len()
            + returns_bytes(&view.returns);
        let (closed, erased) = (if view.closed { CLOSED } else { 0 }, if view.erased { ERASED } else { 0 });
        let flags = hashes_flag | closed | erased;
        let head = self.head(ReplyKind::Order, bytes, tag, view.state as u8, flags);
        put(&mut self.buffer, &order_fixed(head, view));
        put_all(&mut self.buffer, view.lines.iter().map(LineViewV3::from));
        for draw in &view.draws {
            let (line, site, reserved) = (draw.line, draw.site.0, draw.reserved);
            put(
                &mut self.buffer,
                &DrawViewV1 { line, site, reserved, committed: draw.committed, shipped: draw.shipped },
            );
        }
        if let Some(hashes) = view.hashes {
            let (account, address, instrument) = (hashes.account, hashes.address, hashes.instrument);
            put(&mut self.buffer, &ReplyHashesV1 { account, address, instrument });
        }
        self.buffer.extend_from_slice(&view.details);
        put_all(&mut self.buffer, view.holds.iter().map(HoldPart::from));
        put_words(view.holds.iter(), &mut self.buffer);
        put_all(&mut self.buffer, view.payments.iter().map(PaymentPart::from));
        put_returns(&view.returns, &mut self.buffer);
        self.seal(bytes);
    }

    /// Appends a page of orders.
    pub fn open_orders(&mut self, tag: Tag, page: &OrderPage) {
        let bytes = 26 + 33 * page.rows.len();
        let head = self.head(ReplyKind::OpenOrders, bytes, tag, 0, 0);
        let next = page.next.map_or(0, |number| number.0);
        put(&mut self.buffer, &OpenOrdersReplyV1 { head, next, rows: count16(page.rows.len()) });
        for row in &page.rows {
            let (order, number, deadline) = (row.order.bits(), row.number.0, row.deadline.ms());
            put(&mut self.buffer, &OrderRowV1 { order, number, deadline, state: row.state as u8 });
        }
        self.seal(bytes);
    }

    /// Appends a page of orders that are held.
    pub fn held_orders(&mut self, tag: Tag, page: &HeldPage) {
        let bytes = 26 + page.rows.iter().map(|row| 33 + part_bytes(&row.hold)).sum::<usize>();
        let head = self.head(ReplyKind::HeldOrders, bytes, tag, 0, 0);
        let next = page.next.map_or(0, |number| number.0);
        put(&mut self.buffer, &HeldOrdersV1 { head, next, rows: count16(page.rows.len()) });
        for HeldRow { order: OrderRow { order, number, state, deadline }, hold } in &page.rows {
            let (order, number, deadline, state) = (order.bits(), number.0, deadline.ms(), *state as u8);
            put(&mut self.buffer, &HeldRowV1 { order, number, deadline, state, hold: hold.into() });
        }
        put_words(page.rows.iter().map(|row| &row.hold), &mut self.buffer);
        self.seal(bytes);
    }

    /// Appends a page of orders that somebody has to look at.
    pub fn tasks(&mut self, tag: Tag, page: &TaskPage) {
        let bytes = page_bytes(page);
        put_page(self.head(ReplyKind::Tasks, bytes, tag, 0, 0), page, &mut self.buffer);
        self.seal(bytes);
    }

    /// Appends everything that an order waits for.
    pub fn waits(&mut self, tag: Tag, waits: &OrderWaits) {
        let bytes = waits_bytes(waits);
        put_waits(self.head(ReplyKind::Waits, bytes, tag, 0, 0), waits, &mut self.buffer);
        self.seal(bytes);
    }

    /// Appends a page of who holds units of a SKU.
    pub fn holders(&mut self, tag: Tag, page: &HolderPage) {
        let bytes = 26 + 57 * page.rows.len();
        let head = self.head(ReplyKind::Holders, bytes, tag, 0, 0);
        let next = page.next.map_or(0, |number| number.0);
        put(&mut self.buffer, &HoldersV1 { head, next, rows: count16(page.rows.len()) });
        for HolderRow { order: OrderRow { order, number, state, deadline }, owed, reserved, committed } in &page.rows {
            let (order, number, deadline, state) = (order.bits(), number.0, deadline.ms(), *state as u8);
            let (owed, reserved, committed) = (*owed, *reserved, *committed);
            put(&mut self.buffer, &HolderRowV1 { order, number, deadline, owed, reserved, committed, state });
        }
        self.seal(bytes);
    }

    /// Appends a page of what happened to an order.
    pub fn order_history(&mut self, tag: Tag, page: &HistoryPage) {
        let bytes = 28 + 31 * page.rows.len();
        let head = self.head(ReplyKind::OrderHistory, bytes, tag, 0, if page.closed { CLOSED } else { 0 });
        let (next, not_shown) = (page.next.unwrap_or_default(), page.not_shown);
        let (stream, rows) = (page.shard.0, count16(page.rows.len()));
        put(&mut self.buffer, &OrderHistoryV1 { head, next, not_shown, stream, rows });
        for HistoryRow { place, position, at, what, line, value } in &page.rows {
            let (place, value, line) = (*place, *value, line.unwrap_or(NO_LINE));
            let (sequence, at, what) = (position.0, at.ms(), *what as u8);
            put(&mut self.buffer, &HistoryRowV1 { sequence, at, value, place, line, what });
        }
        self.seal(bytes);
    }

    /// Appends a page of effects that are wanted, or set aside.
    pub fn wanted(&mut self, tag: Tag, page: &WantPage) {
        let bytes = 26 + 59 * page.rows.len();
        let head = self.head(ReplyKind::Wanted, bytes, tag, 0, 0);
        let (next, rows) = (page.next.unwrap_or_default(), count16(page.rows.len()));
        put(&mut self.buffer, &WantedV2 { head, next, rows });
        put_all(&mut self.buffer, page.rows.iter().map(WantRowV2::from));
        self.seal(bytes);
    }

    /// Appends which effects go on the wanted list.
    pub fn effects(&mut self, tag: Tag, effects: Effects) {
        let head = self.head(ReplyKind::Effects, 19, tag, 0, 0);
        self.put_padded(19, &EffectsV2 { head, effects: effects.into() });
    }

    /// Appends the books of a market, true at this position of its stream.
    pub fn books(&mut self, tag: Tag, books: &Books, stream: ShardId, sequence: Sequence) {
        let Books { units, owed, orders, orders_hash, ref money } = *books;
        let bytes = 212 + money_bytes(money.len());
        let head = self.head(ReplyKind::Books, bytes, tag, 0, 0);
        let (stream, sequence, currencies) = (stream.0, sequence.0, count16(money.len()));
        put(&mut self.buffer, &BooksV5 { head, stream, sequence, units, owed, orders, orders_hash, currencies });
        put_money(money, &mut self.buffer);
        self.seal(bytes);
    }

    /// Appends what may be sold of a SKU.
    pub fn policy(&mut self, tag: Tag, policy: &Policy) {
        let head = self.head(ReplyKind::Policy, 60, tag, 0, 0);
        self.put_padded(60, &PolicyV2 { head, policy: policy.into() });
    }

    /// Appends how long reservations of a market last.
    pub fn reservations(&mut self, tag: Tag, reservations: Reservations) {
        let head = self.head(ReplyKind::Reservations, 44, tag, 0, 0);
        let Reservations { activity_ms_max, payment_ms_max, unpaid_ms } = reservations;
        self.put_padded(44, &ReservationsV2 { head, activity_ms_max, payment_ms_max, unpaid_ms });
    }

    /// Appends what somebody placed lately.
    pub fn velocity(&mut self, tag: Tag, view: &VelocityView) {
        put_velocity(self.head(ReplyKind::Velocity, VELOCITY, tag, 0, 0), view, &mut self.buffer);
        self.seal(VELOCITY);
    }

    /// Appends a page of caps of channels.
    pub fn channel_caps(&mut self, tag: Tag, page: &ChannelPage) {
        let bytes = 20 + 14 * page.rows.len();
        let head = self.head(ReplyKind::ChannelCaps, bytes, tag, 0, 0);
        let (next, rows) = (page.next.unwrap_or_default(), count16(page.rows.len()));
        put(&mut self.buffer, &ChannelCapsV1 { head, next, rows });
        for &ChannelRow { channel, units_max, held } in &page.rows {
            put(&mut self.buffer, &ChannelRowV1 { held, units_max, channel });
        }
        self.seal(bytes);
    }

    /// Appends how long a market keeps what is over.
    pub fn retention(&mut self, tag: Tag, view: &RetentionView) {
        let head = self.head(ReplyKind::Retention, 40, tag, 0, 0);
        let Retention { return_window_ms, ids_kept_ms } = view.retention;
        let retired_before = view.retired_before.ms();
        put(&mut self.buffer, &RetentionV1 { head, return_window_ms, ids_kept_ms, retired_before });
    }

    /// Appends the server's status.
    pub fn status(&mut self, tag: Tag, status: &Status) {
        let head = self.head(ReplyKind::Status, STATUS_BYTES, tag, 0, 0);
        self.put_padded(STATUS_BYTES, &status_fixed(head, status));
    }

    /// Completes the frames and hands them out, one behind the other; empty when nothing was appended.
    #[must_use]
    pub fn finish(mut self) -> Vec<u8> {
        self.close();
        self.buffer
    }

    /// Completes the frames and hands them out, leaving `spare` to write into next.
    #[must_use]
    pub fn take(&mut self, mut spare: Vec<u8>) -> Vec<u8> {
        self.close();
        spare.clear();
        self.frame_start = 0;
        core::mem::replace(&mut self.buffer, spare)
    }

    /// Whether nothing was appended since the buffer was last handed out.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Bytes so far.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Makes room for a record of `bytes` bytes, in another frame if need be, and makes its head.
    fn head(&mut self, kind: ReplyKind, bytes: usize, tag: Tag, state: u8, flags: u8) -> AnswerHead {
        let bytes = padded(bytes);
        assert!(bytes <= crate::base::limits::RECORD_BYTES_MAX, "law: every reply fits a record");
        if self.count == u16::MAX || self.buffer.len() - self.frame_start + bytes > FRAME_BYTES_MAX {
            self.close();
        }
        if self.count == 0 {
            self.frame_start = self.buffer.len();
            open_replies(&mut self.buffer, ReplyFrameKind::Replies, self.log_time);
        }
        self.count += 1;
        let record = RecordHead { version: kind.version(), ..RecordHead::new(kind as u8, bytes) };
        AnswerHead { record, index: tag.index, state, flags, correlation: tag.correlation }
    }

    fn put_padded(&mut self, bytes: usize, fixed: &impl Writable) {
        put(&mut self.buffer, fixed);
        self.seal(bytes);
    }

    /// Completes a record that took `bytes` bytes so far.
    fn seal(&mut self, bytes: usize) {
        let start = self.buffer.len() - bytes;
        pad(&mut self.buffer, start);
    }

    fn close(&mut self) {
        if self.count > 0 {
            close_frame(&mut self.buffer, self.frame_start, self.count);
            self.frame_start = self.buffer.len();
            self.count = 0;
        }
    }
}

const ORDER_FIXED_BYTES: usize = size_of::<super::reply_records::ArchivedOrderV7>();
const STATUS_BYTES: usize = size_of::<super::reply_records::ArchivedStatusV2>();
const _: () = assert!(FRAME_BYTES_MAX >= REPLY_HEADER_BYTES + crate::base::limits::RECORD_BYTES_MAX);

const fn flag(repeated: bool) -> u8 {
    if repeated { REPEATED } else { 0 }
}
