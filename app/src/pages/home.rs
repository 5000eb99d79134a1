//! `/`: the way on, to the account or to the sign-in.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {
    super::log_in::AFTER_SIGN_IN,
    crate::visit::{Call, redirected},
};

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
    let is_signed_in = Call::current()?.visit.signed_in.is_some();
    Err(redirected(if is_signed_in { AFTER_SIGN_IN } else { "/login" }))
}

/// `/`.
pub(crate) fn home_page() -> AnyView {
    page(|| LoadHome {}, "Two-factor authentication", |_: Nothing| nothing())
}
