//! Figures of the main job, on both databases in one run.

use anyhow::{Context, Result};

use crate::postgres::{Cluster, URL_VARIABLE, with_postgres};
use crate::project::{cache_dir, cargo, command, run, say, target_dir};
use crate::setup;

/// Rows of the audit trail that is measured; its example takes another number by itself.
const ROWS: &str = "100000";

/// Builds the examples of the authority for release and runs them on SQLite and on PostgreSQL.
pub(crate) fn bench() -> Result<()> {
    setup::setup(setup::UNIT)?;
    run(cargo().args(["build", "--release", "--package", "authority", "--example", "bench", "--example", "trail"]))?;
    let folder = target_dir()?.join("release/examples");
    let program = |name: &str| -> Result<String> {
        let path = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
        path.to_str().map(str::to_owned).context("the path of the benchmark is no UTF-8")
    };
    let (bench, trail) = (program("bench")?, program("trail")?);

    say("SQLite, WAL, synchronous=FULL");
    let folder = cache_dir().join("bench");
    // Whatever an earlier run left would be measured along.
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let url = |name: &str| format!("sqlite://{}?mode=rwc", folder.join(name).display());
    run(command(&bench).arg(url("bench.sqlite")))?;
    run(command(&trail).args([&url("trail.sqlite"), ROWS]))?;

    say("PostgreSQL, fsync=on, synchronous_commit=on");
    // The second makes its practice in the database of the cluster, of which the first left nothing there.
    let with_address = format!("\"$0\" \"${URL_VARIABLE}\" && exec \"$1\" \"${URL_VARIABLE}\" {ROWS}");
    run(&mut with_postgres(Cluster::Durable, &["sh", "-c", &with_address, &bench, &trail])?)
}
