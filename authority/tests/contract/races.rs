//! Everything at once, on two processes: counted in the database, not in the answers.

use authority::practice::{self, CreateError, NewPractice};
use authority::{Authority, enrol_sms, sign_in};
use domain::message::Channel;
use tokio::task::JoinSet;

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    fifty_posts_of_one_token_open_one_session,
    fifty_posts_of_one_recovery_code_open_one_session,
    fifty_wrong_tokens_in_one_challenge_are_evaluated_five_times,
    fifty_right_tokens_on_a_spent_budget_open_nothing,
    a_hundred_requests_send_one_message,
    two_confirmations_enable_once,
    one_user_name_is_taken_once,
    twenty_sign_ins_at_once_leave_ten_sessions,
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
