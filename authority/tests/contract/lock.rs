use std::time::Duration;

use authority::lock::{self, UnlockError};
use authority::profile::{self, ProfileForm};
use authority::{Locked, Session, security, sessions};

use crate::support::{Actor, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    an_idle_screen_locks_and_opens_with_the_pin,
    five_wrong_pins_end_the_session,
    without_a_pin_or_a_policy_nothing_locks,
    a_locked_screen_does_not_move_the_end_of_the_session,
);

async fn with_pin(world: &World) -> Actor<'_> {
    let ada = world.provider("ada", PHONE).await;
    let form = ProfileForm {
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        cell_phone: PHONE.into(),
        pin: "4711".into(),
        ..ProfileForm::default()
    };
    profile::update(&world.authority, &ada.signed_in().await, &visitor(), form).await.unwrap();
    world.run("UPDATE practice SET lock_minutes = 5, idle_minutes = 30").await.unwrap();
    ada
}

async fn locked(world: &World, actor: &Actor<'_>) -> Option<Locked> {
    match sessions::recognise(&world.authority, &actor.opened.session).await.unwrap() {
        Some(Session::Locked(locked)) => Some(locked),
        _ => None,
    }
}

async fn an_idle_screen_locks_and_opens_with_the_pin(world: World) {
    let ada = with_pin(&world).await;
    world.advance(299);
    let active = ada.signed_in().await;
    assert_eq!(
        active.locks_at(),
        Some(world.authority.now() + Duration::from_mins(5)),
        "this very request is activity"
    );
    world.advance(300);
    let screen = locked(&world, &ada).await.expect("locked");
    assert!(!ada.is_signed_in().await, "nothing else answers");
    let wrong = lock::unlock(&world.authority, &screen, &visitor(), "0000").await;
    assert_eq!(wrong, Err(UnlockError::NotRight));
    assert!(matches!(lock::unlock(&world.authority, &screen, &visitor(), "abc").await, Err(UnlockError::Malformed(_))));
    lock::unlock(&world.authority, &screen, &visitor(), "4711").await.unwrap();
    assert!(ada.is_signed_in().await);
    assert_eq!((world.events("screen-unlocked").await, world.events("pin-wrong").await), (1, 1));
    assert_eq!(world.number("SELECT CAST(SUM(pin_failures) AS BIGINT) FROM session").await, 0);
}

async fn five_wrong_pins_end_the_session(world: World) {
    let ada = with_pin(&world).await;
    world.advance(300);
    let screen = locked(&world, &ada).await.expect("locked");
    for _ in 0..4 {
        let refused = lock::unlock(&world.authority, &screen, &visitor(), "0000").await;
        assert_eq!(refused, Err(UnlockError::NotRight));
    }
    assert_eq!(lock::unlock(&world.authority, &screen, &visitor(), "0000").await, Err(UnlockError::Ended));
    assert_eq!(lock::unlock(&world.authority, &screen, &visitor(), "4711").await, Err(UnlockError::Ended));
    assert!(locked(&world, &ada).await.is_none() && !ada.is_signed_in().await);
}

async fn without_a_pin_or_a_policy_nothing_locks(world: World) {
    let ada = with_pin(&world).await;
    world.run("UPDATE practice SET lock_minutes = 0").await.unwrap();
    world.advance(600);
    assert!(ada.is_signed_in().await);
    world.run("UPDATE practice SET lock_minutes = 5").await.unwrap();
    assert_eq!(ada.signed_in().await.locks_with_pin(), None);
    world.run("UPDATE account SET pin_hash = NULL").await.unwrap();
    world.advance(600);
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    assert_eq!(overview.locks_with_pin, Some(5), "the Security tab has to ask for one");
}

async fn a_locked_screen_does_not_move_the_end_of_the_session(world: World) {
    let ada = with_pin(&world).await;
    for _ in 0..6 {
        world.advance(299);
        assert!(ada.is_signed_in().await || locked(&world, &ada).await.is_some());
    }
    world.advance(301);
    assert!(locked(&world, &ada).await.is_some());
    world.advance(25 * 60);
    assert!(locked(&world, &ada).await.is_none(), "the idle time went on behind the lock");
    assert!(!ada.is_signed_in().await);
}
