//! Seconds, as the server counts them.

use std::cell::RefCell;
use std::rc::Rc;

use domain::Timestamp;
use gloo_timers::callback::Timeout;
use leptos::ev;
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use super::{local_now, whole};
use crate::page::use_hydrated;

/// Calls `tick` with the server's time, now and whenever a second of it begins, until the owner of the calling effect
/// ends.
///
/// `now` is the server's time in the page's data.
pub(crate) fn every_second(now: Timestamp, tick: impl Fn(Timestamp) + 'static) {
    let server_ahead = now.millis().saturating_sub(arrived_at());
    let clock = move || Timestamp::from_millis(local_now().millis().saturating_add(server_ahead));
    every_second_of(clock, move |now| {
        tick(now);
        true
    });
}

/// Calls `tick` with what `clock` says, now and whenever a second of it begins, until it answers no or the owner of the
/// calling effect ends. It rests while the page is hidden, since timers drift there and nobody looks; then it begins
/// anew.
pub fn every_second_of(clock: impl Fn() -> Timestamp + 'static, tick: impl Fn(Timestamp) -> bool + 'static) {
    let ticker = SendWrapper::new(Ticker { clock: Rc::new(clock), tick: Rc::new(tick), timeout: Rc::default() });
    ticker.run();
    let listener = window_event_listener(ev::visibilitychange, {
        let ticker = ticker.clone();
        move |_| ticker.run()
    });
    on_cleanup(move || {
        listener.remove();
        ticker.timeout.take();
    });
}

/// When the page's data arrived here: with the document, or just now.
fn arrived_at() -> i64 {
    let with_document = window().performance().map(|performance| performance.timing().response_start());
    match with_document {
        Some(millis) if !use_hydrated().get_untracked() => whole(millis),
        _ => local_now().millis(),
    }
}

#[derive(Clone)]
struct Ticker {
    clock: Rc<dyn Fn() -> Timestamp>,
    tick: Rc<dyn Fn(Timestamp) -> bool>,
    timeout: Rc<RefCell<Option<Timeout>>>,
}

impl Ticker {
    fn run(&self) {
        self.timeout.take();
        if document().hidden() {
            return;
        }
        let now = (self.clock)();
        if !(self.tick)(now) {
            return;
        }
        let until_next = u32::try_from(1000 - now.millis().rem_euclid(1000)).unwrap_or(1000);
        let this = self.clone();
        *self.timeout.borrow_mut() = Some(Timeout::new(until_next, move || this.run()));
    }
}
