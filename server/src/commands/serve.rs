//! `twofold serve`.

use std::net::SocketAddr;
use std::time::Instant;

use authority::{Migrate, Unavailable};
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::open::{self, OpenError};
use crate::assets::{Site, SiteError};
use crate::config::{Config, Mode, PublicUrl};
use crate::dev::{self, Development};
use crate::http::listen::{self, Room};
use crate::http::{self, TrustedProxies, Web};
use crate::jobs::Jobs;

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum ServeError {
    #[error(transparent)]
    Site(#[from] SiteError),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, #[source] std::io::Error),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the sample data cannot be written: the database does not answer")]
    Sample(#[source] Unavailable),
    #[error("cannot wait for signals: {0}")]
    Signals(#[source] std::io::Error),
}

/// Serves until it is told to stop.
pub(super) async fn serve(config: &Config) -> Result<(), ServeError> {
    let started = moment();
    let stop = Stop::listen().map_err(ServeError::Signals)?;
    let site = Site::load()?;
    // Bound before the rest, so that port 0 is a port by the time the public URL needs it.
    let listener = bind(config.listen).await?;
    let listening = listener.local_addr().map_err(|error| ServeError::Listen(config.listen, error))?;
    let public_url = open::public_url(config, listening);

    let parts = open::Parts::load(config)?;
    let (entropy, clock) = (parts.entropy.clone(), parts.shifted_clock.clone());
    let authority = parts.open(config, &public_url, Migrate::Yes).await?;
    let development = clock.map(|clock| Development { clock });
    if development.is_some() {
        authority::sample::plant(&authority).await.map_err(ServeError::Sample)?;
    }
    let router = http::router(Web {
        authority: authority.clone(),
        site,
        entropy,
        origins: origins(config, &public_url, listening),
        trusted_proxies: TrustedProxies::in_front(config.trusted_proxies),
        development,
    });
    let jobs = Jobs::start(&authority);

    announce(config, &public_url, listening);
    tracing::info!(%listening, %public_url, millis = started.elapsed().as_millis(), "ready");
    let room = if config.trusted_proxies == 0 { Room::DIRECT } else { Room::PROXIED };
    listen::serve(listener, router, room, stop.received()).await;
    drop(jobs);
    tracing::info!("stopped");
    Ok(())
}

async fn bind(address: SocketAddr) -> Result<TcpListener, ServeError> {
    TcpListener::bind(address).await.map_err(|error| ServeError::Listen(address, error))
}

/// The origins of our pages. A developer may type either name of this machine, where no other was chosen.
fn origins(config: &Config, public_url: &PublicUrl, listening: SocketAddr) -> Vec<String> {
    let mut origins = vec![public_url.to_string()];
    let is_local = listening.ip().is_loopback() || listening.ip().is_unspecified();
    if config.mode == Mode::Development && is_local {
        let here = PublicUrl::of_listener(listening);
        origins.extend(["127.0.0.1", "localhost"].map(|host| here.with_host(host).to_string()));
    }
    origins
}

/// Says where to go, and in development what to type.
fn announce(config: &Config, public_url: &PublicUrl, listening: SocketAddr) {
    println!("Twofold listens on {listening}, for browsers at {public_url}");
    if config.mode == Mode::Development {
        println!(
            "\n  Log in at  {public_url}/login\n  as         thomas (provider), olivia (office manager), sam or nina (staff)\n  \
             password   sample-password-1\n  messages   {public_url}{}\n\nDevelopment mode: not for real people.",
            dev::OUTBOX
        );
        return;
    }
    if config.sms.is_none() {
        tracing::warn!("--sms-url is not set: no text message and no call goes out");
    }
    if config.mail.is_none() {
        tracing::warn!("--smtp-url is not set: no e-mail goes out");
    }
}

/// The signals that end the server. They are caught from the start on, so none is lost while it opens the database.
struct Stop {
    terminate: Signal,
    interrupt: Signal,
}

impl Stop {
    fn listen() -> std::io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// Waits for the first of them. A second one ends the process at once, for somebody is in a hurry.
    async fn received(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        tracing::info!("stopping: no new connections; requests under way end first");
        tokio::spawn(async move {
            tokio::select! {
                _ = self.terminate.recv() => {}
                _ = self.interrupt.recv() => {}
            }
            tracing::warn!("stopped at once");
            std::process::exit(1);
        });
    }
}

#[expect(clippy::disallowed_methods, reason = "how long the start took is told in the log and decides nothing")]
fn moment() -> Instant {
    Instant::now()
}
