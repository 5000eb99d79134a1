//! The outbox: messages queued in the transaction that is their reason, delivered afterwards.

use std::time::Duration;

use domain::message::Channel;
use domain::{FactorKind, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::{self, Event, Subject};
use crate::cipher::Place;
use crate::delivery::{Delivered, Message};
use crate::store::{NewOutboxRow, OutboxRow, Write};
use crate::{Authority, Unavailable, moment};

/// Messages of one delivery round, and of the development outbox.
const ROUND: i64 = 50;
const SHOWN: i64 = 500;
/// After this many tries an e-mail is given up and wiped.
const MAX_EMAIL_TRIES: i64 = 5;
/// The same for a text message or call: one retry, for the next token is a click away (requirements.md OP-3).
const MAX_PHONE_TRIES: i64 = 2;
/// The first retry waits this long, each further one twice as long as the one before.
const FIRST_RETRY: Duration = Duration::from_secs(15);

/// A message in the development outbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxMessage {
    /// Its id.
    pub id: String,
    /// How it travels.
    pub channel: Channel,
    /// A number in E.164 or an e-mail address.
    pub to: String,
    /// The text.
    pub body: String,
    /// When it was queued.
    pub created_at: Timestamp,
}

/// What is sealed of a message.
#[derive(Serialize, Deserialize)]
struct Content {
    to: String,
    body: String,
}

fn place(id: &str) -> Place<'_> {
    Place { table: "outbox", row: id, column: "sealed" }
}

/// Queues a message in the transaction that is its reason.
pub(crate) async fn queue(
    authority: &Authority,
    write: &mut Write,
    channel: Channel,
    to: &str,
    body: &str,
) -> Result<(), Unavailable> {
    insert(authority, write, None, channel, to, body, Some(authority.now())).await
}

/// The same for a token of somebody's: if no gateway takes it, the practice's trail says so.
pub(crate) async fn queue_about(
    authority: &Authority,
    write: &mut Write,
    subject: Subject<'_>,
    channel: Channel,
    to: &str,
    body: &str,
) -> Result<(), Unavailable> {
    insert(authority, write, Some(subject), channel, to, body, Some(authority.now())).await
}

/// The same, to go out at `at`. Without that nobody gets it: the row is done from the start, so that an outsider cannot tell
/// by what it costs whether there was anybody to send to.
pub(crate) async fn queue_for(
    authority: &Authority,
    write: &mut Write,
    channel: Channel,
    to: &str,
    body: &str,
    at: Option<Timestamp>,
) -> Result<(), Unavailable> {
    insert(authority, write, None, channel, to, body, at).await
}

async fn insert(
    authority: &Authority,
    write: &mut Write,
    subject: Option<Subject<'_>>,
    channel: Channel,
    to: &str,
    body: &str,
    at: Option<Timestamp>,
) -> Result<(), Unavailable> {
    let id = authority.entropy.id();
    let now = authority.now().millis();
    let content = Content { to: to.to_owned(), body: body.to_owned() };
    let plain = zeroize::Zeroizing::new(serde_json::to_vec(&content).map_err(|_| Unavailable)?);
    let sealed = authority.cipher.seal(place(&id), &plain, &*authority.entropy);
    let row = NewOutboxRow {
        id: &id,
        channel: channel.name(),
        sealed: at.map(|_| sealed.bytes.as_slice()),
        key_id: &sealed.key_id,
        created_at: now,
        next_try_at: at.map_or(now, Timestamp::millis),
        delivered_at: at.is_none().then_some(now),
        practice_id: subject.map(|subject| subject.practice_id),
        account_id: subject.map(|subject| subject.account_id),
    };
    Ok(write.insert_message(&row).await?)
}

fn open(authority: &Authority, row: &OutboxRow) -> Result<Message, Unavailable> {
    let sealed = row.sealed.as_deref().ok_or(Unavailable)?;
    let plain = authority.cipher.open(place(&row.id), &row.key_id, sealed).map_err(|error| {
        tracing::error!(%error, event = "crypt_decrypt_fail", table = "outbox", "a queued message does not open");
        Unavailable
    })?;
    let content: Content = serde_json::from_slice(&plain).map_err(|_| Unavailable)?;
    let channel = Channel::from_name(&row.channel).ok_or(Unavailable)?;
    Ok(Message { id: row.id.clone(), channel, to: content.to, body: content.body })
}

/// The latest messages, newest first; with `to`, those to one number or address. For development only.
///
/// # Errors
/// [`Unavailable`].
pub async fn list(authority: &Authority, to: Option<&str>) -> Result<Vec<OutboxMessage>, Unavailable> {
    let mut messages = Vec::new();
    for row in authority.store.latest_messages(SHOWN).await? {
        let message = open(authority, &row)?;
        if to.is_none_or(|to| to == message.to) {
            messages.push(OutboxMessage {
                id: message.id,
                channel: message.channel,
                to: message.to,
                body: message.body,
                created_at: moment(row.created_at),
            });
        }
    }
    Ok(messages)
}

/// One round of deliveries; returns how many messages a gateway took.
///
/// A try is claimed and committed before the gateway is called, so two processes never carry the same try; the
/// gateway gets the message's id, so that it can refuse one it has seen.
///
/// # Errors
/// [`Unavailable`].
pub async fn deliver(authority: &Authority) -> Result<usize, Unavailable> {
    let mut taken = 0;
    for row in authority.store.due_messages(authority.now().millis(), ROUND).await? {
        let wait = FIRST_RETRY * 2_u32.pow(u32::try_from(row.tries.clamp(0, MAX_EMAIL_TRIES)).unwrap_or(0));
        let mut write = authority.store.write().await?;
        let claimed = write.claim_delivery(&row.id, row.tries, (authority.now() + wait).millis()).await?;
        write.commit().await?;
        if !claimed {
            continue;
        }
        let Ok(message) = open(authority, &row) else {
            // It will not open the next time either, and must not keep the others waiting.
            let mut write = authority.store.write().await?;
            give_up(authority, &mut write, &row).await?;
            write.commit().await?;
            continue;
        };
        let outcome = authority.gateways.of(message.channel).deliver(&message).await;
        let mut write = authority.store.write().await?;
        match outcome {
            Ok(delivered) => {
                write.mark_delivered(&row.id, authority.now().millis()).await?;
                if delivered == Delivered::Gone {
                    write.wipe_message(&row.id).await?;
                }
                taken += 1;
            }
            Err(error) => {
                tracing::warn!(%error, channel = row.channel, id = row.id, tries = row.tries + 1, "a message was not taken");
                let most = if message.channel == Channel::Email { MAX_EMAIL_TRIES } else { MAX_PHONE_TRIES };
                if row.tries + 1 >= most {
                    give_up(authority, &mut write, &row).await?;
                }
            }
        }
        write.commit().await?;
    }
    Ok(taken)
}

/// Wipes a message that will never arrive, and says so in the trail of whose token it carried.
async fn give_up(authority: &Authority, write: &mut Write, row: &OutboxRow) -> Result<(), Unavailable> {
    write.wipe_message(&row.id).await?;
    if let (Some(practice_id), Some(account_id)) = (&row.practice_id, &row.account_id) {
        audit::record_by_server(authority, write, practice_id, account_id, Event::MessageFailed, Some(FactorKind::Sms))
            .await?;
    }
    Ok(())
}
