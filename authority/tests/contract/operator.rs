use authority::operator::{self, OperatorError};
use authority::staff::{NewMember, StaffError};
use authority::{Session, outbox, sessions, sign_in};

use crate::staff::{nurse, sign_in as sign_in_plainly};
use crate::support::{PHONE, World, on_both_databases, visitor};

on_both_databases!(
    an_account_is_created_in_a_new_practice_and_in_one_that_is_there,
    whom_a_new_account_concerns_is_told,
    two_factor_authentication_is_reset_by_the_operator,
    a_locked_account_is_unlocked,
);

async fn an_account_is_created_in_a_new_practice_and_in_one_that_is_there(world: World) {
    operator::create_account(&world.authority, "Oak Clinic", nurse("olga")).await.unwrap();
    operator::create_account(&world.authority, "Oak Clinic", nurse("nina")).await.unwrap();
    let opened = sign_in_plainly(&world, "olga").await;
    let olga = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    assert!(olga.administrator().is_some(), "who makes a practice administers it");
    let opened = sign_in_plainly(&world, "nina").await;
    let nina = sessions::find(&world.authority, &opened.session).await.unwrap().unwrap();
    assert!(nina.administrator().is_none() && nina.practice_id() == olga.practice_id());
    assert_eq!(world.number("SELECT COUNT(*) FROM audit WHERE actor_id = 'operator'").await, 3);
    let taken = operator::create_account(&world.authority, "Oak Clinic", nurse("olga")).await;
    assert_eq!(taken, Err(OperatorError::Account(StaffError::UsernameTaken)));
    let weak = NewMember { password: "short".into(), ..nurse("rita") };
    assert!(operator::create_account(&world.authority, "Oak Clinic", weak).await.is_err());
}

async fn whom_a_new_account_concerns_is_told(world: World) {
    let told = async |username: &str| {
        let mails = outbox::list(&world.authority, Some(&format!("{username}@elm.test"))).await.unwrap();
        let count = |words: &str| mails.iter().filter(|mail| mail.body.contains(words)).count();
        (count("An account was made for you"), count("Somebody new manages accounts"))
    };
    operator::create_account(&world.authority, "Oak Clinic", nurse("olga")).await.unwrap();
    assert_eq!(told("olga").await, (1, 0));
    operator::create_account(&world.authority, "Oak Clinic", nurse("nina")).await.unwrap();
    assert_eq!((told("olga").await, told("nina").await), ((1, 0), (1, 0)), "nobody new manages accounts");
    let administrator = NewMember { manages_accounts: true, ..nurse("vera") };
    operator::create_account(&world.authority, "Oak Clinic", administrator).await.unwrap();
    let everybody = (told("olga").await, told("nina").await, told("vera").await);
    assert_eq!(everybody, ((1, 1), (1, 0), (1, 0)), "those who manage accounts are told of one who does");
}

async fn two_factor_authentication_is_reset_by_the_operator(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    operator::reset_two_factor(&world.authority, "ada@elm.test").await.unwrap();
    assert!(!ada.is_signed_in().await);
    let opened = sign_in_plainly(&world, "ada").await;
    let session = sessions::recognise(&world.authority, &opened.session).await.unwrap();
    assert!(matches!(session, Some(Session::MustEnrol(_))));
    assert_eq!(operator::reset_two_factor(&world.authority, "nobody").await, Err(OperatorError::NotFound));
    assert_eq!(
        world.number("SELECT COUNT(*) FROM audit WHERE event = 'two-factor-reset' AND actor_id = 'operator'").await,
        1
    );
}

async fn a_locked_account_is_unlocked(world: World) {
    let (ada, codes) = world.enrolled("ada", PHONE).await;
    ada.fail_tokens(10).await;
    let challenge = ada.challenge().await;
    let refused = sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[0]).await;
    assert!(refused.is_err(), "locked");
    operator::unlock(&world.authority, "ada").await.unwrap();
    let challenge = ada.challenge().await;
    sign_in::with_recovery_code(&world.authority, &visitor(), &challenge, &codes[0]).await.expect("open again");
    assert_eq!(world.events("account-unlocked").await, 1);
}
