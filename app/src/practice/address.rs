//! The address of a page that is loaded: while it is rendered, the request's own; else what the browser says.

use std::collections::BTreeMap;

use axum::http::request::Parts;
use domain::LocalPath;
use leptos::prelude::use_context;

use crate::error::AppError;
use crate::visit::{is_page, refuse};

/// A path of ours and what its query says.
#[derive(Debug)]
pub(super) struct Address {
    path: String,
    query: String,
}

impl Address {
    /// The address of the page at hand.
    pub(super) fn of(said: &str) -> Result<Self, AppError> {
        let parts = use_context::<Parts>().ok_or_else(|| refuse(AppError::Unavailable))?;
        if is_page(&parts) {
            let query = parts.uri.query().unwrap_or_default().to_owned();
            return Ok(Self { path: parts.uri.path().to_owned(), query });
        }
        Self::parse(said).ok_or_else(|| refuse(AppError::BadRequest))
    }

    pub(super) fn parse(said: &str) -> Option<Self> {
        let said = LocalPath::parse(said).ok()?;
        let (path, query) = said.as_str().split_once('?').unwrap_or((said.as_str(), ""));
        Some(Self { path: path.to_owned(), query: query.to_owned() })
    }

    /// The path's segments.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.path.split('/').skip(1).collect()
    }

    /// Those fields of `names` that the query has.
    pub(super) fn fields(&self, names: &[String]) -> BTreeMap<String, String> {
        let has = |name: &str| self.query.split('&').any(|pair| pair.split('=').next() == Some(name));
        names.iter().filter(|name| has(name)).map(|name| (name.clone(), self.value(name))).collect()
    }

    /// The first value of that name in the query; empty if there is none.
    pub(super) fn value(&self, name: &str) -> String {
        let pair = self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        decoded(pair.unwrap_or_default())
    }
}

/// Undoes what forms do to the values of their fields. What is no such encoding stays as it is.
fn decoded(value: &str) -> String {
    let bytes = value.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let escaped = bytes.get(index + 1..index + 3).filter(|_| byte == b'%');
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            plain.push(byte);
            index += 3;
        } else {
            plain.push(if byte == b'+' { b' ' } else { byte });
            index += 1;
        }
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_forms_write_it() {
        let address = Address::parse("/practice/staff?search=Zo%C3%AB+O%27Neil&kind=a%").expect("an address");
        assert_eq!(address.segments(), ["practice", "staff"]);
        assert_eq!(address.value("search"), "Zoë O'Neil");
        assert_eq!(address.value("kind"), "a%");
        assert_eq!(address.value("none"), "");
    }

    #[test]
    fn another_site_is_no_address() {
        for said in ["", "https://evil.test/practice/staff", "//evil.test", "practice/staff"] {
            assert!(Address::parse(said).is_none(), "{said:?}");
        }
    }
}
