//! How long a practice's audit trail takes to write, to seal, to verify and to export, and what sealing costs those who
//! write meanwhile.
//!
//! `trail DATABASE_URL [ROWS]`; `cargo xtask bench` runs it on SQLite and on PostgreSQL. The database has to be empty.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use authority::cipher::KeyRing;
use authority::clock::SystemClock;
use authority::delivery::Gateways;
use authority::entropy::SystemEntropy;
use authority::practice::NewPractice;
use authority::{
    Authority, Migrate, Settings, SignedIn, Unavailable, Visitor, audit_trail, practice, sample, sessions,
};
use tokio::task::JoinSet;
use trail::Stream;

/// Who write at once where that is measured, a row and a commit each time, all in one practice.
const WRITERS: usize = 32;
/// Rows that each of them writes.
const ROWS_OF_ONE_WRITER: usize = 50;
/// The same is measured so often, in turns.
const ROUNDS: usize = 3;

/// The same trail is verified so often, for one time says little.
const VERIFICATIONS: usize = 3;

type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let url = arguments.next().ok_or("usage: trail DATABASE_URL [ROWS]")?;
    let rows: usize = arguments.next().map_or(Ok(1_000_000), |text| text.parse())?;
    let authority = Authority::open(Settings {
        database_url: url,
        migrate: Migrate::Yes,
        master_keys: KeyRing::generate(&SystemEntropy),
        public_url: "https://twofold.test".into(),
        public_host: "twofold.test".into(),
        clock: Arc::new(SystemClock),
        entropy: Arc::new(SystemEntropy),
        gateways: Gateways::outboxed(),
        hashing_slots: 1,
    })
    .await?;
    let visitor = Visitor {
        address: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
        user_agent: "bench".into(),
        request_id: "0123456789abcdef".into(),
        browser: None,
        remembered: None,
    };
    let form = NewPractice {
        practice_name: "Elm Street Clinic".into(),
        first_name: "Ada".into(),
        last_name: "Byron".into(),
        email: "ada@elm.test".into(),
        username: "ada".into(),
        password: "seven teal bicycles".into(),
    };
    let opened = practice::create(&authority, &visitor, form).await?;
    let ada = sessions::find(&authority, &opened.session).await?.ok_or("no session")?;
    let (practice_id, account_id) = (ada.practice_id(), ada.account_id());

    let start = moment();
    sample::fill_trail(&authority, &visitor, practice_id, account_id, rows).await?;
    tell("written, 1,000 to a commit", rows, start.elapsed());
    let start = moment();
    let sealed = audit_trail::seal(&authority).await?.sealed;
    tell("sealed", sealed, start.elapsed());
    for _ in 0..VERIFICATIONS {
        let start = moment();
        let verdict = audit_trail::verify(&authority, practice_id).await?;
        tell("verified in the database", rows, start.elapsed());
        println!("{verdict}");
    }

    let mut export = audit_trail::export(&authority, practice_id).await?.ok_or("no practice")?;
    let (mut exporting, mut verifying, mut bytes) = (Duration::ZERO, Duration::ZERO, 0);
    let mut stream = Stream::default();
    loop {
        let start = moment();
        let Some(lines) = export.next_lines(&authority).await? else { break };
        exporting += start.elapsed();
        bytes += lines.len();
        let start = moment();
        stream.push(&lines);
        verifying += start.elapsed();
    }
    tell("exported", rows, exporting);
    tell("verified as a file", rows, verifying);
    println!("{} {} MB", stream.finish()?.0, bytes / 1_000_000);

    for _ in 0..ROUNDS {
        let written = WRITERS * ROWS_OF_ONE_WRITER;
        tell("32 writers, nobody seals", written, write_at_once(&authority, &visitor, &ada).await?);
        let sealing = tokio::spawn(seal(authority.clone()));
        tell("32 writers, sealed meanwhile", written, write_at_once(&authority, &visitor, &ada).await?);
        sealing.abort();
    }
    println!("{}", audit_trail::verify(&authority, practice_id).await?);
    Ok(())
}

/// How long [`WRITERS`] take that write into the trail of one practice at the same time.
async fn write_at_once(authority: &Authority, visitor: &Visitor, member: &SignedIn) -> Result<Duration, Failure> {
    let start = moment();
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (authority, visitor) = (authority.clone(), visitor.clone());
        let (practice_id, account_id) = (member.practice_id().to_owned(), member.account_id().to_owned());
        writers.spawn(async move {
            for _ in 0..ROWS_OF_ONE_WRITER {
                sample::fill_trail(&authority, &visitor, &practice_id, &account_id, 1).await?;
            }
            Ok::<_, Unavailable>(())
        });
    }
    while let Some(written) = writers.join_next().await {
        written??;
    }
    Ok(start.elapsed())
}

/// Links new rows to their chain every second, as the server does.
async fn seal(authority: Authority) -> Result<(), Unavailable> {
    let mut interval = tokio::time::interval(Duration::from_secs(1));
    loop {
        interval.tick().await;
        audit_trail::seal(&authority).await?;
    }
}

fn tell(what: &str, rows: usize, elapsed: Duration) {
    let per_second = f64::from(u32::try_from(rows).unwrap_or(u32::MAX)) / elapsed.as_secs_f64();
    println!("{what:<28} {:>8.2} s {per_second:>10.0} rows/s", elapsed.as_secs_f64());
}

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn moment() -> Instant {
    Instant::now()
}
