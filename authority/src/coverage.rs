//! Who is covered by what, now and over time.

use domain::{Date, Timestamp};

use crate::{Administrator, Authority, Unavailable, moment};

/// Days that the trend shows.
const DAYS: i64 = 90;

/// How many people were protected on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The first moment of the day, in UTC.
    pub at: Timestamp,
    /// People whose account was open.
    pub members: u32,
    /// Those whose sign-in needs a token.
    pub protected: u32,
    /// Those of them who have an authenticator.
    pub with_app: u32,
}

impl Day {
    /// The share of people who are protected, in whole percent; nobody at all counts as everybody.
    #[must_use]
    pub fn percent(&self) -> u32 {
        (self.protected * 100).checked_div(self.members).unwrap_or(100)
    }
}

/// The latest days, the newest first; today's figures are counted now.
///
/// # Errors
/// [`Unavailable`].
pub async fn trend(authority: &Authority, administrator: Administrator<'_>) -> Result<Vec<Day>, Unavailable> {
    count(authority).await?;
    let rows = authority.store.coverage(administrator.practice_id(), DAYS).await?;
    let count = |number: i64| u32::try_from(number).unwrap_or(0);
    Ok(rows
        .into_iter()
        .map(|row| Day {
            at: moment(row.day.saturating_mul(DAY_MILLIS)),
            members: count(row.members),
            protected: count(row.protected),
            with_app: count(row.with_app),
        })
        .collect())
}

const DAY_MILLIS: i64 = 86_400_000;

/// Counts the people of every practice for today. A job does it, so that no day is missing.
///
/// # Errors
/// [`Unavailable`].
pub async fn count(authority: &Authority) -> Result<(), Unavailable> {
    let today = Date::of(authority.now()).start().millis() / DAY_MILLIS;
    let mut write = authority.store.write().await?;
    write.count_coverage(today).await?;
    Ok(write.commit().await?)
}
