use authority::sign_in::{self, PasswordStep};
use authority::staff::{self, Details, EnableError, NewMember, StaffError};
use authority::{OpenedSession, SignedIn, sessions, step_up};

use crate::support::{Actor, PASSWORD, PHONE, World, on_both_databases, random, visitor};

on_both_databases!(
    a_member_is_added_and_signs_in,
    names_that_are_taken_and_fields_that_are_wrong_are_refused,
    an_administrator_turns_it_on_for_a_nurse,
    it_is_not_turned_on_without_a_phone_or_without_the_own_password,
    a_member_of_another_practice_does_not_exist,
    whoever_is_deactivated_is_out_at_once,
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
    assert_eq!(world.number("SELECT COUNT(*) FROM token_account WHERE phone = '+12025550177'").await, 1);

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
    assert_eq!((world.events("enforcement-on").await, world.events("enrolment-confirmed").await), (1, 1));

    // Required by an administrator, it is not for the nurse to switch off.
    let nina = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    let refused = authority::disable::disable(&world.authority, &nina, &visitor(), PASSWORD.into(), "000000").await;
    assert_eq!(refused.unwrap_err(), authority::disable::DisableError::Required);

    let again = staff::enable_two_factor(&world.authority, administrator, &visitor(), &id, PASSWORD.into()).await;
    assert_eq!(again.unwrap_err(), EnableError::AlreadyEnabled);
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
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().unwrap();
    staff::deactivate(&world.authority, administrator, &visitor(), &id).await.unwrap();
    assert!(sessions::find(&world.authority, &opened.session).await.unwrap().is_none());
    let refused = sign_in::with_password(&world.authority, &visitor(), "nina", PASSWORD.into(), None).await;
    assert_eq!(refused.unwrap_err(), sign_in::PasswordRefused::Wrong, "as if there were no such account");
    world.advance(5);
    staff::reactivate(&world.authority, administrator, &visitor(), &id).await.unwrap();
    sign_in(&world, "nina").await;
}

async fn no_sequence_of_changes_leaves_a_practice_without_an_administrator(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = stepped_up(&world, &ada.signed_in().await).await;
    let mut ids = vec![signed_in.account_id().to_owned()];
    for username in ["nina", "rita", "vera"] {
        let new = NewMember { manages_accounts: true, cell_phone: String::new(), ..nurse(username) };
        let administrator = signed_in.administrator().unwrap();
        ids.push(staff::add(&world.authority, administrator, &visitor(), new).await.unwrap());
    }
    let mut draw = random(7);
    let mut refusals = 0;
    for _ in 0..80 {
        // Whoever may, acts: the proof of a moment ago is what a race would still hold.
        let administrator = signed_in.administrator().unwrap();
        let id = &ids[draw(4)];
        let details = Details {
            first_name: "A".into(),
            last_name: "B".into(),
            cell_phone: String::new(),
            role: "staff".into(),
            manages_accounts: draw(3) == 0,
        };
        let done = match draw(4) {
            0 => staff::deactivate(&world.authority, administrator, &visitor(), id).await,
            1 => staff::reactivate(&world.authority, administrator, &visitor(), id).await,
            _ => staff::change(&world.authority, administrator, &visitor(), id, &details).await,
        };
        refusals += usize::from(done == Err(StaffError::LastAdministrator));
        let left =
            world.number("SELECT COUNT(*) FROM account WHERE manages_accounts = 1 AND deactivated_at IS NULL").await;
        assert!(left > 0, "nobody could administer the practice");
    }
    assert!(refusals > 0, "the rule was met at least once");
}
