//! What is told of a world when it is over.

/// What a world came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Report {
    pub(crate) events: u64,
    pub(crate) crashes: u64,
    pub(crate) accepted: u64,
    pub(crate) snapshots: u64,
    /// Segments of the log that went.
    pub(crate) trimmed: u64,
    /// Images of which a byte was flipped before a recovery.
    pub(crate) images_broken: u64,
    /// Copies of the log that were opened.
    pub(crate) backups: u64,
    /// Placements that never reached a shard.
    pub(crate) refused_by_board: u64,
    /// Answers to placements of which some units were not there yet.
    pub(crate) owed: u64,
    /// Customers, and guests, whose details were erased.
    pub(crate) erased: u64,
    /// Payments of which money was taken, times that money was given back, and parcels that left.
    pub(crate) paid: u64,
    pub(crate) given_back: u64,
    pub(crate) parcels: u64,
    /// Payments that failed, refunds that failed, times that a bank took money back, and that more was taken of what
    /// was set aside.
    pub(crate) failed: u64,
    pub(crate) failed_refunds: u64,
    pub(crate) charged_back: u64,
    pub(crate) captured_in_parts: u64,
    /// Orders that were paid and handed over whole, and those paid after an attempt had failed.
    pub(crate) paid_whole: u64,
    pub(crate) paid_otherwise: u64,
    /// Orders that were paid once and are so no longer, times that one was paid again, and parcels that left then.
    pub(crate) missing: u64,
    pub(crate) paid_again: u64,
    pub(crate) released_again: u64,
    /// Times that something came in with a return, or was looked at while more was to come.
    pub(crate) came_back: u64,
    pub(crate) edited: u64,
    /// Orders that were trusted, and those that were rejected.
    pub(crate) trusted: u64,
    pub(crate) rejected: u64,
    /// Facts that receivers were told, those of them they were told again, and gaps.
    pub(crate) told: u64,
    pub(crate) told_twice: u64,
    pub(crate) gaps: u64,
    /// A hash of every answer and every crash, in order.
    pub(crate) trace: u64,
}
