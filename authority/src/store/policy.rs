//! What a practice asks of its people.

use sqlx::FromRow;

use super::{Store, Write};

/// The rule of a role.
#[derive(FromRow)]
pub(crate) struct RuleRow {
    pub(crate) role: String,
    pub(crate) requirement: String,
    pub(crate) required_from: i64,
    pub(crate) apps_only: i64,
}

/// What a practice says for everybody, as it is stored.
pub(crate) struct PracticeRules<'a> {
    pub(crate) idle_minutes: i64,
    pub(crate) lock_minutes: i64,
    pub(crate) sms_until_used: bool,
    pub(crate) remember_days: i64,
    pub(crate) countries: &'a str,
    pub(crate) phones_only: bool,
}

const RULES: &str = "SELECT role, requirement, required_from, apps_only FROM role_rule WHERE practice_id = $1";

impl Store {
    /// The rules of a practice; a role may have none.
    pub(crate) async fn rules(&self, practice_id: &str) -> Result<Vec<RuleRow>, sqlx::Error> {
        sqlx::query_as(RULES).bind(practice_id).fetch_all(&self.pool).await
    }
}

impl Write {
    /// The rules of a practice, in this transaction.
    pub(crate) async fn rules(&mut self, practice_id: &str) -> Result<Vec<RuleRow>, sqlx::Error> {
        sqlx::query_as(RULES).bind(practice_id).fetch_all(self.connection()).await
    }

    /// Sets what the practice says for everybody.
    pub(crate) async fn update_practice(&mut self, id: &str, new: &PracticeRules<'_>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE practice SET idle_minutes = $2, lock_minutes = $3, sms_until_used = $4, remember_days = $5,
                 countries = $6, phones_only = $7
             WHERE id = $1",
        )
        .bind(id)
        .bind(new.idle_minutes)
        .bind(new.lock_minutes)
        .bind(i64::from(new.sms_until_used))
        .bind(new.remember_days)
        .bind(new.countries)
        .bind(i64::from(new.phones_only))
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Sets the rule of a role.
    pub(crate) async fn set_rule(
        &mut self,
        practice_id: &str,
        role: &'static str,
        requirement: &'static str,
        required_from: i64,
        apps_only: bool,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO role_rule (practice_id, role, requirement, required_from, apps_only)
             VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT (practice_id, role) DO UPDATE SET requirement = excluded.requirement,
                 required_from = excluded.required_from, apps_only = excluded.apps_only",
        )
        .bind(practice_id)
        .bind(role)
        .bind(requirement)
        .bind(required_from)
        .bind(i64::from(apps_only))
        .execute(self.connection())
        .await
        .map(|_| ())
    }
}
