//! What every answer tells the browser to forbid.
//!
//! This layer stands outside of everything that answers, so refusals and crashes carry the headers too. A page sets its
//! own content security policy, because that one names the page's nonce; whatever comes here without one gets the
//! policy for answers that are no page.

use app::cookies;
use axum::extract::Request;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE, STRICT_TRANSPORT_SECURITY,
    X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");

/// The same on every answer, whatever else wants to set them.
const ALWAYS: [(HeaderName, &str); 6] = [
    // Two years, as the browsers' preload lists want; one is the least that ASVS 3.4.1 accepts.
    (STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    // Not `no-referrer`: a form without JavaScript finds its way back, with its error, by the referrer.
    (REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    // `frame-ancestors` says the same to every browser of today; this is for the others.
    (X_FRAME_OPTIONS, "DENY"),
];

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// What pages may use, but for the rest below: the token of a text message, and the clipboard to copy codes to.
macro_rules! permissions {
    ($rest:literal) => {
        concat!(
            "otp-credentials=(self), clipboard-write=(self), accelerometer=(), autoplay=(), clipboard-read=(), ",
            "display-capture=(), encrypted-media=(), fullscreen=(), geolocation=(), gyroscope=(), hid=(), magnetometer=(), ",
            "microphone=(), midi=(), payment=(), picture-in-picture=(), screen-wake-lock=(), serial=(), usb=(), ",
            "xr-spatial-tracking=(), ",
            $rest
        )
    };
}
const PERMISSIONS: &str = permissions!("camera=(), publickey-credentials-create=(), publickey-credentials-get=()");
/// The authenticator scans codes, and may be unlocked by the phone's own lock.
const AUTHENTICATOR_PERMISSIONS: &str =
    permissions!("camera=(self), publickey-credentials-create=(self), publickey-credentials-get=(self)");

/// When to come back after a 503.
const RETRY_AFTER_SECONDS: HeaderValue = HeaderValue::from_static("5");

/// For answers that are no page: nothing may load, run, post or frame.
const NO_PAGE: &str = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The policy of a page rendered with this nonce.
///
/// `'strict-dynamic'` lets the nonce alone decide which script starts, so an uploaded or reflected file on our own origin
/// never runs; `'wasm-unsafe-eval'` is what compiling WASM needs, and allows no `eval`.
pub(super) fn policy_of_page(nonce: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!(
        "default-src 'self'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; \
         style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; connect-src 'self'; manifest-src 'self'; \
         worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ))
    .ok()
}

/// For scripts. A page's policy decides whether they start there; a worker has the policy of its own script, and those of
/// the authenticator run its WASM and fetch its files.
const SCRIPT: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'";

/// The policy of the authenticator's document, whose one inline script has this SHA-256 in base64. A nonce is no help to a
/// document that a phone keeps.
fn policy_of_authenticator(script: &str) -> Option<HeaderValue> {
    HeaderValue::try_from(format!(
        "default-src 'none'; script-src 'self' 'sha256-{script}' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: \
         blob:; media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; object-src 'none'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ))
    .ok()
}

/// What the authenticator's document comes with. It is kept by its service worker; a browser without one asks each time.
pub(super) fn of_authenticator(script: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Some(policy) = policy_of_authenticator(script) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(PERMISSIONS_POLICY, HeaderValue::from_static(AUTHENTICATOR_PERMISSIONS));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers
}

/// The policy of the document that verifies audit exports: its own files, and nothing that could carry the export away.
const AUDIT_VERIFY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What that document comes with.
pub(super) fn of_audit_verify() -> HeaderMap {
    HeaderMap::from_iter([(CONTENT_SECURITY_POLICY, HeaderValue::from_static(AUDIT_VERIFY))])
}

/// What a script of the site comes with. The service worker of the authenticator stands in a folder below the page that it
/// is for, which a browser accepts only with a header.
pub(super) fn add_to_script(headers: &mut HeaderMap) {
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(SCRIPT));
    headers.insert("service-worker-allowed", HeaderValue::from_static("/authenticator"));
}

/// Whether the answer takes the session's cookie back.
fn ends_session(headers: &HeaderMap) -> bool {
    let cookies = headers.get_all(SET_COOKIE).iter().filter_map(|line| line.to_str().ok());
    cookies.filter_map(|line| line.strip_prefix(cookies::SESSION)).any(|line| line.starts_with("=;"))
}

/// The layer.
pub(super) async fn add(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let is_unavailable = response.status() == StatusCode::SERVICE_UNAVAILABLE;
    let headers = response.headers_mut();
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.entry(PERMISSIONS_POLICY).or_insert(HeaderValue::from_static(PERMISSIONS));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NO_PAGE));
    if ends_session(headers) {
        // Not "storage" and not "*": the authenticator keeps its devices' secrets there, and they outlive a session.
        headers.insert(CLEAR_SITE_DATA, HeaderValue::from_static("\"cache\""));
    }
    if is_unavailable {
        headers.entry(RETRY_AFTER).or_insert(RETRY_AFTER_SECONDS);
    }
    // Files say themselves how long they last; everything else may hold what belongs to one person.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}
