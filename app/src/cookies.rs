//! The four cookies.
//!
//! All are `__Host-` cookies: secure, of this host only, for every path, unreadable by scripts, and not sent along with
//! another site's posts. Their values are opaque; the store holds hashes of them.

use authority::{BrowserKey, ChallengeKey, OpenedSession, Remembered};
use axum::http::HeaderValue;
use axum::http::header::SET_COOKIE;
use leptos::prelude::use_context;
use leptos_axum::ResponseOptions;

/// The signed-in browser. It ends with the browser, or earlier by the server's decision.
pub const SESSION: &str = "__Host-twofold-session";
/// The pending sign-in.
pub const CHALLENGE: &str = "__Host-twofold-challenge";
/// A browser that has signed in before; it has a password delay of its own.
pub const BROWSER: &str = "__Host-twofold-browser";
/// A browser that is remembered: it asks for no token beside the password.
pub const REMEMBERED: &str = "__Host-twofold-remembered";

const YEAR_SECONDS: u32 = 31_536_000;

/// Sets the cookies of a new session, and ends the pending sign-in that led to it.
pub(crate) fn enter(opened: &OpenedSession) {
    set(SESSION, opened.session.expose(), "");
    set_browser(&opened.browser);
    clear(CHALLENGE);
    if let Some(Remembered { cookie, lifetime }) = &opened.remembered {
        set(REMEMBERED, &cookie.expose(), &format!("; Max-Age={}", lifetime.as_secs()));
    }
}

/// Sets the cookie of a new pending sign-in.
pub(crate) fn set_challenge(key: &ChallengeKey) {
    set(CHALLENGE, key.expose(), "");
}

/// Clears the cookies of the session and of the pending sign-in; the browser stays known, and remembered.
pub(crate) fn leave() {
    clear(SESSION);
    clear(CHALLENGE);
}

/// Clears one cookie.
pub(crate) fn clear(name: &str) {
    set(name, "", "; Max-Age=0");
}

fn set_browser(key: &BrowserKey) {
    set(BROWSER, key.expose(), &format!("; Max-Age={YEAR_SECONDS}"));
}

fn set(name: &str, value: &str, lifetime: &str) {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    // Values are base64url, or two of them with a dot, so a header takes them.
    if let Ok(mut header) = HeaderValue::try_from(cookie(name, value, lifetime)) {
        header.set_sensitive(true);
        response.append_header(SET_COOKIE, header);
    }
}

fn cookie(name: &str, value: &str, lifetime: &str) -> String {
    format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{lifetime}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_bound_to_the_host_and_hidden_from_scripts() {
        assert_eq!(
            cookie(SESSION, "abc", ""),
            "__Host-twofold-session=abc; Path=/; Secure; HttpOnly; SameSite=Lax",
            "__Host- forbids a Domain and asks for Secure and this Path"
        );
    }
}
