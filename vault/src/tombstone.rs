//! What was deleted on this device, so that the backup of another one does not bring it back.

use core::time::Duration;

use domain::Timestamp;
use domain::totp::{Parameters, Secret};

use crate::account::{Account, tokens_digest};
use crate::bytes::{Malformed, Reader, Writer};
use crate::contents::MAX_ACCOUNTS;

/// How long a deletion is remembered. A device that was away for longer may bring the account back.
pub const LIFE: Duration = Duration::from_hours(180 * 24);
/// As many deletions are remembered; the oldest are forgotten first.
pub const MAX: usize = MAX_ACCOUNTS;

/// A deletion. It names the account by a digest of its key and parameters, for ids differ from device to device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Tombstone {
    tokens: [u8; 32],
    at: Timestamp,
}

/// The deletions that are remembered, oldest first, each account once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tombstones(Vec<Tombstone>);

impl Tombstones {
    /// Remembers a deletion, and forgets what has been remembered for long enough.
    pub(crate) fn bury(&mut self, account: &Account, now: Timestamp) {
        let tokens = tokens_digest(account.key(), account.parameters());
        self.0.retain(|tombstone| tombstone.tokens != tokens && tombstone.holds(now));
        if self.0.len() >= MAX {
            self.0.remove(0);
        }
        self.0.push(Tombstone { tokens, at: now });
    }

    /// Forgets that an account was deleted, for it is here again.
    pub(crate) fn raise(&mut self, account: &Account) {
        if !self.0.is_empty() {
            let tokens = tokens_digest(account.key(), account.parameters());
            self.0.retain(|tombstone| tombstone.tokens != tokens);
        }
    }

    /// Whether an account with this key was deleted here.
    pub(crate) fn hold(&self, key: &Secret, parameters: Parameters, now: Timestamp) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let tokens = tokens_digest(key, parameters);
        self.0.iter().any(|tombstone| tombstone.tokens == tokens && tombstone.holds(now))
    }

    /// Count (u16), then for each digest (32) and time in milliseconds (i64).
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.count(self.0.len());
        for tombstone in &self.0 {
            writer.fixed(&tombstone.tokens);
            writer.i64(tombstone.at.millis());
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let read = |reader: &mut Reader<'_>| {
            Ok(Tombstone { tokens: reader.array()?, at: Timestamp::from_millis(reader.i64()?) })
        };
        (0..reader.count(MAX)?).map(|_| read(reader)).collect::<Result<_, _>>().map(Self)
    }
}

impl Tombstone {
    fn holds(&self, now: Timestamp) -> bool {
        now.since(self.at) < LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn holds(tombstones: &Tombstones, account: &Account, now: Timestamp) -> bool {
        tombstones.hold(account.key(), account.parameters(), now)
    }

    #[test]
    fn a_deletion_is_remembered_for_its_life_and_an_account_once() {
        let random = &mut sample::random();
        let (ada, berta) = (sample::other("Ada", random), sample::other("Berta", random));
        let mut tombstones = Tombstones::default();
        tombstones.bury(&ada, START);
        assert!(holds(&tombstones, &ada, START + LIFE.saturating_sub(Duration::from_millis(1))));
        assert!(!holds(&tombstones, &ada, START + LIFE));
        assert!(!holds(&tombstones, &berta, START));
        let before = Timestamp::from_seconds(0);
        assert!(holds(&tombstones, &ada, before), "a clock that goes back forgets nothing");
        tombstones.bury(&ada, START + LIFE / 2);
        assert_eq!(tombstones.0.len(), 1);
        assert!(holds(&tombstones, &ada, START + LIFE));
        tombstones.bury(&berta, START + LIFE * 2);
        assert_eq!(tombstones.0.len(), 1, "what is over makes room");
        tombstones.raise(&berta);
        assert_eq!(tombstones, Tombstones::default());
    }

    #[test]
    fn of_too_many_the_oldest_is_forgotten() {
        let random = &mut sample::random();
        let accounts: Vec<_> = (0..=MAX).map(|_| sample::other("Ada", random)).collect();
        let mut tombstones = Tombstones::default();
        for account in &accounts {
            tombstones.bury(account, START);
        }
        assert_eq!(tombstones.0.len(), MAX);
        assert!(!holds(&tombstones, &accounts[0], START));
        assert!(accounts[1..].iter().all(|account| holds(&tombstones, account, START)));
    }
}
