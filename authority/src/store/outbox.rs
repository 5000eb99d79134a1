//! The durable queue of messages.

use sqlx::FromRow;

use super::{Store, Write};

/// A message as stored.
#[derive(FromRow)]
pub(crate) struct OutboxRow {
    pub(crate) id: String,
    pub(crate) channel: String,
    pub(crate) sealed: Option<Vec<u8>>,
    pub(crate) key_id: String,
    pub(crate) created_at: i64,
    pub(crate) tries: i64,
    /// Whose token it carries.
    pub(crate) practice_id: Option<String>,
    pub(crate) account_id: Option<String>,
}

/// A new message, as it is inserted.
pub(crate) struct NewOutboxRow<'a> {
    pub(crate) id: &'a str,
    pub(crate) channel: &'static str,
    /// None where nobody is meant.
    pub(crate) sealed: Option<&'a [u8]>,
    pub(crate) key_id: &'a str,
    pub(crate) created_at: i64,
    pub(crate) next_try_at: i64,
    /// Set where there is nothing to deliver.
    pub(crate) delivered_at: Option<i64>,
    /// Whose token it carries.
    pub(crate) practice_id: Option<&'a str>,
    pub(crate) account_id: Option<&'a str>,
}

impl Store {
    /// The latest messages whose text is still there, newest first.
    pub(crate) async fn latest_messages(&self, most: i64) -> Result<Vec<OutboxRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, channel, sealed, key_id, created_at, tries, practice_id, account_id FROM outbox
             WHERE sealed IS NOT NULL ORDER BY created_at DESC, id DESC LIMIT $1",
        )
        .bind(most)
        .fetch_all(&self.pool)
        .await
    }

    /// Messages that wait for a delivery at `now`, oldest first.
    pub(crate) async fn due_messages(&self, now: i64, most: i64) -> Result<Vec<OutboxRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, channel, sealed, key_id, created_at, tries, practice_id, account_id FROM outbox
             WHERE delivered_at IS NULL AND sealed IS NOT NULL AND next_try_at <= $1 ORDER BY created_at, id LIMIT $2",
        )
        .bind(now)
        .bind(most)
        .fetch_all(&self.pool)
        .await
    }
}

impl Write {
    /// Queues a message, in the transaction that is its reason.
    pub(crate) async fn insert_message(&mut self, new: &NewOutboxRow<'_>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO outbox (id, channel, sealed, key_id, created_at, next_try_at, tries, delivered_at,
                 practice_id, account_id)
             VALUES ($1, $2, $3, $4, $5, $9, 0, $6, $7, $8)",
        )
        .bind(new.id)
        .bind(new.channel)
        .bind(new.sealed)
        .bind(new.key_id)
        .bind(new.created_at)
        .bind(new.delivered_at)
        .bind(new.practice_id)
        .bind(new.account_id)
        .bind(new.next_try_at)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Claims one try at a delivery; false if another process has it.
    pub(crate) async fn claim_delivery(&mut self, id: &str, tries: i64, next_try_at: i64) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE outbox SET tries = tries + 1, next_try_at = $3 WHERE id = $1 AND tries = $2 AND delivered_at IS NULL",
        )
        .bind(id)
        .bind(tries)
        .bind(next_try_at)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Marks a message as delivered and leaves its text.
    pub(crate) async fn mark_delivered(&mut self, id: &str, now: i64) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE outbox SET delivered_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Wipes the recipient and the text of a message.
    pub(crate) async fn wipe_message(&mut self, id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE outbox SET sealed = NULL WHERE id = $1")
            .bind(id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Deletes messages older than `before`.
    pub(crate) async fn sweep_outbox(&mut self, before: i64) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM outbox WHERE created_at < $1")
            .bind(before)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
