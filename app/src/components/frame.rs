//! The frame around every page: the mark, who is signed in, help, and the way out, each always in the same place.

use domain::Timestamp;
use leptos::prelude::*;
use server_fn::ServerFn;

use super::Icon;
use crate::browser::idle::stay;
use crate::erase::{Content, Erase, live_view};
use crate::form::Form;
use crate::page::{Idle, Who, use_page};
use crate::pages::LogOut;
use crate::time::Time;

/// A page in its frame.
#[component]
pub(crate) fn Frame(who: Option<Who>, children: Content) -> AnyView {
    let asked = who.as_ref().and_then(|who| who.enrol_by.map(deadline).or_else(|| who.check_up.then(check_up)));
    let ending = who.as_ref().map(|who| ending(who.idle));
    view! {
        // Not for the router, which would go there without moving the focus.
        <a class="skip" href="#content" rel="external">"Skip to content"</a>
        <header class="top">
            <a class="mark" href="/">{Icon::Shield.view()}"Twofold"</a>
            {who.map(who_view)}
            <a class="help" href="/help/two-factor" rel="external">"Help"</a>
        </header>
        {asked}
        {ending}
        <main id="content">{children.view()}</main>
    }
    .erase()
}

/// What the practice asks for, on every page until it is done.
fn deadline(by: Timestamp) -> AnyView {
    view! {
        <aside class="deadline" aria-label="Two-factor authentication">
            "Your practice asks you to set up two-factor authentication by "
            <Time at=by/>
            ". "
            <a href="/account/security">"Set it up now"</a>
        </aside>
    }
    .erase()
}

/// Shortly before the session ends for want of activity; one press keeps it, and what is typed stays.
fn ending(idle: Idle) -> AnyView {
    let is_ending = use_page().is_ending;
    let warning = move || {
        is_ending.get().then(|| {
            view! {
                <aside class="deadline" role="alert">
                    "You will be logged out in a minute, for nothing was done for a while. "
                    <button type="button" class="btn small" on:click=move |_| stay(idle, is_ending)>
                        "Stay logged in"
                    </button>
                </aside>
            }
            .erase()
        })
    };
    live_view(warning)
}

/// What is asked of who has not typed a token for weeks, on every page until it is done or put off.
fn check_up() -> AnyView {
    view! {
        <aside class="deadline" aria-label="Two-factor authentication">
            "Is your authenticator still at hand? "
            <a href="/account/check-up">"Check now"</a>
        </aside>
    }
    .erase()
}

fn who_view(who: Who) -> AnyView {
    let initials: String = [&who.first_name, &who.last_name].iter().filter_map(|name| name.chars().next()).collect();
    view! {
        <span class="practice">{who.practice}</span>
        {who.manages_accounts.then(|| view! { <a class="manage" href="/practice/staff">"Practice"</a> }.erase())}
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
