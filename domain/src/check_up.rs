//! The check-up: whether the way to a token is still at hand, asked before it is needed.

use core::time::Duration;

use crate::time::Timestamp;

/// Who has not typed a token for so long is asked to.
pub const EVERY: Duration = Duration::from_hours(28 * 24);
/// Who puts it off is asked again after this time.
pub const PUT_OFF: Duration = Duration::from_hours(7 * 24);

/// When the check-up is due: `proven_at` is when a token of theirs was last accepted or confirmed, `put_off_at` when they last
/// put the check-up off.
#[must_use]
pub fn due_at(proven_at: Timestamp, put_off_at: Option<Timestamp>) -> Timestamp {
    let due = proven_at + EVERY;
    put_off_at.map_or(due, |at| due.max(at + PUT_OFF))
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: Timestamp = Timestamp::from_seconds(1_000_000);

    #[test]
    fn it_is_due_four_weeks_after_the_last_token() {
        assert_eq!(due_at(START, None).since(START), EVERY);
    }

    #[test]
    fn it_is_put_off_for_a_week_and_never_brought_forward() {
        let due = START + EVERY;
        assert_eq!(due_at(START, Some(due)), due + PUT_OFF);
        assert_eq!(due_at(START, Some(START)), due, "long before it was due");
    }
}
