//! The way onto the home screen, where the phone does not clean an app's data away.

use js_sys::{Function, Reflect};
use leptos::ev::{Custom, Event};
use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};

/// How this browser puts the page onto the home screen.
#[derive(Clone, Debug, Default)]
pub(crate) enum Way {
    /// It says nothing of it, or the page is there already.
    #[default]
    None,
    /// It asks the person, when it is told to by the event that it sent.
    Asks(Event),
    /// The person finds it in the menu Share.
    Share,
}

/// What the browser offers, from now on.
#[derive(Clone, Copy)]
pub(crate) struct Offer(RwSignal<Way, LocalStorage>);

impl Offer {
    pub(crate) fn new() -> Self {
        Self(RwSignal::new_local(Way::None))
    }

    pub(crate) fn way(self) -> Way {
        self.0.get()
    }

    /// Waits for the browser to offer it.
    pub(crate) fn watch(self) {
        if is_installed() {
            return;
        }
        if is_ios() {
            self.0.set(Way::Share);
        }
        window_event_listener(Custom::new("beforeinstallprompt"), move |event: Event| {
            // Or the browser shows a bar of its own.
            event.prevent_default();
            self.0.set(Way::Asks(event));
        });
        window_event_listener(Custom::new("appinstalled"), move |_: Event| self.0.set(Way::None));
    }

    /// Has the browser ask the person. It does so once for each offer.
    pub(crate) fn ask(self) {
        if let Way::Asks(event) = self.0.get_untracked()
            && let Ok(prompt) = Reflect::get(&event, &"prompt".into()).and_then(JsCast::dyn_into::<Function>)
        {
            // What the person says comes as another event.
            let _ = prompt.call0(&event);
        }
        self.0.set(Way::None);
    }
}

/// Whether the page was opened from the home screen.
fn is_installed() -> bool {
    let is_app = window().match_media("(display-mode: standalone)").ok().flatten().is_some_and(|query| query.matches());
    is_app || of_navigator("standalone").is_truthy()
}

/// Whether this is an iPhone or an iPad, which claims to be a Macintosh; that one cannot be touched.
fn is_ios() -> bool {
    let agent = window().navigator().user_agent().unwrap_or_default();
    let is_touched = of_navigator("maxTouchPoints").as_f64().is_some_and(|points| points > 1.0);
    agent.contains("iPhone") || agent.contains("iPad") || (agent.contains("Macintosh") && is_touched)
}

fn of_navigator(name: &str) -> JsValue {
    Reflect::get(&window().navigator(), &name.into()).unwrap_or_default()
}
