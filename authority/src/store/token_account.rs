//! Token accounts: one per phone and per e-mail, linked with practice accounts.

use super::Write;

impl Write {
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

    /// Links a practice account with its token account, or with none.
    pub(crate) async fn link_token_account(
        &mut self,
        account_id: &str,
        token_account_id: Option<&str>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET token_account_id = $2 WHERE id = $1")
            .bind(account_id)
            .bind(token_account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Deletes a token account that no practice account is linked with any more.
    pub(crate) async fn delete_unlinked_token_account(&mut self, id: &str) -> Result<(), sqlx::Error> {
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
