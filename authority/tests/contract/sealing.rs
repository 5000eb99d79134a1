use authority::cipher::KeyRing;
use authority::entropy::SystemEntropy;
use authority::sign_in::{self, TokenRefused};
use authority::{OpenError, recovery};

use crate::support::{PASSWORD, PHONE, World, on_both_databases, reopen_with, visitor};

on_both_databases!(
    another_master_key_opens_nothing,
    a_secret_that_does_not_open_refuses_like_a_wrong_token,
    no_secret_stands_in_the_database_in_clear,
);

async fn another_master_key_opens_nothing(world: World) {
    let refused = reopen_with(&world, &KeyRing::generate(&SystemEntropy)).await;
    assert!(matches!(refused, Err(OpenError::MasterKeyMismatch)));
    assert!(reopen_with(&world, &world.keys).await.is_ok());
}

async fn a_secret_that_does_not_open_refuses_like_a_wrong_token(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let (mut bob, _) = world.enrolled("bob", "+12025550177").await;
    let _bobs = bob.add_app().await;
    // Bob's ciphertext in Ada's row: the same key, another place.
    world
        .run(
            "UPDATE factor SET secret = (SELECT f.secret FROM factor f JOIN account a ON a.id = f.account_id
                 WHERE a.username = 'bob' AND f.kind = 'totp')
             WHERE kind = 'totp' AND account_id = (SELECT id FROM account WHERE username = 'ada')",
        )
        .await
        .unwrap();
    let token = totp.token_at(world.authority.now());
    assert_eq!(ada.sign_in_with(token.expose_digits()).await.unwrap_err(), TokenRefused::NotRight);
    assert_eq!(world.events("crypt_decrypt_fail").await, 1);
    let challenge = ada.challenge().await;
    assert!(sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[0]).await.is_ok());
}

async fn no_secret_stands_in_the_database_in_clear(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    assert!(recovery::codes_to_store(&world.authority, &signed_in).await.unwrap().is_some());
    let message = world.latest_token(PHONE).await;
    let _totp = ada.add_app().await;
    let bare = codes[0].replace('-', "");
    for secret in [PASSWORD, &codes[0], &bare, ada.opened.session.expose(), ada.opened.browser.expose(), &message] {
        let found = world.dump().await.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "{secret}");
    }
}
