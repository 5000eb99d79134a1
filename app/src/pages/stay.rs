//! Staying logged in without leaving the page.

use leptos::prelude::*;

#[cfg(feature = "ssr")]
use crate::visit::Call;

use crate::error::AppError;

/// Counts as activity, as every request of a person does.
#[server(prefix = "/api", endpoint = "stay")]
pub(crate) async fn stay() -> Result<(), AppError> {
    Call::current()?.setting_up("/account/security").await.map(|_| ())
}
