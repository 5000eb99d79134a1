//! Seconds, as the server counts them.

use std::cell::RefCell;
use std::rc::Rc;

use domain::Timestamp;
use gloo_timers::callback::Timeout;
use leptos::ev;
use leptos::prelude::*;
use send_wrapper::SendWrapper;

use crate::page::use_hydrated;

/// Calls `tick` with the server's time, now and whenever a second of it begins, until the owner of the calling effect
/// ends. It rests while the page is hidden, since timers drift there and nobody looks; then it begins anew.
///
/// `now` is the server's time in the page's data.
pub(crate) fn every_second(now: Timestamp, tick: impl Fn(Timestamp) + 'static) {
    let ticker = SendWrapper::new(Ticker {
        server_ahead: now.millis().saturating_sub(arrived_at()),
        tick: Rc::new(tick),
        timeout: Rc::default(),
    });
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
        _ => local_now(),
    }
}

/// Milliseconds by the clock of this device, which may be wrong: only differences of it are used.
#[expect(clippy::disallowed_methods, reason = "the browser's one source of time")]
fn local_now() -> i64 {
    whole(js_sys::Date::now())
}

#[expect(clippy::cast_possible_truncation, reason = "JavaScript counts milliseconds in a double")]
fn whole(millis: f64) -> i64 {
    millis as i64
}

#[derive(Clone)]
struct Ticker {
    /// Milliseconds by which the server's clock is ahead of this one.
    server_ahead: i64,
    tick: Rc<dyn Fn(Timestamp)>,
    timeout: Rc<RefCell<Option<Timeout>>>,
}

impl Ticker {
    fn run(&self) {
        self.timeout.take();
        if document().hidden() {
            return;
        }
        let now = local_now().saturating_add(self.server_ahead);
        (self.tick)(Timestamp::from_millis(now));
        let until_next = u32::try_from(1000 - now.rem_euclid(1000)).unwrap_or(1000);
        let this = self.clone();
        *self.timeout.borrow_mut() = Some(Timeout::new(until_next, move || this.run()));
    }
}
