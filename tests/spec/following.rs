//! How far sinks have got is part of the state: kept, never taken back, and bounded.

use stockade::base::Sequence;
use stockade::base::limits::CURSORS_MAX;
use stockade::engine::{Capacity, Command, Cursor, Refusal};

use crate::rig::Rig;

fn cursor(rig: &Rig, sink: &str) -> Option<Cursor> {
    rig.engine.cursors().find(|(known, _)| *known == sink).map(|(_, cursor)| cursor)
}

#[test]
fn a_cursor_goes_forward_only_and_one_that_moved_on_is_not_detached() {
    let mut rig = Rig::new(Capacity::default());
    let sink = "erp";
    for upto in [5, 9, 7] {
        rig.submit(&Command::MoveCursor { sink, upto: Sequence(upto) }).expect("taken note of");
    }
    assert_eq!(cursor(&rig, sink), Some(Cursor { upto: Sequence(9), attached: true }));
    rig.submit(&Command::DetachCursor { sink, upto: Sequence(5) }).expect("too late");
    assert_eq!(cursor(&rig, sink), Some(Cursor { upto: Sequence(9), attached: true }));
    rig.submit(&Command::DetachCursor { sink, upto: Sequence(9) }).expect("it stands still");
    assert_eq!(cursor(&rig, sink), Some(Cursor { upto: Sequence(9), attached: false }));
    rig.submit(&Command::MoveCursor { sink, upto: Sequence(9) }).expect("it is back");
    assert_eq!(cursor(&rig, sink), Some(Cursor { upto: Sequence(9), attached: true }));
    rig.submit(&Command::DetachCursor { sink: "nobody", upto: Sequence(9) }).expect("nobody to detach");
    assert_eq!(cursor(&rig, "nobody"), None);
    rig.check_everything();
    rig.check_replica();
}

#[test]
fn a_shard_remembers_a_bounded_number_of_sinks() {
    let mut rig = Rig::new(Capacity::default());
    let names: Vec<String> = (0..=CURSORS_MAX).map(|number| format!("sink-{number}")).collect();
    for sink in &names[..CURSORS_MAX] {
        rig.submit(&Command::MoveCursor { sink, upto: Sequence(1) }).expect("there is room");
    }
    let one_more = rig.submit(&Command::MoveCursor { sink: &names[CURSORS_MAX], upto: Sequence(1) });
    assert_eq!(one_more, Err(Refusal::AtCapacity));
    rig.submit(&Command::MoveCursor { sink: &names[3], upto: Sequence(2) }).expect("a known one goes on");
    rig.check_everything();
    rig.check_replica();
}
