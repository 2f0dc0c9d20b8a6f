//! What the rules say must happen: stock left, and what each customer could still give back.
//!
//! Knows nothing of the server. Each step of the file goes in once, in order; what comes out is what the server must
//! answer, and what must be sent to cancel.
//!
//! # Always true
//! - Units taken and not cancelled, plus units available, are the units received (the replay's books check it again).
//! # Not here
//! - Write-offs: they take nothing that was ever for sale (`replay`, "Write-offs").

use std::collections::HashMap;

use stockade::base::CustomerKey;

use super::shop::{Basket, Shop, SkuIndex};

/// Units of one order line to cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Take {
    /// Which order, counted from 0 in the order of placement.
    pub(crate) order: usize,
    /// Position of the line in the order.
    pub(crate) line: u16,
    /// At least 1.
    pub(crate) quantity: u32,
}

/// The shop's stock and its customers' purchases.
#[derive(Debug)]
pub(crate) struct Model {
    available: Vec<u64>,
    orders: usize,
    /// What was taken and not yet cancelled, the latest last; lines of nothing are left out.
    bought: HashMap<(CustomerKey, SkuIndex), Vec<Take>>,
}

/// Units of a SKU to receive before anything is sold: floor(demand x (100 - short) / 100).
pub(crate) fn stock_of(demand: u64, short_percent: u8) -> u64 {
    let kept = u128::from(demand) * u128::from(100_u8.saturating_sub(short_percent)) / 100;
    u64::try_from(kept).expect("law: a share of a number is no larger than the number")
}

impl Model {
    /// Before the first step.
    pub(crate) fn new(shop: &Shop, short_percent: u8) -> Self {
        let available = shop.demand.iter().map(|&demand| stock_of(demand, short_percent)).collect();
        Self { available, orders: 0, bought: HashMap::new() }
    }

    /// Places an order, taking what exists, lines in order; what each line gets. All zero: the order is refused.
    pub(crate) fn place(&mut self, basket: &Basket) -> Vec<u32> {
        let order = self.orders;
        self.orders += 1;
        let taken: Vec<u32> = basket.lines.iter().map(|line| self.take(line.sku, line.quantity)).collect();
        if basket.customer != CustomerKey(0) {
            for (line, (at, &quantity)) in (0_u16..).zip(basket.lines.iter().zip(&taken)) {
                if quantity > 0 {
                    let theirs = self.bought.entry((basket.customer, at.sku)).or_default();
                    theirs.push(Take { order, line, quantity });
                }
            }
        }
        taken
    }

    fn take(&mut self, sku: SkuIndex, asked: u32) -> u32 {
        let taken = u32::try_from(self.available[sku]).map_or(asked, |available| available.min(asked));
        self.available[sku] -= u64::from(taken);
        taken
    }

    /// Takes `wanted` units back from the customer's latest earlier orders, latest first, as far as they go.
    pub(crate) fn cancel(&mut self, customer: CustomerKey, sku: SkuIndex, wanted: u32) -> Vec<Take> {
        let mut takes = Vec::new();
        let mut left = wanted;
        let Some(theirs) = self.bought.get_mut(&(customer, sku)) else { return takes };
        while let Some(last) = theirs.last_mut().filter(|_| left > 0) {
            let quantity = last.quantity.min(left);
            takes.push(Take { quantity, ..*last });
            left -= quantity;
            last.quantity -= quantity;
            if last.quantity == 0 {
                theirs.pop();
            }
        }
        self.available[sku] += u64::from(wanted - left);
        takes
    }

    /// Units not sold, all SKUs together.
    #[cfg(test)]
    fn available(&self) -> u64 {
        self.available.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::class::{ByReason, Class};
    use super::super::shop::{Step, tests::shop};
    use super::*;

    /// Classes the rules give to a file, in words; classes without a line left out.
    fn check(short_percent: u8, lines: &str, expected: &str) {
        let shop = shop(lines);
        let mut model = Model::new(&shop, short_percent);
        let received = model.available();
        let mut by_reason = shop.settled.clone();
        let mut held = 0;
        for step in &shop.steps {
            held += step_units(&mut model, step, &mut by_reason);
        }
        let words: Vec<String> = Class::ALL
            .iter()
            .filter(|class| by_reason.of(**class) > 0)
            .map(|class| format!("{}={}", class.name(), by_reason.of(*class)))
            .collect();
        assert_eq!(words.join(" "), expected, "{lines}");
        assert_eq!(by_reason.lines(), shop.lines, "every line ends in one class");
        assert_eq!(i128::from(received), i128::from(model.available()) + held, "no unit appears or vanishes");
    }

    fn step_units(model: &mut Model, step: &Step, by_reason: &mut ByReason) -> i128 {
        match step {
            Step::Order(basket) => {
                let taken = model.place(basket);
                for (line, &taken) in basket.lines.iter().zip(&taken) {
                    by_reason.count(Class::of_order_line(line.quantity, taken));
                }
                taken.iter().map(|&units| i128::from(units)).sum()
            }
            Step::Cancellation { customer, sku, quantity, .. } => {
                let found = model.cancel(*customer, *sku, *quantity).iter().map(|take| take.quantity).sum();
                by_reason.count(Class::of_cancellation(*quantity, found));
                -i128::from(found)
            }
            Step::WriteOff { .. } => {
                by_reason.count(Class::WriteOff);
                0
            }
            Step::EndOfDay => 0,
        }
    }

    #[test]
    fn stock_is_the_floor_of_a_share_of_the_demand() {
        for (demand, short_percent, stock) in [(100, 5, 95), (1, 5, 0), (19, 5, 18), (0, 5, 0), (7, 0, 7), (7, 100, 0)]
        {
            assert_eq!(stock_of(demand, short_percent), stock, "{demand} short {short_percent} %");
        }
        assert_eq!(stock_of(u64::MAX, 0), u64::MAX);
    }

    #[test]
    fn lines_take_what_exists_in_file_order() {
        check(50, "1,a,x,3,t,1,7,F\n2,a,x,5,t,1,8,F\n3,a,x,1,t,1,9,F\n", "reserved=1 partly_reserved=1 sold_out=1");
        check(0, "1,a,x,3,t,1,7,F\n2,a,x,5,t,1,8,F\n3,a,x,1,t,1,9,F\n", "reserved=3");
        check(100, "1,a,x,3,t,1,7,F\n", "sold_out=1");
    }

    #[test]
    fn a_sku_twice_in_an_order_is_served_line_by_line() {
        check(25, "1,a,x,2,t,1,7,F\n1,a,x,2,t,1,7,F\n", "reserved=1 partly_reserved=1");
        check(50, "1,a,x,2,t,1,7,F\n1,a,x,2,t,1,7,F\n", "reserved=1 sold_out=1");
    }

    #[test]
    fn an_order_that_is_apart_takes_everything_at_its_first_line() {
        check(50, "1,a,x,1,t,1,7,F\n2,a,x,2,t,1,8,F\n1,a,x,1,t,1,7,F\n", "reserved=2 sold_out=1");
    }

    #[test]
    fn a_cancellation_goes_backwards_over_several_orders() {
        let bought = "1,a,x,2,t,1,7,F\n2,a,x,3,t,1,7,F\n3,a,x,9,t,1,8,F\n";
        check(0, &format!("{bought}C4,a,x,-4,t,1,7,F\n"), "reserved=3 cancellation_matched=1");
        check(0, &format!("{bought}C4,a,x,-6,t,1,7,F\n"), "reserved=3 cancellation_partly_matched=1");
        let twice = format!("{bought}C4,a,x,-4,t,1,7,F\nC5,a,x,-1,t,1,7,F\nC6,a,x,-1,t,1,7,F\n");
        check(0, &twice, "reserved=3 cancellation_matched=2 cancellation_unmatched=1");
    }

    #[test]
    fn the_latest_order_gives_first() {
        let shop = shop("1,a,x,2,t,1,7,F\n2,a,x,1,t,1,7,F\n2,a,x,1,t,1,7,F\n");
        let mut model = Model::new(&shop, 0);
        let baskets = shop.steps.iter().filter_map(|step| if let Step::Order(it) = step { Some(it) } else { None });
        let customers: Vec<CustomerKey> = baskets.inspect(|it| drop(model.place(it))).map(|it| it.customer).collect();
        let takes = model.cancel(customers[0], 0, 3);
        let parts: Vec<(usize, u16, u32)> = takes.iter().map(|take| (take.order, take.line, take.quantity)).collect();
        assert_eq!(parts, [(1, 1, 1), (1, 0, 1), (0, 0, 1)]);
    }

    #[test]
    fn only_what_was_taken_can_be_cancelled_and_then_sells_again() {
        let lines = "1,a,x,9,t,1,7,F\nC2,a,x,-9,t,1,7,F\n3,a,x,1,t,1,8,F\n";
        check(50, lines, "reserved=1 partly_reserved=1 cancellation_partly_matched=1");
    }

    #[test]
    fn a_cancellation_before_its_order_or_of_another_customer_or_code_finds_nothing() {
        check(0, "C1,a,x,-1,t,1,7,F\n2,a,x,1,t,1,7,F\n", "reserved=1 cancellation_unmatched=1");
        check(0, "2,a,x,1,t,1,7,F\nC3,a,x,-1,t,1,8,F\n", "reserved=1 cancellation_unmatched=1");
        check(0, "2,a,x,1,t,1,7,F\nC3,A,x,-1,t,1,7,F\n", "reserved=1 cancellation_unmatched=1");
        check(0, "2,a,x,1,t,1,,F\nC3,a,x,-1,t,1,,F\n", "reserved=1 cancellation_guest=1");
    }

    #[test]
    fn a_huge_order_is_cancelled_whole() {
        let lines = "1,a,x,74215,t,1.04,7,F\nC2,a,x,-74215,t,1.04,7,F\n";
        check(0, lines, "reserved=1 cancellation_matched=1");
    }

    #[test]
    fn a_write_off_takes_nothing_that_was_for_sale() {
        check(0, "1,a,x,5,t,0,,F\n2,a,x,-5,t,0,,F\n3,a,x,5,t,1,7,F\n", "reserved=2 write_off=1");
        check(0, "2,a,x,-5,t,0,,F\n", "write_off=1");
    }
}
