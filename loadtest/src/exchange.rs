//! Requests one behind the other, frames pipelined, every reply matched with its request: for everything that is no
//! flood.
//!
//! # Always true
//! - Requests of one lane (orders and catalogue; commands on what exists; questions) are decided in the order given.
//!   What depends on a request of another lane is asked after its answer.
//! - Each request has exactly one reply when [`Exchange::ask`] returns; a second one, or one nobody asked for, is a
//!   failure.
//! # Not here
//! - The flood: `drive`. Resending: whoever asked knows what an unanswered request means.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use stockade::base::{MarketId, RequestId, SiteId, SkuId};
use stockade::client::{Client, FrameStream, frames};
use stockade::engine::query::{Books, Query};
use stockade::engine::{Answer, Command};
use stockade::wire::{FrameWriter, PushError, Reply, Status, decode_replies};

use crate::failure::Failure;

/// Bytes after which a frame is sent. Its last record may go beyond.
const FRAME_BYTES: usize = 16 * 1_024;
/// Frames sent and not yet answered: far less than any window, so that sending never waits for receiving.
const FRAMES_OPEN_MAX: usize = 8;
/// The site that every market has.
pub(crate) const MAIN_SITE: SiteId = SiteId(1);

/// One thing to ask.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask<'a> {
    Command(Command<'a>),
    Query(Query<'a>),
    Status,
}

/// One stream to ask on.
pub(crate) struct Exchange {
    client: Client,
    stream: FrameStream,
    writer: FrameWriter,
    correlation: u64,
    /// Requests sent or about to be, whose replies are missing.
    open: VecDeque<OpenFrame>,
}

struct OpenFrame {
    correlation: u64,
    /// Position of its first request.
    first: usize,
    answered: Vec<bool>,
    sent_at: Instant,
}

impl Exchange {
    /// Opens a stream on the first connection.
    pub(crate) async fn open(client: &Client) -> Result<Self, Failure> {
        Self::open_on(client, 0).await
    }

    /// Opens a stream on one of the connections.
    pub(crate) async fn open_on(client: &Client, connection: usize) -> Result<Self, Failure> {
        let stream = client.open_stream(connection).await?;
        let writer = FrameWriter::default();
        let mut exchange = Self { client: client.clone(), stream, writer, correlation: 0, open: VecDeque::new() };
        // The first frame of a connection may be only so long, and an order may be longer.
        exchange.status().await?;
        Ok(exchange)
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// Asks, and hands out each reply with the position of its request and the nanoseconds it took.
    pub(crate) async fn ask(
        &mut self,
        asks: &[Ask<'_>],
        mut deliver: impl FnMut(usize, &Reply<'_>, u64),
    ) -> Result<(), Failure> {
        let mut next = 0;
        while next < asks.len() || !self.open.is_empty() {
            while next < asks.len() && self.open.len() < FRAMES_OPEN_MAX {
                next = self.send_frame(asks, next).await?;
            }
            self.receive(&mut deliver).await?;
        }
        Ok(())
    }

    /// Sends one frame of the requests from `first` on; the position of the next one.
    async fn send_frame(&mut self, asks: &[Ask<'_>], first: usize) -> Result<usize, Failure> {
        self.correlation += 1;
        self.writer.begin(self.correlation, 0);
        let mut next = first;
        while next < asks.len() && self.writer.bytes() < FRAME_BYTES {
            match push(&mut self.writer, &asks[next]) {
                Ok(_) => next += 1,
                Err(PushError::FrameFull) if next > first => break,
                Err(error) => return Err(error.into()),
            }
        }
        let answered = vec![false; next - first];
        let frame = Bytes::copy_from_slice(self.writer.finish());
        self.open.push_back(OpenFrame { correlation: self.correlation, first, answered, sent_at: Instant::now() });
        self.stream.send(frame).await?;
        Ok(next)
    }

    async fn receive(&mut self, deliver: &mut impl FnMut(usize, &Reply<'_>, u64)) -> Result<(), Failure> {
        let open = &mut self.open;
        let Some(whole) = self.stream.recv().await? else {
            return Err(Failure::Unanswered { open: open.iter().map(OpenFrame::unanswered).sum() });
        };
        let mut stray = None;
        for frame in frames(whole) {
            decode_replies(frame, |correlation, index, reply| match settle(open, correlation, index) {
                Some((position, sent_at)) => {
                    let nanoseconds = u64::try_from(sent_at.elapsed().as_nanos()).unwrap_or(u64::MAX);
                    deliver(position, &reply, nanoseconds);
                }
                None => stray = Some(format!("correlation {correlation}, index {index}: {reply:?}")),
            })?;
        }
        open.retain(|frame| frame.unanswered() > 0);
        match stray {
            None => Ok(()),
            Some(answer) => {
                Err(Failure::Unexpected { attempt: "a reply that nobody asked for, or that came twice".into(), answer })
            }
        }
    }

    /// Asks one thing.
    pub(crate) async fn ask_one<T>(
        &mut self,
        attempt: &str,
        ask: Ask<'_>,
        read: impl Fn(&Reply<'_>) -> Option<T>,
    ) -> Result<T, Failure> {
        let mut outcome = Err(String::new());
        self.ask(&[ask], |_, reply, _| outcome = read(reply).ok_or_else(|| describe(reply))).await?;
        outcome.map_err(|answer| Failure::Unexpected { attempt: attempt.to_owned(), answer })
    }

    /// The server's own figures.
    pub(crate) async fn status(&mut self) -> Result<Status, Failure> {
        let read = |reply: &Reply<'_>| if let Reply::Status(status) = reply { Some(**status) } else { None };
        self.ask_one("asking for the status", Ask::Status, read).await
    }

    /// The books of a market.
    pub(crate) async fn books(&mut self, market: MarketId) -> Result<Books, Failure> {
        let read = |reply: &Reply<'_>| if let Reply::Books(at) = reply { Some(at.books.clone()) } else { None };
        self.ask_one("asking for the books", Ask::Query(Query::Books { market }), read).await
    }

    /// A new market of this name.
    pub(crate) async fn create_market(&mut self, code: &str) -> Result<MarketId, Failure> {
        let read = |reply: &Reply<'_>| match reply {
            Reply::Answer(Answer::Numbered { number, repeated: false }, _) => MarketId::new(*number),
            _ => None,
        };
        self.ask_one(&format!("creating market {code}"), Ask::Command(Command::AssignMarket { code }), read).await
    }

    /// New SKUs with these codes.
    pub(crate) async fn create_skus<'a>(
        &mut self,
        market: MarketId,
        codes: impl Iterator<Item = &'a str>,
    ) -> Result<Vec<SkuId>, Failure> {
        let asks: Vec<Ask<'a>> = codes.map(|code| Ask::Command(Command::CreateSku { market, code })).collect();
        let mut skus = vec![SkuId(0); asks.len()];
        let mut wrong = None;
        self.ask(&asks, |position, reply, _| match reply {
            Reply::Answer(Answer::Numbered { number, repeated: false }, _) => skus[position] = SkuId(*number),
            other => wrong = Some(describe(other)),
        })
        .await?;
        all_well("creating SKUs", wrong).map(|()| skus)
    }

    /// Units come in at the main site.
    pub(crate) async fn receive_stock(
        &mut self,
        market: MarketId,
        units: impl Iterator<Item = (SkuId, u64)>,
    ) -> Result<(), Failure> {
        let client = self.client.clone();
        let receive = |(sku, quantity)| {
            let request: RequestId = client.new_request_id(market);
            Ask::Command(Command::Receive { request, sku, site: MAIN_SITE, quantity })
        };
        let asks: Vec<Ask<'_>> = units.filter(|(_, quantity)| *quantity > 0).map(receive).collect();
        let mut wrong = None;
        self.ask(&asks, |_, reply, _| match reply {
            Reply::Answer(Answer::Stock { repeated: false, .. }, _) => {}
            other => wrong = Some(describe(other)),
        })
        .await?;
        all_well("receiving stock", wrong)
    }
}

impl OpenFrame {
    fn unanswered(&self) -> u64 {
        self.answered.iter().map(|answered| u64::from(!answered)).sum()
    }
}

fn push(writer: &mut FrameWriter, ask: &Ask<'_>) -> Result<u16, PushError> {
    match ask {
        Ask::Command(command) => writer.push(command),
        Ask::Query(query) => writer.push_query(query),
        Ask::Status => writer.push_status(),
    }
}

/// Marks a request as answered and finds its position; `None` when it is not open.
fn settle(open: &mut VecDeque<OpenFrame>, correlation: u64, index: u16) -> Option<(usize, Instant)> {
    let frame = open.iter_mut().find(|frame| frame.correlation == correlation)?;
    let answered = frame.answered.get_mut(usize::from(index))?;
    if std::mem::replace(answered, true) { None } else { Some((frame.first + usize::from(index), frame.sent_at)) }
}

fn all_well(attempt: &str, wrong: Option<String>) -> Result<(), Failure> {
    wrong.map_or(Ok(()), |answer| Err(Failure::Unexpected { attempt: attempt.to_owned(), answer }))
}

/// A reply in words.
pub(crate) fn describe(reply: &Reply<'_>) -> String {
    match reply {
        Reply::Refused(refused) => format!("refused: {refused}"),
        other => format!("answered {other:?}"),
    }
}
