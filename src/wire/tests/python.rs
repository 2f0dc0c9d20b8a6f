//! The independent client of `docs/WIRE-PROTOCOL.md` (Python, nothing but `struct`) writes and reads our bytes.

use std::io::Write as _;
use std::process::{Command as Process, Stdio};

use super::golden::hex;
use crate::base::{Currency, CustomerKey, MarketId, OrderId, OrderNumber, SkuId, Timestamp};
use crate::engine::choices::{PaymentMethod, Take};
use crate::engine::order::State;
use crate::engine::{Answer, Command, Granted, Line, Place, Refusal};
use crate::wire::{FrameWriter, ReplyWriter, Tag};

/// The one Python block of the document.
fn snippet() -> &'static str {
    let document = include_str!("../../../docs/WIRE-PROTOCOL.md");
    let (_, behind) = document.split_once("```python\n").expect("the document has a Python client");
    behind.split_once("```").expect("the block ends").0
}

/// Runs the snippet with more lines behind it; `None` when there is no Python here.
fn python(check: &str) -> Option<String> {
    let spawned = Process::new("python3").arg("-").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let Ok(mut child) = spawned else {
        let text = "\n*** NOT RUN: python3 was not found; the client of docs/WIRE-PROTOCOL.md was not checked ***\n";
        // Past the capture of the test harness, on purpose.
        std::io::stderr().write_all(text.as_bytes()).expect("standard error is open");
        return None;
    };
    let script = format!("{}\n{check}\n", snippet());
    child.stdin.take().expect("piped").write_all(script.as_bytes()).expect("python reads its script");
    let output = child.wait_with_output().expect("python ends");
    assert!(output.status.success(), "the snippet fails");
    Some(String::from_utf8(output.stdout).expect("it prints text").trim().to_owned())
}

#[test]
fn the_documents_client_writes_the_bytes_of_ours() {
    let order = OrderId::new(Timestamp::from_ms(1_800_000_000_000), MarketId::new(1).expect("fits"), 42);
    let lines = [Line { sku: SkuId(7), quantity: 2, price: 1_299 }, Line { sku: SkuId(8), quantity: 1, price: 0 }];
    let place = Place {
        order,
        customer: CustomerKey(5),
        take: Take::WhatExists,
        hold_ms: 600_000,
        currency: Currency::new(*b"GBP").expect("a currency"),
        payment: PaymentMethod::Card,
        channel: 3,
        zone: 44,
        hashes: None,
        lines: &lines,
        details: b"to the back door",
        key: None,
    };
    let mut writer = FrameWriter::default();
    writer.begin(99, 2_500);
    writer.push(&Command::Place(place)).expect("fits");
    let check = "record = encode_place(new_order_id(1_800_000_000_000, 1, 42), 5, [(7, 2, 1299), (8, 1, 0)], \
                 hold_ms=600_000, take=1, payment=1, channel=3, zone=44, details=b'to the back door')\n\
                 print(request_frame(99, [record], deadline_ms=2500).hex())";
    if let Some(printed) = python(check) {
        assert_eq!(printed, hex(writer.finish()));
    }
}

#[test]
fn the_documents_client_reads_the_replies_of_our_server() {
    let placed = |short| Answer::Placed {
        number: OrderNumber(17),
        accepted_at: Timestamp::from_ms(1_800_000_000_001),
        deadline: Timestamp::from_ms(1_800_000_600_001),
        state: State::PendingPayment,
        short,
        owed: short,
        repeated: !short,
    };
    let mut writer = ReplyWriter::default();
    writer.begin(Timestamp::from_ms(1_800_000_000_002));
    let tag = |index| Tag { correlation: 99, index, expires_at_ms: 0 };
    writer.answer(tag(0), &placed(false), &[]);
    writer.answer(tag(1), &placed(true), &[Granted { taken: 2, owed: 1 }, Granted::default()]);
    writer.refuse(tag(2), &Refusal::SoldOut { sku: SkuId(7), asked: 2, available: 1 }.into());
    let check = format!("for reply in decode_replies(bytes.fromhex('{}')): print(reply)", hex(&writer.finish()));
    if let Some(printed) = python(&check) {
        let expected = "\
            (99, 0, 'placed', {'number': 17, 'accepted_at': 1800000000001, 'deadline': 1800000600001, \
            'state': 1, 'repeated': True})\n\
            (99, 1, 'placed in part', {'number': 17, 'accepted_at': 1800000000001, 'deadline': 1800000600001, \
            'state': 1, 'repeated': False, 'short': True, 'owed': True, 'lines': [(2, 1), (0, 0)]})\n\
            (99, 2, 'refused', {'number': 6, 'state': 0, 'small': 0, 'medium': 7, 'first': 2, 'second': 1})";
        assert_eq!(printed, expected);
    }
}
