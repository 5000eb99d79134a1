//! Turns with the file on the disk among the pages of this browser: tabs, and the installed app beside them.
//!
//! Web Locks, by their names in JavaScript, for the bindings to them are not stable. A browser without them lets every page
//! have its turn at once.

use js_sys::{Function, Promise, Reflect};
use leptos::prelude::window;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

const NAME: &str = "twofold-authenticator";

/// The turn of this page. It ends when this is dropped, and with the page.
pub(crate) struct PageTurn(Option<Function>);

impl Drop for PageTurn {
    fn drop(&mut self) {
        if let Some(end) = &self.0 {
            // It settles a promise, which does not fail.
            let _ = end.call0(&JsValue::NULL);
        }
    }
}

/// Waits until no other page has its turn.
pub(crate) async fn wait() -> PageTurn {
    let turn = match ask() {
        Ok(given) => JsFuture::from(given).await.ok(),
        Err(_) => None,
    };
    PageTurn(turn.and_then(|end| end.dyn_into().ok()))
}

/// Promises the function that ends the turn.
fn ask() -> Result<Promise, JsValue> {
    let locks = Reflect::get(&window().navigator(), &"locks".into())?;
    let request: Function = Reflect::get(&locks, &"request".into())?.dyn_into()?;
    let mut asked = Ok(JsValue::UNDEFINED);
    let given = Promise::new(&mut |give, refuse| {
        // The lock is held for as long as the promise that this returns is pending.
        let held = Closure::once_into_js(move || {
            Promise::new(&mut |end, _| {
                let _ = give.call1(&JsValue::NULL, &end);
            })
        });
        asked = request.call2(&locks, &NAME.into(), &held).and_then(|ended| on_refusal(&ended, &refuse));
    });
    asked.map(|_| given)
}

/// A browser that keeps nothing may refuse the lock too.
fn on_refusal(ended: &JsValue, refuse: &Function) -> Result<JsValue, JsValue> {
    Reflect::get(ended, &"catch".into())?.dyn_into::<Function>()?.call1(ended, refuse)
}
