//! What was done last with each account: added or deleted. It travels in the backup, so that what was deleted on one
//! device goes from the others too, and what was added again afterwards stays.
//!
//! Of two devices that did different things with one account, the later has the last word: a set whose last writer wins.
//! So devices agree after they have seen the same backups, in whichever order.

use core::time::Duration;

use domain::Timestamp;
use domain::totp::{Parameters, Secret};

use crate::account::{Account, tokens_digest};
use crate::bytes::{Malformed, Reader, Writer};
use crate::contents::MAX_ACCOUNTS;

/// How long it is remembered. A device that was away for longer may bring a deleted account back.
pub const LIFE: Duration = Duration::from_hours(180 * 24);
/// As many accounts are remembered: a full list, and as many deletions. The oldest are forgotten first.
pub const MAX: usize = 2 * MAX_ACCOUNTS;
/// What puts a deletion behind the addition that it follows.
const MOMENT: Duration = Duration::from_millis(1);

/// What somebody did. At the same moment the addition counts: a lost key is worse than a stale line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Deleted,
    Added,
}

/// What was done last with one account, which is named by a digest of its key and parameters: ids differ from device to
/// device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Record {
    tokens: [u8; 32],
    at: Timestamp,
    act: Act,
}

impl Record {
    fn holds(&self, now: Timestamp) -> bool {
        now.since(self.at) < LIFE
    }

    fn is_after(&self, other: &Self) -> bool {
        (self.at, self.act) > (other.at, other.act)
    }
}

/// The records, oldest first, one for each account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History(Vec<Record>);

impl History {
    /// Remembers that an account was added by hand. It is not before what is known, whatever the clock says.
    pub(crate) fn add(&mut self, account: &Account, now: Timestamp) {
        let tokens = tokens_digest(account.key(), account.parameters());
        let at = self.find(tokens).map_or(now, |known| known.at.max(now));
        self.put(Record { tokens, at, act: Act::Added });
        self.forget(now);
    }

    /// Remembers that an account was deleted. It is after what is known, whatever the clock says.
    pub(crate) fn delete(&mut self, account: &Account, now: Timestamp) {
        let tokens = tokens_digest(account.key(), account.parameters());
        let at = self.find(tokens).map_or(now, |known| now.max(known.at + MOMENT));
        self.put(Record { tokens, at, act: Act::Deleted });
        self.forget(now);
    }

    /// Whether an account with this key was deleted, and not added since.
    pub(crate) fn is_deleted(&self, key: &Secret, parameters: Parameters, now: Timestamp) -> bool {
        let known = if self.0.is_empty() { None } else { self.find(tokens_digest(key, parameters)) };
        known.is_some_and(|record| record.act == Act::Deleted && record.holds(now))
    }

    /// Takes in what was done on another device.
    pub(crate) fn merge(&mut self, other: &Self, now: Timestamp) {
        for record in &other.0 {
            if self.find(record.tokens).is_none_or(|known| record.is_after(known)) {
                self.put(*record);
            }
        }
        self.forget(now);
    }

    /// Whether it says nothing that `other` does not.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.0.iter().all(|record| other.0.contains(record))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) const fn len(&self) -> usize {
        self.0.len()
    }

    fn find(&self, tokens: [u8; 32]) -> Option<&Record> {
        self.0.iter().find(|record| record.tokens == tokens)
    }

    /// Puts a record at its place, so that devices which know the same write the same bytes.
    fn put(&mut self, record: Record) {
        self.0.retain(|known| known.tokens != record.tokens);
        let place = self.0.partition_point(|known| (known.at, known.tokens) < (record.at, record.tokens));
        self.0.insert(place, record);
    }

    /// Forgets what has been remembered for long enough, and the oldest of too many.
    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|record| record.holds(now));
        self.0.drain(..self.0.len().saturating_sub(MAX));
    }

    /// Count (u16), then for each act (u8: 0 deleted, 1 added), digest (32) and time in milliseconds (i64).
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.count(self.0.len());
        for record in &self.0 {
            writer.u8(u8::from(record.act == Act::Added));
            writer.fixed(&record.tokens);
            writer.i64(record.at.millis());
        }
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut history = Self::default();
        for _ in 0..reader.count(MAX)? {
            let act = match reader.u8()? {
                0 => Act::Deleted,
                1 => Act::Added,
                _ => return Err(Malformed),
            };
            history.push(Record { act, tokens: reader.array()?, at: Timestamp::from_millis(reader.i64()?) })?;
        }
        Ok(history)
    }

    /// What version 2 of the vault remembers: deletions alone, for each digest (32) and time, in any order.
    pub(crate) fn read_deletions(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let mut history = Self::default();
        for _ in 0..reader.count(MAX_ACCOUNTS)? {
            let (tokens, at) = (reader.array()?, Timestamp::from_millis(reader.i64()?));
            history.put(Record { tokens, at, act: Act::Deleted });
        }
        Ok(history)
    }

    /// One history has one encoding, so records come in their order.
    fn push(&mut self, record: Record) -> Result<(), Malformed> {
        let is_next = self.0.last().is_none_or(|last| (last.at, last.tokens) < (record.at, record.tokens));
        if !is_next || self.find(record.tokens).is_some() {
            return Err(Malformed);
        }
        self.0.push(record);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sample;

    const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn is_deleted(history: &History, account: &Account, now: Timestamp) -> bool {
        history.is_deleted(account.key(), account.parameters(), now)
    }

    #[test]
    fn a_deletion_is_remembered_for_its_life_and_an_account_once() {
        let random = &mut sample::random();
        let (ada, berta) = (sample::other("Ada", random), sample::other("Berta", random));
        let mut history = History::default();
        history.delete(&ada, START);
        assert!(is_deleted(&history, &ada, START + LIFE.saturating_sub(MOMENT)));
        assert!(!is_deleted(&history, &ada, START + LIFE));
        assert!(!is_deleted(&history, &berta, START));
        let before = Timestamp::from_seconds(0);
        assert!(is_deleted(&history, &ada, before), "a clock that goes back forgets nothing");
        history.delete(&ada, START + LIFE / 2);
        assert_eq!(history.0.len(), 1);
        assert!(is_deleted(&history, &ada, START + LIFE));
        history.delete(&berta, START + LIFE * 2);
        assert_eq!(history.0.len(), 1, "what is over makes room");
    }

    #[test]
    fn the_last_word_counts_even_if_the_clock_went_back() {
        let random = &mut sample::random();
        let ada = sample::other("Ada", random);
        let mut history = History::default();
        for now in [START, START + MOMENT, Timestamp::from_seconds(0), START] {
            history.delete(&ada, now);
            assert!(is_deleted(&history, &ada, START));
            history.add(&ada, now);
            assert!(!is_deleted(&history, &ada, START));
        }
        assert_eq!(history.0.len(), 1);
    }

    #[test]
    fn of_too_many_the_oldest_is_forgotten() {
        let random = &mut sample::random();
        let accounts: Vec<_> = (0..=MAX).map(|_| sample::other("Ada", random)).collect();
        let mut history = History::default();
        for (account, millis) in accounts.iter().zip(0..) {
            history.delete(account, START + Duration::from_millis(millis));
        }
        assert_eq!(history.0.len(), MAX);
        assert!(!is_deleted(&history, &accounts[0], START));
        assert!(accounts[1..].iter().all(|account| is_deleted(&history, account, START)));
    }

    #[test]
    fn a_history_in_another_order_or_twice_is_malformed() {
        let random = &mut sample::random();
        let mut history = History::default();
        history.delete(&sample::other("Ada", random), START);
        history.add(&sample::other("Berta", random), START + MOMENT);
        let (first, second) = (history.0[0], history.0[1]);
        let read = |records: &[Record]| {
            let mut writer = Writer::with_capacity(256);
            History(records.to_vec()).write(&mut writer);
            History::read(&mut Reader::new(writer.as_slice()))
        };
        assert_eq!(read(&[first, second]), Ok(history.clone()));
        assert_eq!(read(&[second, first]), Err(Malformed));
        assert_eq!(read(&[first, first]), Err(Malformed));
        assert_eq!(read(&[first, Record { at: START + LIFE, ..first }]), Err(Malformed));
    }

    proptest! {
        #[test]
        fn devices_agree_whatever_the_order_in_which_they_hear_of_it(
            acts in proptest::collection::vec((0_usize..3, 0_usize..4, any::<bool>(), 0_u64..50), 0..30),
        ) {
            let random = &mut sample::random();
            let accounts: Vec<_> = (0..4).map(|_| sample::other("Ada", random)).collect();
            let mut devices = [History::default(), History::default(), History::default()];
            for (device, account, is_deletion, millis) in acts {
                let now = START + Duration::from_millis(millis);
                if is_deletion {
                    devices[device].delete(&accounts[account], now);
                } else {
                    devices[device].add(&accounts[account], now);
                }
            }
            let [a, b, c] = devices;
            let merged = |first: &History, second: &History, third: &History| {
                let mut all = first.clone();
                all.merge(second, START);
                all.merge(third, START);
                all
            };
            let all = merged(&a, &b, &c);
            prop_assert_eq!(&merged(&c, &a, &b), &all);
            prop_assert_eq!(&merged(&b, &all, &c), &all);
            prop_assert!(a.0.iter().all(|record| !record.is_after(all.find(record.tokens).unwrap())));
            prop_assert!(all.is_within(&merged(&all, &a, &a)));
        }
    }
}
