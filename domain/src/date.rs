//! Days of the Gregorian calendar, in UTC.

use core::fmt;
use core::time::Duration;

use crate::time::Timestamp;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: u64 = 86_400;

/// A day from 1970 on. Shown as `2026-12-01`, as forms write it (ISO 8601).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    /// Since 1970-01-01.
    days: u64,
}

/// The text is no day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a day like 2026-12-01")]
pub struct InvalidDate;

impl Date {
    /// The day of a moment.
    #[must_use]
    pub fn of(at: Timestamp) -> Self {
        Self { days: at.unix_seconds() / DAY }
    }

    /// The day so many days after 1970-01-01.
    #[must_use]
    pub const fn from_days(days: u64) -> Self {
        Self { days }
    }

    /// Days since 1970-01-01.
    #[must_use]
    pub const fn days(self) -> u64 {
        self.days
    }

    /// Parses `2026-12-01`.
    ///
    /// # Errors
    /// [`InvalidDate`] for any other text, and for days before 1970 or after 2999.
    pub fn parse(raw: &str) -> Result<Self, InvalidDate> {
        let raw = raw.trim();
        let mut parts = raw.split('-');
        let mut number = |length: usize| {
            let part = parts.next().filter(|part| part.len() == length && part.bytes().all(|b| b.is_ascii_digit()));
            part.and_then(|part| part.parse::<u64>().ok()).ok_or(InvalidDate)
        };
        let (year, month, day) = (number(4)?, number(2)?, number(2)?);
        if !(1970..3000).contains(&year) || !(1..=12).contains(&month) || day == 0 {
            return Err(InvalidDate);
        }
        let date = Self { days: days_from_civil(year, month, day) };
        // A day that the month does not have would be one of the next month.
        if date.to_string() == raw { Ok(date) } else { Err(InvalidDate) }
    }

    /// The first moment of the day.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_seconds(0) + Duration::from_secs(self.days.saturating_mul(DAY))
    }

    /// `1 Dec 2026`.
    #[must_use]
    pub fn long(self) -> String {
        let (year, month, day) = self.civil();
        let name = usize::try_from(month).ok().and_then(|month| MONTHS.get(month - 1)).copied().unwrap_or_default();
        format!("{day} {name} {year}")
    }

    /// Year, month and day (the algorithm of H. Hinnant's `civil_from_days`, for days that are not before 1970).
    fn civil(self) -> (u64, u64, u64) {
        let days = self.days + 719_468;
        let (era, of_era) = (days / 146_097, days % 146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        (era * 400 + year + u64::from(month <= 2), month, day)
    }
}

/// Days since 1970 (H. Hinnant's `days_from_civil`, for days that are not before 1970).
fn days_from_civil(year: u64, month: u64, day: u64) -> u64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year / 400, year % 400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    let of_era = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    (era * 146_097 + of_era).saturating_sub(719_468)
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_day_reads_back(days in 0_u64..376_000) {
            let date = Date { days };
            prop_assert_eq!(Date::parse(&date.to_string()), Ok(date));
            prop_assert_eq!(Date::of(date.start()), date);
            prop_assert_eq!(Date::of(date.start() + Duration::from_secs(DAY - 1)), date);
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,20}") {
            let _ = Date::parse(&text);
        }
    }

    #[test]
    fn leap_days_and_the_ends_of_years_are_right() {
        for (seconds, iso, long) in [
            (0, "1970-01-01", "1 Jan 1970"),
            (951_782_400, "2000-02-29", "29 Feb 2000"),
            (1_735_689_599, "2024-12-31", "31 Dec 2024"),
            (1_709_251_200, "2024-03-01", "1 Mar 2024"),
        ] {
            let date = Date::of(Timestamp::from_seconds(seconds));
            assert_eq!((date.to_string().as_str(), date.long().as_str()), (iso, long));
        }
    }

    #[test]
    fn days_that_no_month_has_are_none() {
        for raw in ["", "2026-02-29", "2026-13-01", "2026-00-10", "2026-1-01", "1969-12-31", "3000-01-01", "01-02-2026"]
        {
            assert_eq!(Date::parse(raw), Err(InvalidDate), "{raw:?}");
        }
    }

    #[test]
    fn the_last_moment_that_a_timestamp_holds_does_not_make_it_panic() {
        let _ = Date::of(Timestamp::from_millis(i64::MAX)).long();
    }
}
