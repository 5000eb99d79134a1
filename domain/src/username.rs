//! User names.

use core::fmt;

use serde::{Deserialize, Serialize};

/// A user name: 3 to 64 lower-case ASCII letters, digits, dots, hyphens and underscores.
///
/// Typed in any case and with blanks around it, it is one name, so it has one account and one failure counter.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Username(String);

/// The text is no user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("A user name has 3 to 64 letters, digits, dots, hyphens or underscores")]
pub struct InvalidUsername;

impl Username {
    /// Parses a user name.
    ///
    /// # Errors
    /// [`InvalidUsername`].
    pub fn parse(raw: &str) -> Result<Self, InvalidUsername> {
        let text = raw.trim();
        let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b));
        if (3..=64).contains(&text.len()) && is_plain {
            Ok(Self(text.to_ascii_lowercase()))
        } else {
            Err(InvalidUsername)
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Username {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_and_blanks_make_no_second_name() {
        assert_eq!(Username::parse(" Ada.B-1_x ").unwrap().as_str(), "ada.b-1_x");
    }

    #[test]
    fn other_characters_are_refused() {
        for raw in ["", "ab", "a b c", "ada@elm.test", "ad\u{430}", "a\nda", &"a".repeat(65), "<script>"] {
            assert_eq!(Username::parse(raw), Err(InvalidUsername), "{raw:?}");
        }
    }
}
