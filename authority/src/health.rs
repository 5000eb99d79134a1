//! Whether the authority can decide.

use std::time::Duration;

use domain::Timestamp;

use crate::{Authority, Unavailable};

/// A clock that is further from the database's is worth a word to the operator (requirements.md OP-6).
pub const WORTH_TELLING: Duration = Duration::from_secs(5);
/// A server whose clock is further from the database's decides nothing: deadlines would not be the same for everybody.
const MAX_DIFFERENCE: Duration = Duration::from_secs(30);

/// Why the authority should get no requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotReady {
    /// The database does not answer.
    #[error("the database does not answer")]
    Database,
    /// This machine's clock and the database's are that far apart.
    #[error("this machine's clock and the database's are {} s apart", .0.as_secs())]
    Clock(Duration),
}

/// Asks the database for its time, and whether that is this machine's too.
///
/// # Errors
/// [`NotReady`].
pub async fn check(authority: &Authority) -> Result<(), NotReady> {
    match clock_difference(authority).await {
        Ok(difference) if difference > MAX_DIFFERENCE => Err(NotReady::Clock(difference)),
        Ok(_) => Ok(()),
        Err(Unavailable) => Err(NotReady::Database),
    }
}

/// How far this machine's clock and the database's are apart at least; the time that the answer took is not held against
/// either. A database in a file has the clock of this machine.
///
/// # Errors
/// [`Unavailable`] if the database does not answer.
pub async fn clock_difference(authority: &Authority) -> Result<Duration, Unavailable> {
    let asked = authority.clock.unmoved();
    let database = authority.store.now().await?;
    let answered = authority.clock.unmoved();
    Ok(outside(asked, answered, database))
}

/// How far `moment` lies before `from` or after `to`.
fn outside(from: Timestamp, to: Timestamp, moment: Timestamp) -> Duration {
    from.since(moment).max(moment.since(to))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_of_a_question_is_no_difference() {
        let [from, to] = [10_000, 12_000].map(Timestamp::from_millis);
        for (moment, difference) in [(9_400, 600), (10_000, 0), (11_000, 0), (12_000, 0), (52_001, 40_001)] {
            assert_eq!(outside(from, to, Timestamp::from_millis(moment)), Duration::from_millis(difference));
        }
    }
}
