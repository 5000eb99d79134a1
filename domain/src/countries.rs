//! Countries whose cell phones a practice takes.

use core::fmt;

use serde::{Deserialize, Serialize};

/// The most countries that a practice names. Who takes more takes all.
const MAX: usize = 50;

/// Codes of two letters (ISO 3166-1 alpha-2), each once and in their order; none of them stands for every country.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Countries(Vec<[u8; 2]>);

/// Something else than codes of two letters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("codes of two letters, such as US, CA")]
pub struct InvalidCountries;

impl Countries {
    /// Reads codes with blanks or commas between them; whether such a country exists is not looked at.
    ///
    /// # Errors
    /// [`InvalidCountries`].
    pub fn parse(raw: &str) -> Result<Self, InvalidCountries> {
        let words = raw.split([',', ';', ' ', '\t']).filter(|word| !word.is_empty());
        let mut codes = Vec::new();
        for word in words {
            let code = <[u8; 2]>::try_from(word.as_bytes()).map_err(|_| InvalidCountries)?;
            if !code.iter().all(u8::is_ascii_alphabetic) || codes.len() == MAX {
                return Err(InvalidCountries);
            }
            codes.push(code.map(|letter| letter.to_ascii_uppercase()));
        }
        codes.sort_unstable();
        codes.dedup();
        Ok(Self(codes))
    }

    /// Whether numbers of every country are taken.
    #[must_use]
    pub const fn are_all(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether numbers of the country are taken.
    #[must_use]
    pub fn allow(&self, code: &str) -> bool {
        self.are_all() || self.0.iter().any(|allowed| allowed == code.as_bytes())
    }

    /// The codes.
    pub fn codes(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|code| core::str::from_utf8(code).ok())
    }
}

/// The codes as [`Countries::parse`] reads them.
impl fmt::Display for Countries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, code) in self.codes().enumerate() {
            write!(f, "{}{code}", if index == 0 { "" } else { ", " })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn codes_are_read_in_any_order_and_case() {
        let some = Countries::parse(" us,ca; DE us ").unwrap();
        assert_eq!(some.to_string(), "CA, DE, US");
        assert!(some.allow("US") && !some.allow("GB") && !some.allow(""));
        for wrong in ["USA", "U1", "u", "US,Ü"] {
            assert_eq!(Countries::parse(wrong), Err(InvalidCountries), "{wrong}");
        }
    }

    #[test]
    fn none_stands_for_all() {
        let all = Countries::parse(" , ").unwrap();
        assert_eq!(all, Countries::default());
        assert!(all.allow("US") && all.allow("ZZ"));
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(raw in "[A-Za-z]{2}(, ?[A-Za-z]{2}){0,49}") {
            let countries = Countries::parse(&raw).unwrap();
            prop_assert_eq!(Countries::parse(&countries.to_string()), Ok(countries));
        }

        #[test]
        fn nothing_makes_it_panic(raw in any::<String>()) {
            let _ = Countries::parse(&raw);
        }
    }
}
