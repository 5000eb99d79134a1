//! The end of a device: revoked on the Security tab, or given up by itself.

use domain::FactorKind;

use super::Device;
use crate::audit::{self, Event};
use crate::notice::{self, Notice};
use crate::store::{DeviceRow, FactorRow, LinkedAccountRow, Write};
use crate::{Authority, OpenedSession, SignedIn, Visitor, factors, sessions};

/// Why a device stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RevokeError {
    /// The account has no such device.
    #[error("no such device")]
    NotFound,
    /// The step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// It is the last factor of a practice account; two-factor authentication is disabled instead.
    #[error("the last factor")]
    LastFactor,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Revokes a device of the account; its tokens are refused from this commit on, by every practice account.
///
/// # Errors
/// [`RevokeError`].
pub async fn revoke(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    device_id: &str,
) -> Result<OpenedSession, RevokeError> {
    if !sessions::is_stepped_up(authority, signed_in) {
        return Err(RevokeError::StepUpNeeded);
    }
    let account = authority.store.find_account(signed_in.account_id()).await?.ok_or(RevokeError::Unavailable)?;
    let token_account_id = account.token_account_id.ok_or(RevokeError::NotFound)?;
    let mut write = authority.store.write().await?;
    let accounts = write.lock_linked_accounts(&token_account_id).await?;
    let devices = write.active_devices(&token_account_id).await?;
    let device = devices.iter().find(|device| device.id == device_id).ok_or(RevokeError::NotFound)?;
    let factors = write.device_factors(device_id).await?;
    if !factors.iter().any(|factor| factor.account_id == account.id) {
        return Err(RevokeError::NotFound);
    }
    remove(authority, &mut write, visitor, device, &accounts, Some(signed_in)).await?;
    let (assurance, stepped_up_at) = (signed_in.assurance(), signed_in.stepped_up_at());
    let opened = sessions::renew(authority, &mut write, visitor, signed_in, assurance, stepped_up_at).await?;
    write.commit().await?;
    Ok(opened)
}

/// Gives a device up, by itself.
///
/// # Errors
/// [`RevokeError`].
pub async fn leave(authority: &Authority, device: &Device, visitor: &Visitor) -> Result<(), RevokeError> {
    let mut write = authority.store.write().await?;
    let accounts = write.lock_linked_accounts(device.token_account_id()).await?;
    remove(authority, &mut write, visitor, &device.row, &accounts, None).await?;
    Ok(write.commit().await?)
}

/// Removes a device with its secrets, under the locks of its practice accounts. Never the last factor of one.
async fn remove(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    device: &DeviceRow,
    accounts: &[LinkedAccountRow],
    signed_in: Option<&SignedIn>,
) -> Result<(), RevokeError> {
    let is_of_device = |factor: &FactorRow| factor.device_id.as_deref() == Some(device.id.as_str());
    let mut losers = Vec::new();
    for account in accounts {
        let factors = write.factors(&account.id).await?;
        if factors.iter().any(is_of_device) {
            if factors::would_be_none(&factors, is_of_device) {
                return Err(RevokeError::LastFactor);
            }
            losers.push(account);
        }
    }
    if !write.revoke_device(&device.id, authority.now().millis()).await? {
        return Err(RevokeError::NotFound);
    }
    write.delete_device_factors(&device.id).await?;
    write.end_registrations_approved_by(&device.id).await?;
    for account in losers {
        match signed_in.filter(|signed_in| signed_in.account_id() == account.id) {
            Some(signed_in) => write.delete_other_sessions(&account.id, signed_in.session_id()).await?,
            None => write.delete_sessions(&account.id).await?,
        }
        let kind = Some(FactorKind::Authenticator);
        audit::record(authority, write, visitor, account.into(), Event::FactorRemoved, kind).await?;
        notice::queue(authority, write, &account.email, Notice::DeviceRemoved { name: &device.name }).await?;
    }
    Ok(())
}
