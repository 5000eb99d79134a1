//! Another account.

use leptos::prelude::*;

use crate::flows::exchange;
use crate::model::{Model, Screen};
use crate::parts::{Typed, button, field, form, heading, screen, submit};

/// Which way.
pub(crate) fn menu(model: Model) -> AnyView {
    screen(
        model,
        vec![
            heading("Add an account", ""),
            button("By phone", "btn full", move || model.go(Screen::Phone)),
            view! { <p class="hint">"Your practice account, found by its cell phone"</p> }.into_any(),
            button("Scan a QR code", "btn full", move || model.go(Screen::Scan)),
            button("Type a key", "btn full", move || model.go(Screen::AddKey)),
            view! { <p class="hint">"Any other site's account with six to eight digits"</p> }.into_any(),
            button("Back", "btn quiet", move || model.home()),
        ],
    )
}

/// By a setup key, or an `otpauth://` link.
pub(crate) fn key(model: Model) -> AnyView {
    let (name, key) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let fields = view! {
        {field("account-name", "Account name", "As it shall be called here", Typed::Text, name)}
        {field("setup-key", "Setup key", "The key that the site shows, or its otpauth:// link", Typed::Code, key)}
        {submit("Add", model)}
    };
    screen(
        model,
        vec![
            heading("Type a key", ""),
            form(fields.into_any(), move || exchange::add_typed(model, &name.get_untracked(), &key.get_untracked())),
            button("Back", "btn quiet", move || model.go(Screen::Add)),
        ],
    )
}
