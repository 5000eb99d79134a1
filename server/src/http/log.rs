//! One line for each request, and a name for it.
//!
//! Never in the line: the query (after a form without JavaScript it holds the error of the last one), headers, cookies,
//! bodies. Paths hold no secrets, for no route has one in it.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use authority::entropy::Entropy;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::address::TrustedProxies;
use super::health;

const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// No route is longer; what somebody else makes up is cut here.
const MAX_PATH_BYTES: usize = 200;

/// What the layer needs to know.
#[derive(Clone)]
pub(super) struct Log {
    pub(super) entropy: Arc<dyn Entropy>,
    pub(super) trusted_proxies: TrustedProxies,
}

/// The name of a request, in the log, in the audit trail and in its answer. Made here, never taken from the request.
#[derive(Clone, Debug)]
pub(super) struct RequestId(pub(super) String);

/// The address of the client, found once per request.
#[derive(Clone, Copy, Debug)]
pub(super) struct ClientAddress(pub(super) IpAddr);

/// The layer.
pub(super) async fn record(State(log): State<Log>, request: Request, next: Next) -> Response {
    let started = moment();
    let (mut parts, body) = request.into_parts();
    let mut random = [0; 8];
    log.entropy.fill(&mut random);
    let id = format!("{:016x}", u64::from_be_bytes(random));
    let address = log.trusted_proxies.client_of(&parts);
    parts.extensions.insert(RequestId(id.clone()));
    parts.extensions.insert(ClientAddress(address));
    let (method, path) = (parts.method.clone(), shortened(parts.uri.path()));

    let mut response = next.run(Request::from_parts(parts, body)).await;

    let status = response.status();
    let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
    if status.is_server_error() && status != StatusCode::SERVICE_UNAVAILABLE {
        tracing::error!(request = id, %method, path, status = status.as_u16(), millis, %address, "answered");
    } else if health::is_path(&path) {
        tracing::debug!(request = id, %method, path, status = status.as_u16(), millis, %address, "answered");
    } else {
        tracing::info!(request = id, %method, path, status = status.as_u16(), millis, %address, "answered");
    }
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(X_REQUEST_ID, id);
    }
    response
}

/// The path as it goes into the log: in the escaped form of the request, so no control character is in it.
fn shortened(path: &str) -> String {
    let end = (0..=path.len().min(MAX_PATH_BYTES)).rev().find(|&end| path.is_char_boundary(end)).unwrap_or(0);
    path[..end].to_owned()
}

#[expect(clippy::disallowed_methods, reason = "how long an answer took is measured for the log and decides nothing")]
fn moment() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};

    use axum::Router;
    use axum::body::Body;
    use axum::middleware::from_fn_with_state;
    use tower::ServiceExt;
    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl std::io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    impl<'a> MakeWriter<'a> for Lines {
        type Writer = Self;

        fn make_writer(&'a self) -> Self {
            self.clone()
        }
    }

    struct Zeros;

    impl Entropy for Zeros {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }

    /// What is logged of a request.
    async fn logged(request: Request) -> String {
        let lines = Lines::default();
        let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let log = Log { entropy: Arc::new(Zeros), trusted_proxies: TrustedProxies::in_front(0) };
        let router = Router::new().fallback(async || "body-secret").layer(from_fn_with_state(log, record));
        router.oneshot(request).await.expect("an answer");
        let bytes = lines.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        String::from_utf8(bytes).expect("text")
    }

    #[tokio::test]
    async fn a_request_is_one_line_without_what_it_carries() {
        let request = Request::builder()
            .method("POST")
            .uri("/login?__err=query-secret&to=5550101")
            .header("cookie", "__Host-twofold-session=cookie-secret")
            .header("referer", "https://twofold.test/?referer-secret")
            .header("user-agent", "agent-string")
            .body(Body::from("token=form-secret"))
            .expect("a request");
        let text = logged(request).await;
        assert_eq!(text.lines().count(), 1, "{text}");
        for part in ["method=POST", "path=\"/login\"", "status=200", "request=\"0000000000000000\"", "address=0.0.0.0"]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
        for part in ["secret", "5550101", "__err", "agent", "twofold.test"] {
            assert!(!text.contains(part), "{part}: {text}");
        }
    }

    #[tokio::test]
    async fn a_path_that_somebody_made_up_is_cut() {
        let path = format!("/{}%0a{}", "a".repeat(100), "b".repeat(10_000));
        let text = logged(Request::builder().uri(path).body(Body::empty()).expect("a request")).await;
        assert!(text.lines().count() == 1 && text.len() < 500, "{text}");
    }
}
