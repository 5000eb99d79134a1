//! A factor being set up: pending, then confirmed; only a confirmed factor counts.

use core::time::Duration;

use crate::time::Timestamp;

/// A pending enrolment ends after this time (SP 800-63B-4 §4.1.2.2).
pub const LIFE: Duration = Duration::from_mins(10);

/// The state of one enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Enrolment {
    /// The secret or the number is known to both sides, and nothing counts yet.
    Pending {
        /// When it ends by itself.
        expires_at: Timestamp,
    },
    /// Proven once; the factor counts from here on.
    Confirmed {
        /// When it was proven.
        confirmed_at: Timestamp,
    },
    /// Left half-way, or replaced by a newer one. Nothing has changed.
    Abandoned,
}

/// The enrolment is not in a state for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this set-up has ended; start again")]
pub struct InvalidTransition;

impl Enrolment {
    /// A new enrolment.
    #[must_use]
    pub fn start(now: Timestamp) -> Self {
        Self::Pending { expires_at: now + LIFE }
    }

    /// The state at `now`: a pending one that has run out is abandoned.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        match self {
            Self::Pending { expires_at } if now >= expires_at => Self::Abandoned,
            other => other,
        }
    }

    /// A right token arrived.
    ///
    /// # Errors
    /// [`InvalidTransition`] unless it is pending at `now`.
    pub fn confirm(self, now: Timestamp) -> Result<Self, InvalidTransition> {
        match self.at(now) {
            Self::Pending { .. } => Ok(Self::Confirmed { confirmed_at: now }),
            Self::Confirmed { .. } | Self::Abandoned => Err(InvalidTransition),
        }
    }

    /// The person cancels, or starts another one.
    ///
    /// # Errors
    /// [`InvalidTransition`] if the factor is confirmed: that is removed, not abandoned.
    pub fn abandon(self) -> Result<Self, InvalidTransition> {
        match self {
            Self::Pending { .. } | Self::Abandoned => Ok(Self::Abandoned),
            Self::Confirmed { .. } => Err(InvalidTransition),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn only_a_pending_enrolment_in_time_is_confirmed() {
        let pending = Enrolment::start(START);
        let last = START + LIFE - Duration::from_millis(1);
        assert_eq!(pending.confirm(last), Ok(Enrolment::Confirmed { confirmed_at: last }));
        assert_eq!(pending.confirm(START + LIFE), Err(InvalidTransition));
        assert_eq!(Enrolment::Abandoned.confirm(START), Err(InvalidTransition));
    }

    #[test]
    fn a_confirmed_factor_is_neither_confirmed_again_nor_abandoned() {
        let confirmed = Enrolment::start(START).confirm(START).unwrap();
        assert_eq!(confirmed.confirm(START), Err(InvalidTransition));
        assert_eq!(confirmed.abandon(), Err(InvalidTransition));
        assert_eq!(confirmed.at(START + LIFE + LIFE), confirmed);
    }

    proptest! {
        #[test]
        fn no_sequence_confirms_twice_or_after_the_end(steps in proptest::collection::vec((0_u8..3, 0_u64..400), 0..12)) {
            let (mut state, mut now, mut confirmations) = (Enrolment::start(START), START, 0);
            for (step, wait) in steps {
                now = now + Duration::from_secs(wait);
                let moved = match step {
                    0 => state.confirm(now),
                    1 => state.abandon(),
                    _ => Ok(state.at(now)),
                };
                if let Ok(next) = moved {
                    if matches!((state, next), (Enrolment::Pending { .. }, Enrolment::Confirmed { .. })) {
                        confirmations += 1;
                        prop_assert!(now < START + LIFE);
                    }
                    state = next;
                }
            }
            prop_assert!(confirmations <= 1);
        }
    }
}
