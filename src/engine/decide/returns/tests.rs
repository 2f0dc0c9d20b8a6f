//! Returns, step by step: every step is followed by a look at every law and by an image that is read back.

use crate::base::{
    ChangeId, Currency, CustomerKey, MarketId, OrderId, RequestId, Sequence, ShardId, SiteId, SkuId, Timestamp,
};
use crate::engine::choices::{PaymentMethod, Take};
use crate::engine::ledger::{Account, Bucket};
use crate::engine::order::State;
use crate::engine::query::ReturnView;
use crate::engine::{
    Answer, Capacity, Command, Component, DeclineReason, Disposition, Engine, Line, LineQuantity, Place, Policy,
    Refusal, ReturnCommand, ReturnKind, ReturnReason, ReturnReport, ReturnStage, Scratch,
};

const SITE: SiteId = SiteId(1);
const DEPOT: SiteId = SiteId(2);
const MUG: SkuId = SkuId(1);
const DAY: u64 = 24 * 3_600 * 1_000;

struct World {
    engine: Engine,
    scratch: Scratch,
    now: Timestamp,
    market: MarketId,
    requests: u64,
}

fn lines<const N: usize>(all: [(u16, u32); N]) -> [LineQuantity; N] {
    all.map(|(line, quantity)| LineQuantity { line, quantity })
}

impl World {
    /// Ten mugs at the first site, another site, and an order of four mugs that were handed over.
    fn new() -> Self {
        Self::of(Capacity::UNBOUNDED)
    }

    fn of(capacity: Capacity) -> Self {
        let market = MarketId::new(1).expect("fits");
        let now = Timestamp::from_ms(1_700_000_000_000);
        let engine = Engine::new(ShardId(0), 1, capacity);
        let mut world = Self { engine, scratch: Scratch::default(), now, market, requests: 0 };
        world.ok(&Command::OpenMarket { market, code: "m" });
        world.ok(&Command::CreateSite { market, rank: 1, code: "depot" });
        world.ok(&Command::CreateSku { market, code: "mug" });
        let request = world.request();
        world.ok(&Command::Receive { request, sku: MUG, site: SITE, quantity: 10 });
        world.place(1, &[(MUG, 4)]);
        world.ok(&Command::HandOver { order: world.order(1), change: ChangeId(1), lines: &[] });
        world
    }

    fn request(&mut self) -> RequestId {
        self.requests += 1;
        RequestId::new(self.now, self.market, self.requests)
    }

    fn order(&self, number: u64) -> OrderId {
        OrderId::new(Timestamp::from_ms(1_700_000_000_000), self.market, number)
    }

    fn place(&mut self, number: u64, of: &[(SkuId, u32)]) {
        let lines: Vec<_> =
            of.iter().map(|(sku, quantity)| Line { sku: *sku, quantity: *quantity, price: 5 }).collect();
        let place = Place {
            order: self.order(number),
            customer: CustomerKey(7),
            take: Take::AllOrNothing,
            hold_ms: 0,
            currency: Currency::new(*b"GBP").expect("pounds exist"),
            payment: PaymentMethod::CashOnDelivery,
            channel: 0,
            zone: 0,
            hashes: None,
            lines: &lines,
            details: &[],
            key: None,
        };
        self.ok(&Command::Place(place));
    }

    fn submit(&mut self, command: &Command<'_>) -> Result<Answer, Refusal> {
        self.engine.stand_at(Sequence(self.engine.histories.position().0 + 1));
        let answer = self.engine.submit(command, self.now, &mut self.scratch, &mut |_| {});
        self.check();
        answer
    }

    fn check(&self) {
        self.engine.check_invariants().expect("every law holds");
        let mut read = Engine::new(ShardId(0), 1, Capacity::UNBOUNDED);
        let written: Result<(), crate::engine::ImageError> =
            self.engine.write_image(&mut |part| read.read_image_part(part));
        written.and_then(|()| read.finish_image()).expect("an image that was written is read");
        read.check_invariants().expect("every law holds of what was read");
        assert_eq!(read.digest(), self.engine.digest(), "an image is the same state");
    }

    fn ok(&mut self, command: &Command<'_>) -> Answer {
        self.submit(command).unwrap_or_else(|why| panic!("{command:?} is refused: {why:?}"))
    }

    fn deliver(&mut self, change: u64, all: &[LineQuantity]) -> Result<Answer, Refusal> {
        self.submit(&Command::ReportDelivered { order: self.order(1), change: ChangeId(change), lines: all })
    }

    fn ask(&mut self, id: u64, what: ReturnCommand<'_>) -> Result<(ReturnStage, u64, bool), Refusal> {
        let answer = self.submit(&Command::Return { order: self.order(1), id: ChangeId(id), what })?;
        let Answer::Return { stage, moved, repeated, .. } = answer else {
            panic!("{answer:?} is no answer of a return");
        };
        Ok((stage, moved, repeated))
    }

    fn begin(&mut self, id: u64, kind: ReturnKind, units: u32) -> Result<(ReturnStage, u64, bool), Refusal> {
        let reason = ReturnReason::ChangedMind;
        self.ask(id, ReturnCommand::Request { kind, reason, lines: &lines([(0, units)]) })
    }

    fn tell(&mut self, id: u64, report: ReturnReport) -> Result<(ReturnStage, u64, bool), Refusal> {
        self.ask(id, ReturnCommand::Report(report))
    }

    fn receive(&mut self, id: u64, site: SiteId, total: u32) -> Result<(ReturnStage, u64, bool), Refusal> {
        self.ask(id, ReturnCommand::Receive { site, lines: &lines([(0, total)]) })
    }

    fn look(
        &mut self,
        id: u64,
        (site, disposition): (SiteId, Disposition),
        total: u32,
    ) -> Result<(ReturnStage, u64, bool), Refusal> {
        self.ask(id, ReturnCommand::Inspect { site, disposition, lines: &lines([(0, total)]) })
    }

    fn units(&self, sku: SkuId, site: SiteId, bucket: Bucket) -> i64 {
        self.engine.market(self.market).expect("open").ledger.balances(sku, site)[bucket as usize]
    }

    fn shown(&self, at: usize) -> ReturnView {
        self.engine.order(self.order(1)).expect("kept").returns[at].clone()
    }

    /// Lets time pass, and happen what is due then.
    fn wait(&mut self, ms: u64) {
        self.now = self.now.after_ms(ms);
        let mut orders = Vec::new();
        while let Some(fact) = self.engine.next_retirement(self.now, &mut orders) {
            self.engine.fold(&fact, self.now);
            self.check();
        }
    }
}

const fn left(units: u64) -> Refusal {
    Refusal::NotEnoughUnits { line: 0, units }
}

#[test]
fn a_return_goes_from_request_to_closed_and_its_units_are_for_sale_after_inspection_alone() {
    let mut world = World::new();
    assert_eq!(world.begin(9, ReturnKind::CustomerReturn, 2), Err(left(0)), "nothing reached the customer");
    assert!(world.deliver(2, &lines([(0, 3)])).is_ok());
    assert_eq!(world.begin(9, ReturnKind::CustomerReturn, 2), Ok((ReturnStage::Requested, 2, false)));
    assert_eq!(world.tell(9, ReturnReport::Approved), Ok((ReturnStage::Approved, 0, false)));
    assert_eq!(world.tell(9, ReturnReport::LabelSent), Ok((ReturnStage::LabelSent, 0, false)));
    assert_eq!(world.tell(9, ReturnReport::InTransit), Ok((ReturnStage::InTransit, 0, false)));
    assert_eq!(world.receive(9, DEPOT, 2), Ok((ReturnStage::Received, 2, false)));
    assert_eq!(world.units(MUG, DEPOT, Bucket::QualityHold), 2);
    assert_eq!(world.units(MUG, DEPOT, Bucket::Available), 0);
    assert_eq!(world.look(9, (DEPOT, Disposition::Damaged), 1), Ok((ReturnStage::Received, 1, false)));
    assert_eq!(world.look(9, (DEPOT, Disposition::Restock), 1), Ok((ReturnStage::Inspected, 1, false)));
    assert_eq!(
        [Bucket::Available, Bucket::Damaged, Bucket::QualityHold].map(|of| world.units(MUG, DEPOT, of)),
        [1, 1, 0]
    );
    assert_eq!(world.tell(9, ReturnReport::Closed), Ok((ReturnStage::Closed, 0, false)));
    assert_eq!(world.tell(9, ReturnReport::Closed), Ok((ReturnStage::Closed, 0, true)));
    assert_eq!(world.engine.order(world.order(1)).expect("kept").state, State::Completed);
}

#[test]
fn returns_at_the_same_time_never_claim_more_than_was_delivered() {
    let mut world = World::new();
    world.deliver(2, &lines([(0, 3)])).expect("they were handed over");
    world.begin(1, ReturnKind::CustomerReturn, 2).expect("two of three");
    assert_eq!(world.begin(2, ReturnKind::WrongItem, 2), Err(left(1)));
    world.begin(2, ReturnKind::WrongItem, 1).expect("one is left");
    assert_eq!(world.begin(3, ReturnKind::NotCollected, 2), Err(left(1)), "three reached the customer");
    world.begin(3, ReturnKind::NotCollected, 1).expect("one did not");
    assert_eq!(world.deliver(5, &lines([(0, 1)])), Err(left(0)), "the carrier brings it back");
    let back =
        Command::ReturnToStock { order: world.order(1), change: ChangeId(6), site: SITE, lines: &lines([(0, 1)]) };
    assert_eq!(world.submit(&back), Err(left(0)), "every unit is claimed");
    // What is declined, cancelled or expired claims nothing any more; what is lost does.
    world.tell(1, ReturnReport::Declined { reason: DeclineReason::Used }).expect("it is requested");
    world.tell(3, ReturnReport::Lost).expect("it is on its way");
    assert_eq!(world.begin(4, ReturnKind::CustomerReturn, 3), Err(left(2)));
    world.ok(&back);
    assert_eq!(world.begin(4, ReturnKind::CustomerReturn, 2), Err(left(1)), "one was put back");
    assert_eq!(world.begin(4, ReturnKind::CustomerReturn, 1), Ok((ReturnStage::Requested, 1, false)));
}

#[test]
fn totals_told_twice_or_late_change_nothing_and_too_much_is_refused_with_what_is_left() {
    let mut world = World::new();
    world.begin(1, ReturnKind::Refused, 3).expect("nothing was delivered");
    assert_eq!(world.receive(1, DEPOT, 2), Ok((ReturnStage::Received, 2, false)));
    assert_eq!(world.receive(1, DEPOT, 1), Ok((ReturnStage::Received, 0, true)));
    assert_eq!(world.receive(1, SITE, 2), Err(left(1)), "two came in elsewhere");
    assert_eq!(world.receive(1, DEPOT, 4), Err(left(3)));
    assert_eq!(world.look(1, (SITE, Disposition::Restock), 1), Err(left(0)), "nothing came in there");
    world.look(1, (DEPOT, Disposition::Dispose), 1).expect("two lie there");
    assert_eq!(world.look(1, (DEPOT, Disposition::Restock), 2), Err(left(1)));
    assert_eq!(world.look(1, (DEPOT, Disposition::Dispose), 1), Ok((ReturnStage::Received, 0, true)));
    assert_eq!(world.tell(1, ReturnReport::Closed), Err(Refusal::IllegalReturn { stage: ReturnStage::Received }));
    world.look(1, (DEPOT, Disposition::BackToSupplier), 1).expect("one is left");
    assert_eq!(world.tell(1, ReturnReport::Closed), Ok((ReturnStage::Closed, 0, false)), "the third is given up");
    assert_eq!(world.receive(1, DEPOT, 3), Err(Refusal::IllegalReturn { stage: ReturnStage::Closed }));
    assert_eq!(world.receive(1, DEPOT, 2), Ok((ReturnStage::Closed, 0, true)));
    world.begin(2, ReturnKind::CarrierReturn, 2).expect("the third, and one that was never asked for");
    assert_eq!(world.units(MUG, DEPOT, Bucket::WriteOff), 1);
    assert_eq!(world.units(MUG, DEPOT, Bucket::Supplier), 1);
}

#[test]
fn a_return_is_known_by_its_number_and_refused_when_it_is_unknown_or_asks_for_something_else() {
    let mut world = World::new();
    world.begin(1, ReturnKind::Refused, 3).expect("nothing was delivered");
    assert_eq!(world.begin(1, ReturnKind::Refused, 3), Ok((ReturnStage::Approved, 3, true)));
    assert_eq!(world.begin(1, ReturnKind::Refused, 2), Err(Refusal::Conflict));
    assert_eq!(world.begin(1, ReturnKind::NotCollected, 3), Err(Refusal::Conflict));
    assert_eq!(world.tell(2, ReturnReport::Approved), Err(Refusal::UnknownReturn));
    assert_eq!(world.receive(2, SITE, 1), Err(Refusal::UnknownReturn));
    assert_eq!(world.receive(1, SiteId(9), 1), Err(Refusal::UnknownSite));
    let elsewhere = ReturnCommand::Receive { site: SITE, lines: &lines([(1, 1)]) };
    assert_eq!(world.ask(1, elsewhere), Err(Refusal::UnknownLine { line: 1 }));
    let declined = ReturnReport::Declined { reason: DeclineReason::Used };
    assert_eq!(world.tell(1, declined), Err(Refusal::IllegalReturn { stage: ReturnStage::Approved }));
    world.deliver(3, &lines([(0, 1)])).expect("the fourth");
    world.begin(2, ReturnKind::CustomerReturn, 1).expect("it was delivered");
    world.tell(2, declined).expect("it is requested");
    assert_eq!(world.tell(2, declined), Ok((ReturnStage::Declined, 0, true)));
    let other = ReturnReport::Declined { reason: DeclineReason::TooLate };
    assert_eq!(world.tell(2, other), Err(Refusal::Conflict));
    assert_eq!(world.shown(1).declined, Some(DeclineReason::Used));
}

#[test]
fn what_lies_with_a_return_is_taken_by_nobody_else() {
    let mut world = World::new();
    world.begin(1, ReturnKind::Refused, 3).expect("nothing was delivered");
    world.receive(1, SITE, 3).expect("it is on its way");
    let request = world.request();
    let at = |bucket| Account { site: SITE, bucket };
    let (from, to) = (at(Bucket::Available), at(Bucket::QualityHold));
    world.ok(&Command::MoveStock { request, sku: MUG, from, to, quantity: 1 });
    let request = world.request();
    let take = |quantity| Command::MoveStock { request, sku: MUG, from: to, to: at(Bucket::Damaged), quantity };
    assert_eq!(world.submit(&take(2)), Err(Refusal::NotAvailable { available: 1 }));
    world.ok(&take(1));
    // Of nine mugs on hand only one is found: five were for sale, one is damaged, three lie with the return.
    let (request, as_of) = (world.request(), Sequence(world.engine.histories.position().0));
    world.ok(&Command::ReportCount { request, sku: MUG, site: SITE, as_of, counted: 1 });
    assert_eq!(world.units(MUG, SITE, Bucket::QualityHold), 3);
    assert_eq!([Bucket::Available, Bucket::Damaged].map(|of| world.units(MUG, SITE, of)), [0, 0]);
    world.look(1, (SITE, Disposition::Restock), 3).expect("they lie there");
    // What stays set aside is anybody's from then on.
    world.begin(2, ReturnKind::Refused, 1).expect("the fourth");
    world.receive(2, SITE, 1).expect("it came in");
    world.look(2, (SITE, Disposition::QualityHold), 1).expect("it lies there");
    let request = world.request();
    world.ok(&Command::MoveStock { request, sku: MUG, from: to, to: at(Bucket::WriteOff), quantity: 1 });
}

#[test]
fn who_waits_gets_what_is_restocked_and_a_limit_gives_back_what_came_in() {
    let mut world = World::new();
    let market = world.market;
    let policy = Policy { customer_max: 6, returns_give_back: true, oversell_max: 9, ..Policy::default() };
    world.ok(&Command::SetPolicy { market, sku: MUG, policy });
    world.place(2, &[(MUG, 6)]);
    let held = |world: &World| {
        let market = world.engine.market(world.market).expect("open");
        market.policies.rule(MUG).expect("set").sorted().iter().map(|(_, count)| count.held).sum::<u64>()
    };
    world.ok(&Command::HandOver { order: world.order(2), change: ChangeId(1), lines: &[] });
    assert_eq!(held(&world), 6);
    let on = |world: &World, what| Command::Return { order: world.order(2), id: ChangeId(1), what };
    let (two, kind) = (lines([(0, 2)]), ReturnKind::Refused);
    let request = ReturnCommand::Request { kind, reason: ReturnReason::Unspecified, lines: &two };
    let command = on(&world, request);
    world.ok(&command);
    let command = on(&world, ReturnCommand::Receive { site: SITE, lines: &two });
    world.ok(&command);
    assert_eq!(held(&world), 4, "what came in counts no more");
    world.place(3, &[(MUG, 2)]);
    let one = lines([(0, 1)]);
    let inspect = |disposition| ReturnCommand::Inspect { site: SITE, disposition, lines: &one };
    let command = on(&world, inspect(Disposition::Restock));
    world.ok(&command);
    assert_eq!(world.units(MUG, SITE, Bucket::Arriving), 1, "somebody waits for it");
    let command = on(&world, inspect(Disposition::BackToCustomer));
    world.ok(&command);
    assert_eq!(held(&world), 7, "what went back to the customer counts again, whatever the limit");
    let mut draws = Vec::new();
    while let Some(fact) = world.engine.next_fill(&mut draws) {
        world.engine.fold(&fact, world.now);
        world.check();
    }
    assert_eq!(world.units(MUG, SITE, Bucket::Committed), 1);
}

#[test]
fn what_goes_back_to_the_customer_may_come_back_again() {
    let mut world = World::new();
    world.deliver(2, &lines([(0, 4)])).expect("they were handed over");
    world.begin(1, ReturnKind::CustomerReturn, 4).expect("all of them");
    world.receive(1, DEPOT, 4).expect("asked");
    world.look(1, (DEPOT, Disposition::BackToCustomer), 3).expect("they lie there");
    assert_eq!(world.units(MUG, SITE, Bucket::Customer), 3, "where they had been handed over");
    assert_eq!(world.begin(2, ReturnKind::CustomerReturn, 4), Err(left(3)));
    world.begin(2, ReturnKind::CustomerReturn, 3).expect("those");
    world.receive(2, SITE, 3).expect("asked");
    world.look(2, (SITE, Disposition::Restock), 3).expect("they lie there");
    assert_eq!(world.engine.order(world.order(1)).expect("kept").lines[0].returned, 4);
}

#[test]
fn a_return_that_nobody_moves_ends_and_its_order_is_closed_then() {
    let mut world = World::new();
    world.deliver(2, &lines([(0, 2)])).expect("they were handed over");
    world.begin(1, ReturnKind::CustomerReturn, 1).expect("delivered");
    world.begin(2, ReturnKind::Refused, 2).expect("not delivered");
    world.wait(20 * DAY);
    world.receive(2, DEPOT, 1).expect("on its way");
    world.begin(3, ReturnKind::CustomerReturn, 1).expect("the window is open");
    world.tell(3, ReturnReport::InTransit).expect("requested");
    world.wait(10 * DAY + 1);
    assert_eq!(
        [0, 1, 2].map(|at| world.shown(at).stage),
        [ReturnStage::Expired, ReturnStage::Received, ReturnStage::InTransit]
    );
    assert_eq!(world.begin(4, ReturnKind::CustomerReturn, 1), Err(Refusal::Closed { state: State::Completed }));
    world.begin(5, ReturnKind::WrongItem, 1).expect("what comes in all the same");
    world.tell(5, ReturnReport::Cancelled).expect("it did not");
    assert_eq!(world.tell(1, ReturnReport::Expired), Ok((ReturnStage::Expired, 0, true)));
    world.wait(20 * DAY);
    assert_eq!(world.engine.order(world.order(1)), Err(Refusal::UnknownOrder), "it was closed, and is that old");
    assert_eq!(world.engine.returns.len(), 0);
    assert_eq!(world.units(MUG, DEPOT, Bucket::QualityHold), 1, "nobody looked at it, and it lies there");
    let request = world.request();
    let at = |bucket| Account { site: DEPOT, bucket };
    let (from, to) = (at(Bucket::QualityHold), at(Bucket::Available));
    world.ok(&Command::MoveStock { request, sku: MUG, from, to, quantity: 1 });
    assert_eq!(world.begin(6, ReturnKind::WrongItem, 1), Err(Refusal::UnknownOrder));
}

#[test]
fn a_lost_return_that_is_found_comes_in_and_an_expired_one_does_not() {
    let mut world = World::new();
    world.begin(1, ReturnKind::CarrierReturn, 2).expect("not delivered");
    world.tell(1, ReturnReport::Lost).expect("on its way");
    assert_eq!(world.tell(1, ReturnReport::InTransit), Ok((ReturnStage::Lost, 0, true)));
    assert_eq!(world.receive(1, SITE, 2), Ok((ReturnStage::Received, 2, false)));
    world.begin(2, ReturnKind::CarrierReturn, 1).expect("not delivered");
    world.tell(2, ReturnReport::Expired).expect("approved");
    assert_eq!(world.receive(2, SITE, 1), Err(Refusal::IllegalReturn { stage: ReturnStage::Expired }));
}

#[test]
fn of_a_kit_the_whole_kit_comes_back() {
    let mut world = World::new();
    let market = world.market;
    world.ok(&Command::CreateSku { market, code: "tray" });
    let request = world.request();
    world.ok(&Command::Receive { request, sku: SkuId(2), site: SITE, quantity: 5 });
    let components = [Component { sku: MUG, units: 2 }, Component { sku: SkuId(2), units: 1 }];
    world.ok(&Command::DefineKit { market, code: "set", components: &components });
    world.place(2, &[(SkuId(3), 2)]);
    world.ok(&Command::HandOver { order: world.order(2), change: ChangeId(1), lines: &[] });
    let one = lines([(0, 1)]);
    let on = |world: &World, what| Command::Return { order: world.order(2), id: ChangeId(1), what };
    let (kind, reason) = (ReturnKind::NotCollected, ReturnReason::Unspecified);
    let command = on(&world, ReturnCommand::Request { kind, reason, lines: &one });
    world.ok(&command);
    let command = on(&world, ReturnCommand::Receive { site: DEPOT, lines: &one });
    world.ok(&command);
    assert_eq!([MUG, SkuId(2)].map(|sku| world.units(sku, DEPOT, Bucket::QualityHold)), [2, 1]);
    let command = on(&world, ReturnCommand::Inspect { site: DEPOT, disposition: Disposition::Dispose, lines: &one });
    world.ok(&command);
    assert_eq!([MUG, SkuId(2)].map(|sku| world.units(sku, DEPOT, Bucket::WriteOff)), [2, 1]);
}

#[test]
fn an_order_and_a_shard_keep_so_many_returns_and_no_more() {
    let mut world = World::of(Capacity { returns_max: 5, ..Capacity::default() });
    world.begin(1, ReturnKind::Refused, 1).expect("two of five");
    world.begin(2, ReturnKind::Refused, 1).expect("four of five");
    assert_eq!(world.begin(3, ReturnKind::Refused, 1), Err(Refusal::AtCapacity));
    world.receive(1, SITE, 1).expect("five of five");
    assert_eq!(world.receive(2, SITE, 1), Err(Refusal::AtCapacity));
    world.look(1, (SITE, Disposition::Restock), 1).expect("that takes no more");
    let mut world = World::new();
    for id in 0..16 {
        world.begin(id, ReturnKind::Refused, 1).expect("one at a time");
        world.tell(id, ReturnReport::Cancelled).expect("approved");
    }
    let refused = world.begin(16, ReturnKind::Refused, 1);
    assert_eq!(refused, Err(Refusal::OutOfBounds { field: crate::engine::refusal::Field::Returns, min: 0, max: 16 }));
}
