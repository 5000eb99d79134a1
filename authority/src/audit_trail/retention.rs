//! How long a practice keeps its trail.

use crate::audit::{self, Event};
use crate::sessions::Administrator;
use crate::{Authority, Unavailable, Visitor};

/// What the law asks for (45 CFR 164.316(b)(2)(i); requirements.md AU-8).
pub const MIN_YEARS: i64 = 6;
/// More is a slip of the pen.
pub const MAX_YEARS: i64 = 100;

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

/// Sets how many years the administrator's practice keeps its trail. Nothing is removed in this release, before that time or after.
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
