use authority::enrol_totp::{self, ConfirmError, RemoveError, StartError};
use authority::{security, sessions, sign_in, step_up};
use domain::diagnosis::Diagnosis;
use domain::message::Channel;
use domain::totp::{Parameters, Secret};
use domain::{FactorKind, Timestamp, Totp};

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    an_app_needs_a_fresh_step_up_and_two_factor_on,
    the_key_is_shown_while_pending_and_never_again,
    starting_again_replaces_the_key_and_leaves_the_active_one,
    a_wrong_first_token_activates_nothing_and_is_diagnosed_every_ten_seconds,
    a_wrong_clock_is_named,
    an_app_is_removed_alone_and_never_the_last,
);

async fn an_app_needs_a_fresh_step_up_and_two_factor_on(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    let refused = enrol_totp::start(&world.authority, &signed_in, &visitor()).await;
    assert_eq!(refused.unwrap_err(), StartError::StepUpNeeded, "a sign-in is no step-up");
    let opened = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), "").await.unwrap();
    let signed_in = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    let refused = enrol_totp::start(&world.authority, &signed_in, &visitor()).await;
    assert_eq!(refused.unwrap_err(), StartError::NotEnabled);

    let (bob, _) = world.enrolled("bob", "+12025550177").await;
    world.advance(300);
    assert!(enrol_totp::start(&world.authority, &bob.signed_in().await, &visitor()).await.is_ok(), "five minutes");
    world.advance(1);
    let refused = enrol_totp::start(&world.authority, &bob.signed_in().await, &visitor()).await;
    assert_eq!(refused.unwrap_err(), StartError::StepUpNeeded, "a second more");
}

async fn the_key_is_shown_while_pending_and_never_again(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    enrol_totp::start(&world.authority, &ada.signed_in().await, &visitor()).await.unwrap();
    let pending = enrol_totp::pending(&world.authority, &ada.signed_in().await).await.unwrap().unwrap();
    assert!(pending.uri.contains(&pending.setup_key) && pending.uri.contains("digits=6"), "{}", pending.uri);
    assert!(pending.uri.starts_with("otpauth://totp/Twofold%20Elm%20Street%20Clinic:ada?"), "{}", pending.uri);
    assert!(pending.qr_svg.starts_with("<svg") && !pending.qr_svg.contains("style="));
    assert_eq!(pending.setup_key.len(), 32, "160 bits");

    let _totp = ada.add_app().await;
    assert!(enrol_totp::pending(&world.authority, &ada.signed_in().await).await.unwrap().is_none());
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    assert!(!overview.only_sms && overview.factors.len() == 2);
}

async fn starting_again_replaces_the_key_and_leaves_the_active_one(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let active = ada.add_app().await;
    let signed_in = ada.signed_in().await;
    enrol_totp::start(&world.authority, &signed_in, &visitor()).await.unwrap();
    let first = enrol_totp::pending(&world.authority, &signed_in).await.unwrap().unwrap().setup_key;
    enrol_totp::start(&world.authority, &signed_in, &visitor()).await.unwrap();
    let second = enrol_totp::pending(&world.authority, &signed_in).await.unwrap().unwrap().setup_key;
    assert_ne!(first, second);
    let token = key(&first).token_at(world.authority.now());
    let refused = enrol_totp::confirm(&world.authority, &signed_in, &visitor(), token.expose_digits(), "").await;
    assert!(matches!(refused, Err(ConfirmError::NotRight(_))));
    enrol_totp::cancel(&world.authority, &signed_in, &visitor()).await.unwrap();
    let token = active.token_at(world.authority.now());
    assert!(ada.sign_in_with(token.expose_digits()).await.is_ok());
}

fn key(setup_key: &str) -> Totp {
    Totp::new(&Secret::from_base32(setup_key).unwrap(), Parameters::OTHER_VENDOR).unwrap()
}

async fn a_wrong_first_token_activates_nothing_and_is_diagnosed_every_ten_seconds(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    enrol_totp::start(&world.authority, &signed_in, &visitor()).await.unwrap();
    let pending = enrol_totp::pending(&world.authority, &signed_in).await.unwrap().unwrap();
    let secret = Secret::from_base32(&pending.setup_key).unwrap();
    let deviant = Totp::new(&secret, Parameters { digits: 8, ..Parameters::OTHER_VENDOR }).unwrap();
    let typed = deviant.token_at(world.authority.now());
    let visitor = visitor();
    let confirm = || enrol_totp::confirm(&world.authority, &signed_in, &visitor, typed.expose_digits(), "");

    let named = Some(Diagnosis::IgnoredDigits { made: 8, needed: 6 });
    assert_eq!(confirm().await.unwrap_err(), ConfirmError::NotRight(named));
    assert_eq!(confirm().await.unwrap_err(), ConfirmError::NotRight(None), "one in ten seconds");
    world.advance(10);
    assert_eq!(confirm().await.unwrap_err(), ConfirmError::NotRight(named));
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'").await, 3);
    assert!(security::overview(&world.authority, &signed_in).await.unwrap().only_sms);
}

async fn a_wrong_clock_is_named(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    enrol_totp::start(&world.authority, &signed_in, &visitor()).await.unwrap();
    let pending = enrol_totp::pending(&world.authority, &signed_in).await.unwrap().unwrap();
    let slow = Timestamp::from_millis(world.authority.now().millis() - 120_000);
    let typed = key(&pending.setup_key).token_at(slow);
    let refused = enrol_totp::confirm(&world.authority, &signed_in, &visitor(), typed.expose_digits(), "").await;
    assert_eq!(refused.unwrap_err(), ConfirmError::NotRight(Some(Diagnosis::ClockOff { seconds: -120 })));
}

async fn an_app_is_removed_alone_and_never_the_last(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    let id_of = |kind| overview.factors.iter().find(|factor| factor.kind == kind).unwrap().id.clone();
    let (sms, app) = (id_of(FactorKind::Sms), id_of(FactorKind::Totp));
    let (bob, _) = world.enrolled("bob", "+12025550177").await;
    let refused = enrol_totp::remove(&world.authority, &bob.signed_in().await, &visitor(), &app).await;
    assert_eq!(refused.unwrap_err(), RemoveError::NotFound, "of another account");
    let refused = enrol_totp::remove(&world.authority, &ada.signed_in().await, &visitor(), &sms).await;
    assert_eq!(refused.unwrap_err(), RemoveError::NotFound, "no app");

    let challenge = ada.challenge().await;
    ada.opened = enrol_totp::remove(&world.authority, &ada.signed_in().await, &visitor(), &app).await.unwrap();
    let token = totp.token_at(world.authority.now());
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, token.expose_digits(), false).await.is_err());
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let token = world.latest_token(PHONE).await;
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.is_ok());
}
