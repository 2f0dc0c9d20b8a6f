//! Books: what the generator knows must be in a market, kept beside the run, compared with what the server says.
//!
//! Sums only, so that ten million orders cost nothing to know: units per bucket, orders per state, and the sum modulo
//! 2^128 of a hash of every order. The hash is that of `docs/WIRE-PROTOCOL.md`, "Books", written here a second time on
//! purpose: two programs that share a mistake would agree on it.

use serde::Serialize;
use stockade::base::OrderId;
use stockade::engine::ledger::{BUCKETS, Bucket};
use stockade::engine::order::{Counters, STATES, State};
use stockade::engine::query::Books;
use xxhash_rust::xxh3::xxh3_128;

/// What a market must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Ledger {
    units: [i64; BUCKETS],
    orders: [u64; STATES],
    orders_hash: u128,
    /// What was paid, in minor units of pounds.
    pub(crate) money: Money,
}

/// What must have become of the money of all orders of a market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Money {
    /// So much exactly; nothing was taken back by banks.
    Exactly { authorised: u128, captured: u128, refunded: u128 },
    /// So much was taken and did not go back. How much was set aside, and how much went back again, adapters know.
    Kept(u128),
}

/// Nobody told of any payment.
impl Default for Money {
    fn default() -> Self {
        Self::Exactly { authorised: 0, captured: 0, refunded: 0 }
    }
}

impl Money {
    /// How these sums differ, in words: authorised, captured, refunded, charged back.
    pub(crate) fn difference(self, theirs: [u128; 4], whose: &str) -> Option<String> {
        let [authorised, captured, refunded, charged_back] = theirs;
        let told = format!("{authorised} authorised, {captured} captured, {refunded} refunded in {whose}");
        let is_right = match self {
            Self::Exactly { authorised, captured, refunded } => [authorised, captured, refunded, 0] == theirs,
            Self::Kept(kept) => captured.checked_sub(refunded) == Some(kept) && captured <= authorised,
        };
        (!is_right || charged_back > 0).then(|| format!("money: {self:?} by our count, {told}"))
    }
}

/// The sums of the only currency in which anything here is paid.
fn sums_of(books: &Books) -> [u128; 4] {
    books.money.first().map(|(_, sums)| sums.parts()).unwrap_or_default()
}

impl Ledger {
    /// Units came in from the supplier.
    pub(crate) fn receive(&mut self, units: u64) {
        self.shift(Bucket::Supplier, Bucket::Available, units);
    }

    /// Units were written off.
    pub(crate) fn write_off(&mut self, units: u64) {
        self.shift(Bucket::Available, Bucket::WriteOff, units);
    }

    /// An order is there, in this state, its lines so.
    pub(crate) fn add(&mut self, order: OrderId, state: State, lines: &[Counters]) {
        self.enter(order, state, lines);
        lines.iter().for_each(|line| self.shift_line(line, false));
    }

    /// An order that was added is no longer as it was: take that out before adding what it is now.
    pub(crate) fn remove(&mut self, order: OrderId, state: State, lines: &[Counters]) {
        self.orders[state as usize] -= 1;
        self.orders_hash = self.orders_hash.wrapping_sub(order_hash(order, state, lines));
        lines.iter().for_each(|line| self.shift_line(line, true));
    }

    /// Orders in a state.
    pub(crate) const fn orders(&self, state: State) -> u64 {
        self.orders[state as usize]
    }

    fn enter(&mut self, order: OrderId, state: State, lines: &[Counters]) {
        self.orders[state as usize] += 1;
        self.orders_hash = self.orders_hash.wrapping_add(order_hash(order, state, lines));
    }

    fn shift_line(&mut self, line: &Counters, back: bool) {
        for (units, bucket) in [
            (line.reserved, Bucket::Reserved),
            (line.committed, Bucket::Committed),
            (line.shipped - line.returned, Bucket::Customer),
        ] {
            let (from, to) = if back { (bucket, Bucket::Available) } else { (Bucket::Available, bucket) };
            self.shift(from, to, u64::from(units));
        }
    }

    fn shift(&mut self, from: Bucket, to: Bucket, units: u64) {
        let units = i64::try_from(units).expect("law: a run has fewer units than 2^63");
        self.units[from as usize] -= units;
        self.units[to as usize] += units;
    }

    /// Every way in which `theirs` differs, in words.
    pub(crate) fn differences(&self, theirs: &Books) -> Vec<String> {
        let mut found = Vec::new();
        for bucket in Bucket::ALL {
            let (ours, theirs) = (self.units[bucket as usize], theirs.units[bucket as usize]);
            if ours != theirs {
                found.push(format!("units {}: {ours} by our count, {theirs} in the books", bucket.name()));
            }
        }
        for state in State::ALL {
            let (ours, theirs) = (self.orders[state as usize], theirs.orders[state as usize]);
            if ours != theirs {
                found.push(format!("orders {}: {ours} by our count, {theirs} in the books", state.name()));
            }
        }
        found.extend(self.money.difference(sums_of(theirs), "the books"));
        if theirs.money.len() > 1 {
            found
                .push(format!("money of {} currencies is in the books: everything is paid in one", theirs.money.len()));
        }
        if theirs.owed != 0 {
            found.push(format!("{} units are owed in the books: a run sells nothing that is not there", theirs.owed));
        }
        if self.orders_hash != theirs.orders_hash {
            found.push(format!(
                "orders_hash: {:032x} by our count, {:032x} in the books: some order is not as it was answered",
                self.orders_hash, theirs.orders_hash
            ));
        }
        found
    }
}

/// The bytes of a hash: identifier, state, six counters a line.
const HEAD_BYTES: usize = 17;
const LINE_BYTES: usize = 24;

/// Hash of one order: XXH3-128 over identifier (16 bytes), state (1), and of each line taken, reserved, lapsed,
/// committed, shipped, cancelled (4 each), all little-endian.
fn order_hash(order: OrderId, state: State, lines: &[Counters]) -> u128 {
    if let [line] = lines {
        let mut bytes = [0; HEAD_BYTES + LINE_BYTES];
        put_head(&mut bytes, order, state);
        put_line(&mut bytes[HEAD_BYTES..], line);
        return xxh3_128(&bytes);
    }
    let mut bytes = vec![0; HEAD_BYTES + LINE_BYTES * lines.len()];
    put_head(&mut bytes, order, state);
    for (line, place) in lines.iter().zip(bytes[HEAD_BYTES..].chunks_exact_mut(LINE_BYTES)) {
        put_line(place, line);
    }
    xxh3_128(&bytes)
}

fn put_head(bytes: &mut [u8], order: OrderId, state: State) {
    bytes[..16].copy_from_slice(&order.bits().to_le_bytes());
    bytes[16] = state as u8;
}

fn put_line(bytes: &mut [u8], line: &Counters) {
    let taken = u32::try_from(line.taken()).expect("law: no more is taken than was asked");
    let counters = [taken, line.reserved, line.lapsed, line.committed, line.shipped, line.cancelled];
    for (place, counter) in bytes.chunks_exact_mut(4).zip(counters) {
        place.copy_from_slice(&counter.to_le_bytes());
    }
}

/// Books as JSON shows them; also what the offline audit must agree with.
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(crate) struct Shown {
    units: serde_json::Map<String, serde_json::Value>,
    orders: serde_json::Map<String, serde_json::Value>,
    orders_hash: String,
}

impl From<&Ledger> for Shown {
    fn from(ledger: &Ledger) -> Self {
        let units = Bucket::ALL.map(|bucket| (bucket.name().to_owned(), ledger.units[bucket as usize].into()));
        let orders = State::ALL.map(|state| (state.name().to_owned(), ledger.orders[state as usize].into()));
        Self {
            units: units.into_iter().collect(),
            orders: orders.into_iter().collect(),
            orders_hash: format!("{:032x}", ledger.orders_hash),
        }
    }
}

#[cfg(test)]
mod tests {
    use stockade::base::{MarketId, Timestamp};

    use super::*;

    fn order(random: u64) -> OrderId {
        OrderId::new(Timestamp::from_ms(1_000), MarketId::new(3).expect("fits"), random)
    }

    fn reserve_unit(ledger: &mut Ledger, order: OrderId) {
        ledger.add(order, State::PendingPayment, &[Counters { reserved: 1, ..Counters::default() }]);
    }

    fn books(ledger: &Ledger) -> Books {
        Books {
            units: ledger.units,
            owed: 0,
            orders: ledger.orders,
            orders_hash: ledger.orders_hash,
            money: Vec::new(),
        }
    }

    #[test]
    fn units_move_as_orders_do() {
        let mut ledger = Ledger::default();
        ledger.receive(10);
        reserve_unit(&mut ledger, order(1));
        let lines = [Counters { committed: 2, cancelled: 1, ..Counters::default() }, Counters::default()];
        ledger.add(order(2), State::Confirmed, &lines);
        ledger.write_off(3);
        assert_eq!(ledger.units, [-10, 4, 1, 2, 0, 3, 0, 0, 0, 0]);
        assert_eq!((ledger.orders[State::PendingPayment as usize], ledger.orders[State::Confirmed as usize]), (1, 1));
        ledger.remove(order(2), State::Confirmed, &lines);
        assert_eq!(ledger.units, [-10, 6, 1, 0, 0, 3, 0, 0, 0, 0]);
        assert_eq!(ledger.units.iter().sum::<i64>(), 0, "double entry");
    }

    #[test]
    fn whatever_differs_is_named() {
        let mut ledger = Ledger::default();
        ledger.receive(10);
        reserve_unit(&mut ledger, order(1));
        assert_eq!(ledger.differences(&books(&ledger)), Vec::<String>::new());
        let mut other = Ledger::default();
        other.receive(10);
        reserve_unit(&mut other, order(2));
        let found = ledger.differences(&books(&other));
        assert!(found.len() == 1 && found[0].starts_with("orders_hash: "), "{found:?}");
        reserve_unit(&mut other, order(3));
        let found = ledger.differences(&books(&other)).join("\n");
        for word in ["units available: 9 by our count, 8", "units reserved: 1", "orders pending_payment: 1"] {
            assert!(found.contains(word), "{found}");
        }
    }

    #[test]
    fn money_is_right_to_the_penny_or_named() {
        let exactly = Money::Exactly { authorised: 9, captured: 8, refunded: 3 };
        for (money, theirs, is_right) in [
            (Money::default(), [0; 4], true),
            (Money::default(), [1, 0, 0, 0], false),
            (exactly, [9, 8, 3, 0], true),
            (exactly, [9, 8, 4, 0], false),
            (exactly, [9, 8, 3, 1], false),
            (Money::Kept(5), [9, 8, 3, 0], true),
            (Money::Kept(5), [7, 8, 3, 0], false),
            (Money::Kept(5), [9, 8, 2, 0], false),
            (Money::Kept(5), [9, 8, 3, 2], false),
        ] {
            let found = money.difference(theirs, "the books");
            assert_eq!(found.is_none(), is_right, "{theirs:?}: {found:?}");
        }
    }

    #[test]
    fn the_hash_of_one_line_is_laid_out_as_that_of_many() {
        let line = Counters { reserved: 1, lapsed: 2, committed: 3, shipped: 4, cancelled: 5, returned: 1 };
        let mut bytes = order(7).bits().to_le_bytes().to_vec();
        bytes.push(State::Fulfilling as u8);
        for counter in [15_u32, 1, 2, 3, 4, 5] {
            bytes.extend(counter.to_le_bytes());
        }
        assert_eq!(order_hash(order(7), State::Fulfilling, &[line]), xxh3_128(&bytes));
        bytes.extend([0; 24]);
        let two = order_hash(order(7), State::Fulfilling, &[line, Counters::default()]);
        assert_eq!(two, xxh3_128(&bytes));
    }
}
