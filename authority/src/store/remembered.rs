//! Remembered browsers.

use sqlx::FromRow;

use super::{Store, Write};

/// A remembered browser.
#[derive(FromRow)]
pub(crate) struct RememberedRow {
    pub(crate) id: String,
    pub(crate) account_id: String,
    pub(crate) created_at: i64,
    pub(crate) used_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) address: String,
    pub(crate) user_agent: String,
}

/// A new one, as it is inserted.
pub(crate) struct NewRemembered<'a> {
    pub(crate) id: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) key_hash: &'a [u8],
    pub(crate) browser_hash: &'a [u8],
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) address: &'a str,
    pub(crate) user_agent: &'a str,
}

macro_rules! remembered {
    ($rest:literal) => {
        concat!(
            "SELECT id, account_id, created_at, used_at, expires_at, address, user_agent FROM remembered_browser ",
            $rest
        )
    };
}

impl Store {
    /// The account's remembered browsers, the most recently used first.
    pub(crate) async fn remembered_browsers(&self, account_id: &str) -> Result<Vec<RememberedRow>, sqlx::Error> {
        sqlx::query_as(remembered!("WHERE account_id = $1 ORDER BY used_at DESC, id"))
            .bind(account_id)
            .fetch_all(&self.pool)
            .await
    }
}

impl Write {
    /// A new remembered browser.
    pub(crate) async fn insert_remembered(&mut self, new: &NewRemembered<'_>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO remembered_browser (id, account_id, key_hash, browser_hash, created_at, used_at, expires_at, address,
                 user_agent) VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8)",
        )
        .bind(new.id)
        .bind(new.account_id)
        .bind(new.key_hash)
        .bind(new.browser_hash)
        .bind(new.created_at)
        .bind(new.expires_at)
        .bind(new.address)
        .bind(new.user_agent)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// One of them, in this transaction.
    pub(crate) async fn find_remembered(&mut self, id: &str) -> Result<Option<RememberedRow>, sqlx::Error> {
        sqlx::query_as(remembered!("WHERE id = $1")).bind(id).fetch_optional(self.connection()).await
    }

    /// Gives a remembered browser its next key; false if the one before is not `key_hash`, or it is another browser.
    pub(crate) async fn turn_remembered(
        &mut self,
        id: &str,
        (key_hash, browser_hash): (&[u8], &[u8]),
        next_hash: &[u8],
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE remembered_browser SET key_hash = $4, used_at = $5
             WHERE id = $1 AND key_hash = $2 AND browser_hash = $3",
        )
        .bind(id)
        .bind(key_hash)
        .bind(browser_hash)
        .bind(next_hash)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Forgets one of the account's remembered browsers; false if there is none of that id.
    pub(crate) async fn delete_remembered(&mut self, account_id: &str, id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query("DELETE FROM remembered_browser WHERE account_id = $1 AND id = $2")
            .bind(account_id)
            .bind(id)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Forgets all of them.
    pub(crate) async fn delete_all_remembered(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM remembered_browser WHERE account_id = $1")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Forgets all but the account's `keep` most recently used ones.
    pub(crate) async fn delete_remembered_beyond(&mut self, account_id: &str, keep: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "DELETE FROM remembered_browser WHERE account_id = $1 AND id NOT IN
                 (SELECT id FROM remembered_browser WHERE account_id = $1 ORDER BY used_at DESC, id LIMIT $2)",
        )
        .bind(account_id)
        .bind(keep)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Forgets every remembered browser of the practice.
    pub(crate) async fn delete_remembered_of_practice(&mut self, practice_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query(
            "DELETE FROM remembered_browser WHERE account_id IN (SELECT id FROM account WHERE practice_id = $1)",
        )
        .bind(practice_id)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Forgets those that ran out before `before`.
    pub(crate) async fn sweep_remembered(&mut self, before: i64) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM remembered_browser WHERE expires_at < $1")
            .bind(before)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
