//! What must hold between limits, checked when they are compiled.

use super::*;

const _: () = {
    assert!(LINES_MAX >= 1_200, "a real shop sends orders of 1,114 lines");
    assert!(PLACES_DEFAULT >= SKUS_DEFAULT, "every SKU lies somewhere");
    assert!(VELOCITY_KEYS_DEFAULT as u64 <= VELOCITY_DEFAULT && VELOCITY_KEYS_DEFAULT <= VELOCITY_KEYS_MAX);
    assert!(LINES_MAX <= u16::MAX as usize, "a line has a 16-bit position");
    assert!(ORDER_DRAWS_MAX <= u16::MAX as usize, "draws are counted in 16 bits");
    assert!(SITES_MAX <= u16::MAX as usize, "a site has a 16-bit number");
    // One placement is one fact: its largest form fits one record, and a record fits an entry.
    assert!(256 + LINES_MAX * 16 + DRAWS_MAX * 8 + SEALED_BYTES_MAX <= RECORD_BYTES_MAX);
    assert!(2 * RECORD_BYTES_MAX <= ENTRY_BYTES_MAX);
    // One entry fits one frame, a frame the segment it opens; the segment header has room for every stream.
    assert!(ENTRY_BYTES_MAX + LOG_BLOCK_BYTES <= LOG_FRAME_BYTES_MAX);
    assert!(LOG_FRAME_BYTES_MAX.is_multiple_of(LOG_BLOCK_BYTES));
    assert!((RECORD_BYTES_MAX + 2 * LOG_BLOCK_BYTES) as u64 <= LOG_SEGMENT_BYTES_NODE_MIN);
    assert!((LOG_FRAME_BYTES_MAX + LOG_BLOCK_BYTES) as u64 <= LOG_SEGMENT_BYTES_DEFAULT);
    assert!(128 + 16 * (SHARDS_MAX as usize) <= LOG_BLOCK_BYTES);
    assert!(LOG_PENDING_BYTES_MAX >= 2 * ENTRY_BYTES_MAX);
    assert!(16 + 16 * RETIREMENT_ORDERS_MAX <= RECORD_BYTES_MAX, "orders that leave together are one fact");
    assert!(IDS_KEPT_MS_MIN > ID_AHEAD_MS_MAX + CLIENT_DEADLINE_MS_DEFAULT, "a retry finds what it repeats");
    assert!(ADAPTER_PAGE_ROWS as usize <= PAGE_ROWS_MAX && ADAPTER_PAGE_ROWS as usize <= ADAPTER_HELD_MAX);
    // A part takes one more item when it is just short of its size: an order with everything it may have.
    let holds = HOLDS_PER_ORDER_MAX * (13 + CODE_BYTES_MAX + HOLD_NOTE_BYTES_MAX);
    let paid = PAYMENT_ATTEMPTS_MAX * 61;
    assert!(64 + LINES_MAX * 6 + RETURNS_PER_ORDER_MAX * 29 + RETURN_ROWS_MAX * 33 <= MIB, "the item behind it");
    assert!(
        RETURNS_PER_ORDER_MAX * RETURN_LINES_MAX <= RETURN_ROWS_MAX,
        "as many returns as an order has fit its rows"
    );
    assert!(RETURNS_PER_ORDER_MAX <= u8::MAX as usize, "a row has its return in 8 bits");
    assert!(256 + LINES_MAX * 20 + ORDER_DRAWS_MAX * 28 + SEALED_BYTES_MAX + CHANGES_MAX * 33 + holds + paid <= MIB);
    assert!(24 + PAYMENT_ATTEMPTS_MAX * 16 <= MIB, "the item of when its authorisations end");
    assert!(AUTHORISATION_NOTICE_MS < AUTHORISATION_MS_MAX);
    assert!(IMAGE_PART_BYTES + MIB <= IMAGE_PART_BYTES_MAX);
    // Totals are checked with 128-bit sums; a line alone cannot exceed 64 bits.
    assert!(UNIT_PRICE_MAX.checked_mul(LINE_QUANTITY_MAX as u64).is_some());
    // A balance, and a market's sum of them, is a signed 64-bit number: what came in and what was found fit it.
    assert!(MARKET_UNITS_MAX < (i64::MAX as u64) / 8);
    assert!(STOCK_UNITS_MAX <= MARKET_UNITS_MAX, "a market holds what one site may hold");
    // Run-ahead: a shard within its own bounds is never turned away by the log.
    assert!(AHEAD_ENTRIES_MAX * SHARDS_MAX as usize <= LOG_QUEUE_ENTRIES_MAX);
    assert!(AHEAD_BYTES_MAX + TURN_BYTES_MAX + ENTRY_BYTES_MAX <= LOG_PENDING_BYTES_MAX);
    assert!(TURN_BYTES_MAX + RECORD_BYTES_MAX <= ENTRY_BYTES_MAX, "a turn of commands is one entry");
    let lanes = LANE_BYTES_MAX[0] + LANE_BYTES_MAX[1] + LANE_BYTES_MAX[2];
    let turn = TURN_REPLY_BYTES_MAX + TURN_BYTES_MAX + RECORD_BYTES_MAX;
    assert!((lanes + AHEAD_BYTES_MAX + ENTRY_BYTES_MAX + turn) as u64 <= SHARD_MEMORY_BYTES);
    assert!(HISTORY_PLACES_MAX.is_power_of_two() && HISTORY_PLACES_MAX < u32::MAX as usize);
    assert!(HISTORY_LAST_ENTRIES_MAX < HISTORY_ENTRIES_MAX && HISTORY_ENTRIES_MAX < PAGE_ROWS_MAX);
    assert!(LOOK_AHEAD_COMMANDS_MAX <= TURN_COMMANDS_MAX);
    assert!(FIRST_FRAME_BYTES_MAX <= FRAME_BYTES_MAX);
    assert!(FRAME_COMMANDS_MAX <= u16::MAX as usize + 1);
    // What a connection may have before its first frame holds that frame.
    assert!(FIRST_FRAME_BYTES_MAX <= WINDOW_FIRST_BYTES && WINDOW_FIRST_BYTES <= WINDOW_BYTES);
    assert!(FRAME_BYTES_MAX <= STREAM_WINDOW_BYTES && STREAM_WINDOW_BYTES <= WINDOW_BYTES);
    assert!(READ_BUFFER_BYTES_MAX > FRAME_BYTES_MAX && READ_BUFFER_FIRST_BYTES <= FIRST_FRAME_BYTES_MAX);
    assert!(KEEP_ALIVE_MS * 2 < IDLE_MS_MAX as u64, "one lost keep-alive does not end a connection");
    assert!(HANDSHAKES_UNPROVEN_MAX < HANDSHAKES_MAX);
    assert!(CONNECTIONS_DEFAULT <= CONNECTIONS_MAX);
    assert!(NETWORK_POOL_BYTES_DEFAULT >= WINDOW_BYTES + SEND_WINDOW_BYTES + IN_FLIGHT_BYTES + READ_BUFFER_BYTES_MAX);
    // Every reply fits one record (stock rows are split), and every record fits a frame.
    let hold = CODE_BYTES_MAX + HOLD_NOTE_BYTES_MAX;
    let holds = HOLDS_PER_ORDER_MAX * (13 + hold);
    assert!(128 + LINES_MAX * 48 + ORDER_DRAWS_MAX * 16 + DETAILS_BYTES_MAX + holds <= RECORD_BYTES_MAX);
    assert!(64 + (HELD_ROWS_MAX + HOLDS_PER_ORDER_MAX) * (46 + hold) <= RECORD_BYTES_MAX);
    assert!(64 + PAGE_ROWS_MAX * (55 + TASK_WORDS_BYTES_MAX) <= RECORD_BYTES_MAX);
    assert!(ON_HAND_PLACE_CHANGES_MAX * 16 < MIB && ON_HAND_PLACE_CHANGES_MAX <= u16::MAX as usize, "one item each");
    assert!(64 + STOCK_ROWS_PER_RECORD_MAX * 94 <= RECORD_BYTES_MAX);
    assert!(64 + PAGE_ROWS_MAX * (6 + CODE_BYTES_MAX) <= RECORD_BYTES_MAX);
    assert!(64 + RECORD_BYTES_MAX <= FRAME_BYTES_MAX);
    assert!(SEALED_BYTES_MAX <= u16::MAX as usize, "sealed details are counted in 16 bits");
    assert!(SEALED_BYTES_MAX < RECORD_BYTES_MAX);
    assert!(KEY_TABLE_MEMORY_BYTES < KEY_MEMORY_BYTES);
};
