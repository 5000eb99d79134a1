//! The development routes, and that nobody else has them (OP-12).

use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{Method, StatusCode};

use crate::support::{Actor, Answer, TestApp};

const FORM: &str = "application/x-www-form-urlencoded";

/// As `curl` and test programs post: without a word on where they come from.
async fn move_clock(program: &mut Actor, body: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = program.request(Method::POST, "/dev/clock").header(CONTENT_TYPE, FORM);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    program.send(request.body(Body::from(body.to_owned())).expect("a request")).await
}

fn now_of(answer: &Answer) -> u64 {
    let now: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    now["now"].as_u64().expect("unix seconds")
}

#[tokio::test]
async fn without_dev_there_is_nothing_there() {
    let app = TestApp::sqlite().await;
    let mut visitor = app.anon();
    for path in ["/dev", "/dev/", "/dev/outbox", "/dev/outbox.json", "/dev/outbox.json?to=x", "/dev/clock"] {
        assert_eq!(visitor.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let before = app.now();
    let from_our_page = move_clock(&mut visitor, "advance=60", &[("sec-fetch-site", "same-origin")]).await;
    assert_eq!(from_our_page.status, StatusCode::NOT_FOUND);
    assert_eq!(move_clock(&mut visitor, "advance=60", &[]).await.status, StatusCode::FORBIDDEN);
    assert_eq!(app.now(), before);
}

#[tokio::test]
async fn the_outbox_lists_messages_newest_first() {
    let app = TestApp::development().await;
    let mut person = app.provider("ada").await;
    app.enable_by_sms(&mut person, "+1 202 555 0101").await;
    let mut program = app.anon();
    let all: serde_json::Value = serde_json::from_str(&program.get("/dev/outbox.json").await.body).expect("JSON");
    let all = all.as_array().expect("a list");
    assert!(!all.is_empty());
    let times: Vec<_> = all.iter().map(|message| message["created_at"].as_u64().expect("unix seconds")).collect();
    assert!(times.windows(2).all(|pair| pair[0] >= pair[1]), "{times:?}");
    for message in all {
        for key in ["id", "channel", "to", "body"] {
            assert!(message[key].is_string(), "{message}");
        }
        assert!(["sms", "voice", "email"].contains(&message["channel"].as_str().unwrap_or_default()), "{message}");
    }

    let answer = program.get("/dev/outbox.json?to=%2B12025550101").await;
    let to_phone: Vec<serde_json::Value> = serde_json::from_str(&answer.body).expect("JSON");
    assert!(!to_phone.is_empty() && to_phone.iter().all(|message| message["to"] == "+12025550101"), "{to_phone:?}");
    let answer = program.get("/dev/outbox.json?to=nobody").await;
    assert_eq!(answer.body, "[]");
}

#[tokio::test]
async fn the_outbox_is_a_page_that_escapes_what_it_shows() {
    let app = TestApp::development().await;
    let answer = app.anon().get("/dev/outbox?to=%3Cscript%3Ealert(1)%3C/script%3E%22").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.body.contains("<h1>Outbox</h1>"), "{}", answer.body);
    assert!(answer.body.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{}", answer.body);
    assert!(!answer.body.contains("<script"), "{}", answer.body);
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'; style-src 'self'"));
}

#[tokio::test]
async fn the_clock_moves_both_ways() {
    let app = TestApp::development().await;
    let mut program = app.anon();
    let start = now_of(&move_clock(&mut program, "advance=0", &[]).await);
    let later = now_of(&move_clock(&mut program, "advance=86400", &[]).await);
    assert_eq!(later - start, 86_400);
    assert_eq!(app.now().unix_seconds(), later);
    let earlier = now_of(&move_clock(&mut program, "advance=-86400", &[]).await);
    assert_eq!(earlier, start);
}

#[tokio::test]
async fn the_clock_takes_whole_seconds_and_nothing_from_other_sites() {
    let app = TestApp::development().await;
    let mut program = app.anon();
    for body in ["", "advance=", "advance=soon", "advance=1.5", "advance=1&advance=2", "advance=99999999999999999999"] {
        let status = move_clock(&mut program, body, &[]).await.status;
        assert!(status.is_client_error(), "{body}: {status}");
    }
    for headers in [[("sec-fetch-site", "cross-site")], [("origin", "https://evil.test")], [("origin", "null")]] {
        assert_eq!(move_clock(&mut program, "advance=1", &headers).await.status, StatusCode::FORBIDDEN, "{headers:?}");
    }
    let request = program.request(Method::POST, "/api/log_in").header(ACCEPT, "application/json").body(Body::empty());
    let answer = program.send(request.expect("a request")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "the exception is for the clock alone");
}

#[tokio::test]
async fn the_clock_survives_being_sent_to_the_ends_of_time() {
    let app = TestApp::development().await;
    let mut program = app.anon();
    for advance in [i64::MAX, i64::MAX, i64::MIN, i64::MIN, i64::MIN] {
        let status = move_clock(&mut program, &format!("advance={advance}"), &[]).await.status;
        assert!(status == StatusCode::OK || status.is_client_error(), "{advance}: {status}");
        assert_eq!(program.get("/livez").await.status, StatusCode::OK);
        assert!(!program.get("/login").await.status.is_server_error());
    }
}
