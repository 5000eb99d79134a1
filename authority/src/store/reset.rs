//! Resets of two-factor authentication, and the links that prove a mailbox.

use sqlx::FromRow;

use super::{Store, Write};

/// A reset that waits.
#[derive(Clone, FromRow)]
pub(crate) struct ResetRow {
    pub(crate) id: String,
    pub(crate) account_id: String,
    pub(crate) kind: String,
    pub(crate) reason: String,
    pub(crate) asked_by: String,
    pub(crate) asked_at: i64,
    pub(crate) ready_at: i64,
}

/// A new reset, as it is inserted.
pub(crate) struct NewReset<'a> {
    pub(crate) id: &'a str,
    pub(crate) practice_id: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) reason: &'a str,
    pub(crate) asked_by: &'a str,
    pub(crate) asked_at: i64,
    pub(crate) ready_at: i64,
    pub(crate) cancel_hash: Option<&'a [u8]>,
}

macro_rules! waiting {
    ($condition:literal) => {
        concat!(
            "SELECT id, account_id, kind, reason, asked_by, asked_at, ready_at FROM reset
             WHERE state = 'waiting' AND ",
            $condition
        )
    };
}

const OF_ACCOUNT: &str = waiting!("account_id = $1");

impl Store {
    /// The resets of a practice that wait, the oldest first.
    pub(crate) async fn waiting_resets(&self, practice_id: &str) -> Result<Vec<ResetRow>, sqlx::Error> {
        sqlx::query_as(waiting!("practice_id = $1 ORDER BY asked_at, id")).bind(practice_id).fetch_all(&self.pool).await
    }

    /// The reset that waits for an account.
    pub(crate) async fn find_waiting_reset(&self, account_id: &str) -> Result<Option<ResetRow>, sqlx::Error> {
        sqlx::query_as(OF_ACCOUNT).bind(account_id).fetch_optional(&self.pool).await
    }

    /// The reset that a link in a notice is about, if it waits.
    pub(crate) async fn find_reset_by_cancel(&self, cancel_hash: &[u8]) -> Result<Option<ResetRow>, sqlx::Error> {
        sqlx::query_as(waiting!("cancel_hash = $1")).bind(cancel_hash).fetch_optional(&self.pool).await
    }

    /// The account of an e-mailed link that has not run out at `now`.
    pub(crate) async fn find_reset_link(&self, key_hash: &[u8], now: i64) -> Result<Option<String>, sqlx::Error> {
        sqlx::query_scalar("SELECT account_id FROM reset_link WHERE key_hash = $1 AND expires_at > $2")
            .bind(key_hash)
            .bind(now)
            .fetch_optional(&self.pool)
            .await
    }
}

impl Write {
    /// A new reset. False if one waits for the account already.
    pub(crate) async fn insert_reset(&mut self, new: &NewReset<'_>) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "INSERT INTO reset (id, practice_id, account_id, kind, state, reason, asked_by, asked_at, ready_at, cancel_hash)
             VALUES ($1, $2, $3, $4, 'waiting', $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING",
        )
        .bind(new.id)
        .bind(new.practice_id)
        .bind(new.account_id)
        .bind(new.kind)
        .bind(new.reason)
        .bind(new.asked_by)
        .bind(new.asked_at)
        .bind(new.ready_at)
        .bind(new.cancel_hash)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Ends what administrators asked for an account at `before` or earlier, and nobody decided.
    pub(crate) async fn lapse_resets(&mut self, account_id: &str, before: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE reset SET state = 'lapsed'
             WHERE account_id = $1 AND kind = 'administrators' AND state = 'waiting' AND asked_at <= $2",
        )
        .bind(account_id)
        .bind(before)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Decides a reset, once: only one that waits is decided.
    pub(crate) async fn decide_reset(
        &mut self,
        id: &str,
        state: &'static str,
        decided_by: &str,
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query("UPDATE reset SET state = $2, decided_by = $3, decided_at = $4 WHERE id = $1 AND state = 'waiting'")
            .bind(id)
            .bind(state)
            .bind(decided_by)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// The reset that waits for an account, in this transaction.
    pub(crate) async fn find_waiting_reset(&mut self, account_id: &str) -> Result<Option<ResetRow>, sqlx::Error> {
        sqlx::query_as(OF_ACCOUNT).bind(account_id).fetch_optional(self.connection()).await
    }

    /// A link for an account's mailbox, in place of older ones.
    pub(crate) async fn replace_reset_link(
        &mut self,
        key_hash: &[u8],
        account_id: &str,
        expires_at: i64,
    ) -> Result<(), sqlx::Error> {
        self.delete_reset_links(account_id).await?;
        sqlx::query("INSERT INTO reset_link (key_hash, account_id, expires_at) VALUES ($1, $2, $3)")
            .bind(key_hash)
            .bind(account_id)
            .bind(expires_at)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Deletes the links of an account.
    pub(crate) async fn delete_reset_links(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM reset_link WHERE account_id = $1")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Uses a link up, once; false if it has run out at `now` or was used.
    pub(crate) async fn claim_reset_link(&mut self, key_hash: &[u8], now: i64) -> Result<bool, sqlx::Error> {
        sqlx::query("DELETE FROM reset_link WHERE key_hash = $1 AND expires_at > $2")
            .bind(key_hash)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Deletes links that ran out before `before`.
    pub(crate) async fn sweep_reset_links(&mut self, before: i64) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM reset_link WHERE expires_at < $1")
            .bind(before)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Forgets which browsers have completed a sign-in of the account.
    pub(crate) async fn forget_known_browsers(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM known_browser WHERE account_id = $1")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
