//! `/login` and `/login/token`: nobody is in without both, and nobody learns which part was wrong.

use std::time::Duration;

use app::cookies::{BROWSER, CHALLENGE, SESSION};
use axum::http::StatusCode;
use axum::http::header::{LOCATION, SET_COOKIE};

use tokio::task::JoinSet;

use crate::support::{Actor, Answer, Client, PASSWORD, PHONE, Person, TestApp, on_both_databases};

on_both_databases!(
    a_right_password_and_a_right_token_open_a_session,
    a_text_message_does_as_well_as_an_app,
    without_two_factor_authentication_the_password_suffices,
    whoever_skips_the_token_gets_nowhere,
    a_renamed_cookie_is_worth_nothing,
    logging_out_ends_a_pending_sign_in,
    a_challenge_is_used_once,
    a_token_is_used_once,
    fifty_posts_of_one_token_in_one_sign_in_open_one_session,
    fifty_posts_of_one_token_in_fifty_sign_ins_open_one_session,
    a_wrong_a_used_a_foreign_and_a_locked_token_get_the_same_answer,
    an_unknown_name_and_a_wrong_password_get_the_same_answer,
    five_wrong_tokens_end_the_sign_in,
    ten_minutes_end_the_sign_in,
    every_step_has_an_id_of_its_own,
    the_page_first_asked_for_comes_after_the_token,
);

const ACCOUNT_PAGES: [&str; 9] = [
    "/account/profile",
    "/account/password",
    "/account/security",
    "/account/security/phone",
    "/account/security/recovery-codes",
    "/account/security/authenticator",
    "/account/security/activity",
    "/account/check-up",
    "/account/step-up",
];

async fn log_in(browser: &mut Actor, client: Client, name: &str, password: &str) -> Answer {
    browser.get("/login").await;
    browser.post(client, "/api/log_in", &[("name", name), ("password", password)]).await
}

async fn check_token(browser: &mut Actor, client: Client, token: &str) -> Answer {
    browser.post(client, "/api/check_token", &[("token", token)]).await
}

/// Somebody's browser with the password behind it and the token before it.
async fn pending(app: &TestApp, person: &Person) -> Actor {
    let mut browser = app.anon();
    let answer = log_in(&mut browser, Client::Wasm, &person.username, PASSWORD).await;
    assert_eq!(answer.leads_to(), "/login/token", "{answer:?}");
    browser.get("/login/token").await;
    browser
}

async fn is_in(browser: &Actor) -> bool {
    browser.clone().get("/account/security").await.status == StatusCode::OK
}

async fn ada(app: &TestApp) -> Person {
    app.provider_with_two_factors("ada", PHONE).await
}

async fn a_right_password_and_a_right_token_open_a_session(app: TestApp) {
    let person = ada(&app).await;
    for (client, status) in [(Client::PlainForm, StatusCode::FOUND), (Client::Wasm, StatusCode::OK)] {
        let mut browser = app.anon();
        let answer = log_in(&mut browser, client, "ada", PASSWORD).await;
        assert_eq!((answer.status, answer.leads_to()), (status, "/login/token"));
        assert!(browser.cookie(CHALLENGE).is_some() && browser.cookie(SESSION).is_none());
        assert!(!is_in(&browser).await);
        assert!(browser.get("/login/token").await.text().contains("Two-factor authentication"));

        let answer = check_token(&mut browser, client, &person.token(&app)).await;
        assert_eq!((answer.status, answer.leads_to()), (status, "/account/security"), "{answer:?}");
        assert!(browser.cookie(CHALLENGE).is_none() && browser.cookie(SESSION).is_some());
        for cookie in answer.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("plain text");
            assert!(cookie.starts_with("__Host-") && !cookie.contains("Domain"), "{cookie}");
            for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
                assert!(cookie.contains(part), "{cookie}");
            }
        }
        assert!(is_in(&browser).await);
        app.wait_for_next_token();
    }
}

async fn a_text_message_does_as_well_as_an_app(app: TestApp) {
    let mut person = app.provider("ada").await;
    app.enable_by_sms(&mut person, PHONE).await;
    for client in Client::BOTH {
        app.wait(Duration::from_mins(2));
        let mut browser = pending(&app, &person).await;
        let form = browser.get("/login/token").await.form("Request Token via SMS");
        let answer = browser.submit(client, &form).await;
        assert!(!answer.is_refused(), "{answer:?}");
        let token = app.latest_token().await;
        assert!(!browser.get("/login/token").await.body.contains(&token), "the token is in the message alone");
        check_token(&mut browser, client, &token).await;
        assert!(is_in(&browser).await);
    }
}

async fn without_two_factor_authentication_the_password_suffices(app: TestApp) {
    app.provider("ada").await;
    for name in ["ada", "ADA", "ada@sample.test"] {
        let mut browser = app.anon();
        let answer = log_in(&mut browser, Client::Wasm, name, PASSWORD).await;
        assert_eq!(answer.leads_to(), "/account/security", "{name}");
        assert!(is_in(&browser).await);
    }
}

async fn whoever_skips_the_token_gets_nowhere(app: TestApp) {
    let person = ada(&app).await;
    let browser = pending(&app, &person).await;
    for path in ACCOUNT_PAGES {
        let answer = browser.clone().get(path).await;
        assert_eq!((answer.status, answer.leads_to()), (StatusCode::FOUND, "/login"), "{path}");
        assert!(!answer.body.contains("sample.test") && !answer.body.contains("555"), "{path}");
    }
    // Functions that change the sign-in come last, since they may end it.
    for (function, _) in server_fn::axum::server_fn_paths() {
        let mut browser = browser.clone();
        let answer = browser.post(Client::Wasm, function, &[]).await;
        for private in ["ada@sample.test", "Practice of", "\"Pat\"", "5550101", "555-0101"] {
            assert!(!answer.body.contains(private), "{function} tells {private}: {answer:?}");
        }
        assert!(browser.cookie(SESSION).is_none(), "{function}");
        assert!(!answer.status.is_server_error(), "{function}: {answer:?}");
    }
}

async fn a_renamed_cookie_is_worth_nothing(app: TestApp) {
    let person = ada(&app).await;
    let browser = pending(&app, &person).await;
    let challenge = browser.cookie(CHALLENGE).expect("a challenge").to_owned();
    let mut renamed = browser.clone();
    renamed.set_cookie(SESSION, &challenge);
    assert!(!is_in(&renamed).await);

    let session = person.session.expose().to_owned();
    let mut swapped = app.anon();
    swapped.set_cookie(CHALLENGE, &session);
    let answer = check_token(&mut swapped, Client::Wasm, &person.token(&app)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(swapped.cookie(SESSION).is_none());

    let known = app.anon();
    for name in [SESSION, CHALLENGE, BROWSER] {
        for value in ["", "a", "../../", &"a".repeat(5000), &format!("{session}x")] {
            let mut browser = known.clone();
            browser.set_cookie(name, value);
            let answer = browser.get("/account/security").await;
            assert_eq!((answer.status, answer.leads_to()), (StatusCode::FOUND, "/login"), "{name} {value}");
        }
    }
}

async fn logging_out_ends_a_pending_sign_in(app: TestApp) {
    let person = ada(&app).await;
    let mut browser = pending(&app, &person).await;
    let mut thief = browser.clone();
    browser.post(Client::PlainForm, "/api/log_out", &[]).await;
    assert!(browser.cookie(CHALLENGE).is_none());
    let answer = check_token(&mut thief, Client::Wasm, &person.token(&app)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(thief.cookie(SESSION).is_none());

    let mut browser = app.browser_of(&person);
    let thief = browser.clone();
    browser.post(Client::Wasm, "/api/log_out", &[]).await;
    assert!(!is_in(&browser).await && !is_in(&thief).await);
}

async fn a_challenge_is_used_once(app: TestApp) {
    let person = ada(&app).await;
    let mut browser = pending(&app, &person).await;
    let mut second = browser.clone();
    check_token(&mut browser, Client::Wasm, &person.token(&app)).await;
    assert!(is_in(&browser).await);
    app.wait_for_next_token();
    let answer = check_token(&mut second, Client::Wasm, &person.token(&app)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(second.cookie(SESSION).is_none());
    // The right token was not looked at, so it still counts where it is looked at.
    let mut third = pending(&app, &person).await;
    check_token(&mut third, Client::Wasm, &person.token(&app)).await;
    assert!(is_in(&third).await);
}

async fn a_token_is_used_once(app: TestApp) {
    let person = ada(&app).await;
    let previous = person.token(&app);
    app.wait_for_next_token();
    let token = person.token(&app);
    let mut browser = pending(&app, &person).await;
    check_token(&mut browser, Client::Wasm, &token).await;
    assert!(is_in(&browser).await);
    for old in [&token, &previous] {
        let mut again = pending(&app, &person).await;
        let answer = check_token(&mut again, Client::Wasm, old).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN);
        assert!(again.cookie(SESSION).is_none());
    }
}

/// How many sessions the browsers get that post this token at the same time.
async fn sessions_of_a_race(browsers: Vec<Actor>, token: &str) -> usize {
    let mut race = JoinSet::new();
    for mut browser in browsers {
        let token = token.to_owned();
        race.spawn(async move {
            let answer = check_token(&mut browser, Client::Wasm, &token).await;
            assert_ne!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{answer:?}");
            usize::from(browser.cookie(SESSION).is_some())
        });
    }
    race.join_all().await.into_iter().sum()
}

async fn fifty_posts_of_one_token_in_one_sign_in_open_one_session(app: TestApp) {
    let person = ada(&app).await;
    let browser = pending(&app, &person).await;
    assert_eq!(sessions_of_a_race(vec![browser; 50], &person.token(&app)).await, 1);
}

async fn fifty_posts_of_one_token_in_fifty_sign_ins_open_one_session(app: TestApp) {
    let person = ada(&app).await;
    let mut browsers = Vec::new();
    for _ in 0..50 {
        browsers.push(pending(&app, &person).await);
    }
    assert_eq!(sessions_of_a_race(browsers, &person.token(&app)).await, 1);
}

async fn a_wrong_a_used_a_foreign_and_a_locked_token_get_the_same_answer(app: TestApp) {
    let person = ada(&app).await;
    let other = app.provider_with_two_factors("bob", "+1 202 555 0102").await;
    for client in Client::BOTH {
        let used = person.token(&app);
        check_token(&mut pending(&app, &person).await, Client::Wasm, &used).await;
        let wrong = check_token(&mut pending(&app, &person).await, client, &person.wrong_token(&app)).await;
        let again = check_token(&mut pending(&app, &person).await, client, &used).await;
        let foreign = check_token(&mut pending(&app, &person).await, client, &other.token(&app)).await;
        assert!(wrong.is_refused(), "{wrong:?}");
        assert_eq!(wrong.observable(), again.observable(), "used, {client:?}");
        assert_eq!(wrong.observable(), foreign.observable(), "foreign, {client:?}");
        app.wait_for_next_token();
    }
    // Six were wrong already; the tenth within half an hour locks.
    let expected = check_token(&mut pending(&app, &person).await, Client::Wasm, &person.wrong_token(&app)).await;
    for _ in 0..3 {
        check_token(&mut pending(&app, &person).await, Client::Wasm, &person.wrong_token(&app)).await;
    }
    let mut browser = pending(&app, &person).await;
    let right = check_token(&mut browser, Client::Wasm, &person.token(&app)).await;
    assert_eq!(right.observable(), expected.observable(), "locked");
    assert!(browser.cookie(SESSION).is_none());
    app.wait(Duration::from_mins(31));
    let mut browser = pending(&app, &person).await;
    check_token(&mut browser, Client::Wasm, &person.token(&app)).await;
    assert!(is_in(&browser).await, "a lock ends");
}

async fn an_unknown_name_and_a_wrong_password_get_the_same_answer(app: TestApp) {
    ada(&app).await;
    app.provider("eve").await;
    for client in Client::BOTH {
        let wrong = log_in(&mut app.anon(), client, "ada", "wrong password").await;
        assert!(wrong.is_refused() && !wrong.headers.contains_key(SET_COOKIE), "{wrong:?}");
        for (name, password) in
            [("nobody", PASSWORD), ("eve", "wrong password"), ("", ""), ("ada", ""), ("nobody@x.test", "a")]
        {
            let answer = log_in(&mut app.anon(), client, name, password).await;
            assert_eq!(answer.observable(), wrong.observable(), "{name:?} {client:?}");
        }
    }
}

async fn five_wrong_tokens_end_the_sign_in(app: TestApp) {
    let person = ada(&app).await;
    let mut browser = pending(&app, &person).await;
    for _ in 0..5 {
        check_token(&mut browser, Client::Wasm, &person.wrong_token(&app)).await;
    }
    let mut thief = browser.clone();
    let answer = check_token(&mut thief, Client::Wasm, &person.token(&app)).await;
    assert_eq!((answer.status, answer.leads_to()), (StatusCode::UNAUTHORIZED, "/login"));
    let answer = browser.get("/login/token").await;
    assert_eq!((answer.status, answer.leads_to()), (StatusCode::FOUND, "/login"));
    assert!(browser.get("/login").await.text().contains("Too many wrong tokens. Log in again."));
}

async fn ten_minutes_end_the_sign_in(app: TestApp) {
    let person = ada(&app).await;
    let mut browser = pending(&app, &person).await;
    app.wait(Duration::from_mins(10));
    let answer = check_token(&mut browser, Client::Wasm, &person.token(&app)).await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert!(browser.get("/login").await.text().contains("That took too long. Log in again."));
}

async fn every_step_has_an_id_of_its_own(app: TestApp) {
    let person = ada(&app).await;
    let mut browser = pending(&app, &person).await;
    let challenge = browser.cookie(CHALLENGE).expect("a challenge").to_owned();
    check_token(&mut browser, Client::Wasm, &person.token(&app)).await;
    let session = browser.cookie(SESSION).expect("a session").to_owned();
    assert_ne!(challenge, session);
    assert!(session.len() >= 22, "128 bits are 22 characters");
    let before = browser.clone();
    app.wait_for_next_token();

    let form = browser.get("/account/step-up").await.form("Confirm");
    let form = form.fill("Current password", PASSWORD).fill("Authorization token", &person.token(&app));
    let answer = browser.submit(Client::PlainForm, &form).await;
    assert!(!answer.is_refused(), "{answer:?}");
    assert_ne!(browser.cookie(SESSION), Some(session.as_str()));
    assert!(is_in(&browser).await && !is_in(&before).await, "the old id is dead");
}

async fn the_page_first_asked_for_comes_after_the_token(app: TestApp) {
    let person = ada(&app).await;
    for (next, expected) in [
        ("/account/profile", "/account/profile"),
        ("https://evil.test/", "/account/security"),
        ("//evil.test", "/account/security"),
    ] {
        let mut browser = app.anon();
        let fields = [("name", "ada"), ("password", PASSWORD), ("next", next)];
        browser.post(Client::PlainForm, "/api/log_in", &fields).await;
        let answer = check_token(&mut browser, Client::PlainForm, &person.token(&app)).await;
        assert_eq!(answer.header(LOCATION), expected);
        app.wait_for_next_token();
    }
    let answer = app.anon().get("/account/profile").await;
    assert_eq!(answer.header(LOCATION), "/login?next=/account/profile");
}
