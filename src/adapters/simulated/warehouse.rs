//! A warehouse that is not there: told what to hand over, it does so after a while, all at once, and says so until it
//! is heard.
//!
//! The key is the order; of two attempts the later one holds. What has been handed over is not taken back: whoever
//! takes an order back too late learns so from the units that nobody accounts for.

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
use crate::base::limits::{ADAPTER_ANSWER_MS_MAX, ADAPTER_NEWS_MAX, SIMULATED_ORDERS_MAX};
use crate::base::{ChangeId, OrderId};
use crate::engine::{Effect, LineQuantity};

/// What is known of an order.
#[derive(Debug, Clone)]
struct Instruction {
    attempt: u16,
    lines: Vec<LineQuantity>,
    handed_over: bool,
    heard: bool,
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

/// Names the only parcel of an order; no storefront draws a change identifier of this kind.
const PARCEL: ChangeId = ChangeId(1 << 63 | 1);

impl SimulatedWarehouse {
    /// With what it was told before. Called on the thread where it lives, inside a `LocalSet`.
    ///
    /// # Errors
    /// Its file cannot be made, read or written.
    pub fn open(behaviour: Behaviour) -> io::Result<Self> {
        let mut orders = BTreeMap::new();
        let ledger = Ledger::open(&behaviour.file, |words| read_line(&mut orders, words))?;
        let waiting = orders.iter().filter(|(_, known): &(_, &Instruction)| !known.heard);
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
        sleep(Duration::from_millis(if is_lost.contains(&true) { LOST_MS } else { half })).await;
        if is_lost.contains(&true) { Verdict::Again } else { Verdict::Done }
    }
}

/// As a payment provider's.
const LOST_MS: u64 = ADAPTER_ANSWER_MS_MAX / 20;

impl Books {
    fn instruct(&mut self, job: &Job) -> io::Result<()> {
        let (order, attempt) = (job.want.order, job.want.attempt);
        let committed = job.order.iter().flat_map(|view| (0..).zip(&view.lines));
        let lines: Vec<LineQuantity> = committed
            .filter(|(_, line)| line.committed > 0)
            .map(|(line, units)| LineQuantity { line, quantity: units.committed })
            .collect();
        match self.orders.get(&order) {
            Some(known) if known.attempt >= attempt || known.handed_over => return Ok(()),
            None if self.orders.len() >= SIMULATED_ORDERS_MAX => {
                tracing::error!(orders = SIMULATED_ORDERS_MAX, "the books of the simulated warehouse are full");
                return Err(io::ErrorKind::StorageFull.into());
            }
            Some(_) | None => {}
        }
        let named: Vec<String> = lines.iter().map(|line| format!("{}*{}", line.line, line.quantity)).collect();
        self.write(&format!("told {order} {attempt} {}", named.join(" ")))?;
        self.orders.insert(order, Instruction { attempt, lines, handed_over: false, heard: false });
        self.due.push_back((Instant::now(), order));
        Ok(())
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        self.ledger.add(line.trim_end()).inspect_err(|why| tracing::error!(%why, "simulated warehouse"))
    }

    /// Says no more of an order. What is not written is told again after a restart, and recognised.
    fn settle(&mut self, word: &str, order: OrderId) {
        if self.write(&format!("{word} {order}")).is_ok() {
            self.orders.entry(order).and_modify(|known| known.heard = true);
        }
    }

    /// Hands an order over, if there is anything to hand over; what is to be said of it until somebody hears it.
    fn pick(&mut self, order: OrderId) -> Option<News> {
        let known = self.orders.get(&order).filter(|known| !known.lines.is_empty() && !known.heard)?;
        let (lines, is_news) = (known.lines.clone(), !known.handed_over);
        if is_news && self.write(&format!("handed_over {order}")).is_err() {
            return None;
        }
        self.orders.entry(order).and_modify(|known| known.handed_over = true);
        Some(News::HandedOver { order, change: PARCEL, lines })
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

fn read_line(orders: &mut BTreeMap<OrderId, Instruction>, words: &[&str]) -> Option<()> {
    let order = words.get(1)?.parse().ok()?;
    match *words.first()? {
        "told" => {
            let attempt = words.get(2)?.parse().ok()?;
            let lines = words[3..].iter().map(|word| {
                let (line, quantity) = word.split_once('*')?;
                Some(LineQuantity { line: line.parse().ok()?, quantity: quantity.parse().ok()? })
            });
            let lines = lines.collect::<Option<_>>()?;
            orders.insert(order, Instruction { attempt, lines, handed_over: false, heard: false });
        }
        "handed_over" => orders.get_mut(&order)?.handed_over = true,
        "heard" | "refused" => orders.get_mut(&order)?.heard = true,
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
        self.books.borrow_mut().settle("heard", news.order());
    }

    fn handle_refused(&self, news: &News) {
        self.books.borrow_mut().settle("refused", news.order());
    }
}
