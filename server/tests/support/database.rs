//! A database for each test.

use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

/// Names a PostgreSQL whose role may create databases.
const VARIABLE: &str = "TWOFOLD_TEST_POSTGRES_URL";

static NEXT: AtomicU32 = AtomicU32::new(0);

pub(crate) enum Database {
    /// A file in the test's folder.
    Sqlite,
    /// A database of its own in the PostgreSQL of the run. It stays until that ends.
    Postgres { admin_url: String, name: String },
}

impl Database {
    pub(crate) fn sqlite() -> Self {
        Self::Sqlite
    }

    pub(crate) async fn postgres() -> Self {
        let admin_url = std::env::var(VARIABLE).unwrap_or_else(|_| {
            panic!("no PostgreSQL: run `cargo xtask test`, which starts one by `pg_virtualenv`, or set {VARIABLE}")
        });
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("twofold_routes_{}_{number}", std::process::id());
        execute(&admin_url, format!("CREATE DATABASE {name}")).await;
        Self::Postgres { admin_url, name }
    }

    pub(crate) fn url(&self, folder: &Path) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}?mode=rwc", folder.join("twofold.db").display()),
            Self::Postgres { admin_url, name } => {
                let (server, _) = admin_url.rsplit_once('/').expect("a URL with a database");
                format!("{server}/{name}")
            }
        }
    }

    /// The database is gone, connections and all. Of a file nothing can be taken away while it is open, so this is for
    /// PostgreSQL.
    pub(crate) async fn lose(&self) {
        match self {
            Self::Sqlite => panic!("a SQLite file cannot go away"),
            Self::Postgres { admin_url, name } => {
                execute(admin_url, format!("DROP DATABASE {name} WITH (FORCE)")).await;
            }
        }
    }
}

/// The names are made above, so nobody else's text is in the statement.
async fn execute(url: &str, statement: String) {
    let mut connection = PgConnection::connect(url).await.expect("the PostgreSQL of the tests");
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.expect("a statement");
    connection.close().await.expect("an end");
}
