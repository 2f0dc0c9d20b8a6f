//! Whether anybody but its owner may read a key file.
//!
//! # Why so
//! The node makes its files readable by their owner alone. One that was copied here by hand may have lost that, and
//! nobody looks at permissions unless told to.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::Fault;
use super::fault::Attempt;
use super::file;
use crate::base::ShardId;

/// Looks at the key files there are.
///
/// # Errors
/// [`Fault::Open`].
pub fn check_private(dir: &Path, shards: u16) -> Result<(), Fault> {
    for shard in (0..shards).map(ShardId) {
        let path = dir.join(file::name(shard));
        let file = path.display().to_string();
        let mode = match fs::metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            found => found.attempt("look at", &file)?.permissions().mode() & 0o777,
        };
        if mode & 0o077 != 0 {
            return Err(Fault::Open { file, mode });
        }
    }
    Ok(())
}
