//! What comes from the server while there is a network: whose device this is, who asks to be approved, what is backed up.

use app::authenticator::{DeviceRow, DeviceView, api};
use app::error::{AppError, DeviceError};
use gloo_timers::callback::Interval;
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use vault::account::ServerId;
use vault::backup::BackupState;
use vault::{Contents, Kind};

use super::{backup, clock, keeper, register};
use crate::browser::{self, storage};
use crate::model::{Model, Screen, Sync};

/// Milliseconds between two looks whether a new device asks to be approved.
const LOOK_EVERY: u32 = 10_000;

/// Looks now, and from now on while the page is seen: at what other pages of this browser have written, and at the server.
pub(crate) fn begin(model: Model) {
    let look = move || {
        if !document().hidden() {
            spawn_local(keeper::follow(model));
            ask(model);
        }
    };
    look();
    window_event_listener(ev::online, move |_| look());
    window_event_listener(ev::offline, move |_| show(model));
    window_event_listener(ev::visibilitychange, move |_| look());
    Interval::new(LOOK_EVERY, look).forget();
}

/// Asks the server, if there is a network, somebody who looks, and a registered device that is open.
pub(crate) fn ask(model: Model) {
    let Some(key) = device_key(model) else { return };
    // A device that is not activated yet is none to the server.
    let is_registering = model.registration.with_value(|registration| registration.ready.is_some());
    if document().hidden() || is_registering {
        return;
    }
    if !browser::is_online() {
        return show(model);
    }
    spawn_local(async move {
        match api::sync_device(&key).await {
            Ok(device) => {
                let new_accounts = device.new_accounts.clone();
                take_in(model, device).await;
                register::enrol(model, &key, &new_accounts).await;
                backup::save_changes(model).await;
            }
            Err(AppError::Device(DeviceError::Revoked)) => revoked(model).await,
            Err(AppError::Unavailable) => model.sync.set(Sync::Offline),
            Err(error) => model.sync.set(Sync::Refused(error)),
        }
    });
}

/// How the device proves itself; none while it is locked or not registered.
pub(crate) fn device_key(model: Model) -> Option<String> {
    keeper::with(model, |contents| contents.device_key.as_ref().map(|key| key.expose().to_string())).flatten()
}

/// Takes in what the server said.
pub(crate) async fn take_in(model: Model, device: DeviceView) {
    clock::compare(model, device.now);
    // What waits may be here already, from a look whose answer was lost.
    let listed = device.accounts.iter().map(|account| &account.factor);
    let waiting = device.new_accounts.iter().map(|account| &account.factor);
    let factors: Vec<ServerId> = listed.chain(waiting).filter_map(|factor| ServerId::parse(factor).ok()).collect();
    let is_stale = |contents: &Contents| {
        contents.accounts().iter().any(|account| match &account.kind {
            Kind::Practice { factor, .. } => !factors.contains(factor),
            Kind::Other => false,
        })
    };
    if keeper::with(model, is_stale) == Some(true) {
        // Two-factor authentication was disabled there; its tokens are worth nothing.
        if keeper::change(model, |contents| contents.keep_factors(&factors)).await.is_ok() {
            model.say("A practice account was removed here, because it was disabled there.");
        }
    }
    tell_of_new_devices(model, &device.devices).await;
    let request = device.requests.first().cloned();
    model.device.set(Some(device));
    show(model);
    match (request, model.screen.get_untracked()) {
        (Some(request), Screen::Token | Screen::Accounts | Screen::Settings | Screen::Devices) => {
            model.go(Screen::Approve(request));
        }
        // It was answered elsewhere, or has run out.
        (None, Screen::Approve(_)) => model.home(),
        _ => {}
    }
}

/// Every new device is told on the others.
async fn tell_of_new_devices(model: Model, devices: &[DeviceRow]) {
    if let Some(known) = storage::load_known_devices().await {
        let is_new = |row: &&DeviceRow| !row.is_this && !known.contains(&row.device);
        let names: Vec<&str> = devices.iter().filter(is_new).map(|row| row.name.as_str()).collect();
        if !names.is_empty() {
            model.news.set(Some(format!(
                "A device was added to your account: {}. If it is not yours, revoke it in Account Settings at once.",
                names.join(", ")
            )));
        }
    }
    let ids: Vec<&str> = devices.iter().map(|row| row.device.as_str()).collect();
    // Not kept, it is told once more.
    let _ = storage::save_known_devices(&ids).await;
}

/// Shows in words how things stand.
pub(crate) fn show(model: Model) {
    let saved =
        keeper::with(model, |contents| (contents.needs_backup(), contents.backup.as_ref().map(BackupState::saved_at)));
    let Some((needs_backup, backup)) = saved else { return };
    model.sync.set(match backup {
        _ if !browser::is_online() => Sync::Offline,
        None => Sync::NotBackedUp,
        Some(Some(at)) if !needs_backup => Sync::BackedUp(at),
        Some(_) => Sync::Unsaved,
    });
}

/// This device was removed: its practice accounts are dead. Accounts elsewhere stay.
async fn revoked(model: Model) {
    let forgotten = keeper::change(model, |contents| {
        contents.keep_factors(&[]);
        contents.device_key = None;
        contents.token_account = None;
        contents.switch_backup_off();
    });
    let forgotten = forgotten.await;
    model.device.set(None);
    model.home();
    match forgotten {
        Ok(()) => model.refused(AppError::Device(DeviceError::Revoked)),
        Err(error) => model.fail(error.to_string()),
    }
}
