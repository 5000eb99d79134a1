//! The one store: the only place with SQL, one text for `SQLite` and `PostgreSQL` through `sqlx::Any`.
//!
//! Reads go to the pool. Every write goes through one door, [`Store::write`]. One-time means one statement here: an
//! `UPDATE` whose `WHERE` holds the condition, and exactly one affected row.

mod account;
mod attempt;
mod audit;
mod backup;
mod challenge;
mod coverage;
mod device;
mod factor;
mod guard;
mod message;
mod outbox;
mod policy;
mod practice;
mod recovery;
mod registration;
mod remembered;
mod reset;
mod sealed_key;
mod session;
mod staff;
mod token_account;

use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::migrate::Migrator;
use sqlx::{Any, AnyConnection, AnyPool, Executor as _, Transaction};
use tokio::sync::{Mutex, OwnedMutexGuard};

pub(crate) use account::{AccountRow, Credentials, NewAccount, ProfileRow};
pub(crate) use audit::{AuditFilter, ChainRow, FoundRow, HeadRow, LinkRow, LinkedRow, MarkRow, UnsealedRow};
pub(crate) use backup::{BackupRow, NewBackup};
pub(crate) use challenge::{ChallengeRow, NewChallenge};
pub(crate) use coverage::CoverageRow;
pub(crate) use device::{DeviceFactorRow, DeviceRow, LinkedAccountRow, NewDevice};
pub(crate) use factor::{FactorRow, NewFactor};
pub(crate) use message::{MessageTokenRow, NewMessageSend, NewMessageToken};
pub(crate) use outbox::{NewOutboxRow, OutboxRow};
pub(crate) use policy::{PracticeRules, RuleRow};
pub(crate) use practice::PracticeRow;
pub(crate) use registration::{NewRegistration, ProvenRegistration, RegistrationRow};
pub(crate) use remembered::{NewRemembered, RememberedRow};
pub(crate) use reset::{NewReset, ResetRow};
pub(crate) use session::{NewSession, SignedInRow};
pub(crate) use staff::{StaffDetails, StaffRow};
pub(crate) use token_account::TokenAccountRow;

/// Why the database did not do what it was asked.
pub type StoreError = sqlx::Error;

/// Whether a statement failed because what it writes has to be there once only and is there. Which of several constraints
/// it was, `SQLite` does not say; the caller knows.
pub(crate) fn is_taken(error: &StoreError) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}

/// Whether the database gave a transaction up for the sake of another one: nothing of it has happened.
fn is_given_up(error: &StoreError) -> bool {
    const SERIALIZATION_FAILURE: &str = "40001";
    const DEADLOCK: &str = "40P01";
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    code.is_some_and(|code| code == SERIALIZATION_FAILURE || code == DEADLOCK)
}

/// How often a transaction is begun that the database gives up.
const MAX_TRIES: u32 = 3;

/// Runs a whole transaction, and again if the database gave it up. For what locks several rows without the lock of an
/// account, which everything else takes first.
pub(crate) async fn insist<T, F>(mut transaction: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let mut tries = 1;
    loop {
        match transaction().await {
            Err(error) if tries < MAX_TRIES && is_given_up(&error) => tries += 1,
            done => return done,
        }
    }
}

static MIGRATIONS: Migrator = sqlx::migrate!("../migrations");

/// A connection waits this long for another writer before it gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Which database answers. Asked here and in `guard` only; the SQL does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backend {
    Sqlite,
    Postgres,
}

impl Backend {
    fn of(connection: &AnyConnection) -> Self {
        if connection.backend_name() == "SQLite" { Self::Sqlite } else { Self::Postgres }
    }
}

/// A database of Twofold's.
#[derive(Clone)]
pub(crate) struct Store {
    pool: AnyPool,
    backend: Backend,
    /// On `SQLite` writers queue here, in order, instead of polling the file's lock. Other processes still meet that one.
    turn: Arc<Mutex<()>>,
}

/// Whether opening a store may change its schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Migrate {
    /// Bring the schema up to this release.
    Yes,
    /// Leave it; refuse a database whose schema is another release's.
    No,
}

impl Store {
    /// Connects to `url` (`sqlite:…` or `postgres:…`).
    pub(crate) async fn open(url: &str, migrate: Migrate) -> Result<Self, sqlx::Error> {
        install_default_drivers();
        let is_sqlite = url.starts_with("sqlite:");
        let pool = AnyPoolOptions::new()
            .max_connections(if is_sqlite { 8 } else { 16 })
            .acquire_timeout(BUSY_TIMEOUT)
            .after_connect(|connection, _| {
                Box::pin(async move {
                    let settings: &[&str] = match Backend::of(connection) {
                        Backend::Sqlite => &[
                            "PRAGMA busy_timeout = 5000",
                            "PRAGMA journal_mode = WAL",
                            "PRAGMA synchronous = FULL",
                            "PRAGMA foreign_keys = ON",
                        ],
                        // Starting workers costs more than any of these statements.
                        Backend::Postgres => &["SET max_parallel_workers_per_gather = 0"],
                    };
                    for setting in settings {
                        connection.execute(*setting).await?;
                    }
                    Ok(())
                })
            })
            .connect(url)
            .await?;
        let backend = Backend::of(&*pool.acquire().await?);
        let store = Self { pool, backend, turn: Arc::default() };
        match migrate {
            Migrate::Yes => {
                MIGRATIONS.run(&store.pool).await?;
                store.guard_audit().await?;
            }
            Migrate::No => store.check_schema().await?,
        }
        Ok(store)
    }

    /// Refuses a schema that this release does not know, in either direction.
    async fn check_schema(&self) -> Result<(), sqlx::Error> {
        let applied: Vec<i64> =
            sqlx::query_scalar("SELECT version FROM _sqlx_migrations ORDER BY version").fetch_all(&self.pool).await?;
        let known: Vec<i64> = MIGRATIONS.iter().map(|migration| migration.version).collect();
        if applied == known {
            Ok(())
        } else {
            Err(sqlx::Error::Configuration("the database is not of this release; run: twofold migrate".into()))
        }
    }

    /// The one door for writes: a transaction that is rolled back unless [`Write::commit`] is called.
    ///
    /// On `SQLite` it takes the write lock at once: a transaction that first reads and then writes would fail, with no
    /// wait, if another had written between.
    pub(crate) async fn write(&self) -> Result<Write, sqlx::Error> {
        let (turn, begin) = match self.backend {
            Backend::Sqlite => (Some(Arc::clone(&self.turn).lock_owned().await), "BEGIN IMMEDIATE"),
            Backend::Postgres => (None, "BEGIN"),
        };
        let transaction = self.pool.begin_with(begin).await?;
        Ok(Write { transaction, _turn: turn })
    }

    /// What time the database's machine has, asked of a table, so that the database itself has to answer. `SQLite` and
    /// `PostgreSQL` have no word for it in common.
    pub(crate) async fn now(&self) -> Result<Timestamp, sqlx::Error> {
        let sql = match self.backend {
            Backend::Sqlite => {
                "SELECT CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS BIGINT) FROM sealed_key LIMIT 1"
            }
            Backend::Postgres => {
                "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT) FROM sealed_key LIMIT 1"
            }
        };
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.map(Timestamp::from_millis)
    }
}

/// An open write transaction.
pub(crate) struct Write {
    transaction: Transaction<'static, Any>,
    /// Given up after the transaction, for fields drop in order.
    _turn: Option<OwnedMutexGuard<()>>,
}

impl Write {
    /// Makes everything written through it durable and visible, at once.
    pub(crate) async fn commit(self) -> Result<(), sqlx::Error> {
        self.transaction.commit().await
    }

    fn connection(&mut self) -> &mut AnyConnection {
        &mut self.transaction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_commit_is_on_the_disk_and_keys_hold_on_sqlite() {
        let folder = tempfile::tempdir().expect("a folder");
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("twofold.sqlite").display());
        let store = Store::open(&url, Migrate::Yes).await.expect("opens");
        let journal: String = sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&store.pool).await.expect("a mode");
        assert_eq!(journal, "wal");
        // 2 is FULL.
        for (pragma, expected) in
            [("PRAGMA synchronous", 2), ("PRAGMA foreign_keys", 1), ("PRAGMA busy_timeout", 5_000_i64)]
        {
            let value: i64 = sqlx::query_scalar(pragma).fetch_one(&store.pool).await.expect("a number");
            assert_eq!(value, expected, "{pragma}");
        }
    }
}
