//! Verifying a practice's trail where it lies, with the server's key.

use std::cmp::Ordering;
use std::collections::VecDeque;

use tokio::task::JoinHandle;
use trail::{Fault, Finding, Hash, Head, Header, Sealed, Verdict, Verifier};

use super::seal;
use crate::store::{ChainRow, HeadRow, LinkRow, LinkedRow, MarkRow};
use crate::{Authority, StoreError, Unavailable, moment};

/// Links read at a time.
const BATCH: i64 = 2_000;
/// Batches that are read at a time: reading takes longer than looking at them.
const AHEAD: usize = 3;

/// Goes along a practice's whole chain, after sealing what waits, and names the first row that is not as it was written.
///
/// # Errors
/// [`Unavailable`].
pub async fn verify(authority: &Authority, practice_id: &str) -> Result<Verdict, Unavailable> {
    loop {
        let mark = authority.store.find_audit_mark(practice_id).await?;
        let verdict = verify_behind(authority, practice_id, mark.as_ref()).await?;
        // Retention that moved the mark on meanwhile took rows from under this walk.
        if authority.store.find_audit_mark(practice_id).await? == mark {
            return Ok(verdict);
        }
    }
}

async fn verify_behind(
    authority: &Authority,
    practice_id: &str,
    mark: Option<&MarkRow>,
) -> Result<Verdict, Unavailable> {
    // After the mark was read: the row that tells of it is sealed too. A link that somebody else made may stop the sealer; it
    // is found below.
    let _ = seal::seal_practice(authority, practice_id).await;
    let Some((seq, hash)) = authority.signer.open_mark(practice_id, mark) else {
        return Ok(Verdict::Broken(Finding { fault: Fault::Rewritten, seq: 0, row_id: None }));
    };
    let heads = authority.store.audit_heads(practice_id).await?;
    let mut walk = Walk {
        authority,
        practice_id,
        verifier: Verifier::behind(practice_id, seq, hash),
        heads: heads.into_iter().peekable(),
        seq,
        present: 0,
    };
    walk.pass_heads();
    let mut end: Option<ChainRow> = None;
    let mut reader = Reader { authority, practice_id, ahead: VecDeque::new() };
    loop {
        let links = reader.after(walk.seq).await?;
        if links.is_empty() {
            // The end after the links: whatever was sealed meanwhile lies between the two.
            let now = authority.store.find_chain(practice_id).await?;
            let is_through = now.as_ref().is_none_or(|now| now.seq <= walk.seq) || now == end;
            end = now;
            if is_through {
                break;
            }
        }
        for link in links {
            walk.pass(link);
        }
    }
    let (present, verdict) = (walk.present, walk.end(end));
    if verdict.is_unbroken()
        && let Some(row_id) = outside(authority, practice_id, present).await?
    {
        return Ok(Verdict::Broken(Finding { fault: Fault::Unsealed, seq: 0, row_id: Some(row_id) }));
    }
    Ok(verdict)
}

type Reading = JoinHandle<Result<Vec<LinkRow>, StoreError>>;

/// Reads the links of a chain, some batches ahead of whoever looks at them.
struct Reader<'a> {
    authority: &'a Authority,
    practice_id: &'a str,
    /// Behind which place each is read.
    ahead: VecDeque<(i64, Reading)>,
}

impl Reader<'_> {
    /// The links after `seq`.
    async fn after(&mut self, seq: i64) -> Result<Vec<LinkRow>, Unavailable> {
        // A batch ends where the next was thought to begin, unless places are missing or the end was there.
        if self.ahead.front().is_some_and(|(behind, _)| *behind != seq) {
            self.ahead.clear();
        }
        while self.ahead.len() < AHEAD {
            let behind = self.ahead.back().map_or(seq, |(behind, _)| behind.saturating_add(BATCH));
            let (store, practice_id) = (self.authority.store.clone(), self.practice_id.to_owned());
            let reading = tokio::spawn(async move { store.links(&practice_id, behind, BATCH).await });
            self.ahead.push_back((behind, reading));
        }
        let Some((_, reading)) = self.ahead.pop_front() else { return Err(Unavailable) };
        let links = reading.await.map_err(|_| Unavailable)??;
        if links.is_empty() {
            // What was read behind the end is older than the question whether it was the end.
            self.ahead.clear();
        }
        Ok(links)
    }
}

/// A row that never came into the chain, although it should have.
async fn outside(authority: &Authority, practice_id: &str, present: i64) -> Result<Option<String>, Unavailable> {
    if let Some(refused) = authority.store.find_refused_audit(practice_id).await? {
        return Ok(Some(refused));
    }
    // As many rows as links are no others.
    if authority.store.count_audit(practice_id).await? == present {
        return Ok(None);
    }
    Ok(authority.store.find_stray_audit(practice_id).await?)
}

/// How a head that was noted elsewhere compares with a practice's chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// The chain has that state at that place.
    Same,
    /// It has another, or no such place.
    Other,
    /// Retention has removed the place.
    Removed,
}

/// How the state that a chain is said to have at a place, by a log or an export, compares with the chain.
///
/// # Errors
/// [`Unavailable`].
pub async fn compare_head(
    authority: &Authority,
    practice_id: &str,
    seq: i64,
    hash: &Hash,
) -> Result<Compared, Unavailable> {
    let mark = authority.store.find_audit_mark(practice_id).await?;
    let Some((first, beginning)) = authority.signer.open_mark(practice_id, mark.as_ref()) else {
        return Ok(Compared::Other);
    };
    let has = match seq.cmp(&first) {
        Ordering::Less => return Ok(Compared::Removed),
        Ordering::Equal => Some(beginning),
        Ordering::Greater => {
            let links = authority.store.links(practice_id, seq - 1, 1).await?;
            links.first().filter(|link| link.seq == seq).and_then(|link| link.hash)
        }
    };
    Ok(if has == Some(*hash) { Compared::Same } else { Compared::Other })
}

/// Whether this server signed the beginning and the head of an export.
#[must_use]
pub fn has_signed(authority: &Authority, header: &Header, head: &Head) -> bool {
    authority.signer.has_signed(header, head)
}

/// On the way along a chain.
struct Walk<'a> {
    authority: &'a Authority,
    practice_id: &'a str,
    verifier: Verifier,
    heads: std::iter::Peekable<std::vec::IntoIter<HeadRow>>,
    /// The place of the last link.
    seq: i64,
    /// Rows of this practice that have a link.
    present: i64,
}

impl Walk<'_> {
    fn pass(&mut self, link: LinkRow) {
        let LinkRow { seq, audit_id, hash, row } = link;
        self.seq = seq;
        match (row, hash) {
            (LinkedRow::Gone, _) => self.verifier.fault(Fault::Missing, seq, Some(&audit_id)),
            (LinkedRow::Unreadable, _) | (LinkedRow::Found(_), None) => {
                self.verifier.fault(Fault::Altered, seq, Some(&audit_id));
            }
            (LinkedRow::Found(columns), Some(hash)) => {
                self.present += i64::from(columns.practice_id == self.practice_id);
                let sealed = Sealed { seq, hash, columns };
                self.verifier.check(&sealed);
                // A chain that was computed anew holds together; the keyed hash still names the row.
                if !self.authority.signer.has_written(&sealed.columns, moment(sealed.columns.at)) {
                    self.verifier.fault(Fault::Forged, seq, Some(&sealed.columns.id));
                }
            }
        }
        self.pass_heads();
    }

    /// Compares the heads of the place that was reached.
    fn pass_heads(&mut self) {
        let Some((seq, hash)) = self.verifier.state() else { return };
        while let Some(head) = self.heads.next_if(|head| head.seq <= seq) {
            if self.authority.signer.open_head(&head) != Some(hash) {
                self.verifier.fault(Fault::Rewritten, seq, None);
            }
        }
    }

    fn end(mut self, end: Option<ChainRow>) -> Verdict {
        let reached = self.verifier.state();
        if let Some(head) = self.heads.next() {
            // It was signed, so there were as many rows.
            self.verifier.fault(Fault::Missing, head.seq, None);
        }
        let signed = end.as_ref().and_then(|end| self.authority.signer.open_chain(end));
        let seq = end.map_or(0, |end| end.seq);
        let Some((last, beyond)) = reached.filter(|_| signed.is_none()) else {
            let hash = signed.unwrap_or_else(|| Hash::beginning(self.practice_id));
            self.verifier.end(Head { seq, hash, at: 0, signature: String::new() });
            return self.verifier.finish();
        };
        // The end was written by somebody else, so it may say anything; rows that it lacks are missing all the same.
        self.verifier.end(Head { seq: seq.max(last), hash: beyond, at: 0, signature: String::new() });
        self.verifier.fault(Fault::Rewritten, last, None);
        self.verifier.finish()
    }
}
