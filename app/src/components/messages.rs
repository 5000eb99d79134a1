//! What went wrong and what went well: one element each, there before their text is, so that a screen reader says it.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::erase::{Erase, live};
use crate::notice::Notice;
use crate::page::{use_page, use_zone};

/// The page's messages. `status` is what the page itself has to say; else it is the notice that the address names.
#[component]
pub(crate) fn Messages(#[prop(default = None)] status: Option<String>) -> AnyView {
    let failure = use_page().failure;
    let zone = use_zone();
    let query = use_location().search;
    let said = StoredValue::new(status);
    let status = move || {
        if failure.with(Option::is_some) {
            return None;
        }
        said.get_value().or_else(|| query.with(|query| Notice::of_query(query)).map(|notice| notice.text().to_owned()))
    };
    view! {
        <div role="alert" id="error" class="message bad">
            {live(move || failure.get().map(|error| error.text(zone())))}
        </div>
        <div role="status" class="message good">{live(status)}</div>
    }
    .erase()
}
