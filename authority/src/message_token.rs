//! Tokens that go out in a text message or a call.

use domain::message::{
    self, COOL_DOWN, Channel, IN_ALL, MAX_WRONG_ENTRIES, PER_ADDRESS, PER_NUMBER, PER_RANGE, SendLimit, TOKEN_DIGITS,
    TOKEN_LIFE, UNPROVEN_IN_ALL, UNPROVEN_PER_NUMBER,
};
use domain::policy::SmsLife;
use domain::{FactorKind, Phone, Timestamp, Token};
use subtle::ConstantTimeEq as _;

use crate::audit::{self, Event, Subject};
use crate::store::{MessageTokenRow, NewMessageSend, NewMessageToken, StoreError, Write};
use crate::{Authority, Unavailable, Visitor, moment, outbox};

/// Digits of a token in a message.
pub(crate) const TOKEN_LENGTH: u8 = TOKEN_DIGITS;
/// When a message goes out that does not: outside of every limit, so it takes nothing from whoever has the number.
const NEVER: i64 = 0;
/// What the binding to an account is called.
const ACCOUNT: &str = "account";

/// Why no message goes out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendRefused {
    /// The account has no number that messages go to.
    #[error("no number")]
    NoPhone,
    /// A send limit is reached.
    #[error("too soon")]
    TooSoon {
        /// When the next message may go out.
        until: Timestamp,
    },
    /// Messages cannot be sent to the number.
    #[error("the number cannot be sent to")]
    NotSendable,
    /// What the token would be good for has ended.
    #[error("over")]
    Over,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// What a token in a message is good for: this, and nothing else (requirements.md SM-4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Binding(String);

impl Binding {
    /// One pending sign-in.
    pub(crate) fn challenge(id: &str) -> Self {
        Self(format!("challenge {id}"))
    }

    /// Any sign-in of the account, where the practice lets tokens live until they are used.
    pub(crate) fn account() -> Self {
        Self(ACCOUNT.to_owned())
    }

    /// How long a token for this lives.
    fn life(&self) -> SmsLife {
        if self.0 == ACCOUNT { SmsLife::UntilUsed } else { SmsLife::FiveMinutes }
    }

    /// Step-ups, and switching off, in one session.
    pub(crate) fn session(id: &str) -> Self {
        Self(format!("session {id}"))
    }

    /// Nothing: no message is sent for what a device or a registration proves by a recovery code.
    pub(crate) fn nothing() -> Self {
        Self("nothing".to_owned())
    }

    /// One pending enrolment.
    pub(crate) fn enrolment(factor_id: &str) -> Self {
        Self(format!("enrolment {factor_id}"))
    }

    pub(crate) fn is_of(&self, row: &MessageTokenRow) -> bool {
        self.0 == row.binding
    }
}

/// The number that a message goes to, and whose it is as far as anybody knows.
pub(crate) struct Recipient {
    pub(crate) phone: Phone,
    kind: RecipientKind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum RecipientKind {
    /// A right token from it has shown that it is the account's.
    Owner,
    /// Somebody who is setting an account up has typed it.
    Enrolment,
    /// A stranger with a new device has typed it.
    Registration,
}

impl Recipient {
    /// The number of an account, which has been proven.
    pub(crate) fn owner(phone: Phone) -> Self {
        Self { phone, kind: RecipientKind::Owner }
    }

    /// A number that is being set up for an account.
    pub(crate) fn of_enrolment(phone: Phone) -> Self {
        Self { phone, kind: RecipientKind::Enrolment }
    }

    /// A number that a new device is registered by. It makes no difference whether anybody has it: who asks is a stranger.
    pub(crate) fn of_registration(phone: Phone) -> Self {
        Self { phone, kind: RecipientKind::Registration }
    }

    fn is_owner(&self) -> bool {
        self.kind == RecipientKind::Owner
    }

    /// The name in the database.
    fn kind(&self) -> &'static str {
        match self.kind {
            RecipientKind::Owner => "owner",
            RecipientKind::Enrolment => "enrolment",
            RecipientKind::Registration => "registration",
        }
    }
}

/// Makes a token and queues the message that carries it, within the send limits, in the given transaction.
///
/// Every token that went out before is dead. Senders to one number, from one address, and in all, pass one at a time,
/// so parallel requests cannot exceed a limit.
pub(crate) async fn send(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    subject: Subject<'_>,
    recipient: &Recipient,
    channel: Channel,
    binding: &Binding,
) -> Result<(), SendRefused> {
    let now = authority.now();
    let token = draw(authority);
    let id = authority.entropy.id();
    admit(authority, write, visitor, recipient, &id).await?;
    write
        .insert_message_token(&NewMessageToken {
            id: &id,
            account_id: subject.account_id,
            binding: &binding.0,
            token_hash: &hash(authority, &id, &token),
            channel: channel.name(),
            created_at: now.millis(),
            expires_at: match binding.life() {
                SmsLife::FiveMinutes => (now + TOKEN_LIFE).millis(),
                SmsLife::UntilUsed => i64::MAX,
            },
        })
        .await?;
    let text = message::token_text(channel, &token, &authority.public_host, binding.life());
    outbox::queue_about(authority, write, subject, channel, recipient.phone.e164(), &text).await?;
    audit::record(authority, write, visitor, subject, Event::MessageSent, Some(FactorKind::Sms)).await?;
    Ok(())
}

/// A token for a message: six digits, each number as likely as any other.
pub(crate) fn draw(authority: &Authority) -> Token {
    Token::from_number(authority.entropy.below(10_u32.pow(u32::from(TOKEN_DIGITS))), TOKEN_DIGITS)
}

/// Lets a message pass the send limits, counts it, and tells when it may go out: now, but for a stranger's with a new
/// device, who must not see that other messages go to the number. That one waits for its turn for a minute at most; where
/// more went there already, nothing goes out on top of it.
pub(crate) async fn admit(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    recipient: &Recipient,
    id: &str,
) -> Result<Option<Timestamp>, SendRefused> {
    let now = authority.now();
    let address = visitor.network().to_string();
    let Next { seen, all } = pass_gates(write, recipient, &address, now).await?;
    if seen > now {
        return Err(SendRefused::TooSoon { until: seen });
    }
    let at = (all <= now + COOL_DOWN).then_some(all);
    let new = NewMessageSend {
        id,
        phone: recipient.phone.e164(),
        address: &address,
        recipient: recipient.kind(),
        at: at.map_or(NEVER, Timestamp::millis),
        asked_at: (recipient.kind == RecipientKind::Registration).then_some(now.millis()),
    };
    write.insert_message_send(&new).await?;
    Ok(at)
}

/// As [`send`], in a transaction of its own; a refusal is written down.
pub(crate) async fn send_alone(
    authority: &Authority,
    visitor: &Visitor,
    subject: Subject<'_>,
    recipient: &Recipient,
    channel: Channel,
    binding: &Binding,
) -> Result<(), SendRefused> {
    let mut write = authority.store.write().await?;
    write.lock_account(subject.account_id).await?;
    match send(authority, &mut write, visitor, subject, recipient, channel, binding).await {
        Ok(()) => Ok(write.commit().await?),
        Err(refused) => {
            drop(write);
            audit::record_alone(authority, visitor, subject, Event::MessageRefused, Some(FactorKind::Sms)).await?;
            Err(refused)
        }
    }
}

/// Ends what lives until it is used, of everybody in a practice.
pub(crate) async fn end_until_used(
    authority: &Authority,
    write: &mut Write,
    practice_id: &str,
) -> Result<(), StoreError> {
    write.end_message_tokens_of(practice_id, &Binding::account().0, authority.now().millis()).await
}

/// When the next message may go out; not later than now means at once.
struct Next {
    /// By what whoever asks for it may know.
    seen: Timestamp,
    /// By all limits.
    all: Timestamp,
}

impl Next {
    fn at(moment: Timestamp) -> Self {
        Self { seen: moment, all: moment }
    }
}

/// When the next message may go out, under the gates' locks.
async fn pass_gates(
    write: &mut Write,
    recipient: &Recipient,
    address: &str,
    now: Timestamp,
) -> Result<Next, StoreError> {
    let phone = recipient.phone.e164();
    // Always in this order, so that no two senders wait for each other.
    write.pass_send_gate("all", now.millis()).await?;
    write.pass_send_gate(&format!("address {address}"), now.millis()).await?;
    write.pass_send_gate(&format!("phone {phone}"), now.millis()).await?;
    let in_all = message::next_send_at(&IN_ALL, &write.sent_in_all(reach(&IN_ALL)).await?, now);
    if in_all > now {
        tracing::error!(event = "message_budget_spent", "the hourly budget of messages is spent");
    }
    let from_address =
        message::next_send_at(&PER_ADDRESS, &write.sent_from_address(address, reach(&PER_ADDRESS)).await?, now);
    let to_phone = message::next_send_at(&PER_NUMBER, &write.sent_to_phone(phone, reach(&PER_NUMBER)).await?, now);
    let elsewhere = in_all.max(from_address);
    if recipient.is_owner() {
        return Ok(Next::at(elsewhere.max(to_phone)));
    }
    let in_all = message::next_send_at(&UNPROVEN_IN_ALL, &write.sent_unproven(reach(&UNPROVEN_IN_ALL)).await?, now);
    if in_all > now {
        tracing::error!(event = "message_share_spent", "the hourly share of messages to unproven numbers is spent");
    }
    let elsewhere = elsewhere.max(in_all);
    let unproven = write.sent_unproven_to_phone(phone, reach(&UNPROVEN_PER_NUMBER)).await?;
    let next = elsewhere.max(to_phone).max(message::next_send_at(&UNPROVEN_PER_NUMBER, &unproven, now));
    if recipient.kind == RecipientKind::Registration {
        // Nothing goes to a number that nobody has proven, so there is nothing to gain by trying many; and a breaker that
        // strangers could trip would shut others out.
        let asked = write.asked_for_phone(phone, reach(&PER_NUMBER)).await?;
        return Ok(Next { seen: elsewhere.max(next_asked(&asked, now)), all: next });
    }
    let in_range = message::next_send_at(&PER_RANGE, &write.unproven_in_range(phone, reach(&PER_RANGE)).await?, now);
    if in_range > now {
        tracing::error!(event = "message_range_blocked", "many adjacent numbers are set up and none is proven");
    }
    Ok(Next::at(next.max(in_range)))
}

/// When a stranger with a new device may ask for the next message to a number, by when strangers have asked for them.
fn next_asked(asked: &[Timestamp], now: Timestamp) -> Timestamp {
    message::next_send_at(&PER_NUMBER, asked, now).max(message::next_send_at(&UNPROVEN_PER_NUMBER, asked, now))
}

/// How many of the latest messages the limits look at.
fn reach(limits: &[SendLimit]) -> i64 {
    limits.iter().map(|limit| limit.most).max().and_then(|most| i64::try_from(most).ok()).unwrap_or(i64::MAX)
}

/// When the next message to this number may go out, as far as the number is concerned and whoever asks for it may know.
pub(crate) async fn next_send_at(authority: &Authority, recipient: &Recipient) -> Result<Timestamp, Unavailable> {
    let (phone, now) = (recipient.phone.e164(), authority.now());
    if recipient.kind == RecipientKind::Registration {
        return Ok(next_asked(&authority.store.asked_for_phone(phone, reach(&PER_NUMBER)).await?, now));
    }
    let sent = authority.store.sent_to_phone(phone, reach(&PER_NUMBER)).await?;
    let next = message::next_send_at(&PER_NUMBER, &sent, now);
    if recipient.is_owner() {
        return Ok(next);
    }
    let sent = authority.store.sent_unproven_to_phone(phone, reach(&UNPROVEN_PER_NUMBER)).await?;
    Ok(next.max(message::next_send_at(&UNPROVEN_PER_NUMBER, &sent, now)))
}

/// Whether `typed` is the live token in `row` for `binding`. The hash is computed and compared in every case.
pub(crate) fn is_right(authority: &Authority, row: Option<&MessageTokenRow>, binding: &Binding, typed: &Token) -> bool {
    let hashed = hash(authority, row.map_or("", |row| &row.id), typed);
    let Some(row) = row else { return false };
    let equal = bool::from(row.token_hash.ct_eq(&hashed));
    let entries = u32::try_from(row.wrong_entries).unwrap_or(u32::MAX);
    // The entry at hand was counted as wrong before this check, so the fifth may still be right.
    equal && binding.is_of(row) && authority.now() < moment(row.expires_at) && entries <= MAX_WRONG_ENTRIES
}

fn hash(authority: &Authority, id: &str, token: &Token) -> Vec<u8> {
    authority.digester.digest("message token", id, token.expose_digits())
}
