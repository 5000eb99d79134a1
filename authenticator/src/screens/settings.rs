//! Settings, and the devices of the token account.

use app::Zone;
use leptos::prelude::*;
use leptos::task::spawn_local;
use vault::contents::AutoLock;

use crate::browser::{platform, storage};
use crate::flows::{backup, clock, keeper, sync};
use crate::model::{Model, Purpose, Screen};
use crate::parts::{button, heading, screen};

/// The choices of the time after which the device locks itself, in minutes.
const AUTO_LOCK: [u8; 4] = [1, 5, 15, 60];

/// The list.
pub(crate) fn view(model: Model) -> AnyView {
    let first = if backup::is_on(model) {
        button("I forgot the backup password", "btn full", move || model.go(Screen::Prove(Purpose::ReplaceBackup)))
    } else {
        begin_backup(model)
    };
    screen(
        model,
        vec![
            heading(model, "Settings", ""),
            button("Devices", "btn full", move || {
                sync::ask(model);
                model.go(Screen::Devices);
            }),
            first,
            button("Change backup password", "btn full", move || model.go(Screen::ChangeBackup)),
            button("Export", "btn full", move || model.go(Screen::Prove(Purpose::Export))),
            button("Import", "btn full", move || model.go(Screen::Import)),
            platform_lock(model),
            button("Change PIN", "btn full", move || model.go(Screen::Prove(Purpose::ChangePin))),
            auto_lock(model),
            hiding(model),
            install(),
            button("Lock now", "btn full", move || clock::lock(model)),
            button("Back", "btn quiet", move || model.home()),
        ],
    )
}

/// The way to a backup, where none is on: the one that the server has comes before a new one.
pub(super) fn begin_backup(model: Model) -> AnyView {
    let is_there =
        Memo::new(move |_| model.device.with(|device| device.as_ref().is_some_and(|it| it.backup.is_some())));
    let begin = move || {
        if is_there.get() {
            button("Restore backup", "btn full", move || model.go(Screen::Restore))
        } else {
            button("Turn on backup", "btn full", move || model.go(Screen::Prove(Purpose::TurnOnBackup)))
        }
    };
    view! { {begin} }.into_any()
}

/// The phone's own lock in place of the PIN, where the browser has it.
fn platform_lock(model: Model) -> AnyView {
    let is_known = RwSignal::new(false);
    spawn_local(async move {
        let known = platform::is_known().await;
        // The screen may be gone by now.
        let _ = is_known.try_set(known);
    });
    let is_on = RwSignal::new(keeper::has_platform(model));
    let remove = move || {
        model.run(async move {
            match keeper::remove_platform(model).await {
                Ok(()) => {
                    let _ = is_on.try_set(false);
                    model.say("Only the PIN opens the authenticator now.");
                }
                Err(error) => model.fail(error.to_string()),
            }
        });
    };
    let switch = move || {
        if is_on.get_untracked() {
            remove();
        } else {
            model.go(Screen::Prove(Purpose::AddPlatform));
        }
    };
    let label = move || if is_on.get() { "Stop using this phone's lock" } else { "Use this phone's lock" };
    let button = move || view! { <button class="btn full" type="button" on:click=move |_| switch()>{label}</button> };
    view! { {move || (is_known.get() || is_on.get()).then(button)} }.into_any()
}

fn auto_lock(model: Model) -> AnyView {
    let present = keeper::with(model, |contents| contents.auto_lock.minutes()).unwrap_or_default();
    let choose = move |chosen: String| {
        let Some(after) = chosen.parse().ok().and_then(AutoLock::after_minutes) else { return };
        model.run(async move {
            if let Err(error) = keeper::change(model, |contents| contents.auto_lock = after).await {
                model.fail(error.to_string());
            }
        });
    };
    let options = AUTO_LOCK.map(|minutes| {
        let text = if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") };
        view! { <option value=minutes.to_string() selected=minutes == present>{text}</option> }
    });
    view! {
        <div class="field">
            <label for="auto-lock">"Lock by itself after"</label>
            <select id="auto-lock" on:change:target=move |event| choose(event.target().value())>{options.collect_view()}</select>
        </div>
    }
    .into_any()
}

fn hiding(model: Model) -> AnyView {
    let choose = move |hides: bool| {
        model.hides_token.set(hides);
        spawn_local(async move {
            // Without it the wish holds until the page is closed.
            let _ = storage::save_hides_token(hides).await;
        });
    };
    view! {
        <label class="check">
            <input
                type="checkbox"
                prop:checked=move || model.hides_token.get()
                on:change:target=move |event| choose(event.target().checked())
            />
            "Hide the token until I tap it"
        </label>
    }
    .into_any()
}

fn install() -> AnyView {
    view! {
        <details>
            <summary>"Put it on the home screen"</summary>
            <p class="hint">
                "Android, Chrome: menu ⋮, then Install app. iPhone and iPad, Safari: Share, then Add to Home Screen. Installed, it \
                 opens like any app, and the phone does not clean its data away."
            </p>
        </details>
    }
    .into_any()
}

/// All devices of the token account.
pub(crate) fn devices(model: Model) -> AnyView {
    let list = move || match model.device.get() {
        Some(device) => device
            .devices
            .into_iter()
            .map(|row| {
                let used = row.last_used_at.map_or_else(
                    || "not used yet".to_owned(),
                    |at| format!("last used {}", app::date_and_clock(at, Zone::Viewer)),
                );
                let added = format!("Added {}, {used}", app::date_and_clock(row.added_at, Zone::Viewer));
                let name = if row.is_this { format!("{} (this device)", row.name) } else { row.name };
                view! { <li><strong>{name}</strong><p class="hint">{added}</p></li> }
            })
            .collect_view()
            .into_any(),
        None => view! { <li>"The list comes from the server, which does not answer now."</li> }.into_any(),
    };
    screen(
        model,
        vec![
            heading(model, "Devices", "Every installation of the authenticator that makes tokens for your account."),
            view! { <ul class="device-list">{list}</ul> }.into_any(),
            view! {
                <p class="note info">
                    "A device that is lost or not yours: revoke it on the "
                    <a href="/account/security">"Security tab of Account Settings"</a>
                    ". Its tokens are dead at once."
                </p>
            }
            .into_any(),
            button("Back", "btn quiet", move || model.go(Screen::Settings)),
        ],
    )
}
