//! The people of a practice, as its administrators see them.

use sqlx::FromRow;

use super::{Store, Write};

/// A member of the practice.
#[derive(Clone, FromRow)]
pub(crate) struct StaffRow {
    pub(crate) id: String,
    pub(crate) role: String,
    pub(crate) manages_accounts: i64,
    pub(crate) manages_since: i64,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) cell_phone: String,
    pub(crate) last_signed_in_at: Option<i64>,
    pub(crate) required_from: Option<i64>,
    pub(crate) enrol_by: Option<i64>,
    pub(crate) reminded: i64,
    pub(crate) deactivated_at: Option<i64>,
    /// An App unlock PIN is set.
    pub(crate) has_pin: i64,
    /// Factors whose tokens are accepted.
    pub(crate) working_factors: i64,
    /// Factors of each kind that count, and codes that still work.
    pub(crate) sms_factors: i64,
    pub(crate) totp_factors: i64,
    pub(crate) devices: i64,
    pub(crate) codes_left: i64,
}

/// Somebody with a deadline ahead.
#[derive(FromRow)]
pub(crate) struct DueRow {
    pub(crate) id: String,
    pub(crate) practice_id: String,
}

/// What an administrator may change of a member.
pub(crate) struct StaffDetails<'a> {
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
    pub(crate) cell_phone: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) role: &'static str,
    pub(crate) manages_accounts: bool,
}

macro_rules! staff {
    ($($condition:literal)+) => {
        concat!(
            "SELECT a.id, a.role, a.manages_accounts, a.manages_since, a.username, a.email, a.first_name, a.last_name,
                    a.cell_phone, a.last_signed_in_at, a.required_from, a.enrol_by, a.reminded, a.deactivated_at,
                    CASE WHEN a.pin_hash IS NULL THEN 0 ELSE 1 END AS has_pin,
                    (SELECT COUNT(*) FROM factor f WHERE f.account_id = a.id
                        AND f.state IN ('confirmed', 'assigned')) AS working_factors,
                    (SELECT COUNT(*) FROM factor f WHERE f.account_id = a.id AND f.kind = 'sms'
                        AND f.state <> 'pending') AS sms_factors,
                    (SELECT COUNT(*) FROM factor f WHERE f.account_id = a.id AND f.kind = 'totp'
                        AND f.state <> 'pending') AS totp_factors,
                    (SELECT COUNT(*) FROM factor f WHERE f.account_id = a.id AND f.kind = 'authenticator'
                        AND f.state <> 'pending') AS devices,
                    (SELECT COUNT(*) FROM recovery_code c JOIN recovery_set s ON s.id = c.set_id
                        WHERE s.account_id = a.id AND s.disabled_at IS NULL AND c.used_at IS NULL) AS codes_left
             FROM account a WHERE ",
            $($condition)+
        )
    };
}

const OF_PRACTICE: &str = staff!("a.practice_id = $1 ORDER BY a.last_name, a.first_name, a.id");
const MEMBER: &str = staff!("a.practice_id = $1 AND a.id = $2");

impl Store {
    /// Everybody of a practice, those who have left too, by name.
    pub(crate) async fn staff(&self, practice_id: &str) -> Result<Vec<StaffRow>, sqlx::Error> {
        sqlx::query_as(OF_PRACTICE).bind(practice_id).fetch_all(&self.pool).await
    }

    /// Open accounts, of all practices, with a date to set two-factor authentication up by that is after `after` and not
    /// after `until`.
    pub(crate) async fn members_due(&self, after: i64, until: i64) -> Result<Vec<DueRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, practice_id FROM account
             WHERE enrol_by > $1 AND enrol_by <= $2 AND deactivated_at IS NULL ORDER BY id",
        )
        .bind(after)
        .bind(until)
        .fetch_all(&self.pool)
        .await
    }

    /// One member of the practice.
    pub(crate) async fn find_member(&self, practice_id: &str, id: &str) -> Result<Option<StaffRow>, sqlx::Error> {
        sqlx::query_as(MEMBER).bind(practice_id).bind(id).fetch_optional(&self.pool).await
    }
}

impl Write {
    /// Everybody of a practice, by name, under the practice's lock.
    pub(crate) async fn staff(&mut self, practice_id: &str) -> Result<Vec<StaffRow>, sqlx::Error> {
        sqlx::query_as(OF_PRACTICE).bind(practice_id).fetch_all(self.connection()).await
    }

    /// One member of the practice, in this transaction.
    pub(crate) async fn find_member(&mut self, practice_id: &str, id: &str) -> Result<Option<StaffRow>, sqlx::Error> {
        sqlx::query_as(MEMBER).bind(practice_id).bind(id).fetch_optional(self.connection()).await
    }

    /// Changes what an administrator may change of a member; whoever did not manage accounts before does so since `now`.
    pub(crate) async fn update_member(
        &mut self,
        id: &str,
        details: &StaffDetails<'_>,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE account SET first_name = $2, last_name = $3, cell_phone = $4, kind = $5, role = $6,
                 manages_since = CASE WHEN manages_accounts = 0 THEN $8 ELSE manages_since END,
                 manages_accounts = $7 WHERE id = $1",
        )
        .bind(id)
        .bind(details.first_name)
        .bind(details.last_name)
        .bind(details.cell_phone)
        .bind(details.kind)
        .bind(details.role)
        .bind(i64::from(details.manages_accounts))
        .bind(now)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Closes an account, or opens it again: `at` is when it was closed.
    pub(crate) async fn set_deactivated(&mut self, id: &str, at: Option<i64>) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET deactivated_at = $2 WHERE id = $1")
            .bind(id)
            .bind(at)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// By when a member has to have set two-factor authentication up. Another date is reminded of anew.
    pub(crate) async fn set_enrol_by(&mut self, id: &str, by: Option<i64>) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET enrol_by = $2, reminded = 0 WHERE id = $1")
            .bind(id)
            .bind(by)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// From when two-factor authentication is required of a member in person; an earlier date stays.
    pub(crate) async fn require_from(&mut self, id: &str, from: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE account SET required_from = $2 WHERE id = $1 AND (required_from IS NULL OR required_from > $2)",
        )
        .bind(id)
        .bind(from)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Nothing is required of a member in person any more.
    pub(crate) async fn stop_requiring(&mut self, id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET required_from = NULL WHERE id = $1")
            .bind(id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Notes that a member was reminded; `reached` has a bit for each reminder. False if somebody else did.
    pub(crate) async fn set_reminded(&mut self, id: &str, reached: i64) -> Result<bool, sqlx::Error> {
        sqlx::query("UPDATE account SET reminded = $2 WHERE id = $1 AND reminded < $2")
            .bind(id)
            .bind(reached)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Notes a sign-in.
    pub(crate) async fn note_sign_in(&mut self, account_id: &str, now: i64) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET last_signed_in_at = $2 WHERE id = $1")
            .bind(account_id)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
