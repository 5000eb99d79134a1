//! XChaCha20-Poly1305, keys wrapped by it, and HKDF.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::bytes::{Malformed, Reader, Writer};
use crate::key::{KEY_BYTES, KdfParameters, Key};
use crate::{Random, random_array};

/// A random nonce of 192 bits does not repeat.
pub(crate) const NONCE_BYTES: usize = 24;
/// What a ciphertext is longer than its plain text.
pub(crate) const TAG_BYTES: usize = 16;

/// A ciphertext did not open: another key, another context, or changed bytes. Which of them, nobody can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DoesNotOpen;

/// Random nonce, then ciphertext and tag. It opens only with the same `label` and `header`.
///
/// The label names format and purpose, so that a ciphertext of one kind is none of another.
pub(crate) fn seal(key: &Key, label: &str, header: &[u8], plain: &[u8], random: &mut Random<'_>) -> Vec<u8> {
    let nonce: [u8; NONCE_BYTES] = random_array(random);
    let sealed = XChaCha20Poly1305::new(&(*key.expose()).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: &context(label, header) })
        .expect("a value in memory is shorter than the cipher's limit of 256 GiB");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens what [`seal`] made.
pub(crate) fn open(key: &Key, label: &str, header: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(DoesNotOpen)?;
    XChaCha20Poly1305::new(&(*key.expose()).into())
        .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: &context(label, header) })
        .map(Zeroizing::new)
        .map_err(|_| DoesNotOpen)
}

/// The associated data. Labels are constants without a line break, so no two pairs make the same bytes.
fn context(label: &str, header: &[u8]) -> Vec<u8> {
    [label.as_bytes(), b"\n", header].concat()
}

/// A key, sealed under another: 72 bytes. The length is fixed, so there is no room for a ciphertext that opens under
/// many keys, by which somebody could have passwords tried in bulk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrappedKey([u8; Self::BYTES]);

impl WrappedKey {
    pub(crate) const BYTES: usize = NONCE_BYTES + KEY_BYTES + TAG_BYTES;

    pub(crate) fn wrap(under: &Key, label: &str, header: &[u8], key: &Key, random: &mut Random<'_>) -> Self {
        let sealed = seal(under, label, header, key.expose(), random);
        Self(sealed.try_into().expect("nonce, key and tag have fixed lengths"))
    }

    pub(crate) fn unwrap(&self, under: &Key, label: &str, header: &[u8]) -> Result<Key, DoesNotOpen> {
        let plain = open(under, label, header, &self.0)?;
        Key::from_slice(&plain).ok_or(DoesNotOpen)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; Self::BYTES] {
        &self.0
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        reader.array().map(Self)
    }
}

/// A key under a password: how to derive the key that opens it, and the key, wrapped. 98 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PasswordSlot {
    pub(crate) kdf: KdfParameters,
    pub(crate) wrapped: WrappedKey,
}

impl PasswordSlot {
    /// Wraps `key` under the key that `password_key` was derived by `kdf`. The figures are bound too.
    pub(crate) fn new(
        kdf: KdfParameters,
        password_key: &Key,
        label: &str,
        header: &[u8],
        key: &Key,
        random: &mut Random<'_>,
    ) -> Self {
        let wrapped = WrappedKey::wrap(password_key, label, &bound(&kdf, header), key, random);
        Self { kdf, wrapped }
    }

    pub(crate) fn open(&self, password_key: &Key, label: &str, header: &[u8]) -> Result<Key, DoesNotOpen> {
        self.wrapped.unwrap(password_key, label, &bound(&self.kdf, header))
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        self.kdf.write(writer);
        writer.fixed(self.wrapped.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { kdf: KdfParameters::read(reader)?, wrapped: WrappedKey::read(reader)? })
    }
}

fn bound(kdf: &KdfParameters, header: &[u8]) -> Vec<u8> {
    [kdf.to_bytes().as_slice(), header].concat()
}

/// HKDF-SHA-256 (RFC 5869) for one block of output: extract with `salt`, expand with `info`.
pub(crate) fn hkdf(salt: &[u8], material: &[u8], info: &[u8]) -> Key {
    let extracted = Key::new(hmac(salt, &[material]));
    Key::new(hmac(extracted.expose(), &[info, &[1]]))
}

fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; KEY_BYTES] {
    let mut mac = <Hmac<Sha256> as hmac::KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use data_encoding::HEXLOWER;

    use super::*;

    fn counting() -> impl FnMut(&mut [u8]) {
        let mut next = 0_u8;
        move |bytes| {
            for byte in bytes {
                *byte = next;
                next = next.wrapping_add(1);
            }
        }
    }

    #[test]
    fn a_ciphertext_opens_with_key_label_and_header_only() {
        let key = Key::new([1; KEY_BYTES]);
        let sealed = seal(&key, "label", b"header", b"plain", &mut counting());
        assert_eq!(open(&key, "label", b"header", &sealed).unwrap().as_slice(), b"plain");
        assert!(open(&Key::new([2; KEY_BYTES]), "label", b"header", &sealed).is_err());
        assert!(open(&key, "lable", b"header", &sealed).is_err());
        assert!(open(&key, "label", b"headre", &sealed).is_err());
        for index in 0..sealed.len() {
            assert!(open(&key, "label", b"header", &sealed[..index]).is_err(), "{index} bytes");
            let mut changed = sealed.clone();
            changed[index] ^= 1;
            assert!(open(&key, "label", b"header", &changed).is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_slot_is_bound_to_its_figures() {
        let (password_key, key) = (Key::new([1; KEY_BYTES]), Key::new([2; KEY_BYTES]));
        let kdf = KdfParameters::new(19_456, 2, [3; 16]).unwrap();
        let slot = PasswordSlot::new(kdf, &password_key, "label", b"header", &key, &mut counting());
        assert_eq!(slot.open(&password_key, "label", b"header"), Ok(key));
        let weaker = PasswordSlot { kdf: KdfParameters::new(19_456, 1, [3; 16]).unwrap(), ..slot };
        assert_eq!(weaker.open(&password_key, "label", b"header"), Err(DoesNotOpen));
    }

    #[test]
    fn the_vectors_of_rfc_5869_hold() {
        // Appendices A.1 to A.3, of which the first 32 bytes are the first block.
        let long = |from: u8| (from..=from + 0x4f).collect::<Vec<u8>>();
        for (salt, material, info, expected) in [
            (
                (0..=0x0c).collect(),
                vec![0x0b; 22],
                (0xf0..=0xf9).collect(),
                "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
            ),
            (long(0x60), long(0), long(0xb0), "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"),
            (vec![], vec![0x0b; 22], vec![], "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"),
        ] {
            let key = hkdf(&salt, &material, &info);
            assert_eq!(HEXLOWER.encode(key.expose()), expected);
        }
    }
}
