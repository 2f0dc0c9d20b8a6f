//! What a walk places: a basket, the same again, or nearly the same.

use stockade::base::{Currency, CustomerKey};
use stockade::engine::choices::{PaymentMethod, Take};
use stockade::engine::command::IdentityHashes;
use stockade::engine::{Command, Line, Place};

use super::Walk;

/// What a placement asks, kept so that it can be asked again.
#[derive(Clone)]
pub(super) struct Basket {
    customer: CustomerKey,
    take: Take,
    hold_ms: u32,
    currency: Currency,
    payment: PaymentMethod,
    channel: u16,
    hashes: Option<IdentityHashes>,
    lines: Vec<Line>,
    details: Vec<u8>,
}

impl Walk {
    pub(super) fn place(&mut self) {
        let order = self.order();
        let known = self.baskets.get(&order).cloned();
        let basket = match known {
            Some(basket) if !self.dice.once_in(4) => basket,
            Some(basket) if self.dice.once_in(2) => self.nearly(basket),
            _ => self.basket(),
        };
        self.baskets.insert(order, basket.clone());
        let Basket { customer, take, hold_ms, currency, payment, channel, hashes, lines, details } = &basket;
        self.submit(&Command::Place(Place {
            order,
            customer: *customer,
            take: *take,
            hold_ms: *hold_ms,
            currency: *currency,
            payment: *payment,
            channel: *channel,
            zone: 0,
            hashes: *hashes,
            lines,
            details,
            key: None,
        }));
    }

    fn basket(&mut self) -> Basket {
        let lines = (0..1 + self.dice.below(4)).map(|_| self.line()).collect();
        let hashes = IdentityHashes { account: 1, address: 0, instrument: self.dice.below(2) };
        Basket {
            customer: CustomerKey(self.dice.below(3).into()),
            take: if self.dice.once_in(3) { Take::WhatExists } else { Take::AllOrNothing },
            hold_ms: self.dice.pick(&[0, 1, 10, 50, 100, 300, 1_000, 100_000]),
            currency: Currency::new(self.dice.pick(&[*b"GBP", *b"GBP", *b"EUR"])).expect("both exist"),
            payment: self.dice.pick(&[PaymentMethod::Card, PaymentMethod::Card, PaymentMethod::CashOnDelivery]),
            channel: if self.caps { self.dice.below(4) as u16 } else { 0 },
            hashes: if self.dice.once_in(4) { Some(hashes) } else { None },
            lines,
            details: vec![b'x'; if self.dice.once_in(3) { self.dice.below(6) as usize } else { 0 }],
        }
    }

    fn line(&mut self) -> Line {
        let quantity = if self.dice.once_in(60) { 0 } else { 1 + self.dice.below(3) as u32 };
        Line { sku: self.sku(), quantity, price: self.dice.pick(&[0, 100, 100]) }
    }

    /// The same placement but for one thing.
    fn nearly(&mut self, mut basket: Basket) -> Basket {
        match self.dice.below(7) {
            0 => basket.channel += 1,
            1 => basket.details.push(b'y'),
            6 => basket.details.iter_mut().for_each(|byte| *byte ^= 1),
            2 => basket.lines.reverse(),
            3 => basket.hold_ms += 1,
            4 => basket.hashes = None,
            _ => basket.customer = CustomerKey(9),
        }
        basket
    }
}
