//! Audit rows and their links: inserted and read, never changed, and deleted by retention alone.

mod at_once;

use sqlx::any::AnyRow;
use sqlx::{FromRow, Row as _};
use trail::{Hash, Row};

use super::{Store, Write};

const MARK: &str = "SELECT practice_id, seq, hash, at, signature FROM audit_mark WHERE practice_id = $1";

/// Events with the names of their people.
macro_rules! events {
    ($which:literal) => {
        concat!(
            "SELECT a.id, a.at, a.event, a.actor_id, actor.username AS actor_username, a.subject_id,
                    subject.username AS subject_username, a.factor, a.address, a.session_id, a.request_id
             FROM audit a
             LEFT JOIN account actor ON actor.id = a.actor_id AND actor.practice_id = a.practice_id
             LEFT JOIN account subject ON subject.id = a.subject_id AND subject.practice_id = a.practice_id ",
            $which
        )
    };
}

/// A row that has no link yet.
pub(crate) struct UnsealedRow {
    pub(crate) at: i64,
    pub(crate) audit_id: String,
    /// Somebody put it into the queue again.
    pub(crate) has_link: bool,
    /// `None` if it is gone, or holds what no release writes.
    pub(crate) row: Option<Row>,
}

/// A link with its row.
pub(crate) struct LinkRow {
    pub(crate) seq: i64,
    pub(crate) audit_id: String,
    /// `None` if it is no hash.
    pub(crate) hash: Option<Hash>,
    pub(crate) row: LinkedRow,
}

/// What stands in `audit` for a link.
#[expect(clippy::large_enum_variant, reason = "nearly every one is the large one")]
pub(crate) enum LinkedRow {
    Found(Row),
    Gone,
    /// A column holds what no release writes. `SQLite` takes any value in any column.
    Unreadable,
}

/// The end of a practice's chain.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ChainRow {
    pub(crate) practice_id: String,
    pub(crate) seq: i64,
    pub(crate) hash: String,
    pub(crate) head_at: Option<i64>,
    pub(crate) mac: String,
}

/// A signed end of a chain.
#[derive(Clone)]
pub(crate) struct HeadRow {
    pub(crate) practice_id: String,
    pub(crate) seq: i64,
    pub(crate) hash: String,
    pub(crate) at: i64,
    pub(crate) signature: String,
}

/// Where a chain begins, once retention has removed what was before: the last place that was removed.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct MarkRow {
    pub(crate) practice_id: String,
    pub(crate) seq: i64,
    pub(crate) hash: String,
    pub(crate) at: i64,
    pub(crate) signature: String,
}

/// Which events are looked for. An empty text stands for any.
pub(crate) struct AuditFilter<'a> {
    pub(crate) practice_id: &'a str,
    /// From this moment on, and before that one.
    pub(crate) from: i64,
    pub(crate) to: i64,
    pub(crate) account_id: &'a str,
    pub(crate) event: &'a str,
    /// Before this row in the order of time and id.
    pub(crate) before_at: i64,
    pub(crate) before_id: &'a str,
}

/// An event with the names of its people.
#[derive(FromRow)]
pub(crate) struct FoundRow {
    pub(crate) id: String,
    pub(crate) at: i64,
    pub(crate) event: String,
    pub(crate) actor_id: String,
    pub(crate) actor_username: Option<String>,
    pub(crate) subject_id: String,
    pub(crate) subject_username: Option<String>,
    pub(crate) factor: Option<String>,
    pub(crate) address: String,
    pub(crate) session_id: Option<String>,
    pub(crate) request_id: String,
}

/// The columns of `audit` that begin at `first`.
fn columns(row: &AnyRow, first: usize) -> Result<Row, sqlx::Error> {
    Ok(Row {
        id: row.try_get(first)?,
        practice_id: row.try_get(first + 1)?,
        at: row.try_get(first + 2)?,
        event: row.try_get(first + 3)?,
        actor_id: row.try_get(first + 4)?,
        subject_id: row.try_get(first + 5)?,
        factor: row.try_get(first + 6)?,
        address: row.try_get(first + 7)?,
        session_id: row.try_get(first + 8)?,
        request_id: row.try_get(first + 9)?,
        removed_to: row.try_get(first + 10)?,
        mac: row.try_get(first + 11)?,
    })
}

// `SQLite` takes any value in any column. What cannot be read is what no keyed hash fits, so that verifying names it
// instead of failing.

impl FromRow<'_, AnyRow> for UnsealedRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let at = row.try_get(0).ok();
        let columns = at.and_then(|_| columns(row, 3).ok());
        let link: Option<String> = row.try_get(2)?;
        Ok(Self { at: at.unwrap_or_default(), audit_id: row.try_get(1)?, has_link: link.is_some(), row: columns })
    }
}

impl FromRow<'_, AnyRow> for LinkRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let hash: Option<String> = row.try_get(2).ok();
        let linked = match columns(row, 3) {
            Ok(found) => LinkedRow::Found(found),
            Err(_) if matches!(row.try_get::<Option<String>, _>(3), Ok(None)) => LinkedRow::Gone,
            Err(_) => LinkedRow::Unreadable,
        };
        Ok(Self {
            seq: row.try_get(0).unwrap_or(i64::MAX),
            audit_id: row.try_get(1).unwrap_or_default(),
            hash: hash.and_then(|hash| hash.parse().ok()),
            row: linked,
        })
    }
}

impl FromRow<'_, AnyRow> for ChainRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            practice_id: row.try_get(0)?,
            seq: row.try_get(1).unwrap_or(i64::MAX),
            hash: row.try_get(2).unwrap_or_default(),
            head_at: row.try_get(3).unwrap_or_default(),
            mac: row.try_get(4).unwrap_or_default(),
        })
    }
}

impl FromRow<'_, AnyRow> for HeadRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            practice_id: row.try_get(0)?,
            seq: row.try_get(1).unwrap_or(i64::MAX),
            hash: row.try_get(2).unwrap_or_default(),
            at: row.try_get(3).unwrap_or_default(),
            signature: row.try_get(4).unwrap_or_default(),
        })
    }
}

impl FromRow<'_, AnyRow> for MarkRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            practice_id: row.try_get(0)?,
            seq: row.try_get(1).unwrap_or(i64::MAX),
            hash: row.try_get(2).unwrap_or_default(),
            at: row.try_get(3).unwrap_or_default(),
            signature: row.try_get(4).unwrap_or_default(),
        })
    }
}

impl Store {
    /// Practices with rows that wait for the sealer.
    pub(crate) async fn practices_to_seal(&self) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT DISTINCT practice_id FROM audit_unsealed WHERE refused_at IS NULL ORDER BY practice_id",
        )
        .fetch_all(&self.pool)
        .await
    }

    /// The first of them, in the order in which they are sealed.
    pub(crate) async fn unsealed_rows(&self, practice_id: &str, most: i64) -> Result<Vec<UnsealedRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT u.at, u.audit_id, l.audit_id, a.id, a.practice_id, a.at, a.event, a.actor_id, a.subject_id, a.factor,
                    a.address, a.session_id, a.request_id, a.removed_to, a.mac
             FROM audit_unsealed u LEFT JOIN audit a ON a.id = u.audit_id
             LEFT JOIN audit_link l ON l.audit_id = u.audit_id
             WHERE u.practice_id = $1 AND u.refused_at IS NULL ORDER BY u.at, u.audit_id LIMIT $2",
        )
        .bind(practice_id)
        .bind(most)
        .fetch_all(&self.pool)
        .await
    }

    /// The links after `seq` with their rows, in their order.
    pub(crate) async fn links(&self, practice_id: &str, seq: i64, most: i64) -> Result<Vec<LinkRow>, sqlx::Error> {
        if let Some(links) = self.links_at_once(practice_id, seq, most).await {
            return Ok(links);
        }
        sqlx::query_as(
            "SELECT l.seq, l.audit_id, l.hash, a.id, a.practice_id, a.at, a.event, a.actor_id, a.subject_id, a.factor,
                    a.address, a.session_id, a.request_id, a.removed_to, a.mac
             FROM audit_link l LEFT JOIN audit a ON a.id = l.audit_id
             WHERE l.practice_id = $1 AND l.seq > $2 ORDER BY l.seq LIMIT $3",
        )
        .bind(practice_id)
        .bind(seq)
        .bind(most)
        .fetch_all(&self.pool)
        .await
    }

    /// The end of a practice's chain.
    pub(crate) async fn find_chain(&self, practice_id: &str) -> Result<Option<ChainRow>, sqlx::Error> {
        sqlx::query_as("SELECT practice_id, seq, hash, head_at, mac FROM audit_chain WHERE practice_id = $1")
            .bind(practice_id)
            .fetch_optional(&self.pool)
            .await
    }

    /// Every signed head of a practice, in the order of the chain.
    pub(crate) async fn audit_heads(&self, practice_id: &str) -> Result<Vec<HeadRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT practice_id, seq, hash, at, signature FROM audit_head WHERE practice_id = $1 ORDER BY seq",
        )
        .bind(practice_id)
        .fetch_all(&self.pool)
        .await
    }

    /// The signed head at one place.
    pub(crate) async fn find_audit_head(&self, practice_id: &str, seq: i64) -> Result<Option<HeadRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT practice_id, seq, hash, at, signature FROM audit_head WHERE practice_id = $1 AND seq = $2",
        )
        .bind(practice_id)
        .bind(seq)
        .fetch_optional(&self.pool)
        .await
    }

    /// Where a practice's chain begins; `None` for the first row.
    pub(crate) async fn find_audit_mark(&self, practice_id: &str) -> Result<Option<MarkRow>, sqlx::Error> {
        sqlx::query_as(MARK).bind(practice_id).fetch_optional(&self.pool).await
    }

    /// How many rows a practice's trail has.
    pub(crate) async fn count_audit(&self, practice_id: &str) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE practice_id = $1")
            .bind(practice_id)
            .fetch_one(&self.pool)
            .await
    }

    /// The first row that has neither a link nor a place in the queue.
    pub(crate) async fn find_stray_audit(&self, practice_id: &str) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT a.id FROM audit a LEFT JOIN audit_link l ON l.audit_id = a.id
             LEFT JOIN audit_unsealed u ON u.practice_id = a.practice_id AND u.at = a.at AND u.audit_id = a.id
             WHERE a.practice_id = $1 AND l.audit_id IS NULL AND u.audit_id IS NULL ORDER BY a.at, a.id LIMIT 1",
        )
        .bind(practice_id)
        .fetch_optional(&self.pool)
        .await
    }

    /// The first row that the sealer refused.
    pub(crate) async fn find_refused_audit(&self, practice_id: &str) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT audit_id FROM audit_unsealed WHERE practice_id = $1 AND refused_at IS NOT NULL
             ORDER BY at, audit_id LIMIT 1",
        )
        .bind(practice_id)
        .fetch_optional(&self.pool)
        .await
    }

    /// Events of a practice, newest first.
    pub(crate) async fn search_audit(&self, filter: &AuditFilter<'_>, most: i64) -> Result<Vec<FoundRow>, sqlx::Error> {
        sqlx::query_as(events!(
            "WHERE a.practice_id = $1 AND a.at >= $2 AND a.at < $3
               AND ($4 = '' OR a.actor_id = $4 OR a.subject_id = $4) AND ($5 = '' OR a.event = $5)
               AND a.at <= $6 AND (a.at < $6 OR a.id < $7)
             ORDER BY a.at DESC, a.id DESC LIMIT $8"
        ))
        .bind(filter.practice_id)
        .bind(filter.from)
        .bind(filter.to)
        .bind(filter.account_id)
        .bind(filter.event)
        .bind(filter.before_at)
        .bind(filter.before_id)
        .bind(most)
        .fetch_all(&self.pool)
        .await
    }

    /// Events of which a person of the practice is the subject, newest first, before the row of that time and id.
    pub(crate) async fn audit_about(
        &self,
        practice_id: &str,
        account_id: &str,
        (before_at, before_id): (i64, &str),
        most: i64,
    ) -> Result<Vec<FoundRow>, sqlx::Error> {
        sqlx::query_as(events!(
            "WHERE a.practice_id = $1 AND a.subject_id = $2 AND a.at <= $3 AND (a.at < $3 OR a.id < $4)
             ORDER BY a.at DESC, a.id DESC LIMIT $5"
        ))
        .bind(practice_id)
        .bind(account_id)
        .bind(before_at)
        .bind(before_id)
        .bind(most)
        .fetch_all(&self.pool)
        .await
    }
}

impl Write {
    /// Writes an event into this transaction.
    pub(crate) async fn insert_audit(&mut self, row: &Row) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO audit (id, practice_id, at, event, actor_id, subject_id, factor, address, session_id, request_id,
                                removed_to, mac)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        )
        .bind(&row.id)
        .bind(&row.practice_id)
        .bind(row.at)
        .bind(&row.event)
        .bind(&row.actor_id)
        .bind(&row.subject_id)
        .bind(&row.factor)
        .bind(&row.address)
        .bind(&row.session_id)
        .bind(&row.request_id)
        .bind(row.removed_to)
        .bind(&row.mac)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Begins a chain, unless it has begun.
    pub(crate) async fn insert_chain(&mut self, chain: &ChainRow) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO audit_chain (practice_id, seq, hash, head_at, mac) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (practice_id) DO NOTHING",
        )
        .bind(&chain.practice_id)
        .bind(chain.seq)
        .bind(&chain.hash)
        .bind(chain.head_at)
        .bind(&chain.mac)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Moves the end of a chain on; false if another sealer was first. Locks it until the commit.
    pub(crate) async fn move_chain(&mut self, from: &ChainRow, to: &ChainRow) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE audit_chain SET seq = $4, hash = $5, head_at = $6, mac = $7
             WHERE practice_id = $1 AND seq = $2 AND mac = $3",
        )
        .bind(&from.practice_id)
        .bind(from.seq)
        .bind(&from.mac)
        .bind(to.seq)
        .bind(&to.hash)
        .bind(to.head_at)
        .bind(&to.mac)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Links a row.
    pub(crate) async fn insert_link(
        &mut self,
        practice_id: &str,
        seq: i64,
        audit_id: &str,
        hash: &Hash,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO audit_link (practice_id, seq, audit_id, hash) VALUES ($1, $2, $3, $4)")
            .bind(practice_id)
            .bind(seq)
            .bind(audit_id)
            .bind(hash.to_string())
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Takes the rows out of the queue that were linked after `seq`, the last of which was written at `at`.
    pub(crate) async fn delete_sealed(&mut self, practice_id: &str, seq: i64, at: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "DELETE FROM audit_unsealed WHERE practice_id = $1 AND at <= $2
             AND audit_id IN (SELECT audit_id FROM audit_link WHERE practice_id = $1 AND seq > $3)",
        )
        .bind(practice_id)
        .bind(at)
        .bind(seq)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Takes a row out of the queue that has its link already.
    pub(crate) async fn delete_unsealed(
        &mut self,
        practice_id: &str,
        at: i64,
        audit_id: &str,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM audit_unsealed WHERE practice_id = $1 AND at = $2 AND audit_id = $3")
            .bind(practice_id)
            .bind(at)
            .bind(audit_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Leaves a row in the queue as one that is never sealed.
    pub(crate) async fn refuse_unsealed(
        &mut self,
        practice_id: &str,
        audit_id: &str,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE audit_unsealed SET refused_at = $3
             WHERE practice_id = $1 AND audit_id = $2 AND refused_at IS NULL",
        )
        .bind(practice_id)
        .bind(audit_id)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Keeps a signed head, unless there is one of that place.
    pub(crate) async fn insert_audit_head(&mut self, head: &HeadRow) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO audit_head (practice_id, seq, hash, at, signature) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (practice_id, seq) DO NOTHING",
        )
        .bind(&head.practice_id)
        .bind(head.seq)
        .bind(&head.hash)
        .bind(head.at)
        .bind(&head.signature)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Where a practice's chain begins, in this transaction.
    pub(crate) async fn find_audit_mark(&mut self, practice_id: &str) -> Result<Option<MarkRow>, sqlx::Error> {
        sqlx::query_as(MARK).bind(practice_id).fetch_optional(self.connection()).await
    }

    /// Moves the beginning of a chain on. The database refuses a place that may not be one (see `guard`).
    pub(crate) async fn set_audit_mark(&mut self, mark: &MarkRow) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO audit_mark (practice_id, seq, hash, at, signature) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (practice_id) DO UPDATE
             SET seq = excluded.seq, hash = excluded.hash, at = excluded.at, signature = excluded.signature",
        )
        .bind(&mark.practice_id)
        .bind(mark.seq)
        .bind(&mark.hash)
        .bind(mark.at)
        .bind(&mark.signature)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Deletes what lies before the beginning of a practice's chain: rows, their links, and the heads of those places.
    pub(crate) async fn delete_before_mark(&mut self, mark: &MarkRow) -> Result<(), sqlx::Error> {
        // Rows before links: by its link the database knows that a row may go (see `guard`).
        for statement in [
            "DELETE FROM audit WHERE id IN (SELECT audit_id FROM audit_link WHERE practice_id = $1 AND seq <= $2)",
            "DELETE FROM audit_link WHERE practice_id = $1 AND seq <= $2",
            "DELETE FROM audit_head WHERE practice_id = $1 AND seq <= $2",
        ] {
            sqlx::query(statement).bind(&mark.practice_id).bind(mark.seq).execute(self.connection()).await?;
        }
        Ok(())
    }

    /// How many events there are, of all practices.
    pub(crate) async fn count_all_audit(&mut self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT COUNT(*) FROM audit").fetch_one(self.connection()).await
    }

    /// Queues every row that has no link: those of releases before the chain.
    pub(crate) async fn queue_unlinked_audit(&mut self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO audit_unsealed (practice_id, at, audit_id)
             SELECT a.practice_id, a.at, a.id FROM audit a LEFT JOIN audit_link l ON l.audit_id = a.id
             WHERE l.audit_id IS NULL ON CONFLICT DO NOTHING",
        )
        .execute(self.connection())
        .await
        .map(|_| ())
    }
}
