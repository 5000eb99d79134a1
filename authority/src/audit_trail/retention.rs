//! How long a practice keeps its trail, and the removal of what is older.
//!
//! Rows go from the old end of a chain alone, in its order, in one transaction with a row that says so and a mark that says
//! where the chain begins now (`docs/adr/0010-audit-chain.md`).

use std::time::Duration;

use domain::{Date, Timestamp};
use trail::{Hash, Sealed, Verifier};

use super::verify;
use crate::audit::{self, Event};
use crate::sessions::Administrator;
use crate::store::{LinkRow, LinkedRow, MarkRow, PracticeRow};
use crate::{Authority, Unavailable, Visitor, moment};

/// What the law asks for (45 CFR 164.316(b)(2)(i); requirements.md AU-8).
pub const MIN_YEARS: i64 = 6;
/// More is a slip of the pen.
pub const MAX_YEARS: i64 = 100;
/// No year is longer, so nothing goes too early.
const YEAR: Duration = Duration::from_hours(366 * 24);
/// Rows of one transaction. On `SQLite` it keeps other writers waiting for some milliseconds.
const BATCH: i64 = 500;

/// Why the time is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RetentionError {
    /// Below [`MIN_YEARS`], or above [`MAX_YEARS`].
    #[error("a trail is kept for 6 to 100 years")]
    InvalidYears,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// How many years a practice keeps its trail.
///
/// # Errors
/// [`Unavailable`].
pub async fn retention_years(authority: &Authority, practice_id: &str) -> Result<i64, Unavailable> {
    let practice = authority.store.find_practice(practice_id).await?.ok_or(Unavailable)?;
    Ok(practice.audit_retention_years)
}

/// Sets how many years the administrator's practice keeps its trail.
///
/// # Errors
/// [`RetentionError`].
pub async fn set_retention_years(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    years: i64,
) -> Result<(), RetentionError> {
    if !(MIN_YEARS..=MAX_YEARS).contains(&years) {
        return Err(RetentionError::InvalidYears);
    }
    let mut write = authority.store.write().await?;
    write.set_audit_retention(administrator.practice_id(), years).await?;
    let subject = administrator.signed_in().into();
    audit::record(authority, &mut write, visitor, subject, Event::AuditRetentionChanged, None).await?;
    Ok(write.commit().await?)
}

/// What applying retention came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows that were removed, of all practices.
    pub removed: i64,
    /// Practices with rows that are old enough and stay, for the trail is not whole: they are evidence.
    pub blocked: Vec<String>,
}

/// What became of one practice, or of one batch.
enum Removal {
    Removed(i64),
    /// The trail is not as it was written.
    Blocked,
}

/// Removes from the trail of each practice what is older than the practice keeps, by whole days. A trail that is not whole
/// keeps everything.
///
/// Several may run at a time, in one process or in many.
///
/// # Errors
/// [`Unavailable`].
pub async fn apply_retention(authority: &Authority) -> Result<Applied, Unavailable> {
    let mut applied = Applied::default();
    for practice in authority.store.practices().await? {
        match remove(authority, &practice).await? {
            Removal::Removed(rows) => applied.removed += rows,
            Removal::Blocked => applied.blocked.push(practice.id),
        }
    }
    Ok(applied)
}

/// The first moment that the practice keeps.
fn kept_from(practice: &PracticeRow, now: Timestamp) -> Timestamp {
    // Never less than the law asks for, whatever somebody wrote into the database.
    let years = u32::try_from(practice.audit_retention_years.clamp(MIN_YEARS, MAX_YEARS)).unwrap_or(u32::MAX);
    Date::of(now - YEAR * years).start()
}

async fn remove(authority: &Authority, practice: &PracticeRow) -> Result<Removal, Unavailable> {
    let kept_from = kept_from(practice, authority.now());
    let mark = authority.store.find_audit_mark(&practice.id).await?;
    let first = authority.store.links(&practice.id, mark.map_or(0, |mark| mark.seq), 1).await?;
    if first.first().is_none_or(|link| is_kept(link, kept_from)) {
        return Ok(Removal::Removed(0));
    }
    if !verify::verify(authority, &practice.id).await?.is_unbroken() {
        return Ok(Removal::Blocked);
    }
    let mut removed = 0;
    loop {
        match remove_batch(authority, practice, kept_from).await? {
            Removal::Removed(0) => return Ok(Removal::Removed(removed)),
            Removal::Removed(rows) => removed += rows,
            Removal::Blocked => return Ok(Removal::Blocked),
        }
    }
}

/// Whether a row is young enough. One that is gone is looked at by the verifier.
fn is_kept(link: &LinkRow, kept_from: Timestamp) -> bool {
    matches!(&link.row, LinkedRow::Found(row) if moment(row.at) >= kept_from)
}

async fn remove_batch(
    authority: &Authority,
    practice: &PracticeRow,
    kept_from: Timestamp,
) -> Result<Removal, Unavailable> {
    let practice_id = practice.id.as_str();
    let mark = authority.store.find_audit_mark(practice_id).await?;
    let Some(Batch { first, last, hash }) = find_batch(authority, practice_id, mark.as_ref(), kept_from).await? else {
        // Another process that moved the mark on meanwhile took rows from under this look, and goes on.
        let is_overtaken = authority.store.find_audit_mark(practice_id).await? != mark;
        return Ok(if is_overtaken { Removal::Removed(0) } else { Removal::Blocked });
    };
    if last == first {
        return Ok(Removal::Removed(0));
    }

    let mut write = authority.store.write().await?;
    // Under the practice's lock: another process that was first has moved the mark, and an administrator may have chosen to
    // keep more meanwhile.
    write.lock_practice(practice_id).await?;
    let years = write.find_practice(practice_id).await?.map(|practice| practice.audit_retention_years);
    if years != Some(practice.audit_retention_years) || write.find_audit_mark(practice_id).await? != mark {
        return Ok(Removal::Removed(0));
    }
    let at = audit::record_removal(authority, &mut write, practice_id, last).await?;
    let mark = authority.signer.mark(practice_id, last, &hash, at);
    write.set_audit_mark(&mark).await?;
    write.delete_before_mark(&mark).await?;
    write.commit().await?;
    tracing::info!(
        event = "audit_retention_applied",
        practice = practice_id,
        seq = mark.seq,
        hash = mark.hash,
        "audit rows were removed for their age"
    );
    Ok(Removal::Removed(last - first))
}

/// Rows that are old enough: those after `first`, to `last`, behind which the chain has the state `hash`.
struct Batch {
    first: i64,
    last: i64,
    hash: Hash,
}

/// The next rows to remove; `None` if one of them is not as it was written. Looked at once more here, for what is removed now
/// cannot be looked at later.
async fn find_batch(
    authority: &Authority,
    practice_id: &str,
    mark: Option<&MarkRow>,
    kept_from: Timestamp,
) -> Result<Option<Batch>, Unavailable> {
    let Some((first, hash)) = authority.signer.open_mark(practice_id, mark) else { return Ok(None) };
    let mut verifier = Verifier::behind(practice_id, first, hash);
    for link in authority.store.links(practice_id, first, BATCH).await? {
        if is_kept(&link, kept_from) {
            break;
        }
        let (LinkedRow::Found(columns), Some(hash)) = (link.row, link.hash) else { return Ok(None) };
        if !authority.signer.has_written(&columns, moment(columns.at)) {
            return Ok(None);
        }
        verifier.check(&Sealed { seq: link.seq, hash, columns });
    }
    Ok(verifier.state().map(|(last, hash)| Batch { first, last, hash }))
}
