//! Points in time as people read them.
//!
//! The server does not know where its reader is, so its HTML says UTC; once the page is hydrated the same text is in the
//! reader's own zone and manner.

use domain::Timestamp;
use js_sys::{Date, Object, Reflect};
use leptos::prelude::*;
use wasm_bindgen::JsValue;

use crate::erase::{Erase, live};
use crate::page::use_zone;

/// Whose clock a text shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// Coordinated Universal Time, with its name.
    Utc,
    /// The clock of who reads the page; in the browser only.
    Viewer,
}

/// `14:47 UTC`, or `2:47 PM`.
pub(crate) fn clock(at: Timestamp, zone: Zone) -> String {
    match zone {
        Zone::Utc => {
            let minutes = at.unix_seconds() / 60;
            format!("{:02}:{:02} UTC", minutes / 60 % 24, minutes % 60)
        }
        Zone::Viewer => locale_string(at, &[("hour", "numeric"), ("minute", "2-digit")]),
    }
}

/// `14:47:05 UTC`, or `2:47:05 PM`.
pub(crate) fn clock_with_seconds(at: Timestamp, zone: Zone) -> String {
    match zone {
        Zone::Utc => {
            let seconds = at.unix_seconds();
            format!("{:02}:{:02}:{:02} UTC", seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
        }
        Zone::Viewer => locale_string(at, &[("hour", "numeric"), ("minute", "2-digit"), ("second", "2-digit")]),
    }
}

/// `24 Nov 2025, 14:47 UTC`, or as the reader's language writes it.
pub fn date_and_clock(at: Timestamp, zone: Zone) -> String {
    match zone {
        Zone::Utc => {
            format!("{}, {}", domain::Date::of(at).long(), clock(at, zone))
        }
        Zone::Viewer => locale_string(at, &[("dateStyle", "medium"), ("timeStyle", "short")]),
    }
}

fn locale_string(at: Timestamp, options: &[(&str, &str)]) -> String {
    let settings = Object::new();
    for (name, value) in options {
        // Setting a property of a plain object does not fail.
        let _ = Reflect::set(&settings, &JsValue::from_str(name), &JsValue::from_str(value));
    }
    #[expect(clippy::cast_precision_loss, reason = "JavaScript counts milliseconds in a double")]
    let date = Date::new(&JsValue::from_f64(at.millis() as f64));
    date.to_locale_string("default", &settings).into()
}

/// A time with its date, in a `<time>` element.
#[component]
pub(crate) fn Time(at: Timestamp) -> AnyView {
    let zone = use_zone();
    view! { <time>{live(move || Some(date_and_clock(at, zone())))}</time> }.erase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utc_is_said_with_its_name() {
        let at = Timestamp::from_seconds(1_234_567_890);
        assert_eq!(clock(at, Zone::Utc), "23:31 UTC");
        assert_eq!(clock_with_seconds(at, Zone::Utc), "23:31:30 UTC");
        assert_eq!(date_and_clock(at, Zone::Utc), "13 Feb 2009, 23:31 UTC");
    }

    #[test]
    fn no_time_that_an_address_may_carry_makes_it_panic() {
        for millis in [i64::MIN, -1, i64::MAX] {
            let _ = date_and_clock(Timestamp::from_millis(millis), Zone::Utc);
        }
    }
}
