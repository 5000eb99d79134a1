//! The pending sign-in: what a right password opens and a right token closes.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A challenge lives this long at most (SP 800-63B-4 §3.1.3.2).
pub const LIFE: Duration = Duration::from_mins(10);
/// The wrong token that ends it.
pub const MAX_FAILURES: u32 = 5;

/// The state of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Challenge {
    /// It waits for a token.
    Open {
        /// When it ends by itself.
        expires_at: Timestamp,
        /// Tokens that were tried and not right.
        failures: u32,
    },
    /// It takes no token any more.
    Over(Over),
}

/// Why a challenge is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Over {
    /// A right token opened a session.
    Passed,
    /// [`MAX_FAILURES`] wrong tokens.
    TooManyTokens,
    /// [`LIFE`] has passed.
    Expired,
    /// The person cancelled or logged out, or the account changed.
    Cancelled,
}

impl Over {
    const ALL: [Self; 4] = [Self::Passed, Self::TooManyTokens, Self::Expired, Self::Cancelled];

    /// The name in the database and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::TooManyTokens => "too-many-tokens",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|over| over.name() == name)
    }
}

impl Challenge {
    /// A new challenge.
    #[must_use]
    pub fn open(now: Timestamp) -> Self {
        Self::Open { expires_at: now + LIFE, failures: 0 }
    }

    /// The state at `now`: an open one that has run out is over.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        match self {
            Self::Open { expires_at, .. } if now >= expires_at => Self::Over(Over::Expired),
            other => other,
        }
    }

    /// A token is about to be checked; it counts as wrong until it proves right. The fifth leaves the challenge over,
    /// but may itself still [`pass`](Self::pass).
    ///
    /// # Errors
    /// Why it is [`Over`].
    pub fn count_attempt(self, now: Timestamp) -> Result<Self, Over> {
        match self.at(now) {
            Self::Over(over) => Err(over),
            Self::Open { expires_at, failures } if failures + 1 < MAX_FAILURES => {
                Ok(Self::Open { expires_at, failures: failures + 1 })
            }
            Self::Open { .. } => Ok(Self::Over(Over::TooManyTokens)),
        }
    }

    /// The counted token was right.
    ///
    /// # Errors
    /// Why it is [`Over`], except that the last attempt may pass.
    pub fn pass(self, now: Timestamp) -> Result<Self, Over> {
        match self.at(now) {
            Self::Open { .. } | Self::Over(Over::TooManyTokens) => Ok(Self::Over(Over::Passed)),
            Self::Over(over) => Err(over),
        }
    }

    /// Tokens that may still be tried at `now`.
    #[must_use]
    pub fn tries_left(self, now: Timestamp) -> u32 {
        match self.at(now) {
            Self::Open { failures, .. } => MAX_FAILURES.saturating_sub(failures),
            Self::Over(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn five_wrong_tokens_end_it_and_the_sixth_is_not_tried() {
        let mut challenge = Challenge::open(START);
        for left in (0..MAX_FAILURES).rev() {
            challenge = challenge.count_attempt(START).unwrap();
            assert_eq!(challenge.tries_left(START), left);
        }
        assert_eq!(challenge.count_attempt(START), Err(Over::TooManyTokens));
    }

    #[test]
    fn the_fifth_token_may_be_right() {
        let mut challenge = Challenge::open(START);
        for _ in 0..MAX_FAILURES {
            challenge = challenge.count_attempt(START).unwrap();
        }
        assert_eq!(challenge.pass(START), Ok(Challenge::Over(Over::Passed)));
    }

    #[test]
    fn it_ends_after_ten_minutes() {
        let challenge = Challenge::open(START);
        assert!(challenge.count_attempt(START + LIFE - Duration::from_millis(1)).is_ok());
        assert_eq!(challenge.count_attempt(START + LIFE), Err(Over::Expired));
        assert_eq!(challenge.pass(START + LIFE), Err(Over::Expired));
    }

    proptest! {
        #[test]
        fn it_passes_once_and_never_tries_more_than_five(tokens in proptest::collection::vec((any::<bool>(), 0_u64..120), 0..20)) {
            let (mut state, mut now, mut tried, mut passed) = (Challenge::open(START), START, 0, 0);
            for (right, wait) in tokens {
                now = now + Duration::from_secs(wait);
                let Ok(counted) = state.count_attempt(now) else { continue };
                tried += 1;
                state = counted;
                if right && let Ok(closed) = counted.pass(now) {
                    passed += 1;
                    state = closed;
                }
            }
            prop_assert!(tried <= MAX_FAILURES && passed <= 1 && now >= START);
        }
    }
}
