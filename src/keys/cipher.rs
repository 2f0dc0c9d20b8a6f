//! What is done to details: a key for the order, and under it AES-256-GCM-SIV.
//!
//! ```text
//! context   = slot u32 │ generation u32 │ order u128                       24 bytes, little-endian
//! order key = HKDF-Expand-SHA256(key of the slot, "stockade details" │ context)        (RFC 5869, 2.3)
//! sealed    = AES-256-GCM-SIV(order key, nonce 0, associated data: context, details)   (RFC 8452)
//! ```
//!
//! # Always true
//! - The market is part of the order's identifier, and so of the context.
//! - The same details of the same order under the same name seal to the same bytes.
//! # Why so
//! A slot's key is 32 random bytes, so the extracting half of HKDF has nothing to do. An order key seals the details of
//! one order, but perhaps several versions of them: a client that repeats an order with other details is told so by
//! comparing what they seal to, and a placement that was decided and never became durable may be tried again with
//! others. Under plain GCM two messages with one key and one nonce give both away; here they show at most that they are
//! equal, and no random nonce has to be kept.

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Prk};
use zeroize::Zeroize;

use crate::base::limits::{KEY_BYTES, SEAL_BYTES};
use crate::base::{KeyName, OrderId};

const LABEL: &[u8; 16] = b"stockade details";
const CONTEXT_BYTES: usize = 24;

/// Appends the sealed details.
pub(super) fn seal(key: &[u8; KEY_BYTES], name: KeyName, order: OrderId, details: &[u8], out: &mut Vec<u8>) {
    let context = context(name, order);
    let start = out.len();
    out.reserve(details.len() + SEAL_BYTES);
    out.extend_from_slice(details);
    let tag = order_key(key, &context)
        .seal_in_place_separate_tag(nonce(), Aad::from(&context), &mut out[start..])
        .expect("law: details are shorter than the cipher's bound");
    out.extend_from_slice(tag.as_ref());
}

/// Appends the details. `false`, and nothing appended, when these bytes are not what was sealed.
pub(super) fn open(key: &[u8; KEY_BYTES], name: KeyName, order: OrderId, sealed: &[u8], out: &mut Vec<u8>) -> bool {
    let Some((hidden, tag)) = sealed.split_last_chunk::<SEAL_BYTES>() else { return false };
    let context = context(name, order);
    let start = out.len();
    out.resize(start + hidden.len(), 0);
    let key = order_key(key, &context);
    let is_sound = key.open_separate_gather(nonce(), Aad::from(&context), hidden, tag, &mut out[start..]).is_ok();
    if !is_sound {
        out[start..].zeroize();
        out.truncate(start);
    }
    is_sound
}

fn context(name: KeyName, order: OrderId) -> [u8; CONTEXT_BYTES] {
    let mut context = [0; CONTEXT_BYTES];
    context[..4].copy_from_slice(&name.slot.to_le_bytes());
    context[4..8].copy_from_slice(&name.generation.to_le_bytes());
    context[8..].copy_from_slice(&order.bits().to_le_bytes());
    context
}

/// The library wipes it when it is dropped.
fn order_key(key: &[u8; KEY_BYTES], context: &[u8; CONTEXT_BYTES]) -> LessSafeKey {
    let slot = Prk::new_less_safe(HKDF_SHA256, key);
    let info = [LABEL.as_slice(), context.as_slice()];
    let derived = slot.expand(&info, &AES_256_GCM_SIV).expect("law: one key is shorter than what HKDF can give");
    LessSafeKey::new(UnboundKey::from(derived))
}

fn nonce() -> Nonce {
    Nonce::assume_unique_for_key([0; NONCE_LEN])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NAME: KeyName = KeyName { slot: 0x0102_0304, generation: 7 };
    const ORDER: OrderId = OrderId::from_bits(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff);

    fn sealed(key: &[u8; KEY_BYTES], details: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        seal(key, NAME, ORDER, details, &mut out);
        out
    }

    fn opened(key: &[u8; KEY_BYTES], name: KeyName, order: OrderId, sealed: &[u8]) -> Option<Vec<u8>> {
        let mut out = b"before".to_vec();
        let is_sound = open(key, name, order, sealed, &mut out);
        assert!(out.starts_with(b"before") && (is_sound || out.len() == 6), "nothing but details is appended");
        is_sound.then(|| out.split_off(6))
    }

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The key derived with the HMAC of Python's standard library, the rest by OpenSSL's AES-GCM-SIV.
    #[test]
    fn details_seal_to_the_bytes_that_another_program_computed() {
        let key = std::array::from_fn(|at| at as u8);
        let address = b"Ada Lovelace, 12 St James's Square, London";
        assert_eq!(
            hex(&sealed(&key, address)),
            "d7c12968e57621ebc346e33e7a486ed07bc9286559996658dc76b191ff44435cb4e2870231d27e6d9b206e2d07c999deda3f73f8\
             f3e46d0745a9"
        );
        assert_eq!(hex(&sealed(&key, b"")), "1b06c244f9de18a15000ff42e83bac66");
    }

    proptest! {
        #[test]
        fn what_was_sealed_opens_to_itself(key: [u8; 32], details in proptest::collection::vec(any::<u8>(), 0..600)) {
            let bytes = sealed(&key, &details);
            prop_assert_eq!(bytes.len(), details.len() + SEAL_BYTES);
            prop_assert_eq!(&sealed(&key, &details), &bytes, "and always to the same");
            prop_assert_eq!(opened(&key, NAME, ORDER, &bytes), Some(details));
        }

        #[test]
        fn nothing_opens_once_any_of_it_is_another(
            key: [u8; 32],
            details in proptest::collection::vec(any::<u8>(), 0..40),
            bit in 0..32_u32,
            order_bit in 0..128_u32,
        ) {
            let bytes = sealed(&key, &details);
            for (at, flip) in (0..bytes.len()).flat_map(|at| [(at, 1), (at, 0x80)]) {
                let mut other = bytes.clone();
                other[at] ^= flip;
                prop_assert_eq!(opened(&key, NAME, ORDER, &other), None, "byte {}", at);
            }
            for length in 0..bytes.len() {
                prop_assert_eq!(opened(&key, NAME, ORDER, &bytes[..length]), None, "{} bytes", length);
            }
            let slot = KeyName { slot: NAME.slot ^ 1 << bit, ..NAME };
            let generation = KeyName { generation: NAME.generation ^ 1 << bit, ..NAME };
            let order = OrderId::from_bits(ORDER.bits() ^ 1 << order_bit);
            prop_assert_eq!(opened(&key, slot, ORDER, &bytes), None);
            prop_assert_eq!(opened(&key, generation, ORDER, &bytes), None);
            prop_assert_eq!(opened(&key, NAME, order, &bytes), None);
            let mut other = key;
            other[bit as usize] ^= 1;
            prop_assert_eq!(opened(&other, NAME, ORDER, &bytes), None);
        }
    }
}
