//! What happens once nothing was done for a while. The server locks screens and ends sessions by itself: this takes what is
//! on a locked screen away, and lets people stay before the end (WCAG 2.2.1).

use std::cell::RefCell;

use gloo_timers::callback::Timeout;
use leptos::prelude::*;
use leptos::task::spawn_local;
use server_fn::ServerFn;

use super::fetch::{self, Reply};
use crate::page::Idle;
use crate::pages::Stay;

/// How long before the end people are warned (ux.md).
const NOTICE_SECONDS: u32 = 90;

thread_local! {
    static TIMERS: RefCell<Vec<Timeout>> = const { RefCell::new(Vec::new()) };
}

/// Begins anew, with each page that is loaded and whenever somebody stays.
pub(crate) fn watch(idle: Option<Idle>, is_ending: RwSignal<bool>) {
    is_ending.try_set(false);
    let mut timers = Vec::new();
    let mut after = |seconds: u32, then: Box<dyn FnOnce()>| {
        timers.push(Timeout::new(seconds.saturating_mul(1000), then));
    };
    if let Some(seconds) = idle.and_then(|idle| idle.locks_in) {
        after(seconds.saturating_add(1), Box::new(|| leave("/locked?next=")));
    }
    if let Some(seconds) = idle.and_then(|idle| idle.ends_in) {
        let warn = move || is_ending.try_set(true).map_or((), |_| ());
        after(seconds.saturating_sub(NOTICE_SECONDS), Box::new(warn));
    }
    TIMERS.with(|held| held.replace(timers));
}

/// Asks the server to count this as activity; who is out already is led to the log-in.
pub(crate) fn stay(idle: Idle, is_ending: RwSignal<bool>) {
    spawn_local(async move {
        match fetch::post(Stay::PATH, None).await {
            Reply::Done(_) => watch(Some(idle), is_ending),
            Reply::Unreachable => {}
            Reply::Elsewhere(_) | Reply::Refused(_) => leave("/login?next="),
        }
    });
}

/// Goes to a page that leads back here.
fn leave(to: &str) {
    let location = window().location();
    let next = location.pathname().unwrap_or_default();
    // Only a malformed address is refused.
    let _ = location.assign(&[to, &next].concat());
}
