use std::time::Duration;

use authority::recovery::ShowError;
use authority::reset::four_eyes;
use authority::sign_in::{self, PasswordStep};
use authority::staff::{self, Details};
use authority::step_up::ProofRefused;
use authority::{
    OpenedSession, SignedIn, Visitor, disable, enrol_totp, operator, outbox, password, policy, recovery, remembered,
    sessions, step_up,
};
use domain::session::Assurance;
use domain::{Policy, Totp};

use crate::races::race;
use crate::staff::{add, nurse};
use crate::support::{Actor, PASSWORD, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    no_browser_is_remembered_unless_the_practice_allows_it,
    a_remembered_browser_signs_in_without_a_token_until_its_days_are_over,
    a_remembered_session_is_marked_and_is_no_step_up,
    a_remembered_session_sees_no_recovery_codes,
    an_earlier_key_forgets_the_browser_and_is_told,
    the_cookie_alone_works_in_no_other_browser,
    a_cookie_of_somebody_else_says_nothing,
    whatever_changes_how_one_signs_in_forgets_the_browsers,
    a_member_of_another_role_and_whoever_leaves_is_forgotten,
    the_policy_forgets_them_all,
    browsers_are_listed_and_forgotten_one_by_one,
    of_twenty_uses_of_one_cookie_one_signs_in,
);

/// A provider with an app, in a practice that lets browsers be remembered for 30 days.
struct Remembering<'a> {
    ada: Actor<'a>,
    totp: Totp,
    codes: Vec<String>,
}

async fn allow(world: &World, by: &SignedIn, remember_days: u32) {
    let new = Policy { remember_days, ..Policy::default() };
    policy::save(&world.authority, by.administrator().unwrap(), &visitor(), &new).await.expect("saved");
}

async fn remembering(world: &World) -> Remembering<'_> {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    allow(world, &ada.signed_in().await, 30).await;
    let totp = ada.add_app().await;
    Remembering { ada, totp, codes }
}

impl Remembering<'_> {
    /// Signs in with a token and has the browser remembered; what the browser sends the next time.
    async fn browser(&self) -> Visitor {
        let world = self.ada.world;
        let challenge = self.ada.challenge().await;
        let token = self.totp.token_at(world.authority.now());
        let opened = sign_in::with_token(&world.authority, &visitor(), &challenge, token.expose_digits(), true).await;
        world.advance(60);
        of(&opened.expect("signed in"))
    }

    async fn step_up(&mut self) -> SignedIn {
        let world = self.ada.world;
        let token = self.totp.token_at(world.authority.now());
        let signed_in = self.ada.signed_in().await;
        let opened =
            step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), token.expose_digits()).await;
        self.ada.opened = opened.expect("proven");
        world.advance(60);
        self.ada.signed_in().await
    }
}

/// The browser that such a sign-in leaves behind.
pub(crate) fn of(opened: &OpenedSession) -> Visitor {
    Visitor {
        browser: Some(opened.browser.clone()),
        remembered: opened.remembered.clone().map(|remembered| remembered.cookie),
        ..visitor()
    }
}

async fn log_in(world: &World, browser: &Visitor) -> Option<OpenedSession> {
    match sign_in::with_password(&world.authority, browser, "ada", PASSWORD.into(), None).await.expect("right") {
        PasswordStep::SignedIn(opened) => Some(opened),
        PasswordStep::TokenNeeded(_) => None,
    }
}

async fn count(world: &World) -> i64 {
    world.number("SELECT COUNT(*) FROM remembered_browser").await
}

async fn no_browser_is_remembered_unless_the_practice_allows_it(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let practice = Remembering { ada, totp, codes };
    assert_eq!(practice.ada.challenge().await.remember_days(), 0, "off by default");
    let browser = practice.browser().await;
    assert!(browser.remembered.is_none());
    assert!(log_in(&world, &browser).await.is_none());
    assert_eq!(count(&world).await, 0);
}

async fn a_remembered_browser_signs_in_without_a_token_until_its_days_are_over(world: World) {
    let practice = remembering(&world).await;
    assert_eq!(practice.ada.challenge().await.remember_days(), 30);
    let mut browser = practice.browser().await;
    for day in 1..30 {
        world.advance(24 * 3600);
        let opened = log_in(&world, &browser).await.unwrap_or_else(|| panic!("remembered on day {day}"));
        let lifetime = opened.remembered.as_ref().expect("a new cookie").lifetime;
        assert!(lifetime < Duration::from_hours(24 * (30 - day)), "using it makes it live no longer: {lifetime:?}");
        browser = of(&opened);
    }
    world.advance(24 * 3600);
    assert!(log_in(&world, &browser).await.is_none(), "its days are over");
    assert_eq!(world.events("signed-in-remembered").await, 29);
    assert_eq!(world.events("browser-remembered").await, 1);
}

async fn a_remembered_session_is_marked_and_is_no_step_up(world: World) {
    let practice = remembering(&world).await;
    let browser = practice.browser().await;
    let opened = log_in(&world, &browser).await.expect("remembered");
    let signed_in = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    assert_eq!(signed_in.assurance(), Assurance::Remembered);
    assert!(!sessions::is_stepped_up(&world.authority, &signed_in));
    let without = step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), "").await;
    assert!(matches!(without, Err(ProofRefused::Malformed(_))), "{without:?}");
    let token = practice.totp.token_at(world.authority.now());
    let opened =
        step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), token.expose_digits()).await;
    let signed_in = sessions::find(&world.authority, &opened.unwrap().session).await.unwrap().unwrap();
    assert_eq!(signed_in.assurance(), Assurance::TwoFactor, "a token was shown now");
}

async fn a_remembered_session_sees_no_recovery_codes(world: World) {
    let practice = remembering(&world).await;
    let browser = practice.browser().await;
    let opened = log_in(&world, &browser).await.expect("remembered");
    let signed_in = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    let shown = recovery::codes_to_store(&world.authority, &signed_in).await;
    assert!(matches!(shown, Err(ShowError::StepUpNeeded)), "fresh as they are");
    let token = practice.totp.token_at(world.authority.now());
    let opened =
        step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), token.expose_digits()).await;
    let signed_in = sessions::find(&world.authority, &opened.unwrap().session).await.unwrap().unwrap();
    let shown = recovery::codes_to_store(&world.authority, &signed_in).await.unwrap();
    assert_eq!(shown.map(|set| set.codes), Some(practice.codes));
}

async fn an_earlier_key_forgets_the_browser_and_is_told(world: World) {
    let practice = remembering(&world).await;
    let copied = practice.browser().await;
    let other = practice.browser().await;
    let turned = of(&log_in(&world, &copied).await.expect("whoever comes first"));
    assert_ne!(copied.remembered, turned.remembered);
    assert!(log_in(&world, &copied).await.is_none(), "the second one shows the copy");
    assert!(log_in(&world, &turned).await.is_none(), "and nobody knows which of them is the right one");
    assert!(log_in(&world, &other).await.is_some(), "other browsers are not concerned");
    assert_eq!(world.events("authn_remember_copied").await, 1);
    let mails = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert!(mails[0].body.contains("A remembered browser was forgotten"), "{}", mails[0].body);
}

async fn the_cookie_alone_works_in_no_other_browser(world: World) {
    let practice = remembering(&world).await;
    let browser = practice.browser().await;
    let alone = Visitor { browser: None, ..browser.clone() };
    assert!(log_in(&world, &alone).await.is_none());
    assert_eq!(count(&world).await, 1, "a browser without its own cookie proves no copy");
    let elsewhere = practice.browser().await;
    let mixed = Visitor { browser: elsewhere.browser.clone(), ..browser.clone() };
    assert!(log_in(&world, &mixed).await.is_none());
    assert_eq!(count(&world).await, 1, "it was copied into that one");
}

async fn a_cookie_of_somebody_else_says_nothing(world: World) {
    let practice = remembering(&world).await;
    let browser = practice.browser().await;
    let mut bob = world.provider("bob", "+12025550177").await;
    bob.enable_sms().await;
    let step = sign_in::with_password(&world.authority, &browser, "bob", PASSWORD.into(), None).await;
    assert!(matches!(step, Ok(PasswordStep::TokenNeeded(_))), "{step:?}");
    assert!(log_in(&world, &browser).await.is_some(), "and takes no harm by it");
}

async fn whatever_changes_how_one_signs_in_forgets_the_browsers(world: World) {
    let mut practice = remembering(&world).await;
    let authority = &world.authority;

    practice.browser().await;
    let signed_in = practice.step_up().await;
    recovery::replace(authority, &signed_in, &visitor()).await.unwrap();
    assert_eq!(count(&world).await, 0, "new recovery codes");
    practice.codes = recovery::codes_to_store(authority, &signed_in).await.unwrap().expect("fresh codes").codes;

    practice.browser().await;
    let challenge = practice.ada.challenge().await;
    let opened = sign_in::with_recovery_code(authority, &visitor(), &challenge, &practice.codes[0]).await.unwrap();
    assert_eq!(count(&world).await, 0, "a sign-in with a recovery code");
    practice.ada.opened = opened;

    practice.browser().await;
    let signed_in = practice.step_up().await;
    let new = "nine brown kettles";
    let changed = password::change(authority, &signed_in, &visitor(), PASSWORD.into(), new.into(), new.into()).await;
    assert_eq!(count(&world).await, 0, "a new password");
    practice.ada.opened = changed.unwrap();
    let signed_in = practice.ada.signed_in().await;
    password::change(authority, &signed_in, &visitor(), new.into(), PASSWORD.into(), PASSWORD.into())
        .await
        .map(|opened| practice.ada.opened = opened)
        .unwrap();

    practice.browser().await;
    practice.step_up().await;
    let second = practice.ada.add_app().await;
    assert_eq!(count(&world).await, 0, "another app");

    practice.browser().await;
    let signed_in = practice.step_up().await;
    let factor: String = sqlx::query_scalar("SELECT id FROM factor WHERE kind = 'totp' ORDER BY confirmed_at LIMIT 1")
        .fetch_one(&world.pool)
        .await
        .unwrap();
    practice.ada.opened = enrol_totp::remove(authority, &signed_in, &visitor(), &factor).await.unwrap();
    assert_eq!(count(&world).await, 0, "an app that was removed");
    practice.totp = second;

    practice.browser().await;
    let signed_in = practice.ada.signed_in().await;
    let token = practice.totp.token_at(authority.now());
    disable::disable(authority, &signed_in, &visitor(), PASSWORD.into(), token.expose_digits()).await.unwrap();
    assert_eq!(count(&world).await, 0, "switched off");
}

async fn a_member_of_another_role_and_whoever_leaves_is_forgotten(world: World) {
    let mut practice = remembering(&world).await;
    let id = add(&world, &practice.ada, nurse("nina")).await;
    let opened = crate::staff::sign_in(&world, "nina").await;
    let mut nina = Actor { world: &world, username: "nina".into(), phone: "+12025550177".into(), opened };
    nina.enable_sms().await;
    let remember = async || {
        world.advance(61);
        let challenge = nina.challenge().await;
        sign_in::request_token(&world.authority, &visitor(), &challenge, domain::message::Channel::Sms).await.unwrap();
        let token = world.latest_token("+12025550177").await;
        sign_in::with_token(&world.authority, &visitor(), &challenge, &token, true).await.unwrap();
        assert_eq!(count(&world).await, 1);
    };
    let details = |role: &str| Details {
        first_name: "Nina".into(),
        last_name: "Cole".into(),
        cell_phone: "+12025550177".into(),
        role: role.into(),
        manages_accounts: false,
    };
    remember().await;
    let ada = practice.step_up().await;
    let administrator = ada.administrator().unwrap();
    staff::change(&world.authority, administrator, &visitor(), &id, &details("nurse")).await.unwrap();
    assert_eq!(count(&world).await, 1, "the same role");
    staff::change(&world.authority, administrator, &visitor(), &id, &details("billing")).await.unwrap();
    assert_eq!(count(&world).await, 0, "another role");

    remember().await;
    operator::reset_two_factor(&world.authority, "nina").await.unwrap();
    assert_eq!(count(&world).await, 0, "a reset, whoever does it");
    assert!(four_eyes::waiting(&world.authority, administrator).await.unwrap().is_empty());

    let browser = practice.browser().await;
    let ada = practice.step_up().await;
    assert!(browser.remembered.is_some());
    let nina = staff::deactivate(&world.authority, ada.administrator().unwrap(), &visitor(), &id).await;
    assert_eq!((nina, count(&world).await), (Ok(()), 1), "of her there is none left, and nobody else's goes");
}

async fn the_policy_forgets_them_all(world: World) {
    let mut practice = remembering(&world).await;
    let browser = practice.browser().await;
    let ada = practice.step_up().await;
    allow(&world, &ada, 2).await;
    let browser = of(&log_in(&world, &browser).await.expect("two days are not over"));
    world.advance(2 * 24 * 3600);
    assert!(log_in(&world, &browser).await.is_none(), "fewer days hold for those that are remembered");

    let browser = practice.browser().await;
    let opened = log_in(&world, &browser).await.expect("remembered");
    practice.ada.opened = opened;
    let ada = practice.step_up().await;
    allow(&world, &ada, 0).await;
    assert_eq!(count(&world).await, 0);
    allow(&world, &ada, 30).await;
    assert!(log_in(&world, &browser).await.is_none(), "allowing it again brings none back");
}

async fn browsers_are_listed_and_forgotten_one_by_one(world: World) {
    let mut practice = remembering(&world).await;
    let first = practice.browser().await;
    practice.browser().await;
    let opened = log_in(&world, &first).await.unwrap();
    let ada = practice.ada.signed_in().await;
    let listed = remembered::list(&world.authority, &ada).await.unwrap();
    assert_eq!(listed.len(), 2);
    assert_eq!((listed[0].used_at, listed[0].user_agent.as_str()), (world.authority.now(), "Test Browser"));
    world.advance(301);
    let ada = practice.ada.signed_in().await;
    let refused = remembered::forget(&world.authority, &ada, &visitor(), &listed[0].id).await;
    assert_eq!(refused, Err(sessions::EndError::StepUpNeeded));
    let ada = practice.step_up().await;
    remembered::forget(&world.authority, &ada, &visitor(), &listed[0].id).await.unwrap();
    let again = remembered::forget(&world.authority, &ada, &visitor(), &listed[0].id).await;
    assert_eq!(again, Err(sessions::EndError::NotFound));
    assert!(log_in(&world, &of(&opened)).await.is_none());
    assert_eq!(count(&world).await, 1);
    assert_eq!(world.events("authn_remember_copied").await, 0, "a forgotten browser is no copy");
}

async fn of_twenty_uses_of_one_cookie_one_signs_in(world: World) {
    let practice = remembering(&world).await;
    let browser = practice.browser().await;
    let passed = race(&world, 20, |authority, _| {
        let browser = browser.clone();
        async move {
            let step = sign_in::with_password(&authority, &browser, "ada", PASSWORD.into(), None).await;
            matches!(step, Ok(PasswordStep::SignedIn(_)))
        }
    })
    .await;
    assert_eq!((passed, count(&world).await), (1, 0));
    assert_eq!(world.events("signed-in-remembered").await, 1);
}
