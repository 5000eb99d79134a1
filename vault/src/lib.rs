//! What the authenticator stores, and how: the encrypted vault of a device, its backup, and export and import.
//!
//! Everything here is a function of its arguments. Random bytes come through a [`Random`], the time as a
//! [`domain::Timestamp`]; who stores the bytes, sends them or asks a person is elsewhere. Deriving a key from a
//! password takes long on purpose, so [`derive()`] stands alone, for a Worker to call; all the rest takes the derived
//! [`Key`] and is quick.
//!
//! - [`contents`]: what is inside, in memory: accounts in their order, and what the device knows of itself.
//! - [`pending`]: what a registration gave, until the server has confirmed it.
//! - [`lock`]: the vault at rest, opened by a PIN, by the platform's authenticator or by the backup password.
//! - [`backup`]: the copy that the server keeps and cannot read.
//! - [`history`]: what was added and deleted last, so that devices agree.
//! - [`exchange`]: files that leave for other apps, and come from them.
//!
//! Formats are described where they are written, byte by byte; why they are so is in
//! `docs/adr/0008-vault-and-backup.md`.

pub mod account;
pub mod backup;
mod bytes;
mod cipher;
pub mod contents;
pub mod exchange;
pub mod history;
pub mod key;
pub mod lock;
pub mod pending;
pub mod pin;
#[cfg(test)]
mod sample;
pub mod snapshot;

pub use account::{Account, AccountId, Kind, OtherAccount, ServerId};
pub use backup::{BackupKey, Blob, Chain, Refused};
pub use contents::Contents;
pub use key::{KdfParameters, Key, derive};
pub use lock::{Vault, VaultKey};
pub use pending::PendingDevice;
pub use pin::Pin;
pub use snapshot::{Entry, Snapshot};

/// A source of random bytes fit for keys: it fills the whole slice. In the browser this is `crypto.getRandomValues`.
pub type Random<'a> = dyn FnMut(&mut [u8]) + 'a;

/// An array of random bytes.
pub(crate) fn random_array<const N: usize>(random: &mut Random<'_>) -> [u8; N] {
    let mut bytes = [0; N];
    random(&mut bytes);
    bytes
}
