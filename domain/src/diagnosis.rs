//! Why the first token of an app is wrong: a clock that is off, or a parameter that the app ignored.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;
use crate::token::Token;
use crate::totp::{Algorithm, Parameters, Secret, Step, Totp};

/// At most one diagnosis in this time, for each compares the token with many others.
pub const MIN_INTERVAL: Duration = Duration::from_secs(10);

/// Clocks are searched this far off in either direction.
const MAX_CLOCK_ERROR: Duration = Duration::from_mins(10);

/// What an app did otherwise than its setup key says. It helps a person; it never activates anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Diagnosis {
    /// The device's clock is about this many seconds ahead (or, below zero, behind).
    ClockOff {
        /// Seconds, a multiple of the period.
        seconds: i32,
    },
    /// The app made another number of digits.
    IgnoredDigits {
        /// Digits that the app made.
        made: u8,
        /// Digits that the key needs.
        needed: u8,
    },
    /// The app used another hash.
    IgnoredAlgorithm {
        /// The hash that the app used.
        used: Algorithm,
        /// The hash that the key needs.
        needed: Algorithm,
    },
    /// The app used another period.
    IgnoredPeriod {
        /// Seconds of the app's period.
        used: u32,
        /// Seconds of the key's period.
        needed: u32,
    },
}

/// Looks for the one deviation that explains `typed`; `None` if the token is simply wrong.
///
/// A single ignored parameter is tried before a wrong clock, since several clock steps give chance matches more room.
#[must_use]
pub fn diagnose(secret: &Secret, parameters: Parameters, typed: &Token, now: Timestamp) -> Option<Diagnosis> {
    let matches =
        |deviant: Parameters| Totp::new(secret, deviant).is_ok_and(|totp| totp.find_step(typed, now).is_some());
    let needed = parameters;
    for made in [6, 7, 8].into_iter().filter(|digits| *digits != needed.digits) {
        if matches(Parameters { digits: made, ..needed }) {
            return Some(Diagnosis::IgnoredDigits { made, needed: needed.digits });
        }
    }
    for used in Algorithm::ALL.into_iter().filter(|algorithm| *algorithm != needed.algorithm) {
        if matches(Parameters { algorithm: used, ..needed }) {
            return Some(Diagnosis::IgnoredAlgorithm { used, needed: needed.algorithm });
        }
    }
    for used in [30, 60].into_iter().filter(|period| *period != needed.period) {
        if matches(Parameters { period: used, ..needed }) {
            return Some(Diagnosis::IgnoredPeriod { used, needed: needed.period });
        }
    }
    clock_error(&Totp::new(secret, needed).ok()?, typed, now)
}

/// The nearest step outside the window whose token was typed.
fn clock_error(totp: &Totp, typed: &Token, now: Timestamp) -> Option<Diagnosis> {
    let period = totp.parameters().period;
    let current = i64::try_from(Step::at(now, period).number()).ok()?;
    let reach = i64::try_from(MAX_CLOCK_ERROR.as_secs()).ok()? / i64::from(period);
    (2..=reach).flat_map(|distance| [distance, -distance]).find_map(|distance| {
        let step = u64::try_from(current + distance).ok()?;
        let seconds = i32::try_from(distance * i64::from(period)).ok()?;
        totp.token_of(Step::new(step)).equals(typed).then_some(Diagnosis::ClockOff { seconds })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_234_567_890);

    fn secret() -> Secret {
        Secret::new((0..32).collect())
    }

    fn typed(parameters: Parameters, at: Timestamp) -> Token {
        Totp::new(&secret(), parameters).unwrap().token_at(at)
    }

    fn diagnosed(needed: Parameters, used: Parameters, at: Timestamp) -> Option<Diagnosis> {
        diagnose(&secret(), needed, &typed(used, at), NOW)
    }

    #[test]
    fn each_ignored_parameter_is_named() {
        let needed = Parameters::OWN;
        assert_eq!(
            diagnosed(needed, Parameters { digits: 6, ..needed }, NOW),
            Some(Diagnosis::IgnoredDigits { made: 6, needed: 7 })
        );
        assert_eq!(
            diagnosed(needed, Parameters { algorithm: Algorithm::Sha1, ..needed }, NOW),
            Some(Diagnosis::IgnoredAlgorithm { used: Algorithm::Sha1, needed: Algorithm::Sha256 })
        );
        assert_eq!(
            diagnosed(needed, Parameters { period: 60, ..needed }, NOW),
            Some(Diagnosis::IgnoredPeriod { used: 60, needed: 30 })
        );
    }

    #[test]
    fn a_clock_that_is_off_is_named_with_its_sign() {
        let needed = Parameters::OTHER_VENDOR;
        for seconds in [-600, -90, 60, 300] {
            let at = if seconds < 0 {
                NOW - Duration::from_secs(i64::from(seconds).unsigned_abs())
            } else {
                NOW + Duration::from_secs(i64::from(seconds).unsigned_abs())
            };
            assert_eq!(diagnosed(needed, needed, at), Some(Diagnosis::ClockOff { seconds }));
        }
    }

    #[test]
    fn a_token_that_is_simply_wrong_has_no_diagnosis() {
        let needed = Parameters::OTHER_VENDOR;
        assert_eq!(diagnose(&secret(), needed, &Token::from_number(1, 6), NOW), None);
        assert_eq!(diagnosed(needed, needed, NOW + Duration::from_hours(1)), None);
    }
}
