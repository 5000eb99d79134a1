//! The failure budget of an account, over every factor and every place that checks one (requirements.md D1).
//!
//! A lock is not stored: it follows from when tokens failed, so nothing can clear it, and a restart changes nothing.

use core::time::Duration;

use crate::time::Timestamp;

/// Failures in [`SHORT_WINDOW`] that lock token checks for [`SHORT_LOCK`].
pub const MAX_IN_SHORT_WINDOW: usize = 10;
/// The short window.
pub const SHORT_WINDOW: Duration = Duration::from_mins(30);
/// How long the short lock lasts, from the failure that caused it.
pub const SHORT_LOCK: Duration = Duration::from_mins(30);
/// Failures in [`LONG_WINDOW`] that lock token checks until fewer lie in it.
pub const MAX_IN_LONG_WINDOW: usize = 20;
/// The long, rolling window; successes do not clear it.
pub const LONG_WINDOW: Duration = Duration::from_hours(24);
/// Failures without a success between that disable every factor tried in that run (SP 800-63B-4 §3.2.2).
pub const MAX_CONSECUTIVE: u32 = 100;

/// Whether tokens of an account are checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lockout {
    /// They are.
    Open,
    /// They are refused unevaluated, right or wrong.
    Locked {
        /// The first moment at which they are checked again.
        until: Timestamp,
    },
}

impl Lockout {
    /// What the failures lead to at `now`.
    ///
    /// `latest_first` are the times of the account's failed tokens, newest first; the newest
    /// [`MAX_IN_LONG_WINDOW`] suffice.
    #[must_use]
    pub fn of(latest_first: &[Timestamp], now: Timestamp) -> Self {
        let until = [short_lock(latest_first), long_lock(latest_first)].into_iter().flatten().max();
        match until {
            Some(until) if now < until => Self::Locked { until },
            _ => Self::Open,
        }
    }
}

/// The end of the lock that the newest failure caused by being the tenth in half an hour.
fn short_lock(latest_first: &[Timestamp]) -> Option<Timestamp> {
    let newest = *latest_first.first()?;
    let tenth = *latest_first.get(MAX_IN_SHORT_WINDOW - 1)?;
    (newest.since(tenth) < SHORT_WINDOW).then_some(newest + SHORT_LOCK)
}

/// The moment at which the twentieth newest failure leaves the long window.
fn long_lock(latest_first: &[Timestamp]) -> Option<Timestamp> {
    latest_first.get(MAX_IN_LONG_WINDOW - 1).map(|twentieth| *twentieth + LONG_WINDOW)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    /// Tries a wrong token at each time and returns those that were evaluated.
    fn evaluated(times: impl IntoIterator<Item = Timestamp>) -> Vec<Timestamp> {
        let mut failures: Vec<Timestamp> = Vec::new();
        for now in times {
            if Lockout::of(&failures, now) == Lockout::Open {
                failures.insert(0, now);
            }
        }
        failures
    }

    fn minutes(n: u64) -> Timestamp {
        START + Duration::from_secs(n * 60)
    }

    #[test]
    fn the_tenth_failure_in_half_an_hour_locks_for_half_an_hour() {
        let failures = evaluated((0..10).map(minutes));
        assert_eq!(failures.len(), 10);
        let until = minutes(9) + SHORT_LOCK;
        assert_eq!(Lockout::of(&failures, minutes(9)), Lockout::Locked { until });
        assert_eq!(Lockout::of(&failures, until - Duration::from_millis(1)), Lockout::Locked { until });
        assert_eq!(Lockout::of(&failures, until), Lockout::Open);
    }

    #[test]
    fn one_failure_after_the_lock_does_not_lock_again() {
        let failures = evaluated((0..10).map(minutes).chain([minutes(40)]));
        assert_eq!(failures.len(), 11);
        assert_eq!(Lockout::of(&failures, minutes(41)), Lockout::Open);
    }

    #[test]
    fn twenty_failures_in_a_day_lock_until_the_first_is_a_day_old() {
        let failures = evaluated((0..20).map(|n| minutes(n * 60)));
        assert_eq!(failures.len(), 20);
        let until = START + LONG_WINDOW;
        assert_eq!(Lockout::of(&failures, minutes(20 * 60)), Lockout::Locked { until });
        assert_eq!(Lockout::of(&failures, until), Lockout::Open);
    }

    proptest! {
        #[test]
        fn no_patience_gets_more_than_the_budget(waits in proptest::collection::vec(0_u64..40, 0..300)) {
            let mut now = START;
            let times: Vec<_> = waits.into_iter().map(|wait| { now = now + Duration::from_secs(wait * 60); now }).collect();
            let failures = evaluated(times);
            for (index, at) in failures.iter().enumerate() {
                let within = |window| failures[index..].iter().filter(|earlier| at.since(**earlier) < window).count();
                prop_assert!(within(SHORT_WINDOW) <= MAX_IN_SHORT_WINDOW);
                prop_assert!(within(LONG_WINDOW) <= MAX_IN_LONG_WINDOW);
            }
        }
    }
}
