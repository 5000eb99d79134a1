//! A practice's trail as a file that anybody can verify without the server.

use std::fmt::Write as _;

use trail::export::FORMAT;
use trail::{Hash, Head, Header, Line, Mark, Sealed};

use super::seal;
use crate::store::LinkedRow;
use crate::{Authority, Unavailable};

/// Rows of one batch, about 700 bytes each.
const BATCH: i64 = 500;

/// An export under way. Links never change, so batches read one after the other fit together.
pub struct Export {
    /// Behind which place the chain began.
    begun: i64,
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
    // Before sealing: the row that tells of the mark is in the file too. Without a mark that the server signed the file
    // begins with the first row, which is missing then.
    let mark = authority.store.find_audit_mark(practice_id).await?;
    let opened = mark.as_ref().zip(authority.signer.open_mark(practice_id, mark.as_ref()));
    let signed = seal::sign_head(authority, practice_id).await?;
    let head = signed.map(|(head, hash)| Head { seq: head.seq, hash, at: head.at, signature: head.signature });
    let (seq, previous) = opened.map_or((0, Hash::beginning(practice_id)), |(_, beginning)| beginning);
    let header = Header {
        format: FORMAT,
        practice_id: practice.id,
        practice_name: practice.name,
        from_seq: seq + 1,
        previous,
        mark: opened.map(|(mark, _)| Mark { at: mark.at, signature: mark.signature.clone() }),
        exported_at: authority.now().millis(),
    };
    // Without an end that the server wrote there is none to sign: the file has what is there, and no last line.
    let last_seq = head.as_ref().map_or(i64::MAX, |head| head.seq);
    let begun = mark.map_or(0, |mark| mark.seq);
    Ok(Some(Export { begun, practice_id: practice_id.to_owned(), header: Some(header), head, seq, last_seq }))
}

impl Export {
    /// The next lines, each with its line break; `None` at the end.
    ///
    /// # Errors
    /// [`Unavailable`]; also if retention removed rows that were not read yet. Another export begins behind them.
    pub async fn next_lines(&mut self, authority: &Authority) -> Result<Option<String>, Unavailable> {
        let mut text = String::new();
        if let Some(header) = self.header.take() {
            add(&mut text, &Line::Header(header));
        }
        let mut links = authority.store.links(&self.practice_id, self.seq, BATCH).await?;
        // Rows that retention took from under this export would be missing in the file.
        let begins = authority.store.find_audit_mark(&self.practice_id).await?.map_or(0, |mark| mark.seq);
        if begins > self.seq.max(self.begun) {
            return Err(Unavailable);
        }
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
