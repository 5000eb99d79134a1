//! The person alone: password, then a link in the account's mailbox, then a day in which every address and phone is told
//! and any of them can stop it. Nothing is weaker meanwhile; then the password leads into set-up.

use domain::{Password, Timestamp};

use super::{DONE, OWN, WAIT, execute, tell_phones};
use crate::audit::{self, Event, Subject};
use crate::notice::{self, Notice};
use crate::password::PasswordRefused;
use crate::store::{AccountRow, NewReset, Write};
use crate::{Authority, ResetCancelKey, ResetLinkKey, Unavailable, Visitor, factors, moment, password, sign_in};

/// How long the link in the e-mail works (requirements.md PW-13).
const LINK_LIFE: std::time::Duration = std::time::Duration::from_mins(30);

/// Why no link goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Wrong passwords slow further ones down.
    #[error("too many tries")]
    TooManyTries {
        /// When the next one is looked at.
        until: Timestamp,
    },
    /// Too many passwords are being checked.
    #[error("busy")]
    Busy,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Why a link leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// It has run out, was used, or there is nothing to reset any more.
    #[error("the link has run out")]
    Ended,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Sends the link to the mailbox of the account, if name and password are right and there is something to reset. The
/// answer is the same if they are not.
///
/// # Errors
/// [`LinkError`].
pub async fn send_link(
    authority: &Authority,
    visitor: &Visitor,
    name: &str,
    password: String,
) -> Result<(), LinkError> {
    let Some((mut write, account)) = proven(authority, visitor, name, password).await? else { return Ok(()) };
    if !factors::are_on(&write.factors(&account.id).await?) {
        return Ok(write.commit().await?);
    }
    let key = ResetLinkKey::generate(authority);
    let expires_at = authority.now() + LINK_LIFE;
    write.replace_reset_link(&key.hash(authority), &account.id, expires_at.millis()).await?;
    audit::record(authority, &mut write, visitor, (&account).into(), Event::ResetLinkSent, None).await?;
    let link = format!("{}/login/reset?link={}", authority.public_url, key.expose());
    notice::queue(authority, &mut write, &account.email, Notice::ResetLink { link: &link }).await?;
    Ok(write.commit().await?)
}

/// The account whose name and password these are, with the transaction that has settled it and holds its lock; wrong ones
/// are counted as at sign-in, and told to nobody.
async fn proven(
    authority: &Authority,
    visitor: &Visitor,
    name: &str,
    password: String,
) -> Result<Option<(Write, AccountRow)>, LinkError> {
    match prove(authority, visitor, name, password).await {
        Ok(proven) => Ok(Some(proven)),
        Err(PasswordRefused::Wrong) => Ok(None),
        Err(PasswordRefused::TooManyTries { until }) => Err(LinkError::TooManyTries { until }),
        Err(PasswordRefused::Busy) => Err(LinkError::Busy),
        Err(PasswordRefused::Unavailable) => Err(LinkError::Unavailable),
    }
}

async fn prove(
    authority: &Authority,
    visitor: &Visitor,
    name: &str,
    password: String,
) -> Result<(Write, AccountRow), PasswordRefused> {
    let password = Password::typed(password).map_err(|_| PasswordRefused::Wrong)?;
    let name = name.trim().to_lowercase();
    let found = sign_in::find_credentials(authority, &name).await?;
    let proven = password::prove(authority, visitor, &name, found.as_ref(), &password).await?;
    let credentials = found.ok_or(PasswordRefused::Wrong)?;
    let account = authority.store.find_account(&credentials.id).await?.ok_or(PasswordRefused::Wrong)?;
    let mut write = authority.store.write().await?;
    proven.settle(&mut write, &account.id).await?;
    Ok((write, account))
}

/// Whether a link still works.
///
/// # Errors
/// [`Unavailable`].
pub async fn is_link_open(authority: &Authority, key: &ResetLinkKey) -> Result<bool, Unavailable> {
    Ok(authority.store.find_reset_link(&key.hash(authority), authority.now().millis()).await?.is_some())
}

/// Starts the wait; the link is used up. Every address and phone of the account is told, with a link that stops it.
///
/// # Errors
/// [`StartError`].
pub async fn start(authority: &Authority, visitor: &Visitor, key: &ResetLinkKey) -> Result<Timestamp, StartError> {
    let now = authority.now();
    let hash = key.hash(authority);
    let account_id = authority.store.find_reset_link(&hash, now.millis()).await?.ok_or(StartError::Ended)?;
    let account = authority.store.find_account(&account_id).await?.ok_or(StartError::Ended)?;
    let cancel = ResetCancelKey::generate(authority);
    let mut write = authority.store.write().await?;
    write.lock_account(&account.id).await?;
    if !write.claim_reset_link(&hash, now.millis()).await? {
        return Err(StartError::Ended);
    }
    if !factors::are_on(&write.factors(&account.id).await?) {
        return Err(StartError::Ended);
    }
    let ready_at = now + WAIT;
    let new = NewReset {
        id: &authority.entropy.id(),
        practice_id: &account.practice_id,
        account_id: &account.id,
        kind: OWN,
        reason: "",
        asked_by: &account.id,
        asked_at: now.millis(),
        ready_at: ready_at.millis(),
        cancel_hash: Some(&cancel.hash(authority)),
    };
    super::lapse(authority, &mut write, &account.id).await?;
    if !write.insert_reset(&new).await? {
        return Err(StartError::Ended);
    }
    audit::record(authority, &mut write, visitor, (&account).into(), Event::ResetAsked, None).await?;
    let link = format!("{}/login/reset?cancel={}", authority.public_url, cancel.expose());
    notice::queue(authority, &mut write, &account.email, Notice::ResetStarted { link: &link }).await?;
    let text = format!(
        "Twofold: somebody asked to reset two-factor authentication of your account. It happens in 24 hours. If this was not you, stop it: {link}"
    );
    tell_phones(authority, &mut write, &account, &text).await?;
    write.commit().await?;
    Ok(ready_at)
}

/// Whether a link in a notice can still stop something.
///
/// # Errors
/// [`Unavailable`].
pub async fn is_waiting(authority: &Authority, key: &ResetCancelKey) -> Result<bool, Unavailable> {
    Ok(authority.store.find_reset_by_cancel(&key.hash(authority)).await?.is_some())
}

/// Stops the wait from a notice. It is no error if nothing waits any more.
///
/// # Errors
/// [`Unavailable`].
pub async fn cancel(authority: &Authority, visitor: &Visitor, key: &ResetCancelKey) -> Result<(), Unavailable> {
    let Some(row) = authority.store.find_reset_by_cancel(&key.hash(authority)).await? else { return Ok(()) };
    let Some(account) = authority.store.find_account(&row.account_id).await? else { return Ok(()) };
    let mut write = authority.store.write().await?;
    write.lock_account(&account.id).await?;
    super::cancel(authority, &mut write, visitor, (&account).into(), &account.email, &row).await?;
    Ok(write.commit().await?)
}

/// Stops the wait with name and password. The answer is the same whether they were right and whether anything waited.
///
/// # Errors
/// [`LinkError`].
pub async fn cancel_with_password(
    authority: &Authority,
    visitor: &Visitor,
    name: &str,
    password: String,
) -> Result<(), LinkError> {
    let Some((mut write, account)) = proven(authority, visitor, name, password).await? else { return Ok(()) };
    cancel_waiting(authority, &mut write, visitor, &account).await?;
    Ok(write.commit().await?)
}

/// Stops what the person has asked for and waits, if anything does.
pub(crate) async fn cancel_waiting(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    account: &AccountRow,
) -> Result<(), Unavailable> {
    match write.find_waiting_reset(&account.id).await?.filter(|row| row.kind == OWN) {
        Some(row) => super::cancel(authority, write, visitor, account.into(), &account.email, &row).await,
        None => Ok(()),
    }
}

/// Does the reset whose day is over, after a right password and before the sign-in asks for a token. True if it was done.
pub(crate) async fn finish(authority: &Authority, visitor: &Visitor, account_id: &str) -> Result<bool, Unavailable> {
    let now = authority.now();
    let waiting = authority.store.find_waiting_reset(account_id).await?;
    let Some(row) = waiting.filter(|row| row.kind == OWN && now >= moment(row.ready_at)) else { return Ok(false) };
    let Some(account) = authority.store.find_account(account_id).await? else { return Ok(false) };
    let mut write = authority.store.write().await?;
    write.lock_account(account_id).await?;
    if !write.decide_reset(&row.id, DONE, account_id, now.millis()).await? {
        return Ok(false);
    }
    execute(authority, &mut write, visitor, Subject::from(&account), &account).await?;
    write.commit().await?;
    Ok(true)
}
