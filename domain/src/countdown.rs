//! How long the shown token still lives, and what is said about it.

use crate::time::Timestamp;

/// Below this many seconds the token "ends soon" and the next one is shown (ux.md section 4).
pub const ENDS_SOON_SECONDS: u32 = 5;

/// The countdown of a period at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Countdown {
    /// Milliseconds until the next step, 1 to `period * 1000`.
    pub left_millis: u32,
    /// Seconds that a step lasts.
    pub period: u32,
}

/// What a screen reader is told; never each second (WCAG 4.1.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Milestone {
    /// Ten seconds are left.
    TenSeconds,
    /// Five seconds are left.
    FiveSeconds,
    /// A new token has begun.
    NewToken,
}

impl Countdown {
    /// The countdown at `now`.
    #[must_use]
    pub fn at(now: Timestamp, period: u32) -> Self {
        let length = i64::from(period) * 1000;
        let passed = now.millis().rem_euclid(length.max(1));
        Self { left_millis: u32::try_from(length - passed).unwrap_or(period), period }
    }

    /// Whole seconds left, rounded up, so that the number 0 never shows.
    #[must_use]
    pub const fn seconds(self) -> u32 {
        self.left_millis.div_ceil(1000)
    }

    /// Whether the token ends soon.
    #[must_use]
    pub const fn ends_soon(self) -> bool {
        self.seconds() <= ENDS_SOON_SECONDS
    }

    /// What is worth saying when this whole second begins, if anything.
    #[must_use]
    pub const fn milestone(self) -> Option<Milestone> {
        match self.seconds() {
            10 => Some(Milestone::TenSeconds),
            5 => Some(Milestone::FiveSeconds),
            seconds if seconds == self.period => Some(Milestone::NewToken),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_numbers_run_from_the_period_to_one() {
        assert_eq!(Countdown::at(Timestamp::from_millis(0), 30).seconds(), 30);
        assert_eq!(Countdown::at(Timestamp::from_millis(1), 30).seconds(), 30);
        assert_eq!(Countdown::at(Timestamp::from_millis(1_000), 30).seconds(), 29);
        assert_eq!(Countdown::at(Timestamp::from_millis(29_999), 30).seconds(), 1);
        assert_eq!(Countdown::at(Timestamp::from_millis(30_000), 30).seconds(), 30);
    }

    #[test]
    fn three_things_are_said_in_a_period() {
        let said: Vec<_> =
            (0..30).filter_map(|second| Countdown::at(Timestamp::from_seconds(second), 30).milestone()).collect();
        assert_eq!(said, [Milestone::NewToken, Milestone::TenSeconds, Milestone::FiveSeconds]);
    }

    proptest! {
        #[test]
        fn a_countdown_never_reaches_zero(millis in any::<i64>(), period in 15_u32..=120) {
            let countdown = Countdown::at(Timestamp::from_millis(millis), period);
            prop_assert!((1..=period).contains(&countdown.seconds()));
            prop_assert_eq!(countdown.ends_soon(), countdown.seconds() <= 5);
        }
    }
}
