//! The end of a device's way, or of a later secret's: each has made a token, and counts.

use domain::diagnosis::{self, Diagnosis};
use domain::token::InvalidToken;
use domain::totp::Step;
use domain::{FactorKind, Timestamp, Token, TokenLengths};

use super::Device;
use crate::audit::{self, Event};
use crate::notice::{self, Notice};
use crate::store::{DeviceFactorRow, DeviceRow};
use crate::{Authority, DeviceKey, Visitor, factors, moment, reset};

/// Why a device does not become active.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ActivationError {
    /// It is no token.
    #[error(transparent)]
    Malformed(InvalidToken),
    /// A token is wrong or missing; with what the device did otherwise, if that can be told.
    #[error("not right")]
    NotRight(Option<Diagnosis>),
    /// It was removed, or was never ours.
    #[error("the device was revoked")]
    Revoked,
    /// Nothing waits any more: it counts already, has run out, or the registration ended otherwise.
    #[error("the registration is over")]
    Over,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// A secret that has made a token.
struct Proven {
    factor: DeviceFactorRow,
    step: Step,
}

/// Makes the secrets that wait count, with one token of each: `FACTOR TOKEN,FACTOR TOKEN`. These are spent. With the first
/// ones the device becomes active, too.
///
/// Nothing is guarded by a count here, for whoever has the key was given the secrets with it. In one transaction all of
/// them count, the registration is through, and other sessions of the practice accounts end.
///
/// # Errors
/// [`ActivationError`].
pub async fn activate(
    authority: &Authority,
    visitor: &Visitor,
    key: &str,
    tokens: &str,
) -> Result<Device, ActivationError> {
    let key = DeviceKey::from_text(key).ok_or(ActivationError::Revoked)?;
    let row = authority.store.find_device(&key.hash(authority)).await?.ok_or(ActivationError::Revoked)?;
    let now = authority.now();
    if row.revoked_at.is_some() {
        return Err(ActivationError::Revoked);
    }
    if row.activated_at.is_none() && row.expires_at.is_none_or(|at| now >= moment(at)) {
        return Err(ActivationError::Over);
    }
    let mut proven = Vec::new();
    let factors = authority.store.device_factors(&row.id).await?;
    for factor in factors.into_iter().filter(DeviceFactorRow::is_pending) {
        let step = prove(authority, visitor, &factor, tokens, now).await?;
        proven.push(Proven { factor, step });
    }
    if proven.is_empty() {
        return Err(ActivationError::Over);
    }
    confirm(authority, visitor, &row, &proven).await
}

/// The step of the token that was sent for this secret.
async fn prove(
    authority: &Authority,
    visitor: &Visitor,
    factor: &DeviceFactorRow,
    tokens: &str,
    now: Timestamp,
) -> Result<Step, ActivationError> {
    let secret_row = super::find_factor(authority, factor).await?;
    let totp = factors::open_totp(authority, &secret_row)?;
    let sent = tokens.split(',').filter_map(|pair| pair.trim().split_once(' ')).find(|(id, _)| *id == factor.id);
    let (_, raw) = sent.ok_or(ActivationError::NotRight(None))?;
    let token = Token::parse(raw, TokenLengths::only(totp.parameters().digits)).map_err(ActivationError::Malformed)?;
    if let Some(step) = totp.find_step(&token, now) {
        return Ok(step);
    }
    let (subject, kind) = (factor.into(), Some(FactorKind::Authenticator));
    audit::record_alone(authority, visitor, subject, Event::EnrolmentFailed, kind).await?;
    let secret = factors::open_secret(authority, &secret_row)?;
    Err(ActivationError::NotRight(diagnosis::diagnose(&secret, totp.parameters(), &token, now)))
}

async fn confirm(
    authority: &Authority,
    visitor: &Visitor,
    row: &DeviceRow,
    proven: &[Proven],
) -> Result<Device, ActivationError> {
    let now = authority.now().millis();
    let mut write = authority.store.write().await?;
    let accounts = write.lock_linked_accounts(&row.token_account_id).await?;
    if row.activated_at.is_none() {
        if !write.activate_device(&row.id, now).await? || !write.finish_registration(&row.id).await? {
            return Err(ActivationError::Over);
        }
        // With the first device the phone alone stops being enough, for whoever had come as far as that too.
        write.end_unapproved_registrations(&row.token_account_id).await?;
    } else if !write.is_device_active(&row.id).await? {
        return Err(ActivationError::Revoked);
    }
    for Proven { factor, step } in proven {
        let account = accounts.iter().find(|account| account.id == factor.account_id).ok_or(ActivationError::Over)?;
        let step = i64::try_from(step.number()).map_err(|_| ActivationError::Unavailable)?;
        if !write.confirm_factor(&factor.id, &row.name, Some(step), now).await? {
            return Err(ActivationError::Over);
        }
        reset::take_back(authority, &mut write, visitor, account.into(), &account.email).await?;
        write.cancel_challenges(&account.id).await?;
        // A device has no session: of all there are, only one that has asked for this may stay.
        match &factor.session_id {
            Some(session_id) => write.delete_other_sessions(&account.id, session_id).await?,
            None => write.delete_sessions(&account.id).await?,
        }
        let (subject, kind) = (account.into(), Some(FactorKind::Authenticator));
        audit::record(authority, &mut write, visitor, subject, Event::EnrolmentConfirmed, kind).await?;
        notice::queue(authority, &mut write, &account.email, Notice::DeviceAdded { name: &row.name }).await?;
    }
    write.commit().await?;
    let row = DeviceRow { activated_at: row.activated_at.or(Some(now)), expires_at: None, ..row.clone() };
    Ok(Device { row })
}
