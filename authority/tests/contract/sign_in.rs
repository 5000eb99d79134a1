use authority::sign_in::{self, PasswordRefused, PasswordStep, TokenRefused};
use authority::{SendRefused, sessions};
use domain::challenge::Over;
use domain::message::Channel;
use domain::session::Assurance;
use domain::token::InvalidToken;
use domain::{FactorKind, LocalPath};

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor, visitor_from};

on_both_databases!(
    a_password_alone_opens_a_session_without_factors,
    unknown_names_and_wrong_passwords_get_one_answer,
    a_token_from_a_text_message_signs_in_and_leads_to_the_page_asked_for,
    a_token_from_a_call_signs_in,
    a_token_from_an_app_signs_in_once,
    a_token_of_an_earlier_step_is_refused_after_a_later_one,
    tokens_two_steps_away_are_refused,
    the_confirming_token_cannot_sign_in,
    a_token_of_another_account_is_refused_and_not_used_up,
    a_message_token_works_for_its_own_challenge_only,
    a_resend_kills_the_token_before,
    a_message_token_runs_out_after_five_minutes,
    five_wrong_tokens_end_the_challenge,
    a_number_that_goes_while_its_token_is_checked_signs_nobody_in,
    a_challenge_runs_out_after_ten_minutes,
    a_cancelled_challenge_takes_no_token,
    what_is_no_token_is_not_counted,
    messages_keep_to_their_limits,
    email_addresses_sign_in_and_case_does_not_matter,
);

async fn a_password_alone_opens_a_session_without_factors(world: World) {
    let actor = world.provider("ada", PHONE).await;
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    let Ok(PasswordStep::SignedIn(opened)) = step else { panic!("{step:?}") };
    assert_ne!(opened.session.expose(), actor.opened.session.expose());
    let signed_in = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    assert_eq!(signed_in.assurance(), Assurance::Password);
}

async fn unknown_names_and_wrong_passwords_get_one_answer(world: World) {
    let _ada = world.provider("ada", PHONE).await;
    for name in ["ada", "nobody", "nobody@elm.test", "", "<script>", "ada\0"] {
        let refused = sign_in::with_password(&world.authority, &visitor(), name, "wrong password".into(), None).await;
        assert_eq!(refused.unwrap_err(), PasswordRefused::Wrong, "{name:?}");
    }
    for password in ["", "seven teal bicycle", "seven teal bicyclesX", &"x".repeat(2000)] {
        let refused = sign_in::with_password(&world.authority, &visitor(), "ada", password.into(), None).await;
        assert_eq!(refused.unwrap_err(), PasswordRefused::Wrong);
    }
}

async fn a_token_from_a_text_message_signs_in_and_leads_to_the_page_asked_for(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(60);
    let next = LocalPath::parse("/account/profile").unwrap();
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), Some(next.clone())).await;
    let Ok(PasswordStep::TokenNeeded(key)) = step else { panic!("{step:?}") };
    let challenge = sign_in::find_challenge(&world.authority, &key).await.unwrap().unwrap();
    let methods = sign_in::methods(&world.authority, &challenge).await.unwrap();
    assert_eq!(methods.sms.as_ref().map(|sms| (sms.ending.as_str(), sms.sent)), Some(("66", None)));
    assert_eq!((methods.recovery_codes_left, methods.tries_left), (10, 5));

    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let token = world.latest_token(&ada.phone).await;
    let opened = sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.unwrap();
    assert_eq!(opened.next, Some(next));
    let signed_in = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    assert_eq!(signed_in.assurance(), Assurance::TwoFactor);
    // The challenge is closed: neither this token nor any other passes it again.
    assert_eq!(sign_in::find_challenge(&world.authority, &key).await.unwrap().err(), Some(Over::Passed));
    let again = sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await;
    assert_eq!(again.unwrap_err(), TokenRefused::NotRight);
}

async fn a_token_from_a_call_signs_in(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(60);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Voice).await.unwrap();
    let sent = sign_in::methods(&world.authority, &challenge).await.unwrap().sms.unwrap().sent.unwrap();
    assert_eq!(sent.channel, Channel::Voice);
    let token = world.latest_token(&ada.phone).await;
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.is_ok());
}

async fn a_token_from_an_app_signs_in_once(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let token = totp.token_at(world.authority.now());
    assert!(ada.sign_in_with(token.expose_digits()).await.is_ok());
    assert_eq!(ada.sign_in_with(token.expose_digits()).await.unwrap_err(), TokenRefused::NotRight);
    assert_eq!(world.events("authn_token_reuse").await, 1);
    let challenge = ada.challenge().await;
    let methods = sign_in::methods(&world.authority, &challenge).await.unwrap();
    assert_eq!((methods.totp, methods.last_used), (vec!["My phone".to_owned()], Some(FactorKind::Totp)));
}

async fn a_token_of_an_earlier_step_is_refused_after_a_later_one(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let earlier = totp.token_at(world.authority.now());
    world.advance(30);
    let later = totp.token_at(world.authority.now());
    assert!(ada.sign_in_with(later.expose_digits()).await.is_ok());
    assert!(ada.sign_in_with(earlier.expose_digits()).await.is_err());
}

async fn tokens_two_steps_away_are_refused(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let token = totp.token_at(world.authority.now());
    world.advance(60);
    assert!(ada.sign_in_with(token.expose_digits()).await.is_err(), "two steps late");
    world.advance(-120);
    assert!(ada.sign_in_with(token.expose_digits()).await.is_err(), "two steps early");
    world.advance(90);
    assert!(ada.sign_in_with(token.expose_digits()).await.is_ok(), "one step late");
}

async fn the_confirming_token_cannot_sign_in(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    world.advance(-60);
    let confirming = totp.token_at(world.authority.now());
    assert!(ada.sign_in_with(confirming.expose_digits()).await.is_err());
}

async fn a_token_of_another_account_is_refused_and_not_used_up(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let (bob, _) = world.enrolled("bob", "+12025550177").await;
    let token = totp.token_at(world.authority.now());
    assert!(bob.sign_in_with(token.expose_digits()).await.is_err());
    assert!(ada.sign_in_with(token.expose_digits()).await.is_ok());
}

async fn a_message_token_works_for_its_own_challenge_only(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(60);
    let (first, second) = (ada.challenge().await, ada.challenge().await);
    sign_in::request_token(&world.authority, &visitor(), &first, Channel::Sms).await.unwrap();
    let token = world.latest_token(&ada.phone).await;
    assert!(sign_in::with_token(&world.authority, &visitor(), &second, &token, false).await.is_err());
    assert!(sign_in::with_token(&world.authority, &visitor(), &first, &token, false).await.is_ok());
}

async fn a_resend_kills_the_token_before(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(60);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let first = world.latest_token(&ada.phone).await;
    world.advance(60);
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, &first, false).await.is_err());
    let methods = sign_in::methods(&world.authority, &challenge).await.unwrap();
    assert_eq!(methods.failures, 0, "the page of this request still shows its own challenge");
    let second = world.latest_token(&ada.phone).await;
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, &second, false).await.is_ok());
}

async fn a_message_token_runs_out_after_five_minutes(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(60);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let token = world.latest_token(&ada.phone).await;
    world.advance(300);
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.is_err());
    world.advance(-1);
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.is_ok());
}

async fn five_wrong_tokens_end_the_challenge(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    let Ok(PasswordStep::TokenNeeded(key)) = step else { panic!("{step:?}") };
    let challenge = sign_in::find_challenge(&world.authority, &key).await.unwrap().unwrap();
    for _ in 0..5 {
        assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, "000000", false).await.is_err());
    }
    let over = sign_in::find_challenge(&world.authority, &key).await.unwrap();
    assert_eq!(over.err(), Some(Over::TooManyTokens));
    let right = totp.token_at(world.authority.now());
    let refused = sign_in::with_token(&world.authority, &visitor(), &challenge, right.expose_digits(), false).await;
    assert_eq!(refused.unwrap_err(), TokenRefused::NotRight);
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'").await, 5);
    assert!(ada.sign_in_with(right.expose_digits()).await.is_ok(), "the right token was not looked at");
}

async fn a_number_that_goes_while_its_token_is_checked_signs_nobody_in(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(60);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let token = world.latest_token(PHONE).await;
    world.between_count_and_comparison("UPDATE factor SET state = 'disabled'").await;
    let refused = sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await;
    assert_eq!(refused.unwrap_err(), TokenRefused::NotRight);
    assert_eq!(
        world.number("SELECT COUNT(*) FROM message_token WHERE ended_at IS NULL").await,
        1,
        "nothing is used up"
    );
}

async fn a_challenge_runs_out_after_ten_minutes(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let challenge = ada.challenge().await;
    world.advance(600);
    let token = totp.token_at(world.authority.now());
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, token.expose_digits(), false).await.is_err());
    assert!(ada.sign_in_with(token.expose_digits()).await.is_ok());
}

async fn a_cancelled_challenge_takes_no_token(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    let Ok(PasswordStep::TokenNeeded(key)) = step else { panic!("{step:?}") };
    let challenge = sign_in::find_challenge(&world.authority, &key).await.unwrap().unwrap();
    sessions::log_out(&world.authority, &visitor(), None, Some(&key)).await.unwrap();
    let token = totp.token_at(world.authority.now());
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, token.expose_digits(), false).await.is_err());
    assert_eq!(sign_in::find_challenge(&world.authority, &key).await.unwrap().err(), Some(Over::Cancelled));
}

async fn what_is_no_token_is_not_counted(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let challenge = ada.challenge().await;
    for raw in ["", "12345", "1234567", "１２３４５６", "-12345", "1e5000"] {
        let refused = sign_in::with_token(&world.authority, &visitor(), &challenge, raw, false).await.unwrap_err();
        assert!(matches!(refused, TokenRefused::Malformed(_)), "{raw}: {refused:?}");
    }
    let refused = sign_in::with_token(&world.authority, &visitor(), &challenge, "12345", false).await.unwrap_err();
    assert_eq!(refused, TokenRefused::Malformed(InvalidToken::TooShort(6)));
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'").await, 0);
}

async fn messages_keep_to_their_limits(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let challenge = ada.challenge().await;
    let refused = sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap_err();
    let SendRefused::TooSoon { until } = refused else { panic!("{refused:?}") };
    assert_eq!(until.since(world.authority.now()).as_secs(), 60, "the confirming message was just now");
    // Four more, one a minute: five lie in ten minutes with the confirming one.
    for _ in 0..4 {
        world.advance(60);
        sign_in::request_token(&world.authority, &visitor_from(7), &challenge, Channel::Sms).await.unwrap();
    }
    world.advance(60);
    let refused = sign_in::request_token(&world.authority, &visitor_from(8), &challenge, Channel::Voice).await;
    assert!(matches!(refused, Err(SendRefused::TooSoon { .. })), "the sixth in ten minutes: {refused:?}");
    assert_eq!(world.number("SELECT COUNT(*) FROM message_send").await, 5);
    assert_eq!(world.events("message-refused").await, 2);
}

async fn email_addresses_sign_in_and_case_does_not_matter(world: World) {
    let _ada = world.provider("ada", PHONE).await;
    for name in ["ada@elm.test", " ADA@Elm.Test ", "ADA", " ada "] {
        let step = sign_in::with_password(&world.authority, &visitor(), name, PASSWORD.into(), None).await;
        assert!(matches!(step, Ok(PasswordStep::SignedIn(_))), "{name:?}: {step:?}");
    }
}
