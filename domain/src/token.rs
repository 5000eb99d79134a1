//! The token that a person types.

use core::fmt;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The raw field may be this long; anything longer is refused unread.
pub const MAX_RAW_BYTES: usize = 64;

/// How many digits a token may have here: what the account's factors make.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLengths {
    shortest: u8,
    longest: u8,
}

impl TokenLengths {
    /// Exactly six digits: text messages, calls, and other vendors' apps.
    pub const SIX: Self = Self::only(6);
    /// Exactly seven digits: Twofold's own authenticator.
    pub const SEVEN: Self = Self::only(7);

    /// Exactly `digits`.
    #[must_use]
    pub const fn only(digits: u8) -> Self {
        Self { shortest: digits, longest: digits }
    }

    /// These lengths, and `digits` besides.
    #[must_use]
    pub const fn or(self, digits: u8) -> Self {
        Self {
            shortest: if digits < self.shortest { digits } else { self.shortest },
            longest: if digits > self.longest { digits } else { self.longest },
        }
    }

    /// The smallest number of digits.
    #[must_use]
    pub const fn shortest(self) -> u8 {
        self.shortest
    }

    /// The largest number of digits.
    #[must_use]
    pub const fn longest(self) -> u8 {
        self.longest
    }
}

/// Six to eight ASCII digits, as text, so that leading zeros stay.
///
/// A token is a secret while it lives: no `Display`, a redacted `Debug`, wiped on drop; compared in constant time only.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Token {
    digits: String,
}

/// Why typed text is no token. The texts are ux.md's, section 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InvalidToken {
    /// Nothing was typed.
    #[error("Enter the {0}-digit token")]
    Empty(u8),
    /// Fewer digits than any factor makes.
    #[error("You've not entered enough numbers, the token must be {0} numbers")]
    TooShort(u8),
    /// More digits than any factor makes.
    #[error("You've entered too many numbers, the token must be {0} numbers")]
    TooLong(u8),
    /// Something else than ASCII digits.
    #[error("The token must be {0} numbers")]
    NotDigits(u8),
}

impl Token {
    /// Parses what a person typed or pasted.
    ///
    /// Spaces, hyphens and no-break spaces are dropped, as voice input and grouped tokens bring them; `@host #123456`,
    /// the last line of a text message, is understood too. What is left must be ASCII digits of an expected number.
    ///
    /// # Errors
    /// [`InvalidToken`] says what to mend.
    pub fn parse(raw: &str, lengths: TokenLengths) -> Result<Self, InvalidToken> {
        let shown = lengths.longest;
        if raw.len() > MAX_RAW_BYTES {
            return Err(InvalidToken::TooLong(shown));
        }
        let trimmed = raw.trim();
        let code = match trimmed.strip_prefix('@').and_then(|line| line.split_once('#')) {
            Some((_host, code)) => code,
            None => trimmed,
        };
        let digits: String = code.chars().filter(|c| !is_separator(*c)).collect();
        // Held in a token from here on, so that every way out wipes it.
        let token = Self { digits };
        let count = token.digits.len();
        if count == 0 {
            Err(InvalidToken::Empty(shown))
        } else if !token.digits.bytes().all(|b| b.is_ascii_digit()) {
            Err(InvalidToken::NotDigits(shown))
        } else if count < usize::from(lengths.shortest) {
            Err(InvalidToken::TooShort(shown))
        } else if count > usize::from(lengths.longest) {
            Err(InvalidToken::TooLong(shown))
        } else {
            Ok(token)
        }
    }

    /// The token whose number is `value`, with leading zeros up to `digits`.
    #[must_use]
    pub fn from_number(value: u32, digits: u8) -> Self {
        Self { digits: format!("{value:0width$}", width = usize::from(digits)) }
    }

    /// How many digits it has.
    #[must_use]
    pub fn length(&self) -> usize {
        self.digits.len()
    }

    /// The digits themselves: for the message that carries them, for hashing, and for the authenticator's own screen.
    #[must_use]
    pub fn expose_digits(&self) -> &str {
        &self.digits
    }

    /// Whether both are the same digits, in time that depends on their number only.
    #[must_use]
    pub fn equals(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }

    /// As [`Self::equals`], as a choice that branches nowhere.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> subtle::Choice {
        self.digits.as_bytes().ct_eq(other.digits.as_bytes())
    }
}

/// What people, keyboards and voice input put between digits.
fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}' | '\u{2011}')
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn six(raw: &str) -> Result<String, InvalidToken> {
        Token::parse(raw, TokenLengths::SIX).map(|token| token.expose_digits().to_owned())
    }

    #[test]
    fn separators_are_dropped_and_leading_zeros_kept() {
        for raw in ["012345", " 012 345 ", "012-345", "012\u{a0}345", "012\u{202f}345\n", "@practice.test #012345"] {
            assert_eq!(six(raw).as_deref(), Ok("012345"), "{raw:?}");
        }
    }

    #[test]
    fn each_mistake_has_its_own_answer() {
        assert_eq!(six(" - "), Err(InvalidToken::Empty(6)));
        assert_eq!(six("12345"), Err(InvalidToken::TooShort(6)));
        assert_eq!(six("1234567"), Err(InvalidToken::TooLong(6)));
        assert_eq!(six(&"1".repeat(1000)), Err(InvalidToken::TooLong(6)));
        for raw in ["１２３４５６", "1e5000", "+12345", "12345\0", "-12345x", "[\"1\"]", "null12", "١٢٣٤٥٦"]
        {
            assert_eq!(six(raw), Err(InvalidToken::NotDigits(6)), "{raw:?}");
        }
    }

    #[test]
    fn an_account_with_two_kinds_of_factor_takes_both_lengths() {
        let lengths = TokenLengths::SIX.or(7);
        assert!(Token::parse("123456", lengths).is_ok());
        assert!(Token::parse("1234567", lengths).is_ok());
        assert_eq!(Token::parse("12345", lengths).unwrap_err(), InvalidToken::TooShort(7));
    }

    #[test]
    fn debug_shows_no_digit() {
        assert_eq!(format!("{:?}", Token::from_number(123_456, 6)), "Token(…)");
    }

    proptest! {
        #[test]
        fn any_text_parses_or_is_refused_and_what_parses_is_digits(raw in "\\PC{0,80}") {
            if let Ok(token) = Token::parse(&raw, TokenLengths::SIX) {
                prop_assert_eq!(token.length(), 6);
                prop_assert!(token.expose_digits().bytes().all(|b| b.is_ascii_digit()));
            }
        }

        #[test]
        fn a_number_and_its_digits_are_the_same_token(value in 0_u32..10_000_000) {
            let token = Token::from_number(value, 7);
            let typed = Token::parse(token.expose_digits(), TokenLengths::SEVEN).unwrap();
            prop_assert!(typed.equals(&token));
            prop_assert!(!typed.equals(&Token::from_number((value + 1) % 10_000_000, 7)));
        }
    }
}
