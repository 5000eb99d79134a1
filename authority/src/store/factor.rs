//! Factors: pending, assigned by an administrator, confirmed, disabled.

use sqlx::FromRow;

use super::{Store, Write};

/// A factor as stored.
#[derive(Clone, FromRow)]
pub(crate) struct FactorRow {
    pub(crate) id: String,
    pub(crate) kind: String,
    pub(crate) state: String,
    pub(crate) name: String,
    pub(crate) phone: Option<String>,
    pub(crate) secret: Option<Vec<u8>>,
    pub(crate) key_id: Option<String>,
    pub(crate) algorithm: Option<String>,
    pub(crate) digits: Option<i64>,
    pub(crate) period: Option<i64>,
    pub(crate) session_id: Option<String>,
    /// The device that makes its tokens, for a factor of Twofold's own authenticator.
    pub(crate) device_id: Option<String>,
    pub(crate) created_at: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) confirmed_at: Option<i64>,
    pub(crate) last_used_at: Option<i64>,
}

/// A new, pending factor, as it is inserted.
pub(crate) struct NewFactor<'a> {
    pub(crate) id: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) name: &'a str,
    pub(crate) phone: Option<&'a str>,
    pub(crate) secret: Option<&'a [u8]>,
    pub(crate) key_id: Option<&'a str>,
    pub(crate) algorithm: Option<&'static str>,
    pub(crate) digits: Option<i64>,
    pub(crate) period: Option<i64>,
    pub(crate) session_id: Option<&'a str>,
    pub(crate) device_id: Option<&'a str>,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

const BY_ACCOUNT: &str = "SELECT id, kind, state, name, phone, secret, key_id, algorithm, digits, period, session_id,
    device_id, created_at, expires_at, confirmed_at, last_used_at FROM factor
    WHERE account_id = $1 ORDER BY created_at, id";

impl Store {
    /// All factors of an account, oldest first.
    pub(crate) async fn factors(&self, account_id: &str) -> Result<Vec<FactorRow>, sqlx::Error> {
        sqlx::query_as(BY_ACCOUNT).bind(account_id).fetch_all(&self.pool).await
    }
}

impl Write {
    /// All factors of an account, oldest first, under the account's lock.
    pub(crate) async fn factors(&mut self, account_id: &str) -> Result<Vec<FactorRow>, sqlx::Error> {
        sqlx::query_as(BY_ACCOUNT).bind(account_id).fetch_all(self.connection()).await
    }

    /// A new pending factor, in place of an older pending one of its kind.
    pub(crate) async fn insert_pending_factor(&mut self, new: &NewFactor<'_>) -> Result<(), sqlx::Error> {
        self.delete_pending_factor(new.account_id, new.kind).await?;
        sqlx::query(
            "INSERT INTO factor (id, account_id, kind, state, name, phone, secret, key_id, algorithm, digits, period,
                 session_id, device_id, created_at, expires_at)
             VALUES ($1, $2, $3, 'pending', $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        )
        .bind(new.id)
        .bind(new.account_id)
        .bind(new.kind)
        .bind(new.name)
        .bind(new.phone)
        .bind(new.secret)
        .bind(new.key_id)
        .bind(new.algorithm)
        .bind(new.digits)
        .bind(new.period)
        .bind(new.session_id)
        .bind(new.device_id)
        .bind(new.created_at)
        .bind(new.expires_at)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// A cell phone that an administrator has assigned: its first right token confirms it.
    pub(crate) async fn insert_assigned_phone(
        &mut self,
        id: &str,
        account_id: &str,
        name: &str,
        phone: &str,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        self.delete_pending_factor(account_id, "sms").await?;
        sqlx::query(
            "INSERT INTO factor (id, account_id, kind, state, name, phone, created_at)
             VALUES ($1, $2, 'sms', 'assigned', $3, $4, $5)",
        )
        .bind(id)
        .bind(account_id)
        .bind(name)
        .bind(phone)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Confirms a pending factor, once: the step of its confirming token is spent, and it belongs to no session now.
    pub(crate) async fn confirm_factor(
        &mut self,
        id: &str,
        name: &str,
        step: Option<i64>,
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE factor SET state = 'confirmed', name = $2, last_step = $3, confirmed_at = $4, expires_at = NULL,
                 session_id = NULL WHERE id = $1 AND state = 'pending' AND expires_at > $4",
        )
        .bind(id)
        .bind(name)
        .bind(step)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Claims a TOTP step. This is the single statement that makes a token work once; false means that this step or a
    /// later one was claimed before (RFC 6238 §5.2).
    pub(crate) async fn claim_step(&mut self, id: &str, step: i64, now: i64) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE factor SET last_step = $2, last_used_at = $3
             WHERE id = $1 AND state = 'confirmed' AND (last_step IS NULL OR last_step < $2)",
        )
        .bind(id)
        .bind(step)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Notes the use of a factor that has no steps; an assigned one is confirmed by it. False if the account's tokens are
    /// not taken by it any more.
    pub(crate) async fn touch_factor(&mut self, account_id: &str, id: &str, now: i64) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE factor SET last_used_at = $3, confirmed_at = COALESCE(confirmed_at, $3), state = 'confirmed'
             WHERE account_id = $1 AND id = $2 AND state IN ('confirmed', 'assigned')",
        )
        .bind(account_id)
        .bind(id)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Claims the right to a diagnosis of a pending factor; false if the last one was after `before`.
    pub(crate) async fn claim_diagnosis(&mut self, id: &str, now: i64, before: i64) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE factor SET diagnosed_at = $2
             WHERE id = $1 AND state = 'pending' AND (diagnosed_at IS NULL OR diagnosed_at <= $3)",
        )
        .bind(id)
        .bind(now)
        .bind(before)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Disables a factor until it is bound again.
    pub(crate) async fn disable_factor(&mut self, account_id: &str, id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE factor SET state = 'disabled'
             WHERE account_id = $1 AND id = $2 AND state IN ('confirmed', 'assigned')",
        )
        .bind(account_id)
        .bind(id)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Removes one factor of the account that is not pending.
    pub(crate) async fn delete_factor(&mut self, account_id: &str, id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query("DELETE FROM factor WHERE account_id = $1 AND id = $2 AND state <> 'pending'")
            .bind(account_id)
            .bind(id)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Removes the pending factor of a kind.
    pub(crate) async fn delete_pending_factor(&mut self, account_id: &str, kind: &str) -> Result<bool, sqlx::Error> {
        sqlx::query("DELETE FROM factor WHERE account_id = $1 AND kind = $2 AND state = 'pending'")
            .bind(account_id)
            .bind(kind)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Removes all factors of an account, pending ones too.
    pub(crate) async fn delete_factors(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM factor WHERE account_id = $1")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Removes pending factors that ran out before `before`.
    pub(crate) async fn sweep_factors(&mut self, before: i64) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM factor WHERE state = 'pending' AND expires_at < $1")
            .bind(before)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
