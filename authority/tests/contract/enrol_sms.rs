use authority::enrol_sms::{self, ConfirmError, StartError};
use authority::profile::{self, ProfileForm};
use authority::sign_in::{self, PasswordStep};
use authority::{SendRefused, outbox, security, sessions, step_up};
use domain::message::Channel;
use domain::session::Assurance;

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    nothing_counts_before_the_number_is_confirmed,
    confirming_switches_on_and_ends_other_sessions,
    a_wrong_password_or_a_missing_number_starts_nothing,
    a_pending_number_belongs_to_its_session_and_runs_out,
    five_wrong_entries_void_the_token,
    a_token_account_has_one_phone_and_one_email,
    another_number_is_a_new_factor,
    cancelling_changes_nothing,
);

async fn nothing_counts_before_the_number_is_confirmed(world: World) {
    let ada = world.provider("ada", PHONE).await;
    enrol_sms::start(&world.authority, &ada.signed_in().await, &visitor(), PASSWORD.into()).await.unwrap();
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    assert!(matches!(step, Ok(PasswordStep::SignedIn(_))), "{step:?}");
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    assert!(!overview.enabled && overview.pending_phone && overview.recovery_codes_left == 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account").await, 0);
}

async fn confirming_switches_on_and_ends_other_sessions(world: World) {
    let mut ada = world.provider("ada", PHONE).await;
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    let Ok(PasswordStep::SignedIn(other)) = step else { panic!("{step:?}") };
    let before = ada.opened.session.clone();
    ada.enable_sms().await;

    assert!(sessions::find(&world.authority, &other.session).await.unwrap().is_none(), "another browser");
    assert!(sessions::find(&world.authority, &before).await.unwrap().is_none(), "the old key of this one");
    assert_eq!(ada.signed_in().await.assurance(), Assurance::TwoFactor);
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    assert!(overview.enabled && overview.only_sms && overview.codes_to_store && overview.stepped_up);
    assert_eq!(overview.recovery_codes_left, 10);
    assert_eq!(world.number("SELECT COUNT(*) FROM account WHERE token_account_id IS NOT NULL").await, 1);
    let told = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert!(told.iter().any(|mail| mail.body.starts_with("Two-factor authentication is on")));
}

async fn a_wrong_password_or_a_missing_number_starts_nothing(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    let refused = enrol_sms::start(&world.authority, &signed_in, &visitor(), "wrong".into()).await;
    assert_eq!(refused.unwrap_err(), StartError::PasswordWrong);
    world.run("UPDATE account SET cell_phone = ''").await.unwrap();
    let refused = enrol_sms::start(&world.authority, &signed_in, &visitor(), PASSWORD.into()).await;
    assert_eq!(refused.unwrap_err(), StartError::PhoneMissing);
    assert_eq!(world.number("SELECT COUNT(*) FROM factor").await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM message_send").await, 0);
}

async fn a_pending_number_belongs_to_its_session_and_runs_out(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    enrol_sms::start(&world.authority, &signed_in, &visitor(), PASSWORD.into()).await.unwrap();
    let token = world.latest_token(PHONE).await;
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    let Ok(PasswordStep::SignedIn(other)) = step else { panic!("{step:?}") };
    let other = sessions::find(&world.authority, &other.session).await.unwrap().unwrap();
    let refused = enrol_sms::confirm(&world.authority, &other, &visitor(), &token).await;
    assert_eq!(refused.unwrap_err(), ConfirmError::Ended);
    world.advance(600);
    let refused = enrol_sms::confirm(&world.authority, &signed_in, &visitor(), &token).await;
    assert_eq!(refused.unwrap_err(), ConfirmError::Ended);
}

async fn five_wrong_entries_void_the_token(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    enrol_sms::start(&world.authority, &signed_in, &visitor(), PASSWORD.into()).await.unwrap();
    let token = world.latest_token(PHONE).await;
    let wrong = if token == "111111" { "222222" } else { "111111" };
    for left in (0..5).rev() {
        let refused = enrol_sms::confirm(&world.authority, &signed_in, &visitor(), wrong).await;
        assert_eq!(refused.unwrap_err(), ConfirmError::NotRight);
        let pending = enrol_sms::pending(&world.authority, &signed_in).await.unwrap().unwrap();
        assert_eq!(pending.tries_left, left);
    }
    let refused = enrol_sms::confirm(&world.authority, &signed_in, &visitor(), &token).await;
    assert_eq!(refused.unwrap_err(), ConfirmError::NotRight);
    world.advance(60);
    enrol_sms::resend(&world.authority, &signed_in, &visitor(), Channel::Voice).await.unwrap();
    let token = world.latest_token(PHONE).await;
    assert!(enrol_sms::confirm(&world.authority, &signed_in, &visitor(), &token).await.is_ok());
}

async fn a_token_account_has_one_phone_and_one_email(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let bob = world.provider("bob", PHONE).await;
    let signed_in = bob.signed_in().await;
    world.advance(60);
    enrol_sms::start(&world.authority, &signed_in, &visitor(), PASSWORD.into()).await.unwrap();
    // Only who has proven the number is told that it is taken.
    let token = world.latest_token(PHONE).await;
    let refused = enrol_sms::confirm(&world.authority, &signed_in, &visitor(), &token).await;
    assert_eq!(refused.unwrap_err(), ConfirmError::PhoneTaken);
    assert!(!security::overview(&world.authority, &signed_in).await.unwrap().enabled);
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account").await, 1);
}

async fn another_number_is_a_new_factor(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let other = "+12025550188";
    let form = ProfileForm {
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        cell_phone: other.into(),
        ..ProfileForm::default()
    };
    profile::update(&world.authority, &ada.signed_in().await, &visitor(), form).await.unwrap();
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    assert!(overview.phone_to_confirm);
    // Until the new number is confirmed, tokens go to the old one.
    world.advance(60);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let token = world.latest_token(PHONE).await;
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.is_ok());

    ada.phone = other.into();
    ada.enable_sms().await;
    assert_eq!(world.number("SELECT COUNT(*) FROM factor").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account WHERE phone = '+12025550188'").await, 1);
    let told = outbox::list(&world.authority, Some(PHONE)).await.unwrap();
    assert!(told.iter().any(|message| message.body.contains("another number")));
}

async fn cancelling_changes_nothing(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    enrol_sms::start(&world.authority, &signed_in, &visitor(), PASSWORD.into()).await.unwrap();
    let token = world.latest_token(PHONE).await;
    enrol_sms::cancel(&world.authority, &signed_in, &visitor()).await.unwrap();
    assert!(enrol_sms::pending(&world.authority, &signed_in).await.unwrap().is_none());
    let refused = enrol_sms::confirm(&world.authority, &signed_in, &visitor(), &token).await;
    assert_eq!(refused.unwrap_err(), ConfirmError::Ended);
    let refused = enrol_sms::resend(&world.authority, &signed_in, &visitor(), Channel::Sms).await;
    assert_eq!(refused.unwrap_err(), SendRefused::Over);
    assert_eq!(step_up::methods(&world.authority, &signed_in).await.unwrap(), None);
}
