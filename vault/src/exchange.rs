//! Export and import: an encrypted file, lists of `otpauth://` links, and typed keys.
//!
//! The encrypted file is text: the line [`HEADER`], then base64 in lines of 64 characters. In it, format version 1, are
//! `TWOFOLDX` (8 bytes), the format version (1), the figures of the key derivation (26), the file's key wrapped under
//! the password's (72), and the content (nonce 24, ciphertext, tag 16), whose plain text is that of a backup without
//! history.
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
use crate::snapshot::{ACCOUNTS, Entry, Snapshot};

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

/// The text of an encrypted file with the accounts that are not at a practice; `password_key` is what
/// [`crate::derive()`] makes of the file's password by `kdf`.
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
    let plain = Snapshot::of(contents).for_a_file().encode();
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
#[must_use]
pub fn export_links(contents: &Contents) -> Zeroizing<String> {
    let mut list = Zeroizing::new(String::with_capacity(256 * contents.accounts().len()));
    for account in contents.accounts().iter().filter(|account| !account.is_practice()) {
        let link = Otpauth {
            issuer: account.issuer.as_str().to_owned(),
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

/// Reads a typed setup key: base32, with blanks, hyphens and case ignored. [`Parameters::OTHER_VENDOR`] is what sites mean
/// that say nothing else.
///
/// # Errors
/// [`InvalidAccount`]; in particular for a key under 128 bits.
pub fn read_key(issuer: &str, name: &str, key: &str, parameters: Parameters) -> Result<OtherAccount, InvalidAccount> {
    let (issuer, name) = (Line::parse(issuer)?, Name::parse(name)?);
    let key = Secret::from_base32(key).ok_or(InvalidAccount::Key)?;
    OtherAccount::new(issuer, name, key, parameters)
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
        let snapshot = Snapshot::decode(ACCOUNTS, &plain).map_err(|Malformed| NotImported::Damaged)?;
        if snapshot.entries().is_empty() { Err(NotImported::Empty) } else { Ok(snapshot) }
    }
}

#[cfg(test)]
mod tests {
    use domain::person::InvalidText;
    use domain::totp::{Algorithm, InvalidParameters};
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

    fn password() -> Key {
        Key::new([0x70; 32])
    }

    fn file_of(contents: &Contents) -> String {
        export_encrypted(contents, sample::kdf(), &password(), &mut sample::random())
    }

    fn encrypted(text: &str) -> Result<EncryptedFile, NotImported> {
        match read(text)? {
            Import::Encrypted(file) => Ok(file),
            Import::Links(_) => panic!("a list of links"),
        }
    }

    fn links(text: &str) -> Result<Snapshot, NotImported> {
        match read(text)? {
            Import::Links(snapshot) => Ok(snapshot),
            Import::Encrypted(_) => panic!("an encrypted file"),
        }
    }

    fn device() -> Contents {
        let random = &mut sample::random();
        let mut contents = sample::device(random);
        contents.add(sample::other("Ada", random), sample::NOW).unwrap();
        contents.add(sample::long(random), sample::NOW).unwrap();
        contents
    }

    fn for_a_file(contents: &Contents) -> Snapshot {
        Snapshot::of(contents).for_a_file()
    }

    #[test]
    fn an_encrypted_file_holds_the_accounts_that_are_not_at_a_practice() {
        let contents = device();
        let text = file_of(&contents);
        let (header, rest) = text.split_once('\n').unwrap();
        assert_eq!(header, HEADER);
        assert!(rest.lines().all(|line| line.len() <= LINE) && rest.ends_with('\n'));
        let file = encrypted(&text).unwrap();
        assert_eq!(file.kdf(), &sample::kdf());
        let snapshot = file.open(&password()).unwrap();
        assert_eq!(snapshot, for_a_file(&contents));
        assert_eq!(snapshot.entries().len(), 2);
        assert_eq!(file.open(&Key::new([0; 32])), Err(NotImported::WrongPassword));
    }

    #[test]
    fn mail_programs_and_editors_do_no_harm_to_a_file() {
        let text = file_of(&device());
        for changed in [
            text.replace('\n', "\r\n"),
            format!("\u{feff}{text}"),
            format!("\n  {text}\n\n"),
            text.trim_end().to_owned(),
            text.replace('\n', "\n  "),
        ] {
            assert!(encrypted(&changed).unwrap().open(&password()).is_ok());
        }
    }

    #[test]
    fn a_changed_or_shortened_file_imports_nothing() {
        let text = file_of(&device());
        let open = |text: &str| encrypted(text)?.open(&password());
        for index in (HEADER.len() + 1)..text.len() {
            let mut changed = text.clone().into_bytes();
            changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(changed).unwrap();
            assert!(open(&changed).is_err(), "letter {index}");
            if index < text.len() - 1 {
                assert_eq!(open(&text[..index]), Err(NotImported::Damaged), "{index} letters");
            }
        }
        let newer = BASE64.encode(&[MAGIC.as_slice(), &[2], &[0; 200]].concat());
        assert_eq!(open(&format!("{HEADER}\n{newer}")), Err(NotImported::UnknownFormat));
    }

    #[test]
    fn a_file_of_nothing_says_so() {
        let contents = sample::device(&mut sample::random());
        assert_eq!(encrypted(&file_of(&contents)).unwrap().open(&password()), Err(NotImported::Empty));
        assert_eq!(export_links(&contents).as_str(), "");
        assert_eq!(read(""), Err(NotImported::Empty));
        assert_eq!(read("# nothing\n\n"), Err(NotImported::Empty));
        assert_eq!(read(&" ".repeat(MAX_BYTES + 1)), Err(NotImported::TooLong));
    }

    #[test]
    fn a_list_has_one_link_a_line_and_no_practice() {
        let contents = device();
        let list = export_links(&contents);
        assert_eq!(list.lines().count(), 2);
        assert!(!list.contains("Elm") && !list.contains(&contents.accounts()[0].key().expose_base32()));
        assert_eq!(links(&list).unwrap(), for_a_file(&contents));
    }

    #[test]
    fn comments_and_blank_lines_are_skipped_and_an_error_names_its_line() {
        let good = format!("otpauth://totp/Bank:ada?secret={KEY}");
        let list = format!("# my accounts\r\n\r\n  {good}  \r\notpauth://totp/b?secret={KEY}&digits=8\r\n");
        let snapshot = links(&list).unwrap();
        assert_eq!(snapshot.entries().len(), 2);
        for (bad, reason) in [
            ("nonsense", InvalidOtpauth::NotTotp.into()),
            ("otpauth://hotp/a?secret=A", InvalidOtpauth::NotTotp.into()),
            ("otpauth://totp/a?secret=!", InvalidOtpauth::SecretMissing.into()),
            ("otpauth://totp/a?secret=GEZDGNBV", InvalidOtpauth::from(InvalidParameters::SecretTooShort).into()),
            (&format!("otpauth://totp/a%0Ab?secret={KEY}"), InvalidAccount::from(InvalidText::ControlCharacter).into()),
            (
                &format!("otpauth://totp/{}?secret={KEY}", "a".repeat(101)),
                InvalidAccount::from(InvalidText::TooLong).into(),
            ),
            (&format!("otpauth://totp/a?secret={}", KEY.repeat(13)), InvalidAccount::KeyTooLong.into()),
        ] as [(&str, InvalidEntry); 7]
        {
            let list = format!("\n{good}\n{bad}\n{good}\n");
            assert_eq!(read(&list), Err(NotImported::Line { number: 3, reason }), "{bad}");
            assert_eq!(read_link(bad), Err(reason), "{bad}");
        }
    }

    #[test]
    fn a_list_longer_than_a_vault_is_refused() {
        let list = format!("otpauth://totp/a?secret={KEY}\n").repeat(crate::contents::MAX_ACCOUNTS + 1);
        assert_eq!(read(&list), Err(NotImported::TooLong));
    }

    #[test]
    fn one_account_twice_in_a_list_comes_once() {
        let list = format!("otpauth://totp/a?secret={KEY}\notpauth://totp/b?secret={KEY}\n");
        let mut contents = Contents::default();
        let merged = contents.import(&links(&list).unwrap(), sample::NOW, &mut sample::random()).unwrap();
        assert_eq!((merged.added, merged.known), (1, 1));
        assert_eq!(contents.accounts()[0].name.as_str(), "a");
    }

    #[test]
    fn a_link_without_names_gets_one() {
        let names = |link: &str| {
            let account = read_link(&format!("otpauth://totp/{link}secret={KEY}")).unwrap();
            (account.issuer.as_str().to_owned(), account.name.as_str().to_owned())
        };
        let both = |issuer: &str, name: &str| (issuer.to_owned(), name.to_owned());
        assert_eq!(names("Bank:ada?"), both("Bank", "ada"));
        assert_eq!(names("?issuer=Bank&"), both("Bank", "Bank"));
        assert_eq!(names("?"), both("", "Account"));
    }

    #[test]
    fn a_colon_in_an_issuer_does_not_move_into_the_name() {
        let random = &mut sample::random();
        let mut contents = Contents::default();
        let id = contents.add(sample::other("ada:1", random), sample::NOW).unwrap();
        contents.rename(id, Line::parse("Bank: north").unwrap(), Name::parse("ada:1").unwrap()).unwrap();
        let snapshot = links(&export_links(&contents)).unwrap();
        let Entry::Other(read) = &snapshot.entries()[0] else { panic!("a practice account") };
        assert_eq!((read.issuer.as_str(), read.name.as_str()), ("Bank: north", "ada:1"));
    }

    #[test]
    fn a_typed_key_may_have_blanks_and_any_case() {
        let account =
            read_key("Bank", "ada", "gezd gnbv-gy3t qojq  GEZDGNBVGY3TQOJQ", Parameters::OTHER_VENDOR).unwrap();
        assert_eq!(account.key().expose_bytes(), b"12345678901234567890");
        assert_eq!(account.parameters(), Parameters { algorithm: Algorithm::Sha1, digits: 6, period: 30 });
        let refused = |name: &str, key: &str| read_key("", name, key, Parameters::OTHER_VENDOR).unwrap_err();
        assert_eq!(refused("ada", "0189"), InvalidAccount::Key);
        assert_eq!(refused("ada", " "), InvalidAccount::Key);
        assert_eq!(refused("ada", "GEZDGNBV"), InvalidParameters::SecretTooShort.into());
        assert_eq!(refused(" ", KEY), InvalidText::Empty.into());
    }

    #[test]
    fn a_typed_key_takes_what_the_site_says_of_its_tokens_within_bounds() {
        let read = |digits, period| {
            let asked = Parameters { algorithm: Algorithm::Sha512, digits, period };
            read_key("", "ada", KEY, asked).map(|account| account.parameters() == asked)
        };
        assert_eq!([read(6, 15), read(8, 120)], [Ok(true), Ok(true)]);
        for (digits, period) in [(5, 30), (9, 30), (6, 14), (6, 121)] {
            assert!(matches!(read(digits, period), Err(InvalidAccount::Parameters(_))), "{digits} {period}");
        }
    }

    proptest! {
        #[test]
        fn what_is_exported_comes_back(contents in sample::contents()) {
            let expected = for_a_file(&contents);
            prop_assume!(!expected.entries().is_empty());
            prop_assert_eq!(encrypted(&file_of(&contents)).unwrap().open(&password()), Ok(expected.clone()));
            prop_assert_eq!(links(&export_links(&contents)).unwrap(), expected);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "(\\PC|\n){0,200}", link in "\\PC{0,80}") {
            let _ = read(&text);
            let _ = read(&format!("{HEADER}\n{text}"));
            let _ = read(&format!("otpauth://totp/{link}"));
            let _ = read_key(&link, &link, &link, Parameters::OTHER_VENDOR);
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let armoured = BASE64.encode(&[MAGIC.as_slice(), &[FORMAT], &bytes].concat());
            if let Ok(file) = encrypted(&format!("{HEADER}\n{armoured}")) {
                prop_assert!(file.open(&password()).is_err());
            }
        }
    }
}
