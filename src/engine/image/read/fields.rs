//! The fields of an item, taken one by one from the front of a part.
//!
//! # Always true
//! - A field that is not there, or is none of what it may be, is an error and nothing else.

use super::super::ImageError;
use crate::base::limits::MARKETS_MAX;
use crate::base::{MarketId, Timestamp};

pub(super) type Read<T> = Result<T, ImageError>;

const SHORT: ImageError = ImageError::new("an item runs past the end of its part");

/// What is left of a part.
pub(super) struct Fields<'p> {
    pub(super) rest: &'p [u8],
}

impl<'p> Fields<'p> {
    pub(super) fn bytes<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (bytes, rest) = self.rest.split_first_chunk().ok_or(SHORT)?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub(super) fn byte(&mut self) -> Read<u8> {
        self.bytes::<1>().map(|[byte]| byte)
    }

    pub(super) fn flag(&mut self) -> Read<bool> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ImageError::new("a flag is neither 0 nor 1")),
        }
    }

    pub(super) fn u16(&mut self) -> Read<u16> {
        self.bytes().map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self) -> Read<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    pub(super) fn u64(&mut self) -> Read<u64> {
        self.bytes().map(u64::from_le_bytes)
    }

    pub(super) fn u128(&mut self) -> Read<u128> {
        self.bytes().map(u128::from_le_bytes)
    }

    pub(super) fn time(&mut self) -> Read<Timestamp> {
        self.u64().map(Timestamp::from_ms)
    }

    pub(super) fn blob(&mut self) -> Read<&'p [u8]> {
        let len = usize::from(self.u16()?);
        let (blob, rest) = self.rest.split_at_checked(len).ok_or(SHORT)?;
        self.rest = rest;
        Ok(blob)
    }

    pub(super) fn text(&mut self) -> Read<&'p str> {
        core::str::from_utf8(self.blob()?).map_err(|_| ImageError::new("a code is no UTF-8"))
    }

    pub(super) fn market(&mut self) -> Read<MarketId> {
        let number = MarketId::new(self.u32()?).filter(|market| market.number() as usize <= MARKETS_MAX);
        number.ok_or(ImageError::new("a market has no such number"))
    }

    /// How many of something follow.
    pub(super) fn count(&mut self, max: usize) -> Read<usize> {
        let count = usize::from(self.u16()?);
        if count <= max { Ok(count) } else { Err(ImageError::new("an item holds more than it may")) }
    }
}
