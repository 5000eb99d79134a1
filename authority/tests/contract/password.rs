use std::time::Duration;

use authority::password::{self, ChangeError};
use authority::practice::{self, CreateError, NewPractice};
use authority::sign_in::{self, PasswordRefused, PasswordStep};
use authority::{Visitor, sessions};
use domain::password::InvalidPassword;

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor, visitor_from};

on_both_databases!(
    wrong_passwords_slow_down_and_tries_meanwhile_are_not_looked_at,
    unknown_names_slow_down_alike,
    a_browser_that_signed_in_before_is_not_slowed_by_strangers,
    a_new_password_ends_other_sessions_and_pending_sign_ins,
    a_new_password_cancels_a_sign_in_whose_last_token_is_under_way,
    a_password_of_fourteen_characters_needs_a_second_factor,
    a_stored_hash_of_weaker_figures_is_replaced,
    a_password_change_under_two_factor_needs_a_step_up,
);

pub(crate) const NEW: &str = "nine brown kettles";

async fn guess(world: &World, name: &str, visitor: &Visitor) -> PasswordRefused {
    sign_in::with_password(&world.authority, visitor, name, "wrong password".into(), None).await.unwrap_err()
}

async fn wrong_passwords_slow_down_and_tries_meanwhile_are_not_looked_at(world: World) {
    let _ada = world.provider("ada", PHONE).await;
    for _ in 0..6 {
        assert_eq!(guess(&world, "ada", &visitor()).await, PasswordRefused::Wrong);
    }
    let until = world.authority.now() + Duration::from_secs(1);
    for _ in 0..3 {
        assert_eq!(guess(&world, "ADA", &visitor_from(9)).await, PasswordRefused::TooManyTries { until });
    }
    let refused = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    assert_eq!(refused.unwrap_err(), PasswordRefused::TooManyTries { until }, "a right one neither");
    world.advance(1);
    assert_eq!(guess(&world, "ada", &visitor()).await, PasswordRefused::Wrong);
    world.advance(1);
    let until = world.authority.now() + Duration::from_secs(1);
    assert_eq!(guess(&world, "ada", &visitor()).await, PasswordRefused::TooManyTries { until }, "two seconds now");
    world.advance(1);
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    assert!(matches!(step, Ok(PasswordStep::SignedIn(_))));
    assert_eq!(guess(&world, "ada", &visitor()).await, PasswordRefused::Wrong, "forgotten after a success");
}

async fn unknown_names_slow_down_alike(world: World) {
    for _ in 0..6 {
        assert_eq!(guess(&world, "nobody", &visitor()).await, PasswordRefused::Wrong);
    }
    let until = world.authority.now() + Duration::from_secs(1);
    assert_eq!(guess(&world, " Nobody ", &visitor()).await, PasswordRefused::TooManyTries { until });
}

async fn a_browser_that_signed_in_before_is_not_slowed_by_strangers(world: World) {
    let ada = world.provider("ada", PHONE).await;
    for _ in 0..18 {
        let _ = guess(&world, "ada", &visitor_from(66)).await;
        world.advance(1);
    }
    let known = Visitor { browser: Some(ada.opened.browser.clone()), ..visitor() };
    let step = sign_in::with_password(&world.authority, &known, "ada", PASSWORD.into(), None).await;
    assert!(matches!(step, Ok(PasswordStep::SignedIn(_))), "{step:?}");
    let refused = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    assert!(matches!(refused, Err(PasswordRefused::TooManyTries { .. })));
}

async fn a_new_password_ends_other_sessions_and_pending_sign_ins(world: World) {
    let mut ada = world.provider("ada", PHONE).await;
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    let Ok(PasswordStep::SignedIn(other)) = step else { panic!("{step:?}") };
    let signed_in = ada.signed_in().await;
    let change = |current: &str, new: &str, again: &str| {
        let (current, new, again) = (current.to_owned(), new.to_owned(), again.to_owned());
        let (authority, signed_in) = (world.authority.clone(), signed_in.clone());
        async move { password::change(&authority, &signed_in, &visitor(), current, new, again).await }
    };
    assert_eq!(change("wrong", NEW, NEW).await.unwrap_err(), ChangeError::CurrentWrong);
    assert_eq!(change(PASSWORD, NEW, "other").await.unwrap_err(), ChangeError::ConfirmationMismatch);
    let guessable = change(PASSWORD, "passwordpassword", "passwordpassword").await.unwrap_err();
    assert_eq!(guessable, ChangeError::New(InvalidPassword::Guessable));
    assert!(ada.is_signed_in().await, "nothing has changed");

    let before = ada.opened.session.clone();
    ada.opened = change(PASSWORD, NEW, NEW).await.unwrap();
    assert!(ada.is_signed_in().await);
    for dead in [&before, &other.session] {
        assert!(sessions::find(&world.authority, dead).await.unwrap().is_none());
    }
    assert_eq!(guess_right(&world, PASSWORD).await, Err(PasswordRefused::Wrong));
    assert_eq!(guess_right(&world, NEW).await, Ok(()));
}

async fn a_new_password_cancels_a_sign_in_whose_last_token_is_under_way(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    // Counted as the fifth, and not compared yet.
    ada.fail_tokens(5).await;
    let (signed_in, old, new) = (ada.signed_in().await, PASSWORD.to_owned(), NEW.to_owned());
    password::change(&world.authority, &signed_in, &visitor(), old, new.clone(), new).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM challenge WHERE over = 'cancelled'").await, 1);
}

async fn guess_right(world: &World, password: &str) -> Result<(), PasswordRefused> {
    sign_in::with_password(&world.authority, &visitor(), "ada", password.into(), None).await.map(|_| ())
}

async fn a_password_of_fourteen_characters_needs_a_second_factor(world: World) {
    let form = |password: &str| NewPractice {
        practice_name: "Oak Lane".into(),
        first_name: "Eve".into(),
        last_name: "Moss".into(),
        email: "eve@oak.test".into(),
        username: "eve".into(),
        password: password.into(),
    };
    let refused = practice::create(&world.authority, &visitor(), form("kettle brown 9")).await;
    assert_eq!(refused.unwrap_err(), CreateError::Password(InvalidPassword::TooShort(15)));
    let refused = practice::create(&world.authority, &visitor(), form("eveeveeveeveeve")).await;
    assert_eq!(refused.unwrap_err(), CreateError::Password(InvalidPassword::Guessable));
    assert!(practice::create(&world.authority, &visitor(), form("kettle brown 99")).await.is_ok());
}

async fn a_stored_hash_of_weaker_figures_is_replaced(world: World) {
    let _ada = world.provider("ada", PHONE).await;
    weaken(&world).await;
    assert_eq!(guess_right(&world, PASSWORD).await, Ok(()));
    let strong = "SELECT COUNT(*) FROM account WHERE password_hash LIKE '$argon2id$v=19$m=19456,t=2,p=1$%'";
    assert_eq!(world.number(strong).await, 1);
    assert_eq!(guess_right(&world, PASSWORD).await, Ok(()));
}

/// Replaces every hash by one of PASSWORD with argon2id, m=8, t=1, p=1.
pub(crate) async fn weaken(world: &World) {
    sqlx::query("UPDATE account SET password_hash = $1").bind(weak_hash()).execute(&world.pool).await.unwrap();
}

fn weak_hash() -> String {
    use argon2::password_hash::PasswordHasher as _;
    let params = argon2::Params::new(8, 1, 1, None).unwrap();
    argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params)
        .hash_password_with_salt(PASSWORD.as_bytes(), b"0123456789abcdef")
        .unwrap()
        .to_string()
}

async fn a_password_change_under_two_factor_needs_a_step_up(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let challenge = ada.challenge().await;
    world.advance(301);
    let signed_in = ada.signed_in().await;
    let (current, new) = (PASSWORD.to_owned(), "kettle9b".to_owned());
    let (again, confirmation) = (current.clone(), new.clone());
    let refused = password::change(&world.authority, &signed_in, &visitor(), again, new.clone(), confirmation).await;
    assert_eq!(refused.unwrap_err(), ChangeError::StepUpNeeded);
    world.advance(-300);
    let signed_in = ada.signed_in().await;
    // Eight characters do beside a token.
    assert!(password::change(&world.authority, &signed_in, &visitor(), current, new.clone(), new).await.is_ok());
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, "000000", false).await.is_err());
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'").await, 0, "it was cancelled");
}

/// The database ends a deadlock by giving one transaction up, here always the sign-in's.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_whose_transaction_was_given_up_counts_once() {
    let world = World::postgres().await;
    let _ada = world.provider("ada", PHONE).await;
    assert_eq!(guess(&world, "ada", &visitor()).await, PasswordRefused::Wrong);
    let lock = async |other: &mut sqlx::AnyConnection, kind: &str| {
        let sql = "UPDATE password_failure SET last_at = last_at WHERE subject LIKE $1";
        sqlx::query(sql).bind(format!("{kind} %")).execute(other).await.expect("locked");
    };
    let mut other = world.pool.begin().await.unwrap();
    sqlx::query("SET LOCAL deadlock_timeout = '1h'").execute(&mut *other).await.unwrap();
    lock(&mut other, "address").await;
    let authority = world.authority.clone();
    let guessed = tokio::spawn(async move {
        sign_in::with_password(&authority, &visitor(), "ada", "wrong password".into(), None).await.unwrap_err()
    });
    let waiting =
        "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    while world.number(waiting).await == 0 {
        tokio::task::yield_now().await;
    }
    // It waits no more because the sign-in's transaction is gone.
    lock(&mut other, "account").await;
    other.commit().await.unwrap();
    assert_eq!(guessed.await.unwrap(), PasswordRefused::Wrong);
    assert_eq!(world.number("SELECT failures FROM password_failure WHERE subject LIKE 'account %'").await, 2);
    assert_eq!(world.number("SELECT failures FROM password_failure WHERE subject LIKE 'address %'").await, 2);
    assert_eq!(world.events("password-wrong").await, 2);
}
