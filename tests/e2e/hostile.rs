//! Peers that break the protocol, or just sit there. Each ends with a numbered code; the server goes on.

use std::time::Duration;

use bytes::Bytes;
use quinn::{Connection, RecvStream, SendStream};
use stockade::base::limits::{FIRST_FRAME_BYTES_MAX, FRAME_BYTES_MAX};
use stockade::server::ServerOptions;
use stockade::wire::{CloseCode, FrameWriter, Refused, Reply, decode_replies};

use crate::harness::{Running, World, close_code, line, place, stocked};

/// A sound frame of one question.
fn sound_frame() -> Vec<u8> {
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    writer.push_status().expect("fits");
    writer.into_frame()
}

async fn open(connection: &Connection) -> (SendStream, RecvStream) {
    connection.open_bi().await.expect("a stream")
}

/// Sends bytes on a fresh connection and tells the code it was closed with.
async fn closed_after(server: &Running, first: &[u8], then: &[u8]) -> u64 {
    let (_endpoint, connection) = server.raw().await;
    let (mut send, mut receive) = open(&connection).await;
    // The connection may be closed while this is still being written.
    let _closed = send.write_all(first).await;
    if !then.is_empty() {
        let mut header = [0; 16];
        receive.read_exact(&mut header).await.expect("the first frame is answered");
        let _closed = send.write_all(then).await;
    }
    close_code(&connection).await
}

fn with_length(mut frame: Vec<u8>, length: usize) -> Vec<u8> {
    frame[..4].copy_from_slice(&u32::try_from(length).expect("fits").to_le_bytes());
    frame
}

#[tokio::test]
async fn bad_bytes_close_their_connection_with_a_number_and_nobody_elses() {
    let world = World::new(1);
    let server = world.start().await;
    let bystander = server.client(&world).await;
    let code = |code: CloseCode| u64::from(code.number());

    let mut other_version = sound_frame();
    other_version[4] = 9;
    assert_eq!(closed_after(&server, &other_version, b"").await, code(CloseCode::UnknownVersion));

    let too_long = with_length(sound_frame(), FRAME_BYTES_MAX + 1);
    assert_eq!(closed_after(&server, &sound_frame(), &too_long).await, code(CloseCode::FrameTooLong));
    let oversize_first = with_length(sound_frame(), FIRST_FRAME_BYTES_MAX + 8);
    assert_eq!(closed_after(&server, &oversize_first, b"").await, code(CloseCode::FrameTooLong));
    let too_short = with_length(sound_frame(), 8);
    assert_eq!(closed_after(&server, &too_short, b"").await, code(CloseCode::FrameTooShort));

    let mut state = 0x1234_5678_9ABC_DEF1_u64;
    for _ in 0..20 {
        let garbage: Vec<u8> = (0..512)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                state as u8
            })
            .collect();
        let found = closed_after(&server, &garbage, b"").await;
        assert!((1..=8).contains(&found), "{found}");
    }
    bystander.status().await.expect("the server goes on, and so does this connection");
    server.stop().await;
}

#[tokio::test]
async fn a_stream_that_ends_inside_a_frame_closes_its_connection() {
    let world = World::new(1);
    let server = world.start().await;
    let (_endpoint, connection) = server.raw().await;
    let (mut send, _receive) = open(&connection).await;
    send.write_all(&sound_frame()[..20]).await.expect("written");
    send.finish().expect("finished");
    assert_eq!(close_code(&connection).await, u64::from(CloseCode::FrameTooShort.number()));
    server.stop().await;
}

fn impatient(world: &World) -> ServerOptions {
    let mut options = world.options(0);
    options.waits.frame = Duration::from_millis(100);
    options.waits.reply = Duration::from_millis(100);
    options
}

#[tokio::test]
async fn half_a_frame_and_then_silence_is_waited_for_and_then_closed() {
    let world = World::new(1);
    let server = world.start_with(&impatient(&world));
    let half = sound_frame()[..20].to_vec();
    let timeout = u64::from(CloseCode::FrameTimeout.number());
    assert_eq!(closed_after(&server, &half, b"").await, timeout);
    assert_eq!(closed_after(&server, &sound_frame(), &half).await, timeout, "also after a sound one");
    assert_eq!(closed_after(&server, &half[..1], b"").await, timeout, "one byte is a beginning");
    server.stop().await;
}

#[tokio::test]
async fn a_client_that_never_reads_is_owed_a_bounded_amount_and_then_closed() {
    let world = World::new(1);
    let server = world.start_with(&impatient(&world));
    let client = server.client(&world).await;
    let (market, sku) = stocked(&client, "default", 1).await;
    let (_endpoint, connection) = server.raw().await;
    let (mut send, _never_read) = open(&connection).await;
    let mut writer = FrameWriter::default();
    writer.begin(1, 0);
    for _ in 0..200 {
        writer.push(&place(client.new_order_id(market), &[line(sku, 2)])).expect("fits");
    }
    let frame = Bytes::from(writer.into_frame());
    let writing = tokio::spawn(async move { while send.write_chunk(frame.clone()).await.is_ok() {} });
    assert_eq!(close_code(&connection).await, u64::from(CloseCode::ReplyTimeout.number()));
    writing.await.expect("it ends when the connection does");
    client.status().await.expect("others go on");
    server.stop().await;
}

#[tokio::test]
async fn a_bad_record_in_a_sound_frame_is_refused_and_the_rest_goes_on() {
    let world = World::new(1);
    let server = world.start().await;
    let client = server.client(&world).await;
    let mut writer = FrameWriter::default();
    writer.begin(9, 0);
    writer.push_status().expect("fits");
    let before = writer.finish().len();
    writer.push_status().expect("fits");
    let mut frame = writer.into_frame();
    // The second record's kind: its head begins with it.
    frame[before] = 0xEE;
    let mut stream = client.open_stream(0).await.expect("a stream");
    stream.send(Bytes::from(frame)).await.expect("sent");
    stream.finish();
    let mut replies = Vec::new();
    while let Some(whole) = stream.recv().await.expect("replies") {
        for frame in stockade::client::frames(whole) {
            decode_replies(frame, |_, index, reply| {
                replies.push((index, matches!(reply, Reply::Refused(Refused::UnknownKind { kind: 0xEE }))));
            })
            .expect("sound frames");
        }
    }
    replies.sort_unstable();
    assert_eq!(replies, [(0, false), (1, true)]);
    server.stop().await;
}
