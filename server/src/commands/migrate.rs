//! `twofold migrate`: the database at this version, before any replica serves it.

use authority::Migrate;

use super::open::{self, OpenError};
use crate::config::Config;

pub(super) async fn migrate(config: &Config) -> Result<(), OpenError> {
    open::authority(config, Migrate::Yes).await?;
    println!("The database is at this version.");
    Ok(())
}
