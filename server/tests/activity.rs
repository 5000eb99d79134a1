//! `/account/security/activity`: everybody reads what is about them, and nothing else.

use std::time::Duration;

use axum::http::StatusCode;

use crate::support::{Client, PASSWORD, PHONE, TestApp, on_both_databases};

on_both_databases!(everybody_sees_their_own_activity_alone, older_activity_is_a_page_away,);

const PATH: &str = "/account/security/activity";

async fn everybody_sees_their_own_activity_alone(app: TestApp) {
    let ada = app.provider_with_two_factors("ada", PHONE).await;
    let bob = app.provider("bob").await;
    app.wait(Duration::from_mins(1));
    let wrong = [("name", "ada"), ("password", "wrong")];
    assert!(app.anon().post(Client::Wasm, "/api/log_in", &wrong).await.is_refused());

    let mut browser = app.browser_of(&ada);
    let page = browser.get(PATH).await;
    assert_eq!(page.status, StatusCode::OK);
    let text = page.text();
    assert!(text.contains("Recent activity") && text.contains("(this browser)"), "{text}");
    let first = text.find("A wrong password was typed.").expect("the failure");
    let last = text.find("Somebody signed in.").expect("the sign-in");
    assert!(first < last, "newest first");
    assert!(text.contains("A new way to get tokens was confirmed.") && text.contains("Authenticator app."));
    assert!(browser.get("/account/security").await.body.contains(PATH), "the Security tab leads there");

    let text = app.browser_of(&bob).get(PATH).await.text();
    assert!(text.contains("Somebody signed in.") && !text.contains("A wrong password was typed."), "{text}");
    assert!(app.anon().get(PATH).await.leads_to().starts_with("/login"));
}

async fn older_activity_is_a_page_away(app: TestApp) {
    let ada = app.provider("ada").await;
    let mut stranger = app.anon();
    for number in 0..60 {
        app.wait(Duration::from_hours(1));
        let password = if number == 59 { PASSWORD } else { "wrong" };
        stranger.post(Client::Wasm, "/api/log_in", &[("name", ada.username.as_str()), ("password", password)]).await;
    }
    let newest = stranger.get(PATH).await;
    let (_, older) = newest.body.split_once(&format!("{PATH}?before=")).expect("a link");
    let (cursor, _) = older.split_once('"').expect("its end");
    let count = |body: &str| body.matches("A wrong password was typed.").count();
    let older = stranger.get(&format!("{PATH}?before={cursor}")).await;
    assert!(older.text().contains("The practice was created.") && !older.body.contains("Older activity"));
    // In the page's elements, and in the data beside them.
    assert!(count(&newest.text()) >= 49, "{}", count(&newest.text()));
    assert!(stranger.get(&format!("{PATH}?before=nonsense")).await.status == StatusCode::OK);
}
