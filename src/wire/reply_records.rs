//! The fixed structs of reply records, version 1 unless their name says otherwise. `docs/WIRE-PROTOCOL.md` draws each.
//!
//! # Always true
//! - Every reply record begins with the same sixteen bytes, [`AnswerHead`]: whose reply it is comes first.
//! - A struct here never changes: another layout is another struct, with the next version.

use super::effects::EffectsPart;
use super::hold::HoldPart;
use super::layout::{RECORD_VERSION, RecordHead, fixed, kinds};
use super::policy::PolicyPart;
use super::status::STAGES;
use crate::engine::PREPAID_METHODS;
use crate::engine::ledger::BUCKETS;
use crate::engine::order::STATES;

kinds! {
    /// Kinds of replies. Answers from 1, refusals 16, answers to queries from 32, status 48, greeting 64.
    ReplyKind {
        Numbered = 1,
        StockChanged = 2,
        Placed = 3,
        PlacedLines = 4,
        Done = 5,
        RetakeFailed = 6,
        Extended = 7,
        Return = 8,
        Set = 13,
        Retention = 14,
        Policy = 15,
        Refused = 16,
        Erased = 18,
        Stock = 32,
        SkuNumbers = 33,
        Sites = 34,
        Skus = 35,
        Order = 36,
        OpenOrders = 38,
        Books = 39,
        Availability = 41,
        Wanted = 42,
        Effects = 43,
        Holders = 44,
        OrderHistory = 45,
        Reservations = 46,
        ChannelCaps = 47,
        Status = 48,
        HeldOrders = 49,
        Tasks = 50,
        Velocity = 52,
        Waits = 55,
        Recipe = 56,
        Hello = 64,
    }
}

impl ReplyKind {
    /// The version that this program writes and reads.
    pub(super) const fn version(self) -> u8 {
        match self {
            // With money, and counts of orders whose payment failed; version 4 had neither.
            Self::Books => 5,
            // With when authorisations end; version 6 had nothing of it, version 5 no deliveries, returns and checks.
            Self::Order => 7,
            // Of ten buckets, with what is owed; version 2 had nine, version 1 six.
            Self::Stock => 3,
            // With what is owed, or attempts of 32 bits, or images and sinks, or more rules, or payment methods, or
            // checks; version 1 had less.
            Self::PlacedLines | Self::Wanted | Self::Policy | Self::Status | Self::Reservations | Self::Effects => 2,
            _ => RECORD_VERSION,
        }
    }
}

/// Flag: this is the first answer again.
pub(super) const REPEATED: u8 = 1;
/// Flag of stock rows: another record of this reply follows.
pub(super) const MORE: u8 = 2;
/// Flag of an order: the identity hashes are there.
pub(super) const HAS_HASHES: u8 = 4;
/// Flag of an order, and of its history: its return window is over.
pub(super) const CLOSED: u8 = 8;
/// Flag of an acceptance: some line got fewer units than asked.
pub(super) const SHORT: u8 = 16;
/// Flag of an order: the details it was given cannot be read any more.
pub(super) const ERASED: u8 = 64;
/// Flag of an acceptance: some of what lines got is not there yet.
pub(super) const OWED: u8 = 32;

/// The line of a row that is about no single one.
pub(super) const NO_LINE: u16 = u16::MAX;

fixed! {
    /// Every reply record begins with this. Bytes that a kind does not use are zero.
    AnswerHead as ArchivedAnswerHead, 16 {
        record: RecordHead,
        index: u16,
        state: u8,
        flags: u8,
        correlation: u64,
    }
    /// A market, site or SKU has this number.
    NumberedV1 as ArchivedNumberedV1, 20 {
        head: AnswerHead,
        number: u32,
    }
    /// Stock was received or adjusted.
    StockChangedV1 as ArchivedStockChangedV1, 24 {
        head: AnswerHead,
        available: u64,
    }
    /// Nobody can read somebody's details any more.
    ErasedV1 as ArchivedErasedReplyV1, 20 {
        head: AnswerHead,
        orders: u32,
    }
    /// An order was accepted.
    PlacedV1 as ArchivedPlacedReplyV1, 40 {
        head: AnswerHead,
        number: u64,
        accepted_at: u64,
        deadline: u64,
    }
    /// An order was accepted, and not all it asked is there. Then: what each line got.
    PlacedLinesV2 as ArchivedPlacedLinesV2, 42 {
        head: AnswerHead,
        number: u64,
        accepted_at: u64,
        deadline: u64,
        lines: u16,
    }
    /// What a line got.
    GrantedV2 as ArchivedGrantedV2, 8 {
        taken: u32,
        owed: u32,
    }
    /// A command on an order was carried out.
    DoneV1 as ArchivedDoneV1, 32 {
        head: AnswerHead,
        moved: u64,
        excess: u64,
    }
    /// A command on a return was carried out.
    ReturnV1 as ArchivedReturnV1, 25 {
        head: AnswerHead,
        moved: u64,
        stage: u8,
    }
    /// A reservation lasts until then.
    ExtendedV1 as ArchivedExtendedReplyV1, 24 {
        head: AnswerHead,
        deadline: u64,
    }
    /// The lapsed units of an order could not be taken again.
    RetakeFailedV1 as ArchivedRetakeFailedReplyV1, 20 {
        head: AnswerHead,
        sku: u32,
    }
    /// How long a market keeps what is over.
    RetentionV1 as ArchivedRetentionV1, 40 {
        head: AnswerHead,
        return_window_ms: u64,
        ids_kept_ms: u64,
        retired_before: u64,
    }
    /// How long reservations of a market last.
    ReservationsV2 as ArchivedReservationsV2, 44 {
        head: AnswerHead,
        activity_ms_max: u32,
        payment_ms_max: u32,
        unpaid_ms: [u32; PREPAID_METHODS],
    }
    /// Then: rows.
    ChannelCapsV1 as ArchivedChannelCapsV1, 20 {
        head: AnswerHead,
        next: u16,
        rows: u16,
    }
    /// How many units of a SKU are sold through a channel.
    ChannelRowV1 as ArchivedChannelRowV1, 14 {
        held: u64,
        units_max: u32,
        channel: u16,
    }
    /// What may be sold of a SKU.
    PolicyV2 as ArchivedPolicyV2, 60 {
        head: AnswerHead,
        policy: PolicyPart,
    }
    /// A request was refused.
    RefusedV1 as ArchivedRefusedV1, 40 {
        head: AnswerHead,
        number: u16,
        small: u16,
        medium: u32,
        first: u64,
        second: u64,
    }
    /// Then: stock rows.
    StockV3 as ArchivedStockV3, 18 {
        head: AnswerHead,
        rows: u16,
    }
    /// One SKU at one site.
    StockRowV3 as ArchivedStockRowV3, 94 {
        sku: u32,
        site: u16,
        balances: [i64; BUCKETS],
        owed: u64,
    }
    /// Then: units for sale (u64) of each SKU.
    AvailabilityV1 as ArchivedAvailabilityV1, 18 {
        head: AnswerHead,
        rows: u16,
    }
    /// Then: SKU numbers (u32), 0 for a code that does not exist.
    SkuNumbersV1 as ArchivedSkuNumbersV1, 18 {
        head: AnswerHead,
        rows: u16,
    }
    /// Then: rows, then the codes of all rows.
    SitesV1 as ArchivedSitesV1, 18 {
        head: AnswerHead,
        rows: u16,
    }
    /// A site.
    SiteRowV1 as ArchivedSiteRowV1, 6 {
        site: u16,
        rank: u16,
        code_len: u16,
    }
    /// Then: rows, then the codes of all rows.
    SkusV1 as ArchivedSkusV1, 18 {
        head: AnswerHead,
        rows: u16,
    }
    /// A SKU.
    SkuRowV1 as ArchivedSkuRowV1, 6 {
        sku: u32,
        code_len: u16,
    }
    /// Then: components.
    RecipeV1 as ArchivedRecipeV1, 18 {
        head: AnswerHead,
        rows: u16,
    }
    /// Units of a component in one kit.
    RecipeRowV1 as ArchivedRecipeRowV1, 8 {
        sku: u32,
        units: u32,
    }
    /// Then: lines, draws, hashes if flagged, details, holds, their words, payments, returns, the lines of all of them,
    /// what came in of all of them.
    OrderV7 as ArchivedOrderV7, 102 {
        head: AnswerHead,
        order: u128,
        customer: u128,
        number: u64,
        accepted_at: u64,
        deadline: u64,
        missing: u64,
        check: u8,
        currency: [u8; 3],
        take: u8,
        payment: u8,
        channel: u16,
        zone: u16,
        lines: u16,
        draws: u16,
        details_len: u16,
        holds: u16,
        payments: u16,
        returns: u16,
    }
    /// A line of an order.
    LineViewV3 as ArchivedLineViewV3, 52 {
        sku: u32,
        asked: u32,
        price: u64,
        taken: u32,
        owed: u32,
        reserved: u32,
        lapsed: u32,
        committed: u32,
        shipped: u32,
        cancelled: u32,
        returned: u32,
        delivered: u32,
    }
    /// Units of a line at a site.
    DrawViewV1 as ArchivedDrawViewV1, 16 {
        line: u16,
        site: u16,
        reserved: u32,
        committed: u32,
        shipped: u32,
    }
    /// Identity hashes.
    ReplyHashesV1 as ArchivedReplyHashesV1, 24 {
        account: u64,
        address: u64,
        instrument: u64,
    }
    /// Then: rows.
    OpenOrdersReplyV1 as ArchivedOpenOrdersReplyV1, 26 {
        head: AnswerHead,
        next: u64,
        rows: u16,
    }
    /// An open order.
    OrderRowV1 as ArchivedOrderRowV1, 33 {
        order: u128,
        number: u64,
        deadline: u64,
        state: u8,
    }
    /// Then: rows, then the words of all rows.
    HeldOrdersV1 as ArchivedHeldOrdersV1, 26 {
        head: AnswerHead,
        next: u64,
        rows: u16,
    }
    /// A hold of an order.
    HeldRowV1 as ArchivedHeldRowV1, 46 {
        order: u128,
        number: u64,
        deadline: u64,
        state: u8,
        hold: HoldPart,
    }
    /// Then: rows.
    HoldersV1 as ArchivedHoldersV1, 26 {
        head: AnswerHead,
        next: u64,
        rows: u16,
    }
    /// What an open order holds of a SKU.
    HolderRowV1 as ArchivedHolderRowV1, 57 {
        order: u128,
        number: u64,
        deadline: u64,
        owed: u64,
        reserved: u64,
        committed: u64,
        state: u8,
    }
    /// Then: rows.
    OrderHistoryV1 as ArchivedOrderHistoryV1, 28 {
        head: AnswerHead,
        next: u32,
        not_shown: u32,
        stream: u16,
        rows: u16,
    }
    /// Something that happened to an order.
    HistoryRowV1 as ArchivedHistoryRowV1, 31 {
        sequence: u64,
        at: u64,
        value: u64,
        place: u32,
        line: u16,
        what: u8,
    }
    /// Then: rows.
    WantedV2 as ArchivedWantedV2, 26 {
        head: AnswerHead,
        next: u64,
        rows: u16,
    }
    /// An effect that is wanted.
    WantRowV2 as ArchivedWantRowV2, 59 {
        place: u64,
        order: u128,
        number: u64,
        since: u64,
        amount: u64,
        attempt: u32,
        currency: [u8; 3],
        payment: u8,
        action: u8,
        state: u8,
        aside: u8,
    }
    /// Which effects go on the wanted list.
    EffectsV2 as ArchivedEffectsV2, 19 {
        head: AnswerHead,
        effects: EffectsPart,
    }
    /// The books of a market. Then: money, by currency.
    BooksV5 as ArchivedBooksV5, 212 {
        head: AnswerHead,
        stream: u16,
        sequence: u64,
        units: [i64; BUCKETS],
        owed: u64,
        orders: [u64; STATES],
        orders_hash: u128,
        currencies: u16,
    }
    /// A summary of one histogram.
    SummaryV1 as ArchivedSummaryV1, 40 {
        count: u64,
        p50: u64,
        p99: u64,
        p999: u64,
        max: u64,
    }
    /// The server's status.
    StatusV2 as ArchivedStatusV2, 386 {
        head: AnswerHead,
        version: [u16; 3],
        shards: u16,
        log_time: u64,
        uptime_ms: u64,
        orders: u64,
        orders_max: u64,
        details_bytes: u64,
        details_bytes_max: u64,
        rss_bytes: u64,
        log_bytes: u64,
        syncs: u64,
        log_frames: u64,
        connections: u64,
        requests: u64,
        interval_ms: u32,
        durability: u8,
        sync_method: u8,
        stages: [SummaryV1; STAGES],
        images: u16,
        image_age_ms: u64,
        sinks: u16,
        sink_lag_ms: u64,
    }
    /// The greeting of a new connection.
    HelloV1 as ArchivedHelloV1, 64 {
        head: AnswerHead,
        version: [u16; 3],
        shards: u16,
        frame_bytes_max: u32,
        first_frame_bytes_max: u32,
        frame_commands_max: u32,
        lines_max: u32,
        details_bytes_max: u32,
        code_bytes_max: u32,
        page_rows_max: u32,
        hold_ms_max: u32,
        id_ahead_ms_max: u32,
        zero: u32,
    }
}
