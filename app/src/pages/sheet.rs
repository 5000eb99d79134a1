//! All pages that the server describes: one function loads them, by their address.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {crate::practice, crate::visit::Call};

use crate::error::AppError;
use crate::page::page_at;
use crate::sheet;

/// Loads the page at `address`: its path and query. While a page is being rendered, its own address counts.
#[server(prefix = "/api", endpoint = "load_sheet")]
pub(crate) async fn load_sheet(#[server(default)] address: String) -> Result<String, AppError> {
    practice::load(&Call::current()?, &address).await
}

/// A page that the server describes.
pub(crate) fn sheet_page() -> AnyView {
    page_at(|address| LoadSheet { address }, sheet::view)
}
