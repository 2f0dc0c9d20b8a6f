//! Chance: a small, fast, seeded generator, and the two draws a run needs.
//!
//! Seeded so that a run can be repeated; not for secrets.

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Chance {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// 64 bits.
    pub(crate) const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number from `least` up to and with `most`. The bias of the remainder is far below what a test can see.
    pub(crate) const fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.draw() % (most - least + 1)
    }

    /// Nanoseconds to the next arrival of a Poisson process of `rate` a second.
    pub(crate) fn gap_ns(&mut self, rate: f64) -> f64 {
        // 53 bits, never zero: the logarithm stays finite.
        let uniform = ((self.draw() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        -uniform.ln() / rate * 1e9
    }
}

/// Spreads `n` over all 64 bits; a bijection.
pub(crate) const fn mix(n: u64) -> u64 {
    let n = (n ^ (n >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    n ^ (n >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_draws_the_published_numbers() {
        let mut chance = Chance::new(1_234_567);
        let drawn = [chance.draw(), chance.draw(), chance.draw()];
        assert_eq!(drawn, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn gaps_have_the_mean_of_their_rate() {
        let mut chance = Chance::new(1);
        let mean = (0..100_000).map(|_| chance.gap_ns(1_000.0)).sum::<f64>() / 100_000.0;
        assert!((0.99e6..1.01e6).contains(&mean), "{mean} ns");
    }

    #[test]
    fn a_draw_stays_between_its_bounds_and_reaches_both() {
        let mut chance = Chance::new(2);
        let drawn: Vec<u64> = (0..1_000).map(|_| chance.between(50, 53)).collect();
        assert_eq!((drawn.iter().min(), drawn.iter().max()), (Some(&50), Some(&53)));
    }
}
