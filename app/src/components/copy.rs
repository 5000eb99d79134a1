//! The Copy button: there only where it works, that is once the page is hydrated.

use std::time::Duration;

use leptos::prelude::*;

use crate::browser;
use crate::erase::{Erase, live, live_view};
use crate::page::use_hydrated;

/// How long it says so.
const SAID: Duration = Duration::from_secs(7);

/// Copies `text`, and says so.
#[component]
pub(crate) fn Copy(text: String) -> AnyView {
    let hydrated = use_hydrated();
    let text = StoredValue::new(text);
    let said = RwSignal::new(false);
    let copy = move |_| {
        text.with_value(|text| {
            browser::copy(text, move || {
                said.set(true);
                set_timeout(move || said.try_set(false).map_or((), |_| ()), SAID);
            });
        });
    };
    let button = move || {
        hydrated.get().then(|| view! { <button type="button" class="btn" on:click=copy>"Copy"</button> }.erase())
    };
    view! {
        {live_view(button)}
        <span class="hint" aria-live="polite">{live(move || said.get().then(|| "Copied".to_owned()))}</span>
    }
    .erase()
}
