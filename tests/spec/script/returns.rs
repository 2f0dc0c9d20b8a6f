//! What comes back, in the words of a script.

use stockade::base::ChangeId;
use stockade::engine::query::ReturnView;
use stockade::engine::{
    Command, DeclineReason, Disposition, LineQuantity, ReturnCommand, ReturnKind, ReturnReason, ReturnReport,
};

use super::Script;
use super::ask::{line_quantity, number, option};
use crate::rig::{Outcome, START};

impl Script {
    /// `request o1 r7 0*2 kind=refused why=defective`, a customer's return unless it says otherwise;
    /// `tell o1 r7 declined=used`; `arrive o1 r7 0*2 at=north`; `inspect o1 r7 restock 0*2 at=north`.
    pub(super) fn ask_about_return(&mut self, words: &[&str]) -> Outcome {
        let (order, id, site) = (self.order_id(words[1], None), return_id(words[2]), self.site(option(words, "at")));
        let lines: Vec<LineQuantity> = words[3..].iter().filter_map(|word| line_quantity(word)).collect();
        let lines = lines.as_slice();
        let what = match words[0] {
            "request" => {
                let (kind, why) = (option(words, "kind"), option(words, "why"));
                let kind =
                    kind.map_or(ReturnKind::CustomerReturn, |name| known(ReturnKind::ALL, name, ReturnKind::name));
                let reason =
                    why.map_or(ReturnReason::Unspecified, |name| known(ReturnReason::ALL, name, ReturnReason::name));
                ReturnCommand::Request { kind, reason, lines }
            }
            "tell" => ReturnCommand::Report(report(words[3])),
            "arrive" => ReturnCommand::Receive { site, lines },
            _ => {
                let disposition = known(Disposition::ALL, words[3], Disposition::name);
                ReturnCommand::Inspect { site, disposition, lines }
            }
        };
        self.rig.submit(&Command::Return { order, id, what })
    }

    /// Every return: `r7 refused defective received until=2592000000 0*2 0@north=1,restock=1`.
    pub(super) fn look_at_returns(&mut self, name: &str) -> String {
        let id = self.order_id(name, None);
        let Ok(view) = self.rig.engine.order(id) else { return "no: unknown_order".to_owned() };
        let returns: Vec<String> = view.returns.iter().map(|it| self.say_return(it)).collect();
        if returns.is_empty() { "nothing".to_owned() } else { returns.join(" | ") }
    }

    fn say_return(&self, it: &ReturnView) -> String {
        let stage = it.stage.name();
        let stage = it.declined.map_or_else(|| stage.to_owned(), |why| format!("{stage}={}", why.name()));
        let mut words = vec![format!("r{}", it.id.0), it.kind.name().to_owned(), it.reason.name().to_owned(), stage];
        words.extend((it.until.ms() > 0).then(|| format!("until={}", it.until.since_ms(START))));
        words.extend(it.lines.iter().map(|line| format!("{}*{}", line.line, line.asked)));
        for piece in &it.pieces {
            let became = Disposition::ALL.iter().zip(piece.became).filter(|(_, units)| *units > 0);
            let became: String = became.map(|(what, units)| format!(",{}={units}", what.name())).collect();
            words.push(format!("{}@{}={}{became}", piece.line, self.name_of_site(piece.site), piece.received));
        }
        words.join(" ")
    }
}

/// `r7`.
fn return_id(word: &str) -> ChangeId {
    ChangeId(number(word.strip_prefix('r').expect("r and a number")))
}

fn known<T: Copy>(all: &[T], name: &str, name_of: impl Fn(T) -> &'static str) -> T {
    let known = all.iter().copied().find(|one| name_of(*one) == name);
    known.unwrap_or_else(|| panic!("no such word: {name}"))
}

fn report(word: &str) -> ReturnReport {
    let (name, value) = word.split_once('=').unwrap_or((word, "unspecified"));
    match name {
        "approved" => ReturnReport::Approved,
        "declined" => ReturnReport::Declined { reason: known(DeclineReason::ALL, value, DeclineReason::name) },
        "label_sent" => ReturnReport::LabelSent,
        "in_transit" => ReturnReport::InTransit,
        "lost" => ReturnReport::Lost,
        "cancelled" => ReturnReport::Cancelled,
        "expired" => ReturnReport::Expired,
        "closed" => ReturnReport::Closed,
        other => panic!("no such report: {other}"),
    }
}
