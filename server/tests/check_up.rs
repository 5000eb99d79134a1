//! `/account/check-up`: asked on every page, done or put off, and never in the way.

use std::time::Duration;

use axum::http::StatusCode;

use crate::support::{Actor, Client, PASSWORD, PHONE, Person, TestApp, on_both_databases};

on_both_databases!(a_token_types_the_question_away, it_can_be_put_off, who_has_messages_alone_gets_one,);

const PATH: &str = "/account/check-up";
const BANNER: &str = "Is your authenticator still at hand?";

/// A browser of somebody who has typed no token for weeks, and signs in by that recovery code.
async fn after_weeks(app: &TestApp, person: &Person, code: usize) -> Actor {
    app.wait(Duration::from_hours(29 * 24));
    let mut browser = app.anon();
    browser.post(Client::Wasm, "/api/log_in", &[("name", person.username.as_str()), ("password", PASSWORD)]).await;
    let code = ("recovery_code", person.recovery_codes[code].as_str());
    let answer = browser.post(Client::Wasm, "/api/check_recovery_code", &[code]).await;
    assert!(!answer.is_refused(), "{answer:?}");
    browser
}

async fn is_asked(browser: &Actor) -> bool {
    let page = browser.clone().get("/account/profile").await;
    assert_eq!(page.status, StatusCode::OK, "nobody is sent anywhere");
    page.text().contains(BANNER)
}

async fn a_token_types_the_question_away(app: TestApp) {
    let ada = app.provider_with_two_factors("ada", PHONE).await;
    assert!(!is_asked(&app.browser_of(&ada)).await);
    for (index, client) in Client::BOTH.into_iter().enumerate() {
        let mut browser = after_weeks(&app, &ada, index).await;
        assert!(is_asked(&browser).await);
        let page = browser.get(PATH).await;
        let form = |token: &str| page.form("Check").fill("Authorization token", token);
        let answer = browser.submit(client, &form(&ada.wrong_token(&app))).await;
        assert!(answer.is_refused() && is_asked(&browser).await, "{answer:?}");
        let answer = browser.submit(client, &form(&ada.token(&app))).await;
        assert!(answer.leads_to().starts_with("/account/security"), "{answer:?}");
        assert!(!is_asked(&browser).await);
    }
}

async fn it_can_be_put_off(app: TestApp) {
    let ada = app.provider_with_two_factors("ada", PHONE).await;
    let mut browser = after_weeks(&app, &ada, 0).await;
    let page = browser.get(PATH).await;
    assert!(page.text().contains("Fix it") && !page.text().contains("recovery codes left"), "nine are enough");
    let answer = browser.submit(Client::PlainForm, &page.form("Remind Me Later")).await;
    assert!(answer.leads_to().starts_with("/account/security"), "{answer:?}");
    assert!(!is_asked(&browser).await);
}

async fn who_has_messages_alone_gets_one(app: TestApp) {
    let mut ada = app.provider("ada").await;
    app.enable_by_sms(&mut ada, PHONE).await;
    let mut browser = after_weeks(&app, &ada, 0).await;
    let form = browser.get(PATH).await.form("Request Token via SMS");
    let answer = browser.submit(Client::PlainForm, &form).await;
    assert!(answer.leads_to().starts_with(PATH), "{answer:?}");
    let page = browser.get(PATH).await;
    assert!(page.text().contains("Token sent to the number ending 01."), "{}", page.text());
    let form = page.form("Check").fill("Authorization token", &app.latest_token().await);
    browser.submit(Client::PlainForm, &form).await;
    assert!(!is_asked(&browser).await);
}
