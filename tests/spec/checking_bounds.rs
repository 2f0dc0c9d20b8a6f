//! What may be said of a check, and of which orders.

use stockade::base::OrderId;
use stockade::base::limits::FRAME_BYTES_MAX;
use stockade::engine::{AsideReason, Command, Effect, Report};
use stockade::wire::{FrameDecoder, FrameWriter, Intake, Part, Refused, Request, RequestHeader, RequestSink, Tag};

use crate::rig::{MARKET, START};
use crate::script::check;

#[test]
fn what_is_not_said_of_payment_or_release_is_refused_and_changes_nothing() {
    check(
        "
        receive  mug 5
        effects  payment release check     -> set
        place    o1 mug*1                  -> #1 pending_payment
        place    o2 mug*1 cod              -> #2 in_review
        report   o2 check 1 done           -> confirmed moved=0
        report   o1 payment 1 rejected     -> no: illegal pending_payment
        report   o1 payment 1 review       -> no: illegal pending_payment
        report   o2 release 1 rejected     -> no: illegal confirmed
        report   o2 release 1 review       -> no: illegal confirmed
        order    o1                        -> pending_payment mug reserved=1
        order    o2                        -> confirmed mug committed=1
        wanted   payment                   -> o1 charge 1 amount=100
        wanted   payment aside             -> nothing
        wanted   release                   -> o2 release 1 amount=100
        wanted   release aside             -> nothing
        history  o1                        -> placed 0 n=1
        report   o1 check 0 done           -> no: out_of_bounds Attempt
        report   o1 check 2 rejected       -> no: out_of_bounds Attempt
        check    o1                        -> pending
        report   o9 check 1 done           -> no: unknown_order
        block    o8
        report   o8 check 1 done           -> no: unknown_order
    ",
    );
}

#[test]
fn whom_nobody_was_to_check_when_it_was_placed_nobody_checks() {
    check(
        "
        receive  mug 5
        place    o1 mug*1 cod              -> #1 confirmed
        effects  release check             -> set
        effects  release check             -> set again
        check    o1                        -> not_needed
        place    o2 mug*1 cod              -> #2 in_review
        effects  release                   -> set
        place    o3 mug*1 cod              -> #3 confirmed
        check    o3                        -> not_needed
        check    o2                        -> pending
        wanted   check                     -> o2 check 1 amount=100
        report   o1 check 1 rejected       -> confirmed moved=0 again
        report   o3 check 1 rejected       -> confirmed moved=0 again
        report   o3 check 7 review         -> confirmed moved=0 again
        order    o3                        -> confirmed mug committed=1
        report   o2 check 1 rejected       -> cancelled moved=1
    ",
    );
}

/// What came of each record of a frame: whose report it was, or why it is none.
#[derive(Default)]
struct Came(Vec<Result<(Effect, Report), Refused>>);

impl RequestSink for Came {
    fn request(&mut self, _tag: Tag, request: &Request<'_>) -> Intake {
        let Request::Command(Command::ReportEffect { effect, report, .. }) = *request else { panic!("{request:?}") };
        self.0.push(Ok((effect, report)));
        Intake::Taken
    }

    fn status(&mut self, tag: Tag) -> Intake {
        panic!("nobody asked for a status: {tag:?}");
    }

    fn refused(&mut self, _tag: Tag, why: Refused) -> Intake {
        self.0.push(Err(why));
        Intake::Taken
    }
}

#[test]
fn verdicts_of_payment_or_release_are_malformed_and_everything_else_arrives() {
    let aside = [AsideReason::TriesUsedUp, AsideReason::Refused, AsideReason::Review].map(Report::SetAside);
    let reports = [Report::Done, Report::Resumed, Report::Rejected].into_iter().chain(aside);
    let sent: Vec<_> = reports.flat_map(|report| Effect::ALL.map(|effect| (effect, report))).collect();
    let order = OrderId::new(START, MARKET, 1);
    let mut frames = FrameWriter::default();
    frames.begin(1, 0);
    for (effect, report) in &sent {
        let command = Command::ReportEffect { order, effect: *effect, attempt: 1, report: *report };
        frames.push(&command).expect("there is room");
    }
    let bytes = frames.finish();
    let header = RequestHeader::parse(bytes, FRAME_BYTES_MAX).expect("a frame").expect("all of it");
    let mut came = Came::default();
    FrameDecoder::default().decode(&header, bytes, 0, &mut came).expect("whole records");
    let is_of_checks = |report| matches!(report, Report::Rejected | Report::SetAside(AsideReason::Review));
    let expected: Vec<_> = sent
        .into_iter()
        .map(|(effect, report)| match effect != Effect::Check && is_of_checks(report) {
            true => Err(Refused::Malformed { field: Part::Report as u8 }),
            false => Ok((effect, report)),
        })
        .collect();
    assert_eq!(expected.iter().filter(|came| came.is_err()).count(), 4);
    assert_eq!(came.0, expected);
}
