use authority::backup::{self, LoadError, MAX_BYTES, SaveError};
use authority::devices;
use authority::sign_in::RecoveryRefused;
use data_encoding::BASE64URL_NOPAD;

use crate::devices::{Phone, activate, add, add_second, verify};
use crate::races::race;
use crate::support::{PHONE, World, on_both_databases, visitor};

on_both_databases!(
    versions_follow_each_other_and_nothing_is_written_over_unseen,
    what_is_no_backup_is_refused,
    the_phone_alone_neither_reads_nor_replaces_a_backup,
    an_approved_device_reads_and_replaces_it,
    a_recovery_code_opens_it,
    another_persons_device_gets_nothing,
    a_revoked_device_saves_nothing,
    one_of_fifty_next_versions_is_kept,
);

const FIRST: &str = "Zmlyc3Q";
const SECOND: &str = "c2Vjb25k";

async fn save(world: &World, phone: &Phone, version: &str, previous: &str, blob: &str) -> Result<(), SaveError> {
    backup::save(&world.authority, &phone.device, &visitor(), version, previous, blob).await
}

async fn digest(world: &World, phone: &Phone) -> String {
    devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap().backup.unwrap().digest
}

async fn load(world: &World, phone: &Phone) -> Result<String, LoadError> {
    backup::load(&world.authority, &phone.device, &visitor()).await.map(|backup| backup.blob)
}

/// Removes the only device behind its owner's back, as a lost phone that was revoked: the next one needs no approval.
async fn lose(world: &World, phone: &Phone) {
    devices::leave(&world.authority, &phone.device, &visitor()).await.unwrap();
}

async fn versions_follow_each_other_and_nothing_is_written_over_unseen(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let phone = add(&world, "ada", PHONE).await;
    assert_eq!(load(&world, &phone).await, Err(LoadError::NotFound));
    assert_eq!(save(&world, &phone, "2", "", FIRST).await, Err(SaveError::Conflict), "the first is 1");
    assert_eq!(save(&world, &phone, "1", "something", FIRST).await, Err(SaveError::Conflict));
    save(&world, &phone, "1", "", FIRST).await.unwrap();
    assert_eq!(save(&world, &phone, "1", "", SECOND).await, Err(SaveError::Conflict), "there is one now");

    let first = digest(&world, &phone).await;
    // SHA-256 of the five bytes "first".
    assert_eq!(first, BASE64URL_NOPAD.encode(&DIGEST_OF_FIRST));
    for (version, previous) in [("1", first.as_str()), ("3", &first), ("2", ""), ("2", "another"), ("0", &first)] {
        let refused = save(&world, &phone, version, previous, SECOND).await;
        assert_eq!(refused, Err(SaveError::Conflict), "{version} {previous}");
    }
    assert_eq!(load(&world, &phone).await.unwrap(), FIRST);
    save(&world, &phone, "2", &first, SECOND).await.unwrap();
    let loaded = backup::load(&world.authority, &phone.device, &visitor()).await.unwrap();
    assert_eq!((loaded.version, loaded.blob.as_str()), (2, SECOND));
    assert_ne!(loaded.digest, first);
    let state = devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap().backup.unwrap();
    assert_eq!((state.version, state.digest, state.saved_at), (2, loaded.digest, world.authority.now()));
    assert_eq!((world.events("backup-saved").await, world.events("backup-loaded").await), (2, 2));
}

const DIGEST_OF_FIRST: [u8; 32] = [
    0xa7, 0x93, 0x7b, 0x64, 0xb8, 0xca, 0xa5, 0x8f, 0x03, 0x72, 0x1b, 0xb6, 0xba, 0xcf, 0x5c, 0x78, 0xcb, 0x23, 0x5f,
    0xeb, 0xe0, 0xe7, 0x0b, 0x1b, 0x84, 0xcd, 0x99, 0x54, 0x14, 0x61, 0xa0, 0x8e,
];

async fn what_is_no_backup_is_refused(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let phone = add(&world, "ada", PHONE).await;
    for (version, blob) in [("", FIRST), ("-1", FIRST), ("4294967296", FIRST), ("1", ""), ("1", "a=b"), ("1", "a+/b")] {
        assert_eq!(save(&world, &phone, version, "", blob).await, Err(SaveError::Malformed), "{version} {blob}");
    }
    let largest = BASE64URL_NOPAD.encode(&vec![7; MAX_BYTES]);
    let too_large = BASE64URL_NOPAD.encode(&vec![7; MAX_BYTES + 1]);
    assert_eq!(save(&world, &phone, "1", "", &too_large).await, Err(SaveError::TooLarge));
    save(&world, &phone, "1", "", &largest).await.unwrap();
    assert_eq!(load(&world, &phone).await.unwrap(), largest);
}

async fn the_phone_alone_neither_reads_nor_replaces_a_backup(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let lost = add(&world, "ada", PHONE).await;
    save(&world, &lost, "1", "", FIRST).await.unwrap();
    lose(&world, &lost).await;
    let thief = add(&world, "ada", PHONE).await;
    let view = devices::sync(&world.authority, &thief.device, &visitor()).await.unwrap();
    assert!(view.backup.is_some() && !view.may_restore);
    assert_eq!(load(&world, &thief).await, Err(LoadError::RecoveryCodeNeeded));
    let digest = digest(&world, &thief).await;
    assert_eq!(save(&world, &thief, "2", &digest, SECOND).await, Err(SaveError::RecoveryCodeNeeded));
    assert_eq!(world.events("backup-loaded").await, 0);
}

async fn an_approved_device_reads_and_replaces_it(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let mut first = add(&world, "ada", PHONE).await;
    save(&world, &first, "1", "", FIRST).await.unwrap();
    assert!(
        devices::sync(&world.authority, &first.device, &visitor()).await.unwrap().may_restore,
        "it saved the backup"
    );
    let second = add_second(&world, &first, "ada", PHONE).await;
    assert_eq!(load(&world, &second).await.unwrap(), FIRST);
    let seen = digest(&world, &second).await;
    save(&world, &second, "2", &seen, SECOND).await.unwrap();
    // Who saved a version once goes on reading and saving after another device did.
    first.device = devices::find(&world.authority, &first.key).await.unwrap().unwrap();
    assert_eq!(save(&world, &first, "2", &seen, "b3RoZXI").await, Err(SaveError::Conflict));
    assert_eq!(load(&world, &first).await.unwrap(), SECOND);
    let seen = digest(&world, &first).await;
    save(&world, &first, "3", &seen, FIRST).await.unwrap();
    assert_eq!(load(&world, &second).await.unwrap(), FIRST);
}

async fn a_recovery_code_opens_it(world: World) {
    let (_ada, codes) = world.enrolled("ada", PHONE).await;
    let (_bob, bobs) = world.enrolled("bob", "+12025550177").await;
    let lost = add(&world, "ada", PHONE).await;
    save(&world, &lost, "1", "", FIRST).await.unwrap();
    lose(&world, &lost).await;
    let (_, step) = verify(&world, "ada", PHONE, "New phone").await;
    let devices::Step::Ready(ready) = step else { panic!("no device to ask") };
    assert!(ready.has_backup && !ready.may_restore);
    let mut phone = activate(&world, &ready).await;
    for wrong in [&bobs[0], &"0".repeat(26)] {
        let refused = devices::prove(&world.authority, &phone.device, &visitor(), wrong).await;
        assert_eq!(refused.err(), Some(RecoveryRefused::NotRight));
    }
    phone.device = devices::prove(&world.authority, &phone.device, &visitor(), &codes[0]).await.unwrap();
    assert_eq!(load(&world, &phone).await.unwrap(), FIRST);
    let again = devices::prove(&world.authority, &phone.device, &visitor(), &codes[0]).await;
    assert_eq!(again.err(), Some(RecoveryRefused::NotRight), "used");
    phone.device = devices::find(&world.authority, &phone.key).await.unwrap().unwrap();
    assert!(devices::sync(&world.authority, &phone.device, &visitor()).await.unwrap().may_restore, "it is remembered");
    let seen = digest(&world, &phone).await;
    save(&world, &phone, "2", &seen, SECOND).await.unwrap();
}

async fn another_persons_device_gets_nothing(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let adas = add(&world, "ada", PHONE).await;
    save(&world, &adas, "1", "", FIRST).await.unwrap();
    let (_bob, bobs_codes) = world.enrolled("bob", "+12025550177").await;
    let mut bobs = add(&world, "bob", "+12025550177").await;
    bobs.device = devices::prove(&world.authority, &bobs.device, &visitor(), &bobs_codes[0]).await.unwrap();
    assert_eq!(load(&world, &bobs).await, Err(LoadError::NotFound));
    save(&world, &bobs, "1", "", SECOND).await.unwrap();
    assert_eq!(load(&world, &adas).await.unwrap(), FIRST);
    let view = devices::sync(&world.authority, &bobs.device, &visitor()).await.unwrap();
    assert_eq!((view.devices.len(), view.accounts.len(), view.requests.len()), (1, 1, 0));
    assert_eq!(view.accounts[0].username, "bob");
    // Ada's ciphertext in Bob's row.
    world
        .run(
            "UPDATE backup SET sealed = (SELECT b.sealed FROM backup b JOIN account a
                 ON a.token_account_id = b.token_account_id WHERE a.username = 'ada')
             WHERE token_account_id = (SELECT token_account_id FROM account WHERE username = 'bob')",
        )
        .await
        .unwrap();
    assert_eq!(load(&world, &bobs).await, Err(LoadError::Unavailable));
}

async fn a_revoked_device_saves_nothing(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let phone = add(&world, "ada", PHONE).await;
    lose(&world, &phone).await;
    assert_eq!(save(&world, &phone, "1", "", FIRST).await, Err(SaveError::Revoked));
    assert_eq!(world.number("SELECT COUNT(*) FROM backup").await, 0);
}

async fn one_of_fifty_next_versions_is_kept(world: World) {
    let (_ada, _) = world.enrolled("ada", PHONE).await;
    let phone = add(&world, "ada", PHONE).await;
    let kept = race(&world, 50, |authority, number| {
        let (device, blob) = (phone.device.clone(), BASE64URL_NOPAD.encode(format!("first {number}").as_bytes()));
        async move { backup::save(&authority, &device, &visitor(), "1", "", &blob).await.is_ok() }
    })
    .await;
    assert_eq!(kept, 1);
    let seen = digest(&world, &phone).await;
    let kept = race(&world, 50, |authority, number| {
        let blob = BASE64URL_NOPAD.encode(format!("second {number}").as_bytes());
        let (device, seen) = (phone.device.clone(), seen.clone());
        async move { backup::save(&authority, &device, &visitor(), "2", &seen, &blob).await.is_ok() }
    })
    .await;
    assert_eq!(kept, 1);
    assert_eq!(world.number("SELECT version FROM backup").await, 2);
}
