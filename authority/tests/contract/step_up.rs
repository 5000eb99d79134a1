use authority::step_up::{self, ProofRefused};
use authority::{recovery, sessions};
use domain::message::Channel;

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    a_step_up_takes_password_and_token_and_renews_the_key,
    a_right_token_beside_a_wrong_password_is_not_used_up,
    a_token_used_to_sign_in_cannot_step_up,
    a_recovery_code_steps_up_once,
);

async fn a_step_up_takes_password_and_token_and_renews_the_key(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(301);
    let signed_in = ada.signed_in().await;
    let refused = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), "").await;
    assert!(matches!(refused, Err(ProofRefused::Malformed(_))), "the password alone does not do");
    step_up::request_token(&world.authority, &signed_in, &visitor(), Channel::Sms).await.unwrap();
    let token = world.latest_token(PHONE).await;
    let before = ada.opened.session.clone();
    ada.opened = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &token).await.unwrap();
    assert!(sessions::find(&world.authority, &before).await.unwrap().is_none(), "the old key is dead");
    assert!(recovery::replace(&world.authority, &ada.signed_in().await, &visitor()).await.is_ok());
}

async fn a_right_token_beside_a_wrong_password_is_not_used_up(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let signed_in = ada.signed_in().await;
    let token = totp.token_at(world.authority.now()).expose_digits().to_owned();
    let refused = step_up::confirm(&world.authority, &signed_in, &visitor(), "wrong".into(), &token).await;
    assert_eq!(refused.unwrap_err(), ProofRefused::NotRight);
    assert!(step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &token).await.is_ok());
}

async fn a_token_used_to_sign_in_cannot_step_up(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let token = totp.token_at(world.authority.now()).expose_digits().to_owned();
    ada.opened = ada.sign_in_with(&token).await.unwrap();
    let signed_in = ada.signed_in().await;
    let refused = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &token).await;
    assert_eq!(refused.unwrap_err(), ProofRefused::NotRight);
    assert_eq!(world.events("authn_token_reuse").await, 1);
}

/// Without it a lost phone would be a dead end: nothing could be set up anew after signing in with a code.
async fn a_recovery_code_steps_up_once(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    world.advance(301);
    let signed_in = ada.signed_in().await;
    ada.opened = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &codes[0]).await.unwrap();
    assert!(recovery::replace(&world.authority, &ada.signed_in().await, &visitor()).await.is_ok());
    let signed_in = ada.signed_in().await;
    let again = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &codes[0]).await;
    assert_eq!(again.unwrap_err(), ProofRefused::NotRight);
}
