//! The authenticator's server functions: how a device gets its secrets, and where its backup lies.
//!
//! They use no cookie. A device proves itself by its key in the body, a registration by its own; both are secrets of 256
//! bits that the server keeps as keyed hashes. Each function answers with the JSON of one of the structs below, as text.

#[cfg(not(feature = "ssr"))]
pub mod api;
#[cfg(feature = "ssr")]
mod functions;

#[cfg(feature = "ssr")]
pub use functions::PATHS;

use domain::Timestamp;

use crate::wire::wire;

wire! {
    /// A registration whose code is on its way to the phone.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RegistrationView {
        /// Its key: the secret by which the new device goes on.
        pub registration: String,
        /// The last two digits of the number.
        pub ending: String,
        /// When the next message may go out.
        pub next_send_at: Timestamp,
        /// The server's time.
        pub now: Timestamp,
    }
}

wire! {
    /// How far a registration is, once the phone is proven.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct StepView {
        /// `ready`, `waiting` or `denied`.
        pub state: String,
        /// While it waits: the number to choose on the other device.
        pub number: Option<u32>,
        /// When it is ready: the key of the new device.
        pub device_key: Option<String>,
        /// When it is ready: the id of the token account.
        pub token_account: Option<String>,
        /// When it is ready: a fresh secret for each practice account. None counts before `activate_device`.
        pub accounts: Vec<NewAccountView>,
        /// Whether the token account has a backup.
        pub has_backup: bool,
        /// Whether the new device may load it.
        pub may_restore: bool,
        /// The server's time.
        pub now: Timestamp,
    }
}

wire! {
    /// A practice account for which a device gets a secret.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct NewAccountView {
        /// The id of the factor.
        pub factor: String,
        /// The practice's name.
        pub practice: String,
        /// The account's user name.
        pub username: String,
        /// The secret in base32: 7 digits, SHA-256, 30 seconds.
        pub key: String,
    }
}

wire! {
    /// All that an active device knows from the server.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct DeviceView {
        /// The id of the token account.
        pub token_account: String,
        /// The practice accounts for which this device makes tokens.
        pub accounts: Vec<AccountView>,
        /// The secrets that wait for this device, of practice accounts that were linked later. None counts before
        /// `activate_device`.
        pub new_accounts: Vec<NewAccountView>,
        /// New devices that wait for an answer.
        pub requests: Vec<RequestView>,
        /// All active devices of the token account, oldest first.
        pub devices: Vec<DeviceRow>,
        /// The backup, if there is one.
        pub backup: Option<BackupState>,
        /// Whether this device may load it.
        pub may_restore: bool,
        /// The server's time.
        pub now: Timestamp,
    }
}

wire! {
    /// A practice account for which the device makes tokens.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct AccountView {
        /// The id of the factor.
        pub factor: String,
        /// The practice's name.
        pub practice: String,
        /// The account's user name.
        pub username: String,
    }
}

wire! {
    /// A new device that waits for an answer.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct RequestView {
        /// Its id, to answer it by.
        pub request: String,
        /// The new device's name.
        pub device: String,
        /// Three numbers; the new device shows one of them.
        pub numbers: Vec<u32>,
        /// When it asked.
        pub at: Timestamp,
    }
}

wire! {
    /// A device in the list.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct DeviceRow {
        /// Its id.
        pub device: String,
        /// Its name.
        pub name: String,
        /// When it was activated.
        pub added_at: Timestamp,
        /// When a token of it was last accepted.
        pub last_used_at: Option<Timestamp>,
        /// Whether it is the one that asks.
        pub is_this: bool,
    }
}

wire! {
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
}

wire! {
    /// The backup with its bytes.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct BackupView {
        /// Counts up from 1.
        pub version: u32,
        /// SHA-256 of its bytes, as base64url without padding.
        pub digest: String,
        /// Its bytes, as base64url without padding.
        pub blob: String,
    }
}
