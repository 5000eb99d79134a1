//! Who is covered by what, now and over time.

use domain::Date;

use crate::store::{CoverageRow, StaffRow};
use crate::{Administrator, Authority, Unavailable};

/// Days that the trend shows.
const DAYS: i64 = 90;

/// How many people were protected on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Day {
    /// The day, in UTC.
    pub date: Date,
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

/// The latest days, the newest first. Today is counted as it is now; the days before as the job found them.
///
/// # Errors
/// [`Unavailable`].
pub async fn trend(authority: &Authority, administrator: Administrator<'_>) -> Result<Vec<Day>, Unavailable> {
    let practice_id = administrator.practice_id();
    let today = today(Date::of(authority.now()), &authority.store.staff(practice_id).await?);
    let rows = authority.store.coverage(practice_id, DAYS).await?;
    let before = rows.iter().map(day).filter(|day| day.date < today.date);
    Ok(std::iter::once(today).chain(before).collect())
}

fn today(date: Date, staff: &[StaffRow]) -> Day {
    let count = |is: fn(&StaffRow) -> bool| {
        let number = staff.iter().filter(|row| row.deactivated_at.is_none() && is(row)).count();
        u32::try_from(number).unwrap_or(u32::MAX)
    };
    Day { date, members: count(|_| true), protected: count(StaffRow::is_protected), with_app: count(StaffRow::has_app) }
}

fn day(row: &CoverageRow) -> Day {
    let count = |number: i64| u32::try_from(number).unwrap_or(0);
    Day {
        date: Date::from_days(u64::try_from(row.day).unwrap_or(0)),
        members: count(row.members),
        protected: count(row.protected),
        with_app: count(row.with_app),
    }
}

/// Counts the people of every practice for today. A job does it, so that no day is missing.
///
/// # Errors
/// [`Unavailable`].
pub async fn count(authority: &Authority) -> Result<(), Unavailable> {
    let today = i64::try_from(Date::of(authority.now()).days()).map_err(|_| Unavailable)?;
    let mut write = authority.store.write().await?;
    write.count_coverage(today).await?;
    Ok(write.commit().await?)
}
