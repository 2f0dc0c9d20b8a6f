//! The tally of a drive: every order sent is answered exactly once.
//!
//! ```text
//! open ─► slot (frame in flight) ─ reply, reply, … ─► all answered ─► slot free
//! ```
//!
//! # Always true
//! - A slot knows which of its orders were answered; an answer to anything else is an error.
//! - Nothing is kept of an answered order but its share of the sums, and a small sample.
//! # Not here
//! - What an answer must be: `sums`.

use hdrhistogram::Histogram;
use stockade::base::Timestamp;
use stockade::wire::{FrameError, decode_replies};

use super::sums::Sums;
use super::template::Goods;
use crate::latency;

/// One accepted order of so many replaces an older one of the sample. A prime, so that frames do not resonate with it.
const SAMPLE_EVERY: u64 = 97;

/// Sums of a drive.
pub(crate) struct Tally {
    goods: Goods,
    slots: Vec<Slot>,
    free: Vec<u32>,
    serial: u32,
    open_orders: u64,
    pub(crate) sums: Sums,
    pub(crate) accepted_sample: Vec<Accepted>,
    sample_max: usize,
}

/// An order that was accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Accepted {
    pub(crate) n: u64,
    pub(crate) made_at: Timestamp,
    pub(crate) number: u64,
}

/// A frame in flight.
#[derive(Debug, Default)]
struct Slot {
    /// 0: free.
    correlation: u64,
    first: u64,
    made_at: Timestamp,
    /// When it should have been sent, in nanoseconds of the drive.
    intended_ns: u64,
    orders: u16,
    open: u16,
    /// A bit an order.
    answered: Vec<u64>,
}

impl Tally {
    /// Keeps up to `sample_max` accepted orders, spread over the drive, to look at again.
    pub(crate) fn new(goods: Goods, sample_max: usize) -> Self {
        Self {
            goods,
            slots: Vec::new(),
            free: Vec::new(),
            serial: 0,
            open_orders: 0,
            sums: Sums::default(),
            accepted_sample: Vec::new(),
            sample_max,
        }
    }

    /// Goes on from the sums of an earlier drive of the same goods.
    pub(crate) fn resume(mut self, sums: Sums) -> Self {
        self.sums = sums;
        self
    }

    /// A frame is about to be sent; its correlation id.
    pub(crate) fn open(&mut self, first: u64, orders: u16, made_at: Timestamp, intended_ns: u64) -> u64 {
        let at = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot::default());
            u32::try_from(self.slots.len() - 1).expect("law: fewer than 2^32 frames are in flight")
        });
        self.serial = self.serial.wrapping_add(1).max(1);
        let slot = &mut self.slots[at as usize];
        slot.correlation = u64::from(self.serial) << 32 | u64::from(at);
        (slot.first, slot.made_at, slot.intended_ns) = (first, made_at, intended_ns);
        (slot.orders, slot.open) = (orders, orders);
        slot.answered.clear();
        slot.answered.resize(usize::from(orders).div_ceil(64), 0);
        self.open_orders += u64::from(orders);
        slot.correlation
    }

    pub(crate) const fn open_orders(&self) -> u64 {
        self.open_orders
    }

    /// Takes one reply frame; how many orders of frames that are now complete it answered.
    pub(crate) fn take_frame(&mut self, frame: &[u8], now_ns: u64) -> Result<u64, FrameError> {
        let Self { goods, slots, free, open_orders, sums, accepted_sample, sample_max, .. } = self;
        let mut completed = 0;
        let mut run = Run { intended_ns: 0, replies: 0 };
        decode_replies(frame, |correlation, index, reply| {
            let Some(slot) = settle(slots, correlation, index) else {
                sums.errors.add(|| format!("a reply nobody waits for: {correlation:x} index {index}: {reply:?}"));
                return;
            };
            run.extend(slot.intended_ns, now_ns, &mut sums.latencies);
            let n = slot.first + u64::from(index);
            if let Some(number) = sums.take(goods, n, slot.made_at, &reply) {
                latency::record(&mut sums.accepted_latencies, now_ns.saturating_sub(slot.intended_ns), 1);
                keep(accepted_sample, *sample_max, Accepted { n, made_at: slot.made_at, number });
            }
            *open_orders -= 1;
            if slot.open == 0 {
                slot.correlation = 0;
                free.push((correlation & u64::from(u32::MAX)) as u32);
                completed += u64::from(slot.orders);
            }
        })?;
        run.flush(now_ns, &mut sums.latencies);
        sums.last_answer_ns = now_ns;
        Ok(completed)
    }

    /// Orders that were sent and not answered: number and log time of their identifier.
    pub(crate) fn unanswered(&self) -> Vec<(u64, Timestamp)> {
        let in_flight = self.slots.iter().filter(|slot| slot.correlation != 0);
        in_flight
            .flat_map(|slot| (0..slot.orders).map(move |index| (slot, index)))
            .filter(|(slot, index)| !slot.is_answered(*index))
            .map(|(slot, index)| (slot.first + u64::from(index), slot.made_at))
            .collect()
    }
}

/// Keeps the first so many, then now and then one instead of an older one.
fn keep(sample: &mut Vec<Accepted>, sample_max: usize, accepted: Accepted) {
    if sample.len() < sample_max {
        sample.push(accepted);
    } else if sample_max > 0 && accepted.number.is_multiple_of(SAMPLE_EVERY) {
        let at = (accepted.number / SAMPLE_EVERY) % sample_max as u64;
        sample[at as usize] = accepted;
    }
}

/// Marks an order as answered and finds its frame; `None` when it is not waiting.
fn settle(slots: &mut [Slot], correlation: u64, index: u16) -> Option<&mut Slot> {
    let slot = slots.get_mut(slot_of(correlation))?;
    if slot.settle(correlation, index) { Some(slot) } else { None }
}

/// A correlation id is a serial number over the place of its slot.
const fn slot_of(correlation: u64) -> usize {
    (correlation & u32::MAX as u64) as usize
}

impl Slot {
    /// Marks an order as answered; false when it is not waiting.
    fn settle(&mut self, correlation: u64, index: u16) -> bool {
        if self.correlation != correlation || index >= self.orders || self.is_answered(index) {
            return false;
        }
        self.answered[usize::from(index / 64)] |= 1 << (index % 64);
        self.open -= 1;
        true
    }

    fn is_answered(&self, index: u16) -> bool {
        self.answered[usize::from(index / 64)] >> (index % 64) & 1 == 1
    }
}

/// Replies in a row that waited for the same frame: one entry in the histogram instead of a thousand.
struct Run {
    intended_ns: u64,
    replies: u64,
}

impl Run {
    fn extend(&mut self, intended_ns: u64, now_ns: u64, latencies: &mut Histogram<u64>) {
        if self.intended_ns != intended_ns {
            self.flush(now_ns, latencies);
            self.intended_ns = intended_ns;
        }
        self.replies += 1;
    }

    fn flush(&mut self, now_ns: u64, latencies: &mut Histogram<u64>) {
        latency::record(latencies, now_ns.saturating_sub(self.intended_ns), self.replies);
        self.replies = 0;
    }
}

#[cfg(test)]
mod tests {
    use stockade::base::SkuId;
    use stockade::engine::{Answer, Refusal};
    use stockade::wire::{Refused, ReplyWriter, Tag};

    use super::super::sums::tests::{accepted, goods};
    use super::*;

    fn reply(tags: &[(u64, u16)], answer: impl Fn(u16) -> Result<Answer, Refused>) -> Vec<u8> {
        let mut writer = ReplyWriter::new(Vec::new());
        writer.begin(Timestamp::from_ms(60));
        for (correlation, index) in tags {
            let tag = Tag { correlation: *correlation, index: *index, expires_at_ms: 0 };
            match answer(*index) {
                Ok(answer) => writer.answer(tag, &answer, &[]),
                Err(refused) => writer.refuse(tag, &refused),
            }
        }
        writer.finish()
    }

    #[test]
    fn every_order_is_answered_exactly_once() {
        let mut tally = Tally::new(goods(), 10);
        let frame = tally.open(0, 3, Timestamp::from_ms(5), 100);
        let other = tally.open(3, 1, Timestamp::from_ms(5), 100);
        let part = reply(&[(frame, 2), (other, 0)], |index| Ok(accepted(u64::from(index) + 1)));
        assert_eq!(tally.take_frame(&part, 1_100), Ok(1), "the other frame is complete");
        assert_eq!(tally.unanswered(), [(0, Timestamp::from_ms(5)), (1, Timestamp::from_ms(5))]);
        let sold_out = Refused::Engine(Refusal::SoldOut { sku: SkuId(7), asked: 1, available: 0 });
        assert_eq!(tally.take_frame(&reply(&[(frame, 0), (frame, 1)], |_| Err(sold_out)), 2_100), Ok(3));
        let sums = &tally.sums;
        assert_eq!((sums.answered, sums.reserved, sums.sold_out, sums.errors.count()), (4, 2, 2, 0));
        assert_eq!((sums.latencies.len(), tally.open_orders(), tally.accepted_sample.len()), (4, 0, 2));
        for stray in [(frame, 0), (other, 0), (frame, 3), (77, 0)] {
            let before = tally.sums.errors.count();
            assert_eq!(tally.take_frame(&reply(&[stray], |_| Err(sold_out)), 3_000), Ok(0));
            assert_eq!(tally.sums.errors.count(), before + 1, "{stray:?}");
        }
    }
}
