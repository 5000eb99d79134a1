//! The status of a server function's error.
//!
//! The app sets it for its own errors. For those that arise before the function is reached, or while it redirects, the
//! framework answers 500; this layer says what they are instead, so that a 500 means a fault of ours and nothing else.

use app::AppError;
use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{HeaderName, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::refusal;

/// By this the framework marks errors of server functions.
const SERVER_FN_ERROR: HeaderName = HeaderName::from_static("serverfnerror");
/// An error is one word, or a few numbers.
const MAX_ERROR_BYTES: usize = 1024;

/// The layer.
pub(super) async fn settle(request: Request, next: Next) -> Response {
    let headers = request.headers().clone();
    let response = next.run(request).await;
    let is_unsettled = response.status() == StatusCode::INTERNAL_SERVER_ERROR;
    if !is_unsettled || !response.headers().contains_key(SERVER_FN_ERROR) {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    let Ok(body) = to_bytes(body, MAX_ERROR_BYTES).await else {
        return refusal::answer(StatusCode::SERVICE_UNAVAILABLE, &headers);
    };
    parts.status = match serde_json::from_slice(&body) {
        Ok(AppError::BadRequest) => StatusCode::BAD_REQUEST,
        Ok(AppError::SignedOut) => StatusCode::UNAUTHORIZED,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    parts.headers.remove(CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body))
}
