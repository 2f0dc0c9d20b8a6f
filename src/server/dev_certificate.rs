//! The certificate a server on loopback makes for itself, so that the first start needs no arguments.
//!
//! ```text
//! DATA/dev/cert.pem   given to clients: --ca DATA/dev/cert.pem
//! DATA/dev/key.pem    0600, made once, reused at every later start
//! ```
//!
//! # Always true
//! - Neither file is ever replaced, and a pair with one half missing is an error: a new key behind an old certificate
//!   would lock out every client that trusts it.
//! # Why so
//! The certificate is not an authority (it can sign nothing) and names only this machine, so trusting it trusts whoever
//! can read one file of one directory. It does not run out: nobody renews what nobody knows about.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::ServerFault;

/// Where the two files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DevCertificate {
    /// The certificate.
    pub cert: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

impl DevCertificate {
    /// Where the files of a data directory are, whether they exist or not.
    #[must_use]
    pub fn paths(data: &Path) -> Self {
        let dir = data.join("dev");
        Self { cert: dir.join("cert.pem"), key: dir.join("key.pem") }
    }

    /// The files of a data directory, made if neither exists.
    ///
    /// # Errors
    /// [`ServerFault::DevCertificate`] when they cannot be made, [`ServerFault::DevCertificateHalf`] when only one is
    /// there.
    pub fn load_or_make(data: &Path) -> Result<Self, ServerFault> {
        let paths = Self::paths(data);
        match (paths.cert.exists(), paths.key.exists()) {
            (true, true) => Ok(paths),
            (false, false) => paths.make(),
            (true, false) => Err(ServerFault::DevCertificateHalf { present: paths.cert, missing: paths.key }),
            (false, true) => Err(ServerFault::DevCertificateHalf { present: paths.key, missing: paths.cert }),
        }
    }

    fn make(self) -> Result<Self, ServerFault> {
        let names = ["localhost", "127.0.0.1", "::1"].map(String::from);
        let fault = |path: &Path, source| ServerFault::DevCertificate { path: path.to_path_buf(), source };
        let made = rcgen::generate_simple_self_signed(names)
            .map_err(|error| fault(&self.cert, io::Error::other(error.to_string())))?;
        let dir = self.cert.parent().expect("the path was joined from a directory and a name");
        DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|source| fault(dir, source))?;
        write_new(&self.key, 0o600, &made.signing_key.serialize_pem()).map_err(|source| fault(&self.key, source))?;
        write_new(&self.cert, 0o644, &made.cert.pem()).map_err(|source| fault(&self.cert, source))?;
        Ok(self)
    }
}

/// Writes a file that did not exist, so that it is either whole or not there under its name.
fn write_new(path: &Path, mode: u32, text: &str) -> io::Result<()> {
    let unfinished = path.with_extension("pem.tmp");
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(&unfinished)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    fs::rename(&unfinished, path)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_pair_is_made_once_and_the_key_is_for_its_owner_alone() {
        let data = tempfile::tempdir().expect("a directory");
        let first = DevCertificate::load_or_make(data.path()).expect("made");
        let mode = fs::metadata(&first.key).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let before = fs::read(&first.key).expect("there");
        assert_eq!(DevCertificate::load_or_make(data.path()).expect("reused"), first);
        assert_eq!(fs::read(&first.key).expect("there"), before);
    }

    #[test]
    fn half_a_pair_is_an_error_that_names_the_missing_file() {
        let data = tempfile::tempdir().expect("a directory");
        let made = DevCertificate::load_or_make(data.path()).expect("made");
        fs::remove_file(&made.cert).expect("removed");
        let fault = DevCertificate::load_or_make(data.path()).expect_err("half a pair");
        assert!(fault.to_string().contains("cert.pem"), "{fault}");
    }
}
