//! Lists of codes (SKU codes, site codes), packed: all their text in one piece, and where each of them ends.
//!
//! # Why so
//! A list of `&str` cannot be kept beside the text it points into; a packed one can, and costs no allocation per code.

use core::fmt;

/// Some codes, borrowed.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Codes<'a> {
    text: &'a str,
    ends: &'a [u32],
}

impl<'a> Codes<'a> {
    /// Puts a list together: code `i` ends at byte `ends[i]` of `text` and begins where the one before it ends.
    ///
    /// `None` when the ends do not rise to exactly the end of `text`, or cut a character.
    #[must_use]
    pub fn new(text: &'a str, ends: &'a [u32]) -> Option<Self> {
        let rises = ends.is_sorted() && ends.iter().all(|end| text.is_char_boundary(*end as usize));
        let last = ends.last().map_or(0, |end| *end as usize);
        (rises && last == text.len()).then_some(Self { text, ends })
    }

    /// How many.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All their text in one piece.
    #[must_use]
    pub const fn text(&self) -> &'a str {
        self.text
    }

    /// Where each ends in [`Codes::text`].
    #[must_use]
    pub const fn ends(&self) -> &'a [u32] {
        self.ends
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        let text = self.text;
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let code = &text[start..*end as usize];
            start = *end as usize;
            code
        })
    }
}

impl fmt::Debug for Codes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// Some codes, owned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CodeList {
    text: String,
    ends: Vec<u32>,
}

impl CodeList {
    /// Appends one.
    ///
    /// # Panics
    /// When all codes together pass 4 GiB.
    pub fn push(&mut self, code: &str) {
        self.text.push_str(code);
        self.ends.push(u32::try_from(self.text.len()).expect("law: a list of codes stays below 4 GiB"));
    }

    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        self.text.clear();
        self.ends.clear();
    }

    /// Borrows them.
    #[must_use]
    pub fn codes(&self) -> Codes<'_> {
        Codes { text: &self.text, ends: &self.ends }
    }
}

impl<'c> FromIterator<&'c str> for CodeList {
    fn from_iter<I: IntoIterator<Item = &'c str>>(codes: I) -> Self {
        let mut list = Self::default();
        codes.into_iter().for_each(|code| list.push(code));
        list
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_gives_back_its_codes() {
        let list: CodeList = ["85123A", "", "é"].into_iter().collect();
        assert_eq!(list.codes().iter().collect::<Vec<_>>(), ["85123A", "", "é"]);
        assert_eq!(list.codes().len(), 3);
    }

    #[test]
    fn ends_that_fall_or_cut_a_character_or_miss_the_end_are_refused() {
        assert!(Codes::new("abé", &[1, 2, 4]).is_some());
        for bad in [&[2, 1, 4][..], &[1, 3, 4], &[1, 2], &[1, 9], &[]] {
            assert_eq!(Codes::new("abé", bad), None, "{bad:?}");
        }
    }
}
