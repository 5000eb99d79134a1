//! The published test vector: `vectors/backup.txt`, byte for byte, in both directions.

use std::collections::BTreeMap;

use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use domain::Timestamp;
use domain::person::{Line, Name};
use domain::totp::{Algorithm, Parameters, Secret};
use vault::{
    Account, BackupKey, Blob, Chain, Contents, Entry, KdfParameters, Key, OtherAccount, ServerId, Snapshot, derive,
};

/// The lines `name = value` of the file.
struct Vector(BTreeMap<&'static str, &'static str>);

impl Vector {
    fn read() -> Self {
        let lines = include_str!("vectors/backup.txt").lines();
        Self(lines.filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = ")).collect())
    }

    fn text(&self, name: &str) -> &str {
        self.0[name].trim_matches('"')
    }

    fn bytes(&self, name: &str) -> Vec<u8> {
        HEXLOWER.decode(self.0[name].as_bytes()).unwrap()
    }

    fn kdf(&self) -> KdfParameters {
        let parameters = KdfParameters::from_bytes(&self.bytes("kdf_parameters").try_into().unwrap()).unwrap();
        assert_eq!(parameters.salt().as_slice(), self.bytes("salt"));
        parameters
    }

    fn password_key(&self) -> Key {
        Key::from_slice(&self.bytes("password_key")).unwrap()
    }

    fn token_account(&self) -> ServerId {
        ServerId::parse(self.text("token_account")).unwrap()
    }

    /// The key, made of the file's bytes in place of random ones.
    fn backup_key(&self) -> BackupKey {
        let random = &mut stream(&[self.bytes("backup_key"), self.bytes("key_nonce")]);
        BackupKey::create(self.token_account(), self.kdf(), &self.password_key(), random)
    }

    fn seal(&self, number: u32, after: &Chain) -> Blob {
        let random = &mut stream(&[self.bytes(&format!("nonce_{number}"))]);
        self.backup_key().seal(&snapshot(number), after, random).unwrap()
    }

    fn blob(&self, number: u32) -> Blob {
        Blob::parse(self.bytes(&format!("blob_{number}"))).unwrap()
    }
}

/// Hands out these bytes and no others.
fn stream(parts: &[Vec<u8>]) -> impl FnMut(&mut [u8]) + use<> {
    let mut rest = parts.concat().into_iter();
    move |bytes| bytes.fill_with(|| rest.next().expect("no more bytes are asked for than the vector has"))
}

fn other(issuer: &str, name: &str, key: Vec<u8>, parameters: Parameters) -> OtherAccount {
    let (issuer, name) = (Line::parse(issuer).unwrap(), Name::parse(name).unwrap());
    OtherAccount::new(issuer, name, Secret::new(key), parameters).unwrap()
}

fn bank() -> OtherAccount {
    other("Bank", "ada@elm.test", b"12345678901234567890".to_vec(), Parameters::OTHER_VENDOR)
}

fn zoe() -> OtherAccount {
    let parameters = Parameters { algorithm: Algorithm::Sha512, digits: 8, period: 60 };
    other("", "Zoë", (0xa0..0xc0).collect(), parameters)
}

/// What the vector's plain texts say.
fn snapshot(number: u32) -> Snapshot {
    let name = |text: &str| Name::parse(text).unwrap();
    let practice = Entry::Practice {
        practice: name("Elm & Oak"),
        username: name("ada"),
        issuer: Line::parse("Elm & Oak").unwrap(),
        name: name("Dr. Ada"),
    };
    match number {
        1 => Snapshot::new(vec![practice, Entry::Other(bank())]).unwrap(),
        2 => Snapshot::new(vec![practice, Entry::Other(bank()), Entry::Other(zoe())]).unwrap(),
        _ => {
            let (added, deleted) = (Timestamp::from_seconds(1_800_000_000), Timestamp::from_seconds(1_800_000_060));
            let mut next = 0;
            let random = &mut |bytes: &mut [u8]| {
                next += 1;
                bytes.fill(next);
            };
            let mut contents = Contents::default();
            let id = contents.add(Account::other(bank(), random), added).unwrap();
            contents.add(Account::other(zoe(), random), added).unwrap();
            contents.remove(id, deleted).unwrap();
            Snapshot::of(&contents)
        }
    }
}

#[test]
fn the_password_makes_the_key() {
    let vector = Vector::read();
    assert_eq!(vector.kdf().memory_kib(), KdfParameters::MEMORY_KIB);
    assert_eq!(vector.kdf().passes(), KdfParameters::PASSES);
    let key = derive(vector.text("password").as_bytes(), &vector.kdf()).unwrap();
    assert_eq!(key.expose().as_slice(), vector.bytes("password_key"));
}

#[test]
fn sealing_gives_these_bytes() {
    let vector = Vector::read();
    let first = vector.seal(1, &Chain::default());
    assert_eq!(first.as_bytes(), vector.bytes("blob_1"));
    let second = vector.seal(2, &first.chain());
    assert_eq!(second.as_bytes(), vector.bytes("blob_2"));
    let third = vector.seal(3, &second.chain());
    assert_eq!(third.as_bytes(), vector.bytes("blob_3"));
    for (number, blob) in [(1, &first), (2, &second), (3, &third)] {
        assert_eq!(blob.version(), number);
        let digest = BASE64URL_NOPAD.decode(blob.digest().to_string().as_bytes()).unwrap();
        assert_eq!(digest, vector.bytes(&format!("digest_{number}")));
    }
    assert_eq!((first.previous(), second.previous()), (None, Some(first.digest())));
}

#[test]
fn these_bytes_open() {
    let vector = Vector::read();
    let mut seen = Chain::default();
    for number in [1, 2, 3] {
        let blob = vector.blob(number);
        let accept = || blob.accept(&vector.token_account(), &seen).unwrap();
        let opened = accept().open_by_password(&vector.password_key()).unwrap();
        assert_eq!(opened.snapshot, snapshot(number));
        assert_eq!(opened.key, vector.backup_key());
        assert_eq!(accept().open_by_key(&opened.key).unwrap(), opened);
        seen = opened.chain;
    }
}

#[test]
fn the_parts_stand_where_the_description_says() {
    let vector = Vector::read();
    let (blob, at) = (vector.bytes("blob_1"), |name: &str| vector.bytes(name));
    assert_eq!(&blob[..9], b"TWOFOLDB\x01");
    assert_eq!(blob[9..35], at("kdf_parameters"));
    assert_eq!(blob[35..107], at("wrapped_key"));
    assert_eq!(&blob[109..141], vector.text("token_account").as_bytes());
    assert_eq!(&blob[141..147], [0, 0, 0, 1, 0, 0]);
    assert_eq!(blob[147..171], at("nonce_1"));
    assert_eq!(blob.len(), 171 + at("plain_1").len() + 16);
}
