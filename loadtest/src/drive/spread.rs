//! Which of many SKUs an order asks: all alike, or some far more than others, as shoppers do.
//!
//! Popularity follows Zipf's law: the SKU of rank k is asked in proportion to 1 / k^s. Drawn by rejection-inversion
//! (Wolfgang Hörmann, Gerhard Derflinger: "Rejection-inversion to generate variates from monotone discrete
//! distributions", ACM TOMACS 6/3, 1996), which needs no table, however many SKUs there are.
//!
//! # Always true
//! - What order `n` asks follows from `n` and the seed: whoever looks again finds the same.

use crate::chance::{Chance, mix};

/// How orders spread over SKUs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Spread {
    /// How many there are.
    pub(crate) skus: u32,
    /// `None`: all alike.
    zipf: Option<Zipf>,
}

/// Constants of the method, for one exponent and one number of ranks.
#[derive(Debug, Clone, Copy)]
struct Zipf {
    exponent: f64,
    /// Where the integral of the hat begins and ends.
    begin: f64,
    end: f64,
    /// Below it a candidate needs no look at the hat.
    squeeze: f64,
}

/// A prime above any number of SKUs: ranks lie scattered over the SKUs, and none twice.
const SCATTER: u64 = 2_654_435_761;

impl Spread {
    /// An exponent of zero makes all SKUs alike.
    pub(crate) fn new(skus: u32, exponent: f64) -> Self {
        let zipf = (exponent > 0.0).then(|| {
            let mut zipf = Zipf { exponent, begin: 0.0, end: 0.0, squeeze: 0.0 };
            zipf.begin = zipf.integral(1.5) - 1.0;
            zipf.end = zipf.integral(f64::from(skus) + 0.5);
            zipf.squeeze = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.hat(2.0));
            zipf
        });
        Self { skus, zipf }
    }

    /// Which SKU order `n` asks, from 0.
    pub(crate) fn sku_of(&self, n: u64, seed: u64) -> u32 {
        let mut chance = Chance::new(mix(n ^ mix(seed)));
        let rank = match &self.zipf {
            None => chance.draw() % u64::from(self.skus),
            Some(zipf) => zipf.draw(self.skus, &mut chance) - 1,
        };
        (rank * SCATTER % u64::from(self.skus)) as u32
    }
}

impl Zipf {
    /// A rank from 1.
    fn draw(&self, skus: u32, chance: &mut Chance) -> u64 {
        loop {
            let uniform = (chance.draw() >> 11) as f64 / (1_u64 << 53) as f64;
            let area = self.end + uniform * (self.begin - self.end);
            let at = self.inverse(area);
            let rank = at.round().clamp(1.0, f64::from(skus));
            if rank - at <= self.squeeze || area >= self.integral(rank + 0.5) - self.hat(rank) {
                return rank as u64;
            }
        }
    }

    /// 1 / x^s.
    fn hat(&self, x: f64) -> f64 {
        (-self.exponent * x.ln()).exp()
    }

    /// Its integral from 1 to x: (x^(1-s) - 1) / (1-s), or ln x.
    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        let scaled = (1.0 - self.exponent) * log;
        let ratio = if scaled.abs() > 1e-8 { scaled.exp_m1() / scaled } else { 1.0 + scaled / 2.0 };
        ratio * log
    }

    fn inverse(&self, area: f64) -> f64 {
        let scaled = (area * (1.0 - self.exponent)).max(-1.0);
        let ratio = if scaled.abs() > 1e-8 { scaled.ln_1p() / scaled } else { 1.0 - scaled / 2.0 };
        (ratio * area).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(spread: Spread, orders: u64) -> Vec<u64> {
        let mut counts = vec![0; spread.skus as usize];
        (0..orders).for_each(|n| counts[spread.sku_of(n, 7) as usize] += 1);
        counts.sort_unstable();
        counts.reverse();
        counts
    }

    #[test]
    fn ranks_are_asked_in_proportion_to_a_power_of_them() {
        const ORDERS: u64 = 400_000;
        for exponent in [0.5, 1.0, 1.3, 2.0] {
            let counts = counts(Spread::new(50, exponent), ORDERS);
            let weights: Vec<f64> = (1..=50).map(|rank| f64::from(rank).powf(-exponent)).collect();
            let sum: f64 = weights.iter().sum();
            for (count, weight) in counts.iter().zip(weights).take(10) {
                let expected = weight / sum * ORDERS as f64;
                // Five standard deviations, and a little for neighbours that change places.
                let off = 5.0 * expected.sqrt() + 0.01 * expected;
                assert!((*count as f64 - expected).abs() < off, "{exponent}: {count} for {expected:.0}");
            }
        }
    }

    #[test]
    fn without_an_exponent_all_are_alike_and_every_one_is_asked() {
        let counts = counts(Spread::new(1_000, 0.0), 1_000_000);
        assert!(counts.iter().all(|count| (840..=1_160).contains(count)), "{:?}", (counts[0], counts[999]));
        assert_eq!(Spread::new(1, 1.0).sku_of(5, 9), 0);
    }

    #[test]
    fn the_same_order_asks_the_same_again() {
        let spread = Spread::new(400_000, 1.1);
        for n in 0..1_000 {
            let sku = spread.sku_of(n, 3);
            assert!(sku < 400_000 && sku == spread.sku_of(n, 3));
        }
    }
}
