//! Passwords: proving one, and changing it.

use data_encoding::HEXLOWER;
use domain::backoff::{ACCOUNT, ADDRESS, Backoff};
use domain::password::{InvalidPassword, MIN_ALONE, MIN_WITH_TOKEN};
use domain::{Password, Timestamp};
use zxcvbn::{Score, zxcvbn};

use crate::audit::{self, Event};
use crate::hasher::Verdict;
use crate::notice::{self, Notice};
use crate::store::{Credentials, StoreError, Write, insist};
use crate::{Authority, OpenedSession, SignedIn, Unavailable, Visitor, factors, reset, sessions};

/// The longest stretch of a password whose strength is estimated; the estimate grows with the square of it.
const ESTIMATED_CHARACTERS: usize = 100;

/// Why a password is not accepted as proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRefused {
    /// The name or the password is not right; never which.
    #[error("not right")]
    Wrong,
    /// Wrong passwords slow further ones down; this one was not looked at.
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

/// Why a password is not changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// The current password is not right.
    #[error("the current password is not right")]
    CurrentWrong,
    /// Wrong passwords slow further ones down.
    #[error("too many tries")]
    TooManyTries {
        /// When the next one is looked at.
        until: Timestamp,
    },
    /// The new password is refused.
    #[error(transparent)]
    New(InvalidPassword),
    /// The confirmation is another text.
    #[error("the confirmation differs")]
    ConfirmationMismatch,
    /// A factor is active and the step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// Too many passwords are being checked.
    #[error("busy")]
    Busy,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// A right password; what remains to be done about it happens in the transaction of what it opens.
pub(crate) struct ProvenPassword {
    subject: String,
    compared: Compared,
    rehashed: Option<(String, i64)>,
}

/// What the password was compared with.
struct Compared {
    hash: String,
    changes: i64,
}

impl ProvenPassword {
    /// Takes the account's lock, forgets failures, and replaces a hash of weaker figures. Comparing takes a while: a
    /// password that was changed meanwhile, or whose account was closed, is wrong now.
    pub(crate) async fn settle(&self, write: &mut Write, account_id: &str) -> Result<(), PasswordRefused> {
        write.lock_account(account_id).await?;
        if !write.is_password_unchanged(account_id, self.compared.changes).await? {
            return Err(PasswordRefused::Wrong);
        }
        write.clear_password_failures(&self.subject).await?;
        if let Some((hash, length)) = &self.rehashed {
            write.rehash_password(account_id, (&self.compared.hash, hash), *length).await?;
        }
        Ok(())
    }
}

/// Compares a password with the account's, or with a decoy if the name has no account; same answer, same cost.
///
/// The delay is looked up, and a failure written down, while a hashing slot is held: no burst of parallel guesses gets
/// more of them evaluated than there are slots.
pub(crate) async fn prove(
    authority: &Authority,
    visitor: &Visitor,
    name: &str,
    credentials: Option<&Credentials>,
    password: &Password,
) -> Result<ProvenPassword, PasswordRefused> {
    let (subject, limits) = limits(authority, visitor, name, credentials).await?;
    let mut slot = authority.hasher.slot().await?;
    let now = authority.now();
    let mut next_try_at = now;
    for (subject, backoff) in &limits {
        let failures = authority.store.password_failures(subject).await?;
        next_try_at = next_try_at.max(backoff.next_try_at(failures, now));
    }
    if next_try_at > now {
        insist(|| note_delay(authority, visitor, credentials, &limits)).await?;
        return Err(PasswordRefused::TooManyTries { until: next_try_at });
    }
    let stored = credentials.map(|credentials| credentials.password_hash.as_str());
    let verdict = slot.verify(password.expose(), stored).await?;
    // A decoy is never right.
    let Some(credentials) = credentials.filter(|_| verdict != Verdict::Wrong) else {
        insist(|| note_failure(authority, visitor, credentials, &limits, now)).await?;
        return Err(PasswordRefused::Wrong);
    };
    let rehashed = match verdict {
        Verdict::RightButWeak => {
            Some((slot.hash(password.expose(), &*authority.entropy).await?, stored_length(password)))
        }
        Verdict::Right | Verdict::Wrong => None,
    };
    let compared = Compared { hash: credentials.password_hash.clone(), changes: credentials.password_changes };
    Ok(ProvenPassword { subject, compared, rehashed })
}

/// Against whom failures count: the account (or the name that no account has) and the network address; for a browser
/// that once signed in, that browser alone, so that strangers cannot slow its owner down.
async fn limits(
    authority: &Authority,
    visitor: &Visitor,
    name: &str,
    credentials: Option<&Credentials>,
) -> Result<(String, Vec<(String, Backoff)>), Unavailable> {
    let Some(credentials) = credentials else {
        let subject = format!("name {}", HEXLOWER.encode(&authority.digester.digest("name", "", name)));
        return Ok((subject.clone(), with_address(visitor, subject)));
    };
    if let Some(browser) = &visitor.browser {
        let hash = browser.hash(authority);
        if authority.store.is_browser_known(&hash, &credentials.id).await? {
            let subject = format!("browser {} {}", HEXLOWER.encode(&hash), credentials.id);
            return Ok((subject.clone(), vec![(subject, ACCOUNT)]));
        }
    }
    let subject = account_subject(&credentials.id);
    Ok((subject.clone(), with_address(visitor, subject)))
}

/// Against what wrong passwords of an account count.
pub(crate) fn account_subject(account_id: &str) -> String {
    format!("account {account_id}")
}

/// In the order of their keys, in which the rows are locked.
fn with_address(visitor: &Visitor, subject: String) -> Vec<(String, Backoff)> {
    let mut limits = vec![(format!("address {}", visitor.network()), ADDRESS), (subject, ACCOUNT)];
    limits.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
    limits
}

/// Writes down that a password was not looked at. A name that no account has costs a commit as well, so that the time of
/// the answer does not tell.
async fn note_delay(
    authority: &Authority,
    visitor: &Visitor,
    credentials: Option<&Credentials>,
    limits: &[(String, Backoff)],
) -> Result<(), StoreError> {
    let mut write = authority.store.write().await?;
    for (subject, _) in limits {
        write.lock_password_failures(subject).await?;
    }
    if let Some(credentials) = credentials {
        audit::record(authority, &mut write, visitor, credentials.into(), Event::PasswordDelayed, None).await?;
    }
    write.commit().await
}

async fn note_failure(
    authority: &Authority,
    visitor: &Visitor,
    credentials: Option<&Credentials>,
    limits: &[(String, Backoff)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut write = authority.store.write().await?;
    for (subject, backoff) in limits {
        write.lock_password_failures(subject).await?;
        let failures = write.password_failures(subject).await?;
        write.set_password_failures(subject, backoff.fail(failures, now)).await?;
    }
    if let Some(credentials) = credentials {
        audit::record(authority, &mut write, visitor, credentials.into(), Event::PasswordWrong, None).await?;
    }
    write.commit().await
}

/// As [`prove`], for somebody who is signed in already.
pub(crate) async fn prove_signed_in(
    authority: &Authority,
    visitor: &Visitor,
    signed_in: &SignedIn,
    password: String,
) -> Result<ProvenPassword, PasswordRefused> {
    let credentials = authority.store.find_credentials(signed_in.account_id()).await?;
    let password = Password::typed(password).map_err(|_| PasswordRefused::Wrong)?;
    prove(authority, visitor, signed_in.username(), credentials.as_ref(), &password).await
}

/// Refuses a new password that is too short, or among the first to be tried. `about` are the practice's and the
/// person's own words.
pub(crate) fn accept_new(raw: String, minimum: usize, about: &[&str]) -> Result<Password, InvalidPassword> {
    let password = Password::new(raw, minimum)?;
    let about: Vec<&str> =
        about.iter().flat_map(|text| text.split([' ', '@', '.'])).chain(about.iter().copied()).collect();
    let estimated: String = password.expose().chars().take(ESTIMATED_CHARACTERS).collect();
    // Below a million guesses a list of common passwords, or the person's own names, will do.
    if zxcvbn(&estimated, &about).score() < Score::Two { Err(InvalidPassword::Guessable) } else { Ok(password) }
}

/// Code points as stored: all that matters later is whether the password may stand alone.
pub(crate) fn stored_length(password: &Password) -> i64 {
    i64::try_from(password.expose().chars().count().min(MIN_ALONE)).unwrap_or(0)
}

/// Changes the password: all other sessions and every pending sign-in end with it.
///
/// While a factor is active, it needs a step-up. A password of fewer than 15 characters is taken only then.
///
/// # Errors
/// [`ChangeError`].
pub async fn change(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    current: String,
    new: String,
    confirmation: String,
) -> Result<OpenedSession, ChangeError> {
    let factors = authority.store.factors(signed_in.account_id()).await?;
    let is_on = factors::are_on(&factors);
    if is_on && !sessions::is_stepped_up(authority, signed_in) {
        return Err(ChangeError::StepUpNeeded);
    }
    if new != confirmation {
        return Err(ChangeError::ConfirmationMismatch);
    }
    let about = [signed_in.username(), signed_in.practice_name(), signed_in.email().as_str()];
    let minimum = if is_on { MIN_WITH_TOKEN } else { MIN_ALONE };
    let new = accept_new(new, minimum, &about).map_err(ChangeError::New)?;
    let proven = prove_signed_in(authority, visitor, signed_in, current).await?;
    let hash = authority.hasher.slot().await?.hash(new.expose(), &*authority.entropy).await?;

    let mut write = authority.store.write().await?;
    proven.settle(&mut write, signed_in.account_id()).await?;
    if factors::are_on(&write.factors(signed_in.account_id()).await?) != is_on {
        // What the new password was measured by, and whether a token was asked for, is another thing now.
        return Err(ChangeError::StepUpNeeded);
    }
    write.change_password(signed_in.account_id(), &hash, stored_length(&new)).await?;
    reset::take_back(authority, &mut write, visitor, signed_in.into(), signed_in.email().as_str()).await?;
    write.delete_other_sessions(signed_in.account_id(), signed_in.session_id()).await?;
    write.cancel_challenges(signed_in.account_id()).await?;
    write.end_message_tokens(signed_in.account_id(), authority.now().millis()).await?;
    let (assurance, stepped_up_at) = (signed_in.assurance(), signed_in.stepped_up_at());
    let opened = sessions::renew(authority, &mut write, visitor, signed_in, assurance, stepped_up_at).await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::PasswordChanged, None).await?;
    notice::queue(authority, &mut write, signed_in.email().as_str(), Notice::PasswordChanged).await?;
    write.commit().await?;
    Ok(opened)
}

impl From<PasswordRefused> for ChangeError {
    fn from(refused: PasswordRefused) -> Self {
        match refused {
            PasswordRefused::Wrong => Self::CurrentWrong,
            PasswordRefused::TooManyTries { until } => Self::TooManyTries { until },
            PasswordRefused::Busy => Self::Busy,
            PasswordRefused::Unavailable => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::password::MAX_BYTES;

    fn accepted(raw: &str) -> Result<(), InvalidPassword> {
        accept_new(raw.to_owned(), MIN_ALONE, &["adabyron", "Elm Street Clinic"]).map(|_| ())
    }

    #[test]
    fn passwords_that_are_tried_first_are_refused() {
        for raw in ["passwordpassword", "aaaaaaaaaaaaaaaa", "123456789012345678", "adabyronadabyron"] {
            assert_eq!(accepted(raw), Err(InvalidPassword::Guessable), "{raw}");
        }
        assert_eq!(accepted("seven teal bicycles"), Ok(()));
        assert_eq!(accepted("sample-password-1"), Ok(()));
        assert_eq!(accepted("short"), Err(InvalidPassword::TooShort(15)));
    }

    #[test]
    fn the_longest_password_is_judged_quickly() {
        let long: String = (0..MAX_BYTES).map(|n| char::from(b'!' + u8::try_from(n * n % 89).unwrap())).collect();
        assert_eq!(accepted(&long), Ok(()));
    }
}
