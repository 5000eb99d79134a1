//! What a posted form may look like.
//!
//! Parsers disagree about forms that no browser sends: which of two equal fields counts, what `token[]` means, where an
//! invalid escape ends. Such forms are refused here, so the parser of the server functions sees only what every parser
//! reads alike, and a token can neither come twice nor as a list.

use std::collections::HashSet;

/// More fields than any form of ours has.
const MAX_FIELDS: usize = 64;

/// The form is not one that a page of ours sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidForm;

/// Checks a URL-encoded form: plain names, each once; values that are UTF-8 without NUL, which PostgreSQL cannot store.
pub(super) fn check(form: &[u8]) -> Result<(), InvalidForm> {
    let mut names = HashSet::new();
    for field in form.split(|&byte| byte == b'&') {
        let split = field.iter().position(|&byte| byte == b'=').ok_or(InvalidForm)?;
        let (name, value) = (decode(&field[..split])?, decode(&field[split + 1..])?);
        let is_plain =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        if !is_plain || value.contains('\0') || !names.insert(name) || names.len() > MAX_FIELDS {
            return Err(InvalidForm);
        }
    }
    Ok(())
}

/// Undoes the escapes of a name or a value.
fn decode(escaped: &[u8]) -> Result<String, InvalidForm> {
    let mut bytes = Vec::with_capacity(escaped.len());
    let mut rest = escaped.iter();
    while let Some(&byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|&byte| char::from(byte).to_digit(16)).ok_or(InvalidForm);
                u8::try_from(digit()? * 16 + digit()?).map_err(|_| InvalidForm)?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).map_err(|_| InvalidForm)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_pages_pass() {
        for form in ["token=123456", "a=1&b=&c_d=%2B1+202", "name=%C3%A9%20%E2%82%AC", "password=a%26b%3Dc"] {
            assert_eq!(check(form.as_bytes()), Ok(()), "{form}");
        }
    }

    #[test]
    fn forms_with_two_meanings_are_refused() {
        for form in [
            "token=1&token=2",
            "token=1&%74oken=2",
            "token[]=1",
            "token%5B%5D=1",
            "token[0]=1",
            "token",
            "=1",
            "&",
            "a=1&",
            "token=1;token=2&b",
            "token=%00",
            "token=%ff",
            "token=%",
            "token=%4",
            "token=%zz",
            "token=%+1",
            "{\"token\":1}",
        ] {
            assert_eq!(check(form.as_bytes()), Err(InvalidForm), "{form}");
        }
        assert_eq!(check(b"token=\xff"), Err(InvalidForm));
    }

    #[test]
    fn a_form_has_a_last_field() {
        let form = |fields: usize| (0..fields).map(|field| format!("f{field}=")).collect::<Vec<_>>().join("&");
        assert_eq!(check(form(MAX_FIELDS).as_bytes()), Ok(()));
        assert_eq!(check(form(MAX_FIELDS + 1).as_bytes()), Err(InvalidForm));
    }
}
