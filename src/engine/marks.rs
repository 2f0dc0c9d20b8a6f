//! Marks of orders: what few orders are, one bit each, so that all others need not look.

/// What is so of an order, or not: a bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks(u8);

impl Marks {
    pub(super) const NONE: Self = Self(0);

    /// A payment of it has started: its reservation was made longer for that, and is not once more.
    pub(super) const PAYMENT_STARTED: u8 = 1;
    /// It has holds.
    pub(super) const HELD: u8 = 2;
    /// Somebody said that it is paid, and nobody had told of any payment: what is told later changes nothing of that.
    pub(super) const SAID_PAID: u8 = 16;
    /// Every payment of it that was tried came to nothing.
    pub(super) const PAYMENT_FAILED: u8 = 4;

    pub(super) const fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }

    pub(super) const fn set(&mut self, mark: u8, is_so: bool) {
        self.0 = if is_so { self.0 | mark } else { self.0 & !mark };
    }
}
