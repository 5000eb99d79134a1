//! Whether the authority can decide.

use crate::{Authority, Unavailable};

/// Asks the database for a row.
///
/// # Errors
/// [`Unavailable`] if it does not answer.
pub async fn check(authority: &Authority) -> Result<(), Unavailable> {
    Ok(authority.store.ping().await?)
}
