//! `snapshot`: a server that runs makes a snapshot now, before a backup or an upgrade, so that the next start is short.

use std::fmt;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::fault::CliFault;
use super::local::log_directory;
use super::output::{Form, show};
use crate::node::SnapshotWishes;
use crate::wal::{self, Fault, FileDisk};

/// What there is now.
#[derive(Debug, Serialize)]
struct Report {
    /// The newest image holds everything before this segment.
    image_before_segment: u64,
    /// There was nothing to be added to the image before it.
    nothing_new: bool,
    seconds: f64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { image_before_segment, nothing_new, seconds } = self;
        match nothing_new {
            true => writeln!(f, "nothing was written since the image before segment {image_before_segment}"),
            false => writeln!(f, "the image before segment {image_before_segment} was made in {seconds:.1} s"),
        }
    }
}

pub(super) fn snapshot(data: &Path, form: Form) -> Result<(), CliFault> {
    let disk = FileDisk::new(&log_directory(data));
    let is_served = || matches!(wal::check_free(&disk), Err(Fault::InUse { .. }));
    if !is_served() {
        return Err(CliFault::usage(format!(
            "no server runs on {}: a snapshot is made by the server, while it runs",
            data.display()
        )));
    }
    let (before, begun) = (wal::images_on(&disk)?.last().copied(), Instant::now());
    // A name that nobody else uses: whoever runs now has another number.
    SnapshotWishes::of(data).ask(std::process::id().into(), is_served)?;
    let after = wal::images_on(&disk)?.last().copied();
    // A server on which nothing ever happened has no image, and needs none.
    let (image_before_segment, nothing_new) = (after.unwrap_or(1), after == before);
    show(form, &Report { image_before_segment, nothing_new, seconds: begun.elapsed().as_secs_f64() });
    Ok(())
}
