//! Setting up text messages and calls: the current password, a token sent to the cell phone, and it counts.

use domain::enrolment::{Enrolment, LIFE};
use domain::message::{Channel, MAX_WRONG_ENTRIES};
use domain::policy::Requirement;
use domain::session::Assurance;
use domain::token::InvalidToken;
use domain::{FactorKind, Phone, Timestamp, Token, TokenLengths};

use crate::audit::{self, Event};
use crate::message_token::{self, Binding, Recipient};
use crate::notice::{self, Notice};
use crate::password::PasswordRefused;
use crate::store::{AccountRow, FactorRow, NewFactor, Write};
use crate::token_check::{self, Attempt, Surface};
use crate::{
    Authority, OpenedSession, SendRefused, SignedIn, Unavailable, Visitor, account_phone, factors, methods, moment,
    outbox, password, policy, recovery, reset, sessions,
};

/// The name of the factor in lists.
pub(crate) const NAME: &str = "Text message or call";

/// Why the set-up does not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// No cell phone is on the Profile tab.
    #[error("no cell phone is on file")]
    PhoneMissing,
    /// The practice takes no numbers of that country any more.
    #[error("the practice takes no numbers of that country")]
    PhoneNotAllowed,
    /// The current password is not right.
    #[error("the password is not right")]
    PasswordWrong,
    /// Wrong passwords slow further ones down.
    #[error("too many tries")]
    TooManyTries {
        /// When the next one is looked at.
        until: Timestamp,
    },
    /// The practice does not offer it to the role.
    #[error("not offered")]
    NotOffered,
    /// This number is set up already.
    #[error("this number is set up already")]
    AlreadyEnabled,
    /// No message goes out.
    #[error(transparent)]
    Send(SendRefused),
    /// A factor is active and the step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// Too many passwords are being checked.
    #[error("busy")]
    Busy,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

impl From<PasswordRefused> for StartError {
    fn from(refused: PasswordRefused) -> Self {
        match refused {
            PasswordRefused::Wrong => Self::PasswordWrong,
            PasswordRefused::TooManyTries { until } => Self::TooManyTries { until },
            PasswordRefused::Busy => Self::Busy,
            PasswordRefused::Unavailable => Self::Unavailable,
        }
    }
}

/// Why the number is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfirmError {
    /// It is no token; it was not looked at and does not count.
    #[error(transparent)]
    Malformed(InvalidToken),
    /// Wrong, used, run out, or locked: one answer for all.
    #[error("not right")]
    NotRight,
    /// The set-up has ended; start again.
    #[error("the set-up has ended")]
    Ended,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// A number that waits for its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingPhone {
    /// The last two digits.
    pub ending: String,
    /// When the next message may go out.
    pub next_send_at: Timestamp,
    /// When the set-up ends by itself.
    pub expires_at: Timestamp,
    /// Entries that the token in the message still takes.
    pub tries_left: u32,
    /// Tokens are not checked until then.
    pub locked_until: Option<Timestamp>,
    /// The server's time.
    pub now: Timestamp,
}

/// Starts the set-up of the cell phone on the Profile tab and sends the token. Nothing counts before it is confirmed.
///
/// While a factor is active, this binds another number in place of the old one, and needs a step-up as well.
///
/// # Errors
/// [`StartError`].
pub async fn start(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    password: String,
) -> Result<(), StartError> {
    let account_id = signed_in.account_id();
    let account = authority.store.find_account(account_id).await?.ok_or(StartError::Unavailable)?;
    let phone = Phone::parse(&account.cell_phone).map_err(|_| StartError::PhoneMissing)?;
    if !account_phone::is_of(&phone, &policy::countries(authority, signed_in.practice_id()).await?) {
        return Err(StartError::PhoneNotAllowed);
    }
    let factors = authority.store.factors(account_id).await?;
    if factors.iter().any(|factor| is_confirmed_sms(factor) && factor.phone().as_ref() == Some(&phone)) {
        return Err(StartError::AlreadyEnabled);
    }
    if signed_in.rule().requirement == Requirement::Off && !factors::are_on(&factors) {
        return Err(StartError::NotOffered);
    }
    if factors::are_on(&factors) && !sessions::is_stepped_up(authority, signed_in) {
        return Err(StartError::StepUpNeeded);
    }
    let proven = password::prove_signed_in(authority, visitor, signed_in, password).await?;

    let now = authority.now();
    let id = authority.entropy.id();
    let mut write = authority.store.write().await?;
    proven.settle(&mut write, account_id).await?;
    write
        .insert_pending_factor(&NewFactor {
            id: &id,
            account_id,
            kind: FactorKind::Sms.name(),
            name: NAME,
            phone: Some(phone.e164()),
            secret: None,
            key_id: None,
            algorithm: None,
            digits: None,
            period: None,
            session_id: Some(signed_in.session_id()),
            device_id: None,
            created_at: now.millis(),
            expires_at: (now + LIFE).millis(),
        })
        .await?;
    // Every form that leads here stands below the notice (requirements.md SM-1).
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::SmsRiskShown, Some(FactorKind::Sms)).await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::EnrolmentStarted, Some(FactorKind::Sms))
        .await?;
    let binding = Binding::enrolment(&id);
    let recipient = Recipient::of_enrolment(phone);
    message_token::send(authority, &mut write, visitor, signed_in.into(), &recipient, Channel::Sms, &binding)
        .await
        .map_err(StartError::Send)?;
    Ok(write.commit().await?)
}

fn is_confirmed_sms(factor: &FactorRow) -> bool {
    factor.is_confirmed() && factor.kind() == Some(FactorKind::Sms)
}

/// The session's pending number, if it has not run out.
async fn find_pending(authority: &Authority, signed_in: &SignedIn) -> Result<Option<FactorRow>, Unavailable> {
    let factors = authority.store.factors(signed_in.account_id()).await?;
    Ok(factors.into_iter().find(|factor| {
        factor.kind() == Some(FactorKind::Sms)
            && factor.session_id.as_deref() == Some(signed_in.session_id())
            && matches!(factor.enrolment().at(authority.now()), Enrolment::Pending { .. })
    }))
}

/// What the confirmation page shows; `None` if nothing waits in this session.
///
/// # Errors
/// [`Unavailable`].
pub async fn pending(authority: &Authority, signed_in: &SignedIn) -> Result<Option<PendingPhone>, Unavailable> {
    let Some(row) = find_pending(authority, signed_in).await? else {
        return Ok(None);
    };
    let (Some(phone), Enrolment::Pending { expires_at }) = (row.phone(), row.enrolment()) else {
        return Ok(None);
    };
    let live = authority.store.live_message_token(signed_in.account_id()).await?;
    let entries = live.filter(|live| Binding::enrolment(&row.id).is_of(live)).map_or(0, |live| live.wrong_entries);
    Ok(Some(PendingPhone {
        ending: phone.ending().to_owned(),
        next_send_at: message_token::next_send_at(authority, &Recipient::of_enrolment(phone)).await?,
        expires_at,
        tries_left: MAX_WRONG_ENTRIES.saturating_sub(u32::try_from(entries).unwrap_or(u32::MAX)),
        locked_until: methods::locked_until(authority, signed_in.account_id()).await?,
        now: authority.now(),
    }))
}

/// Sends another token; the one before is dead.
///
/// # Errors
/// [`SendRefused`].
pub async fn resend(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    channel: Channel,
) -> Result<(), SendRefused> {
    let row = find_pending(authority, signed_in).await?.ok_or(SendRefused::Over)?;
    let recipient = Recipient::of_enrolment(row.phone().ok_or(SendRefused::NoPhone)?);
    let binding = Binding::enrolment(&row.id);
    message_token::send_alone(authority, visitor, signed_in.into(), &recipient, channel, &binding).await
}

/// Confirms the number. In one transaction the factor counts, the token account is linked, the first recovery codes
/// are made, all other sessions end, and this one gets a new key.
///
/// # Errors
/// [`ConfirmError`].
pub async fn confirm(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    raw: &str,
) -> Result<OpenedSession, ConfirmError> {
    let row = find_pending(authority, signed_in).await?.ok_or(ConfirmError::Ended)?;
    let token = Token::parse(raw, TokenLengths::SIX).map_err(ConfirmError::Malformed)?;
    let surface = Surface::Enrolment(signed_in);
    let attempt = token_check::count(authority, visitor, surface, "").await?;
    let live = authority.store.live_message_token(signed_in.account_id()).await?;
    let is_right = message_token::is_right(authority, live.as_ref(), &Binding::enrolment(&row.id), &token);
    match (attempt, live) {
        (Some(attempt), Some(live)) if is_right => {
            activate(authority, signed_in, visitor, &row, &attempt, &live.id).await
        }
        (attempt, _) => {
            token_check::fail(authority, visitor, surface, attempt.as_ref()).await?;
            Err(ConfirmError::NotRight)
        }
    }
}

async fn activate(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    row: &FactorRow,
    attempt: &Attempt,
    token_id: &str,
) -> Result<OpenedSession, ConfirmError> {
    let account_id = signed_in.account_id();
    let phone = row.phone().ok_or(ConfirmError::Ended)?;
    let account = authority.store.find_account(account_id).await?.ok_or(ConfirmError::Unavailable)?;
    let now = authority.now();
    let mut write = authority.store.write().await?;
    write.lock_account(account_id).await?;
    let before = write.factors(account_id).await?;
    let was_on = factors::are_on(&before);
    if !attempt.pass(&mut write, account_id).await? || !write.claim_message_token(token_id, now.millis()).await? {
        return Err(ConfirmError::NotRight);
    }
    // The number before goes in the transaction in which the new one counts: there is no moment without either.
    let old = before.iter().find(|factor| factor.counts() && factor.kind() == Some(FactorKind::Sms));
    if let Some(old) = old {
        write.delete_factor(account_id, &old.id).await?;
    }
    if !write.confirm_factor(&row.id, NAME, None, now.millis()).await? {
        return Err(ConfirmError::Ended);
    }
    link_token_account(authority, &mut write, &account, &phone).await?;
    if !was_on {
        recovery::make(authority, &mut write, account_id).await?;
        audit::record(authority, &mut write, visitor, signed_in.into(), Event::RecoveryCodesMade, None).await?;
    }
    reset::take_back(authority, &mut write, visitor, signed_in.into(), signed_in.email().as_str()).await?;
    write.cancel_challenges(account_id).await?;
    write.delete_other_sessions(account_id, signed_in.session_id()).await?;
    // The password was proven when the set-up started; the step-up counts from there.
    let stepped_up_at = Some(moment(row.created_at));
    let opened =
        sessions::renew(authority, &mut write, visitor, signed_in, Assurance::TwoFactor, stepped_up_at).await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::EnrolmentConfirmed, Some(FactorKind::Sms))
        .await?;
    if let Some(old) = old.and_then(FactorRow::phone).filter(|old| *old != phone) {
        tell_of_change(authority, &mut write, signed_in, visitor, &old).await?;
    } else {
        let notice = if was_on { Notice::FactorAdded(FactorKind::Sms) } else { Notice::TwoFactorEnabled };
        notice::queue(authority, &mut write, signed_in.email().as_str(), notice).await?;
    }
    write.commit().await?;
    Ok(opened)
}

/// Links the practice account with the token account of this phone and e-mail, made if need be. The phone is proven.
///
/// Where one of the two belongs to another token account, nothing is linked: anybody may sign up with an e-mail address, and
/// must not be able to keep its owner from two-factor authentication by that. The Security tab says it to who has proven the
/// phone, and no one else.
pub(crate) async fn link_token_account(
    authority: &Authority,
    write: &mut Write,
    account: &AccountRow,
    phone: &Phone,
) -> Result<(), Unavailable> {
    if let Some(before) = &account.token_account_id {
        // Whoever is alone on a token account keeps it, and with it devices and backup; what was under way for the old
        // number ends. Whoever is not alone keeps it with its old number.
        if write.move_token_account(before, phone.e164()).await? {
            write.end_registrations(before).await?;
        }
        return Ok(());
    }
    let (now, id) = (authority.now().millis(), authority.entropy.id());
    if let Some(found) = write.find_or_insert_token_account(&id, phone.e164(), &account.email, now).await? {
        write.link_token_account(&account.id, &found, now).await?;
    }
    Ok(())
}

/// A new number is a new factor: the old one and the mailbox are told (requirements.md SM-11).
async fn tell_of_change(
    authority: &Authority,
    write: &mut Write,
    signed_in: &SignedIn,
    visitor: &Visitor,
    old: &Phone,
) -> Result<(), Unavailable> {
    const TEXT: &str = "Twofold: tokens for your account go to another number from now on. If this was not you, ask your administrator at once.";
    audit::record(authority, write, visitor, signed_in.into(), Event::PhoneChanged, Some(FactorKind::Sms)).await?;
    outbox::queue(authority, write, Channel::Sms, old.e164(), TEXT).await?;
    let notice = Notice::PhoneChanged { ending: old.ending() };
    notice::queue(authority, write, signed_in.email().as_str(), notice).await
}

/// Leaves the set-up; nothing has changed.
///
/// # Errors
/// [`Unavailable`].
pub async fn cancel(authority: &Authority, signed_in: &SignedIn, visitor: &Visitor) -> Result<(), Unavailable> {
    let mut write = authority.store.write().await?;
    write.lock_account(signed_in.account_id()).await?;
    if write.delete_pending_factor(signed_in.account_id(), FactorKind::Sms.name()).await? {
        write.end_message_tokens(signed_in.account_id(), authority.now().millis()).await?;
        let subject = signed_in.into();
        audit::record(authority, &mut write, visitor, subject, Event::EnrolmentCancelled, Some(FactorKind::Sms))
            .await?;
    }
    Ok(write.commit().await?)
}
