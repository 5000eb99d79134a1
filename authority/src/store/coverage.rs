//! Day by day, how many people of a practice are protected by what.

use sqlx::FromRow;

use super::{Store, Write};

/// One day of one practice.
#[derive(FromRow)]
pub(crate) struct CoverageRow {
    /// Days since 1970-01-01.
    pub(crate) day: i64,
    pub(crate) members: i64,
    pub(crate) protected: i64,
    pub(crate) with_app: i64,
}

impl Store {
    /// The latest days of a practice, the newest first.
    pub(crate) async fn coverage(&self, practice_id: &str, most: i64) -> Result<Vec<CoverageRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT day, members, protected, with_app FROM coverage WHERE practice_id = $1 ORDER BY day DESC LIMIT $2",
        )
        .bind(practice_id)
        .bind(most)
        .fetch_all(&self.pool)
        .await
    }
}

impl Write {
    /// Counts the people of every practice for `day`; a later count of the same day takes the place of an earlier one.
    pub(crate) async fn count_coverage(&mut self, day: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO coverage (practice_id, day, members, protected, with_app)
             SELECT a.practice_id, $1, COUNT(*),
                    CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM factor f WHERE f.account_id = a.id
                        AND f.state <> 'pending') THEN 1 ELSE 0 END) AS BIGINT),
                    CAST(SUM(CASE WHEN EXISTS (SELECT 1 FROM factor f WHERE f.account_id = a.id
                        AND f.state <> 'pending' AND f.kind <> 'sms') THEN 1 ELSE 0 END) AS BIGINT)
             FROM account a WHERE a.deactivated_at IS NULL GROUP BY a.practice_id
             ON CONFLICT (practice_id, day) DO UPDATE SET members = excluded.members,
                 protected = excluded.protected, with_app = excluded.with_app",
        )
        .bind(day)
        .execute(self.connection())
        .await
        .map(|_| ())
    }
}
