//! `twofold migrate`: the database at this version, before any replica serves it.

use authority::Migrate;

use super::open::{self, OpenError};
use crate::config::Config;

pub(super) async fn migrate(config: &Config) -> Result<(), OpenError> {
    let parts = open::Parts::load(config)?;
    parts.open(config, &open::public_url(config, config.listen), Migrate::Yes).await?;
    println!("The database is at this version.");
    Ok(())
}
