//! The secrets of a new device: one for each practice account that takes what was proven.

use std::iter;

use domain::enrolment::LIFE;
use domain::totp::{OWN_SECRET_BYTES, Parameters, Secret};
use domain::{FactorKind, Timestamp};

use super::registration::RegistrationError;
use crate::audit::{self, Event};
use crate::store::{DeviceRow, FactorRow, LinkedAccountRow, NewDevice, NewFactor, RegistrationRow, Write};
use crate::{Authority, DeviceKey, Unavailable, Visitor, factors};

/// How far a registration is, once the phone is proven.
pub enum Step {
    /// An active device is asked.
    Waiting {
        /// The number to choose there.
        number: u32,
    },
    /// An active device said no.
    Denied,
    /// Here are the secrets.
    Ready(Ready),
}

/// What a new device gets. Nothing of it counts before it is activated, and none of it is ever shown again.
pub struct Ready {
    /// The key of the device.
    pub device_key: DeviceKey,
    /// The id of the token account.
    pub token_account: String,
    /// One secret for each practice account.
    pub secrets: Vec<NewSecret>,
    /// Whether the token account has a backup.
    pub has_backup: bool,
    /// Whether the device may load it.
    pub may_restore: bool,
    /// The server's time.
    pub now: Timestamp,
}

/// A fresh secret for a practice account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSecret {
    /// The id of the pending factor.
    pub factor: String,
    /// The practice's name.
    pub practice: String,
    /// The account's user name.
    pub username: String,
    /// The key.
    pub key: Secret,
}

/// Makes the pending device of a granted registration, in place of the one that it had before.
pub(super) async fn make(
    authority: &Authority,
    visitor: &Visitor,
    row: &RegistrationRow,
) -> Result<Ready, RegistrationError> {
    let token_account_id = row.token_account_id.as_deref().ok_or(RegistrationError::Over)?;
    let name = row.device_name.as_deref().ok_or(RegistrationError::Over)?;
    let now = authority.now();
    let device_id = authority.entropy.id();
    let device_key = DeviceKey::generate(authority);
    let mut write = authority.store.write().await?;
    let accounts = write.lock_linked_accounts(token_account_id).await?;
    // As it is now, under the locks: another device may have been made since it was read.
    let row = &write.find_registration_by_id(&row.id).await?.ok_or(RegistrationError::Over)?;
    if let Some(before) = &row.device_id {
        write.delete_pending_device(before).await?;
    }
    if !write.set_registration_device(&row.id, &device_id, now.millis()).await? {
        return Err(RegistrationError::Over);
    }
    let may_restore = row.answered_by.is_some() || !row.proven_accounts.is_empty();
    let name = &distinct(name, &write.active_devices(token_account_id).await?);
    write
        .insert_device(&NewDevice {
            id: &device_id,
            token_account_id,
            key_hash: &device_key.hash(authority),
            name,
            may_restore,
            created_at: now.millis(),
            expires_at: (now + LIFE).millis(),
        })
        .await?;
    let mut secrets = Vec::new();
    let takers = takers(&mut write, row, &accounts).await?;
    let may_be_device = |account: &&LinkedAccountRow| may_be_device(visitor, account.phones_only);
    if !takers.is_empty() && !takers.iter().any(may_be_device) {
        return Err(RegistrationError::PhonesOnly);
    }
    for account in takers.into_iter().filter(may_be_device) {
        secrets.push(make_secret(authority, &mut write, account, &device_id, name, None).await?);
        let (subject, kind) = (account.into(), Some(FactorKind::Authenticator));
        audit::record(authority, &mut write, visitor, subject, Event::EnrolmentStarted, kind).await?;
    }
    if secrets.is_empty() {
        return Err(if accounts.is_empty() {
            RegistrationError::NoTokenAccount
        } else {
            RegistrationError::RecoveryCodeNeeded
        });
    }
    write.commit().await?;
    let has_backup = authority.store.find_backup(token_account_id).await?.is_some();
    Ok(Ready { device_key, token_account: token_account_id.to_owned(), secrets, has_backup, may_restore, now })
}

/// What a device is called among those of its token account: of two that call themselves alike, as two phones of one make
/// do, the later has a number. By its name one of them is revoked.
fn distinct(name: &str, devices: &[DeviceRow]) -> String {
    let is_free = |name: &String| devices.iter().all(|device| device.name != *name);
    let numbered = (2_u32..).map(|number| format!("{name} {number}"));
    iter::once(name.to_owned()).chain(numbered).find(is_free).unwrap_or_else(|| name.to_owned())
}

/// The practice accounts that take what was proven: by text messages to the same phone, which is as strong, where their
/// role takes them; by the word of a device that makes tokens for them; or by a recovery code of theirs.
async fn takers<'a>(
    write: &mut Write,
    row: &RegistrationRow,
    accounts: &'a [LinkedAccountRow],
) -> Result<Vec<&'a LinkedAccountRow>, RegistrationError> {
    let approver = match &row.answered_by {
        Some(device_id) => write.device_factors(device_id).await?,
        None => Vec::new(),
    };
    let is_sms = |factor: &FactorRow| {
        factor.is_confirmed()
            && factor.kind() == Some(FactorKind::Sms)
            && factor.phone.as_deref() == Some(row.phone.as_str())
    };
    let mut takers = Vec::new();
    for account in accounts {
        let factors = factors::usable(write.factors(&account.id).await?, account.apps_only == 1);
        let is_proven = factors.iter().any(is_sms)
            || approver.iter().any(|factor| factor.account_id == account.id && factor.is_confirmed())
            || row.proven_accounts.split_whitespace().any(|id| id == account.id);
        if factors::are_on(&factors) && is_proven {
            takers.push(account);
        }
    }
    Ok(takers)
}

/// Whether a practice, with its `phones_only`, takes the visitor's browser for a device.
pub(super) fn may_be_device(visitor: &Visitor, phones_only: i64) -> bool {
    phones_only == 0 || is_phone(&visitor.user_agent)
}

/// Whether a browser says that it is one of a phone or a tablet. It may say what it likes.
fn is_phone(user_agent: &str) -> bool {
    ["Mobile", "Android", "iPhone", "iPad"].iter().any(|mark| user_agent.contains(mark))
}

/// Makes the pending factor of a device for a practice account. `session_id` is the session that asked for it, if one did.
pub(super) async fn make_secret(
    authority: &Authority,
    write: &mut Write,
    account: &LinkedAccountRow,
    device_id: &str,
    name: &str,
    session_id: Option<&str>,
) -> Result<NewSecret, Unavailable> {
    let now = authority.now();
    let parameters = Parameters::OWN;
    let bytes = authority.entropy.array::<OWN_SECRET_BYTES>();
    let id = authority.entropy.id();
    let sealed = authority.cipher.seal(factors::secret_place(&id), bytes.as_slice(), &*authority.entropy);
    write
        .insert_pending_factor(&NewFactor {
            id: &id,
            account_id: &account.id,
            kind: FactorKind::Authenticator.name(),
            name,
            phone: None,
            secret: Some(&sealed.bytes),
            key_id: Some(&sealed.key_id),
            algorithm: Some(parameters.algorithm.name()),
            digits: Some(i64::from(parameters.digits)),
            period: Some(i64::from(parameters.period)),
            session_id,
            device_id: Some(device_id),
            created_at: now.millis(),
            expires_at: (now + LIFE).millis(),
        })
        .await?;
    Ok(NewSecret {
        factor: id,
        practice: account.practice_name.clone(),
        username: account.username.clone(),
        key: Secret::new(bytes.to_vec()),
    })
}

#[cfg(test)]
mod tests {
    use super::is_phone;

    #[test]
    fn phones_and_tablets_are_told_by_what_they_say() {
        for user_agent in [
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36",
            "Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0",
        ] {
            assert!(is_phone(user_agent), "{user_agent}");
        }
        for user_agent in ["Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140.0 Safari/537.36", ""] {
            assert!(!is_phone(user_agent), "{user_agent}");
        }
    }
}
