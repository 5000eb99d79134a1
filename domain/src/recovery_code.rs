//! Recovery codes.

use core::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// Codes in a set.
pub const SET_SIZE: usize = 10;
/// At this many codes left, people are told to make a new set.
pub const FEW: usize = 3;
/// Characters of a code: 26 of 5 bits each are 130 bits, so a fast keyed hash may store them (SP 800-63B-4 §3.1.2.2).
const LENGTH: usize = 26;
/// Bytes of entropy that make one code; six bits of the last go unused.
pub const ENTROPY_BYTES: usize = 17;
/// The raw field may be this long.
const MAX_RAW_BYTES: usize = 128;

/// Crockford's base32: no I, L, O or U. When typed, I and L are read as 1 and O as 0.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// A recovery code in its bare form: 26 characters, upper case. Redacted, wiped on drop.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct RecoveryCode(String);

/// The text is no recovery code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InvalidRecoveryCode {
    /// Nothing was typed.
    #[error("Enter a recovery code")]
    Empty,
    /// Another length, or characters that no code has.
    #[error("A recovery code has 26 letters and digits, in groups joined by hyphens")]
    Shape,
}

impl RecoveryCode {
    /// The code that these random bytes make.
    #[must_use]
    pub fn from_entropy(bytes: &[u8; ENTROPY_BYTES]) -> Self {
        let mut text = String::with_capacity(LENGTH);
        let (mut bits, mut held) = (0_u32, 0_u32);
        for byte in bytes {
            held = (held << 8) | u32::from(*byte);
            bits += 8;
            while bits >= 5 && text.len() < LENGTH {
                bits -= 5;
                text.push(char::from(ALPHABET[((held >> bits) & 31) as usize]));
            }
            held &= (1 << bits) - 1;
        }
        Self(text)
    }

    /// Parses what was typed, whatever its case, blanks and hyphens.
    ///
    /// # Errors
    /// [`InvalidRecoveryCode`].
    pub fn parse(raw: &str) -> Result<Self, InvalidRecoveryCode> {
        if raw.len() > MAX_RAW_BYTES {
            return Err(InvalidRecoveryCode::Shape);
        }
        let code = Self(
            raw.chars()
                .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '\u{2010}' | '\u{2011}'))
                .map(|c| match c.to_ascii_uppercase() {
                    'I' | 'L' => '1',
                    'O' => '0',
                    other => other,
                })
                .collect(),
        );
        if code.0.is_empty() {
            Err(InvalidRecoveryCode::Empty)
        } else if code.0.len() == LENGTH && code.0.bytes().all(|b| ALPHABET.contains(&b)) {
            Ok(code)
        } else {
            Err(InvalidRecoveryCode::Shape)
        }
    }

    /// The bare form, for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The form that people store: five groups joined by hyphens.
    #[must_use]
    pub fn expose_grouped(&self) -> String {
        let code = &self.0;
        [&code[..5], &code[5..10], &code[10..15], &code[15..20], &code[20..]].join("-")
    }
}

impl fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RecoveryCode(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_bit_of_the_first_130_counts() {
        let base = RecoveryCode::from_entropy(&[0; ENTROPY_BYTES]);
        assert_eq!(base.expose(), "0".repeat(26));
        for bit in 0..130 {
            let mut bytes = [0; ENTROPY_BYTES];
            bytes[bit / 8] |= 0x80 >> (bit % 8);
            assert_ne!(RecoveryCode::from_entropy(&bytes), base, "bit {bit}");
        }
    }

    #[test]
    fn look_alikes_case_and_hyphens_do_not_matter() {
        let code = RecoveryCode::parse("01ABC-DEFGH-JKMNP-QRSTV-WXYZ01").unwrap();
        assert_eq!(RecoveryCode::parse(" oiabc defgh jkmnp qrstv wxyzOL ").unwrap(), code);
    }

    #[test]
    fn other_texts_are_refused() {
        assert_eq!(RecoveryCode::parse(" - "), Err(InvalidRecoveryCode::Empty));
        let (long, wrong) = ("A".repeat(27), "U".repeat(26));
        for raw in ["123456", long.as_str(), wrong.as_str(), "１".repeat(26).as_str(), "A".repeat(5000).as_str()] {
            assert_eq!(RecoveryCode::parse(raw), Err(InvalidRecoveryCode::Shape), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_can_be_typed(bytes in any::<[u8; ENTROPY_BYTES]>()) {
            let code = RecoveryCode::from_entropy(&bytes);
            prop_assert_eq!(code.expose().len(), LENGTH);
            prop_assert_eq!(RecoveryCode::parse(&code.expose_grouped().to_lowercase()), Ok(code));
        }

        #[test]
        fn no_text_makes_the_parser_panic(raw in "\\PC{0,140}") {
            let _ = RecoveryCode::parse(&raw);
        }
    }
}
