//! What time it is: the only place that asks.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use domain::Timestamp;

/// A source of the current time.
pub trait Clock: Send + Sync {
    /// The current time.
    fn now(&self) -> Timestamp;

    /// What the machine's clock says, whatever this one was moved to on purpose: what is compared with other machines'.
    fn unmoved(&self) -> Timestamp {
        self.now()
    }
}

/// The machine's clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one real clock")]
    fn now(&self) -> Timestamp {
        let millis = match SystemTime::now().duration_since(UNIX_EPOCH) {
            Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
            Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
        };
        Timestamp::from_millis(millis)
    }
}

/// The machine's clock moved by an offset, or a clock that only moves by hand: for development and tests.
#[derive(Debug)]
pub struct ShiftedClock {
    /// `None`: time starts at zero and stands still between [`Self::advance`] calls.
    base: Option<SystemClock>,
    offset_millis: AtomicI64,
}

impl ShiftedClock {
    /// A clock that goes with the machine's.
    #[must_use]
    pub fn running() -> Self {
        Self { base: Some(SystemClock), offset_millis: AtomicI64::new(0) }
    }

    /// A clock that shows `now` until it is advanced.
    #[must_use]
    pub fn standing(now: Timestamp) -> Self {
        Self { base: None, offset_millis: AtomicI64::new(now.millis()) }
    }

    /// Moves the clock by `seconds`, which may be negative, and returns the new time.
    pub fn advance(&self, seconds: i64) -> Timestamp {
        let millis = seconds.saturating_mul(1000);
        // A sum that would overflow leaves the clock where it is.
        let _ =
            self.offset_millis.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |offset| offset.checked_add(millis));
        self.now()
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        let base = self.base.map_or(0, |clock| clock.now().millis());
        Timestamp::from_millis(base.saturating_add(self.offset_millis.load(Ordering::SeqCst)))
    }

    fn unmoved(&self) -> Timestamp {
        SystemClock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_standing_clock_moves_by_hand_only() {
        let clock = ShiftedClock::standing(Timestamp::from_seconds(100));
        assert_eq!(clock.now(), Timestamp::from_seconds(100));
        assert_eq!(clock.advance(30), Timestamp::from_seconds(130));
        assert_eq!(clock.advance(-60), Timestamp::from_seconds(70));
        assert_eq!(clock.advance(i64::MAX), Timestamp::from_seconds(70));
    }
}
