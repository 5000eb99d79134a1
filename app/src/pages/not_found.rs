//! What is at a path that leads nowhere.

use leptos::prelude::*;
#[cfg(feature = "ssr")]
use {crate::visit::Call, axum::http::StatusCode, leptos_axum::ResponseOptions};

use crate::components::{Block, Heading, Link};
use crate::erase::Erase;
use crate::error::AppError;
use crate::page::page;
use crate::wire::wire;

wire! {
    /// Nothing but the frame.
    struct NotFoundView {}
}

/// Says that there is no such page.
#[server(prefix = "/api", endpoint = "load_not_found")]
pub(crate) async fn load_not_found() -> Result<String, AppError> {
    if let Some(response) = use_context::<ResponseOptions>() {
        response.set_status(StatusCode::NOT_FOUND);
    }
    Call::current()?.page(&NotFoundView {})
}

/// The page in place of one that is not there.
pub(crate) fn not_found_page() -> AnyView {
    page(|| LoadNotFound {}, "Page not found", view)
}

fn view(_: NotFoundView) -> AnyView {
    view! {
        <Block class="narrow card stack">
            <Heading text="Page not found"/>
            <p>"There is no page at this address. It may have moved, or the link was cut short."</p>
            <Link href="/" label="Go to Twofold" class="btn primary"/>
        </Block>
    }
    .erase()
}
