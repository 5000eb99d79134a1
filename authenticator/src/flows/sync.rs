//! What comes from the server while there is a network: whose device this is, who asks to be approved, what is backed up.

use app::authenticator::{DeviceRow, DeviceView, api};
use app::browser::local_now;
use app::error::{AppError, DeviceError};
use gloo_timers::callback::Interval;
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;
use vault::account::ServerId;
use vault::backup::BackupState;
use vault::{Contents, Kind};

use super::{backup, clock, keeper, register};
use crate::browser;
use crate::model::{Model, News, Screen, Sync};

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
    let Some((key, is_pending)) = keeper::with(model, |contents| (key_of(contents), contents.pending.is_some())) else {
        return;
    };
    // A device that is being activated is settled by whoever does it.
    let is_registering = model.registration.with_value(|registration| registration.ready.is_some());
    if document().hidden() || is_registering || key.is_none() && !is_pending {
        return;
    }
    if !browser::is_online() {
        return show(model);
    }
    spawn_local(async move {
        if is_pending && register::settle(model).await {
            if model.screen.get_untracked() == Screen::Empty {
                model.home();
            }
            return;
        }
        let Some(key) = key else { return };
        let asked = local_now();
        match api::sync_device(&key).await {
            Ok(device) => {
                clock::compare(model, asked, device.now);
                let new_accounts = device.new_accounts.clone();
                take_in(model, device).await;
                register::enrol(model, &key, &new_accounts).await;
                backup::follow(model, &key).await;
                backup::save_changes(model).await;
            }
            // Meanwhile this browser may be another device, and have given that one up.
            Err(AppError::Device(DeviceError::Revoked)) if device_key(model).as_ref() == Some(&key) => {
                revoked(model).await;
            }
            Err(AppError::Device(DeviceError::Revoked)) => {}
            Err(AppError::Unavailable) => model.sync.set(Sync::Offline),
            Err(error) => model.sync.set(Sync::Refused(error)),
        }
    });
}

/// How the device proves itself; none while it is locked or not registered.
pub(crate) fn device_key(model: Model) -> Option<String> {
    keeper::with(model, key_of).flatten()
}

fn key_of(contents: &Contents) -> Option<String> {
    contents.device_key.as_ref().map(|key| key.expose().to_string())
}

/// Takes in what the server said.
pub(crate) async fn take_in(model: Model, device: DeviceView) {
    // Answers may overtake each other; the older of two knows nothing of what has happened since.
    if model.device.with_untracked(|known| known.as_ref().is_some_and(|known| known.now > device.now)) {
        return;
    }
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

/// Every new device is told on the others, until the person has read it.
async fn tell_of_new_devices(model: Model, devices: &[DeviceRow]) {
    let known = keeper::with(model, |contents| {
        let is_new = |row: &&DeviceRow| {
            !row.is_this && ServerId::parse(&row.device).is_ok_and(|device| contents.is_new_device(&device))
        };
        let names: Vec<&str> = devices.iter().filter(is_new).map(|row| row.name.as_str()).collect();
        (contents.knows_devices(), names.join(", "))
    });
    match known {
        Some((true, names)) if !names.is_empty() => model.news.update(|news| news.devices = names),
        Some((false, _)) => know_devices(model, devices).await,
        _ => {}
    }
}

/// The person has read what has happened elsewhere.
pub(crate) fn news_read(model: Model) {
    model.news.set(News::default());
    let device = model.device.get_untracked();
    spawn_local(async move { know_devices(model, &device.map(|device| device.devices).unwrap_or_default()).await });
}

/// None of these is told any more. Not kept, they are told once more.
async fn know_devices(model: Model, devices: &[DeviceRow]) {
    let devices = devices.iter().filter_map(|row| ServerId::parse(&row.device).ok()).collect();
    let _ = keeper::change(model, |contents| contents.devices_seen(devices)).await;
}

/// Shows in words how things stand.
pub(crate) fn show(model: Model) {
    let saved = keeper::with(model, |contents| {
        let backup = contents.backup.as_ref().map(BackupState::saved_at);
        (contents.needs_backup(), backup, model.device.with_untracked(|device| is_behind(contents, device.as_ref())))
    });
    let Some((needs_backup, backup, is_behind)) = saved else { return };
    model.sync.set(match backup {
        _ if !browser::is_online() => Sync::Offline,
        None => Sync::NotBackedUp,
        Some(Some(_)) if is_behind => Sync::OldBackup,
        Some(Some(at)) if !needs_backup => Sync::BackedUp(at),
        Some(_) => Sync::Unsaved,
    });
}

/// Whether what the server keeps is older than what this device has seen, or left it. One that is ahead is taken in.
fn is_behind(contents: &Contents, device: Option<&DeviceView>) -> bool {
    let Some(device) = device else { return false };
    let offered = device.backup.as_ref().map_or((0, ""), |backup| (backup.version, &backup.digest));
    let digest = contents.chain.digest().map(|digest| digest.to_string()).unwrap_or_default();
    let seen = (contents.chain.version(), digest.as_str());
    offered.0 <= seen.0 && offered != seen
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
