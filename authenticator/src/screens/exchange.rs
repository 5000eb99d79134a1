//! Export and import.

use leptos::prelude::*;
use leptos::task::spawn_local;
use vault::exchange::EncryptedFile;
use web_sys::File;

use crate::browser::files;
use crate::flows::exchange;
use crate::flows::keeper::Proven;
use crate::model::{Model, Screen};
use crate::parts::{Typed, button, field, file_field, form, heading, note, screen, submit};

/// Two files: one encrypted, one in clear.
pub(crate) fn export(model: Model, proven: Proven) -> AnyView {
    let (password, again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let backup_password = RwSignal::new(String::new());
    let encrypted = view! {
        {field(model, "file-password", "Password of the file", "At least 10 characters", Typed::NewSecret, password)}
        {field(model, "file-password-again", "Confirm password of the file", "", Typed::NewSecret, again)}
        {submit("Export encrypted file", model)}
    };
    let clear = view! {
        {note("warn", "Other apps read this list, and so can anybody else: it holds your keys in clear.")}
        {field(model, "backup-password", "Backup password", "", Typed::Secret, backup_password)}
        {submit("Export list in clear", model)}
    };
    screen(
        model,
        vec![
            heading(
                model,
                "Export",
                "Your other accounts. Practice accounts stay: their secrets belong to this device alone.",
            ),
            form(encrypted.into_any(), move || {
                exchange::export_encrypted(model, proven, password.get_untracked(), &again.get_untracked());
            }),
            view! { <h2>"For another app"</h2> }.into_any(),
            form(clear.into_any(), move || exchange::export_links(model, backup_password.get_untracked())),
            button("Back", "btn quiet", move || model.go(Screen::Settings)),
        ],
    )
}

/// A file, and its password if it has one.
pub(crate) fn import(model: Model) -> AnyView {
    let file = StoredValue::new_local(None::<EncryptedFile>);
    let needs_password = RwSignal::new(false);
    let password = RwSignal::new(String::new());
    let pick = move |chosen: File| {
        model.quiet();
        spawn_local(async move {
            match files::read_text(&chosen).await {
                Some(text) => {
                    let encrypted = exchange::read(model, &text);
                    needs_password.set(encrypted.is_some());
                    file.set_value(encrypted);
                }
                None => model.fail("The file could not be read."),
            }
        });
    };
    let ask = move || {
        needs_password.get().then(|| {
            let fields = view! {
                {field(model, "file-password", "Password of the file", "", Typed::Secret, password)}
                {submit("Import", model)}
            };
            form(fields.into_any(), move || {
                if let Some(file) = file.get_value() {
                    exchange::open(model, file, password.get_untracked());
                }
            })
        })
    };
    screen(
        model,
        vec![
            heading(
                model,
                "Import",
                "An export of this authenticator, or a list of otpauth:// links. All of it comes in, or nothing.",
            ),
            file_field("import-file", "File", ".txt,text/plain", pick),
            view! { {ask} }.into_any(),
            button("Back", "btn quiet", move || model.go(Screen::Settings)),
        ],
    )
}
