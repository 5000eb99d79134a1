//! What a practice asks of its people.

use sqlx::FromRow;

use super::{Store, Write};

/// The practice's own figures.
#[derive(FromRow)]
pub(crate) struct PracticeRow {
    pub(crate) owner_id: Option<String>,
    pub(crate) idle_minutes: i64,
    pub(crate) lock_minutes: i64,
    pub(crate) sms_until_used: i64,
}

/// The rule of a role.
#[derive(FromRow)]
pub(crate) struct RuleRow {
    pub(crate) role: String,
    pub(crate) requirement: String,
    pub(crate) required_from: i64,
    pub(crate) apps_only: i64,
}

const PRACTICE: &str = "SELECT owner_id, idle_minutes, lock_minutes, sms_until_used
    FROM practice WHERE id = $1";
const RULES: &str = "SELECT role, requirement, required_from, apps_only FROM role_rule WHERE practice_id = $1";

impl Store {
    /// A practice.
    pub(crate) async fn find_practice(&self, id: &str) -> Result<Option<PracticeRow>, sqlx::Error> {
        sqlx::query_as(PRACTICE).bind(id).fetch_optional(&self.pool).await
    }

    /// Ids of the practices of that name or id.
    pub(crate) async fn find_practices(&self, name_or_id: &str) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar("SELECT id FROM practice WHERE name = $1 OR id = $1 ORDER BY id")
            .bind(name_or_id)
            .fetch_all(&self.pool)
            .await
    }

    /// Its rules; a role may have none.
    pub(crate) async fn rules(&self, practice_id: &str) -> Result<Vec<RuleRow>, sqlx::Error> {
        sqlx::query_as(RULES).bind(practice_id).fetch_all(&self.pool).await
    }
}

impl Write {
    /// A practice, in this transaction.
    pub(crate) async fn find_practice(&mut self, id: &str) -> Result<Option<PracticeRow>, sqlx::Error> {
        sqlx::query_as(PRACTICE).bind(id).fetch_optional(self.connection()).await
    }

    /// Its rules, in this transaction.
    pub(crate) async fn rules(&mut self, practice_id: &str) -> Result<Vec<RuleRow>, sqlx::Error> {
        sqlx::query_as(RULES).bind(practice_id).fetch_all(self.connection()).await
    }

    /// Sets the practice's own figures: idle minutes, lock minutes, tokens until used.
    pub(crate) async fn update_practice(&mut self, id: &str, figures: [i64; 3]) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE practice SET idle_minutes = $2, lock_minutes = $3, sms_until_used = $4
             WHERE id = $1",
        )
        .bind(id)
        .bind(figures[0])
        .bind(figures[1])
        .bind(figures[2])
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

    /// Names the owner of a practice.
    pub(crate) async fn set_owner(&mut self, practice_id: &str, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE practice SET owner_id = $2 WHERE id = $1")
            .bind(practice_id)
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
