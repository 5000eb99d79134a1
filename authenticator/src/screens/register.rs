//! Adding the practice account by its phone.

use app::browser::ticker::every_second_of;
use leptos::prelude::*;

use crate::flows::{register, sync};
use crate::model::{Model, Screen};
use crate::parts::{Typed, button, field, form, heading, note, recovery_code_field, screen, submit};

/// Where this device is registered already.
const ANEW: &str = "This device has practice accounts already; they would be added anew, and those of another cell phone \
     would go. For one more practice with the same cell phone, choose this device on the Security tab there.";

/// Cell phone and e-mail.
pub(crate) fn phone(model: Model) -> AnyView {
    let (phone, email) = model.registration.with_value(|known| (known.phone.clone(), known.email.clone()));
    let (phone, email) = (RwSignal::new(phone), RwSignal::new(email));
    let fields = view! {
        {field(model, "phone", "Cell phone", "With its country code, as +1 202 555 0101", Typed::Phone, phone)}
        {field(model, "email", "Email", "Both as they are on your profile", Typed::Email, email)}
        {submit("OK", model)}
    };
    let is_registered = sync::device_key(model).is_some();
    screen(
        model,
        vec![
            heading(model, "Add your practice account", "We find it by the cell phone and the e-mail on your profile."),
            if is_registered { note("warn", ANEW) } else { ().into_any() },
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
                model,
                "Verify your phone",
                format!("A code goes to {phone}. Does a text message or a call suit you better?"),
            ),
            button("Text Me", "btn primary full", move || register::send_code(model, "sms")),
            button("Call Me", "btn full", move || register::send_code(model, "voice")),
            button("Back", "btn quiet", move || model.go(Screen::Phone)),
        ],
    )
}

/// How long another code has to wait, as the server says; it enforces the wait in any case (ux.md section 3).
fn cool_down(model: Model) -> (RwSignal<u32>, AnyView) {
    let wait = RwSignal::new(0_u32);
    let is_over = RwSignal::new(false);
    Effect::new(move |_| {
        let next = model.next_send_at.get();
        every_second_of(
            move || model.now(),
            move |now| {
                let left = u32::try_from(next.since(now).as_millis().div_ceil(1000)).unwrap_or(u32::MAX);
                // An effect may still begin when its screen is gone already.
                let Some(before) = wait.try_get_untracked() else { return false };
                wait.set(left);
                is_over.set(left == 0 && (before > 0 || is_over.get_untracked()));
                left > 0
            },
        );
    });
    let line = move || Some(wait.get()).filter(|left| *left > 0);
    let line = move || line().map(|left| format!("You can request a new token in {left} s"));
    let over = move || is_over.get().then_some("You can request a new token now");
    // The number is no part of a button's name, and only the end is said.
    let lines = view! {
        <p class="hint">{line}</p>
        <p class="unseen" aria-live="polite">{over}</p>
    };
    (wait, lines.into_any())
}

fn send_again(model: Model, label: &'static str, channel: &'static str, wait: RwSignal<u32>) -> AnyView {
    let send = move || {
        if wait.get_untracked() == 0 {
            register::send_code(model, channel);
        }
    };
    let waits = move || (wait.get() > 0).then_some("true");
    view! { <button class="btn quiet" type="button" aria-disabled=waits on:click=move |_| send()>{label}</button> }
        .into_any()
}

/// The code that came.
pub(crate) fn code(model: Model) -> AnyView {
    let code = RwSignal::new(String::new());
    let (wait, cool_down) = cool_down(model);
    let fields = view! {
        {field(model, "code", "Verification code", "Six digits", Typed::Digits, code)}
        {submit("Verify", model)}
    };
    screen(
        model,
        vec![
            heading(model, "Enter the code", "It came to your phone, and works for five minutes."),
            form(fields.into_any(), move || register::verify(model, code.get_untracked())),
            view! {
                <div class="other-ways">
                    {send_again(model, "Text Me", "sms", wait)}
                    {send_again(model, "Call Me", "voice", wait)}
                    {button("Back", "btn quiet", move || model.go(Screen::Phone))}
                </div>
            }
            .into_any(),
            cool_down,
        ],
    )
}

/// The number to choose on the other device.
pub(crate) fn waiting(model: Model, number: u32) -> AnyView {
    let spoken = format!("{} {}", number / 10, number % 10);
    screen(
        model,
        vec![
            heading(model, "Approve on your other device", "Open the authenticator there and choose this number."),
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
        {recovery_code_field(model, code)}
        {submit("Continue", model)}
    };
    screen(
        model,
        vec![
            heading(model, "Use a recovery code", "It proves that it is you, in place of your other device."),
            form(fields.into_any(), move || register::prove(model, code.get_untracked())),
            back(model),
        ],
    )
}

fn back(model: Model) -> AnyView {
    button("Back", "btn quiet", move || model.home())
}
