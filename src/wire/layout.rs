//! How a record lies in bytes: a fixed struct, then arrays, then blobs, then zeroes up to a multiple of eight.
//!
//! ```text
//! ┌──────┬─────────┬──────────────┬───────────────┬────────┬───────┬────────┐
//! │ kind │ version │ length / 8   │ fields of kind│ arrays │ blobs │ zeroes │
//! │  u8  │   u8    │     u16      │     fixed     │        │       │  0..7  │
//! └──────┴─────────┴──────────────┴───────────────┴────────┴───────┴────────┘
//! ```
//!
//! # Always true
//! - Every fixed struct is made of little-endian integers without alignment, so it has no gaps and any address will do.
//! - Nothing is read that was not checked: struct and elements through rkyv's checked access, lengths by [`Body`].
//! # Why so
//! rkyv 0.8 has no evolution and its pointers need validation; structs without pointers need none, any other program
//! can read them from a table, and a new version is a new struct.

use rkyv::api::low::{LowValidator, access};
use rkyv::api::serialize_using;
use rkyv::bytecheck::CheckBytes;
use rkyv::rancor::{Failure, Strategy};
use rkyv::{Portable, SerializeUnsized};

use super::refused::{Part, Refused};

/// Defines fixed structs and pins the size of each.
macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident as $archived:ident, $size:literal { $($field:ident: $type:ty,)* })*) => {$(
        $(#[$doc])*
        #[derive(rkyv::Archive, rkyv::Serialize)]
        #[rkyv(archived = $archived)]
        pub(super) struct $name {
            $(pub(super) $field: $type,)*
        }

        const _: () = assert!(size_of::<$archived>() == $size, "a layout changed: bump its version");
    )*};
}
pub(super) use fixed;

/// Defines the kinds of one number space.
macro_rules! kinds {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $number:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(super) enum $name {
            $($variant = $number,)*
        }

        impl $name {
            /// The kind with this number.
            pub(super) const fn from_byte(byte: u8) -> Option<Self> {
                match byte {
                    $($number => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}
pub(super) use kinds;

fixed! {
    /// Every record begins with this.
    RecordHead as ArchivedRecordHead, 4 {
        kind: u8,
        version: u8,
        words: u16,
    }
}

/// The version of every record so far.
pub const RECORD_VERSION: u8 = 1;

impl RecordHead {
    /// The head of a record of `bytes` bytes, padding included.
    pub(super) fn new(kind: u8, bytes: usize) -> Self {
        debug_assert_eq!(bytes % 8, 0, "law: a record is a whole number of words");
        Self { kind, version: RECORD_VERSION, words: u16::try_from(bytes / 8).unwrap_or(u16::MAX) }
    }
}

/// What a fixed struct needs so that [`put`] can write it.
pub(super) trait Writable: SerializeUnsized<Strategy<Vec<u8>, Failure>> {}
impl<T: SerializeUnsized<Strategy<Vec<u8>, Failure>>> Writable for T {}

/// What an archived struct needs so that [`get`] can read it.
pub(super) trait Readable: Portable + for<'v> CheckBytes<LowValidator<'v, Failure>> {}
impl<T: Portable + for<'v> CheckBytes<LowValidator<'v, Failure>>> Readable for T {}

/// Appends a fixed struct.
pub(super) fn put(out: &mut Vec<u8>, value: &impl Writable) {
    serialize_using::<Vec<u8>, Failure>(value, out).expect("law: a vector takes every byte");
}

/// Appends every element of an array.
pub(super) fn put_all<T: Writable>(out: &mut Vec<u8>, values: impl IntoIterator<Item = T>) {
    values.into_iter().for_each(|value| put(out, &value));
}

/// Reads a fixed struct at the beginning of `bytes`; `None` when there are too few.
pub(super) fn get<T: Readable>(bytes: &[u8]) -> Option<&T> {
    access::<T, Failure>(bytes.get(..size_of::<T>())?).ok()
}

/// `bytes` and its padding.
pub(super) const fn padded(bytes: usize) -> usize {
    bytes.next_multiple_of(8)
}

/// Appends the zeroes that complete a record which began at `start`.
pub(super) fn pad(out: &mut Vec<u8>, start: usize) {
    let end = start + padded(out.len() - start);
    // Eight bytes and a cut are two plain stores; a fill of zero to seven bytes is a call.
    out.extend_from_slice(&[0; 8]);
    out.truncate(end);
}

/// A part of a record that is not as it must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Malformed(pub(super) Part);

impl From<Malformed> for Refused {
    fn from(Malformed(part): Malformed) -> Self {
        Self::Malformed { field: part as u8 }
    }
}

/// The bytes of a record behind its fixed struct, taken from the front.
pub(super) struct Body<'a> {
    rest: &'a [u8],
}

impl<'a> Body<'a> {
    /// Splits a record into its fixed struct and what follows.
    pub(super) fn of<T: Readable>(record: &'a [u8]) -> Result<(&'a T, Self), Malformed> {
        let fixed = get::<T>(record).ok_or(Malformed(Part::Length))?;
        let rest = record.get(size_of::<T>()..).ok_or(Malformed(Part::Length))?;
        Ok((fixed, Self { rest }))
    }

    /// A record that is nothing but its fixed struct.
    pub(super) fn alone<T: Readable>(record: &'a [u8]) -> Result<&'a T, Malformed> {
        let (fixed, body) = Self::of::<T>(record)?;
        body.end()?;
        Ok(fixed)
    }

    /// The next `len` bytes.
    pub(super) fn blob(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (blob, rest) = self.rest.split_at_checked(len).ok_or(Malformed(Part::Length))?;
        self.rest = rest;
        Ok(blob)
    }

    /// The next `len` bytes, which must be UTF-8.
    pub(super) fn text(&mut self, len: usize) -> Result<&'a str, Malformed> {
        core::str::from_utf8(self.blob(len)?).map_err(|_| Malformed(Part::Code))
    }

    /// The next fixed struct.
    pub(super) fn one<T: Readable>(&mut self) -> Result<&'a T, Malformed> {
        get::<T>(self.blob(size_of::<T>())?).ok_or(Malformed(Part::Length))
    }

    /// Appends the next `count` elements to `out`.
    pub(super) fn array<T: Readable + 'a, U>(
        &mut self,
        count: usize,
        out: &mut Vec<U>,
        mut convert: impl FnMut(&'a T) -> Result<U, Malformed>,
    ) -> Result<(), Malformed> {
        let bytes = self.blob(count * size_of::<T>())?;
        out.reserve(count);
        for element in bytes.chunks_exact(size_of::<T>()) {
            out.push(convert(get::<T>(element).ok_or(Malformed(Part::Length))?)?);
        }
        Ok(())
    }

    /// Nothing may be left but the zeroes up to the next word.
    pub(super) fn end(self) -> Result<(), Malformed> {
        if self.rest.len() >= 8 {
            return Err(Malformed(Part::Length));
        }
        if self.rest.iter().any(|byte| *byte != 0) {
            return Err(Malformed(Part::Padding));
        }
        Ok(())
    }
}

/// The first record of `bytes` and what follows it; `None` when its length is zero or runs past the end.
pub(super) fn split_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let [_, _, low, high, ..] = *bytes else { return None };
    let len = usize::from(u16::from_le_bytes([low, high])) * 8;
    if len == 0 { None } else { bytes.split_at_checked(len) }
}

/// Kind and version of a record that [`split_record`] cut out.
pub(super) const fn kind_and_version(record: &[u8]) -> (u8, u8) {
    match *record {
        [kind, version, ..] => (kind, version),
        _ => (0, 0),
    }
}
