use authority::disable::{self, DisableError};
use authority::sign_in::{self, PasswordStep};
use authority::step_up::ProofRefused;
use authority::{security, sessions};
use domain::session::Assurance;

use crate::support::{PASSWORD, PHONE, World, on_both_databases, visitor};

on_both_databases!(
    switching_off_takes_password_and_token_and_leaves_nothing,
    a_recovery_code_does_as_well,
    a_short_password_keeps_it_on,
    what_is_off_is_not_switched_off,
);

async fn switching_off_takes_password_and_token_and_leaves_nothing(world: World) {
    let (mut ada, _) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let token = totp.token_at(world.authority.now()).expose_digits().to_owned();
    let signed_in = ada.signed_in().await;
    let refused = disable::disable(&world.authority, &signed_in, &visitor(), "wrong".into(), &token).await;
    assert_eq!(refused.unwrap_err(), DisableError::Proof(ProofRefused::NotRight));
    let refused = disable::disable(&world.authority, &signed_in, &visitor(), PASSWORD.into(), "000000").await;
    assert_eq!(refused.unwrap_err(), DisableError::Proof(ProofRefused::NotRight));
    assert!(security::overview(&world.authority, &signed_in).await.unwrap().enabled);

    ada.opened = disable::disable(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &token).await.unwrap();
    assert_eq!(ada.signed_in().await.assurance(), Assurance::Password);
    for empty in [
        "SELECT COUNT(*) FROM factor",
        "SELECT COUNT(*) FROM recovery_code",
        "SELECT COUNT(*) FROM recovery_set",
        "SELECT COUNT(*) FROM token_account",
        "SELECT COUNT(*) FROM message_token WHERE ended_at IS NULL",
    ] {
        assert_eq!(world.number(empty).await, 0, "{empty}");
    }
    let step = sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await;
    assert!(matches!(step, Ok(PasswordStep::SignedIn(_))));
}

async fn a_recovery_code_does_as_well(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    ada.opened = disable::disable(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &codes[0]).await.unwrap();
    assert!(sessions::find(&world.authority, &ada.opened.session).await.unwrap().is_some());
    assert_eq!(world.events("two-factor-disabled").await, 1);
}

async fn a_short_password_keeps_it_on(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    world.run("UPDATE account SET password_length = 14").await.unwrap();
    let signed_in = ada.signed_in().await;
    let refused = disable::disable(&world.authority, &signed_in, &visitor(), PASSWORD.into(), &codes[0]).await;
    assert_eq!(refused.unwrap_err(), DisableError::PasswordTooShort);
    assert!(security::overview(&world.authority, &signed_in).await.unwrap().enabled);
}

async fn what_is_off_is_not_switched_off(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    let refused = disable::disable(&world.authority, &signed_in, &visitor(), PASSWORD.into(), "000000").await;
    assert_eq!(refused.unwrap_err(), DisableError::NotEnabled);
}
