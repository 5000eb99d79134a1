//! What the tests are made of.

use domain::Timestamp;
use domain::person::{Line, Name};
use domain::totp::{Algorithm, Parameters, Secret};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use crate::Random;
use crate::account::{Account, OtherAccount, ServerId};
use crate::contents::{AutoLock, Contents, DeviceKey};
use crate::key::KdfParameters;
use crate::pending::PendingDevice;

/// When things are done where the time does not matter.
pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Bytes that do not repeat and are the same in each run: SHA-256 of a counter.
pub(crate) fn random() -> impl FnMut(&mut [u8]) {
    let mut counter = 0_u64;
    move |bytes| {
        for chunk in bytes.chunks_mut(32) {
            counter += 1;
            chunk.copy_from_slice(&Sha256::digest(counter.to_be_bytes())[..chunk.len()]);
        }
    }
}

pub(crate) fn kdf() -> KdfParameters {
    KdfParameters::new(19_456, 2, [0x5a; 16]).unwrap()
}

/// An account with a fresh key, 6 digits, SHA-1, 30 s.
pub(crate) fn other(name: &str, random: &mut Random<'_>) -> Account {
    let key = Secret::new(crate::random_array::<20>(random).to_vec());
    let other = OtherAccount::new(Line::default(), Name::parse(name).unwrap(), key, Parameters::OTHER_VENDOR).unwrap();
    Account::other(other, random)
}

/// The longest account there can be.
pub(crate) fn long(random: &mut Random<'_>) -> Account {
    let key = Secret::new(crate::random_array::<256>(random).to_vec());
    let (issuer, name) = (Line::parse(&"😀".repeat(200)).unwrap(), Name::parse(&"😀".repeat(100)).unwrap());
    Account::other(OtherAccount::new(issuer, name, key, Parameters::OTHER_VENDOR).unwrap(), random)
}

/// A registered device with one practice account, whose factor is `factor`.
pub(crate) fn device_of(factor: &str, random: &mut Random<'_>) -> Contents {
    let key = Secret::new(crate::random_array::<32>(random).to_vec());
    let factor = ServerId::parse(factor).unwrap();
    let mut contents = Contents::default();
    let device_key = DeviceKey::parse(&"A".repeat(43)).unwrap();
    contents.register(ServerId::parse("ta1").unwrap(), device_key, Line::parse("Ada's phone").unwrap());
    contents.add(Account::practice(factor, "Elm & Oak", "ada", key, random).unwrap(), NOW).unwrap();
    contents
}

pub(crate) fn device(random: &mut Random<'_>) -> Contents {
    device_of("f1", random)
}

fn line() -> impl Strategy<Value = Line> {
    "\\PC{0,20}".prop_map(|text| Line::parse(&text).unwrap())
}

fn name() -> impl Strategy<Value = Name> {
    "[a-zé]\\PC{0,20}".prop_map(|text| Name::parse(&text).unwrap())
}

fn account() -> impl Strategy<Value = Account> {
    let parameters = (proptest::sample::select(Algorithm::ALL.to_vec()), 6_u8..=8, 15_u32..=120)
        .prop_map(|(algorithm, digits, period)| Parameters { algorithm, digits, period });
    let other = (any::<[u8; 16]>(), line(), name(), proptest::collection::vec(any::<u8>(), 16..80), parameters)
        .prop_map(|(id, issuer, name, key, parameters)| {
            let other = OtherAccount::new(issuer, name, Secret::new(key), parameters).unwrap();
            Account::other(other, &mut |bytes| bytes.copy_from_slice(&id))
        });
    let practice = (any::<[u8; 16]>(), "[a-z0-9]{1,32}", name(), name(), any::<[u8; 32]>()).prop_map(
        |(id, factor, practice, username, key)| {
            Account::practice(
                ServerId::parse(&factor).unwrap(),
                practice.as_str(),
                username.as_str(),
                Secret::new(key.to_vec()),
                &mut |bytes| bytes.copy_from_slice(&id),
            )
            .unwrap()
        },
    );
    prop_oneof![3 => other, 1 => practice]
}

fn pending() -> impl Strategy<Value = PendingDevice> {
    ("[a-f0-9]{32}", line(), proptest::option::of(account())).prop_map(|(token_account, device_name, account)| {
        PendingDevice {
            token_account: ServerId::parse(&token_account).unwrap(),
            device_key: DeviceKey::parse(&"AB".repeat(22)[..43]).unwrap(),
            device_name,
            accounts: account.into_iter().collect(),
        }
    })
}

/// Any contents with a few accounts.
pub(crate) fn contents() -> impl Strategy<Value = Contents> {
    let registered = proptest::option::of("[a-f0-9]{32}");
    let deleted = proptest::collection::vec((account(), any::<i32>()), 0..3);
    let typed = proptest::option::of(any::<i32>());
    let known = proptest::option::of(proptest::collection::vec("[a-f0-9]{32}", 0..3));
    let accounts = proptest::collection::vec(account(), 0..6);
    (registered, line(), 1_u8..=60, accounts, deleted, typed, known, proptest::option::of(pending())).prop_map(
        |(token_account, device_name, minutes, accounts, deleted, typed, known, pending)| {
            let mut contents = Contents::default();
            contents.pending = pending;
            if let Some(known) = known {
                contents.devices_seen(known.iter().map(|id| ServerId::parse(id).unwrap()).collect());
            }
            contents.token_account = token_account.map(|id| ServerId::parse(&id).unwrap());
            contents.device_name = device_name;
            contents.auto_lock = AutoLock::after_minutes(minutes).unwrap();
            for (account, at) in deleted {
                let at = Timestamp::from_seconds(i64::from(at));
                let id = contents.add(account, at).unwrap();
                contents.remove(id, at).unwrap();
            }
            if let Some(at) = typed {
                contents.password_typed(Timestamp::from_seconds(i64::from(at)));
            }
            for account in accounts {
                contents.add(account, NOW).unwrap();
            }
            contents
        },
    )
}
