//! The whole server in this process: the real router on a database of its own, a clock that stands still, randomness that
//! repeats, and people who use it.

pub(crate) mod actor;
pub(crate) mod database;
pub(crate) mod form;
mod pretend;

use std::sync::Arc;
use std::time::Duration;

use authority::cipher::KeyRing;
use authority::clock::ShiftedClock;
use authority::delivery::Gateways;
use authority::practice::NewPractice;
use authority::{Authority, Migrate, SessionKey, Settings, SignedIn, Visitor};
use axum::Router;
use domain::totp::{Parameters, Secret};
use domain::{Timestamp, Totp};
use server::config::Mode;
use server::dev::Development;
use server::http::{TrustedProxies, Web};

pub(crate) use actor::{Actor, Answer, Client};
use database::Database;
pub(crate) use form::Form;
use pretend::SeededEntropy;

/// Where browsers think the server is.
pub(crate) const ORIGIN: &str = "https://twofold.test";
/// When every test begins.
pub(crate) const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
/// Everybody's password.
pub(crate) const PASSWORD: &str = "correct horse battery staple";
/// Everybody's phone, until a second one is needed.
pub(crate) const PHONE: &str = "+1 202 555 0101";

/// The server, and what a test may do behind its back.
pub(crate) struct TestApp {
    pub(crate) authority: Authority,
    pub(crate) router: Router,
    clock: Arc<ShiftedClock>,
    database: Database,
    /// Holds the SQLite file.
    _folder: tempfile::TempDir,
}

/// Somebody with an account.
pub(crate) struct Person {
    pub(crate) username: String,
    /// A live session, with a step-up minutes ago.
    pub(crate) signed_in: SignedIn,
    /// Its key, as the cookie has it.
    pub(crate) session: SessionKey,
    /// Another vendor's app, if one was added.
    pub(crate) app: Option<Totp>,
    pub(crate) recovery_codes: Vec<String>,
}

impl TestApp {
    pub(crate) async fn sqlite() -> Self {
        Self::open(Database::sqlite(), Mode::Production).await
    }

    pub(crate) async fn postgres() -> Self {
        Self::open(Database::postgres().await, Mode::Production).await
    }

    /// With `--dev`.
    pub(crate) async fn development() -> Self {
        Self::open(Database::sqlite(), Mode::Development).await
    }

    async fn open(database: Database, mode: Mode) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let entropy = Arc::new(SeededEntropy::default());
        let clock = Arc::new(ShiftedClock::standing(START));
        let settings = Settings {
            database_url: database.url(folder.path()),
            migrate: Migrate::Yes,
            master_keys: KeyRing::generate(&*entropy),
            public_host: "twofold.test".to_owned(),
            public_url: ORIGIN.to_owned(),
            clock: clock.clone(),
            entropy: entropy.clone(),
            gateways: Gateways::outboxed(),
            hashing_slots: 4,
        };
        let authority = Authority::open(settings).await.expect("an authority");
        let router = server::http::router(Web {
            authority: authority.clone(),
            site: pretend::site(),
            entropy,
            origins: vec![ORIGIN.to_owned()],
            trusted_proxies: TrustedProxies::in_front(0),
            development: (mode == Mode::Development).then(|| Development { clock: clock.clone() }),
        });
        Self { authority, router, clock, database, _folder: folder }
    }

    /// Somebody at a browser that was never here.
    pub(crate) fn anon(&self) -> Actor {
        Actor::new(self.router.clone())
    }

    /// The browser that somebody is signed in with.
    pub(crate) fn browser_of(&self, person: &Person) -> Actor {
        let mut browser = self.anon();
        browser.set_cookie(app::cookies::SESSION, person.session.expose());
        browser
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.authority.now()
    }

    pub(crate) fn wait(&self, duration: Duration) {
        self.clock.advance(i64::try_from(duration.as_secs()).expect("not for ever"));
    }

    /// Long enough for a token that was used to be followed by another.
    pub(crate) fn wait_for_next_token(&self) {
        self.wait(Duration::from_secs(u64::from(Parameters::OTHER_VENDOR.period)));
    }

    /// From now on the database does not answer.
    pub(crate) async fn lose_database(&self) {
        self.database.lose().await;
    }

    /// A provider with a practice of their own and two-factor authentication off.
    pub(crate) async fn provider(&self, username: &str) -> Person {
        let form = NewPractice {
            practice_name: format!("Practice of {username}"),
            first_name: "Pat".to_owned(),
            last_name: "Sample".to_owned(),
            email: format!("{username}@sample.test"),
            username: username.to_owned(),
            password: PASSWORD.to_owned(),
        };
        let opened = authority::practice::create(&self.authority, &visitor(), form).await.expect("a practice");
        let signed_in = self.signed_in(&opened.session).await;
        let username = username.to_owned();
        Person { username, signed_in, session: opened.session, app: None, recovery_codes: Vec::new() }
    }

    async fn signed_in(&self, key: &SessionKey) -> SignedIn {
        authority::sessions::find(&self.authority, key).await.expect("a database").expect("a live session")
    }

    /// Proves somebody without a factor again.
    pub(crate) async fn step_up(&self, person: &mut Person) {
        let (authority, password) = (&self.authority, PASSWORD.to_owned());
        let opened = authority::step_up::confirm(authority, &person.signed_in, &visitor(), password, "").await;
        let opened = opened.expect("a step-up");
        person.signed_in = self.signed_in(&opened.session).await;
        person.session = opened.session;
    }

    /// Turns two-factor authentication on with text messages to this phone, and stores the recovery codes.
    pub(crate) async fn enable_by_sms(&self, person: &mut Person, phone: &str) {
        let profile = authority::profile::load(&self.authority, &person.signed_in).await.expect("a profile");
        let form = authority::profile::ProfileForm {
            first_name: profile.first_name,
            last_name: profile.last_name,
            specialty: profile.specialty,
            timezone: profile.timezone,
            salutation: profile.salutation,
            suffix: profile.suffix,
            website: profile.website,
            home_phone: profile.home_phone,
            office_phone: profile.office_phone,
            cell_phone: phone.to_owned(),
            pin: String::new(),
        };
        let (authority, visitor) = (&self.authority, visitor());
        authority::profile::update(authority, &person.signed_in, &visitor, form).await.expect("a saved profile");
        authority::enrol_sms::start(authority, &person.signed_in, &visitor, PASSWORD.to_owned())
            .await
            .expect("a message");
        let token = self.latest_token().await;
        let opened =
            authority::enrol_sms::confirm(authority, &person.signed_in, &visitor, &token).await.expect("enabled");
        person.signed_in = self.signed_in(&opened.session).await;
        person.session = opened.session;
        let codes = authority::recovery::codes_to_store(authority, &person.signed_in).await.expect("a database");
        person.recovery_codes = codes.expect("a set of codes").codes;
        authority::recovery::acknowledge(authority, &person.signed_in, &visitor).await.expect("stored");
    }

    /// Adds another vendor's app to somebody who gets text messages already.
    pub(crate) async fn add_app(&self, person: &mut Person) {
        let (authority, visitor) = (&self.authority, visitor());
        authority::enrol_totp::start(authority, &person.signed_in, &visitor).await.expect("a pending app");
        let pending = authority::enrol_totp::pending(authority, &person.signed_in).await.expect("a database");
        let pending = pending.expect("a pending app");
        let secret = Secret::from_base32(&pending.setup_key.replace(' ', "")).expect("a setup key");
        let app = Totp::new(&secret, pending.parameters).expect("parameters");
        let token = app.token_at(self.now());
        let confirmed =
            authority::enrol_totp::confirm(authority, &person.signed_in, &visitor, token.expose_digits(), "Phone")
                .await;
        let opened = confirmed.expect("a confirmed app");
        person.signed_in = self.signed_in(&opened.session).await;
        person.session = opened.session;
        person.app = Some(app);
        self.wait_for_next_token();
    }

    /// Somebody with text messages, an app and recovery codes.
    pub(crate) async fn provider_with_two_factors(&self, username: &str, phone: &str) -> Person {
        let mut person = self.provider(username).await;
        self.enable_by_sms(&mut person, phone).await;
        self.add_app(&mut person).await;
        person
    }

    /// The token of the newest message.
    pub(crate) async fn latest_token(&self) -> String {
        let messages = authority::outbox::list(&self.authority, None).await.expect("a database");
        // `@host #123456` is the last line of a text message; a call has the digits apart.
        let body = &messages.iter().find(|message| message.channel.name() == "sms").expect("a message").body;
        body.rsplit_once('#').expect("a token").1.trim().to_owned()
    }
}

impl Person {
    /// What their app shows now.
    pub(crate) fn token(&self, app: &TestApp) -> String {
        self.app.as_ref().expect("an app").token_at(app.now()).expose_digits().to_owned()
    }

    /// A token of the right shape that their app does not accept now.
    pub(crate) fn wrong_token(&self, app: &TestApp) -> String {
        let totp = self.app.as_ref().expect("an app");
        let period = Duration::from_secs(u64::from(totp.parameters().period));
        let accepted = [app.now() - period, app.now(), app.now() + period].map(|at| totp.token_at(at));
        let is_accepted = |token: &String| accepted.iter().any(|right| right.expose_digits() == token);
        (0..4)
            .map(|number| format!("{number:06}"))
            .find(|token| !is_accepted(token))
            .expect("four, and three are right at most")
    }
}

/// The request behind what a test does directly.
pub(crate) fn visitor() -> Visitor {
    Visitor {
        address: [192, 0, 2, 50].into(),
        user_agent: "test".to_owned(),
        request_id: "test".to_owned(),
        browser: None,
        remembered: None,
    }
}

/// Makes each test of a file run on both databases.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::TestApp::sqlite().await).await;
            })+
        }
        mod postgres {
            $(#[tokio::test]
            async fn $name() {
                super::$name(crate::support::TestApp::postgres().await).await;
            })+
        }
    };
}
pub(crate) use on_both_databases;
