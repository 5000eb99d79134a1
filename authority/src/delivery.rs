//! Who carries messages: gateways behind one trait.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::message::Channel;
use lettre::message::Mailbox;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Tokio1Executor};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;

/// A message on its way out.
pub struct Message {
    /// The same for each try of one message.
    pub id: String,
    /// How it travels.
    pub channel: Channel,
    /// A number in E.164 or an e-mail address.
    pub to: String,
    /// The text; of an e-mail the first line is its subject.
    pub body: String,
}

/// What became of a message that a gateway took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It is on its way; nothing of it needs to be kept.
    Gone,
    /// It stays in the outbox, to be read there.
    Kept,
}

/// Why a gateway did not take a message. No text of it, and no number, is in here.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// The gateway did not answer in time, or not as it should.
    #[error("the gateway did not take the message: {0}")]
    Refused(String),
    /// The recipient or the text is none that this gateway can carry.
    #[error("the message cannot be carried")]
    NotCarried,
}

/// A future of a gateway's.
pub type Delivery<'a> = Pin<Box<dyn Future<Output = Result<Delivered, GatewayError>> + Send + 'a>>;

/// Carries messages of one or more channels.
pub trait Gateway: Send + Sync {
    /// Hands one message over. Called again with the same id if it fails.
    fn deliver<'a>(&'a self, message: &'a Message) -> Delivery<'a>;
}

/// The gateway of each channel.
#[derive(Clone)]
pub struct Gateways {
    /// Text messages.
    pub sms: Arc<dyn Gateway>,
    /// Calls.
    pub voice: Arc<dyn Gateway>,
    /// E-mail.
    pub email: Arc<dyn Gateway>,
}

impl Gateways {
    /// All messages stay in the outbox: for development and tests.
    #[must_use]
    pub fn outboxed() -> Self {
        Self { sms: Arc::new(Outboxed), voice: Arc::new(Outboxed), email: Arc::new(Outboxed) }
    }

    pub(crate) fn of(&self, channel: Channel) -> &dyn Gateway {
        match channel {
            Channel::Sms => &*self.sms,
            Channel::Voice => &*self.voice,
            Channel::Email => &*self.email,
        }
    }
}

/// Leaves messages in the outbox.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outboxed;

impl Gateway for Outboxed {
    fn deliver<'a>(&'a self, _message: &'a Message) -> Delivery<'a> {
        Box::pin(async { Ok(Delivered::Kept) })
    }
}

/// A gateway for text messages and calls behind an HTTP endpoint: `POST` of JSON with a bearer token.
///
/// The body is `{"id", "channel": "sms" | "voice", "to", "body"}`; any answer of the 2xx class takes the message. The
/// id also goes as `Idempotency-Key`, so that a try whose answer was lost is not carried twice.
pub struct HttpGateway {
    client: reqwest::Client,
    url: String,
    bearer: SecretString,
}

#[derive(Serialize)]
struct HttpBody<'a> {
    id: &'a str,
    channel: &'static str,
    to: &'a str,
    body: &'a str,
}

impl HttpGateway {
    /// A gateway at `url`.
    ///
    /// # Errors
    /// [`GatewayError`] if no HTTP client can be made.
    pub fn new(url: String, bearer: SecretString) -> Result<Self, GatewayError> {
        // Err means that the process has chosen one before, which does as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(Duration::from_secs(2))
            .timeout(Duration::from_secs(8))
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(|error| GatewayError::Refused(error.to_string()))?;
        Ok(Self { client, url, bearer })
    }
}

impl Gateway for HttpGateway {
    fn deliver<'a>(&'a self, message: &'a Message) -> Delivery<'a> {
        Box::pin(async move {
            let body =
                HttpBody { id: &message.id, channel: message.channel.name(), to: &message.to, body: &message.body };
            let answer = self
                .client
                .post(&self.url)
                .bearer_auth(self.bearer.expose_secret())
                .header("Idempotency-Key", &message.id)
                .json(&body)
                .send()
                .await
                // The URL may hold credentials of the operator's; it stays out of the log.
                .map_err(|error| GatewayError::Refused(error.without_url().to_string()))?;
            if answer.status().is_success() {
                Ok(Delivered::Gone)
            } else {
                Err(GatewayError::Refused(format!("status {}", answer.status().as_u16())))
            }
        })
    }
}

/// E-mail by SMTP.
pub struct SmtpGateway {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpGateway {
    /// A gateway at an `smtp://` or `smtps://` URL, which may hold a user name and a password.
    ///
    /// # Errors
    /// [`GatewayError`] if the URL or the sender's address cannot be read.
    pub fn new(url: &SecretString, from: &str) -> Result<Self, GatewayError> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.expose_secret())
            .map_err(|_| GatewayError::Refused("the SMTP URL cannot be read".to_owned()))?
            .timeout(Some(Duration::from_secs(8)))
            .build();
        let from = from.parse().map_err(|_| GatewayError::Refused("the sender cannot be read".to_owned()))?;
        Ok(Self { transport, from })
    }
}

impl Gateway for SmtpGateway {
    fn deliver<'a>(&'a self, message: &'a Message) -> Delivery<'a> {
        Box::pin(async move {
            let (subject, text) = message.body.split_once('\n').unwrap_or((&message.body, ""));
            let mail = lettre::Message::builder()
                .from(self.from.clone())
                .to(message.to.parse().map_err(|_| GatewayError::NotCarried)?)
                .subject(subject)
                .message_id(Some(format!("<{}@twofold>", message.id)))
                .body(text.trim_start().to_owned())
                .map_err(|_| GatewayError::NotCarried)?;
            // A mail server's reply may repeat the recipient; its number says enough.
            self.transport.send(mail).await.map_err(|error| {
                let status = error.status().map_or_else(|| "no answer".to_owned(), |code| format!("status {code}"));
                GatewayError::Refused(status)
            })?;
            Ok(Delivered::Gone)
        })
    }
}
