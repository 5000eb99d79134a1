//! Token checks and password steps per second, and memory, on one database; each beside a plain loop of the same
//! commits or hashes in the same run.
//!
//! `cargo xtask bench` runs it on SQLite and on PostgreSQL. The figures are medians of a few rounds; only their ratios
//! carry from one machine to another.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use authority::cipher::KeyRing;
use authority::clock::ShiftedClock;
use authority::delivery::Gateways;
use authority::entropy::{Entropy, SystemEntropy};
use authority::practice::NewPractice;
use authority::profile::ProfileForm;
use authority::sign_in::PasswordStep;
use authority::{
    Authority, Challenge, Migrate, Settings, SignedIn, Unavailable, Visitor, audit_trail, enrol_sms, enrol_totp,
    outbox, practice, profile, sessions, sign_in,
};
use domain::totp::{Parameters, Secret};
use domain::{Timestamp, Totp};
use sqlx::any::{AnyPoolOptions, install_default_drivers};
use sqlx::{AnyConnection, AnyPool, AssertSqlSafe, Connection as _};
use tokio::task::JoinSet;

const PASSWORD: &str = "seven teal bicycles";
/// Accounts that sign in; each gives one token check per round.
const ACCOUNTS: usize = 64;
const ROUNDS: usize = 5;
const CLIENTS: usize = 32;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// An account with an app.
struct Person {
    username: String,
    totp: Totp,
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    install_default_drivers();
    let url = std::env::args().nth(1).ok_or("usage: bench DATABASE_URL")?;
    let url = own_database(url).await?;
    let clock = Arc::new(ShiftedClock::standing(Timestamp::from_seconds(1_800_000_000)));
    let slots = std::thread::available_parallelism().map_or(2, std::num::NonZeroUsize::get);
    let authority = Authority::open(Settings {
        database_url: url.clone(),
        migrate: Migrate::Yes,
        master_keys: KeyRing::generate(&SystemEntropy),
        public_url: "https://twofold.test".into(),
        public_host: "twofold.test".into(),
        clock: clock.clone(),
        entropy: Arc::new(SystemEntropy),
        gateways: Gateways::outboxed(),
        hashing_slots: slots,
    })
    .await?;
    let people = people(&authority, &clock).await?;
    // As the server does beside its requests.
    let sealing = tokio::spawn(seal(authority.clone()));
    println!("{:<44} {:>10} {:>10} {:>7}", "", "per second", "plain loop", "ratio");
    let plain = plain_pool(&url).await?;
    for clients in [1, CLIENTS] {
        let checks = token_checks(&authority, &clock, &people, clients).await?;
        let commits = plain_commits(&plain, clients).await? / 2.0;
        row(&format!("token checks (2 commits each), {clients} clients"), checks, commits);
    }
    for clients in [1, CLIENTS] {
        let steps = password_steps(&authority, &people, clients).await?;
        let hashes = plain_hashes(clients.min(slots)).await?;
        row(&format!("password steps (1 hash, 1 commit), {clients} clients"), steps, hashes);
    }
    sealing.abort();
    if let Some(resident) = resident_megabytes() {
        println!("resident memory at the end: {resident} MB");
    }
    Ok(())
}

/// Links new audit rows to their chains, every second.
async fn seal(authority: Authority) -> Result<(), Unavailable> {
    let mut interval = tokio::time::interval(Duration::from_secs(1));
    loop {
        interval.tick().await;
        audit_trail::seal(&authority).await?;
    }
}

/// On PostgreSQL a database of this run's own beside the named one; a SQLite file is its own already.
async fn own_database(url: String) -> Result<String, Failure> {
    if url.starts_with("sqlite:") {
        return Ok(url);
    }
    let (server, _) = url.rsplit_once('/').ok_or("the address names no database")?;
    let name = format!("twofold_bench_{}", (&SystemEntropy as &dyn Entropy).id());
    let mut connection = AnyConnection::connect(&url).await?;
    // The name is hex of our own making.
    sqlx::query(AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut connection).await?;
    Ok(format!("{server}/{name}"))
}

fn row(what: &str, ours: f64, plain: f64) {
    println!("{what:<44} {ours:>10.1} {plain:>10.1} {:>6.0}%", 100.0 * ours / plain);
}

fn visitor(number: usize) -> Visitor {
    // An address of its own for each, so that no limit per address is what is measured.
    let octets = u32::try_from(number).unwrap_or(0).to_be_bytes();
    Visitor {
        address: IpAddr::V4(Ipv4Addr::new(10, octets[1], octets[2], octets[3])),
        user_agent: "bench".into(),
        request_id: "bench".into(),
        browser: None,
        remembered: None,
    }
}

async fn people(authority: &Authority, clock: &ShiftedClock) -> Result<Vec<Person>, Failure> {
    let mut people = Vec::new();
    for number in 0..ACCOUNTS {
        people.push(person(authority, number).await?);
    }
    clock.advance(60);
    Ok(people)
}

async fn person(authority: &Authority, number: usize) -> Result<Person, Failure> {
    let visitor = visitor(number);
    let username = format!("person{number}");
    let phone = format!("+1202555{:04}", 1000 + number);
    let form = NewPractice {
        practice_name: "Elm Street Clinic".into(),
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        email: format!("{username}@elm.test"),
        username: username.clone(),
        password: PASSWORD.into(),
    };
    let opened = practice::create(authority, &visitor, form).await?;
    let signed_in = signed_in(authority, &opened.session).await?;
    let form = ProfileForm {
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        cell_phone: phone.clone(),
        ..ProfileForm::default()
    };
    profile::update(authority, &signed_in, &visitor, form).await?;
    enrol_sms::start(authority, &signed_in, &visitor, PASSWORD.into()).await?;
    let message = outbox::list(authority, Some(&phone)).await?.into_iter().next().ok_or("no message")?;
    let (_, rest) = message.body.split_once("Your token is ").ok_or("no token in the message")?;
    let opened = enrol_sms::confirm(authority, &signed_in, &visitor, &rest[..6]).await?;
    let signed_in = self::signed_in(authority, &opened.session).await?;
    enrol_totp::start(authority, &signed_in, &visitor).await?;
    let pending = enrol_totp::pending(authority, &signed_in).await?.ok_or("no pending app")?;
    let secret = Secret::from_base32(&pending.setup_key).ok_or("no key")?;
    let totp = Totp::new(&secret, Parameters::OTHER_VENDOR)?;
    let token = totp.token_at(authority.now());
    enrol_totp::confirm(authority, &signed_in, &visitor, token.expose_digits(), "").await?;
    Ok(Person { username, totp })
}

async fn signed_in(authority: &Authority, key: &authority::SessionKey) -> Result<SignedIn, Failure> {
    sessions::find(authority, key).await?.ok_or_else(|| "no session".into())
}

async fn challenge(authority: &Authority, person: &Person, number: usize) -> Result<Challenge, Failure> {
    let step = sign_in::with_password(authority, &visitor(number), &person.username, PASSWORD.into(), None).await?;
    let PasswordStep::TokenNeeded(key) = step else { return Err("no token asked for".into()) };
    sign_in::find_challenge(authority, &key).await?.map_err(|over| format!("{over:?}").into())
}

/// Right tokens per second, the whole token step from cookie to session.
async fn token_checks(
    authority: &Authority,
    clock: &ShiftedClock,
    people: &[Person],
    clients: usize,
) -> Result<f64, Failure> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        clock.advance(90);
        let mut ready = Vec::new();
        for (number, person) in people.iter().enumerate() {
            let token = person.totp.token_at(authority.now()).expose_digits().to_owned();
            ready.push((challenge(authority, person, number).await?, token));
        }
        let elapsed = spread(clients, ready, |(challenge, token)| {
            let authority = authority.clone();
            async move {
                sign_in::with_token(&authority, &visitor(0), &challenge, &token, false)
                    .await
                    .map(|_| ())
                    .map_err(Failure::from)
            }
        })
        .await?;
        rates.push(per_second(people.len(), elapsed));
    }
    Ok(median(rates))
}

/// Right passwords per second, the whole password step from form to challenge.
async fn password_steps(authority: &Authority, people: &[Person], clients: usize) -> Result<f64, Failure> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let ready: Vec<_> = people.iter().map(|person| person.username.clone()).enumerate().collect();
        let elapsed = spread(clients, ready, |(number, username)| {
            let authority = authority.clone();
            async move {
                sign_in::with_password(&authority, &visitor(number), &username, PASSWORD.into(), None)
                    .await
                    .map(|_| ())
                    .map_err(Failure::from)
            }
        })
        .await?;
        rates.push(per_second(people.len(), elapsed));
    }
    Ok(median(rates))
}

/// Durable commits per second of one inserted row each, with nothing around them.
async fn plain_commits(pool: &AnyPool, clients: usize) -> Result<f64, Failure> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let elapsed = spread(clients, (0..2 * ACCOUNTS).collect(), |number| {
            let pool = pool.clone();
            async move {
                let number = i64::try_from(number)?;
                sqlx::query("INSERT INTO bench_plain (n) VALUES ($1)").bind(number).execute(&pool).await?;
                Ok(())
            }
        })
        .await?;
        rates.push(per_second(2 * ACCOUNTS, elapsed));
    }
    Ok(median(rates))
}

async fn plain_pool(url: &str) -> Result<AnyPool, Failure> {
    let pool = AnyPoolOptions::new()
        .max_connections(if url.starts_with("sqlite:") { 1 } else { 16 })
        .acquire_timeout(Duration::from_mins(1))
        .after_connect(|connection, _| Box::pin(as_the_store_does(connection)))
        .connect(url)
        .await?;
    sqlx::query("CREATE TABLE IF NOT EXISTS bench_plain (n BIGINT NOT NULL)").execute(&pool).await?;
    Ok(pool)
}

async fn as_the_store_does(connection: &mut AnyConnection) -> Result<(), sqlx::Error> {
    if connection.backend_name() == "SQLite" {
        for pragma in ["PRAGMA busy_timeout = 5000", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
            sqlx::query(pragma).execute(&mut *connection).await?;
        }
    }
    connection.ping().await
}

/// Hashes per second with the figures of a sign-in, and nothing around them.
async fn plain_hashes(threads: usize) -> Result<f64, Failure> {
    let mut rates = Vec::new();
    for _ in 0..ROUNDS {
        let elapsed = spread(threads, (0..ACCOUNTS).collect(), |_| async {
            tokio::task::spawn_blocking(|| {
                let params = argon2::Params::new(19_456, 2, 1, None)?;
                let hasher = argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params);
                hasher.hash_password_into(PASSWORD.as_bytes(), b"0123456789abcdef", &mut [0; 32])
            })
            .await?
            .map_err(|error| error.to_string().into())
        })
        .await?;
        rates.push(per_second(ACCOUNTS, elapsed));
    }
    Ok(median(rates))
}

/// Works the jobs off with so many clients at a time, and returns how long that took.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
async fn spread<Job, Work, Done>(clients: usize, jobs: Vec<Job>, work: Work) -> Result<Duration, Failure>
where
    Job: Send + 'static,
    Work: Fn(Job) -> Done,
    Done: Future<Output = Result<(), Failure>> + Send + 'static,
{
    let start = Instant::now();
    let mut running = JoinSet::new();
    for job in jobs {
        if running.len() >= clients
            && let Some(done) = running.join_next().await
        {
            done??;
        }
        running.spawn(work(job));
    }
    while let Some(done) = running.join_next().await {
        done??;
    }
    Ok(start.elapsed())
}

fn per_second(count: usize, elapsed: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / elapsed.as_secs_f64()
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

/// The process's resident memory, where the system tells it in `/proc`.
fn resident_megabytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kilobytes| kilobytes / 1024)
}
