//! The backup: what the server keeps of a vault and cannot read.
//!
//! The format, version 2; numbers are big-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `TWOFOLDB` |
//! | 1 | format version: 2, or 1 where the content has no history |
//! | 26 | figures of the key derivation, as in [`KdfParameters::to_bytes`] |
//! | 72 | the backup key, wrapped under the key that the password makes: nonce (24), ciphertext (32), tag (16) |
//! | 2 + n | length and text of the token account's id |
//! | 4 | version: 1, 2, 3 … |
//! | 2 + 32 × n | SHA-256 digests of the versions before, newest first: all of them, but at most 32 |
//! | rest | the content: nonce (24), ciphertext, tag (16) |
//!
//! Both ciphertexts are XChaCha20-Poly1305. The associated data of the content is `twofold backup content 1`, a line
//! break, and all bytes before it; that of the wrapped key is `twofold backup key 1`, a line break, the figures of the
//! key derivation and the token account's id. The plain text is an encoding of its own ([`Snapshot`]).
//!
//! The key is random and stays when the password changes; only its wrapping is made anew. Without a change of key a
//! device can go on saving without asking for the password.

use core::fmt;

use data_encoding::BASE64URL_NOPAD;
use domain::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::Random;
use crate::account::ServerId;
use crate::bytes::{Malformed, Reader, Writer};
use crate::cipher::{self, DoesNotOpen, NONCE_BYTES, PasswordSlot, TAG_BYTES};
use crate::contents::{Contents, Full, Merged};
use crate::key::{KdfParameters, Key};
use crate::snapshot::{ACCOUNTS, Snapshot, WITH_HISTORY};

const MAGIC: &[u8; 8] = b"TWOFOLDB";
/// The newest format. A backup without history is written in format 1, which older programs read.
const FORMAT: u8 = WITH_HISTORY;
const KEY_LABEL: &str = "twofold backup key 1";
const CONTENT_LABEL: &str = "twofold backup content 1";
/// The longest backup, in bytes; the server takes 256 KiB of a form, in which base64 makes four bytes of three.
pub const MAX_BYTES: usize = 160 * 1024;
/// As many digests of versions before are carried along.
pub const MAX_CHAIN: usize = 32;

/// The SHA-256 of a backup, by which the next version names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest([u8; Self::BYTES]);

impl Digest {
    const BYTES: usize = 32;

    fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for Digest {
    /// Base64url without padding, as the server has it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64URL_NOPAD.encode(&self.0))
    }
}

/// A sequence of backups up to one version: its number, and the digests of it and of up to 31 before, newest first.
///
/// Each device keeps the chain of the newest backup that it has seen, in its vault. A backup says the chain that it
/// follows. So a device sees whether one that is offered to it comes after what it has seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    version: u32,
    digests: Vec<Digest>,
}

/// How an accepted backup stands to what the device has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sequence {
    /// It is the one that the device has seen last.
    Same,
    /// It comes after that.
    Newer,
}

impl Chain {
    /// The version's number; 0 if there is none yet.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// The digest of that version; `None` if there is none yet.
    #[must_use]
    pub fn digest(&self) -> Option<Digest> {
        self.digests.first().copied()
    }

    /// Whether `offered` is of the same sequence and not older.
    ///
    /// A backup that is 32 or more versions ahead does not name the version that was seen here; it is believed.
    fn judge(&self, offered: &Self) -> Result<Sequence, Refused> {
        let Some(ahead) = offered.version.checked_sub(self.version) else {
            return Err(Refused::Older { offered: offered.version, seen: self.version });
        };
        let named = usize::try_from(ahead).ok().and_then(|ahead| offered.digests.get(ahead));
        match (self.digest(), named) {
            (Some(seen), Some(named)) if seen != *named => Err(Refused::Forked),
            _ if ahead == 0 && self.version > 0 => Ok(Sequence::Same),
            _ => Ok(Sequence::Newer),
        }
    }

    fn followed_by(&self, digest: Digest) -> Self {
        let digests = [digest].into_iter().chain(self.digests.iter().copied()).take(MAX_CHAIN).collect();
        Self { version: self.version.saturating_add(1), digests }
    }

    /// Version (u32), count of digests (u16), digests.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u32(self.version);
        writer.count(self.digests.len());
        for digest in &self.digests {
            writer.fixed(&digest.0);
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let version = reader.u32()?;
        Self::read_digests(version, reader)
    }

    /// As many digests as there are versions, up to [`MAX_CHAIN`].
    fn read_digests(version: u32, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let count = reader.count(MAX_CHAIN)?;
        if count != usize::try_from(version).unwrap_or(MAX_CHAIN).min(MAX_CHAIN) {
            return Err(Malformed);
        }
        let digests = (0..count).map(|_| reader.array().map(Digest)).collect::<Result<_, _>>()?;
        Ok(Self { version, digests })
    }
}

/// Why a backup is not taken. Nothing of it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Cut short, changed, or no backup at all.
    #[error("the backup is damaged")]
    Damaged,
    /// Made by a newer version of the authenticator.
    #[error("the backup was made by a newer version; update this one")]
    UnknownFormat,
    /// A backup of another token account.
    #[error("the backup belongs to another token account")]
    OtherTokenAccount,
    /// Older than what this device has seen: somebody put an old one in the new one's place.
    #[error("the server offers version {offered} of the backup, but this device has seen version {seen}")]
    Older {
        /// The version that was offered.
        offered: u32,
        /// The newest version that this device has seen.
        seen: u32,
    },
    /// Of a sequence that left the one which this device has seen.
    #[error("the backup does not continue the one that this device has seen")]
    Forked,
    /// The password is another one, or what it opens was changed.
    #[error("the backup password is wrong")]
    WrongPassword,
    /// Made with another backup key than this device holds: the backup was switched on anew. The password opens it.
    #[error("the backup has a new key; enter its password")]
    OtherKey,
}

/// The key of a token account's backups, with its wrapping under the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupKey {
    token_account: ServerId,
    key: Key,
    slot: PasswordSlot,
}

impl BackupKey {
    /// A fresh key under a password: `password_key` is what [`crate::derive()`] makes of it by `kdf`.
    ///
    /// The password itself is parsed by [`domain::Password::new`].
    #[must_use]
    pub fn create(token_account: ServerId, kdf: KdfParameters, password_key: &Key, random: &mut Random<'_>) -> Self {
        let key = Key::random(random);
        let slot = Self::slot(&token_account, kdf, password_key, &key, random);
        Self { token_account, key, slot }
    }

    /// Puts the same key under another password. It holds from the next version on.
    ///
    /// Whoever has an older backup can still open that one by the older password; and a device that held the key still
    /// holds it. To get rid of either, make a fresh key.
    pub fn change_password(&mut self, kdf: KdfParameters, password_key: &Key, random: &mut Random<'_>) {
        self.slot = Self::slot(&self.token_account, kdf, password_key, &self.key, random);
    }

    /// Whether this is the key's password, from which `password_key` was derived by [`BackupKey::kdf`].
    #[must_use]
    pub fn is_password(&self, password_key: &Key) -> bool {
        self.slot.open(password_key, KEY_LABEL, self.token_account.as_str().as_bytes()).is_ok()
    }

    /// How the password's key is derived.
    #[must_use]
    pub const fn kdf(&self) -> &KdfParameters {
        &self.slot.kdf
    }

    /// Whose backups these are.
    #[must_use]
    pub const fn token_account(&self) -> &ServerId {
        &self.token_account
    }

    /// The next backup of the sequence `chain`.
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn seal(&self, snapshot: &Snapshot, chain: &Chain, random: &mut Random<'_>) -> Result<Blob, TooLarge> {
        let header = Header {
            format: snapshot.encoding(),
            token_account: self.token_account.clone(),
            slot: self.slot.clone(),
            after: chain.clone(),
        };
        let mut bytes = header.encode();
        let content = cipher::seal(&self.key, CONTENT_LABEL, &bytes, &snapshot.encode(), random);
        let content_at = bytes.len();
        bytes.extend_from_slice(&content);
        if bytes.len() > MAX_BYTES { Err(TooLarge) } else { Ok(Blob { bytes, content_at, header }) }
    }

    fn slot(
        token_account: &ServerId,
        kdf: KdfParameters,
        password_key: &Key,
        key: &Key,
        random: &mut Random<'_>,
    ) -> PasswordSlot {
        PasswordSlot::new(kdf, password_key, KEY_LABEL, token_account.as_str().as_bytes(), key, random)
    }

    fn write(&self, writer: &mut Writer) {
        self.token_account.write(writer);
        writer.fixed(self.key.expose());
        self.slot.write(writer);
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            token_account: ServerId::read(reader)?,
            key: Key::new(reader.array()?),
            slot: PasswordSlot::read(reader)?,
        })
    }
}

/// The accounts do not fit in a backup of [`MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the accounts are too many for a backup")]
pub struct TooLarge;

/// All before the content.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Header {
    /// The format version, which is the encoding of the content too.
    format: u8,
    token_account: ServerId,
    slot: PasswordSlot,
    /// The sequence that this backup follows.
    after: Chain,
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(256 + 32 * MAX_CHAIN);
        writer.fixed(MAGIC);
        writer.u8(self.format);
        self.slot.write(&mut writer);
        self.token_account.write(&mut writer);
        writer.u32(self.after.version.saturating_add(1));
        writer.count(self.after.digests.len());
        for digest in &self.after.digests {
            writer.fixed(&digest.0);
        }
        writer.as_slice().to_vec()
    }

    fn read(format: u8, reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let slot = PasswordSlot::read(reader)?;
        let token_account = ServerId::read(reader)?;
        let before = reader.u32()?.checked_sub(1).ok_or(Malformed)?;
        Ok(Self { format, token_account, slot, after: Chain::read_digests(before, reader)? })
    }
}

/// A backup, whole and unopened. What its header says is a claim until it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    bytes: Vec<u8>,
    content_at: usize,
    header: Header,
}

impl Blob {
    /// Reads the header.
    ///
    /// # Errors
    /// [`Refused::Damaged`] and [`Refused::UnknownFormat`].
    pub fn parse(bytes: Vec<u8>) -> Result<Self, Refused> {
        if bytes.len() > MAX_BYTES {
            return Err(Refused::Damaged);
        }
        let mut reader = Reader::new(&bytes);
        if reader.array() != Ok(*MAGIC) {
            return Err(Refused::Damaged);
        }
        let format = match reader.u8() {
            Ok(known @ ACCOUNTS..=FORMAT) => known,
            Ok(newer) if newer > FORMAT => return Err(Refused::UnknownFormat),
            _ => return Err(Refused::Damaged),
        };
        let header = Header::read(format, &mut reader).map_err(|_| Refused::Damaged)?;
        let rest = reader.rest().len();
        if rest < NONCE_BYTES + TAG_BYTES {
            return Err(Refused::Damaged);
        }
        Ok(Self { content_at: bytes.len() - rest, bytes, header })
    }

    /// The same from base64url without padding, as the server sends it.
    ///
    /// # Errors
    /// As [`Blob::parse`].
    pub fn from_text(text: &str) -> Result<Self, Refused> {
        if text.len() > BASE64URL_NOPAD.encode_len(MAX_BYTES) {
            return Err(Refused::Damaged);
        }
        Self::parse(BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| Refused::Damaged)?)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes in base64url without padding, as the server takes them.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64URL_NOPAD.encode(&self.bytes)
    }

    /// The version that it says it is; 1 is the first.
    #[must_use]
    pub const fn version(&self) -> u32 {
        self.header.after.version.saturating_add(1)
    }

    /// The digest of the version before; `None` for the first.
    #[must_use]
    pub fn previous(&self) -> Option<Digest> {
        self.header.after.digest()
    }

    /// Its own digest.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// How the password's key is derived.
    #[must_use]
    pub const fn kdf(&self) -> &KdfParameters {
        &self.header.slot.kdf
    }

    /// The sequence up to and with this backup, to be remembered once it is opened, or once the server has it.
    #[must_use]
    pub fn chain(&self) -> Chain {
        self.header.after.followed_by(self.digest())
    }

    /// Whether this may be the next backup for a device that belongs to `token_account` and has seen `seen`.
    ///
    /// # Errors
    /// [`Refused::OtherTokenAccount`], [`Refused::Older`] and [`Refused::Forked`].
    pub fn accept(&self, token_account: &ServerId, seen: &Chain) -> Result<Accepted<'_>, Refused> {
        if self.header.token_account != *token_account {
            return Err(Refused::OtherTokenAccount);
        }
        let chain = self.chain();
        let sequence = seen.judge(&chain)?;
        Ok(Accepted { blob: self, chain, sequence })
    }
}

/// A backup of the right token account that is not older than what was seen. Its content can still be damaged.
#[derive(Clone, Debug)]
pub struct Accepted<'a> {
    blob: &'a Blob,
    chain: Chain,
    sequence: Sequence,
}

impl Accepted<'_> {
    /// How it stands to what the device has seen.
    #[must_use]
    pub const fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Opens it by the password; `password_key` was derived by [`Blob::kdf`].
    ///
    /// # Errors
    /// [`Refused::WrongPassword`], and [`Refused::Damaged`] if the password is right and the rest is not.
    pub fn open_by_password(self, password_key: &Key) -> Result<Opened, Refused> {
        let header = &self.blob.header;
        let key = header
            .slot
            .open(password_key, KEY_LABEL, header.token_account.as_str().as_bytes())
            .map_err(|DoesNotOpen| Refused::WrongPassword)?;
        self.open(key, Refused::Damaged)
    }

    /// Opens it by the key that the device holds. The password may have changed since: the new wrapping comes with it.
    ///
    /// # Errors
    /// [`Refused::Damaged`], or [`Refused::OtherKey`] where the wrapping is not the one that the device knows: whether
    /// the key is new or the backup is damaged, the password tells.
    pub fn open_by_key(self, key: &BackupKey) -> Result<Opened, Refused> {
        let otherwise = if key.slot == self.blob.header.slot { Refused::Damaged } else { Refused::OtherKey };
        self.open(key.key.clone(), otherwise)
    }

    fn open(self, key: Key, otherwise: Refused) -> Result<Opened, Refused> {
        let Blob { bytes, content_at, header } = self.blob;
        let (before, content) = bytes.split_at(*content_at);
        let plain = cipher::open(&key, CONTENT_LABEL, before, content).map_err(|DoesNotOpen| otherwise)?;
        let snapshot = Snapshot::decode(header.format, &plain).map_err(|Malformed| Refused::Damaged)?;
        let key = BackupKey { token_account: header.token_account.clone(), key, slot: header.slot.clone() };
        Ok(Opened { key, snapshot, chain: self.chain })
    }
}

/// A backup that opened: all its bytes are those that a device with the key wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// The key, and its wrapping under the password of today.
    pub key: BackupKey,
    /// The accounts.
    pub snapshot: Snapshot,
    /// The sequence up to and with this backup.
    pub chain: Chain,
}

/// The backup as a device knows it while it is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupState {
    /// The key, by which each change is saved without asking for the password.
    pub key: BackupKey,
    saved: Option<Saved>,
}

/// What the server has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Saved {
    at: Timestamp,
    /// The digest of the accounts in clear, to see whether they have changed since.
    accounts: Digest,
    /// The digest of the key's wrapping, likewise.
    slot: Digest,
}

impl BackupState {
    /// When the server took the newest version from this device, or gave it to it; `None` if it never did.
    #[must_use]
    pub fn saved_at(&self) -> Option<Timestamp> {
        self.saved.map(|saved| saved.at)
    }

    fn has_unsaved_password(&self) -> bool {
        self.saved.is_some_and(|saved| saved.slot != slot_digest(&self.key.slot))
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        self.key.write(writer);
        writer.option(self.saved, |writer, saved| {
            writer.i64(saved.at.millis());
            writer.fixed(&saved.accounts.0);
            writer.fixed(&saved.slot.0);
        });
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let key = BackupKey::read(reader)?;
        let saved = reader.option(|reader| {
            Ok(Saved {
                at: Timestamp::from_millis(reader.i64()?),
                accounts: Digest(reader.array()?),
                slot: Digest(reader.array()?),
            })
        })?;
        Ok(Self { key, saved })
    }
}

/// A backup on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    blob: Blob,
    accounts: Digest,
}

impl Outgoing {
    /// What goes to the server, with [`Blob::version`] and [`Blob::previous`].
    #[must_use]
    pub const fn blob(&self) -> &Blob {
        &self.blob
    }
}

/// Why there is no backup to save.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSealed {
    /// The backup is off.
    #[error("the backup is off")]
    Off,
    /// The accounts do not fit.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

impl Contents {
    /// Switches the backup on, with this key. Nothing is saved yet.
    pub fn switch_backup_on(&mut self, key: BackupKey) {
        self.backup = Some(BackupState { key, saved: None });
    }

    /// Switches it off and forgets the key. The versions that were seen stay known.
    pub fn switch_backup_off(&mut self) {
        self.backup = None;
    }

    /// Whether accounts or password have changed since the server took the newest version from here.
    #[must_use]
    pub fn needs_backup(&self) -> bool {
        self.backup.as_ref().is_some_and(|backup| {
            backup.has_unsaved_password() || backup.saved.is_none_or(|saved| saved.accounts != self.accounts_digest())
        })
    }

    /// The next version of the backup, to be sent to the server.
    ///
    /// # Errors
    /// [`NotSealed`].
    pub fn seal_backup(&self, random: &mut Random<'_>) -> Result<Outgoing, NotSealed> {
        let backup = self.backup.as_ref().ok_or(NotSealed::Off)?;
        Ok(self.seal_backup_under(&backup.key, random)?)
    }

    /// The next version under another key than the present one, for whoever has forgotten the password. The present key
    /// goes on counting here, so that what another device saves meanwhile can be taken in, until the server has this
    /// version: then [`Contents::switch_backup_on`] with this key, and [`Contents::backup_saved`].
    ///
    /// # Errors
    /// [`TooLarge`].
    pub fn seal_backup_under(&self, key: &BackupKey, random: &mut Random<'_>) -> Result<Outgoing, TooLarge> {
        let blob = key.seal(&Snapshot::of(self), &self.chain, random)?;
        Ok(Outgoing { blob, accounts: self.accounts_digest() })
    }

    /// Remembers that the server has taken `sent`. What has changed in the meantime still needs a backup.
    ///
    /// Another page of the same device may have taken in that version already, or one that follows it: then it stays so.
    pub fn backup_saved(&mut self, sent: &Outgoing, now: Timestamp) {
        if sent.blob.version() <= self.chain.version() {
            return;
        }
        self.chain = sent.blob.chain();
        if let Some(backup) = &mut self.backup {
            let slot = slot_digest(&sent.blob.header.slot);
            backup.saved = Some(Saved { at: now, accounts: sent.accounts, slot });
        }
    }

    /// Takes in a backup that opened: its accounts, its key and its place in the sequence; all of it, or nothing. Accounts
    /// that were deleted on any device go, unless they were added again later.
    ///
    /// Accounts that only this device has make it need a backup, and so does what was done last with one and is not told
    /// there. Another order or other names do not, or two devices would answer each other for ever.
    ///
    /// # Errors
    /// [`Full`].
    pub fn restore(&mut self, opened: Opened, now: Timestamp, random: &mut Random<'_>) -> Result<Merged, Full> {
        let merged = self.take_in(&opened.snapshot, now, random)?;
        let is_all_there = merged.only_here == 0 && self.history().is_within(opened.snapshot.history());
        let accounts = if is_all_there { self.accounts_digest() } else { Digest::of(&opened.snapshot.encode()) };
        let saved = Saved { at: now, accounts, slot: slot_digest(&opened.key.slot) };
        let key = match self.backup.take() {
            // What another device has saved in the meantime does not undo a change of the password that is on its way.
            Some(own) if own.key.key == opened.key.key && own.has_unsaved_password() => own.key,
            own => {
                if own.is_some_and(|own| own.key.slot != opened.key.slot) {
                    self.password_changed_elsewhere();
                }
                opened.key
            }
        };
        self.backup = Some(BackupState { key, saved: Some(saved) });
        self.chain = opened.chain;
        Ok(merged)
    }

    fn accounts_digest(&self) -> Digest {
        Digest::of(&Snapshot::of(self).encode())
    }
}

fn slot_digest(slot: &PasswordSlot) -> Digest {
    let mut writer = Writer::with_capacity(128);
    slot.write(&mut writer);
    Digest::of(writer.as_slice())
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::account::Account;
    use crate::sample;

    const MILLIS: i64 = 1_800_000_000_000;

    fn now() -> Timestamp {
        Timestamp::from_millis(MILLIS)
    }

    fn id(text: &str) -> ServerId {
        ServerId::parse(text).unwrap()
    }

    fn password_key() -> Key {
        Key::new([0x50; 32])
    }

    fn key(random: &mut Random<'_>) -> BackupKey {
        BackupKey::create(id("ta1"), sample::kdf(), &password_key(), random)
    }

    /// So many versions of a device that adds an account before each.
    fn versions(count: usize, random: &mut Random<'_>) -> (Contents, Vec<Blob>) {
        let mut contents = sample::device(random);
        contents.switch_backup_on(key(random));
        let mut blobs = Vec::new();
        for number in 0..count {
            contents.add(sample::other(&format!("account {number}"), random), now()).unwrap();
            let sent = contents.seal_backup(random).unwrap();
            contents.backup_saved(&sent, now());
            blobs.push(sent.blob().clone());
        }
        (contents, blobs)
    }

    fn open(blob: &Blob, seen: &Chain) -> Result<Opened, Refused> {
        blob.accept(&id("ta1"), seen)?.open_by_password(&password_key())
    }

    fn parse_and_open(bytes: Vec<u8>) -> Result<Opened, Refused> {
        open(&Blob::parse(bytes)?, &Chain::default())
    }

    #[test]
    fn a_new_phone_gets_everything_but_the_secrets_of_practices() {
        let random = &mut sample::random();
        let (old, blobs) = versions(3, random);
        let mut new = sample::device_of("factor-on-the-new-phone", random);
        let opened = open(&Blob::from_text(&blobs[2].to_text()).unwrap(), &new.chain).unwrap();
        let merged = new.restore(opened, now(), random).unwrap();
        assert_eq!(merged, Merged { added: 3, known: 1, ..Merged::default() });
        assert_eq!(Snapshot::of(&new), Snapshot::of(&old), "names and order too");
        let practice_key = |contents: &Contents| contents.accounts()[0].key().clone();
        assert_ne!(practice_key(&new), practice_key(&old));
        assert_eq!(new.chain, old.chain);
        assert_eq!(new.backup.as_ref().unwrap().saved_at(), Some(now()));
        assert!(!new.needs_backup(), "there is nothing that the server does not have");
        let sent = new.seal_backup(random).unwrap();
        assert_eq!((sent.blob().version(), sent.blob().previous()), (4, Some(blobs[2].digest())));
    }

    #[test]
    fn the_plain_text_has_no_secret_of_a_practice() {
        let random = &mut sample::random();
        let contents = sample::device(random);
        let secret = contents.accounts()[0].key().expose_bytes().to_vec();
        let plain = Snapshot::of(&contents).encode();
        assert!(plain.windows(secret.len()).all(|window| window != secret));
        assert!(contents.encode().windows(secret.len()).any(|window| window == secret), "the vault has it");
    }

    #[test]
    fn no_byte_can_be_changed() {
        let random = &mut sample::random();
        let (_, blobs) = versions(2, random);
        let bytes = blobs[1].as_bytes();
        for index in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.to_vec();
                changed[index] ^= 1 << bit;
                assert!(parse_and_open(changed).is_err(), "byte {index}, bit {bit}");
            }
        }
    }

    #[test]
    fn no_byte_can_be_cut_off_or_added() {
        let random = &mut sample::random();
        let (_, blobs) = versions(2, random);
        let bytes = blobs[1].as_bytes();
        for length in 0..bytes.len() {
            assert_eq!(parse_and_open(bytes[..length].to_vec()), Err(Refused::Damaged), "{length} bytes");
        }
        assert_eq!(parse_and_open([bytes, &[0]].concat()), Err(Refused::Damaged));
        assert_eq!(Blob::parse(vec![0; MAX_BYTES + 1]), Err(Refused::Damaged));
        assert_eq!(Blob::from_text(&"A".repeat(MAX_BYTES * 2)), Err(Refused::Damaged));
        assert_eq!(Blob::from_text("not base64!"), Err(Refused::Damaged));
    }

    #[test]
    fn another_password_and_another_format_are_told_apart_from_damage() {
        let random = &mut sample::random();
        let (_, blobs) = versions(1, random);
        let accepted = blobs[0].accept(&id("ta1"), &Chain::default()).unwrap();
        assert_eq!(accepted.open_by_password(&Key::new([0x51; 32])), Err(Refused::WrongPassword));
        let mut newer = blobs[0].as_bytes().to_vec();
        newer[8] = FORMAT + 1;
        assert_eq!(Blob::parse(newer.clone()), Err(Refused::UnknownFormat));
        newer[8] = 0;
        assert_eq!(Blob::parse(newer), Err(Refused::Damaged));
    }

    #[test]
    fn a_costly_derivation_is_refused_before_it_is_run() {
        let random = &mut sample::random();
        let (_, blobs) = versions(1, random);
        let mut costly = blobs[0].as_bytes().to_vec();
        costly[10..14].copy_from_slice(&u32::MAX.to_be_bytes());
        assert_eq!(Blob::parse(costly), Err(Refused::Damaged));
    }

    #[test]
    fn another_token_account_is_refused_even_if_the_header_is_rewritten() {
        let random = &mut sample::random();
        let (_, blobs) = versions(1, random);
        assert_eq!(blobs[0].accept(&id("ta2"), &Chain::default()).unwrap_err(), Refused::OtherTokenAccount);
        let place = blobs[0].as_bytes().windows(3).position(|window| window == b"ta1").unwrap();
        let mut moved = blobs[0].as_bytes().to_vec();
        moved[place + 2] = b'2';
        let moved = Blob::parse(moved).unwrap();
        let accepted = moved.accept(&id("ta2"), &Chain::default()).unwrap();
        assert_eq!(accepted.clone().open_by_password(&password_key()), Err(Refused::WrongPassword));
        assert_eq!(accepted.open(Key::new([0; 32]), Refused::Damaged), Err(Refused::Damaged));
    }

    #[test]
    fn parts_of_two_versions_do_not_make_a_third() {
        let random = &mut sample::random();
        let (contents, blobs) = versions(2, random);
        let (first, second) = (&blobs[0], &blobs[1]);
        let held = &contents.backup.as_ref().unwrap().key;
        for (header, content) in [(first, second), (second, first)] {
            let mixed = [&header.as_bytes()[..header.content_at], &content.as_bytes()[content.content_at..]].concat();
            let mixed = Blob::parse(mixed).unwrap();
            let accepted = mixed.accept(&id("ta1"), &Chain::default()).unwrap();
            assert_eq!(accepted.clone().open_by_key(held), Err(Refused::Damaged));
            assert_eq!(accepted.open_by_password(&password_key()), Err(Refused::Damaged));
        }
    }

    #[test]
    fn content_that_opens_and_cannot_be_read_is_damage() {
        let random = &mut sample::random();
        let (contents, blobs) = versions(1, random);
        let held = &contents.backup.as_ref().unwrap().key;
        let header = &blobs[0].as_bytes()[..blobs[0].content_at];
        let whole = Snapshot::of(&contents).encode();
        for plain in [&[], &whole[..whole.len() - 1], &[whole.as_slice(), &[0]].concat(), b"\x03\x00\x00"] {
            let content = cipher::seal(&held.key, CONTENT_LABEL, header, plain, random);
            assert_eq!(parse_and_open([header, &content].concat()), Err(Refused::Damaged));
        }
    }

    #[test]
    fn a_device_takes_what_follows_and_nothing_older() {
        let random = &mut sample::random();
        let (_, blobs) = versions(40, random);
        for (at, blob) in blobs.iter().enumerate() {
            let seen = blob.chain();
            assert_eq!(usize::try_from(seen.version()).unwrap(), at + 1);
            for (other, offered) in blobs.iter().enumerate() {
                let sequence = offered.accept(&id("ta1"), &seen).map(|accepted| accepted.sequence());
                let expected = match other.cmp(&at) {
                    core::cmp::Ordering::Less => {
                        Err(Refused::Older { offered: offered.version(), seen: seen.version() })
                    }
                    core::cmp::Ordering::Equal => Ok(Sequence::Same),
                    core::cmp::Ordering::Greater => Ok(Sequence::Newer),
                };
                assert_eq!(sequence, expected, "seen {at}, offered {other}");
            }
        }
        assert_eq!(blobs[0].accept(&id("ta1"), &Chain::default()).unwrap().sequence(), Sequence::Newer);
    }

    #[test]
    fn a_fork_shows_for_as_long_as_the_chain_reaches() {
        let random = &mut sample::random();
        let (mut fork, blobs) = versions(2, random);
        // The same key goes on from version 1 in another way, as a device to which version 2 was never shown would.
        fork.chain = blobs[0].chain();
        let mut offered = Vec::new();
        for _ in 0..40 {
            let sent = fork.seal_backup(random).unwrap();
            fork.backup_saved(&sent, now());
            offered.push(sent.blob().clone());
        }
        let seen = blobs[1].chain();
        for (ahead, offered) in offered.iter().enumerate() {
            let judged = offered.accept(&id("ta1"), &seen).map(|accepted| accepted.sequence());
            let expected = if ahead < MAX_CHAIN { Err(Refused::Forked) } else { Ok(Sequence::Newer) };
            assert_eq!(judged, expected, "{ahead} versions ahead");
        }
    }

    #[test]
    fn another_password_wraps_the_same_key() {
        let random = &mut sample::random();
        let (mut contents, blobs) = versions(1, random);
        let other_device = contents.clone();
        let new_password = Key::new([0x60; 32]);
        assert!(!contents.needs_backup());
        let backup = contents.backup.as_mut().unwrap();
        assert!(backup.key.is_password(&password_key()) && !backup.key.is_password(&new_password));
        backup.key.change_password(sample::kdf(), &new_password, random);
        assert!(backup.key.is_password(&new_password) && !backup.key.is_password(&password_key()));
        assert!(contents.needs_backup(), "the server has the old wrapping");
        let second = contents.seal_backup(random).unwrap();
        contents.backup_saved(&second, now());
        assert!(!contents.needs_backup());

        let accept = |blob: &Blob| blob.accept(&id("ta1"), &blobs[0].chain()).map(|_| ());
        assert_eq!(accept(second.blob()), Ok(()));
        let accepted = || second.blob().accept(&id("ta1"), &other_device.chain).unwrap();
        assert_eq!(accepted().open_by_password(&password_key()), Err(Refused::WrongPassword));
        assert!(accepted().open_by_password(&new_password).is_ok());
        let held = &other_device.backup.as_ref().unwrap().key;
        let opened = accepted().open_by_key(held).unwrap();
        assert!(opened.key.is_password(&new_password), "the other device learns the new wrapping");
        assert_eq!(opened.key.key, held.key);
    }

    #[test]
    fn a_changed_password_outlives_what_another_device_saves_meanwhile() {
        let random = &mut sample::random();
        let (mut contents, _) = versions(1, random);
        let mut other_device = contents.clone();
        let new_password = Key::new([0x60; 32]);
        contents.backup.as_mut().unwrap().key.change_password(sample::kdf(), &new_password, random);
        other_device.add(sample::other("meanwhile", random), now()).unwrap();
        let theirs = other_device.seal_backup(random).unwrap();
        other_device.backup_saved(&theirs, now());
        let held = contents.backup.as_ref().unwrap().key.clone();
        let opened = theirs.blob().accept(&id("ta1"), &contents.chain).unwrap().open_by_key(&held).unwrap();
        contents.password_typed(now());
        contents.restore(opened, now(), random).unwrap();
        assert!(contents.backup.as_ref().unwrap().key.is_password(&new_password));
        assert!(!contents.asks_for_password(now()), "it was typed here");
        assert!(contents.needs_backup(), "the server has the old wrapping");
        let sent = contents.seal_backup(random).unwrap();
        let opened = sent.blob().accept(&id("ta1"), &other_device.chain).unwrap().open_by_key(&held).unwrap();
        other_device.password_typed(now());
        other_device.restore(opened, now(), random).unwrap();
        assert!(other_device.backup.as_ref().unwrap().key.is_password(&new_password));
        assert!(other_device.asks_for_password(now()), "nobody has typed it here");
    }

    #[test]
    fn a_forgotten_password_gives_way_to_a_new_key_and_opens_nothing_that_follows() {
        let random = &mut sample::random();
        let (mut contents, blobs) = versions(1, random);
        let other_device = contents.clone();
        let new_password = Key::new([0x60; 32]);
        let new = BackupKey::create(id("ta1"), sample::kdf(), &new_password, random);
        let sent = contents.seal_backup_under(&new, random).unwrap();
        assert_eq!((sent.blob().version(), sent.blob().previous()), (2, Some(blobs[0].digest())));
        assert_eq!(contents, other_device, "as long as the server does not have it, nothing has changed");
        contents.switch_backup_on(new);
        contents.backup_saved(&sent, now());
        assert!(!contents.needs_backup());

        let accepted = || sent.blob().accept(&id("ta1"), &other_device.chain).unwrap();
        assert_eq!(accepted().open_by_password(&password_key()), Err(Refused::WrongPassword));
        let old = open(&blobs[0], &Chain::default()).unwrap().key;
        assert_eq!(accepted().open_by_key(&old), Err(Refused::OtherKey), "nor does the key that it opens");
        let opened = accepted().open_by_password(&new_password).unwrap();
        assert_eq!(opened.snapshot, Snapshot::of(&contents));
        let mut other_device = other_device;
        other_device.restore(opened, now(), random).unwrap();
        let next = other_device.seal_backup(random).unwrap();
        assert!(next.blob().accept(&id("ta1"), &contents.chain).unwrap().open_by_password(&new_password).is_ok());
    }

    #[test]
    fn a_backup_switched_on_anew_asks_for_its_password() {
        let random = &mut sample::random();
        let (mut contents, _) = versions(1, random);
        let old = contents.backup.as_ref().unwrap().key.clone();
        contents.switch_backup_off();
        assert!(!contents.needs_backup());
        assert_eq!(contents.seal_backup(random).unwrap_err(), NotSealed::Off);
        contents.switch_backup_on(key(random));
        let sent = contents.seal_backup(random).unwrap();
        assert_eq!(sent.blob().version(), 2, "the sequence goes on");
        let accepted = || sent.blob().accept(&id("ta1"), &Chain::default()).unwrap();
        assert_eq!(accepted().open_by_key(&old), Err(Refused::OtherKey));
        assert!(accepted().open_by_password(&password_key()).is_ok());
    }

    #[test]
    fn another_token_account_begins_another_sequence() {
        let random = &mut sample::random();
        let (mut contents, blobs) = versions(1, random);
        let (device_key, name) = (contents.device_key.clone().unwrap(), contents.device_name.clone());
        contents.register(id("ta1"), device_key.clone(), name.clone());
        assert_eq!(contents.chain, blobs[0].chain());
        assert!(contents.backup.is_some());
        contents.register(id("ta2"), device_key, name);
        assert_eq!((contents.chain, contents.backup), (Chain::default(), None));
    }

    #[test]
    fn what_changes_while_a_backup_is_on_its_way_needs_another() {
        let random = &mut sample::random();
        let (mut contents, _) = versions(1, random);
        let sent = contents.seal_backup(random).unwrap();
        contents.add(sample::other("late", random), now()).unwrap();
        contents.backup_saved(&sent, now());
        assert!(contents.needs_backup());
    }

    #[test]
    fn a_page_that_hears_late_of_its_version_does_not_go_back_to_it() {
        let random = &mut sample::random();
        let (mut contents, _) = versions(1, random);
        let first = contents.seal_backup(random).unwrap();
        contents.backup_saved(&first, now());
        contents.add(sample::other("by another page", random), now()).unwrap();
        let second = contents.seal_backup(random).unwrap();
        contents.backup_saved(&second, now());
        let after = contents.clone();
        contents.backup_saved(&first, now());
        assert_eq!(contents, after);
    }

    #[test]
    fn two_devices_do_not_answer_each_other_for_ever() {
        let random = &mut sample::random();
        let (mut first, blobs) = versions(2, random);
        let mut second = sample::device_of("f2", random);
        second.add(sample::other("only on the second", random), now()).unwrap();
        let merged = second.restore(open(&blobs[1], &second.chain).unwrap(), now(), random).unwrap();
        assert_eq!(merged.only_here, 1);
        assert!(second.needs_backup());
        let sent = second.seal_backup(random).unwrap();
        second.backup_saved(&sent, now());
        let opened = open(sent.blob(), &first.chain).unwrap();
        let merged = first.restore(opened, now(), random).unwrap();
        assert_eq!((merged.added, merged.only_here), (1, 0));
        assert_ne!(Snapshot::of(&first), Snapshot::of(&second), "each keeps its own order");
        assert!(!first.needs_backup() && !second.needs_backup());
    }

    /// Sends what `from` has to `to`, as if the server had both.
    fn send(from: &mut Contents, to: &mut Contents, at: Timestamp, random: &mut Random<'_>) -> Merged {
        let sent = from.seal_backup(random).unwrap();
        from.backup_saved(&sent, at);
        to.restore(open(sent.blob(), &Chain::default()).unwrap(), at, random).unwrap()
    }

    fn has(contents: &Contents, account: &Account) -> bool {
        contents.accounts().iter().any(|known| known.key() == account.key())
    }

    #[test]
    fn what_was_deleted_on_one_device_goes_from_the_other_and_what_is_added_again_comes_back() {
        let random = &mut sample::random();
        let (mut first, blobs) = versions(2, random);
        let mut second = sample::device_of("f2", random);
        second.restore(open(&blobs[1], &second.chain).unwrap(), now(), random).unwrap();
        let removed = first.remove(first.accounts()[1].id, now()).unwrap();
        assert!(first.needs_backup() && has(&second, removed.account()));
        let merged = send(&mut first, &mut second, now(), random);
        assert_eq!((merged.deleted, merged.added, merged.only_here), (1, 0, 0));
        assert!(!has(&second, removed.account()));
        assert!(!second.needs_backup(), "there is nothing to answer");

        second.add(removed.account().clone(), now()).unwrap();
        let merged = send(&mut second, &mut first, now(), random);
        assert_eq!((merged.deleted, merged.added), (0, 1));
        assert!(has(&first, removed.account()) && has(&second, removed.account()));
        assert!(!first.needs_backup() && !second.needs_backup());
    }

    #[test]
    fn an_account_that_was_added_later_lives_though_its_device_has_not_heard_of_the_deletion() {
        let random = &mut sample::random();
        let (mut first, blobs) = versions(1, random);
        let mut second = sample::device_of("f2", random);
        second.restore(open(&blobs[0], &second.chain).unwrap(), now(), random).unwrap();
        let account = sample::other("Ada", random);
        let id = first.add(account.clone(), now()).unwrap();
        first.remove(id, now()).unwrap();
        let later = now() + Duration::from_mins(1);
        second.add(account.clone(), later).unwrap();
        send(&mut first, &mut second, later, random);
        assert!(has(&second, &account) && second.needs_backup(), "the other one has to be told");
        send(&mut second, &mut first, later, random);
        assert!(has(&first, &account) && !first.needs_backup());
    }

    #[test]
    fn a_backup_of_format_1_takes_nothing_away_and_what_it_brings_back_is_answered() {
        let random = &mut sample::random();
        let (mut contents, blobs) = versions(2, random);
        let entries = Snapshot::of(&contents).entries().to_vec();
        let removed = contents.remove(contents.accounts()[1].id, now()).unwrap();
        let old = Snapshot::new(entries).unwrap();
        let blob = key(random).seal(&old, &blobs[1].chain(), random).unwrap();
        assert_eq!((blob.as_bytes()[8], blobs[1].as_bytes()[8]), (1, 2));
        let merged = contents.restore(open(&blob, &blobs[1].chain()).unwrap(), now(), random).unwrap();
        assert_eq!((merged.deleted, merged.added, merged.known), (0, 0, 2));
        assert!(!has(&contents, removed.account()));
        assert!(contents.needs_backup(), "the server has what was deleted here");
    }

    #[test]
    fn content_of_one_format_is_damage_in_the_other() {
        let random = &mut sample::random();
        let (contents, blobs) = versions(1, random);
        let held = &contents.backup.as_ref().unwrap().key;
        let whole = Snapshot::of(&contents);
        let bare = Snapshot::new(whole.entries().to_vec()).unwrap();
        // A history of nothing would be a second way to write the same.
        let empty = [&[WITH_HISTORY], &bare.encode()[1..], &[0, 0]].concat();
        for (format, plain) in [(1, whole.encode().to_vec()), (2, bare.encode().to_vec()), (2, empty)] {
            let mut header = blobs[0].as_bytes()[..blobs[0].content_at].to_vec();
            header[8] = format;
            let content = cipher::seal(&held.key, CONTENT_LABEL, &header, &plain, random);
            assert_eq!(parse_and_open([header, content].concat()), Err(Refused::Damaged), "format {format}");
        }
    }

    #[test]
    fn too_many_accounts_restore_nothing() {
        let random = &mut sample::random();
        let (_, blobs) = versions(2, random);
        let mut full = sample::device_of("f2", random);
        while full.accounts().len() < crate::contents::MAX_ACCOUNTS - 1 {
            full.add(sample::other("x", random), now()).unwrap();
        }
        let before = full.clone();
        assert_eq!(full.restore(open(&blobs[1], &full.chain).unwrap(), now(), random), Err(Full));
        assert_eq!(full, before);
    }

    #[test]
    fn what_the_server_would_not_take_is_not_sealed() {
        let random = &mut sample::random();
        let mut contents = sample::device(random);
        contents.switch_backup_on(key(random));
        for _ in 0..200 {
            contents.add(sample::long(random), now()).unwrap();
        }
        assert_eq!(contents.seal_backup(random).unwrap_err(), NotSealed::TooLarge(TooLarge));
    }

    proptest! {
        #[test]
        fn devices_that_share_a_backup_come_to_hold_the_same_accounts(
            acts in proptest::collection::vec((0_usize..3, 0_usize..5, any::<bool>(), 0_u64..1000), 0..40),
        ) {
            let random = &mut sample::random();
            let accounts: Vec<_> = (0..5).map(|_| sample::other("Ada", random)).collect();
            let mut devices: Vec<_> = (0..3).map(|number| sample::device_of(&format!("f{number}"), random)).collect();
            let backup_key = key(random);
            for device in &mut devices {
                device.switch_backup_on(backup_key.clone());
            }
            // What was done last with each account, by the clock that all share here.
            let mut last = [(false, 0); 5];
            for (step, (device, account, is_addition, skip)) in (1..).zip(acts) {
                let at = now() + Duration::from_secs(step);
                let id = devices[device].accounts().iter().find(|known| known.key() == accounts[account].key()).map(|it| it.id);
                match (is_addition, id) {
                    (true, None) => drop(devices[device].add(accounts[account].clone(), at).unwrap()),
                    (false, Some(id)) => drop(devices[device].remove(id, at).unwrap()),
                    _ => continue,
                }
                last[account] = (is_addition, step);
                // Sometimes two of them meet in between.
                if skip % 3 == 0 {
                    let (from, to) = ((skip % 2) as usize, 2);
                    let (before, after) = devices.split_at_mut(to);
                    send(&mut before[from], &mut after[0], at, random);
                }
            }
            let end = now() + Duration::from_secs(100);
            for (from, to) in [(0, 1), (1, 2), (2, 1), (1, 0)] {
                let [from, to] = devices.get_disjoint_mut([from, to]).unwrap();
                send(from, to, end, random);
            }
            for device in &devices {
                prop_assert!(!device.needs_backup());
                for (account, (lives, _)) in accounts.iter().zip(last) {
                    prop_assert_eq!(has(device, account), lives);
                }
            }
        }

        #[test]
        fn whatever_is_sealed_opens(contents in sample::contents(), version in 0_u32..100) {
            let random = &mut sample::random();
            let digests = vec![Digest([7; 32]); MAX_CHAIN.min(version as usize)];
            let chain = Chain { version, digests };
            let blob = key(random).seal(&Snapshot::of(&contents), &chain, random).unwrap();
            let opened = open(&Blob::parse(blob.as_bytes().to_vec()).unwrap(), &chain).unwrap();
            prop_assert_eq!(opened.snapshot, Snapshot::of(&contents));
            prop_assert_eq!(opened.chain.version(), version + 1);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = Blob::parse(bytes.clone());
            let _ = parse_and_open([MAGIC.as_slice(), &[FORMAT], &bytes].concat());
            for encoding in [ACCOUNTS, WITH_HISTORY] {
                let _ = Snapshot::decode(encoding, &bytes);
                let _ = Snapshot::decode(encoding, &[&[encoding, 0, 0], bytes.as_slice()].concat());
                let _ = Snapshot::decode(encoding, &[&[encoding, 0, 1], bytes.as_slice()].concat());
            }
        }

        #[test]
        fn mutations_of_a_backup_restore_nothing(
            at in any::<proptest::sample::Index>(),
            cut in any::<proptest::sample::Index>(),
            bytes in proptest::collection::vec(any::<u8>(), 0..40),
        ) {
            let random = &mut sample::random();
            let (_, blobs) = versions(2, random);
            let original = blobs[1].as_bytes();
            let (start, end) = (at.index(original.len()), cut.index(original.len()));
            let mutated = [&original[..start], &bytes, &original[end.max(start)..]].concat();
            prop_assume!(mutated != original);
            prop_assert!(parse_and_open(mutated).is_err());
        }
    }
}
