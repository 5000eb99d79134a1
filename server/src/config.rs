//! The settings: flags first, then `TWOFOLD_*` variables, then a TOML file, then the defaults.
//!
//! [`Options`] is the one list of them, read from all three places; [`Config`] is what they mean once checked. Nothing
//! later asks the environment again.

mod public_url;
mod secret;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde::Deserialize;

pub use public_url::{InvalidPublicUrl, PublicUrl};
pub use secret::Secret;

/// Where the server listens if nothing is said.
const LISTEN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 3000);
/// The folder of the data if nothing is said.
const DATA_DIR: &str = "twofold-data";
/// The database inside the folder of the data.
const DATABASE_FILE: &str = "twofold.db";
/// The master key inside the folder of the data, in development.
const MASTER_KEY_FILE: &str = "master.key";
/// More proxies in a row than anybody has.
const MAX_PROXIES: u8 = 10;

/// What every command takes.
#[derive(Args, Debug, Default)]
pub struct Arguments {
    /// Development mode: sample data, messages readable under /dev/outbox, a clock that can be moved, a master key made
    /// on the first start. Never for real people: whoever reaches the server can read every token.
    ///
    /// Only this flag turns it on, so that nothing left over in an environment or a file can.
    #[arg(long)]
    pub dev: bool,
    /// A TOML file with any of the settings below, named as the flags are without their dashes in front.
    #[arg(long, value_name = "FILE", env = "TWOFOLD_CONFIG")]
    pub config: Option<PathBuf>,
    #[command(flatten)]
    #[expect(missing_docs, reason = "clap would show a comment here as the title of the help")]
    pub options: Options,
}

/// Every setting that may stand in the file as well.
#[derive(Args, Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Options {
    /// The address and port to listen on [default: 127.0.0.1:3000]
    #[arg(long, value_name = "ADDRESS:PORT", env = "TWOFOLD_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// The folder for the data; it is made where it is missing [default: twofold-data]
    #[arg(long, value_name = "FOLDER", env = "TWOFOLD_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// The database: `postgres://…` or `sqlite://…` [default: the file twofold.db in the folder of the data]
    #[arg(long, value_name = "URL", env = "TWOFOLD_DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<Secret>,
    /// How browsers reach the server, with nothing behind the host; https only [default in development: http:// and the
    /// address listened on; otherwise required]
    #[arg(long, value_name = "URL", env = "TWOFOLD_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// The file with the master key, which encrypts the secrets in the database; readable by its owner alone [default in
    /// development: the file master.key in the folder of the data, made where it is missing; otherwise required]
    #[arg(long, value_name = "FILE", env = "TWOFOLD_MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// How many proxies of yours stand in front, each adding to X-Forwarded-For; with 0 that header is never believed
    /// [default: 0]
    #[arg(long, value_name = "NUMBER", env = "TWOFOLD_TRUSTED_PROXIES", value_parser = clap::value_parser!(u8).range(..=i64::from(MAX_PROXIES)))]
    pub trusted_proxies: Option<u8>,
    /// Where text messages are posted as JSON; without it none goes out [default: none]
    #[arg(long, value_name = "URL", env = "TWOFOLD_SMS_URL", hide_env_values = true)]
    pub sms_url: Option<Secret>,
    /// The bearer token of the gateway for text messages [default: none]
    #[arg(long, value_name = "TOKEN", env = "TWOFOLD_SMS_TOKEN", hide_env_values = true)]
    pub sms_token: Option<Secret>,
    /// Where calls are posted as JSON [default: where text messages are]
    #[arg(long, value_name = "URL", env = "TWOFOLD_VOICE_URL", hide_env_values = true)]
    pub voice_url: Option<Secret>,
    /// The bearer token of the gateway for calls [default: that for text messages]
    #[arg(long, value_name = "TOKEN", env = "TWOFOLD_VOICE_TOKEN", hide_env_values = true)]
    pub voice_token: Option<Secret>,
    /// The mail server, `smtps://USER:PASSWORD@HOST` or `smtp://…`; without it no e-mail goes out [default: none]
    #[arg(long, value_name = "URL", env = "TWOFOLD_SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<Secret>,
    /// The sender of e-mails, required with --smtp-url [default: none]
    #[arg(long, value_name = "ADDRESS", env = "TWOFOLD_MAIL_FROM")]
    pub mail_from: Option<String>,
    /// Passwords hashed at the same time, each with 19 MiB of memory [default: the number of processor cores]
    #[arg(long, value_name = "NUMBER", env = "TWOFOLD_HASHING_SLOTS", value_parser = clap::value_parser!(u16).range(1..))]
    pub hashing_slots: Option<u16>,
    /// How log lines look [default: text]
    #[arg(long, value_name = "FORMAT", env = "TWOFOLD_LOG_FORMAT")]
    pub log_format: Option<LogFormat>,
    /// From which weight on something is logged [default: info]
    #[arg(long, value_name = "LEVEL", env = "TWOFOLD_LOG_LEVEL")]
    pub log_level: Option<LogLevel>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For eyes.
    #[default]
    Text,
    /// One JSON object a line, for a collector.
    Json,
}

/// From which weight on something is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// What needs a person.
    Error,
    /// What might.
    Warn,
    /// One line per request.
    #[default]
    Info,
    /// Health checks and files too.
    Debug,
}

impl LogLevel {
    /// The name that the log's filter knows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

/// Whom the server is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The developer on this machine.
    Development,
    /// Real people.
    Production,
}

/// A gateway that takes messages by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpEndpoint {
    /// Where to post.
    pub url: Secret,
    /// What authenticates us.
    pub token: Secret,
}

/// The mail server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailEndpoint {
    /// Where it is, with its password.
    pub url: Secret,
    /// The sender.
    pub from: String,
}

/// The checked settings.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whom the server is for.
    pub mode: Mode,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The folder of the data.
    pub data_dir: PathBuf,
    /// The database; `None` is the file in the folder of the data.
    pub database_url: Option<Secret>,
    /// How browsers reach the server; `None` in development is where it listens.
    pub public_url: Option<PublicUrl>,
    /// The master key.
    pub master_key_file: PathBuf,
    /// Proxies in front that are believed.
    pub trusted_proxies: u8,
    /// The gateway for text messages.
    pub sms: Option<HttpEndpoint>,
    /// The gateway for calls.
    pub voice: Option<HttpEndpoint>,
    /// The mail server.
    pub mail: Option<MailEndpoint>,
    /// Passwords hashed at the same time.
    pub hashing_slots: usize,
    /// How log lines look.
    pub log_format: LogFormat,
    /// From which weight on something is logged.
    pub log_level: LogLevel,
}

/// Why the settings do not hold.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file is not there or not readable.
    #[error("cannot read the configuration file {0}: {1}")]
    Unreadable(PathBuf, #[source] std::io::Error),
    /// The file is no TOML, or names something unknown.
    #[error("the configuration file {0} is wrong at {1}")]
    Invalid(PathBuf, String),
    /// Outside of development there is no default for it.
    #[error(
        "--public-url is required outside of development: https:// and the name that browsers reach this server by"
    )]
    PublicUrlNotSet,
    /// Not an address.
    #[error("--public-url: {0}")]
    PublicUrl(#[from] InvalidPublicUrl),
    /// Cookies and tokens would travel in the clear.
    #[error("--public-url must begin with https:// outside of development")]
    PublicUrlNotHttps,
    /// Outside of development none is made.
    #[error("--master-key-file is required outside of development")]
    MasterKeyFileNotSet,
    /// E-mails need a sender.
    #[error("--smtp-url needs --mail-from as well")]
    MailFromNotSet,
    /// A number out of its range, in the file.
    #[error("{0} must be a number from {1} to {2}")]
    OutOfRange(&'static str, u16, u16),
}

impl Options {
    /// Reads the file's settings.
    fn from_file(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|error| ConfigError::Unreadable(path.to_owned(), error))?;
        // The error's own text quotes the line, which may hold a password; its message and place do not.
        toml::from_str(&text).map_err(|error: toml::de::Error| {
            let line = error.span().map_or(1, |span| text[..span.start].lines().count().max(1));
            ConfigError::Invalid(path.to_owned(), format!("line {line}: {}", without_values(error.message())))
        })
    }

    /// These settings, and where nothing is said, those of the file.
    fn or(self, file: Self) -> Self {
        Self {
            listen: self.listen.or(file.listen),
            data_dir: self.data_dir.or(file.data_dir),
            database_url: self.database_url.or(file.database_url),
            public_url: self.public_url.or(file.public_url),
            master_key_file: self.master_key_file.or(file.master_key_file),
            trusted_proxies: self.trusted_proxies.or(file.trusted_proxies),
            sms_url: self.sms_url.or(file.sms_url),
            sms_token: self.sms_token.or(file.sms_token),
            voice_url: self.voice_url.or(file.voice_url),
            voice_token: self.voice_token.or(file.voice_token),
            smtp_url: self.smtp_url.or(file.smtp_url),
            mail_from: self.mail_from.or(file.mail_from),
            hashing_slots: self.hashing_slots.or(file.hashing_slots),
            log_format: self.log_format.or(file.log_format),
            log_level: self.log_level.or(file.log_level),
        }
    }
}

/// A message of the TOML reader without the values it quotes: `invalid type: string …, expected u16`.
fn without_values(message: &str) -> String {
    if message.starts_with("unknown field") {
        return message.to_owned();
    }
    message.split(['"', '`']).enumerate().map(|(index, part)| if index % 2 == 0 { part } else { "…" }).collect()
}

impl Config {
    /// Reads the file, if one is named, and checks everything.
    ///
    /// # Errors
    /// The first setting that does not hold.
    pub fn from_arguments(arguments: &Arguments) -> Result<Self, ConfigError> {
        let file = arguments.config.as_deref().map(Options::from_file).transpose()?.unwrap_or_default();
        let mode = if arguments.dev { Mode::Development } else { Mode::Production };
        Self::from_options(arguments.options.clone().or(file), mode)
    }

    fn from_options(options: Options, mode: Mode) -> Result<Self, ConfigError> {
        let data_dir = options.data_dir.unwrap_or_else(|| DATA_DIR.into());
        let public_url = options.public_url.as_deref().map(PublicUrl::parse).transpose()?;
        let master_key_file = match (options.master_key_file, mode) {
            (Some(path), _) => path,
            (None, Mode::Development) => data_dir.join(MASTER_KEY_FILE),
            (None, Mode::Production) => return Err(ConfigError::MasterKeyFileNotSet),
        };
        match (&public_url, mode) {
            (None, Mode::Production) => return Err(ConfigError::PublicUrlNotSet),
            (Some(url), Mode::Production) if !url.is_https() => return Err(ConfigError::PublicUrlNotHttps),
            _ => {}
        }
        let trusted_proxies = options.trusted_proxies.unwrap_or(0);
        if trusted_proxies > MAX_PROXIES {
            return Err(ConfigError::OutOfRange("trusted-proxies", 0, MAX_PROXIES.into()));
        }
        let hashing_slots = match options.hashing_slots {
            Some(0) => return Err(ConfigError::OutOfRange("hashing-slots", 1, u16::MAX)),
            Some(slots) => slots.into(),
            None => std::thread::available_parallelism().map_or(2, usize::from),
        };
        let sms = endpoint(options.sms_url, options.sms_token);
        let voice = endpoint(
            options.voice_url.or_else(|| sms.as_ref().map(|sms| sms.url.clone())),
            options.voice_token.or_else(|| sms.as_ref().map(|sms| sms.token.clone())),
        );
        let mail = match (options.smtp_url, options.mail_from) {
            (Some(url), Some(from)) => Some(MailEndpoint { url, from }),
            (Some(_), None) => return Err(ConfigError::MailFromNotSet),
            (None, _) => None,
        };
        Ok(Self {
            mode,
            listen: options.listen.unwrap_or(LISTEN),
            data_dir,
            database_url: options.database_url,
            public_url,
            master_key_file,
            trusted_proxies,
            sms,
            voice,
            mail,
            hashing_slots,
            log_format: options.log_format.unwrap_or_default(),
            log_level: options.log_level.unwrap_or_default(),
        })
    }

    /// Where the database is. The folder of the data must exist, so that its path can be made whole.
    ///
    /// # Errors
    /// When the folder cannot be found.
    pub fn database_url(&self) -> std::io::Result<Secret> {
        match &self.database_url {
            Some(url) => Ok(url.clone()),
            None => Ok(Secret::new(sqlite_url(&self.data_dir.canonicalize()?.join(DATABASE_FILE)))),
        }
    }
}

fn endpoint(url: Option<Secret>, token: Option<Secret>) -> Option<HttpEndpoint> {
    url.map(|url| HttpEndpoint { url, token: token.unwrap_or_default() })
}

/// The URL of a SQLite file, made where it is missing. Whatever a URL reads in its own way is escaped.
fn sqlite_url(path: &Path) -> String {
    use std::fmt::Write as _;

    let mut url = String::from("sqlite://");
    for &byte in path.as_os_str().as_encoded_bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            url.push(char::from(byte));
        } else {
            let _ = write!(url, "%{byte:02X}");
        }
    }
    url.push_str("?mode=rwc");
    url
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn config(flags: &[&str]) -> Result<Config, ConfigError> {
        let words = std::iter::once("twofold").chain(flags.iter().copied());
        Config::from_arguments(&Program::try_parse_from(words).expect("flags that exist").arguments)
    }

    fn file(text: &str) -> Result<Options, ConfigError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("twofold.toml");
        std::fs::write(&path, text).expect("a file");
        Options::from_file(&path)
    }

    #[test]
    fn a_developer_says_nothing_but_dev() {
        let config = config(&["--dev"]).expect("settings");
        assert_eq!(config.mode, Mode::Development);
        assert_eq!(config.listen.to_string(), "127.0.0.1:3000");
        assert_eq!(config.master_key_file, Path::new("twofold-data/master.key"));
        assert_eq!((config.trusted_proxies, config.public_url), (0, None));
    }

    #[test]
    fn without_dev_the_key_and_the_public_url_must_be_said() {
        assert!(matches!(config(&["--public-url=https://a.test"]), Err(ConfigError::MasterKeyFileNotSet)));
        assert!(matches!(config(&["--master-key-file=k"]), Err(ConfigError::PublicUrlNotSet)));
        let insecure = config(&["--master-key-file=k", "--public-url=http://a.test"]);
        assert!(matches!(insecure, Err(ConfigError::PublicUrlNotHttps)));
        let config = config(&["--master-key-file=k", "--public-url=https://a.test"]).expect("settings");
        assert_eq!(config.mode, Mode::Production);
    }

    #[test]
    fn flags_go_before_the_file() {
        let from_file = file("listen = \"127.0.0.1:1\"\ntrusted-proxies = 2\n").expect("a file");
        let flags = Options { listen: Some("127.0.0.1:2".parse().expect("an address")), ..Options::default() };
        let options = flags.or(from_file);
        assert_eq!(options.listen.map(|address| address.port()), Some(2));
        assert_eq!(options.trusted_proxies, Some(2));
    }

    #[test]
    fn the_file_may_not_name_what_does_not_exist() {
        assert!(matches!(file("listn = \"127.0.0.1:1\"\n"), Err(ConfigError::Invalid(..))));
        assert!(matches!(file("dev = true\n"), Err(ConfigError::Invalid(..))), "only the flag turns development on");
    }

    #[test]
    fn an_error_in_the_file_names_the_line_and_quotes_no_value() {
        let error = file("\nhashing-slots = \"my-password\"\n").expect_err("an error").to_string();
        assert!(error.contains("line 2") && !error.contains("my-password"), "{error}");
        let error = file("sms-token = my-password\n").expect_err("an error").to_string();
        assert!(!error.contains("my-password"), "{error}");
    }

    #[test]
    fn calls_go_to_the_gateway_for_text_messages_unless_they_have_their_own() {
        let both = config(&["--dev", "--sms-url=https://s.test", "--sms-token=t"]).expect("settings");
        assert_eq!(both.voice, both.sms);
        let own = config(&["--dev", "--sms-url=https://s.test", "--voice-url=https://v.test"]).expect("settings");
        assert_eq!(own.voice.expect("a gateway").url.expose(), "https://v.test");
    }

    #[test]
    fn mail_needs_a_sender() {
        assert!(matches!(config(&["--dev", "--smtp-url=smtp://m.test"]), Err(ConfigError::MailFromNotSet)));
    }

    #[test]
    fn secrets_do_not_show_when_the_settings_are_printed() {
        let config =
            config(&["--dev", "--database-url=postgres://u:hush@h/d", "--sms-url=https://s.test", "--sms-token=hush"]);
        assert!(!format!("{config:?}").contains("hush"));
    }

    #[test]
    fn the_path_of_the_database_survives_the_url() {
        assert_eq!(sqlite_url(Path::new("/a b/c?d#e%f")), "sqlite:///a%20b/c%3Fd%23e%25f?mode=rwc");
    }
}
