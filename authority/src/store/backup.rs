//! The encrypted backup of a token account.

use sqlx::FromRow;

use super::{Store, Write};

/// A backup as stored.
#[derive(Clone, FromRow)]
pub(crate) struct BackupRow {
    pub(crate) version: i64,
    pub(crate) digest: String,
    pub(crate) sealed: Vec<u8>,
    pub(crate) key_id: String,
    pub(crate) device_id: String,
    pub(crate) saved_at: i64,
}

/// A new version, as it is written.
pub(crate) struct NewBackup<'a> {
    pub(crate) token_account_id: &'a str,
    pub(crate) version: i64,
    pub(crate) digest: &'a str,
    pub(crate) sealed: &'a [u8],
    pub(crate) key_id: &'a str,
    pub(crate) device_id: &'a str,
    pub(crate) saved_at: i64,
}

impl Store {
    /// The backup of a token account.
    pub(crate) async fn find_backup(&self, token_account_id: &str) -> Result<Option<BackupRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT version, digest, sealed, key_id, device_id, saved_at FROM backup WHERE token_account_id = $1",
        )
        .bind(token_account_id)
        .fetch_optional(&self.pool)
        .await
    }
}

impl Write {
    /// Saves the first version; false if there is one already.
    pub(crate) async fn insert_backup(&mut self, new: &NewBackup<'_>) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "INSERT INTO backup (token_account_id, version, digest, sealed, key_id, device_id, saved_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(new.token_account_id)
        .bind(new.version)
        .bind(new.digest)
        .bind(new.sealed)
        .bind(new.key_id)
        .bind(new.device_id)
        .bind(new.saved_at)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Replaces the version that has the digest `previous` by the next one; false if another has come between.
    pub(crate) async fn replace_backup(&mut self, new: &NewBackup<'_>, previous: &str) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE backup SET version = $2, digest = $3, sealed = $4, key_id = $5, device_id = $6, saved_at = $7
             WHERE token_account_id = $1 AND version = $2 - 1 AND digest = $8",
        )
        .bind(new.token_account_id)
        .bind(new.version)
        .bind(new.digest)
        .bind(new.sealed)
        .bind(new.key_id)
        .bind(new.device_id)
        .bind(new.saved_at)
        .bind(previous)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }
}
