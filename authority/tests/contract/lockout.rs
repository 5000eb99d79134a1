use authority::enrol_sms;
use authority::sign_in::{self, TokenRefused};
use authority::{housekeeping, outbox, security};
use domain::Timestamp;
use domain::lockout::Lockout;
use domain::message::Channel;

use crate::support::{PASSWORD, PHONE, World, on_both_databases, random, visitor, visitor_from};

on_both_databases!(
    ten_failures_in_half_an_hour_lock_for_half_an_hour_whatever_opens_anew,
    a_right_token_under_a_lock_is_refused_and_not_used_up,
    twenty_failures_in_a_day_lock_although_sign_ins_lie_between,
    every_place_that_checks_a_token_draws_on_one_budget,
    a_hundred_failures_in_a_row_disable_what_was_tried,
    a_lock_survives_a_restart,
    sweeping_lifts_no_lock,
    sweeping_forgets_nothing_of_a_run,
    the_owner_is_told,
);

async fn ten_failures_in_half_an_hour_lock_for_half_an_hour_whatever_opens_anew(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    for (address, failures) in [(1, 4), (2, 3), (3, 3)] {
        let challenge = ada.challenge().await;
        for _ in 0..failures {
            let refused =
                sign_in::with_token(&world.authority, &visitor_from(address), &challenge, "000000", false).await;
            assert_eq!(refused.unwrap_err(), TokenRefused::NotRight);
        }
    }
    let until = sign_in::methods(&world.authority, &ada.challenge().await).await.unwrap().locked_until.unwrap();
    assert_eq!(until.since(world.authority.now()).as_secs(), 30 * 60);
    let right = totp.token_at(world.authority.now());
    assert!(ada.sign_in_with(right.expose_digits()).await.is_err());
    world.advance(30 * 60);
    let right = totp.token_at(world.authority.now());
    assert!(ada.sign_in_with(right.expose_digits()).await.is_ok());
}

async fn a_right_token_under_a_lock_is_refused_and_not_used_up(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    ada.fail_tokens(9).await;
    // The tenth failure comes late enough for the lock's end to lie in the window of one and the same token.
    world.advance(29 * 60);
    ada.fail_tokens(1).await;
    world.advance(30 * 60 - 15);
    let right = totp.token_at(world.authority.now());
    assert_eq!(ada.sign_in_with(right.expose_digits()).await.unwrap_err(), TokenRefused::NotRight);
    let before = world.number("SELECT COUNT(*) FROM attempt").await;
    assert_eq!(world.events("token-refused").await, 1, "refused unevaluated");
    world.advance(15);
    assert!(ada.sign_in_with(right.expose_digits()).await.is_ok());
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt").await, before + 1);
}

async fn twenty_failures_in_a_day_lock_although_sign_ins_lie_between(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    for _ in 0..5 {
        ada.fail_tokens(4).await;
        let right = totp.token_at(world.authority.now());
        let outcome = ada.sign_in_with(right.expose_digits()).await;
        let failed = world.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'").await;
        assert_eq!(outcome.is_ok(), failed < 20, "after {failed} failures");
        world.advance(3600);
    }
    world.advance(24 * 3600 - 5 * 3600);
    let right = totp.token_at(world.authority.now());
    assert!(ada.sign_in_with(right.expose_digits()).await.is_ok(), "the first four are a day old");
}

async fn every_place_that_checks_a_token_draws_on_one_budget(world: World) {
    use authority::{disable, enrol_totp, step_up};
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let signed_in = ada.signed_in().await;
    let wrong = "000000";
    enrol_totp::start(&world.authority, &signed_in, &visitor()).await.unwrap();
    for _ in 0..2 {
        ada.fail_tokens(2).await;
        assert!(step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), wrong).await.is_err());
        assert!(disable::disable(&world.authority, &signed_in, &visitor(), PASSWORD.into(), wrong).await.is_err());
        assert!(enrol_totp::confirm(&world.authority, &signed_in, &visitor(), wrong, "").await.is_err());
    }
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt WHERE outcome = 'failed'").await, 10);
    let right = totp.token_at(world.authority.now());
    let refused =
        step_up::confirm(&world.authority, &signed_in, &visitor(), PASSWORD.into(), right.expose_digits()).await;
    assert!(refused.is_err());
    assert!(ada.sign_in_with(right.expose_digits()).await.is_err());
}

async fn a_hundred_failures_in_a_row_disable_what_was_tried(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    for _ in 0..5 {
        ada.fail_tokens(10).await;
        world.advance(3600);
        ada.fail_tokens(10).await;
        world.advance(24 * 3600);
    }
    let right = totp.token_at(world.authority.now());
    assert!(ada.sign_in_with(right.expose_digits()).await.is_err(), "the attempt after the hundredth");
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE state = 'disabled'").await, 2);
    // The password alone still does not suffice, and recovery codes were not tried in that run.
    world.advance(30);
    let right = totp.token_at(world.authority.now());
    assert!(ada.sign_in_with(right.expose_digits()).await.is_err());
    let challenge = ada.challenge().await;
    assert!(sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[0]).await.is_ok());
}

async fn a_lock_survives_a_restart(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    ada.fail_tokens(10).await;
    let restarted = world.replica().await;
    let challenge = ada.challenge_on(&restarted).await;
    let right = totp.token_at(restarted.now());
    assert!(sign_in::with_token(&restarted, &visitor(), &challenge, right.expose_digits(), false).await.is_err());
}

/// However failures lie, and however often is swept, the account is locked as if every failure had been kept.
async fn sweeping_lifts_no_lock(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let mut random = random(7);
    let mut failures: Vec<Timestamp> = Vec::new();
    for step in 0..70 {
        // Now in quick succession, now hours apart, now days.
        let seconds = [60, 60, 60, 600, 3 * 3600, 30 * 3600, 60 * 3600][random(7)] + random(60);
        world.advance(i64::try_from(seconds).unwrap());
        housekeeping::sweep(&world.authority).await.unwrap();
        let now = world.authority.now();
        let challenge = ada.challenge().await;
        let locked_until = sign_in::methods(&world.authority, &challenge).await.unwrap().locked_until;
        let expected = match Lockout::of(&failures, now) {
            Lockout::Open => None,
            Lockout::Locked { until } => Some(until),
        };
        assert_eq!(locked_until, expected, "step {step}");
        let right = totp.token_at(now);
        let token = if random(10) == 0 { right.expose_digits() } else { "000000" };
        let passed = sign_in::with_token(&world.authority, &visitor(), &challenge, token, false).await.is_ok();
        if expected.is_none() && !passed {
            failures.insert(0, now);
        }
    }
    let kept = world.number("SELECT COUNT(*) FROM attempt").await;
    assert!(kept < i64::try_from(failures.len()).unwrap(), "{kept} are left of {}", failures.len());
    // A success ends the run, and with it the reason to keep anything.
    world.advance(72 * 3600);
    assert!(ada.sign_in_with(totp.token_at(world.authority.now()).expose_digits()).await.is_ok());
    world.advance(72 * 3600);
    housekeeping::sweep(&world.authority).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt").await, 0);
}

async fn sweeping_forgets_nothing_of_a_run(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    world.advance(1);
    for tried in 0..10 {
        // Recovery codes were tried in the beginning only.
        for _ in 0..2 {
            let challenge = ada.challenge().await;
            for _ in 0..5 {
                let code = "AAAA-AAAA-AAAA-AAAA-AAAA-AAAA-AA";
                let refused = if tried == 0 {
                    sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, code).await.is_err()
                } else {
                    sign_in::with_token(&world.authority, &visitor(), &challenge, "000000", false).await.is_err()
                };
                assert!(refused);
            }
        }
        world.advance(3 * 24 * 3600);
        housekeeping::sweep(&world.authority).await.unwrap();
    }
    assert_eq!(world.number("SELECT consecutive_failures FROM account").await, 100);
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt").await, 100);
    assert!(ada.sign_in_with("000000").await.is_err());
    assert_eq!(world.number("SELECT COUNT(*) FROM factor WHERE state = 'disabled'").await, 1);
    let challenge = ada.challenge().await;
    assert!(sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[0]).await.is_err());
    housekeeping::sweep(&world.authority).await.unwrap();
    assert_eq!(world.number("SELECT COUNT(*) FROM attempt").await, 1, "the run is over; one has begun");
}

async fn the_owner_is_told(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    ada.fail_tokens(3).await;
    let about_wrong = |mail: &outbox::OutboxMessage| mail.body.starts_with("Your password was used with a wrong token");
    let mails = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert_eq!(mails.iter().filter(|mail| about_wrong(mail)).count(), 1, "once an hour");
    world.advance(3600);
    ada.fail_tokens(1).await;
    let mails = outbox::list(&world.authority, Some("ada@elm.test")).await.unwrap();
    assert_eq!(mails.iter().filter(|mail| about_wrong(mail)).count(), 2);

    // A number that waits for its token is no way around the budget either.
    let bob = world.provider("bob", "+12025550177").await;
    enrol_sms::start(&world.authority, &bob.signed_in().await, &visitor(), PASSWORD.into()).await.unwrap();
    for _ in 0..10 {
        assert!(enrol_sms::confirm(&world.authority, &bob.signed_in().await, &visitor(), "000000").await.is_err());
    }
    world.advance(60);
    enrol_sms::resend(&world.authority, &bob.signed_in().await, &visitor(), Channel::Sms).await.unwrap();
    let token = world.latest_token("+12025550177").await;
    assert!(enrol_sms::confirm(&world.authority, &bob.signed_in().await, &visitor(), &token).await.is_err());
    assert!(!security::overview(&world.authority, &bob.signed_in().await).await.unwrap().enabled);
    let mails = outbox::list(&world.authority, Some("bob@elm.test")).await.unwrap();
    assert!(mails.iter().any(|mail| mail.body.starts_with("Tokens of your account are locked")));
}
