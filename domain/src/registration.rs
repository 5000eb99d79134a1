//! A device on its way to its secrets: the phone is proven, another device is asked where there is one, then it is ready.

use core::time::Duration;

use crate::message::MAX_WRONG_ENTRIES;
use crate::time::Timestamp;

/// A registration lives this long; so does each of its later steps: the question to another device, and what is ready.
pub const LIFE: Duration = Duration::from_mins(10);

/// The state of one registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registration {
    /// A code went to the phone, or would have gone if anybody had that number.
    Open {
        /// When it ends by itself.
        expires_at: Timestamp,
        /// When the code dies.
        code_expires_at: Timestamp,
        /// Codes that were typed and not right.
        entries: u32,
    },
    /// The phone is proven; an active device is asked whether the new one is welcome.
    Waiting {
        /// When the question ends by itself.
        expires_at: Timestamp,
    },
    /// The new device may have its secrets.
    Granted {
        /// When it ends by itself.
        expires_at: Timestamp,
    },
    /// An active device said no, or named a wrong number.
    Denied,
    /// Run out, replaced, or through.
    Over,
}

/// The registration is not in a state for this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this registration is over; start again")]
pub struct InvalidTransition;

impl Registration {
    /// The names of the states in the database.
    pub const OPEN: &str = "open";
    /// See [`Self::Waiting`].
    pub const WAITING: &str = "waiting";
    /// See [`Self::Granted`].
    pub const GRANTED: &str = "granted";
    /// See [`Self::Denied`].
    pub const DENIED: &str = "denied";
    /// See [`Self::Over`].
    pub const OVER: &str = "over";

    /// A new registration whose code dies at `code_expires_at`.
    #[must_use]
    pub fn open(now: Timestamp, code_expires_at: Timestamp) -> Self {
        Self::Open { expires_at: now + LIFE, code_expires_at, entries: 0 }
    }

    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open { .. } => Self::OPEN,
            Self::Waiting { .. } => Self::WAITING,
            Self::Granted { .. } => Self::GRANTED,
            Self::Denied => Self::DENIED,
            Self::Over => Self::OVER,
        }
    }

    /// The state at `now`: what has run out is over.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        match self {
            Self::Open { expires_at, .. } | Self::Waiting { expires_at } | Self::Granted { expires_at }
                if now >= expires_at =>
            {
                Self::Over
            }
            other => other,
        }
    }

    /// A code is about to be compared; it counts as wrong until it proves right. The fifth may still
    /// [`prove`](Self::prove). `None` if it must not be compared.
    #[must_use]
    pub fn count_entry(self, now: Timestamp) -> Option<Self> {
        match self.at(now) {
            Self::Open { expires_at, code_expires_at, entries }
                if now < code_expires_at && entries < MAX_WRONG_ENTRIES =>
            {
                Some(Self::Open { expires_at, code_expires_at, entries: entries + 1 })
            }
            _ => None,
        }
    }

    /// The counted code was right. Where the token account has an active device, that one is asked next.
    ///
    /// # Errors
    /// [`InvalidTransition`] unless it is open at `now`.
    pub fn prove(self, now: Timestamp, has_device: bool) -> Result<Self, InvalidTransition> {
        match self.at(now) {
            Self::Open { .. } if has_device => Ok(Self::Waiting { expires_at: now + LIFE }),
            Self::Open { .. } => Ok(Self::Granted { expires_at: now + LIFE }),
            _ => Err(InvalidTransition),
        }
    }

    /// An active device answered.
    ///
    /// # Errors
    /// [`InvalidTransition`] unless it is waiting at `now`.
    pub fn answer(self, now: Timestamp, is_welcome: bool) -> Result<Self, InvalidTransition> {
        match self.at(now) {
            Self::Waiting { .. } if is_welcome => Ok(Self::Granted { expires_at: now + LIFE }),
            Self::Waiting { .. } => Ok(Self::Denied),
            _ => Err(InvalidTransition),
        }
    }

    /// A recovery code was right: it stands in for the answer, and opens accounts that the phone alone does not.
    ///
    /// # Errors
    /// [`InvalidTransition`] unless the phone is proven and nobody has said no.
    pub fn recover(self, now: Timestamp) -> Result<Self, InvalidTransition> {
        match self.at(now) {
            Self::Waiting { .. } | Self::Granted { .. } => Ok(Self::Granted { expires_at: now + LIFE }),
            _ => Err(InvalidTransition),
        }
    }

    /// The device has proven its secrets.
    ///
    /// # Errors
    /// [`InvalidTransition`] unless it was granted and has not run out.
    pub fn finish(self, now: Timestamp) -> Result<Self, InvalidTransition> {
        match self.at(now) {
            Self::Granted { .. } => Ok(Self::Over),
            _ => Err(InvalidTransition),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::TOKEN_LIFE;
    use proptest::prelude::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    fn open() -> Registration {
        Registration::open(START, START + TOKEN_LIFE)
    }

    #[test]
    fn five_codes_are_compared_and_the_sixth_is_not() {
        let mut state = open();
        for _ in 0..MAX_WRONG_ENTRIES {
            state = state.count_entry(START).unwrap();
        }
        assert_eq!(state.count_entry(START), None);
        assert!(state.prove(START, false).is_ok(), "the fifth may be right");
    }

    #[test]
    fn a_code_dies_before_its_registration() {
        assert!(open().count_entry(START + TOKEN_LIFE - Duration::from_millis(1)).is_some());
        assert_eq!(open().count_entry(START + TOKEN_LIFE), None);
        assert_eq!(open().at(START + LIFE), Registration::Over);
    }

    #[test]
    fn a_first_device_is_ready_and_a_second_one_is_asked_about() {
        let granted = Registration::Granted { expires_at: START + LIFE };
        assert_eq!(open().prove(START, false), Ok(granted));
        let waiting = open().prove(START, true).unwrap();
        assert_eq!(waiting.finish(START), Err(InvalidTransition));
        assert_eq!(waiting.answer(START, true), Ok(granted));
        assert_eq!(waiting.answer(START, false), Ok(Registration::Denied));
        assert_eq!(waiting.recover(START), Ok(granted));
        assert_eq!(waiting.answer(START + LIFE, true), Err(InvalidTransition));
    }

    #[test]
    fn who_was_denied_stays_so() {
        assert_eq!(Registration::Denied.recover(START), Err(InvalidTransition));
        assert_eq!(Registration::Denied.answer(START, true), Err(InvalidTransition));
        assert_eq!(open().recover(START), Err(InvalidTransition), "a recovery code does not prove the phone");
    }

    proptest! {
        #[test]
        fn no_sequence_finishes_twice_or_past_a_device_unanswered(
            steps in proptest::collection::vec((0_u8..5, any::<bool>(), 0_u64..400), 0..20),
        ) {
            let (mut state, mut now, mut finished) = (open(), START, 0);
            let (mut asked, mut answered) = (false, false);
            for (step, flag, wait) in steps {
                now = now + Duration::from_secs(wait);
                let moved = match step {
                    0 => state.count_entry(now).ok_or(InvalidTransition),
                    1 => state.prove(now, flag).inspect(|_| asked = flag),
                    2 => state.answer(now, flag).inspect(|_| answered |= flag),
                    3 => state.recover(now).inspect(|_| answered = true),
                    _ => state.finish(now).inspect(|_| finished += 1),
                };
                state = moved.unwrap_or(state);
            }
            prop_assert!(finished <= 1);
            prop_assert!(finished == 0 || !asked || answered);
        }
    }
}
