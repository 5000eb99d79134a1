//! A signed-in browser: how strongly it was proven, and when it ends.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// A session without activity ends after this time, unless the practice has chosen another.
pub const IDLE: Duration = Duration::from_mins(15);
/// A session ends after this time in any case.
pub const ABSOLUTE: Duration = Duration::from_hours(8);
/// A step-up counts for this long.
pub const STEP_UP: Duration = Duration::from_mins(5);

/// How a session was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Assurance {
    /// By the password alone, of an account without a factor.
    Password,
    /// By the password in a browser that is remembered, of an account with a factor. It is no authentication (63B §5.1), and
    /// what takes a step-up takes a token here too.
    Remembered,
    /// By the password and a token.
    TwoFactor,
}

impl Assurance {
    /// The name in the database.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::Remembered => "remembered",
            Self::TwoFactor => "two-factor",
        }
    }

    /// The assurance of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Password, Self::Remembered, Self::TwoFactor].into_iter().find(|assurance| assurance.name() == name)
    }
}

/// The times that decide whether a session lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The last thing that the person did.
    pub active_at: Timestamp,
    /// How long it lives without activity.
    pub idle: Duration,
}

impl Lifetime {
    /// The first moment at which the session is over, if nothing more is done in it.
    #[must_use]
    pub fn ends_at(self) -> Timestamp {
        (self.active_at + self.idle).min(self.opened_at + ABSOLUTE)
    }

    /// Whether it lives at `now`.
    #[must_use]
    pub fn is_alive(self, now: Timestamp) -> bool {
        now < self.ends_at()
    }
}

/// Whether a step-up at `stepped_up_at` still counts at `now`.
#[must_use]
pub fn is_stepped_up(stepped_up_at: Option<Timestamp>, now: Timestamp) -> bool {
    stepped_up_at.is_some_and(|at| now >= at && now.since(at) <= STEP_UP)
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn a_session_ends_when_idle_and_in_any_case_after_eight_hours() {
        let idle = Lifetime { opened_at: START, active_at: START, idle: IDLE };
        assert!(idle.is_alive(START + IDLE - Duration::from_millis(1)));
        assert!(!idle.is_alive(START + IDLE));
        let busy = Lifetime { opened_at: START, active_at: START + ABSOLUTE - Duration::from_secs(1), idle: IDLE };
        assert!(!busy.is_alive(START + ABSOLUTE));
    }

    #[test]
    fn a_step_up_counts_for_five_minutes() {
        assert!(is_stepped_up(Some(START), START + STEP_UP));
        assert!(!is_stepped_up(Some(START), START + STEP_UP + Duration::from_millis(1)));
        assert!(!is_stepped_up(Some(START), START - Duration::from_millis(1)), "a clock set back proves nothing");
        assert!(!is_stepped_up(None, START));
    }
}
