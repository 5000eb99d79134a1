//! A labelled input.

use std::borrow::Cow;

use leptos::prelude::*;

use super::layout::filled;
use crate::erase::{Erase, live, live_attribute};
use crate::error::AppError;
use crate::page::{use_page, use_zone};

/// What is typed into a field, for keyboards and password managers.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Letters that a phone must leave as typed.
    #[default]
    Text,
    /// Words of a language.
    Words,
    Email,
    Phone,
    Link,
    Password,
    NewPassword,
    Pin,
    Timezone,
    Number,
    Date,
    Search,
}

impl Kind {
    /// The kind that a page of the server's names.
    pub(crate) fn from_name(name: &str) -> Self {
        match name {
            "words" => Self::Words,
            "email" => Self::Email,
            "phone" => Self::Phone,
            "password" => Self::Password,
            "new-password" => Self::NewPassword,
            "pin" => Self::Pin,
            "number" => Self::Number,
            "date" => Self::Date,
            "search" => Self::Search,
            _ => Self::Text,
        }
    }

    const fn input_type(self) -> &'static str {
        match self {
            Self::Text | Self::Words | Self::Timezone | Self::Number => "text",
            Self::Email => "email",
            Self::Phone => "tel",
            Self::Link => "url",
            Self::Password | Self::NewPassword | Self::Pin => "password",
            Self::Date => "date",
            Self::Search => "search",
        }
    }

    /// The value of `autocomplete` where the caller does not know better (WCAG 1.3.5).
    const fn autocomplete(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Link => "url",
            Self::Password => "current-password",
            Self::NewPassword => "new-password",
            Self::Phone => "tel",
            Self::Text | Self::Words | Self::Pin | Self::Timezone | Self::Number | Self::Date | Self::Search => "off",
        }
    }
}

/// A field: label, hint, what is wrong with it, input.
#[component]
pub(crate) fn Field(
    #[prop(into)] label: Cow<'static, str>,
    #[prop(into)] name: Cow<'static, str>,
    /// Its id, where several fields of a page have the name.
    #[prop(optional, into)]
    id: Cow<'static, str>,
    #[prop(optional)] kind: Kind,
    #[prop(optional)] value: String,
    #[prop(optional, into)] hint: String,
    #[prop(optional)] autocomplete: &'static str,
    /// Characters that a new password has at least.
    #[prop(default = None)]
    minimum: Option<u32>,
    #[prop(optional)] required: bool,
) -> AnyView {
    let page = use_page();
    let zone = use_zone();
    let is_refused = page.failure.get_untracked().is_some_and(|error| error.field() == Some(name.as_ref()));
    let this = StoredValue::new(name.clone());
    let is_of_this = move |error: &AppError| this.with_value(|name| error.field() == Some(name.as_ref()));
    let found = move || {
        let noted = page.notes.with(|notes| notes.iter().copied().find(is_of_this));
        noted.or_else(|| page.failure.get().filter(is_of_this))
    };
    let text = move || found().filter(|error| error.is_said_at_field()).map(|error| error.text(zone()));
    let autocomplete = if autocomplete.is_empty() { kind.autocomplete() } else { autocomplete };
    let is_text = !matches!(kind, Kind::Words);
    let id = if id.is_empty() { name.clone() } else { id };
    let [hint_id, error_id] = ["-hint", "-error"].map(|end| [id.as_ref(), end].concat());
    let described_by = [hint_id.as_str(), " ", error_id.as_str()].concat();
    view! {
        <div class="field">
            <label for=id.clone() class=if required { "required" } else { "" }>{label}</label>
            <p class="hint" id=hint_id>{filled(hint)}</p>
            <p class="error" id=error_id>{live(text)}</p>
            <input
                id=id
                name=name
                type=kind.input_type()
                value=value
                required=required
                minlength=minimum
                list=(kind == Kind::Timezone).then_some("timezones")
                autocomplete=autocomplete
                inputmode=matches!(kind, Kind::Pin | Kind::Number).then_some("numeric")
                autocapitalize=is_text.then_some("none")
                spellcheck=is_text.then_some("false")
                dir=matches!(kind, Kind::Phone | Kind::Pin).then_some("ltr")
                aria-invalid=live_attribute("true", move || found().is_some())
                aria-describedby=described_by
                autofocus=is_refused
            />
        </div>
    }
    .erase()
}

/// What is on file elsewhere, shown as a field that is not for typing.
#[component]
pub(crate) fn ReadOnly(label: &'static str, id: &'static str, value: String) -> AnyView {
    view! {
        <div class="field">
            <label for=id>{label}</label>
            <input id=id type="text" value=value readonly/>
        </div>
    }
    .erase()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::page::tests::html;

    fn email(failure: Option<AppError>) -> String {
        let value = "\"><script>".to_owned();
        html(failure, || {
            view! { <Field label="Email" name="email" kind=Kind::Email value=value required=true/> }.erase()
        })
    }

    #[test]
    fn what_was_typed_stays_text() {
        let html = email(None);
        assert!(!html.contains("<script>"), "{html}");
        assert!(html.contains("autocomplete=\"email\"") && html.contains(" required"), "{html}");
    }

    #[test]
    fn what_is_wrong_is_said_at_the_field_and_gets_the_cursor() {
        let html = email(Some(AppError::Email(domain::email::InvalidEmail)));
        assert!(html.contains("Enter an e-mail address like name@example.com"), "{html}");
        assert!(html.contains("aria-invalid=\"true\"") && html.contains(" autofocus"), "{html}");
        assert!(html.contains("aria-describedby=\"email-hint email-error\""), "{html}");
    }
}
