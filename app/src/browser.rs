//! What is asked of the browser, in effects and event handlers only: on the server these would panic.

pub(crate) mod fetch;
pub(crate) mod idle;
pub mod ticker;

use domain::Timestamp;
use domain::countdown::Countdown;
use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlElement;

/// The time by the clock of this device, which may be wrong.
#[expect(clippy::disallowed_methods, reason = "the browser's one source of time")]
pub fn local_now() -> Timestamp {
    Timestamp::from_millis(whole(js_sys::Date::now()))
}

#[expect(clippy::cast_possible_truncation, reason = "JavaScript counts milliseconds in a double")]
fn whole(millis: f64) -> i64 {
    millis as i64
}

/// Says that the page is alive: tests wait for this mark.
pub fn mark_hydrated() {
    if let Some(root) = document().document_element() {
        // Only a malformed name is refused.
        let _ = root.set_attribute("data-hydrated", "");
    }
}

/// Moves the focus to the page's heading.
pub(crate) fn focus_heading() {
    if let Ok(Some(heading)) = document().query_selector("h1")
        && let Ok(heading) = heading.dyn_into::<HtmlElement>()
    {
        let _ = heading.focus();
    }
}

/// Whether the keyboard is in the element of that id.
pub(crate) fn is_focused(id: &str) -> bool {
    document().active_element().is_some_and(|element| element.id() == id)
}

/// Starts the animation of a countdown's bar where the countdown is. It repeats each period without further work.
///
/// The offset is set here and not in the HTML, since the content security policy allows no style there.
pub fn run_bar(id: &str, state: Countdown) {
    let Some(bar) = document().get_element_by_id(id).and_then(|bar| bar.dyn_into::<HtmlElement>().ok()) else { return };
    let passed = i64::from(state.period) * 1000 - i64::from(state.left_millis);
    bar.set_class_name("");
    let style = bar.style();
    let _ = style.set_property("--period", &format!("{}s", state.period));
    let _ = style.set_property("--passed", &format!("-{passed}ms"));
    // Reading a size makes the browser see the bar without its class, so that the animation starts anew.
    let _ = bar.offset_width();
    bar.set_class_name("run");
}

/// Puts text on the clipboard and calls `then` once it is there.
pub fn copy(text: &str, then: impl FnOnce() + 'static) {
    let writing = JsFuture::from(window().navigator().clipboard().write_text(text));
    spawn_local(async move {
        if writing.await.is_ok() {
            then();
        }
    });
}
