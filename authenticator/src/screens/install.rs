//! The hint that the authenticator can be an app.

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser::install::Way;
use crate::browser::storage;
use crate::model::Model;
use crate::parts::button;

/// What the browser offers, until the person has answered.
pub(crate) fn hint(model: Model) -> AnyView {
    let is_wanted = RwSignal::new(false);
    spawn_local(async move {
        let is_answered = storage::load_install_answered().await;
        // The screen may be gone by now.
        let _ = is_wanted.try_set(!is_answered);
    });
    let answered = move || {
        is_wanted.set(false);
        spawn_local(async move {
            // Not kept, it is asked once more.
            let _ = storage::save_install_answered().await;
        });
    };
    let install = move || {
        model.install.ask();
        answered();
    };
    let shown = move || {
        let (text, install) = match model.install.way() {
            Way::Asks(_) => (
                "Put the authenticator on your home screen: it opens like an app, and its data stay.",
                Some(button("Install", "btn small", install)),
            ),
            Way::Share => (
                "Put the authenticator on your home screen, or the phone may clean its data away: Share, then Add to Home Screen.",
                None,
            ),
            Way::None => return None,
        };
        let dismiss = button("No, Thanks", "btn small", answered);
        Some(view! { <div class="note info"><p>{text}</p><div class="row">{install} {dismiss}</div></div> })
    };
    view! { {move || is_wanted.get().then(shown).flatten()} }.into_any()
}
