//! The server's time, and the time after which an idle device locks itself.

use core::time::Duration;

use app::browser::local_now;
use domain::Timestamp;
use gloo_timers::callback::Interval;
use leptos::ev;
use leptos::prelude::*;
use leptos::task::spawn_local;

use super::keeper;
use crate::browser::storage;
use crate::model::{Model, Screen};

/// From this difference on a person is told (ux.md section 4).
const WORTH_SAYING: Duration = Duration::from_secs(10);
/// Milliseconds that an answer may take whose time is worth something.
const LONGEST_WAY: i64 = 4_000;
/// Milliseconds between two looks whether the device is idle.
const LOOK_EVERY: u32 = 5_000;

/// Takes the server's time, as it just came in an answer to what was asked at `asked` by this device's clock. Tokens are
/// computed by it; the server accepts no more for it.
pub(crate) fn compare(model: Model, asked: Timestamp, server_now: Timestamp) {
    let Some(ahead) = ahead(asked, local_now(), server_now) else { return };
    model.server_ahead.set(ahead);
    spawn_local(async move {
        // For a start without network; else the device's own clock has to do.
        let _ = storage::save_server_ahead(ahead).await;
    });
}

/// Milliseconds by which the server's clock is ahead: it answered somewhere between question and answer. Of a slow answer
/// nobody can tell where.
fn ahead(asked: Timestamp, answered: Timestamp, server_now: Timestamp) -> Option<i64> {
    let way = answered.millis().checked_sub(asked.millis()).filter(|way| (0..=LONGEST_WAY).contains(way))?;
    Some(server_now.millis().saturating_sub(asked.millis()).saturating_sub(way / 2))
}

/// What is said of a clock that is wrong.
pub(crate) fn remark(server_ahead: i64) -> Option<String> {
    let difference = Duration::from_millis(server_ahead.unsigned_abs());
    if difference < WORTH_SAYING {
        return None;
    }
    let direction = if server_ahead > 0 { "slow" } else { "fast" };
    let seconds = difference.as_secs();
    let amount = if seconds < 120 { format!("{seconds} s") } else { format!("{} minutes", seconds / 60) };
    Some(format!("Your phone's clock is {amount} {direction}. Tokens are corrected."))
}

/// How long ago something was, in words.
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let minutes = now.since(at).as_secs() / 60;
    match minutes {
        0 => "just now".to_owned(),
        1 => "1 minute ago".to_owned(),
        2..60 => format!("{minutes} minutes ago"),
        60..120 => "1 hour ago".to_owned(),
        120..2880 => format!("{} hours ago", minutes / 60),
        _ => format!("{} days ago", minutes / 1440),
    }
}

/// Locks the vault once nobody has touched the page for the time that its owner set.
pub(crate) fn lock_when_idle(model: Model) {
    let touched_at = StoredValue::new(local_now());
    let touch = move || touched_at.set_value(local_now());
    window_event_listener(ev::pointerdown, move |_| touch());
    window_event_listener(ev::keydown, move |_| touch());
    let look = move || {
        let after = keeper::with(model, |contents| contents.auto_lock.duration());
        if after.is_some_and(|after| local_now().since(touched_at.get_value()) >= after) {
            lock(model);
        }
    };
    window_event_listener(ev::visibilitychange, move |_| look());
    Interval::new(LOOK_EVERY, look).forget();
}

/// Forgets what is open; only the sealed file is left.
pub(crate) fn lock(model: Model) {
    keeper::close(model);
    model.go(Screen::Unlock);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_remarked_on_from_ten_seconds_on_with_its_direction() {
        assert_eq!(remark(9_999), None);
        assert_eq!(remark(-9_999), None);
        let said = |millis| remark(millis).unwrap_or_default();
        assert!(said(10_000).contains("10 s slow"), "the server's clock is ahead");
        assert!(said(-119_000).contains("119 s fast"));
        assert!(said(120_000).contains("2 minutes slow"));
        assert!(said(i64::MIN).contains("fast"));
    }

    #[test]
    fn the_way_of_an_answer_is_not_held_against_the_clock() {
        let at = |millis: i64| Timestamp::from_millis(1_800_000_000_000 + millis);
        assert_eq!(ahead(at(0), at(400), at(200)), Some(0));
        assert_eq!(ahead(at(0), at(4_000), at(49_000)), Some(47_000));
        assert_eq!(ahead(at(0), at(12_000), at(12_000)), None, "a slow answer");
        assert_eq!(ahead(at(0), at(-60_000), at(0)), None, "a clock that was set meanwhile");
    }

    #[test]
    fn time_that_has_passed_is_said_in_one_unit() {
        let at = Timestamp::from_seconds(1_800_000_000);
        for (seconds, words) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (59 * 60, "59 minutes ago"),
            (60 * 60, "1 hour ago"),
            (120 * 60, "2 hours ago"),
            (47 * 3_600, "47 hours ago"),
            (48 * 3_600, "2 days ago"),
        ] {
            assert_eq!(ago(at, at + Duration::from_secs(seconds)), words);
        }
        assert_eq!(ago(at, Timestamp::from_seconds(0)), "just now", "a clock that went back");
    }
}
