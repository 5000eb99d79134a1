//! The PIN that unlocks the vault: what is accepted.

use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// The least number of digits or characters (project figure; SP 800-63B-4 §3.2.10 asks for four).
pub const MIN: usize = 6;
/// The longest one, in bytes.
pub const MAX_BYTES: usize = 1024;

/// A PIN of at least six digits, or any password of at least six characters. Redacted, wiped on drop.
///
/// It is not the App unlock PIN of the practice app, which only lifts a screen lock: this one makes a key.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Pin(String);

/// Why a PIN is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPin {
    /// Nothing was typed.
    #[error("Enter a PIN")]
    Empty,
    /// Fewer than [`MIN`] characters.
    #[error("A PIN has at least 6 digits; a password of at least 6 characters does as well")]
    TooShort,
    /// More than [`MAX_BYTES`].
    #[error("This is too long")]
    TooLong,
}

impl Pin {
    /// Parses a PIN, which may be longer than six digits and need not be digits. Blanks count, as they do in passwords.
    ///
    /// # Errors
    /// [`InvalidPin`].
    pub fn parse(raw: String) -> Result<Self, InvalidPin> {
        let pin = Self(raw);
        if pin.0.is_empty() {
            Err(InvalidPin::Empty)
        } else if pin.0.len() > MAX_BYTES {
            Err(InvalidPin::TooLong)
        } else if pin.0.chars().count() < MIN {
            Err(InvalidPin::TooShort)
        } else {
            Ok(pin)
        }
    }

    /// Whether it is digits only, so that the next time a keypad is offered.
    #[must_use]
    pub fn is_numeric(&self) -> bool {
        self.0.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// The text, for [`crate::derive()`].
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pin(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(raw: &str) -> Result<bool, InvalidPin> {
        Pin::parse(raw.to_owned()).map(|pin| pin.is_numeric())
    }

    #[test]
    fn six_digits_or_six_characters_are_enough() {
        assert_eq!(parse("135790"), Ok(true));
        assert_eq!(parse("a b c "), Ok(false));
        assert_eq!(parse(&"é".repeat(6)), Ok(false));
        assert_eq!(parse(""), Err(InvalidPin::Empty));
        assert_eq!(parse("13579"), Err(InvalidPin::TooShort));
        assert_eq!(parse("ééééé"), Err(InvalidPin::TooShort));
        assert_eq!(parse(&"1".repeat(1024)), Ok(true));
        assert_eq!(parse(&"1".repeat(1025)), Err(InvalidPin::TooLong));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Pin::parse("135790".into()).unwrap()), "Pin(…)");
    }
}
