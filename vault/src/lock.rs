//! The vault at rest: one file on the device, and the ways to open it.
//!
//! The format, version 2; numbers are big-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `TWOFOLDV` |
//! | 1 | format version: 2; 1 differs in the content alone |
//! | 16 | id of the vault, random |
//! | 1 | wrong PINs in a row, 0 to 10 |
//! | 98 | PIN slot: figures of the key derivation (26), wrapped vault key (72) |
//! | 1, 98 | 1 and the slot of the backup password, or 0 |
//! | 1, 2 + n, 32, 72 | 1, the platform's credential, the salt of its PRF and the wrapped vault key, or 0 |
//! | rest | the content: nonce (24), ciphertext, tag (16) |
//!
//! All ciphertexts are XChaCha20-Poly1305 and bound to the vault's id and to their purpose. The vault key is random, so
//! that a PIN can change without the content. The count of wrong PINs cannot be protected: whoever can write the
//! device's storage can set it back. It stops somebody who has the unlocked phone in the hand; a six-digit PIN does not
//! stop somebody who has a copy of the storage, a password does.

use core::fmt;

use crate::bytes::{Malformed, Reader, Writer};
use crate::cipher::{self, DoesNotOpen, NONCE_BYTES, PasswordSlot, TAG_BYTES, WrappedKey, hkdf};
use crate::contents::Contents;
use crate::key::{KEY_BYTES, KdfParameters, Key};
use crate::{Random, random_array};

const MAGIC: &[u8; 8] = b"TWOFOLDV";
const FORMAT: u8 = 2;
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
    /// A new vault with a fresh key under a PIN; `pin_key` is what [`crate::derive()`] makes of the PIN by `kdf`.
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
            Ok(1..=FORMAT) => Self::read(reader).map_err(|Malformed| Damaged::Malformed),
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

    /// Counts a try of the PIN, as a wrong one for now. **Store [`Vault::to_bytes`] before the PIN is evaluated**, so
    /// that closing the page does not undo the count.
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

    /// Opens by the PIN, whose key was derived by [`Vault::pin_kdf`]. The right one sets the count back: store the
    /// vault.
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

    /// Opens by the backup password, whose key was derived by [`Vault::backup_password_kdf`]. It also opens a closed
    /// PIN slot again: store the vault.
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
        let key = VaultKey(key);
        self.open_again(&key).map(|contents| (key, contents))
    }

    /// Opens by the key that opened this vault before somebody else wrote it.
    ///
    /// # Errors
    /// [`NotOpened::Damaged`], for another vault too.
    pub fn open_again(&self, key: &VaultKey) -> Result<Contents, NotOpened> {
        let plain =
            cipher::open(&key.0, CONTENT_LABEL, &self.id, &self.content).map_err(|DoesNotOpen| NotOpened::Damaged)?;
        Contents::decode(&plain).map_err(|Malformed| NotOpened::Damaged)
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

    /// Lets the backup password open this vault, with a salt of its own.
    ///
    /// This slot knows nothing of the backup's: set it again when the password changes here, and when a password that
    /// was changed on another device is typed here for the first time.
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    /// Where the count of wrong PINs stands in the file.
    const COUNT_AT: usize = 8 + 1 + ID_BYTES;

    fn pin() -> Key {
        Key::new([0x31; 32])
    }

    fn wrong() -> Key {
        Key::new([0x32; 32])
    }

    fn password() -> Key {
        Key::new([0x33; 32])
    }

    const PRF: [u8; 32] = [0x34; 32];

    fn platform() -> Platform {
        Platform { credential: b"credential".to_vec(), salt: [0x35; 32] }
    }

    fn vault() -> (Vault, VaultKey, Contents) {
        let random = &mut sample::random();
        let contents = sample::device(random);
        let (vault, key) = Vault::create(&contents, sample::kdf(), &pin(), random);
        (vault, key, contents)
    }

    /// With every slot there is.
    fn full() -> (Vault, VaultKey, Contents) {
        let (mut vault, key, contents) = vault();
        let random = &mut sample::random();
        vault.set_backup_password(&key, sample::kdf(), &password(), random);
        vault.set_platform(&key, platform(), &PRF, random).unwrap();
        (vault, key, contents)
    }

    fn try_pin(vault: &mut Vault, pin: &Key) -> Result<Contents, NotOpened> {
        let counted = vault.count_try().expect("the slot is open");
        vault.open_by_pin(counted, pin).map(|(_, contents)| contents)
    }

    #[test]
    fn each_slot_opens_the_same_vault() {
        let (vault, key, contents) = full();
        let mut vault = Vault::parse(&vault.to_bytes()).unwrap();
        assert_eq!(vault.pin_kdf(), &sample::kdf());
        assert_eq!(vault.backup_password_kdf(), Some(&sample::kdf()));
        assert_eq!(vault.platform(), Some(&platform()));
        assert_eq!(try_pin(&mut vault, &pin()), Ok(contents.clone()));
        assert_eq!(vault.open_by_backup_password(&password()), Ok((key.clone(), contents.clone())));
        assert_eq!(vault.open_by_platform(&PRF), Ok((key, contents)));
    }

    #[test]
    fn what_another_page_wrote_opens_by_the_key_and_another_vault_does_not() {
        let (mut vault, key, _) = full();
        let random = &mut sample::random();
        let written = Contents::default();
        vault.reseal(&key, &written, random);
        assert_eq!(vault.open_again(&key), Ok(written));
        let (other, _) = Vault::create(&Contents::default(), sample::kdf(), &pin(), &mut |bytes| bytes.fill(7));
        assert_eq!(other.open_again(&key), Err(NotOpened::Damaged));
    }

    #[test]
    fn another_secret_opens_no_slot() {
        let (mut vault, _, _) = full();
        assert_eq!(try_pin(&mut vault, &password()), Err(NotOpened::Wrong));
        assert_eq!(vault.open_by_backup_password(&pin()), Err(NotOpened::Wrong));
        assert_eq!(vault.open_by_platform(&[0; 32]), Err(NotOpened::Wrong));
    }

    #[test]
    fn a_slot_that_was_never_there_or_is_removed_does_not_open() {
        let (mut vault, key, _) = full();
        vault.remove_backup_password();
        vault.remove_platform();
        assert_eq!(vault.open_by_backup_password(&password()), Err(NotOpened::NoSuchSlot));
        assert_eq!(vault.open_by_platform(&PRF), Err(NotOpened::NoSuchSlot));
        assert_eq!(vault.to_bytes().len(), self::vault().0.to_bytes().len(), "nothing of them is left");
        let random = &mut sample::random();
        for length in [0, MAX_CREDENTIAL_BYTES + 1] {
            let platform = Platform { credential: vec![1; length], ..platform() };
            assert_eq!(vault.set_platform(&key, platform, &PRF, random), Err(InvalidCredential));
        }
    }

    #[test]
    fn slots_of_one_vault_open_no_other() {
        let (first, _, _) = full();
        let random = &mut sample::random();
        // The first vault was made of the first bytes of the same sequence.
        random(&mut [0; 320]);
        let (mut second, key) = Vault::create(&Contents::default(), sample::kdf(), &pin(), random);
        second.set_backup_password(&key, sample::kdf(), &password(), random);
        second.pin.clone_from(&first.pin);
        second.backup_password.clone_from(&first.backup_password);
        second.platform.clone_from(&first.platform);
        assert_eq!(try_pin(&mut second, &pin()), Err(NotOpened::Wrong));
        assert_eq!(second.open_by_backup_password(&password()), Err(NotOpened::Wrong));
        assert_eq!(second.open_by_platform(&PRF), Err(NotOpened::Wrong));
        second.content.clone_from(&first.content);
        second.id = first.id;
        assert!(try_pin(&mut second, &pin()).is_ok());
    }

    #[test]
    fn the_password_is_no_pin_and_the_pin_no_password() {
        let (mut vault, key, _) = full();
        let random = &mut sample::random();
        // Somebody uses one secret, with one salt even, for both.
        vault.set_backup_password(&key, sample::kdf(), &pin(), random);
        let slot = vault.backup_password.clone().unwrap();
        vault.pin = slot;
        assert_eq!(try_pin(&mut vault, &pin()), Err(NotOpened::Wrong), "a slot is bound to its purpose");
    }

    #[test]
    fn a_try_is_counted_before_it_is_evaluated() {
        let (mut vault, _, _) = vault();
        let counted = vault.count_try().unwrap();
        let stored = Vault::parse(&vault.to_bytes()).unwrap();
        assert_eq!(stored.tries_left(), MAX_TRIES - 1, "closing the page now does not undo it");
        vault.open_by_pin(counted, &pin()).unwrap();
        assert_eq!(Vault::parse(&vault.to_bytes()).unwrap().tries_left(), MAX_TRIES);
    }

    #[test]
    fn ten_wrong_pins_close_the_slot_until_the_backup_password() {
        let (mut vault, key, contents) = full();
        for left in (0..MAX_TRIES).rev() {
            assert_eq!(try_pin(&mut vault, &wrong()), Err(NotOpened::Wrong));
            assert_eq!(vault.tries_left(), left);
        }
        let mut vault = Vault::parse(&vault.to_bytes()).unwrap();
        assert_eq!(vault.count_try().unwrap_err(), Closed);
        assert_eq!(vault.open_by_platform(&PRF), Ok((key, contents.clone())));
        assert_eq!(vault.count_try().unwrap_err(), Closed, "a finger does not give ten more tries");
        assert!(vault.open_by_backup_password(&wrong()).is_err());
        assert_eq!(vault.count_try().unwrap_err(), Closed);
        assert!(vault.open_by_backup_password(&password()).is_ok());
        assert_eq!(vault.tries_left(), MAX_TRIES);
        assert_eq!(try_pin(&mut vault, &pin()), Ok(contents));
    }

    #[test]
    fn another_pin_leaves_content_and_other_slots() {
        let (mut vault, key, contents) = full();
        let before = vault.content.clone();
        let _ = try_pin(&mut vault, &wrong());
        vault.change_pin(&key, sample::kdf(), &wrong(), &mut sample::random());
        assert_eq!((vault.tries_left(), &vault.content), (MAX_TRIES, &before));
        assert_eq!(try_pin(&mut vault, &pin()), Err(NotOpened::Wrong));
        assert_eq!(try_pin(&mut vault, &wrong()), Ok(contents));
        assert!(vault.open_by_backup_password(&password()).is_ok());
        assert!(vault.open_by_platform(&PRF).is_ok());
    }

    #[test]
    fn changed_contents_are_sealed_under_the_held_key() {
        let (mut vault, key, mut contents) = vault();
        let random = &mut sample::random();
        // The vault was made of the first bytes of the same sequence.
        random(&mut [0; 320]);
        contents.add(sample::other("Ada", random), sample::NOW).unwrap();
        let before = vault.clone();
        vault.reseal(&key, &contents, random);
        assert_ne!(vault.content[..NONCE_BYTES], before.content[..NONCE_BYTES], "no nonce twice");
        assert_eq!(try_pin(&mut vault, &pin()), Ok(contents));
    }

    #[test]
    fn nothing_stands_there_in_clear() {
        let (vault, key, contents) = full();
        let file = vault.to_bytes();
        let has = |needle: &[u8]| file.windows(needle.len()).any(|window| window == needle);
        assert!(!has(contents.accounts()[0].key().expose_bytes()));
        assert!(!has(b"Elm & Oak") && !has(b"Ada's phone") && !has(b"ta1"));
        for secret in [key.0.expose(), pin().expose(), password().expose(), &PRF] {
            assert!(!has(secret));
        }
        assert!(has(&platform().credential), "what is public does, as this test can see");
    }

    #[test]
    fn no_byte_can_be_changed_cut_off_or_added() {
        let file = vault().0.to_bytes();
        let open = |bytes: &[u8]| Vault::parse(bytes).is_ok_and(|mut vault| try_pin(&mut vault, &pin()).is_ok());
        assert!(open(&file));
        for index in (0..file.len()).filter(|index| *index != COUNT_AT) {
            for bit in 0..8 {
                let mut changed = file.clone();
                changed[index] ^= 1 << bit;
                assert!(!open(&changed), "byte {index}, bit {bit}");
            }
        }
        for length in 0..file.len() {
            assert!(!open(&file[..length]), "{length} bytes");
        }
        assert!(!open(&[file.as_slice(), &[0]].concat()));
        let mut eleven = file.clone();
        eleven[COUNT_AT] = MAX_TRIES + 1;
        assert_eq!(Vault::parse(&eleven), Err(Damaged::Malformed));
        let mut newer = file;
        newer[8] = FORMAT + 1;
        assert_eq!(Vault::parse(&newer), Err(Damaged::UnknownFormat));
    }

    #[test]
    fn damaged_content_is_told_apart_from_a_wrong_pin() {
        let (mut vault, _, _) = vault();
        *vault.content.last_mut().unwrap() ^= 1;
        assert_eq!(try_pin(&mut vault, &pin()), Err(NotOpened::Damaged));
    }

    proptest! {
        #[test]
        fn whatever_is_sealed_opens(contents in sample::contents()) {
            let random = &mut sample::random();
            let (vault, _) = Vault::create(&contents, sample::kdf(), &pin(), random);
            let mut vault = Vault::parse(&vault.to_bytes()).unwrap();
            prop_assert_eq!(try_pin(&mut vault, &pin()), Ok(contents));
        }

        #[test]
        fn no_patience_gets_more_than_ten_wrong_pins_in_a_row(
            tries in proptest::collection::vec(any::<bool>(), 0..60),
        ) {
            let (mut vault, _, _) = vault();
            let mut wrong_in_a_row = 0;
            for is_right in tries {
                // Every try starts from the stored file, as after a reload.
                vault = Vault::parse(&vault.to_bytes()).unwrap();
                let Ok(counted) = vault.count_try() else {
                    prop_assert_eq!(wrong_in_a_row, MAX_TRIES);
                    continue;
                };
                prop_assert!(wrong_in_a_row < MAX_TRIES);
                let opened = vault.open_by_pin(counted, &if is_right { pin() } else { wrong() });
                prop_assert_eq!(opened.is_ok(), is_right);
                wrong_in_a_row = if is_right { 0 } else { wrong_in_a_row + 1 };
                prop_assert_eq!(vault.tries_left(), MAX_TRIES - wrong_in_a_row);
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Vault::parse(&bytes);
            if let Ok(mut vault) = Vault::parse(&[MAGIC.as_slice(), &[FORMAT], &[0; ID_BYTES + 1], &bytes].concat()) {
                prop_assert!(try_pin(&mut vault, &pin()).is_err());
            }
        }
    }
}
