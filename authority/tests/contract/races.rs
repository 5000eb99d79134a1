//! Everything at once, on two processes: counted in the database, not in the answers.

use std::sync::Arc;

use authority::practice::{self, CreateError, NewPractice};
use authority::sign_in::PasswordRefused;
use authority::{Authority, Visitor, devices, enrol_sms, password, sign_in};
use domain::message::Channel;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::password::{NEW, weaken};
use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor, visitor_from};

on_both_databases!(
    fifty_posts_of_one_token_open_one_session,
    fifty_posts_of_one_recovery_code_open_one_session,
    fifty_wrong_tokens_in_one_challenge_are_evaluated_five_times,
    fifty_right_tokens_on_a_spent_budget_open_nothing,
    a_hundred_requests_send_one_message,
    a_hundred_registrations_of_one_number_keep_to_its_limits,
    a_hundred_registrations_from_one_address_keep_to_its_limit,
    registrations_at_once_leave_half_of_all_messages_to_others,
    two_confirmations_enable_once,
    one_user_name_is_taken_once,
    twenty_sign_ins_at_once_leave_ten_sessions,
    whoever_waits_for_an_enrolment_to_be_confirmed_needs_a_token,
    an_old_password_opens_nothing_after_its_change,
    a_hash_of_weaker_figures_is_not_written_over_a_new_password,
    twenty_sign_ins_with_a_hash_of_weaker_figures_all_pass,
);

/// Runs `work` for each number at once, half of them on another process, and counts those that succeed.
pub(crate) async fn race<F, Fut>(world: &World, count: usize, work: F) -> usize
where
    F: Fn(Authority, usize) -> Fut,
    Fut: Future<Output = bool> + Send + 'static,
{
    let replica = world.replica().await;
    let mut racers = JoinSet::new();
    for number in 0..count {
        let authority = if number % 2 == 0 { world.authority.clone() } else { replica.clone() };
        racers.spawn(work(authority, number));
    }
    racers.join_all().await.into_iter().filter(|succeeded| *succeeded).count()
}

async fn fifty_posts_of_one_token_open_one_session(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let sessions = world.number("SELECT COUNT(*) FROM session").await;
    let token = totp.token_at(world.authority.now()).expose_digits().to_owned();
    // Five to a challenge, so that no challenge's own limit helps; ten challenges, so that the account's budget of ten
    // is not the reason either for the first ones.
    let mut challenges = Vec::new();
    for _ in 0..10 {
        challenges.push(ada.challenge().await);
    }
    let passed = race(&world, 50, |authority, number| {
        let (challenge, token) = (challenges[number % 10].clone(), token.clone());
        async move { sign_in::with_token(&authority, &visitor(), &challenge, &token, false).await.is_ok() }
    })
    .await;
    assert_eq!(passed, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM session").await, sessions + 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM audit WHERE event = 'signed-in' AND factor = 'totp'").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM challenge WHERE over = 'passed'").await, 1);
}

async fn fifty_posts_of_one_recovery_code_open_one_session(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    let mut challenges = Vec::new();
    for _ in 0..10 {
        challenges.push(ada.challenge().await);
    }
    let passed = race(&world, 50, |authority, number| {
        let (challenge, code) = (challenges[number % 10].clone(), codes[0].clone());
        async move { sign_in::with_recovery_code(&authority, &visitor(), &challenge, &code).await.is_ok() }
    })
    .await;
    assert_eq!(passed, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_code WHERE used_at IS NULL").await, 9);
    assert_eq!(world.events("recovery-code-used").await, 1);
}

async fn fifty_wrong_tokens_in_one_challenge_are_evaluated_five_times(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let challenge = ada.challenge().await;
    let passed = race(&world, 50, |authority, _| {
        let challenge = challenge.clone();
        async move { sign_in::with_token(&authority, &visitor(), &challenge, "000000", false).await.is_ok() }
    })
    .await;
    assert_eq!(passed, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'").await, 5);
    assert_eq!((world.events("token-wrong").await, world.events("token-refused").await), (5, 45));
}

async fn fifty_right_tokens_on_a_spent_budget_open_nothing(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    ada.fail_tokens(10).await;
    let sessions = world.number("SELECT COUNT(*) FROM session").await;
    let token = totp.token_at(world.authority.now()).expose_digits().to_owned();
    let challenge = ada.challenge().await;
    let passed = race(&world, 50, |authority, _| {
        let (challenge, token) = (challenge.clone(), token.clone());
        async move { sign_in::with_token(&authority, &visitor(), &challenge, &token, false).await.is_ok() }
    })
    .await;
    assert_eq!(passed, 0);
    assert_eq!(world.number("SELECT COUNT(*) FROM session").await, sessions);
}

async fn a_hundred_requests_send_one_message(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(60);
    let before = world.number("SELECT COUNT(*) FROM message_send").await;
    let challenge = ada.challenge().await;
    let sent = race(&world, 100, |authority, _| {
        let challenge = challenge.clone();
        async move { sign_in::request_token(&authority, &visitor(), &challenge, Channel::Sms).await.is_ok() }
    })
    .await;
    assert_eq!(sent, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM message_send").await, before + 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM message_token WHERE ended_at IS NULL").await, 1);
}

/// Registers a device for each at once, and returns how many messages were counted for that.
async fn register(world: &World, whose: &[(Visitor, String)]) -> i64 {
    let sent = "SELECT COUNT(*) FROM message_send WHERE recipient = 'registration'";
    let before = world.number(sent).await;
    let started = race(world, whose.len(), |authority, number| {
        let (visitor, phone) = whose[number].clone();
        async move { devices::start(&authority, &visitor, &phone, "ada@elm.test", Channel::Sms).await.is_ok() }
    })
    .await;
    let counted = world.number(sent).await - before;
    assert_eq!(usize::try_from(counted).unwrap(), started, "who is told so and what is counted are the same");
    counted
}

/// Numbers of one range after another.
fn number(index: usize) -> String {
    let area = ["212", "305", "404"][index / 100];
    format!("+1{area}55501{:02}", index % 100)
}

async fn a_hundred_registrations_of_one_number_keep_to_its_limits(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    // The message of her set-up is a day old.
    world.advance(24 * 3600);
    let from_everywhere: Vec<_> = (0..100).map(|last| (visitor_from(last), PHONE.to_owned())).collect();
    // One a minute, five in ten minutes, and six a day of what strangers ask for.
    for (later, racers, sent) in [(0, 100, 1), (59, 20, 0), (1, 20, 1), (60, 20, 1), (60, 20, 1), (60, 20, 1)] {
        world.advance(later);
        assert_eq!(register(&world, &from_everywhere[..racers]).await, sent, "{later} seconds later");
    }
    for (later, sent) in [(60, 0), (300, 1), (600, 0), (3600, 0)] {
        world.advance(later);
        assert_eq!(register(&world, &from_everywhere[..20]).await, sent, "{later} seconds later");
    }
}

async fn a_hundred_registrations_from_one_address_keep_to_its_limit(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    world.advance(3600);
    let of_everybody: Vec<_> = (0..100).map(|index| (visitor(), number(index))).collect();
    for (later, sent) in [(0, 10), (3599, 0), (1, 10)] {
        world.advance(later);
        assert_eq!(register(&world, &of_everybody).await, sent, "{later} seconds later");
    }
}

async fn registrations_at_once_leave_half_of_all_messages_to_others(world: World) {
    let all: Vec<_> = (0..300).map(|index| (visitor_from(u8::try_from(index / 10).unwrap()), number(index))).collect();
    assert_eq!(register(&world, &all[..240]).await, 240);
    assert_eq!(register(&world, &all[240..]).await, 10, "sixty of them for what is left");
}

async fn two_confirmations_enable_once(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    enrol_sms::start(&world.authority, &signed_in, &visitor(), PASSWORD.into()).await.unwrap();
    let token = world.latest_token(PHONE).await;
    let confirmed = race(&world, 4, |authority, _| {
        let (signed_in, token) = (signed_in.clone(), token.clone());
        async move { enrol_sms::confirm(&authority, &signed_in, &visitor(), &token).await.is_ok() }
    })
    .await;
    assert_eq!(confirmed, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE state = 'confirmed'").await, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM recovery_code").await, 10);
    assert_eq!(world.events("enrolment-confirmed").await, 1);
}

async fn one_user_name_is_taken_once(world: World) {
    let created = race(&world, 4, |authority, number| async move {
        let form = NewPractice {
            practice_name: "Oak Lane".into(),
            first_name: "Eve".into(),
            last_name: "Moss".into(),
            email: format!("eve{number}@oak.test"),
            username: "eve".into(),
            password: PASSWORD.into(),
        };
        match practice::create(&authority, &visitor(), form).await {
            Ok(_) => true,
            Err(refused) => {
                assert_eq!(refused, CreateError::UsernameTaken);
                false
            }
        }
    })
    .await;
    assert_eq!(created, 1);
    assert_eq!(world.number("SELECT COUNT(*) FROM practice").await, 1, "no practice without its account");
}

async fn twenty_sign_ins_at_once_leave_ten_sessions(world: World) {
    let _ada = world.provider("ada", PHONE).await;
    let signed_in = race(&world, 20, |authority, _| async move {
        sign_in::with_password(&authority, &visitor(), "ada", PASSWORD.into(), None).await.is_ok()
    })
    .await;
    assert_eq!(signed_in, 20);
    assert_eq!(world.number("SELECT COUNT(*) FROM session").await, 10);
}

/// Runs `change` as soon as the first of twenty sign-ins with the old password is through, and the others are under way.
async fn sign_in_beside(world: &World, change: impl Fn(Authority) -> BoxFuture<bool>) {
    let through = Arc::new(Notify::new());
    let change = &change;
    let changed = race(world, 21, |authority, number| {
        let through = through.clone();
        let change = (number == 20).then(|| change(authority.clone()));
        async move {
            let Some(change) = change else {
                let step = sign_in::with_password(&authority, &visitor(), "ada", PASSWORD.into(), None).await;
                through.notify_one();
                assert!(!matches!(step, Err(PasswordRefused::Unavailable | PasswordRefused::Busy)), "{step:?}");
                return false;
            };
            through.notified().await;
            change.await
        }
    })
    .await;
    assert_eq!(changed, 1);
}

type BoxFuture<T> = std::pin::Pin<Box<dyn Future<Output = T> + Send>>;

async fn whoever_waits_for_an_enrolment_to_be_confirmed_needs_a_token(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    enrol_sms::start(&world.authority, &signed_in, &visitor(), PASSWORD.into()).await.unwrap();
    let token = world.latest_token(PHONE).await;
    sign_in_beside(&world, |authority| {
        let (signed_in, token) = (signed_in.clone(), token.clone());
        Box::pin(async move { enrol_sms::confirm(&authority, &signed_in, &visitor(), &token).await.is_ok() })
    })
    .await;
    assert_eq!(world.number("SELECT COUNT(*) FROM session WHERE assurance = 'password'").await, 0);
}

/// Changes the password in the midst of sign-ins with the old one.
async fn change_beside_sign_ins(world: &World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    weaken(world).await;
    sign_in_beside(world, |authority| {
        let signed_in = signed_in.clone();
        Box::pin(async move {
            let (new, again) = (NEW.to_owned(), NEW.to_owned());
            password::change(&authority, &signed_in, &visitor(), PASSWORD.into(), new, again).await.is_ok()
        })
    })
    .await;
}

async fn an_old_password_opens_nothing_after_its_change(world: World) {
    change_beside_sign_ins(&world).await;
    assert_eq!(world.number("SELECT COUNT(*) FROM session").await, 1, "the one that changed it");
    assert_eq!(world.number("SELECT COUNT(*) FROM challenge WHERE over IS NULL").await, 0);
}

async fn a_hash_of_weaker_figures_is_not_written_over_a_new_password(world: World) {
    change_beside_sign_ins(&world).await;
    world.advance(24 * 3600);
    let old = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    assert_eq!(old.unwrap_err(), PasswordRefused::Wrong);
    assert!(sign_in::with_password(&world.authority, &visitor(), "ada", NEW.into(), None).await.is_ok());
}

async fn twenty_sign_ins_with_a_hash_of_weaker_figures_all_pass(world: World) {
    let _ada = world.provider("ada", PHONE).await;
    weaken(&world).await;
    let signed_in = race(&world, 20, |authority, _| async move {
        sign_in::with_password(&authority, &visitor(), "ada", PASSWORD.into(), None).await.is_ok()
    })
    .await;
    assert_eq!(signed_in, 20);
    assert_eq!(world.number("SELECT COUNT(*) FROM account WHERE password_hash LIKE '%m=19456%'").await, 1);
}
