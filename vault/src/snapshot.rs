//! What leaves the device: the accounts without the secrets of practice accounts, in their order.

use core::fmt;

use domain::person::{Line, Name};
use zeroize::Zeroizing;

use crate::account::{Account, Kind, OtherAccount, read_line, read_name};
use crate::bytes::{Malformed, Reader, Writer};
use crate::contents::{Contents, MAX_ACCOUNTS};

/// Version of the encoding.
const VERSION: u8 = 1;

/// One account of a [`Snapshot`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// An account at a practice: its place and names. The secret stays on the device that it was given to.
    Practice {
        /// The practice's name as the server said it.
        practice: Name,
        /// The account's user name.
        username: Name,
        /// Who issued it, as it is shown.
        issuer: Line,
        /// Its name, as it is shown.
        name: Name,
    },
    /// An account anywhere else, whole.
    Other(OtherAccount),
}

impl Entry {
    fn of(account: &Account) -> Self {
        match &account.kind {
            Kind::Practice { practice, username, .. } => Self::Practice {
                practice: practice.clone(),
                username: username.clone(),
                issuer: account.issuer.clone(),
                name: account.name.clone(),
            },
            Kind::Other => Self::Other(OtherAccount::of(account)),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Practice { practice, username, issuer, name } => {
                writer.u8(0);
                for text in [practice.as_str(), username.as_str(), issuer.as_str(), name.as_str()] {
                    writer.string(text.as_bytes());
                }
            }
            Self::Other(other) => {
                writer.u8(1);
                other.write(writer);
            }
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        match reader.u8()? {
            0 => Ok(Self::Practice {
                practice: read_name(reader)?,
                username: read_name(reader)?,
                issuer: read_line(reader)?,
                name: read_name(reader)?,
            }),
            1 => OtherAccount::read(reader).map(Self::Other),
            _ => Err(Malformed),
        }
    }
}

/// The accounts as a backup or an export holds them, at most [`MAX_ACCOUNTS`]. `Debug` says only how many.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Snapshot(Vec<Entry>);

impl Snapshot {
    /// The accounts of `contents` as they are now.
    #[must_use]
    pub fn of(contents: &Contents) -> Self {
        Self(contents.accounts().iter().map(Entry::of).collect())
    }

    /// These accounts; `None` if they are more than [`MAX_ACCOUNTS`].
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Option<Self> {
        (entries.len() <= MAX_ACCOUNTS).then_some(Self(entries))
    }

    /// The accounts, in their order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.0
    }

    /// The same without those other accounts.
    #[must_use]
    pub(crate) fn without(mut self, is_left_out: impl Fn(&OtherAccount) -> bool) -> Self {
        self.0.retain(|entry| !matches!(entry, Entry::Other(other) if is_left_out(other)));
        self
    }

    /// The same without practice accounts.
    #[must_use]
    pub(crate) fn without_practice(mut self) -> Self {
        self.0.retain(|entry| matches!(entry, Entry::Other(_)));
        self
    }

    /// Version (u8, 1), count (u16), then each account: kind (u8), then for 0, a practice account, practice,
    /// user name, issuer and name, for 1, another one, issuer, name, algorithm, digits, period and key.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // An account takes about 80 bytes.
        let mut writer = Writer::with_capacity(256 * (self.0.len() + 1));
        writer.u8(VERSION);
        writer.count(self.0.len());
        for entry in &self.0 {
            entry.write(&mut writer);
        }
        writer.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(Malformed);
        }
        let entries = (0..reader.count(MAX_ACCOUNTS)?).map(|_| Entry::read(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        Ok(Self(entries))
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} accounts)", self.0.len())
    }
}
