//! Small parts of the screens. Their looks are those of the practice app: the classes are the same.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{File, HtmlElement, HtmlInputElement};

use crate::model::Model;

/// The id of a screen's heading.
pub(crate) const HEADING: &str = "screen-heading";
/// The id of the field for a recovery code.
pub(crate) const RECOVERY_CODE: &str = "recovery";
/// The id of what says what went wrong.
const FAILURE: &str = "failure";

/// What is typed into a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    Phone,
    Email,
    Digits,
    Code,
    Secret,
    NewSecret,
    /// A PIN, which may be a password: a keypad would leave no way to type one.
    Pin,
    /// A PIN of which only digits are known.
    NumericPin,
    Text,
}

impl Typed {
    const fn kind(self) -> &'static str {
        match self {
            Self::Phone => "tel",
            Self::Email => "email",
            Self::Secret | Self::NewSecret | Self::Pin | Self::NumericPin => "password",
            Self::Digits | Self::Code | Self::Text => "text",
        }
    }

    const fn autocomplete(self) -> &'static str {
        match self {
            Self::Phone => "tel",
            Self::Email => "email",
            Self::Digits => "one-time-code",
            Self::Secret => "current-password",
            Self::NewSecret => "new-password",
            Self::Code | Self::Pin | Self::NumericPin | Self::Text => "off",
        }
    }

    const fn inputmode(self) -> Option<&'static str> {
        match self {
            Self::Digits | Self::NumericPin => Some("numeric"),
            _ => None,
        }
    }

    const fn dir(self) -> Option<&'static str> {
        match self {
            Self::Phone | Self::Digits | Self::Pin | Self::NumericPin | Self::Code => Some("ltr"),
            _ => None,
        }
    }
}

/// A labelled field. What is typed is in `value`; its id is `id`. What [`Model::fail_in`] says of it holds until the next
/// edit.
pub(crate) fn field(
    model: Model,
    id: &'static str,
    label: &'static str,
    hint: &'static str,
    typed: Typed,
    value: RwSignal<String>,
) -> impl IntoView {
    let class = if typed == Typed::Digits { "token long" } else { "" };
    let hint_id = [id, "-hint"].concat();
    let described_by = {
        let hint_id = hint_id.clone();
        move || if model.is_wrong(id) { [&hint_id, " ", FAILURE].concat() } else { hint_id.clone() }
    };
    Effect::new(move |_| {
        if model.is_wrong(id) {
            select(id);
        }
    });
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <p class="hint" id=hint_id>{hint}</p>
            <input
                id=id
                class=class
                type=typed.kind()
                autocomplete=typed.autocomplete()
                inputmode=typed.inputmode()
                autocapitalize="none"
                spellcheck="false"
                dir=typed.dir()
                aria-invalid=move || model.is_wrong(id).then_some("true")
                aria-describedby=described_by
                prop:value=value
                on:input:target=move |event| {
                    value.set(event.target().value());
                    if untrack(|| model.is_wrong(id)) {
                        model.quiet();
                    }
                }
            />
        </div>
    }
    .into_any()
}

/// A form with one task: what its button or Enter does.
pub(crate) fn form(children: AnyView, submit: impl Fn() + 'static) -> AnyView {
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        submit();
    };
    view! { <form class="stack" novalidate on:submit=on_submit>{children}</form> }.into_any()
}

/// The button of a form.
pub(crate) fn submit(label: &'static str, model: Model) -> AnyView {
    let busy = move || model.is_busy().then_some("true");
    view! { <button class="btn primary full" type="submit" aria-disabled=busy>{label}</button> }.into_any()
}

/// A button that does something at once.
pub(crate) fn button(label: impl Into<String>, class: &'static str, press: impl Fn() + 'static) -> AnyView {
    view! { <button class=class type="button" on:click=move |_| press()>{label.into()}</button> }.into_any()
}

/// The heading of a screen, by which the page is called. It takes the focus when the screen appears, so that a screen
/// reader starts there.
pub(crate) fn heading(model: Model, text: &'static str, hint: impl Into<String>) -> AnyView {
    model.call(text);
    focus_when_drawn(HEADING);
    let hint = hint.into();
    view! {
        <div>
            <h1 tabindex="-1" id=HEADING>{text}</h1>
            <p class="hint">{hint}</p>
        </div>
    }
    .into_any()
}

/// What went wrong and what went well. Both elements exist before there is anything to say.
pub(crate) fn messages(model: Model) -> AnyView {
    let bad = move || model.failure().map(|text| view! { <p class="message bad">{text}</p> });
    let good = move || model.status().map(|text| view! { <p class="message good">{text}</p> });
    view! {
        <div role="alert" id=FAILURE>{bad}</div>
        <div role="status">{good}</div>
    }
    .into_any()
}

/// A remark that stands on the screen.
pub(crate) fn note(class: &'static str, text: impl Into<String>) -> AnyView {
    view! { <p class=["note ", class].concat()>{text.into()}</p> }.into_any()
}

/// A screen: one column, one task.
pub(crate) fn screen(model: Model, children: Vec<AnyView>) -> AnyView {
    view! {
        <main class="narrow card stack">
            {messages(model)}
            {children}
        </main>
    }
    .into_any()
}

/// Puts the keyboard on the element of that id.
fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(element) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = element.focus();
    }
}

/// Puts the keyboard into the field of that id, so that typing replaces what is in it.
fn select(id: &str) {
    focus(id);
    let element = document().get_element_by_id(id);
    if let Some(field) = element.and_then(|element| element.dyn_into::<HtmlInputElement>().ok()) {
        field.select();
    }
}

/// Puts the keyboard on the element of that id, once what is being drawn is there.
pub(crate) fn focus_when_drawn(id: &'static str) {
    Effect::new(move |_| focus(id));
}

/// Where the keyboard goes while a screen moves on: to what has taken the place of what it was on. Not at first, for the
/// heading has it then.
pub(crate) fn follow() -> impl Fn(&'static str) + Copy {
    let has_begun = StoredValue::new(false);
    move |id| {
        if has_begun.get_value() {
            focus_when_drawn(id);
        }
        has_begun.set_value(true);
    }
}

/// A field for a recovery code.
pub(crate) fn recovery_code_field(model: Model, code: RwSignal<String>) -> impl IntoView {
    field(model, RECOVERY_CODE, "Recovery code", "One of the ten that you stored; it works once", Typed::Code, code)
}

/// A field for a file of the person's own.
pub(crate) fn file_field(
    id: &'static str,
    label: &'static str,
    accept: &'static str,
    pick: impl Fn(File) + 'static,
) -> AnyView {
    let change = move |input: HtmlInputElement| {
        if let Some(file) = input.files().and_then(|files| files.get(0)) {
            pick(file);
        }
    };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input id=id type="file" accept=accept on:change:target=move |event| change(event.target())/>
        </div>
    }
    .into_any()
}
