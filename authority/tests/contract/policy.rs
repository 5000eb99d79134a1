use std::time::Duration;

use authority::disable::{self, DisableError};
use authority::enrol_sms::{self, StartError};
use authority::policy::{self, Effect, PolicyError};
use authority::profile::{self, ProfileError, ProfileForm};
use authority::reset::own;
use authority::sign_in::PasswordStep;
use authority::staff::{self, Details, EnableError, NewMember, StaffError};
use authority::{
    ResetLinkKey, Session, SessionKey, SignedIn, enrol_totp, outbox, recovery, security, sessions, sign_in, step_up,
};
use domain::message::Channel;
use domain::policy::{InvalidPolicy, Requirement, Rule, SmsLife, Standing};
use domain::totp::{Parameters, Secret};
use domain::{Countries, FactorKind, Policy, Role, Timestamp, Totp};

use crate::reset::reset_link;
use crate::staff::{NURSE_PHONE, add, nurse, recognised, sign_in as sign_in_plainly};
use crate::support::{Actor, MemberRow, PASSWORD, PHONE, World, on_both_databases, random, visitor};

on_both_databases!(
    a_deadline_stops_a_live_session_at_its_next_request,
    a_date_once_told_moves_earlier_and_never_later,
    from_the_date_that_was_told_it_is_not_switched_off,
    saving_takes_a_step_up_and_figures_in_range,
    a_preview_says_what_saving_does,
    people_are_reminded_once_of_each_date,
    a_date_that_is_near_is_told_once,
    whoever_is_stopped_at_once_is_told_at_once,
    what_a_role_needs_is_in_the_trail,
    a_role_that_needs_nothing_is_offered_nothing,
    countries_that_leave_out_the_own_cell_phone_are_refused,
    going_back_to_five_minutes_ends_what_lives_until_it_is_used,
    the_preview_counts_who_never_locks,
    a_shorter_idle_time_holds_for_open_sessions,
    apps_alone_are_taken_once_there_is_one,
    a_token_that_lives_until_it_is_used_works_once_and_for_later_sign_ins,
    numbers_are_taken_from_the_countries_of_the_practice,
    a_number_from_before_the_countries_stands_in_the_way_of_no_edit,
    nothing_that_a_person_does_moves_a_deadline_later,
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

async fn from_the_date_that_was_told_it_is_not_switched_off(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    let now = world.authority.now();
    let (soon, later) = (now + Duration::from_mins(2), now + Duration::from_hours(24));
    let mut policy = Policy::default();
    for from in [soon, later] {
        policy.set_rule(Role::Provider, required(from));
        save(&world, &ada, &policy).await;
    }
    world.advance(120);
    let disabled = || async {
        let signed_in = ada.signed_in().await;
        disable::disable(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &codes[0]).await
    };
    assert_eq!(disabled().await.unwrap_err(), DisableError::Required, "a later date of the role's moves nothing");
    world.advance(-1);
    disabled().await.expect("before that date it may be switched off");
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

/// Somebody of a random practice.
struct Somebody {
    username: String,
    id: String,
    session: SessionKey,
    is_closed: bool,
}

/// People in every state that a policy can meet, each with a session.
async fn random_people(world: &World, seed: u64, draw: &mut impl FnMut(usize) -> usize) -> Vec<Somebody> {
    let mut people = Vec::new();
    for number in 0..8 {
        let username = format!("seed{seed}n{number}");
        let role = Role::ALL[draw(Role::ALL.len())];
        let row = MemberRow { username: &username, role, manages_accounts: false, cell_phone: NURSE_PHONE };
        let id = world.insert_member("ada", &row).await;
        let session = sign_in_plainly(world, &username).await.session;
        for kind in [FactorKind::Sms, FactorKind::Totp, FactorKind::Authenticator] {
            let states = ["confirmed", "disabled", if kind == FactorKind::Sms { "assigned" } else { "confirmed" }];
            if draw(3) == 0 {
                world.insert_factor(&id, kind, states[draw(3)]).await;
            }
        }
        if draw(2) == 0 {
            insert_code(world, &id).await;
        }
        let now = world.authority.now();
        let required_from = [None, None, Some(now + Duration::from_mins(1)), Some(now)][draw(4)];
        let is_closed = draw(5) == 0;
        sqlx::query("UPDATE account SET required_from = $2, deactivated_at = $3 WHERE id = $1")
            .bind(&id)
            .bind(required_from.map(Timestamp::millis))
            .bind(is_closed.then(|| now.millis()))
            .execute(&world.pool)
            .await
            .unwrap();
        people.push(Somebody { username, id, session, is_closed });
    }
    people
}

async fn insert_code(world: &World, account_id: &str) {
    for sql in [
        "INSERT INTO recovery_set (id, account_id, created_at) VALUES ($1, $1, 1)",
        // Whose code it was does not matter here.
        "INSERT INTO recovery_code (set_id, code_hash) SELECT $1, code_hash FROM recovery_code LIMIT 1",
    ] {
        sqlx::query(sql).bind(account_id).execute(&world.pool).await.unwrap();
    }
}

fn random_policy(now: Timestamp, draw: &mut impl FnMut(usize) -> usize) -> Policy {
    let mut policy = Policy::default();
    for role in Role::ALL {
        let requirement = match draw(5) {
            0 => Requirement::Off,
            1 => Requirement::Optional,
            2 => Requirement::Required { from: now },
            3 => Requirement::Required { from: now + Duration::from_secs(90) },
            _ => Requirement::Required { from: now + Duration::from_mins(2) },
        };
        policy.set_rule(role, Rule { requirement, apps_only: draw(2) == 0 });
    }
    policy
}

/// Who gets tokens by messages alone, or has no code left though tokens are asked for, as the tables say.
async fn has_sms_only_and_no_codes(world: &World, id: &str) -> (bool, bool) {
    let count = |sql: &'static str| async move {
        sqlx::query_scalar::<_, i64>(sql).bind(id).fetch_one(&world.pool).await.unwrap()
    };
    let sms = count("SELECT COUNT(*) FROM factor WHERE account_id = $1 AND kind = 'sms'").await > 0;
    let apps = count("SELECT COUNT(*) FROM factor WHERE account_id = $1 AND kind <> 'sms'").await > 0;
    let codes = count("SELECT COUNT(*) FROM recovery_code WHERE set_id = $1").await > 0;
    (sms && !apps, (sms || apps) && !codes)
}

async fn a_preview_says_what_saving_does(world: World) {
    let ada = administrator(&world).await;
    let signed_in = ada.signed_in().await;
    // So that no policy stops her.
    world.insert_factor(signed_in.account_id(), FactorKind::Totp, "confirmed").await;
    for seed in [11, 12, 13] {
        let mut draw = random(seed);
        let people = random_people(&world, seed, &mut draw).await;
        for _ in 0..4 {
            let drafted = random_policy(world.authority.now(), &mut draw);
            let administrator = signed_in.administrator().unwrap();
            let effects = policy::preview(&world.authority, administrator, &drafted).await.unwrap();
            save(&world, &ada, &drafted).await;
            for seconds in [0, 60, 60] {
                world.advance(seconds);
                for somebody in &people {
                    agrees(&world, somebody, &effects).await;
                }
            }
            // Back, so that the proof of the administrator still counts.
            world.advance(-120);
        }
    }
}

/// What the preview said of somebody is what the next request finds, then and after time has passed.
async fn agrees(world: &World, somebody: &Somebody, effects: &[Effect]) {
    let name = format!("{} Cole", somebody.username);
    let effect = effects.iter().find(|effect| effect.name == name);
    let found = sessions::recognise(&world.authority, &somebody.session).await.unwrap();
    let Some(effect) = effect.filter(|_| !somebody.is_closed) else {
        assert!(somebody.is_closed && effect.is_none() && found.is_none(), "{name} is neither shown nor let in");
        return;
    };
    let expected = match effect.standing {
        Standing::Due { by } if by <= world.authority.now() => Standing::MustEnrol,
        standing => standing,
    };
    let (is_stopped, found) = match found.expect("live") {
        Session::Open(found) => (false, found),
        Session::MustEnrol(found) => (true, found),
        Session::Locked(_) => panic!("no screen locks"),
    };
    assert_eq!(found.standing(world.authority.now()), expected, "{name}");
    assert_eq!(is_stopped, expected == Standing::MustEnrol, "{name}");
    let lists = has_sms_only_and_no_codes(world, &somebody.id).await;
    assert_eq!((effect.sms_only, effect.no_codes), lists, "{name}");
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

async fn mails_to_nina(world: &World) -> Vec<outbox::OutboxMessage> {
    outbox::list(&world.authority, Some("nina@elm.test")).await.unwrap()
}

async fn a_date_that_is_near_is_told_once(world: World) {
    let ada = administrator(&world).await;
    add(&world, &ada, nurse("nina")).await;
    save(&world, &ada, &for_nurses(required(world.authority.now() + Duration::from_hours(24 * 3)))).await;
    policy::remind(&world.authority).await.unwrap();
    assert_eq!(mails_to_nina(&world).await.len(), 1, "what is told at once is the reminder of seven days too");
    world.advance(2 * 86_400);
    policy::remind(&world.authority).await.unwrap();
    assert_eq!(mails_to_nina(&world).await.len(), 2, "a day before");
}

async fn whoever_is_stopped_at_once_is_told_at_once(world: World) {
    let ada = administrator(&world).await;
    add(&world, &ada, nurse("nina")).await;
    let now = required(world.authority.now());
    for policy in [for_nurses(now), for_nurses(now), for_nurses(Rule { apps_only: true, ..now })] {
        save(&world, &ada, &policy).await;
        policy::remind(&world.authority).await.unwrap();
        let mails = mails_to_nina(&world).await;
        assert_eq!(mails.len(), 1, "once, for nothing changes for her");
        assert!(mails[0].body.contains("only set it up"), "{}", mails[0].body);
    }
    let mut apps = Policy::default();
    apps.set_rule(Role::Provider, Rule { apps_only: true, ..now });
    save(&world, &ada, &apps).await;
    let mails = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert!(mails.iter().any(|mail| mail.body.contains("only set it up")), "text messages do not do any more");
}

async fn what_a_role_needs_is_in_the_trail(world: World) {
    let ada = administrator(&world).await;
    let events = || async { (world.events("enforcement-on").await, world.events("enforcement-off").await) };
    save(&world, &ada, &for_nurses(Rule::default())).await;
    assert_eq!(events().await, (0, 0));
    let day = world.authority.now() + Duration::from_hours(24);
    save(&world, &ada, &for_nurses(required(day))).await;
    save(&world, &ada, &for_nurses(required(world.authority.now()))).await;
    assert_eq!(events().await, (1, 0), "an earlier date is a change of the policy alone");
    save(&world, &ada, &Policy::default()).await;
    assert_eq!(events().await, (1, 1));
    let about = "SELECT COUNT(*) FROM audit WHERE event LIKE 'enforcement-%' AND subject_id = 'nurse'";
    assert_eq!(world.number(about).await, 2, "they name the role");
    assert_eq!(world.events("policy-changed").await, 4);
}

async fn a_role_that_needs_nothing_is_offered_nothing(world: World) {
    let ada = administrator(&world).await;
    add(&world, &ada, nurse("nina")).await;
    save(&world, &ada, &for_nurses(Rule { requirement: Requirement::Off, apps_only: false })).await;
    let opened = sign_in_plainly(&world, "nina").await;
    let nina = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    let started = enrol_sms::start(&world.authority, &nina, &visitor(), PASSWORD.into()).await;
    assert_eq!(started, Err(StartError::NotOffered));
    assert!(!security::overview(&world.authority, &nina).await.unwrap().is_offered);
    assert!(security::overview(&world.authority, &ada.signed_in().await).await.unwrap().is_offered, "another role");
    assert!(outbox::list(&world.authority, Some(NURSE_PHONE)).await.unwrap().is_empty());
}

async fn countries_that_leave_out_the_own_cell_phone_are_refused(world: World) {
    let ada = administrator(&world).await;
    let foreign = "+44 7400 123456";
    add(&world, &ada, NewMember { cell_phone: foreign.into(), ..nurse("nina") }).await;
    let of = |countries: &str| Policy { countries: Countries::parse(countries).unwrap(), ..Policy::default() };
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    let saved = |countries: &'static str| {
        let (authority, policy) = (&world.authority, of(countries));
        async move { policy::save(authority, administrator, &visitor(), &policy).await }
    };
    let effects = policy::preview(&world.authority, administrator, &of("GB")).await.unwrap();
    let refused: Vec<_> = effects.iter().filter(|effect| effect.phone_refused).map(|effect| &effect.name).collect();
    assert_eq!(refused, ["Ada Byron"]);
    assert_eq!(saved("GB").await, Err(PolicyError::Invalid(InvalidPolicy::OwnCellPhone)), "the one that tokens go to");
    profile::set_cell_phone(&world.authority, &signed_in, &visitor(), foreign).await.unwrap();
    assert_eq!(saved("GB").await, Err(PolicyError::Invalid(InvalidPolicy::OwnCellPhone)), "still the confirmed one");
    assert_eq!(saved("US").await, Err(PolicyError::Invalid(InvalidPolicy::OwnCellPhone)), "the one that is entered");
    assert_eq!(world.events("policy-changed").await, 0);
    saved("US, GB").await.unwrap();
}

async fn going_back_to_five_minutes_ends_what_lives_until_it_is_used(world: World) {
    let ada = administrator(&world).await;
    let bob = world.enrolled("bob", "+12025550199").await.0;
    let until_used = Policy { sms_life: SmsLife::UntilUsed, ..Policy::default() };
    for by in [&ada, &bob] {
        save(&world, by, &until_used).await;
        let overview = security::overview(&world.authority, &by.signed_in().await).await.unwrap();
        assert!(overview.sms_until_used, "the Security tab has to say so");
    }
    world.advance(61);
    for by in [&ada, &bob] {
        let challenge = by.challenge().await;
        sign_in::request_token(&world.authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
    }
    let token = world.latest_token(PHONE).await;
    save(&world, &ada, &Policy::default()).await;
    assert_eq!(
        world.number("SELECT COUNT(*) FROM message_token WHERE ended_at IS NULL").await,
        1,
        "the other practice's"
    );
    save(&world, &ada, &until_used).await;
    assert!(ada.sign_in_with(&token).await.is_err(), "it does not come back with the setting");
}

async fn the_preview_counts_who_never_locks(world: World) {
    let ada = administrator(&world).await;
    add(&world, &ada, nurse("nina")).await;
    world.run("UPDATE account SET pin_hash = 'x' WHERE username = 'ada'").await.unwrap();
    let signed_in = ada.signed_in().await;
    for (lock_minutes, expected) in [(0, 0), (5, 1)] {
        let policy = Policy { lock_minutes, ..Policy::default() };
        let effects = policy::preview(&world.authority, signed_in.administrator().unwrap(), &policy).await.unwrap();
        assert_eq!(effects.iter().filter(|effect| effect.no_pin).count(), expected);
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

async fn a_number_from_before_the_countries_stands_in_the_way_of_no_edit(world: World) {
    let ada = administrator(&world).await;
    let (foreign, other) = ("+44 7400 123456", "+44 7400 123457");
    let id = add(&world, &ada, NewMember { cell_phone: foreign.into(), ..nurse("nina") }).await;
    let countries = Countries::parse("US").unwrap();
    save(&world, &ada, &Policy { countries, ..Policy::default() }).await;

    let opened = sign_in_plainly(&world, "nina").await;
    let nina = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    let form = |cell_phone: &str| ProfileForm {
        first_name: "Nina".into(),
        last_name: "Cole".into(),
        cell_phone: cell_phone.into(),
        pin: "1234".into(),
        ..ProfileForm::default()
    };
    profile::update(&world.authority, &nina, &visitor(), form(foreign)).await.expect("a PIN is no number");
    assert!(profile::load(&world.authority, &nina).await.unwrap().has_pin);
    profile::set_cell_phone(&world.authority, &nina, &visitor(), foreign).await.expect("nothing changes");
    let refused = profile::update(&world.authority, &nina, &visitor(), form(other)).await;
    assert_eq!(refused, Err(ProfileError::CellPhoneNotAllowed));

    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    let details = |cell_phone: &str| Details {
        first_name: "Nina".into(),
        last_name: "Cole".into(),
        cell_phone: cell_phone.into(),
        role: "billing".into(),
        manages_accounts: false,
    };
    staff::change(&world.authority, administrator, &visitor(), &id, &details(foreign))
        .await
        .expect("a role is neither");
    let refused = staff::change(&world.authority, administrator, &visitor(), &id, &details(other)).await;
    assert_eq!(refused, Err(StaffError::CellPhoneNotAllowed));
    let nina = staff::find(&world.authority, administrator, &id).await.unwrap().unwrap();
    assert_eq!((nina.role, nina.cell_phone.as_str()), (Role::Billing, "+447400123456"));
}

/// Somebody under a deadline, with what they hold to sign in by.
struct Bound<'a> {
    actor: Actor<'a>,
    id: String,
    codes: Vec<String>,
}

/// What a person can do about two-factor authentication of their own.
#[derive(Clone, Copy, Debug)]
enum Act {
    SignIn,
    BeginSms,
    AddSms,
    BeginApp,
    AddApp,
    RemoveApp,
    CancelSetUp,
    ChangePhone,
    UseRecoveryCode,
    SwitchOff,
    AskForReset,
    CancelReset,
    WaitForReset,
}

impl Act {
    const ALL: [Self; 13] = [
        Self::SignIn,
        Self::BeginSms,
        Self::AddSms,
        Self::BeginApp,
        Self::AddApp,
        Self::RemoveApp,
        Self::CancelSetUp,
        Self::ChangePhone,
        Self::UseRecoveryCode,
        Self::SwitchOff,
        Self::AskForReset,
        Self::CancelReset,
        Self::WaitForReset,
    ];
}

impl Bound<'_> {
    fn world(&self) -> &World {
        self.actor.world
    }

    /// The person in a session; one that has ended is followed by another.
    async fn who(&mut self) -> SignedIn {
        if sessions::recognise(&self.world().authority, &self.actor.opened.session).await.unwrap().is_none() {
            self.sign_in().await;
        }
        recognised(self.world(), &self.actor.opened.session).await
    }

    /// The digits of the latest message: it went to the number that gets tokens, whichever of the two that is.
    async fn token(&self) -> String {
        let messages = outbox::list(&self.world().authority, None).await.unwrap();
        let token = messages.iter().find_map(|message| message.body.split_once("Your token is "));
        token.expect("a token in it").1[..6].to_owned()
    }

    /// Lets messages go out whatever their limits: they are not what is looked at here.
    async fn no_limits(&self) {
        self.world().run("DELETE FROM message_send").await.unwrap();
        self.world().advance(1);
    }

    async fn sign_in(&mut self) {
        let authority = &self.actor.world.authority;
        let step =
            sign_in::with_password(authority, &visitor(), &self.actor.username, PASSWORD.into(), None).await.unwrap();
        self.actor.opened = match step {
            PasswordStep::SignedIn(opened) => opened,
            PasswordStep::TokenNeeded(key) => {
                let challenge = sign_in::find_challenge(authority, &key).await.unwrap().unwrap();
                self.no_limits().await;
                sign_in::request_token(authority, &visitor(), &challenge, Channel::Sms).await.unwrap();
                let token = self.token().await;
                sign_in::with_token(authority, &visitor(), &challenge, &token, false).await.unwrap()
            }
        };
    }

    /// A token for a step-up; none where none is asked for.
    async fn proof(&mut self) -> String {
        let signed_in = self.who().await;
        self.no_limits().await;
        match step_up::request_token(&self.world().authority, &signed_in, &visitor(), Channel::Sms).await {
            Ok(()) => self.token().await,
            Err(_) => String::new(),
        }
    }

    async fn step_up(&mut self) -> SignedIn {
        let (signed_in, proof) = (self.who().await, self.proof().await);
        let authority = &self.actor.world.authority;
        let opened = step_up::confirm(authority, &signed_in, &visitor(), PASSWORD.into(), &proof).await;
        self.actor.opened = opened.expect("proven");
        self.who().await
    }

    async fn begin_sms(&mut self) -> bool {
        let signed_in = self.step_up().await;
        self.no_limits().await;
        enrol_sms::start(&self.world().authority, &signed_in, &visitor(), PASSWORD.into()).await.is_ok()
    }

    async fn add_sms(&mut self) -> bool {
        if !self.begin_sms().await {
            return false;
        }
        let (signed_in, token) = (self.who().await, self.token().await);
        let authority = &self.actor.world.authority;
        self.actor.opened = enrol_sms::confirm(authority, &signed_in, &visitor(), &token).await.expect("confirms");
        if self.codes.is_empty() {
            let shown = recovery::codes_to_store(authority, &self.who().await).await.expect("stepped up");
            self.codes = shown.map(|set| set.codes).unwrap_or_default();
        }
        true
    }

    async fn begin_app(&mut self) -> bool {
        let signed_in = self.step_up().await;
        enrol_totp::start(&self.world().authority, &signed_in, &visitor()).await.is_ok()
    }

    async fn add_app(&mut self) -> bool {
        if !self.begin_app().await {
            return false;
        }
        let signed_in = self.who().await;
        let authority = &self.actor.world.authority;
        let pending = enrol_totp::pending(authority, &signed_in).await.unwrap().expect("pending");
        let totp = Totp::new(&Secret::from_base32(&pending.setup_key).unwrap(), Parameters::OTHER_VENDOR).unwrap();
        let token = totp.token_at(authority.now());
        let opened = enrol_totp::confirm(authority, &signed_in, &visitor(), token.expose_digits(), "").await;
        self.actor.opened = opened.expect("confirms");
        true
    }

    async fn remove_app(&mut self) -> bool {
        self.add_app().await;
        let signed_in = self.step_up().await;
        let authority = &self.actor.world.authority;
        let factors = security::overview(authority, &signed_in).await.unwrap().factors;
        let Some(app) = factors.iter().find(|factor| factor.kind == FactorKind::Totp) else { return false };
        self.actor.opened = enrol_totp::remove(authority, &signed_in, &visitor(), &app.id).await.expect("not the last");
        true
    }

    async fn cancel_set_up(&mut self) -> bool {
        let _ = self.begin_sms().await || self.begin_app().await;
        let signed_in = self.who().await;
        let before = self.world().events("enrolment-cancelled").await;
        enrol_sms::cancel(&self.world().authority, &signed_in, &visitor()).await.unwrap();
        enrol_totp::cancel(&self.world().authority, &signed_in, &visitor()).await.unwrap();
        self.world().events("enrolment-cancelled").await > before
    }

    async fn change_phone(&mut self) -> bool {
        let signed_in = self.step_up().await;
        let authority = &self.actor.world.authority;
        let current = profile::load(authority, &signed_in).await.unwrap().cell_phone;
        let other = if current == NURSE_PHONE { "+12025550178" } else { NURSE_PHONE };
        profile::set_cell_phone(authority, &signed_in, &visitor(), other).await.is_ok()
    }

    async fn use_recovery_code(&mut self) -> bool {
        let Some(code) = self.codes.pop() else { return false };
        let challenge = self.actor.challenge().await;
        let authority = &self.actor.world.authority;
        let opened = sign_in::with_recovery_code(authority, &visitor(), &challenge, &code).await;
        self.actor.opened = opened.expect("a fresh code");
        true
    }

    async fn switch_off(&mut self) -> bool {
        let (signed_in, proof) = (self.who().await, self.proof().await);
        let authority = &self.actor.world.authority;
        let Requirement::Required { from } = signed_in.rule().requirement else { panic!("a deadline") };
        match disable::disable(authority, &signed_in, &visitor(), PASSWORD.into(), &proof).await {
            Ok(opened) => {
                assert!(authority.now() < from, "refused when required");
                self.actor.opened = opened;
                self.codes.clear();
                true
            }
            Err(_) => false,
        }
    }

    /// The link that begins a reset, if there is anything to reset.
    async fn link(&mut self) -> Option<ResetLinkKey> {
        let signed_in = self.who().await;
        self.no_limits().await;
        step_up::methods(&self.world().authority, &signed_in).await.unwrap()?;
        Some(reset_link(self.world(), &self.actor.username).await)
    }

    async fn ask_for_reset(&mut self) -> bool {
        let Some(link) = self.link().await else { return false };
        own::start(&self.world().authority, &visitor(), &link).await.is_ok()
    }

    async fn cancel_reset(&mut self) -> bool {
        self.ask_for_reset().await;
        let before = self.world().events("reset-cancelled").await;
        let authority = &self.world().authority;
        own::cancel_with_password(authority, &visitor(), &self.actor.username, PASSWORD.into()).await.unwrap();
        self.world().events("reset-cancelled").await > before
    }

    async fn wait_for_reset(&mut self) -> bool {
        let before = self.world().events("two-factor-reset").await;
        if !self.ask_for_reset().await {
            return false;
        }
        self.world().advance(24 * 3600);
        self.sign_in().await;
        self.codes.clear();
        self.world().events("two-factor-reset").await > before
    }

    /// Whether it could be done.
    async fn does(&mut self, act: Act) -> bool {
        match act {
            Act::SignIn => {
                self.sign_in().await;
                true
            }
            Act::BeginSms => self.begin_sms().await,
            Act::AddSms => self.add_sms().await,
            Act::BeginApp => self.begin_app().await,
            Act::AddApp => self.add_app().await,
            Act::RemoveApp => self.remove_app().await,
            Act::CancelSetUp => self.cancel_set_up().await,
            Act::ChangePhone => self.change_phone().await,
            Act::UseRecoveryCode => self.use_recovery_code().await,
            Act::SwitchOff => self.switch_off().await,
            Act::AskForReset => self.ask_for_reset().await,
            Act::CancelReset => self.cancel_reset().await,
            Act::WaitForReset => self.wait_for_reset().await,
        }
    }

    /// As [`Bound::does`]; no date is a later one afterwards.
    async fn does_in_time(&mut self, act: Act) -> bool {
        let before = self.dates().await;
        let is_done = self.does(act).await;
        let after = self.dates().await;
        let is_later = after.iter().zip(before).any(|(after, before)| *after > before);
        assert!(!is_later, "{act:?} by {}: {before:?} to {after:?}", self.actor.username);
        is_done
    }

    /// The date that was told, the one from which it is required in person, and the one that counts. Where there is none, it
    /// is later than any.
    async fn dates(&mut self) -> [i64; 3] {
        let stored: (Option<i64>, Option<i64>) =
            sqlx::query_as("SELECT enrol_by, required_from FROM account WHERE id = $1")
                .bind(&self.id)
                .fetch_one(&self.world().pool)
                .await
                .unwrap();
        let counts = match self.who().await.rule().requirement {
            Requirement::Required { from } => from.millis(),
            Requirement::Off | Requirement::Optional => i64::MAX,
        };
        [stored.0.unwrap_or(i64::MAX), stored.1.unwrap_or(i64::MAX), counts]
    }
}

async fn nothing_that_a_person_does_moves_a_deadline_later(world: World) {
    let ada = administrator(&world).await;
    // The role's own date moves on meanwhile: what was told first still counts.
    let told = world.authority.now() + Duration::from_hours(2);
    save(&world, &ada, &for_nurses(required(told))).await;
    let mut people = Vec::new();
    for username in ["nina", "rita", "vera"] {
        let id = add(&world, &ada, nurse(username)).await;
        let opened = sign_in_plainly(&world, username).await;
        let actor = Actor { world: &world, username: username.into(), phone: NURSE_PHONE.into(), opened };
        people.push(Bound { actor, id, codes: Vec::new() });
    }
    save(&world, &ada, &for_nurses(required(told + Duration::from_hours(24 * 30)))).await;
    let mut done = [0; Act::ALL.len()];
    for (person, seed) in people.iter_mut().zip([22, 23, 24]) {
        assert_eq!(person.dates().await, [told.millis(), i64::MAX, told.millis()]);
        assert!(person.add_sms().await);
        let mut draw = random(seed);
        for _ in 0..15 {
            world.advance(i64::try_from(draw(60)).unwrap());
            let index = draw(Act::ALL.len());
            done[index] += usize::from(person.does_in_time(Act::ALL[index]).await);
        }
    }
    // From the first reset it is required in person, and so it stays with the next.
    for act in [Act::AddSms, Act::WaitForReset, Act::AddSms, Act::WaitForReset] {
        people[0].does_in_time(act).await;
    }
    assert!(done.iter().all(|times| *times > 0), "each of them was done at least once: {done:?}");
}
