use authority::reset::four_eyes::{self, MayApprove, ResetError};
use authority::reset::own::{self, StartError};
use authority::sign_in::PasswordStep;
use authority::staff::{self, NewMember};
use authority::{
    ResetCancelKey, ResetLinkKey, Session, SignedIn, Visitor, disable, enrol_sms, outbox, password, policy, profile,
    sessions, sign_in, step_up,
};
use domain::{Policy, Totp};

use crate::staff::{NURSE_PHONE, add, nurse, recognised, sign_in as sign_in_plainly, stepped_up};
use crate::support::{Actor, PASSWORD, PHONE, World, on_both_databases, visitor};
use crate::{devices, remembered};

on_both_databases!(
    a_second_administrator_approves_and_everything_goes_at_once,
    nobody_decides_about_themselves_and_nobody_alone,
    an_owner_without_a_second_administrator_waits_a_day,
    a_request_is_rejected_and_decided_once,
    without_right_proof_nothing_is_asked_for,
    both_administrators_prove_themselves_anew_with_a_token,
    a_reset_ends_devices_and_remembered_browsers,
    a_reset_leaves_a_device_to_another_practice_and_nothing_of_it_here,
    somebody_new_to_managing_accounts_is_no_second_person_for_a_day,
    without_its_owner_the_only_administrator_waits_a_day,
    a_request_is_good_for_seven_days,
    what_a_person_asked_for_is_listed_and_rejected,
    another_practice_decides_nothing,
    who_has_got_in_needs_no_reset,
    what_administrators_asked_for_is_taken_back_by_a_new_factor,
    the_mailbox_the_password_and_a_day_lead_into_set_up,
    a_notice_or_a_token_stops_the_day,
    a_reset_link_works_once_and_for_half_an_hour,
    whoever_is_unknown_or_wrong_gets_the_same_answer_and_no_mail,
);

/// An owner, a second administrator, and a nurse with text messages on.
struct Practice<'a> {
    owner: Actor<'a>,
    second: SignedIn,
    nurse: Actor<'a>,
    nurse_id: String,
}

async fn practice(world: &World) -> Practice<'_> {
    let owner = world.provider("ada", PHONE).await;
    let administrator = stepped_up(world, &owner.signed_in().await).await;
    let new = NewMember { manages_accounts: true, cell_phone: String::new(), ..nurse("olga") };
    let (authority, visitor) = (&world.authority, visitor());
    staff::add(authority, administrator.administrator().unwrap(), &visitor, new).await.unwrap();
    let opened = step_up::confirm(authority, &administrator, &visitor, PASSWORD.into(), "").await.unwrap();
    let owner = Actor { opened, ..owner };
    let nurse_id = add(world, &owner, nurse("nina")).await;
    let opened = sign_in_plainly(world, "nina").await;
    let mut nina = Actor { world, username: "nina".into(), phone: NURSE_PHONE.into(), opened };
    nina.enable_sms().await;
    let second = sign_in_plainly(world, "olga").await;
    let second = sessions::find(authority, &second.session).await.unwrap().unwrap();
    // Both have managed accounts for long.
    world.run("UPDATE account SET manages_since = 0").await.unwrap();
    Practice { owner, second, nurse: nina, nurse_id }
}

async fn ask(world: &World, by: &SignedIn, id: &str) -> Result<(), ResetError> {
    ask_with(world, by, id, "").await
}

async fn ask_with(world: &World, by: &SignedIn, id: &str, token: &str) -> Result<(), ResetError> {
    let administrator = by.administrator().unwrap();
    four_eyes::ask(&world.authority, administrator, &visitor(), id, "Phone fell into the sea", PASSWORD.into(), token)
        .await
}

async fn only_request(world: &World, by: &SignedIn) -> four_eyes::Request {
    let mut waiting = four_eyes::waiting(&world.authority, by.administrator().unwrap()).await.unwrap();
    assert_eq!(waiting.len(), 1);
    waiting.remove(0)
}

async fn approve(world: &World, by: &SignedIn, id: &str) -> Result<(), ResetError> {
    approve_with(world, by, id, "").await
}

async fn approve_with(world: &World, by: &SignedIn, id: &str, token: &str) -> Result<(), ResetError> {
    four_eyes::approve(&world.authority, by.administrator().unwrap(), &visitor(), id, PASSWORD.into(), token).await
}

async fn reject_with(world: &World, by: &SignedIn, id: &str, token: &str) -> Result<(), ResetError> {
    four_eyes::reject(&world.authority, by.administrator().unwrap(), &visitor(), id, PASSWORD.into(), token).await
}

async fn a_second_administrator_approves_and_everything_goes_at_once(world: World) {
    let practice = practice(&world).await;
    let owner = practice.owner.signed_in().await;
    ask(&world, &owner, &practice.nurse_id).await.unwrap();
    assert_eq!(ask(&world, &practice.second, &practice.nurse_id).await, Err(ResetError::AlreadyAsked));
    assert!(practice.nurse.is_signed_in().await, "nothing is weaker before it is approved");
    let request = only_request(&world, &practice.second).await;
    assert_eq!((request.member.as_str(), request.may_approve), ("Nina Cole", MayApprove::Yes));
    assert_eq!(request.reason, "Phone fell into the sea");
    approve(&world, &practice.second, &request.id).await.unwrap();

    assert!(!practice.nurse.is_signed_in().await);
    for sql in
        ["SELECT COUNT(*) FROM factor", "SELECT COUNT(*) FROM recovery_set", "SELECT COUNT(*) FROM token_account"]
    {
        assert_eq!(world.number(sql).await, 0, "{sql}");
    }
    let known = "SELECT COUNT(*) FROM known_browser k JOIN account a ON a.id = k.account_id WHERE a.username = 'nina'";
    assert_eq!(world.number(known).await, 0);
    let opened = sign_in_plainly(&world, "nina").await;
    let session = sessions::recognise(&world.authority, &opened.session).await.unwrap();
    assert!(matches!(session, Some(Session::MustEnrol(_))), "the password leads into set-up and nowhere else");
    for event in ["reset-asked", "reset-approved", "two-factor-reset"] {
        assert_eq!(world.events(event).await, 1, "{event}");
    }
    let mails = outbox::list(&world.authority, Some("nina@elm.test")).await.unwrap();
    assert!(mails.iter().any(|mail| mail.body.contains("was reset")));
    let texts = outbox::list(&world.authority, Some(NURSE_PHONE)).await.unwrap();
    // Among messages of one moment the order is by id.
    assert!(texts.iter().any(|text| text.body.contains("was reset")), "the old number is told");
}

async fn nobody_decides_about_themselves_and_nobody_alone(world: World) {
    let practice = practice(&world).await;
    let owner = practice.owner.signed_in().await;
    let own = ask(&world, &owner, owner.account_id()).await;
    assert_eq!(own, Err(ResetError::AboutThemselves));
    ask(&world, &owner, &practice.nurse_id).await.unwrap();
    let request = only_request(&world, &owner).await;
    assert_eq!(request.may_approve, MayApprove::OwnRequest);
    assert_eq!(approve(&world, &owner, &request.id).await, Err(ResetError::SecondPersonNeeded));
    world.advance(48 * 3600);
    let again = sign_in_plainly(&world, "ada").await;
    let later = sessions::find(&world.authority, &again.session).await.unwrap().unwrap();
    assert_eq!(
        approve(&world, &later, &request.id).await,
        Err(ResetError::SecondPersonNeeded),
        "a day changes nothing"
    );
    assert_eq!(world.number("SELECT COUNT(*) FROM factor").await, 1);
}

async fn an_owner_without_a_second_administrator_waits_a_day(world: World) {
    let practice = practice(&world).await;
    world.run("UPDATE account SET manages_accounts = 0 WHERE username = 'olga'").await.unwrap();
    let owner = practice.owner.signed_in().await;
    ask(&world, &owner, &practice.nurse_id).await.unwrap();
    let request = only_request(&world, &owner).await;
    let until = world.authority.now() + authority::reset::WAIT;
    assert_eq!(request.may_approve, MayApprove::NotBefore(until));
    assert_eq!(approve(&world, &owner, &request.id).await, Err(ResetError::TooSoon { until }));
    world.advance(24 * 3600 - 1);
    let again = sign_in_plainly(&world, "ada").await;
    let owner = sessions::find(&world.authority, &again.session).await.unwrap().unwrap();
    assert!(approve(&world, &owner, &request.id).await.is_err());
    world.advance(1);
    approve(&world, &owner, &request.id).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM factor").await, 0);
}

async fn a_request_is_rejected_and_decided_once(world: World) {
    let practice = practice(&world).await;
    let owner = practice.owner.signed_in().await;
    ask(&world, &owner, &practice.nurse_id).await.unwrap();
    let request = only_request(&world, &practice.second).await;
    let by = practice.second.administrator().unwrap();
    four_eyes::reject(&world.authority, by, &visitor(), &request.id, PASSWORD.into(), "").await.unwrap();
    assert_eq!(approve(&world, &practice.second, &request.id).await, Err(ResetError::NotFound));
    assert!(practice.nurse.is_signed_in().await);
    ask(&world, &owner, &practice.nurse_id).await.expect("it can be asked for again");
}

async fn without_right_proof_nothing_is_asked_for(world: World) {
    let practice = practice(&world).await;
    let owner = practice.owner.signed_in().await;
    let by = owner.administrator().unwrap();
    let (authority, visitor) = (&world.authority, visitor());
    let wrong = four_eyes::ask(authority, by, &visitor, &practice.nurse_id, "Lost", "wrong".into(), "").await;
    assert!(matches!(wrong, Err(ResetError::Proof(_))));
    world.advance(5);
    let silent = four_eyes::ask(authority, by, &visitor, &practice.nurse_id, "  ", PASSWORD.into(), "").await;
    assert!(matches!(silent, Err(ResetError::Reason(_))));
    let bob = world.provider("bob", "+12025550199").await;
    let elsewhere = ask(&world, &bob.signed_in().await, &practice.nurse_id).await;
    assert_eq!(elsewhere, Err(ResetError::NotFound), "another practice");
    assert_eq!(world.number("SELECT COUNT(*) FROM reset").await, 0);
}

/// A token of the app that has not been used: the next step's.
fn fresh(world: &World, totp: &Totp) -> String {
    world.advance(30);
    totp.token_at(world.authority.now()).expose_digits().to_owned()
}

/// What proves nobody: no token, a wrong one, and one that a step-up has used.
async fn no_proofs(actor: &mut Actor<'_>, totp: &Totp) -> [String; 3] {
    let used = fresh(actor.world, totp);
    let signed_in = actor.signed_in().await;
    let opened = step_up::confirm(&actor.world.authority, &signed_in, &visitor(), PASSWORD.into(), &used).await;
    actor.opened = opened.expect("proven");
    [String::new(), "000000".into(), used]
}

async fn both_administrators_prove_themselves_anew_with_a_token(world: World) {
    let Practice { mut owner, nurse, nurse_id, .. } = practice(&world).await;
    let opened = sign_in_plainly(&world, "olga").await;
    let mut second = Actor { world: &world, username: "olga".into(), phone: "+12025550188".into(), opened };
    let phone = second.phone.clone();
    profile::set_cell_phone(&world.authority, &second.signed_in().await, &visitor(), &phone).await.unwrap();
    owner.enable_sms().await;
    second.enable_sms().await;
    let (owners, seconds) = (owner.add_app().await, second.add_app().await);

    let no_proofs_of_owner = no_proofs(&mut owner, &owners).await;
    let by = owner.signed_in().await;
    for token in &no_proofs_of_owner {
        let refused = ask_with(&world, &by, &nurse_id, token).await;
        assert!(matches!(refused, Err(ResetError::Proof(_))), "{token:?}: {refused:?}");
    }
    let of_another = fresh(&world, &seconds);
    let refused = ask_with(&world, &by, &nurse_id, &of_another).await;
    assert!(matches!(refused, Err(ResetError::Proof(_))), "a step-up of a moment ago does not do: {refused:?}");
    assert_eq!(world.number("SELECT COUNT(*) FROM reset").await, 0);
    ask_with(&world, &by, &nurse_id, &fresh(&world, &owners)).await.unwrap();

    let no_proofs_of_second = no_proofs(&mut second, &seconds).await;
    let by_second = second.signed_in().await;
    let request = only_request(&world, &by_second).await;
    for token in &no_proofs_of_second {
        for refused in [
            approve_with(&world, &by_second, &request.id, token).await,
            reject_with(&world, &by_second, &request.id, token).await,
        ] {
            assert!(matches!(refused, Err(ResetError::Proof(_))), "{token:?}: {refused:?}");
        }
    }
    assert!(nurse.is_signed_in().await);
    assert_eq!(world.number("SELECT COUNT(*) FROM reset WHERE state = 'waiting'").await, 1);
    reject_with(&world, &by_second, &request.id, &fresh(&world, &seconds)).await.unwrap();
    ask_with(&world, &by, &nurse_id, &fresh(&world, &owners)).await.unwrap();
    let request = only_request(&world, &by_second).await;
    approve_with(&world, &by_second, &request.id, &fresh(&world, &seconds)).await.unwrap();
    assert!(!nurse.is_signed_in().await);
}

/// Has the reset of the nurse approved, and leads her through set-up by text messages.
async fn reset_and_enrol(world: &World, practice: &mut Practice<'_>) {
    ask(world, &practice.owner.signed_in().await, &practice.nurse_id).await.unwrap();
    let request = only_request(world, &practice.second).await;
    approve(world, &practice.second, &request.id).await.unwrap();
    let opened = sign_in_plainly(world, "nina").await;
    let nina = recognised(world, &opened.session).await;
    world.advance(60);
    enrol_sms::start(&world.authority, &nina, &visitor(), PASSWORD.into()).await.unwrap();
    let token = world.latest_token(NURSE_PHONE).await;
    practice.nurse.opened = enrol_sms::confirm(&world.authority, &nina, &visitor(), &token).await.unwrap();
}

async fn a_reset_ends_devices_and_remembered_browsers(world: World) {
    let mut practice = practice(&world).await;
    let owner = practice.owner.signed_in().await;
    let remembering = Policy { remember_days: 30, ..Policy::default() };
    policy::save(&world.authority, owner.administrator().unwrap(), &visitor(), &remembering).await.unwrap();
    let phone = devices::add(&world, "nina", NURSE_PHONE).await;
    let challenge = practice.nurse.challenge().await;
    let token = phone.token(&world);
    let opened = sign_in::with_token(&world.authority, &visitor(), &challenge, &token, true).await.unwrap();
    let log_in = async |browser: Visitor| {
        sign_in::with_password(&world.authority, &browser, "nina", PASSWORD.into(), None).await
    };
    let Ok(PasswordStep::SignedIn(opened)) = log_in(remembered::of(&opened)).await else { panic!("remembered") };

    reset_and_enrol(&world, &mut practice).await;
    let key = authority::devices::find(&world.authority, &phone.key).await.unwrap();
    assert!(key.is_none(), "the device's key opens nothing");
    let refused = practice.nurse.sign_in_with(&phone.token(&world)).await;
    assert!(refused.is_err(), "its tokens sign nobody in");
    let step = log_in(remembered::of(&opened)).await;
    assert!(matches!(step, Ok(PasswordStep::TokenNeeded(_))), "the browser is a stranger: {step:?}");
}

async fn a_reset_leaves_a_device_to_another_practice_and_nothing_of_it_here(world: World) {
    let mut practice = practice(&world).await;
    let oak = devices::second_practice(&world, "nina", NURSE_PHONE).await;
    let phone = devices::add(&world, "nina", NURSE_PHONE).await;
    assert_eq!(phone.totps.len(), 2);

    reset_and_enrol(&world, &mut practice).await;
    let view = authority::devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap();
    assert_eq!(view.accounts.len(), 1, "the other practice's");
    let mut signed_in = 0;
    for totp in &phone.totps {
        let token = fresh(&world, totp);
        assert!(practice.nurse.sign_in_with(&token).await.is_err(), "nothing of the device is accepted");
        signed_in += usize::from(oak.sign_in_with(&token).await.is_ok());
    }
    assert_eq!(signed_in, 1, "there it goes on");
}

async fn somebody_new_to_managing_accounts_is_no_second_person_for_a_day(world: World) {
    let practice = practice(&world).await;
    let owner = practice.owner.signed_in().await;
    let new = NewMember { manages_accounts: true, cell_phone: String::new(), ..nurse("vera") };
    staff::add(&world.authority, owner.administrator().unwrap(), &visitor(), new).await.unwrap();
    let made_up = sign_in_plainly(&world, "vera").await;
    let made_up = sessions::find(&world.authority, &made_up.session).await.unwrap().unwrap();
    ask(&world, &owner, &practice.nurse_id).await.unwrap();
    let request = only_request(&world, &made_up).await;
    let until = world.authority.now() + authority::reset::WAIT;
    assert_eq!(request.may_approve, MayApprove::TooNew(until));
    assert_eq!(approve(&world, &made_up, &request.id).await, Err(ResetError::TooSoon { until }));
    assert_eq!(only_request(&world, &practice.second).await.may_approve, MayApprove::Yes);

    let by = practice.second.administrator().unwrap();
    four_eyes::reject(&world.authority, by, &visitor(), &request.id, PASSWORD.into(), "").await.unwrap();
    ask(&world, &made_up, &practice.nurse_id).await.unwrap();
    assert_eq!(only_request(&world, &owner).await.may_approve, MayApprove::TooNew(until), "nor to ask");
    world.advance(24 * 3600);
    let owner = sign_in_plainly(&world, "ada").await;
    let owner = sessions::find(&world.authority, &owner.session).await.unwrap().unwrap();
    let request = only_request(&world, &owner).await;
    approve(&world, &owner, &request.id).await.unwrap();
}

async fn without_its_owner_the_only_administrator_waits_a_day(world: World) {
    let practice = practice(&world).await;
    world.run("UPDATE account SET deactivated_at = 1 WHERE username = 'ada'").await.unwrap();
    ask(&world, &practice.second, &practice.nurse_id).await.unwrap();
    let request = only_request(&world, &practice.second).await;
    let until = world.authority.now() + authority::reset::WAIT;
    assert_eq!(request.may_approve, MayApprove::NotBefore(until));
    world.advance(24 * 3600);
    let second = sign_in_plainly(&world, "olga").await;
    let second = sessions::find(&world.authority, &second.session).await.unwrap().unwrap();
    approve(&world, &second, &request.id).await.unwrap();
}

async fn a_request_is_good_for_seven_days(world: World) {
    let practice = practice(&world).await;
    ask(&world, &practice.owner.signed_in().await, &practice.nurse_id).await.unwrap();
    let request = only_request(&world, &practice.second).await;
    world.advance(7 * 24 * 3600);
    let second = sign_in_plainly(&world, "olga").await;
    let second = sessions::find(&world.authority, &second.session).await.unwrap().unwrap();
    assert!(four_eyes::waiting(&world.authority, second.administrator().unwrap()).await.unwrap().is_empty());
    assert_eq!(approve(&world, &second, &request.id).await, Err(ResetError::NotFound));
    ask(&world, &second, &practice.nurse_id).await.expect("it is asked for anew");
}

async fn what_a_person_asked_for_is_listed_and_rejected(world: World) {
    let practice = practice(&world).await;
    let key = reset_link(&world, "nina").await;
    let ready_at = own::start(&world.authority, &visitor(), &key).await.unwrap();
    let owner = practice.owner.signed_in().await;
    assert_eq!(ask(&world, &owner, &practice.nurse_id).await, Err(ResetError::AlreadyAsked));
    let request = only_request(&world, &owner).await;
    assert_eq!(request.may_approve, MayApprove::AskedByThemselves(ready_at));
    assert_eq!(approve(&world, &owner, &request.id).await, Err(ResetError::NotFound));
    let by = owner.administrator().unwrap();
    four_eyes::reject(&world.authority, by, &visitor(), &request.id, PASSWORD.into(), "").await.unwrap();
    let mails = outbox::list(&world.authority, Some("nina@elm.test")).await.unwrap();
    assert!(mails.iter().any(|mail| mail.body.contains("The reset was cancelled")));
    world.advance(24 * 3600);
    practice.nurse.challenge().await;
}

async fn another_practice_decides_nothing(world: World) {
    let practice = practice(&world).await;
    ask(&world, &practice.owner.signed_in().await, &practice.nurse_id).await.unwrap();
    let request = only_request(&world, &practice.second).await;
    let bob = world.provider("bob", "+12025550199").await.signed_in().await;
    let by = bob.administrator().unwrap();
    assert!(four_eyes::waiting(&world.authority, by).await.unwrap().is_empty());
    assert_eq!(approve(&world, &bob, &request.id).await, Err(ResetError::NotFound));
    let rejected = four_eyes::reject(&world.authority, by, &visitor(), &request.id, PASSWORD.into(), "").await;
    assert_eq!(rejected, Err(ResetError::NotFound));
    assert_eq!(world.number("SELECT COUNT(*) FROM reset WHERE state = 'waiting'").await, 1);
}

/// The value of a link in the latest mail.
async fn link(world: &World, to: &str, name: &str) -> String {
    let mails = outbox::list(&world.authority, Some(to)).await.unwrap();
    let body = &mails.iter().find(|mail| mail.body.contains(name)).expect("a link").body;
    body.split_once(name).unwrap().1[..43].to_owned()
}

pub(crate) async fn reset_link(world: &World, username: &str) -> ResetLinkKey {
    own::send_link(&world.authority, &visitor(), username, PASSWORD.into()).await.unwrap();
    ResetLinkKey::from_link(&link(world, &format!("{username}@elm.test"), "?link=").await).expect("a key")
}

/// Begins a reset of one's own, with another link under way, runs `act`, and says whether both are worth nothing now.
async fn is_taken_back(world: &World, username: &str, act: impl AsyncFnOnce()) -> bool {
    world.advance(1);
    let key = reset_link(world, username).await;
    own::start(&world.authority, &visitor(), &key).await.unwrap();
    world.advance(1);
    let link = reset_link(world, username).await;
    let before = world.events("reset-cancelled").await;
    act().await;
    let waiting = world.number("SELECT COUNT(*) FROM reset WHERE state = 'waiting'").await;
    let is_told = world.events("reset-cancelled").await == before + 1;
    waiting == 0 && is_told && own::start(&world.authority, &visitor(), &link).await == Err(StartError::Ended)
}

async fn who_has_got_in_needs_no_reset(world: World) {
    let authority = &world.authority;
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let taken_back = is_taken_back(&world, "ada", async || {
        let challenge = ada.challenge().await;
        ada.opened = sign_in::with_recovery_code(authority, &visitor(), &challenge, &codes[0]).await.unwrap();
    })
    .await;
    assert!(taken_back, "a sign-in with a recovery code");

    let signed_in = ada.signed_in().await;
    ada.opened = step_up::confirm(authority, &signed_in, &visitor(), PASSWORD.into(), &codes[1]).await.unwrap();
    assert!(is_taken_back(&world, "ada", async || drop(ada.add_app().await)).await, "another app");

    let taken_back = is_taken_back(&world, "ada", async || {
        let (signed_in, new) = (ada.signed_in().await, "nine brown kettles");
        let changed =
            password::change(authority, &signed_in, &visitor(), PASSWORD.into(), new.into(), new.into()).await;
        ada.opened = changed.unwrap();
    })
    .await;
    assert!(taken_back, "another password");

    let (bob, codes) = world.enrolled("bob", "+12025550188").await;
    let taken_back = is_taken_back(&world, "bob", async || {
        let signed_in = bob.signed_in().await;
        disable::disable(authority, &signed_in, &visitor(), PASSWORD.into(), &codes[0]).await.unwrap();
    })
    .await;
    assert!(taken_back, "switched off");
    assert_eq!(world.events("two-factor-reset").await, 0);
}

async fn what_administrators_asked_for_is_taken_back_by_a_new_factor(world: World) {
    let mut practice = practice(&world).await;
    ask(&world, &practice.owner.signed_in().await, &practice.nurse_id).await.unwrap();
    let request = only_request(&world, &practice.second).await;
    practice.nurse.add_app().await;
    assert_eq!(approve(&world, &practice.second, &request.id).await, Err(ResetError::NotFound));
    assert_eq!(world.number("SELECT COUNT(*) FROM factor").await, 2);
}

async fn the_mailbox_the_password_and_a_day_lead_into_set_up(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let key = reset_link(&world, "ada").await;
    assert!(own::is_link_open(&world.authority, &key).await.unwrap());
    let ready_at = own::start(&world.authority, &visitor(), &key).await.unwrap();
    assert_eq!(ready_at, world.authority.now() + authority::reset::WAIT);
    let texts = outbox::list(&world.authority, Some(PHONE)).await.unwrap();
    assert!(texts[0].body.contains("?cancel="), "the phone is told, and can stop it");
    world.advance(24 * 3600 - 1);
    let challenge = ada.challenge().await;
    assert!(sign_in::methods(&world.authority, &challenge).await.unwrap().sms.is_some(), "nothing is weaker meanwhile");
    world.advance(1);
    let opened = sign_in_plainly(&world, "ada").await;
    let session = sessions::recognise(&world.authority, &opened.session).await.unwrap();
    assert!(matches!(session, Some(Session::MustEnrol(_))));
    assert_eq!(world.events("two-factor-reset").await, 1);
}

async fn a_notice_or_a_token_stops_the_day(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let key = reset_link(&world, "ada").await;
    own::start(&world.authority, &visitor(), &key).await.unwrap();
    let cancel = ResetCancelKey::from_link(&link(&world, PHONE, "?cancel=").await).expect("a key");
    assert!(own::is_waiting(&world.authority, &cancel).await.unwrap());
    own::cancel(&world.authority, &visitor(), &cancel).await.unwrap();
    own::cancel(&world.authority, &visitor(), &cancel).await.expect("a second click is no error");
    assert!(!own::is_waiting(&world.authority, &cancel).await.unwrap());

    world.advance(61);
    let key = reset_link(&world, "ada").await;
    own::start(&world.authority, &visitor(), &key).await.unwrap();
    world.advance(1);
    let challenge = ada.challenge().await;
    sign_in::request_token(&world.authority, &visitor(), &challenge, domain::message::Channel::Sms).await.unwrap();
    let token = world.latest_token(PHONE).await;
    sign_in::with_token(&world.authority, &visitor(), &challenge, &token, false).await.unwrap();
    assert_eq!(world.events("reset-cancelled").await, 2, "the phone is not lost");

    let key = reset_link(&world, "ada").await;
    own::start(&world.authority, &visitor(), &key).await.unwrap();
    own::cancel_with_password(&world.authority, &visitor(), "ada", PASSWORD.into()).await.unwrap();
    world.advance(24 * 3600);
    ada.challenge().await;
    assert_eq!((world.events("reset-cancelled").await, world.events("two-factor-reset").await), (3, 0));
}

async fn a_reset_link_works_once_and_for_half_an_hour(world: World) {
    let _ada = world.enrolled("ada", PHONE).await;
    let first = reset_link(&world, "ada").await;
    world.advance(1);
    let second = reset_link(&world, "ada").await;
    assert_eq!(own::start(&world.authority, &visitor(), &first).await, Err(StartError::Ended), "replaced");
    world.advance(30 * 60);
    assert_eq!(own::start(&world.authority, &visitor(), &second).await, Err(StartError::Ended), "run out");
    let third = reset_link(&world, "ada").await;
    own::start(&world.authority, &visitor(), &third).await.unwrap();
    assert_eq!(own::start(&world.authority, &visitor(), &third).await, Err(StartError::Ended), "used");
}

async fn whoever_is_unknown_or_wrong_gets_the_same_answer_and_no_mail(world: World) {
    let _ada = world.enrolled("ada", PHONE).await;
    let before = world.number("SELECT COUNT(*) FROM outbox").await;
    for (name, password) in [("nobody", PASSWORD), ("ada", "not the password"), ("", ""), ("nobody@elm.test", "x")] {
        assert_eq!(own::send_link(&world.authority, &visitor(), name, password.into()).await, Ok(()), "{name}");
        world.advance(60);
    }
    let bob = world.provider("bob", "+12025550199").await;
    own::send_link(&world.authority, &visitor(), &bob.username, PASSWORD.into()).await.expect("nothing to reset");
    assert_eq!(world.number("SELECT COUNT(*) FROM outbox").await, before);
}
