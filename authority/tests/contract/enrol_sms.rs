use authority::enrol_sms::{self, ConfirmError, StartError};
use authority::profile::{self, ProfileForm};
use authority::sign_in::{self, PasswordStep};
use authority::{SendRefused, devices, outbox, security, sessions, step_up};
use domain::message::Channel;
use domain::session::Assurance;

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor, visitor_from};

on_both_databases!(
    nothing_counts_before_the_number_is_confirmed,
    confirming_switches_on_and_ends_other_sessions,
    a_wrong_password_or_a_missing_number_starts_nothing,
    a_pending_number_belongs_to_its_session_and_runs_out,
    five_wrong_entries_void_the_token,
    a_token_account_has_one_phone_and_one_email,
    a_stranger_with_my_email_keeps_me_from_nothing,
    a_number_of_another_keeps_the_devices,
    many_adjacent_numbers_that_nobody_proves_trip_a_breaker,
    another_number_is_a_new_factor,
    cancelling_changes_nothing,
);

async fn nothing_counts_before_the_number_is_confirmed(world: World) {
    let ada = world.provider("ada", PHONE).await;
    enrol_sms::start(&world.authority, &ada.signed_in().await, &visitor(), PASSWORD.into()).await.unwrap();
    assert_eq!(world.events("sms-risk-shown").await, 1, "the form stands below the notice");
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
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    assert!(overview.enabled && !overview.phone_elsewhere);
    let mut bob = world.provider("bob", PHONE).await;
    let overview = security::overview(&world.authority, &bob.signed_in().await).await.unwrap();
    assert!(!overview.phone_elsewhere, "only who has proven the number is told whose it is");
    world.advance(60);
    bob.enable_sms().await;
    let overview = security::overview(&world.authority, &bob.signed_in().await).await.unwrap();
    assert!(overview.enabled && overview.phone_elsewhere);
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account").await, 1);
    assert_eq!(linked(&world).await, 1);
}

async fn a_stranger_with_my_email_keeps_me_from_nothing(world: World) {
    let (_stranger, _) = world.enrolled("ada", "+12025550199").await;
    world.run("UPDATE account SET username = 'stranger'").await.unwrap();
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    assert!(overview.enabled && overview.phone_elsewhere);
    assert_eq!(linked(&world).await, 1);

    // Once the address is free, the next proof of the phone links it.
    world.run("UPDATE token_account SET email = 'stranger@elm.test'").await.unwrap();
    world.advance(60);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let token = world.latest_token(PHONE).await;
    sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.unwrap();
    assert_eq!(linked(&world).await, 2);
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    assert!(!overview.phone_elsewhere);
}

async fn linked(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM account WHERE token_account_id IS NOT NULL").await
}

async fn many_adjacent_numbers_that_nobody_proves_trip_a_breaker(world: World) {
    let begin = async |number: u8| {
        let phone = format!("+12025550{}", 100 + u16::from(number));
        let person = world.provider(&format!("person{number}"), &phone).await;
        let (signed_in, visitor) = (person.signed_in().await, visitor_from(number));
        enrol_sms::start(&world.authority, &signed_in, &visitor, PASSWORD.into()).await
    };
    let (ada, _) = world.enrolled("ada", PHONE).await;
    for number in 0..10 {
        assert!(begin(number).await.is_ok(), "{number}");
    }
    let refused = begin(10).await;
    assert!(matches!(refused, Err(StartError::Send(SendRefused::TooSoon { .. }))), "{refused:?}");
    world.advance(60);
    let challenge = ada.challenge().await;
    let sent = sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await;
    assert!(sent.is_ok(), "who has proven a number of that range gets tokens");
    let started = devices::start(&world.authority, &visitor(), "+12025550110", "a@elm.test", Channel::Sms).await;
    assert!(started.is_ok(), "a new device's question shows nothing of it");

    // Somebody was slow to type the token.
    world.run("UPDATE factor SET state = 'confirmed' WHERE phone = '+12025550100'").await.unwrap();
    assert!(begin(11).await.is_ok());
    assert!(begin(12).await.is_err());
    world.advance(600);
    assert!(begin(13).await.is_ok());
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

async fn a_number_of_another_keeps_the_devices(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let (_bob, _) = world.enrolled("bob", "+12025550188").await;
    let phone = crate::devices::add(&world, "ada", PHONE).await;
    ada.opened = ada.sign_in_with(&phone.token(&world)).await.unwrap();
    world.advance(30);
    let token = phone.token(&world);
    ada.opened =
        step_up::confirm(&world.authority, &ada.signed_in().await, &visitor(), PASSWORD.into(), &token).await.unwrap();
    let form = ProfileForm {
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        cell_phone: "+12025550188".into(),
        ..ProfileForm::default()
    };
    profile::update(&world.authority, &ada.signed_in().await, &visitor(), form).await.unwrap();
    ada.phone = "+12025550188".into();
    world.advance(60);
    ada.enable_sms().await;
    assert!(security::overview(&world.authority, &ada.signed_in().await).await.unwrap().phone_elsewhere);
    assert!(ada.sign_in_with(&phone.token(&world)).await.is_ok(), "what works is not taken away");
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account").await, 2);
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
