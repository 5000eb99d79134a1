//! What is inside a vault, in memory while it is unlocked.

use core::fmt;
use core::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use domain::person::{Line, Name};
use domain::totp::{Parameters, Secret};
use zeroize::Zeroizing;

use crate::Random;
use crate::account::{Account, AccountId, Kind, ServerId, read_line};
use crate::backup::{BackupState, Chain};
use crate::bytes::{Malformed, Reader, Writer};
use crate::key::Key;
use crate::snapshot::{Entry, Snapshot};

/// As many accounts fit in a vault, and in a backup.
pub const MAX_ACCOUNTS: usize = 500;
/// Version of the encoding.
const VERSION: u8 = 1;

/// The secret by which this device answers for itself to the server: 256 bits, in base64url. Redacted.
#[derive(Clone, PartialEq, Eq)]
pub struct DeviceKey(Key);

/// The text is no device key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a device key")]
pub struct InvalidDeviceKey;

impl DeviceKey {
    /// Reads the base64url without padding that the server gave.
    ///
    /// # Errors
    /// [`InvalidDeviceKey`].
    pub fn parse(raw: &str) -> Result<Self, InvalidDeviceKey> {
        let bytes = Zeroizing::new(BASE64URL_NOPAD.decode(raw.as_bytes()).map_err(|_| InvalidDeviceKey)?);
        Key::from_slice(&bytes).map(Self).ok_or(InvalidDeviceKey)
    }

    /// The text that goes back to the server, in the body of a request.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64URL_NOPAD.encode(self.0.expose()))
    }
}

impl fmt::Debug for DeviceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DeviceKey(…)")
    }
}

/// Minutes without use after which the vault locks: 1 to 60, five by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AutoLock(u8);

impl AutoLock {
    /// After so many minutes; `None` outside of 1 to 60.
    #[must_use]
    pub const fn after_minutes(minutes: u8) -> Option<Self> {
        if minutes >= 1 && minutes <= 60 { Some(Self(minutes)) } else { None }
    }

    /// The minutes.
    #[must_use]
    pub const fn minutes(self) -> u8 {
        self.0
    }

    /// The same as a duration.
    #[must_use]
    pub const fn duration(self) -> Duration {
        Duration::from_secs(self.0 as u64 * 60)
    }
}

impl Default for AutoLock {
    fn default() -> Self {
        Self(5)
    }
}

/// What the device knows: its identity, its accounts in their order, and how far its backup is.
///
/// It lives in memory while the vault is unlocked; [`crate::Vault::reseal`] writes it down after each change.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    /// The token account that this device belongs to; none before the registration.
    pub token_account: Option<ServerId>,
    /// How it answers for itself to the server; none before the registration.
    pub device_key: Option<DeviceKey>,
    /// What the device is called in lists of devices.
    pub device_name: Line,
    /// When it locks by itself.
    pub auto_lock: AutoLock,
    /// The backup, while it is on.
    pub backup: Option<BackupState>,
    /// The versions of the backup that this device has seen, so that none older is taken. Stays when the backup is
    /// switched off.
    pub chain: Chain,
    accounts: Vec<Account>,
}

/// There is no account of that id, any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such account")]
pub struct UnknownAccount;

/// Why an account is not added.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAdded {
    /// The same key with the same parameters is there already.
    #[error("this account is there already")]
    Known(AccountId),
    /// There are [`MAX_ACCOUNTS`].
    #[error("there is no room for more accounts")]
    Full,
}

/// More accounts than [`MAX_ACCOUNTS`]. Nothing was merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no room for so many accounts")]
pub struct Full;

/// An account that was taken out, and its place, so that it can come back there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Removed {
    position: usize,
    account: Account,
}

impl Removed {
    /// The account.
    #[must_use]
    pub const fn account(&self) -> &Account {
        &self.account
    }
}

/// What a merge did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Merged {
    /// Accounts that are new here.
    pub added: usize,
    /// Accounts that were here already, or twice in the snapshot.
    pub known: usize,
    /// Practice accounts that this device has no secret of: they are left out.
    pub elsewhere: usize,
    /// Accounts of this device that the snapshot does not have.
    pub only_here: usize,
}

impl Contents {
    /// The accounts, in their order.
    #[must_use]
    pub fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// The account of that id.
    #[must_use]
    pub fn find(&self, id: AccountId) -> Option<&Account> {
        self.accounts.iter().find(|account| account.id == id)
    }

    /// The accounts whose issuer or name has each word of `text`, whatever the case; all if there is no word.
    pub fn search(&self, text: &str) -> impl Iterator<Item = &Account> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        self.accounts.iter().filter(move |account| {
            let names = format!("{} {}", account.issuer.as_str(), account.name.as_str()).to_lowercase();
            words.iter().all(|word| names.contains(word))
        })
    }

    /// Adds an account at the end, and tells its id.
    ///
    /// # Errors
    /// [`NotAdded`]; a key that is there already is told with the account that has it.
    pub fn add(&mut self, account: Account) -> Result<AccountId, NotAdded> {
        self.insert(self.accounts.len(), account)
    }

    fn insert(&mut self, position: usize, account: Account) -> Result<AccountId, NotAdded> {
        if let Some(known) = self.same(account.key(), account.parameters()) {
            return Err(NotAdded::Known(known));
        }
        if self.accounts.len() >= MAX_ACCOUNTS {
            return Err(NotAdded::Full);
        }
        let id = account.id;
        self.accounts.insert(position.min(self.accounts.len()), account);
        Ok(id)
    }

    /// The account that makes the same tokens: names may differ, the key and its parameters do not.
    fn same(&self, key: &Secret, parameters: Parameters) -> Option<AccountId> {
        let is_same = |account: &&Account| account.key() == key && account.parameters() == parameters;
        self.accounts.iter().find(is_same).map(|account| account.id)
    }

    /// Gives an account other names.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn rename(&mut self, id: AccountId, issuer: Line, name: Name) -> Result<(), UnknownAccount> {
        let position = self.position(id)?;
        let account = &mut self.accounts[position];
        (account.issuer, account.name) = (issuer, name);
        Ok(())
    }

    /// Moves an account to a place in the list, 0 being the first; a place beyond the end is the last.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn move_to(&mut self, id: AccountId, position: usize) -> Result<(), UnknownAccount> {
        let account = self.accounts.remove(self.position(id)?);
        self.accounts.insert(position.min(self.accounts.len()), account);
        Ok(())
    }

    /// Takes an account out.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn remove(&mut self, id: AccountId) -> Result<Removed, UnknownAccount> {
        let position = self.position(id)?;
        Ok(Removed { position, account: self.accounts.remove(position) })
    }

    /// Puts a removed account back at its place.
    ///
    /// # Errors
    /// [`NotAdded`] if it has come back on another way, or the room is taken.
    pub fn undo(&mut self, removed: Removed) -> Result<AccountId, NotAdded> {
        self.insert(removed.position, removed.account)
    }

    /// Takes out the practice accounts whose factor the server does not list any more, and tells how many.
    pub fn keep_factors(&mut self, listed: &[ServerId]) -> usize {
        let before = self.accounts.len();
        self.accounts.retain(|account| match &account.kind {
            Kind::Practice { factor, .. } => listed.contains(factor),
            Kind::Other => true,
        });
        before - self.accounts.len()
    }

    /// Takes in the accounts of a backup or an import: all of them, or none.
    ///
    /// An account that is here already is not doubled and keeps its names; practice accounts take the names that they
    /// were given elsewhere if they have none of their own yet. A list without other accounts, as on a new phone, gets
    /// the snapshot's order; otherwise what is new comes at the end, for somebody has arranged the rest.
    ///
    /// # Errors
    /// [`Full`]; nothing has changed then.
    pub fn merge(&mut self, snapshot: &Snapshot, random: &mut Random<'_>) -> Result<Merged, Full> {
        let mut next = Self { accounts: self.accounts.clone(), ..Self::default() };
        let is_arranged = self.accounts.iter().any(|account| !account.is_practice());
        let mut merged = Merged::default();
        let mut order = Vec::new();
        for entry in snapshot.entries() {
            match entry {
                Entry::Practice { practice, username, issuer, name } => {
                    match next.accounts.iter_mut().find(|account| account.is_of(practice, username)) {
                        Some(account) => {
                            account.take_names(issuer, name);
                            order.push(account.id);
                            merged.known += 1;
                        }
                        None => merged.elsewhere += 1,
                    }
                }
                Entry::Other(other) => match next.add(Account::other(other.clone(), random)) {
                    Ok(id) => {
                        order.push(id);
                        merged.added += 1;
                    }
                    Err(NotAdded::Known(id)) => {
                        order.push(id);
                        merged.known += 1;
                    }
                    Err(NotAdded::Full) => return Err(Full),
                },
            }
        }
        merged.only_here = next.accounts.iter().filter(|account| !order.contains(&account.id)).count();
        if !is_arranged {
            // What the snapshot does not have stays behind what it has; the sort is stable.
            next.accounts.sort_by_key(|account| order.iter().position(|id| *id == account.id).unwrap_or(usize::MAX));
        }
        self.accounts = next.accounts;
        Ok(merged)
    }

    /// Version (u8, 1), token account, device key, device name, minutes until it locks, chain, backup, count (u16), accounts.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // An account takes about 100 bytes, the chain a thousand.
        let mut writer = Writer::with_capacity(256 * (self.accounts.len() + 16));
        writer.u8(VERSION);
        writer.option(self.token_account.as_ref(), |writer, id| id.write(writer));
        writer.option(self.device_key.as_ref(), |writer, key| writer.fixed(key.0.expose()));
        writer.string(self.device_name.as_str().as_bytes());
        writer.u8(self.auto_lock.minutes());
        self.chain.write(&mut writer);
        writer.option(self.backup.as_ref(), |writer, backup| backup.write(writer));
        writer.count(self.accounts.len());
        for account in &self.accounts {
            account.write(&mut writer);
        }
        writer.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.u8()? != VERSION {
            return Err(Malformed);
        }
        let mut contents = Self {
            token_account: reader.option(ServerId::read)?,
            device_key: reader.option(|reader| Ok(DeviceKey(Key::new(reader.array()?))))?,
            device_name: read_line(&mut reader)?,
            auto_lock: AutoLock::after_minutes(reader.u8()?).ok_or(Malformed)?,
            chain: Chain::read(&mut reader)?,
            backup: reader.option(BackupState::read)?,
            accounts: Vec::new(),
        };
        for _ in 0..reader.count(MAX_ACCOUNTS)? {
            let account = Account::read(&mut reader)?;
            if contents.find(account.id).is_some() {
                return Err(Malformed);
            }
            contents.accounts.push(account);
        }
        reader.end()?;
        Ok(contents)
    }

    fn position(&self, id: AccountId) -> Result<usize, UnknownAccount> {
        self.accounts.iter().position(|account| account.id == id).ok_or(UnknownAccount)
    }
}

impl Account {
    /// Whether it is this account at this practice, whatever it is called here.
    fn is_of(&self, at: &Name, of: &Name) -> bool {
        matches!(&self.kind, Kind::Practice { practice, username, .. } if practice == at && username == of)
    }

    /// Takes names that were given elsewhere, unless it has been renamed here.
    fn take_names(&mut self, issuer: &Line, name: &Name) {
        if let Kind::Practice { practice, username, .. } = &self.kind
            && self.issuer.as_str() == practice.as_str()
            && self.name == *username
        {
            self.issuer.clone_from(issuer);
            self.name.clone_from(name);
        }
    }
}
