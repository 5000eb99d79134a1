//! Encryption at rest, and the keyed hashes of what is only compared.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use data_encoding::{BASE64, HEXLOWER};
use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};
use zeroize::{Zeroize as _, Zeroizing};

use crate::entropy::Entropy;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// A 256-bit key with the id that ciphertexts carry.
#[derive(Clone)]
struct MasterKey {
    id: String,
    bytes: Zeroizing<[u8; KEY_BYTES]>,
}

impl MasterKey {
    fn new(bytes: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        // The id is public; a hash of 256 random bits says nothing of them.
        let id = HEXLOWER.encode(&Sha256::digest(bytes.as_slice())[..4]);
        Self { id, bytes }
    }
}

/// The master keys: the first seals, all open, so that a key can be replaced while rows of the old one remain.
#[derive(Clone)]
pub struct KeyRing {
    keys: Vec<MasterKey>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.keys.iter().map(|key| &key.id)).finish()
    }
}

/// Why a key file cannot be used. The server does not start then.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The file cannot be read or made.
    #[error("the master key file cannot be used: {0}")]
    File(#[from] io::Error),
    /// Others than its owner may read the file.
    #[error("the master key file is readable by others; run: chmod 600 FILE")]
    Exposed,
    /// No key in it, or a line that is not the base64 of 32 bytes.
    #[error("the master key file must have one base64 key of 32 bytes per line, the newest first")]
    Malformed,
}

impl KeyRing {
    /// Reads a key file: one base64 key of 32 bytes per line, the newest first; blank lines and `#` lines are skipped.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn from_file(path: &Path) -> Result<Self, KeyError> {
        refuse_exposed(path)?;
        let text = Zeroizing::new(fs::read_to_string(path)?);
        let mut keys = Vec::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let mut decoded = BASE64.decode(line.as_bytes()).map_err(|_| KeyError::Malformed)?;
            let bytes = <[u8; KEY_BYTES]>::try_from(decoded.as_slice()).map(Zeroizing::new);
            decoded.zeroize();
            keys.push(MasterKey::new(bytes.map_err(|_| KeyError::Malformed)?));
        }
        if keys.is_empty() { Err(KeyError::Malformed) } else { Ok(Self { keys }) }
    }

    /// Makes a key file that only its owner can read, and reads it.
    ///
    /// # Errors
    /// [`KeyError`]; in particular if the file is there already.
    pub fn create_file(path: &Path, entropy: &dyn Entropy) -> Result<Self, KeyError> {
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        let line = Zeroizing::new(format!("{}\n", BASE64.encode(entropy.array::<KEY_BYTES>().as_slice())));
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        Self::from_file(path)
    }

    /// A ring of one key made on the spot, for tests.
    #[must_use]
    pub fn generate(entropy: &dyn Entropy) -> Self {
        Self { keys: vec![MasterKey::new(entropy.array())] }
    }
}

#[cfg(unix)]
fn refuse_exposed(path: &Path) -> Result<(), KeyError> {
    use std::os::unix::fs::PermissionsExt as _;
    // The low six bits are what group and others may do.
    let mode = fs::metadata(path)?.permissions().mode();
    if mode.trailing_zeros() >= 6 { Ok(()) } else { Err(KeyError::Exposed) }
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path) -> Result<(), KeyError> {
    Ok(())
}

/// Where a sealed value belongs. A ciphertext moved elsewhere does not open.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) table: &'static str,
    pub(crate) row: &'a str,
    pub(crate) column: &'static str,
}

/// A ciphertext with the id of its key.
#[derive(Clone, Debug)]
pub(crate) struct Sealed {
    pub(crate) key_id: String,
    pub(crate) bytes: Vec<u8>,
}

/// A value did not open: another key, another place, or changed bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a sealed value does not open")]
pub(crate) struct DoesNotOpen;

/// XChaCha20-Poly1305 under the master keys: a random 192-bit nonce before each ciphertext, the place as associated data.
#[derive(Clone)]
pub(crate) struct Cipher {
    ring: KeyRing,
}

impl Cipher {
    pub(crate) fn new(ring: KeyRing) -> Self {
        Self { ring }
    }

    pub(crate) fn seal(&self, place: Place<'_>, plain: &[u8], entropy: &dyn Entropy) -> Sealed {
        let key = &self.ring.keys[0];
        let nonce = entropy.array::<NONCE_BYTES>();
        let context = context(place, &key.id);
        let sealed = XChaCha20Poly1305::new(&(*key.bytes).into())
            .encrypt(&XNonce::from(*nonce), Payload { msg: plain, aad: context.as_bytes() })
            .expect("a value in memory is shorter than the cipher's limit of 256 GiB");
        Sealed { key_id: key.id.clone(), bytes: [nonce.as_slice(), &sealed].concat() }
    }

    pub(crate) fn open(
        &self,
        place: Place<'_>,
        key_id: &str,
        sealed: &[u8],
    ) -> Result<Zeroizing<Vec<u8>>, DoesNotOpen> {
        let key = self.ring.keys.iter().find(|key| key.id == key_id).ok_or(DoesNotOpen)?;
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(DoesNotOpen)?;
        XChaCha20Poly1305::new(&(*key.bytes).into())
            .decrypt(&XNonce::from(*nonce), Payload { msg: sealed, aad: context(place, key_id).as_bytes() })
            .map(Zeroizing::new)
            .map_err(|_| DoesNotOpen)
    }
}

/// No part can hold a line break: tables and columns are constants, rows and key ids are hex.
fn context(place: Place<'_>, key_id: &str) -> String {
    format!("twofold 1\n{}\n{}\n{}\n{key_id}", place.table, place.row, place.column)
}

/// Keyed hashes (HMAC-SHA-256) of values that are only ever compared: cookie keys, message tokens, recovery codes, and with
/// a key of their own the signatures of the audit trail.
///
/// Keys are made at the first start and kept in the database, sealed under the master key, so that replacing the master
/// key leaves every hash valid.
#[derive(Clone)]
pub(crate) struct Digester {
    key: Zeroizing<[u8; KEY_BYTES]>,
}

impl Digester {
    pub(crate) fn new(key: Zeroizing<[u8; KEY_BYTES]>) -> Self {
        Self { key }
    }

    /// The hash of `value` for one `purpose`; `scope` ties it to a row or an account.
    pub(crate) fn digest(&self, purpose: &'static str, scope: &str, value: impl AsRef<[u8]>) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.key.as_slice()).expect("HMAC takes keys of any length");
        for part in [purpose.as_bytes(), scope.as_bytes(), value.as_ref()] {
            // Lengths first, so that no two triples make the same input.
            mac.update(&(part.len() as u64).to_le_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entropy::SystemEntropy;

    const ENTROPY: &dyn Entropy = &SystemEntropy;
    const PLACE: Place<'_> = Place { table: "factor", row: "1", column: "secret" };

    #[test]
    fn a_value_opens_in_its_place_only() {
        let cipher = Cipher::new(KeyRing::generate(ENTROPY));
        let sealed = cipher.seal(PLACE, b"secret", ENTROPY);
        assert_eq!(cipher.open(PLACE, &sealed.key_id, &sealed.bytes).unwrap().as_slice(), b"secret");
        for place in
            [Place { table: "outbox", ..PLACE }, Place { row: "2", ..PLACE }, Place { column: "codes", ..PLACE }]
        {
            assert!(cipher.open(place, &sealed.key_id, &sealed.bytes).is_err(), "{place:?}");
        }
        assert!(cipher.open(PLACE, "00000000", &sealed.bytes).is_err());
        assert!(cipher.open(PLACE, &sealed.key_id, &sealed.bytes[..10]).is_err());
        for index in 0..sealed.bytes.len() {
            let mut changed = sealed.bytes.clone();
            changed[index] ^= 1;
            assert!(cipher.open(PLACE, &sealed.key_id, &changed).is_err(), "byte {index}");
        }
    }

    #[test]
    fn an_older_key_opens_and_the_newest_seals() {
        let (old, new) = (KeyRing::generate(ENTROPY), KeyRing::generate(ENTROPY));
        let sealed = Cipher::new(old.clone()).seal(PLACE, b"secret", ENTROPY);
        let both = Cipher::new(KeyRing { keys: [new.keys.clone(), old.keys].concat() });
        assert!(both.open(PLACE, &sealed.key_id, &sealed.bytes).is_ok());
        assert_ne!(both.seal(PLACE, b"secret", ENTROPY).key_id, sealed.key_id);
        assert!(Cipher::new(new).open(PLACE, &sealed.key_id, &sealed.bytes).is_err());
    }

    #[test]
    fn key_files_are_private_and_whole() {
        let folder = std::env::temp_dir().join(format!("twofold-key-{}", ENTROPY.id()));
        fs::create_dir(&folder).unwrap();
        let path = folder.join("key");
        let made = KeyRing::create_file(&path, ENTROPY).unwrap();
        assert_eq!(KeyRing::from_file(&path).unwrap().keys[0].id, made.keys[0].id);
        assert!(matches!(KeyRing::create_file(&path, ENTROPY), Err(KeyError::File(_))), "never overwritten");
        fs::write(&path, "c2hvcnQ=\n").unwrap();
        assert!(matches!(KeyRing::from_file(&path), Err(KeyError::Malformed)));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
            assert!(matches!(KeyRing::from_file(&path), Err(KeyError::Exposed)));
        }
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn hashes_depend_on_purpose_scope_and_value() {
        let digester = Digester::new(ENTROPY.array());
        let base = digester.digest("a", "b", "c");
        assert_eq!(base, digester.digest("a", "b", "c"));
        for other in [digester.digest("ab", "", "c"), digester.digest("a", "bc", ""), digester.digest("a", "b", "d")] {
            assert_ne!(base, other);
        }
    }
}
