//! Histories beside a list of everything, and what cannot have been there.

use super::*;

const AT: Timestamp = Timestamp::from_ms(1_760_000_000_000);

/// Every entry ever noted, and which of them should still be there.
#[derive(Default)]
struct Model {
    /// By order: what is kept, oldest first: the place it was noted at, counted from the first ever, and its value.
    orders: Vec<Vec<(u64, u64)>>,
    noted: Vec<u64>,
    places: u64,
}

impl Model {
    fn add(&mut self, order: usize, value: u64, ring: u64) {
        let kept = &mut self.orders[order];
        kept.retain(|(place, _)| self.places - place <= ring);
        self.noted[order] += 1;
        if kept.is_empty() && self.noted[order] > 1 {
            // It only knows that something was lost, and not how much.
            self.noted[order] = 2;
        }
        if self.noted[order] as usize <= HISTORY_ENTRIES_MAX {
            kept.push((self.places, value));
            self.places += 1;
            return;
        }
        let first = kept.len().saturating_sub(HISTORY_LAST_ENTRIES_MAX);
        for at in first..kept.len() - 1 {
            kept[at].1 = kept[at + 1].1;
        }
        kept.last_mut().expect("it is not empty").1 = value;
    }

    fn shown(&self, order: usize, ring: u64) -> Vec<u64> {
        let is_kept = |(place, _): &&(u64, u64)| self.places - place <= ring;
        self.orders[order].iter().filter(is_kept).map(|(_, value)| *value).collect()
    }
}

fn shown(histories: &Histories, newest: Newest, owner: u32) -> Vec<u64> {
    let mut values: Vec<u64> = histories.back(newest, owner).map(|past| past.value).collect();
    values.reverse();
    values
}

#[test]
fn what_is_kept_is_what_a_list_of_everything_says() {
    for (ring, orders) in [(64_u64, 3_usize), (64, 40), (256, 5), (1_024, 7)] {
        let mut histories = Histories::of(ring as usize);
        let mut newest = vec![Newest::NONE; orders];
        let mut model = Model { orders: vec![Vec::new(); orders], noted: vec![0; orders], places: 0 };
        let mut dice = 11_u64;
        for value in 0..20_000 {
            dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            // Most happens to the first, so that it has more than it may.
            let order = if dice >> 63 == 0 { 0 } else { (dice >> 33) as usize % orders };
            histories.add((&mut newest[order], order as u32), Happening::Extended, AT, (NO_LINE, value));
            model.add(order, value, ring);
            let looked_at = (dice >> 20) as usize % orders;
            let (found, expected) =
                (shown(&histories, newest[looked_at], looked_at as u32), model.shown(looked_at, ring));
            assert_eq!(found, expected, "order {looked_at} of {orders} in {ring} places after {value}");
            let last = histories.back(newest[order], order as u32).next().expect("just noted");
            assert_eq!(u64::from(last.ordinal), model.noted[order].min(u16::MAX.into()));
        }
    }
}

#[test]
fn an_order_at_the_position_of_one_that_left_has_nothing_of_its_past() {
    let mut histories = Histories::of(64);
    let mut newest = Newest::NONE;
    for value in 0..5 {
        histories.add((&mut newest, 3), Happening::Extended, AT, (NO_LINE, value));
    }
    let mut of_another = Newest::NONE;
    assert_eq!(shown(&histories, of_another, 3), [0; 0]);
    histories.add((&mut of_another, 3), Happening::Confirmed, AT, (NO_LINE, 9));
    let past: Vec<_> = histories.back(of_another, 3).collect();
    assert_eq!((past.len(), past[0].value, past[0].ordinal), (1, 9, 1));
}

#[test]
fn what_was_restored_gives_way_when_it_would_have() {
    let (mut histories, mut restored) = (Histories::of(64), Histories::of(64));
    let mut newest = [Newest::NONE; 9];
    for value in 0..150 {
        let order = value as usize * 7 % 9;
        histories.add((&mut newest[order], order as u32), Happening::Extended, AT, (NO_LINE, value));
    }
    let mut again: Vec<Newest> = (0..9)
        .map(|order| {
            let mut entries: Vec<Past> = histories.back(newest[order], order as u32).collect();
            entries.reverse();
            restored.restore(order as u32, &entries).expect("they were there")
        })
        .collect();
    for value in 150..400 {
        for order in 0..9 {
            let (left, right) =
                (histories.back(newest[order], order as u32), restored.back(again[order], order as u32));
            assert!(left.eq(right), "order {order} after {value}");
        }
        let order = (value as usize * 5) % 4;
        histories.add((&mut newest[order], order as u32), Happening::Extended, AT, (NO_LINE, value));
        restored.add((&mut again[order], order as u32), Happening::Extended, AT, (NO_LINE, value));
    }
    assert_eq!(shown(&histories, newest[8], 8), [0; 0], "the others' 64 are newer");
    assert!(!newest[8].is_none());
    histories.add((&mut newest[8], 8), Happening::Expired, AT, (NO_LINE, 1));
    assert_eq!(histories.back(newest[8], 8).next().map(|past| past.ordinal), Some(2), "that one more was is known");
}

#[test]
fn what_cannot_have_been_there_is_not_restored() {
    let past = |ordinal, age| Past {
        what: Happening::Confirmed,
        position: Sequence(5),
        at: AT,
        line: NO_LINE,
        value: 1,
        ordinal,
        age,
    };
    let restore = |entries: &[Past]| Histories::of(64).restore(1, entries);
    assert!(restore(&[past(1, 9), past(2, 3)]).is_some());
    assert!(restore(&[past(1, 3), past(2, 9)]).is_none(), "the later one is older");
    assert!(restore(&[past(2, 9), past(2, 3)]).is_none(), "two have one ordinal");
    assert!(restore(&[past(0, 9)]).is_none(), "ordinals begin with 1");
    assert!(restore(&[past(1, 64)]).is_none(), "it would have given way");
    let mut twice = Histories::of(64);
    assert!(twice.restore(1, &[past(1, 9)]).is_some());
    assert!(twice.restore(2, &[past(1, 9)]).is_none(), "two orders have one place");
    assert_eq!(twice.restore(3, &[]), Some(Newest::GONE));
}

#[test]
fn numbers_too_large_to_be_kept_stay_the_largest() {
    let mut histories = Histories::of(64);
    let mut newest = Newest::NONE;
    histories.stand_at(Sequence((1 << 56) - 1));
    histories.add((&mut newest, 0), Happening::ReleaseResumed, Timestamp::MAX, (2_047, u64::MAX));
    let past = histories.back(newest, 0).next().expect("just noted");
    assert_eq!((past.what, past.position.0, past.line), (Happening::ReleaseResumed, (1 << 56) - 1, 2_047));
    assert_eq!((past.at, past.value), (Timestamp::MAX, EXACT_UPTO));
}
