//! Every limit of Stockade, here and in files below; what must hold between them the compiler checks (`relations`).
//!
//! A limit's name ends in `_MAX`, `_MIN` or its unit; what an operator may set is named `…_DEFAULT` here.

mod payments;
pub use payments::*;
mod relations;
mod returns;
pub use returns::*;
mod tasks;
pub use tasks::*;
mod velocity;
pub use velocity::*;

/// Kibibyte.
pub const KIB: usize = 1024;
/// Mebibyte.
pub const MIB: usize = 1024 * KIB;
// ---- engine -------------------------------------------------------------------------------------------------------
/// Lines of one placement, 1 to this many.
pub const LINES_MAX: usize = 2_048;
/// Draws of one placement: how many (line, site) pairs its units may come from.
pub const DRAWS_MAX: usize = 8_192;
/// Draws that one order may come to have: those of its placement, and those of a late payment or of being filled.
pub const ORDER_DRAWS_MAX: usize = 2 * DRAWS_MAX;
/// Draws a node keeps, all orders together, for each line it may keep.
pub const DRAWS_PER_LINE_MEAN_MAX: u64 = 2;
/// Units of one line, 1 to this many.
pub const LINE_QUANTITY_MAX: u32 = 10_000_000;
/// Price of one unit in minor units, 0 to this many.
pub const UNIT_PRICE_MAX: u64 = 1_000_000_000_000;
/// Total of one order in minor units (sum of price x quantity asked).
pub const ORDER_TOTAL_MAX: u64 = i64::MAX as u64;
/// Longest reservation: 31 days.
pub const HOLD_MS_MAX: u32 = 31 * 24 * 3_600 * 1_000;
/// Until a payment has to be there, unless a market says: unspecified, card, wallet, bank transfer, invoice.
pub const UNPAID_MS_DEFAULT: [u32; 5] = [900_000, 900_000, 900_000, 3 * 86_400_000, 7 * 86_400_000];
/// Units one receipt or adjustment may move.
pub const STOCK_COMMAND_UNITS_MAX: u64 = 1_000_000_000_000;
/// Units of one SKU at one site in any bucket. Receipts beyond it are refused.
pub const STOCK_UNITS_MAX: u64 = 1_000_000_000_000_000;
/// Units that ever came into one market, or were found in it, net; past it receipts and adjustments are refused.
pub const MARKET_UNITS_MAX: u64 = 1_000_000_000_000_000_000;
/// Changes remembered for one order; past it `TooManyChanges`.
pub const CHANGES_MAX: usize = 256;
/// Stock requests that the markets of a shard remember; past it whoever has most forgets its oldest, which are refused.
pub const REQUESTS_REMEMBERED_MAX: usize = 1_000_000;
/// Stock requests that one market forgets at once.
pub const REQUESTS_FORGOTTEN_MAX: usize = 1_024;
/// Memory that one remembered stock request may take.
pub const REQUEST_MEMORY_BYTES: u64 = 96;
/// How long a stock request is remembered: 24 hours of log time.
pub const REQUESTS_REMEMBERED_MS: u64 = 24 * 3_600 * 1_000;
/// How far ahead of log time an identifier may have been made.
pub const ID_AHEAD_MS_MAX: u64 = 2_000;
/// Markets of one node.
pub const MARKETS_MAX: usize = 4_096;
/// Sites of one market.
pub const SITES_MAX: usize = 256;
/// SKUs of one market.
pub const SKUS_MAX: usize = 50_000_000;
/// Bytes of a code: market name, site code, SKU code. At least one byte, printable, no space at either end.
pub const CODE_BYTES_MAX: usize = 64;
/// Expiries one turn of a shard makes at most; the rest waits for the next turn.
pub const EXPIRIES_PER_TURN_MAX: usize = 1_024;
/// Longest return window of a market: ten years.
pub const RETURN_WINDOW_MS_MAX: u64 = 3_653 * 24 * 3_600 * 1_000;
/// Return window of a market, unless set: 30 days.
pub const RETURN_WINDOW_MS_DEFAULT: u64 = 30 * 24 * 3_600 * 1_000;
/// The shortest time for which a market keeps identifiers: longer than any client tries again by itself.
pub const IDS_KEPT_MS_MIN: u64 = 60 * 1_000;
/// The longest.
pub const IDS_KEPT_MS_MAX: u64 = 366 * 24 * 3_600 * 1_000;
/// Time for which a market keeps identifiers, unless set: 7 days.
pub const IDS_KEPT_MS_DEFAULT: u64 = 7 * 24 * 3_600 * 1_000;
/// The moment before which identifiers are refused moves in steps of so many milliseconds.
pub const RETIRED_STEP_MS: u64 = 1_000;
/// Orders that one fact closes, or lets leave.
pub const RETIREMENT_ORDERS_MAX: usize = 256;
/// Lines of orders that one fact closes, unless it is one order.
pub const RETIREMENT_LINES_MAX: usize = 4_096;
/// Such facts of one turn of a shard.
pub const RETIREMENTS_PER_TURN_MAX: usize = 8;
/// Rows of one page of a query (open orders, stock of SKUs, codes to resolve).
pub const PAGE_ROWS_MAX: usize = 1_024;
/// Orders looked at for one page of open orders; the page may then be shorter and says where to go on.
pub const PAGE_SCAN_MAX: usize = 4_096;
/// Lines of one order that count as one more such look.
pub const LINES_PER_LOOK: usize = 16;
/// Customers and SKUs that a run of order numbers may be about and still be passed over unlooked.
pub const SIEVE_SUBJECTS_MAX: usize = PAGE_SCAN_MAX * LINES_PER_LOOK;
/// Entries of the history of one order; the first and the last of them when more happened.
pub const HISTORY_ENTRIES_MAX: usize = 64;
/// So many of them are the last ones.
pub const HISTORY_LAST_ENTRIES_MAX: usize = 16;
/// Entries of the histories of all orders of one shard; past it the oldest give way. No setting: they are state.
pub const HISTORY_PLACES_MAX: usize = 2 << 20;
/// Memory the start-up check counts for one of these.
pub const HISTORY_PLACE_MEMORY_BYTES: u64 = 32;

/// Orders a node keeps, unless set: past it placements answer `AtCapacity`.
pub const ORDERS_DEFAULT: u64 = 1_000_000;
/// Lines of all orders a node keeps, unless set.
pub const LINES_DEFAULT: u64 = 2 * ORDERS_DEFAULT;
/// SKUs of all markets a node keeps, unless set.
pub const SKUS_DEFAULT: u64 = 500_000;
/// Policies of SKUs of all markets a node keeps, unless set.
pub const POLICIES_DEFAULT: u64 = 50_000;
/// Memory the start-up check counts for one of these, its counts of customers excepted.
pub const POLICY_MEMORY_BYTES: u64 = 200;
/// Caps of channels of one shard, all its markets together.
pub const CHANNEL_CAPS_MAX: u64 = 10_000;
/// Memory the start-up check counts for one of these: 32 bytes in a tree whose nodes are half full at worst.
pub const CHANNEL_CAP_MEMORY_BYTES: u64 = 80;
/// Counts of customers that policies of a node's SKUs limit, unless set: one for each SKU and way of recognising one.
pub const CUSTOMERS_DEFAULT: u64 = 200_000;
/// Memory the start-up check counts for one of these.
pub const CUSTOMER_MEMORY_BYTES: u64 = 120;
/// Components of one kit, 1 to this many.
pub const KIT_COMPONENTS_MAX: usize = 16;
/// Units of one component in one kit, 1 to this many.
pub const KIT_UNITS_MAX: u32 = 10_000;
/// Kits that one SKU may be a component of: what is for sale of each follows from it.
pub const KITS_OF_COMPONENT_MAX: usize = 64;
/// Lines of one order that may name kits.
pub const KIT_LINES_MAX: usize = 128;
/// Plans that one order of kits is tried with before it counts as short; each puts another line first.
pub const KIT_PLANS_MAX: usize = 5;
/// Kits of all markets a node keeps, unless set.
pub const KITS_DEFAULT: u64 = 10_000;
/// Memory the start-up check counts for one kit beyond that of its SKU: its recipe, and what finds it by component.
pub const KIT_MEMORY_BYTES: u64 = 500;
/// Pairs of an order and a SKU that it waits for, all orders of a node together, unless set.
pub const WAITING_DEFAULT: u64 = 50_000;
/// Memory the start-up check counts for one of these.
pub const WAITING_MEMORY_BYTES: u64 = 100;
/// Holds of one order: owners and their reasons.
pub const HOLDS_PER_ORDER_MAX: usize = 8;
/// Bytes of the note of a hold.
pub const HOLD_NOTE_BYTES_MAX: usize = 200;
/// Holds of all orders of a node together, unless set.
pub const HOLDS_DEFAULT: u64 = 10_000;
/// Memory the start-up check counts for one hold: its words, and its place in the tree, as if each order had one.
pub const HOLD_MEMORY_BYTES: u64 = 464;
/// Holds on one page of orders that are held; those of one order stay together and may pass it.
pub const HELD_ROWS_MAX: usize = 256;
/// Orders that one turn of a shard fills at most; the rest waits for the next turn.
pub const FILLS_PER_TURN_MAX: usize = 1_024;
/// Orders that one turn of a shard puts back at most; the rest waits for the next turn.
pub const PUT_BACKS_PER_TURN_MAX: usize = 256;
/// Changes of what is on hand that one shard remembers, so that a count may be of an earlier moment.
pub const ON_HAND_CHANGES_MAX: usize = 65_536;
/// The same of one SKU at one site.
pub const ON_HAND_PLACE_CHANGES_MAX: usize = 4_096;
/// Memory the start-up check counts for one of these.
pub const ON_HAND_MEMORY_BYTES: u64 = 192;
/// Deadlines of reservations beyond two for each order from which on those of orders that have left are swept.
pub const DEADLINES_STALE_MAX: usize = 65_536;
/// Crossings of stock levels that one turn of a shard tells at most; the rest waits for the next turn.
pub const STOCK_LEVELS_PER_TURN_MAX: usize = 256;
/// Memory of an order of one line: what `docs/BENCHMARKS.md` measured (226), a hand-off (76), a sieve (2), a quarter.
pub const ORDER_MEMORY_BYTES: u64 = 380;
/// Memory the start-up check counts for every further line of an order: itself, its draws, one remembered change.
pub const LINE_MEMORY_BYTES: u64 = 200;
/// Memory the start-up check counts for one SKU, its word on the board included.
pub const SKU_MEMORY_BYTES: u64 = 250;
/// Places a node keeps, unless set: SKUs of all markets, each counted at every site where anything was said of it.
pub const PLACES_DEFAULT: u64 = 515_000;
/// Memory the start-up check counts for one of these: its balances, its site, and what the allocator rounds up.
pub const PLACE_MEMORY_BYTES: u64 = 112;
/// Memory the start-up check counts for everything that does not grow with orders, lines, SKUs, shards or connections.
pub const NODE_MEMORY_BYTES: u64 = 72 << 20;
/// Memory the start-up check counts for what every shard has in its lanes, in its turns and on its way to the log.
pub const SHARD_MEMORY_BYTES: u64 = 56 << 20;
/// Significant decimal digits of a histogram in a status.
pub const STATUS_SIGNIFICANT_DIGITS: u8 = 2;
// ---- details and keys ----------------------------------------------------------------------------------------------
/// Bytes of customer details of one order, as they are given.
pub const DETAILS_BYTES_MAX: usize = 4 * KIB;
/// Bytes that sealing adds to details: the tag by which a change of them is noticed.
pub const SEAL_BYTES: usize = 16;
/// Bytes of the sealed details of one order.
pub const SEALED_BYTES_MAX: usize = DETAILS_BYTES_MAX + SEAL_BYTES;
/// Bytes of sealed details a node keeps, unless set.
pub const DETAILS_BYTES_DEFAULT: u64 = 64 << 20;
/// Keys a node keeps, unless set: one for each customer with details, or guest's order; past it `AtCapacity`.
pub const KEYS_DEFAULT: u64 = 225_000;
/// Memory the start-up check counts for one key: the key itself, who uses it, and what finds it by its customer.
pub const KEY_MEMORY_BYTES: u64 = 160;
/// Erasures of one shard whose keys are not overwritten yet; one more is answered `Overloaded`.
pub const ERASURES_WAITING_MAX: usize = 1_024;
/// Bytes of a key.
pub const KEY_BYTES: usize = 32;
/// Memory of one slot in a shard's table of keys: the key, its generation, and whether it is there.
pub const KEY_TABLE_MEMORY_BYTES: u64 = 40;
/// Keys that are overwritten together, with two syncs for all of them.
pub const KEYS_OVERWRITTEN_AT_ONCE_MAX: usize = 4_096;
/// From one such batch to the next, unless it is full: closings in a row must not keep the disk syncing.
pub const KEYS_OVERWRITE_PAUSE_MS: u64 = 100;
// ---- shards -------------------------------------------------------------------------------------------------------
/// Shards of a node.
pub const SHARDS_MAX: u16 = 64;
/// Submissions waiting in one lane of a shard; one more is given back and answered `Overloaded`.
pub const LANE_SUBMISSIONS_MAX: usize = 4_096;
/// Bytes waiting in each lane of a shard: urgent, orders, reads.
pub const LANE_BYTES_MAX: [usize; 3] = [8 * MIB, 20 * MIB, 4 * MIB];
/// How long the first of each lane may have waited when another is taken in, in milliseconds.
pub const LANE_WAIT_MS_MAX: [u64; 3] = [10_000, 1_000, 2_000];
/// Commands on unknown orders that a shard puts off until it has seen the placements before them.
pub const PUT_OFF_REQUESTS_MAX: usize = 8_192;
/// Emptied batches kept for the sessions of one shard.
pub const INBOX_SPARE_BATCHES_MAX: usize = 64;
/// An emptied batch larger than this is given back to the allocator.
pub const INBOX_SPARE_BATCH_BYTES_MAX: usize = 2 * MIB;
/// Commands of one turn at most. Larger turns fall out of the cache and keep the disk waiting.
pub const TURN_COMMANDS_MAX: usize = 2_048;
/// A reading counts as so many commands of a turn: it may walk over a page of records.
pub const READING_WORTH_COMMANDS: usize = 256;
/// Commands looked up ahead together; their memory must still be in the cache when they are decided.
pub const LOOK_AHEAD_COMMANDS_MAX: usize = 1_024;
/// Bytes of facts after which a turn takes no further command.
pub const TURN_BYTES_MAX: usize = MIB;
/// Bytes of facts and replies of one turn that a shard buffers; see [`TURN_BYTES_MAX`].
pub const TURN_REPLY_BYTES_MAX: usize = 4 * MIB;
/// Entries of one shard on their way to the disk; past it the shard stops draining.
pub const AHEAD_ENTRIES_MAX: usize = 64;
/// Bytes of one shard on their way to the disk; past it the shard stops draining.
pub const AHEAD_BYTES_MAX: usize = 8 * MIB;
/// SKUs of the first chunk of a market's part of the board; every further chunk has twice as many as the one before.
pub const BOARD_FIRST_CHUNK_SKUS: usize = 64;
/// Places for markets on the board of one shard: markets are numbered from 1.
pub const BOARD_MARKETS: usize = MARKETS_MAX + 1;
/// SKUs of one question for availability.
pub const AVAILABILITY_SKUS_MAX: usize = 10_000;
/// Emptied reply buffers kept by one shard.
pub const REPLY_SPARE_BUFFERS_MAX: usize = 256;
/// A reply buffer larger than this is given back to the allocator.
pub const REPLY_SPARE_BYTES_MAX: usize = 256 * KIB;
/// A change of the wall clock against the monotonic one, between two readings, that is reported as a step.
pub const CLOCK_STEP_MS_MIN: u64 = 500;
/// Log time moves towards the wall clock at most this often.
pub const CLOCK_UPDATE_US_MIN: u64 = 1_000;
/// The longest sleep of a shard that has a deadline: a stepped wall clock is noticed that soon.
pub const DEADLINE_SLEEP_MS_MAX: u64 = 1_000;
// ---- log ----------------------------------------------------------------------------------------------------------
/// Bytes of one record (one fact) in the log: the length field counts 8-byte words in 16 bits.
pub const RECORD_BYTES_MAX: usize = 8 * (u16::MAX as usize);
/// Writes of one probe of the disk at start.
pub const LOG_PROBE_WRITES_MAX: usize = 24;
/// Milliseconds of one probe: four of these stay under a second even on a slow disk.
pub const LOG_PROBE_MS_MAX: u64 = 150;
/// Bytes of one entry (the facts of one batch of one shard).
pub const ENTRY_BYTES_MAX: usize = 2 * MIB;
/// The unit the log writes and pads to; a header lies within one.
pub const LOG_BLOCK_BYTES: usize = 4 * KIB;
/// Bytes of one frame of the log (what one sync covers), header and padding included.
pub const LOG_FRAME_BYTES_MAX: usize = 4 * MIB;
/// Bytes of one segment of the log, unless set.
pub const LOG_SEGMENT_BYTES_DEFAULT: u64 = 256 * MIB as u64;
/// The smallest segment; only tests of the log itself want it.
pub const LOG_SEGMENT_BYTES_MIN: u64 = 32 * KIB as u64;
/// The smallest segment of a node: the largest record fits an entry of it.
pub const LOG_SEGMENT_BYTES_NODE_MIN: u64 = MIB as u64;
/// The largest segment.
pub const LOG_SEGMENT_BYTES_MAX: u64 = 4_096 * MIB as u64;
/// How often a backup looks at a log that changes under the look.
pub const BACKUP_LOOKS_MAX: u32 = 10;
/// Segments prepared ahead: the next one, and one in reserve for urgent commands when the disk is full.
pub const LOG_SEGMENTS_AHEAD: usize = 2;
/// Entries waiting for the log's thread, all streams together.
pub const LOG_QUEUE_ENTRIES_MAX: usize = 4_096;
/// Bytes of one stream appended and not yet durable; past it the shard stops draining.
pub const LOG_PENDING_BYTES_MAX: usize = 16 * MIB;
/// Emptied entry buffers kept for the shards.
pub const LOG_SPARE_BUFFERS_MAX: usize = 64;
/// An emptied buffer larger than this is given back to the allocator.
pub const LOG_SPARE_BYTES_MAX: usize = 512 * KIB;
/// Quiet after the last frame before an empty frame vouches for it.
pub const LOG_QUIET_MS: u64 = 100;
/// How often a full disk is asked again, and a healthy one is measured.
pub const LOG_SPACE_CHECK_MS: u64 = 1_000;
/// Free bytes on the disk below which placements are refused, unless set.
pub const LOG_LOW_WATER_BYTES_DEFAULT: u64 = 512 * MIB as u64;
/// The longest interval between two syncs of `Durability::Interval`.
pub const LOG_INTERVAL_MS_MAX: u32 = 60_000;
/// Bytes of the log that whoever follows it reads at once.
pub const FOLLOW_READ_BYTES: usize = 256 * 1024;
/// Looks in a row at a place of the log where something durable has to be before its absence is called damage.
pub const FOLLOW_LOOKS_MAX: u32 = 1_000;
/// Bytes of facts that a feed holds; while it holds so many, it reads no further in the log than one frame.
pub const FEED_BYTES_MAX: usize = 4 * MIB;
/// Facts that a sink is handed at once.
pub const FEED_BATCH_FACTS_MAX: usize = 1_000;
/// Bytes of facts that a sink is handed at once, unless a single one is larger.
pub const FEED_BATCH_BYTES_MAX: usize = 256 * 1024;
/// A sink's cursor is moved in the log at most once in so long.
pub const CURSOR_MOVE_MS: u64 = 1_000;
/// How long a node that stops waits for what is with a sink, and for its cursor to be moved behind it.
pub const SINK_END_MS_MAX: u64 = 1_000;
/// How often a feed looks whether more of the log is durable.
pub const FEED_LOOK_MS: u64 = 20;
/// After how long a feed that could not read the log tries again.
pub const FEED_RETRY_MS: u64 = 30_000;
/// Frames of the log that a feed reads before it looks at anything else.
pub const FEED_FRAMES_AT_ONCE: usize = 16;
/// Bytes of the log that are kept for a sink that does not take them, unless set otherwise.
pub const FEED_BEHIND_BYTES_DEFAULT: u64 = 4096 * MIB as u64;
/// Bytes of the shortest key that signs messages of a webhook.
pub const WEBHOOK_SECRET_BYTES_MIN: usize = 24;
/// Of the longest.
pub const WEBHOOK_SECRET_BYTES_MAX: usize = 64;
/// Keys that sign each message.
pub const WEBHOOK_SECRETS_MAX: usize = 4;
/// Bytes of a receiver's answer that are read.
pub const WEBHOOK_ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Memory of a webhook beside its shards' messages: what its feed holds, and what it reads of the log.
pub const WEBHOOK_MEMORY_BYTES: u64 = 24 * MIB as u64;
/// Memory of one shard's message: facts as text are several times as long as in the log.
pub const WEBHOOK_MESSAGE_MEMORY_BYTES: u64 = 4 * MIB as u64;
/// Sinks whose cursors a shard remembers, attached or not.
pub const CURSORS_MAX: usize = 64;
/// Wanted effects that an adapter holds; it reads no further on the list while it holds so many.
pub const ADAPTER_HELD_MAX: usize = 1_024;
/// Effects that an adapter asks of its counterparty at a time.
pub const ADAPTER_RUNNING_MAX: usize = 256;
/// Rows of one page of the wanted list.
pub const ADAPTER_PAGE_ROWS: u16 = 256;
/// How often a counterparty is asked in vain before an effect is set aside.
pub const ADAPTER_TRIES_MAX: u32 = 10;
/// How long a counterparty may take to answer.
pub const ADAPTER_ANSWER_MS_MAX: u64 = 10_000;
/// After how long an adapter looks again at a list that had nothing new, at first.
pub const ADAPTER_LOOK_MS: u64 = 10;
/// The same, when it has had nothing new for long.
pub const ADAPTER_LOOK_MS_MAX: u64 = 250;
/// After how long a counterparty that gave no answer is asked again; doubled each time.
pub const ADAPTER_RETRY_MS: u64 = 100;
/// The longest of these spans.
pub const ADAPTER_RETRY_MS_MAX: u64 = 30_000;
/// Failures in a row after which a counterparty is left alone.
pub const ADAPTER_FAILURES_MAX: u32 = 5;
/// For how long, at first; doubled each time.
pub const BREAKER_OPEN_MS: u64 = 500;
/// The longest of these spans.
pub const BREAKER_OPEN_MS_MAX: u64 = 30_000;
/// News of a counterparty that are on their way to a shard.
pub const ADAPTER_NEWS_MAX: usize = 256;
/// The longest time a simulated counterparty takes to answer.
pub const SIMULATED_DELAY_MS_MAX: u64 = 5_000;
/// Orders that a simulated counterparty remembers; it takes no more.
pub const SIMULATED_ORDERS_MAX: usize = 1_000_000;
/// Memory the start-up check counts for one of these.
pub const SIMULATED_ORDER_MEMORY_BYTES: u64 = 400;
/// Bytes of the log sealed since the last snapshot after which the next one is made, unless set.
pub const SNAPSHOT_LOG_BYTES_DEFAULT: u64 = 1_024 * MIB as u64;
/// Bytes that making a snapshot reads and writes in a second, unless set.
pub const SNAPSHOT_BYTES_PER_SECOND_DEFAULT: u64 = 64 * MIB as u64;
/// How often the log is looked at for a snapshot.
pub const SNAPSHOT_LOOK_MS: u64 = 1_000;
/// How long after a snapshot that failed the next one is tried.
pub const SNAPSHOT_RETRY_MS: u64 = 60_000;
/// How long a snapshot that somebody asked for waits for the log to begin another segment.
pub const SNAPSHOT_SEAL_MS_MAX: u64 = 10_000;
/// How often whoever asked for a snapshot looks whether it is made.
pub const SNAPSHOT_WISH_LOOK_MS: u64 = 50;
/// After how long a wish is taken back when no server says that it makes snapshots.
pub const SNAPSHOT_WISH_MS_MAX: u64 = 10_000;
/// Bytes after which a part of an image is written out.
pub const IMAGE_PART_BYTES: usize = MIB;
/// Bytes of one part of an image: the largest order may follow what was short of a part.
pub const IMAGE_PART_BYTES_MAX: usize = 2 * MIB;
// ---- wire ---------------------------------------------------------------------------------------------------------
/// Bytes of one frame, header included.
pub const FRAME_BYTES_MAX: usize = MIB;
/// Bytes of the first frame of a connection.
pub const FIRST_FRAME_BYTES_MAX: usize = 32 * KIB;
/// Commands of one frame.
pub const FRAME_COMMANDS_MAX: usize = 8_192;
/// Stock rows of one reply record; a longer reply goes on in the next record.
pub const STOCK_ROWS_PER_RECORD_MAX: usize = 4_096;
// ---- network ------------------------------------------------------------------------------------------------------
/// Connections a node serves at once, unless set; the next one is refused.
pub const CONNECTIONS_DEFAULT: usize = 1_024;
/// The most an operator may set.
pub const CONNECTIONS_MAX: usize = 1_000_000;
/// Handshakes under way at once; the next one is refused.
pub const HANDSHAKES_MAX: usize = 1_024;
/// Handshakes under way from which on a new peer must first prove that it receives at its address.
pub const HANDSHAKES_UNPROVEN_MAX: usize = 256;
/// Bytes of TLS messages one handshake may park (quinn's own figure), times the three packet spaces.
pub const HANDSHAKE_BYTES_MAX: usize = 3 * 16 * KIB;
/// First packets of peers not yet looked at.
pub const INCOMING_MAX: usize = 1_024;
/// Bytes one such peer may park.
pub const INCOMING_BYTES_MAX: usize = 16 * KIB;
/// Bytes all such peers together may park.
pub const INCOMING_BYTES_TOTAL_MAX: usize = 16 * MIB;
/// A handshake takes at most so long.
pub const HANDSHAKE_MS_MAX: u64 = 5_000;
/// A connection on which nothing at all arrives is closed after so long.
pub const IDLE_MS_MAX: u32 = 30_000;
/// A client says so often that it is still there.
pub const KEEP_ALIVE_MS: u64 = 8_000;
/// A frame that has begun is complete after so long, or its connection is closed.
pub const FRAME_MS_MAX: u64 = 10_000;
/// Replies that wait for their reader move on within so long, or the connection is closed.
pub const REPLY_MS_MAX: u64 = 10_000;
/// At a stop, requests under way have so long to be answered.
pub const DRAIN_MS_MAX: u64 = 5_000;
/// How long a client that was turned away should wait before it comes back, at least.
pub const RETRY_AFTER_MS: u32 = 10;
/// The same at most, however long others have waited.
pub const RETRY_AFTER_MS_MAX: u32 = 2_000;
/// The most an operator may limit placements a second to.
pub const ORDERS_PER_SECOND_MAX: u32 = 10_000_000;
/// Placements that may come at once are those of so many milliseconds at the operator's limit.
pub const RATE_BURST_MS: u64 = 100;
/// Streams a client may have open on one connection.
pub const STREAMS_MAX: u32 = 32;
/// Frames of streams that may come without anything to read: more than a fresh connection that loses a packet sends.
pub const STREAM_FRAMES_UNREAD_MAX: u64 = 1_024;
/// Bytes that are read pay for one such frame more. The smallest request frame pays for three.
pub const STREAM_FRAME_BYTES_MEAN_MIN: u64 = 8;
/// Bytes of one stream that may arrive before they are read.
pub const STREAM_WINDOW_BYTES: usize = MIB;
/// Bytes of a connection that may arrive before they are read, until its first sound frame.
pub const WINDOW_FIRST_BYTES: usize = 64 * KIB;
/// The same, afterwards, while the pool lasts.
pub const WINDOW_BYTES: usize = 4 * MIB;
/// Bytes of replies a connection may have under way unacknowledged, until its first sound frame.
pub const SEND_WINDOW_FIRST_BYTES: usize = 64 * KIB;
/// The same, afterwards, while the pool lasts.
pub const SEND_WINDOW_BYTES: usize = MIB;
/// Bytes of answers a connection may be owed, counted at their largest, until its first sound frame.
pub const IN_FLIGHT_FIRST_BYTES: usize = 64 * KIB;
/// The same, afterwards, while the pool lasts.
pub const IN_FLIGHT_BYTES: usize = 4 * MIB;
/// The level of the full grant out of the pool: the first is level 1, and every level is twice the one below.
pub const GRANT_LEVEL_MAX: u32 = 6;
/// Read buffers of the largest size that are kept, within the pool, for the next one who needs one.
pub const SPARE_BUFFERS_MAX: usize = 128;
/// A read buffer that would be larger than this has the largest size.
pub const SMALL_BUFFER_BYTES_MAX: usize = 128 * KIB;
/// Turns of one stream before other tasks get theirs.
pub const STREAM_TURNS_MAX: usize = 8;
/// How far ahead of log time the client's idea of it may get: half of what the server accepts.
pub const CLIENT_AHEAD_MS_MAX: u64 = ID_AHEAD_MS_MAX / 2;
/// Bytes a stream's read buffer begins with.
pub const READ_BUFFER_FIRST_BYTES: usize = 4 * KIB;
/// Bytes it may grow to out of the pool: one frame, and room to read what follows it.
pub const READ_BUFFER_BYTES_MAX: usize = FRAME_BYTES_MAX + 64 * KIB;
/// A read buffer that has seen nothing for so long goes back to the pool.
pub const READ_BUFFER_QUIET_MS: u64 = 1_000;
/// First wait of a session that found the pool, or its connection's share, used up; doubled each time in vain.
pub const POOL_RETRY_MS: u64 = 5;
/// The longest of these spans.
pub const POOL_RETRY_MS_MAX: u64 = 320;
/// Bytes all connections together take beyond what each may have anyway, unless set.
pub const NETWORK_POOL_BYTES_DEFAULT: usize = 512 * MIB;
/// Markets being created at once over all connections; the next one answers `Overloaded`.
pub const MARKET_CREATIONS_MAX: usize = 256;
/// Connections to the door for metrics and health at once; the next one is closed.
pub const HTTP_CONNECTIONS_MAX: usize = 16;
/// Bytes of the head of a request there.
pub const HTTP_HEAD_BYTES_MAX: usize = 8 * KIB;
/// A request's head has arrived after so long, or the connection is closed.
pub const HTTP_HEAD_MS_MAX: u64 = 5_000;
/// A connection there is closed after so long, whatever it does.
pub const HTTP_CONNECTION_MS_MAX: u64 = 120_000;
/// How long nobody is let in after the system had no socket to give.
pub const HTTP_ACCEPT_PAUSE_MS: u64 = 100;
/// Bytes asked of the kernel for a UDP socket, each way.
pub const SOCKET_BUFFER_BYTES: usize = 8 * MIB;
/// Bytes of packets a fresh connection may send before the first acknowledgement.
pub const FIRST_FLIGHT_BYTES: u64 = 128 * 1_024;
/// Round trip assumed before the first is measured.
pub const FIRST_ROUND_TRIP_MS: u64 = 50;
/// Connections of a client, unless set.
pub const CLIENT_CONNECTIONS_DEFAULT: usize = 1;
/// Bytes of requests one connection of a client keeps until they are answered; callers wait beyond it.
pub const CLIENT_PENDING_BYTES_MAX: usize = 4 * MIB;
/// How long a client tries on behalf of one request, unless set.
pub const CLIENT_DEADLINE_MS_DEFAULT: u64 = 30_000;
/// Longest pause between two attempts to connect; drawn anew below a doubling bound (full jitter).
pub const RECONNECT_MS_MAX: u64 = 2_000;
/// The bound of the first pause.
pub const RECONNECT_FIRST_MS: u64 = 10;
/// Retries a client may save up; each answered request earns a tenth of one.
pub const RETRIES_SAVED_MAX: u64 = 1_000;
// ---- command line -------------------------------------------------------------------------------------------------
/// Lines of one file of `stock import`. Half of what a shard remembers: the file can come again the same day.
pub const IMPORT_LINES_MAX: usize = REQUESTS_REMEMBERED_MAX / 2;
/// Requests of one import under way at once: enough to fill frames.
pub const IMPORT_IN_FLIGHT_MAX: usize = 8_192;
/// Wrong lines of a file shown to people; the count is always told.
pub const IMPORT_LINES_SHOWN_MAX: usize = 1_000;
