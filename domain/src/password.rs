//! Passwords: what is accepted, never what they are.

use core::fmt;

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// The floor for an account that signs in with the password alone (SP 800-63B-4 §3.1.1.2), in code points.
pub const MIN_ALONE: usize = 15;
/// The floor in every case.
pub const MIN_WITH_TOKEN: usize = 8;
/// The longest password, in bytes; hashing must stay cheap to refuse.
pub const MAX_BYTES: usize = 1024;

/// What someone typed as a password. Redacted, wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

/// Why a new password is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InvalidPassword {
    /// Nothing was typed.
    #[error("Enter a password")]
    Empty,
    /// Fewer code points than the floor.
    #[error("The password must have at least {0} characters")]
    TooShort(u8),
    /// More than [`MAX_BYTES`].
    #[error("The password is too long")]
    TooLong,
    /// Among the passwords that are tried first, or made of the practice's and the person's names.
    #[error("This password is too easy to guess. Use several unrelated words")]
    Guessable,
}

impl Password {
    /// What was typed at sign-in: any text up to [`MAX_BYTES`], judged by its hash alone.
    ///
    /// # Errors
    /// [`InvalidPassword::Empty`] and [`InvalidPassword::TooLong`].
    pub fn typed(raw: String) -> Result<Self, InvalidPassword> {
        let password = Self(raw);
        match password.0.len() {
            0 => Err(InvalidPassword::Empty),
            bytes if bytes > MAX_BYTES => Err(InvalidPassword::TooLong),
            _ => Ok(password),
        }
    }

    /// A new password of at least `minimum` code points. No rule asks for kinds of characters.
    ///
    /// # Errors
    /// [`InvalidPassword`]; whether it is guessable, the authority adds.
    pub fn new(raw: String, minimum: usize) -> Result<Self, InvalidPassword> {
        let password = Self::typed(raw)?;
        if password.0.chars().count() < minimum.max(MIN_WITH_TOKEN) {
            return Err(InvalidPassword::TooShort(u8::try_from(minimum.max(MIN_WITH_TOKEN)).unwrap_or(u8::MAX)));
        }
        Ok(password)
    }

    /// The text itself, for hashing.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new(raw: &str, minimum: usize) -> Result<(), InvalidPassword> {
        Password::new(raw.to_owned(), minimum).map(|_| ())
    }

    #[test]
    fn length_is_counted_in_code_points() {
        assert_eq!(new(&"é".repeat(14), MIN_ALONE), Err(InvalidPassword::TooShort(15)));
        assert_eq!(new(&"é".repeat(15), MIN_ALONE), Ok(()));
        assert_eq!(new("1234567", 0), Err(InvalidPassword::TooShort(8)));
    }

    #[test]
    fn long_ones_are_welcome_up_to_the_cap() {
        assert_eq!(new(&"a b ".repeat(32), MIN_ALONE), Ok(()));
        assert_eq!(new(&"a".repeat(1025), MIN_ALONE), Err(InvalidPassword::TooLong));
        assert_eq!(new("", MIN_ALONE), Err(InvalidPassword::Empty));
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Password::typed("secret".into()).unwrap()), "Password(…)");
    }
}
