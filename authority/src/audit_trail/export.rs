//! A practice's trail as a file that anybody can verify without the server.

use std::fmt::Write as _;

use trail::export::FORMAT;
use trail::{Hash, Head, Header, Line, Sealed};

use super::seal;
use crate::store::LinkedRow;
use crate::{Authority, Unavailable};

/// Rows of one batch, about 700 bytes each.
const BATCH: i64 = 500;

/// An export under way. Links never change, so batches read one after the other fit together.
pub struct Export {
    practice_id: String,
    header: Option<Header>,
    head: Option<Head>,
    seq: i64,
    last_seq: i64,
}

/// Begins the export of a practice's whole trail: seals what waits and signs the end. `None` if there is no such practice.
///
/// # Errors
/// [`Unavailable`].
pub async fn export(authority: &Authority, practice_id: &str) -> Result<Option<Export>, Unavailable> {
    let Some(practice) = authority.store.find_practice(practice_id).await? else { return Ok(None) };
    let signed = seal::sign_head(authority, practice_id).await?;
    let head = signed.map(|(head, hash)| Head { seq: head.seq, hash, at: head.at, signature: head.signature });
    let header = Header {
        format: FORMAT,
        practice_id: practice.id,
        practice_name: practice.name,
        from_seq: 1,
        previous: Hash::beginning(practice_id),
        exported_at: authority.now().millis(),
    };
    // Without an end that the server wrote there is none to sign: the file has what is there, and no last line.
    let last_seq = head.as_ref().map_or(i64::MAX, |head| head.seq);
    Ok(Some(Export { practice_id: practice_id.to_owned(), header: Some(header), head, seq: 0, last_seq }))
}

impl Export {
    /// The next lines, each with its line break; `None` at the end.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn next_lines(&mut self, authority: &Authority) -> Result<Option<String>, Unavailable> {
        let mut text = String::new();
        if let Some(header) = self.header.take() {
            add(&mut text, &Line::Header(header));
        }
        let mut links = authority.store.links(&self.practice_id, self.seq, BATCH).await?;
        links.retain(|link| link.seq <= self.last_seq);
        let is_end = links.is_empty();
        for link in links {
            self.seq = link.seq;
            // What cannot be read is left out, and so is missing for whoever verifies the file.
            if let (LinkedRow::Found(columns), Some(hash)) = (link.row, link.hash) {
                add(&mut text, &Line::Row(Sealed { seq: link.seq, hash, columns }));
            }
        }
        if is_end && let Some(head) = self.head.take() {
            add(&mut text, &Line::Head(head));
        }
        Ok((!text.is_empty() || !is_end).then_some(text))
    }
}

fn add(text: &mut String, line: &Line) {
    // Writing to a string cannot fail, and every value in a line is text or a number.
    let _ = writeln!(text, "{line}");
}
