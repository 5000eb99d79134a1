//! What a request may be, before anybody looks into it: which methods, how big, how long.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{ALLOW, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use super::{form, refusal};

/// The longest body. No form of a page comes near.
pub const MAX_BODY_BYTES: usize = 16 * 1024;
/// The longest body of the one function that takes more: the authenticator's encrypted backup.
const MAX_BACKUP_BODY_BYTES: usize = 256 * 1024;
/// Where that function is.
const SAVE_BACKUP: &str = "/api/save_backup";
/// How long a body may take to arrive.
const BODY_PATIENCE: Duration = Duration::from_secs(15);
/// How long an answer may take to begin.
const ANSWER_PATIENCE: Duration = Duration::from_secs(30);
/// The only methods that any route knows.
const METHODS: [Method; 3] = [Method::GET, Method::HEAD, Method::POST];
const FORM: &str = "application/x-www-form-urlencoded";

/// The layer over everything: methods, framing and time.
pub(super) async fn check(request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    if !METHODS.contains(request.method()) {
        // OPTIONS too: no other site may ask for anything here, and none is told so by a grant that is missing.
        let mut response = refusal::answer(StatusCode::METHOD_NOT_ALLOWED, &headers);
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
        return response;
    }
    if headers.contains_key(TRANSFER_ENCODING) {
        // No browser sends a form in chunks. Where a length stands beside them, one of the servers on the way may have
        // read the body differently (request smuggling), and the HTTP library does not show us that length.
        return refusal::answer(StatusCode::BAD_REQUEST, &headers);
    }
    match tokio::time::timeout(ANSWER_PATIENCE, next.run(request)).await {
        Ok(response) => response,
        Err(_) => refusal::answer(StatusCode::SERVICE_UNAVAILABLE, &headers),
    }
}

/// The layer over everything that takes forms: the whole body is here, is a form and holds each field once, before
/// anything else happens. So nothing further in waits for a slow sender, and every field has one meaning.
pub(super) async fn read_form(request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let most = if parts.uri.path() == SAVE_BACKUP { MAX_BACKUP_BODY_BYTES } else { MAX_BODY_BYTES };
    match read(&parts.headers, body, most).await {
        Ok(form) => next.run(Request::from_parts(parts, Body::from(form))).await,
        Err(status) => refusal::answer(status, &parts.headers),
    }
}

async fn read(headers: &HeaderMap, body: Body, most: usize) -> Result<Bytes, StatusCode> {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(0_u64);
    if length > most as u64 {
        return Err(StatusCode::PAYLOAD_TOO_LARGE);
    }
    let collected = tokio::time::timeout(BODY_PATIENCE, Limited::new(body, most).collect())
        .await
        .map_err(|_| StatusCode::REQUEST_TIMEOUT)?;
    let form = match collected {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(StatusCode::PAYLOAD_TOO_LARGE),
        Err(_) => return Err(StatusCode::BAD_REQUEST),
    };
    // A post without any field may come without a type.
    if form.is_empty() {
        return Ok(form);
    }
    if !is_form(headers) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    form::check(&form).map_err(|_| StatusCode::BAD_REQUEST)?;
    Ok(form)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default();
    kind.trim().eq_ignore_ascii_case(FORM)
}
