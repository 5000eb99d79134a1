//! Recovery codes.

use sqlx::FromRow;

use super::{Store, Write};

/// The account's set of codes.
#[derive(Clone, FromRow)]
pub(crate) struct RecoverySetRow {
    pub(crate) id: String,
    /// The codes, sealed, until the person has stored them.
    pub(crate) codes: Option<Vec<u8>>,
    pub(crate) key_id: Option<String>,
    pub(crate) created_at: i64,
}

impl Store {
    /// The account's set.
    pub(crate) async fn find_recovery_set(&self, account_id: &str) -> Result<Option<RecoverySetRow>, sqlx::Error> {
        sqlx::query_as("SELECT id, codes, key_id, created_at FROM recovery_set WHERE account_id = $1")
            .bind(account_id)
            .fetch_optional(&self.pool)
            .await
    }

    /// Codes that still work.
    pub(crate) async fn recovery_codes_left(&self, account_id: &str) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT COUNT(*) FROM recovery_code c JOIN recovery_set s ON s.id = c.set_id
             WHERE s.account_id = $1 AND s.disabled_at IS NULL AND c.used_at IS NULL",
        )
        .bind(account_id)
        .fetch_one(&self.pool)
        .await
    }

    /// Whether the account has this code, used or not.
    pub(crate) async fn has_recovery_code(&self, account_id: &str, code_hash: &[u8]) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM recovery_code c JOIN recovery_set s ON s.id = c.set_id
             WHERE s.account_id = $1 AND s.disabled_at IS NULL AND c.code_hash = $2",
        )
        .bind(account_id)
        .bind(code_hash)
        .fetch_one(&self.pool)
        .await
        .map(|count| count > 0)
    }
}

impl Write {
    /// Whether the account has a set of recovery codes, used up or switched off ones too.
    pub(crate) async fn has_recovery_set(&mut self, account_id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM recovery_set WHERE account_id = $1")
            .bind(account_id)
            .fetch_one(self.connection())
            .await
            .map(|count| count > 0)
    }

    /// Replaces the account's set, if any, by a new one: the old codes are dead from this commit on.
    pub(crate) async fn replace_recovery_set(
        &mut self,
        id: &str,
        account_id: &str,
        codes: (&str, &[u8]),
        code_hashes: &[Vec<u8>],
        now: i64,
    ) -> Result<(), sqlx::Error> {
        self.delete_recovery_set(account_id).await?;
        let (key_id, sealed) = codes;
        sqlx::query("INSERT INTO recovery_set (id, account_id, codes, key_id, created_at) VALUES ($1, $2, $3, $4, $5)")
            .bind(id)
            .bind(account_id)
            .bind(sealed)
            .bind(key_id)
            .bind(now)
            .execute(self.connection())
            .await?;
        for code_hash in code_hashes {
            sqlx::query("INSERT INTO recovery_code (code_hash, set_id) VALUES ($1, $2)")
                .bind(code_hash.as_slice())
                .bind(id)
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// Uses a code up, once; false if it was used or its set is disabled.
    pub(crate) async fn claim_recovery_code(
        &mut self,
        account_id: &str,
        code_hash: &[u8],
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE recovery_code SET used_at = $3 WHERE code_hash = $2 AND used_at IS NULL
             AND set_id IN (SELECT id FROM recovery_set WHERE account_id = $1 AND disabled_at IS NULL)",
        )
        .bind(account_id)
        .bind(code_hash)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Codes of the account that still work, in this transaction.
    pub(crate) async fn recovery_codes_left(&mut self, account_id: &str) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT COUNT(*) FROM recovery_code c JOIN recovery_set s ON s.id = c.set_id
             WHERE s.account_id = $1 AND s.disabled_at IS NULL AND c.used_at IS NULL",
        )
        .bind(account_id)
        .fetch_one(self.connection())
        .await
    }

    /// Wipes the codes of a set that the person has stored; false if they were wiped before.
    pub(crate) async fn wipe_recovery_codes(&mut self, account_id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query("UPDATE recovery_set SET codes = NULL, key_id = NULL WHERE account_id = $1 AND codes IS NOT NULL")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Disables a set until it is replaced.
    pub(crate) async fn disable_recovery_set(
        &mut self,
        account_id: &str,
        id: &str,
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE recovery_set SET disabled_at = $3 WHERE account_id = $1 AND id = $2 AND disabled_at IS NULL",
        )
        .bind(account_id)
        .bind(id)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Deletes the account's set and its codes.
    pub(crate) async fn delete_recovery_set(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM recovery_set WHERE account_id = $1")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
