//! A QR code, from the camera or from a picture.

use leptos::html::Video;
use leptos::prelude::*;
use leptos::task::spawn_local;
use web_sys::File;

use crate::browser::camera::{self, Camera};
use crate::flows::exchange;
use crate::model::{Model, Screen};
use crate::parts::{button, file_field, heading, screen};

/// The screen.
pub(crate) fn view(model: Model) -> AnyView {
    let video = NodeRef::<Video>::new();
    let camera = StoredValue::new_local(None::<Camera>);
    let is_filming = RwSignal::new(false);
    let found = move |text: String| {
        if !is_filming.get_untracked() {
            return;
        }
        // The same code is seen many times.
        is_filming.set(false);
        camera.set_value(None);
        take(model, &text);
    };
    let film = move || {
        let Some(video) = video.get_untracked() else { return };
        model.quiet();
        is_filming.set(true);
        spawn_local(async move {
            if let Ok(running) = camera::film(video, found).await {
                // The screen may be gone by now; then the camera goes with what is dropped here.
                drop(camera.try_set_value(Some(running)));
            } else {
                is_filming.set(false);
                model.fail("The camera cannot be used. Allow it for this page, choose a picture, or type the key.");
            }
        });
    };
    let pick = move |picture: File| {
        model.quiet();
        spawn_local(async move {
            match camera::read_picture(&picture).await {
                Ok(Some(text)) => take(model, &text),
                Ok(None) => model.fail("There is no QR code in this picture, or it is too small."),
                Err(_) => model.fail("This file is no picture that the browser can read."),
            }
        });
    };
    screen(
        model,
        vec![
            heading(model, "Scan a QR code", "The setup code of any site. It is read on this device."),
            view! { <video class="viewfinder" class:unseen=move || !is_filming.get() node_ref=video muted playsinline></video> }
                .into_any(),
            button("Use the camera", "btn primary full", film),
            file_field("picture", "Or a picture of the code", "image/*", pick),
            button("Type a key", "btn quiet", move || model.go(Screen::AddKey)),
            button("Back", "btn quiet", move || model.go(Screen::Add)),
        ],
    )
}

fn take(model: Model, text: &str) {
    if let Err(reason) = exchange::add_scanned(model, text) {
        model.fail(reason);
    }
}
