use authority::sign_in::TokenRefused;
use authority::{OpenedSession, SignedIn, check_up, sessions, sign_in};

use crate::support::{Actor, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    it_is_due_four_weeks_after_the_last_token,
    a_token_ends_it_and_is_used_up,
    wrong_tokens_draw_on_the_one_budget,
    it_is_put_off_for_a_week,
    without_a_factor_it_is_never_due,
);

const DAY: i64 = 24 * 60 * 60;

fn is_due(world: &World, signed_in: &SignedIn) -> bool {
    signed_in.check_up_at().is_some_and(|at| at <= world.authority.now())
}

/// Signed in without a token, by a recovery code.
async fn by_code(ada: &Actor<'_>, code: &str) -> OpenedSession {
    let challenge = ada.challenge().await;
    sign_in::with_recovery_code(&ada.world.authority, &visitor(), &challenge, code).await.expect("signed in")
}

async fn find(world: &World, opened: &OpenedSession) -> SignedIn {
    sessions::find(&world.authority, &opened.session).await.expect("available").expect("a live session")
}

async fn it_is_due_four_weeks_after_the_last_token(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    assert!(!is_due(&world, &ada.signed_in().await));
    // The app was confirmed a minute ago.
    world.advance(28 * DAY - 61);
    assert!(!is_due(&world, &find(&world, &by_code(&ada, &codes[0]).await).await));
    world.advance(1);
    let opened = by_code(&ada, &codes[1]).await;
    assert!(is_due(&world, &find(&world, &opened).await), "a recovery code is no way to a token");
    let token = totp.token_at(world.authority.now());
    let opened = ada.sign_in_with(token.expose_digits()).await.unwrap();
    assert!(!is_due(&world, &find(&world, &opened).await));
}

async fn a_token_ends_it_and_is_used_up(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    world.advance(40 * DAY);
    let signed_in = find(&world, &by_code(&ada, &codes[0]).await).await;
    assert!(is_due(&world, &signed_in));
    let token = totp.token_at(world.authority.now());
    let check = async |token: &str| check_up::confirm(&world.authority, &signed_in, &visitor(), token).await;
    assert!(matches!(check("12").await, Err(TokenRefused::Malformed(_))));
    assert!(matches!(check(&codes[1]).await, Err(TokenRefused::Malformed(_))), "a recovery code is none");
    assert_eq!(check(token.expose_digits()).await, Ok(()));
    assert_eq!(check(token.expose_digits()).await, Err(TokenRefused::NotRight), "used");
    assert!(ada.sign_in_with(token.expose_digits()).await.is_err(), "anywhere");
    assert_eq!((world.events("check-up-passed").await, world.events("authn_token_reuse").await), (1, 2));
    let opened = by_code(&ada, &codes[2]).await;
    let signed_in = find(&world, &opened).await;
    assert_eq!(signed_in.check_up_at().unwrap().since(world.authority.now()).as_secs(), 28 * 24 * 60 * 60);
    assert!(!sessions::is_stepped_up(&world.authority, &signed_in), "it opens nothing");
}

async fn wrong_tokens_draw_on_the_one_budget(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    world.advance(40 * DAY);
    let signed_in = find(&world, &by_code(&ada, &codes[0]).await).await;
    let check = async |token: &str| check_up::confirm(&world.authority, &signed_in, &visitor(), token).await;
    for _ in 0..5 {
        assert_eq!(check("000000").await, Err(TokenRefused::NotRight));
    }
    ada.fail_tokens(5).await;
    let right = totp.token_at(world.authority.now());
    assert_eq!(check(right.expose_digits()).await, Err(TokenRefused::NotRight), "locked");
    assert!(find_again(&world, &signed_in).await, "the session stays");
    world.advance(30 * 60);
    let right = totp.token_at(world.authority.now());
    assert!(ada.sign_in_with(right.expose_digits()).await.is_ok());
}

async fn find_again(world: &World, signed_in: &SignedIn) -> bool {
    !sessions::list(&world.authority, signed_in).await.expect("available").is_empty()
}

async fn it_is_put_off_for_a_week(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    world.advance(28 * DAY);
    let signed_in = find(&world, &by_code(&ada, &codes[0]).await).await;
    assert!(is_due(&world, &signed_in));
    check_up::put_off(&world.authority, &signed_in, &visitor()).await.unwrap();
    assert_eq!(world.events("check-up-put-off").await, 1);
    world.advance(7 * DAY - 1);
    assert!(!is_due(&world, &find(&world, &by_code(&ada, &codes[1]).await).await));
    world.advance(1);
    assert!(is_due(&world, &find(&world, &by_code(&ada, &codes[2]).await).await));
}

async fn without_a_factor_it_is_never_due(world: World) {
    let ada = world.provider("ada", PHONE).await;
    assert_eq!(ada.signed_in().await.check_up_at(), None);
    let refused = check_up::confirm(&world.authority, &ada.signed_in().await, &visitor(), "000000").await;
    assert_eq!(refused, Err(TokenRefused::NotRight));
}
