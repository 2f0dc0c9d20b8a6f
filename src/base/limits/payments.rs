//! Limits of payments: attempts to pay, and the currencies of money.

/// Payment attempts of one order that are told of; a storefront begins no more than half as many.
pub const PAYMENT_ATTEMPTS_MAX: usize = 16;
/// Payment attempts that one order begins.
pub const PAYMENT_STARTS_MAX: usize = PAYMENT_ATTEMPTS_MAX / 2;
/// Payment attempts of all orders of a node together, unless set.
pub const PAYMENTS_DEFAULT: u64 = 500_000;
/// Memory the start-up check counts for one of these: itself (64), where its order finds it (6), and a third to spare;
/// when its authorisation ends (40), and of one in three, whose order is open, the task of that (111 with its turn).
pub const PAYMENT_MEMORY_BYTES: u64 = 173;
/// An authorisation that is said to end later than so long after log time is none: 400 days.
pub const AUTHORISATION_MS_MAX: u64 = 400 * 24 * 3_600 * 1_000;
/// How long the simulated provider sets money aside, after the order was made: 7 days.
pub const SIMULATED_AUTHORISATION_MS: u64 = 7 * 24 * 3_600 * 1_000;
/// An order is a task from so long before an authorisation of it ends: 24 hours.
pub const AUTHORISATION_NOTICE_MS: u64 = 24 * 3_600 * 1_000;
/// Currencies in which one market was paid.
pub const CURRENCIES_MAX: usize = 64;
