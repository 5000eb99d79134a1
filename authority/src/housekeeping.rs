//! Removes what has run out. Nothing depends on it: what has run out is refused anyway.

use std::time::Duration;

use domain::lockout::LONG_WINDOW;
use domain::policy::MAX_IDLE_MINUTES;
use domain::session::ABSOLUTE;

use crate::{Authority, Unavailable, coverage};

/// Rows are kept this long after they ran out; every limit looks back a day at most.
const KEPT: Duration = Duration::from_hours(48);
const _: () = assert!(KEPT.as_secs() > LONG_WINDOW.as_secs(), "no lock is lifted by sweeping");

/// As long as the browser keeps its cookie.
const BROWSER_KEPT: Duration = Duration::from_hours(365 * 24);

/// Deletes sessions, challenges, pending enrolments and devices, registrations, message tokens, attempts, counters and messages that have run out.
///
/// # Errors
/// [`Unavailable`].
pub async fn sweep(authority: &Authority) -> Result<(), Unavailable> {
    let now = authority.now();
    let before = (now - KEPT).millis();
    let mut write = authority.store.write().await?;
    write
        .sweep_sessions((now - Duration::from_mins(MAX_IDLE_MINUTES.into())).millis(), (now - ABSOLUTE).millis())
        .await?;
    write.sweep_challenges(before).await?;
    write.sweep_factors(before).await?;
    write.sweep_registrations(before).await?;
    write.sweep_devices(before).await?;
    write.sweep_messages(before).await?;
    write.sweep_attempts(before).await?;
    write.sweep_password_failures(before).await?;
    write.sweep_outbox(before).await?;
    write.sweep_reset_links(before).await?;
    write.sweep_remembered(now.millis()).await?;
    write.sweep_known_browsers((now - BROWSER_KEPT).millis()).await?;
    write.commit().await?;
    coverage::count(authority).await
}
