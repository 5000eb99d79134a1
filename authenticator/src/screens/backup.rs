//! The backup and its password.

use leptos::prelude::*;

use crate::flows::backup;
use crate::flows::keeper::Proven;
use crate::model::{Model, Purpose, Screen};
use crate::parts::{
    RECOVERY_CODE, Typed, button, field, follow, form, heading, note, recovery_code_field, screen, submit,
};
use crate::screens::settings::begin_backup;

/// Whether to keep a backup.
pub(crate) fn offer(model: Model, proven: Proven) -> AnyView {
    let (password, again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let fields = view! {
        {new_password(model, password, again)}
        {submit("Turn On Backup", model)}
    };
    screen(
        model,
        vec![
            heading(
                model,
                "Back up your accounts",
                "Encrypted on this device before it leaves it. If your phone breaks or is lost, the new one gets your \
                 accounts back.",
            ),
            note(
                "warn",
                "Not your login password. We cannot reset it. While this device opens, you can set another one here; if \
                 device and password are lost, so is the backup, and you use your recovery codes and add your accounts \
                 again.",
            ),
            form(fields.into_any(), move || {
                backup::turn_on(model, proven, password.get_untracked(), &again.get_untracked());
            }),
            button("Not Now", "btn quiet", move || model.home()),
        ],
    )
}

fn new_password(model: Model, password: RwSignal<String>, again: RwSignal<String>) -> impl IntoView {
    let strength = move || password.with(|password| backup::strength(password));
    view! {
        {field(
            model,
            "backup-password",
            "Backup password",
            "At least 10 characters. Several unrelated words are best.",
            Typed::NewSecret,
            password,
        )}
        <div class="strength" data-strength=move || strength().1.to_string()>
            <span class="bar" aria-hidden="true"><i></i></span>
            <p class="hint" aria-live="polite">{move || strength().0}</p>
        </div>
        {field(model, "backup-password-again", "Confirm backup password", "", Typed::NewSecret, again)}
    }
}

/// The password of the backup that the server has.
pub(crate) fn restore(model: Model) -> AnyView {
    let (password, code) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let may_restore = Memo::new(move |_| model.device.with(|device| device.as_ref().is_none_or(|it| it.may_restore)));
    let follow = follow();
    let task = move || {
        if may_restore.get() {
            follow("backup-password");
            let fields = view! {
                {field(model, "backup-password", "Backup password", "The one you chose when you turned the backup on", Typed::Secret, password)}
                {submit("Restore", model)}
            };
            form(fields.into_any(), move || backup::restore(model, password.get_untracked()))
        } else {
            follow(RECOVERY_CODE);
            let fields = view! {
                {note("info", "To load the backup on this device, prove with a recovery code that it is you.")}
                {recovery_code_field(model, code)}
                {submit("Continue", model)}
            };
            form(fields.into_any(), move || backup::prove(model, code.get_untracked()))
        }
    };
    screen(
        model,
        vec![
            heading(model, "Restore your backup", "Your token account has a backup with your other accounts."),
            view! { {task} }.into_any(),
            button("Not Now", "btn quiet", move || model.home()),
        ],
    )
}

/// Whether the password is still known, while there is time to choose another one.
pub(crate) fn recall(model: Model) -> AnyView {
    let password = RwSignal::new(String::new());
    let fields = view! {
        {field(model, "backup-password", "Backup password", "Checked on this device; it is sent nowhere", Typed::Secret, password)}
        {submit("Check", model)}
    };
    screen(
        model,
        vec![
            heading(
                model,
                "Do you still know your backup password?",
                "Without it nobody can bring your accounts back if this phone is lost.",
            ),
            form(fields.into_any(), move || backup::recall(model, password.get_untracked())),
            button("I forgot the backup password", "btn full", move || model.go(Screen::Prove(Purpose::ReplaceBackup))),
            button("Not Now", "btn quiet", move || backup::put_off(model)),
        ],
    )
}

/// Another password, where there is one.
pub(crate) fn change(model: Model) -> AnyView {
    const TITLE: &str = "Change backup password";
    if !backup::is_on(model) {
        return screen(
            model,
            vec![
                heading(model, TITLE, "No backup of this device is on, so it has no password yet."),
                begin_backup(model),
                button("Back", "btn quiet", move || model.go(Screen::Settings)),
            ],
        );
    }
    let old = RwSignal::new(String::new());
    let (password, again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let fields = view! {
        {field(model, "old-backup-password", "Present backup password", "", Typed::Secret, old)}
        {new_password(model, password, again)}
        {submit(TITLE, model)}
    };
    screen(
        model,
        vec![
            heading(model, TITLE, "The backup keeps its key; only the password before it changes."),
            form(fields.into_any(), move || {
                backup::change_password(model, old.get_untracked(), password.get_untracked(), &again.get_untracked());
            }),
            button("Back", "btn quiet", move || model.go(Screen::Settings)),
        ],
    )
}

/// Another password in place of a forgotten one.
pub(crate) fn replace(model: Model, proven: Proven) -> AnyView {
    let (password, again) = (RwSignal::new(String::new()), RwSignal::new(String::new()));
    let fields = view! {
        {new_password(model, password, again)}
        {submit("Set backup password", model)}
    };
    screen(
        model,
        vec![
            heading(
                model,
                "New backup password",
                "The backup gets a new key, and is saved under it at once. The old password opens no version from then on.",
            ),
            note(
                "warn",
                "Older versions stay sealed under the old password: whoever has kept one and knows it can read that one. Your \
                 other devices ask for the new password once.",
            ),
            form(fields.into_any(), move || {
                backup::replace_password(model, proven, password.get_untracked(), &again.get_untracked());
            }),
            button("Back", "btn quiet", move || model.go(Screen::Settings)),
        ],
    )
}
