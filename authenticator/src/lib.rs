//! The token device in the phone's browser: a program of its own for the page `/authenticator`.
//!
//! - [`model`]: what the device knows, and which screen is shown.
//! - `flows`: what happens between the screens: registration, the vault, the backup, what comes from the server.
//! - `screens`: what people see, one file per state of the interface contract.
//! - `browser`: storage, the worker, the service worker, the camera, files.
//!
//! Tokens are computed here from `domain`'s code and need no network. Secrets lie in the vault alone, sealed.

mod browser;
mod flows;
mod model;
mod parts;
mod screens;

use leptos::prelude::*;
use vault::KdfParameters;
use vault::key::SALT_BYTES;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::model::Model;

/// Shows the authenticator. `worker` is the address of the script in which keys are derived.
#[wasm_bindgen]
pub fn open(worker: String) {
    // Names and places of panics cost kilobytes; a release stops without words.
    #[cfg(debug_assertions)]
    console_error_panic_hook::set_once();
    leptos::mount::mount_to_body(move || {
        let model = Model::new(worker);
        Effect::new(move |_| {
            flows::start(model);
            app::browser::mark_hydrated();
        });
        screens::view(model)
    });
}

/// The key of a password, 32 bytes; none for want of memory, or for figures that the vault does not take. It runs in the
/// worker.
#[wasm_bindgen]
#[must_use]
pub fn derive(password: &[u8], salt: &[u8], memory: u32, passes: u32) -> Option<Vec<u8>> {
    let salt = <[u8; SALT_BYTES]>::try_from(salt).ok()?;
    let parameters = KdfParameters::new(memory, passes, salt).ok()?;
    vault::derive(password, &parameters).ok().map(|key| key.expose().to_vec())
}
