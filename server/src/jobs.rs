//! What runs beside the requests, for as long as the server does.

use std::time::Duration;

use authority::Authority;
use tokio::task::JoinSet;
use tokio::time::MissedTickBehavior;

/// How often the outbox is looked through. A person waits for the token in it.
const DELIVER_EVERY: Duration = Duration::from_secs(1);
/// How often new audit rows are sealed. Until then a row is protected by its keyed hash alone.
const SEAL_EVERY: Duration = Duration::from_secs(1);
/// How often what has expired is removed.
const SWEEP_EVERY: Duration = Duration::from_mins(10);
/// How often trails are looked at for what is older than their practices keep. It goes by whole days.
const RETAIN_EVERY: Duration = Duration::from_hours(1);
/// How often deadlines are looked at.
const REMIND_EVERY: Duration = Duration::from_mins(5);
/// How often this machine's clock is compared with the database's.
const COMPARE_CLOCKS_EVERY: Duration = Duration::from_mins(1);

/// The running jobs; dropping it ends them. A job may end between any two of its statements, as with a power cut: what it
/// does is committed bit by bit, and the next start, or another replica, goes on.
#[must_use]
pub struct Jobs(#[expect(dead_code, reason = "held for its drop, which aborts the tasks")] JoinSet<()>);

impl Jobs {
    /// Starts all of them.
    pub fn start(authority: &Authority) -> Self {
        let mut tasks = JoinSet::new();
        tasks.spawn(deliver(authority.clone()));
        tasks.spawn(seal(authority.clone()));
        tasks.spawn(sweep(authority.clone()));
        tasks.spawn(retain(authority.clone()));
        tasks.spawn(remind(authority.clone()));
        tasks.spawn(compare_clocks(authority.clone()));
        Self(tasks)
    }
}

/// Sends what is in the outbox.
async fn deliver(authority: Authority) {
    let mut interval = every(DELIVER_EVERY);
    let mut is_down = false;
    loop {
        interval.tick().await;
        let result = authority::outbox::deliver(&authority).await;
        // Told once per outage, for this asks every second.
        match (&result, is_down) {
            (Err(error), false) => tracing::warn!(%error, "the outbox cannot be read"),
            (Ok(_), true) => tracing::info!("the outbox can be read again"),
            _ => {}
        }
        is_down = result.is_err();
    }
}

/// Links new audit rows to the chains of their practices.
async fn seal(authority: Authority) {
    let mut interval = every(SEAL_EVERY);
    let (mut is_down, mut blocked) = (false, Vec::new());
    loop {
        interval.tick().await;
        let result = authority::audit_trail::seal(&authority).await;
        // Told once, as above.
        match (&result, is_down) {
            (Err(error), false) => tracing::warn!(%error, "the audit trail cannot be sealed"),
            (Ok(_), true) => tracing::info!("the audit trail can be sealed again"),
            _ => {}
        }
        is_down = result.is_err();
        let Ok(round) = result else { continue };
        for practice in round.blocked.iter().filter(|practice| !blocked.contains(*practice)) {
            tracing::error!(
                event = "audit_chain_broken",
                practice,
                "the end of an audit chain is not what was written"
            );
        }
        blocked = round.blocked;
    }
}

/// Removes what has expired.
async fn sweep(authority: Authority) {
    let mut interval = every(SWEEP_EVERY);
    loop {
        interval.tick().await;
        if let Err(error) = authority::housekeeping::sweep(&authority).await {
            tracing::warn!(%error, "what has expired could not be removed");
        }
    }
}

/// Removes what is older than practices keep of their audit trails.
async fn retain(authority: Authority) {
    let mut interval = every(RETAIN_EVERY);
    let mut blocked = Vec::new();
    loop {
        interval.tick().await;
        match authority::audit_trail::apply_retention(&authority).await {
            Ok(applied) => {
                for practice in applied.blocked.iter().filter(|practice| !blocked.contains(*practice)) {
                    tracing::error!(
                        event = "audit_retention_blocked",
                        practice,
                        "an audit trail is not whole, so nothing of it is removed"
                    );
                }
                blocked = applied.blocked;
            }
            Err(error) => tracing::warn!(%error, "audit rows could not be removed for their age"),
        }
    }
}

/// Reminds people of the practice's deadlines.
async fn remind(authority: Authority) {
    let mut interval = every(REMIND_EVERY);
    loop {
        interval.tick().await;
        if let Err(error) = authority::policy::remind(&authority).await {
            tracing::warn!(%error, "nobody could be reminded of a deadline");
        }
    }
}

/// Tells of a clock that goes wrong before it goes so wrong that the server is not ready.
async fn compare_clocks(authority: Authority) {
    let mut interval = every(COMPARE_CLOCKS_EVERY);
    loop {
        interval.tick().await;
        // A database that does not answer is told of by the others.
        if let Ok(difference) = authority::health::clock_difference(&authority).await
            && difference > authority::health::WORTH_TELLING
        {
            tracing::warn!(
                event = "clock_fault",
                seconds = difference.as_secs(),
                "this machine's clock and the database's differ"
            );
        }
    }
}

fn every(period: Duration) -> tokio::time::Interval {
    let mut interval = tokio::time::interval(period);
    // After a pause the job runs once, not once for each time that it missed.
    interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
    interval
}
