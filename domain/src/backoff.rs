//! Wrong passwords slow sign-in down; they lock nobody out (requirements.md PW-9).

use core::time::Duration;

use crate::time::Timestamp;

/// Who is slowed down, and from which failure on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// Failures that cost nothing: people mistype.
    free: u32,
    /// After this time without a failure all is forgotten.
    memory: Duration,
}

/// The longest delay.
const LONGEST: Duration = Duration::from_mins(15);

/// For one account, or one name that no account has.
pub const ACCOUNT: Backoff = Backoff { free: 5, memory: Duration::from_hours(24) };
/// For one network address; a whole clinic may stand behind it.
pub const ADDRESS: Backoff = Backoff { free: 100, memory: Duration::from_hours(1) };

/// What is remembered of failures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many in a row.
    pub count: u32,
    /// When the last one was.
    pub last_at: Timestamp,
}

impl Backoff {
    /// When the next password is evaluated; not later than `now` means at once.
    ///
    /// Tries before that time are not evaluated and do not extend it.
    #[must_use]
    pub fn next_try_at(self, failures: Failures, now: Timestamp) -> Timestamp {
        let counted = self.remembered(failures, now);
        if counted <= self.free {
            return now;
        }
        let doublings = (counted - self.free - 1).min(10);
        failures.last_at + Duration::from_secs(1 << doublings).min(LONGEST)
    }

    /// What to remember after a failure at `now`.
    #[must_use]
    pub fn fail(self, failures: Failures, now: Timestamp) -> Failures {
        Failures { count: self.remembered(failures, now).saturating_add(1), last_at: now }
    }

    fn remembered(self, failures: Failures, now: Timestamp) -> u32 {
        if now.since(failures.last_at) < self.memory { failures.count } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    fn after(count: u32) -> Duration {
        ACCOUNT.next_try_at(Failures { count, last_at: START }, START).since(START)
    }

    #[test]
    fn the_delay_doubles_from_one_second_to_fifteen_minutes() {
        let seconds: Vec<u64> = [5, 6, 7, 8, 15, 16, 100].map(|count| after(count).as_secs()).to_vec();
        assert_eq!(seconds, [0, 1, 2, 4, 512, 900, 900]);
    }

    #[test]
    fn a_quiet_day_forgets_everything() {
        let failures = Failures { count: 50, last_at: START };
        let tomorrow = START + Duration::from_hours(24);
        assert_eq!(ACCOUNT.next_try_at(failures, tomorrow), tomorrow);
        assert_eq!(ACCOUNT.fail(failures, tomorrow).count, 1);
    }

    proptest! {
        #[test]
        fn more_failures_never_mean_a_shorter_delay(count in 0_u32..u32::MAX) {
            prop_assert!(after(count) <= after(count.saturating_add(1)));
            prop_assert!(after(count) <= LONGEST);
        }
    }
}
