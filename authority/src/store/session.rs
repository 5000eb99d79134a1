//! Signed-in browsers.

use sqlx::FromRow;

use super::{Store, Write};

/// A session with its account and practice: what a request needs to know who asks.
#[derive(Clone, FromRow)]
pub(crate) struct SignedInRow {
    pub(crate) session_id: String,
    pub(crate) assurance: String,
    pub(crate) opened_at: i64,
    pub(crate) active_at: i64,
    pub(crate) stepped_up_at: Option<i64>,
    pub(crate) account_id: String,
    pub(crate) practice_id: String,
    pub(crate) practice_name: String,
    pub(crate) role: String,
    pub(crate) manages_accounts: i64,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) personal_from: Option<i64>,
    pub(crate) enrol_by: Option<i64>,
    pub(crate) idle_minutes: i64,
    pub(crate) lock_minutes: i64,
    pub(crate) has_pin: i64,
    /// The rule of the role, if there is one.
    pub(crate) requirement: Option<String>,
    pub(crate) required_from: Option<i64>,
    pub(crate) apps_only: Option<i64>,
    /// Factors that count.
    pub(crate) sms_factors: i64,
    pub(crate) app_factors: i64,
    /// When a token of a factor was last accepted, or one was confirmed.
    pub(crate) proven_at: Option<i64>,
    pub(crate) check_up_put_off_at: Option<i64>,
}

/// A session in the list of signed-in browsers.
#[derive(FromRow)]
pub(crate) struct SessionRow {
    pub(crate) id: String,
    pub(crate) assurance: String,
    pub(crate) opened_at: i64,
    pub(crate) active_at: i64,
    pub(crate) address: String,
    pub(crate) user_agent: String,
}

/// A new session, as it is inserted.
pub(crate) struct NewSession<'a> {
    pub(crate) id: &'a str,
    pub(crate) key_hash: &'a [u8],
    pub(crate) account_id: &'a str,
    pub(crate) assurance: &'static str,
    pub(crate) opened_at: i64,
    pub(crate) address: &'a str,
    pub(crate) user_agent: &'a str,
}

impl Store {
    /// The session of a cookie.
    pub(crate) async fn find_signed_in(&self, key_hash: &[u8]) -> Result<Option<SignedInRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT s.id AS session_id, s.assurance, s.opened_at, s.active_at, s.stepped_up_at, a.id AS account_id,
                    a.practice_id, p.name AS practice_name, a.role, a.manages_accounts, a.username, a.email,
                    a.first_name, a.last_name, a.required_from AS personal_from, a.enrol_by, a.check_up_put_off_at, p.idle_minutes, p.lock_minutes,
                    CASE WHEN a.pin_hash IS NULL THEN 0 ELSE 1 END AS has_pin, r.requirement, r.required_from, r.apps_only,
                    (SELECT COUNT(*) FROM factor f WHERE f.account_id = a.id AND f.kind = 'sms'
                        AND f.state <> 'pending') AS sms_factors,
                    (SELECT COUNT(*) FROM factor f WHERE f.account_id = a.id AND f.kind IN ('totp', 'authenticator')
                        AND f.state <> 'pending') AS app_factors,
                    (SELECT MAX(COALESCE(f.last_used_at, f.confirmed_at)) FROM factor f WHERE f.account_id = a.id
                        AND f.state = 'confirmed') AS proven_at
             FROM session s JOIN account a ON a.id = s.account_id JOIN practice p ON p.id = a.practice_id
                 LEFT JOIN role_rule r ON r.practice_id = a.practice_id AND r.role = a.role
             WHERE s.key_hash = $1 AND a.deactivated_at IS NULL",
        )
        .bind(key_hash)
        .fetch_optional(&self.pool)
        .await
    }

    /// The account's sessions, the most recently used first.
    pub(crate) async fn sessions(&self, account_id: &str) -> Result<Vec<SessionRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, assurance, opened_at, active_at, address, user_agent FROM session
             WHERE account_id = $1 ORDER BY active_at DESC, id",
        )
        .bind(account_id)
        .fetch_all(&self.pool)
        .await
    }
}

impl Write {
    /// A new session.
    pub(crate) async fn insert_session(&mut self, new: &NewSession<'_>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO session (id, key_hash, account_id, assurance, opened_at, active_at, stepped_up_at, address, user_agent)
             VALUES ($1, $2, $3, $4, $5, $5, NULL, $6, $7)",
        )
        .bind(new.id)
        .bind(new.key_hash)
        .bind(new.account_id)
        .bind(new.assurance)
        .bind(new.opened_at)
        .bind(new.address)
        .bind(new.user_agent)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Whether the session is still there, in this transaction.
    pub(crate) async fn is_session_open(&mut self, id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM session WHERE id = $1")
            .bind(id)
            .fetch_one(self.connection())
            .await
            .map(|count| count > 0)
    }

    /// Gives a session a new key, at a rise in privilege: the old one is dead. False if the session has ended meanwhile.
    pub(crate) async fn renew_session(
        &mut self,
        id: &str,
        key_hash: &[u8],
        assurance: &'static str,
        stepped_up_at: Option<i64>,
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE session SET key_hash = $2, assurance = $3, stepped_up_at = $4, active_at = $5 WHERE id = $1",
        )
        .bind(id)
        .bind(key_hash)
        .bind(assurance)
        .bind(stepped_up_at)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Ends all sessions of the account, and forgets its remembered browsers.
    pub(crate) async fn delete_sessions(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        self.delete_all_remembered(account_id).await?;
        sqlx::query("DELETE FROM session WHERE account_id = $1")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Ends all sessions of the account but one, and forgets its remembered browsers.
    pub(crate) async fn delete_other_sessions(&mut self, account_id: &str, keep: &str) -> Result<(), sqlx::Error> {
        self.delete_all_remembered(account_id).await?;
        sqlx::query("DELETE FROM session WHERE account_id = $1 AND id <> $2")
            .bind(account_id)
            .bind(keep)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Notes activity.
    pub(crate) async fn touch_session(&mut self, id: &str, now: i64) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE session SET active_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Counts a PIN before it is looked at, and returns how many were tried since the screen locked; `None` if the session
    /// has ended, or takes none any more.
    pub(crate) async fn count_pin(&mut self, id: &str, most: i64) -> Result<Option<i64>, sqlx::Error> {
        sqlx::query_scalar(
            "UPDATE session SET pin_failures = pin_failures + 1 WHERE id = $1 AND pin_failures < $2
             RETURNING pin_failures",
        )
        .bind(id)
        .bind(most)
        .fetch_optional(self.connection())
        .await
    }

    /// Unlocks the screen.
    pub(crate) async fn unlock_session(&mut self, id: &str, now: i64) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE session SET pin_failures = 0, active_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Ends one session of the account.
    pub(crate) async fn delete_session(&mut self, account_id: &str, id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query("DELETE FROM session WHERE account_id = $1 AND id = $2")
            .bind(account_id)
            .bind(id)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Ends all but the account's `keep` most recently opened sessions.
    pub(crate) async fn delete_sessions_beyond(&mut self, account_id: &str, keep: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "DELETE FROM session WHERE account_id = $1 AND id NOT IN
                 (SELECT id FROM session WHERE account_id = $1 ORDER BY opened_at DESC, id LIMIT $2)",
        )
        .bind(account_id)
        .bind(keep)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Deletes sessions that were idle since `idle_before` or opened before `opened_before`.
    pub(crate) async fn sweep_sessions(&mut self, idle_before: i64, opened_before: i64) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM session WHERE active_at < $1 OR opened_at < $2")
            .bind(idle_before)
            .bind(opened_before)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
