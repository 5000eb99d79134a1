//! The failure budget: one row per evaluated token.

use domain::Timestamp;

use super::{Store, Write};

const LATEST: &str = "SELECT at FROM attempt WHERE account_id = $1 AND outcome IN ('failed', 'reused')
    ORDER BY at DESC LIMIT $2";

fn timestamps(rows: Vec<i64>) -> Vec<Timestamp> {
    rows.into_iter().map(Timestamp::from_millis).collect()
}

impl Store {
    /// The times of the account's latest failures, newest first.
    pub(crate) async fn latest_failures(&self, account_id: &str, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(LATEST).bind(account_id).bind(most).fetch_all(&self.pool).await.map(timestamps)
    }
}

impl Write {
    /// The times of the account's latest failures, newest first, under the account's lock.
    pub(crate) async fn latest_failures(&mut self, account_id: &str, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(LATEST).bind(account_id).bind(most).fetch_all(self.connection()).await.map(timestamps)
    }

    /// Records an attempt as failed, before it is checked, and lengthens the run of failures. Returns the run's length.
    pub(crate) async fn insert_attempt(
        &mut self,
        id: &str,
        account_id: &str,
        tried: &str,
        now: i64,
    ) -> Result<i64, sqlx::Error> {
        sqlx::query("INSERT INTO attempt (id, account_id, at, outcome, tried) VALUES ($1, $2, $3, 'failed', $4)")
            .bind(id)
            .bind(account_id)
            .bind(now)
            .bind(tried)
            .execute(self.connection())
            .await?;
        sqlx::query_scalar(
            "UPDATE account SET consecutive_failures = consecutive_failures + 1,
                 run_began_at = CASE WHEN consecutive_failures = 0 THEN $2 ELSE run_began_at END
             WHERE id = $1 RETURNING consecutive_failures",
        )
        .bind(account_id)
        .bind(now)
        .fetch_one(self.connection())
        .await
    }

    /// Turns the attempt's own record into a success and ends the run of failures. False if it was turned before.
    pub(crate) async fn pass_attempt(&mut self, id: &str, account_id: &str) -> Result<bool, sqlx::Error> {
        let passed = sqlx::query("UPDATE attempt SET outcome = 'passed' WHERE id = $1 AND outcome = 'failed'")
            .bind(id)
            .execute(self.connection())
            .await?;
        self.end_failure_run(account_id).await?;
        Ok(passed.rows_affected() == 1)
    }

    /// Marks an attempt as the second use of a token; it stays a failure.
    pub(crate) async fn mark_attempt_reused(&mut self, id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE attempt SET outcome = 'reused' WHERE id = $1")
            .bind(id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Takes the account's failures out of every count, by the operator's hand alone.
    pub(crate) async fn forgive_failures(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE attempt SET outcome = 'forgiven' WHERE account_id = $1 AND outcome IN ('failed', 'reused')")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Deletes attempts of before that moment, but for those of an account's present run of failures: however long the run
    /// takes, its hundredth disables what was tried in the first.
    pub(crate) async fn sweep_attempts(&mut self, before: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "DELETE FROM attempt WHERE at < $1 AND NOT EXISTS (
                 SELECT 1 FROM account a WHERE a.id = attempt.account_id
                 AND a.consecutive_failures > 0 AND a.run_began_at <= attempt.at)",
        )
        .bind(before)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// The length of the account's run of failures.
    pub(crate) async fn consecutive_failures(&mut self, account_id: &str) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar("SELECT consecutive_failures FROM account WHERE id = $1")
            .bind(account_id)
            .fetch_one(self.connection())
            .await
    }

    /// Ids of the factors tried in the account's present run of failures, one list per attempt.
    pub(crate) async fn factors_tried_in_run(&mut self, account_id: &str) -> Result<Vec<String>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT DISTINCT t.tried FROM attempt t JOIN account a ON a.id = t.account_id
             WHERE t.account_id = $1 AND t.at >= a.run_began_at AND t.outcome <> 'passed'",
        )
        .bind(account_id)
        .fetch_all(self.connection())
        .await
    }

    /// Ends the account's run of failures.
    pub(crate) async fn end_failure_run(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET consecutive_failures = 0 WHERE id = $1")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
