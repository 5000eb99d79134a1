//! Turning two-factor authentication on and off, by the forms of the pages alone.

use app::cookies::SESSION;
use authority::policy;
use authority::staff::{self, NewMember};
use axum::http::StatusCode;
use domain::policy::{Requirement, Rule, SmsLife};
use domain::totp::{Parameters, Secret};
use domain::{Policy, Role, Totp};

use crate::support::{Actor, Answer, Client, PASSWORD, PHONE, TestApp, on_both_databases, visitor};

on_both_databases!(
    a_provider_signs_up_and_turns_it_on_and_off,
    nothing_is_on_before_the_code_is_confirmed,
    a_wrong_password_starts_nothing,
    turning_it_on_ends_the_other_browsers,
    no_page_that_is_opened_changes_anything,
    the_secret_is_shown_while_pending_and_never_again,
    what_the_client_says_about_the_secret_is_ignored,
    turning_it_off_needs_password_and_token,
    the_security_tab_says_what_follows_from_the_policy,
);

async fn is_enabled(browser: &Actor) -> bool {
    let text = browser.clone().get("/account/security").await.text();
    assert!(text.contains("Status: Enabled") != text.contains("Status: Disabled"), "{text}");
    text.contains("Status: Enabled")
}

fn assert_done(answer: &Answer) {
    assert!(!answer.is_refused() && answer.status.as_u16() < 400, "{answer:?}");
}

/// A new provider, by the sign-up form.
async fn sign_up(app: &TestApp, client: Client, username: &str) -> Actor {
    let mut browser = app.anon();
    let page = browser.get("/signup").await;
    let email = format!("{username}@sample.test");
    let form = page
        .form("Create Practice")
        .fill("Practice name", "Sample Practice")
        .fill("First name", "Pat")
        .fill("Last name", "Sample")
        .fill("Email", &email)
        .fill("Username", username)
        .fill("Password", PASSWORD);
    assert_done(&browser.submit(client, &form).await);
    browser
}

async fn save_phone(browser: &mut Actor, client: Client, phone: &str) {
    let form = browser.get("/account/profile").await.form("Update Entire Profile");
    assert_done(&browser.submit(client, &form.fill("Cell phone", phone)).await);
}

async fn start(browser: &mut Actor, client: Client, password: &str) -> Answer {
    let form = browser.get("/account/security").await.form("Enable Two-Factor Authentication");
    browser.submit(client, &form.fill("Current password", password)).await
}

/// From two-factor off to on, with the recovery codes stored.
async fn enable(app: &TestApp, browser: &mut Actor, client: Client, phone: &str) -> String {
    save_phone(browser, client, phone).await;
    assert_done(&start(browser, client, PASSWORD).await);
    let form = browser.get("/account/security/phone").await.form("Confirm");
    let token = app.latest_token().await;
    let answer = browser.submit(client, &form.fill("Code from the message", &token)).await;
    assert_eq!(answer.leads_to(), "/account/security/recovery-codes", "{answer:?}");
    let codes = browser.follow(&answer).await;
    let form = codes.form("Done").fill("I have stored these codes", "yes");
    assert_done(&browser.submit(client, &form).await);
    codes.body
}

async fn a_provider_signs_up_and_turns_it_on_and_off(app: TestApp) {
    for (client, username, phone) in [(Client::PlainForm, "ada", PHONE), (Client::Wasm, "bob", "+1 202 555 0102")] {
        let mut browser = sign_up(&app, client, username).await;
        assert!(!is_enabled(&browser).await);
        enable(&app, &mut browser, client, phone).await;
        assert!(is_enabled(&browser).await);

        let form = browser.get("/account/security").await.form("Add an authenticator app");
        assert_done(&browser.submit(client, &form).await);
        let page = browser.get("/account/security/authenticator").await;
        let totp = app_of_page(&page);
        let form = page.form("Activate").fill("Token from the app", totp.token_at(app.now()).expose_digits());
        assert_done(&browser.submit(client, &form).await);
        app.wait_for_next_token();

        let form = browser.get("/account/security/disable").await.form("Disable Two-Factor Authentication");
        let form = form
            .fill("Current password", PASSWORD)
            .fill("Authorization token", totp.token_at(app.now()).expose_digits());
        assert_done(&browser.submit(client, &form).await);
        assert!(!is_enabled(&browser).await);
    }
}

/// What an authenticator app makes of the link beside the QR code.
fn app_of_page(page: &Answer) -> Totp {
    let link = page.body.split_once("otpauth://").unwrap_or_else(|| panic!("no link: {}", page.body)).1;
    let link = link.split('"').next().unwrap_or_default().replace("&amp;", "&");
    for part in ["digits=6", "period=30", "algorithm=SHA1"] {
        assert!(link.contains(part), "explicit, for apps differ in what they assume: {link}");
    }
    let key = link.split(['?', '&']).find_map(|part| part.strip_prefix("secret=")).expect("a secret");
    Totp::new(&Secret::from_base32(key).expect("base32"), Parameters::OTHER_VENDOR).expect("parameters")
}

async fn nothing_is_on_before_the_code_is_confirmed(app: TestApp) {
    let mut browser = sign_up(&app, Client::PlainForm, "ada").await;
    save_phone(&mut browser, Client::PlainForm, PHONE).await;
    assert_done(&start(&mut browser, Client::PlainForm, PASSWORD).await);
    assert!(!is_enabled(&browser).await);
    let right = app.latest_token().await;
    let wrong = if right == "000000" { "000001" } else { "000000" };
    for client in Client::BOTH {
        let form = browser.get("/account/security/phone").await.form("Confirm").fill("Code from the message", wrong);
        assert!(browser.submit(client, &form).await.is_refused());
        assert!(!is_enabled(&browser).await);
    }
    let answer = app.anon().post(Client::Wasm, "/api/log_in", &[("name", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(answer.leads_to(), "/account/security", "a sign-in needs no token yet");
}

async fn a_wrong_password_starts_nothing(app: TestApp) {
    let mut browser = sign_up(&app, Client::Wasm, "ada").await;
    save_phone(&mut browser, Client::Wasm, PHONE).await;
    for client in Client::BOTH {
        assert!(start(&mut browser, client, "wrong password").await.is_refused());
        let sent = authority::outbox::list(&app.authority, Some("+12025550101")).await.expect("a database");
        assert!(sent.is_empty(), "nothing is sent for a wrong password");
    }
}

async fn turning_it_on_ends_the_other_browsers(app: TestApp) {
    let mut browser = sign_up(&app, Client::Wasm, "ada").await;
    let mut other = app.anon();
    other.post(Client::Wasm, "/api/log_in", &[("name", "ada"), ("password", PASSWORD)]).await;
    assert_eq!(other.get("/account/security").await.status, StatusCode::OK);
    let before = browser.clone();
    enable(&app, &mut browser, Client::Wasm, PHONE).await;
    assert_eq!(browser.get("/account/security").await.status, StatusCode::OK);
    for mut ended in [other, before] {
        assert_eq!(ended.get("/account/security").await.status, StatusCode::FOUND);
    }
}

async fn no_page_that_is_opened_changes_anything(app: TestApp) {
    let person = app.provider_with_two_factors("ada", PHONE).await;
    let mut browser = app.browser_of(&person);
    let sent = authority::outbox::list(&app.authority, None).await.expect("a database").len();
    for path in [
        "/account/security/authenticator",
        "/account/security/recovery-codes",
        "/account/security/phone",
        "/account/security/disable",
        "/account/step-up?then=add-app",
        "/account/step-up?then=replace-codes",
        "/account/password",
    ] {
        let answer = browser.get(path).await;
        assert!(!answer.status.is_server_error(), "{path}: {answer:?}");
    }
    assert!(is_enabled(&browser).await);
    let pending = authority::enrol_totp::pending(&app.authority, &person.signed_in).await.expect("a database");
    assert!(pending.is_none(), "opening a page starts no set-up");
    let codes = authority::recovery::codes_to_store(&app.authority, &person.signed_in).await.expect("a database");
    assert!(codes.is_none(), "opening a page makes no codes");
    assert_eq!(authority::outbox::list(&app.authority, None).await.expect("a database").len(), sent);
}

async fn the_secret_is_shown_while_pending_and_never_again(app: TestApp) {
    let mut person = app.provider("ada").await;
    app.enable_by_sms(&mut person, PHONE).await;
    let mut browser = app.browser_of(&person);
    let form = browser.get("/account/security").await.form("Add an authenticator app");
    assert_done(&browser.submit(Client::PlainForm, &form).await);
    let pending = authority::enrol_totp::pending(&app.authority, &person.signed_in).await.expect("a database");
    let key = pending.expect("a pending app").setup_key.replace(' ', "");
    let page = browser.get("/account/security/authenticator").await;
    assert!(page.body.replace([' ', '\u{a0}'], "").contains(&key), "the key is on its page");
    let totp = app_of_page(&page);
    let form = page.form("Activate").fill("Token from the app", totp.token_at(app.now()).expose_digits());
    assert_done(&browser.submit(Client::PlainForm, &form).await);

    for path in
        ["/account/security", "/account/security/authenticator", "/account/profile", "/account/step-up?then=add-app"]
    {
        let answer = browser.get(path).await;
        assert!(!answer.body.replace([' ', '\u{a0}'], "").contains(&key), "{path}");
    }
    for (function, _) in server_fn::axum::server_fn_paths().filter(|(path, _)| path.contains("/load_")) {
        let answer = browser.post(Client::Wasm, function, &[]).await;
        assert!(!answer.body.replace(' ', "").contains(&key), "{function}");
    }
}

async fn what_the_client_says_about_the_secret_is_ignored(app: TestApp) {
    let mut person = app.provider("ada").await;
    app.enable_by_sms(&mut person, PHONE).await;
    let mut browser = app.browser_of(&person);
    let form = browser.get("/account/security").await.form("Add an authenticator app");
    let form =
        [("secret", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"), ("digits", "1"), ("period", "0"), ("algorithm", "none")]
            .into_iter()
            .fold(form, |form, (name, value)| form.with(name, value));
    assert_done(&browser.submit(Client::Wasm, &form).await);
    let pending = authority::enrol_totp::pending(&app.authority, &person.signed_in).await.expect("a database");
    let pending = pending.expect("a pending app");
    assert_eq!(pending.parameters, Parameters::OTHER_VENDOR);
    assert!(!pending.setup_key.contains("AAAA AAAA"));
}

async fn turning_it_off_needs_password_and_token(app: TestApp) {
    let person = app.provider_with_two_factors("ada", PHONE).await;
    let browser = app.browser_of(&person);
    let (right, wrong) = (person.token(&app), person.wrong_token(&app));
    for client in Client::BOTH {
        for (password, token) in
            [("wrong password", right.as_str()), (PASSWORD, wrong.as_str()), (PASSWORD, ""), ("", "")]
        {
            let mut browser = browser.clone();
            let form = browser.get("/account/security/disable").await.form("Disable Two-Factor Authentication");
            let answer = browser
                .submit(client, &form.fill("Current password", password).fill("Authorization token", token))
                .await;
            assert!(answer.is_refused(), "{client:?} {password:?} {token:?}: {answer:?}");
            assert!(is_enabled(&browser).await);
        }
    }
    let mut browser = browser;
    let form = browser.get("/account/security/disable").await.form("Disable Two-Factor Authentication");
    let answer = browser
        .submit(Client::PlainForm, &form.fill("Current password", PASSWORD).fill("Authorization token", &right))
        .await;
    assert_done(&answer);
    assert!(!is_enabled(&browser).await, "a right token beside a wrong password is not used up");
    assert_ne!(browser.cookie(SESSION), Some(person.session.expose()));
}

async fn the_security_tab_says_what_follows_from_the_policy(app: TestApp) {
    const UNTIL_USED: &str = "Less secure: your practice lets a token in a text message live until it is used.";
    const NO_PIN: &str = "Your practice locks the screen after 5 minutes, but not yours";
    const OFF: &str = "Your practice has switched two-factor authentication off for your role.";
    let mut owner = app.provider("owner").await;
    app.enable_by_sms(&mut owner, PHONE).await;
    let administrator = owner.signed_in.administrator().expect("an administrator");
    let new = NewMember {
        first_name: "Nina".into(),
        last_name: "Cole".into(),
        email: "nina@elsewhere.test".into(),
        username: "nina".into(),
        password: PASSWORD.into(),
        role: Role::Nurse.name().into(),
        ..NewMember::default()
    };
    staff::add(&app.authority, administrator, &visitor(), new).await.expect("a member");
    let mut nina = app.anon();
    nina.get("/login").await;
    nina.post(Client::Wasm, "/api/log_in", &[("name", "nina"), ("password", PASSWORD)]).await;
    for browser in [&mut nina, &mut app.browser_of(&owner)] {
        let text = browser.get("/account/security").await.text();
        assert!([UNTIL_USED, NO_PIN, OFF].iter().all(|sentence| !text.contains(sentence)), "{text}");
    }

    let mut policy = Policy { sms_life: SmsLife::UntilUsed, lock_minutes: 5, ..Policy::default() };
    policy.set_rule(Role::Nurse, Rule { requirement: Requirement::Off, apps_only: false });
    policy::save(&app.authority, administrator, &visitor(), &policy).await.expect("saved");
    let text = app.browser_of(&owner).get("/account/security").await.text();
    assert!(text.contains(UNTIL_USED) && text.contains(NO_PIN) && !text.contains(OFF), "{text}");
    let page = nina.get("/account/security").await;
    assert!(page.text().contains(OFF) && !page.text().contains(UNTIL_USED), "{page:?}");
    assert!(page.find_form("Enable Two-Factor Authentication").is_none(), "nothing to turn on");
}
