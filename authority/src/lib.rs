//! The authority: the server side that decides, remembers and delivers.
//!
//! One module per use case, each a few functions that take an [`Authority`] and typed proofs of who asks
//! ([`SignedIn`], [`Challenge`]), and return typed outcomes. Nothing here knows HTTP; nothing outside `store` knows SQL.
//! Time comes from one [`clock::Clock`], randomness from one [`entropy::Entropy`].

mod account_phone;
mod audit;
pub mod audit_trail;
pub mod backup;
pub mod check_up;
pub mod cipher;
pub mod clock;
pub mod coverage;
pub mod delivery;
pub mod devices;
pub mod disable;
pub mod enrol_sms;
pub mod enrol_totp;
pub mod entropy;
mod factors;
mod hasher;
pub mod health;
pub mod housekeeping;
mod keys;
pub mod lock;
mod message_token;
mod methods;
mod notice;
pub mod operator;
pub mod outbox;
mod own_key;
pub mod password;
pub mod policy;
pub mod practice;
pub mod profile;
pub mod recovery;
pub mod remembered;
pub mod reset;
pub mod sample;
pub mod security;
pub mod sessions;
pub mod sign_in;
pub mod staff;
pub mod step_up;
mod store;
mod token_check;
mod visitor;

use std::sync::Arc;

use domain::Timestamp;

pub use devices::Device;
pub use keys::{
    BrowserKey, ChallengeKey, DeviceKey, RegistrationKey, RememberKey, ResetCancelKey, ResetLinkKey, SessionKey,
};
pub use message_token::SendRefused;
pub use methods::{Methods, Sent, SmsMethod};
pub use remembered::{RememberCookie, Remembered};
pub use sessions::{Administrator, Locked, OpenedSession, Session, SignedIn};
pub use sign_in::Challenge;
pub use store::{Migrate, StoreError};
pub use visitor::{Visitor, network};

use audit::Signer;
use cipher::{Cipher, Digester, KeyRing};
use clock::Clock;
use delivery::Gateways;
use entropy::Entropy;
use hasher::Hasher;
use store::Store;

/// What an authority is made of. The server's configuration fills it in.
pub struct Settings {
    /// `sqlite://FILE?mode=rwc` or `postgres://…`.
    pub database_url: String,
    /// Whether the schema may be changed.
    pub migrate: Migrate,
    /// The master keys.
    pub master_keys: KeyRing,
    /// Where people reach the server, for links in e-mails: scheme, host and port, no slash at the end.
    pub public_url: String,
    /// The host of `public_url` without its port, for the last line of text messages.
    pub public_host: String,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who carries messages.
    pub gateways: Gateways,
    /// Passwords that are hashed at a time, 19 MiB each.
    pub hashing_slots: usize,
}

/// The server side, ready to decide. Cheap to clone; all state is in the database.
#[derive(Clone)]
pub struct Authority {
    store: Store,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    cipher: Cipher,
    digester: Digester,
    signer: Signer,
    hasher: Hasher,
    gateways: Gateways,
    public_url: Arc<str>,
    public_host: Arc<str>,
}

/// Why an authority does not open. The server does not start then.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The database cannot be reached, or its schema cannot be used.
    #[error("the database cannot be used: {0}")]
    Database(#[from] StoreError),
    /// The master key is not the one that this database was sealed with.
    #[error("the master key does not fit this database")]
    MasterKeyMismatch,
}

/// The authority cannot decide right now: the database does not answer, or a sealed value does not open.
///
/// Callers refuse. The cause has been logged where it arose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the authority cannot decide right now")]
pub struct Unavailable;

impl From<StoreError> for Unavailable {
    fn from(error: StoreError) -> Self {
        tracing::error!(%error, "the database does not answer");
        Self
    }
}

impl Authority {
    /// Connects, brings the schema up to date if allowed, and proves the master key.
    ///
    /// # Errors
    /// [`OpenError`].
    pub async fn open(settings: Settings) -> Result<Self, OpenError> {
        let store = Store::open(&settings.database_url, settings.migrate).await?;
        let cipher = Cipher::new(settings.master_keys);
        let digester = digester(&store, &cipher, &*settings.entropy, settings.clock.now()).await?;
        let signer = Signer::open(&store, &cipher, &*settings.entropy, settings.clock.now()).await?;
        Ok(Self {
            store,
            cipher,
            digester,
            signer,
            hasher: Hasher::new(settings.hashing_slots, &*settings.entropy),
            clock: settings.clock,
            entropy: settings.entropy,
            gateways: settings.gateways,
            public_url: settings.public_url.into(),
            public_host: settings.public_host.into(),
        })
    }

    /// The current time.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// The key of keyed hashes: made at the first start, opened with the master key ever after.
async fn digester(
    store: &Store,
    cipher: &Cipher,
    entropy: &dyn Entropy,
    now: Timestamp,
) -> Result<Digester, OpenError> {
    const NAME: &str = "digest";
    if store.find_sealed_key(NAME).await?.is_none() {
        let fresh = cipher.seal(own_key::place(NAME), entropy.array::<32>().as_slice(), entropy);
        let mut write = store.write().await?;
        write.insert_sealed_key(NAME, &fresh.key_id, &fresh.bytes, now.millis()).await?;
        write.commit().await?;
    }
    let opened = own_key::open(store, cipher, NAME).await?;
    let key = <[u8; 32]>::try_from(opened.as_slice()).map_err(|_| OpenError::MasterKeyMismatch)?;
    Ok(Digester::new(key.into()))
}

/// A moment as the database holds it, read back.
fn moment(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

/// Use cases refuse alike when the authority cannot decide, whoever found that out.
macro_rules! refuse_when_unavailable {
    ($($error:ty),+ $(,)?) => {
        $(impl From<Unavailable> for $error {
            fn from(_: Unavailable) -> Self {
                Self::Unavailable
            }
        }

        impl From<StoreError> for $error {
            fn from(error: StoreError) -> Self {
                Unavailable::from(error).into()
            }
        })+
    };
}

/// And when every hashing slot is taken.
macro_rules! refuse_when_busy {
    ($($error:ty),+ $(,)?) => {
        $(impl From<hasher::Busy> for $error {
            fn from(_: hasher::Busy) -> Self {
                Self::Busy
            }
        })+
    };
}

refuse_when_unavailable!(
    audit_trail::RetentionError,
    backup::LoadError,
    backup::SaveError,
    devices::ActivationError,
    devices::AnswerError,
    devices::EnrolError,
    devices::RegistrationError,
    devices::RevokeError,
    disable::DisableError,
    enrol_sms::ConfirmError,
    enrol_sms::StartError,
    enrol_totp::ConfirmError,
    enrol_totp::RemoveError,
    enrol_totp::StartError,
    lock::UnlockError,
    operator::OperatorError,
    password::ChangeError,
    password::PasswordRefused,
    policy::PolicyError,
    practice::CreateError,
    profile::ProfileError,
    recovery::ReplaceError,
    recovery::ShowError,
    reset::four_eyes::ResetError,
    reset::own::LinkError,
    reset::own::StartError,
    sessions::EndError,
    sign_in::RecoveryRefused,
    sign_in::TokenRefused,
    staff::EnableError,
    staff::StaffError,
    step_up::ProofRefused,
    SendRefused,
);
refuse_when_busy!(
    lock::UnlockError,
    password::ChangeError,
    password::PasswordRefused,
    practice::CreateError,
    profile::ProfileError,
    staff::EnableError,
    staff::StaffError,
);
