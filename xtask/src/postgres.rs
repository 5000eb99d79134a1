//! A PostgreSQL for the tests: started for one command by `pg_virtualenv`, or the one the person names.

use std::path::Path;
use std::process::Command;

use anyhow::{Result, bail};

use crate::project::{command, find_program};

/// The variable by which tests find PostgreSQL, set by us or by the person. The role must be allowed to create databases.
pub(crate) const URL_VARIABLE: &str = "TWOFOLD_TEST_POSTGRES_URL";

/// What to do where there is none.
pub(crate) const REMEDY: &str = "install `pg_virtualenv` (Debian and Ubuntu: packages postgresql and postgresql-common), \
     or start a PostgreSQL 13 or newer and set TWOFOLD_TEST_POSTGRES_URL=postgres://user:password@host:port/database to a \
     role that may create databases";

/// What a throw-away cluster is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cluster {
    /// Many tests with a database each at once, and no care for a power cut.
    ForTests,
    /// As durable as in production, for figures.
    Durable,
}

impl Cluster {
    const fn settings(self) -> &'static [&'static str] {
        match self {
            Self::ForTests => &[
                "max_connections=300",
                // After a failure its log is printed, where it would bury what failed.
                "log_min_messages=fatal",
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                "autovacuum=off",
                "max_wal_size=2GB",
            ],
            Self::Durable => &["fsync=on", "synchronous_commit=on"],
        }
    }
}

/// Run inside `pg_virtualenv`, which tells the cluster's address in libpq's variables.
const WITH_URL: &str = r#"export TWOFOLD_TEST_POSTGRES_URL="postgres://$PGUSER:$PGPASSWORD@$PGHOST:$PGPORT/$PGDATABASE"
exec "$@""#;

/// Whether [`with_postgres`] will work.
pub(crate) fn is_available() -> bool {
    std::env::var_os(URL_VARIABLE).is_some() || can_start_one()
}

/// `pg_virtualenv` comes without a server where only the client is installed.
fn can_start_one() -> bool {
    let server = |version: std::fs::DirEntry| version.path().join("bin/pg_ctl").is_file();
    find_program("pg_virtualenv").is_some()
        && std::fs::read_dir(Path::new("/usr/lib/postgresql")).is_ok_and(|versions| versions.flatten().any(server))
}

/// A command line that runs `program` with [`URL_VARIABLE`] set. A database that the person names goes first.
pub(crate) fn with_postgres(cluster: Cluster, program: &[&str]) -> Result<Command> {
    if std::env::var_os(URL_VARIABLE).is_some() {
        let mut named = command(program[0]);
        named.args(&program[1..]);
        return Ok(named);
    }
    if !can_start_one() {
        bail!("the tests need PostgreSQL: {REMEDY}");
    }
    let mut started = command("pg_virtualenv");
    // A folder of its own even for root, so that two runs do not meet.
    started.arg("-t");
    for setting in cluster.settings() {
        started.args(["-o", setting]);
    }
    started.args(["sh", "-c", WITH_URL, "sh"]).args(program);
    Ok(started)
}
