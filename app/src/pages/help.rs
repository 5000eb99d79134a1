//! `/help/two-factor`: the guide.
//!
//! It is long and never changes, so only the server has it: in the browser the page keeps the HTML that came with the
//! document, and whoever gets here without loading a document loads one.

#[cfg(feature = "ssr")]
use crate::visit::Call;
use leptos::prelude::*;

use crate::erase::Erase;
use crate::error::AppError;
use crate::page::page;
use crate::wire::wire;

wire! {
    /// Nothing but the frame.
    struct HelpView {}
}

/// Loads the frame.
#[server(prefix = "/api", endpoint = "load_help")]
pub(crate) async fn load_help() -> Result<String, AppError> {
    Call::current()?.page(&HelpView {})
}

/// `/help/two-factor`.
pub(crate) fn help_page() -> AnyView {
    load_document_if_needed();
    page(|| LoadHelp {}, "Two-factor authentication", view)
}

fn view(_: HelpView) -> AnyView {
    view! { <article class="medium card guide" inner_html=guide()></article> }.erase()
}

#[cfg(feature = "ssr")]
const fn guide() -> &'static str {
    include_str!("help/guide.html")
}

#[cfg(not(feature = "ssr"))]
const fn guide() -> &'static str {
    ""
}

#[cfg(feature = "ssr")]
const fn load_document_if_needed() {}

#[cfg(not(feature = "ssr"))]
fn load_document_if_needed() {
    if crate::page::use_hydrated().get_untracked() {
        // A refused navigation leaves the empty page, which says where it is by its title.
        let _ = window().location().assign("/help/two-factor");
    }
}
