use std::time::Duration;

use authority::enrol_sms::{self, StartError};
use authority::policy::{self, PolicyError};
use authority::profile::{self, ProfileError};
use authority::staff::{self, EnableError, NewMember, StaffError};
use authority::{Session, outbox, sessions, sign_in};
use domain::message::Channel;
use domain::policy::{Requirement, Rule, SmsLife, Standing};
use domain::{Countries, Policy, Role, Timestamp};
use sqlx::AssertSqlSafe;

use crate::staff::{add, nurse, sign_in as sign_in_plainly};
use crate::support::{Actor, PASSWORD, PHONE, World, on_both_databases, random, visitor};

on_both_databases!(
    a_deadline_stops_a_live_session_at_its_next_request,
    a_date_once_told_moves_earlier_and_never_later,
    saving_takes_a_step_up_and_figures_in_range,
    a_preview_says_what_saving_does,
    people_are_reminded_once_of_each_date,
    a_shorter_idle_time_holds_for_open_sessions,
    apps_alone_are_taken_once_there_is_one,
    a_token_that_lives_until_it_is_used_works_once_and_for_later_sign_ins,
    numbers_are_taken_from_the_countries_of_the_practice,
);

fn required(from: Timestamp) -> Rule {
    Rule { requirement: Requirement::Required { from }, apps_only: false }
}

fn for_nurses(rule: Rule) -> Policy {
    let mut policy = Policy::default();
    policy.set_rule(Role::Nurse, rule);
    policy
}

async fn save(world: &World, by: &Actor<'_>, policy: &Policy) {
    let signed_in = sessions::find(&world.authority, &by.opened.session).await.unwrap().unwrap();
    let signed_in =
        if sessions::is_stepped_up(&world.authority, &signed_in) { signed_in } else { panic!("the caller steps up") };
    policy::save(&world.authority, signed_in.administrator().unwrap(), &visitor(), policy).await.expect("saved");
}

/// An administrator who has just proven who they are, with text messages on.
async fn administrator(world: &World) -> Actor<'_> {
    world.enrolled("ada", PHONE).await.0
}

async fn standing(world: &World, key: &authority::SessionKey) -> &'static str {
    match sessions::recognise(&world.authority, key).await.unwrap() {
        Some(Session::Open(_)) => "open",
        Some(Session::MustEnrol(_)) => "must enrol",
        Some(Session::Locked(_)) => "locked",
        None => "ended",
    }
}

async fn a_deadline_stops_a_live_session_at_its_next_request(world: World) {
    let ada = administrator(&world).await;
    add(&world, &ada, nurse("nina")).await;
    let opened = sign_in_plainly(&world, "nina").await;
    let from = world.authority.now() + Duration::from_mins(10);
    save(&world, &ada, &for_nurses(required(from))).await;
    let nina = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    assert_eq!(nina.standing(world.authority.now()), Standing::Due { by: from });
    world.advance(599);
    assert_eq!(standing(&world, &opened.session).await, "open");
    world.advance(1);
    assert_eq!(standing(&world, &opened.session).await, "must enrol");
    assert!(sessions::find(&world.authority, &opened.session).await.unwrap().is_none(), "closed unless asked for");

    let again = sign_in_plainly(&world, "nina").await;
    assert_eq!(standing(&world, &again.session).await, "must enrol", "signing in again renews nothing");
    let Some(Session::MustEnrol(nina)) = sessions::recognise(&world.authority, &again.session).await.unwrap() else {
        panic!("must enrol")
    };
    profile::set_cell_phone(&world.authority, &nina, &visitor(), "+1 202 555 0178").await.unwrap();
    enrol_sms::start(&world.authority, &nina, &visitor(), PASSWORD.into()).await.unwrap();
    let token = world.latest_token("+12025550178").await;
    let opened = enrol_sms::confirm(&world.authority, &nina, &visitor(), &token).await.unwrap();
    assert_eq!(standing(&world, &opened.session).await, "open");
}

async fn a_date_once_told_moves_earlier_and_never_later(world: World) {
    let ada = administrator(&world).await;
    add(&world, &ada, nurse("nina")).await;
    let told = || world.number("SELECT COALESCE(enrol_by, 0) FROM account WHERE username = 'nina'");
    let now = world.authority.now();
    let day = |number: u64| now + Duration::from_hours(24 * number);
    save(&world, &ada, &for_nurses(required(day(10)))).await;
    assert_eq!(told().await, day(10).millis());
    save(&world, &ada, &for_nurses(required(day(20)))).await;
    assert_eq!(told().await, day(10).millis(), "not later");
    save(&world, &ada, &for_nurses(required(day(5)))).await;
    assert_eq!(told().await, day(5).millis());
    save(&world, &ada, &Policy::default()).await;
    assert_eq!(told().await, 0, "nothing is asked for any more");
    let mails = outbox::list(&world.authority, Some("nina@elm.test")).await.unwrap();
    assert_eq!(mails.len(), 2, "told of each date that was a new one");
    add(&world, &ada, NewMember { role: "nurse".into(), ..nurse("rita") }).await;
    save(&world, &ada, &for_nurses(required(day(3)))).await;
    assert_eq!(world.number("SELECT COUNT(*) FROM account WHERE enrol_by IS NOT NULL").await, 2);
}

async fn saving_takes_a_step_up_and_figures_in_range(world: World) {
    let ada = administrator(&world).await;
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    let long = Policy { idle_minutes: 61, ..Policy::default() };
    let refused = policy::save(&world.authority, administrator, &visitor(), &long).await;
    assert!(matches!(refused, Err(PolicyError::Invalid(_))));
    world.advance(301);
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    let refused = policy::save(&world.authority, administrator, &visitor(), &Policy::default()).await;
    assert_eq!(refused.unwrap_err(), PolicyError::StepUpNeeded);
    assert_eq!(world.events("policy-changed").await, 0);
}

async fn a_preview_says_what_saving_does(world: World) {
    let ada = administrator(&world).await;
    let signed_in = ada.signed_in().await;
    let mut draw = random(11);
    let mut sessions_of = Vec::new();
    for number in 0..9 {
        let username = format!("member{number}");
        let role = Role::ALL[draw(Role::ALL.len())].name().to_owned();
        let new = NewMember { first_name: username.clone(), role, cell_phone: String::new(), ..nurse(&username) };
        let id = add(&world, &ada, new).await;
        let opened = sign_in_plainly(&world, &username).await;
        for kind in ["sms", "totp", "authenticator"] {
            if draw(3) == 0 {
                // Ids of our own making.
                let sql = format!(
                    "INSERT INTO factor (id, account_id, kind, state, name, created_at, confirmed_at)
                     VALUES ('{id}{kind}', '{id}', '{kind}', 'confirmed', '', 1, 1)"
                );
                sqlx::query(AssertSqlSafe(sql)).execute(&world.pool).await.unwrap();
            }
        }
        sessions_of.push((username, opened.session));
    }
    for _ in 0..12 {
        let now = world.authority.now();
        let mut drafted = Policy::default();
        for role in Role::ALL {
            let requirement = match draw(4) {
                0 => Requirement::Off,
                1 => Requirement::Optional,
                2 => Requirement::Required { from: now },
                _ => Requirement::Required { from: now + Duration::from_hours(24) },
            };
            drafted.set_rule(role, Rule { requirement, apps_only: draw(2) == 0 });
        }
        let administrator = signed_in.administrator().unwrap();
        let effects = policy::preview(&world.authority, administrator, &drafted).await.unwrap();
        assert_eq!(effects.len(), 10);
        save(&world, &ada, &drafted).await;
        for (username, session) in &sessions_of {
            let effect = effects.iter().find(|effect| effect.name.starts_with(username.as_str())).unwrap();
            let found = sessions::recognise(&world.authority, session).await.unwrap().expect("live");
            let is_stopped = matches!(found, Session::MustEnrol(_));
            assert_eq!(effect.standing == Standing::MustEnrol, is_stopped, "{username} under {drafted:?}");
            let (Session::Open(signed_in) | Session::MustEnrol(signed_in)) = found else { panic!("no screen locks") };
            assert_eq!(effect.standing, signed_in.standing(world.authority.now()), "{username}");
        }
    }
}

async fn people_are_reminded_once_of_each_date(world: World) {
    let ada = administrator(&world).await;
    add(&world, &ada, nurse("nina")).await;
    let mails = || async { outbox::list(&world.authority, Some("nina@elm.test")).await.unwrap().len() };
    save(&world, &ada, &for_nurses(required(world.authority.now() + Duration::from_hours(24 * 14)))).await;
    let told = mails().await;
    for (days, expected) in [(6, 0), (1, 1), (0, 1), (5, 1), (1, 2), (0, 2), (2, 2)] {
        world.advance(days * 86_400);
        policy::remind(&world.authority).await.unwrap();
        assert_eq!(mails().await - told, expected, "after {days} more days");
    }
}

async fn a_shorter_idle_time_holds_for_open_sessions(world: World) {
    let ada = administrator(&world).await;
    save(&world, &ada, &Policy { idle_minutes: 60, ..Policy::default() }).await;
    world.advance(59 * 60);
    assert!(ada.is_signed_in().await);
    world.advance(59 * 60);
    assert!(ada.is_signed_in().await);
    world.run("UPDATE practice SET idle_minutes = 5").await.unwrap();
    world.advance(5 * 60);
    assert!(!ada.is_signed_in().await);
}

async fn apps_alone_are_taken_once_there_is_one(world: World) {
    let mut ada = administrator(&world).await;
    let mut policy = Policy::default();
    let rule = Rule { requirement: Requirement::Required { from: world.authority.now() }, apps_only: true };
    policy.set_rule(Role::Provider, rule);
    save(&world, &ada, &policy).await;
    assert_eq!(standing(&world, &ada.opened.session).await, "must enrol", "text messages alone do not do");
    world.advance(61);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.expect("the way in, still");
    let token = world.latest_token(PHONE).await;
    let opened = sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.unwrap();
    let Some(Session::MustEnrol(signed_in)) = sessions::recognise(&world.authority, &opened.session).await.unwrap()
    else {
        panic!("must enrol")
    };
    let proof = {
        world.advance(61);
        authority::step_up::request_token(&world.authority, &signed_in, &visitor(), Channel::Sms).await.unwrap();
        world.latest_token(PHONE).await
    };
    let opened =
        authority::step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &proof).await.unwrap();
    let Some(Session::MustEnrol(signed_in)) = sessions::recognise(&world.authority, &opened.session).await.unwrap()
    else {
        panic!("must enrol")
    };
    authority::enrol_totp::start(&world.authority, &signed_in, &visitor()).await.unwrap();
    let pending = authority::enrol_totp::pending(&world.authority, &signed_in).await.unwrap().unwrap();
    let secret = domain::totp::Secret::from_base32(&pending.setup_key).unwrap();
    let totp = domain::Totp::new(&secret, domain::totp::Parameters::OTHER_VENDOR).unwrap();
    let token = totp.token_at(world.authority.now());
    let opened =
        authority::enrol_totp::confirm(&world.authority, &signed_in, &visitor(), token.expose_digits(), "Phone")
            .await
            .unwrap();
    assert_eq!(standing(&world, &opened.session).await, "open");
    ada.opened = opened;
    world.advance(61);
    let challenge = ada.challenge().await;
    let refused = sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await;
    assert_eq!(refused.unwrap_err(), authority::SendRefused::NoPhone, "the role takes tokens of apps only");
    let methods = sign_in::methods(&world.authority, &challenge).await.unwrap();
    assert!(methods.sms.is_none() && methods.totp == ["Phone"]);
}

async fn a_token_that_lives_until_it_is_used_works_once_and_for_later_sign_ins(world: World) {
    let ada = administrator(&world).await;
    save(&world, &ada, &Policy { sms_life: SmsLife::UntilUsed, ..Policy::default() }).await;
    world.advance(61);
    let first = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &first, Channel::Sms).await.unwrap();
    let messages = outbox::list(&world.authority, Some(PHONE)).await.unwrap();
    assert!(messages[0].body.contains("It works once."), "{}", messages[0].body);
    let token = world.latest_token(PHONE).await;
    world.advance(86_400);
    let signed_in = ada.sign_in_with(&token).await;
    assert!(signed_in.is_ok(), "a day later, in another pending sign-in");
    assert!(ada.sign_in_with(&token).await.is_err(), "once");
}

async fn numbers_are_taken_from_the_countries_of_the_practice(world: World) {
    let ada = administrator(&world).await;
    let nina = add(&world, &ada, NewMember { cell_phone: "+44 7400 123456".into(), ..nurse("nina") }).await;
    let countries = Countries::parse("US, CA").unwrap();
    save(&world, &ada, &Policy { countries, ..Policy::default() }).await;
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();

    let foreign = NewMember { cell_phone: "+44 7400 123457".into(), ..nurse("rita") };
    let refused = staff::add(&world.authority, administrator, &visitor(), foreign).await;
    assert_eq!(refused, Err(StaffError::CellPhoneNotAllowed));
    let own = profile::set_cell_phone(&world.authority, &signed_in, &visitor(), "+44 7400 123457").await;
    assert_eq!(own, Err(ProfileError::CellPhoneNotAllowed));
    profile::set_cell_phone(&world.authority, &signed_in, &visitor(), "+1 416 555 0123").await.expect("Canada");

    let enabled = staff::enable_two_factor(&world.authority, administrator, &visitor(), &nina, PASSWORD.into()).await;
    assert_eq!(enabled, Err(EnableError::PhoneNotAllowed), "what is on file from before gets no messages now");
    let opened = sign_in_plainly(&world, "nina").await;
    let nina = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    let started = enrol_sms::start(&world.authority, &nina, &visitor(), PASSWORD.into()).await;
    assert_eq!(started, Err(StartError::PhoneNotAllowed));
    assert!(outbox::list(&world.authority, Some("+447400123456")).await.unwrap().is_empty());
}
