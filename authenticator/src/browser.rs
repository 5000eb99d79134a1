//! What is asked of the browser.

pub(crate) mod camera;
pub(crate) mod deriver;
pub(crate) mod files;
pub(crate) mod offline;
pub(crate) mod platform;
pub(crate) mod storage;

use domain::Timestamp;
use leptos::prelude::{document, window};

/// The time by the clock of this device, which may be wrong.
#[expect(clippy::disallowed_methods, reason = "the browser's one source of time")]
#[expect(clippy::cast_possible_truncation, reason = "JavaScript counts milliseconds in a double")]
pub(crate) fn local_now() -> Timestamp {
    Timestamp::from_millis(js_sys::Date::now() as i64)
}

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

/// Says that the page is alive: tests wait for this mark.
pub(crate) fn mark_alive() {
    if let Some(root) = document().document_element() {
        // Only a malformed name is refused.
        let _ = root.set_attribute("data-hydrated", "");
    }
}

/// What the device is called in lists: what the browser says of itself, in words.
pub(crate) fn device_name() -> String {
    const SYSTEMS: [(&str, &str); 7] = [
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "Mac"),
        ("CrOS", "ChromeOS"),
        ("Linux", "Linux"),
    ];
    const BROWSERS: [(&str, &str); 4] =
        [("Firefox", "Firefox"), ("Edg", "Edge"), ("Chrome", "Chrome"), ("Safari", "Safari")];
    let agent = window().navigator().user_agent().unwrap_or_default();
    let named =
        |names: &[(&str, &'static str)]| names.iter().find(|(mark, _)| agent.contains(mark)).map(|named| named.1);
    match (named(&BROWSERS), named(&SYSTEMS)) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) => "Browser".to_owned(),
    }
}
