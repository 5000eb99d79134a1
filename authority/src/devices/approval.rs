//! The word of an active device on a new one.

use domain::FactorKind;
use domain::registration::{LIFE, Registration};

use super::Device;
use crate::audit::{self, Event};
use crate::notice::{self, Notice};
use crate::{Authority, Visitor};

/// Why an answer leads to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It has run out, was answered, or was never asked of this token account.
    #[error("nothing to answer")]
    Gone,
    /// Another number is on the new device, which is refused with this.
    #[error("another number")]
    WrongNumber,
    /// This device was revoked meanwhile.
    #[error("the device was revoked")]
    Revoked,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Answers a new device of the same token account, once: with the number that it shows, or with nothing to deny it.
/// Anything else than the right number denies it too.
///
/// # Errors
/// [`AnswerError`].
pub async fn answer(
    authority: &Authority,
    device: &Device,
    visitor: &Visitor,
    request: &str,
    number: &str,
) -> Result<(), AnswerError> {
    let now = authority.now();
    let token_account_id = device.token_account_id();
    let waiting = authority.store.waiting_registration(token_account_id, now.millis()).await?;
    let row = waiting.filter(|row| row.id == request).ok_or(AnswerError::Gone)?;
    let is_welcome = row.number.is_some() && number.trim().parse().ok() == row.number;
    let next = super::registration::state(&row, now).answer(now, is_welcome).map_err(|_| AnswerError::Gone)?;
    let event = if is_welcome { Event::DeviceApproved } else { Event::DeviceDenied };
    let (id, state, until) = (row.id.as_str(), next.name(), (now + LIFE).millis());
    let name = row.device_name.as_deref().unwrap_or_default();

    let mut write = authority.store.write().await?;
    write.lock_token_account(token_account_id).await?;
    if !write.is_device_active(device.id()).await? {
        return Err(AnswerError::Revoked);
    }
    if !write.answer_registration(id, token_account_id, state, device.id(), now.millis(), until).await? {
        return Err(AnswerError::Gone);
    }
    for account in write.linked_accounts(token_account_id).await? {
        let kind = Some(FactorKind::Authenticator);
        audit::record(authority, &mut write, visitor, (&account).into(), event, kind).await?;
        if next == Registration::Denied {
            notice::queue(authority, &mut write, &account.email, Notice::DeviceDenied { name }).await?;
        }
    }
    write.commit().await?;
    if is_welcome || number.trim().is_empty() { Ok(()) } else { Err(AnswerError::WrongNumber) }
}
