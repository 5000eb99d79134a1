//! Recovery codes: making a set, showing it until it is stored, replacing it.

use std::time::Duration;

use domain::Timestamp;
use domain::recovery_code::{ENTROPY_BYTES, RecoveryCode, SET_SIZE};
use domain::session::Assurance;
use zeroize::Zeroizing;

use crate::audit::{self, Event};
use crate::cipher::Place;
use crate::notice::{self, Notice};
use crate::store::Write;
use crate::{Authority, SignedIn, Unavailable, Visitor, factors, moment, sessions};

/// How long a session that a token has opened sees a new set without a step-up: time to write it down.
const FRESH: Duration = Duration::from_mins(10);

/// A set that the person has not stored yet.
#[derive(Clone, PartialEq, Eq)]
pub struct CodesToStore {
    /// The codes in hyphenated groups.
    pub codes: Vec<String>,
    /// Whose they are.
    pub account: String,
    /// Of which practice.
    pub practice: String,
    /// When they were made.
    pub made_at: Timestamp,
}

/// Why a set is not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ShowError {
    /// The set is no longer fresh, or the session was opened without a token: a step-up is needed.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Why a set is not replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplaceError {
    /// The step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// Two-factor authentication is off.
    #[error("two-factor authentication is off")]
    NotEnabled,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

fn place(set_id: &str) -> Place<'_> {
    Place { table: "recovery_set", row: set_id, column: "codes" }
}

/// Makes a new set in the given transaction; an older one is dead with its commit.
pub(crate) async fn make(authority: &Authority, write: &mut Write, account_id: &str) -> Result<(), Unavailable> {
    let codes: Vec<RecoveryCode> =
        (0..SET_SIZE).map(|_| RecoveryCode::from_entropy(&authority.entropy.array::<ENTROPY_BYTES>())).collect();
    let hashes: Vec<Vec<u8>> =
        codes.iter().map(|code| authority.digester.digest("recovery code", account_id, code.expose())).collect();
    let id = authority.entropy.id();
    let lines: Vec<String> = codes.iter().map(RecoveryCode::expose_grouped).collect();
    let plain = Zeroizing::new(lines.join("\n"));
    let sealed = authority.cipher.seal(place(&id), plain.as_bytes(), &*authority.entropy);
    let codes = (sealed.key_id.as_str(), sealed.bytes.as_slice());
    Ok(write.replace_recovery_set(&id, account_id, codes, &hashes, authority.now().millis()).await?)
}

/// The codes that the person has not said to have stored. Afterwards nothing shows them again. Each is a token's worth: a
/// session sees them for as long as they are fresh, and after a step-up.
///
/// # Errors
/// [`ShowError`].
pub async fn codes_to_store(authority: &Authority, signed_in: &SignedIn) -> Result<Option<CodesToStore>, ShowError> {
    let Some(set) = authority.store.find_recovery_set(signed_in.account_id()).await? else {
        return Ok(None);
    };
    let (Some(key_id), Some(sealed)) = (&set.key_id, &set.codes) else {
        return Ok(None);
    };
    let is_fresh = authority.now().since(moment(set.created_at)) <= FRESH;
    let is_proven = sessions::is_stepped_up(authority, signed_in);
    if !is_proven && (!is_fresh || signed_in.assurance() != Assurance::TwoFactor) {
        return Err(ShowError::StepUpNeeded);
    }
    let plain = authority.cipher.open(place(&set.id), key_id, sealed).map_err(|error| {
        tracing::error!(%error, event = "crypt_decrypt_fail", table = "recovery_set", id = set.id, "recovery codes do not open");
        Unavailable
    })?;
    let text = std::str::from_utf8(&plain).map_err(|_| ShowError::Unavailable)?;
    Ok(Some(CodesToStore {
        codes: text.lines().map(str::to_owned).collect(),
        account: signed_in.username().to_owned(),
        practice: signed_in.practice_name().to_owned(),
        made_at: moment(set.created_at),
    }))
}

/// The person has stored the codes: what can be read of them is wiped.
///
/// # Errors
/// [`Unavailable`].
pub async fn acknowledge(authority: &Authority, signed_in: &SignedIn, visitor: &Visitor) -> Result<(), Unavailable> {
    let mut write = authority.store.write().await?;
    if write.wipe_recovery_codes(signed_in.account_id()).await? {
        audit::record(authority, &mut write, visitor, signed_in.into(), Event::RecoveryCodesStored, None).await?;
    }
    Ok(write.commit().await?)
}

/// Replaces the set; the old codes are dead at once, and all other sessions end.
///
/// # Errors
/// [`ReplaceError`].
pub async fn replace(authority: &Authority, signed_in: &SignedIn, visitor: &Visitor) -> Result<(), ReplaceError> {
    if !sessions::is_stepped_up(authority, signed_in) {
        return Err(ReplaceError::StepUpNeeded);
    }
    let mut write = authority.store.write().await?;
    write.lock_account(signed_in.account_id()).await?;
    if !factors::are_on(&write.factors(signed_in.account_id()).await?) {
        return Err(ReplaceError::NotEnabled);
    }
    make(authority, &mut write, signed_in.account_id()).await?;
    write.delete_other_sessions(signed_in.account_id(), signed_in.session_id()).await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::RecoveryCodesMade, None).await?;
    notice::queue(authority, &mut write, signed_in.email().as_str(), Notice::RecoveryCodesReplaced).await?;
    Ok(write.commit().await?)
}
