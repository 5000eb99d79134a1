//! What happens between the screens.

pub(crate) mod approval;
pub(crate) mod backup;
pub(crate) mod clock;
pub(crate) mod exchange;
pub(crate) mod keeper;
pub(crate) mod register;
pub(crate) mod sync;

use leptos::prelude::*;
use leptos::task::spawn_local;

use crate::browser::{offline, storage};
use crate::model::{Model, Screen};

/// Looks for a vault, and shows the screen that fits.
pub(crate) fn start(model: Model) {
    model.install.watch();
    offline::register(model.update);
    clock::lock_when_idle(model);
    sync::begin(model);
    spawn_local(async move {
        model.server_ahead.set(storage::load_server_ahead().await);
        model.hides_token.set(storage::load_hides_token().await);
        model.has_numeric_pin.set(storage::load_has_numeric_pin().await);
        model.is_persisted.set(storage::is_persisted().await);
        match keeper::load().await {
            Ok(Some(vault)) if vault.tries_left() == 0 => model.go(Screen::WithoutPin),
            Ok(Some(_)) => model.go(Screen::Unlock),
            Ok(None) => model.go(Screen::Empty),
            Err(error) => {
                model.go(Screen::Empty);
                model.fail(error.to_string());
            }
        }
    });
}
