//! The end of a world: no more faults, until nothing is under way any more; then everything is checked.

use std::sync::atomic::Ordering;

use stockade::base::MarketId;
use stockade::shard::{Next, Shard};

use super::World;
use crate::ask::Outcome;
use crate::life::shard_of;
use crate::money::Money;
use crate::offices::resumed;
use crate::provider::Counts;
use crate::tasks;

impl World {
    /// No more faults: everything that is unanswered is asked until it is answered.
    pub(super) fn settle(&mut self) {
        self.life().committer.log.state().disk_low = false;
        for _ in 0..200 {
            for op in self.unanswered.clone() {
                self.submit(op);
            }
            self.settle_once();
            if self.unanswered.is_empty() {
                return;
            }
        }
        panic!(
            "{} requests are never answered, the first: {:?}",
            self.unanswered.len(),
            self.ops[self.unanswered[0]].ask
        );
    }

    fn settle_once(&mut self) {
        self.keys.iter().for_each(|keys| _ = keys.overwrite());
        for shard in 0..usize::from(self.options.shards) {
            for _ in 0..20 {
                if self.life().shards[shard].turn() != Next::Again {
                    break;
                }
            }
        }
        while self.commit_quietly() {}
        self.listen(u64::MAX);
    }

    fn commit_quietly(&mut self) -> bool {
        let now_ms = self.readings.monotonic_ns.load(Ordering::Relaxed) / 1_000_000;
        let committer = &mut self.life().committer;
        let done = committer.commit(now_ms).unwrap_or_else(|fault| panic!("a healthy disk: {fault}"));
        committer.publish();
        done
    }

    /// Adapters go on until nothing is wanted any more; what they tried in vain is resumed.
    pub(super) fn hand_everything_off(&mut self) {
        self.is_calm = true;
        self.provider().end_disputes();
        for _ in 0..2_000 {
            let life = self.life.as_ref().expect("a life has begun");
            let engines: Vec<_> = life.shards.iter().map(Shard::engine).collect();
            let marks = life.committer.log.state().marks.clone();
            let is_quiet = self.offices.are_done(&engines) && self.sinks.are_done(&marks);
            if is_quiet && self.unanswered.is_empty() && !self.has_money_under_way() {
                return self.check_outside();
            }
            let engine = |market: &MarketId| engines[shard_of(market.number(), self.options.shards)];
            let asks: Vec<_> =
                self.customers.markets.iter().flat_map(|market| resumed(engine(market), *market)).collect();
            asks.into_iter().for_each(|ask| self.ask(ask));
            self.finish_money(is_quiet);
            self.step_offices(true);
            assert!(self.step_sinks(true).is_ok(), "no more faults");
            self.unanswered.clone().into_iter().for_each(|op| self.submit(op));
            self.settle_once();
            self.pass_ms(300);
        }
        let steps = self.with_steps();
        panic!("adapters and storefronts never come to an end: {} letters, {steps:?}", self.provider().letters.len());
    }

    /// What adapters, storefronts and sinks did, held against the orders.
    fn check_outside(&mut self) {
        let life = self.life.as_ref().expect("a life has begun");
        let engines: Vec<_> = life.shards.iter().map(Shard::engine).collect();
        let (outside, orders) = (&self.offices.outside, &self.customers.orders);
        outside.check(&engines, orders);
        for market in &self.customers.markets {
            let engine = engines[shard_of(market.number(), self.options.shards)];
            let of_market = orders.iter().filter(|order| order.market() == *market);
            let views: Vec<_> = of_market.filter_map(|order| engine.order(*order).ok()).collect();
            tasks::check(engine, (*market, life.clock.now()), views.iter());
        }
        let whole = self.promises.money.check(&engines, outside, orders);
        let Counts { paid, given_back, failed, charged_back, captured_in_parts, failed_refunds, paid_again } =
            outside.provider.counts;
        (self.report.paid, self.report.given_back, self.report.parcels) = (paid, given_back, outside.parcels());
        (self.report.failed, self.report.charged_back) = (failed, charged_back);
        (self.report.captured_in_parts, self.report.paid_whole) = (captured_in_parts, whole.orders);
        (self.report.paid_otherwise, self.report.failed_refunds) = (whole.paid_otherwise, failed_refunds);
        (self.report.missing, self.report.paid_again) = (whole.missing, paid_again);
        self.report.released_again = outside.released_again();
        [self.report.trusted, self.report.rejected] = outside.checker.counts();
        let told = self.sinks.check(&life.committer.log.state().history);
        [self.report.told, self.report.told_twice, self.report.gaps] = told;
    }

    pub(super) fn check_end(&mut self) {
        // Whatever was answered is answered as before. What was refused may have happened since, when it was asked
        // again and the answer got lost: only now it is known.
        for op in 0..self.ops.len() {
            let accepted = matches!(self.ops[op].outcome, Some(Outcome::Answered(..)));
            if !accepted || self.rng.once_in(3) {
                self.submit(op);
            }
        }
        for _ in 0..5 {
            self.settle_once();
        }
        self.report.accepted = self.promises.accepted.len() as u64;
        let life = self.life.as_ref().expect("a life has begun");
        let shards = self.options.shards;
        for market in &self.customers.markets {
            let engine = life.shards[shard_of(market.number(), shards)].engine();
            self.promises.check_books(engine, *market);
            if !self.promises.forgetful {
                Money::check_books(engine, *market, &self.customers.orders);
            }
        }
        let digests: Vec<u128> = life.shards.iter().map(|shard| shard.engine().digest()).collect();
        let before = self.life.take().expect("a life has begun").end(true);
        self.disk.crash();
        self.begin_life(&before);
        let recovered = self.life().shards.iter().map(|shard| shard.engine().digest()).collect::<Vec<_>>();
        assert_eq!(recovered, digests, "everything was durable, and recovery gives another state");
    }
}
