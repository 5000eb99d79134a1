//! `/login/recovery` and `/account/security/recovery-codes`.

use app::cookies::SESSION;
use axum::http::StatusCode;

use crate::support::{Actor, Answer, Client, PASSWORD, PHONE, Person, TestApp, on_both_databases};

on_both_databases!(
    a_recovery_code_signs_in_once,
    a_recovery_code_may_be_typed_in_any_shape,
    a_wrong_a_used_and_a_foreign_code_get_the_same_answer,
    codes_and_tokens_draw_on_one_budget,
    codes_are_shown_until_they_are_stored_and_then_never_again,
    new_codes_need_a_step_up_and_end_the_old_ones,
);

/// Somebody's browser at `/login/recovery`.
async fn pending(app: &TestApp, username: &str) -> Actor {
    let mut browser = app.anon();
    browser.post(Client::Wasm, "/api/log_in", &[("name", username), ("password", PASSWORD)]).await;
    assert_eq!(browser.get("/login/recovery").await.status, StatusCode::OK);
    browser
}

async fn use_code(browser: &mut Actor, client: Client, code: &str) -> Answer {
    let form = browser.get("/login/recovery").await.form("Log In");
    browser.submit(client, &form.fill("Recovery code", code)).await
}

async fn ada(app: &TestApp) -> Person {
    app.provider_with_two_factors("ada", PHONE).await
}

async fn a_recovery_code_signs_in_once(app: TestApp) {
    let person = ada(&app).await;
    for (client, code) in Client::BOTH.into_iter().zip(&person.recovery_codes) {
        let mut browser = pending(&app, "ada").await;
        let answer = use_code(&mut browser, client, code).await;
        assert!(!answer.is_refused() && browser.cookie(SESSION).is_some(), "{answer:?}");
        assert_eq!(browser.get("/account/security").await.status, StatusCode::OK);
        let mut again = pending(&app, "ada").await;
        assert!(use_code(&mut again, client, code).await.is_refused());
        assert!(again.cookie(SESSION).is_none());
    }
}

async fn a_recovery_code_may_be_typed_in_any_shape(app: TestApp) {
    let person = ada(&app).await;
    let bare = |code: &String| code.replace(['-', ' '], "");
    let shapes = [
        bare(&person.recovery_codes[0]).to_lowercase(),
        format!("  {}  ", person.recovery_codes[1].replace('-', " ")),
        bare(&person.recovery_codes[2]).to_uppercase(),
    ];
    for shape in shapes {
        let mut browser = pending(&app, "ada").await;
        use_code(&mut browser, Client::PlainForm, &shape).await;
        assert!(browser.cookie(SESSION).is_some(), "a code of this length in another shape");
    }
}

async fn a_wrong_a_used_and_a_foreign_code_get_the_same_answer(app: TestApp) {
    let person = ada(&app).await;
    let other = app.provider_with_two_factors("bob", "+1 202 555 0102").await;
    use_code(&mut pending(&app, "ada").await, Client::Wasm, &person.recovery_codes[0]).await;
    // Codes of somebody else are right in shape and wrong for this account, whether they are used up or not.
    use_code(&mut pending(&app, "bob").await, Client::Wasm, &other.recovery_codes[0]).await;
    for client in Client::BOTH {
        let used = use_code(&mut pending(&app, "ada").await, client, &person.recovery_codes[0]).await;
        let foreign = use_code(&mut pending(&app, "ada").await, client, &other.recovery_codes[1]).await;
        let foreign_used = use_code(&mut pending(&app, "ada").await, client, &other.recovery_codes[0]).await;
        assert!(used.is_refused());
        assert_eq!(used.observable(), foreign.observable());
        assert_eq!(used.observable(), foreign_used.observable());
    }
}

async fn codes_and_tokens_draw_on_one_budget(app: TestApp) {
    let person = ada(&app).await;
    let other = app.provider_with_two_factors("bob", "+1 202 555 0102").await;
    for round in 0..10 {
        let mut browser = pending(&app, "ada").await;
        if round % 2 == 0 {
            use_code(&mut browser, Client::Wasm, &other.recovery_codes[0]).await;
        } else {
            browser.post(Client::Wasm, "/api/check_token", &[("token", &person.wrong_token(&app))]).await;
        }
    }
    let mut browser = pending(&app, "ada").await;
    assert!(use_code(&mut browser, Client::Wasm, &person.recovery_codes[0]).await.is_refused(), "locked");
    let answer = browser.post(Client::Wasm, "/api/check_token", &[("token", &person.token(&app))]).await;
    assert!(answer.is_refused() && browser.cookie(SESSION).is_none(), "locked");
}

async fn codes_are_shown_until_they_are_stored_and_then_never_again(app: TestApp) {
    let person = ada(&app).await;
    let mut browser = app.browser_of(&person);
    for path in ["/account/security", "/account/security/recovery-codes"] {
        let answer = browser.get(path).await;
        for code in &person.recovery_codes {
            assert!(!answer.body.contains(code.as_str()), "{path}");
        }
    }
    for (function, _) in server_fn::axum::server_fn_paths().filter(|(path, _)| path.contains("/load_")) {
        let answer = browser.post(Client::Wasm, function, &[]).await;
        assert!(!answer.body.contains(&person.recovery_codes[0]), "{function}");
    }
}

async fn new_codes_need_a_step_up_and_end_the_old_ones(app: TestApp) {
    let person = ada(&app).await;
    let mut browser = app.anon();
    browser.post(Client::Wasm, "/api/log_in", &[("name", "ada"), ("password", PASSWORD)]).await;
    browser.post(Client::Wasm, "/api/check_token", &[("token", &person.token(&app))]).await;
    app.wait_for_next_token();

    let form = browser.get("/account/security").await.form("Replace recovery codes");
    let answer = browser.submit(Client::PlainForm, &form).await;
    assert_eq!(answer.leads_to(), "/account/step-up", "a sign-in is no step-up: {answer:?}");
    let form = browser.follow(&answer).await.form("Confirm");
    let form = form.fill("Current password", PASSWORD).fill("Authorization token", &person.token(&app));
    let answer = browser.submit(Client::PlainForm, &form).await;
    assert_eq!(answer.leads_to(), "/account/security/recovery-codes", "{answer:?}");
    let page = browser.follow(&answer).await;
    assert!(!page.body.contains(&person.recovery_codes[0]));

    let mut other = pending(&app, "ada").await;
    assert!(use_code(&mut other, Client::Wasm, &person.recovery_codes[0]).await.is_refused(), "the old ones are dead");
}
