//! One connection: a greeting, then as many streams as the client opens.

use std::future::poll_fn;
use std::sync::Arc;

use quinn::{Connection, SendStream, VarInt};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::budget::Share;
use super::gaps::Gaps;
use super::stream::{End, Stream};
use super::wiring::Wiring;
use crate::wire::{CloseCode, Hello, encode_hello};

/// Serves a connection until it ends, or until the server stops and what was under way is answered.
pub(super) async fn serve(connection: Connection, wiring: Arc<Wiring>, mut stopping: watch::Receiver<bool>) {
    let share = Share::new(Arc::clone(&wiring.pool));
    let gaps = Arc::<Gaps>::default();
    let mut streams = JoinSet::new();
    let greeting = JoinSet::from_iter([greet(connection.clone(), Arc::clone(&wiring))]);
    loop {
        tokio::select! {
            accepted = connection.accept_bi() => {
                let Ok(halves) = accepted else { return };
                let common = (Arc::clone(&share), Arc::clone(&gaps));
                let stream = Stream::new(Arc::clone(&wiring), common, connection.clone(), halves);
                streams.spawn(run(stream, connection.clone(), stopping.clone()));
            }
            Some(_) = streams.join_next() => {}
            () = stops(&mut stopping) => break,
        }
    }
    drop(greeting);
    let answered = async { while streams.join_next().await.is_some() {} };
    let _late = tokio::time::timeout(wiring.waits.drain, answered).await;
    close(&connection, CloseCode::ShuttingDown, "the server is stopping");
}

/// The only stream the server opens: one frame that tells log time and limits.
async fn greet(connection: Connection, wiring: Arc<Wiring>) {
    let shards = u16::try_from(wiring.inboxes.len()).expect("law: SHARDS_MAX fits 16 bits");
    let hello = encode_hello(&Hello::of_this_build(shards, wiring.clock.now()));
    // A client that takes no streams from us is served all the same.
    let Ok(mut stream) = connection.open_uni().await else { return };
    if stream.write_all(&hello).await.is_ok() {
        let _ended = stream.finish();
    }
}

async fn run(mut stream: Stream, connection: Connection, mut stopping: watch::Receiver<bool>) {
    let end = tokio::select! {
        biased;
        end = poll_fn(|cx| stream.poll(cx)) => end,
        () = stops(&mut stopping) => {
            stream.handle_drain();
            poll_fn(|cx| stream.poll(cx)).await
        }
    };
    match end {
        End::Over => {
            let stops = *stopping.borrow();
            see_off(stream.into_sender(), stops).await;
        }
        End::Closing(closing) => {
            let (peer, code) = (connection.remote_address(), closing.code.number());
            tracing::info!(%peer, code, reason = closing.reason, "closing a connection");
            close(&connection, closing.code, &closing.reason);
        }
        End::Lost => {}
    }
}

/// Waits until the server stops, or is gone.
async fn stops(stopping: &mut watch::Receiver<bool>) {
    let _gone = stopping.wait_for(|stop| *stop).await.is_err();
}

/// Ends the stream; when the connection is about to be closed, waits until the client has everything.
async fn see_off(mut sender: SendStream, stopping: bool) {
    if sender.finish().is_ok() && stopping {
        let _acknowledged = sender.stopped().await;
    }
}

pub(super) fn close(connection: &Connection, code: CloseCode, reason: &str) {
    connection.close(VarInt::from_u32(code.number()), reason.as_bytes());
}
