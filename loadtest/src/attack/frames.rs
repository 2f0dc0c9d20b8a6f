//! Frames of QUIC (RFC 9000, section 19), as far as a client sends them: enough to find those of streams in a packet,
//! and to write small ones.

use std::ops::Range;

use bytes::{BufMut, BytesMut};

const PADDING: u8 = 0x00;
const PING: u8 = 0x01;
const MAX_DATA: u8 = 0x10;
const STREAM: u8 = 0x08;
const HAS_OFFSET: u8 = 0x04;
const HAS_LENGTH: u8 = 0x02;

/// A STREAM frame, and where it stands.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stream {
    pub(super) id: u64,
    pub(super) at: Range<usize>,
}

/// Every STREAM frame of a packet, in order. A frame nobody here knows ends the search: it keeps its place.
pub(super) fn streams(payload: &[u8]) -> Vec<Stream> {
    let mut found = Vec::new();
    let mut reader = Reader { payload, at: 0 };
    while let Some(stream) = next_stream(&mut reader) {
        found.push(stream);
    }
    found
}

/// `None` at the end.
fn next_stream(reader: &mut Reader<'_>) -> Option<Stream> {
    loop {
        let begin = reader.at;
        match reader.byte()? {
            // 0x1f is IMMEDIATE_ACK, of an extension that quinn speaks.
            PADDING | PING | 0x1f => {}
            kind @ (0x02 | 0x03) => skip_acknowledgement(reader, kind)?,
            // RESET_STREAM, STOP_SENDING.
            0x04 => reader.skip_numbers(3)?,
            0x05 | 0x11 | 0x15 => reader.skip_numbers(2)?,
            // CRYPTO, NEW_TOKEN.
            0x06 => {
                reader.number()?;
                let length = reader.number()?;
                reader.skip(length)?;
            }
            kind @ 0x08..=0x0f => {
                let id = reader.number()?;
                if kind & HAS_OFFSET != 0 {
                    reader.number()?;
                }
                let length = if kind & HAS_LENGTH == 0 { reader.left() } else { reader.number()? };
                reader.skip(length)?;
                return Some(Stream { id, at: begin..reader.at });
            }
            // MAX_DATA, MAX_STREAMS, DATA_BLOCKED, STREAMS_BLOCKED, RETIRE_CONNECTION_ID.
            0x10 | 0x12..=0x14 | 0x16 | 0x17 | 0x19 => reader.skip_numbers(1)?,
            // PATH_CHALLENGE, PATH_RESPONSE.
            0x1a | 0x1b => reader.skip(8)?,
            // ACK_FREQUENCY, of the same extension: 0xaf, which is a number of two bytes.
            0x40 => {
                reader.byte().filter(|low| *low == 0xaf)?;
                reader.skip_numbers(4)?;
            }
            // NEW_CONNECTION_ID: two numbers, the identifier, a token of 16 bytes.
            0x18 => {
                reader.skip_numbers(2)?;
                let length = u64::from(reader.byte()?);
                reader.skip(length + 16)?;
            }
            _ => return None,
        }
    }
}

fn skip_acknowledgement(reader: &mut Reader<'_>, kind: u8) -> Option<()> {
    reader.skip_numbers(2)?;
    let ranges = reader.number()?;
    reader.skip_numbers(1 + 2 * ranges)?;
    // Counts of congestion marks.
    if kind == 0x03 { reader.skip_numbers(3) } else { Some(()) }
}

/// Writes a STREAM frame of one byte; how many bytes it took, or `None` when there is no room.
pub(super) fn put_byte(id: u64, offset: u64, place: &mut [u8]) -> Option<usize> {
    let mut frame = [0_u8; 20];
    let mut rest = &mut frame[..];
    rest.put_u8(STREAM | HAS_OFFSET | HAS_LENGTH);
    put_number(id, &mut rest);
    put_number(offset, &mut rest);
    put_number(1, &mut rest);
    let bytes = 20 - rest.len() + 1;
    place.get_mut(..bytes)?.copy_from_slice(&frame[..bytes]);
    Some(bytes)
}

/// Fills with what says nothing, but asks to be acknowledged: quinn believes that something was sent.
pub(super) fn put_nothing(place: &mut [u8]) {
    place.fill(PADDING);
    if let Some(first) = place.first_mut() {
        *first = PING;
    }
}

/// The connection may send so many bytes.
pub(super) fn put_max_data(bytes: u64, payload: &mut BytesMut) {
    payload.put_u8(MAX_DATA);
    put_number(bytes, payload);
}

/// A number in the shortest of its forms: the two upper bits say how many bytes it has.
fn put_number(number: u64, to: &mut impl BufMut) {
    match number {
        0..0x40 => to.put_u8(number as u8),
        0x40..0x4000 => to.put_u16(1 << 14 | number as u16),
        0x4000..0x4000_0000 => to.put_u32(2 << 30 | number as u32),
        _ => to.put_u64(3 << 62 | number),
    }
}

struct Reader<'p> {
    payload: &'p [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.payload.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn number(&mut self) -> Option<u64> {
        let first = self.byte()?;
        let mut number = u64::from(first & 0x3f);
        for _ in 1..1_u8 << (first >> 6) {
            number = number << 8 | u64::from(self.byte()?);
        }
        Some(number)
    }

    fn skip_numbers(&mut self, count: u64) -> Option<()> {
        (0..count).try_for_each(|_| self.number().map(drop))
    }

    fn left(&self) -> u64 {
        (self.payload.len() - self.at) as u64
    }

    fn skip(&mut self, bytes: u64) -> Option<()> {
        if bytes > self.left() {
            return None;
        }
        self.at += usize::try_from(bytes).ok()?;
        Some(())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Stream and offset of every small frame.
    pub(in super::super) fn offsets(payload: &[u8]) -> Vec<(u64, u64)> {
        let offset = |stream: Stream| {
            let mut reader = Reader { payload, at: stream.at.start + 1 };
            let id = reader.number()?;
            Some((id, reader.number()?))
        };
        streams(payload).into_iter().map(|stream| offset(stream).expect("a small frame")).collect()
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for number in [0, 63, 64, 16_383, 16_384, (1 << 30) - 1, 1 << 30, (1 << 62) - 1] {
            let mut bytes = Vec::new();
            put_number(number, &mut bytes);
            let mut reader = Reader { payload: &bytes, at: 0 };
            assert_eq!((reader.number(), reader.left()), (Some(number), 0), "{number}");
        }
    }

    #[test]
    fn streams_are_found_behind_everything_a_client_sends() {
        let mut payload = vec![PADDING, PING];
        payload.extend([0x02, 5, 0, 1, 0, 1, 1]);
        payload.extend([0x03, 5, 0, 0, 0, 1, 2, 3]);
        payload.extend([0x04, 8, 0, 9, 0x05, 8, 0, 0x10, 9, 0x11, 4, 9, 0x12, 9, 0x19, 1]);
        payload.extend([0x06, 0, 2, 7, 7]);
        payload.extend([0x18, 1, 0, 1]);
        payload.extend([7; 1 + 16]);
        payload.extend([0x1f, 0x40, 0xaf, 1, 2, 3, 4]);
        payload.extend([0x1b, 1, 2, 3, 4, 5, 6, 7, 8]);
        let first = payload.len();
        payload.extend([0x0e, 4, 9, 2, 7, 7]);
        let second = payload.len();
        payload.extend([0x09, 8, 7, 7, 7]);
        let expected = [Stream { id: 4, at: first..second }, Stream { id: 8, at: second..payload.len() }];
        assert_eq!(streams(&payload), expected);
        payload[first - 9] = 0x30;
        assert_eq!(streams(&payload), [], "beyond an unknown frame nothing is looked for");
    }

    #[test]
    fn a_small_frame_is_written_where_it_fits() {
        let mut place = [9_u8; 6];
        assert_eq!(put_byte(4, 1, &mut place), Some(5));
        assert_eq!(place, [0x0e, 4, 1, 1, 0, 9]);
        assert_eq!(put_byte(4, 70, &mut place), Some(6));
        assert_eq!(put_byte(100, 70, &mut place), None);
    }
}
