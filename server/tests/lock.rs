//! The screen lock, as a browser meets it.

use std::time::Duration;

use authority::policy;
use axum::http::StatusCode;
use domain::Policy;

use crate::support::{Actor, Client, TestApp, on_both_databases, visitor};

on_both_databases!(five_wrong_pins_end_the_session, the_absolute_end_holds_behind_the_lock);

const PIN: &str = "4711";
const LOCK: Duration = Duration::from_mins(20);

/// Somebody with a PIN, at a practice where screens lock.
async fn somebody(app: &TestApp) -> Actor {
    let mut person = app.provider("ada").await;
    app.step_up(&mut person).await;
    let rules = Policy { idle_minutes: 60, lock_minutes: 20, ..Policy::default() };
    let administrator = person.signed_in.administrator().expect("an administrator");
    policy::save(&app.authority, administrator, &visitor(), &rules).await.expect("saved");
    let mut browser = app.browser_of(&person);
    let form = browser.get("/account/profile").await.form("Update Entire Profile").fill("App unlock PIN", PIN);
    assert!(!browser.submit(Client::PlainForm, &form).await.is_refused());
    browser
}

/// Where a page leads.
async fn leads_to(browser: &mut Actor, path: &str) -> String {
    browser.get(path).await.leads_to().to_owned()
}

async fn five_wrong_pins_end_the_session(app: TestApp) {
    let mut browser = somebody(&app).await;
    app.wait(LOCK);
    assert_eq!(leads_to(&mut browser, "/account/security").await, "/locked");
    let page = browser.get("/locked").await;
    assert!(!page.text().contains("Sample"), "a locked screen names nobody");
    for client in [Client::PlainForm, Client::Wasm, Client::PlainForm, Client::Wasm] {
        let answer = browser.submit(client, &page.form("Unlock").fill("App unlock PIN", "0000")).await;
        assert!(answer.is_refused(), "{answer:?}");
        assert_eq!(leads_to(&mut browser, "/account/security").await, "/locked");
    }
    let key = browser.cookie(app::cookies::SESSION).expect("a session").to_owned();
    let answer = browser.submit(Client::PlainForm, &page.form("Unlock").fill("App unlock PIN", "0000")).await;
    assert_eq!(answer.leads_to(), "/login");
    assert_eq!(browser.cookie(app::cookies::SESSION), None);
    browser.set_cookie(app::cookies::SESSION, &key);
    let answer = browser.submit(Client::Wasm, &page.form("Unlock").fill("App unlock PIN", PIN)).await;
    assert_eq!(
        (answer.status, answer.leads_to()),
        (StatusCode::UNAUTHORIZED, "/login"),
        "the right one comes too late"
    );
}

async fn the_absolute_end_holds_behind_the_lock(app: TestApp) {
    let mut browser = somebody(&app).await;
    let (step, end) = (LOCK.saturating_sub(Duration::from_mins(1)), domain::session::ABSOLUTE);
    let mut passed = Duration::ZERO;
    while passed + step + LOCK < end {
        app.wait(step);
        passed += step;
        assert_eq!(browser.get("/account/security").await.status, StatusCode::OK);
    }
    app.wait(LOCK);
    passed += LOCK;
    let page = browser.get("/locked").await;
    app.wait(end.saturating_sub(passed));
    let answer = browser.submit(Client::Wasm, &page.form("Unlock").fill("App unlock PIN", PIN)).await;
    assert_eq!((answer.status, answer.leads_to()), (StatusCode::UNAUTHORIZED, "/login"));
    assert_eq!(leads_to(&mut browser, "/locked").await, "/login");
}

/// Scripts take a page away once its screen locks. Where none run, the browser itself is told to.
#[tokio::test]
async fn without_scripts_a_page_leaves_when_its_screen_locks() {
    let app = TestApp::sqlite().await;
    let mut browser = somebody(&app).await;
    app.wait(Duration::from_secs(4));
    let page = browser.get("/account/security").await;
    let refresh =
        r#"<noscript><meta http-equiv="refresh" content="1197; url=/locked?next=/account/security"></noscript>"#;
    assert!(page.body.contains(refresh), "{}", page.body);

    let never = app.provider("eve").await;
    let page = app.browser_of(&never).get("/account/security").await;
    assert!(!page.body.contains("http-equiv"), "{}", page.body);
}
