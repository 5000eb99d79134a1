//! What a request may be: its method, its size and its framing (OP-4, attack A-73, fault F-28).

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{ACCEPT, ALLOW, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use axum::http::{Method, Request, StatusCode};
use hyper::body::Frame;
use server::http::MAX_BODY_BYTES;

use crate::support::{Actor, TestApp};

const ROUTES: [&str; 7] =
    ["/login", "/account/security", "/api/log_in", "/livez", "/favicon.svg", "/nowhere", "/dev/clock"];

fn log_in(visitor: &Actor, body: Body) -> Request<Body> {
    let request = visitor.request(Method::POST, "/api/log_in").header("sec-fetch-site", "same-origin");
    request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body).expect("a request")
}

#[tokio::test]
async fn other_methods_are_refused_everywhere_and_grant_nothing() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    for path in ROUTES {
        for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"] {
            let method = Method::from_bytes(method.as_bytes()).expect("a method");
            let request = visitor.request(method.clone(), path).header("origin", "https://evil.test");
            let request = request.header("access-control-request-method", "POST").body(Body::empty());
            let answer = visitor.send(request.expect("a request")).await;
            assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED, "{method} {path}");
            assert!(!answer.header(ALLOW).is_empty());
            assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    for path in ROUTES {
        let get = visitor.get(path).await;
        let request = visitor.request(Method::HEAD, path).header(ACCEPT, "text/html").body(Body::empty());
        let head = visitor.send(request.expect("a request")).await;
        assert_eq!(head.status, get.status, "{path}");
        assert_eq!(head.header(CONTENT_TYPE), get.header(CONTENT_TYPE), "{path}");
        assert_eq!(head.body, "", "{path}");
    }
}

#[tokio::test]
async fn a_body_has_an_end() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    let longest = format!("name={}", "a".repeat(MAX_BODY_BYTES - "name=".len()));
    let answer = visitor.send(log_in(&visitor.clone(), Body::from(longest.clone()))).await;
    assert_ne!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let too_long = longest + "a";
    let answer = visitor.send(log_in(&visitor.clone(), Body::from(too_long.clone()))).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);

    let mut announced = log_in(&visitor, Body::empty());
    announced.headers_mut().insert(CONTENT_LENGTH, "10000000000".parse().expect("a number"));
    assert_eq!(visitor.send(announced).await.status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn a_body_in_chunks_is_refused() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    for path in ["/api/log_in", "/login"] {
        for method in [Method::GET, Method::POST] {
            let request = visitor.request(method.clone(), path).header(TRANSFER_ENCODING, "chunked");
            let request = request.header("sec-fetch-site", "same-origin").body(Body::empty());
            assert_eq!(
                visitor.send(request.expect("a request")).await.status,
                StatusCode::BAD_REQUEST,
                "{method} {path}"
            );
        }
    }
}

#[tokio::test]
async fn a_form_of_a_million_fields_is_small_or_refused() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    for (form, status) in [
        ("a&".repeat(8000), StatusCode::BAD_REQUEST),
        ((0..2000).map(|number| format!("{number}=")).collect::<Vec<_>>().join("&"), StatusCode::BAD_REQUEST),
        (format!("{}=1", "a[".repeat(4000)), StatusCode::BAD_REQUEST),
        ("a=1&".repeat(1_000_000), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(visitor.send(log_in(&visitor.clone(), Body::from(form))).await.status, status);
    }
}

#[tokio::test]
async fn a_body_that_stops_coming_is_not_waited_for() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    let request = log_in(&visitor, Body::new(Stuck(Some(Bytes::from_static(b"name=a")))));
    tokio::time::pause();
    let answer = tokio::time::timeout(Duration::from_secs(16), visitor.send(request)).await.expect("an answer in time");
    assert_eq!(answer.status, StatusCode::REQUEST_TIMEOUT);
}

/// A body that begins, and then says nothing for ever.
struct Stuck(Option<Bytes>);

impl HttpBody for Stuck {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match self.0.take() {
            Some(piece) => Poll::Ready(Some(Ok(Frame::data(piece)))),
            None => Poll::Pending,
        }
    }
}
