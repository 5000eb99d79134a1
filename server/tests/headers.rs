//! What every answer forbids the browser (WH-1 to WH-5, attack A-74).

use std::collections::HashSet;

use axum::body::Body;
use axum::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, STRICT_TRANSPORT_SECURITY};
use axum::http::{Method, StatusCode};

use crate::support::{Answer, Client, TestApp};

const SIGN_IN_PAGES: [&str; 3] = ["/login", "/signup", "/help/two-factor"];
const ACCOUNT_PAGES: [&str; 3] = ["/account/profile", "/account/security", "/account/password"];

fn assert_strict(what: &str, answer: &Answer) {
    let lifetime = answer.header(STRICT_TRANSPORT_SECURITY);
    let seconds: u64 = lifetime
        .split(';')
        .find_map(|part| part.trim().strip_prefix("max-age="))
        .and_then(|seconds| seconds.parse().ok())
        .unwrap_or_default();
    assert!(seconds >= 31_536_000 && lifetime.contains("includeSubDomains"), "{what}: {lifetime}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("x-frame-options", "DENY"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    assert!(answer.header("permissions-policy").contains("otp-credentials=(self)"), "{what}");
    assert!(!answer.header("x-request-id").is_empty(), "{what}");
    let policy = answer.header(CONTENT_SECURITY_POLICY);
    for part in ["default-src", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    for part in ["unsafe-inline", "'unsafe-eval'", "http:", "https:", "*"] {
        assert!(!policy.contains(part), "{what}: {policy}");
    }
    for name in ["access-control-allow-origin", "server", "x-powered-by"] {
        assert!(!answer.headers.contains_key(name), "{what}: {name}");
    }
    assert!(answer.headers.get_all(CONTENT_SECURITY_POLICY).iter().count() == 1, "{what}");
}

/// The nonce of a page's policy, after everything in the page that needs it was seen to have it.
fn nonce_of_page(what: &str, answer: &Answer) -> String {
    let policy = answer.header(CONTENT_SECURITY_POLICY);
    let nonce = policy
        .split_once("script-src 'nonce-")
        .and_then(|(_, rest)| rest.split_once('\''))
        .unwrap_or_else(|| panic!("{what} has no nonce: {policy}"))
        .0;
    assert!(nonce.len() >= 22, "{what}: 128 bits are 22 characters: {nonce}");
    for part in [
        "'strict-dynamic'",
        "'wasm-unsafe-eval'",
        "object-src 'none'",
        "form-action 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
    ] {
        assert!(policy.contains(part), "{what}: {policy}");
    }
    let attribute = format!("nonce=\"{nonce}\"");
    for element in ["<script", "<style"] {
        for tag in answer.body.split(element).skip(1) {
            let tag = tag.split('>').next().unwrap_or_default();
            assert!(tag.contains(&attribute), "{what}: {element}{tag}>");
        }
    }
    assert!(answer.body.contains("<script"), "{what} starts no script");
    for inline in [" style=\"", " onclick=", " onsubmit=", " onload=", "javascript:"] {
        assert!(!answer.body.contains(inline), "{what}: {inline}");
    }
    nonce.to_owned()
}

#[tokio::test]
async fn every_kind_of_answer_has_them() {
    let app = TestApp::sqlite().await;
    let person = app.provider("ada").await;
    let mut visitor = app.anon();
    let mut answers = Vec::new();
    for (path, status) in [
        ("/login", StatusCode::OK),
        ("/account/security", StatusCode::FOUND),
        ("/login/token", StatusCode::FOUND),
        ("/nowhere", StatusCode::NOT_FOUND),
        ("/dev/outbox", StatusCode::NOT_FOUND),
        ("/favicon.svg", StatusCode::OK),
        ("/pkg/twofold.2.js", StatusCode::OK),
        ("/pkg/nothing.js", StatusCode::NOT_FOUND),
        ("/livez", StatusCode::OK),
        ("/readyz", StatusCode::OK),
        ("/api/log_in", StatusCode::METHOD_NOT_ALLOWED),
    ] {
        let answer = visitor.get(path).await;
        assert_eq!(answer.status, status, "{path}");
        answers.push((path.to_owned(), answer));
    }
    for client in Client::BOTH {
        let answer = visitor.post(client, "/api/log_in", &[("name", "nobody"), ("password", "wrong")]).await;
        answers.push((format!("a wrong password by {client:?}"), answer));
        let answer = visitor.post(client, "/api/nothing", &[]).await;
        answers.push((format!("no function by {client:?}"), answer));
        let mut browser = app.browser_of(&person);
        answers.push((format!("logging out by {client:?}"), browser.post(client, "/api/log_out", &[]).await));
    }
    for (method, path) in [(Method::PUT, "/login"), (Method::OPTIONS, "/api/log_in"), (Method::POST, "/api/log_in")] {
        let request = visitor.request(method.clone(), path).body(Body::empty()).expect("a request");
        answers.push((format!("{method} {path}"), visitor.send(request).await));
    }
    for (what, answer) in &answers {
        assert_strict(what, answer);
    }
}

#[tokio::test]
async fn every_page_has_a_fresh_nonce_and_every_script_carries_it() {
    let app = TestApp::sqlite().await;
    let person = app.provider("ada").await;
    let mut nonces = HashSet::new();
    let mut count = 0;
    for _ in 0..2 {
        for path in SIGN_IN_PAGES.into_iter().chain(["/nowhere"]) {
            nonces.insert(nonce_of_page(path, &app.anon().get(path).await));
            count += 1;
        }
        for path in ACCOUNT_PAGES {
            let answer = app.browser_of(&person).get(path).await;
            assert_eq!(answer.status, StatusCode::OK, "{path}");
            nonces.insert(nonce_of_page(path, &answer));
            count += 1;
        }
    }
    assert_eq!(nonces.len(), count);
}

#[tokio::test]
async fn nothing_but_files_is_kept_by_the_browser() {
    let app = TestApp::sqlite().await;
    let person = app.provider("ada").await;
    let mut browser = app.browser_of(&person);
    for path in SIGN_IN_PAGES.into_iter().chain(ACCOUNT_PAGES).chain(["/nowhere", "/livez", "/account/x.css"]) {
        assert_eq!(browser.get(path).await.header(CACHE_CONTROL), "no-store", "{path}");
    }
    for client in Client::BOTH {
        let answer = app.anon().post(client, "/api/log_in", &[("name", "nobody"), ("password", "wrong")]).await;
        assert_eq!(answer.header(CACHE_CONTROL), "no-store");
    }
    assert!(browser.get("/pkg/twofold.1.css").await.header(CACHE_CONTROL).contains("immutable"));
}

#[tokio::test]
async fn logging_out_clears_the_cache_and_not_what_the_authenticator_stores() {
    let app = TestApp::sqlite().await;
    let person = app.provider("ada").await;
    for client in Client::BOTH {
        let answer = app.browser_of(&person).post(client, "/api/log_out", &[]).await;
        assert_eq!(answer.header("clear-site-data"), "\"cache\"", "{client:?}");
    }
}

#[tokio::test]
async fn a_page_that_is_not_there_is_a_page_of_the_app() {
    let answer = TestApp::sqlite().await.anon().get("/nowhere").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(answer.header(CONTENT_TYPE).starts_with("text/html"));
    assert!(answer.body.contains("<h1"), "{}", answer.body);
}

#[tokio::test]
async fn an_answer_for_a_program_is_no_page() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    let request = visitor.request(Method::POST, "/api/log_in").header(ACCEPT, "application/json");
    let answer = visitor.send(request.body(Body::empty()).expect("a request")).await;
    assert_eq!(answer.header(CONTENT_TYPE), "application/json");
    assert_eq!(answer.header(CONTENT_SECURITY_POLICY).split(';').next(), Some("default-src 'none'"));
}
