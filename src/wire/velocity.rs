//! What a market counts of whoever places orders, in records: asked for, as a fact of the log, and told.

use super::effects::flag;
use super::layout::{Body, Malformed, RecordHead, fixed, put};
use super::refused::Part;
use super::reply::Reply;
use super::reply_decode::{Read, flags, stateless};
use super::reply_records::{AnswerHead, ArchivedAnswerHead};
use super::request_decode::{market, time};
use crate::base::{Currency, CustomerKey, MarketId};
use crate::engine::command::IdentityHashes;
use crate::engine::query::{VelocityCount, VelocityView};
use crate::engine::{Command, Fact, Query, Velocity};

fixed! {
    /// What a market is to count, or counts from here on.
    VelocitySetV1 as ArchivedVelocitySetV1, 16 {
        head: RecordHead,
        market: u32,
        window_ms: u32,
        keys_max: u32,
    }
    /// What somebody placed lately. A key that is zero is none.
    VelocityQueryV1 as ArchivedVelocityQueryV1, 48 {
        head: RecordHead,
        market: u32,
        customer: u128,
        account: u64,
        address: u64,
        instrument: u64,
    }
    /// What one key placed. Without orders the currency is three zeroes.
    VelocityCountPart as ArchivedVelocityCountPart, 20 {
        money: u64,
        orders: u32,
        other_currency: u32,
        currency: [u8; 3],
        incomplete: u8,
    }
    /// What the keys that were asked for placed.
    VelocityV1 as ArchivedVelocityV1, 120 {
        head: AnswerHead,
        window_ms: u32,
        keys_max: u32,
        from: u64,
        upto: u64,
        customer: VelocityCountPart,
        account: VelocityCountPart,
        address: VelocityCountPart,
        instrument: VelocityCountPart,
    }
}

/// Bytes of the record that sets what is counted, or tells that it was set.
pub(super) const VELOCITY_SET: usize = size_of::<ArchivedVelocitySetV1>();
/// Bytes of the record that asks what was counted.
pub(super) const VELOCITY_QUERY: usize = size_of::<ArchivedVelocityQueryV1>();
/// Bytes of the record that tells it.
pub(super) const VELOCITY: usize = size_of::<ArchivedVelocityV1>();

/// Appends what a market counts; `head` counts [`VELOCITY_SET`].
pub(super) fn put_velocity_set(head: RecordHead, market: MarketId, velocity: Velocity, out: &mut Vec<u8>) {
    let Velocity { window_ms, keys_max } = velocity;
    put(out, &VelocitySetV1 { head, market: market.number(), window_ms, keys_max });
}

/// Of which market what is counted.
fn read_velocity_set(record: &[u8]) -> Result<(MarketId, Velocity), Malformed> {
    let fixed = Body::alone::<ArchivedVelocitySetV1>(record)?;
    let velocity = Velocity { window_ms: fixed.window_ms.to_native(), keys_max: fixed.keys_max.to_native() };
    Ok((market(fixed.market.to_native())?, velocity))
}

/// What a market is to count, as a request asks it.
pub(super) fn set_velocity<'a>(record: &[u8]) -> Result<Command<'a>, Malformed> {
    read_velocity_set(record).map(|(market, velocity)| Command::SetVelocity { market, velocity })
}

/// What a market counts from here on, of a record of the log.
pub(super) fn velocity_set<'a>(record: &[u8]) -> Result<Fact<'a>, Malformed> {
    read_velocity_set(record).map(|(market, velocity)| Fact::VelocitySet { market, velocity })
}

/// Appends the question; `head` counts [`VELOCITY_QUERY`].
pub(super) fn put_velocity_query(
    head: RecordHead,
    market: MarketId,
    (customer, hashes): (CustomerKey, IdentityHashes),
    out: &mut Vec<u8>,
) {
    let IdentityHashes { account, address, instrument } = hashes;
    let (market, customer) = (market.number(), customer.0);
    put(out, &VelocityQueryV1 { head, market, customer, account, address, instrument });
}

/// The question.
pub(super) fn read_velocity_query<'a>(record: &[u8]) -> Result<Query<'a>, Malformed> {
    let fixed = Body::alone::<ArchivedVelocityQueryV1>(record)?;
    let (account, address) = (fixed.account.to_native(), fixed.address.to_native());
    Ok(Query::Velocity {
        market: market(fixed.market.to_native())?,
        customer: CustomerKey(fixed.customer.to_native()),
        hashes: IdentityHashes { account, address, instrument: fixed.instrument.to_native() },
    })
}

/// Appends what is told; `head` counts [`VELOCITY`].
pub(super) fn put_velocity(head: AnswerHead, view: &VelocityView, out: &mut Vec<u8>) {
    let VelocityView { velocity, from, upto, customer, account, address, instrument } = view;
    let Velocity { window_ms, keys_max } = *velocity;
    let (from, upto) = (from.ms(), upto.ms());
    let [customer, account, address, instrument] = [customer, account, address, instrument].map(Into::into);
    put(out, &VelocityV1 { head, window_ms, keys_max, from, upto, customer, account, address, instrument });
}

pub(super) fn velocity<'a>(head: &ArchivedAnswerHead, record: &'a [u8]) -> Read<Reply<'a>> {
    stateless(head)?;
    flags(head, 0)?;
    let fixed = Body::alone::<ArchivedVelocityV1>(record)?;
    Ok(Reply::Velocity(VelocityView {
        velocity: Velocity { window_ms: fixed.window_ms.to_native(), keys_max: fixed.keys_max.to_native() },
        from: time(fixed.from.to_native())?,
        upto: time(fixed.upto.to_native())?,
        customer: fixed.customer.read()?,
        account: fixed.account.read()?,
        address: fixed.address.read()?,
        instrument: fixed.instrument.read()?,
    }))
}

impl From<&VelocityCount> for VelocityCountPart {
    fn from(count: &VelocityCount) -> Self {
        let VelocityCount { orders, other_currency, money, currency, incomplete } = *count;
        let currency = currency.map(Currency::code).unwrap_or_default();
        Self { money, orders, other_currency, currency, incomplete: incomplete.into() }
    }
}

impl ArchivedVelocityCountPart {
    fn read(&self) -> Result<VelocityCount, Malformed> {
        let currency = match self.currency {
            [0, 0, 0] => None,
            code => Some(Currency::new(code).map_err(|_| Malformed(Part::Currency))?),
        };
        Ok(VelocityCount {
            orders: self.orders.to_native(),
            other_currency: self.other_currency.to_native(),
            money: self.money.to_native(),
            currency,
            incomplete: flag(self.incomplete)?,
        })
    }
}
