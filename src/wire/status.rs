//! What a server says about itself: its status on request, its greeting on connect.
//!
//! # Always true
//! - Nothing here is about one customer or one order.

use crate::base::Timestamp;
use crate::base::limits::{
    CODE_BYTES_MAX, DETAILS_BYTES_MAX, FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX, FRAME_COMMANDS_MAX, HOLD_MS_MAX,
    ID_AHEAD_MS_MAX, LINES_MAX, PAGE_ROWS_MAX,
};

/// The version of the server program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ServerVersion {
    /// First number.
    pub major: u16,
    /// Second number.
    pub minor: u16,
    /// Third number.
    pub patch: u16,
}

impl ServerVersion {
    /// This program's own.
    #[must_use]
    pub fn of_this_build() -> Self {
        let number = |text: &str| text.parse().unwrap_or(0);
        Self {
            major: number(env!("CARGO_PKG_VERSION_MAJOR")),
            minor: number(env!("CARGO_PKG_VERSION_MINOR")),
            patch: number(env!("CARGO_PKG_VERSION_PATCH")),
        }
    }
}

impl core::fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// What a histogram of the server measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Stage {
    /// From admission to the shard's decision, in microseconds.
    Decided = 0,
    /// From the decision to the disk, in microseconds.
    Durable = 1,
    /// From the disk to the answer's hand-over to the network, in microseconds.
    Answered = 2,
    /// One sync of the log, in microseconds.
    Sync = 3,
    /// Requests of one turn of a shard.
    TurnRequests = 4,
    /// Bytes of one write to the log.
    WriteBytes = 5,
}

/// How many stages there are.
pub const STAGES: usize = 6;

impl Stage {
    /// Every stage, in the order of their numbers.
    pub const ALL: [Self; STAGES] =
        [Self::Decided, Self::Durable, Self::Answered, Self::Sync, Self::TurnRequests, Self::WriteBytes];

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decided => "decided_us",
            Self::Durable => "durable_us",
            Self::Answered => "answered_us",
            Self::Sync => "sync_us",
            Self::TurnRequests => "turn_requests",
            Self::WriteBytes => "write_bytes",
        }
    }
}

/// A histogram in five numbers, in the unit of its [`Stage`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many values.
    pub count: u64,
    /// Half are at most this.
    pub p50: u64,
    /// 99 % are at most this.
    pub p99: u64,
    /// 99.9 % are at most this.
    pub p999: u64,
    /// The largest.
    pub max: u64,
}

/// When the server answers, as an operator sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum DurabilityMode {
    /// After the disk has it.
    #[default]
    Sync = 0,
    /// After it is written; synced every `interval_ms`.
    Interval = 1,
    /// At once: there is no log.
    Memory = 2,
}

/// How the log gets to the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum SyncMethodCode {
    /// Not at all.
    #[default]
    None = 0,
    /// Through the page cache, then `fdatasync`.
    Fdatasync = 1,
    /// Past the page cache, durable when the write returns.
    DirectDsync = 2,
}

impl DurabilityMode {
    /// The mode with this number.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::Sync),
            1 => Some(Self::Interval),
            2 => Some(Self::Memory),
            _ => None,
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sync => "sync",
            Self::Interval => "interval",
            Self::Memory => "memory",
        }
    }
}

impl SyncMethodCode {
    /// The method with this number.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0 => Some(Self::None),
            1 => Some(Self::Fdatasync),
            2 => Some(Self::DirectDsync),
            _ => None,
        }
    }

    /// The word for people and for JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Fdatasync => "fdatasync",
            Self::DirectDsync => "direct-dsync",
        }
    }
}

/// What the server is, holds and has done since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Status {
    /// Of the program.
    pub version: ServerVersion,
    /// Shards of the node.
    pub shards: u16,
    /// Log time now.
    pub log_time: Timestamp,
    /// Since the program started.
    pub uptime_ms: u64,
    /// Orders kept.
    pub orders: u64,
    /// Orders it may keep.
    pub orders_max: u64,
    /// Bytes of details kept.
    pub details_bytes: u64,
    /// Bytes of details it may keep.
    pub details_bytes_max: u64,
    /// Resident memory.
    pub rss_bytes: u64,
    /// Bytes appended to the log since start, padding included.
    pub log_bytes: u64,
    /// Syncs of the log since start.
    pub syncs: u64,
    /// Frames written to the log since start.
    pub log_frames: u64,
    /// Connections open now.
    pub connections: u64,
    /// Requests admitted since start.
    pub requests: u64,
    /// When the server answers.
    pub durability: DurabilityMode,
    /// Milliseconds between two syncs; 0 unless the mode is `Interval`.
    pub interval_ms: u32,
    /// How the log gets to the disk.
    pub sync_method: SyncMethodCode,
    /// Indexed by [`Stage`].
    pub stages: [Summary; STAGES],
    /// Images beside the log.
    pub images: u16,
    /// Since the newest was made; 0 without one.
    pub image_age_ms: u64,
    /// Sinks that follow the log.
    pub sinks: u16,
    /// Age of the oldest fact that one of them has not taken.
    pub sink_lag_ms: u64,
}

impl Status {
    /// The summary of one stage.
    #[must_use]
    pub const fn stage(&self, stage: Stage) -> &Summary {
        &self.stages[stage as usize]
    }
}

/// The greeting of a new connection: what a client must know before it writes its first frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hello {
    /// Of the program.
    pub version: ServerVersion,
    /// Shards of the node.
    pub shards: u16,
    /// Log time: identifiers are made from it.
    pub log_time: Timestamp,
    /// Bytes of one frame.
    pub frame_bytes_max: u32,
    /// Bytes of the first frame of a connection.
    pub first_frame_bytes_max: u32,
    /// Commands of one frame.
    pub frame_commands_max: u32,
    /// Lines of one placement.
    pub lines_max: u32,
    /// Bytes of details of one order.
    pub details_bytes_max: u32,
    /// Bytes of a code.
    pub code_bytes_max: u32,
    /// Rows of one query.
    pub page_rows_max: u32,
    /// Milliseconds of the longest reservation.
    pub hold_ms_max: u32,
    /// Milliseconds an identifier may be ahead of log time.
    pub id_ahead_ms_max: u32,
}

const fn limit(number: usize) -> u32 {
    assert!(number <= u32::MAX as usize, "a limit told to clients fits 32 bits");
    number as u32
}

impl Hello {
    /// The greeting of this build.
    #[must_use]
    pub fn of_this_build(shards: u16, log_time: Timestamp) -> Self {
        Self {
            version: ServerVersion::of_this_build(),
            shards,
            log_time,
            frame_bytes_max: const { limit(FRAME_BYTES_MAX) },
            first_frame_bytes_max: const { limit(FIRST_FRAME_BYTES_MAX) },
            frame_commands_max: const { limit(FRAME_COMMANDS_MAX) },
            lines_max: const { limit(LINES_MAX) },
            details_bytes_max: const { limit(DETAILS_BYTES_MAX) },
            code_bytes_max: const { limit(CODE_BYTES_MAX) },
            page_rows_max: const { limit(PAGE_ROWS_MAX) },
            hold_ms_max: HOLD_MS_MAX,
            id_ahead_ms_max: const { limit(ID_AHEAD_MS_MAX as usize) },
        }
    }
}
