//! One account in the authenticator: whose tokens it shows, and the key that makes them.

use core::fmt;

use data_encoding::HEXLOWER;
use domain::otpauth::Otpauth;
use domain::person::{InvalidText, Line, Name};
use domain::totp::{InvalidParameters, Parameters, Secret, Totp};
use sha2::{Digest as _, Sha256};

use crate::bytes::{Malformed, Reader, Writer};
use crate::{Random, random_array};

/// The longest key, in bytes: twice the block of SHA-512, beyond which HMAC hashes a key down anyway.
pub const MAX_KEY_BYTES: usize = 256;
/// The longest id of the server, in bytes.
pub const MAX_SERVER_ID_BYTES: usize = 64;
/// The longest line of text, in bytes: 200 characters of four.
const MAX_LINE_BYTES: usize = 800;

/// Which account it is on this device, for as long as it is here: 128 random bits. Another device has another id for
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId([u8; Self::BYTES]);

impl AccountId {
    pub(crate) const BYTES: usize = 16;

    /// A new id.
    #[must_use]
    pub fn random(random: &mut Random<'_>) -> Self {
        Self(random_array(random))
    }

    /// Reads the 32 hex digits that `Display` writes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        HEXLOWER.decode(text.as_bytes()).ok()?.try_into().ok().map(Self)
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

/// An id that the server gave, of a token account or of a factor: 1 to 64 ASCII letters, digits, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerId(String);

/// The text is no id of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an id")]
pub struct InvalidServerId;

impl ServerId {
    /// Parses an id.
    ///
    /// # Errors
    /// [`InvalidServerId`].
    pub fn parse(raw: &str) -> Result<Self, InvalidServerId> {
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if (1..=MAX_SERVER_ID_BYTES).contains(&raw.len()) && raw.bytes().all(is_plain) {
            Ok(Self(raw.to_owned()))
        } else {
            Err(InvalidServerId)
        }
    }

    /// The id.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.string(self.0.as_bytes());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Self::parse(reader.text(MAX_SERVER_ID_BYTES)?).map_err(|_| Malformed)
    }
}

/// What kind of account it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An account at a practice. Its secret belongs to this device alone and is in no backup and no export.
    Practice {
        /// The factor on the server that this secret confirms tokens for.
        factor: ServerId,
        /// The practice's name as the server said it; with the user name it tells on another device which account it
        /// is.
        practice: Name,
        /// The account's user name.
        username: Name,
    },
    /// An account anywhere else.
    Other,
}

/// An account: its names, and the key of its tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Which one it is on this device.
    pub id: AccountId,
    /// Who issued it, as it is shown; may be empty.
    pub issuer: Line,
    /// Its name, as it is shown.
    pub name: Name,
    /// At a practice or elsewhere.
    pub kind: Kind,
    key: Secret,
    parameters: Parameters,
}

/// An account anywhere but at a practice, as a link, a typed key or a file says it: not on a device yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtherAccount {
    /// Who issued it, as it is shown; may be empty.
    pub issuer: Line,
    /// Its name, as it is shown.
    pub name: Name,
    key: Secret,
    parameters: Parameters,
}

impl OtherAccount {
    /// An account with these names and this key.
    ///
    /// # Errors
    /// [`InvalidAccount`] for key and parameters; the names are parsed already.
    pub fn new(issuer: Line, name: Name, key: Secret, parameters: Parameters) -> Result<Self, InvalidAccount> {
        check(&key, parameters)?;
        Ok(Self { issuer, name, key, parameters })
    }

    /// The account of a link. Without a name the issuer is one; without either it is called "Account".
    ///
    /// # Errors
    /// [`InvalidAccount`].
    pub fn from_link(link: Otpauth) -> Result<Self, InvalidAccount> {
        let issuer = Line::parse(&link.issuer)?;
        let name = [link.account.as_str(), issuer.as_str()].into_iter().find(|name| !name.trim().is_empty());
        let name = Name::parse(name.unwrap_or("Account"))?;
        Self::new(issuer, name, link.secret, link.parameters)
    }

    /// The key that makes its tokens.
    #[must_use]
    pub const fn key(&self) -> &Secret {
        &self.key
    }

    /// Digits, period and algorithm of its tokens.
    #[must_use]
    pub const fn parameters(&self) -> Parameters {
        self.parameters
    }

    pub(crate) fn of(account: &Account) -> Self {
        let (issuer, name) = (account.issuer.clone(), account.name.clone());
        Self { issuer, name, key: account.key.clone(), parameters: account.parameters }
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.string(self.issuer.as_str().as_bytes());
        writer.string(self.name.as_str().as_bytes());
        write_key(writer, &self.key, self.parameters);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (issuer, name) = (read_line(reader)?, read_name(reader)?);
        let (key, parameters) = read_key(reader)?;
        Ok(Self { issuer, name, key, parameters })
    }
}

/// Why there is no such account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAccount {
    /// The text is no setup key: not base32.
    #[error("the setup key has letters A to Z and digits 2 to 7 only")]
    Key,
    /// More than [`MAX_KEY_BYTES`].
    #[error("the setup key is too long")]
    KeyTooLong,
    /// Digits or period out of range, or a key under 128 bits.
    #[error(transparent)]
    Parameters(#[from] InvalidParameters),
    /// A name that is empty, too long, or has characters that do not belong there.
    #[error("the name cannot be used: {0}")]
    Name(#[from] InvalidText),
}

impl Account {
    /// An account at a practice, as the server said it when it gave the device its secret.
    ///
    /// # Errors
    /// [`InvalidAccount`].
    pub fn practice(
        factor: ServerId,
        practice: &str,
        username: &str,
        key: Secret,
        random: &mut Random<'_>,
    ) -> Result<Self, InvalidAccount> {
        check(&key, Parameters::OWN)?;
        let (practice, username) = (Name::parse(practice)?, Name::parse(username)?);
        Ok(Self {
            id: AccountId::random(random),
            issuer: Line::parse(practice.as_str())?,
            name: username.clone(),
            kind: Kind::Practice { factor, practice, username },
            key,
            parameters: Parameters::OWN,
        })
    }

    /// An account anywhere else, with an id on this device.
    #[must_use]
    pub fn other(other: OtherAccount, random: &mut Random<'_>) -> Self {
        let OtherAccount { issuer, name, key, parameters } = other;
        Self { id: AccountId::random(random), issuer, name, kind: Kind::Other, key, parameters }
    }

    /// The key that makes its tokens.
    #[must_use]
    pub const fn key(&self) -> &Secret {
        &self.key
    }

    /// Digits, period and algorithm of its tokens.
    #[must_use]
    pub const fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// What computes its tokens.
    ///
    /// # Panics
    /// Never: key and parameters were checked when the account was made.
    #[must_use]
    pub fn totp(&self) -> Totp {
        Totp::new(&self.key, self.parameters).expect("checked when the account was made")
    }

    /// Whether it is at a practice, so that its secret stays on this device.
    #[must_use]
    pub const fn is_practice(&self) -> bool {
        matches!(self.kind, Kind::Practice { .. })
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.fixed(&self.id.0);
        writer.string(self.issuer.as_str().as_bytes());
        writer.string(self.name.as_str().as_bytes());
        match &self.kind {
            Kind::Practice { factor, practice, username } => {
                writer.u8(0);
                factor.write(writer);
                writer.string(practice.as_str().as_bytes());
                writer.string(username.as_str().as_bytes());
            }
            Kind::Other => writer.u8(1),
        }
        write_key(writer, &self.key, self.parameters);
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let id = AccountId(reader.array()?);
        let (issuer, name) = (read_line(reader)?, read_name(reader)?);
        let kind = match reader.u8()? {
            0 => Kind::Practice {
                factor: ServerId::read(reader)?,
                practice: read_name(reader)?,
                username: read_name(reader)?,
            },
            1 => Kind::Other,
            _ => return Err(Malformed),
        };
        let (key, parameters) = read_key(reader)?;
        Ok(Self { id, issuer, name, kind, key, parameters })
    }
}

fn check(key: &Secret, parameters: Parameters) -> Result<(), InvalidAccount> {
    if key.expose_bytes().len() > MAX_KEY_BYTES {
        return Err(InvalidAccount::KeyTooLong);
    }
    Totp::new(key, parameters)?;
    Ok(())
}

/// Algorithm (u8: 1, 2, 3 for SHA-1, SHA-256, SHA-512), digits (u8), period in seconds (u16), then the key's bytes.
fn write_key(writer: &mut Writer, key: &Secret, parameters: Parameters) {
    use domain::totp::Algorithm::{Sha1, Sha256, Sha512};
    writer.u8(match parameters.algorithm {
        Sha1 => 1,
        Sha256 => 2,
        Sha512 => 3,
    });
    writer.u8(parameters.digits);
    writer.u16(u16::try_from(parameters.period).expect("a period lasts 120 seconds at most"));
    writer.string(key.expose_bytes());
}

/// Which tokens an account makes, without its key: SHA-256 of key and parameters.
pub(crate) fn tokens_digest(key: &Secret, parameters: Parameters) -> [u8; 32] {
    let mut writer = Writer::with_capacity(MAX_KEY_BYTES + 8);
    write_key(&mut writer, key, parameters);
    Sha256::new_with_prefix("twofold tokens 1\n").chain_update(writer.as_slice()).finalize().into()
}

fn read_key(reader: &mut Reader<'_>) -> Result<(Secret, Parameters), Malformed> {
    use domain::totp::Algorithm::{Sha1, Sha256, Sha512};
    let algorithm = match reader.u8()? {
        1 => Sha1,
        2 => Sha256,
        3 => Sha512,
        _ => return Err(Malformed),
    };
    let parameters = Parameters { algorithm, digits: reader.u8()?, period: u32::from(reader.u16()?) };
    let key = Secret::new(reader.string(MAX_KEY_BYTES)?.to_vec());
    check(&key, parameters).map_err(|_| Malformed)?;
    Ok((key, parameters))
}

pub(crate) fn read_line(reader: &mut Reader<'_>) -> Result<Line, Malformed> {
    let text = reader.text(MAX_LINE_BYTES)?;
    // One text has one encoding: what parsing would change is refused.
    Line::parse(text).ok().filter(|line| line.as_str() == text).ok_or(Malformed)
}

pub(crate) fn read_name(reader: &mut Reader<'_>) -> Result<Name, Malformed> {
    let text = reader.text(MAX_LINE_BYTES)?;
    Name::parse(text).ok().filter(|name| name.as_str() == text).ok_or(Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_the_server_are_plain() {
        assert!(ServerId::parse("0123abcDEF-_").is_ok());
        for raw in ["", "a b", "é", "a/b", "a".repeat(65).as_str()] {
            assert_eq!(ServerId::parse(raw), Err(InvalidServerId), "{raw:?}");
        }
    }

    #[test]
    fn ids_of_accounts_can_be_written_down() {
        let id = AccountId([0xab; 16]);
        assert_eq!(AccountId::parse(&id.to_string()), Some(id));
        assert_eq!(AccountId::parse("ab"), None);
    }

    #[test]
    fn a_practice_account_makes_tokens_of_our_own_kind() {
        let factor = ServerId::parse("f1").unwrap();
        let mut random = |bytes: &mut [u8]| bytes.fill(1);
        let mut make = |bytes: usize| {
            Account::practice(factor.clone(), "Elm & Oak", "ada", Secret::new(vec![7; bytes]), &mut random)
        };
        let account = make(32).unwrap();
        assert_eq!(account.totp().parameters(), Parameters::OWN);
        assert_eq!((account.issuer.as_str(), account.name.as_str()), ("Elm & Oak", "ada"));
        assert_eq!(make(15), Err(InvalidParameters::SecretTooShort.into()));
        assert_eq!(make(257), Err(InvalidAccount::KeyTooLong));
    }
}
