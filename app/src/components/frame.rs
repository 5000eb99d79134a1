//! The frame around every page: the mark, who is signed in, help, and the way out, each always in the same place.

use leptos::prelude::*;
use server_fn::ServerFn;

use super::Icon;
use crate::erase::{Content, Erase};
use crate::form::Form;
use crate::page::Who;
use crate::pages::LogOut;

/// A page in its frame.
#[component]
pub(crate) fn Frame(who: Option<Who>, children: Content) -> AnyView {
    view! {
        // Not for the router, which would go there without moving the focus.
        <a class="skip" href="#content" rel="external">"Skip to content"</a>
        <header class="top">
            <a class="mark" href="/">{Icon::Shield.view()}"Twofold"</a>
            {who.map(who_view)}
            <a class="help" href="/help/two-factor" rel="external">"Help"</a>
        </header>
        <main id="content">{children.view()}</main>
    }
    .erase()
}

fn who_view(who: Who) -> AnyView {
    let initials: String = [&who.first_name, &who.last_name].iter().filter_map(|name| name.chars().next()).collect();
    view! {
        <span class="practice">{who.practice}</span>
        <a class="person" href="/account/profile">
            <span class="avatar" aria-hidden="true">{initials}</span>
            <span class="name">{[who.first_name.as_str(), " ", who.last_name.as_str()].concat()}</span>
        </a>
        <Form action=LogOut::PATH>
            <button class="btn quiet">"Log Out"</button>
        </Form>
    }
    .erase()
}
