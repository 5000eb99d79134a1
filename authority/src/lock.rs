//! The screen lock: after a time without a click a session is shut until the App unlock PIN is typed. The PIN is never a
//! factor: it opens nothing but a session that was opened by password and token, and whose end it does not move.

use domain::person::{InvalidPin, Pin};

use crate::audit::{self, Event};
use crate::hasher::Verdict;
use crate::{Authority, Locked, Visitor};

/// Wrong PINs that end the session.
pub const MAX_FAILURES: i64 = 5;

/// Why the screen stays locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnlockError {
    /// It is no PIN; it was not looked at and does not count.
    #[error(transparent)]
    Malformed(InvalidPin),
    /// It is not right.
    #[error("not right")]
    NotRight,
    /// It was the last one: the session has ended.
    #[error("the session has ended")]
    Ended,
    /// Too many passwords are being checked.
    #[error("busy")]
    Busy,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Opens a locked session. A try is counted, and committed, before it is looked at.
///
/// # Errors
/// [`UnlockError`].
pub async fn unlock(authority: &Authority, locked: &Locked, visitor: &Visitor, raw: &str) -> Result<(), UnlockError> {
    let signed_in = locked.signed_in();
    let pin = Pin::parse(raw).map_err(UnlockError::Malformed)?;
    let profile = authority.store.find_profile(signed_in.account_id()).await?.ok_or(UnlockError::Unavailable)?;
    let mut slot = authority.hasher.slot().await?;
    let mut write = authority.store.write().await?;
    let Some(failures) = write.count_pin(signed_in.session_id(), MAX_FAILURES).await? else {
        return Err(UnlockError::Ended);
    };
    write.commit().await?;
    let verdict = slot.verify(pin.expose(), profile.pin_hash.as_deref()).await?;
    let mut write = authority.store.write().await?;
    let result = match verdict {
        Verdict::Right | Verdict::RightButWeak => {
            write.unlock_session(signed_in.session_id(), authority.now().millis()).await?;
            audit::record(authority, &mut write, visitor, signed_in.into(), Event::ScreenUnlocked, None).await?;
            Ok(())
        }
        Verdict::Wrong => {
            audit::record(authority, &mut write, visitor, signed_in.into(), Event::PinWrong, None).await?;
            if failures >= MAX_FAILURES {
                write.delete_session(signed_in.account_id(), signed_in.session_id()).await?;
                audit::record(authority, &mut write, visitor, signed_in.into(), Event::SessionEnded, None).await?;
                Err(UnlockError::Ended)
            } else {
                Err(UnlockError::NotRight)
            }
        }
    };
    write.commit().await?;
    result
}
