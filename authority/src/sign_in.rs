//! Signing in: a right password opens a challenge, a right token closes it.

use domain::challenge::{Challenge as State, LIFE, MAX_FAILURES, Over};
use domain::message::Channel;
use domain::recovery_code::InvalidRecoveryCode;
use domain::session::Assurance;
use domain::token::InvalidToken;
use domain::{Email, FactorKind, LocalPath, Password, RecoveryCode, Token, Username};

use crate::audit::{self, Event, Subject};
use crate::message_token::{self, Binding};
use crate::methods::{self, Methods};
use crate::notice::{self, Notice};
pub use crate::password::PasswordRefused;
use crate::store::{AccountRow, ChallengeRow, Credentials, NewChallenge, Write};
use crate::token_check::{self, Surface, Typed};
use crate::{
    Authority, ChallengeKey, OpenedSession, SendRefused, Unavailable, Visitor, enrol_sms, factors, moment, password,
    recovery, remembered, reset, sessions,
};

/// Proof that a request carries an open challenge: the password was right, the token is missing. It opens nothing but
/// the token pages.
#[derive(Clone)]
pub struct Challenge {
    row: ChallengeRow,
    account: AccountRow,
}

impl Challenge {
    pub(crate) fn id(&self) -> &str {
        &self.row.id
    }

    pub(crate) fn account(&self) -> &AccountRow {
        &self.account
    }

    /// Whether tokens in messages live until they are used (requirements.md D2).
    fn lives_until_used(&self) -> bool {
        self.account.sms_until_used == 1
    }

    /// Whether the role takes tokens of authenticators only.
    pub(crate) fn apps_only(&self) -> bool {
        self.account.apps_only == 1
    }

    /// Days for which this browser may be remembered; 0 where the practice does not allow it.
    #[must_use]
    pub fn remember_days(&self) -> u32 {
        remembered::days(&self.account)
    }

    fn binding(&self) -> Binding {
        if self.lives_until_used() { Binding::account() } else { Binding::challenge(&self.row.id) }
    }
}

/// A stored challenge in the domain's terms.
pub(crate) fn state(row: &ChallengeRow) -> State {
    match &row.over {
        // A word that no release writes ends it.
        Some(over) => State::Over(Over::from_name(over).unwrap_or(Over::Cancelled)),
        None => State::Open {
            expires_at: moment(row.expires_at),
            failures: u32::try_from(row.failures).unwrap_or(u32::MAX),
        },
    }
}

/// What a right password leads to.
#[derive(Debug)]
pub enum PasswordStep {
    /// The account has no factor, or the browser is remembered.
    SignedIn(OpenedSession),
    /// A token is needed.
    TokenNeeded(ChallengeKey),
}

/// Why a token does not sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefused {
    /// It is no token; it was not looked at and does not count.
    #[error(transparent)]
    Malformed(InvalidToken),
    /// Wrong, used, run out, locked, or the challenge is over: one answer for all.
    #[error("not right")]
    NotRight,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Why a recovery code does not sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecoveryRefused {
    /// It is no recovery code; it was not looked at and does not count.
    #[error(transparent)]
    Malformed(InvalidRecoveryCode),
    /// Wrong, used, locked, or the challenge is over: one answer for all.
    #[error("not right")]
    NotRight,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// The password step. Unknown names, wrong passwords and deactivated accounts get one answer at one cost.
///
/// # Errors
/// [`PasswordRefused`].
pub async fn with_password(
    authority: &Authority,
    visitor: &Visitor,
    name: &str,
    password: String,
    next: Option<LocalPath>,
) -> Result<PasswordStep, PasswordRefused> {
    let password = Password::typed(password).map_err(|_| PasswordRefused::Wrong)?;
    let name = name.trim().to_lowercase();
    let found = find_credentials(authority, &name).await?;
    let proven = password::prove(authority, visitor, &name, found.as_ref(), &password).await?;
    let credentials = found.ok_or(PasswordRefused::Wrong)?;
    reset::own::finish(authority, visitor, &credentials.id).await?;
    let account = authority.store.find_account(&credentials.id).await?.ok_or(PasswordRefused::Wrong)?;

    let mut write = authority.store.write().await?;
    proven.settle(&mut write, &credentials.id).await?;
    // Looked at under the lock: whoever has waited for an enrolment to be confirmed needs a token.
    let step = if !factors::are_on(&write.factors(&credentials.id).await?) {
        let subject = (&credentials).into();
        let opened = sessions::open(authority, &mut write, visitor, subject, Assurance::Password, next).await?;
        let subject = Subject { session_id: Some(&opened.id), ..subject };
        audit::record(authority, &mut write, visitor, subject, Event::SignedIn, None).await?;
        PasswordStep::SignedIn(opened)
    } else if let Some(opened) = remembered::enter(authority, &mut write, visitor, &account, next.clone()).await? {
        PasswordStep::SignedIn(opened)
    } else {
        let key = ChallengeKey::generate(authority);
        let now = authority.now();
        let new = NewChallenge {
            id: &authority.entropy.id(),
            key_hash: &key.hash(authority),
            account_id: &credentials.id,
            created_at: now.millis(),
            expires_at: (now + LIFE).millis(),
            next_path: next.as_ref().map(LocalPath::as_str),
        };
        write.insert_challenge(&new).await?;
        audit::record(authority, &mut write, visitor, (&credentials).into(), Event::ChallengeOpened, None).await?;
        PasswordStep::TokenNeeded(key)
    };
    write.commit().await?;
    Ok(step)
}

pub(crate) async fn find_credentials(authority: &Authority, name: &str) -> Result<Option<Credentials>, Unavailable> {
    if let Ok(email) = Email::parse(name) {
        Ok(authority.store.find_credentials_by_email(email.as_str()).await?)
    } else if let Ok(username) = Username::parse(name) {
        Ok(authority.store.find_credentials_by_username(username.as_str()).await?)
    } else {
        Ok(None)
    }
}

/// The open challenge of a cookie, or why it is over; a cookie that was never ours counts as run out.
///
/// # Errors
/// [`Unavailable`].
pub async fn find_challenge(authority: &Authority, key: &ChallengeKey) -> Result<Result<Challenge, Over>, Unavailable> {
    let Some(row) = authority.store.find_challenge(&key.hash(authority)).await? else {
        return Ok(Err(Over::Expired));
    };
    if let State::Over(over) = state(&row).at(authority.now()) {
        return Ok(Err(over));
    }
    let account = authority.store.find_account(&row.account_id).await?;
    Ok(account.map(|account| Challenge { row, account }).ok_or(Over::Cancelled))
}

/// What the token page shows.
///
/// # Errors
/// [`Unavailable`].
pub async fn methods(authority: &Authority, challenge: &Challenge) -> Result<Methods, Unavailable> {
    let left = state(&challenge.row).tries_left(authority.now());
    methods::of(
        authority,
        &challenge.account.id,
        challenge.apps_only(),
        &challenge.binding(),
        (left, MAX_FAILURES - left),
    )
    .await
}

/// Sends a token by text message or call. The token works for this challenge only, and replaces any older one.
///
/// # Errors
/// [`SendRefused`].
pub async fn request_token(
    authority: &Authority,
    visitor: &Visitor,
    challenge: &Challenge,
    channel: Channel,
) -> Result<(), SendRefused> {
    let factors = factors::usable(authority.store.factors(&challenge.account.id).await?, challenge.apps_only());
    let recipient = factors::message_recipient(&factors).ok_or(SendRefused::NoPhone)?;
    let subject = (&challenge.account).into();
    message_token::send_alone(authority, visitor, subject, &recipient, channel, &challenge.binding()).await
}

/// The token step. Whoever wants the browser to be remembered, and may, needs no token there for some days.
///
/// # Errors
/// [`TokenRefused`].
pub async fn with_token(
    authority: &Authority,
    visitor: &Visitor,
    challenge: &Challenge,
    raw: &str,
    remember: bool,
) -> Result<OpenedSession, TokenRefused> {
    let factors = factors::usable(authority.store.factors(&challenge.account.id).await?, challenge.apps_only());
    let token = Token::parse(raw, factors::token_lengths(&factors)).map_err(TokenRefused::Malformed)?;
    pass(authority, visitor, challenge, &Typed::Token(token), remember).await?.ok_or(TokenRefused::NotRight)
}

/// The token step with a recovery code instead.
///
/// # Errors
/// [`RecoveryRefused`].
pub async fn with_recovery_code(
    authority: &Authority,
    visitor: &Visitor,
    challenge: &Challenge,
    raw: &str,
) -> Result<OpenedSession, RecoveryRefused> {
    let code = RecoveryCode::parse(raw).map_err(RecoveryRefused::Malformed)?;
    pass(authority, visitor, challenge, &Typed::RecoveryCode(code), false).await?.ok_or(RecoveryRefused::NotRight)
}

/// Checks what was typed and, in one transaction, claims it, closes the challenge, opens the session, writes the audit
/// row and queues the notices.
async fn pass(
    authority: &Authority,
    visitor: &Visitor,
    challenge: &Challenge,
    typed: &Typed,
    remember: bool,
) -> Result<Option<OpenedSession>, Unavailable> {
    let surface = Surface::SignIn(challenge);
    let account = &challenge.account;
    let Some(proven) = token_check::evaluate(authority, visitor, surface, &challenge.binding(), typed).await? else {
        return Ok(None);
    };
    let now = authority.now().millis();
    let mut write = authority.store.write().await?;
    if !proven.claim(authority, &mut write, &account.id).await? {
        drop(write);
        proven.reused(authority, visitor, surface).await?;
        return Ok(None);
    }
    if !write.pass_challenge(challenge.id(), now).await? {
        drop(write);
        token_check::fail(authority, visitor, surface, Some(&proven.attempt)).await?;
        return Ok(None);
    }
    write.end_message_tokens(&account.id, now).await?;
    let next = challenge.row.next_path.as_deref().and_then(|path| LocalPath::parse(path).ok());
    let subject = account.into();
    if proven.factor == FactorKind::RecoveryCode {
        // Whoever holds the lost phone may hold a session as well (requirements.md EN-8).
        write.delete_sessions(&account.id).await?;
        reset::take_back(authority, &mut write, visitor, subject, &account.email).await?;
    } else {
        // Who has a token has not lost the phone. What administrators asked for stays: the token may be a thief's.
        reset::own::cancel_waiting(authority, &mut write, visitor, account).await?;
    }
    if proven.factor == FactorKind::Sms {
        link_token_account(authority, &mut write, account).await?;
    }
    let mut opened = sessions::open(authority, &mut write, visitor, subject, Assurance::TwoFactor, next).await?;
    if remember {
        opened.remembered = remembered::remember(authority, &mut write, visitor, account, &opened.browser).await?;
    }
    if !write.has_recovery_set(&account.id).await? {
        // An administrator turned it on, and this token is the first: it has confirmed the number.
        recovery::make(authority, &mut write, &account.id).await?;
        audit::record(authority, &mut write, visitor, subject, Event::EnrolmentConfirmed, Some(proven.factor)).await?;
        audit::record(authority, &mut write, visitor, subject, Event::RecoveryCodesMade, None).await?;
        opened.has_codes = true;
    }
    let in_session = Subject { session_id: Some(&opened.id), ..subject };
    audit::record(authority, &mut write, visitor, in_session, Event::SignedIn, Some(proven.factor)).await?;
    if proven.factor == FactorKind::RecoveryCode {
        let left = write.recovery_codes_left(&account.id).await?;
        audit::record(authority, &mut write, visitor, subject, Event::RecoveryCodeUsed, Some(proven.factor)).await?;
        tell_of_recovery_code(authority, &mut write, account, left).await?;
    }
    write.commit().await?;
    Ok(Some(opened))
}

/// Every known address is told that a recovery code signed in (requirements.md RC-6).
async fn tell_of_recovery_code(
    authority: &Authority,
    write: &mut Write,
    account: &AccountRow,
    left: i64,
) -> Result<(), Unavailable> {
    notice::queue(authority, write, &account.email, Notice::RecoveryCodeUsed { left }).await?;
    let text = format!(
        "Twofold: somebody signed in to your account with a recovery code. Codes left: {left}. If this was not you, ask your administrator at once."
    );
    reset::tell_phones(authority, write, account, &text).await
}

/// Links an account without a token account, now that its phone is proven: an administrator has assigned the number, or it
/// was not free when it was confirmed.
async fn link_token_account(authority: &Authority, write: &mut Write, account: &AccountRow) -> Result<(), Unavailable> {
    if account.token_account_id.is_some() {
        return Ok(());
    }
    let factors = write.factors(&account.id).await?;
    match factors::message_recipient(&factors) {
        Some(proven) => enrol_sms::link_token_account(authority, write, account, &proven.phone).await,
        None => Ok(()),
    }
}

/// Cancels the challenge of a cookie; a token that went out for it is dead.
///
/// # Errors
/// [`Unavailable`].
pub async fn cancel(authority: &Authority, visitor: &Visitor, key: &ChallengeKey) -> Result<(), Unavailable> {
    let Ok(challenge) = find_challenge(authority, key).await? else {
        return Ok(());
    };
    let mut write = authority.store.write().await?;
    write.lock_account(&challenge.account.id).await?;
    if write.cancel_challenge(challenge.id()).await? {
        if !challenge.lives_until_used() {
            write.end_message_tokens(&challenge.account.id, authority.now().millis()).await?;
        }
        audit::record(authority, &mut write, visitor, challenge.account().into(), Event::SignInCancelled, None).await?;
    }
    Ok(write.commit().await?)
}

/// Writes down that somebody with an open challenge asked for a page behind the token.
///
/// # Errors
/// [`Unavailable`].
pub async fn note_skipped_step(
    authority: &Authority,
    visitor: &Visitor,
    challenge: &Challenge,
) -> Result<(), Unavailable> {
    Ok(audit::record_alone(authority, visitor, challenge.account().into(), Event::StepSkipped, None).await?)
}
