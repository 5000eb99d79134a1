//! The request that is being answered, as server functions see it.

use authority::{
    Administrator, Authority, Challenge, ChallengeKey, Locked, Session, SessionKey, SignedIn, Visitor, sign_in,
};
use axum::http::header::LOCATION;
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use domain::Timestamp;
use domain::challenge::Over;
use domain::policy::Standing;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;
use server_fn::error::ServerFnUrlError;

use crate::error::AppError;
use crate::page::{Idle, PageData, Who};
use crate::pages::AFTER_SIGN_IN;
use crate::wire::Wire;

/// Who asks: the server crate's middleware finds it out once and puts it into the request's extensions.
#[derive(Clone)]
pub struct Visit {
    /// Where the request comes from.
    pub visitor: Visitor,
    /// The live session, if there is one and it may do everything that its account may.
    pub signed_in: Option<SignedIn>,
    /// The live session, if it may do nothing but set two-factor authentication up.
    pub must_enrol: Option<SignedIn>,
    /// The live session, if its screen has locked.
    pub locked: Option<Locked>,
    /// The cookie of a pending sign-in, live or not.
    pub challenge: Option<ChallengeKey>,
    /// The cookie of a session, live or not.
    pub session: Option<SessionKey>,
}

impl Visit {
    /// A visit with the session that its cookie names.
    #[must_use]
    pub fn new(
        visitor: Visitor,
        found: Option<Session>,
        challenge: Option<ChallengeKey>,
        session: Option<SessionKey>,
    ) -> Self {
        let mut visit = Self { visitor, signed_in: None, must_enrol: None, locked: None, challenge, session };
        match found {
            Some(Session::Open(signed_in)) => visit.signed_in = Some(signed_in),
            Some(Session::MustEnrol(signed_in)) => visit.must_enrol = Some(signed_in),
            Some(Session::Locked(locked)) => visit.locked = Some(locked),
            None => {}
        }
        visit
    }

    /// Where somebody with a live session is sent instead of the pages for people without one.
    pub(crate) fn inside(&self) -> Option<&'static str> {
        if self.signed_in.is_some() {
            Some(AFTER_SIGN_IN)
        } else if self.locked.is_some() {
            Some("/locked")
        } else if self.must_enrol.is_some() {
            Some(ENROL)
        } else {
            None
        }
    }

    /// Where this visitor is sent instead of `page`, which is for people who are signed in; `None` if it is open.
    #[must_use]
    pub fn sent_from(&self, page: &str) -> Option<String> {
        if self.signed_in.is_some() {
            None
        } else if self.locked.is_some() {
            Some(format!("/locked?next={page}"))
        } else if self.must_enrol.is_some() {
            Some(ENROL.to_owned())
        } else {
            Some(format!("/login?next={page}"))
        }
    }
}

/// Where those are sent who must set two-factor authentication up.
pub(crate) const ENROL: &str = "/login/enrol";

/// One call of a server function: the authority, and who calls.
pub(crate) struct Call {
    pub(crate) authority: Authority,
    pub(crate) visit: Visit,
}

impl Call {
    /// The call that is being answered.
    pub(crate) fn current() -> Result<Self, AppError> {
        let visit = use_context::<Parts>().and_then(|parts| parts.extensions.get::<Visit>().cloned());
        match (use_context::<Authority>(), visit) {
            (Some(authority), Some(visit)) => Ok(Self { authority, visit }),
            _ => Err(refuse(AppError::Unavailable)),
        }
    }

    pub(crate) fn visitor(&self) -> &Visitor {
        &self.visit.visitor
    }

    /// The proof that somebody is signed in; who is not is sent to log in, and then to `page`. Whoever tries to get past
    /// the token is noted.
    pub(crate) async fn signed_in(&self, page: &str) -> Result<&SignedIn, AppError> {
        if let Some(signed_in) = &self.visit.signed_in {
            return Ok(signed_in);
        }
        let has_session = self.visit.locked.is_some() || self.visit.must_enrol.is_some();
        if !has_session && let Ok(challenge) = self.find_challenge().await? {
            let noted = sign_in::note_skipped_step(&self.authority, self.visitor(), &challenge);
            noted.await.map_err(refuse)?;
        }
        Err(redirected(&self.visit.sent_from(page).unwrap_or_default()))
    }

    /// As [`Self::signed_in`], for the pages of set-up: who must set two-factor authentication up may use them too.
    pub(crate) async fn setting_up(&self, page: &str) -> Result<&SignedIn, AppError> {
        match &self.visit.must_enrol {
            Some(signed_in) => Ok(signed_in),
            None => self.signed_in(page).await,
        }
    }

    /// The proof that somebody manages the practice's accounts. Other people of the practice are refused.
    pub(crate) async fn administrator(&self, page: &str) -> Result<Administrator<'_>, AppError> {
        let signed_in = self.signed_in(page).await?;
        signed_in.administrator().ok_or_else(|| refuse(AppError::Forbidden))
    }

    /// The open challenge; without one the way leads back to `/login`, which says why.
    pub(crate) async fn challenge(&self) -> Result<Challenge, AppError> {
        self.find_challenge().await?.map_err(|_| redirected("/login"))
    }

    /// The challenge of the cookie, or why it is over; none at all is like a cancelled one.
    pub(crate) async fn find_challenge(&self) -> Result<Result<Challenge, Over>, AppError> {
        match &self.visit.challenge {
            Some(key) => sign_in::find_challenge(&self.authority, key).await.map_err(refuse),
            None => Ok(Err(Over::Cancelled)),
        }
    }

    /// What a page shows, as text: its own data, and what the frame around it needs.
    pub(crate) fn page(&self, body: &impl Wire) -> Result<String, AppError> {
        self.titled_page(None, body)
    }

    /// As [`Self::page`], with a title.
    pub(crate) fn titled_page(&self, title: Option<String>, body: &impl Wire) -> Result<String, AppError> {
        let who = self
            .visit
            .signed_in
            .as_ref()
            .or(self.visit.must_enrol.as_ref())
            .map(|signed_in| Who::of(signed_in, self.authority.now()));
        let page = serde_json::to_value(body).map(|body| PageData { who, title, failure: failure_of_address(), body });
        page.and_then(|page| serde_json::to_string(&page)).map_err(|_| refuse(AppError::Unavailable))
    }
}

/// What a function answers that is not of a page, as text.
pub(crate) fn answer(view: &impl Wire) -> Result<String, AppError> {
    serde_json::to_string(view).map_err(|_| refuse(AppError::Unavailable))
}

impl Who {
    fn of(signed_in: &SignedIn, now: Timestamp) -> Self {
        let enrol_by = match signed_in.standing(now) {
            Standing::Due { by } => Some(by),
            Standing::Free | Standing::MustEnrol => None,
        };
        let seconds_to = |at: Timestamp| u32::try_from(at.since(now).as_secs()).unwrap_or(u32::MAX);
        let idle =
            Idle { locks_in: signed_in.locks_at().map(seconds_to), ends_in: signed_in.idle_ends_at().map(seconds_to) };
        Self {
            enrol_by,
            check_up: signed_in.check_up_at().is_some_and(|at| at <= now),
            idle,
            first_name: signed_in.first_name().to_owned(),
            last_name: signed_in.last_name().to_owned(),
            practice: signed_in.practice_name().to_owned(),
            manages_accounts: signed_in.administrator().is_some(),
        }
    }
}

/// Turns a refusal into the error that people see, with its status.
///
/// The status is set for programs only: it is applied after the redirect that answers a browser's form and would undo it.
pub(crate) fn refuse(error: impl Into<AppError>) -> AppError {
    let error = error.into();
    if let (Some(parts), Some(response)) = (use_context::<Parts>(), use_context::<ResponseOptions>())
        && (is_page(&parts) || !accepts_html(&parts))
    {
        response.set_status(error.status());
    }
    error
}

/// Redirects, and is the error of a function that has nothing else to say.
pub(crate) fn redirected(path: &str) -> AppError {
    redirect(path);
    AppError::SignedOut
}

/// Sends the browser to `path`: a page that is being rendered answers 302 to any client, and so does a function to a plain
/// form; our own client gets a header and goes there by itself.
pub(crate) fn redirect(path: &str) {
    let Some(parts) = use_context::<Parts>() else { return };
    if !is_page(&parts) {
        leptos_axum::redirect(path);
    } else if let (Some(response), Ok(location)) = (use_context::<ResponseOptions>(), HeaderValue::from_str(path)) {
        response.insert_header(LOCATION, location);
        response.set_status(StatusCode::FOUND);
    }
}

/// The error of the last plain form post, from the address of the page that is being rendered.
fn failure_of_address() -> Option<AppError> {
    let parts = use_context::<Parts>()?;
    failure_of_query(parts.uri.query()?).filter(|_| is_page(&parts))
}

/// The last one counts: each failure is appended to the address of the page before.
fn failure_of_query(query: &str) -> Option<AppError> {
    let encoded = query.split('&').rev().find_map(|pair| pair.strip_prefix("__err="))?;
    // URL-safe base64; the padding alone is escaped in an address.
    Some(ServerFnUrlError::decode_err(&encoded.replace("%3D", "=")))
}

pub(crate) fn is_page(parts: &Parts) -> bool {
    !parts.uri.path().starts_with("/api/")
}

fn accepts_html(parts: &Parts) -> bool {
    let accept = parts.headers.get(axum::http::header::ACCEPT);
    accept.and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"))
}

#[cfg(test)]
mod tests {
    use domain::token::InvalidToken;

    use super::*;

    fn address(error: AppError) -> String {
        let address = ServerFnUrlError::new("/api/check_token", error).to_url("http://localhost/login/token?a=b");
        address.expect("an address").query().expect("a query").to_owned()
    }

    #[test]
    fn a_failure_comes_back_from_the_address() {
        for error in [AppError::TokenNotRight, AppError::Token(InvalidToken::TooShort(6)), AppError::SignInRefused] {
            assert_eq!(failure_of_query(&address(error)), Some(error));
        }
    }

    #[test]
    fn the_last_failure_counts() {
        let twice = format!("{}&{}", address(AppError::SignInRefused), address(AppError::Busy));
        assert_eq!(failure_of_query(&twice), Some(AppError::Busy));
    }

    #[test]
    fn a_crafted_address_shows_at_most_one_of_our_own_sentences() {
        for crafted in ["", "!", "PHNjcmlwdD4=", "eyJUb2tlbiI6IjxzY3JpcHQ-In0=", "bnVsbA==", "%3Cscript%3E"] {
            assert_eq!(failure_of_query(&format!("__err={crafted}")), Some(AppError::BadRequest), "{crafted:?}");
        }
        assert_eq!(failure_of_query("a=b"), None);
    }
}
