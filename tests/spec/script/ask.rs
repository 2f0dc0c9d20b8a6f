//! From the words of a line to a command.

use stockade::base::{ChangeId, CustomerKey, SkuId};
use stockade::engine::choices::{AdjustReason, PaymentMethod, Take};
use stockade::engine::command::IdentityHashes;
use stockade::engine::ledger::{Account, Bucket};
use stockade::engine::{
    AsideReason, Command, Component, Effect, Effects, ExtendReason, Line, LineQuantity, Place, Policy, Report,
    Reservations, Retention, Whose,
};

use super::payments::{attempt, currency, method};
use super::{Script, number_of, span_ms};
use crate::rig::Outcome;

/// Price of a unit when a line of a placement names none.
const PRICE: u64 = 100;

/// Names the attempt when a confirm does not; no change of a script has this number.
pub(super) const ATTEMPT: u64 = 1_000_000;

impl Script {
    pub(super) fn ask(&mut self, words: &[&str]) -> Outcome {
        match words[0] {
            "site" => self.create_site(words),
            "sku" => {
                let (market, code) = (self.market, words[1]);
                self.rig.submit(&Command::CreateSku { market, code })
            }
            "kit" => self.define_kit(words),
            "receive" | "adjust" => self.bring(words),
            "move" => self.move_stock(words),
            "count" => {
                let (sku, site) = (self.sku(words[1]), self.site(option(words, "at")));
                let request = self.request_id(option(words, "id"), option(words, "made"));
                let counted = number(words[2]);
                if let Some(event) = option(words, "as_of") {
                    let as_of = self.event(event);
                    return self.rig.submit(&Command::ReportCount { request, sku, site, as_of, counted });
                }
                let expected = number(option(words, "expected").expect("expected=… or as_of=…"));
                self.rig.submit(&Command::CountStock { request, sku, site, expected, counted })
            }
            "reservations" => {
                let span = |name| span_ms(option(words, name).expect("reservations activity=… payment=…")) as u32;
                let mut reservations = Reservations {
                    activity_ms_max: span("activity"),
                    payment_ms_max: span("payment"),
                    ..Reservations::default()
                };
                for (at, (method, _)) in Reservations::default().unpaid().enumerate() {
                    if let Some(ms) = option(words, method.name()) {
                        reservations.unpaid_ms[at] = span_ms(ms) as u32;
                    }
                }
                self.rig.submit(&Command::SetReservations { market: self.market, reservations })
            }
            // cap mug channel=3 units=10, or without units for none
            "cap" => {
                let channel = option(words, "channel").map_or(0, number) as u16;
                let units_max = option(words, "units").map(|units| number(units) as u32);
                let (market, sku) = (self.market, self.sku(words[1]));
                self.rig.submit(&Command::SetChannelCap { market, sku, channel, units_max })
            }
            "retention" => {
                let span = |name| span_ms(option(words, name).expect("retention window=… ids=…"));
                let retention = Retention { return_window_ms: span("window"), ids_kept_ms: span("ids") };
                self.rig.submit(&Command::SetRetention { market: self.market, retention })
            }
            "policy" => {
                let sku = self.sku(words[1]);
                let policy = policy(words);
                self.rig.submit(&Command::SetPolicy { market: self.market, sku, policy })
            }
            "effects" => {
                let [payment, release, check] = ["payment", "release", "check"].map(|effect| words.contains(&effect));
                let effects = Effects { payment, release, check };
                self.rig.submit(&Command::SetEffects { market: self.market, effects })
            }
            "report" => {
                let (order, effect) = (self.order_id(words[1], None), effect(words[2]));
                let attempt = number(words[3]) as u32;
                self.rig.submit(&Command::ReportEffect { order, effect, attempt, report: report(words[4]) })
            }
            "place" => self.place(words),
            "confirm" => {
                let (order, attempt) = (self.order_id(words[1], None), attempt(words));
                self.rig.submit(&Command::Confirm { order, attempt })
            }
            "extend" => {
                let (order, until) = (self.order_id(words[1], None), self.rig.now.after_ms(span_ms(words[2])));
                let starts = words.contains(&"payment_start");
                let reason = if starts { ExtendReason::PaymentStart } else { ExtendReason::Activity };
                self.rig.submit(&Command::Extend { order, until, reason })
            }
            "cancel" | "block" => {
                let order = self.order_id(words[1], None);
                self.rig.submit(&Command::Cancel { order, block: words[0] == "block" })
            }
            "hold" | "lift" => self.hold(words),
            "start" | "told" | "refund" => self.ask_about_payment(words),
            // erase customer=7, erase o1
            "erase" => {
                let customer = option(words, "customer").map(|key| CustomerKey(number(key).into()));
                let whose = match customer {
                    Some(customer) => Whose::Customer { market: self.market, customer },
                    None => Whose::Guest { order: self.order_id(words[1], None) },
                };
                self.rig.submit(&Command::Erase { whose })
            }
            "edit" => self.edit(words),
            "drop" | "ship" | "return" | "deliver" => self.change(words),
            "request" | "tell" | "arrive" | "inspect" => self.ask_about_return(words),
            other => panic!("no such verb: {other}"),
        }
    }

    fn create_site(&mut self, words: &[&str]) -> Outcome {
        let (market, code) = (self.market, words[1]);
        let rank = option(words, "rank").map_or(0, number) as u16;
        let outcome = self.rig.submit(&Command::CreateSite { market, rank, code });
        let site = stockade::base::SiteId(number_of(&outcome) as u16);
        self.sites.insert((market, code.to_owned()), site);
        outcome
    }

    /// `kit gift mug*2 tea*1`
    fn define_kit(&mut self, words: &[&str]) -> Outcome {
        let (market, code) = (self.market, words[1]);
        let component = |word: &&str| {
            let (sku, units) = word.split_once('*').expect("SKU*UNITS");
            Component { sku: self.sku(sku), units: number(units) as u32 }
        };
        let components: Vec<Component> = words[2..].iter().map(component).collect();
        let outcome = self.rig.submit(&Command::DefineKit { market, code, components: &components });
        if outcome.is_ok() {
            self.skus.insert((market, code.to_owned()), SkuId(number_of(&outcome)));
        }
        outcome
    }

    fn bring(&mut self, words: &[&str]) -> Outcome {
        let sku = self.sku(words[1]);
        let site = self.site(option(words, "at"));
        let request = self.request_id(option(words, "id"), option(words, "made"));
        let command = if words[0] == "receive" {
            Command::Receive { request, sku, site, quantity: number(words[2]) }
        } else {
            let reason = if words.contains(&"lost") { AdjustReason::Lost } else { AdjustReason::Count };
            Command::Adjust { request, sku, site, delta: words[2].parse().expect("a number"), reason }
        };
        self.rig.submit(&command)
    }

    /// `move mug 3 from=main:available to=north:damaged`
    fn move_stock(&mut self, words: &[&str]) -> Outcome {
        let sku = self.sku(words[1]);
        let request = self.request_id(option(words, "id"), option(words, "made"));
        let [from, to] = ["from", "to"].map(|name| {
            let (site, bucket) = option(words, name).and_then(|at| at.split_once(':')).expect("SITE:BUCKET");
            let known = Bucket::ALL.into_iter().find(|known| known.name() == bucket);
            let bucket = known.unwrap_or_else(|| panic!("no such bucket: {bucket}"));
            Account { site: self.site(Some(site)), bucket }
        });
        self.rig.submit(&Command::MoveStock { request, sku, from, to, quantity: number(words[2]) })
    }

    fn place(&mut self, words: &[&str]) -> Outcome {
        let order = self.order_id(words[1], option(words, "made"));
        let lines: Vec<Line> =
            words[2..].iter().filter(|word| word.contains('*')).map(|word| self.asked(word)).collect();
        let length = option(words, "details").map_or(0, number) as usize;
        let details = option(words, "note").map_or_else(|| vec![b'x'; length], |note| note.as_bytes().to_vec());
        let payment = match option(words, "pays") {
            Some(name) => method(name),
            None if words.contains(&"cod") => PaymentMethod::CashOnDelivery,
            None => PaymentMethod::Card,
        };
        let take = if words.contains(&"exists") { Take::WhatExists } else { Take::AllOrNothing };
        self.rig.submit(&Command::Place(Place {
            order,
            customer: CustomerKey(option(words, "customer").map_or(0, number).into()),
            take,
            hold_ms: option(words, "hold").map_or(60_000, span_ms) as u32,
            currency: currency(words),
            payment,
            channel: option(words, "channel").map_or(0, number) as u16,
            zone: 0,
            hashes: hashes(words),
            lines: &lines,
            details: &details,
            key: None,
        }))
    }

    /// `mug*2@100`.
    pub(super) fn asked(&mut self, word: &str) -> Line {
        let (sku, rest) = word.split_once('*').expect("filtered");
        let (quantity, price) =
            rest.split_once('@').map_or((rest, PRICE), |(quantity, price)| (quantity, number(price)));
        Line { sku: self.sku(sku), quantity: quantity.parse().expect("a number"), price }
    }

    fn change(&mut self, words: &[&str]) -> Outcome {
        let order = self.order_id(words[1], None);
        let change = ChangeId(option(words, "id").map_or(1, number));
        let lines: Vec<LineQuantity> = words[2..].iter().filter_map(|word| line_quantity(word)).collect();
        let command = match words[0] {
            "drop" => Command::CancelLines { order, change, lines: &lines },
            "ship" => Command::HandOver { order, change, lines: &lines },
            "deliver" => Command::ReportDelivered { order, change, lines: &lines },
            _ => Command::ReturnToStock { order, change, site: self.site(option(words, "at")), lines: &lines },
        };
        self.rig.submit(&command)
    }
}

/// `safety=3 oversell=5 low=2 min=1 max=2 customer=2 day=1 hashes begins=60 returns=give_back`: what is not there is no
/// rule.
fn policy(words: &[&str]) -> Policy {
    let value = |name| option(words, name).map_or(0, number);
    Policy {
        safety_stock: value("safety"),
        order_min: value("min") as u32,
        order_max: value("max") as u32,
        customer_max: value("customer") as u32,
        customer_day_max: value("day") as u32,
        by_hashes: words.contains(&"hashes"),
        day_begins_min: value("begins") as u16,
        oversell_max: value("oversell"),
        low_stock: value("low"),
        returns_give_back: option(words, "returns").is_some_and(|word| word == "give_back"),
    }
}

pub(super) fn effect(word: &str) -> Effect {
    let effect = Effect::ALL.into_iter().find(|effect| effect.name() == word);
    effect.unwrap_or_else(|| panic!("no such effect: {word}"))
}

fn report(word: &str) -> Report {
    match word {
        "done" => Report::Done,
        "tries_used_up" => Report::SetAside(AsideReason::TriesUsedUp),
        "refused" => Report::SetAside(AsideReason::Refused),
        "review" => Report::SetAside(AsideReason::Review),
        "rejected" => Report::Rejected,
        "resumed" => Report::Resumed,
        other => panic!("no such report: {other}"),
    }
}

/// `account=1 address=2 instrument=3`, those that are there.
pub(super) fn hashes(words: &[&str]) -> Option<IdentityHashes> {
    let [account, address, instrument] =
        ["account", "address", "instrument"].map(|name| option(words, name).map_or(0, number));
    let given = [account, address, instrument].iter().any(|hash| *hash != 0);
    given.then_some(IdentityHashes { account, address, instrument })
}

/// `0*2`: two units of line 0.
pub(super) fn line_quantity(word: &str) -> Option<LineQuantity> {
    let (line, quantity) = word.split_once('*')?;
    Some(LineQuantity { line: number(line) as u16, quantity: quantity.parse().expect("a number") })
}

/// The value of `name=value`.
pub(super) fn option<'w>(words: &[&'w str], name: &str) -> Option<&'w str> {
    words.iter().find_map(|word| word.split_once('=').filter(|(key, _)| *key == name).map(|(_, value)| value))
}

pub(super) fn number(text: &str) -> u64 {
    text.parse().unwrap_or_else(|_| panic!("not a number: {text}"))
}
