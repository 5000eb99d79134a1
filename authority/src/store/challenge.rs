//! Pending sign-ins.

use sqlx::FromRow;

use super::{Store, Write};

/// A pending sign-in as stored.
#[derive(Clone, FromRow)]
pub(crate) struct ChallengeRow {
    pub(crate) id: String,
    pub(crate) account_id: String,
    pub(crate) expires_at: i64,
    pub(crate) failures: i64,
    pub(crate) over: Option<String>,
    pub(crate) next_path: Option<String>,
}

/// A new pending sign-in, as it is inserted.
pub(crate) struct NewChallenge<'a> {
    pub(crate) id: &'a str,
    pub(crate) key_hash: &'a [u8],
    pub(crate) account_id: &'a str,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) next_path: Option<&'a str>,
}

impl Store {
    /// The pending sign-in of a cookie.
    pub(crate) async fn find_challenge(&self, key_hash: &[u8]) -> Result<Option<ChallengeRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, account_id, expires_at, failures, over, next_path FROM challenge WHERE key_hash = $1",
        )
        .bind(key_hash)
        .fetch_optional(&self.pool)
        .await
    }
}

impl Write {
    /// A new pending sign-in.
    pub(crate) async fn insert_challenge(&mut self, new: &NewChallenge<'_>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO challenge (id, key_hash, account_id, created_at, expires_at, failures, over, next_path)
             VALUES ($1, $2, $3, $4, $5, 0, NULL, $6)",
        )
        .bind(new.id)
        .bind(new.key_hash)
        .bind(new.account_id)
        .bind(new.created_at)
        .bind(new.expires_at)
        .bind(new.next_path)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// The pending sign-in with this id, under the account's lock.
    pub(crate) async fn find_challenge_by_id(&mut self, id: &str) -> Result<Option<ChallengeRow>, sqlx::Error> {
        sqlx::query_as("SELECT id, account_id, expires_at, failures, over, next_path FROM challenge WHERE id = $1")
            .bind(id)
            .fetch_optional(self.connection())
            .await
    }

    /// Counts a token; `over` if it was the last one.
    pub(crate) async fn count_challenge_attempt(
        &mut self,
        id: &str,
        over: Option<&'static str>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE challenge SET failures = failures + 1, over = $2 WHERE id = $1")
            .bind(id)
            .bind(over)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Closes it with a right token. One token passes a challenge, even among parallel ones; false refuses.
    ///
    /// The last token that a challenge takes ends it when it is counted, and may still be the right one.
    pub(crate) async fn pass_challenge(&mut self, id: &str, now: i64) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE challenge SET over = 'passed'
             WHERE id = $1 AND expires_at > $2 AND (over IS NULL OR over = 'too-many-tokens')",
        )
        .bind(id)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Cancels it; false if it was over.
    pub(crate) async fn cancel_challenge(&mut self, id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query("UPDATE challenge SET over = 'cancelled' WHERE id = $1 AND over IS NULL")
            .bind(id)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Cancels every pending sign-in of an account; also one whose last token was counted and may still turn out right.
    pub(crate) async fn cancel_challenges(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE challenge SET over = 'cancelled'
             WHERE account_id = $1 AND (over IS NULL OR over = 'too-many-tokens')",
        )
        .bind(account_id)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Deletes those that ended before `before`.
    pub(crate) async fn sweep_challenges(&mut self, before: i64) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM challenge WHERE expires_at < $1")
            .bind(before)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
