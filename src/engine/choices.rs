//! What whoever commands chooses among: numbered words, the same on the wire, in the log and for people.
//!
//! # Always true
//! - Numbers never change their meaning.

/// What to do when stock does not cover every line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Take {
    /// Refuse the order.
    AllOrNothing = 0,
    /// Take what there is, lines in order; refuse only when there is nothing at all.
    WhatExists = 1,
}

/// How a customer pays. Cash on delivery is confirmed when placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum PaymentMethod {
    /// Not said.
    Unspecified = 0,
    /// Card.
    Card = 1,
    /// Wallet.
    Wallet = 2,
    /// Bank transfer.
    BankTransfer = 3,
    /// Invoice.
    Invoice = 4,
    /// Cash on delivery.
    CashOnDelivery = 5,
}

/// Why stock was corrected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum AdjustReason {
    /// A count found another number.
    Count = 0,
    /// Broken or spoiled.
    Damaged = 1,
    /// Gone.
    Lost = 2,
    /// Turned up.
    Found = 3,
    /// Anything else.
    Other = 4,
}

/// Why an order must not go to a warehouse.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum HoldReason {
    /// Somebody looks whether it is fraud.
    Fraud = 1,
    /// Money that is to come first.
    Payment = 2,
    /// An address that nobody can deliver to.
    Address = 3,
    /// Something is missing.
    Stock = 4,
    /// Nobody can say when.
    DeliveryDate = 5,
    /// Goods that are to come back first.
    ReturnedGoods = 6,
    /// The customer asked for it.
    Customer = 7,
    /// Anything else.
    Other = 8,
}

impl HoldReason {
    /// Every reason, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Fraud,
        Self::Payment,
        Self::Address,
        Self::Stock,
        Self::DeliveryDate,
        Self::ReturnedGoods,
        Self::Customer,
        Self::Other,
    ];
}

/// Why an attempt to pay failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum FailureReason {
    /// Anything else.
    Other = 0,
    /// The issuer said no and not why.
    Declined = 1,
    /// There was not enough.
    InsufficientFunds = 2,
    /// The card, or whatever was to pay, has run out.
    ExpiredInstrument = 3,
    /// There is no such card or account.
    InvalidInstrument = 4,
    /// The customer did not show who they are.
    AuthenticationFailed = 5,
    /// Somebody takes it for fraud.
    SuspectedFraud = 6,
    /// More than may be paid so at once, or in a day.
    LimitExceeded = 7,
    /// The customer called it off.
    Cancelled = 8,
    /// Nothing came in time.
    TimedOut = 9,
    /// The provider is out of order.
    ProviderError = 10,
}

/// What may come of paying once more, after an attempt failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum RetryClass {
    /// The same may work, now or soon.
    Now = 1,
    /// Something else has to pay.
    OtherMethod = 2,
    /// Nothing will: this customer does not pay this order.
    Never = 3,
}

macro_rules! variants {
    ($name:ident { $($variant:ident = $text:literal),* $(,)? }) => {
        impl $name {
            /// The variant with this number; `None` for a number that names nothing.
            #[must_use]
            pub const fn from_byte(byte: u8) -> Option<Self> {
                $(if byte == Self::$variant as u8 { return Some(Self::$variant); })*
                None
            }

            /// For machines that read text.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)*
                }
            }
        }
    };
}
variants!(Take { AllOrNothing = "all_or_nothing", WhatExists = "what_exists" });
variants!(PaymentMethod {
    Unspecified = "unspecified",
    Card = "card",
    Wallet = "wallet",
    BankTransfer = "bank_transfer",
    Invoice = "invoice",
    CashOnDelivery = "cash_on_delivery",
});
variants!(AdjustReason { Count = "count", Damaged = "damaged", Lost = "lost", Found = "found", Other = "other" });
variants!(HoldReason {
    Fraud = "fraud",
    Payment = "payment",
    Address = "address",
    Stock = "stock",
    DeliveryDate = "delivery_date",
    ReturnedGoods = "returned_goods",
    Customer = "customer",
    Other = "other",
});
variants!(FailureReason {
    Other = "other",
    Declined = "declined",
    InsufficientFunds = "insufficient_funds",
    ExpiredInstrument = "expired_instrument",
    InvalidInstrument = "invalid_instrument",
    AuthenticationFailed = "authentication_failed",
    SuspectedFraud = "suspected_fraud",
    LimitExceeded = "limit_exceeded",
    Cancelled = "cancelled",
    TimedOut = "timed_out",
    ProviderError = "provider_error",
});
variants!(RetryClass { Now = "now", OtherMethod = "other_method", Never = "never" });
