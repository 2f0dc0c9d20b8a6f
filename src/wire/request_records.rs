//! The fixed structs of request records, version 1 unless their name says otherwise. `docs/WIRE-PROTOCOL.md` draws each
//! as a table.
//!
//! # Always true
//! - A struct here never changes: another layout is another struct, with the next version.

use super::account::AccountPart;
use super::effects::{EffectsPart, ReportPart};
use super::layout::{RECORD_VERSION, RecordHead, fixed, kinds};
use super::policy::PolicyPart;
use super::whose::WhosePart;
use crate::base::SkuId;
use crate::engine::{Line, PREPAID_METHODS};

kinds! {
    /// Kinds of requests. Commands from 1, queries from 32, status 48, rules of markets and SKUs from 96.
    RequestKind {
        AssignMarket = 1,
        CreateSite = 2,
        CreateSku = 3,
        Receive = 4,
        Adjust = 5,
        Place = 6,
        Confirm = 7,
        Cancel = 8,
        CancelLines = 9,
        HandOver = 10,
        ReturnToStock = 11,
        ReportEffect = 12,
        Extend = 13,
        MoveStock = 14,
        CountStock = 15,
        DefineKit = 16,
        ReportCount = 17,
        Erase = 18,
        SetReservations = 19,
        SetChannelCap = 20,
        HoldOrder = 21,
        LiftHold = 22,
        StartPayment = 23,
        ReportPayment = 24,
        RequestRefund = 25,
        ReportDelivered = 26,
        RequestReturn = 27,
        ReportReturn = 28,
        ReceiveReturn = 29,
        InspectReturn = 30,
        EditOrder = 31,
        Stock = 32,
        ResolveSkus = 33,
        Sites = 34,
        Skus = 35,
        Order = 36,
        OrderByNumber = 37,
        OpenOrders = 38,
        Books = 39,
        Market = 40,
        Availability = 41,
        Wanted = 42,
        CustomerOrders = 43,
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
        SetRetention = 96,
        Retention = 97,
        SetPolicy = 98,
        Policy = 99,
        SetEffects = 100,
        Effects = 101,
        SetVelocity = 102,
    }
}

impl RequestKind {
    /// The version that this program writes and reads.
    pub(super) const fn version(self) -> u8 {
        match self {
            // With an oversell allowance and a level of stock; version 1 had none. Of 32 bits; version 1 had 16. With a
            // reason; version 1 had none. With payment methods; version 1 had none. With checks; version 1 had none.
            // With the end of an authorisation; version 1 had none.
            Self::SetPolicy
            | Self::ReportEffect
            | Self::Extend
            | Self::SetReservations
            | Self::SetEffects
            | Self::ReportPayment => 2,
            _ => RECORD_VERSION,
        }
    }
}

fixed! {
    /// `AssignMarket` and `Market`. Then: code.
    AssignMarketV1 as ArchivedAssignMarketV1, 6 {
        head: RecordHead,
        code_len: u16,
    }
    /// Then: code.
    CreateSiteV1 as ArchivedCreateSiteV1, 12 {
        head: RecordHead,
        market: u32,
        rank: u16,
        code_len: u16,
    }
    /// Then: code.
    CreateSkuV1 as ArchivedCreateSkuV1, 10 {
        head: RecordHead,
        market: u32,
        code_len: u16,
    }
    /// Then: components, code.
    DefineKitV1 as ArchivedDefineKitV1, 12 {
        head: RecordHead,
        market: u32,
        components: u16,
        code_len: u16,
    }
    /// Units of a component in one kit.
    ComponentV1 as ArchivedComponentV1, 8 {
        sku: u32,
        units: u32,
    }
    /// Goods came in.
    ReceiveV1 as ArchivedReceiveV1, 34 {
        head: RecordHead,
        sku: u32,
        request: u128,
        quantity: u64,
        site: u16,
    }
    /// A correction.
    AdjustV1 as ArchivedAdjustV1, 35 {
        head: RecordHead,
        sku: u32,
        request: u128,
        delta: i64,
        site: u16,
        reason: u8,
    }
    /// Units lie elsewhere, or are for something else.
    MoveStockV1 as ArchivedMoveStockV1, 38 {
        head: RecordHead,
        sku: u32,
        request: u128,
        quantity: u64,
        from: AccountPart,
        to: AccountPart,
    }
    /// What lies at a site was counted.
    CountStockV1 as ArchivedCountStockV1, 42 {
        head: RecordHead,
        sku: u32,
        request: u128,
        expected: u64,
        counted: u64,
        site: u16,
    }
    /// What lay at a site after an entry was counted.
    ReportCountV1 as ArchivedReportCountV1, 42 {
        head: RecordHead,
        sku: u32,
        request: u128,
        as_of: u64,
        counted: u64,
        site: u16,
    }
    /// Then: lines, hashes if flagged, details.
    PlaceV1 as ArchivedPlaceV1, 54 {
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
        details_len: u16,
    }
    /// A line of a placement.
    LineV1 as ArchivedLineV1, 16 {
        sku: u32,
        quantity: u32,
        price: u64,
    }
    /// The optional tail of a placement.
    HashesV1 as ArchivedHashesV1, 24 {
        account: u64,
        address: u64,
        instrument: u64,
    }
    /// Payment accepted.
    ConfirmV1 as ArchivedConfirmV1, 28 {
        head: RecordHead,
        order: u128,
        attempt: u64,
    }
    /// Cancel all.
    CancelV1 as ArchivedCancelV1, 21 {
        head: RecordHead,
        order: u128,
        block: u8,
    }
    /// `CancelLines`, `HandOver` and `ReportDelivered`. Then: line quantities.
    ChangeLinesV1 as ArchivedChangeLinesV1, 30 {
        head: RecordHead,
        order: u128,
        change: u64,
        lines: u16,
    }
    /// `ReturnToStock`, and `ReceiveReturn` with the number of the return. Then: line quantities.
    ReturnToStockV1 as ArchivedReturnToStockV1, 32 {
        head: RecordHead,
        order: u128,
        change: u64,
        site: u16,
        lines: u16,
    }
    /// Units of a line.
    LineQuantityV1 as ArchivedLineQuantityV1, 6 {
        line: u16,
        quantity: u32,
    }
    /// `Stock` and `Availability`. Then: SKU numbers.
    StockQueryV1 as ArchivedStockQueryV1, 10 {
        head: RecordHead,
        market: u32,
        skus: u16,
    }
    /// Then: a length (u8) per code, then the codes.
    ResolveSkusV1 as ArchivedResolveSkusV1, 10 {
        head: RecordHead,
        market: u32,
        codes: u16,
    }
    /// `Sites`, `Books`, `Retention`, `Effects` and `Reservations`.
    MarketQueryV1 as ArchivedMarketQueryV1, 8 {
        head: RecordHead,
        market: u32,
    }
    /// How long a market keeps what is over.
    SetRetentionV1 as ArchivedSetRetentionV1, 24 {
        head: RecordHead,
        market: u32,
        return_window_ms: u64,
        ids_kept_ms: u64,
    }
    /// What may be sold of a SKU.
    SetPolicyV2 as ArchivedSetPolicyV2, 56 {
        head: RecordHead,
        market: u32,
        sku: u32,
        policy: PolicyPart,
    }
    /// `Policy` and `Recipe`.
    PolicyQueryV1 as ArchivedPolicyQueryV1, 12 {
        head: RecordHead,
        market: u32,
        sku: u32,
    }
    /// More time for a reservation.
    ExtendV2 as ArchivedExtendV2, 29 {
        head: RecordHead,
        order: u128,
        until: u64,
        reason: u8,
    }
    /// Nobody is to read somebody's details any more.
    EraseV1 as ArchivedEraseV1, 25 {
        head: RecordHead,
        whose: WhosePart,
    }
    /// How long reservations of a market last.
    SetReservationsV2 as ArchivedSetReservationsV2, 36 {
        head: RecordHead,
        market: u32,
        activity_ms_max: u32,
        payment_ms_max: u32,
        unpaid_ms: [u32; PREPAID_METHODS],
    }
    /// How many units of a SKU are sold through a channel.
    SetChannelCapV1 as ArchivedSetChannelCapV1, 19 {
        head: RecordHead,
        market: u32,
        sku: u32,
        units_max: u32,
        channel: u16,
        capped: u8,
    }
    /// What became of an effect.
    ReportEffectV2 as ArchivedReportEffectV2, 27 {
        head: RecordHead,
        order: u128,
        attempt: u32,
        report: ReportPart,
    }
    /// Which effects go on the wanted list.
    SetEffectsV2 as ArchivedSetEffectsV2, 11 {
        head: RecordHead,
        market: u32,
        effects: EffectsPart,
    }
    /// A page of effects that are wanted, or set aside.
    WantedQueryV1 as ArchivedWantedQueryV1, 20 {
        head: RecordHead,
        market: u32,
        after: u64,
        rows_max: u16,
        effect: u8,
        aside: u8,
    }
    /// A page of SKUs.
    SkusQueryV1 as ArchivedSkusQueryV1, 14 {
        head: RecordHead,
        market: u32,
        after: u32,
        rows_max: u16,
    }
    /// One order.
    OrderQueryV1 as ArchivedOrderQueryV1, 20 {
        head: RecordHead,
        order: u128,
    }
    /// One order by number.
    OrderByNumberV1 as ArchivedOrderByNumberV1, 16 {
        head: RecordHead,
        market: u32,
        number: u64,
    }
    /// A page of a customer's orders.
    CustomerOrdersV1 as ArchivedCustomerOrdersV1, 34 {
        head: RecordHead,
        market: u32,
        customer: u128,
        before: u64,
        rows_max: u16,
    }
    /// A page of who holds a SKU.
    HoldersQueryV1 as ArchivedHoldersQueryV1, 22 {
        head: RecordHead,
        market: u32,
        sku: u32,
        after: u64,
        rows_max: u16,
    }
    /// A page of caps of a SKU.
    ChannelCapsQueryV1 as ArchivedChannelCapsQueryV1, 16 {
        head: RecordHead,
        market: u32,
        sku: u32,
        after: u16,
        rows_max: u16,
    }
    /// A page of what happened to an order.
    OrderHistoryQueryV1 as ArchivedOrderHistoryQueryV1, 26 {
        head: RecordHead,
        order: u128,
        after: u32,
        rows_max: u16,
    }
    /// A page of open orders, or of those that are held.
    OpenOrdersV1 as ArchivedOpenOrdersV1, 18 {
        head: RecordHead,
        market: u32,
        after: u64,
        rows_max: u16,
    }
}

/// Flag of a placement: the tail of identity hashes is there.
pub(super) const PLACE_HAS_HASHES: u8 = 1;

impl ArchivedLineV1 {
    /// A line as the engine has it.
    pub(super) const fn read(&self) -> Line {
        Line { sku: SkuId(self.sku.to_native()), quantity: self.quantity.to_native(), price: self.price.to_native() }
    }
}
