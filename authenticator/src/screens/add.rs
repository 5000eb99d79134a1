//! Another account.

use domain::totp::{Algorithm, Parameters};
use leptos::prelude::*;

use crate::flows::exchange;
use crate::model::{Model, Screen};
use crate::parts::{Typed, button, field, form, heading, screen, submit};

/// The digits of a token that a site may ask for.
const DIGITS: [u8; 3] = [6, 7, 8];
/// The seconds of a period to choose from; a link may ask for any other from 15 to 120.
const PERIODS: [u32; 6] = [15, 30, 45, 60, 90, 120];

/// Which way.
pub(crate) fn menu(model: Model) -> AnyView {
    screen(
        model,
        vec![
            heading(model, "Add an account", ""),
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
    let parameters = RwSignal::new(Parameters::OTHER_VENDOR);
    let fields = view! {
        {field(model, "account-name", "Account name", "As it shall be called here", Typed::Text, name)}
        {field(model, "setup-key", "Setup key", "The key that the site shows, or its otpauth:// link", Typed::Code, key)}
        {details(parameters)}
        {submit("Add", model)}
    };
    screen(
        model,
        vec![
            heading(model, "Type a key", ""),
            form(fields.into_any(), move || {
                exchange::add_typed(model, &name.get_untracked(), &key.get_untracked(), parameters.get_untracked());
            }),
            button("Back", "btn quiet", move || model.go(Screen::Add)),
        ],
    )
}

/// What few sites ask for; where they show a code or a link, it says so itself.
fn details(parameters: RwSignal<Parameters>) -> AnyView {
    let present = parameters.get_untracked();
    let digits = move |chosen: String| parameters.update(|it| it.digits = chosen.parse().unwrap_or(it.digits));
    let hash = move |chosen: String| {
        parameters.update(|it| it.algorithm = Algorithm::from_name(&chosen).unwrap_or(it.algorithm));
    };
    let period = move |chosen: String| parameters.update(|it| it.period = chosen.parse().unwrap_or(it.period));
    view! {
        <details>
            <summary>"Digits, hash, period"</summary>
            <div class="stack">
                <p class="hint">"Only if the site names them. A link has its own."</p>
                {select("digits", "Digits", DIGITS.map(|it| it.to_string()), &present.digits.to_string(), digits)}
                {select("hash", "Hash", Algorithm::ALL.map(|it| it.name().to_owned()), present.algorithm.name(), hash)}
                {select("period", "Period in seconds", PERIODS.map(|it| it.to_string()), &present.period.to_string(), period)}
            </div>
        </details>
    }
    .into_any()
}

fn select<const N: usize>(
    id: &'static str,
    label: &'static str,
    choices: [String; N],
    present: &str,
    choose: impl Fn(String) + 'static,
) -> AnyView {
    let options = choices
        .map(|choice| view! { <option value=choice.clone() selected=choice == present>{choice.clone()}</option> });
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <select id=id on:change:target=move |event| choose(event.target().value())>{options.collect_view()}</select>
        </div>
    }
    .into_any()
}
