//! An account as records carry it: the same 3 bytes in a request and in a fact.

use super::layout::{Malformed, fixed};
use super::refused::Part;
use crate::base::SiteId;
use crate::engine::ledger::{Account, Bucket};

fixed! {
    /// A bucket at a site.
    AccountPart as ArchivedAccountPart, 3 {
        site: u16,
        bucket: u8,
    }
}

impl From<Account> for AccountPart {
    fn from(Account { site, bucket }: Account) -> Self {
        Self { site: site.0, bucket: bucket as u8 }
    }
}

impl ArchivedAccountPart {
    pub(super) fn read(&self) -> Result<Account, Malformed> {
        let bucket = Bucket::from_byte(self.bucket).ok_or(Malformed(Part::Bucket))?;
        Ok(Account { site: SiteId(self.site.to_native()), bucket })
    }
}
