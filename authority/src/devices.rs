//! Devices with Twofold's own authenticator: each has a secret of its own for each practice account, and is revoked alone.
//!
//! A registration proves the phone ([`start`], [`verify`]); where the token account has an active device, that one is
//! asked ([`answer`]), or a recovery code stands in for it ([`recover`]). Then the secrets are handed out ([`step`]), and
//! count once each has made a token ([`activate`]). A practice account that is linked later is enrolled on the Security tab
//! ([`enrol`]).

mod activation;
mod approval;
mod enrolment;
mod registration;
mod revocation;
mod secrets;
mod sync;

use domain::RecoveryCode;

use crate::audit::{self, Event};
use crate::message_token::Binding;
use crate::notice::{self, Notice};
use crate::sign_in::RecoveryRefused;
use crate::store::{DeviceFactorRow, DeviceRow, FactorRow, LinkedAccountRow, Write};
use crate::token_check::{self, Proven, Surface, Typed};
use crate::{Authority, DeviceKey, Unavailable, Visitor};

pub use activation::{ActivationError, activate};
pub use approval::{AnswerError, answer};
pub(crate) use enrolment::list_idle;
pub use enrolment::{EnrolError, IdleDevice, cancel, enrol};
pub use registration::{RegistrationError, Started, recover, resend, start, step, verify};
pub use revocation::{RevokeError, leave, revoke};
pub use secrets::{NewSecret, Ready, Step};
pub use sync::{BackupState, DeviceAccount, DeviceView, ListedDevice, Request, sync};

/// Proof that a call carries the key of an active device.
#[derive(Clone)]
pub struct Device {
    row: DeviceRow,
}

impl Device {
    pub(crate) fn id(&self) -> &str {
        &self.row.id
    }

    pub(crate) fn token_account_id(&self) -> &str {
        &self.row.token_account_id
    }

    /// Whether another device's approval, or a recovery code, has shown whose it is.
    pub(crate) fn is_vouched_for(&self) -> bool {
        self.row.may_restore == 1
    }
}

/// The active device of a key; `None` for one that was revoked, is pending, or was never ours.
///
/// # Errors
/// [`Unavailable`].
pub async fn find(authority: &Authority, key: &str) -> Result<Option<Device>, Unavailable> {
    let Some(key) = DeviceKey::from_text(key) else {
        return Ok(None);
    };
    let row = authority.store.find_device(&key.hash(authority)).await?;
    Ok(row.filter(|row| row.activated_at.is_some() && row.revoked_at.is_none()).map(|row| Device { row }))
}

/// The factor behind a device's secret.
async fn find_factor(authority: &Authority, factor: &DeviceFactorRow) -> Result<FactorRow, Unavailable> {
    let all = authority.store.factors(&factor.account_id).await?;
    all.into_iter().find(|row| row.id == factor.id).ok_or(Unavailable)
}

/// Proves the person by a recovery code, so that this device may load the backup.
///
/// # Errors
/// [`RecoveryRefused`].
pub async fn prove(
    authority: &Authority,
    device: &Device,
    visitor: &Visitor,
    raw: &str,
) -> Result<Device, RecoveryRefused> {
    let code = RecoveryCode::parse(raw).map_err(RecoveryRefused::Malformed)?;
    let accounts = vouching_accounts(authority, device.token_account_id()).await?;
    let found = find_recovery_code(authority, visitor, &accounts, code).await?;
    let (proven, account) = found.ok_or(RecoveryRefused::NotRight)?;
    let mut write = authority.store.write().await?;
    if !proven.claim(authority, &mut write, &account.id).await? {
        drop(write);
        proven.reused(authority, visitor, Surface::Device(account)).await?;
        return Err(RecoveryRefused::NotRight);
    }
    if !write.allow_restore(device.id()).await? {
        return Err(RecoveryRefused::NotRight);
    }
    tell_of_recovery_code(authority, &mut write, visitor, account).await?;
    write.commit().await?;
    Ok(Device { row: DeviceRow { may_restore: 1, ..device.row.clone() } })
}

/// The practice accounts whose recovery codes speak for a token account with what its devices share: those that were linked
/// when the oldest active device came. One that joined since has shown no more than the phone and an e-mail address, and a
/// thief of the number can make such an account. Where none of the earlier ones is left, there is nobody else to ask.
async fn vouching_accounts(
    authority: &Authority,
    token_account_id: &str,
) -> Result<Vec<LinkedAccountRow>, Unavailable> {
    let mut accounts = authority.store.linked_accounts(token_account_id).await?;
    let devices = authority.store.active_devices(token_account_id).await?;
    if let Some(since) = devices.first().and_then(|oldest| oldest.activated_at) {
        let was_there = |account: &LinkedAccountRow| account.linked_at <= since;
        if accounts.iter().any(was_there) {
            accounts.retain(was_there);
        }
    }
    Ok(accounts)
}

/// Checks a recovery code of these practice accounts of a token account; `None` refuses it, and has been written down.
///
/// A code belongs to one practice account, whose failure budget it draws on; one that belongs to none draws on all, for it
/// is a guess at each of them. Whose it is decides nothing else: a code counts only once its attempt is committed.
async fn find_recovery_code<'a>(
    authority: &Authority,
    visitor: &Visitor,
    accounts: &'a [LinkedAccountRow],
    code: RecoveryCode,
) -> Result<Option<(Proven, &'a LinkedAccountRow)>, Unavailable> {
    let mut owner = None;
    for account in accounts {
        let hash = authority.digester.digest("recovery code", &account.id, code.expose());
        if authority.store.has_recovery_code(&account.id, &hash).await? {
            owner = Some(account);
        }
    }
    let typed = Typed::RecoveryCode(code);
    for account in accounts.iter().filter(|account| owner.is_none_or(|owner| owner.id == account.id)) {
        let surface = Surface::Device(account);
        let proven = token_check::evaluate(authority, visitor, surface, &Binding::nothing(), &typed).await?;
        if let Some(proven) = proven {
            return Ok(Some((proven, account)));
        }
    }
    Ok(None)
}

/// Writes down that a recovery code was used on a device, and tells its owner.
async fn tell_of_recovery_code(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    account: &LinkedAccountRow,
) -> Result<(), Unavailable> {
    let kind = Some(domain::FactorKind::RecoveryCode);
    let left = write.recovery_codes_left(&account.id).await?;
    audit::record(authority, write, visitor, account.into(), Event::RecoveryCodeUsed, kind).await?;
    notice::queue(authority, write, &account.email, Notice::RecoveryCodeProved { left }).await
}
