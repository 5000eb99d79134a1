//! The backup: what the server keeps of a vault and cannot read.
//!
//! The format, version 1; numbers are big-endian:
//!
//! | bytes | what |
//! | --- | --- |
//! | 8 | `TWOFOLDB` |
//! | 1 | format version: 1 |
//! | 26 | figures of the key derivation, as in [`KdfParameters::to_bytes`] |
//! | 72 | the backup key, wrapped under the key that the password makes: nonce (24), ciphertext (32), tag (16) |
//! | 2 + n | length and text of the token account's id |
//! | 4 | version: 1, 2, 3 … |
//! | 2 + 32 × n | SHA-256 digests of the versions before, newest first: all of them, but at most 32 |
//! | rest | the content: nonce (24), ciphertext, tag (16) |
//!
//! Both ciphertexts are XChaCha20-Poly1305. The associated data of the content is `twofold backup content 1`, a line
//! break, and all bytes before it; that of the wrapped key is `twofold backup key 1`, a line break, the figures of the key
//! derivation and the token account's id. The plain text is an encoding of its own ([`Snapshot`]).
//!
//! The key is random and stays when the password changes; only its wrapping is made anew. Without a change of key a device
//! can go on saving without asking for the password.

use core::fmt;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use domain::Timestamp;
use sha2::{Digest as _, Sha256};

use crate::Random;
use crate::account::ServerId;
use crate::bytes::{Malformed, Reader, Writer};
use crate::cipher::{self, DoesNotOpen, NONCE_BYTES, PasswordSlot, TAG_BYTES};
use crate::contents::{Contents, Full, Merged};
use crate::key::{KdfParameters, Key};
use crate::snapshot::Snapshot;

const MAGIC: &[u8; 8] = b"TWOFOLDB";
const FORMAT: u8 = 1;
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
    /// 64 lower-case hex digits, as the server has them.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
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
    /// A backup that is more than 32 versions ahead does not name the version that was seen here; it is believed.
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
    /// A fresh key under a password: `password_key` is what [`crate::derive`] makes of it by `kdf`.
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
        let header =
            Header { token_account: self.token_account.clone(), slot: self.slot.clone(), after: chain.clone() };
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
    token_account: ServerId,
    slot: PasswordSlot,
    /// The sequence that this backup follows.
    after: Chain,
}

impl Header {
    fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::with_capacity(256 + 32 * MAX_CHAIN);
        writer.fixed(MAGIC);
        writer.u8(FORMAT);
        self.slot.write(&mut writer);
        self.token_account.write(&mut writer);
        writer.u32(self.after.version.saturating_add(1));
        writer.count(self.after.digests.len());
        for digest in &self.after.digests {
            writer.fixed(&digest.0);
        }
        writer.as_slice().to_vec()
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let slot = PasswordSlot::read(reader)?;
        let token_account = ServerId::read(reader)?;
        let before = reader.u32()?.checked_sub(1).ok_or(Malformed)?;
        Ok(Self { token_account, slot, after: Chain::read_digests(before, reader)? })
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
        match reader.u8() {
            Ok(FORMAT) => {}
            Ok(newer) if newer > FORMAT => return Err(Refused::UnknownFormat),
            _ => return Err(Refused::Damaged),
        }
        let header = Header::read(&mut reader).map_err(|_| Refused::Damaged)?;
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
    /// [`Refused::OtherKey`] if it does not open, for a new key and damage look alike until the password is tried.
    pub fn open_by_key(self, key: &BackupKey) -> Result<Opened, Refused> {
        self.open(key.key.clone(), Refused::OtherKey)
    }

    fn open(self, key: Key, otherwise: Refused) -> Result<Opened, Refused> {
        let Blob { bytes, content_at, header } = self.blob;
        let (before, content) = bytes.split_at(*content_at);
        let plain = cipher::open(&key, CONTENT_LABEL, before, content).map_err(|DoesNotOpen| otherwise)?;
        let snapshot = Snapshot::decode(&plain).map_err(|Malformed| Refused::Damaged)?;
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
            backup.saved.is_none_or(|saved| {
                saved.accounts != self.accounts_digest() || saved.slot != slot_digest(&backup.key.slot)
            })
        })
    }

    /// The next version of the backup, to be sent to the server.
    ///
    /// # Errors
    /// [`NotSealed`].
    pub fn seal_backup(&self, random: &mut Random<'_>) -> Result<Outgoing, NotSealed> {
        let backup = self.backup.as_ref().ok_or(NotSealed::Off)?;
        let blob = backup.key.seal(&Snapshot::of(self), &self.chain, random)?;
        Ok(Outgoing { blob, accounts: self.accounts_digest() })
    }

    /// Remembers that the server has taken `sent`. What has changed in the meantime still needs a backup.
    pub fn backup_saved(&mut self, sent: &Outgoing, now: Timestamp) {
        self.chain = sent.blob.chain();
        if let Some(backup) = &mut self.backup {
            let slot = slot_digest(&sent.blob.header.slot);
            backup.saved = Some(Saved { at: now, accounts: sent.accounts, slot });
        }
    }

    /// Takes in a backup that opened: its accounts, its key and its place in the sequence; all of it, or nothing.
    ///
    /// Accounts that only this device has make it need a backup. Another order or other names do not, or two devices
    /// would answer each other for ever.
    ///
    /// # Errors
    /// [`Full`].
    pub fn restore(&mut self, opened: Opened, now: Timestamp, random: &mut Random<'_>) -> Result<Merged, Full> {
        let merged = self.merge(&opened.snapshot, random)?;
        let accounts =
            if merged.only_here == 0 { self.accounts_digest() } else { Digest::of(&opened.snapshot.encode()) };
        let saved = Saved { at: now, accounts, slot: slot_digest(&opened.key.slot) };
        self.backup = Some(BackupState { key: opened.key, saved: Some(saved) });
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
