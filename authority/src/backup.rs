//! The encrypted backup of a token account: bytes that only its devices can read, in one version that counts up.
//!
//! For this server a backup is opaque. It is sealed once more at rest, so that whoever has the database alone cannot even
//! try backup passwords. A new version names the digest of the one that it follows, so no device writes over what it has
//! not seen.

use data_encoding::BASE64URL_NOPAD;
use domain::FactorKind;
use sha2::{Digest as _, Sha256};

use crate::audit::{self, Event};
use crate::cipher::Place;
use crate::store::{BackupRow, NewBackup};
use crate::{Authority, Device, Visitor};

/// The largest backup. Its text, and what else is in the request, stays below the limit for a body.
pub const MAX_BYTES: usize = 190 * 1024;

/// Why a backup is not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SaveError {
    /// The version is no number, or the bytes are empty or no base64url.
    #[error("not a backup")]
    Malformed,
    /// It has more than [`MAX_BYTES`].
    #[error("too large")]
    TooLarge,
    /// It does not follow the one that is stored.
    #[error("another version is stored")]
    Conflict,
    /// There is one already, and nothing has shown that this device may load it.
    #[error("a recovery code is needed")]
    RecoveryCodeNeeded,
    /// The device was revoked meanwhile.
    #[error("the device was revoked")]
    Revoked,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Why a backup is not loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// There is none.
    #[error("no backup")]
    NotFound,
    /// Nothing has shown that this device may: the phone alone does not.
    #[error("a recovery code is needed")]
    RecoveryCodeNeeded,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// A backup with its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backup {
    /// Counts up from 1.
    pub version: u32,
    /// SHA-256 of its bytes, as base64url without padding.
    pub digest: String,
    /// Its bytes, as base64url without padding.
    pub blob: String,
}

fn place(token_account_id: &str) -> Place<'_> {
    Place { table: "backup", row: token_account_id, column: "sealed" }
}

fn may_load(device: &Device, row: &BackupRow) -> bool {
    device.is_vouched_for() || row.device_id == device.id()
}

/// Saves a version: the first, or the one after that whose digest is `previous`.
///
/// # Errors
/// [`SaveError`].
pub async fn save(
    authority: &Authority,
    device: &Device,
    visitor: &Visitor,
    version: &str,
    previous: &str,
    blob: &str,
) -> Result<(), SaveError> {
    let version: u32 = version.trim().parse().map_err(|_| SaveError::Malformed)?;
    let bytes = BASE64URL_NOPAD.decode(blob.as_bytes()).map_err(|_| SaveError::Malformed)?;
    if bytes.is_empty() {
        return Err(SaveError::Malformed);
    }
    if bytes.len() > MAX_BYTES {
        return Err(SaveError::TooLarge);
    }
    let token_account_id = device.token_account_id();
    let stored = authority.store.find_backup(token_account_id).await?;
    if stored.is_some_and(|row| !may_load(device, &row)) {
        return Err(SaveError::RecoveryCodeNeeded);
    }
    let sealed = authority.cipher.seal(place(token_account_id), &bytes, &*authority.entropy);
    let new = NewBackup {
        token_account_id,
        version: i64::from(version),
        digest: &BASE64URL_NOPAD.encode(&Sha256::digest(&bytes)),
        sealed: &sealed.bytes,
        key_id: &sealed.key_id,
        device_id: device.id(),
        saved_at: authority.now().millis(),
    };
    let mut write = authority.store.write().await?;
    write.lock_token_account(token_account_id).await?;
    // Who has saved one may load those that follow, whichever device they are from.
    if !write.allow_restore(device.id()).await? {
        return Err(SaveError::Revoked);
    }
    let is_first = version == 1 && previous.is_empty();
    let saved = if is_first { write.insert_backup(&new).await? } else { write.replace_backup(&new, previous).await? };
    if !saved {
        return Err(SaveError::Conflict);
    }
    let kind = Some(FactorKind::Authenticator);
    for account in write.linked_accounts(token_account_id).await? {
        audit::record(authority, &mut write, visitor, (&account).into(), Event::BackupSaved, kind).await?;
    }
    Ok(write.commit().await?)
}

/// Loads the backup, for a device that another one approved, that a recovery code vouches for, or that saved it.
///
/// # Errors
/// [`LoadError`].
pub async fn load(authority: &Authority, device: &Device, visitor: &Visitor) -> Result<Backup, LoadError> {
    let token_account_id = device.token_account_id();
    let row = authority.store.find_backup(token_account_id).await?.ok_or(LoadError::NotFound)?;
    if !may_load(device, &row) {
        return Err(LoadError::RecoveryCodeNeeded);
    }
    let bytes = authority.cipher.open(place(token_account_id), &row.key_id, &row.sealed).map_err(|error| {
        tracing::error!(%error, event = "crypt_decrypt_fail", table = "backup", id = token_account_id, "a backup does not open");
        LoadError::Unavailable
    })?;
    let kind = Some(FactorKind::Authenticator);
    let mut write = authority.store.write().await?;
    for account in write.linked_accounts(token_account_id).await? {
        audit::record(authority, &mut write, visitor, (&account).into(), Event::BackupLoaded, kind).await?;
    }
    write.commit().await?;
    Ok(Backup {
        version: u32::try_from(row.version).unwrap_or(u32::MAX),
        digest: row.digest,
        blob: BASE64URL_NOPAD.encode(&bytes),
    })
}
