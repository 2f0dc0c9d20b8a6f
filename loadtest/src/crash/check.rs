//! After a restart: what was answered is there, what nobody knows is asked again.
//!
//! # Always true
//! - Nothing here is paced or measured; every answer is awaited before the next look.

use stockade::base::ChangeId;
use stockade::engine::Answer;
use stockade::engine::command::Command;
use stockade::engine::order::{Counters, State};
use stockade::wire::Reply;

use super::Cycles;
use crate::audit::compare_books;
use crate::drive::Accepted;
use crate::exchange::{Ask, Exchange, describe};
use crate::failure::Failure;
use crate::session::Session;

/// Accepted orders of any cycle that are repeated in each cycle.
const REPEATS: u64 = 64;
/// Every order that is confirmed is confirmed once.
const ATTEMPT: ChangeId = ChangeId(1);

impl Cycles<'_> {
    pub(super) async fn restart_and_check(&mut self, session: &mut Session) -> Result<(), Failure> {
        let took = session.host.start_again()?.as_secs_f64();
        self.figures.longest_restart_s = self.figures.longest_restart_s.max(took);
        self.client = session.host.connect(usize::from(self.crash.connections)).await?;
        self.exchange = Exchange::open(&self.client).await?;
        self.check_bounds().await?;
        self.resend_unknown().await?;
        self.repeat_sample().await?;
        self.confirm_some().await?;
        let known = self.known();
        self.differences.extend(compare_books(&mut self.exchange, &known).await?);
        Ok(())
    }

    /// Before anything is resent: no answered order is missing, and none is there that nobody sent.
    async fn check_bounds(&mut self) -> Result<(), Failure> {
        let books = self.exchange.books(self.market).await?;
        let (there, answered) = (books.orders.iter().sum::<u64>(), self.sums.reserved);
        let most = answered + self.unknown.len() as u64;
        if there < answered || there > most {
            let cycle = self.figures.cycles;
            self.differences.push(format!(
                "after kill {cycle}: {there} orders are there, {answered} were answered as accepted, {most} were sent"
            ));
        }
        Ok(())
    }

    /// Under the same identifiers: what was accepted is repeated, the rest is decided now.
    async fn resend_unknown(&mut self) -> Result<(), Failure> {
        let (goods, lines) = (self.goods, self.goods.cart());
        let asks: Vec<Ask<'_>> = self
            .unknown
            .iter()
            .map(|(n, made_at)| Ask::Command(Command::Place(goods.place(*n, *made_at, &lines))))
            .collect();
        let (sums, unknown, figures) = (&mut self.sums, &self.unknown, &mut self.figures);
        self.exchange
            .ask(&asks, |at, reply, _| {
                let (n, made_at) = unknown[at];
                if let Reply::Answer(Answer::Placed { repeated: true, .. }, _) = reply {
                    figures.unknown_but_accepted += 1;
                }
                sums.take_any(&goods, n, made_at, reply);
            })
            .await?;
        self.unknown.clear();
        Ok(())
    }

    /// Accepted orders of any cycle, sent again: the first answer again.
    async fn repeat_sample(&mut self) -> Result<(), Failure> {
        let (goods, lines) = (self.goods, self.goods.cart());
        let drawn: Vec<Accepted> = match self.remembered.len() {
            0 => Vec::new(),
            len => (0..REPEATS).map(|_| self.remembered[self.chance.between(0, len as u64 - 1) as usize]).collect(),
        };
        let place = |it: &Accepted| Ask::Command(Command::Place(goods.place(it.n, it.made_at, &lines)));
        let asks: Vec<Ask<'_>> = drawn.iter().map(place).collect();
        let errors = &mut self.sums.errors;
        self.exchange
            .ask(&asks, |at, reply, _| match reply {
                Reply::Answer(Answer::Placed { number, repeated: true, .. }, _) if number.0 == drawn[at].number => {}
                other => {
                    errors.add(|| format!("order {} was accepted, and after a kill: {}", drawn[at].n, describe(other)));
                }
            })
            .await?;
        self.figures.repeats_checked += drawn.len() as u64;
        Ok(())
    }

    /// So that kills meet confirmed orders too.
    async fn confirm_some(&mut self) -> Result<(), Failure> {
        let goods = self.goods;
        let chosen = std::mem::take(&mut self.to_confirm);
        let confirm = |it: &Accepted| {
            Ask::Command(Command::Confirm { order: goods.order_id(it.n, it.made_at), attempt: ATTEMPT })
        };
        let asks: Vec<Ask<'_>> = chosen.iter().map(confirm).collect();
        let (sums, figures) = (&mut self.sums, &mut self.figures);
        self.exchange
            .ask(&asks, |at, reply, _| match reply {
                Reply::Answer(Answer::Done { state: State::Confirmed, moved: 1, repeated: false, .. }, _) => {
                    let order = goods.order_id(chosen[at].n, chosen[at].made_at);
                    let (state, reserved) = goods.fate(order);
                    sums.ledger.remove(order, state, &[reserved]);
                    let committed = Counters { committed: 1, ..Counters::default() };
                    sums.ledger.add(order, State::Confirmed, &[committed]);
                    figures.confirmed += 1;
                }
                other => sums.errors.add(|| format!("confirming order {}: {}", chosen[at].n, describe(other))),
            })
            .await
    }
}
