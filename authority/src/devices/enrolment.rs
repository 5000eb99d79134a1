//! A secret for a practice account that was linked after the device had been registered.
//!
//! Its owner asks for it on the Security tab ([`enrol`]). The device finds it at its next look ([`waiting`]), and it counts
//! once it has made a token ([`super::activate`]).

use domain::enrolment::Enrolment;
use domain::{FactorKind, Timestamp};

use super::Device;
use super::secrets::{self, NewSecret};
use crate::audit::{self, Event};
use crate::store::{DeviceFactorRow, DeviceRow, FactorRow};
use crate::{Authority, SignedIn, Unavailable, Visitor, factors, sessions};

/// Why a device does not get a secret for the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnrolError {
    /// The account's token account has no such device, or it makes tokens for the account already.
    #[error("no such device")]
    NotFound,
    /// The step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// A device of the account's token account that makes no tokens for the account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdleDevice {
    /// Its id, to enrol it by.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Until when its secret waits for it.
    pub waits_until: Option<Timestamp>,
}

/// Has a device of the token account make tokens for this account too: within [`domain::enrolment::LIFE`] it fetches its
/// secret by itself.
///
/// # Errors
/// [`EnrolError`].
pub async fn enrol(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    device_id: &str,
) -> Result<(), EnrolError> {
    if !sessions::is_stepped_up(authority, signed_in) {
        return Err(EnrolError::StepUpNeeded);
    }
    let account = authority.store.find_account(signed_in.account_id()).await?.ok_or(EnrolError::Unavailable)?;
    let token_account_id = account.token_account_id.ok_or(EnrolError::NotFound)?;
    let mut write = authority.store.write().await?;
    let accounts = write.lock_linked_accounts(&token_account_id).await?;
    let linked = accounts.iter().find(|linked| linked.id == account.id).ok_or(EnrolError::NotFound)?;
    let factors = write.factors(&account.id).await?;
    let devices = write.active_devices(&token_account_id).await?;
    let device = idle(&devices, &factors).find(|device| device.id == device_id).ok_or(EnrolError::NotFound)?;
    let session_id = Some(signed_in.session_id());
    secrets::make_secret(authority, &mut write, linked, &device.id, &device.name, session_id).await?;
    let kind = Some(FactorKind::Authenticator);
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::EnrolmentStarted, kind).await?;
    Ok(write.commit().await?)
}

/// Takes back what [`enrol`] has asked for; nothing has changed.
///
/// # Errors
/// [`Unavailable`].
pub async fn cancel(authority: &Authority, signed_in: &SignedIn, visitor: &Visitor) -> Result<(), Unavailable> {
    let kind = FactorKind::Authenticator;
    let mut write = authority.store.write().await?;
    if write.delete_pending_factor(signed_in.account_id(), kind.name()).await? {
        audit::record(authority, &mut write, visitor, signed_in.into(), Event::EnrolmentCancelled, Some(kind)).await?;
    }
    Ok(write.commit().await?)
}

/// The devices of a token account that make no tokens for the account with these factors, oldest first. While two-factor
/// authentication is off there are none: it is turned on with the cell phone.
fn idle<'a>(devices: &'a [DeviceRow], factors: &'a [FactorRow]) -> impl Iterator<Item = &'a DeviceRow> {
    let serves = |device: &DeviceRow| {
        factors.iter().any(|factor| factor.counts() && factor.device_id.as_deref() == Some(device.id.as_str()))
    };
    let are_on = factors::are_on(factors);
    devices.iter().filter(move |device| are_on && !serves(device))
}

/// The devices of the account's token account that make no tokens for the account.
pub(crate) async fn list_idle(
    authority: &Authority,
    token_account_id: &str,
    factors: &[FactorRow],
) -> Result<Vec<IdleDevice>, Unavailable> {
    let devices = authority.store.active_devices(token_account_id).await?;
    let waits_until = |device: &DeviceRow| {
        factors.iter().filter(|factor| factor.device_id.as_deref() == Some(device.id.as_str())).find_map(|factor| {
            match factor.enrolment().at(authority.now()) {
                Enrolment::Pending { expires_at } => Some(expires_at),
                _ => None,
            }
        })
    };
    let view = |device: &DeviceRow| IdleDevice {
        id: device.id.clone(),
        name: device.name.clone(),
        waits_until: waits_until(device),
    };
    Ok(idle(&devices, factors).map(view).collect())
}

/// The secrets that wait for an active device. Where the practice wants devices to be phones, others get none.
pub(super) async fn waiting(
    authority: &Authority,
    device: &Device,
    visitor: &Visitor,
) -> Result<Vec<NewSecret>, Unavailable> {
    let mut waiting = Vec::new();
    let factors = authority.store.device_factors(device.id()).await?;
    for factor in factors.into_iter().filter(DeviceFactorRow::is_pending) {
        let row = super::find_factor(authority, &factor).await?;
        let is_pending = matches!(row.enrolment().at(authority.now()), Enrolment::Pending { .. });
        if is_pending && secrets::may_be_device(visitor, factor.phones_only) {
            let key = factors::open_secret(authority, &row)?;
            let (practice, username) = (factor.practice_name, factor.username);
            waiting.push(NewSecret { factor: factor.id, practice, username, key });
        }
    }
    Ok(waiting)
}
