//! Sessions: signed-in browsers.

use std::time::Duration;

use domain::policy::{Member, Rule, Standing, asked_of, standing};
use domain::session::{Assurance, Lifetime, is_stepped_up as counts};
use domain::{Email, LocalPath, Role, Timestamp, check_up};

use crate::audit::{self, Event, Subject};
use crate::store::{NewSession, SignedInRow, Write};
use crate::{
    Authority, BrowserKey, ChallengeKey, Remembered, SessionKey, Unavailable, Visitor, moment, policy, sign_in,
};

/// Sessions that an account may have; opening one more ends the oldest (requirements.md SE-7).
const MAX_SESSIONS: i64 = 10;
/// Activity is written down at most this often, so that a page of ten requests costs one commit.
const TOUCH_INTERVAL: Duration = Duration::from_secs(10);

/// Proof that a request carries a live session.
#[derive(Clone)]
pub struct SignedIn {
    row: SignedInRow,
    email: Email,
    role: Role,
    assurance: Assurance,
}

/// Proof that whoever asks is signed in and manages the accounts of the practice.
#[derive(Clone, Copy)]
pub struct Administrator<'a>(&'a SignedIn);

impl<'a> Administrator<'a> {
    /// The administrator's session.
    #[must_use]
    pub fn signed_in(self) -> &'a SignedIn {
        self.0
    }

    /// The practice, and no other.
    #[must_use]
    pub fn practice_id(self) -> &'a str {
        self.0.practice_id()
    }
}

/// What the session of a cookie may do.
#[derive(Clone)]
pub enum Session {
    /// Everything that its account may.
    Open(SignedIn),
    /// The practice's deadline has passed, and what it asks for is not set up: set-up, help and log-out, nothing else.
    MustEnrol(SignedIn),
    /// The screen has locked: the App unlock PIN and log-out, nothing else.
    Locked(Locked),
}

/// Proof that a request carries a session whose screen has locked.
#[derive(Clone)]
pub struct Locked(SignedIn);

impl Locked {
    /// Whose session it is. It may be named, and nothing be done in it.
    #[must_use]
    pub fn signed_in(&self) -> &SignedIn {
        &self.0
    }
}

impl SignedIn {
    /// From a stored row; `None` if it holds what no release writes.
    fn from_row(row: SignedInRow) -> Option<Self> {
        let email = Email::parse(&row.email).ok()?;
        let role = Role::from_name(&row.role)?;
        let assurance = Assurance::from_name(&row.assurance)?;
        Some(Self { row, email, role, assurance })
    }

    /// Whose session it is.
    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.row.account_id
    }

    /// The account's practice.
    #[must_use]
    pub fn practice_id(&self) -> &str {
        &self.row.practice_id
    }

    /// The practice's name.
    #[must_use]
    pub fn practice_name(&self) -> &str {
        &self.row.practice_name
    }

    /// The account's user name.
    #[must_use]
    pub fn username(&self) -> &str {
        &self.row.username
    }

    /// The person's first name.
    #[must_use]
    pub fn first_name(&self) -> &str {
        &self.row.first_name
    }

    /// The person's last name.
    #[must_use]
    pub fn last_name(&self) -> &str {
        &self.row.last_name
    }

    /// The account's e-mail address.
    #[must_use]
    pub fn email(&self) -> &Email {
        &self.email
    }

    /// The role at the practice.
    #[must_use]
    pub fn role(&self) -> Role {
        self.role
    }

    /// The proof that the account manages others, if it does.
    #[must_use]
    pub fn administrator(&self) -> Option<Administrator<'_>> {
        (self.row.manages_accounts == 1).then_some(Administrator(self))
    }

    /// What is asked of the account: by the rule of its role, from the date that was told, and in person.
    #[must_use]
    pub fn rule(&self) -> Rule {
        asked_of(self.policy_member(), self.role_rule())
    }

    fn role_rule(&self) -> Rule {
        let (requirement, from) = (self.row.requirement.as_deref().unwrap_or_default(), self.row.required_from);
        policy::rule(requirement, from.unwrap_or(0), self.row.apps_only.unwrap_or(0))
    }

    /// How the account stands to the practice's policy.
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        standing(self.role_rule(), self.policy_member(), now)
    }

    fn policy_member(&self) -> Member {
        Member {
            role: self.role,
            required_from: self.row.personal_from.map(moment),
            enrol_by: self.row.enrol_by.map(moment),
            has_sms: self.row.sms_factors > 0,
            has_app: self.row.app_factors > 0,
        }
    }

    /// When the person is to be asked whether the way to a token is still at hand; `None` without a factor.
    #[must_use]
    pub fn check_up_at(&self) -> Option<Timestamp> {
        let proven_at = moment(self.row.proven_at?);
        Some(check_up::due_at(proven_at, self.row.check_up_put_off_at.map(moment)))
    }

    /// How the session was opened.
    #[must_use]
    pub fn assurance(&self) -> Assurance {
        self.assurance
    }

    /// When the session ends if nothing more is done in it.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.lifetime().ends_at()
    }

    /// When the session ends for want of activity; `None` if its absolute end comes first.
    #[must_use]
    pub fn idle_ends_at(&self) -> Option<Timestamp> {
        let Lifetime { active_at, idle, .. } = self.lifetime();
        Some(active_at + idle).filter(|at| *at == self.ends_at())
    }

    /// When the screen locks if nothing more is done; `None` where the practice does not ask for it, or no PIN is set.
    #[must_use]
    pub fn locks_at(&self) -> Option<Timestamp> {
        let minutes = self.lock_minutes().filter(|_| self.row.has_pin == 1)?;
        Some(moment(self.row.active_at) + Duration::from_mins(minutes.into()))
    }

    /// The minutes after which the screen would lock, were there a PIN to open it with.
    #[must_use]
    pub fn locks_with_pin(&self) -> Option<u32> {
        self.lock_minutes().filter(|_| self.row.has_pin == 0)
    }

    fn lock_minutes(&self) -> Option<u32> {
        u32::try_from(self.row.lock_minutes).ok().filter(|minutes| *minutes > 0)
    }

    /// The session's name in lists and in the audit trail. It is not its key.
    pub(crate) fn session_id(&self) -> &str {
        &self.row.session_id
    }

    pub(crate) fn stepped_up_at(&self) -> Option<Timestamp> {
        self.row.stepped_up_at.map(moment)
    }

    fn lifetime(&self) -> Lifetime {
        self.lifetime_of(self.row.opened_at, self.row.active_at)
    }

    /// The lifetime of one of the account's sessions.
    fn lifetime_of(&self, opened_at: i64, active_at: i64) -> Lifetime {
        let idle = Duration::from_mins(u64::try_from(self.row.idle_minutes).unwrap_or(0));
        Lifetime { opened_at: moment(opened_at), active_at: moment(active_at), idle }
    }
}

/// A session was opened or renewed: these are its cookies.
#[derive(Debug)]
pub struct OpenedSession {
    /// Its name in the audit trail.
    pub(crate) id: String,
    /// The key of the session.
    pub session: SessionKey,
    /// The key of the browser.
    pub browser: BrowserKey,
    /// The page first asked for.
    pub next: Option<LocalPath>,
    /// Recovery codes were made for it, and wait to be stored.
    pub has_codes: bool,
    /// The browser is remembered: what it needs the next time.
    pub remembered: Option<Remembered>,
}

/// A session in the list of signed-in browsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedInBrowser {
    /// Its name, to end it by.
    pub id: String,
    /// What the browser said of itself.
    pub user_agent: String,
    /// The network address at sign-in.
    pub address: String,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// The last activity, to about ten seconds.
    pub active_at: Timestamp,
    /// Whether it is the one that asks.
    pub is_this: bool,
    /// How it was opened.
    pub assurance: Assurance,
}

/// Why a session is not ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EndError {
    /// The account has no such session.
    #[error("no such session")]
    NotFound,
    /// The step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// The session of a cookie, if it lives and may do everything that its account may.
///
/// # Errors
/// [`Unavailable`].
pub async fn find(authority: &Authority, key: &SessionKey) -> Result<Option<SignedIn>, Unavailable> {
    Ok(match recognise(authority, key).await? {
        Some(Session::Open(signed_in)) => Some(signed_in),
        Some(Session::MustEnrol(_) | Session::Locked(_)) | None => None,
    })
}

/// The live session of a cookie. Counts as activity: call it once per request of a person's.
///
/// # Errors
/// [`Unavailable`].
pub async fn recognise(authority: &Authority, key: &SessionKey) -> Result<Option<Session>, Unavailable> {
    let now = authority.now();
    let row = authority.store.find_signed_in(&key.hash(authority)).await?;
    let Some(mut signed_in) = row.and_then(SignedIn::from_row).filter(|signed_in| signed_in.lifetime().is_alive(now))
    else {
        return Ok(None);
    };
    if signed_in.locks_at().is_some_and(|at| now >= at) {
        // It counts as no activity: the idle time goes on.
        return Ok(Some(Session::Locked(Locked(signed_in))));
    }
    if now.since(signed_in.lifetime().active_at) >= TOUCH_INTERVAL {
        let mut write = authority.store.write().await?;
        write.touch_session(signed_in.session_id(), now.millis()).await?;
        write.commit().await?;
        signed_in.row.active_at = now.millis();
    }
    Ok(Some(match signed_in.standing(now) {
        Standing::Free | Standing::Due { .. } => Session::Open(signed_in),
        Standing::MustEnrol => Session::MustEnrol(signed_in),
    }))
}

/// Whether the session's step-up still counts.
#[must_use]
pub fn is_stepped_up(authority: &Authority, signed_in: &SignedIn) -> bool {
    counts(signed_in.stepped_up_at(), authority.now())
}

/// The account's signed-in browsers, the most recently active first.
///
/// # Errors
/// [`Unavailable`].
pub async fn list(authority: &Authority, signed_in: &SignedIn) -> Result<Vec<SignedInBrowser>, Unavailable> {
    let now = authority.now();
    let rows = authority.store.sessions(signed_in.account_id()).await?;
    Ok(rows
        .into_iter()
        .filter(|row| signed_in.lifetime_of(row.opened_at, row.active_at).is_alive(now))
        .filter_map(|row| {
            Some(SignedInBrowser {
                is_this: row.id == signed_in.session_id(),
                assurance: Assurance::from_name(&row.assurance)?,
                opened_at: moment(row.opened_at),
                active_at: moment(row.active_at),
                id: row.id,
                user_agent: row.user_agent,
                address: row.address,
            })
        })
        .collect())
}

/// Ends another session of the same account.
///
/// # Errors
/// [`EndError`].
pub async fn end(authority: &Authority, signed_in: &SignedIn, visitor: &Visitor, id: &str) -> Result<(), EndError> {
    if !is_stepped_up(authority, signed_in) {
        return Err(EndError::StepUpNeeded);
    }
    let mut write = authority.store.write().await?;
    if !write.delete_session(signed_in.account_id(), id).await? {
        return Err(EndError::NotFound);
    }
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::SessionEnded, None).await?;
    Ok(write.commit().await?)
}

/// Ends the session and the pending sign-in of a browser, on the server.
///
/// # Errors
/// [`Unavailable`].
pub async fn log_out(
    authority: &Authority,
    visitor: &Visitor,
    session: Option<&SessionKey>,
    challenge: Option<&ChallengeKey>,
) -> Result<(), Unavailable> {
    if let Some(key) = session
        && let Some(signed_in) =
            authority.store.find_signed_in(&key.hash(authority)).await?.and_then(SignedIn::from_row)
    {
        let mut write = authority.store.write().await?;
        if write.delete_session(signed_in.account_id(), signed_in.session_id()).await? {
            audit::record(authority, &mut write, visitor, (&signed_in).into(), Event::LoggedOut, None).await?;
        }
        write.commit().await?;
    }
    if let Some(key) = challenge {
        sign_in::cancel(authority, visitor, key).await?;
    }
    Ok(())
}

/// Opens a session in the transaction that decided so, and notes the browser as a known one.
pub(crate) async fn open(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    subject: Subject<'_>,
    assurance: Assurance,
    next: Option<LocalPath>,
) -> Result<OpenedSession, Unavailable> {
    let now = authority.now().millis();
    let opened = keys(authority, visitor, authority.entropy.id(), next);
    write
        .insert_session(&NewSession {
            id: &opened.id,
            key_hash: &opened.session.hash(authority),
            account_id: subject.account_id,
            assurance: assurance.name(),
            opened_at: now,
            address: &visitor.address.to_string(),
            user_agent: &visitor.user_agent,
        })
        .await?;
    write.note_sign_in(subject.account_id, now).await?;
    write.delete_sessions_beyond(subject.account_id, MAX_SESSIONS).await?;
    write.note_known_browser(&opened.browser.hash(authority), subject.account_id, now).await?;
    Ok(opened)
}

/// Gives the session a new key at a change of privilege; the old cookie is dead with this commit.
///
/// # Errors
/// [`Unavailable`] if the session was ended meanwhile: then the change it asked for must not happen either.
pub(crate) async fn renew(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    signed_in: &SignedIn,
    assurance: Assurance,
    stepped_up_at: Option<Timestamp>,
) -> Result<OpenedSession, Unavailable> {
    let opened = keys(authority, visitor, signed_in.session_id().to_owned(), None);
    let renewed = write
        .renew_session(
            signed_in.session_id(),
            &opened.session.hash(authority),
            assurance.name(),
            stepped_up_at.map(Timestamp::millis),
            authority.now().millis(),
        )
        .await?;
    if renewed { Ok(opened) } else { Err(Unavailable) }
}

fn keys(authority: &Authority, visitor: &Visitor, id: String, next: Option<LocalPath>) -> OpenedSession {
    OpenedSession {
        id,
        session: SessionKey::generate(authority),
        browser: visitor.browser.clone().unwrap_or_else(|| BrowserKey::generate(authority)),
        next,
        has_codes: false,
        remembered: None,
    }
}
