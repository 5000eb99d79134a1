use authority::devices::{
    self, ActivationError, AnswerError, EnrolError, IdleDevice, NewSecret, Ready, RegistrationError, RevokeError, Step,
};
use authority::profile::{self, ProfileForm};
use authority::sign_in::{self, PasswordStep, RecoveryRefused, TokenRefused};
use authority::{
    Authority, Device, SendRefused, SignedIn, Visitor, backup, disable, housekeeping, outbox, policy, practice,
    recovery, security, sessions, step_up,
};
use domain::diagnosis::Diagnosis;
use domain::email::InvalidEmail;
use domain::message::Channel;
use domain::phone::InvalidPhone;
use domain::policy::{Requirement, Rule};
use domain::token::InvalidToken;
use domain::totp::Parameters;
use domain::{FactorKind, Policy, Role, Timestamp, Totp};

use crate::races::race;
use crate::support::{Actor, PASSWORD, PHONE, World, on_both_databases, visitor, visitor_from};

on_both_databases!(
    a_first_device_is_registered_by_its_phone_and_signs_in,
    a_number_that_nobody_has_is_answered_alike,
    what_else_goes_to_a_number_is_not_seen_by_strangers,
    numbers_and_addresses_are_read_before_anything_is_sent,
    codes_keep_to_the_limits_of_messages,
    strangers_leave_the_owner_of_a_number_messages_to_sign_in_by,
    strangers_leave_half_of_all_messages_to_others,
    an_ipv6_network_counts_as_one_address,
    five_wrong_codes_void_the_code_and_not_the_account,
    a_code_works_once_and_for_its_own_registration,
    a_code_and_a_registration_run_out,
    the_email_of_another_is_told_to_who_has_the_phone,
    nothing_counts_before_the_device_is_activated,
    asking_again_makes_the_secrets_afresh,
    with_the_first_device_the_phone_alone_stops_being_enough,
    a_wrong_first_token_activates_nothing,
    a_second_device_is_approved_by_its_number,
    a_wrong_number_or_none_denies,
    two_devices_of_one_name_are_told_apart_by_a_number,
    only_the_newest_question_can_be_answered_and_only_by_the_same_person,
    a_recovery_code_stands_in_for_the_approval,
    guessed_recovery_codes_draw_on_the_budget,
    the_phone_alone_gives_nothing_to_an_account_without_it,
    the_phone_alone_gives_nothing_where_only_apps_count,
    two_practices_share_a_device,
    a_practice_linked_later_does_not_speak_for_the_backup,
    a_practice_linked_later_is_added_from_its_security_tab,
    a_device_is_added_after_a_step_up_by_an_account_of_its_own_token_account,
    an_offer_to_a_device_runs_out_and_is_taken_back,
    tokens_of_two_devices_are_spent_apart,
    revoking_kills_the_tokens_at_once,
    the_last_factor_stays,
    a_device_gives_itself_up,
    an_approval_dies_with_its_device,
    another_number_keeps_the_devices,
    switching_off_removes_devices_and_backup,
    text_messages_go_out_on_request_only,
    what_has_run_out_is_swept,
    no_secret_of_a_device_stands_in_the_database_in_clear,
    fifty_right_codes_prove_the_phone_once,
    fifty_wrong_codes_are_compared_five_times,
    fifty_activations_make_one_device,
    fifty_activations_of_a_later_secret_count_once,
    fifty_answers_count_once,
    a_revocation_and_fifty_sign_ins_leave_one_session_at_most,
    two_revocations_remove_once,
    a_practice_may_want_devices_to_be_phones,
    a_practice_that_wants_phones_gives_no_later_secret_to_others,
);

/// An active device of a test.
pub(crate) struct Phone {
    pub(crate) key: String,
    pub(crate) device: Device,
    /// What it makes tokens with, in the order in which it got them.
    pub(crate) totps: Vec<Totp>,
}

impl Phone {
    pub(crate) fn token(&self, world: &World) -> String {
        self.totps[0].token_at(world.authority.now()).expose_digits().to_owned()
    }
}

fn email(username: &str) -> String {
    format!("{username}@elm.test")
}

/// A registration whose code is on its way; the minute between two messages has passed.
pub(crate) async fn start(world: &World, username: &str, phone: &str) -> String {
    world.advance(60);
    let started = devices::start(&world.authority, &visitor(), phone, &email(username), Channel::Sms).await.unwrap();
    started.key.expose().to_owned()
}

/// A registration whose phone is proven.
pub(crate) async fn verify(world: &World, username: &str, phone: &str, name: &str) -> (String, Step) {
    let key = start(world, username, phone).await;
    let code = world.latest_token(phone).await;
    let step = devices::verify(&world.authority, &visitor(), &key, &code, name).await.unwrap();
    (key, step)
}

fn ready(step: Step) -> Ready {
    match step {
        Step::Ready(ready) => ready,
        Step::Waiting { number } => panic!("waits with {number}"),
        Step::Denied => panic!("denied"),
    }
}

fn number(step: &Step) -> String {
    let Step::Waiting { number } = step else { panic!("does not wait") };
    number.to_string()
}

fn totps(ready: &Ready) -> Vec<Totp> {
    ready.secrets.iter().map(|secret| Totp::new(&secret.key, Parameters::OWN).unwrap()).collect()
}

fn tokens_at(ready: &Ready, now: Timestamp) -> String {
    tokens_of(&ready.secrets, now)
}

fn tokens_of(secrets: &[NewSecret], now: Timestamp) -> String {
    let token = |secret: &NewSecret| {
        let totp = Totp::new(&secret.key, Parameters::OWN).unwrap();
        format!("{} {}", secret.factor, totp.token_at(now).expose_digits())
    };
    secrets.iter().map(token).collect::<Vec<_>>().join(",")
}

/// Activates what is ready; its first tokens are spent, so time moves on by two steps.
pub(crate) async fn activate(world: &World, ready: &Ready) -> Phone {
    let tokens = tokens_at(ready, world.authority.now());
    let key = ready.device_key.expose().to_owned();
    let device = devices::activate(&world.authority, &visitor(), &key, &tokens).await.unwrap();
    world.advance(60);
    Phone { key, device, totps: totps(ready) }
}

/// A first device.
pub(crate) async fn add(world: &World, username: &str, phone: &str) -> Phone {
    let (_, step) = verify(world, username, phone, "Old phone").await;
    activate(world, &ready(step)).await
}

/// A second device, approved by the first.
pub(crate) async fn add_second(world: &World, first: &Phone, username: &str, phone: &str) -> Phone {
    let (key, step) = verify(world, username, phone, "New phone").await;
    answer(world, first, &number(&step)).await.unwrap();
    activate(world, &ready(devices::step(&world.authority, &visitor(), &key).await.unwrap())).await
}

async fn answer(world: &World, phone: &Phone, number: &str) -> Result<(), AnswerError> {
    let view = devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap();
    let request = view.requests.first().map_or("", |request| &request.id);
    devices::answer(&world.authority, &phone.device, &visitor(), request, number).await
}

/// Somebody with text messages, recovery codes and a first device.
async fn with_device<'a>(world: &'a World, username: &str) -> (Actor<'a>, Vec<String>, Phone) {
    let (ada, codes) = world.enrolled(username, PHONE).await;
    let phone = add(world, username, PHONE).await;
    (ada, codes, phone)
}

/// Signs in with a token of the device and steps up with the next.
async fn stepped_up(world: &World, actor: &mut Actor<'_>, phone: &Phone) -> SignedIn {
    actor.opened = actor.sign_in_with(&phone.token(world)).await.unwrap();
    world.advance(30);
    let signed_in = actor.signed_in().await;
    let token = phone.token(world);
    actor.opened = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &token).await.unwrap();
    world.advance(30);
    actor.signed_in().await
}

async fn device_ids(world: &World, phone: &Phone) -> Vec<String> {
    let view = devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap();
    view.devices.into_iter().map(|device| device.id).collect()
}

async fn is_active(world: &World, phone: &Phone) -> bool {
    devices::find(&world.authority, &phone.key).await.unwrap().is_some()
}

async fn revoke(world: &World, actor: &mut Actor<'_>, signed_in: &SignedIn, id: &str) -> Result<(), RevokeError> {
    let opened = devices::revoke(&world.authority, signed_in, &visitor(), id).await?;
    actor.opened = opened;
    Ok(())
}

async fn a_first_device_is_registered_by_its_phone_and_signs_in(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let (key, step) = verify(&world, "ada", PHONE, "Ada's phone").await;
    let ready = ready(step);
    assert_eq!(ready.secrets.len(), 1);
    let secret = &ready.secrets[0];
    assert_eq!((secret.practice.as_str(), secret.username.as_str()), ("Elm Street Clinic", "ada"));
    assert_eq!(secret.key.expose_bytes().len(), 32, "256 bits");
    assert!(!ready.has_backup && !ready.may_restore);

    let confirming = tokens_at(&ready, world.authority.now()).split(' ').next_back().unwrap().to_owned();
    let other = ada.sign_in_with("000000").await;
    assert_eq!(other.unwrap_err(), TokenRefused::NotRight);
    let phone = {
        let tokens = tokens_at(&ready, world.authority.now());
        let key = ready.device_key.expose().to_owned();
        let device = devices::activate(&world.authority, &visitor(), &key, &tokens).await.unwrap();
        Phone { key, device, totps: totps(&ready) }
    };
    assert!(!ada.is_signed_in().await, "other sessions end");
    assert_eq!(ada.sign_in_with(&confirming).await.unwrap_err(), TokenRefused::NotRight, "it is spent");
    let over = devices::step(&world.authority, &visitor(), &key).await;
    assert_eq!(over.err(), Some(RegistrationError::Over));

    world.advance(60);
    let token = phone.token(&world);
    assert_eq!(token.len(), 7);
    let opened = ada.sign_in_with(&token).await.unwrap();
    assert_eq!(ada.sign_in_with(&token).await.unwrap_err(), TokenRefused::NotRight, "once");
    assert_eq!(
        world.number("SELECT COUNT(*) FROM audit WHERE event = 'signed-in' AND factor = 'authenticator'").await,
        1
    );
    let events = "SELECT COUNT(*) FROM audit WHERE event = 'enrolment-confirmed' AND factor = 'authenticator'";
    assert_eq!(world.number(events).await, 1);
    let told = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert!(told.iter().any(|mail| mail.body.contains("A device was added: Ada's phone.")));

    let view = devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap();
    assert_eq!((view.accounts.len(), view.devices.len(), view.requests.len()), (1, 1, 0));
    assert!(view.devices[0].is_this && view.devices[0].last_used_at.is_some() && view.backup.is_none());
    let signed_in = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    let overview = security::overview(&world.authority, &signed_in).await.unwrap();
    let shown = overview.factors.iter().find(|factor| factor.kind == FactorKind::Authenticator).unwrap();
    assert_eq!((shown.name.as_str(), shown.device.as_ref()), ("Ada's phone", Some(&view.devices[0].id)));
    let methods = sign_in::methods(&world.authority, &ada.challenge().await).await.unwrap();
    assert_eq!((methods.devices, methods.lengths.longest()), (vec!["Ada's phone".to_owned()], 7));
}

/// How many rows each table has that a start could write, and what a registration looks like.
async fn written(world: &World) -> Vec<i64> {
    let mut numbers = Vec::new();
    for sql in [
        "SELECT COUNT(*) FROM registration",
        "SELECT COUNT(*) FROM registration WHERE state = 'open' AND token_account_id IS NULL AND number IS NULL",
        "SELECT COUNT(*) FROM outbox",
        "SELECT COUNT(*) FROM message_send",
        "SELECT COUNT(*) FROM message_token",
        "SELECT COUNT(*) FROM audit",
        "SELECT COUNT(*) FROM attempt",
        "SELECT COUNT(*) FROM factor",
        "SELECT COUNT(*) FROM device",
        "SELECT CAST(COALESCE(SUM(wrong_entries), 0) AS BIGINT) FROM registration",
    ] {
        numbers.push(world.number(sql).await);
    }
    numbers
}

async fn a_number_that_nobody_has_is_answered_alike(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(86_400);
    let (known, unknown) = (PHONE, "+12025550199");
    let mut differences = Vec::new();
    for phone in [known, unknown] {
        let before = written(&world).await;
        let sent = outbox::list(&world.authority, Some(phone)).await.unwrap().len();
        let started = devices::start(&world.authority, &visitor(), phone, "ada@elm.test", Channel::Sms).await.unwrap();
        let key = started.key.expose().to_owned();
        assert_eq!(started.ending, phone[10..]);
        assert_eq!(started.next_send_at.since(started.now).as_secs(), 60);
        let sent = outbox::list(&world.authority, Some(phone)).await.unwrap().len() - sent;
        assert_eq!(sent, usize::from(phone == known), "nobody is told of a number that nobody has");

        let again = devices::start(&world.authority, &visitor(), phone, "ada@elm.test", Channel::Sms).await;
        assert!(matches!(again, Err(RegistrationError::TooSoon { .. })), "the same cool-down");
        let again = devices::resend(&world.authority, &visitor(), &key, Channel::Voice).await;
        assert!(matches!(again, Err(RegistrationError::TooSoon { .. })));
        let wrong = devices::verify(&world.authority, &visitor(), &key, "000000", "").await;
        assert_eq!(wrong.err(), Some(RegistrationError::NotRight));
        let step = devices::step(&world.authority, &visitor(), &key).await;
        assert_eq!(step.err(), Some(RegistrationError::Over), "nothing is proven");
        let recovered = devices::recover(&world.authority, &visitor(), &key, "").await;
        assert_eq!(recovered.err(), Some(RegistrationError::Over));
        let after = written(&world).await;
        differences.push(after.iter().zip(before).map(|(after, before)| after - before).collect::<Vec<_>>());
    }
    assert_eq!(differences[0], differences[1]);
    assert_eq!(differences[0], [1, 1, 1, 1, 0, 0, 0, 0, 0, 1]);
    // Nothing of what was not meant for anybody is ever delivered.
    outbox::deliver(&world.authority).await.unwrap();
    assert!(outbox::list(&world.authority, Some(unknown)).await.unwrap().is_empty());
}

async fn what_else_goes_to_a_number_is_not_seen_by_strangers(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(86_400);
    let (known, unknown) = (PHONE, "+12025550199");
    let challenge = ada.challenge().await;
    let request = async || sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await;
    let ask = async |phone: &str| {
        let started = devices::start(&world.authority, &visitor_from(9), phone, "ada@elm.test", Channel::Sms).await;
        started.map(|started| started.next_send_at.since(started.now))
    };
    request().await.unwrap();
    outbox::deliver(&world.authority).await.unwrap();
    world.advance(20);
    assert_eq!(ask(known).await, ask(unknown).await);
    assert_eq!(outbox::deliver(&world.authority).await, Ok(0), "a minute between two messages to one number");
    assert!(matches!(request().await, Err(SendRefused::TooSoon { .. })));
    world.advance(40);
    assert_eq!(outbox::deliver(&world.authority).await, Ok(1));
    assert!(matches!(request().await, Err(SendRefused::TooSoon { .. })), "it counts from when it went out");

    for _ in 0..3 {
        world.advance(61);
        request().await.unwrap();
    }
    world.advance(61);
    assert!(matches!(request().await, Err(SendRefused::TooSoon { .. })), "five in ten minutes");
    let sent = outbox::list(&world.authority, Some(known)).await.unwrap().len();
    assert_eq!(ask(known).await, ask(unknown).await);
    assert_eq!(outbox::list(&world.authority, Some(known)).await.unwrap().len(), sent, "no code on top of them");
    world.advance(600);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.expect("ten minutes later");
}

async fn numbers_and_addresses_are_read_before_anything_is_sent(world: World) {
    for (phone, email, error) in [
        ("555 0101", "ada@elm.test", RegistrationError::Phone(InvalidPhone::CountryCodeMissing)),
        ("", "ada@elm.test", RegistrationError::Phone(InvalidPhone::Shape)),
        ("+1 900 234 5678", "ada@elm.test", RegistrationError::PhoneNotAllowed),
        (PHONE, "ada", RegistrationError::Email(InvalidEmail)),
    ] {
        let refused = devices::start(&world.authority, &visitor(), phone, email, Channel::Sms).await;
        assert_eq!(refused.unwrap_err(), error, "{phone} {email}");
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM registration").await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM message_send").await, 0);
}

async fn codes_keep_to_the_limits_of_messages(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let key = start(&world, "ada", PHONE).await;
    let first = world.latest_token(PHONE).await;
    let until = |refused: Result<_, RegistrationError>| match refused {
        Err(RegistrationError::TooSoon { until }) => until.since(world.authority.now()).as_secs(),
        other => panic!("{other:?}"),
    };
    assert_eq!(until(devices::resend(&world.authority, &visitor(), &key, Channel::Sms).await.map(|_| ())), 60);
    for _ in 0..4 {
        world.advance(60);
        devices::resend(&world.authority, &visitor(), &key, Channel::Voice).await.unwrap();
    }
    // These are five in ten minutes.
    world.advance(60);
    assert_eq!(until(devices::resend(&world.authority, &visitor(), &key, Channel::Sms).await.map(|_| ())), 300);
    let refused = devices::verify(&world.authority, &visitor(), &key, &first, "").await;
    assert_eq!(refused.err(), Some(RegistrationError::NotRight), "a resend kills the code before");
    // From one address, whatever the numbers: ten an hour, of which six are gone with the code of the enrolment.
    for last in 0..4 {
        let phone = format!("+1202555012{last}");
        devices::start(&world.authority, &visitor(), &phone, "a@elm.test", Channel::Sms).await.unwrap();
    }
    let eleventh = || async {
        devices::start(&world.authority, &visitor(), "+12025550130", "a@elm.test", Channel::Sms).await.map(|_| ())
    };
    assert!(matches!(eleventh().await, Err(RegistrationError::TooSoon { .. })));
    let elsewhere =
        devices::start(&world.authority, &visitor_from(2), "+12025550130", "a@elm.test", Channel::Sms).await;
    assert!(elsewhere.is_ok());
}

async fn start_from(world: &World, visitor: &Visitor, phone: &str) -> Result<(), RegistrationError> {
    devices::start(&world.authority, visitor, phone, "ada@elm.test", Channel::Sms).await.map(|_| ())
}

async fn strangers_leave_the_owner_of_a_number_messages_to_sign_in_by(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    for phone in [PHONE, "+12025550199"] {
        for number in 0..6 {
            world.advance(601);
            assert!(start_from(&world, &visitor_from(number), phone).await.is_ok(), "{phone} {number}");
        }
        world.advance(601);
        let refused = start_from(&world, &visitor_from(7), phone).await;
        assert!(matches!(refused, Err(RegistrationError::TooSoon { .. })), "the seventh to {phone}");
    }
    for _ in 0..4 {
        world.advance(601);
        let challenge = ada.challenge().await;
        sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    }
    let token = world.latest_token(PHONE).await;
    assert_eq!(token.len(), 6);
}

async fn strangers_leave_half_of_all_messages_to_others(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(3600);
    for number in 0..250_u8 {
        let area = ["212", "305", "404"][usize::from(number / 100)];
        let phone = format!("+1{area}55501{:02}", number % 100);
        assert!(start_from(&world, &visitor_from(number / 10), &phone).await.is_ok(), "{number}");
    }
    let refused = start_from(&world, &visitor_from(30), "+14045550199").await;
    assert!(matches!(refused, Err(RegistrationError::TooSoon { .. })));
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor_from(31), &challenge, Channel::Sms).await.unwrap();
}

async fn an_ipv6_network_counts_as_one_address(world: World) {
    let from = |last: &str| Visitor { address: last.parse().unwrap(), ..visitor() };
    for number in 0..10 {
        let address = format!("2001:db8:0:1:{number:x}::{number:x}");
        assert!(start_from(&world, &from(&address), &format!("+1202555012{number}")).await.is_ok());
    }
    let refused = start_from(&world, &from("2001:db8:0:1:ffff::1"), "+12025550130").await;
    assert!(matches!(refused, Err(RegistrationError::TooSoon { .. })));
    assert!(start_from(&world, &from("2001:db8:0:2::1"), "+12025550130").await.is_ok());
}

async fn five_wrong_codes_void_the_code_and_not_the_account(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let key = start(&world, "ada", PHONE).await;
    let code = world.latest_token(PHONE).await;
    for malformed in ["", "12345", "1234567", "12345a"] {
        let refused = devices::verify(&world.authority, &visitor(), &key, malformed, "").await;
        assert!(matches!(refused, Err(RegistrationError::Malformed(_))), "{malformed}: not looked at");
    }
    let wrong = if code == "111111" { "222222" } else { "111111" };
    for _ in 0..5 {
        let refused = devices::verify(&world.authority, &visitor(), &key, wrong, "").await;
        assert_eq!(refused.err(), Some(RegistrationError::NotRight));
    }
    let refused = devices::verify(&world.authority, &visitor(), &key, &code, "").await;
    assert_eq!(refused.err(), Some(RegistrationError::NotRight), "the right one too");
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'").await, 0, "no budget of hers");
    world.advance(60);
    devices::resend(&world.authority, &visitor(), &key, Channel::Sms).await.unwrap();
    let code = world.latest_token(PHONE).await;
    assert!(devices::verify(&world.authority, &visitor(), &key, &code, "").await.is_ok());
    assert!(ada.is_signed_in().await);
}

async fn a_code_works_once_and_for_its_own_registration(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let first = start(&world, "ada", PHONE).await;
    let code = world.latest_token(PHONE).await;
    let second = start(&world, "ada", PHONE).await;
    let refused = devices::verify(&world.authority, &visitor(), &second, &code, "").await;
    assert_eq!(refused.err(), Some(RegistrationError::NotRight));
    assert!(devices::verify(&world.authority, &visitor(), &first, &code, "").await.is_ok());
    let refused = devices::verify(&world.authority, &visitor(), &first, &code, "").await;
    assert_eq!(refused.err(), Some(RegistrationError::Over));
    for key in ["", "short", &"A".repeat(43)] {
        let refused = devices::verify(&world.authority, &visitor(), key, &code, "").await;
        assert_eq!(refused.err(), Some(RegistrationError::Over), "{key:?}");
    }
}

async fn a_code_and_a_registration_run_out(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let key = start(&world, "ada", PHONE).await;
    let code = world.latest_token(PHONE).await;
    world.advance(300);
    let refused = devices::verify(&world.authority, &visitor(), &key, &code, "").await;
    assert_eq!(refused.err(), Some(RegistrationError::NotRight));
    world.advance(300);
    for refused in [
        devices::verify(&world.authority, &visitor(), &key, &code, "").await.err(),
        devices::resend(&world.authority, &visitor(), &key, Channel::Sms).await.err(),
    ] {
        assert_eq!(refused, Some(RegistrationError::Over));
    }
    let (key, step) = verify(&world, "ada", PHONE, "").await;
    let ready = ready(step);
    world.advance(600);
    let over = devices::step(&world.authority, &visitor(), &key).await;
    assert_eq!(over.err(), Some(RegistrationError::Over));
    let tokens = tokens_at(&ready, world.authority.now());
    let refused = devices::activate(&world.authority, &visitor(), ready.device_key.expose(), &tokens).await;
    assert_eq!(refused.err(), Some(ActivationError::Over));
}

async fn the_email_of_another_is_told_to_who_has_the_phone(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(60);
    let started = devices::start(&world.authority, &visitor(), PHONE, "eve@elm.test", Channel::Sms).await.unwrap();
    let (key, code) = (started.key.expose(), world.latest_token(PHONE).await);
    let refused = devices::verify(&world.authority, &visitor(), key, &code, "").await;
    assert_eq!(refused.err(), Some(RegistrationError::EmailOfAnother));
    let refused = devices::step(&world.authority, &visitor(), key).await;
    assert_eq!(refused.err(), Some(RegistrationError::Over), "it is over with that");
    assert_eq!(world.number("SELECT COUNT(*) FROM device").await, 0);
}

async fn nothing_counts_before_the_device_is_activated(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let (_, step) = verify(&world, "ada", PHONE, "").await;
    let ready = ready(step);
    let token = totps(&ready)[0].token_at(world.authority.now());
    let refused = ada.sign_in_with(token.expose_digits()).await;
    assert_eq!(refused.unwrap_err(), TokenRefused::Malformed(InvalidToken::TooLong(6)));
    assert!(devices::find(&world.authority, ready.device_key.expose()).await.unwrap().is_none());
    let overview = security::overview(&world.authority, &ada.signed_in().await).await.unwrap();
    assert!(overview.only_sms);
}

async fn asking_again_makes_the_secrets_afresh(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let (key, step) = verify(&world, "ada", PHONE, "").await;
    let first = ready(step);
    let second = ready(devices::step(&world.authority, &visitor(), &key).await.unwrap());
    assert_ne!(first.device_key, second.device_key);
    assert_ne!(first.secrets[0].key, second.secrets[0].key);
    let tokens = tokens_at(&first, world.authority.now());
    let refused = devices::activate(&world.authority, &visitor(), first.device_key.expose(), &tokens).await;
    assert_eq!(refused.err(), Some(ActivationError::Revoked), "the answer that was lost");
    activate(&world, &second).await;
    assert_eq!(world.number("SELECT COUNT(*) FROM device").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE kind = 'authenticator'").await, 1);
}

async fn with_the_first_device_the_phone_alone_stops_being_enough(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let (thief, step) = verify(&world, "ada", PHONE, "Thief's phone").await;
    let thiefs = ready(step);
    let _phone = add(&world, "ada", PHONE).await;
    let refused = devices::step(&world.authority, &visitor(), &thief).await;
    assert_eq!(refused.err(), Some(RegistrationError::Over));
    let tokens = tokens_at(&thiefs, world.authority.now());
    let refused = devices::activate(&world.authority, &visitor(), thiefs.device_key.expose(), &tokens).await;
    assert_eq!(refused.err(), Some(ActivationError::Over));
}

async fn a_wrong_first_token_activates_nothing(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let (_, step) = verify(&world, "ada", PHONE, "").await;
    let ready = ready(step);
    let (key, now) = (ready.device_key.expose(), world.authority.now());
    let wrong = format!("{} 0000000", ready.secrets[0].factor);
    let slow = tokens_at(&ready, Timestamp::from_millis(now.millis() - 120_000));
    let clock_off = ActivationError::NotRight(Some(Diagnosis::ClockOff { seconds: -120 }));
    for (tokens, error) in [
        ("", ActivationError::NotRight(None)),
        ("nonsense", ActivationError::NotRight(None)),
        (wrong.as_str(), ActivationError::NotRight(None)),
        (slow.as_str(), clock_off),
    ] {
        let refused = devices::activate(&world.authority, &visitor(), key, tokens).await;
        assert_eq!(refused.err(), Some(error), "{tokens}");
    }
    let short = format!("{} 123456", ready.secrets[0].factor);
    let refused = devices::activate(&world.authority, &visitor(), key, &short).await;
    assert_eq!(refused.err(), Some(ActivationError::Malformed(InvalidToken::TooShort(7))));
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE state = 'confirmed'").await, 1);
    let tokens = tokens_at(&ready, now);
    let device = devices::activate(&world.authority, &visitor(), key, &tokens).await;
    assert!(device.is_ok());
    let again = devices::activate(&world.authority, &visitor(), key, &tokens).await;
    assert_eq!(again.err(), Some(ActivationError::Over));
}

async fn a_second_device_is_approved_by_its_number(world: World) {
    let (ada, _, first) = with_device(&world, "ada").await;
    let (key, step) = verify(&world, "ada", PHONE, "New phone").await;
    let shown = number(&step);
    let view = devices::sync(&world.authority, &first.device, &visitor()).await.unwrap();
    let request = &view.requests[0];
    assert_eq!((request.device.as_str(), request.numbers.len()), ("New phone", 3));
    assert!(request.numbers.contains(&shown.parse().unwrap()));
    assert_eq!(number(&devices::step(&world.authority, &visitor(), &key).await.unwrap()), shown, "it stays");

    answer(&world, &first, &shown).await.unwrap();
    assert_eq!(answer(&world, &first, &shown).await, Err(AnswerError::Gone));
    let ready = ready(devices::step(&world.authority, &visitor(), &key).await.unwrap());
    assert!(ready.may_restore);
    let second = activate(&world, &ready).await;
    assert_eq!(device_ids(&world, &first).await.len(), 2);
    assert!(ada.sign_in_with(&second.token(&world)).await.is_ok());
    assert!(ada.sign_in_with(&first.token(&world)).await.is_ok());
    assert_eq!((world.events("device-approved").await, world.events("device-denied").await), (1, 0));
}

async fn two_devices_of_one_name_are_told_apart_by_a_number(world: World) {
    let (_, _, first) = with_device(&world, "ada").await;
    for later in ["Old phone 2", "Old phone 3"] {
        let (key, step) = verify(&world, "ada", PHONE, "Old phone").await;
        answer(&world, &first, &number(&step)).await.unwrap();
        let ready = ready(devices::step(&world.authority, &visitor(), &key).await.unwrap());
        activate(&world, &ready).await;
        let view = devices::sync(&world.authority, &first.device, &visitor()).await.unwrap();
        assert_eq!(view.devices.last().map(|device| device.name.as_str()), Some(later));
    }
}

async fn a_wrong_number_or_none_denies(world: World) {
    let (_ada, codes, first) = with_device(&world, "ada").await;
    for (typed, answered) in [("", Ok(())), ("9", Err(AnswerError::WrongNumber)), ("x", Err(AnswerError::WrongNumber))]
    {
        let (key, step) = verify(&world, "ada", PHONE, "Eve's phone").await;
        assert_ne!(number(&step), typed);
        assert_eq!(answer(&world, &first, typed).await, answered);
        assert!(matches!(devices::step(&world.authority, &visitor(), &key).await, Ok(Step::Denied)));
        let recovered = devices::recover(&world.authority, &visitor(), &key, &codes[0]).await;
        assert_eq!(recovered.err(), Some(RegistrationError::Over), "who was denied stays so");
        world.advance(600);
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_code WHERE used_at IS NOT NULL").await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM device").await, 1);
    assert_eq!(world.events("device-denied").await, 3);
    let told = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert!(told.iter().any(|mail| mail.body.starts_with("A new device was refused")));
}

async fn only_the_newest_question_can_be_answered_and_only_by_the_same_person(world: World) {
    let (_ada, _, first) = with_device(&world, "ada").await;
    let (_bob, _) = world.enrolled("bob", "+12025550177").await;
    let stranger = add(&world, "bob", "+12025550177").await;
    let (old, _) = verify(&world, "ada", PHONE, "One").await;
    let old_request = devices::sync(&world.authority, &first.device, &visitor()).await.unwrap().requests[0].id.clone();
    let (new, step) = verify(&world, "ada", PHONE, "Two").await;
    let refused = devices::step(&world.authority, &visitor(), &old).await;
    assert_eq!(refused.err(), Some(RegistrationError::Over));
    let shown = number(&step);
    let refused = devices::answer(&world.authority, &first.device, &visitor(), &old_request, &shown).await;
    assert_eq!(refused, Err(AnswerError::Gone));

    assert!(devices::sync(&world.authority, &stranger.device, &visitor()).await.unwrap().requests.is_empty());
    let request = devices::sync(&world.authority, &first.device, &visitor()).await.unwrap().requests[0].id.clone();
    let refused = devices::answer(&world.authority, &stranger.device, &visitor(), &request, &shown).await;
    assert_eq!(refused, Err(AnswerError::Gone), "of another token account");
    world.advance(600);
    assert!(devices::sync(&world.authority, &first.device, &visitor()).await.unwrap().requests.is_empty());
    let refused = devices::answer(&world.authority, &first.device, &visitor(), &request, &shown).await;
    assert_eq!(refused, Err(AnswerError::Gone), "run out");
    assert_eq!(devices::step(&world.authority, &visitor(), &new).await.err(), Some(RegistrationError::Over));
}

async fn a_recovery_code_stands_in_for_the_approval(world: World) {
    let (ada, codes, first) = with_device(&world, "ada").await;
    let (_bob, bobs) = world.enrolled("bob", "+12025550177").await;
    let (key, step) = verify(&world, "ada", PHONE, "New phone").await;
    assert!(matches!(step, Step::Waiting { .. }));
    let refused = devices::recover(&world.authority, &visitor(), &key, "short").await;
    assert!(matches!(refused, Err(RegistrationError::MalformedRecoveryCode(_))));
    let refused = devices::recover(&world.authority, &visitor(), &key, &bobs[0]).await;
    assert_eq!(refused.err(), Some(RegistrationError::RecoveryCodeNotRight), "of another account");
    let ready = ready(devices::recover(&world.authority, &visitor(), &key, &codes[0]).await.unwrap());
    assert!(ready.may_restore);
    let second = activate(&world, &ready).await;
    assert!(ada.sign_in_with(&second.token(&world)).await.is_ok());
    assert!(is_active(&world, &first).await);

    let (key, _) = verify(&world, "ada", PHONE, "Third phone").await;
    let refused = devices::recover(&world.authority, &visitor(), &key, &codes[0]).await;
    assert_eq!(refused.err(), Some(RegistrationError::RecoveryCodeNotRight), "used");
    assert_eq!(world.events("authn_token_reuse").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_code WHERE used_at IS NOT NULL").await, 1);
    let told = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert!(told.iter().any(|mail| mail.body.contains("on a device") && mail.body.contains("Codes left: 9")));
}

async fn guessed_recovery_codes_draw_on_the_budget(world: World) {
    let (ada, codes, first) = with_device(&world, "ada").await;
    let (key, _) = verify(&world, "ada", PHONE, "New phone").await;
    let guess = "0".repeat(26);
    for _ in 0..9 {
        let refused = devices::recover(&world.authority, &visitor(), &key, &guess).await;
        assert_eq!(refused.err(), Some(RegistrationError::RecoveryCodeNotRight));
    }
    let refused = devices::prove(&world.authority, &first.device, &visitor(), &guess).await;
    assert_eq!(refused.err(), Some(RecoveryRefused::NotRight));
    let refused = devices::recover(&world.authority, &visitor(), &key, &codes[0]).await;
    assert_eq!(refused.err(), Some(RegistrationError::RecoveryCodeNotRight), "locked, the right one too");
    assert_eq!(ada.sign_in_with(&first.token(&world)).await.unwrap_err(), TokenRefused::NotRight);
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'").await, 10);
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_code WHERE used_at IS NOT NULL").await, 0);
}

async fn the_phone_alone_gives_nothing_to_an_account_without_it(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    // A hundred wrong tokens have switched the text messages off.
    world.run("UPDATE factor SET state = 'disabled'").await.unwrap();
    let key = start(&world, "ada", PHONE).await;
    let code = world.latest_token(PHONE).await;
    let refused = devices::verify(&world.authority, &visitor(), &key, &code, "").await;
    assert_eq!(refused.err(), Some(RegistrationError::RecoveryCodeNeeded));
    let refused = devices::step(&world.authority, &visitor(), &key).await;
    assert_eq!(refused.err(), Some(RegistrationError::RecoveryCodeNeeded));
    assert_eq!(world.number("SELECT COUNT(*) FROM device").await, 0);
    let ready = ready(devices::recover(&world.authority, &visitor(), &key, &codes[0]).await.unwrap());
    let phone = activate(&world, &ready).await;
    assert!(ada.sign_in_with(&phone.token(&world)).await.is_ok());
}

async fn the_phone_alone_gives_nothing_where_only_apps_count(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    ada.add_app().await;
    let mut new = Policy::default();
    new.set_rule(Role::Provider, Rule { requirement: Requirement::Optional, apps_only: true });
    policy::save(&world.authority, ada.signed_in().await.administrator().unwrap(), &visitor(), &new).await.unwrap();
    let key = start(&world, "ada", PHONE).await;
    let code = world.latest_token(PHONE).await;
    let refused = devices::verify(&world.authority, &visitor(), &key, &code, "Thief's phone").await;
    assert_eq!(refused.err(), Some(RegistrationError::RecoveryCodeNeeded));
    assert_eq!(world.number("SELECT COUNT(*) FROM device").await, 0);
    let ready = ready(devices::recover(&world.authority, &visitor(), &key, &codes[0]).await.unwrap());
    let phone = activate(&world, &ready).await;
    assert!(ada.sign_in_with(&phone.token(&world)).await.is_ok());
}

/// A second practice of the same person: the same e-mail and phone.
pub(crate) async fn second_practice<'a>(world: &'a World, username: &str, phone: &str) -> Actor<'a> {
    let form = practice::NewPractice {
        practice_name: "Oak Lane".into(),
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        email: email(username),
        username: format!("{username}.oak"),
        password: PASSWORD.into(),
    };
    let username = form.username.clone();
    let opened = practice::create(&world.authority, &visitor(), form).await.unwrap();
    let mut oak = Actor { world, username, phone: phone.into(), opened };
    let form = ProfileForm {
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        cell_phone: phone.into(),
        ..ProfileForm::default()
    };
    profile::update(&world.authority, &oak.signed_in().await, &visitor(), form).await.unwrap();
    world.advance(60);
    oak.enable_sms().await;
    oak
}

async fn two_practices_share_a_device(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let _oak = second_practice(&world, "ada", PHONE).await;
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account").await, 1);
    let (_, step) = verify(&world, "ada", PHONE, "Phone").await;
    let both = ready(step);
    assert_eq!(both.secrets.len(), 2);
    let one_of_two = tokens_at(&both, world.authority.now()).split(',').next().unwrap().to_owned();
    let refused = devices::activate(&world.authority, &visitor(), both.device_key.expose(), &one_of_two).await;
    assert_eq!(refused.err(), Some(ActivationError::NotRight(None)), "every secret has to make a token");
    let mut phone = activate(&world, &both).await;
    assert_eq!(devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap().accounts.len(), 2);
    assert_eq!(world.number("SELECT COUNT(*) FROM session").await, 0, "of both practices");

    let position = both.secrets.iter().position(|secret| secret.username == "ada").unwrap();
    phone.totps.swap(0, position);
    let signed_in = stepped_up(&world, &mut ada, &phone).await;
    let id = device_ids(&world, &phone).await.remove(0);
    revoke(&world, &mut ada, &signed_in, &id).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE kind = 'authenticator'").await, 0);
    let removed = "SELECT COUNT(DISTINCT practice_id) FROM audit WHERE event = 'factor-removed'";
    assert_eq!(world.number(removed).await, 2, "each practice's trail knows of it");
}

/// A device of Ada's first practice, and herself at a second one that was linked afterwards.
async fn linked_later(world: &World) -> (Phone, Actor<'_>) {
    let (_, _, phone) = with_device(world, "ada").await;
    (phone, second_practice(world, "ada", PHONE).await)
}

async fn a_practice_linked_later_does_not_speak_for_the_backup(world: World) {
    let (_ada, codes, first) = with_device(&world, "ada").await;
    let oak = second_practice(&world, "ada", PHONE).await;
    let shown = recovery::codes_to_store(&world.authority, &oak.signed_in().await).await.unwrap();
    let later = shown.expect("not stored yet").codes;
    let (key, step) = verify(&world, "ada", PHONE, "Thief's phone").await;
    assert!(matches!(step, Step::Waiting { .. }));
    let refused = devices::recover(&world.authority, &visitor(), &key, &later[0]).await;
    assert_eq!(refused.err(), Some(RegistrationError::RecoveryCodeNotRight));
    let refused = devices::prove(&world.authority, &first.device, &visitor(), &later[0]).await;
    assert_eq!(refused.err(), Some(RecoveryRefused::NotRight));
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_code WHERE used_at IS NOT NULL").await, 0);

    let ready = ready(devices::recover(&world.authority, &visitor(), &key, &codes[0]).await.unwrap());
    assert!(ready.may_restore);
    assert!(devices::prove(&world.authority, &first.device, &visitor(), &codes[1]).await.is_ok());
}

async fn idle_devices(actor: &Actor<'_>) -> Vec<IdleDevice> {
    security::overview(&actor.world.authority, &actor.signed_in().await).await.unwrap().idle_devices
}

async fn enrol(actor: &Actor<'_>, device_id: &str) -> Result<(), EnrolError> {
    devices::enrol(&actor.world.authority, &actor.signed_in().await, &visitor(), device_id).await
}

async fn waiting(world: &World, phone: &Phone) -> Vec<NewSecret> {
    devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap().secrets
}

async fn activate_later(world: &World, phone: &Phone, tokens: &str) -> Result<Device, ActivationError> {
    devices::activate(&world.authority, &visitor(), &phone.key, tokens).await
}

async fn a_practice_linked_later_is_added_from_its_security_tab(world: World) {
    let (phone, oak) = linked_later(&world).await;
    let elsewhere = {
        let challenge = oak.challenge().await;
        world.advance(60);
        sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
        let token = world.latest_token(PHONE).await;
        sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.unwrap()
    };
    let idle = idle_devices(&oak).await;
    let [IdleDevice { id, name, waits_until: None }] = idle.as_slice() else { panic!("{idle:?}") };
    assert_eq!(name, "Old phone");
    assert!(waiting(&world, &phone).await.is_empty());

    enrol(&oak, id).await.unwrap();
    assert!(idle_devices(&oak).await[0].waits_until.is_some());
    let secrets = waiting(&world, &phone).await;
    assert_eq!(secrets, waiting(&world, &phone).await, "a lost answer harms nobody");
    let [secret] = secrets.as_slice() else { panic!("{secrets:?}") };
    assert_eq!((secret.practice.as_str(), secret.username.as_str()), ("Oak Lane", "ada.oak"));
    let before = devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap();
    assert_eq!(before.accounts.len(), 1, "it does not count yet");

    let wrong = activate_later(&world, &phone, &format!("{} 0000000", secret.factor)).await;
    assert_eq!(wrong.err(), Some(ActivationError::NotRight(None)));
    let challenge = oak.challenge().await;
    let tokens = tokens_of(&secrets, world.authority.now());
    let device = activate_later(&world, &phone, &tokens).await.unwrap();
    let view = devices::sync(&world.authority, &device, &visitor()).await.unwrap();
    assert_eq!((view.accounts.len(), view.devices.len(), view.secrets.len()), (2, 1, 0));
    assert!(idle_devices(&oak).await.is_empty(), "who asked for it stays signed in, and it is a factor now");
    assert!(sessions::find(&world.authority, &elsewhere.session).await.unwrap().is_none(), "others do not");
    assert_eq!(activate_later(&world, &phone, &tokens).await.err(), Some(ActivationError::Over));
    let told = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    let added = told.iter().filter(|mail| mail.body.contains("A device was added: Old phone.")).count();
    assert_eq!(added, 2, "each practice tells of it");

    world.advance(30);
    let token = Totp::new(&secret.key, Parameters::OWN).unwrap().token_at(world.authority.now());
    let late = sign_in::with_token(&world.authority, &visitor(), &challenge, token.expose_digits(), false).await;
    assert!(late.is_err(), "what had begun before has to begin anew");
    assert!(oak.sign_in_with(token.expose_digits()).await.is_ok());
}

async fn a_device_is_added_after_a_step_up_by_an_account_of_its_own_token_account(world: World) {
    let (phone, mut oak) = linked_later(&world).await;
    let id = device_ids(&world, &phone).await.remove(0);
    let (mut bob, _) = world.enrolled("bob", "+12025550177").await;
    assert_eq!(enrol(&bob, &id).await, Err(EnrolError::NotFound), "of another token account");
    assert!(idle_devices(&bob).await.is_empty());
    assert_eq!(enrol(&oak, "").await, Err(EnrolError::NotFound));
    let app = oak.add_app().await;
    oak.opened = oak.sign_in_with(app.token_at(world.authority.now()).expose_digits()).await.unwrap();
    assert_eq!(enrol(&oak, &id).await, Err(EnrolError::StepUpNeeded));
    let app = bob.add_app().await;
    bob.opened = bob.sign_in_with(app.token_at(world.authority.now()).expose_digits()).await.unwrap();
    assert_eq!(enrol(&bob, &id).await, Err(EnrolError::StepUpNeeded), "before it is looked for");
    assert!(waiting(&world, &phone).await.is_empty());
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE state = 'pending'").await, 0);
}

async fn an_offer_to_a_device_runs_out_and_is_taken_back(world: World) {
    let (phone, oak) = linked_later(&world).await;
    let id = device_ids(&world, &phone).await.remove(0);
    enrol(&oak, &id).await.unwrap();
    let old = waiting(&world, &phone).await;
    enrol(&oak, &id).await.unwrap();
    let secrets = waiting(&world, &phone).await;
    assert_ne!(old, secrets, "asked for again, it is another");
    let tokens = tokens_of(&old, world.authority.now());
    assert_eq!(activate_later(&world, &phone, &tokens).await.err(), Some(ActivationError::NotRight(None)));

    devices::cancel(&world.authority, &oak.signed_in().await, &visitor()).await.unwrap();
    assert!(waiting(&world, &phone).await.is_empty());
    assert_eq!(idle_devices(&oak).await[0].waits_until, None);
    let tokens = tokens_of(&secrets, world.authority.now());
    assert_eq!(activate_later(&world, &phone, &tokens).await.err(), Some(ActivationError::Over));
    assert_eq!(world.events("enrolment-cancelled").await, 1);
    devices::cancel(&world.authority, &oak.signed_in().await, &visitor()).await.unwrap();
    assert_eq!(world.events("enrolment-cancelled").await, 1, "nothing waits any more");

    enrol(&oak, &id).await.unwrap();
    let secrets = waiting(&world, &phone).await;
    world.advance(600);
    assert!(waiting(&world, &phone).await.is_empty());
    let tokens = tokens_of(&secrets, world.authority.now());
    assert_eq!(activate_later(&world, &phone, &tokens).await.err(), Some(ActivationError::Over));
    let view = devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap();
    assert_eq!(view.accounts.len(), 1);
}

async fn tokens_of_two_devices_are_spent_apart(world: World) {
    let (ada, _, first) = with_device(&world, "ada").await;
    let second = add_second(&world, &first, "ada", PHONE).await;
    let (one, two) = (first.token(&world), second.token(&world));
    assert_ne!(one, two);
    assert!(ada.sign_in_with(&one).await.is_ok());
    assert!(ada.sign_in_with(&two).await.is_ok());
    for spent in [one, two] {
        assert_eq!(ada.sign_in_with(&spent).await.unwrap_err(), TokenRefused::NotRight);
    }
}

async fn revoking_kills_the_tokens_at_once(world: World) {
    let (mut ada, _, first) = with_device(&world, "ada").await;
    let second = add_second(&world, &first, "ada", PHONE).await;
    let opened = ada.sign_in_with(&first.token(&world)).await.unwrap();
    world.advance(60);
    let id = device_ids(&world, &first).await.remove(0);
    let plain = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    assert_eq!(revoke(&world, &mut ada, &plain, &id).await, Err(RevokeError::StepUpNeeded));
    let (mut bob, _) = world.enrolled("bob", "+12025550177").await;
    let bobs = bob.signed_in().await;
    assert_eq!(revoke(&world, &mut bob, &bobs, &id).await, Err(RevokeError::NotFound), "of another person");

    let signed_in = stepped_up(&world, &mut ada, &second).await;
    let challenge = ada.challenge().await;
    revoke(&world, &mut ada, &signed_in, &id).await.unwrap();
    let token = first.token(&world);
    let refused = sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await;
    assert_eq!(refused.unwrap_err(), TokenRefused::NotRight);
    assert!(!is_active(&world, &first).await && is_active(&world, &second).await);
    assert!(ada.is_signed_in().await, "the session that asked goes on");
    assert!(sessions::find(&world.authority, &opened.session).await.unwrap().is_none(), "others end");
    assert_eq!(revoke(&world, &mut ada, &signed_in, &id).await, Err(RevokeError::NotFound), "once");
    let told = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert!(told.iter().any(|mail| mail.body.contains("A device was removed: Old phone.")));
    let stays = sign_in::with_token(&world.authority, &visitor(), &challenge, &second.token(&world), false).await;
    assert!(stays.is_ok());
}

async fn the_last_factor_stays(world: World) {
    let (mut ada, _, phone) = with_device(&world, "ada").await;
    let signed_in = stepped_up(&world, &mut ada, &phone).await;
    world.run("UPDATE factor SET state = 'disabled' WHERE kind = 'sms'").await.unwrap();
    let id = device_ids(&world, &phone).await.remove(0);
    assert_eq!(revoke(&world, &mut ada, &signed_in, &id).await, Err(RevokeError::LastFactor));
    let refused = devices::leave(&world.authority, &phone.device, &visitor()).await;
    assert_eq!(refused, Err(RevokeError::LastFactor));
    assert!(ada.sign_in_with(&phone.token(&world)).await.is_ok());
}

async fn a_device_gives_itself_up(world: World) {
    let (ada, _, first) = with_device(&world, "ada").await;
    let second = add_second(&world, &first, "ada", PHONE).await;
    devices::leave(&world.authority, &first.device, &visitor()).await.unwrap();
    assert_eq!(ada.sign_in_with(&first.token(&world)).await.unwrap_err(), TokenRefused::NotRight);
    assert!(!is_active(&world, &first).await);
    let again = devices::leave(&world.authority, &first.device, &visitor()).await;
    assert_eq!(again, Err(RevokeError::NotFound));
    assert!(ada.sign_in_with(&second.token(&world)).await.is_ok());
    assert_eq!(device_ids(&world, &second).await.len(), 1);
}

async fn an_approval_dies_with_its_device(world: World) {
    let (_ada, _, first) = with_device(&world, "ada").await;
    let (key, step) = verify(&world, "ada", PHONE, "Thief's phone").await;
    answer(&world, &first, &number(&step)).await.unwrap();
    let ready = ready(devices::step(&world.authority, &visitor(), &key).await.unwrap());
    devices::leave(&world.authority, &first.device, &visitor()).await.unwrap();
    let tokens = tokens_at(&ready, world.authority.now());
    let refused = devices::activate(&world.authority, &visitor(), ready.device_key.expose(), &tokens).await;
    assert_eq!(refused.err(), Some(ActivationError::Over));
    let refused = devices::answer(&world.authority, &first.device, &visitor(), "x", "1").await;
    assert_eq!(refused, Err(AnswerError::Gone));
}

async fn another_number_keeps_the_devices(world: World) {
    let (mut ada, _, phone) = with_device(&world, "ada").await;
    let (old, _) = verify(&world, "ada", PHONE, "Half way").await;
    backup::save(&world.authority, &phone.device, &visitor(), "1", "", "AAAA").await.unwrap();
    let signed_in = stepped_up(&world, &mut ada, &phone).await;
    let other = "+12025550188";
    let form = ProfileForm {
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        cell_phone: other.into(),
        ..ProfileForm::default()
    };
    profile::update(&world.authority, &signed_in, &visitor(), form).await.unwrap();
    ada.phone = other.into();
    ada.enable_sms().await;
    assert!(is_active(&world, &phone).await);
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account WHERE phone = '+12025550188'").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account").await, 1);
    assert!(devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap().backup.is_some());
    assert!(ada.sign_in_with(&phone.token(&world)).await.is_ok());
    let over = devices::step(&world.authority, &visitor(), &old).await;
    assert_eq!(over.err(), Some(RegistrationError::Over), "what the old number had begun");
}

async fn switching_off_removes_devices_and_backup(world: World) {
    let (mut ada, _, phone) = with_device(&world, "ada").await;
    backup::save(&world.authority, &phone.device, &visitor(), "1", "", "AAAA").await.unwrap();
    let (key, _) = verify(&world, "ada", PHONE, "Half way").await;
    let signed_in = stepped_up(&world, &mut ada, &phone).await;
    let token = phone.token(&world);
    ada.opened = disable::disable(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &token).await.unwrap();
    for empty in [
        "SELECT COUNT(*) FROM factor",
        "SELECT COUNT(*) FROM device",
        "SELECT COUNT(*) FROM backup",
        "SELECT COUNT(*) FROM registration WHERE token_account_id IS NOT NULL",
        "SELECT COUNT(*) FROM token_account",
    ] {
        assert_eq!(world.number(empty).await, 0, "{empty}");
    }
    assert!(!is_active(&world, &phone).await);
    let over = devices::step(&world.authority, &visitor(), &key).await;
    assert_eq!(over.err(), Some(RegistrationError::Over));
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    assert!(matches!(step, Ok(PasswordStep::SignedIn(_))));
}

async fn text_messages_go_out_on_request_only(world: World) {
    let (ada, _, phone) = with_device(&world, "ada").await;
    let sent = world.number("SELECT COUNT(*) FROM message_send").await;
    let challenge = ada.challenge().await;
    assert_eq!(world.number("SELECT COUNT(*) FROM message_send").await, sent);
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    let token = world.latest_token(PHONE).await;
    assert_eq!((token.len(), phone.token(&world).len()), (6, 7));
    assert!(sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.is_ok());
}

async fn what_has_run_out_is_swept(world: World) {
    let (_ada, _, phone) = with_device(&world, "ada").await;
    let second = add_second(&world, &phone, "ada", PHONE).await;
    devices::leave(&world.authority, &second.device, &visitor()).await.unwrap();
    let (key, step) = verify(&world, "ada", PHONE, "Left half way").await;
    answer(&world, &phone, &number(&step)).await.unwrap();
    assert!(devices::step(&world.authority, &visitor(), &key).await.is_ok());
    assert_eq!(world.number("SELECT COUNT(*) FROM device").await, 3);
    world.advance(3 * 24 * 3600);
    housekeeping::sweep(&world.authority).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM device").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM registration").await, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE kind = 'authenticator'").await, 1);
    assert!(is_active(&world, &phone).await);
}

async fn no_secret_of_a_device_stands_in_the_database_in_clear(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let (key, step) = verify(&world, "ada", PHONE, "").await;
    let ready = ready(step);
    let code = world.latest_token(PHONE).await;
    let phone = activate(&world, &ready).await;
    backup::save(&world.authority, &phone.device, &visitor(), "1", "", "c29tZSBieXRlcw").await.unwrap();
    let dump = world.dump().await;
    let secret = ready.secrets[0].key.expose_bytes();
    let base32 = ready.secrets[0].key.expose_base32();
    for secret in
        [key.as_bytes(), phone.key.as_bytes(), code.as_bytes(), secret, base32.as_bytes(), b"some bytes".as_slice()]
    {
        assert!(!dump.windows(secret.len()).any(|window| window == secret));
    }
}

async fn fifty_right_codes_prove_the_phone_once(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let key = start(&world, "ada", PHONE).await;
    let code = world.latest_token(PHONE).await;
    let proven = race(&world, 50, |authority, _| {
        let (key, code) = (key.clone(), code.clone());
        async move { devices::verify(&authority, &visitor(), &key, &code, "").await.is_ok() }
    })
    .await;
    assert_eq!(proven, 1);
    assert_eq!(world.events("device-phone-proven").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM device").await, 1);
}

async fn fifty_wrong_codes_are_compared_five_times(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let key = start(&world, "ada", PHONE).await;
    let code = world.latest_token(PHONE).await;
    let wrong = if code == "111111" { "222222" } else { "111111" };
    let proven = race(&world, 50, |authority, _| {
        let key = key.clone();
        async move { devices::verify(&authority, &visitor(), &key, wrong, "").await.is_ok() }
    })
    .await;
    assert_eq!(proven, 0);
    assert_eq!(world.number("SELECT wrong_entries FROM registration").await, 5);
    let refused = devices::verify(&world.authority, &visitor(), &key, &code, "").await;
    assert_eq!(refused.err(), Some(RegistrationError::NotRight));
}

async fn fifty_activations_make_one_device(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let (_, step) = verify(&world, "ada", PHONE, "One").await;
    let ready = ready(step);
    let (key, tokens) = (ready.device_key.expose().to_owned(), tokens_at(&ready, world.authority.now()));
    let activated = race(&world, 50, |authority, _| {
        let (key, tokens) = (key.clone(), tokens.clone());
        async move { devices::activate(&authority, &visitor(), &key, &tokens).await.is_ok() }
    })
    .await;
    assert_eq!(activated, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM device WHERE activated_at IS NOT NULL").await, 1);
    let events = "SELECT COUNT(*) FROM audit WHERE event = 'enrolment-confirmed' AND factor = 'authenticator'";
    assert_eq!(world.number(events).await, 1);
}

async fn fifty_activations_of_a_later_secret_count_once(world: World) {
    let (phone, oak) = linked_later(&world).await;
    enrol(&oak, &device_ids(&world, &phone).await[0]).await.unwrap();
    let tokens = tokens_of(&waiting(&world, &phone).await, world.authority.now());
    let key = phone.key.clone();
    let activated = race(&world, 50, |authority, _| {
        let (key, tokens) = (key.clone(), tokens.clone());
        async move { devices::activate(&authority, &visitor(), &key, &tokens).await.is_ok() }
    })
    .await;
    assert_eq!(activated, 1);
    let events = "SELECT COUNT(*) FROM audit WHERE event = 'enrolment-confirmed' AND factor = 'authenticator'";
    assert_eq!(world.number(events).await, 2, "the first secret's, and this one's");
}

async fn fifty_answers_count_once(world: World) {
    let (_ada, _, first) = with_device(&world, "ada").await;
    let (key, step) = verify(&world, "ada", PHONE, "New phone").await;
    let shown = number(&step);
    let request = devices::sync(&world.authority, &first.device, &visitor()).await.unwrap().requests[0].id.clone();
    let answered = race(&world, 50, |authority, number| {
        let (device, request) = (first.device.clone(), request.clone());
        let typed = if number % 2 == 0 { shown.clone() } else { String::new() };
        async move { devices::answer(&authority, &device, &visitor(), &request, &typed).await.is_ok() }
    })
    .await;
    assert_eq!(answered, 1);
    let (approved, denied) = (world.events("device-approved").await, world.events("device-denied").await);
    assert_eq!(approved + denied, 1);
    match devices::step(&world.authority, &visitor(), &key).await.unwrap() {
        Step::Ready(_) => assert_eq!(approved, 1),
        Step::Denied => assert_eq!(denied, 1),
        Step::Waiting { .. } => panic!("it was answered"),
    }
}

async fn a_revocation_and_fifty_sign_ins_leave_one_session_at_most(world: World) {
    let (mut ada, _, first) = with_device(&world, "ada").await;
    let second = add_second(&world, &first, "ada", PHONE).await;
    let signed_in = stepped_up(&world, &mut ada, &second).await;
    let id = device_ids(&world, &first).await.remove(0);
    let token = first.token(&world);
    let mut challenges = Vec::new();
    for _ in 0..10 {
        challenges.push(ada.challenge().await);
    }
    let passed = race(&world, 51, |authority, number| {
        let (challenge, token) = (challenges[number % 10].clone(), token.clone());
        let (signed_in, id) = (signed_in.clone(), id.clone());
        async move {
            if number == 25 {
                devices::revoke(&authority, &signed_in, &visitor(), &id).await.unwrap();
                return false;
            }
            sign_in::with_token(&authority, &visitor(), &challenge, &token, false).await.is_ok()
        }
    })
    .await;
    assert!(passed <= 1, "{passed}");
    let used = "SELECT COUNT(*) FROM audit WHERE event = 'signed-in' AND factor = 'authenticator'";
    let before = world.number(used).await;
    let challenge = ada.challenge().await;
    world.advance(30);
    let refused = sign_in::with_token(&world.authority, &visitor(), &challenge, &first.token(&world), false).await;
    assert!(refused.is_err());
    assert_eq!(world.number(used).await, before);
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE kind = 'authenticator'").await, 1);
}

async fn two_revocations_remove_once(world: World) {
    let (mut ada, _, first) = with_device(&world, "ada").await;
    let second = add_second(&world, &first, "ada", PHONE).await;
    let signed_in = stepped_up(&world, &mut ada, &second).await;
    let id = device_ids(&world, &first).await.remove(0);
    let removed = race(&world, 8, |authority: Authority, number| {
        let (signed_in, id, device) = (signed_in.clone(), id.clone(), first.device.clone());
        let visitor: Visitor = visitor();
        async move {
            if number % 2 == 0 {
                devices::revoke(&authority, &signed_in, &visitor, &id).await.is_ok()
            } else {
                devices::leave(&authority, &device, &visitor).await.is_ok()
            }
        }
    })
    .await;
    assert_eq!(removed, 1);
    assert_eq!(world.events("factor-removed").await, 1);
}

async fn a_practice_may_want_devices_to_be_phones(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    let new = Policy { phones_only: true, ..Policy::default() };
    policy::save(&world.authority, signed_in.administrator().unwrap(), &visitor(), &new).await.unwrap();
    let key = start(&world, "ada", PHONE).await;
    let code = world.latest_token(PHONE).await;
    let refused = devices::verify(&world.authority, &visitor(), &key, &code, "Desk").await;
    assert_eq!(refused.err(), Some(RegistrationError::PhonesOnly));
    assert_eq!(world.number("SELECT COUNT(*) FROM device").await, 0);
    let ready = ready(devices::step(&world.authority, &iphone(), &key).await.unwrap());
    assert_eq!(ready.secrets.len(), 1);
}

async fn a_practice_that_wants_phones_gives_no_later_secret_to_others(world: World) {
    let (device, oak) = linked_later(&world).await;
    let new = Policy { phones_only: true, ..Policy::default() };
    policy::save(&world.authority, oak.signed_in().await.administrator().unwrap(), &visitor(), &new).await.unwrap();
    enrol(&oak, &device_ids(&world, &device).await[0]).await.unwrap();
    assert!(waiting(&world, &device).await.is_empty());
    let on_phone = devices::sync(&world.authority, &device.device, &iphone()).await.unwrap();
    assert_eq!(on_phone.secrets.len(), 1);
}

fn iphone() -> Visitor {
    Visitor { user_agent: "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari".into(), ..visitor() }
}
