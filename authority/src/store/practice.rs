//! Practices.

use sqlx::FromRow;

use super::{ChainRow, Store, Write};

/// A practice, and how long it keeps its trail.
#[derive(Clone, FromRow)]
pub(crate) struct NamedPracticeRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) audit_retention_years: i64,
}

impl Store {
    /// Every practice, in the order of their names.
    pub(crate) async fn practices(&self) -> Result<Vec<NamedPracticeRow>, sqlx::Error> {
        sqlx::query_as("SELECT id, name, audit_retention_years FROM practice ORDER BY name, id")
            .fetch_all(&self.pool)
            .await
    }

    /// One of them.
    pub(crate) async fn find_named_practice(&self, id: &str) -> Result<Option<NamedPracticeRow>, sqlx::Error> {
        sqlx::query_as("SELECT id, name, audit_retention_years FROM practice WHERE id = $1")
            .bind(id)
            .fetch_optional(&self.pool)
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
