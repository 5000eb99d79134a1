//! `/livez` and `/readyz`, and what else happens when the database is gone (OP-2, fault F-10).

use axum::http::StatusCode;

use crate::support::{Client, PASSWORD, TestApp, on_both_databases};

on_both_databases!(a_healthy_server_says_so);

async fn a_healthy_server_says_so(app: TestApp) {
    let mut probe = app.anon();
    for path in ["/livez", "/readyz"] {
        let answer = probe.get(path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert!(answer.header("content-type").starts_with("text/plain"), "{path}");
        assert!(!answer.headers.contains_key("set-cookie"), "{path}");
    }
}

#[tokio::test]
async fn without_its_database_the_server_lives_and_lets_nobody_in() {
    let app = TestApp::postgres().await;
    let person = app.provider_with_two_factors("ada", crate::support::PHONE).await;
    let mut pending = app.anon();
    pending.post(Client::Wasm, "/api/log_in", &[("name", "ada"), ("password", PASSWORD)]).await;
    app.lose_database().await;

    let mut browser = app.browser_of(&person);
    assert_eq!(browser.get("/livez").await.status, StatusCode::OK);
    assert_eq!(browser.get("/readyz").await.status, StatusCode::SERVICE_UNAVAILABLE);
    let answer = browser.get("/account/security").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(!answer.header("retry-after").is_empty());
    let token = person.token(&app);
    let log_in = [("name", "ada"), ("password", PASSWORD)];
    let check_token = [("token", token.as_str())];
    for (function, fields) in [("/api/log_in", &log_in[..]), ("/api/check_token", &check_token)] {
        let answer = pending.post(Client::Wasm, function, fields).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE, "{function}");
        assert!(answer.is_refused() && !answer.headers.contains_key("set-cookie"), "{function}");
    }
}
