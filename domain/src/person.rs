//! Names, and what else a person says of themselves on the Profile tab.

use core::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A required line of text: 1 to 100 characters, none of them a control character.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Name(String);

/// An optional line of text: at most 200 characters, none of them a control character.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Line(String);

/// Why the text is no [`Name`] or [`Line`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InvalidText {
    /// Nothing was typed where something is needed.
    #[error("Fill in this field")]
    Empty,
    /// More characters than the field holds.
    #[error("This is too long")]
    TooLong,
    /// A line break or another control character.
    #[error("This has characters that do not belong here")]
    ControlCharacter,
}

fn line(raw: &str, longest: usize) -> Result<String, InvalidText> {
    let text = raw.trim();
    if text.chars().count() > longest {
        Err(InvalidText::TooLong)
    } else if text.chars().any(|c| c.is_control() || is_direction_override(c)) {
        Err(InvalidText::ControlCharacter)
    } else {
        Ok(text.to_owned())
    }
}

/// Marks that would turn the text around them on a page or in a log.
fn is_direction_override(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Name {
    /// Parses a name.
    ///
    /// # Errors
    /// [`InvalidText`].
    pub fn parse(raw: &str) -> Result<Self, InvalidText> {
        let text = line(raw, 100)?;
        if text.is_empty() { Err(InvalidText::Empty) } else { Ok(Self(text)) }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Line {
    /// Parses a line that may be empty.
    ///
    /// # Errors
    /// [`InvalidText`].
    pub fn parse(raw: &str) -> Result<Self, InvalidText> {
        line(raw, 200).map(Self)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The App unlock PIN: four to six digits that lift the screen lock and are never a factor. Redacted, wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Pin(String);

/// The text is no PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("A PIN has 4 to 6 digits")]
pub struct InvalidPin;

impl Pin {
    /// Parses a PIN.
    ///
    /// # Errors
    /// [`InvalidPin`].
    pub fn parse(raw: &str) -> Result<Self, InvalidPin> {
        let text = raw.trim();
        if (4..=6).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidPin)
        }
    }

    /// The digits, for hashing.
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

    #[test]
    fn names_are_one_line_of_visible_text() {
        assert_eq!(Name::parse(" Zoë O'Neil ").unwrap().as_str(), "Zoë O'Neil");
        assert_eq!(Name::parse("<script>").unwrap().as_str(), "<script>", "pages escape; names stay as typed");
        assert_eq!(Name::parse("  "), Err(InvalidText::Empty));
        assert_eq!(Name::parse("a\nb"), Err(InvalidText::ControlCharacter));
        assert_eq!(Name::parse("\u{1b}[31mred"), Err(InvalidText::ControlCharacter));
        assert_eq!(Name::parse("a\u{202e}b"), Err(InvalidText::ControlCharacter));
        assert_eq!(Name::parse(&"a".repeat(10_000)), Err(InvalidText::TooLong));
        assert_eq!(Line::parse("").unwrap(), Line::default());
    }

    #[test]
    fn pins_have_four_to_six_digits() {
        assert!(Pin::parse("0123").is_ok() && Pin::parse("012345").is_ok());
        for raw in ["", "123", "1234567", "12a4", "１２３４"] {
            assert!(Pin::parse(raw).is_err(), "{raw:?}");
        }
    }
}
