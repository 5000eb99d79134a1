//! Switching two-factor authentication off.

use domain::password::MIN_ALONE;
use domain::policy::Requirement;
use domain::session::Assurance;

use crate::audit::{self, Event};
use crate::notice::{self, Notice};
use crate::step_up::{self, ProofRefused};
use crate::token_check::Typed;
use crate::{Authority, OpenedSession, SignedIn, Visitor, factors, reset, sessions};

/// Why it stays on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DisableError {
    /// The password, the token or the recovery code is not accepted.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// The password is too short to stand alone (63B §3.1.1.2).
    #[error("the password is too short to stand alone")]
    PasswordTooShort,
    /// The practice requires it of the account.
    #[error("the practice requires it")]
    Required,
    /// It is off.
    #[error("two-factor authentication is off")]
    NotEnabled,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Switches it off, with the password and a token or a recovery code: every factor, the recovery codes and the link
/// to the token account go, all other sessions and pending sign-ins end.
///
/// # Errors
/// [`DisableError`].
pub async fn disable(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    password: String,
    raw_token: &str,
) -> Result<OpenedSession, DisableError> {
    let account_id = signed_in.account_id();
    let rows = authority.store.factors(account_id).await?;
    if !factors::are_on(&rows) {
        return Err(DisableError::NotEnabled);
    }
    if let Requirement::Required { from } = signed_in.rule().requirement
        && authority.now() >= from
    {
        return Err(DisableError::Required);
    }
    let typed = Typed::parse(raw_token, factors::token_lengths(&rows)).map_err(ProofRefused::Malformed)?;
    let credentials = authority.store.find_credentials(account_id).await?.ok_or(DisableError::Unavailable)?;
    if usize::try_from(credentials.password_length).is_ok_and(|length| length < MIN_ALONE) {
        return Err(DisableError::PasswordTooShort);
    }
    let proof = step_up::prove(authority, signed_in, visitor, password, Some(typed)).await?;
    let now = authority.now();
    let account = authority.store.find_account(account_id).await?.ok_or(DisableError::Unavailable)?;
    let write = authority.store.write().await?;
    let mut write = proof.claim(authority, signed_in, visitor, write).await?;
    factors::remove_all(&mut write, &account, now.millis()).await?;
    reset::take_back(authority, &mut write, visitor, signed_in.into(), signed_in.email().as_str()).await?;
    write.cancel_challenges(account_id).await?;
    write.delete_other_sessions(account_id, signed_in.session_id()).await?;
    let opened = sessions::renew(authority, &mut write, visitor, signed_in, Assurance::Password, Some(now)).await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::TwoFactorDisabled, None).await?;
    notice::queue(authority, &mut write, signed_in.email().as_str(), Notice::TwoFactorDisabled).await?;
    write.commit().await?;
    Ok(opened)
}
