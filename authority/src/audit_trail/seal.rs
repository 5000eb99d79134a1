//! The sealer: it links rows to the chain of their practice.

use std::time::Duration;

use trail::Hash;

use crate::store::{ChainRow, HeadRow, UnsealedRow};
use crate::{Authority, Unavailable, moment};

/// Rows of one transaction. On `SQLite` it keeps other writers waiting for some milliseconds.
const BATCH: i64 = 200;
/// A head is signed when this much time has gone by since the last.
const HEAD_EVERY: Duration = Duration::from_hours(1);

/// What a round of sealing came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Round {
    /// Rows that got their link.
    pub sealed: usize,
    /// Practices whose chain the sealer does not build on, for its end is not the one that the server wrote.
    pub blocked: Vec<String>,
}

/// What became of one batch.
enum Batch {
    Sealed(usize),
    /// There was nothing to seal.
    Empty,
    /// Another sealer was first; what is left is to be looked at again.
    Overtaken,
    Blocked,
}

/// Seals whatever waits, of every practice.
///
/// Several may run at a time, in one process or in many: each batch moves the end of its chain on by one statement that
/// names the end it builds on, so of two that build on one end the second changes nothing.
///
/// # Errors
/// [`Unavailable`].
pub async fn seal(authority: &Authority) -> Result<Round, Unavailable> {
    let mut round = Round::default();
    for practice_id in authority.store.practices_to_seal().await? {
        match seal_practice(authority, &practice_id).await? {
            Some(sealed) => round.sealed += sealed,
            None => round.blocked.push(practice_id),
        }
    }
    Ok(round)
}

/// Seals what waits of one practice; `None` if its chain is blocked.
pub(super) async fn seal_practice(authority: &Authority, practice_id: &str) -> Result<Option<usize>, Unavailable> {
    let mut sealed = 0;
    loop {
        match seal_batch(authority, practice_id).await? {
            Batch::Sealed(count) => sealed += count,
            Batch::Overtaken => {}
            Batch::Empty => return Ok(Some(sealed)),
            Batch::Blocked => return Ok(None),
        }
    }
}

async fn seal_batch(authority: &Authority, practice_id: &str) -> Result<Batch, Unavailable> {
    // The end before the rows: whoever seals one of them in between moves the end on, and this batch comes to nothing.
    let Some(chain) = find_chain(authority, practice_id).await? else { return Ok(Batch::Blocked) };
    let waiting = authority.store.unsealed_rows(practice_id, BATCH).await?;
    if waiting.is_empty() {
        return Ok(Batch::Empty);
    }
    let Some(mut hash) = authority.signer.open_chain(&chain) else { return Ok(Batch::Blocked) };
    let now = authority.now();
    let (mut seq, mut last_at) = (chain.seq, i64::MIN);
    let (mut links, mut requeued, mut refused) = (Vec::new(), Vec::new(), Vec::new());
    for UnsealedRow { at, audit_id, has_link, row } in &waiting {
        if *has_link {
            requeued.push((*at, audit_id));
            continue;
        }
        // Whatever else stands there now, it is not what the server wrote.
        match row.as_ref().filter(|row| row.practice_id == practice_id && authority.signer.has_written(row, now)) {
            Some(row) => {
                seq += 1;
                hash = hash.then(row);
                last_at = *at;
                links.push((seq, hash, audit_id));
            }
            None => refused.push(audit_id),
        }
    }
    let is_due = chain.head_at.is_none_or(|at| moment(at) + HEAD_EVERY <= now);
    let head = (is_due && !links.is_empty()).then(|| authority.signer.head(practice_id, seq, &hash, now.millis()));
    let head_at = head.as_ref().map(|head| head.at).or(chain.head_at);

    let mut write = authority.store.write().await?;
    if !write.move_chain(&chain, &authority.signer.chain(practice_id, seq, &hash, head_at)).await? {
        return Ok(Batch::Overtaken);
    }
    for (seq, hash, audit_id) in &links {
        write.insert_link(practice_id, *seq, audit_id, hash).await?;
    }
    write.delete_sealed(practice_id, chain.seq, last_at).await?;
    for (at, audit_id) in requeued {
        write.delete_unsealed(practice_id, at, audit_id).await?;
    }
    for audit_id in &refused {
        write.refuse_unsealed(practice_id, audit_id, now.millis()).await?;
    }
    if let Some(head) = &head {
        write.insert_audit_head(head).await?;
    }
    write.commit().await?;

    for audit_id in refused {
        tracing::error!(
            event = "audit_row_refused",
            practice = practice_id,
            id = audit_id.as_str(),
            "an audit row was altered, inserted or removed before it was sealed"
        );
    }
    if let Some(head) = &head {
        tell(head);
    }
    Ok(Batch::Sealed(links.len()))
}

/// The end of a practice's chain. Programs of the release before make practices without one; they get it here as long as
/// such programs may run.
async fn find_chain(authority: &Authority, practice_id: &str) -> Result<Option<ChainRow>, Unavailable> {
    let found = authority.store.find_chain(practice_id).await?;
    if found.is_some() || !authority.signer.takes_unsigned(authority.now()) {
        return Ok(found);
    }
    let mut write = authority.store.write().await?;
    write.insert_chain(&authority.signer.beginning(practice_id)).await?;
    write.commit().await?;
    Ok(authority.store.find_chain(practice_id).await?)
}

/// Seals what waits, and signs the end; `None` if the chain is blocked.
pub(super) async fn sign_head(
    authority: &Authority,
    practice_id: &str,
) -> Result<Option<(HeadRow, Hash)>, Unavailable> {
    loop {
        seal_practice(authority, practice_id).await?;
        let Some(chain) = authority.store.find_chain(practice_id).await? else { return Ok(None) };
        let Some(hash) = authority.signer.open_chain(&chain) else { return Ok(None) };
        if let Some(head) = authority.store.find_audit_head(practice_id, chain.seq).await?
            && authority.signer.open_head(&head) == Some(hash)
        {
            return Ok(Some((head, hash)));
        }
        let head = authority.signer.head(practice_id, chain.seq, &hash, authority.now().millis());
        let mut write = authority.store.write().await?;
        if write.move_chain(&chain, &authority.signer.chain(practice_id, chain.seq, &hash, Some(head.at))).await? {
            write.insert_audit_head(&head).await?;
            write.commit().await?;
            tell(&head);
            return Ok(Some((head, hash)));
        }
    }
}

/// A log that is kept elsewhere is an anchor: a chain that was begun anew does not have this end.
fn tell(head: &HeadRow) {
    tracing::info!(
        event = "audit_head",
        practice = head.practice_id,
        seq = head.seq,
        hash = head.hash,
        "an audit head"
    );
}
