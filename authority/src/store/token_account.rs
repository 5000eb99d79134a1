//! Token accounts: one per phone and per e-mail, linked with practice accounts.

use sqlx::FromRow;

use super::{Store, Write};

/// A token account as stored.
#[derive(Clone, FromRow)]
pub(crate) struct TokenAccountRow {
    pub(crate) id: String,
    pub(crate) email: String,
}

impl Store {
    /// The token account with this phone.
    pub(crate) async fn find_token_account(&self, phone: &str) -> Result<Option<TokenAccountRow>, sqlx::Error> {
        sqlx::query_as("SELECT id, email FROM token_account WHERE phone = $1")
            .bind(phone)
            .fetch_optional(&self.pool)
            .await
    }
}

impl Write {
    /// Locks the token account's row until the transaction ends, after its practice accounts'.
    pub(crate) async fn lock_token_account(&mut self, id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE token_account SET id = id WHERE id = $1")
            .bind(id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Gives a token account that is linked with one practice account only another phone, so that its devices and its
    /// backup stay; false if it has others, or another token account has the phone.
    pub(crate) async fn move_token_account(&mut self, id: &str, phone: &str) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE token_account SET phone = $2 WHERE id = $1
             AND NOT EXISTS (SELECT 1 FROM token_account other WHERE other.phone = $2 AND other.id <> $1)
             AND (SELECT COUNT(*) FROM account WHERE token_account_id = $1) = 1",
        )
        .bind(id)
        .bind(phone)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// The token account with this phone and this e-mail, made if neither is taken; `None` if one of them belongs to
    /// another token account.
    pub(crate) async fn find_or_insert_token_account(
        &mut self,
        new_id: &str,
        phone: &str,
        email: &str,
        now: i64,
    ) -> Result<Option<String>, sqlx::Error> {
        sqlx::query(
            "INSERT INTO token_account (id, phone, email, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
        )
        .bind(new_id)
        .bind(phone)
        .bind(email)
        .bind(now)
        .execute(self.connection())
        .await?;
        sqlx::query_scalar("SELECT id FROM token_account WHERE phone = $1 AND email = $2")
            .bind(phone)
            .bind(email)
            .fetch_optional(self.connection())
            .await
    }

    /// Links a practice account with its token account.
    pub(crate) async fn link_token_account(
        &mut self,
        account_id: &str,
        token_account_id: &str,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET token_account_id = $2, linked_at = $3 WHERE id = $1")
            .bind(account_id)
            .bind(token_account_id)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Links a practice account with no token account.
    pub(crate) async fn unlink_token_account(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET token_account_id = NULL, linked_at = NULL WHERE id = $1")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Deletes a token account that no practice account is linked with any more, with its devices and its backup.
    pub(crate) async fn delete_unlinked_token_account(&mut self, id: &str) -> Result<(), sqlx::Error> {
        // First, as everybody does who changes what belongs to it.
        self.lock_token_account(id).await?;
        for statement in [
            "DELETE FROM backup WHERE token_account_id = $1 AND token_account_id NOT IN
                 (SELECT token_account_id FROM account WHERE token_account_id IS NOT NULL)",
            "DELETE FROM registration WHERE token_account_id = $1 AND token_account_id NOT IN
                 (SELECT token_account_id FROM account WHERE token_account_id IS NOT NULL)",
            "DELETE FROM device WHERE token_account_id = $1 AND token_account_id NOT IN
                 (SELECT token_account_id FROM account WHERE token_account_id IS NOT NULL)",
        ] {
            sqlx::query(statement).bind(id).execute(self.connection()).await?;
        }
        sqlx::query(
            "DELETE FROM token_account WHERE id = $1 AND id NOT IN
                 (SELECT token_account_id FROM account WHERE token_account_id IS NOT NULL)",
        )
        .bind(id)
        .execute(self.connection())
        .await
        .map(|_| ())
    }
}
