//! Limits of payments: attempts to pay, and the currencies of money.

/// Payment attempts of one order that are told of; a storefront begins no more than half as many.
pub const PAYMENT_ATTEMPTS_MAX: usize = 16;
/// Payment attempts that one order begins.
pub const PAYMENT_STARTS_MAX: usize = PAYMENT_ATTEMPTS_MAX / 2;
/// Payment attempts of all orders of a node together, unless set.
pub const PAYMENTS_DEFAULT: u64 = 500_000;
/// Memory the start-up check counts for one of these: itself (64), where its order finds it (6), and a third to spare.
pub const PAYMENT_MEMORY_BYTES: u64 = 96;
/// Currencies in which one market was paid.
pub const CURRENCIES_MAX: usize = 64;
