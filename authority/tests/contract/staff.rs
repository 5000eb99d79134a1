use std::time::Duration;

use authority::reset::{four_eyes, own};
use authority::sign_in::{self, PasswordStep};
use authority::staff::{self, Details, EnableError, NewMember, StaffError};
use authority::{OpenedSession, Session, SessionKey, SignedIn, disable, operator, policy, sessions, step_up};
use domain::message::Channel;
use domain::policy::{Requirement, Rule};
use domain::{Countries, FactorKind, Policy, Role};

use crate::reset::reset_link;
use crate::support::{Actor, MemberRow, PASSWORD, PHONE, World, on_both_databases, random, visitor};

on_both_databases!(
    a_member_is_added_and_signs_in,
    names_that_are_taken_and_fields_that_are_wrong_are_refused,
    an_administrator_turns_it_on_for_a_nurse,
    a_number_that_nobody_proved_links_no_practice,
    it_is_not_turned_on_without_a_phone_or_without_the_own_password,
    a_member_of_another_practice_does_not_exist,
    whoever_is_deactivated_is_out_at_once,
    whoever_is_logged_out_everywhere_is_out_at_once_and_may_come_back,
    what_lifts_a_requirement_or_opens_an_account_takes_a_step_up,
    an_administrator_whose_tokens_failures_switched_off_is_nobody_to_rely_on,
    the_last_enrolled_administrator_stays_whatever_the_policy_says,
    no_sequence_of_changes_leaves_a_practice_without_an_administrator,
);

pub(crate) const NURSE_PHONE: &str = "+12025550177";

pub(crate) fn nurse(username: &str) -> NewMember {
    NewMember {
        first_name: "Nina".into(),
        last_name: "Cole".into(),
        email: format!("{username}@elm.test"),
        username: username.into(),
        password: PASSWORD.into(),
        cell_phone: NURSE_PHONE.into(),
        role: "nurse".into(),
        manages_accounts: false,
    }
}

pub(crate) async fn add(world: &World, by: &Actor<'_>, new: NewMember) -> String {
    let signed_in = by.signed_in().await;
    let administrator = signed_in.administrator().expect("manages accounts");
    staff::add(&world.authority, administrator, &visitor(), new).await.expect("a member")
}

/// The password step of somebody without a factor.
pub(crate) async fn sign_in(world: &World, username: &str) -> OpenedSession {
    let step = sign_in::with_password(&world.authority, &visitor(), username, PASSWORD.into(), None).await;
    let Ok(PasswordStep::SignedIn(opened)) = step else { panic!("not signed in: {step:?}") };
    opened
}

/// The same person, having proven the password again.
pub(crate) async fn stepped_up(world: &World, signed_in: &SignedIn) -> SignedIn {
    let opened = step_up::confirm(&world.authority, signed_in, &visitor(), PASSWORD.into(), "").await.expect("proven");
    sessions::find(&world.authority, &opened.session).await.unwrap().unwrap()
}

async fn a_member_is_added_and_signs_in(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let id = add(&world, &ada, nurse("nina")).await;
    let signed_in = ada.signed_in().await;
    let everybody = staff::list(&world.authority, signed_in.administrator().unwrap()).await.unwrap();
    assert_eq!(everybody.iter().map(|member| member.username.as_str()).collect::<Vec<_>>(), ["ada", "nina"]);
    assert!(everybody[0].is_owner && everybody[0].is_self && !everybody[1].is_protected());
    assert_eq!(everybody[1].last_signed_in_at, None);

    let opened = sign_in(&world, "nina").await;
    let nina = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    assert!(nina.administrator().is_none(), "a nurse manages no accounts");
    let member = staff::find(&world.authority, signed_in.administrator().unwrap(), &id).await.unwrap().unwrap();
    assert_eq!(member.last_signed_in_at, Some(world.authority.now()));
    assert_eq!(world.events("staff-added").await, 1);
    let actors =
        world.number("SELECT COUNT(*) FROM audit WHERE event = 'staff-added' AND actor_id <> subject_id").await;
    assert_eq!(actors, 1, "the row says who added whom");
}

async fn names_that_are_taken_and_fields_that_are_wrong_are_refused(world: World) {
    let ada = world.provider("ada", PHONE).await;
    add(&world, &ada, nurse("nina")).await;
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    for (new, expected) in [
        (NewMember { email: "other@elm.test".into(), ..nurse("nina") }, StaffError::UsernameTaken),
        (NewMember { username: "other".into(), ..nurse("nina") }, StaffError::EmailTaken),
        (NewMember { role: "owner".into(), ..nurse("rita") }, StaffError::Role),
        (NewMember { cell_phone: "+1 900 234 5678".into(), ..nurse("rita") }, StaffError::CellPhoneNotAllowed),
        (NewMember { manages_accounts: true, ..nurse("rita") }, StaffError::StepUpNeeded),
    ] {
        let refused = staff::add(&world.authority, administrator, &visitor(), new).await;
        assert_eq!(refused.unwrap_err(), expected);
    }
    let weak = NewMember { password: "password".into(), ..nurse("rita") };
    assert!(matches!(
        staff::add(&world.authority, administrator, &visitor(), weak).await,
        Err(StaffError::Password(_))
    ));
    assert_eq!(world.number("SELECT COUNT(*) FROM account").await, 2);
}

async fn an_administrator_turns_it_on_for_a_nurse(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let id = add(&world, &ada, nurse("nina")).await;
    let before = sign_in(&world, "nina").await;
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    staff::enable_two_factor(&world.authority, administrator, &visitor(), &id, PASSWORD.into()).await.unwrap();
    assert!(sessions::find(&world.authority, &before.session).await.unwrap().is_none(), "signed out everywhere");
    let member = staff::find(&world.authority, administrator, &id).await.unwrap().unwrap();
    assert!(member.has_sms && member.is_required && member.codes_left == 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account").await, 0, "nobody has proven the number");

    let nina = Actor { world: &world, username: "nina".into(), phone: NURSE_PHONE.into(), opened: before };
    let challenge = nina.challenge().await;
    assert_eq!(
        authority::outbox::list(&world.authority, Some(NURSE_PHONE)).await.unwrap().len(),
        0,
        "a text goes out by request only"
    );
    let channel = domain::message::Channel::Sms;
    sign_in::request_token(&world.authority, &visitor(), &challenge, channel).await.unwrap();
    let token = world.latest_token(NURSE_PHONE).await;
    let opened = sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.unwrap();
    assert!(opened.has_codes, "the first token brings the recovery codes");
    let member = staff::find(&world.authority, administrator, &id).await.unwrap().unwrap();
    assert_eq!(member.codes_left, 10);
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE state = 'confirmed' AND kind = 'sms'").await, 1);
    let linked = "SELECT COUNT(*) FROM account a JOIN token_account t ON t.id = a.token_account_id
                  WHERE t.phone = '+12025550177' AND t.email = 'nina@elm.test'";
    assert_eq!(world.number(linked).await, 1, "with the first token it is");
    assert_eq!((world.events("enforcement-on").await, world.events("enrolment-confirmed").await), (1, 1));

    // Required by an administrator, it is not for the nurse to switch off.
    let nina = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    let refused = authority::disable::disable(&world.authority, &nina, &visitor(), PASSWORD.into(), "000000").await;
    assert_eq!(refused.unwrap_err(), authority::disable::DisableError::Required);

    let again = staff::enable_two_factor(&world.authority, administrator, &visitor(), &id, PASSWORD.into()).await;
    assert_eq!(again.unwrap_err(), EnableError::AlreadyEnabled);
}

async fn a_number_that_nobody_proved_links_no_practice(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let mallory = world.provider("mallory", "+12025550199").await;
    let victim = NewMember { email: "ada@elm.test".into(), cell_phone: PHONE.into(), ..nurse("not.ada") };
    let id = add(&world, &mallory, victim).await;
    let signed_in = mallory.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    staff::enable_two_factor(&world.authority, administrator, &visitor(), &id, PASSWORD.into()).await.unwrap();
    let linked = "SELECT COUNT(*) FROM account WHERE username = 'not.ada' AND token_account_id IS NOT NULL";
    assert_eq!(world.number(linked).await, 0);

    let phone = crate::devices::add(&world, "ada", PHONE).await;
    assert_eq!(phone.totps.len(), 1, "a secret of her own practice only");
    let of_devices = "SELECT COUNT(DISTINCT practice_id) FROM audit WHERE event = 'device-phone-proven'";
    assert_eq!(world.number(of_devices).await, 1, "no other practice reads of her devices");
}

async fn it_is_not_turned_on_without_a_phone_or_without_the_own_password(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let with_phone = add(&world, &ada, nurse("nina")).await;
    let without = add(&world, &ada, NewMember { cell_phone: String::new(), ..nurse("rita") }).await;
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    let own = signed_in.account_id();
    for (id, password, expected) in [
        (without.as_str(), PASSWORD, EnableError::PhoneMissing),
        (own, PASSWORD, EnableError::NotFound),
        ("nobody", PASSWORD, EnableError::NotFound),
        (with_phone.as_str(), "not the password", EnableError::PasswordWrong),
    ] {
        let refused = staff::enable_two_factor(&world.authority, administrator, &visitor(), id, password.into()).await;
        assert_eq!(refused.unwrap_err(), expected);
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM factor").await, 0);
    let details = Details {
        first_name: "Rita".into(),
        last_name: "Cole".into(),
        cell_phone: "+12025550178".into(),
        role: "nurse".into(),
        manages_accounts: false,
    };
    staff::change(&world.authority, administrator, &visitor(), &without, &details).await.unwrap();
    world.advance(5);
    staff::enable_two_factor(&world.authority, administrator, &visitor(), &without, PASSWORD.into()).await.unwrap();
}

async fn a_member_of_another_practice_does_not_exist(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let bob = world.provider("bob", "+12025550199").await;
    let id = add(&world, &ada, nurse("nina")).await;
    let bob = stepped_up(&world, &bob.signed_in().await).await;
    let administrator = bob.administrator().unwrap();
    assert!(staff::find(&world.authority, administrator, &id).await.unwrap().is_none());
    let (authority, visitor) = (&world.authority, visitor());
    let enabled = staff::enable_two_factor(authority, administrator, &visitor, &id, PASSWORD.into()).await;
    assert_eq!(enabled.unwrap_err(), EnableError::NotFound);
    let details = Details { first_name: "X".into(), last_name: "Y".into(), role: "staff".into(), ..Details::default() };
    for refused in [
        staff::deactivate(authority, administrator, &visitor, &id).await,
        staff::reactivate(authority, administrator, &visitor, &id).await,
        staff::stop_requiring(authority, administrator, &visitor, &id).await,
        staff::change(authority, administrator, &visitor, &id, &details).await,
    ] {
        assert_eq!(refused.unwrap_err(), StaffError::NotFound);
    }
}

async fn whoever_is_deactivated_is_out_at_once(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let id = add(&world, &ada, nurse("nina")).await;
    let opened = sign_in(&world, "nina").await;
    let signed_in = stepped_up(&world, &ada.signed_in().await).await;
    let administrator = signed_in.administrator().unwrap();
    staff::deactivate(&world.authority, administrator, &visitor(), &id).await.unwrap();
    assert!(sessions::find(&world.authority, &opened.session).await.unwrap().is_none());
    let refused = sign_in::with_password(&world.authority, &visitor(), "nina", PASSWORD.into(), None).await;
    assert_eq!(refused.unwrap_err(), sign_in::PasswordRefused::Wrong, "as if there were no such account");
    world.advance(5);
    staff::reactivate(&world.authority, administrator, &visitor(), &id).await.unwrap();
    sign_in(&world, "nina").await;
}

async fn whoever_is_logged_out_everywhere_is_out_at_once_and_may_come_back(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let id = add(&world, &ada, nurse("nina")).await;
    let browsers = [sign_in(&world, "nina").await, sign_in(&world, "nina").await];
    let signed_in = stepped_up(&world, &ada.signed_in().await).await;
    let administrator = signed_in.administrator().unwrap();
    staff::log_out_everywhere(&world.authority, administrator, &visitor(), &id).await.unwrap();
    for opened in browsers {
        assert!(sessions::find(&world.authority, &opened.session).await.unwrap().is_none());
    }
    assert_eq!(world.events("session-ended").await, 1);
    sign_in(&world, "nina").await;
}

async fn what_lifts_a_requirement_or_opens_an_account_takes_a_step_up(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let id = add(&world, &ada, nurse("nina")).await;
    let details = |role: &str, manages_accounts| Details {
        first_name: "Nina".into(),
        last_name: "Cole".into(),
        cell_phone: NURSE_PHONE.into(),
        role: role.into(),
        manages_accounts,
    };
    let (authority, visitor) = (&world.authority, visitor());
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    staff::change(authority, administrator, &visitor, &id, &details("nurse", false)).await.expect("nothing grave");
    for refused in [
        staff::change(authority, administrator, &visitor, &id, &details("staff", false)).await,
        staff::change(authority, administrator, &visitor, &id, &details("nurse", true)).await,
        staff::log_out_everywhere(authority, administrator, &visitor, &id).await,
        staff::deactivate(authority, administrator, &visitor, &id).await,
    ] {
        assert_eq!(refused, Err(StaffError::StepUpNeeded));
    }
    let proven = stepped_up(&world, &signed_in).await;
    let administrator = proven.administrator().unwrap();
    staff::change(authority, administrator, &visitor, &id, &details("staff", false)).await.unwrap();
    staff::deactivate(authority, administrator, &visitor, &id).await.unwrap();
    world.advance(301);
    let refused = staff::reactivate(authority, administrator, &visitor, &id).await;
    assert_eq!(refused, Err(StaffError::StepUpNeeded), "the proof is too long ago");
    let events = ["staff-changed", "staff-deactivated", "staff-reactivated"];
    assert_eq!(
        [world.events(events[0]).await, world.events(events[1]).await, world.events(events[2]).await],
        [2, 1, 0],
        "what was refused left nothing"
    );
}

/// Details of somebody without a cell phone.
fn details(role: Role, manages_accounts: bool) -> Details {
    Details {
        first_name: "Vera".into(),
        last_name: "Cole".into(),
        cell_phone: String::new(),
        role: role.name().into(),
        manages_accounts,
    }
}

async fn an_administrator_whose_tokens_failures_switched_off_is_nobody_to_rely_on(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let vera = MemberRow { username: "vera", role: Role::OfficeManager, manages_accounts: true, cell_phone: "" };
    let vera = world.insert_member("ada", &vera).await;
    world.insert_factor(&vera, FactorKind::Totp, "disabled").await;
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    let own = signed_in.account_id();
    let (authority, visitor) = (&world.authority, visitor());
    for refused in [
        staff::change(
            authority,
            administrator,
            &visitor,
            own,
            &Details { cell_phone: PHONE.into(), ..details(Role::Provider, false) },
        )
        .await,
        staff::deactivate(authority, administrator, &visitor, own).await,
    ] {
        assert_eq!(refused, Err(StaffError::LastAdministrator));
    }
    world.insert_factor(&vera, FactorKind::Authenticator, "confirmed").await;
    staff::deactivate(authority, administrator, &visitor, own).await.expect("she gets tokens");
}

async fn the_last_enrolled_administrator_stays_whatever_the_policy_says(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let vera = MemberRow { username: "vera", role: Role::OfficeManager, manages_accounts: true, cell_phone: "" };
    let vera = world.insert_member("ada", &vera).await;
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    let (authority, visitor) = (&world.authority, visitor());
    let removed = staff::deactivate(authority, administrator, &visitor, signed_in.account_id()).await;
    assert_eq!(removed, Err(StaffError::LastAdministrator), "the other one has nothing set up");
    let mut policy = Policy::default();
    for role in Role::ALL {
        let requirement = Requirement::Required { from: authority.now() };
        policy.set_rule(role, Rule { requirement, apps_only: true });
    }
    policy::save(authority, administrator, &visitor, &policy).await.unwrap();
    // What they have does not do any more, and still it is a way in, and into set-up.
    for (id, username) in [(signed_in.account_id(), "ada"), (vera.as_str(), "vera")] {
        let person = Person { id: id.into(), username: username.into(), phone: PHONE.into() };
        let key = enter(&world, &person).await.expect("gets in");
        let found = sessions::recognise(authority, &key).await.unwrap();
        assert!(matches!(found, Some(Session::MustEnrol(_))), "{username} may set it up");
    }
}

/// A member who may be an administrator, and be reached by messages.
struct Person {
    id: String,
    username: String,
    phone: String,
}

/// The session of somebody who gets in for real: by the password, and by a token in a message where one is asked for. Whose
/// tokens failures have switched off gets in by the mailbox and a day.
async fn enter(world: &World, person: &Person) -> Option<SessionKey> {
    let (authority, visitor) = (&world.authority, visitor());
    lift_limits(world).await;
    match sign_in::with_password(authority, &visitor, &person.username, PASSWORD.into(), None).await.ok()? {
        PasswordStep::SignedIn(opened) => Some(opened.session),
        PasswordStep::TokenNeeded(key) => {
            let challenge = sign_in::find_challenge(authority, &key).await.unwrap().unwrap();
            if sign_in::request_token(authority, &visitor, &challenge, Channel::Sms).await.is_err() {
                return Some(wait_for_reset(world, person).await);
            }
            let token = world.latest_token(&person.phone).await;
            let opened =
                sign_in::with_token(authority, &visitor, &challenge, &token, false).await.expect("a right token");
            Some(opened.session)
        }
    }
}

/// No delay and no limit on messages stands in the way any more.
async fn lift_limits(world: &World) {
    world.run("DELETE FROM message_send").await.unwrap();
    world.advance(3600);
}

/// Asks for the reset of one's own, waits, and signs in.
async fn wait_for_reset(world: &World, person: &Person) -> SessionKey {
    // What administrators have asked for, and nobody approves, is in the way for seven days.
    for days in [0, 7] {
        world.advance(days * 24 * 3600);
        let link = reset_link(world, &person.username).await;
        // One that waits already will do.
        let _ = own::start(&world.authority, &visitor(), &link).await;
        world.advance(24 * 3600);
        let name = &person.username;
        let step = sign_in::with_password(&world.authority, &visitor(), name, PASSWORD.into(), None).await;
        if let Ok(PasswordStep::SignedIn(opened)) = step {
            return opened.session;
        }
    }
    panic!("{} is not reset", person.username)
}

/// Who it is, be it that nothing but set-up can be reached.
pub(crate) async fn recognised(world: &World, key: &SessionKey) -> SignedIn {
    match sessions::recognise(&world.authority, key).await.unwrap() {
        Some(Session::Open(signed_in) | Session::MustEnrol(signed_in)) => signed_in,
        Some(Session::Locked(_)) | None => panic!("just signed in"),
    }
}

/// An administrator who gets in for real, with fresh proof; there has to be one.
async fn administrator(world: &World, people: &[Person]) -> SignedIn {
    for person in people {
        if let Some(signed_in) = enter_to_administer(world, person).await {
            return signed_in;
        }
    }
    panic!("nobody can administer the practice")
}

/// Somebody who gets in for real, with fresh proof, if they are an administrator.
async fn enter_to_administer(world: &World, person: &Person) -> Option<SignedIn> {
    let key = enter(world, person).await?;
    recognised(world, &key).await.administrator()?;
    sqlx::query("UPDATE session SET stepped_up_at = $1")
        .bind(world.authority.now().millis())
        .execute(&world.pool)
        .await
        .unwrap();
    Some(recognised(world, &key).await)
}

/// What an administrator may do to somebody, or to everybody, drawn.
async fn act(
    world: &World,
    by: &SignedIn,
    on: &Person,
    draw: &mut impl FnMut(usize) -> usize,
) -> Result<(), StaffError> {
    let (authority, visitor) = (&world.authority, visitor());
    let administrator = by.administrator().unwrap();
    let role = Role::ALL[draw(Role::ALL.len())];
    match draw(10) {
        0 | 1 => staff::deactivate(authority, administrator, &visitor, &on.id).await,
        2 => staff::reactivate(authority, administrator, &visitor, &on.id).await,
        3 => {
            let from = authority.now() + Duration::from_mins(draw(90).try_into().unwrap());
            let countries = Countries::parse(["", "US", "GB", "US, GB"][draw(4)]).unwrap();
            let mut policy = Policy { countries, ..Policy::default() };
            policy.set_rule(role, Rule { requirement: Requirement::Required { from }, apps_only: draw(2) == 0 });
            // Whose own account was closed meanwhile saves nothing, nor does who leaves out their own country.
            let _ = policy::save(authority, administrator, &visitor, &policy).await;
            Ok(())
        }
        4 => {
            // Of who is closed there is nothing to reset.
            let _ = operator::reset_two_factor(authority, &on.username).await;
            Ok(())
        }
        5 => {
            // It may be on already, or their own.
            let _ = staff::enable_two_factor(authority, administrator, &visitor, &on.id, PASSWORD.into()).await;
            Ok(())
        }
        6 => staff::stop_requiring(authority, administrator, &visitor, &on.id).await,
        _ => {
            let form = Details { cell_phone: on.phone.clone(), ..details(role, draw(2) == 0) };
            staff::change(authority, administrator, &visitor, &on.id, &form).await
        }
    }
}

/// Somebody switches it off for themselves, if the practice lets them, or else sets text messages up.
async fn change_own(world: &World, person: &Person) {
    let Some(key) = enter(world, person).await else { return };
    let signed_in = recognised(world, &key).await;
    let token = proof(world, &signed_in, person).await;
    if token.is_empty() {
        world.insert_factor(&person.id, FactorKind::Sms, "confirmed").await;
    } else {
        let _ = disable::disable(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &token).await;
    }
}

/// The token of a fresh proof; none where none is asked for.
async fn proof(world: &World, signed_in: &SignedIn, person: &Person) -> String {
    world.advance(61);
    match step_up::request_token(&world.authority, signed_in, &visitor(), Channel::Sms).await {
        Ok(()) => world.latest_token(&person.phone).await,
        Err(_) => String::new(),
    }
}

/// One administrator asks for the reset of somebody, and whoever else may approves it. True if it was done.
async fn reset_by_two(world: &World, people: &[Person], on: &Person) -> bool {
    let (authority, visitor) = (&world.authority, visitor());
    // There is something to reset, and nobody is new to managing accounts.
    world.insert_factor(&on.id, FactorKind::Sms, "confirmed").await;
    world.advance(24 * 3600);
    let first = administrator(world, people).await;
    let person = people.iter().find(|person| person.id == first.account_id()).expect("one of them");
    let token = proof(world, &first, person).await;
    let administrator = first.administrator().unwrap();
    // It may be about the administrator, or somebody whose account is closed.
    let asked = four_eyes::ask(authority, administrator, &visitor, &on.id, "Lost", PASSWORD.into(), &token).await;
    if asked.is_err() {
        return false;
    }
    for other in people.iter().filter(|other| other.id != first.account_id()) {
        let Some(second) = enter_to_administer(world, other).await else { continue };
        let administrator = second.administrator().unwrap();
        for request in four_eyes::waiting(authority, administrator).await.unwrap() {
            let token = proof(world, &second, other).await;
            let approved =
                four_eyes::approve(authority, administrator, &visitor, &request.id, PASSWORD.into(), &token).await;
            if approved.is_ok() {
                return true;
            }
        }
    }
    false
}

/// An owner and three more administrators, one of whom gets text messages.
async fn four_administrators(world: &World, seed: u64) -> Vec<Person> {
    let phone = |number: usize| format!("+120255501{seed}{number}");
    let username = |name: &str| format!("{name}{seed}");
    let owner = username("ada");
    let ada = world.provider(&owner, &phone(0)).await.signed_in().await;
    let mut people = vec![Person { id: ada.account_id().to_owned(), username: owner.clone(), phone: phone(0) }];
    for (number, name) in [(1, "nina"), (2, "rita"), (3, "vera")] {
        let (username, phone) = (username(name), phone(number));
        let row =
            MemberRow { username: &username, role: Role::OfficeManager, manages_accounts: true, cell_phone: &phone };
        let id = world.insert_member(&owner, &row).await;
        people.push(Person { id, username, phone });
    }
    world.insert_factor(&people[1].id, FactorKind::Sms, "confirmed").await;
    people
}

/// Adds one more administrator.
async fn add_administrator(world: &World, by: &SignedIn, username: String, phone: String) -> Option<Person> {
    let new = NewMember { manages_accounts: true, cell_phone: phone.clone(), ..nurse(&username) };
    // Their own cell phone may be of a country that the practice does not take.
    let id = staff::add(&world.authority, by.administrator().unwrap(), &visitor(), new).await.ok()?;
    Some(Person { id, username, phone })
}

async fn no_sequence_of_changes_leaves_a_practice_without_an_administrator(world: World) {
    let (mut refusals, mut resets, mut added) = (0, 0, 0);
    for seed in [21, 24, 35] {
        let mut draw = random(seed);
        let mut people = four_administrators(&world, seed % 10).await;
        for round in 0..6 {
            let signed_in = administrator(&world, &people).await;
            if round == 2 {
                let phone = format!("+120255501{}9", seed % 10);
                let person = add_administrator(&world, &signed_in, format!("olga{seed}"), phone).await;
                added += usize::from(person.is_some());
                people.extend(person);
            }
            for _ in 0..8 {
                // Whoever may, acts: the proof of a moment ago is what a race would still hold.
                let done = act(&world, &signed_in, &people[draw(people.len())], &mut draw).await;
                refusals += usize::from(done == Err(StaffError::LastAdministrator));
                world.advance(i64::try_from(draw(20)).unwrap());
            }
            let on = &people[draw(people.len())];
            match draw(4) {
                0 => resets += usize::from(reset_by_two(&world, &people, on).await),
                1 => {
                    // As a hundred wrong tokens in a row do.
                    let disable = "UPDATE factor SET state = 'disabled' WHERE account_id = $1";
                    sqlx::query(disable).bind(&on.id).execute(&world.pool).await.unwrap();
                }
                _ => change_own(&world, on).await,
            }
        }
        administrator(&world, &people).await;
    }
    assert!(refusals > 0 && resets > 0 && added > 0, "{refusals}, {resets}, {added}: each happened at least once");
}
