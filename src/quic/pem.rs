//! Certificates and keys out of PEM text.

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// What was wrong with a PEM text. Whoever read it adds which file it was.
#[derive(Debug, thiserror::Error)]
pub enum PemFault {
    /// Nothing of the wanted kind is in it.
    #[error("it holds no {wanted}")]
    Missing {
        /// What was looked for.
        wanted: &'static str,
    },
    /// It is not PEM.
    #[error("it is not sound PEM: {0}")]
    Unsound(pem::Error),
    /// A certificate in it cannot be trusted as a root.
    #[error("a certificate in it cannot be used: {0}")]
    Certificate(#[from] rustls::Error),
}

/// Every certificate of the text, in order.
///
/// # Errors
/// [`PemFault`] when the text is damaged or holds none.
pub fn certificates(text: &[u8]) -> Result<Vec<CertificateDer<'static>>, PemFault> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(text).collect::<Result<_, _>>().map_err(PemFault::Unsound)?;
    if found.is_empty() { Err(PemFault::Missing { wanted: "certificate" }) } else { Ok(found) }
}

/// The first private key of the text.
///
/// # Errors
/// [`PemFault`] when the text is damaged or holds none.
pub fn private_key(text: &[u8]) -> Result<PrivateKeyDer<'static>, PemFault> {
    PrivateKeyDer::from_pem_slice(text).map_err(|error| match error {
        pem::Error::NoItemsFound => PemFault::Missing { wanted: "private key" },
        other => PemFault::Unsound(other),
    })
}

/// The certificates of the text as the roots to trust, and nothing else.
///
/// # Errors
/// [`PemFault`] when the text is damaged, holds none, or holds one that cannot be a root.
pub fn roots(text: &[u8]) -> Result<RootCertStore, PemFault> {
    let mut store = RootCertStore::empty();
    for certificate in certificates(text)? {
        store.add(certificate)?;
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_without_what_is_wanted_says_so() {
        assert!(matches!(certificates(b""), Err(PemFault::Missing { wanted: "certificate" })));
        assert!(matches!(private_key(b"hello"), Err(PemFault::Missing { wanted: "private key" })));
        let torn = b"-----BEGIN CERTIFICATE-----\nAAAA";
        assert!(matches!(certificates(torn), Err(PemFault::Unsound(_))));
    }
}
