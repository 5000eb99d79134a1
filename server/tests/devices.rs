//! The authenticator's calls: JSON without a cookie, and the Devices section of the Security tab.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::SET_COOKIE;
use domain::Totp;
use domain::totp::{Parameters, Secret};
use serde_json::Value;

use crate::support::{Actor, Answer, Client, PASSWORD, PHONE, Person, TestApp, on_both_databases};

on_both_databases!(
    a_device_is_added_and_signs_in,
    a_number_that_nobody_has_gets_the_same_answers,
    a_second_device_is_approved_and_restores_the_backup,
    the_security_tab_revokes_a_device,
    keys_that_are_none_get_one_answer,
    a_device_that_asks_keeps_no_session_alive,
    a_backup_may_be_longer_than_a_form,
    what_the_authenticator_sends_may_be_nonsense,
);

const MINUTE: Duration = Duration::from_mins(1);

/// The answer's own JSON, which travels as text.
fn json(answer: &Answer) -> Value {
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    assert!(!answer.headers.contains_key(SET_COOKIE), "no cookie is used");
    assert_eq!(answer.header("cache-control"), "no-store");
    let text: String = serde_json::from_str(&answer.body).expect("a text");
    serde_json::from_str(&text).expect("JSON")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}

async fn ask(client: &mut Actor, function: &str, fields: &[(&str, &str)]) -> Value {
    json(&client.post(Client::Wasm, &format!("/api/{function}"), fields).await)
}

/// Status and code of a refusal.
async fn refused(client: &mut Actor, function: &str, fields: &[(&str, &str)]) -> (u16, String) {
    let answer = client.post(Client::Wasm, &format!("/api/{function}"), fields).await;
    assert!(answer.status.is_client_error(), "{function}: {answer:?}");
    (answer.status.as_u16(), serde_json::from_str(&answer.body).expect("a code"))
}

async fn enrolled(app: &TestApp) -> Person {
    let mut person = app.provider("ada").await;
    app.enable_by_sms(&mut person, PHONE).await;
    person
}

/// A device of a test.
struct Device {
    key: String,
    totp: Totp,
}

impl Device {
    fn token(&self, app: &TestApp) -> String {
        self.totp.token_at(app.now()).expose_digits().to_owned()
    }
}

async fn verify(app: &TestApp, client: &mut Actor, name: &str) -> (String, Value) {
    app.wait(MINUTE);
    let started = ask(client, "start_registration", &[("phone", PHONE), ("email", "ada@sample.test")]).await;
    let registration = text(&started["registration"]);
    let code = app.latest_token().await;
    let fields = [("registration", registration.as_str()), ("code", &code), ("device", name)];
    let step = ask(client, "verify_registration", &fields).await;
    (registration, step)
}

/// Activates a step that is ready.
async fn activate(app: &TestApp, client: &mut Actor, step: &Value) -> (Device, Value) {
    assert_eq!(step["state"], "ready", "{step}");
    let secret = Secret::from_base32(&text(&step["accounts"][0]["key"])).expect("base32");
    let totp = Totp::new(&secret, Parameters::OWN).expect("parameters");
    let device = Device { key: text(&step["device_key"]), totp };
    let tokens = format!("{} {}", text(&step["accounts"][0]["factor"]), device.token(app));
    let view = ask(client, "activate_device", &[("device_key", &device.key), ("tokens", &tokens)]).await;
    app.wait(MINUTE);
    (device, view)
}

async fn add(app: &TestApp, client: &mut Actor) -> Device {
    let (_, step) = verify(app, client, "Ada's phone").await;
    activate(app, client, &step).await.0
}

async fn log_in(app: &TestApp, token: &str) -> (Actor, Answer) {
    let mut browser = app.anon();
    browser.post(Client::PlainForm, "/api/log_in", &[("name", "ada"), ("password", PASSWORD)]).await;
    let answer = browser.post(Client::PlainForm, "/api/check_token", &[("token", token)]).await;
    (browser, answer)
}

async fn a_device_is_added_and_signs_in(app: TestApp) {
    let _person = enrolled(&app).await;
    let mut client = app.anon();
    let (registration, step) = verify(&app, &mut client, "Ada's phone").await;
    assert_eq!(
        (&step["accounts"][0]["username"], &step["accounts"][0]["practice"]),
        (&"ada".into(), &"Practice of ada".into())
    );
    let (device, view) = activate(&app, &mut client, &step).await;
    assert_eq!(view["token_account"], step["token_account"]);
    assert_eq!(view["devices"][0]["name"], "Ada's phone");
    assert_eq!(view["backup"], Value::Null);
    let (_, answer) = log_in(&app, &device.token(&app)).await;
    assert!(!answer.is_refused(), "{answer:?}");
    let over = refused(&mut client, "registration_step", &[("registration", &registration)]).await;
    assert_eq!(over, (409, "registration-over".to_owned()));
    let view = ask(&mut client, "sync_device", &[("device_key", &device.key)]).await;
    assert!(view["devices"][0]["last_used_at"].is_i64() && view["devices"][0]["is_this"] == true);
    let answer = client.post(Client::Wasm, "/api/leave_device", &[("device_key", &device.key)]).await;
    assert_eq!((answer.status, answer.body.as_str()), (StatusCode::OK, "null"));
    let gone = refused(&mut client, "sync_device", &[("device_key", &device.key)]).await;
    assert_eq!(gone, (401, "device-revoked".to_owned()));
}

async fn a_number_that_nobody_has_gets_the_same_answers(app: TestApp) {
    let _person = enrolled(&app).await;
    app.wait(Duration::from_hours(24));
    let mut client = app.anon();
    let mut seen = Vec::new();
    for phone in [PHONE, "+1 202 456 1101"] {
        let fields = [("phone", phone), ("email", "ada@sample.test"), ("channel", "voice")];
        let mut started = client.post(Client::Wasm, "/api/start_registration", &fields).await;
        let registration = text(&json(&started)["registration"]);
        started.body = started.body.replace(&registration, "");
        let again = client.post(Client::Wasm, "/api/start_registration", &fields).await;
        let resent = client.post(Client::Wasm, "/api/resend_registration", &[("registration", &registration)]).await;
        let wrong = [("registration", registration.as_str()), ("code", "000000"), ("device", "Phone")];
        let wrong = client.post(Client::Wasm, "/api/verify_registration", &wrong).await;
        let step = client.post(Client::Wasm, "/api/registration_step", &[("registration", &registration)]).await;
        let code = [("registration", registration.as_str()), ("code", "000000")];
        let proven = client.post(Client::Wasm, "/api/prove_registration", &code).await;
        let answers = [started, again, resent, wrong, step, proven];
        seen.push(answers.map(|answer| answer.observable()));
    }
    assert_eq!(seen[0], seen[1]);
    let statuses: Vec<_> = seen[0].iter().map(|(status, ..)| status.as_u16()).collect();
    assert_eq!(statuses, [200, 429, 429, 403, 409, 409]);
}

async fn a_second_device_is_approved_and_restores_the_backup(app: TestApp) {
    let _person = enrolled(&app).await;
    let mut client = app.anon();
    let first = add(&app, &mut client).await;
    let save = [("device_key", first.key.as_str()), ("version", "1"), ("previous", ""), ("blob", "Zmlyc3Q")];
    let saved = ask(&mut client, "save_backup", &save).await;
    assert_eq!(saved["backup"]["version"], 1);
    assert_eq!(refused(&mut client, "save_backup", &save).await, (409, "backup-conflict".to_owned()));

    let (registration, step) = verify(&app, &mut client, "New phone").await;
    assert_eq!(
        (&step["state"], &step["device_key"], &step["accounts"]),
        (&"waiting".into(), &Value::Null, &Value::Array(vec![]))
    );
    let request = ask(&mut client, "sync_device", &[("device_key", &first.key)]).await["requests"][0].clone();
    assert!(request["numbers"].as_array().expect("numbers").contains(&step["number"]));
    let (id, number) = (text(&request["request"]), step["number"].to_string());
    let fields = [("device_key", first.key.as_str()), ("request", &id), ("number", &number)];
    let answered = ask(&mut client, "answer_registration", &fields).await;
    assert_eq!(answered["requests"], Value::Array(vec![]));
    let step = ask(&mut client, "registration_step", &[("registration", &registration)]).await;
    assert!(step["has_backup"] == true && step["may_restore"] == true);
    let (second, _) = activate(&app, &mut client, &step).await;
    let loaded = ask(&mut client, "load_backup", &[("device_key", &second.key)]).await;
    assert_eq!((&loaded["version"], &loaded["blob"]), (&1.into(), &"Zmlyc3Q".into()));

    let (registration, step) = verify(&app, &mut client, "Eve's phone").await;
    let request = ask(&mut client, "sync_device", &[("device_key", &first.key)]).await["requests"][0].clone();
    let wrong = if step["number"] == 10 { "11" } else { "10" };
    let id = text(&request["request"]);
    let fields = [("device_key", first.key.as_str()), ("request", &id), ("number", wrong)];
    assert_eq!(refused(&mut client, "answer_registration", &fields).await, (403, "wrong-number".to_owned()));
    let step = ask(&mut client, "registration_step", &[("registration", &registration)]).await;
    assert_eq!(step["state"], "denied");
}

async fn the_security_tab_revokes_a_device(app: TestApp) {
    let _person = enrolled(&app).await;
    let device = add(&app, &mut app.anon()).await;
    let (mut browser, _) = log_in(&app, &device.token(&app)).await;
    let page = browser.get("/account/security").await;
    assert!(page.text().contains("Ada's phone"), "{}", page.text());
    assert!(page.body.contains(r#"href="/authenticator""#));
    let answer = browser.submit(Client::PlainForm, &page.form("Revoke")).await;
    assert!(answer.leads_to().starts_with("/account/step-up"), "{answer:?}");
    app.wait(MINUTE);
    let form = browser.follow(&answer).await.form("Confirm");
    let token = device.token(&app);
    let form = form.fill("Current password", PASSWORD).fill("Authorization token", &token);
    let answer = browser.submit(Client::PlainForm, &form).await;
    assert!(!answer.is_refused(), "{answer:?}");
    let form = browser.get("/account/security").await.form("Revoke");
    let answer = browser.submit(Client::PlainForm, &form).await;
    assert_eq!(answer.leads_to(), "/account/security", "{answer:?}");
    assert!(!answer.is_refused());
    let page = browser.get("/account/security").await;
    assert!(!page.text().contains("Ada's phone"));
    app.wait(MINUTE);
    let (_, answer) = log_in(&app, &device.token(&app)).await;
    assert!(answer.is_refused(), "its tokens are void: {answer:?}");
    let again = browser.submit(Client::Wasm, &form).await;
    assert_eq!(again.status, StatusCode::NOT_FOUND);
}

async fn keys_that_are_none_get_one_answer(app: TestApp) {
    let _person = enrolled(&app).await;
    let mut client = app.anon();
    let (_, step) = verify(&app, &mut client, "Phone").await;
    let pending = text(&step["device_key"]);
    let unknown = "A".repeat(43);
    for function in ["sync_device", "answer_registration", "save_backup", "load_backup", "prove_device", "leave_device"]
    {
        for key in ["", "short", unknown.as_str(), pending.as_str()] {
            let answer = refused(&mut client, function, &[("device_key", key)]).await;
            assert_eq!(answer, (401, "device-revoked".to_owned()), "{function} {key}");
        }
    }
}

async fn a_device_that_asks_keeps_no_session_alive(app: TestApp) {
    let person = enrolled(&app).await;
    let mut client = app.browser_of(&person);
    assert_eq!(client.get("/account/security").await.status, StatusCode::OK);
    for _ in 0..16 {
        app.wait(MINUTE);
        // With the cookies of the practice app, for both are of one origin.
        let answer = client.post(Client::Wasm, "/api/sync_device", &[("device_key", "")]).await;
        assert!(answer.status.is_client_error());
    }
    assert!(client.get("/account/security").await.leads_to().starts_with("/login"));
}

async fn a_backup_may_be_longer_than_a_form(app: TestApp) {
    let _person = enrolled(&app).await;
    let mut client = app.anon();
    let device = add(&app, &mut client).await;
    let fields = |blob: &str| format!("device_key={}&version=1&previous=&blob={blob}", device.key).into_bytes();
    let too_long = client.post_body(Client::Wasm, "/api/save_backup", fields(&"A".repeat(256 * 1024))).await;
    assert_eq!(too_long.status, StatusCode::PAYLOAD_TOO_LARGE);
    let too_large = client.post_body(Client::Wasm, "/api/save_backup", fields(&"A".repeat(255 * 1024))).await;
    assert_eq!(too_large.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(too_large.body, "\"backup-too-large\"");
    let blob = "A".repeat(240 * 1024);
    let saved = json(&client.post_body(Client::Wasm, "/api/save_backup", fields(&blob)).await);
    assert_eq!(saved["backup"]["version"], 1);
    let loaded = ask(&mut client, "load_backup", &[("device_key", &device.key)]).await;
    assert_eq!(loaded["blob"], blob.as_str());
    let other = client.post_body(Client::Wasm, "/api/sync_device", fields(&blob)).await;
    assert_eq!(other.status, StatusCode::PAYLOAD_TOO_LARGE, "the others take what a form takes");
}

async fn what_the_authenticator_sends_may_be_nonsense(app: TestApp) {
    let _person = enrolled(&app).await;
    let mut client = app.anon();
    let device = add(&app, &mut client).await;
    app.wait(MINUTE);
    let started = ask(&mut client, "start_registration", &[("phone", PHONE), ("email", "ada@sample.test")]).await;
    let registration = text(&started["registration"]);
    let long = "9".repeat(10_000);
    for nonsense in
        ["", "null", "-1", "1e9", "１２", "\u{202e}", "'; DROP TABLE device; --", "a b,c d,,", long.as_str()]
    {
        for (function, key, fields) in [
            ("start_registration", "channel", &["phone", "email"][..]),
            ("resend_registration", "channel", &["registration"]),
            ("verify_registration", "device", &["registration", "code"]),
            ("verify_registration", "code", &["device"]),
            ("activate_device", "device_key", &["tokens"]),
            ("answer_registration", "request", &["number"]),
            ("save_backup", "version", &["previous", "blob"]),
            ("prove_device", "code", &[]),
            ("revoke_device", "device", &[]),
            ("enrol_device", "device", &[]),
        ] {
            let mut sent = vec![(key, nonsense)];
            sent.extend(fields.iter().map(|name| (*name, nonsense)));
            if !sent.iter().any(|(name, _)| *name == "device_key") {
                sent.push(("device_key", &device.key));
            }
            if !sent.iter().any(|(name, _)| *name == "registration") {
                sent.push(("registration", &registration));
            }
            let answer = client.post(Client::Wasm, &format!("/api/{function}"), &sent).await;
            assert!(!answer.status.is_server_error(), "{function} {nonsense:.20}: {answer:?}");
        }
    }
    let view = ask(&mut client, "sync_device", &[("device_key", &device.key)]).await;
    assert_eq!(view["devices"].as_array().expect("devices").len(), 1);
}
