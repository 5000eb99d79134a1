//! The first half of a device's way: the code that goes to the phone, and what a right one leads to.
//!
//! Before a code is right, nothing tells whether a token account has the phone: unknown numbers pass the same limits, write
//! the same rows and cost the same, and no practice's audit trail knows of them.

use domain::email::InvalidEmail;
use domain::matching::Matching;
use domain::message::{self, Channel, MAX_WRONG_ENTRIES, TOKEN_LIFE};
use domain::person::{InvalidText, Name};
use domain::phone::InvalidPhone;
use domain::policy::SmsLife;
use domain::recovery_code::InvalidRecoveryCode;
use domain::registration::{LIFE, Registration};
use domain::token::InvalidToken;
use domain::{Email, FactorKind, Phone, RecoveryCode, Timestamp, Token, TokenLengths};
use subtle::ConstantTimeEq as _;

use super::secrets::{self, Step};
use super::{find_recovery_code, tell_of_recovery_code, vouching_accounts};
use crate::account_phone::{self, PhoneRefused};
use crate::audit::{self, Event};
use crate::message_token::{self, Recipient};
use crate::store::{NewRegistration, ProvenRegistration, RegistrationRow, TokenAccountRow, Write};
use crate::token_check::Surface;
use crate::{Authority, RegistrationKey, SendRefused, Visitor, factors, moment, outbox};

/// The name that a device gets if its owner gives none.
const DEFAULT_NAME: &str = "Authenticator";
/// The longest name of a device.
const MAX_NAME: usize = 40;

/// Why a registration does not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistrationError {
    /// The phone number.
    #[error(transparent)]
    Phone(InvalidPhone),
    /// Messages are not sent to numbers of this kind.
    #[error("messages are not sent to numbers of this kind")]
    PhoneNotAllowed,
    /// The e-mail address.
    #[error(transparent)]
    Email(InvalidEmail),
    /// The device's name.
    #[error(transparent)]
    Name(InvalidText),
    /// A send limit is reached.
    #[error("too soon")]
    TooSoon {
        /// When the next message may go out.
        until: Timestamp,
    },
    /// It is no code; it was not looked at and does not count.
    #[error(transparent)]
    Malformed(InvalidToken),
    /// Wrong, used, run out, one too many, or a number that nobody has: one answer for all.
    #[error("not right")]
    NotRight,
    /// It is no recovery code; it was not looked at and does not count.
    #[error(transparent)]
    MalformedRecoveryCode(InvalidRecoveryCode),
    /// The recovery code is wrong or used, or the account is locked: one answer for all.
    #[error("not right")]
    RecoveryCodeNotRight,
    /// It has run out, is through, was replaced, or was never ours.
    #[error("the registration is over")]
    Over,
    /// The phone is proven, and its token account is gone.
    #[error("no token account")]
    NoTokenAccount,
    /// The phone is proven, and its token account has another e-mail address.
    #[error("the e-mail address of another")]
    EmailOfAnother,
    /// No practice account takes the phone alone for a proof.
    #[error("a recovery code is needed")]
    RecoveryCodeNeeded,
    /// Every practice account that would take it wants devices to be phones.
    #[error("phones only")]
    PhonesOnly,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

impl From<SendRefused> for RegistrationError {
    fn from(refused: SendRefused) -> Self {
        match refused {
            SendRefused::TooSoon { until } => Self::TooSoon { until },
            SendRefused::Over => Self::Over,
            SendRefused::NoPhone | SendRefused::NotSendable => Self::PhoneNotAllowed,
            SendRefused::Unavailable => Self::Unavailable,
        }
    }
}

/// A registration whose code is on its way, if there is anybody to get it.
#[derive(Debug)]
pub struct Started {
    /// Its key.
    pub key: RegistrationKey,
    /// The last two digits of the number, as typed.
    pub ending: String,
    /// When the next message may go out.
    pub next_send_at: Timestamp,
    /// The server's time.
    pub now: Timestamp,
}

/// A stored registration in the domain's terms, at `now`.
pub(super) fn state(row: &RegistrationRow, now: Timestamp) -> Registration {
    let expires_at = moment(row.expires_at);
    let state = match row.state.as_str() {
        Registration::OPEN => Registration::Open {
            expires_at,
            code_expires_at: moment(row.code_expires_at),
            entries: u32::try_from(row.wrong_entries).unwrap_or(u32::MAX),
        },
        Registration::WAITING => Registration::Waiting { expires_at },
        Registration::GRANTED => Registration::Granted { expires_at },
        Registration::DENIED => Registration::Denied,
        // A word that no release writes ends it.
        _ => Registration::Over,
    };
    state.at(now)
}

async fn find(authority: &Authority, key: &str) -> Result<RegistrationRow, RegistrationError> {
    let key = RegistrationKey::from_text(key).ok_or(RegistrationError::Over)?;
    authority.store.find_registration(&key.hash(authority)).await?.ok_or(RegistrationError::Over)
}

/// Starts the registration of a device: a code goes to the phone, if a token account has it.
///
/// # Errors
/// [`RegistrationError`].
pub async fn start(
    authority: &Authority,
    visitor: &Visitor,
    raw_phone: &str,
    raw_email: &str,
    channel: Channel,
) -> Result<Started, RegistrationError> {
    let phone = account_phone::parse_cell(raw_phone).map_err(|refused| match refused {
        PhoneRefused::Invalid(invalid) => RegistrationError::Phone(invalid),
        PhoneRefused::NotAllowed => RegistrationError::PhoneNotAllowed,
    })?;
    let email = Email::parse(raw_email).map_err(RegistrationError::Email)?;
    let key = RegistrationKey::generate(authority);
    let id = authority.entropy.id();
    let now = authority.now();
    let is_meant = is_known(authority, &phone).await?;
    let mut write = authority.store.write().await?;
    let code_hash = send_code(authority, &mut write, visitor, &id, &phone, channel, is_meant).await?;
    write
        .insert_registration(&NewRegistration {
            id: &id,
            key_hash: &key.hash(authority),
            phone: phone.e164(),
            email: email.as_str(),
            code_hash: &code_hash,
            code_expires_at: (now + TOKEN_LIFE).millis(),
            created_at: now.millis(),
            expires_at: (now + LIFE).millis(),
        })
        .await?;
    write.commit().await?;
    started(authority, key, &phone).await
}

/// Sends another code; the one before is dead.
///
/// # Errors
/// [`RegistrationError`].
pub async fn resend(
    authority: &Authority,
    visitor: &Visitor,
    raw_key: &str,
    channel: Channel,
) -> Result<Started, RegistrationError> {
    let key = RegistrationKey::from_text(raw_key).ok_or(RegistrationError::Over)?;
    let row = find(authority, raw_key).await?;
    let phone = Phone::parse(&row.phone).map_err(|_| RegistrationError::Unavailable)?;
    let now = authority.now();
    if !matches!(state(&row, now), Registration::Open { .. }) {
        return Err(RegistrationError::Over);
    }
    let is_meant = is_known(authority, &phone).await?;
    let mut write = authority.store.write().await?;
    let code_hash = send_code(authority, &mut write, visitor, &row.id, &phone, channel, is_meant).await?;
    if !write.replace_code(&row.id, &code_hash, (now + TOKEN_LIFE).millis(), now.millis()).await? {
        return Err(RegistrationError::Over);
    }
    write.commit().await?;
    started(authority, key, &phone).await
}

async fn started(authority: &Authority, key: RegistrationKey, phone: &Phone) -> Result<Started, RegistrationError> {
    Ok(Started {
        key,
        ending: phone.ending().to_owned(),
        next_send_at: message_token::next_send_at(authority, &Recipient::of_registration(phone.clone())).await?,
        now: authority.now(),
    })
}

/// Whether there is anybody to send a code to.
async fn is_known(authority: &Authority, phone: &Phone) -> Result<bool, RegistrationError> {
    Ok(authority.store.find_token_account(phone.e164()).await?.is_some())
}

/// Makes a code and queues the message with it, within the send limits. Returns the code's keyed hash.
async fn send_code(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    registration_id: &str,
    phone: &Phone,
    channel: Channel,
    is_meant: bool,
) -> Result<Vec<u8>, RegistrationError> {
    let recipient = Recipient::of_registration(phone.clone());
    let at = message_token::admit(authority, write, visitor, &recipient, &authority.entropy.id()).await?;
    let code = message_token::draw(authority);
    let text = message::token_text(channel, &code, &authority.public_host, SmsLife::FiveMinutes);
    outbox::queue_for(authority, write, channel, phone.e164(), &text, at.filter(|_| is_meant)).await?;
    Ok(hash(authority, registration_id, &code))
}

fn hash(authority: &Authority, registration_id: &str, code: &Token) -> Vec<u8> {
    authority.digester.digest("registration code", registration_id, code.expose_digits())
}

/// Proves the phone by the code that went there. The entry is counted, and committed, before it is compared.
///
/// # Errors
/// [`RegistrationError`].
pub async fn verify(
    authority: &Authority,
    visitor: &Visitor,
    key: &str,
    raw_code: &str,
    device_name: &str,
) -> Result<Step, RegistrationError> {
    let row = find(authority, key).await?;
    let now = authority.now();
    if !matches!(state(&row, now), Registration::Open { .. }) {
        return Err(RegistrationError::Over);
    }
    let code = Token::parse(raw_code, TokenLengths::SIX).map_err(RegistrationError::Malformed)?;
    let name = factors::parse_name(device_name, DEFAULT_NAME, MAX_NAME).map_err(RegistrationError::Name)?;
    let mut write = authority.store.write().await?;
    let is_counted = write.count_code_entry(&row.id, i64::from(MAX_WRONG_ENTRIES), now.millis()).await?;
    write.commit().await?;
    let is_right = bool::from(hash(authority, &row.id, &code).ct_eq(&row.code_hash));
    let account = authority.store.find_token_account(&row.phone).await?;
    match account {
        Some(account) if is_counted && is_right => prove_phone(authority, visitor, &row, &account, &name).await?,
        _ => {
            tracing::info!(event = "registration_code_wrong", registration = row.id, "a registration's code is wrong");
            return Err(RegistrationError::NotRight);
        }
    }
    step(authority, visitor, key).await
}

/// Uses the code up, and decides what comes next: the secrets, or the question to another device.
async fn prove_phone(
    authority: &Authority,
    visitor: &Visitor,
    row: &RegistrationRow,
    account: &TokenAccountRow,
    name: &Name,
) -> Result<(), RegistrationError> {
    let now = authority.now();
    let is_own = account.email == row.email;
    let mut write = authority.store.write().await?;
    write.lock_token_account(&account.id).await?;
    let has_device = !write.active_devices(&account.id).await?.is_empty();
    let next = if is_own {
        state(row, now).prove(now, has_device).map_err(|_| RegistrationError::Over)?
    } else {
        Registration::Over
    };
    let matching =
        matches!(next, Registration::Waiting { .. }).then(|| Matching::draw(|bound| authority.entropy.below(bound)));
    if matching.is_some() {
        // One question at a time: whoever is asked twice does not know which device the number is on.
        write.end_waiting_registrations(&account.id).await?;
    }
    let choices = matching.map(|matching| matching.choices_text());
    let proven = ProvenRegistration {
        id: &row.id,
        code_hash: &row.code_hash,
        state: next.name(),
        token_account_id: &account.id,
        device_name: name.as_str(),
        number: matching.map(|matching| i64::from(matching.shown)),
        choices: choices.as_deref(),
        now: now.millis(),
        expires_at: (now + LIFE).millis(),
    };
    if !write.prove_registration(&proven).await? {
        return Err(RegistrationError::NotRight);
    }
    let kind = Some(FactorKind::Authenticator);
    for linked in write.linked_accounts(&account.id).await? {
        audit::record(authority, &mut write, visitor, (&linked).into(), Event::DevicePhoneProven, kind).await?;
    }
    write.commit().await?;
    if is_own { Ok(()) } else { Err(RegistrationError::EmailOfAnother) }
}

/// How far a registration is, once the phone is proven. When it is ready, each asking makes the secrets afresh, so that a
/// lost answer harms nobody.
///
/// # Errors
/// [`RegistrationError`].
pub async fn step(authority: &Authority, visitor: &Visitor, key: &str) -> Result<Step, RegistrationError> {
    let row = find(authority, key).await?;
    match state(&row, authority.now()) {
        Registration::Open { .. } | Registration::Over => Err(RegistrationError::Over),
        Registration::Denied => Ok(Step::Denied),
        Registration::Waiting { .. } => {
            let number = row.number.and_then(|number| u32::try_from(number).ok());
            Ok(Step::Waiting { number: number.ok_or(RegistrationError::Unavailable)? })
        }
        Registration::Granted { .. } => secrets::make(authority, visitor, &row).await.map(Step::Ready),
    }
}

/// Goes on with a recovery code: in place of another device's approval, or for a practice account that does not take the
/// phone alone. The code draws on its account's failure budget.
///
/// # Errors
/// [`RegistrationError`].
pub async fn recover(
    authority: &Authority,
    visitor: &Visitor,
    key: &str,
    raw_code: &str,
) -> Result<Step, RegistrationError> {
    let row = find(authority, key).await?;
    let now = authority.now();
    state(&row, now).recover(now).map_err(|_| RegistrationError::Over)?;
    let code = RecoveryCode::parse(raw_code).map_err(RegistrationError::MalformedRecoveryCode)?;
    let token_account_id = row.token_account_id.as_deref().ok_or(RegistrationError::Over)?;
    let accounts = vouching_accounts(authority, token_account_id).await?;
    let found = find_recovery_code(authority, visitor, &accounts, code).await?;
    let (proven, account) = found.ok_or(RegistrationError::RecoveryCodeNotRight)?;
    let mut write = authority.store.write().await?;
    if !proven.claim(authority, &mut write, &account.id).await? {
        drop(write);
        proven.reused(authority, visitor, Surface::Device(account)).await?;
        return Err(RegistrationError::RecoveryCodeNotRight);
    }
    if !write.recover_registration(&row.id, &account.id, now.millis(), (now + LIFE).millis()).await? {
        return Err(RegistrationError::Over);
    }
    tell_of_recovery_code(authority, &mut write, visitor, account).await?;
    write.commit().await?;
    step(authority, visitor, key).await
}
