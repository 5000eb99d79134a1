//! Audit rows: inserted and read, never changed or deleted.

use super::Write;

/// One event.
pub(crate) struct AuditRow<'a> {
    pub(crate) id: &'a str,
    pub(crate) practice_id: &'a str,
    pub(crate) at: i64,
    pub(crate) event: &'static str,
    pub(crate) actor_id: &'a str,
    pub(crate) subject_id: &'a str,
    pub(crate) factor: Option<&'static str>,
    pub(crate) address: &'a str,
    pub(crate) session_id: Option<&'a str>,
    pub(crate) request_id: &'a str,
}

impl Write {
    /// Writes an event into this transaction.
    pub(crate) async fn insert_audit(&mut self, row: &AuditRow<'_>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO audit (id, practice_id, at, event, actor_id, subject_id, factor, address, session_id, request_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(row.id)
        .bind(row.practice_id)
        .bind(row.at)
        .bind(row.event)
        .bind(row.actor_id)
        .bind(row.subject_id)
        .bind(row.factor)
        .bind(row.address)
        .bind(row.session_id)
        .bind(row.request_id)
        .execute(self.connection())
        .await
        .map(|_| ())
    }
}
