//! The audit trail as evidence: sealing, verifying, exporting and searching it, and removing what need not be kept.
//!
//! Rows are written by [`crate::audit`], in the transaction of their change, and by nobody ever changed. Here they are
//! linked to a chain of hashes, one chain for each practice. Whoever writes an event waits for no chain: a sealer, which any
//! number of replicas may run, links the rows afterwards. `docs/adr/0010-audit-chain.md` says why, and what it shows.

mod export;
mod retention;
mod seal;
mod search;
mod verify;

pub use export::{Export, export};
pub use retention::{
    Applied, MAX_YEARS, MIN_YEARS, RetentionError, apply_retention, retention_years, set_retention_years,
};
pub use seal::{Round, seal};
pub use search::{Cursor, Entry, EventName, Filter, PAGE, Page, Person, about, events, search};
pub use trail::{Fault, Finding, Hash, Head, Header, Verdict};
pub use verify::{Compared, compare_head, has_signed, verify};

use crate::audit::{self, Event, Subject};
use crate::{Administrator, Authority, Unavailable, Visitor};

/// A practice, as commands name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Practice {
    /// Its id.
    pub id: String,
    /// Its name, which another may have too.
    pub name: String,
}

/// Every practice, in the order of their names. For the operator's commands.
///
/// # Errors
/// [`Unavailable`].
pub async fn practices(authority: &Authority) -> Result<Vec<Practice>, Unavailable> {
    let rows = authority.store.practices().await?;
    Ok(rows.into_iter().map(|row| Practice { id: row.id, name: row.name }).collect())
}

/// Writes that an administrator takes a file of that name away.
///
/// # Errors
/// [`Unavailable`].
pub async fn note_export(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    file: &'static str,
) -> Result<(), Unavailable> {
    let subject = Subject { account_id: file, ..Subject::from(administrator.signed_in()) };
    Ok(audit::record_alone(authority, visitor, subject, Event::Exported, None).await?)
}
