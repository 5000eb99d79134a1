//! Figures of the main job, on both databases in one run.

use anyhow::{Context, Result};

use crate::postgres::{Cluster, URL_VARIABLE, with_postgres};
use crate::project::{cache_dir, cargo, command, run, say, target_dir};
use crate::setup;

/// Builds `authority/examples/bench.rs` for release and runs it on SQLite and on PostgreSQL.
pub(crate) fn bench() -> Result<()> {
    setup::setup(setup::UNIT)?;
    run(cargo().args(["build", "--release", "--package", "authority", "--example", "bench"]))?;
    let program = target_dir()?.join("release/examples").join(format!("bench{}", std::env::consts::EXE_SUFFIX));
    let program = program.to_str().context("the path of the benchmark is no UTF-8")?;

    say("SQLite, WAL, synchronous=FULL");
    let folder = cache_dir().join("bench");
    // Whatever an earlier run left would be measured along.
    if folder.exists() {
        std::fs::remove_dir_all(&folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    run(command(program).arg(format!("sqlite://{}?mode=rwc", folder.join("bench.sqlite").display())))?;

    say("PostgreSQL, fsync=on, synchronous_commit=on");
    let with_address = format!("exec \"$0\" \"${URL_VARIABLE}\"");
    run(&mut with_postgres(Cluster::Durable, &["sh", "-c", &with_address, program])?)
}
