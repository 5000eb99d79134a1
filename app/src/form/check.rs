//! What is wrong with a field, by the server's own code: found when the field is left, and from then on while typing.

use domain::password::{MIN_ALONE, Password};
use domain::person::{Line, Name, Pin};
use domain::{Email, Phone, RecoveryCode, Token, TokenLengths, Username};
use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlFormElement, HtmlInputElement};

use crate::error::{AppError, PhoneField, TextField};
use crate::page::PageState;

/// A field that was found wrong is looked at again at each change.
pub(super) fn while_typing(page: PageState, input: &HtmlInputElement) {
    let name = input.name();
    if page.notes.with_untracked(|notes| notes.iter().any(|note| note.field() == Some(name.as_str()))) {
        note(page, &name, of_input(input));
    }
}

/// A field that was left is looked at, unless nothing was typed yet.
pub(super) fn on_leaving(page: PageState, input: &HtmlInputElement) {
    if !input.value().is_empty() {
        note(page, &input.name(), of_input(input));
    }
}

/// What is wrong with the fields of a form, in their order.
pub(super) fn all(form: &HtmlFormElement) -> Vec<AppError> {
    let elements = form.elements();
    (0..elements.length()).filter_map(|index| of_input(&elements.item(index)?.dyn_into().ok()?)).collect()
}

fn note(page: PageState, name: &str, found: Option<AppError>) {
    page.notes.update(|notes| {
        notes.retain(|note| note.field() != Some(name));
        notes.extend(found);
    });
}

fn of_input(input: &HtmlInputElement) -> Option<AppError> {
    let (name, value) = (input.name(), input.value());
    if input.type_() == "checkbox" {
        return (input.required() && !input.checked()).then_some(AppError::CodesNotStored);
    }
    if value.trim().is_empty() && !input.required() {
        return None;
    }
    match name.as_str() {
        "token" if input.has_attribute("data-or-code") && RecoveryCode::parse(&value).is_ok() => None,
        "token" => Token::parse(&value, lengths_of(input)).err().map(AppError::Token),
        "new_password" => {
            let minimum = usize::try_from(input.min_length()).unwrap_or(MIN_ALONE);
            Password::new(value, minimum).err().map(AppError::NewPassword)
        }
        _ => of_value(&name, &value),
    }
}

/// The lengths that the token field says it takes.
pub(super) fn lengths_of(input: &HtmlInputElement) -> TokenLengths {
    let digits = |name: &str| input.get_attribute(name).and_then(|value| value.parse().ok()).unwrap_or(6);
    TokenLengths::only(digits("data-shortest")).or(digits("data-longest"))
}

fn of_value(name: &str, value: &str) -> Option<AppError> {
    match name {
        "email" => Email::parse(value).err().map(AppError::Email),
        "username" => Username::parse(value).err().map(AppError::Username),
        "pin" => Pin::parse(value).err().map(AppError::Pin),
        "recovery_code" => RecoveryCode::parse(value).err().map(AppError::RecoveryCode),
        _ => of_phone_or_text(name, value),
    }
}

fn of_phone_or_text(name: &str, value: &str) -> Option<AppError> {
    if let Some(field) = PhoneField::from_name(name) {
        return Phone::parse(value).err().map(|reason| AppError::Phone { field, reason });
    }
    let field = TextField::from_name(name)?;
    let refused = match field {
        TextField::PracticeName | TextField::FirstName | TextField::LastName => Name::parse(value).err(),
        _ => Line::parse(value).err(),
    };
    refused.map(|reason| AppError::Text { field, reason })
}
