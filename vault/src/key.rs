//! Keys, and how a password becomes one: Argon2id (RFC 9106).

use core::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::bytes::{Malformed, Reader, Writer};
use crate::{Random, random_array};

/// Bytes of a key: 256 bits.
pub const KEY_BYTES: usize = 32;
/// Bytes of a salt: 128 bits (RFC 9106 §3.1).
pub const SALT_BYTES: usize = 16;

/// A 256-bit key. No `Display`, a redacted `Debug`, compared in constant time, wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Key([u8; KEY_BYTES]);

impl Key {
    /// The key with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; KEY_BYTES]) -> Self {
        Self(bytes)
    }

    /// The key with these bytes if they are 32, as a Worker hands them over.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// A fresh key.
    #[must_use]
    pub fn random(random: &mut Random<'_>) -> Self {
        Self(random_array(random))
    }

    /// The bytes themselves, for a cipher or for the way out of a Worker.
    #[must_use]
    pub const fn expose(&self) -> &[u8; KEY_BYTES] {
        &self.0
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Key {}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// What [`derive()`] needs besides the password: the work to do, and the salt. Public, and stored beside what the key
/// opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KdfParameters {
    memory_kib: u32,
    passes: u32,
    salt: [u8; SALT_BYTES],
}

/// Why figures of a key derivation are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidKdfParameters {
    /// Another function than Argon2id version 1.3 with one lane, or not 26 bytes.
    #[error("the key derivation is not known")]
    Unknown,
    /// Less than 7 MiB: too cheap to guess through.
    #[error("the key derivation asks for too little work")]
    TooWeak,
    /// More than 64 MiB, 10 passes, or 256 MiB in all passes: a file must not be able to hang a phone.
    #[error("the key derivation asks for too much work")]
    TooCostly,
}

/// The device has not enough memory for the derivation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is not enough memory to derive the key")]
pub struct OutOfMemory;

impl KdfParameters {
    /// Memory of new ones, in KiB: 19 MiB, the floor of the OWASP Password Storage cheat sheet for two passes.
    pub const MEMORY_KIB: u32 = 19_456;
    /// Passes of new ones.
    pub const PASSES: u32 = 2;
    /// Length of the encoding.
    pub const BYTES: usize = 26;

    /// The lowest memory that OWASP lists, at five passes.
    const LEAST_MEMORY_KIB: u32 = 7_168;
    const MOST_MEMORY_KIB: u32 = 64 * 1024;
    const MOST_PASSES: u32 = 10;
    /// Memory times passes is what takes the time: about seven times what new ones take.
    const MOST_WORK_KIB: u32 = 256 * 1024;
    /// Argon2id, version 1.3 (0x13); another function would get another number.
    const ARGON2ID: u8 = 1;
    /// WASM has one thread.
    const LANES: u8 = 1;

    /// 19 MiB, two passes, one lane, and a fresh salt: 0.03 s on a desktop, below 1 s on a phone.
    #[must_use]
    pub fn fresh(random: &mut Random<'_>) -> Self {
        Self { memory_kib: Self::MEMORY_KIB, passes: Self::PASSES, salt: random_array(random) }
    }

    /// These figures: KiB of memory and number of passes.
    ///
    /// # Errors
    /// [`InvalidKdfParameters`] names the bound that is broken.
    pub const fn new(memory_kib: u32, passes: u32, salt: [u8; SALT_BYTES]) -> Result<Self, InvalidKdfParameters> {
        if memory_kib < Self::LEAST_MEMORY_KIB || passes == 0 {
            return Err(InvalidKdfParameters::TooWeak);
        }
        if memory_kib > Self::MOST_MEMORY_KIB || passes > Self::MOST_PASSES || memory_kib * passes > Self::MOST_WORK_KIB
        {
            return Err(InvalidKdfParameters::TooCostly);
        }
        Ok(Self { memory_kib, passes, salt })
    }

    /// KiB of memory.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// The salt.
    #[must_use]
    pub const fn salt(&self) -> &[u8; SALT_BYTES] {
        &self.salt
    }

    /// The encoding in files, and on the way to a Worker: function (u8, 1 = Argon2id 1.3), memory in KiB (u32), passes
    /// (u32), lanes (u8, 1), salt (16 bytes).
    ///
    /// # Panics
    /// Never: the five parts are 26 bytes long.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::BYTES] {
        let mut writer = Writer::with_capacity(Self::BYTES);
        self.write(&mut writer);
        writer.as_slice().try_into().expect("five parts of fixed length")
    }

    /// Reads the encoding.
    ///
    /// # Errors
    /// [`InvalidKdfParameters`].
    pub fn from_bytes(bytes: &[u8; Self::BYTES]) -> Result<Self, InvalidKdfParameters> {
        let mut reader = Reader::new(bytes);
        let mut read = || {
            let function = reader.u8()?;
            let (memory_kib, passes) = (reader.u32()?, reader.u32()?);
            let lanes = reader.u8()?;
            Ok::<_, Malformed>((function, memory_kib, passes, lanes, reader.array()?))
        };
        match read() {
            Ok((Self::ARGON2ID, memory_kib, passes, Self::LANES, salt)) => Self::new(memory_kib, passes, salt),
            _ => Err(InvalidKdfParameters::Unknown),
        }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u8(Self::ARGON2ID);
        writer.u32(self.memory_kib);
        writer.u32(self.passes);
        writer.u8(Self::LANES);
        writer.fixed(&self.salt);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::from_bytes(&reader.array()?).map_err(|_| Malformed)
    }
}

/// The key that a password makes: Argon2id, version 1.3 (RFC 9106), 32 bytes.
///
/// `password` is the UTF-8 of what was typed, in Unicode's form NFC (SP 800-63B-4 §3.1.1.2); the browser brings it
/// there with `String.prototype.normalize`. This takes up to a second and [`KdfParameters::memory_kib`] of memory: call
/// it in a Worker.
///
/// # Errors
/// [`OutOfMemory`].
pub fn derive(password: &[u8], parameters: &KdfParameters) -> Result<Key, OutOfMemory> {
    let figures =
        Params::new(parameters.memory_kib, parameters.passes, u32::from(KdfParameters::LANES), Some(KEY_BYTES))
            .map_err(|_| OutOfMemory)?;
    let mut key = Key([0; KEY_BYTES]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, figures)
        .hash_password_into(password, &parameters.salt, &mut key.0)
        // Figures and salt are in range, so memory is all that can be missing.
        .map_err(|_| OutOfMemory)?;
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SALT: [u8; SALT_BYTES] = *b"0123456789abcdef";

    #[test]
    fn figures_have_bounds_on_both_sides() {
        let new = |memory, passes| KdfParameters::new(memory, passes, SALT).map(|_| ());
        assert_eq!(new(19_456, 2), Ok(()));
        assert_eq!(new(7_168, 5), Ok(()));
        assert_eq!(new(65_536, 4), Ok(()));
        assert_eq!(new(7_167, 5), Err(InvalidKdfParameters::TooWeak));
        assert_eq!(new(19_456, 0), Err(InvalidKdfParameters::TooWeak));
        assert_eq!(new(65_537, 1), Err(InvalidKdfParameters::TooCostly));
        assert_eq!(new(65_536, 5), Err(InvalidKdfParameters::TooCostly));
        assert_eq!(new(7_168, 11), Err(InvalidKdfParameters::TooCostly));
        assert_eq!(new(u32::MAX, u32::MAX), Err(InvalidKdfParameters::TooCostly));
    }

    #[test]
    fn the_encoding_reads_back_and_knows_one_function() {
        let parameters = KdfParameters::new(20_000, 3, SALT).unwrap();
        let bytes = parameters.to_bytes();
        assert_eq!(KdfParameters::from_bytes(&bytes), Ok(parameters));
        for place in [0, 9] {
            let mut other = bytes;
            other[place] ^= 2;
            assert_eq!(KdfParameters::from_bytes(&other), Err(InvalidKdfParameters::Unknown), "byte {place}");
        }
    }

    #[test]
    fn password_salt_and_figures_all_count() {
        let parameters = KdfParameters::new(7_168, 1, SALT).unwrap();
        let key = derive(b"password", &parameters).unwrap();
        assert_eq!(derive(b"password", &parameters).unwrap(), key);
        assert_ne!(derive(b"passwore", &parameters).unwrap(), key);
        assert_ne!(derive(b"password", &KdfParameters { salt: [0; SALT_BYTES], ..parameters }).unwrap(), key);
        assert_ne!(derive(b"password", &KdfParameters { passes: 2, ..parameters }).unwrap(), key);
        assert_ne!(derive(b"password", &KdfParameters { memory_kib: 8_000, ..parameters }).unwrap(), key);
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Key::new([7; KEY_BYTES])), "Key(…)");
    }
}
