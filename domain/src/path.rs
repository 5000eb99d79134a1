//! A path inside this site, for "the page first asked for".

/// The longest path, in bytes.
pub const MAX_BYTES: usize = 500;

/// A path, with its query, that cannot lead to another site: what `?next=` may say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocalPath(String);

/// The text is no path inside this site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path inside this site")]
pub struct InvalidPath;

impl LocalPath {
    /// Parses a path: it begins with one `/`, and has no `//` at the start, no backslash (browsers read it as `/`),
    /// no control character and no blank.
    ///
    /// # Errors
    /// [`InvalidPath`].
    pub fn parse(raw: &str) -> Result<Self, InvalidPath> {
        let is_local = raw.len() <= MAX_BYTES
            && raw.starts_with('/')
            && !raw.starts_with("//")
            && !raw.chars().any(|c| c == '\\' || c.is_control() || c.is_whitespace());
        if is_local { Ok(Self(raw.to_owned())) } else { Err(InvalidPath) }
    }

    /// The path.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn pages_of_this_site_are_accepted() {
        for raw in ["/", "/account/security", "/account/step-up?then=add-app", "/a//b"] {
            assert_eq!(LocalPath::parse(raw).unwrap().as_str(), raw);
        }
    }

    #[test]
    fn whatever_leads_elsewhere_is_refused() {
        let long = format!("/{}", "a".repeat(MAX_BYTES));
        for raw in [
            "",
            "account",
            "//evil.test",
            "/\\evil.test",
            "https://evil.test/",
            "javascript:alert(1)",
            "/a\r\nSet-Cookie: x=y",
            "/\tevil",
            "/\u{85}",
            " /a",
            long.as_str(),
        ] {
            assert_eq!(LocalPath::parse(raw), Err(InvalidPath), "{raw:?}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_stays_here(raw in "\\PC{0,40}", tail in "[/\\\\a-z\t\r\n]{0,8}") {
            for text in [raw, format!("/{tail}")] {
                if let Ok(path) = LocalPath::parse(&text) {
                    prop_assert!(path.as_str().starts_with('/') && !path.as_str()[1..].starts_with(['/', '\\']));
                }
            }
        }
    }
}
