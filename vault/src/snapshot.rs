//! What leaves the device: the accounts without the secrets of practice accounts, in their order, and in a backup what was
//! done last with each.

use core::fmt;

use domain::person::{Line, Name};
use zeroize::Zeroizing;

use crate::account::{Account, Kind, OtherAccount, read_line, read_name};
use crate::bytes::{Malformed, Reader, Writer};
use crate::contents::{Contents, MAX_ACCOUNTS};
use crate::history::History;

/// The encoding of accounts alone.
pub(crate) const ACCOUNTS: u8 = 1;
/// The encoding of accounts with their history.
pub(crate) const WITH_HISTORY: u8 = 2;

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
pub struct Snapshot {
    entries: Vec<Entry>,
    history: History,
}

impl Snapshot {
    /// The accounts of `contents` as they are now, with their history.
    #[must_use]
    pub fn of(contents: &Contents) -> Self {
        let entries = contents.accounts().iter().map(Entry::of).collect();
        Self { entries, history: contents.history().clone() }
    }

    /// These accounts; `None` if they are more than [`MAX_ACCOUNTS`].
    #[must_use]
    pub fn new(entries: Vec<Entry>) -> Option<Self> {
        (entries.len() <= MAX_ACCOUNTS).then(|| Self { entries, history: History::default() })
    }

    /// The accounts, in their order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) const fn history(&self) -> &History {
        &self.history
    }

    /// The same without those other accounts.
    #[must_use]
    pub(crate) fn without(mut self, is_left_out: impl Fn(&OtherAccount) -> bool) -> Self {
        self.entries.retain(|entry| !matches!(entry, Entry::Other(other) if is_left_out(other)));
        self
    }

    /// What a file takes along: no practice accounts, and no history, for a file is for elsewhere.
    #[must_use]
    pub(crate) fn for_a_file(mut self) -> Self {
        self.entries.retain(|entry| matches!(entry, Entry::Other(_)));
        Self { entries: self.entries, history: History::default() }
    }

    /// Which encoding it has: that of accounts alone, unless there is a history.
    pub(crate) const fn encoding(&self) -> u8 {
        if self.history.is_empty() { ACCOUNTS } else { WITH_HISTORY }
    }

    /// Encoding (u8, 1 or 2), count (u16), then each account: kind (u8), then for 0, a practice account, practice,
    /// user name, issuer and name, for 1, another one, issuer, name, algorithm, digits, period and key. In encoding 2 the
    /// history follows: count (u16), then for each account act (u8: 0 deleted, 1 added), digest (32) and time in
    /// milliseconds (i64), oldest first. The digest is the SHA-256 of `twofold tokens 1`, a line break, and algorithm,
    /// digits, period and key as above.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // An account takes about 80 bytes, its history 41.
        let mut writer = Writer::with_capacity(256 * (self.entries.len() + 1) + 64 * self.history.len());
        writer.u8(self.encoding());
        writer.count(self.entries.len());
        for entry in &self.entries {
            entry.write(&mut writer);
        }
        if !self.history.is_empty() {
            self.history.write(&mut writer);
        }
        writer.finish()
    }

    /// Reads what is said to be in that encoding.
    pub(crate) fn decode(encoding: u8, bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != encoding {
            return Err(Malformed);
        }
        let entries = (0..reader.count(MAX_ACCOUNTS)?).map(|_| Entry::read(&mut reader)).collect::<Result<_, _>>()?;
        let history = if encoding == WITH_HISTORY { History::read(&mut reader)? } else { History::default() };
        reader.end()?;
        let snapshot = Self { entries, history };
        // One snapshot has one encoding.
        if snapshot.encoding() == encoding { Ok(snapshot) } else { Err(Malformed) }
    }
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Snapshot({} accounts)", self.entries.len())
    }
}
