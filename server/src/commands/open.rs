//! The authority, opened as the settings say. What every command begins with.

use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use authority::cipher::{KeyError, KeyRing};
use authority::clock::{Clock, ShiftedClock, SystemClock};
use authority::delivery::{Delivery, Gateway, GatewayError, Gateways, HttpGateway, Message, Outboxed, SmtpGateway};
use authority::entropy::{Entropy, SystemEntropy};
use authority::{Authority, Migrate, Settings};
use secrecy::SecretString;

use crate::config::{Config, HttpEndpoint, Mode, PublicUrl, Secret};

/// Why the authority is not there.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error("the folder of the data, {0}, cannot be made or found: {1}")]
    DataDir(PathBuf, #[source] std::io::Error),
    #[error("{0}: {1}")]
    Key(PathBuf, #[source] KeyError),
    #[error("the setting {0}: {1}")]
    Gateway(&'static str, #[source] GatewayError),
    #[error(transparent)]
    Authority(#[from] authority::OpenError),
}

/// The authority of the settings, for commands that serve nothing.
pub(super) async fn authority(config: &Config, migrate: Migrate) -> Result<Authority, OpenError> {
    let parts = Parts::load(config)?;
    parts.open(config, &public_url(config, config.listen), migrate).await
}

/// What the authority is made of.
pub(super) struct Parts {
    pub(super) entropy: Arc<dyn Entropy>,
    /// In development, the clock that can be moved.
    pub(super) shifted_clock: Option<Arc<ShiftedClock>>,
    clock: Arc<dyn Clock>,
    master_keys: KeyRing,
}

impl Parts {
    /// Makes the folder of the data and reads the master key; in development a missing one is made.
    pub(super) fn load(config: &Config) -> Result<Self, OpenError> {
        make_folder(&config.data_dir).map_err(|error| OpenError::DataDir(config.data_dir.clone(), error))?;
        let entropy: Arc<dyn Entropy> = Arc::new(SystemEntropy);
        let path = &config.master_key_file;
        let master_keys = if config.mode == Mode::Development && !path.exists() {
            KeyRing::create_file(path, &*entropy)
        } else {
            KeyRing::from_file(path)
        };
        let master_keys = master_keys.map_err(|error| OpenError::Key(path.clone(), error))?;
        let shifted_clock = (config.mode == Mode::Development).then(|| Arc::new(ShiftedClock::running()));
        let clock: Arc<dyn Clock> = match &shifted_clock {
            Some(clock) => clock.clone(),
            None => Arc::new(SystemClock),
        };
        Ok(Self { entropy, shifted_clock, clock, master_keys })
    }

    /// Connects to the database and checks that the master key is the one it was written with.
    pub(super) async fn open(
        self,
        config: &Config,
        public_url: &PublicUrl,
        migrate: Migrate,
    ) -> Result<Authority, OpenError> {
        let database_url = config.database_url().map_err(|error| OpenError::DataDir(config.data_dir.clone(), error))?;
        let settings = Settings {
            database_url: database_url.expose().to_owned(),
            migrate,
            master_keys: self.master_keys,
            public_host: public_url.host().to_owned(),
            public_url: public_url.to_string(),
            clock: self.clock,
            entropy: self.entropy,
            gateways: gateways(config)?,
            hashing_slots: config.hashing_slots,
        };
        Ok(Authority::open(settings).await?)
    }
}

/// Makes the folder where it is missing, for its owner alone: what is in it is hashed or encrypted, and still nobody
/// else's business.
fn make_folder(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// How browsers reach the server that listens there.
pub(super) fn public_url(config: &Config, listening: SocketAddr) -> PublicUrl {
    config.public_url.clone().unwrap_or_else(|| PublicUrl::of_listener(listening))
}

/// Where messages go. Without a gateway they stay in the outbox in development, and go nowhere otherwise; `serve` and
/// `check` say so.
fn gateways(config: &Config) -> Result<Gateways, OpenError> {
    let none = || -> Arc<dyn Gateway> {
        match config.mode {
            Mode::Development => Arc::new(Outboxed),
            Mode::Production => Arc::new(NotConfigured),
        }
    };
    let by_http = |setting, endpoint: &Option<HttpEndpoint>| -> Result<Arc<dyn Gateway>, OpenError> {
        let Some(HttpEndpoint { url, token }) = endpoint else { return Ok(none()) };
        let gateway = HttpGateway::new(url.expose().to_owned(), secret(token));
        Ok(Arc::new(gateway.map_err(|error| OpenError::Gateway(setting, error))?))
    };
    Ok(Gateways {
        sms: by_http("--sms-url", &config.sms)?,
        voice: by_http("--voice-url", &config.voice)?,
        email: match &config.mail {
            Some(mail) => {
                let gateway = SmtpGateway::new(&secret(&mail.url), &mail.from);
                Arc::new(gateway.map_err(|error| OpenError::Gateway("--smtp-url or --mail-from", error))?)
            }
            None => none(),
        },
    })
}

fn secret(setting: &Secret) -> SecretString {
    setting.expose().to_owned().into()
}

/// Takes no message, so that none is kept where nobody will ever send it.
struct NotConfigured;

impl Gateway for NotConfigured {
    fn deliver<'a>(&'a self, _message: &'a Message) -> Delivery<'a> {
        Box::pin(async { Err(GatewayError::Refused("there is none".to_owned())) })
    }
}
