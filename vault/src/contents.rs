//! What is inside a vault, in memory while it is unlocked.

use core::fmt;
use core::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use domain::Timestamp;
use domain::person::{Line, Name};
use domain::totp::{Parameters, Secret};
use zeroize::Zeroizing;

use crate::Random;
use crate::account::{Account, AccountId, Kind, ServerId, read_line};
use crate::backup::{BackupState, Chain};
use crate::bytes::{Malformed, Reader, Writer};
use crate::history::History;
use crate::key::Key;
use crate::pending::PendingDevice;
use crate::snapshot::{Entry, Snapshot};

/// As many accounts fit in a vault, and in a backup.
pub const MAX_ACCOUNTS: usize = 500;
/// How long after the backup password was typed it is asked for: whoever has forgotten it should not learn so when the
/// phone is lost.
pub const ASK_AFTER: Duration = Duration::from_hours(30 * 24);
/// How long "Not Now" puts the question off.
pub const ASK_AGAIN_AFTER: Duration = Duration::from_hours(7 * 24);
/// Version of the encoding. Version 1 ends with the accounts, version 2 remembers deletions alone, version 3 ends with the
/// time to ask for the backup password.
const VERSION: u8 = 4;
/// As many devices of a token account are remembered.
const MAX_DEVICES: usize = 500;

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

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.fixed(self.0.expose());
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(Key::new(reader.array()?)))
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
    /// What it is about to become, until the server has confirmed it.
    pub pending: Option<PendingDevice>,
    /// When it locks by itself.
    pub auto_lock: AutoLock,
    /// The backup, while it is on.
    pub backup: Option<BackupState>,
    /// The versions of the backup that this device has seen, so that none older is taken. Stays when the backup is
    /// switched off.
    pub chain: Chain,
    accounts: Vec<Account>,
    history: History,
    /// When the backup password is asked for; at once where nothing is known, as in a vault of an older version.
    ask_at: Option<Timestamp>,
    /// The token account's devices that the person knows of; none before the first look.
    known_devices: Option<Vec<ServerId>>,
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
    /// Accounts that were here, and had been deleted on another device.
    pub deleted: usize,
}

impl Contents {
    /// Takes in what a registration gave. With another token account than before, the backup is off and none was seen:
    /// both belong to the other one.
    pub fn register(&mut self, token_account: ServerId, device_key: DeviceKey, device_name: Line) {
        if self.token_account.as_ref() != Some(&token_account) {
            self.backup = None;
            self.chain = Chain::default();
            self.known_devices = None;
        }
        self.token_account = Some(token_account);
        self.device_key = Some(device_key);
        self.device_name = device_name;
    }

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
    pub fn search<'a>(&'a self, text: &str) -> impl Iterator<Item = &'a Account> + use<'a> {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        self.accounts.iter().filter(move |account| {
            let names = format!("{} {}", account.issuer.as_str(), account.name.as_str()).to_lowercase();
            words.iter().all(|word| names.contains(word))
        })
    }

    /// What was done last with each account.
    pub(crate) const fn history(&self) -> &History {
        &self.history
    }

    /// Adds an account at the end, as somebody wants it, and tells its id.
    ///
    /// # Errors
    /// [`NotAdded`]; a key that is there already is told with the account that has it.
    pub fn add(&mut self, account: Account, now: Timestamp) -> Result<AccountId, NotAdded> {
        self.add_at(self.accounts.len(), account, now)
    }

    fn add_at(&mut self, position: usize, account: Account, now: Timestamp) -> Result<AccountId, NotAdded> {
        let id = self.insert(position, account)?;
        self.remember_added(id, now);
        Ok(id)
    }

    /// No backup has the secret of a practice account, so its coming and going concerns no other device.
    fn remember_added(&mut self, id: AccountId, now: Timestamp) {
        if let Some(account) = self.accounts.iter().find(|account| account.id == id && !account.is_practice()) {
            self.history.add(account, now);
        }
    }

    pub(crate) fn insert(&mut self, position: usize, account: Account) -> Result<AccountId, NotAdded> {
        let same = self.same(account.key(), account.parameters());
        // Two of one id would make a vault that does not open again.
        if let Some(known) = same.or_else(|| self.find(account.id).map(|account| account.id)) {
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

    /// Takes an account out. Until somebody adds it again it stays out, also if the backup of another device has it; and
    /// other devices take it out when they see the backup of this one.
    ///
    /// # Errors
    /// [`UnknownAccount`].
    pub fn remove(&mut self, id: AccountId, now: Timestamp) -> Result<Removed, UnknownAccount> {
        let position = self.position(id)?;
        let account = self.accounts.remove(position);
        if !account.is_practice() {
            self.history.delete(&account, now);
        }
        Ok(Removed { position, account })
    }

    /// Puts a removed account back at its place.
    ///
    /// # Errors
    /// [`NotAdded`] if it has come back on another way, or the room is taken.
    pub fn undo(&mut self, removed: Removed, now: Timestamp) -> Result<AccountId, NotAdded> {
        self.add_at(removed.position, removed.account, now)
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

    /// The backup password was typed, and it was right.
    pub fn password_typed(&mut self, now: Timestamp) {
        self.ask_at = Some(now + ASK_AFTER);
    }

    /// The backup has another password than the one that was typed here: it is asked for at once.
    pub(crate) fn password_changed_elsewhere(&mut self) {
        self.ask_at = None;
    }

    /// The person does not want to be asked for the backup password now.
    pub fn put_off(&mut self, now: Timestamp) {
        self.ask_at = Some(now + ASK_AGAIN_AFTER);
    }

    /// Whether it is time to ask for the backup password. A time further away than any is of a clock that was wrong.
    #[must_use]
    pub fn asks_for_password(&self, now: Timestamp) -> bool {
        self.backup.is_some() && self.ask_at.is_none_or(|at| now >= at || at.since(now) > ASK_AFTER)
    }

    /// Whether the person may not know of that device of the token account. Nothing is new at the first look.
    #[must_use]
    pub fn is_new_device(&self, device: &ServerId) -> bool {
        self.known_devices.as_ref().is_some_and(|known| !known.contains(device))
    }

    /// Whether the token account's devices have been looked at.
    #[must_use]
    pub const fn knows_devices(&self) -> bool {
        self.known_devices.is_some()
    }

    /// The person has seen the list of the token account's devices.
    pub fn devices_seen(&mut self, mut devices: Vec<ServerId>) {
        devices.truncate(MAX_DEVICES);
        self.known_devices = Some(devices);
    }

    /// Takes in the accounts of a file that somebody imports: all of them, or none. Somebody wants them, so they count as
    /// added now.
    ///
    /// # Errors
    /// [`Full`]; nothing has changed then.
    pub fn import(&mut self, snapshot: &Snapshot, now: Timestamp, random: &mut Random<'_>) -> Result<Merged, Full> {
        let merged = self.merge(snapshot, random)?;
        for entry in snapshot.entries() {
            if let Entry::Other(other) = entry
                && let Some(id) = self.same(other.key(), other.parameters())
            {
                self.remember_added(id, now);
            }
        }
        Ok(merged)
    }

    /// Takes in the accounts of a backup, and what was done last with each: what was deleted later than it was added goes
    /// here, and does not come from there.
    ///
    /// # Errors
    /// [`Full`]; nothing has changed then.
    pub(crate) fn take_in(
        &mut self,
        snapshot: &Snapshot,
        now: Timestamp,
        random: &mut Random<'_>,
    ) -> Result<Merged, Full> {
        let mut history = self.history.clone();
        history.merge(snapshot.history(), now);
        let is_deleted = |key: &Secret, parameters| history.is_deleted(key, parameters, now);
        let mut next = Self { accounts: self.accounts.clone(), ..Self::default() };
        next.accounts.retain(|account| account.is_practice() || !is_deleted(account.key(), account.parameters()));
        let deleted = self.accounts.len() - next.accounts.len();
        let alive = snapshot.clone().without(|other| is_deleted(other.key(), other.parameters()));
        let merged = next.merge(&alive, random)?;
        (self.accounts, self.history) = (next.accounts, history);
        Ok(Merged { deleted, ..merged })
    }

    /// Takes in accounts: all of them, or none.
    ///
    /// An account that is here already is not doubled and keeps its names; practice accounts take the names that they
    /// were given elsewhere if they have none of their own yet. A list without other accounts, as on a new phone, gets
    /// the snapshot's order; otherwise what is new comes at the end, for somebody has arranged the rest.
    fn merge(&mut self, snapshot: &Snapshot, random: &mut Random<'_>) -> Result<Merged, Full> {
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
                Entry::Other(other) => match next.insert(next.accounts.len(), Account::other(other.clone(), random)) {
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

    /// Version (u8, 4), token account, device key, device name, minutes until it locks, chain, backup, count (u16),
    /// accounts, history, time to ask for the backup password (i64 or none), pending device, known devices: count (u16) and
    /// ids, or none.
    pub(crate) fn encode(&self) -> Zeroizing<Vec<u8>> {
        // An account takes about 100 bytes, the chain a thousand.
        let mut writer = Writer::with_capacity(256 * (self.accounts.len() + 16));
        writer.u8(VERSION);
        writer.option(self.token_account.as_ref(), |writer, id| id.write(writer));
        writer.option(self.device_key.as_ref(), |writer, key| key.write(writer));
        writer.string(self.device_name.as_str().as_bytes());
        writer.u8(self.auto_lock.minutes());
        self.chain.write(&mut writer);
        writer.option(self.backup.as_ref(), |writer, backup| backup.write(writer));
        write_accounts(&mut writer, &self.accounts);
        self.history.write(&mut writer);
        writer.option(self.ask_at, |writer, at| writer.i64(at.millis()));
        writer.option(self.pending.as_ref(), |writer, pending| pending.write(writer));
        writer.option(self.known_devices.as_ref(), |writer, devices| {
            writer.count(devices.len());
            for device in devices {
                device.write(writer);
            }
        });
        writer.finish()
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        let version = reader.u8()?;
        if !(1..=VERSION).contains(&version) {
            return Err(Malformed);
        }
        let mut contents = Self {
            token_account: reader.option(ServerId::read)?,
            device_key: reader.option(DeviceKey::read)?,
            device_name: read_line(&mut reader)?,
            auto_lock: AutoLock::after_minutes(reader.u8()?).ok_or(Malformed)?,
            chain: Chain::read(&mut reader)?,
            backup: reader.option(BackupState::read)?,
            accounts: read_accounts(&mut reader)?,
            ..Self::default()
        };
        if version > 1 {
            contents.history =
                if version > 2 { History::read(&mut reader)? } else { History::read_deletions(&mut reader)? };
            contents.ask_at = reader.option(|reader| reader.i64().map(Timestamp::from_millis))?;
        }
        if version > 3 {
            contents.pending = reader.option(PendingDevice::read)?;
            contents.known_devices = reader.option(|reader| {
                let count = reader.count(MAX_DEVICES)?;
                (0..count).map(|_| ServerId::read(reader)).collect()
            })?;
        }
        reader.end()?;
        Ok(contents)
    }

    fn position(&self, id: AccountId) -> Result<usize, UnknownAccount> {
        self.accounts.iter().position(|account| account.id == id).ok_or(UnknownAccount)
    }
}

/// Count (u16), accounts.
pub(crate) fn write_accounts(writer: &mut Writer, accounts: &[Account]) {
    writer.count(accounts.len());
    for account in accounts {
        account.write(writer);
    }
}

pub(crate) fn read_accounts(reader: &mut Reader<'_>) -> Result<Vec<Account>, Malformed> {
    let mut accounts: Vec<Account> = Vec::new();
    for _ in 0..reader.count(MAX_ACCOUNTS)? {
        let account = Account::read(reader)?;
        if accounts.iter().any(|known| known.id == account.id) {
            return Err(Malformed);
        }
        accounts.push(account);
    }
    Ok(accounts)
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::account::OtherAccount;
    use crate::backup::BackupKey;
    use crate::history;
    use crate::lock::Vault;
    use crate::sample::{self, NOW};

    fn names(contents: &Contents) -> Vec<&str> {
        contents.accounts().iter().map(|account| account.name.as_str()).collect()
    }

    fn three(random: &mut Random<'_>) -> (Contents, Vec<AccountId>) {
        let mut contents = Contents::default();
        let ids = ["Ada", "Berta", "Cora"].map(|name| contents.add(sample::other(name, random), NOW).unwrap());
        (contents, ids.to_vec())
    }

    #[test]
    fn accounts_move_and_are_renamed() {
        let random = &mut sample::random();
        let (mut contents, ids) = three(random);
        contents.move_to(ids[0], 1).unwrap();
        assert_eq!(names(&contents), ["Berta", "Ada", "Cora"]);
        contents.move_to(ids[1], 99).unwrap();
        assert_eq!(names(&contents), ["Ada", "Cora", "Berta"]);
        contents.rename(ids[2], Line::default(), Name::parse("Dora").unwrap()).unwrap();
        assert_eq!(names(&contents), ["Ada", "Dora", "Berta"]);
        let unknown = AccountId::random(random);
        assert_eq!(contents.move_to(unknown, 0), Err(UnknownAccount));
        assert_eq!(contents.remove(unknown, NOW), Err(UnknownAccount));
        assert_eq!(contents.rename(unknown, Line::default(), Name::parse("x").unwrap()), Err(UnknownAccount));
    }

    #[test]
    fn a_removed_account_comes_back_at_its_place() {
        let random = &mut sample::random();
        let (mut contents, ids) = three(random);
        let before = contents.clone();
        let removed = contents.remove(ids[1], NOW).unwrap();
        assert_eq!(removed.account().name.as_str(), "Berta");
        assert_eq!(names(&contents), ["Ada", "Cora"]);
        assert_ne!(contents.history, before.history);
        assert_eq!(contents.undo(removed.clone(), NOW), Ok(ids[1]));
        assert_eq!(contents.accounts(), before.accounts());
        assert_eq!(contents.undo(removed.clone(), NOW), Err(NotAdded::Known(ids[1])));
        for id in ids {
            contents.remove(id, NOW).unwrap();
        }
        contents.undo(removed, NOW).unwrap();
        assert_eq!(names(&contents), ["Berta"], "its place is gone, so it is the last");
    }

    #[test]
    fn a_search_looks_for_every_word_in_issuer_and_name() {
        let random = &mut sample::random();
        let (mut contents, ids) = three(random);
        contents.rename(ids[1], Line::parse("Élan Bank").unwrap(), Name::parse("Berta").unwrap()).unwrap();
        let found = |text: &str| contents.search(text).map(|account| account.name.as_str()).collect::<Vec<_>>();
        assert_eq!(found(" "), ["Ada", "Berta", "Cora"]);
        assert_eq!(found("A"), ["Ada", "Berta", "Cora"]);
        assert_eq!(found("bank BER"), ["Berta"]);
        assert_eq!(found("éLAN"), ["Berta"]);
        assert!(found("bank cora").is_empty());
    }

    #[test]
    fn one_key_is_there_once_whatever_it_is_called() {
        let random = &mut sample::random();
        let (mut contents, ids) = three(random);
        let known = contents.accounts()[0].clone();
        let again = |name: &str, parameters| {
            OtherAccount::new(Line::default(), Name::parse(name).unwrap(), known.key().clone(), parameters).unwrap()
        };
        let same = Account::other(again("Another", known.parameters()), random);
        assert_eq!(contents.add(same, NOW), Err(NotAdded::Known(ids[0])));
        let eight = Parameters { digits: 8, ..known.parameters() };
        assert!(contents.add(Account::other(again("Eight digits", eight), random), NOW).is_ok());
    }

    #[test]
    fn no_id_is_there_twice() {
        let random = &mut sample::random();
        let (mut contents, ids) = three(random);
        let mut again = sample::other("Dora", random);
        again.id = ids[1];
        assert_eq!(contents.add(again, NOW), Err(NotAdded::Known(ids[1])));
    }

    #[test]
    fn there_is_an_end_and_the_longest_contents_fit_in_a_file() {
        let random = &mut sample::random();
        let mut contents = Contents::default();
        for _ in 0..MAX_ACCOUNTS {
            contents.add(sample::long(random), NOW).unwrap();
        }
        assert_eq!(contents.add(sample::other("x", random), NOW), Err(NotAdded::Full));
        let (vault, _) = Vault::create(&contents, sample::kdf(), &Key::new([1; 32]), random);
        let mut vault = Vault::parse(&vault.to_bytes()).unwrap();
        let counted = vault.count_try().unwrap();
        assert_eq!(vault.open_by_pin(counted, &Key::new([1; 32])).unwrap().1, contents);
    }

    #[test]
    fn practice_accounts_go_with_their_factors() {
        let random = &mut sample::random();
        let mut contents = sample::device_of("f1", random);
        contents.add(sample::other("Ada", random), NOW).unwrap();
        let factor = |text: &str| ServerId::parse(text).unwrap();
        assert_eq!(contents.keep_factors(&[factor("f1"), factor("f2")]), 0);
        assert_eq!(contents.keep_factors(&[factor("f2")]), 1);
        assert_eq!(names(&contents), ["Ada"]);
    }

    #[test]
    fn a_merge_adds_what_is_new_and_leaves_what_is_there() {
        let random = &mut sample::random();
        let (mut here, ids) = three(random);
        let mut there = here.clone();
        there.rename(ids[0], Line::default(), Name::parse("Ada elsewhere").unwrap()).unwrap();
        there.move_to(ids[2], 0).unwrap();
        there.add(sample::other("Dora", random), NOW).unwrap();
        there.remove(ids[1], NOW).unwrap();
        let merged = here.import(&Snapshot::of(&there), NOW, random).unwrap();
        assert_eq!(merged, Merged { added: 1, known: 2, only_here: 1, ..Merged::default() });
        assert_eq!(names(&here), ["Ada", "Berta", "Cora", "Dora"]);
        let again = here.import(&Snapshot::of(&there), NOW, random).unwrap();
        assert_eq!(again, Merged { known: 3, only_here: 1, ..Merged::default() });
    }

    #[test]
    fn an_unarranged_list_takes_order_and_names_from_the_snapshot() {
        let random = &mut sample::random();
        let mut there = sample::device_of("f1", random);
        let id = there.accounts()[0].id;
        there.add(sample::other("Ada", random), NOW).unwrap();
        there.move_to(id, 1).unwrap();
        there.rename(id, Line::parse("My practice").unwrap(), Name::parse("me").unwrap()).unwrap();
        let mut here = sample::device_of("f2", random);
        here.import(&Snapshot::of(&there), NOW, random).unwrap();
        assert_eq!(names(&here), ["Ada", "me"]);
        assert_eq!(here.accounts()[1].issuer.as_str(), "My practice");

        let mut elsewhere = Contents::default();
        let merged = elsewhere.import(&Snapshot::of(&there), NOW, random).unwrap();
        assert_eq!(merged, Merged { added: 1, elsewhere: 1, ..Merged::default() });
        assert_eq!(names(&elsewhere), ["Ada"]);
    }

    #[test]
    fn what_was_deleted_comes_back_by_hand_and_not_by_a_backup() {
        let random = &mut sample::random();
        let (mut here, ids) = three(random);
        let there = Snapshot::of(&here);
        let berta = here.find(ids[1]).unwrap().clone();
        here.remove(ids[1], NOW).unwrap();
        assert_eq!(here.take_in(&there, NOW, random).unwrap(), Merged { known: 2, ..Merged::default() });
        assert_eq!(names(&here), ["Ada", "Cora"]);
        let mut later = here.clone();
        later.take_in(&there, NOW + history::LIFE * 2, random).unwrap();
        assert_eq!(names(&later), ["Ada", "Cora", "Berta"], "nothing is remembered for ever");
        // A file that somebody imports is somebody's will.
        here.import(&there, NOW, random).unwrap();
        assert_eq!(names(&here), ["Ada", "Cora", "Berta"]);
        let id = here.accounts()[2].id;
        here.remove(id, NOW).unwrap();
        here.add(berta, NOW).unwrap();
        here.take_in(&there, NOW, random).unwrap();
        assert_eq!(names(&here), ["Ada", "Cora", "Berta"], "so is a key that is typed again");
    }

    #[test]
    fn a_file_that_is_imported_outlives_a_deletion_elsewhere() {
        let random = &mut sample::random();
        let (mut here, ids) = three(random);
        let mut there = here.clone();
        there.remove(ids[1], NOW).unwrap();
        let file = Snapshot::of(&here).for_a_file();
        assert_eq!(here.import(&file, NOW + Duration::from_secs(1), random).unwrap().known, 3);
        here.take_in(&Snapshot::of(&there), NOW + Duration::from_secs(2), random).unwrap();
        assert_eq!(names(&here), ["Ada", "Berta", "Cora"]);
    }

    #[test]
    fn a_practice_account_leaves_no_trace() {
        let random = &mut sample::random();
        let mut contents = sample::device(random);
        let id = contents.accounts()[0].id;
        contents.remove(id, NOW).unwrap();
        assert_eq!(contents.history, History::default());
    }

    #[test]
    fn vaults_of_older_versions_are_read() {
        let random = &mut sample::random();
        let mut contents = sample::device(random);
        let [ada, berta] = ["Ada", "Berta"].map(|name| contents.insert(1, sample::other(name, random)).unwrap());
        let now = contents.encode();
        // No pending device and no known ones, which version 3 does not write; no history and no time, nor does version 1.
        let (before, rest) = now.split_at(now.len() - 5);
        assert_eq!(rest, [0, 0, 0, 0, 0]);
        assert_eq!(Contents::decode(&[&[3], &now[1..now.len() - 2]].concat()), Ok(contents.clone()));
        assert_eq!(Contents::decode(&[&[1], &before[1..]].concat()), Ok(contents.clone()));
        assert_eq!(Contents::decode(&[&[1], &now[1..]].concat()), Err(Malformed));
        assert_eq!(Contents::decode(&[&[VERSION + 1], &now[1..]].concat()), Err(Malformed));

        // Version 2 has deletions in any order, without an act before each.
        let there = Snapshot::of(&contents);
        for (id, at) in [(ada, NOW), (berta, NOW + Duration::from_secs(1))] {
            contents.remove(id, at).unwrap();
        }
        let now = contents.encode();
        let (before, rest) = now[..now.len() - 2].split_at(now.len() - 2 * 41 - 5);
        let (count, records) = rest.split_at(2);
        assert_eq!((count, records[0], records[41], records[82]), ([0, 2].as_slice(), 0, 0, 0));
        let second = [&[2], &before[1..], count, &records[42..82], &records[1..41], &[0]].concat();
        let mut read = Contents::decode(&second).unwrap();
        assert_eq!(read, contents);
        read.take_in(&there, NOW, random).unwrap();
        assert_eq!(read.accounts().len(), 1);
    }

    #[test]
    fn the_backup_password_is_asked_for_a_month_after_it_was_typed() {
        let random = &mut sample::random();
        let mut contents = sample::device(random);
        assert!(!contents.asks_for_password(NOW), "there is no backup");
        let token_account = contents.token_account.clone().unwrap();
        contents.switch_backup_on(BackupKey::create(token_account, sample::kdf(), &Key::new([1; 32]), random));
        assert!(contents.asks_for_password(NOW), "nobody knows when it was typed");
        contents.password_typed(NOW);
        let moment = Duration::from_millis(1);
        assert!(!contents.asks_for_password(NOW));
        assert!(!contents.asks_for_password(NOW + ASK_AFTER.saturating_sub(moment)));
        assert!(contents.asks_for_password(NOW + ASK_AFTER));
        let later = NOW + ASK_AFTER;
        contents.put_off(later);
        assert!(!contents.asks_for_password(later + ASK_AGAIN_AFTER.saturating_sub(moment)));
        assert!(contents.asks_for_password(later + ASK_AGAIN_AFTER));
        contents.password_typed(later);
        assert_eq!(Contents::decode(&contents.encode()), Ok(contents.clone()));
        contents.switch_backup_off();
        assert!(!contents.asks_for_password(later + ASK_AFTER));
    }

    #[test]
    fn a_clock_that_was_ahead_puts_the_question_off_for_no_longer_than_a_right_one() {
        let random = &mut sample::random();
        let mut contents = sample::device(random);
        let token_account = contents.token_account.clone().unwrap();
        contents.switch_backup_on(BackupKey::create(token_account, sample::kdf(), &Key::new([1; 32]), random));
        contents.password_typed(NOW + Duration::from_hours(1));
        assert!(contents.asks_for_password(NOW));
    }

    #[test]
    fn device_keys_are_32_bytes_and_not_shown() {
        let key = DeviceKey::parse(&"A".repeat(43)).unwrap();
        assert_eq!(key.expose().as_str(), "A".repeat(43));
        assert_eq!(format!("{key:?}"), "DeviceKey(…)");
        for raw in ["", "A", "A".repeat(44).as_str(), "!".repeat(43).as_str()] {
            assert_eq!(DeviceKey::parse(raw), Err(InvalidDeviceKey), "{raw:?}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        let random = &mut sample::random();
        let contents = sample::device(random);
        let shown = format!("{contents:?} {:?}", Snapshot::of(&contents));
        let secret = contents.accounts()[0].key();
        assert!(!shown.contains(&secret.expose_base32()));
        assert!(!shown.contains(&format!("{:?}", secret.expose_bytes())));
    }

    #[test]
    fn locking_has_its_range() {
        assert_eq!(AutoLock::default().minutes(), 5);
        assert_eq!(AutoLock::after_minutes(60).unwrap().duration(), Duration::from_hours(1));
        assert_eq!((AutoLock::after_minutes(0), AutoLock::after_minutes(61)), (None, None));
    }

    proptest! {
        #[test]
        fn contents_read_back(contents in sample::contents()) {
            prop_assert_eq!(Contents::decode(&contents.encode()), Ok(contents));
        }

        #[test]
        fn an_encoding_that_is_cut_or_goes_on_is_refused(
            contents in sample::contents(),
            cut in any::<proptest::sample::Index>(),
        ) {
            let bytes = contents.encode();
            prop_assert_eq!(Contents::decode(&bytes[..cut.index(bytes.len())]), Err(Malformed));
            prop_assert_eq!(Contents::decode(&[bytes.as_slice(), &[0]].concat()), Err(Malformed));
        }

        #[test]
        fn what_is_read_is_what_would_be_written(
            contents in sample::contents(),
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
        ) {
            let mut bytes = contents.encode().to_vec();
            let index = at.index(bytes.len());
            bytes[index] = byte;
            // An older version is written as this one.
            prop_assume!(bytes[0] == VERSION);
            // A changed byte may give other contents, never a second way to write the same ones.
            if let Ok(read) = Contents::decode(&bytes) {
                let written = read.encode().to_vec();
                prop_assert_eq!(written, bytes);
            }
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Contents::decode(&bytes);
        }

        #[test]
        fn no_backup_brings_back_what_was_deleted_unless_it_is_undone(
            contents in sample::contents(),
            deleted in proptest::collection::vec(any::<(proptest::sample::Index, bool)>(), 0..8),
            days in 0_u32..400,
        ) {
            let there = Snapshot::of(&contents);
            let mut here = contents.clone();
            let mut stay_away = Vec::new();
            for (which, is_undone) in deleted {
                if here.accounts().is_empty() {
                    break;
                }
                let account = here.accounts()[which.index(here.accounts().len())].clone();
                let removed = here.remove(account.id, NOW).unwrap();
                if is_undone {
                    here.undo(removed, NOW).unwrap();
                } else if !account.is_practice() {
                    stay_away.push(account);
                }
            }
            here = Contents::decode(&here.encode()).unwrap();
            let kept = here.accounts().to_vec();
            let later = NOW + Duration::from_hours(24) * days;
            here.take_in(&there, later, &mut sample::random()).unwrap();
            prop_assert!(kept.iter().all(|account| here.accounts().contains(account)));
            for account in stay_away {
                let is_back = here.same(account.key(), account.parameters()).is_some();
                prop_assert_eq!(is_back, later.since(NOW) > history::LIFE);
            }
        }

        #[test]
        fn a_merge_of_anything_keeps_ids_and_keys_apart(
            mut here in sample::contents(),
            there in sample::contents(),
        ) {
            let before: Vec<_> = here.accounts().iter().map(|account| account.key().clone()).collect();
            here.import(&Snapshot::of(&there), NOW, &mut sample::random()).unwrap();
            for (index, account) in here.accounts().iter().enumerate() {
                for other in &here.accounts()[..index] {
                    prop_assert!(account.id != other.id);
                    prop_assert!(account.key() != other.key() || account.parameters() != other.parameters());
                }
            }
            prop_assert!(before.iter().all(|key| here.accounts().iter().any(|account| account.key() == key)));
        }
    }
}
