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
    /// Nobody said yet that it is to be trusted.
    pub(super) const UNCHECKED: u8 = 8;
    /// Units that it held were not found, and it is owed some since.
    pub(super) const PUT_BACK: u8 = 64;
    /// Somebody has to look at it.
    pub(super) const HAS_TASKS: u8 = 128;

    /// Whether one of these marks is there.
    pub(super) const fn has(self, mark: u8) -> bool {
        self.0 & mark != 0
    }

    pub(super) const fn set(&mut self, mark: u8, is_so: bool) {
        self.0 = if is_so { self.0 | mark } else { self.0 & !mark };
    }
}

/// Each is a bit of its own.
const _: () = {
    let marks = [
        Marks::PAYMENT_STARTED,
        Marks::HELD,
        Marks::PAYMENT_FAILED,
        Marks::SAID_PAID,
        Marks::PUT_BACK,
        Marks::UNCHECKED,
    ];
    let (mut all, mut at) = (Marks::HAS_TASKS, 0);
    while at < marks.len() {
        assert!(marks[at].count_ones() == 1 && all & marks[at] == 0);
        all |= marks[at];
        at += 1;
    }
};
