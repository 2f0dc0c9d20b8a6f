//! What markets count of whoever places orders, read back.

use super::super::super::Engine;
use super::super::super::policy::CustomerId;
use super::super::super::velocity::{Slice, Velocities, Velocity};
use super::super::ImageError;
use super::{Fields, Read};
use crate::base::limits::{VELOCITY_KEYS_MAX, VELOCITY_SLICES, VELOCITY_WINDOW_MS_MAX, VELOCITY_WINDOW_MS_MIN};
use crate::base::{Currency, Timestamp};

impl Engine {
    pub(super) fn read_velocity(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let market = self.open_market_mut(item.market()?)?;
        let setting = Velocity { window_ms: item.u32()?, keys_max: item.u32()? };
        let (since, forgotten) = (item.time()?, read_moment(item)?);
        let is_bounded = (VELOCITY_WINDOW_MS_MIN..=VELOCITY_WINDOW_MS_MAX).contains(&setting.window_ms)
            && (1..=VELOCITY_KEYS_MAX).contains(&setting.keys_max);
        if !is_bounded || market.velocities.is_some() {
            return Err(ImageError::new("a market counts in no window, or no keys, or twice"));
        }
        let mut velocities = Velocities::new(setting, since);
        velocities.forgotten = forgotten;
        market.velocities = Some(Box::new(velocities));
        self.velocity_keys += u64::from(setting.keys_max);
        Ok(())
    }

    pub(super) fn read_velocity_key(&mut self, item: &mut Fields<'_>) -> Read<()> {
        let id = item.market()?;
        let key = CustomerId { kind: item.byte()?, key: item.u128()? };
        let currency = Currency::new([item.byte()?, item.byte()?, item.byte()?]);
        let currency = currency.map_err(|_| ImageError::new("a currency is none"))?;
        let (last_at, forgotten) = (item.time()?, read_moment(item)?);
        let mut slices = Vec::new();
        for _ in 0..item.count(VELOCITY_SLICES as usize + 1)? {
            let (number, orders, other_currency) = (item.u64()?, item.u32()?, item.u32()?);
            slices.push((number, Slice { orders, other_currency, money: item.u64()? }));
        }
        let market = self.open_market_mut(id)?;
        let is_key = key.key != 0 && (key.kind == 0 || key.kind <= 3 && key.key <= u64::MAX.into());
        let counted = market.velocities.as_mut().filter(|_| is_key);
        let restored = counted.and_then(|it| it.restore(key, (currency, last_at, forgotten), &slices));
        restored.ok_or(ImageError::new("a key is counted where none is, or twice, or in disorder"))
    }
}

/// A moment, or that there is none.
fn read_moment(item: &mut Fields<'_>) -> Read<Option<Timestamp>> {
    let (is_there, at) = (item.flag()?, item.time()?);
    Ok(is_there.then_some(at))
}
