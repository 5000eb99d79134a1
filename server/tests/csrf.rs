//! Every route that changes something takes it from our own pages only (WH-6, WH-8, attack A-46).

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE, LOCATION, ORIGIN, REFERER};
use axum::http::{Method, StatusCode};

use crate::support::{Actor, Answer, ORIGIN as OURS, TestApp};

/// Every server function there is, so that a new one is covered by being there.
fn unsafe_routes() -> Vec<&'static str> {
    let functions: Vec<_> = server_fn::axum::server_fn_paths().collect();
    assert!(
        functions.iter().all(|(_, method)| *method == Method::POST),
        "no GET may reach a server function: {functions:?}"
    );
    let paths: Vec<_> = functions.into_iter().map(|(path, _)| path).collect();
    for expected in ["/api/log_in", "/api/log_out", "/api/check_token"] {
        assert!(paths.contains(&expected), "{expected} is not registered");
    }
    paths
}

async fn post(visitor: &mut Actor, path: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = visitor.request(Method::POST, path).header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    visitor.send(request.body(Body::empty()).expect("a request")).await
}

/// The layer's own refusal; a server function's carries the framework's mark.
fn is_refused_as_foreign(answer: &Answer) -> bool {
    answer.status == StatusCode::FORBIDDEN && !answer.headers.contains_key("serverfnerror")
}

const FOREIGN: &[&[(&str, &str)]] = &[
    &[],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "unheard-of")],
    &[("sec-fetch-site", "cross-site"), ("origin", OURS)],
    &[("sec-fetch-site", "same-site"), ("origin", OURS), ("referer", "https://twofold.test/login")],
    &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
    &[("origin", "null")],
    &[("origin", "https://evil.test")],
    &[("origin", "http://twofold.test")],
    &[("origin", "https://sub.twofold.test")],
    &[("origin", "https://twofold.test.evil.test")],
    &[("origin", "https://twofold.test:8443")],
    &[("referer", "https://twofold.test/login")],
    &[("host", "evil.test"), ("origin", "https://evil.test")],
    &[("host", "evil.test"), ("x-forwarded-host", "evil.test"), ("origin", "https://evil.test")],
];

const OWN: &[&[(&str, &str)]] = &[
    &[("sec-fetch-site", "same-origin")],
    &[("sec-fetch-site", "none")],
    &[("sec-fetch-site", "same-origin"), ("origin", OURS)],
    &[("origin", OURS)],
];

#[tokio::test]
async fn another_sites_post_is_refused_on_every_route() {
    let app = TestApp::sqlite().await;
    let person = app.provider("ada").await;
    for path in unsafe_routes() {
        for headers in FOREIGN {
            for accept in ["text/html", "application/json"] {
                let mut victim = app.browser_of(&person);
                let answer = post(&mut victim, path, &[*headers, &[("accept", accept)]].concat()).await;
                assert!(is_refused_as_foreign(&answer), "{path} {headers:?}: {answer:?}");
                assert!(!answer.headers.contains_key("set-cookie"), "{path} {headers:?}");
            }
        }
    }
    let mut victim = app.browser_of(&person);
    assert_eq!(victim.get("/account/security").await.status, StatusCode::OK, "the victim is still signed in");
}

#[tokio::test]
async fn our_own_pages_are_let_through_on_every_route() {
    let app = TestApp::sqlite().await;
    for path in unsafe_routes() {
        for headers in OWN {
            let answer = post(&mut app.anon(), path, headers).await;
            assert!(!is_refused_as_foreign(&answer), "{path} {headers:?}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn reading_needs_no_origin() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    for site in ["cross-site", "same-site", "none", "same-origin"] {
        let request = visitor.request(Method::GET, "/login").header(ACCEPT, "text/html").header("sec-fetch-site", site);
        let answer = visitor.send(request.body(Body::empty()).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::OK, "a link from {site}");
    }
}

#[tokio::test]
async fn no_other_content_type_slips_past_as_a_simple_request() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    for kind in ["text/plain", "multipart/form-data; boundary=x", "application/json", "application/cbor", ""] {
        let request = visitor.request(Method::POST, "/api/log_in").header(CONTENT_TYPE, kind).header(ORIGIN, OURS);
        let answer = visitor.send(request.body(Body::from("name=ada&password=x")).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
}

#[tokio::test]
async fn a_form_never_sends_the_browser_to_another_site() {
    let app = TestApp::sqlite().await;
    for referer in ["https://evil.test/", "https://twofold.test.evil.test/", "//evil.test", "javascript:alert(1)"] {
        let headers = [("sec-fetch-site", "same-origin"), (ACCEPT.as_str(), "text/html"), (REFERER.as_str(), referer)];
        let answer = post(&mut app.anon(), "/api/log_in", &headers).await;
        assert_eq!(answer.status, StatusCode::FOUND);
        let location = answer.header(LOCATION);
        assert!(location == "/" || location.starts_with("/login"), "{referer} led to {location}");
    }
}
