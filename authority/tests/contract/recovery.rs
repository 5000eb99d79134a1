use authority::recovery::{self, ReplaceError, ShowError};
use authority::sign_in::{self, RecoveryRefused};
use authority::{outbox, security, sessions, step_up};
use domain::message::Channel;

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    a_code_signs_in_once_whatever_its_case_and_hyphens,
    a_code_of_another_account_is_refused,
    codes_are_shown_until_they_are_stored,
    codes_that_are_not_fresh_are_shown_after_a_step_up_alone,
    a_new_set_needs_a_step_up_and_kills_the_old_one,
    guessing_codes_draws_on_the_budget,
    a_code_used_or_a_new_set_ends_other_sessions,
);

async fn a_code_signs_in_once_whatever_its_case_and_hyphens(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    assert_eq!(codes.len(), 10);
    let typed = codes[3].to_lowercase().replace('-', " ");
    let challenge = ada.challenge().await;
    assert!(sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &typed).await.is_ok());
    let challenge = ada.challenge().await;
    let refused = sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[3]).await;
    assert_eq!(refused.unwrap_err(), RecoveryRefused::NotRight);
    assert_eq!(sign_in::methods(&world.authority, &challenge).await.unwrap().recovery_codes_left, 9);
    let mails = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert!(mails.iter().any(|mail| mail.body.contains("Codes left: 9")));
    let texts = outbox::list(&world.authority, Some(PHONE)).await.unwrap();
    let told = |text: &str| text.contains("with a recovery code") && text.contains("Codes left: 9");
    assert!(texts.iter().any(|text| told(&text.body)), "the cell phone is told too");
}

async fn a_code_of_another_account_is_refused(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let (_bob, codes) = world.enrolled("bob", "+12025550177").await;
    let challenge = ada.challenge().await;
    let refused = sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[0]).await;
    assert_eq!(refused.unwrap_err(), RecoveryRefused::NotRight);
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_code WHERE used_at IS NOT NULL").await, 0);
}

async fn codes_are_shown_until_they_are_stored(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    let again = recovery::codes_to_store(&world.authority, &signed_in).await.unwrap().unwrap();
    assert_eq!(again.codes, codes);
    assert_eq!((again.account.as_str(), again.practice.as_str()), ("ada", "Elm Street Clinic"));
    recovery::acknowledge(&world.authority, &signed_in, &visitor()).await.unwrap();
    assert!(recovery::codes_to_store(&world.authority, &signed_in).await.unwrap().is_none());
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_set WHERE codes IS NULL").await, 1);
    assert_eq!(world.events("recovery-codes-stored").await, 1);
}

async fn codes_that_are_not_fresh_are_shown_after_a_step_up_alone(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    world.advance(600);
    let shown = recovery::codes_to_store(&world.authority, &ada.signed_in().await).await;
    assert_eq!(shown.ok().flatten().expect("still fresh").codes, codes);
    world.advance(1);
    let signed_in = ada.signed_in().await;
    let shown = recovery::codes_to_store(&world.authority, &signed_in).await;
    assert!(matches!(shown, Err(ShowError::StepUpNeeded)));
    ada.opened = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &codes[0]).await.unwrap();
    let shown = recovery::codes_to_store(&world.authority, &ada.signed_in().await).await;
    assert_eq!(shown.ok().flatten().expect("stepped up").codes, codes);
}

async fn a_new_set_needs_a_step_up_and_kills_the_old_one(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    recovery::replace(&world.authority, &ada.signed_in().await, &visitor()).await.unwrap();
    let fresh = recovery::codes_to_store(&world.authority, &ada.signed_in().await).await.unwrap().unwrap().codes;
    let challenge = ada.challenge().await;
    let refused = sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[0]).await;
    assert_eq!(refused.unwrap_err(), RecoveryRefused::NotRight);
    ada.opened = sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &fresh[0]).await.unwrap();
    world.advance(301);
    let refused = recovery::replace(&world.authority, &ada.signed_in().await, &visitor()).await;
    assert_eq!(refused.unwrap_err(), ReplaceError::StepUpNeeded);
    assert_eq!(security::overview(&world.authority, &ada.signed_in().await).await.unwrap().recovery_codes_left, 9);
}

async fn guessing_codes_draws_on_the_budget(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    for _ in 0..2 {
        let challenge = ada.challenge().await;
        for _ in 0..5 {
            let guess = "00000-00000-00000-00000-000000";
            let refused = sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, guess).await;
            assert_eq!(refused.unwrap_err(), RecoveryRefused::NotRight);
        }
    }
    let challenge = ada.challenge().await;
    let refused = sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[0]).await;
    assert_eq!(refused.unwrap_err(), RecoveryRefused::NotRight);
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_code WHERE used_at IS NOT NULL").await, 0);
}

async fn a_code_used_or_a_new_set_ends_other_sessions(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let before = ada.opened.session.clone();
    let challenge = ada.challenge().await;
    ada.opened = sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[0]).await.unwrap();
    assert!(sessions::find(&world.authority, &before).await.unwrap().is_none());
    assert!(ada.is_signed_in().await);

    let challenge = ada.challenge().await;
    world.advance(60);
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let token = world.latest_token(PHONE).await;
    let other = sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.unwrap();
    let signed_in = ada.signed_in().await;
    ada.opened = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &codes[1]).await.unwrap();
    recovery::replace(&world.authority, &ada.signed_in().await, &visitor()).await.unwrap();
    assert!(sessions::find(&world.authority, &other.session).await.unwrap().is_none());
    assert!(ada.is_signed_in().await);
}
