//! The decision table of recovery: what the first place without a sound frame means.
//!
//! ```text
//! row  segment  what is there      later in it        verdict    the physical fault behind it
//! ───  ───────  ─────────────────  ─────────────────  ─────────  ─────────────────────────────────────────────────
//!  1   newest   no room            (nothing)          end        none: the segment is exactly full
//!  2   newest   zeroes             zeroes             end        none: the log ends here
//!  3   newest   zeroes             bytes, no proof    cut        power cut: later blocks landed before the first
//!  4   newest   zeroes             proof              damage     a durable write was lost, or misdirected
//!  5   newest   broken header      no proof           cut        power cut: a shorn write of the last frame
//!  6   newest   broken header      proof              damage     bit rot in a durable header
//!  7   newest   broken body        no proof           cut        power cut: some blocks of the last frame landed
//!  8   newest   broken body        proof              damage     bit rot, or a lost block, in a durable body
//!  9   sealed   no room, zeroes,   (any)              damage     the next segment's header was written only after
//!               broken                                           all of this one was durable
//! 10   sealed   bytes after the    (any)              damage     bit rot, or a misdirected write, in zeroes that
//!               last frame                                       were durable
//! 11   any      misfit             (any)              damage     misdirected or stale write, foreign file, or a bug:
//!                                                                no torn write leaves sound checksums
//! ```
//!
//! *Proof* is a sound header of the same epoch, further on, whose `durable_upto` is at or past the frame expected here.
//! The epoch is random and never leaves the disk, so bytes that somebody ordered to be stored cannot pose as proof.
//!
//! # Always true
//! - A cut needs all of: the newest segment, no sound frame here, no proof. Everything else is the end or damage.
//! - The function sees observations only; it reads nothing and changes nothing.

/// What stands where the next frame was expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found {
    /// Less than a block up to the end of the segment.
    NoRoom,
    /// A block of zeroes.
    Blank,
    /// Not zeroes, and no header with a sound checksum.
    BrokenHeader,
    /// A sound header that fits, over a body whose checksum does not match.
    BrokenBody,
    /// Not zeroes, where a sealed segment must have nothing more.
    Trailing,
    /// Sound checksums, and yet not the frame that belongs here.
    Misfit(Misfit),
}

/// Why a sound frame does not belong where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    Epoch,
    Number,
    Chain,
    DurableUpto,
    Length,
    Padding,
    Entries,
    Gap,
}

/// What the rest of the segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Later {
    Zeroes,
    /// Bytes, but no proof that the frame expected here was ever durable.
    Bytes,
    /// A frame that was written knowing that the one expected here was durable.
    Proof,
}

/// All that a verdict rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Observation {
    /// No later segment has a sound header.
    pub(super) newest: bool,
    pub(super) found: Found,
    pub(super) later: Later,
}

/// What to do about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The log ends here, cleanly.
    End,
    /// A torn tail that nobody was ever told is durable.
    Cut,
    /// Stop, and say so.
    Damage(&'static str),
}

/// The table above.
pub(super) fn verdict(observed: Observation) -> Verdict {
    let Observation { newest, found, later } = observed;
    match (newest, found, later) {
        (_, Found::Misfit(misfit), _) => Verdict::Damage(misfit.describe()),
        (_, Found::Trailing, _) => Verdict::Damage("there are bytes after the last frame of a finished segment"),
        (false, Found::NoRoom | Found::Blank, _) => Verdict::Damage("a durable frame is missing"),
        (false, Found::BrokenHeader, _) => Verdict::Damage("the header of a durable frame is broken"),
        (false, Found::BrokenBody, _) => Verdict::Damage("the body of a durable frame is broken"),
        (true, Found::NoRoom, _) | (true, Found::Blank, Later::Zeroes) => Verdict::End,
        (true, Found::Blank | Found::BrokenHeader | Found::BrokenBody, Later::Bytes)
        | (true, Found::BrokenHeader | Found::BrokenBody, Later::Zeroes) => Verdict::Cut,
        (true, Found::Blank, Later::Proof) => Verdict::Damage("a frame is missing that a later one says was durable"),
        (true, Found::BrokenHeader, Later::Proof) => {
            Verdict::Damage("the header of a frame is broken that a later one says was durable")
        }
        (true, Found::BrokenBody, Later::Proof) => {
            Verdict::Damage("the body of a frame is broken that a later one says was durable")
        }
    }
}

impl Misfit {
    fn describe(self) -> &'static str {
        match self {
            Self::Epoch => "a sound frame of another epoch stands here",
            Self::Number => "a sound frame with another number stands here",
            Self::Chain => "the frame does not carry the hash of the one before",
            Self::DurableUpto => "the frame vouches for itself or goes back on what was durable",
            Self::Length => "the frame reaches past the end of its segment",
            Self::Padding => "the padding after the frame is not zero",
            Self::Entries => "the entries do not fill the body exactly",
            Self::Gap => "a stream skips or repeats an entry",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MISFITS: [Misfit; 8] = [
        Misfit::Epoch,
        Misfit::Number,
        Misfit::Chain,
        Misfit::DurableUpto,
        Misfit::Length,
        Misfit::Padding,
        Misfit::Entries,
        Misfit::Gap,
    ];
    const LATER: [Later; 3] = [Later::Zeroes, Later::Bytes, Later::Proof];

    #[derive(Debug, PartialEq)]
    enum Word {
        End,
        Cut,
        Damage,
    }
    use Word::{Cut, Damage, End};

    #[track_caller]
    fn row(newest: bool, found: Found, later: &[Later], word: &Word) {
        for later in later.iter().copied() {
            let said = match verdict(Observation { newest, found, later }) {
                Verdict::End => End,
                Verdict::Cut => Cut,
                Verdict::Damage(_) => Damage,
            };
            assert_eq!(said, *word, "newest={newest} {found:?} {later:?}");
        }
    }

    const NO_PROOF: &[Later] = &[Later::Zeroes, Later::Bytes];
    const PROOF: &[Later] = &[Later::Proof];

    #[test]
    fn row_1_a_full_segment_is_the_end() {
        row(true, Found::NoRoom, &LATER, &End);
    }

    #[test]
    fn row_2_zeroes_to_the_end_are_the_end() {
        row(true, Found::Blank, &[Later::Zeroes], &End);
    }

    #[test]
    fn row_3_a_missing_first_block_without_proof_is_cut() {
        row(true, Found::Blank, &[Later::Bytes], &Cut);
    }

    #[test]
    fn row_4_a_missing_frame_with_proof_is_damage() {
        row(true, Found::Blank, PROOF, &Damage);
    }

    #[test]
    fn row_5_a_broken_header_without_proof_is_cut() {
        row(true, Found::BrokenHeader, NO_PROOF, &Cut);
    }

    #[test]
    fn row_6_a_broken_header_with_proof_is_damage() {
        row(true, Found::BrokenHeader, PROOF, &Damage);
    }

    #[test]
    fn row_7_a_broken_body_without_proof_is_cut() {
        row(true, Found::BrokenBody, NO_PROOF, &Cut);
    }

    #[test]
    fn row_8_a_broken_body_with_proof_is_damage() {
        row(true, Found::BrokenBody, PROOF, &Damage);
    }

    #[test]
    fn row_9_a_sealed_segment_is_whole_or_damaged() {
        for found in [Found::NoRoom, Found::Blank, Found::BrokenHeader, Found::BrokenBody] {
            row(false, found, &LATER, &Damage);
        }
    }

    #[test]
    fn row_10_bytes_after_the_last_frame_of_a_sealed_segment_are_damage() {
        row(false, Found::Trailing, &LATER, &Damage);
    }

    #[test]
    fn row_11_a_sound_frame_that_does_not_belong_is_damage() {
        for misfit in MISFITS {
            row(true, Found::Misfit(misfit), &LATER, &Damage);
            row(false, Found::Misfit(misfit), &LATER, &Damage);
        }
    }
}
