//! The release: one file that is the whole product.

use anyhow::{Context, Result};

use crate::project::{cargo, root, run, say, target_dir};
use crate::setup;
use crate::site::{self, Flavour};
use crate::size::kilobytes;

/// Builds the release site and the binary that carries it.
pub(crate) fn build() -> Result<()> {
    setup::setup(setup::BUILD)?;
    let manifest = site::build(Flavour::Release)?;
    say("server for release, the site inside");
    // The server asks for this value when it is compiled, so that cargo compiles it anew for every new site.
    run(cargo().args(["build", "--release", "--package", "server"]).env("TWOFOLD_SITE_DIGEST", &manifest.digest))?;

    let program = target_dir()?.join("release").join(format!("twofold{}", std::env::consts::EXE_SUFFIX));
    let bytes = std::fs::metadata(&program).with_context(|| format!("cannot find {}", program.display()))?.len();
    let shown = program.strip_prefix(root()).unwrap_or(&program);
    println!("{}: {} kB", shown.display(), kilobytes(usize::try_from(bytes).unwrap_or(usize::MAX)));
    Ok(())
}
