//! A row of the trail, and the one way to write it as bytes.

use serde::{Deserialize, Serialize};

/// An event as the table `audit` has it: every column, under its name there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The row's name.
    pub id: String,
    /// Whose trail it stands in.
    pub practice_id: String,
    /// When it was written, in unix milliseconds.
    pub at: i64,
    /// What happened.
    pub event: String,
    /// Who acted.
    pub actor_id: String,
    /// Whom it is about.
    pub subject_id: String,
    /// The kind of the factor, where there was one.
    pub factor: Option<String>,
    /// The client's address.
    pub address: String,
    /// The session in which it was done.
    pub session_id: Option<String>,
    /// The request in which it was done.
    pub request_id: String,
    /// Where retention was applied: the place of the last row that was removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_to: Option<i64>,
    /// The server's keyed hash of all of that, in hexadecimal; rows of releases before the chain have none.
    pub mac: Option<String>,
}

impl Row {
    /// Everything but the keyed hash, which is made of these bytes.
    ///
    /// Each column that is not NULL is its name and its value, each behind its length in eight bytes, big-endian. So no
    /// two rows have one encoding, NULL is not the empty text, and a column that a later release adds leaves the encoding
    /// of older rows as it is.
    #[must_use]
    pub fn content(&self) -> Vec<u8> {
        // The widest row that a release has written takes about 500 bytes.
        let mut bytes = Vec::with_capacity(640);
        put(&mut bytes, "id", Some(self.id.as_bytes()));
        put(&mut bytes, "practice_id", Some(self.practice_id.as_bytes()));
        put(&mut bytes, "at", Some(&self.at.to_be_bytes()));
        put(&mut bytes, "event", Some(self.event.as_bytes()));
        put(&mut bytes, "actor_id", Some(self.actor_id.as_bytes()));
        put(&mut bytes, "subject_id", Some(self.subject_id.as_bytes()));
        put(&mut bytes, "factor", self.factor.as_deref().map(str::as_bytes));
        put(&mut bytes, "address", Some(self.address.as_bytes()));
        put(&mut bytes, "session_id", self.session_id.as_deref().map(str::as_bytes));
        put(&mut bytes, "request_id", Some(self.request_id.as_bytes()));
        put(&mut bytes, "removed_to", self.removed_to.map(i64::to_be_bytes).as_ref().map(<[u8; 8]>::as_slice));
        bytes
    }

    /// Every column, in the same manner.
    #[must_use]
    pub fn encoding(&self) -> Vec<u8> {
        let mut bytes = self.content();
        put(&mut bytes, "mac", self.mac.as_deref().map(str::as_bytes));
        bytes
    }
}

fn put(bytes: &mut Vec<u8>, name: &str, value: Option<&[u8]>) {
    let Some(value) = value else { return };
    for part in [name.as_bytes(), value] {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn row() -> Row {
        Row {
            id: "1".into(),
            practice_id: "2".into(),
            at: 3,
            event: "signed-in".into(),
            actor_id: "4".into(),
            subject_id: "5".into(),
            factor: None,
            address: "192.0.2.1".into(),
            session_id: None,
            request_id: String::new(),
            removed_to: None,
            mac: None,
        }
    }

    #[test]
    fn null_is_not_the_empty_text_and_no_column_is_another() {
        let texts = [None, Some(String::new()), Some("x".to_owned())];
        let mut encodings = BTreeSet::new();
        for factor in &texts {
            for session_id in &texts {
                for mac in &texts {
                    let mac = mac.clone();
                    encodings.insert(
                        Row { factor: factor.clone(), session_id: session_id.clone(), mac, ..row() }.encoding(),
                    );
                }
            }
        }
        assert_eq!(encodings.len(), 27);
        let moved = Row { id: "12".into(), practice_id: String::new(), ..row() };
        assert_ne!(moved.encoding(), row().encoding());
    }

    #[test]
    fn the_keyed_hash_is_of_everything_else() {
        let signed = Row { mac: Some("01".into()), ..row() };
        assert_eq!(signed.content(), row().content());
        assert_ne!(signed.encoding(), row().encoding());
    }

    #[test]
    fn a_row_survives_its_text() {
        let signed = Row { mac: Some("01ab".into()), factor: Some("sms".into()), removed_to: Some(7), ..row() };
        for row in [row(), signed] {
            assert_eq!(serde_json::from_str::<Row>(&serde_json::to_string(&row).unwrap()).unwrap(), row);
        }
    }
}
