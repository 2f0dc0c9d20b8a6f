//! The fixed structs of facts in the log, version 1 unless their name says otherwise. `docs/LOG-FORMAT.md`, "Records",
//! draws each as a table.
//!
//! # Always true
//! - A struct here never changes: another layout is another struct, with the next version; from the first release on,
//!   both stay readable.

use super::account::AccountPart;
use super::effects::{EffectsPart, ReportPart};
use super::layout::{RECORD_VERSION, RecordHead, fixed, kinds};
use super::policy::PolicyPart;
use super::whose::WhosePart;
use crate::engine::{Draw, PREPAID_METHODS};

kinds! {
    /// Kinds of facts.
    FactKind {
        MarketAssigned = 1,
        MarketOpened = 2,
        SiteCreated = 3,
        SkuCreated = 4,
        Received = 5,
        Adjusted = 6,
        Placed = 7,
        Confirmed = 8,
        RetakeFailed = 9,
        Cancelled = 10,
        Blocked = 11,
        LinesCancelled = 12,
        Expired = 13,
        HandedOver = 14,
        Returned = 15,
        RetentionSet = 16,
        Retired = 17,
        Closed = 18,
        Left = 19,
        PolicySet = 20,
        EffectsSet = 21,
        EffectReported = 22,
        Extended = 23,
        CursorMoved = 24,
        StockMoved = 25,
        StockCounted = 26,
        Filled = 27,
        StockLevelChanged = 28,
        KitDefined = 29,
        CountReported = 30,
        OrderPutBack = 31,
        Erased = 32,
        ReservationsSet = 33,
        ChannelCapSet = 34,
        Held = 35,
        HoldLifted = 36,
        PaymentStarted = 37,
        PaymentReported = 38,
        RefundRequested = 39,
        Delivered = 40,
        ReturnRequested = 41,
        ReturnTold = 42,
        ReturnReceived = 43,
        ReturnInspected = 44,
        Edited = 45,
        VelocitySet = 46,
    }
}

impl FactKind {
    /// The version that this program writes and reads.
    pub(super) const fn version(self) -> u8 {
        match self {
            // With an oversell allowance and a level of stock; version 1 had none. Of 32 bits; version 1 had 16. With a
            // reason; version 1 had none. With details sealed; in version 1 they were plain. With
            // payment methods; version 1 had none. With what is entered; version 1 had nothing of it. With checks;
            // version 1 had none. With the end of an authorisation; version 1 had none.
            Self::Confirmed
            | Self::EffectsSet
            | Self::PolicySet
            | Self::EffectReported
            | Self::Extended
            | Self::Placed
            | Self::PaymentReported
            | Self::ReservationsSet => 2,
            _ => RECORD_VERSION,
        }
    }
}

fixed! {
    /// Then: code.
    MarketAssignedV1 as ArchivedMarketAssignedV1, 12 {
        head: RecordHead,
        market: u32,
        shard: u16,
        code_len: u16,
    }
    /// Then: code.
    MarketOpenedV1 as ArchivedMarketOpenedV1, 10 {
        head: RecordHead,
        market: u32,
        code_len: u16,
    }
    /// Then: code.
    SiteCreatedV1 as ArchivedSiteCreatedV1, 14 {
        head: RecordHead,
        market: u32,
        site: u16,
        rank: u16,
        code_len: u16,
    }
    /// Then: code.
    SkuCreatedV1 as ArchivedSkuCreatedV1, 14 {
        head: RecordHead,
        market: u32,
        sku: u32,
        code_len: u16,
    }
    /// Then: components, code.
    KitDefinedV1 as ArchivedKitDefinedV1, 16 {
        head: RecordHead,
        market: u32,
        sku: u32,
        components: u16,
        code_len: u16,
    }
    /// Units of a component in one kit.
    FactComponentV1 as ArchivedFactComponentV1, 8 {
        sku: u32,
        units: u32,
    }
    /// Goods came in.
    ReceivedV1 as ArchivedReceivedV1, 34 {
        head: RecordHead,
        sku: u32,
        request: u128,
        quantity: u64,
        site: u16,
    }
    /// A correction.
    AdjustedV1 as ArchivedAdjustedV1, 35 {
        head: RecordHead,
        sku: u32,
        request: u128,
        delta: i64,
        site: u16,
        reason: u8,
    }
    /// Units lie elsewhere, or are for something else.
    StockMovedV1 as ArchivedStockMovedV1, 38 {
        head: RecordHead,
        sku: u32,
        request: u128,
        quantity: u64,
        from: AccountPart,
        to: AccountPart,
    }
    /// What lies at a site was counted.
    StockCountedV1 as ArchivedStockCountedV1, 42 {
        head: RecordHead,
        sku: u32,
        request: u128,
        expected: u64,
        counted: u64,
        site: u16,
    }
    /// What had lain at a site after an earlier entry was told.
    CountReportedV1 as ArchivedCountReportedV1, 66 {
        head: RecordHead,
        sku: u32,
        request: u128,
        as_of: u64,
        on_hand: u64,
        counted: u64,
        short: u64,
        excess: u64,
        site: u16,
    }
    /// Units that an order held are not there. Then: draws.
    OrderPutBackV1 as ArchivedOrderPutBackV1, 26 {
        head: RecordHead,
        sku: u32,
        order: u128,
        draws: u16,
    }
    /// Then: lines, draws, hashes if flagged; the key's name and the sealed details if there are any.
    PlacedV2 as ArchivedPlacedFactV2, 56 {
        head: RecordHead,
        hold_ms: u32,
        order: u128,
        customer: u128,
        currency: [u8; 3],
        take: u8,
        payment: u8,
        flags: u8,
        channel: u16,
        zone: u16,
        lines: u16,
        draws: u16,
        sealed_len: u16,
    }
    /// The name of the key that details are sealed under.
    KeyNameV1 as ArchivedKeyNameV1, 8 {
        slot: u32,
        generation: u32,
    }
    /// A line of a placement.
    FactLineV1 as ArchivedFactLineV1, 16 {
        sku: u32,
        quantity: u32,
        price: u64,
    }
    /// Units of a line at a site.
    DrawV1 as ArchivedDrawV1, 8 {
        line: u16,
        site: u16,
        quantity: u32,
    }
    /// The optional tail of a placement.
    FactHashesV1 as ArchivedFactHashesV1, 24 {
        account: u64,
        address: u64,
        instrument: u64,
    }
    /// Then: draws.
    ConfirmedV2 as ArchivedConfirmedV2, 38 {
        head: RecordHead,
        order: u128,
        attempt: u64,
        entered: u64,
        draws: u16,
    }
    /// A late take that failed.
    RetakeFailedV1 as ArchivedRetakeFailedV1, 32 {
        head: RecordHead,
        sku: u32,
        order: u128,
        attempt: u64,
    }
    /// A reservation lasts longer.
    ExtendedV2 as ArchivedExtendedFactV2, 29 {
        head: RecordHead,
        order: u128,
        deadline: u64,
        reason: u8,
    }
    /// How long reservations of a market last.
    ReservationsSetV2 as ArchivedReservationsSetV2, 36 {
        head: RecordHead,
        market: u32,
        activity_ms_max: u32,
        payment_ms_max: u32,
        unpaid_ms: [u32; PREPAID_METHODS],
    }
    /// How many units of a SKU are sold through a channel.
    ChannelCapSetV1 as ArchivedChannelCapSetV1, 19 {
        head: RecordHead,
        market: u32,
        sku: u32,
        units_max: u32,
        channel: u16,
        capped: u8,
    }
    /// `Cancelled`, `Blocked` and `Expired`.
    OrderFactV1 as ArchivedOrderFactV1, 20 {
        head: RecordHead,
        order: u128,
    }
    /// `LinesCancelled` and `HandedOver`. Then: draws.
    ChangeFactV1 as ArchivedChangeFactV1, 46 {
        head: RecordHead,
        order: u128,
        change: u64,
        content: u64,
        excess: u64,
        draws: u16,
    }
    /// Then: draws.
    ReturnedV1 as ArchivedReturnedV1, 48 {
        head: RecordHead,
        order: u128,
        change: u64,
        content: u64,
        excess: u64,
        site: u16,
        draws: u16,
    }
    /// How long a market keeps what is over.
    RetentionSetV1 as ArchivedRetentionSetV1, 24 {
        head: RecordHead,
        market: u32,
        return_window_ms: u64,
        ids_kept_ms: u64,
    }
    /// What may be sold of a SKU.
    PolicySetV2 as ArchivedPolicySetV2, 56 {
        head: RecordHead,
        market: u32,
        sku: u32,
        policy: PolicyPart,
    }
    /// Which effects go on the wanted list.
    EffectsSetV2 as ArchivedEffectsSetV2, 11 {
        head: RecordHead,
        market: u32,
        effects: EffectsPart,
    }
    /// Something became of an effect.
    EffectReportedV2 as ArchivedEffectReportedV2, 27 {
        head: RecordHead,
        order: u128,
        attempt: u32,
        report: ReportPart,
    }
    /// How far a sink has got. Then: its name.
    CursorMovedV1 as ArchivedCursorMovedV1, 15 {
        head: RecordHead,
        upto: u64,
        attached: u8,
        sink_len: u16,
    }
    /// An order got what it was owed. Then: draws.
    FilledV1 as ArchivedFilledV1, 22 {
        head: RecordHead,
        order: u128,
        draws: u16,
    }
    /// What is for sale of a SKU came to be little, or nothing, or enough again.
    StockLevelChangedV1 as ArchivedStockLevelChangedV1, 21 {
        head: RecordHead,
        market: u32,
        sku: u32,
        for_sale: u64,
        level: u8,
    }
    /// Nobody can read somebody's details any more.
    ErasedV1 as ArchivedErasedFactV1, 25 {
        head: RecordHead,
        whose: WhosePart,
    }
    /// Identifiers are refused.
    RetiredV1 as ArchivedRetiredV1, 16 {
        head: RecordHead,
        market: u32,
        before: u64,
    }
    /// `Closed` and `Left`. Then: identifiers of orders.
    OrdersFactV1 as ArchivedOrdersFactV1, 6 {
        head: RecordHead,
        orders: u16,
    }
}

/// Flag of a placed order: the tail of identity hashes is there.
pub(super) const PLACED_HAS_HASHES: u8 = 1;
/// Flag of a placed order: it needed no payment.
pub(super) const PLACED_CONFIRMED: u8 = 2;

impl From<&Draw> for DrawV1 {
    fn from(draw: &Draw) -> Self {
        Self { line: draw.line, site: draw.site.0, quantity: draw.quantity }
    }
}
