use std::time::Duration;

use authority::sessions::{self, EndError};
use authority::sign_in::{self, PasswordStep};
use authority::{SessionKey, housekeeping, step_up};

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    a_session_ends_when_idle_and_activity_keeps_it,
    a_session_ends_after_eight_hours_whatever_happens_in_it,
    logging_out_kills_the_key,
    ending_another_browser_needs_a_step_up_and_the_own_account,
    the_eleventh_session_ends_the_first,
    a_deactivated_account_has_no_session,
    sweeping_removes_what_has_run_out_and_nothing_else,
    keys_that_were_never_ours_open_nothing,
);

async fn a_session_ends_when_idle_and_activity_keeps_it(world: World) {
    let ada = world.provider("ada", PHONE).await;
    for _ in 0..4 {
        world.advance(14 * 60);
        assert!(ada.is_signed_in().await);
    }
    world.advance(15 * 60);
    assert!(!ada.is_signed_in().await);
}

async fn a_session_ends_after_eight_hours_whatever_happens_in_it(world: World) {
    let ada = world.provider("ada", PHONE).await;
    for _ in 0..47 {
        world.advance(10 * 60);
        let signed_in = ada.signed_in().await;
        let idle_end = world.authority.now() + Duration::from_mins(15);
        let is_first = idle_end < signed_in.ends_at() + Duration::from_millis(1);
        assert_eq!(signed_in.idle_ends_at(), is_first.then_some(idle_end), "no activity moves the absolute end");
    }
    world.advance(10 * 60);
    assert!(!ada.is_signed_in().await);
}

async fn logging_out_kills_the_key(world: World) {
    let ada = world.provider("ada", PHONE).await;
    sessions::log_out(&world.authority, &visitor(), Some(&ada.opened.session), None).await.unwrap();
    assert!(!ada.is_signed_in().await);
    assert_eq!(world.events("logged-out").await, 1);
    sessions::log_out(&world.authority, &visitor(), Some(&ada.opened.session), None).await.unwrap();
    assert_eq!(world.events("logged-out").await, 1);
}

async fn ending_another_browser_needs_a_step_up_and_the_own_account(world: World) {
    let mut ada = world.provider("ada", PHONE).await;
    let bob = world.provider("bob", "+12025550177").await;
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    let Ok(PasswordStep::SignedIn(other)) = step else { panic!("{step:?}") };
    let browsers = sessions::list(&world.authority, &ada.signed_in().await).await.unwrap();
    assert_eq!(browsers.len(), 2);
    let id = browsers.iter().find(|browser| !browser.is_this).unwrap().id.clone();

    let refused = sessions::end(&world.authority, &ada.signed_in().await, &visitor(), &id).await;
    assert_eq!(refused.unwrap_err(), EndError::StepUpNeeded);
    let step_up = |signed_in| {
        let authority = world.authority.clone();
        async move { step_up::confirm(&authority, &signed_in, &visitor(), PASSWORD.into(), "").await.unwrap() }
    };
    let bobs = step_up(bob.signed_in().await).await;
    let bobs = sessions::find(&world.authority, &bobs.session).await.unwrap().unwrap();
    assert_eq!(sessions::end(&world.authority, &bobs, &visitor(), &id).await.unwrap_err(), EndError::NotFound);
    assert!(sessions::find(&world.authority, &other.session).await.unwrap().is_some());

    ada.opened = step_up(ada.signed_in().await).await;
    sessions::end(&world.authority, &ada.signed_in().await, &visitor(), &id).await.unwrap();
    assert!(sessions::find(&world.authority, &other.session).await.unwrap().is_none());
}

async fn the_eleventh_session_ends_the_first(world: World) {
    let ada = world.provider("ada", PHONE).await;
    for _ in 0..10 {
        world.advance(1);
        assert!(sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await.is_ok());
    }
    assert!(!ada.is_signed_in().await);
    assert_eq!(world.number("SELECT COUNT(*) FROM session").await, 10);
}

async fn a_deactivated_account_has_no_session(world: World) {
    let ada = world.provider("ada", PHONE).await;
    world.run("UPDATE account SET deactivated_at = 1").await.unwrap();
    assert!(!ada.is_signed_in().await);
    assert!(sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await.is_err());
}

async fn sweeping_removes_what_has_run_out_and_nothing_else(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let _challenge = ada.challenge().await;
    housekeeping::sweep(&world.authority).await.unwrap();
    assert!(ada.is_signed_in().await);
    assert_eq!(world.number("SELECT COUNT(*) FROM challenge").await, 1);
    world.advance(3 * 24 * 3600);
    housekeeping::sweep(&world.authority).await.unwrap();
    for empty in [
        "SELECT COUNT(*) FROM session",
        "SELECT COUNT(*) FROM challenge",
        "SELECT COUNT(*) FROM message_token",
        "SELECT COUNT(*) FROM message_send",
        "SELECT COUNT(*) FROM outbox",
    ] {
        assert_eq!(world.number(empty).await, 0, "{empty}");
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE state = 'confirmed'").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_code").await, 10);
}

async fn keys_that_were_never_ours_open_nothing(world: World) {
    let _ada = world.provider("ada", PHONE).await;
    for text in ["", "short", &"!".repeat(43), "' OR '1'='1"] {
        assert!(SessionKey::from_cookie(text).is_none(), "{text:?}");
    }
    let key = SessionKey::from_cookie(&"A".repeat(43)).unwrap();
    assert!(sessions::find(&world.authority, &key).await.unwrap().is_none());
}
