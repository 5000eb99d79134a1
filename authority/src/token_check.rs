//! The check of a token, wherever it is asked for: counted first, compared in constant time, claimed once.
//!
//! 1. [`count`] writes the attempt down as a failure, and commits, before anything is compared (requirements.md R3).
//! 2. [`evaluate`] compares with every confirmed factor.
//! 3. A right token is claimed by [`Proven::claim`] inside the transaction of what it opens; a wrong one is written down
//!    by [`fail`]. What is refused unevaluated goes the same way, so that a lock costs and looks the same.

use std::time::Duration;

use domain::challenge::{Challenge as State, Over};
use domain::lockout::{Lockout, MAX_CONSECUTIVE, MAX_IN_LONG_WINDOW};
use domain::token::InvalidToken;
use domain::totp::Step;
use domain::{FactorKind, RecoveryCode, Token, TokenLengths};

use crate::audit::{self, Event, Subject};
use crate::message_token::{self, Binding};
use crate::notice::{self, Notice};
use crate::sign_in::{self, Challenge};
use crate::store::{FactorRow, LinkedAccountRow, Write};
use crate::{Authority, SignedIn, Unavailable, Visitor, factors};

/// Right password and wrong token: the owner is told at most this often (requirements.md TK-17).
const WRONG_TOKEN_NOTICE_INTERVAL: Duration = Duration::from_hours(1);
const RECOVERY_PREFIX: &str = "recovery:";

/// Where a token is typed.
#[derive(Clone, Copy)]
pub(crate) enum Surface<'a> {
    /// At the end of a pending sign-in.
    SignIn(&'a Challenge),
    /// In a session, to prove the person again.
    Session(&'a SignedIn),
    /// In a session, to confirm a factor that is being set up.
    Enrolment(&'a SignedIn),
    /// On a device, old or new, without a session.
    Device(&'a LinkedAccountRow),
}

impl<'a> Surface<'a> {
    pub(crate) fn subject(self) -> Subject<'a> {
        match self {
            Self::SignIn(challenge) => challenge.account().into(),
            Self::Session(signed_in) | Self::Enrolment(signed_in) => signed_in.into(),
            Self::Device(account) => account.into(),
        }
    }

    fn email(self) -> &'a str {
        match self {
            Self::SignIn(challenge) => &challenge.account().email,
            Self::Session(signed_in) | Self::Enrolment(signed_in) => signed_in.email().as_str(),
            Self::Device(account) => &account.email,
        }
    }

    /// Whether the role takes tokens of authenticators only.
    fn apps_only(self) -> bool {
        match self {
            Self::SignIn(challenge) => challenge.apps_only(),
            Self::Session(signed_in) | Self::Enrolment(signed_in) => signed_in.rule().apps_only,
            Self::Device(_) => false,
        }
    }

    fn wrong_event(self) -> Event {
        match self {
            Self::SignIn(_) | Self::Session(_) | Self::Device(_) => Event::TokenWrong,
            Self::Enrolment(_) => Event::EnrolmentFailed,
        }
    }
}

/// What was typed.
pub(crate) enum Typed {
    Token(Token),
    RecoveryCode(RecoveryCode),
}

impl Typed {
    /// Reads a token, or a recovery code where somebody has no phone at hand.
    ///
    /// # Errors
    /// What is wrong with it as a token.
    pub(crate) fn parse(raw: &str, lengths: TokenLengths) -> Result<Self, InvalidToken> {
        Token::parse(raw, lengths)
            .map(Self::Token)
            .or_else(|invalid| RecoveryCode::parse(raw).map(Self::RecoveryCode).map_err(|_| invalid))
    }
}

/// A counted attempt. Its record says "failed" until what it proved is claimed.
pub(crate) struct Attempt {
    id: String,
}

impl Attempt {
    /// Turns the record into a success, in the transaction of what the token opens or confirms.
    pub(crate) async fn pass(&self, write: &mut Write, account_id: &str) -> Result<bool, Unavailable> {
        Ok(write.pass_attempt(&self.id, account_id).await?)
    }
}

/// A token that was right when it was compared, and still has to be claimed.
pub(crate) struct Proven {
    pub(crate) attempt: Attempt,
    claim: Claim,
    pub(crate) factor: FactorKind,
}

enum Claim {
    Step { factor_id: String, step: Step },
    Message { token_id: String, factor_id: String },
    RecoveryCode { hash: Vec<u8> },
}

/// Counts a token before it is checked, in a transaction of its own; `None` if it must not be checked at all.
///
/// `tried` names what it will be compared with.
pub(crate) async fn count(
    authority: &Authority,
    visitor: &Visitor,
    surface: Surface<'_>,
    tried: &str,
) -> Result<Option<Attempt>, Unavailable> {
    let now = authority.now();
    let subject = surface.subject();
    let account_id = subject.account_id;
    let mut write = authority.store.write().await?;
    write.lock_account(account_id).await?;
    let admitted = if write.consecutive_failures(account_id).await? >= i64::from(MAX_CONSECUTIVE) {
        disable_tried(authority, &mut write, visitor, surface).await?;
        false
    } else {
        let most = i64::try_from(MAX_IN_LONG_WINDOW).unwrap_or(i64::MAX);
        let failures = write.latest_failures(account_id, most).await?;
        Lockout::of(&failures, now) == Lockout::Open && count_at_surface(authority, &mut write, surface).await?
    };
    let attempt = Attempt { id: authority.entropy.id() };
    if admitted {
        write.insert_attempt(&attempt.id, account_id, tried, now.millis()).await?;
        write.count_message_token_entry(account_id).await?;
    }
    write.commit().await?;
    Ok(admitted.then_some(attempt))
}

/// The surface's own limit: a challenge takes five tokens, a session must still be there. A device has none.
async fn count_at_surface(authority: &Authority, write: &mut Write, surface: Surface<'_>) -> Result<bool, Unavailable> {
    match surface {
        Surface::Session(signed_in) | Surface::Enrolment(signed_in) => {
            Ok(write.is_session_open(signed_in.session_id()).await?)
        }
        Surface::Device(_) => Ok(true),
        Surface::SignIn(challenge) => {
            let Some(row) = write.find_challenge_by_id(challenge.id()).await? else {
                return Ok(false);
            };
            match sign_in::state(&row).count_attempt(authority.now()) {
                Ok(State::Over(over)) => write.count_challenge_attempt(&row.id, Some(over.name())).await?,
                Ok(State::Open { .. }) => write.count_challenge_attempt(&row.id, None).await?,
                Err(Over::Passed | Over::TooManyTokens | Over::Expired | Over::Cancelled) => return Ok(false),
            }
            Ok(true)
        }
    }
}

/// A hundred failures in a row disable every factor tried in that run, until it is bound again (63B §3.2.2).
async fn disable_tried(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    surface: Surface<'_>,
) -> Result<(), Unavailable> {
    let subject = surface.subject();
    let lists = write.factors_tried_in_run(subject.account_id).await?;
    let mut tried: Vec<&str> = lists.iter().flat_map(|list| list.split_whitespace()).collect();
    tried.sort_unstable();
    tried.dedup();
    let mut any = false;
    for id in tried {
        let disabled = match id.strip_prefix(RECOVERY_PREFIX) {
            Some(set_id) => write.disable_recovery_set(subject.account_id, set_id, authority.now().millis()).await?,
            None => write.disable_factor(subject.account_id, id).await?,
        };
        if disabled {
            any = true;
            audit::record(authority, write, visitor, subject, Event::FactorDisabled, None).await?;
        }
    }
    // The run has had its effect; what was not tried in it starts with a run of its own.
    write.end_failure_run(subject.account_id).await?;
    if any {
        notice::queue(authority, write, surface.email(), Notice::FactorDisabled).await?;
    }
    Ok(())
}

/// Counts and compares what was typed; `None` refuses it, and has been written down.
pub(crate) async fn evaluate(
    authority: &Authority,
    visitor: &Visitor,
    surface: Surface<'_>,
    binding: &Binding,
    typed: &Typed,
) -> Result<Option<Proven>, Unavailable> {
    let account_id = surface.subject().account_id;
    let factors = factors::usable(authority.store.factors(account_id).await?, surface.apps_only());
    let candidates = match typed {
        Typed::Token(_) => confirmed_ids(&factors),
        Typed::RecoveryCode(_) => recovery_id(authority, account_id).await?,
    };
    let attempt = count(authority, visitor, surface, &candidates).await?;
    // Compared even when nothing may come of it: a lock shows in no answer's time.
    let found = match typed {
        Typed::Token(token) => find_token(authority, visitor, surface, &factors, binding, token).await?,
        Typed::RecoveryCode(code) => find_recovery_code(authority, account_id, code).await?,
    };
    match (attempt, found) {
        (Some(attempt), Some((factor, claim))) => Ok(Some(Proven { attempt, claim, factor })),
        (attempt, _) => {
            fail(authority, visitor, surface, attempt.as_ref()).await?;
            Ok(None)
        }
    }
}

fn confirmed_ids(factors: &[FactorRow]) -> String {
    let ids: Vec<&str> =
        factors.iter().filter(|factor| factor.is_confirmed()).map(|factor| factor.id.as_str()).collect();
    ids.join(" ")
}

async fn recovery_id(authority: &Authority, account_id: &str) -> Result<String, Unavailable> {
    let set = authority.store.find_recovery_set(account_id).await?;
    Ok(set.map_or_else(String::new, |set| format!("{RECOVERY_PREFIX}{}", set.id)))
}

/// The factor whose token was typed. Every confirmed factor and every step is computed, whichever matches.
async fn find_token(
    authority: &Authority,
    visitor: &Visitor,
    surface: Surface<'_>,
    factors: &[FactorRow],
    binding: &Binding,
    token: &Token,
) -> Result<Option<(FactorKind, Claim)>, Unavailable> {
    let live = authority.store.live_message_token(surface.subject().account_id).await?;
    let by_message = message_token::is_right(authority, live.as_ref(), binding, token);
    let mut found = None;
    for row in factors.iter().filter(|factor| factor.is_confirmed()) {
        let claim = match row.kind() {
            Some(kind @ (FactorKind::Totp | FactorKind::Authenticator)) => {
                let Ok(totp) = factors::open_totp(authority, row) else {
                    let subject = surface.subject();
                    audit::record_alone(authority, visitor, subject, Event::SecretDoesNotOpen, Some(kind)).await?;
                    continue;
                };
                let step = totp.find_step(token, authority.now());
                step.map(|step| (kind, Claim::Step { factor_id: row.id.clone(), step }))
            }
            Some(FactorKind::Sms) => live
                .as_ref()
                .filter(|_| by_message)
                .map(|live| (FactorKind::Sms, Claim::Message { token_id: live.id.clone(), factor_id: row.id.clone() })),
            Some(FactorKind::RecoveryCode) | None => None,
        };
        found = found.or(claim);
    }
    Ok(found)
}

async fn find_recovery_code(
    authority: &Authority,
    account_id: &str,
    code: &RecoveryCode,
) -> Result<Option<(FactorKind, Claim)>, Unavailable> {
    let hash = authority.digester.digest("recovery code", account_id, code.expose());
    let is_known = authority.store.has_recovery_code(account_id, &hash).await?;
    Ok(is_known.then_some((FactorKind::RecoveryCode, Claim::RecoveryCode { hash })))
}

/// Writes a refused token down, and tells the owner what is worth telling. `attempt` is `None` for one unevaluated.
pub(crate) async fn fail(
    authority: &Authority,
    visitor: &Visitor,
    surface: Surface<'_>,
    attempt: Option<&Attempt>,
) -> Result<(), Unavailable> {
    let now = authority.now();
    let subject = surface.subject();
    let mut write = authority.store.write().await?;
    let event = if attempt.is_some() { surface.wrong_event() } else { Event::TokenRefused };
    audit::record(authority, &mut write, visitor, subject, event, None).await?;
    if attempt.is_some() {
        let most = i64::try_from(MAX_IN_LONG_WINDOW).unwrap_or(i64::MAX);
        let failures = write.latest_failures(subject.account_id, most).await?;
        if matches!(Lockout::of(&failures, now), Lockout::Locked { .. }) {
            audit::record(authority, &mut write, visitor, subject, Event::TokensLocked, None).await?;
            notice::queue(authority, &mut write, surface.email(), Notice::TokensLocked).await?;
        } else if let Surface::SignIn(_) = surface {
            let before = (now - WRONG_TOKEN_NOTICE_INTERVAL).millis();
            if write.claim_wrong_token_notice(subject.account_id, now.millis(), before).await? {
                notice::queue(authority, &mut write, surface.email(), Notice::WrongToken).await?;
            }
        }
    }
    Ok(write.commit().await?)
}

impl Proven {
    /// Claims the token in the transaction of what it opens. False refuses: it was used before, on any surface, by any
    /// replica; the caller then drops the transaction and calls [`Self::reused`].
    pub(crate) async fn claim(
        &self,
        authority: &Authority,
        write: &mut Write,
        account_id: &str,
    ) -> Result<bool, Unavailable> {
        let now = authority.now().millis();
        write.lock_account(account_id).await?;
        let claimed = match &self.claim {
            Claim::Step { factor_id, step } => {
                let step = i64::try_from(step.number()).map_err(|_| Unavailable)?;
                write.claim_step(factor_id, step, now).await?
            }
            Claim::Message { token_id, factor_id } => {
                write.touch_factor(account_id, factor_id, now).await?
                    && write.claim_message_token(token_id, now).await?
            }
            Claim::RecoveryCode { hash } => write.claim_recovery_code(account_id, hash, now).await?,
        };
        Ok(claimed && self.attempt.pass(write, account_id).await?)
    }

    /// Writes down that a right token came a second time, and tells the owner (63B §3.1.4.2).
    pub(crate) async fn reused(
        self,
        authority: &Authority,
        visitor: &Visitor,
        surface: Surface<'_>,
    ) -> Result<(), Unavailable> {
        let mut write = authority.store.write().await?;
        write.mark_attempt_reused(&self.attempt.id).await?;
        let subject = surface.subject();
        audit::record(authority, &mut write, visitor, subject, Event::TokenReused, Some(self.factor)).await?;
        notice::queue(authority, &mut write, surface.email(), Notice::TokenReused).await?;
        Ok(write.commit().await?)
    }
}
