//! What is asked of the browser.

pub(crate) mod camera;
pub(crate) mod deriver;
pub(crate) mod files;
pub(crate) mod install;
pub(crate) mod offline;
pub(crate) mod platform;
pub(crate) mod storage;
pub(crate) mod turns;

use leptos::prelude::window;

/// Fills `bytes` from the browser's generator.
///
/// # Panics
/// Without a generator: nothing that follows would be a secret.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    let crypto = window().crypto().expect("a browser with WASM has a generator");
    crypto.get_random_values_with_u8_array(bytes).expect("a generator gives any 64 KiB");
}

/// Whether the browser believes that there is a network.
pub(crate) fn is_online() -> bool {
    window().navigator().on_line()
}

/// What the device is called in lists.
pub(crate) fn device_name() -> String {
    app::browser_name(&window().navigator().user_agent().unwrap_or_default())
}
