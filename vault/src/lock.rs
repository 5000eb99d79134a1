//! The vault at rest: one file on the device, and the ways to open it.
//!
//! The format, version 1; numbers are big-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `TWOFOLDV` |
//! | 1 | format version: 1 |
//! | 16 | id of the vault, random |
//! | 1 | wrong PINs in a row, 0 to 10 |
//! | 98 | PIN slot: figures of the key derivation (26), wrapped vault key (72) |
//! | 1, 98 | 1 and the slot of the backup password, or 0 |
//! | 1, 2 + n, 32, 72 | 1, the platform's credential, the salt of its PRF and the wrapped vault key, or 0 |
//! | rest | the content: nonce (24), ciphertext, tag (16) |
//!
//! All ciphertexts are XChaCha20-Poly1305 and bound to the vault's id and to their purpose. The vault key is random, so
//! that a PIN can change without the content. The count of wrong PINs cannot be protected: whoever can write the device's
//! storage can set it back. It stops somebody who has the unlocked phone in the hand; a six-digit PIN does not stop
//! somebody who has a copy of the storage, a password does.

use core::fmt;

use crate::bytes::{Malformed, Reader, Writer};
use crate::cipher::{self, DoesNotOpen, NONCE_BYTES, PasswordSlot, TAG_BYTES, WrappedKey, hkdf};
use crate::contents::Contents;
use crate::key::{KEY_BYTES, KdfParameters, Key};
use crate::{Random, random_array};

const MAGIC: &[u8; 8] = b"TWOFOLDV";
const FORMAT: u8 = 1;
const ID_BYTES: usize = 16;
const PIN_LABEL: &str = "twofold vault pin 1";
const BACKUP_PASSWORD_LABEL: &str = "twofold vault backup password 1";
const PLATFORM_LABEL: &str = "twofold vault platform 1";
const CONTENT_LABEL: &str = "twofold vault content 1";
/// Wrong PINs in a row that close the PIN slot (RC-13).
pub const MAX_TRIES: u8 = 10;
/// The longest file, in bytes.
pub const MAX_BYTES: usize = 2 * 1024 * 1024;
/// The longest credential id that Web Authentication knows, in bytes.
pub const MAX_CREDENTIAL_BYTES: usize = 1023;

/// The key that is held while a vault is unlocked, and by which it is sealed again.
#[derive(Clone, PartialEq, Eq)]
pub struct VaultKey(Key);

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(…)")
    }
}

/// How the platform's authenticator is asked: which credential, and the input of its PRF.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The credential's id.
    pub credential: Vec<u8>,
    /// The first input of the extension `prf` (Web Authentication level 3, §10.1.4).
    pub salt: [u8; 32],
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PlatformSlot {
    platform: Platform,
    wrapped: WrappedKey,
}

/// A device's vault, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vault {
    id: [u8; ID_BYTES],
    wrong_pins: u8,
    pin: PasswordSlot,
    backup_password: Option<PasswordSlot>,
    platform: Option<PlatformSlot>,
    content: Vec<u8>,
}

/// The file is no vault, or it was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damaged {
    /// Cut short, changed, or no vault at all.
    #[error("the data on this device is damaged")]
    Malformed,
    /// Written by a newer version of the authenticator.
    #[error("the data on this device was written by a newer version; update this one")]
    UnknownFormat,
}

/// Too many wrong PINs in a row: only the backup password, or the platform's authenticator, opens the vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many wrong PINs; the backup password opens the vault")]
pub struct Closed;

/// Why a vault stays locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpened {
    /// Another PIN, password or authenticator.
    #[error("this does not open the vault")]
    Wrong,
    /// There is no slot of that kind.
    #[error("the vault cannot be opened in this way")]
    NoSuchSlot,
    /// The key is right, but the content was changed.
    #[error("the data on this device is damaged")]
    Damaged,
}

/// A credential id of no bytes, or of more than [`MAX_CREDENTIAL_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a credential id")]
pub struct InvalidCredential;

/// A try that is counted, and may be evaluated once. It cannot be made in another way, nor copied.
#[derive(Debug)]
#[must_use = "the try is counted already"]
pub struct CountedTry(());

impl Vault {
    /// A new vault with a fresh key under a PIN; `pin_key` is what [`crate::derive`] makes of the PIN by `kdf`.
    #[must_use]
    pub fn create(contents: &Contents, kdf: KdfParameters, pin_key: &Key, random: &mut Random<'_>) -> (Self, VaultKey) {
        let id = random_array(random);
        let key = VaultKey(Key::random(random));
        let pin = PasswordSlot::new(kdf, pin_key, PIN_LABEL, &id, &key.0, random);
        let content = cipher::seal(&key.0, CONTENT_LABEL, &id, &contents.encode(), random);
        (Self { id, wrong_pins: 0, pin, backup_password: None, platform: None, content }, key)
    }

    /// Reads a file.
    ///
    /// # Errors
    /// [`Damaged`].
    pub fn parse(bytes: &[u8]) -> Result<Self, Damaged> {
        let mut reader = Reader::new(bytes);
        if bytes.len() > MAX_BYTES || reader.array() != Ok(*MAGIC) {
            return Err(Damaged::Malformed);
        }
        match reader.u8() {
            Ok(FORMAT) => Self::read(reader).map_err(|Malformed| Damaged::Malformed),
            Ok(newer) if newer > FORMAT => Err(Damaged::UnknownFormat),
            _ => Err(Damaged::Malformed),
        }
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let id = reader.array()?;
        let wrong_pins = reader.u8()?;
        if wrong_pins > MAX_TRIES {
            return Err(Malformed);
        }
        let pin = PasswordSlot::read(&mut reader)?;
        let backup_password = reader.option(PasswordSlot::read)?;
        let platform = reader.option(|reader| {
            let credential = reader.string(MAX_CREDENTIAL_BYTES)?.to_vec();
            let platform = Platform { credential, salt: reader.array()? };
            Ok(PlatformSlot { platform, wrapped: WrappedKey::read(reader)? })
        })?;
        let content = reader.rest().to_vec();
        if content.len() < NONCE_BYTES + TAG_BYTES {
            return Err(Malformed);
        }
        Ok(Self { id, wrong_pins, pin, backup_password, platform, content })
    }

    /// The file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(512 + self.content.len());
        writer.fixed(MAGIC);
        writer.u8(FORMAT);
        writer.fixed(&self.id);
        writer.u8(self.wrong_pins);
        self.pin.write(&mut writer);
        writer.option(self.backup_password.as_ref(), |writer, slot| slot.write(writer));
        writer.option(self.platform.as_ref(), |writer, slot| {
            writer.string(&slot.platform.credential);
            writer.fixed(&slot.platform.salt);
            writer.fixed(slot.wrapped.as_bytes());
        });
        writer.fixed(&self.content);
        writer.as_slice().to_vec()
    }

    /// How the PIN's key is derived.
    #[must_use]
    pub const fn pin_kdf(&self) -> &KdfParameters {
        &self.pin.kdf
    }

    /// How the backup password's key is derived, if it opens this vault.
    #[must_use]
    pub fn backup_password_kdf(&self) -> Option<&KdfParameters> {
        self.backup_password.as_ref().map(|slot| &slot.kdf)
    }

    /// How the platform's authenticator is asked, if it opens this vault.
    #[must_use]
    pub fn platform(&self) -> Option<&Platform> {
        self.platform.as_ref().map(|slot| &slot.platform)
    }

    /// How many PINs may still be tried: 10 at first, 0 when the PIN slot is closed.
    #[must_use]
    pub const fn tries_left(&self) -> u8 {
        MAX_TRIES - self.wrong_pins
    }

    /// Counts a try of the PIN, as a wrong one for now. **Store [`Vault::to_bytes`] before the PIN is evaluated**, so that
    /// closing the page does not undo the count.
    ///
    /// # Errors
    /// [`Closed`] after ten wrong ones in a row.
    pub const fn count_try(&mut self) -> Result<CountedTry, Closed> {
        if self.wrong_pins >= MAX_TRIES {
            return Err(Closed);
        }
        self.wrong_pins += 1;
        Ok(CountedTry(()))
    }

    /// Opens by the PIN, whose key was derived by [`Vault::pin_kdf`]. The right one sets the count back: store the vault.
    ///
    /// # Errors
    /// [`NotOpened`].
    pub fn open_by_pin(
        &mut self,
        CountedTry(()): CountedTry,
        pin_key: &Key,
    ) -> Result<(VaultKey, Contents), NotOpened> {
        let key = self.pin.open(pin_key, PIN_LABEL, &self.id).map_err(|DoesNotOpen| NotOpened::Wrong)?;
        self.wrong_pins = 0;
        self.open(key)
    }

    /// Opens by the backup password, whose key was derived by [`Vault::backup_password_kdf`]. It also opens a closed PIN
    /// slot again: store the vault.
    ///
    /// # Errors
    /// [`NotOpened`].
    pub fn open_by_backup_password(&mut self, password_key: &Key) -> Result<(VaultKey, Contents), NotOpened> {
        let slot = self.backup_password.as_ref().ok_or(NotOpened::NoSuchSlot)?;
        let key = slot.open(password_key, BACKUP_PASSWORD_LABEL, &self.id).map_err(|DoesNotOpen| NotOpened::Wrong)?;
        self.wrong_pins = 0;
        self.open(key)
    }

    /// Opens by the 32 bytes that the PRF of the platform's authenticator gave. The count of wrong PINs stays, for
    /// somebody's finger says nothing about who tried them.
    ///
    /// # Errors
    /// [`NotOpened`].
    pub fn open_by_platform(&self, prf: &[u8; KEY_BYTES]) -> Result<(VaultKey, Contents), NotOpened> {
        let slot = self.platform.as_ref().ok_or(NotOpened::NoSuchSlot)?;
        let key = slot
            .wrapped
            .unwrap(&self.platform_key(prf), PLATFORM_LABEL, &self.id)
            .map_err(|DoesNotOpen| NotOpened::Wrong)?;
        self.open(key)
    }

    fn open(&self, key: Key) -> Result<(VaultKey, Contents), NotOpened> {
        let plain =
            cipher::open(&key, CONTENT_LABEL, &self.id, &self.content).map_err(|DoesNotOpen| NotOpened::Damaged)?;
        let contents = Contents::decode(&plain).map_err(|Malformed| NotOpened::Damaged)?;
        Ok((VaultKey(key), contents))
    }

    /// Puts changed contents in. Store the vault after it.
    pub fn reseal(&mut self, key: &VaultKey, contents: &Contents, random: &mut Random<'_>) {
        self.content = cipher::seal(&key.0, CONTENT_LABEL, &self.id, &contents.encode(), random);
    }

    /// Sets another PIN, and the count of wrong ones back.
    pub fn change_pin(&mut self, key: &VaultKey, kdf: KdfParameters, pin_key: &Key, random: &mut Random<'_>) {
        self.pin = PasswordSlot::new(kdf, pin_key, PIN_LABEL, &self.id, &key.0, random);
        self.wrong_pins = 0;
    }

    /// Lets the backup password open this vault, with a salt of its own; again after each change of that password.
    pub fn set_backup_password(
        &mut self,
        key: &VaultKey,
        kdf: KdfParameters,
        password_key: &Key,
        random: &mut Random<'_>,
    ) {
        let slot = PasswordSlot::new(kdf, password_key, BACKUP_PASSWORD_LABEL, &self.id, &key.0, random);
        self.backup_password = Some(slot);
    }

    /// Lets the backup password no longer open this vault.
    pub fn remove_backup_password(&mut self) {
        self.backup_password = None;
    }

    /// Lets the platform's authenticator open this vault, by the 32 bytes that its PRF gives for this salt.
    ///
    /// # Errors
    /// [`InvalidCredential`].
    pub fn set_platform(
        &mut self,
        key: &VaultKey,
        platform: Platform,
        prf: &[u8; KEY_BYTES],
        random: &mut Random<'_>,
    ) -> Result<(), InvalidCredential> {
        if !(1..=MAX_CREDENTIAL_BYTES).contains(&platform.credential.len()) {
            return Err(InvalidCredential);
        }
        let wrapped = WrappedKey::wrap(&self.platform_key(prf), PLATFORM_LABEL, &self.id, &key.0, random);
        self.platform = Some(PlatformSlot { platform, wrapped });
        Ok(())
    }

    /// Lets the platform's authenticator no longer open this vault.
    pub fn remove_platform(&mut self) {
        self.platform = None;
    }

    /// The PRF's output is a key already; HKDF (RFC 5869) ties it to this vault and this use.
    fn platform_key(&self, prf: &[u8; KEY_BYTES]) -> Key {
        hkdf(&self.id, prf, PLATFORM_LABEL.as_bytes())
    }
}
