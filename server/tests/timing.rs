//! How long answers take: the same for a user name, a number or an e-mail that nobody has, until the password is right or the
//! phone is proven.

use std::time::{Duration, Instant};

use axum::http::StatusCode;

use crate::support::{Answer, Client, PHONE, TestApp};

/// So often each password is tried (requirements.md PW-8).
const PASSWORDS: usize = 500;
/// Long enough that no try has to wait for the ones before.
const BETWEEN_PASSWORDS: Duration = Duration::from_hours(24);

/// So often each registration is asked.
const REGISTRATIONS: usize = 300;
/// A number in a round may get one message; strangers may have six a day sent there.
const BETWEEN_REGISTRATIONS: Duration = Duration::from_hours(4);
/// Medians may differ by this part, or by [`ABSOLUTE`]: more than a network hides.
const PART: f64 = 0.1;
const ABSOLUTE: Duration = Duration::from_millis(10);

/// What is typed: somebody's phone and e-mail, a phone that nobody has, and somebody's phone with another e-mail. The
/// numbers end alike, so that the answers do too.
const TYPED: [(&str, &str); 3] =
    [(PHONE, "ada@sample.test"), ("+1 202 456 1101", "nobody@sample.test"), ("+1 202 555 0201", "nobody@sample.test")];

#[expect(clippy::disallowed_methods, reason = "how long an answer takes is what is tested")]
fn moment() -> Instant {
    Instant::now()
}

/// The answers to one of [`TYPED`], and how long each took.
#[derive(Default)]
struct Taken {
    start: Vec<Duration>,
    wrong_code: Vec<Duration>,
}

fn median(durations: &mut [Duration]) -> Duration {
    durations.sort_unstable();
    durations[durations.len() / 2]
}

fn assert_alike(what: &str, one: Duration, other: Duration) {
    let difference = one.abs_diff(other);
    let is_alike = difference < ABSOLUTE || difference.as_secs_f64() < PART * one.max(other).as_secs_f64();
    assert!(is_alike, "{what}: {one:?} for somebody, {other:?} for nobody");
}

/// Without the key, which nobody has twice.
fn observable(mut answer: Answer, registration: &str) -> impl PartialEq + core::fmt::Debug + use<> {
    answer.body = answer.body.replace(registration, "");
    answer.observable()
}

#[tokio::test]
async fn a_name_that_nobody_has_is_answered_as_fast() {
    let app = TestApp::sqlite().await;
    app.provider_with_two_factors("ada", PHONE).await;
    let names = ["ada", "eva"];
    let mut taken: [Vec<Duration>; 2] = Default::default();
    for round in 0..PASSWORDS {
        app.wait(BETWEEN_PASSWORDS);
        let mut seen = Vec::new();
        // Each is the first as often as the other is.
        for which in [round % 2, (round + 1) % 2] {
            let mut client = app.anon();
            let began = moment();
            let fields = [("name", names[which]), ("password", "wrong password")];
            let wrong = client.post(Client::Wasm, "/api/log_in", &fields).await;
            taken[which].push(began.elapsed());
            assert!(wrong.is_refused(), "{wrong:?}");
            seen.push(wrong.observable());
        }
        assert_eq!(seen[0], seen[1]);
    }
    let [known, unknown] = &mut taken;
    assert_alike("password", median(known), median(unknown));
}

#[tokio::test]
async fn a_number_or_an_email_that_nobody_has_is_answered_as_fast() {
    let app = TestApp::sqlite().await;
    for (username, phone) in [("ada", TYPED[0].0), ("berta", TYPED[2].0)] {
        let mut person = app.provider(username).await;
        app.enable_by_sms(&mut person, phone).await;
    }
    // The messages of the set-up count for a day.
    app.wait(Duration::from_hours(24));
    let mut client = app.anon();
    let mut taken: [Taken; 3] = Default::default();
    for round in 0..REGISTRATIONS {
        app.wait(BETWEEN_REGISTRATIONS);
        let mut seen = Vec::new();
        // Each is the first as often as the others are.
        for turn in 0..TYPED.len() {
            let which = (round + turn) % TYPED.len();
            let (phone, email) = TYPED[which];
            let began = moment();
            let fields = [("phone", phone), ("email", email), ("channel", "sms")];
            let started = client.post(Client::Wasm, "/api/start_registration", &fields).await;
            taken[which].start.push(began.elapsed());
            assert_eq!(started.status, StatusCode::OK, "{started:?}");
            let json: String = serde_json::from_str(&started.body).expect("a text");
            let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            let registration = json["registration"].as_str().expect("a key").to_owned();

            let fields = [("registration", registration.as_str()), ("code", "000000"), ("device", "Phone")];
            let began = moment();
            let wrong = client.post(Client::Wasm, "/api/verify_registration", &fields).await;
            taken[which].wrong_code.push(began.elapsed());
            assert_eq!(wrong.status, StatusCode::FORBIDDEN, "{wrong:?}");
            seen.push((observable(started, &registration), wrong.observable()));
        }
        assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:?}");
    }
    let [known, unknown, other_email] = &mut taken;
    for (what, nobody) in [("phone", unknown), ("e-mail", other_email)] {
        assert_alike(&format!("start, {what}"), median(&mut known.start), median(&mut nobody.start));
        assert_alike(&format!("code, {what}"), median(&mut known.wrong_code), median(&mut nobody.wrong_code));
    }
}
