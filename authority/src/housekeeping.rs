//! Removes what has run out. Nothing depends on it: what has run out is refused anyway.

use std::time::Duration;

use domain::lockout::LONG_WINDOW;
use domain::policy::MAX_IDLE_MINUTES;
use domain::session::ABSOLUTE;

use crate::store::insist;
use crate::{Authority, Unavailable, coverage};

/// Rows are kept this long after they ran out; every limit looks back a day at most.
const KEPT: Duration = Duration::from_hours(48);
const _: () = assert!(KEPT.as_secs() > LONG_WINDOW.as_secs(), "no lock is lifted by sweeping");

/// As long as the browser keeps its cookie.
const BROWSER_KEPT: Duration = Duration::from_hours(365 * 24);

/// Runs each in a transaction of its own: what is swept is locked in no order, so two tables at once could stand in the way of
/// a sign-in that locks them the other way round.
macro_rules! sweep {
    ($authority:ident: $($method:ident($($argument:expr),+);)+) => {
        $(insist(|| async {
            let mut write = $authority.store.write().await?;
            write.$method($($argument),+).await?;
            write.commit().await
        })
        .await?;)+
    };
}

/// Deletes sessions, challenges, pending enrolments and devices, registrations, message tokens, attempts, counters and messages that have run out.
///
/// # Errors
/// [`Unavailable`].
pub async fn sweep(authority: &Authority) -> Result<(), Unavailable> {
    let now = authority.now();
    let before = (now - KEPT).millis();
    let idle_before = (now - Duration::from_mins(MAX_IDLE_MINUTES.into())).millis();
    sweep! { authority:
        sweep_sessions(idle_before, (now - ABSOLUTE).millis());
        sweep_challenges(before);
        sweep_factors(before);
        sweep_registrations(before);
        sweep_devices(before);
        sweep_messages(before);
        sweep_attempts(before);
        sweep_password_failures(before);
        sweep_outbox(before);
        sweep_reset_links(before);
        sweep_remembered(now.millis());
        sweep_known_browsers((now - BROWSER_KEPT).millis());
    }
    coverage::count(authority).await
}
