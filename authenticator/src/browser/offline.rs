//! The service worker: it keeps the page and its files, so that the authenticator starts without network.

use leptos::prelude::*;
use leptos::task::spawn_local;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ServiceWorker, ServiceWorkerRegistration, ServiceWorkerState};

const SCRIPT: &str = "/authenticator/service_worker.js";
/// What the service worker waits for before it takes the place of the one before.
const TAKE_OVER: &str = "take over";

/// Registers the service worker. `update` is set once a newer version waits.
pub(crate) fn register(update: RwSignal<bool>) {
    spawn_local(async move {
        // Without it the authenticator works as long as there is a network.
        let _ = watch(update).await;
    });
}

async fn watch(update: RwSignal<bool>) -> Result<(), JsValue> {
    let container = window().navigator().service_worker();
    let options = js_sys::Object::new();
    js_sys::Reflect::set(&options, &"scope".into(), &"/authenticator".into())?;
    let registering = js_sys::Reflect::get(&container, &"register".into())?.dyn_into::<js_sys::Function>()?.call2(
        &container,
        &SCRIPT.into(),
        &options,
    )?;
    let registration: ServiceWorkerRegistration =
        JsFuture::from(registering.dyn_into::<js_sys::Promise>()?).await?.dyn_into()?;
    let has_old = container.controller().is_some();
    if has_old && registration.waiting().is_some() {
        update.set(true);
    }
    let found = registration.clone();
    let on_found = Closure::<dyn Fn()>::new(move || {
        if let Some(worker) = found.installing() {
            watch_installing(&worker, update);
        }
    });
    registration.set_onupdatefound(Some(on_found.as_ref().unchecked_ref()));
    on_found.forget();
    Ok(())
}

fn watch_installing(worker: &ServiceWorker, update: RwSignal<bool>) {
    let watched = worker.clone();
    let on_change = Closure::<dyn Fn()>::new(move || {
        // The first one has nobody to take the place of.
        let has_old = window().navigator().service_worker().controller().is_some();
        if has_old && watched.state() == ServiceWorkerState::Installed {
            update.set(true);
        }
    });
    worker.set_onstatechange(Some(on_change.as_ref().unchecked_ref()));
    on_change.forget();
}

/// Lets the waiting version take over, and loads the page anew with it.
pub(crate) fn take_over() {
    spawn_local(async {
        let container = window().navigator().service_worker();
        let reload = Closure::once_into_js(|| {
            let _ = window().location().reload();
        });
        container.set_oncontrollerchange(Some(reload.unchecked_ref()));
        let registered = JsFuture::from(container.get_registration_with_document_url("/authenticator")).await;
        let registration = registered.ok().and_then(|it| it.dyn_into::<ServiceWorkerRegistration>().ok());
        match registration.and_then(|registration| registration.waiting()) {
            Some(waiting) => {
                let _ = waiting.post_message(&TAKE_OVER.into());
            }
            None => {
                let _ = window().location().reload();
            }
        }
    });
}
