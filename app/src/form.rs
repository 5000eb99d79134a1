//! The one form component.
//!
//! Without JavaScript it is a plain `<form method="post">` whose answer is a redirect. Hydrated, it posts by itself: it
//! checks the fields with the server's own code, ignores a second submit, goes where the server points, and on an error
//! says it, focuses the field and selects what is in it, so that typing replaces it.

mod check;

use std::borrow::Cow;

use domain::Token;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use web_sys::{
    Event, FocusEvent, FormData, HtmlButtonElement, HtmlElement, HtmlFormElement, HtmlInputElement, InputEvent,
    SubmitEvent, UrlSearchParams,
};

use crate::browser::fetch::{self, Reply};
use crate::erase::{Content, Erase};
use crate::error::AppError;
use crate::page::{PageState, use_go, use_page};

/// Marks a form that is being posted.
const BUSY: &str = "data-busy";
/// Marks a button that does nothing at the moment, but can still be found and read.
const DISABLED: &str = "aria-disabled";

/// A form that calls a server function: `action` is its path.
#[component]
pub(crate) fn Form(
    /// The path of the server function.
    #[prop(into)]
    action: Cow<'static, str>,
    /// For the style sheet.
    #[prop(optional, into)]
    class: Cow<'static, str>,
    children: Content,
) -> AnyView {
    let page = use_page();
    let go = use_go();
    let path = action.clone();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(form) = target::<HtmlFormElement>(&event) else { return };
        submit(form, event.submitter(), path.clone(), page, go.clone());
    };
    let on_input = move |event: Event| {
        let Some(input) = target::<HtmlInputElement>(&event) else { return };
        page.failure.set(None);
        check::while_typing(page, &input);
        submit_if_filled_in(&event, &input);
    };
    let on_leave = move |event: FocusEvent| {
        // A line that appears while the button is pressed would move the button away from the click.
        let is_for_button = event.related_target().is_some_and(|next| next.has_type::<HtmlButtonElement>());
        if let Some(input) = target::<HtmlInputElement>(&event)
            && !is_for_button
        {
            check::on_leaving(page, &input);
        }
    };
    view! {
        <form
            method="post"
            action=action
            class=class
            novalidate
            on:submit=on_submit
            on:input=on_input
            on:focusout=on_leave
        >
            {children.view()}
        </form>
    }
    .erase()
}

fn target<T: JsCast>(event: &Event) -> Option<T> {
    event.target()?.dyn_into().ok()
}

/// Posts the form, unless it is being posted, or a field is wrong already here.
fn submit(
    form: HtmlFormElement,
    submitter: Option<HtmlElement>,
    action: Cow<'static, str>,
    page: PageState,
    go: impl Fn(&str) + 'static,
) {
    let waits =
        submitter.as_ref().and_then(|button| button.get_attribute(DISABLED)).is_some_and(|value| value == "true");
    if waits || form.has_attribute(BUSY) {
        return;
    }
    let notes = check::all(&form);
    if let Some(first) = notes.first().copied() {
        page.notes.set(notes);
        fail(page, &form, first);
        return;
    }
    let Some(fields) = fields(&form, submitter.as_ref()) else { return };
    let is_token = fields.has("token");
    page.failure.set(None);
    // Only a malformed name is refused.
    let _ = form.set_attribute(BUSY, "");
    if let Some(button) = &submitter {
        let _ = button.set_attribute(DISABLED, "true");
    }
    spawn_local(async move {
        let reply = fetch::post(&action, Some(fields)).await;
        let _ = form.remove_attribute(BUSY);
        if let Some(button) = &submitter {
            let _ = button.remove_attribute(DISABLED);
        }
        if matches!(reply, Reply::Done(_) | Reply::Elsewhere(_)) {
            // What was typed is stored now; the fields follow the page's data again.
            form.reset();
        }
        match reply {
            Reply::Done(_) => page.version.update(|version| *version += 1),
            Reply::Elsewhere(path) => go(&path),
            Reply::Refused(error) => {
                fail(page, &form, error);
                // Tries left, a lock or the end of the sign-in show in the page's data.
                page.version.update(|version| *version += 1);
            }
            Reply::Unreachable if is_token => fail(page, &form, AppError::TokensUnavailable),
            Reply::Unreachable => fail(page, &form, AppError::Unavailable),
        }
    });
}

/// Says what went wrong, and puts the cursor where it can be mended.
fn fail(page: PageState, form: &HtmlFormElement, error: AppError) {
    page.failure.set(Some(error));
    if let Some(input) = error.field().and_then(|name| input_of(form, name)) {
        let _ = input.focus();
        input.select();
    }
}

fn input_of(form: &HtmlFormElement, name: &str) -> Option<HtmlInputElement> {
    form.elements().named_item(name)?.dyn_into().ok()
}

/// The form's fields, and the name and value of the button that was pressed, as a browser would post them.
fn fields(form: &HtmlFormElement, submitter: Option<&HtmlElement>) -> Option<UrlSearchParams> {
    let data = FormData::new_with_form(form).ok()?;
    let fields = UrlSearchParams::new_with_str_sequence_sequence(&data).ok()?;
    if let Some(button) = submitter
        && let Some(name) = button.get_attribute("name").filter(|name| !name.is_empty())
    {
        fields.append(&name, &button.get_attribute("value").unwrap_or_default());
    }
    Some(fields)
}

/// Submits when a token arrives whole in one event: pasted, dropped, or filled in by the browser. Who types is left alone,
/// and a value that was sent already is not sent again.
fn submit_if_filled_in(event: &Event, input: &HtmlInputElement) {
    // Browsers and password managers that fill a field in say nothing more about the event, or say "replacement".
    let how = event.dyn_ref::<InputEvent>().map(InputEvent::input_type).unwrap_or_default();
    let is_whole = matches!(how.as_str(), "" | "insertFromPaste" | "insertFromDrop" | "insertReplacementText");
    if !is_whole || input.name() != "token" || input.has_attribute("data-or-code") {
        return;
    }
    let Some(form) = input.form() else { return };
    let value = input.value();
    let was_sent = input.get_attribute("data-sent").is_some_and(|sent| sent == value);
    // A password that is still missing would make it a failed try.
    if !was_sent && form.check_validity() && Token::parse(&value, check::lengths_of(input)).is_ok() {
        // Only a malformed name is refused; a form that cannot be submitted is left to the person.
        let _ = input.set_attribute("data-sent", &value);
        let _ = form.request_submit();
    }
}
