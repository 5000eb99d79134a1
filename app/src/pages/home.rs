//! `/`: the way on, to the account or to the sign-in.

#[cfg(feature = "ssr")]
use crate::visit::{Call, redirected};
use leptos::prelude::*;

use crate::erase::nothing;
use crate::error::AppError;
use crate::page::page;
use crate::wire::wire;

wire! {
    /// Nothing: the page is never shown.
    struct Nothing {}
}

/// Redirects.
#[server(prefix = "/api", endpoint = "load_home")]
pub(crate) async fn load_home() -> Result<String, AppError> {
    Err(redirected(Call::current()?.visit.inside().unwrap_or("/login")))
}

/// `/`.
pub(crate) fn home_page() -> AnyView {
    page(|| LoadHome {}, "Two-factor authentication", |_: Nothing| nothing())
}
