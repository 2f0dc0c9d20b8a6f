//! What a market counts of whoever places orders, written.

use super::super::super::policy::CustomerId;
use super::super::super::velocity::{Slice, Velocities, Velocity};
use super::{Fields, Item, Writer, count16};
use crate::base::{MarketId, Timestamp};

pub(super) fn write_velocities<E>(to: &mut Writer<'_, E>, number: MarketId, counted: &Velocities) -> Result<(), E> {
    let Velocity { window_ms, keys_max } = counted.setting;
    to.item(Item::Velocity, |item| {
        item.u32(number.number()).u32(window_ms).u32(keys_max).u64(counted.since.ms());
        write_moment(item, counted.forgotten);
    })?;
    for (CustomerId { kind, key }, counts) in counted.iter() {
        let slices: Vec<_> = counted.slices_of(counts).collect();
        to.item(Item::VelocityKey, |item| {
            item.u32(number.number()).byte(kind).u128(key).bytes(&counts.currency.code()).u64(counts.last_at.ms());
            write_moment(item, counts.forgotten);
            item.u16(count16(slices.len()));
            for (number, Slice { orders, other_currency, money }) in slices {
                item.u64(number).u32(orders).u32(other_currency).u64(money);
            }
        })?;
    }
    Ok(())
}

fn write_moment(item: &mut Fields<'_>, at: Option<Timestamp>) {
    item.byte(u8::from(at.is_some())).u64(at.unwrap_or_default().ms());
}
