//! The tabs of Account Settings.

use leptos::prelude::*;

use super::Messages;

use crate::erase::{Content, Erase};

/// One of the tabs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    Profile,
    Security,
}

/// A page of Account Settings: heading, tabs, messages, content.
#[component]
pub(crate) fn AccountSettings(tab: Tab, children: Content) -> AnyView {
    let current = move |this: Tab| (tab == this).then_some("page");
    view! {
        <div class="wide">
            <h1 tabindex="-1">"Account Settings"</h1>
            <nav class="tabs" aria-label="Account Settings">
                <a href="/account/profile" aria-current=current(Tab::Profile)>"Profile"</a>
                <a href="/account/security" aria-current=current(Tab::Security)>"Security"</a>
            </nav>
            <Messages/>
            {children.view()}
        </div>
    }
    .erase()
}
