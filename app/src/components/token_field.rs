//! The one field into which tokens are typed (ux.md section 1): a single plain input, never boxes.

use domain::TokenLengths;
use leptos::prelude::*;

use super::layout::filled;
use crate::erase::{Erase, live, live_attribute};
use crate::error::AppError;
use crate::page::{use_page, use_zone};

/// The token field. What a submit led to stands above it in the page's alert; what is found while typing, in its own line.
#[component]
pub(crate) fn TokenField(
    label: &'static str,
    /// Its id, where a page has several.
    #[prop(optional, into)]
    id: String,
    lengths: TokenLengths,
    #[prop(optional, into)] hint: String,
    /// A recovery code is taken too.
    #[prop(optional)]
    or_code: bool,
    /// It is the only task of the page.
    #[prop(optional)]
    autofocus: bool,
) -> AnyView {
    let page = use_page();
    let zone = use_zone();
    let noted = move || page.notes.with(|notes| notes.iter().copied().find(|note| note.field() == Some("token")));
    let is_refused = move || page.failure.get().is_some_and(AppError::is_of_token);
    let autofocus = autofocus || page.failure.get_untracked().is_some_and(AppError::is_of_token);
    let note = move || noted().filter(|_| !is_refused()).map(|note| note.text(zone()));
    let class = match (or_code, lengths.longest()) {
        (true, _) => "token code",
        (false, 6) => "token",
        (false, _) => "token long",
    };
    let id = if id.is_empty() { "token".to_owned() } else { id };
    let [hint_id, error_id] = ["-hint", "-error"].map(|end| [id.as_str(), end].concat());
    let described_by = [hint_id.as_str(), " error ", error_id.as_str()].concat();
    view! {
        <div class="field">
            <label for=id.clone()>{label}</label>
            <p class="hint" id=hint_id>{filled(hint)}</p>
            <p class="error" id=error_id>{live(note)}</p>
            <input
                id=id
                name="token"
                class=class
                type="text"
                inputmode=if or_code { "text" } else { "numeric" }
                autocomplete="one-time-code"
                autocapitalize="none"
                spellcheck="false"
                dir="ltr"
                required
                data-or-code=or_code
                data-shortest=lengths.shortest().to_string()
                data-longest=lengths.longest().to_string()
                aria-invalid=live_attribute("true", move || is_refused() || noted().is_some())
                aria-describedby=described_by
                autofocus=autofocus
            />
        </div>
    }
    .erase()
}

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;
    use crate::page::tests::html;

    fn field(failure: Option<AppError>) -> String {
        html(failure, || {
            view! { <TokenField label="Authorization token" lengths=TokenLengths::SIX.or(7) autofocus=true/> }.erase()
        })
    }

    #[test]
    fn it_is_one_plain_input_that_takes_whatever_is_pasted() {
        let html = field(None);
        assert_eq!(html.matches("<input").count(), 1);
        for part in [
            "<label for=\"token\">Authorization token",
            "type=\"text\"",
            "inputmode=\"numeric\"",
            "autocomplete=\"one-time-code\"",
            "autocapitalize=\"none\"",
            "spellcheck=\"false\"",
            "dir=\"ltr\"",
            "data-shortest=\"6\"",
            "data-longest=\"7\"",
            " autofocus",
        ] {
            assert!(html.contains(part), "{part} in {html}");
        }
        for part in ["maxlength", "pattern", "aria-invalid", "style="] {
            assert!(!html.contains(part), "{part} in {html}");
        }
    }

    #[test]
    fn a_refused_token_is_marked() {
        assert!(field(Some(AppError::TokenNotRight)).contains("aria-invalid=\"true\""));
        assert!(!field(Some(AppError::Busy)).contains("aria-invalid"), "the token was not the cause");
    }
}
