//! A warehouse that is not there: told what to hand over, it does so after a while, all at once, and says so until it
//! is heard.
//!
//! The key is the order; of two attempts the later one holds. An instruction says what the order is to get in all, so
//! whatever left before is taken off it: an order of which something comes in later leaves in several parcels. What has
//! been handed over is not taken back: whoever takes an order back too late learns so from the units that nobody
//! accounts for.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep, sleep_until};

use super::super::backoff::Chance;
use super::super::counterparty::{Counterparty, Job, News, Promise, Verdict};
use super::ledger::Ledger;
use super::{Behaviour, fate};
use crate::base::limits::{ADAPTER_NEWS_MAX, SIMULATED_ORDERS_MAX};
use crate::base::{ChangeId, OrderId};
use crate::engine::{Effect, LineQuantity};

/// What is known of an order.
#[derive(Debug, Clone, Default)]
struct Instruction {
    attempt: u32,
    /// What it is to get in all, by line.
    lines: Vec<LineQuantity>,
    /// What has left, by line.
    left: BTreeMap<u16, u32>,
    /// How many parcels that was.
    parcels: u64,
    /// What was in the last of them, until somebody heard that it left.
    unheard: Vec<LineQuantity>,
}

impl Instruction {
    /// What is to leave in the next parcel.
    fn missing(&self) -> Vec<LineQuantity> {
        let left = |line| self.left.get(&line).copied().unwrap_or_default();
        let missing = self.lines.iter().map(|&LineQuantity { line, quantity }| LineQuantity {
            line,
            quantity: quantity.saturating_sub(left(line)),
        });
        missing.filter(|line| line.quantity > 0).collect()
    }

    /// A parcel left.
    fn send(&mut self, lines: Vec<LineQuantity>) {
        for LineQuantity { line, quantity } in &lines {
            *self.left.entry(*line).or_default() += quantity;
        }
        self.parcels += 1;
        self.unheard = lines;
    }

    const fn change(&self) -> ChangeId {
        ChangeId(PARCELS | self.parcels)
    }
}

struct Books {
    ledger: Ledger,
    orders: BTreeMap<OrderId, Instruction>,
    /// Orders to be handed over, and since when; an order may be named again.
    due: VecDeque<(Instant, OrderId)>,
}

/// A warehouse that is not there.
pub struct SimulatedWarehouse {
    behaviour: Behaviour,
    books: Rc<RefCell<Books>>,
    chance: RefCell<Chance>,
    news: Cell<Option<mpsc::Receiver<News>>>,
}

/// Names the parcels of an order, from 1; no storefront draws change identifiers of this kind.
const PARCELS: u64 = 1 << 63;

impl SimulatedWarehouse {
    /// With what it was told before. Called on the thread where it lives, inside a `LocalSet`.
    ///
    /// # Errors
    /// Its file cannot be made, read or written.
    pub fn open(behaviour: Behaviour) -> io::Result<Self> {
        let mut orders = BTreeMap::new();
        let ledger = Ledger::open(&behaviour.file, |words| read_line(&mut orders, words))?;
        let waits = |known: &Instruction| !known.unheard.is_empty() || !known.missing().is_empty();
        let waiting = orders.iter().filter(|(_, known)| waits(known));
        let due = waiting.map(|(order, _)| (Instant::now(), *order)).collect();
        let books = Rc::new(RefCell::new(Books { ledger, orders, due }));
        let (tell, news) = mpsc::channel(ADAPTER_NEWS_MAX);
        spawn_local(hand_over(Rc::clone(&books), tell, Duration::from_millis(behaviour.delay_ms)));
        Ok(Self { chance: RefCell::new(Chance::new(behaviour.seed)), behaviour, books, news: Cell::new(Some(news)) })
    }

    async fn answer(&self, job: Job) -> Verdict {
        let half = self.behaviour.delay_ms / 2;
        sleep(Duration::from_millis(half)).await;
        let lost = |_| fate::now(&mut self.chance.borrow_mut(), self.behaviour.lost);
        let is_lost = [(); 2].map(lost);
        if !is_lost[0] && self.books.borrow_mut().instruct(&job).is_err() {
            return Verdict::Again;
        }
        sleep(Duration::from_millis(if is_lost.contains(&true) { fate::LOST_MS } else { half })).await;
        if is_lost.contains(&true) { Verdict::Again } else { Verdict::Done }
    }
}

impl Books {
    fn instruct(&mut self, job: &Job) -> io::Result<()> {
        let (order, attempt) = (job.want.order, job.want.attempt);
        let lines = job.order.to_hand_over();
        let lines: Vec<LineQuantity> = lines.map(|(line, quantity)| LineQuantity { line, quantity }).collect();
        match self.orders.get(&order) {
            Some(known) if known.attempt >= attempt => return Ok(()),
            None if self.orders.len() >= SIMULATED_ORDERS_MAX => {
                tracing::error!(orders = SIMULATED_ORDERS_MAX, "the books of the simulated warehouse are full");
                return Err(io::ErrorKind::StorageFull.into());
            }
            Some(_) | None => {}
        }
        self.write(&format!("told {order} {attempt} {}", in_words(&lines)))?;
        let known = self.orders.entry(order).or_default();
        (known.attempt, known.lines) = (attempt, lines);
        self.due.push_back((Instant::now(), order));
        Ok(())
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.ledger.add(line.trim_end()).inspect_err(|why| tracing::error!(%why, "simulated warehouse"))
    }

    /// Says no more of a parcel. What is not written is told again after a restart, and recognised.
    fn settle(&mut self, word: &str, news: &News) {
        let News::HandedOver { order, change, .. } = news else { return };
        let Some(known) = self.orders.get(order).filter(|known| known.change() == *change) else { return };
        if !known.unheard.is_empty() && self.write(&format!("{word} {order}")).is_ok() {
            self.orders.entry(*order).and_modify(|known| known.unheard.clear());
            self.due.push_back((Instant::now(), *order));
        }
    }

    /// Hands an order over, if there is anything to hand over; what is to be said of it until somebody hears it.
    fn pick(&mut self, order: OrderId) -> Option<News> {
        let known = self.orders.get(&order)?;
        if known.unheard.is_empty() {
            let lines = known.missing();
            if lines.is_empty() || self.write(&format!("handed_over {order} {}", in_words(&lines))).is_err() {
                return None;
            }
            self.orders.entry(order).and_modify(|known| known.send(lines));
        }
        let known = self.orders.get(&order)?;
        Some(News::HandedOver { order, change: known.change(), lines: known.unheard.clone() })
    }
}

/// Hands over what has lain long enough, one after the other.
async fn hand_over(books: Rc<RefCell<Books>>, tell: mpsc::Sender<News>, delay: Duration) {
    loop {
        let first = books.borrow_mut().due.pop_front();
        let Some((since, order)) = first else {
            sleep(IDLE).await;
            continue;
        };
        sleep_until(since + delay).await;
        let news = books.borrow_mut().pick(order);
        if let Some(news) = news
            && tell.send(news).await.is_err()
        {
            return;
        }
    }
}

/// How often an idle warehouse looks for work.
const IDLE: Duration = Duration::from_millis(5);

fn in_words(lines: &[LineQuantity]) -> String {
    lines.iter().map(|line| format!("{}*{}", line.line, line.quantity)).collect::<Vec<_>>().join(" ")
}

fn read_lines(words: &[&str]) -> Option<Vec<LineQuantity>> {
    let read = |word: &&str| {
        let (line, quantity) = word.split_once('*')?;
        Some(LineQuantity { line: line.parse().ok()?, quantity: quantity.parse().ok()? })
    };
    words.iter().map(read).collect()
}

fn read_line(orders: &mut BTreeMap<OrderId, Instruction>, words: &[&str]) -> Option<()> {
    let order = words.get(1)?.parse().ok()?;
    match *words.first()? {
        "told" => {
            let known = orders.entry(order).or_default();
            (known.attempt, known.lines) = (words.get(2)?.parse().ok()?, read_lines(&words[3..])?);
        }
        "handed_over" => orders.get_mut(&order)?.send(read_lines(&words[2..])?),
        "heard" | "refused" => orders.get_mut(&order)?.unheard.clear(),
        _ => return None,
    }
    Some(())
}

impl Counterparty for SimulatedWarehouse {
    fn name(&self) -> &'static str {
        "simulated-warehouse"
    }

    fn effect(&self) -> Effect {
        Effect::Release
    }

    fn carry_out(&self, job: Job) -> Promise<'_> {
        Box::pin(self.answer(job))
    }

    fn news(&self) -> mpsc::Receiver<News> {
        self.news.take().expect("law: news is asked for once")
    }

    fn handle_acknowledged(&self, news: &News) {
        self.books.borrow_mut().settle("heard", news);
    }

    fn handle_refused(&self, news: &News) {
        self.books.borrow_mut().settle("refused", news);
    }
}
