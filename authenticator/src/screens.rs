//! What people see.

mod accounts;
mod add;
mod approve;
mod backup;
mod exchange;
mod install;
mod lock;
mod register;
mod scan;
mod settings;
mod token;

use leptos::prelude::*;

use crate::browser::offline;
use crate::model::{Model, Screen};
use crate::parts::{button, heading, screen};

/// The screen that is shown.
pub(crate) fn view(model: Model) -> impl IntoView {
    let current = Memo::new(move |_| model.screen.get());
    let shown = move || match current.get() {
        Screen::Starting => ().into_any(),
        Screen::Empty => empty(model),
        Screen::Phone => register::phone(model),
        Screen::Channel => register::channel(model),
        Screen::Code => register::code(model),
        Screen::Waiting { number } => register::waiting(model, number),
        Screen::Recovery => register::recovery(model),
        Screen::SetPin => lock::set_pin(model),
        Screen::Unlock => lock::unlock(model),
        Screen::WithoutPin => lock::without_pin(model),
        Screen::Prove(purpose) => lock::prove(model, purpose),
        Screen::ChangePin(proven) => lock::change_pin(model, proven),
        Screen::OfferBackup(proven) => backup::offer(model, proven),
        Screen::Restore => backup::restore(model),
        Screen::Recall => backup::recall(model),
        Screen::ChangeBackup => backup::change(model),
        Screen::ReplaceBackup(proven) => backup::replace(model, proven),
        Screen::Token => token::view(model),
        Screen::Accounts => accounts::view(model),
        Screen::Add => add::menu(model),
        Screen::AddKey => add::key(model),
        Screen::Scan => scan::view(model),
        Screen::Approve(request) => approve::view(model, request),
        Screen::Settings => settings::view(model),
        Screen::Devices => settings::devices(model),
        Screen::Export(proven) => exchange::export(model, proven),
        Screen::Import => exchange::import(model),
    };
    Effect::new(move |_| document().set_title(&model.title()));
    view! { {shown} {update(model)} }
}

fn empty(model: Model) -> AnyView {
    screen(
        model,
        vec![
            heading(
                model,
                "Authenticator",
                "Tokens for your practice account, made on this device. They work without network.",
            ),
            button("Add Account", "btn primary full", move || model.go(Screen::Phone)),
            view! {
                <p class="hint">
                    "Two-factor authentication must be on first: in Account Settings, on the Security tab. "
                    <a href="/help/two-factor">"How it works"</a>
                </p>
            }
            .into_any(),
        ],
    )
}

/// Never a reload by itself: a token may be on its way.
fn update(model: Model) -> AnyView {
    let offer = move || {
        model.update.get().then(|| {
            view! {
                <p class="note info update">
                    "Update available. " {button("Reload", "btn quiet", offline::take_over)}
                </p>
            }
        })
    };
    view! { <div role="status" class="update-place">{offer}</div> }.into_any()
}
