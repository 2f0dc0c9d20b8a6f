//! What a client that does not read is owed: the server holds a bounded amount of answers for it, however much it asks.

use std::time::Duration;

use bytes::Bytes;
use stockade::base::limits::{IN_FLIGHT_BYTES, IN_FLIGHT_FIRST_BYTES, LINES_MAX, SEND_WINDOW_BYTES};
use stockade::engine::Query;
use stockade::wire::{CloseCode, FrameWriter};

use crate::harness::{World, close_code, line, place, stocked};

/// Bytes the answer to an order of so many lines, all from one site, has at least.
const ORDER_BYTES_MIN: usize = LINES_MAX * (44 + 16);
/// What a client lets arrive on one stream without reading, unless told otherwise (quinn's own figure).
const CLIENT_WINDOW_BYTES: usize = 1_250_000;

#[tokio::test]
async fn a_client_that_never_reads_makes_the_server_hold_a_bounded_amount_of_answers() {
    let world = World::new(1);
    let mut options = world.options(0);
    options.waits.reply = Duration::from_millis(300);
    let server = world.start_with(&options);
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", LINES_MAX as u64).await;
    let order = client.new_order_id(market);
    client.submit(&place(order, &[line(sku, 1); LINES_MAX])).await.expect("an answer");
    let before = server.replies_taken();

    let (_endpoint, connection) = server.raw().await;
    let (mut send, _never_read) = connection.open_bi().await.expect("a stream");
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    writer.push_status().expect("fits");
    // Small frames, so that each is let in as a whole or waits.
    let mut bytes = writer.into_frame();
    for correlation in 2..20_000 {
        let mut writer = FrameWriter::default();
        writer.begin(correlation, 0);
        writer.push_query(&Query::Order { order }).expect("fits");
        bytes.extend(writer.into_frame());
    }
    let asking = tokio::spawn(async move { send.write_chunk(Bytes::from(bytes)).await });
    assert_eq!(close_code(&connection).await, u64::from(CloseCode::ReplyTimeout.number()));
    let _closed = asking.await.expect("it ends when the connection does");

    let taken = usize::try_from(server.replies_taken() - before).expect("fits");
    let held_max = IN_FLIGHT_FIRST_BYTES + IN_FLIGHT_BYTES + SEND_WINDOW_BYTES + CLIENT_WINDOW_BYTES;
    assert!(taken > 0, "it was answered");
    assert!(taken * ORDER_BYTES_MIN <= held_max, "{taken} answers were made for nobody");
    server.stop().await;
}
