//! A labelled input.

use leptos::prelude::*;

use super::layout::filled;
use crate::erase::{Erase, live, live_attribute};
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
}

impl Kind {
    const fn input_type(self) -> &'static str {
        match self {
            Self::Text | Self::Words | Self::Timezone => "text",
            Self::Email => "email",
            Self::Phone => "tel",
            Self::Link => "url",
            Self::Password | Self::NewPassword | Self::Pin => "password",
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
            Self::Text | Self::Words | Self::Pin | Self::Timezone => "off",
        }
    }
}

/// A field: label, hint, what is wrong with it, input; its id is its name.
#[component]
pub(crate) fn Field(
    label: &'static str,
    name: &'static str,
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
    let found = move || {
        let noted = page.notes.with(|notes| notes.iter().copied().find(|note| note.field() == Some(name)));
        noted.or_else(|| page.failure.get().filter(|error| error.field() == Some(name)))
    };
    let text = move || found().filter(|error| error.is_said_at_field()).map(|error| error.text(zone()));
    let autocomplete = if autocomplete.is_empty() { kind.autocomplete() } else { autocomplete };
    let is_text = !matches!(kind, Kind::Words);
    let is_refused = page.failure.get_untracked().is_some_and(|error| error.field() == Some(name));
    view! {
        <div class="field">
            <label for=name class=if required { "required" } else { "" }>{label}</label>
            <p class="hint" id=[name, "-hint"].concat()>{filled(hint)}</p>
            <p class="error" id=[name, "-error"].concat()>{live(text)}</p>
            <input
                id=name
                name=name
                type=kind.input_type()
                value=value
                required=required
                minlength=minimum
                list=(kind == Kind::Timezone).then_some("timezones")
                autocomplete=autocomplete
                inputmode=(kind == Kind::Pin).then_some("numeric")
                autocapitalize=is_text.then_some("none")
                spellcheck=is_text.then_some("false")
                dir=matches!(kind, Kind::Phone | Kind::Pin).then_some("ltr")
                aria-invalid=live_attribute("true", move || found().is_some())
                aria-describedby=[name, "-hint ", name, "-error"].concat()
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
    use crate::error::AppError;
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
