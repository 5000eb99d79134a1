//! Small parts of the screens. Their looks are those of the practice app: the classes are the same.

use leptos::ev::SubmitEvent;
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{File, HtmlElement, HtmlInputElement};

use crate::model::Model;

/// What is typed into a field.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Typed {
    Phone,
    Email,
    Digits,
    Code,
    Secret,
    NewSecret,
    Pin,
    Text,
}

impl Typed {
    const fn kind(self) -> &'static str {
        match self {
            Self::Phone => "tel",
            Self::Email => "email",
            Self::Secret | Self::NewSecret | Self::Pin => "password",
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
            Self::Code | Self::Pin | Self::Text => "off",
        }
    }

    const fn inputmode(self) -> Option<&'static str> {
        match self {
            Self::Digits | Self::Pin => Some("numeric"),
            _ => None,
        }
    }
}

/// A labelled field. What is typed is in `value`; its id is `id`.
pub(crate) fn field(
    id: &'static str,
    label: &'static str,
    hint: &'static str,
    typed: Typed,
    value: RwSignal<String>,
) -> impl IntoView {
    let class = if typed == Typed::Digits { "token long" } else { "" };
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <p class="hint" id=[id, "-hint"].concat()>{hint}</p>
            <input
                id=id
                class=class
                type=typed.kind()
                autocomplete=typed.autocomplete()
                inputmode=typed.inputmode()
                autocapitalize="none"
                spellcheck="false"
                dir=matches!(typed, Typed::Phone | Typed::Digits | Typed::Pin | Typed::Code).then_some("ltr")
                aria-describedby=[id, "-hint"].concat()
                prop:value=value
                on:input:target=move |event| value.set(event.target().value())
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

/// The heading of a screen; it takes the focus when the screen appears, so that a screen reader starts there.
pub(crate) fn heading(text: impl Into<String>, hint: impl Into<String>) -> AnyView {
    let heading = NodeRef::<leptos::html::H1>::new();
    Effect::new(move |_| {
        if let Some(heading) = heading.get() {
            let _ = heading.focus();
        }
    });
    let hint = hint.into();
    view! {
        <div>
            <h1 tabindex="-1" node_ref=heading>{text.into()}</h1>
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
        <div role="alert">{bad}</div>
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

/// Puts the keyboard into the field of that id.
pub(crate) fn focus(id: &str) {
    let element = document().get_element_by_id(id);
    if let Some(field) = element.and_then(|element| element.dyn_into::<HtmlElement>().ok()) {
        let _ = field.focus();
    }
}

/// A field for a recovery code.
pub(crate) fn recovery_code_field(code: RwSignal<String>) -> impl IntoView {
    field("recovery", "Recovery code", "One of the ten that you stored; it works once", Typed::Code, code)
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
