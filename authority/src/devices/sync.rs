//! What an active device is told: its accounts, other devices, who asks to join, and the state of the backup.

use domain::Timestamp;
use domain::matching::Matching;

use super::Device;
use super::enrolment;
use super::secrets::NewSecret;
use crate::store::DeviceFactorRow;
use crate::{Authority, Unavailable, Visitor, moment};

/// All that an active device knows from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// The id of the token account.
    pub token_account: String,
    /// The practice accounts for which the device makes tokens.
    pub accounts: Vec<DeviceAccount>,
    /// The secrets that wait for the device, of practice accounts that were linked later. None counts before it is
    /// activated.
    pub secrets: Vec<NewSecret>,
    /// New devices that wait for an answer.
    pub requests: Vec<Request>,
    /// All active devices of the token account, oldest first.
    pub devices: Vec<ListedDevice>,
    /// The backup, if there is one.
    pub backup: Option<BackupState>,
    /// Whether this device may load it.
    pub may_restore: bool,
    /// The server's time.
    pub now: Timestamp,
}

/// A practice account for which a device makes tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceAccount {
    /// The id of the factor.
    pub factor: String,
    /// The practice's name.
    pub practice: String,
    /// The account's user name.
    pub username: String,
}

/// A new device that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id, to answer it by.
    pub id: String,
    /// The new device's name.
    pub device: String,
    /// Three numbers; the new device shows one of them.
    pub numbers: Vec<u32>,
    /// When it asked.
    pub at: Timestamp,
}

/// A device in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedDevice {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// When it was activated.
    pub added_at: Timestamp,
    /// When a token of it was last accepted.
    pub last_used_at: Option<Timestamp>,
    /// Whether it is the one that asks.
    pub is_this: bool,
}

/// The backup that the server keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BackupState {
    /// Counts up from 1.
    pub version: u32,
    /// SHA-256 of its bytes, as base64url without padding.
    pub digest: String,
    /// When it was saved.
    pub saved_at: Timestamp,
}

/// What an active device is told.
///
/// # Errors
/// [`Unavailable`].
pub async fn sync(authority: &Authority, device: &Device, visitor: &Visitor) -> Result<DeviceView, Unavailable> {
    let now = authority.now();
    let token_account_id = device.token_account_id();
    let accounts = authority.store.device_factors(device.id()).await?.into_iter().filter(DeviceFactorRow::is_confirmed);
    let waiting = authority.store.waiting_registration(token_account_id, now.millis()).await?;
    let devices = authority.store.active_devices(token_account_id).await?;
    let backup = authority.store.find_backup(token_account_id).await?;
    Ok(DeviceView {
        token_account: token_account_id.to_owned(),
        accounts: accounts
            .map(|row| DeviceAccount { factor: row.id, practice: row.practice_name, username: row.username })
            .collect(),
        secrets: enrolment::waiting(authority, device, visitor).await?,
        requests: waiting
            .into_iter()
            .map(|row| Request {
                id: row.id,
                device: row.device_name.unwrap_or_default(),
                numbers: Matching::read_choices(row.choices.as_deref().unwrap_or_default()),
                at: moment(row.proven_at.unwrap_or_default()),
            })
            .collect(),
        devices: devices
            .into_iter()
            .map(|row| ListedDevice {
                is_this: row.id == device.id(),
                id: row.id,
                name: row.name,
                added_at: moment(row.activated_at.unwrap_or_default()),
                last_used_at: row.last_used_at.map(moment),
            })
            .collect(),
        may_restore: device.is_vouched_for() || backup.as_ref().is_some_and(|row| row.device_id == device.id()),
        backup: backup.map(|row| BackupState {
            version: u32::try_from(row.version).unwrap_or(u32::MAX),
            digest: row.digest,
            saved_at: moment(row.saved_at),
        }),
        now,
    })
}
