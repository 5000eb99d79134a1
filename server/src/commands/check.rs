//! `twofold check`: whether the server would start, and what it would lack.

use std::time::{Duration, UNIX_EPOCH};

use authority::Migrate;
use authority::health::NotReady;

use super::open::{self, OpenError};
use crate::config::{Config, Mode};

/// A clock before this was never set: 2025-01-01T00:00:00Z in unix seconds.
const EARLIEST: u64 = 1_735_689_600;

/// What does not hold.
#[derive(Debug, thiserror::Error)]
pub(super) enum CheckError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("not ready: {0}")]
    NotReady(#[from] NotReady),
    #[error("clock: it says {0}, so no token of anybody's app would fit; set it, and keep it by NTP")]
    Clock(String),
}

pub(super) async fn check(config: &Config) -> Result<(), CheckError> {
    let public_url = open::public_url(config, config.listen);
    println!("configuration: ok, for browsers at {public_url}");
    if config.mode == Mode::Production {
        for (what, is_missing) in [("--sms-url", config.sms.is_none()), ("--smtp-url", config.mail.is_none())] {
            if is_missing {
                println!("configuration: {what} is not set, so nothing goes out that way");
            }
        }
    }
    let parts = open::Parts::load(config)?;
    println!("master key: ok, {}", config.master_key_file.display());
    let authority = parts.open(config, &public_url, Migrate::No).await?;
    authority::health::check(&authority).await?;
    println!("database: ok, and the master key fits it");
    let now = authority.now().unix_seconds();
    let text = date(now);
    if now < EARLIEST {
        return Err(CheckError::Clock(text));
    }
    println!("clock: {text}; more than a few seconds off, tokens would be refused");
    Ok(())
}

fn date(unix_seconds: u64) -> String {
    let date = UNIX_EPOCH.checked_add(Duration::from_secs(unix_seconds)).map(httpdate::fmt_http_date);
    date.unwrap_or_else(|| "a year beyond counting".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_date_is_what_the_comment_says() {
        assert_eq!(date(EARLIEST), "Wed, 01 Jan 2025 00:00:00 GMT");
    }
}
