//! Export and import: an encrypted file, lists of `otpauth://` links, and typed keys.
//!
//! The encrypted file is text: the line [`HEADER`], then base64 in lines of 64 characters. In it, format version 1, are
//! `TWOFOLDX` (8 bytes), the format version (1), the figures of the key derivation (26), the file's key wrapped under the
//! password's (72), and the content (nonce 24, ciphertext, tag 16), whose plain text is that of a backup.
//!
//! Practice accounts are in no file: their secrets belong to one device.

use core::fmt::Write as _;

use data_encoding::BASE64;
use domain::otpauth::{InvalidOtpauth, Otpauth};
use domain::person::{Line, Name};
use domain::totp::{Parameters, Secret};
use zeroize::Zeroizing;

use crate::Random;
use crate::account::{InvalidAccount, OtherAccount};
use crate::bytes::{Malformed, Reader, Writer};
use crate::cipher::{self, DoesNotOpen, NONCE_BYTES, PasswordSlot, TAG_BYTES};
use crate::contents::Contents;
use crate::key::{KdfParameters, Key};
use crate::snapshot::{Entry, Snapshot};

/// The first line of an encrypted file.
pub const HEADER: &str = "Twofold authenticator export, encrypted, version 1";
/// The longest text that is read, in bytes.
pub const MAX_BYTES: usize = 1024 * 1024;

const MAGIC: &[u8; 8] = b"TWOFOLDX";
const FORMAT: u8 = 1;
const KEY_LABEL: &str = "twofold export key 1";
const CONTENT_LABEL: &str = "twofold export content 1";
const LINE: usize = 64;

/// Why one account is not imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidEntry {
    /// The link is none, or damaged.
    #[error(transparent)]
    Link(#[from] InvalidOtpauth),
    /// The account it names cannot be.
    #[error(transparent)]
    Account(#[from] InvalidAccount),
}

/// Why nothing is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotImported {
    /// There is no account in it.
    #[error("there is no account in it")]
    Empty,
    /// More than [`MAX_BYTES`], or more accounts than [`crate::contents::MAX_ACCOUNTS`].
    #[error("it is too long")]
    TooLong,
    /// One line is no link to an account.
    #[error("line {number}: {reason}")]
    Line {
        /// The line's number; the first is 1.
        number: usize,
        /// What is wrong with it.
        reason: InvalidEntry,
    },
    /// An encrypted file that was cut short or changed.
    #[error("the file is damaged")]
    Damaged,
    /// An encrypted file of a newer version of the authenticator.
    #[error("the file was made by a newer version; update this one")]
    UnknownFormat,
    /// The file's password is another one.
    #[error("the password of the file is wrong")]
    WrongPassword,
}

/// What somebody chose to import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Import {
    /// A list of links: these accounts.
    Links(Snapshot),
    /// An encrypted file, whose password has to be asked for.
    Encrypted(EncryptedFile),
}

/// An encrypted file, unopened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncryptedFile {
    bytes: Vec<u8>,
    content_at: usize,
    slot: PasswordSlot,
}

/// The text of an encrypted file with the accounts that are not at a practice; `password_key` is what [`crate::derive`]
/// makes of the file's password by `kdf`.
#[must_use]
pub fn export_encrypted(
    contents: &Contents,
    kdf: KdfParameters,
    password_key: &Key,
    random: &mut Random<'_>,
) -> String {
    let key = Key::random(random);
    let slot = PasswordSlot::new(kdf, password_key, KEY_LABEL, b"", &key, random);
    let mut writer = Writer::with_capacity(128);
    writer.fixed(MAGIC);
    writer.u8(FORMAT);
    slot.write(&mut writer);
    let plain = Snapshot::of(contents).without_practice().encode();
    let content = cipher::seal(&key, CONTENT_LABEL, writer.as_slice(), &plain, random);
    let encoded = BASE64.encode(&[writer.as_slice(), &content].concat());
    let mut text = String::with_capacity(HEADER.len() + encoded.len() + encoded.len() / LINE + 2);
    text.push_str(HEADER);
    for (index, letter) in encoded.chars().enumerate() {
        if index % LINE == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push('\n');
    text
}

/// A list of links, one a line, of the accounts that are not at a practice. Whoever reads it has their keys.
///
/// A colon in an issuer becomes a blank, because the format has none there.
#[must_use]
pub fn export_links(contents: &Contents) -> Zeroizing<String> {
    let mut list = Zeroizing::new(String::with_capacity(256 * contents.accounts().len()));
    for account in contents.accounts().iter().filter(|account| !account.is_practice()) {
        let link = Otpauth {
            issuer: account.issuer.as_str().replace(':', " "),
            account: account.name.as_str().to_owned(),
            secret: account.key().clone(),
            parameters: account.parameters(),
        };
        // Writing to a String does not fail.
        let _ = writeln!(list, "{}", Zeroizing::new(link.to_uri()).as_str());
    }
    list
}

/// Reads what somebody chose to import: an encrypted file or a list of links. Blank lines and lines that begin with `#`
/// are skipped in a list.
///
/// # Errors
/// [`NotImported`]; one bad line refuses the list.
pub fn read(text: &str) -> Result<Import, NotImported> {
    if text.len() > MAX_BYTES {
        return Err(NotImported::TooLong);
    }
    // Some editors put a byte order mark before the text.
    let text = text.trim_start_matches('\u{feff}');
    match text.trim_start().strip_prefix(HEADER) {
        Some(rest) => EncryptedFile::parse(rest).map(Import::Encrypted),
        None => read_links(text).map(Import::Links),
    }
}

fn read_links(text: &str) -> Result<Snapshot, NotImported> {
    let mut entries = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let account = read_link(line).map_err(|reason| NotImported::Line { number: index + 1, reason })?;
        entries.push(Entry::Other(account));
    }
    if entries.is_empty() {
        return Err(NotImported::Empty);
    }
    Snapshot::new(entries).ok_or(NotImported::TooLong)
}

/// Reads one `otpauth://totp/` link, as a picture or a paste has it.
///
/// # Errors
/// [`InvalidEntry`].
pub fn read_link(link: &str) -> Result<OtherAccount, InvalidEntry> {
    Ok(OtherAccount::from_link(Otpauth::parse(link)?)?)
}

/// Reads a typed setup key: base32, with blanks, hyphens and case ignored. Tokens have 6 digits, SHA-1 and 30 s, which is
/// what sites mean that say nothing else.
///
/// # Errors
/// [`InvalidAccount`]; in particular for a key under 128 bits.
pub fn read_key(issuer: &str, name: &str, key: &str) -> Result<OtherAccount, InvalidAccount> {
    let (issuer, name) = (Line::parse(issuer)?, Name::parse(name)?);
    let key = Secret::from_base32(key).ok_or(InvalidAccount::Key)?;
    OtherAccount::new(issuer, name, key, Parameters::OTHER_VENDOR)
}

impl EncryptedFile {
    /// Reads what follows the header line. Line breaks and blanks do not matter, for mail programs change them.
    fn parse(armour: &str) -> Result<Self, NotImported> {
        let encoded: String = armour.chars().filter(|c| !c.is_whitespace()).collect();
        let bytes = BASE64.decode(encoded.as_bytes()).map_err(|_| NotImported::Damaged)?;
        let mut reader = Reader::new(&bytes);
        if reader.array() != Ok(*MAGIC) {
            return Err(NotImported::Damaged);
        }
        match reader.u8() {
            Ok(FORMAT) => {}
            Ok(newer) if newer > FORMAT => return Err(NotImported::UnknownFormat),
            _ => return Err(NotImported::Damaged),
        }
        let slot = PasswordSlot::read(&mut reader).map_err(|Malformed| NotImported::Damaged)?;
        let rest = reader.rest().len();
        if rest < NONCE_BYTES + TAG_BYTES {
            return Err(NotImported::Damaged);
        }
        Ok(Self { content_at: bytes.len() - rest, bytes, slot })
    }

    /// How the password's key is derived.
    #[must_use]
    pub const fn kdf(&self) -> &KdfParameters {
        &self.slot.kdf
    }

    /// Opens it by its password; `password_key` was derived by [`EncryptedFile::kdf`].
    ///
    /// # Errors
    /// [`NotImported::WrongPassword`], [`NotImported::Damaged`] and [`NotImported::Empty`].
    pub fn open(&self, password_key: &Key) -> Result<Snapshot, NotImported> {
        let key = self.slot.open(password_key, KEY_LABEL, b"").map_err(|DoesNotOpen| NotImported::WrongPassword)?;
        let (before, content) = self.bytes.split_at(self.content_at);
        let plain = cipher::open(&key, CONTENT_LABEL, before, content).map_err(|DoesNotOpen| NotImported::Damaged)?;
        let snapshot = Snapshot::decode(&plain).map_err(|Malformed| NotImported::Damaged)?;
        if snapshot.entries().is_empty() { Err(NotImported::Empty) } else { Ok(snapshot) }
    }
}
