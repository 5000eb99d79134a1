//! Adding the practice account by its phone.

use leptos::prelude::*;

use crate::flows::register;
use crate::model::{Model, Screen};
use crate::parts::{Typed, button, field, form, heading, note, recovery_code_field, screen, submit};

/// Cell phone and e-mail.
pub(crate) fn phone(model: Model) -> AnyView {
    let (phone, email) = model.registration.with_value(|known| (known.phone.clone(), known.email.clone()));
    let (phone, email) = (RwSignal::new(phone), RwSignal::new(email));
    let fields = view! {
        {field("phone", "Cell phone", "With its country code, as +1 202 555 0101", Typed::Phone, phone)}
        {field("email", "Email", "Both as they are on your profile", Typed::Email, email)}
        {submit("OK", model)}
    };
    screen(
        model,
        vec![
            heading("Add your practice account", "We find it by the cell phone and the e-mail on your profile."),
            form(fields.into_any(), move || register::begin(model, phone.get_untracked(), email.get_untracked())),
            button("Add another kind of account", "btn quiet", move || add_elsewhere(model)),
            back(model),
        ],
    )
}

/// Accounts elsewhere need a vault too, and a vault needs a PIN.
fn add_elsewhere(model: Model) {
    let has_vault = model.vault.with_value(Option::is_some);
    model.go(if has_vault { Screen::Add } else { Screen::SetPin });
}

/// Text or call.
pub(crate) fn channel(model: Model) -> AnyView {
    let phone = model.registration.with_value(|known| known.phone.clone());
    screen(
        model,
        vec![
            heading(
                "Verify your phone",
                format!("A code goes to {phone}. Does a text message or a call suit you better?"),
            ),
            button("Text Me", "btn primary full", move || register::send_code(model, "sms")),
            button("Call Me", "btn full", move || register::send_code(model, "voice")),
            button("Back", "btn quiet", move || model.go(Screen::Phone)),
        ],
    )
}

/// The code that came.
pub(crate) fn code(model: Model) -> AnyView {
    let code = RwSignal::new(String::new());
    let fields = view! {
        {field("code", "Verification code", "Six digits", Typed::Digits, code)}
        {submit("Verify", model)}
    };
    screen(
        model,
        vec![
            heading("Enter the code", "It came to your phone, and works for five minutes."),
            form(fields.into_any(), move || register::verify(model, code.get_untracked())),
            view! {
                <div class="other-ways">
                    {button("Text Me", "btn quiet", move || register::send_code(model, "sms"))}
                    {button("Call Me", "btn quiet", move || register::send_code(model, "voice"))}
                    {button("Back", "btn quiet", move || model.go(Screen::Phone))}
                </div>
            }
            .into_any(),
        ],
    )
}

/// The number to choose on the other device.
pub(crate) fn waiting(model: Model, number: u32) -> AnyView {
    let spoken = format!("{} {}", number / 10, number % 10);
    screen(
        model,
        vec![
            heading("Approve on your other device", "Open the authenticator there and choose this number."),
            view! { <p class="matching" role="img" aria-label=spoken>{format!("{number:02}")}</p> }.into_any(),
            note("info", "This page goes on by itself. Never choose a number that you do not see here."),
            button("Use a recovery code", "btn full", move || model.go(Screen::Recovery)),
            back(model),
        ],
    )
}

/// A recovery code, for whom the other device is out of reach.
pub(crate) fn recovery(model: Model) -> AnyView {
    let code = RwSignal::new(String::new());
    let fields = view! {
        {recovery_code_field(code)}
        {submit("Continue", model)}
    };
    screen(
        model,
        vec![
            heading("Use a recovery code", "It proves that it is you, in place of your other device."),
            form(fields.into_any(), move || register::prove(model, code.get_untracked())),
            back(model),
        ],
    )
}

fn back(model: Model) -> AnyView {
    button("Back", "btn quiet", move || model.home())
}
