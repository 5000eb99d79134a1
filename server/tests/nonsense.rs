//! Requests that no page sends (TK-12, attacks A-4, A-25, A-26, A-79): a defined answer, never a 500.

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{Method, StatusCode};

use crate::support::actor::encode;
use crate::support::{Client, PASSWORD, PHONE, Person, TestApp};

/// Bodies that no form makes, whatever the function.
fn broken_bodies() -> Vec<Vec<u8>> {
    let texts = [
        "token[]=123456",
        "token%5B%5D=123456&token%5B%5D=654321",
        "token[0]=123456",
        "token[a][b][c][d][e][f]=1",
        "token=000000&token=123456",
        "token=000000&%74oken=123456",
        "name=ada&name=bob",
        "token=%00",
        "name=a%00b",
        "token=%ff%fe",
        "token=%",
        "token=%zz",
        "token",
        "=",
        "&&&",
        "{\"token\":\"123456\"}",
        "[]",
        "null",
    ];
    let mut bodies: Vec<_> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
    bodies.push(b"token=\xff\xfe".to_vec());
    bodies.push(vec![0; 100]);
    bodies.push(b"[".repeat(10_000));
    bodies
}

/// Values for a field that are no token.
const NO_TOKENS: [&str; 18] = [
    "",
    " ",
    "null",
    "true",
    "[]",
    "{}",
    "1e5",
    "-12345",
    "+12345",
    "0x1234",
    "12345",
    "12345678",
    "１２３４５６",
    "١٢٣٤٥٦",
    "12345a",
    "123456\u{200b}",
    "123456; DROP TABLE accounts",
    "1111111111111111111111111111111111111111111111111111111111111111111111",
];

async fn person(app: &TestApp) -> Person {
    app.provider_with_two_factors("ada", PHONE).await
}

#[tokio::test]
async fn no_body_makes_any_function_fail() {
    let app = TestApp::sqlite().await;
    let functions: Vec<_> = server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    let person = person(&app).await;
    for function in functions {
        for body in broken_bodies() {
            for client in Client::BOTH {
                for mut visitor in [app.anon(), app.browser_of(&person)] {
                    let answer = visitor.post_body(client, function, body.clone()).await;
                    let shown = String::from_utf8_lossy(&body[..body.len().min(40)]).into_owned();
                    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{function} {client:?} {shown}");
                }
            }
        }
    }
}

#[tokio::test]
async fn no_function_fails_for_want_of_fields() {
    let app = TestApp::sqlite().await;
    for (function, _) in server_fn::axum::server_fn_paths() {
        for fields in
            [&[][..], &[("unknown", "1")], &[("advance", "1"), ("id", "../../etc/passwd"), ("channel", "pigeon")]]
        {
            for client in Client::BOTH {
                let answer = app.anon().post(client, function, fields).await;
                assert!(!answer.status.is_server_error(), "{function} {client:?} {fields:?}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_token_is_said_to_be_none_and_costs_no_try() {
    let app = TestApp::sqlite().await;
    let person = person(&app).await;
    let mut browser = app.anon();
    browser.post(Client::Wasm, "/api/log_in", &[("name", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(browser.get("/login/token").await.status, StatusCode::OK);
    for value in NO_TOKENS {
        let answer = browser.post(Client::Wasm, "/api/check_token", &[("token", value)]).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{value:?}: {}", answer.body);
        let answer = browser.post(Client::PlainForm, "/api/check_token", &[("token", value)]).await;
        assert_eq!((answer.status, answer.leads_to()), (StatusCode::FOUND, "/login/token"), "{value:?}");
    }
    let token = person.token(&app);
    let spaced = format!(" {} {}-{} ", &token[..2], &token[2..4], &token[4..]);
    let answer = browser.post(Client::Wasm, "/api/check_token", &[("token", &spaced)]).await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "more than five of them, and the challenge is still open: {}",
        answer.body
    );
}

#[tokio::test]
async fn fields_that_claim_to_be_verified_are_ignored() {
    let app = TestApp::sqlite().await;
    let person = person(&app).await;
    let mut browser = app.anon();
    browser
        .post(Client::Wasm, "/api/log_in", &[("name", "ada"), ("password", PASSWORD), ("mfa_required", "false")])
        .await;
    let wrong = person.wrong_token(&app);
    let claims = [
        ("token", wrong.as_str()),
        ("mfa_required", "false"),
        ("verified", "true"),
        ("method", "none"),
        ("digits", "1"),
        ("now", "0"),
        ("account", "someone-else"),
    ];
    let answer = browser.post(Client::Wasm, "/api/check_token", &claims).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(browser.cookie(app::cookies::SESSION).is_none());
}

#[tokio::test]
async fn a_token_counts_in_the_body_and_nowhere_else() {
    let app = TestApp::sqlite().await;
    let person = person(&app).await;
    let mut browser = app.anon();
    browser.post(Client::Wasm, "/api/log_in", &[("name", "ada"), ("password", PASSWORD)]).await;
    let (right, wrong) = (person.token(&app), person.wrong_token(&app));
    let in_query = format!("/api/check_token?token={right}");
    let answer = browser.post(Client::Wasm, &in_query, &[("token", &wrong)]).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    let answer = browser.post(Client::Wasm, &in_query, &[]).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(browser.cookie(app::cookies::SESSION).is_none());
}

#[tokio::test]
async fn only_forms_are_read() {
    let app = TestApp::sqlite().await;
    let mut browser = app.anon();
    for (kind, body) in [
        ("application/json", r#"{"name":"ada","password":["a","b"]}"#),
        ("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nada\r\n--x--"),
        ("text/plain", "name=ada"),
        ("application/x-www-form-urlencoded-not", "name=ada"),
    ] {
        let request = browser.request(Method::POST, "/api/log_in").header(CONTENT_TYPE, kind);
        let request = request.header("sec-fetch-site", "same-origin").header(ACCEPT, "application/json");
        let answer = browser.send(request.body(Body::from(body)).expect("a request")).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{kind}");
    }
}

#[tokio::test]
async fn no_address_makes_a_page_fail() {
    let app = TestApp::sqlite().await;
    let person = person(&app).await;
    let crafted = [
        "/login?next=https://evil.test",
        "/login?next=//evil.test",
        "/login?next=%ff%00",
        "/login?__path=/api/log_in&__err=AAAA",
        "/login?__path=%2Fapi%2Flog_in&__err=",
        "/login?__err=PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg",
        "/login?__err=%ff",
        "/login?done=%3Cscript%3E",
        "/account/step-up?then=../../evil",
        "/account/security?%",
        "/?",
        "//",
        "//evil.test",
        "/login/",
        "/%00",
        "/%ff",
        "/..%2f..%2fetc%2fpasswd",
        "/pkg/..%2f..%2fCargo.toml",
        "/pkg/%2e%2e/favicon.svg",
        "/api/",
        "/api/../login",
    ];
    for path in crafted {
        for mut visitor in [app.anon(), app.browser_of(&person)] {
            let answer = visitor.get(path).await;
            assert!(!answer.status.is_server_error(), "{path}: {}", answer.status);
            assert!(!answer.body.contains("<script>alert"), "{path}");
            let location = answer.header("location");
            assert!(
                location.is_empty() || (location.starts_with('/') && !location.starts_with("//")),
                "{path}: {location}"
            );
        }
    }
}

#[tokio::test]
async fn a_name_may_be_anything_and_is_one_name() {
    let app = TestApp::sqlite().await;
    let long = "a".repeat(10_000);
    for name in ["a\r\nb", "\u{1b}[31mred", &long, "<script>alert(1)</script>", "\u{202e}ada", "' OR 1=1 --", "ada@"] {
        let form = encode(&[("name", name), ("password", "wrong password")]);
        let answer = app.anon().post_body(Client::Wasm, "/api/log_in", form.into_bytes()).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name:?}");
        assert!(answer.is_refused() && !answer.body.contains("script"), "{name:?}");
    }
}
