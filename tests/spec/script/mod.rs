//! Scripts: a test of behaviour as text. One line asks one thing and says what must come of it.
//!
//! ```text
//! site     north rank=5                 -> number=2
//! receive  mug 5 at=north               -> available=5
//! kit      gift mug*2 tea*1             -> number=3
//! place    o1 mug*2@100 cup*1 hold=60s  -> #1 pending_payment
//! confirm  o1 try=1                     -> confirmed moved=3
//! drop     o1 0*1 id=7                  -> confirmed moved=1
//! ship     o1 0*1 id=8                  -> fulfilling moved=1
//! edit     o1 add mug*1@50 remove 0*1 price 1=450 zone 44 id=3 -> fulfilling moved=0
//! zone     o1                           -> 44
//! return   o1 0*1 id=9 at=north         -> fulfilling moved=1
//! cancel   o1                           -> completed moved=1
//! wait     60s                          -> o2 expired
//! stock    mug                          -> available=3 reserved=2
//! order    o1                           -> completed mug shipped=1 cancelled=1
//! policy   mug oversell=5 low=2         -> set
//! place    o3 mug*5                     -> #2 pending_payment owed n=2
//! levels                                -> mug low for_sale=2
//! event    e1                           -> event
//! count    mug 4 as_of=e1               -> available=1
//! put_back                              -> o3 o2
//! hold     o3 desk:fraud note=call      -> pending_payment moved=0
//! holds    o3                           -> desk:fraud note=call since=60000
//! held                                  -> o3 pending_payment desk:fraud
//! lift     o3 desk:fraud                -> pending_payment moved=0
//! start    o3 try=1 pays=wallet         -> pending_payment moved=0
//! told     o3 try=1 authorised=500      -> confirmed moved=5
//! told     o3 try=1 captured=500 in=EUR -> no: other_currency GBP
//! payments o3                           -> 1 wallet authorised authorised=500 next=nothing
//! label    o3                           -> authorised
//! missing  o3                           -> 0
//! effects  release check                -> set
//! check    o3                           -> not_needed
//! to_hand_over o3                       -> 0*5
//! refund   o3 100 id=2                  -> no: refund_too_much left=0
//! tasks                                 -> o3 held since=0 (fraud by desk)
//! waits    o3                           -> warehouse (5 units to be handed over)
//! money                                 -> GBP authorised=500 captured=0 refunded=0 charged_back=0
//! deliver  o1 0*1 id=3                  -> completed moved=1
//! request  o1 r7 0*1 kind=wrong_item    -> completed requested moved=1
//! tell     o1 r7 in_transit             -> completed in_transit moved=0
//! arrive   o1 r7 0*1 at=north           -> completed received moved=1
//! inspect  o1 r7 restock 0*1 at=north   -> completed inspected moved=1
//! returns  o1                           -> r7 wrong_item unspecified inspected 0*1 0@north=1,restock=1
//! ```
//!
//! Names of orders, SKUs and markets come to be when they are first used; `#9` is a number that nobody gave. A refusal
//! reads `no: sold_out mug asked=3 available=2`; a repeat ends in `again`. A line without `->` must not be refused.
//! After every line the rig compares everything.
//!
//! What arrives for those who wait is given to them at the end of each line; after `unfilled` only when `fill` says so.

mod ask;
mod edits;
mod holds;
mod past;
mod payments;
mod returns;
mod say;
mod tasks;
mod velocity;

use std::collections::BTreeMap;

use stockade::base::{MarketId, OrderId, RequestId, Sequence, SiteId, SkuId};
use stockade::engine::{Answer, Capacity, Command, TaskPlace};

use crate::rig::{MARKET, Outcome, Rig};

/// Runs a script in a world with one market, `default`, and room for everything.
pub(crate) fn check(text: &str) {
    check_within(Capacity::default(), text);
}

/// The same in a world with little room.
pub(crate) fn check_within(capacity: Capacity, text: &str) {
    Script::new(Rig::new(capacity)).run(text);
}

pub(crate) struct Script {
    pub(crate) rig: Rig,
    market: MarketId,
    orders: BTreeMap<String, OrderId>,
    requests: BTreeMap<String, RequestId>,
    /// Entries of the stream that have a name.
    events: BTreeMap<String, Sequence>,
    /// Where the page of tasks goes on that was looked at last.
    next_task: Option<TaskPlace>,
    skus: BTreeMap<(MarketId, String), SkuId>,
    sites: BTreeMap<(MarketId, String), SiteId>,
}

impl Script {
    pub(crate) fn new(mut rig: Rig) -> Self {
        let market = rig.open("default");
        assert_eq!(market, MARKET, "the first market has number 1");
        Self {
            rig,
            market,
            orders: BTreeMap::new(),
            requests: BTreeMap::new(),
            events: BTreeMap::new(),
            next_task: None,
            skus: BTreeMap::new(),
            sites: BTreeMap::new(),
        }
    }

    pub(crate) fn run(&mut self, text: &str) {
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let (asked, expected) = match line.split_once("->") {
                Some((asked, expected)) => (asked, Some(expected.trim())),
                None => (line, None),
            };
            let words: Vec<&str> = asked.split_whitespace().collect();
            let said = self.line(&words);
            match expected {
                Some(expected) => {
                    assert_eq!(said, expected, "what came of (left) and what was expected of (right): {asked}");
                }
                None => assert!(!said.starts_with("no:"), "{asked} -> {said}"),
            }
            self.rig.check_everything();
        }
        self.rig.check_replica();
    }

    /// One line of which anything may come.
    pub(crate) fn try_line(&mut self, line: &str) -> String {
        let said = self.line(&line.split_whitespace().collect::<Vec<_>>());
        self.rig.check_everything();
        said
    }

    fn line(&mut self, words: &[&str]) -> String {
        match words[0] {
            "market" => self.switch_market(words[1]),
            "wait" => self.wait(words[1]),
            "late" => {
                self.rig.sweeps_late = true;
                "from here the sweep comes after the command".to_owned()
            }
            "unfilled" => {
                self.rig.fills_late = true;
                "from here what arrives stays where it is".to_owned()
            }
            "fill" => {
                self.rig.fill();
                self.rig.tell_levels();
                "filled".to_owned()
            }
            "event" => {
                self.events.insert(words[1].to_owned(), self.rig.position);
                "event".to_owned()
            }
            // Who was put back since the last look.
            "put_back" => {
                if self.rig.fills_late {
                    self.rig.put_back();
                }
                let orders = std::mem::take(&mut self.rig.put_back);
                let names: Vec<String> = orders.into_iter().map(|order| self.name_of_order(order)).collect();
                if names.is_empty() { "nobody".to_owned() } else { names.join(" ") }
            }
            "velocity" => self.velocity(words),
            "stock" | "for_sale" | "levels" | "order" | "draws" | "details" | "wanted" | "open" | "orders_of"
            | "holders" | "history" | "holds" | "held" | "check" | "to_hand_over" | "payments" | "label"
            | "missing" | "zone" | "prices" | "money" | "returns" | "tasks" | "waits" => self.look(words),
            _ => {
                let outcome = self.ask(words);
                self.say(&outcome)
            }
        }
    }

    fn switch_market(&mut self, code: &str) -> String {
        self.market = self.rig.open(code);
        format!("number={}", self.market)
    }

    fn wait(&mut self, span: &str) -> String {
        self.rig.wait(span_ms(span));
        if self.rig.sweeps_late {
            return "nothing swept".to_owned();
        }
        let expired = self.rig.sweep();
        if expired.is_empty() {
            return "nothing expired".to_owned();
        }
        let mut names: Vec<String> = expired.into_iter().map(|order| self.name_of_order(order)).collect();
        names.sort();
        format!("{} expired", names.join(" "))
    }

    /// The identifier behind a name, made now (or `made` away from now) when the name is new.
    fn order_id(&mut self, name: &str, made: Option<&str>) -> OrderId {
        let made_at = self.moment(made);
        let market = self.market;
        let number = number_of_name(name);
        *self.orders.entry(name.to_owned()).or_insert_with(|| OrderId::new(made_at, market, number))
    }

    fn request_id(&mut self, name: Option<&str>, made: Option<&str>) -> RequestId {
        let made_at = self.moment(made);
        let market = self.market;
        let count = self.requests.values().filter(|request| request.market() == market).count();
        let name = name.map_or_else(|| format!("market {market} request {count}"), str::to_owned);
        let number = number_of_name(&name);
        *self.requests.entry(name).or_insert_with(|| RequestId::new(made_at, market, number))
    }

    /// The event with a name, or a position: `#7`, or `next` for one that is to come.
    fn event(&self, name: &str) -> Sequence {
        match name.strip_prefix('#') {
            Some(number) => Sequence(number.parse().expect("a number")),
            None if name == "next" => self.rig.position.next(),
            None => self.events[name],
        }
    }

    fn moment(&self, made: Option<&str>) -> stockade::base::Timestamp {
        match made {
            None => self.rig.now,
            Some(span) => match span.strip_prefix('-') {
                Some(span) => self.rig.now.before_ms(span_ms(span)),
                None => self.rig.now.after_ms(span_ms(span.trim_start_matches('+'))),
            },
        }
    }

    /// The number behind the name of a SKU; a new name creates one.
    fn sku(&mut self, name: &str) -> SkuId {
        if let Some(number) = name.strip_prefix('#') {
            return SkuId(number.parse().expect("a number"));
        }
        let market = self.market;
        if let Some(&sku) = self.skus.get(&(market, name.to_owned())) {
            return sku;
        }
        let sku = SkuId(number_of(&self.rig.submit(&Command::CreateSku { market, code: name })));
        self.skus.insert((market, name.to_owned()), sku);
        sku
    }

    fn site(&self, name: Option<&str>) -> SiteId {
        let Some(name) = name else { return SiteId(1) };
        match name.strip_prefix('#') {
            Some(number) => SiteId(number.parse().expect("a number")),
            None if name == "main" => SiteId(1),
            None => self.sites[&(self.market, name.to_owned())],
        }
    }

    fn name_of_order(&self, id: OrderId) -> String {
        let known = self.orders.iter().find(|(_, known)| **known == id);
        known.map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }

    fn name_of_sku(&self, sku: SkuId) -> String {
        let known = self.skus.iter().find(|((market, _), known)| *market == self.market && **known == sku);
        known.map_or_else(|| format!("#{sku}"), |((_, name), _)| name.clone())
    }

    fn name_of_site(&self, site: SiteId) -> String {
        let known = self.sites.iter().find(|((market, _), known)| *market == self.market && **known == site);
        known.map_or_else(
            || if site == SiteId(1) { "main".to_owned() } else { format!("#{site}") },
            |((_, name), _)| name.clone(),
        )
    }
}

fn number_of(outcome: &Outcome) -> u32 {
    match outcome.as_ref().map(|told| told.answer) {
        Ok(Answer::Numbered { number, .. }) => number,
        other => panic!("not a number: {other:?}"),
    }
}

/// The same name is the same identifier in every script (FNV-1a, 64 bit).
fn number_of_name(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
}

/// `60s`, `250ms`, `24h`.
fn span_ms(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.find(|letter: char| letter.is_alphabetic()).expect("a span has a unit"));
    let number: u64 = number.parse().expect("a span has a number");
    match unit {
        "ms" => number,
        "s" => number * 1_000,
        "h" => number * 3_600_000,
        _ => panic!("no such unit: {unit}"),
    }
}
