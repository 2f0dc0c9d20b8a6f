//! What people read: refusals say what was wrong and what is allowed, and their numbers never move.

use super::samples::Ingredients;
use crate::wire::{CloseCode, FrameError, Part, Refused};

#[test]
fn every_refusal_has_its_number_forever() {
    let numbers: Vec<_> = Ingredients::example().refusals().iter().map(Refused::number).collect();
    let expected: Vec<u16> = (1..=26).chain([28, 27, 30, 31, 32, 33]).chain(64..=70).collect();
    assert_eq!(numbers, expected);
}

#[test]
fn every_refusal_says_something_of_its_own() {
    let mut texts: Vec<_> = Ingredients::example().refusals().iter().map(ToString::to_string).collect();
    assert!(texts.iter().all(|text| text.len() > 15), "{texts:?}");
    let count = texts.len();
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), count);
}

#[test]
fn refusals_tell_the_values_and_what_is_allowed() {
    use crate::base::SkuId;
    use crate::engine::Refusal;
    use crate::engine::order::State;
    use crate::engine::refusal::Field;
    let says = |refused: Refused| refused.to_string();
    assert_eq!(
        says(Refusal::SoldOut { sku: SkuId(7), asked: 3, available: 1 }.into()),
        "sold out: SKU 7 has 1 available, 3 asked"
    );
    assert_eq!(
        says(Refusal::OutOfBounds { field: Field::Lines, min: 1, max: 2_048 }.into()),
        "the number of lines must be 1 to 2048"
    );
    let state = State::PendingPayment;
    assert_eq!(
        says(Refusal::IllegalState { state, legal: state.legal() }.into()),
        "the order is pending_payment; legal now: confirm, cancel, hold, start a payment"
    );
    let state = State::Cancelled;
    assert_eq!(
        says(Refusal::IllegalState { state, legal: state.legal() }.into()),
        "the order is cancelled; legal now: nothing"
    );
    assert_eq!(says(Refused::Malformed { field: 200 }), "malformed record: part 200");
}

#[test]
fn close_codes_keep_their_numbers() {
    let error = FrameError::UnknownVersion { found: 9 };
    assert_eq!(error.to_string(), "a frame of protocol version 9; this side speaks version 1");
    assert_eq!(error.close_code(), CloseCode::UnknownVersion);
    let codes = [
        CloseCode::Done,
        CloseCode::FrameTooLong,
        CloseCode::FrameTooShort,
        CloseCode::UnknownVersion,
        CloseCode::UnknownFrameKind,
        CloseCode::RecordLength,
        CloseCode::RecordCount,
        CloseCode::TooManyCommands,
        CloseCode::Reserved,
        CloseCode::FrameTimeout,
        CloseCode::ShuttingDown,
        CloseCode::TooManyConnections,
        CloseCode::UnreadableReply,
        CloseCode::UnexpectedStream,
        CloseCode::Internal,
        CloseCode::ReplyTimeout,
        CloseCode::TooManyGaps,
    ];
    assert_eq!(codes.map(CloseCode::number).to_vec(), (0..17).collect::<Vec<_>>());
}

#[test]
fn every_part_keeps_its_number_and_has_a_rule() {
    let numbers: Vec<_> = Part::ALL.iter().map(|part| *part as u8).collect();
    assert_eq!(numbers, (1..=19).chain(22..=31).collect::<Vec<_>>());
    for part in Part::ALL {
        assert_eq!(Part::from_byte(*part as u8), Some(*part));
        assert!(!part.rule().is_empty());
    }
}
