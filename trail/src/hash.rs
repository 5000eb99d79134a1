//! What links a row to the one before.

use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};
use sha2::{Digest, Sha256};

use crate::Row;

/// Before what a chain begins with, and before each link: no hash of another purpose is one of a chain.
const BEGINNING: &[u8] = b"twofold audit chain 1\n";
const LINK: &[u8] = b"twofold audit link 1\n";

/// The state of a chain after one of its rows: SHA-256 over the state before and the row.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Hash([u8; 32]);

/// A text is no hash: 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a hash has 64 hexadecimal digits")]
pub struct InvalidHash;

impl Hash {
    /// The state of a practice's chain before its first row.
    #[must_use]
    pub fn beginning(practice_id: &str) -> Self {
        Self(Sha256::new_with_prefix(BEGINNING).chain_update(practice_id).finalize().into())
    }

    /// The state after `row`.
    #[must_use]
    pub fn then(self, row: &Row) -> Self {
        Self(Sha256::new_with_prefix(LINK).chain_update(self.0).chain_update(row.encoding()).finalize().into())
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&HEXLOWER.encode(&self.0))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Hash {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let bytes = HEXLOWER.decode(text.as_bytes()).map_err(|_| InvalidHash)?;
        bytes.try_into().map(Self).map_err(|_| InvalidHash)
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chains_begin_apart() {
        assert_ne!(Hash::beginning("1"), Hash::beginning("2"));
    }

    /// Computed once by another program, so that a change of the format cannot pass unseen.
    #[test]
    fn the_format_is_the_one_of_the_first_release() {
        let beginning = Hash::beginning("practice");
        let text = "417224dfe6c11897fa98bdb63015f90ed6966371f39de17a7d080f98560f4d73";
        assert_eq!(beginning.to_string(), text);
        assert_eq!(text.parse::<Hash>(), Ok(beginning));
        assert_eq!("41".parse::<Hash>(), Err(InvalidHash));
        let row = Row {
            id: "1".into(),
            practice_id: "practice".into(),
            at: 3,
            event: "signed-in".into(),
            actor_id: "4".into(),
            subject_id: "5".into(),
            factor: None,
            address: "192.0.2.1".into(),
            session_id: Some(String::new()),
            request_id: "6".into(),
            removed_to: None,
            mac: Some("01ab".into()),
        };
        assert_eq!(
            beginning.then(&row).to_string(),
            "795ae0a7b28052a0bb2aea76519a0dc84556471e4fb856762d5b752a88bd3855"
        );
    }
}
