//! A real authority on a real database, with a clock that moves by hand and randomness that repeats.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use authority::cipher::KeyRing;
use authority::clock::{Clock, ShiftedClock};
use authority::delivery::Gateways;
use authority::entropy::{Entropy, SystemEntropy};
use authority::practice::NewPractice;
use authority::profile::ProfileForm;
use authority::sign_in::{PasswordStep, TokenRefused};
use authority::{
    Authority, Challenge, Migrate, OpenedSession, Settings, SignedIn, Visitor, enrol_sms, enrol_totp, outbox, practice,
    profile, recovery, sessions, sign_in,
};
use domain::totp::{Parameters, Secret};
use domain::{FactorKind, Role, Timestamp, Totp};
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyPool, AssertSqlSafe};
use tempfile::TempDir;

/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
pub(crate) const PASSWORD: &str = "seven teal bicycles";
pub(crate) const PHONE: &str = "+12025550166";

/// Declares a test for each database.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::support::World::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::support::World::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_databases;

/// Random bytes that are the same in each run: a counter behind `SplitMix64`. Not for secrets, only for tests.
#[derive(Default)]
struct SeededEntropy(AtomicU64);

impl Entropy for SeededEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let mut z = self.0.fetch_add(1, Ordering::SeqCst).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// Numbers below a bound, the same in each run.
pub(crate) fn random(seed: u64) -> impl FnMut(usize) -> usize {
    let entropy = SeededEntropy(AtomicU64::new(seed << 32));
    move |below| {
        let mut bytes = [0; 8];
        entropy.fill(&mut bytes);
        usize::try_from(u64::from_le_bytes(bytes) % u64::try_from(below).expect("small")).expect("small")
    }
}

/// One database with one authority on it.
pub(crate) struct World {
    pub(crate) authority: Authority,
    pub(crate) clock: Arc<ShiftedClock>,
    pub(crate) keys: KeyRing,
    pub(crate) url: String,
    /// A connection of the test's own, to look at rows and to change them as no use case would.
    pub(crate) pool: AnyPool,
    _folder: Option<TempDir>,
}

impl World {
    pub(crate) async fn sqlite() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the database");
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("twofold.sqlite").display());
        Self::open(url, Some(folder)).await
    }

    pub(crate) async fn postgres() -> Self {
        let admin = std::env::var("TWOFOLD_TEST_POSTGRES_URL").expect(
            "these tests need PostgreSQL: run them by `cargo xtask test` (which uses pg_virtualenv), or set \
             TWOFOLD_TEST_POSTGRES_URL to a database whose user may create others",
        );
        install_default_drivers();
        let name = format!("twofold_{}", (&SystemEntropy as &dyn Entropy).id());
        let pool = AnyPoolOptions::new().max_connections(1).connect(&admin).await.expect("PostgreSQL answers");
        // The name is hex of our own making.
        sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&pool).await.expect("a database");
        pool.close().await;
        let (server, _) = admin.rsplit_once('/').expect("the address names a database");
        Self::open(format!("{server}/{name}"), None).await
    }

    async fn open(url: String, folder: Option<TempDir>) -> Self {
        let clock = Arc::new(ShiftedClock::standing(START));
        let keys = KeyRing::generate(&SystemEntropy);
        let authority = replica(&url, &clock, &keys, Arc::new(SeededEntropy::default())).await.expect("opens");
        let pool = AnyPoolOptions::new().max_connections(2).connect(&url).await.expect("a second connection");
        Self { authority, clock, keys, url, pool, _folder: folder }
    }

    /// A further member of the practice of `username`, who has that account's password: many, without a hash for each.
    pub(crate) async fn insert_member(&self, like: &str, new: &MemberRow<'_>) -> String {
        let id = (&SystemEntropy as &dyn Entropy).id();
        sqlx::query(
            "INSERT INTO account (id, practice_id, kind, role, manages_accounts, username, email, first_name, last_name,
                 specialty, timezone, salutation, suffix, website, home_phone, office_phone, cell_phone, password_hash,
                 password_length, consecutive_failures, run_began_at, wrong_token_told_at, created_at)
             SELECT $1, practice_id, 'staff', $2, $3, $4, $4 || '@elm.test', $4, 'Cole', '', timezone, '', '', '', '', '',
                 $5, password_hash, password_length, 0, 0, 0, created_at FROM account WHERE username = $6",
        )
        .bind(&id)
        .bind(new.role.name())
        .bind(i64::from(new.manages_accounts))
        .bind(new.username)
        .bind(new.cell_phone)
        .bind(like)
        .execute(&self.pool)
        .await
        .expect("a member");
        id
    }

    /// A factor of an account in a state, for messages to its cell phone or with nothing in it; the one of that kind stays.
    pub(crate) async fn insert_factor(&self, account_id: &str, kind: FactorKind, state: &str) {
        sqlx::query(
            "INSERT INTO factor (id, account_id, kind, state, name, phone, created_at, confirmed_at)
             SELECT $1, id, $2, $3, '', CASE WHEN $2 = 'sms' THEN cell_phone END, created_at, created_at
             FROM account WHERE id = $4 ON CONFLICT DO NOTHING",
        )
        .bind((&SystemEntropy as &dyn Entropy).id())
        .bind(kind.name())
        .bind(state)
        .bind(account_id)
        .execute(&self.pool)
        .await
        .expect("a factor");
    }

    /// Another process, whose messages go by these gateways.
    pub(crate) async fn replica_with(&self, gateways: Gateways) -> Authority {
        let settings = settings(&self.url, &self.clock, &self.keys, Arc::new(SystemEntropy));
        Authority::open(Settings { gateways, ..settings }).await.expect("opens")
    }

    /// Another process, on a machine with this clock.
    pub(crate) async fn replica_at(&self, clock: Arc<dyn Clock>) -> Authority {
        let settings = settings(&self.url, &self.clock, &self.keys, Arc::new(SystemEntropy));
        Authority::open(Settings { clock, ..settings }).await.expect("opens")
    }

    /// Another process on the same database.
    pub(crate) async fn replica(&self) -> Authority {
        replica(&self.url, &self.clock, &self.keys, Arc::new(SystemEntropy)).await.expect("opens")
    }

    pub(crate) fn advance(&self, seconds: i64) {
        self.clock.advance(seconds);
    }

    /// A number that a statement counts or sums.
    pub(crate) async fn number(&self, sql: &'static str) -> i64 {
        sqlx::query_scalar(sql).fetch_one(&self.pool).await.expect("a number")
    }

    pub(crate) async fn run(&self, sql: &'static str) -> Result<u64, sqlx::Error> {
        sqlx::query(sql).execute(&self.pool).await.map(|done| done.rows_affected())
    }

    /// Has a statement happen to each token after it was counted and before it is compared.
    pub(crate) async fn between_count_and_comparison(&self, statement: &str) {
        let on_insert = "CREATE TRIGGER meanwhile AFTER INSERT ON attempt";
        let statements = if self.url.starts_with("sqlite") {
            vec![format!("{on_insert} BEGIN {statement}; END")]
        } else {
            let body = format!("BEGIN {statement}; RETURN NEW; END");
            vec![
                format!("CREATE FUNCTION meanwhile() RETURNS trigger LANGUAGE plpgsql AS $${body}$$"),
                format!("{on_insert} FOR EACH ROW EXECUTE FUNCTION meanwhile()"),
            ]
        };
        for statement in statements {
            // Of the test's own making.
            sqlx::query(AssertSqlSafe(statement)).execute(&self.pool).await.expect("a trigger");
        }
    }

    pub(crate) async fn events(&self, event: &str) -> i64 {
        sqlx::query_scalar("SELECT COUNT(*) FROM audit WHERE event = $1")
            .bind(event)
            .fetch_one(&self.pool)
            .await
            .expect("a number")
    }

    /// Every text and every binary value of every table that could hold a secret.
    pub(crate) async fn dump(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for sql in [
            "SELECT password_hash FROM account",
            "SELECT COALESCE(pin_hash, '') FROM account",
            "SELECT subject FROM password_failure",
            "SELECT binding FROM message_token",
            "SELECT event FROM audit",
        ] {
            let texts: Vec<String> = sqlx::query_scalar(sql).fetch_all(&self.pool).await.expect("texts");
            bytes.extend(texts.into_iter().flat_map(|text| format!("{text}\n").into_bytes()));
        }
        for sql in [
            "SELECT sealed FROM sealed_key",
            "SELECT key_hash FROM known_browser",
            "SELECT secret FROM factor WHERE secret IS NOT NULL",
            "SELECT codes FROM recovery_set WHERE codes IS NOT NULL",
            "SELECT code_hash FROM recovery_code",
            "SELECT key_hash FROM challenge",
            "SELECT key_hash FROM session",
            "SELECT key_hash FROM remembered_browser",
            "SELECT browser_hash FROM remembered_browser",
            "SELECT token_hash FROM message_token",
            "SELECT sealed FROM outbox WHERE sealed IS NOT NULL",
            "SELECT key_hash FROM device",
            "SELECT key_hash FROM registration",
            "SELECT code_hash FROM registration",
            "SELECT sealed FROM backup",
        ] {
            let values: Vec<Vec<u8>> = sqlx::query_scalar(sql).fetch_all(&self.pool).await.expect("bytes");
            bytes.extend(values.into_iter().flatten());
        }
        bytes
    }

    /// A provider of a new practice, signed in, with a cell phone on file.
    pub(crate) async fn provider(&self, username: &str, phone: &str) -> Actor<'_> {
        let form = NewPractice {
            practice_name: "Elm Street Clinic".into(),
            first_name: "Ada".into(),
            last_name: "Byron".into(),
            email: format!("{username}@elm.test"),
            username: username.into(),
            password: PASSWORD.into(),
        };
        let opened = practice::create(&self.authority, &visitor(), form).await.expect("a practice");
        let actor = Actor { world: self, username: username.into(), phone: phone.into(), opened };
        let form = ProfileForm {
            first_name: "Ada".into(),
            last_name: "Byron".into(),
            cell_phone: phone.into(),
            ..ProfileForm::default()
        };
        profile::update(&self.authority, &actor.signed_in().await, &visitor(), form).await.expect("a profile");
        actor
    }

    /// A provider whose text messages are confirmed and whose recovery codes are returned.
    pub(crate) async fn enrolled(&self, username: &str, phone: &str) -> (Actor<'_>, Vec<String>) {
        let mut actor = self.provider(username, phone).await;
        actor.enable_sms().await;
        let codes = recovery::codes_to_store(&self.authority, &actor.signed_in().await).await.expect("available");
        (actor, codes.expect("fresh codes").codes)
    }

    /// The digits of the latest message to a number.
    pub(crate) async fn latest_token(&self, phone: &str) -> String {
        let messages = outbox::list(&self.authority, Some(phone)).await.expect("available");
        let text = &messages.first().expect("a message").body;
        let (_, rest) = text.split_once("Your token is ").expect("a token in it");
        rest[..6].to_owned()
    }
}

async fn replica(
    url: &str,
    clock: &Arc<ShiftedClock>,
    keys: &KeyRing,
    entropy: Arc<dyn Entropy>,
) -> Result<Authority, authority::OpenError> {
    Authority::open(settings(url, clock, keys, entropy)).await
}

fn settings(url: &str, clock: &Arc<ShiftedClock>, keys: &KeyRing, entropy: Arc<dyn Entropy>) -> Settings {
    Settings {
        database_url: url.into(),
        migrate: Migrate::Yes,
        master_keys: keys.clone(),
        public_url: "https://twofold.test".into(),
        public_host: "twofold.test".into(),
        clock: clock.clone(),
        entropy,
        gateways: Gateways::outboxed(),
        hashing_slots: 2,
    }
}

/// A member who is inserted without asking anybody.
pub(crate) struct MemberRow<'a> {
    pub(crate) username: &'a str,
    pub(crate) role: Role,
    pub(crate) manages_accounts: bool,
    pub(crate) cell_phone: &'a str,
}

/// Opens the database again with other keys.
pub(crate) async fn reopen_with(world: &World, keys: &KeyRing) -> Result<Authority, authority::OpenError> {
    replica(&world.url, &world.clock, keys, Arc::new(SystemEntropy)).await
}

/// A visitor from one address, in a browser that was never here.
pub(crate) fn visitor() -> Visitor {
    visitor_from(1)
}

/// The same from another address.
pub(crate) fn visitor_from(last: u8) -> Visitor {
    Visitor {
        address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)),
        user_agent: "Test Browser".into(),
        request_id: "test".into(),
        browser: None,
        remembered: None,
    }
}

/// A person with a browser.
pub(crate) struct Actor<'a> {
    pub(crate) world: &'a World,
    pub(crate) username: String,
    pub(crate) phone: String,
    pub(crate) opened: OpenedSession,
}

impl Actor<'_> {
    fn authority(&self) -> &Authority {
        &self.world.authority
    }

    pub(crate) async fn signed_in(&self) -> SignedIn {
        sessions::find(self.authority(), &self.opened.session).await.expect("available").expect("a live session")
    }

    pub(crate) async fn is_signed_in(&self) -> bool {
        sessions::find(self.authority(), &self.opened.session).await.expect("available").is_some()
    }

    pub(crate) async fn enable_sms(&mut self) {
        let signed_in = self.signed_in().await;
        enrol_sms::start(self.authority(), &signed_in, &visitor(), PASSWORD.into()).await.expect("starts");
        let token = self.world.latest_token(&self.phone).await;
        self.opened = enrol_sms::confirm(self.authority(), &signed_in, &visitor(), &token).await.expect("confirms");
    }

    /// Adds an app and returns its key; its confirming token is spent, so time moves on by two steps.
    pub(crate) async fn add_app(&mut self) -> Totp {
        let signed_in = self.signed_in().await;
        enrol_totp::start(self.authority(), &signed_in, &visitor()).await.expect("stepped up");
        let pending = enrol_totp::pending(self.authority(), &signed_in).await.expect("available").expect("pending");
        let secret = Secret::from_base32(&pending.setup_key).expect("a key");
        let totp = Totp::new(&secret, Parameters::OTHER_VENDOR).expect("parameters");
        let token = totp.token_at(self.authority().now());
        self.opened = enrol_totp::confirm(self.authority(), &signed_in, &visitor(), token.expose_digits(), "My phone")
            .await
            .expect("confirms");
        self.world.advance(60);
        totp
    }

    /// The password step from a browser that was never here.
    pub(crate) async fn challenge(&self) -> Challenge {
        self.challenge_on(self.authority()).await
    }

    pub(crate) async fn challenge_on(&self, authority: &Authority) -> Challenge {
        let step = sign_in::with_password(authority, &visitor(), &self.username, PASSWORD.into(), None).await;
        let Ok(PasswordStep::TokenNeeded(key)) = step else { panic!("no token asked for: {step:?}") };
        sign_in::find_challenge(authority, &key).await.expect("available").expect("open")
    }

    /// The token step of a new sign-in.
    pub(crate) async fn sign_in_with(&self, token: &str) -> Result<OpenedSession, TokenRefused> {
        let challenge = self.challenge().await;
        sign_in::with_token(self.authority(), &visitor(), &challenge, token, false).await
    }

    /// Fails `count` tokens, opening a new challenge whenever one is over.
    pub(crate) async fn fail_tokens(&self, count: usize) {
        let mut left = count;
        while left > 0 {
            let challenge = self.challenge().await;
            for _ in 0..left.min(5) {
                let refused = sign_in::with_token(self.authority(), &visitor(), &challenge, "000000", false).await;
                assert_eq!(refused.unwrap_err(), TokenRefused::NotRight);
                left -= 1;
            }
        }
    }
}
