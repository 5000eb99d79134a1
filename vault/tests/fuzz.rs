//! What a server, a file or a person may hand over, bent in every way: many cases, and the same ones in each run.

use core::fmt::Debug;

use domain::Timestamp;
use domain::person::{Line, Name};
use domain::totp::{Algorithm, Parameters, Secret};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use vault::exchange::{self, Import};
use vault::{Account, BackupKey, Blob, Chain, Contents, KdfParameters, Key, OtherAccount, ServerId, Snapshot};

/// One way to bend bytes.
#[derive(Clone, Debug)]
enum Mutation {
    /// Turns one bit over.
    Flip(Index, u8),
    /// Takes out what lies between.
    Cut(Index, Index),
    /// Ends there.
    Truncate(Index),
    /// Puts bytes in.
    Insert(Index, Vec<u8>),
    /// Goes on with another original, from a place of its own.
    Splice(Index, Index, Index),
    /// Makes what may be a length, a count or a figure as large as it gets.
    Grow(Index, usize),
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>, originals: &[Vec<u8>]) {
        let length = bytes.len();
        // One more than there are: the end is a place too.
        let place = |at: &Index| at.index(length + 1);
        match self {
            Self::Flip(at, bit) if length > 0 => bytes[at.index(length)] ^= 1 << bit,
            Self::Flip(..) => {}
            Self::Cut(from, to) => {
                let (from, to) = (place(from), place(to));
                bytes.drain(from.min(to)..from.max(to));
            }
            Self::Truncate(at) => bytes.truncate(place(at)),
            Self::Insert(at, inserted) => {
                let at = place(at);
                bytes.splice(at..at, inserted.iter().copied());
            }
            Self::Splice(at, which, from) => {
                let other = &originals[which.index(originals.len())];
                bytes.truncate(place(at));
                bytes.extend_from_slice(&other[from.index(other.len())..]);
            }
            Self::Grow(at, width) => {
                let at = place(at);
                let end = (at + width).min(length);
                bytes[at..end].fill(u8::MAX);
            }
        }
    }
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0_u8..8).prop_map(|(at, bit)| Mutation::Flip(at, bit)),
        (at(), at()).prop_map(|(from, to)| Mutation::Cut(from, to)),
        at().prop_map(Mutation::Truncate),
        (at(), proptest::collection::vec(any::<u8>(), 1..40)).prop_map(|(at, bytes)| Mutation::Insert(at, bytes)),
        (at(), at(), at()).prop_map(|(at, which, from)| Mutation::Splice(at, which, from)),
        (at(), proptest::sample::select(vec![2, 4])).prop_map(|(at, width)| Mutation::Grow(at, width)),
    ]
}

/// Up to four mutations of one of the originals, which are checked; the same in each run.
fn bend(cases: u32, originals: &[Vec<u8>], check: impl Fn(Vec<u8>) -> Result<(), TestCaseError>) {
    let bent = (any::<Index>(), proptest::collection::vec(mutation(), 1..5)).prop_map(|(which, mutations)| {
        let mut bytes = originals[which.index(originals.len())].clone();
        for mutation in mutations {
            mutation.apply(&mut bytes, originals);
        }
        Bytes(bytes)
    });
    run(cases, &bent, |Bytes(bytes)| check(bytes));
}

fn run<S: Strategy>(cases: u32, strategy: &S, check: impl Fn(S::Value) -> Result<(), TestCaseError>)
where
    S::Value: Debug,
{
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    if let Err(found) = runner.run(strategy, check) {
        panic!("{found}");
    }
}

/// Shown as a text where they are one.
struct Bytes(Vec<u8>);

impl Debug for Bytes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match str::from_utf8(&self.0) {
            Ok(text) => text.fmt(f),
            Err(_) => self.0.fmt(f),
        }
    }
}

const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

/// Bytes that do not repeat soon.
fn random() -> impl FnMut(&mut [u8]) {
    let mut next = 0_u32;
    move |bytes| {
        for byte in bytes {
            next = next.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = next.to_be_bytes()[0];
        }
    }
}

fn kdf() -> KdfParameters {
    KdfParameters::new(19_456, 2, [0x5a; 16]).unwrap()
}

fn password() -> Key {
    Key::new([0x50; 32])
}

fn token_account() -> ServerId {
    ServerId::parse("ta1").unwrap()
}

fn other(issuer: &str, name: &str, parameters: Parameters, random: &mut dyn FnMut(&mut [u8])) -> Account {
    let mut key = vec![0; 20];
    random(&mut key);
    let (issuer, name) = (Line::parse(issuer).unwrap(), Name::parse(name).unwrap());
    Account::other(OtherAccount::new(issuer, name, Secret::new(key), parameters).unwrap(), random)
}

/// Accounts with names that are hard to write down.
fn contents(random: &mut dyn FnMut(&mut [u8])) -> Contents {
    let mut contents = Contents::default();
    let eight = Parameters { algorithm: Algorithm::Sha512, digits: 8, period: 60 };
    for (issuer, name, parameters) in [
        ("Bank: north", "ada:1", Parameters::OTHER_VENDOR),
        ("", "Zoë 😀", eight),
        ("50 % & more?", "a+b=c#d/e", Parameters::OTHER_VENDOR),
    ] {
        contents.add(other(issuer, name, parameters, random), NOW).unwrap();
    }
    contents
}

/// Three versions under one key, and one under another key of the same token account.
fn backups() -> (BackupKey, Vec<Blob>) {
    let random = &mut random();
    let mut contents = contents(random);
    let key = BackupKey::create(token_account(), kdf(), &password(), random);
    contents.switch_backup_on(key.clone());
    let mut blobs = Vec::new();
    for number in 1..=3 {
        contents.add(other("", &format!("account {number}"), Parameters::OTHER_VENDOR, random), NOW).unwrap();
        let sent = contents.seal_backup(random).unwrap();
        contents.backup_saved(&sent, NOW);
        blobs.push(sent.blob().clone());
    }
    contents.switch_backup_on(BackupKey::create(token_account(), kdf(), &Key::new([0x51; 32]), random));
    blobs.push(contents.seal_backup(random).unwrap().blob().clone());
    (key, blobs)
}

/// A backup opens only if it is one of the originals, byte for byte.
fn check_backup(blob: &Blob, key: &BackupKey, originals: &[Vec<u8>]) -> Result<(), TestCaseError> {
    // A phone pays for what the header asks for, before anything proves it right.
    prop_assert!(blob.kdf().memory_kib() <= 64 * 1024 && blob.kdf().passes() <= 10);
    let Ok(accepted) = blob.accept(&token_account(), &Chain::default()) else { return Ok(()) };
    let opened = [accepted.clone().open_by_key(key), accepted.open_by_password(&password())];
    if opened.iter().any(Result::is_ok) {
        prop_assert!(originals.iter().any(|original| original == blob.as_bytes()));
    }
    Ok(())
}

#[test]
fn a_bent_backup_is_none() {
    let (key, blobs) = backups();
    let originals: Vec<Vec<u8>> = blobs.iter().map(|blob| blob.as_bytes().to_vec()).collect();
    for original in &originals[..3] {
        let accepted = Blob::parse(original.clone()).unwrap();
        assert!(accepted.accept(&token_account(), &Chain::default()).unwrap().open_by_key(&key).is_ok());
    }
    bend(4_000, &originals, |bytes| match Blob::parse(bytes) {
        Ok(blob) => check_backup(&blob, &key, &originals),
        Err(_) => Ok(()),
    });
}

#[test]
fn a_bent_text_of_a_backup_is_none() {
    let (key, blobs) = backups();
    let originals: Vec<Vec<u8>> = blobs.iter().map(|blob| blob.as_bytes().to_vec()).collect();
    let texts: Vec<Vec<u8>> = blobs.iter().map(|blob| blob.to_text().into_bytes()).collect();
    bend(2_000, &texts, |bytes| match Blob::from_text(&String::from_utf8_lossy(&bytes)) {
        Ok(blob) => check_backup(&blob, &key, &originals),
        Err(_) => Ok(()),
    });
}

#[test]
fn no_length_in_a_backup_makes_room_for_more_than_there_is() {
    let (key, blobs) = backups();
    let originals: Vec<Vec<u8>> = blobs.iter().map(|blob| blob.as_bytes().to_vec()).collect();
    let before = peak_kib();
    for width in [2, 4, 8] {
        for at in 0..=originals[2].len() - width {
            let mut bytes = originals[2].clone();
            bytes[at..at + width].fill(u8::MAX);
            if let Ok(blob) = Blob::parse(bytes) {
                check_backup(&blob, &key, &originals).unwrap();
                assert_ne!(blob.as_bytes(), originals[2], "{width} bytes at {at}");
            }
        }
    }
    let grown = peak_kib().saturating_sub(before);
    assert!(grown < 16 * 1024, "{grown} KiB for backups of one");
}

/// The most memory that this program has had so far; nothing where no `/proc` says so.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

#[test]
fn a_bent_file_opens_to_nothing_but_what_was_exported() {
    let random = &mut random();
    let contents = contents(random);
    let export = |random: &mut dyn FnMut(&mut [u8])| {
        exchange::export_encrypted(&contents, kdf(), &password(), random).into_bytes()
    };
    let originals = [export(random), export(random)];
    let expected = Snapshot::of(&contents).entries().to_vec();
    bend(1_500, &originals, |bytes| {
        // Line breaks and blanks may change: those of mail programs do.
        if let Ok(Import::Encrypted(file)) = exchange::read(&String::from_utf8_lossy(&bytes))
            && let Ok(snapshot) = file.open(&password())
        {
            prop_assert_eq!(snapshot.entries(), &expected);
        }
        Ok(())
    });
}

/// What is read, written and read again is the same.
fn check_import(text: &str) -> Result<(), TestCaseError> {
    let Ok(Import::Links(snapshot)) = exchange::read(text) else { return Ok(()) };
    let mut contents = Contents::default();
    contents.import(&snapshot, NOW, &mut random()).unwrap();
    let Ok(Import::Links(again)) = exchange::read(&exchange::export_links(&contents)) else {
        return Err(TestCaseError::fail("what was written is not read"));
    };
    let written = Snapshot::of(&contents);
    prop_assert_eq!(again.entries(), written.entries());
    Ok(())
}

#[test]
fn a_bent_list_is_refused_or_written_as_it_was_read() {
    let random = &mut random();
    let list = exchange::export_links(&contents(random)).as_bytes().to_vec();
    let others = "# of other apps\r\n\r\notpauth://totp/Bank%3Aada?secret=gezd-gnbv gy3tqojqgezdgnbvgy3tqojq&image=x\n\
                  otpauth://TOTP/ada%40elm.test?period=60&digits=8&algorithm=SHA256&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ#x\n";
    check_import(&String::from_utf8(list.clone()).unwrap()).unwrap();
    bend(4_000, &[list, others.as_bytes().to_vec()], |bytes| check_import(&String::from_utf8_lossy(&bytes)));
}

#[test]
fn any_text_is_refused_or_written_as_it_was_read() {
    let (text, link) = ("(\\PC|\n){0,120}", "[a-zA-Z:%+&=?#/ é0-9]{0,40}");
    let secret = "secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
    run(1_000, &(text, link, link), |(text, label, query)| {
        check_import(&text)?;
        check_import(&format!("otpauth://totp/{label}?{secret}&{query}"))?;
        check_import(&format!("otpauth://totp/{text}?{secret}&issuer={label}\n"))
    });
}
