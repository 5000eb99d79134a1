//! Phone numbers.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A phone number in the form of E.164: `+`, a country code, and 8 to 15 digits in all.
///
/// This is the shape only. Whether such a number can exist, and may be sent to, the authority decides with metadata
/// that is too large for a browser.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Phone(String);

/// Why the text is no phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InvalidPhone {
    /// No country code.
    #[error("Enter the number with its country code, like +1 202 555 0100")]
    CountryCodeMissing,
    /// Not a number, or of a length that no number has.
    #[error("Enter a phone number like +1 202 555 0100")]
    Shape,
}

impl Phone {
    /// Parses a number as people write it: blanks, dots, hyphens, slashes and parentheses are dropped, `00` is `+`,
    /// and ten digits without a country code are a North American number.
    ///
    /// # Errors
    /// [`InvalidPhone`] says what to mend.
    pub fn parse(raw: &str) -> Result<Self, InvalidPhone> {
        if raw.len() > 64 {
            return Err(InvalidPhone::Shape);
        }
        let text: String = raw
            .trim()
            .chars()
            .filter(|c| !matches!(c, ' ' | '.' | '-' | '/' | '(' | ')' | '\u{a0}' | '\u{202f}' | '\u{2011}'))
            .collect();
        let (has_code, digits) = match text.strip_prefix('+').or_else(|| text.strip_prefix("00")) {
            Some(digits) => (true, digits),
            None => (false, text.as_str()),
        };
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(InvalidPhone::Shape);
        }
        match (has_code, digits.len()) {
            (true, 8..=15) if !digits.starts_with('0') => Ok(Self(format!("+{digits}"))),
            (false, 10) if !digits.starts_with(['0', '1']) => Ok(Self(format!("+1{digits}"))),
            (false, 11) if digits.starts_with('1') => Ok(Self(format!("+{digits}"))),
            (false, _) => Err(InvalidPhone::CountryCodeMissing),
            (true, _) => Err(InvalidPhone::Shape),
        }
    }

    /// The number in E.164, for sending and storing.
    #[must_use]
    pub fn e164(&self) -> &str {
        &self.0
    }

    /// The last two digits: all of a number that pages and notices show to who has not proven it.
    #[must_use]
    pub fn ending(&self) -> &str {
        &self.0[self.0.len() - 2..]
    }
}

/// Numbers stay out of logs: only the ending shows.
impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Phone(…{})", self.ending())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for raw in [
            "+1 202 555 0101",
            "+1 (202) 555-0101",
            "0012025550101",
            "202.555.0101",
            "1-202-555-0101",
            "(202) 555\u{a0}0101",
        ] {
            assert_eq!(Phone::parse(raw).unwrap().e164(), "+12025550101", "{raw:?}");
        }
        assert_eq!(Phone::parse("+44 20 7946 0000").unwrap().ending(), "00");
    }

    #[test]
    fn what_no_gateway_could_dial_is_refused() {
        for raw in [
            "",
            "+",
            "+00 1234567",
            "tel:+12025550101",
            "+1202555O101",
            "+1 202 555 0101\nX: y",
            "+123",
            "+1234567890123456",
            "１２０２５５５０１０１",
        ] {
            assert_eq!(Phone::parse(raw), Err(InvalidPhone::Shape), "{raw:?}");
        }
        assert_eq!(Phone::parse("555 0101"), Err(InvalidPhone::CountryCodeMissing));
    }

    #[test]
    fn debug_shows_the_ending_only() {
        assert_eq!(format!("{:?}", Phone::parse("+12025550142").unwrap()), "Phone(…42)");
    }

    proptest! {
        #[test]
        fn what_parses_is_e164_and_parses_again(raw in "[+0-9 ().-]{0,24}") {
            if let Ok(phone) = Phone::parse(&raw) {
                prop_assert!(phone.e164().starts_with('+') && phone.e164()[1..].bytes().all(|b| b.is_ascii_digit()));
                prop_assert_eq!(Phone::parse(phone.e164()), Ok(phone));
            }
        }
    }
}
