//! Practices.

use sqlx::FromRow;

use super::{ChainRow, Store, Write};

/// A practice with its figures.
#[derive(Clone, FromRow)]
pub(crate) struct PracticeRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) owner_id: Option<String>,
    pub(crate) idle_minutes: i64,
    pub(crate) lock_minutes: i64,
    pub(crate) sms_until_used: i64,
    pub(crate) remember_days: i64,
    pub(crate) countries: String,
    pub(crate) phones_only: i64,
    pub(crate) audit_retention_years: i64,
}

macro_rules! practice {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, owner_id, idle_minutes, lock_minutes, sms_until_used, remember_days, countries, phones_only,
                    audit_retention_years FROM practice ",
            $rest
        )
    };
}

const BY_ID: &str = practice!("WHERE id = $1");

impl Store {
    /// Every practice, in the order of their names.
    pub(crate) async fn practices(&self) -> Result<Vec<PracticeRow>, sqlx::Error> {
        sqlx::query_as(practice!("ORDER BY name, id")).fetch_all(&self.pool).await
    }

    /// One of them.
    pub(crate) async fn find_practice(&self, id: &str) -> Result<Option<PracticeRow>, sqlx::Error> {
        sqlx::query_as(BY_ID).bind(id).fetch_optional(&self.pool).await
    }

    /// Ids of the practices of that name or id.
    pub(crate) async fn find_practices(&self, name_or_id: &str) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar("SELECT id FROM practice WHERE name = $1 OR id = $1 ORDER BY id")
            .bind(name_or_id)
            .fetch_all(&self.pool)
            .await
    }
}

impl Write {
    /// A new practice, with the beginning of its audit chain.
    pub(crate) async fn insert_practice(&mut self, chain: &ChainRow, name: &str, now: i64) -> Result<(), sqlx::Error> {
        sqlx::query("INSERT INTO practice (id, name, created_at) VALUES ($1, $2, $3)")
            .bind(&chain.practice_id)
            .bind(name)
            .bind(now)
            .execute(self.connection())
            .await?;
        self.insert_chain(chain).await
    }

    /// A practice, in this transaction.
    pub(crate) async fn find_practice(&mut self, id: &str) -> Result<Option<PracticeRow>, sqlx::Error> {
        sqlx::query_as(BY_ID).bind(id).fetch_optional(self.connection()).await
    }

    /// Locks the practice until the transaction ends: who manages its accounts, and what it asks of its people, cannot
    /// change meanwhile. Taken before the lock of any account.
    pub(crate) async fn lock_practice(&mut self, practice_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE practice SET id = id WHERE id = $1")
            .bind(practice_id)
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

    /// The ids of every practice.
    pub(crate) async fn practice_ids(&mut self) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar("SELECT id FROM practice ORDER BY id").fetch_all(self.connection()).await
    }

    /// How long a practice keeps its trail.
    pub(crate) async fn set_audit_retention(&mut self, id: &str, years: i64) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE practice SET audit_retention_years = $2 WHERE id = $1")
            .bind(id)
            .bind(years)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
