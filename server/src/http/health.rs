//! Whether the server lives, and whether it should get requests.

use std::time::Duration;

use authority::Authority;
use authority::health::NotReady;
use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::get;

const LIVE: &str = "/livez";
const READY: &str = "/readyz";
/// How long the database may take to answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// The routes. They need no cookies and tell nothing but their state.
pub(super) fn routes(authority: Authority) -> Router {
    Router::new().route(LIVE, get(live)).route(READY, get(ready)).with_state(authority)
}

/// Whether this path is asked every few seconds by a machine.
pub(super) fn is_path(path: &str) -> bool {
    [LIVE, READY].contains(&path)
}

/// The process runs. A database that is away is no reason to restart it.
async fn live() -> impl IntoResponse {
    text(StatusCode::OK, "alive")
}

async fn ready(State(authority): State<Authority>) -> impl IntoResponse {
    match tokio::time::timeout(PATIENCE, authority::health::check(&authority)).await {
        Ok(Ok(())) => text(StatusCode::OK, "ready"),
        Ok(Err(error)) => text(StatusCode::SERVICE_UNAVAILABLE, &error.to_string()),
        Err(_) => text(StatusCode::SERVICE_UNAVAILABLE, &NotReady::Database.to_string()),
    }
}

fn text(status: StatusCode, line: &str) -> impl IntoResponse + use<> {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8")], format!("{line}\n"))
}
