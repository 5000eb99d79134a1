//! A new device asks to be approved.

use app::authenticator::RequestView;
use leptos::prelude::*;

use crate::flows::{approval, clock};
use crate::model::Model;
use crate::parts::{button, heading, note, screen};

/// Three numbers, of which the new device shows one.
pub(crate) fn view(model: Model, request: RequestView) -> AnyView {
    let RequestView { request, device, numbers, at } = request;
    let choose = numbers
        .into_iter()
        .map(|number| {
            let request = request.clone();
            button(format!("{number:02}"), "btn", move || approval::answer(model, request.clone(), Some(number)))
        })
        .collect::<Vec<_>>();
    screen(
        model,
        vec![
            heading(model, "Approve a new device", format!("{device}, {}", clock::ago(at, model.now()))),
            note("warn", "Do you hold the new device? Choose the number that it shows. If it is not you, deny it."),
            view! { <div class="numbers">{choose}</div> }.into_any(),
            button("Deny", "btn danger full", move || approval::answer(model, request.clone(), None)),
        ],
    )
}
