//! E-mail addresses.

use core::fmt;

use serde::{Deserialize, Serialize};

/// An e-mail address in lower case, for people type their own in any.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Email(String);

/// The text is no address that a message could be sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("Enter an e-mail address like name@example.com")]
pub struct InvalidEmail;

impl Email {
    /// Parses an address by shape: one `@`, a dot in the host, no blanks, at most 254 bytes (RFC 5321 §4.5.3.1.3).
    ///
    /// # Errors
    /// [`InvalidEmail`].
    pub fn parse(raw: &str) -> Result<Self, InvalidEmail> {
        let text = raw.trim();
        let (local, host) = text.split_once('@').ok_or(InvalidEmail)?;
        let local_is_plain = (1..=64).contains(&local.len())
            && local.chars().all(|c| !c.is_whitespace() && !c.is_control() && !"@<>()[]\\,;:\"".contains(c));
        let host_is_plain = host.split('.').count() >= 2
            && host.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && !label.starts_with('-')
                    && !label.ends_with('-')
                    && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            });
        if text.len() <= 254 && local_is_plain && host_is_plain {
            Ok(Self(text.to_lowercase()))
        } else {
            Err(InvalidEmail)
        }
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_compared_in_lower_case() {
        assert_eq!(Email::parse(" Ada.B+x@Elm.TEST ").unwrap().as_str(), "ada.b+x@elm.test");
    }

    #[test]
    fn what_no_message_reaches_is_refused() {
        for raw in [
            "",
            "ada",
            "@elm.test",
            "ada@elm",
            "a b@elm.test",
            "ada@-elm.test",
            "ada@elm..test",
            "a@b@c.test",
            "ada@elm.test\r\nBcc: x@y.test",
            "<ada>@elm.test",
        ] {
            assert_eq!(Email::parse(raw), Err(InvalidEmail), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_has_no_blank_and_parses_again(raw in "\\PC{0,300}") {
            if let Ok(email) = Email::parse(&raw) {
                prop_assert!(!email.as_str().contains(char::is_whitespace));
                prop_assert_eq!(Email::parse(email.as_str()), Ok(email));
            }
        }
    }
}
