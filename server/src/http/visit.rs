//! Who the visitor is: the request's cookies become an [`app::Visit`].
//!
//! This happens once per request, and only for pages and server functions: looking a session up counts as the person's
//! activity. What the authenticator asks by itself every few seconds does not count, or a practice session in the same browser
//! would never be idle; it uses no session. If the authority cannot say who it is, nobody gets in.

use std::time::Duration;

use app::{Visit, cookies};
use authority::{Authority, BrowserKey, ChallengeKey, RememberCookie, Session, SessionKey, Unavailable, Visitor};
use axum::extract::{Request, State};
use axum::http::header::{COOKIE, USER_AGENT};
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::log::{ClientAddress, RequestId};
use super::refusal;

/// The longest part of `User-Agent` that is kept. It is shown in the list of signed-in browsers.
const MAX_USER_AGENT_CHARS: usize = 300;
/// How long the database may take to say who it is.
const PATIENCE: Duration = Duration::from_secs(5);

/// The layer.
pub(super) async fn recognise(State(authority): State<Authority>, mut request: Request, next: Next) -> Response {
    let is_of_device = app::authenticator::PATHS.contains(&request.uri().path());
    let session =
        cookie(request.headers(), cookies::SESSION).filter(|_| !is_of_device).and_then(SessionKey::from_cookie);
    let Ok(found) = find(&authority, session.as_ref()).await else {
        return refusal::answer(StatusCode::SERVICE_UNAVAILABLE, request.headers());
    };
    let visitor = visitor(request.headers(), request.extensions());
    let challenge = cookie(request.headers(), cookies::CHALLENGE).and_then(ChallengeKey::from_cookie);
    let visit = Visit::new(visitor, found, challenge, session);
    request.extensions_mut().insert(visit);
    next.run(request).await
}

async fn find(authority: &Authority, session: Option<&SessionKey>) -> Result<Option<Session>, Unavailable> {
    let Some(session) = session else { return Ok(None) };
    let found = tokio::time::timeout(PATIENCE, authority::sessions::recognise(authority, session)).await;
    found.unwrap_or(Err(Unavailable))
}

fn visitor(headers: &HeaderMap, extensions: &Extensions) -> Visitor {
    let address = extensions.get::<ClientAddress>().map_or_else(|| [0, 0, 0, 0].into(), |address| address.0);
    Visitor {
        address,
        user_agent: user_agent(headers),
        request_id: extensions.get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default(),
        browser: cookie(headers, cookies::BROWSER).and_then(BrowserKey::from_cookie),
        remembered: cookie(headers, cookies::REMEMBERED).and_then(RememberCookie::from_cookie),
    }
}

/// The value of a cookie. Two of one name are none: somebody else has set one of them.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut found = headers
        .get_all(COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(name)?.strip_prefix('='));
    let value = found.next()?;
    found.next().is_none().then_some(value)
}

/// The browser's name for itself, which it may choose freely: cut, and without what changes how a line is read.
fn user_agent(headers: &HeaderMap) -> String {
    let text = headers.get(USER_AGENT).map(|value| String::from_utf8_lossy(value.as_bytes())).unwrap_or_default();
    text.chars().filter(|&character| !is_invisible(character)).take(MAX_USER_AGENT_CHARS).collect()
}

/// Control characters, and those that turn the direction of a text.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(name: &'static str, lines: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name, HeaderValue::from_bytes(line).expect("a value"));
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let jar = headers("cookie", &[b"a=1; __Host-twofold-session=abc;b=2", b"c=3"]);
        assert_eq!(cookie(&jar, "__Host-twofold-session"), Some("abc"));
        assert_eq!(cookie(&jar, "c"), Some("3"));
        for name in ["__Host-twofold", "twofold-session", "d"] {
            assert_eq!(cookie(&jar, name), None, "{name}");
        }
    }

    #[test]
    fn two_cookies_of_one_name_are_none() {
        assert_eq!(cookie(&headers("cookie", &[b"a=1; a=2"]), "a"), None);
        assert_eq!(cookie(&headers("cookie", &[b"a=1", b"a=1"]), "a"), None);
    }

    #[test]
    fn the_name_of_the_browser_is_one_harmless_line() {
        let name = |line: &[u8]| user_agent(&headers("user-agent", &[line]));
        assert_eq!(name(b"Mozilla/5.0\t(X11)"), "Mozilla/5.0(X11)");
        assert_eq!(name("a\u{202e}b\u{feff}".as_bytes()), "ab");
        assert_eq!(name(&[b'a'; 1000]).len(), MAX_USER_AGENT_CHARS);
        assert_eq!(user_agent(&HeaderMap::new()), "");
    }
}
