//! Forged packets: what quinn wants to send is rewritten between its last word and the encryption.
//!
//! ```text
//! quinn:  STREAM id=4 offset=0 length=1150 ………………………………………………
//! wire:   STREAM id=4 offset=1 length=1 │ STREAM id=4 offset=3 length=1 │ … offset=5 … │ PADDING     until it is full
//! ```
//!
//! quinn sends no gaps. But whoever brings the cryptography of a connection sees every packet before it is encrypted,
//! and after it was decrypted. So each STREAM frame gives its place to as many small ones as fit, and the server, which
//! acknowledges the packet, hears of no first byte. On the way in a frame is added that allows the connection more than
//! the server does: quinn counts what it believes it sends, the server what arrives.
//!
//! # Always true
//! - A rewritten packet is as long as it was, and all its frames are sound.
//! - What arrives stays within the windows and the gaps that the server and its QUIC allow a connection.
//! # Not here
//! - What a frame looks like: `frames`.

use std::any::Any;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::BytesMut;
use quinn::crypto::rustls::QuicClientConfig;
use quinn::crypto::{ClientConfig, CryptoError, ExportKeyingMaterialError, KeyPair, Keys, PacketKey, Session};
use quinn::{ConnectError, ConnectionId, Side};
use quinn_proto::TransportError;
use quinn_proto::transport_parameters::TransportParameters;
use stockade::base::limits::{STREAMS_MAX, WINDOW_FIRST_BYTES};

use super::frames::{self, Stream};

/// Bytes to write to a stream so that all its gaps are made.
pub(super) const STREAM_BYTES_WANTED: usize = 12 * 1_024;
/// Offsets of one stream: all streams together stay within a fresh connection's window. Every other one is sent, a few
/// below the 1,024 spans beyond which QUIC ends the connection.
const OFFSETS_MAX: u64 = (WINDOW_FIRST_BYTES / STREAMS_MAX as usize) as u64 - 16;
const _: () = assert!(OFFSETS_MAX / 2 < 1_024);
/// What a connection is told it may send.
const PRETENDED_CREDIT: u64 = 1 << 30;

/// The cryptography of forged connections.
pub(super) struct Forger {
    inner: Arc<QuicClientConfig>,
}

impl Forger {
    pub(super) const fn new(inner: Arc<QuicClientConfig>) -> Self {
        Self { inner }
    }
}

impl ClientConfig for Forger {
    fn start_session(
        self: Arc<Self>,
        version: u32,
        server_name: &str,
        params: &TransportParameters,
    ) -> Result<Box<dyn Session>, ConnectError> {
        let inner = Arc::clone(&self.inner).start_session(version, server_name, params)?;
        Ok(Box::new(Forged { inner, levels: 0, holes: Arc::default() }))
    }
}

/// One connection: all of it is TLS but the keys of its last level.
struct Forged {
    inner: Box<dyn Session>,
    /// Keys handed out so far: first those of the handshake, then those of everything after it.
    levels: u8,
    holes: Arc<Mutex<Holes>>,
}

impl Forged {
    fn forge(&self, pair: KeyPair<Box<dyn PacketKey>>) -> KeyPair<Box<dyn PacketKey>> {
        let forge = |inner| -> Box<dyn PacketKey> { Box::new(Key { inner, holes: Arc::clone(&self.holes) }) };
        KeyPair { local: forge(pair.local), remote: forge(pair.remote) }
    }
}

impl Session for Forged {
    fn initial_keys(&self, dst_cid: &ConnectionId, side: Side) -> Keys {
        self.inner.initial_keys(dst_cid, side)
    }

    fn handshake_data(&self) -> Option<Box<dyn Any>> {
        self.inner.handshake_data()
    }

    fn peer_identity(&self) -> Option<Box<dyn Any>> {
        self.inner.peer_identity()
    }

    fn early_crypto(&self) -> Option<(Box<dyn quinn::crypto::HeaderKey>, Box<dyn PacketKey>)> {
        self.inner.early_crypto()
    }

    fn early_data_accepted(&self) -> Option<bool> {
        self.inner.early_data_accepted()
    }

    fn is_handshaking(&self) -> bool {
        self.inner.is_handshaking()
    }

    fn read_handshake(&mut self, buf: &[u8]) -> Result<bool, TransportError> {
        self.inner.read_handshake(buf)
    }

    fn transport_parameters(&self) -> Result<Option<TransportParameters>, TransportError> {
        self.inner.transport_parameters()
    }

    fn write_handshake(&mut self, buf: &mut Vec<u8>) -> Option<Keys> {
        let keys = self.inner.write_handshake(buf)?;
        self.levels += 1;
        if self.levels == 1 {
            return Some(keys);
        }
        Some(Keys { header: keys.header, packet: self.forge(keys.packet) })
    }

    fn next_1rtt_keys(&mut self) -> Option<KeyPair<Box<dyn PacketKey>>> {
        let pair = self.inner.next_1rtt_keys()?;
        Some(self.forge(pair))
    }

    fn is_valid_retry(&self, orig_dst_cid: &ConnectionId, header: &[u8], payload: &[u8]) -> bool {
        self.inner.is_valid_retry(orig_dst_cid, header, payload)
    }

    fn export_keying_material(
        &self,
        output: &mut [u8],
        label: &[u8],
        context: &[u8],
    ) -> Result<(), ExportKeyingMaterialError> {
        self.inner.export_keying_material(output, label, context)
    }
}

/// A key that lets others have a look at the packet.
struct Key {
    inner: Box<dyn PacketKey>,
    holes: Arc<Mutex<Holes>>,
}

impl PacketKey for Key {
    fn encrypt(&self, packet: u64, buf: &mut [u8], header_len: usize) {
        let end = buf.len() - self.inner.tag_len();
        self.holes.lock().unwrap_or_else(PoisonError::into_inner).rewrite(&mut buf[header_len..end]);
        self.inner.encrypt(packet, buf, header_len);
    }

    fn decrypt(&self, packet: u64, header: &[u8], payload: &mut BytesMut) -> Result<(), CryptoError> {
        self.inner.decrypt(packet, header, payload)?;
        frames::put_max_data(PRETENDED_CREDIT, payload);
        Ok(())
    }

    fn tag_len(&self) -> usize {
        self.inner.tag_len()
    }

    fn confidentiality_limit(&self) -> u64 {
        self.inner.confidentiality_limit()
    }

    fn integrity_limit(&self) -> u64 {
        self.inner.integrity_limit()
    }
}

/// Where the next byte of each stream goes: never to its beginning.
#[derive(Debug, Default)]
struct Holes {
    next: HashMap<u64, u64>,
}

impl Holes {
    /// Puts small STREAM frames in the place of large ones.
    fn rewrite(&mut self, payload: &mut [u8]) {
        for Stream { id, at } in frames::streams(payload) {
            let next = self.next.entry(id).or_insert(1);
            let place = &mut payload[at];
            let mut filled = 0;
            while *next < OFFSETS_MAX
                && let Some(bytes) = frames::put_byte(id, *next, &mut place[filled..])
            {
                *next += 2;
                filled += bytes;
            }
            frames::put_nothing(&mut place[filled..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_keeps_its_length_on_the_wire_and_loses_its_beginning() {
        let mut holes = Holes::default();
        // PING, then a STREAM frame without offset or length: all the rest is its data.
        let mut payload = vec![7_u8; 200];
        payload[..3].copy_from_slice(&[0x01, 0x08, 4]);
        holes.rewrite(&mut payload);
        assert_eq!((payload.len(), payload[0]), (200, 0x01));
        let offsets = frames::tests::offsets(&payload);
        let expected: Vec<(u64, u64)> = (0..33).map(|at| (4, 1 + 2 * at)).collect();
        assert_eq!(offsets[..31], expected[..31]);
        assert!(offsets.iter().all(|(_, offset)| offset % 2 == 1), "never the first byte, never two in a row");
    }

    #[test]
    fn gaps_end_before_the_window_and_the_packet_still_asks_for_an_acknowledgement() {
        let mut holes = Holes { next: HashMap::from([(8, OFFSETS_MAX)]) };
        let mut payload = vec![7_u8; 50];
        payload[..2].copy_from_slice(&[0x08, 8]);
        holes.rewrite(&mut payload);
        assert_eq!(payload[0], 0x01, "a PING");
        assert!(payload[1..].iter().all(|byte| *byte == 0), "{payload:?}");
    }
}
