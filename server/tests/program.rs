//! The program itself: it starts with the right master key or not at all (ST-4, faults F-16 and F-17).

use std::fs;
use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::Duration;

use authority::cipher::KeyRing;
use authority::clock::{Clock, ShiftedClock, SystemClock};
use authority::delivery::Gateways;
use authority::entropy::SystemEntropy;
use authority::password::PasswordRefused;
use authority::sign_in::PasswordStep;
use authority::{Authority, Migrate, Session, SessionKey, Settings, Visitor, audit_trail, sessions, sign_in};

/// Two keys of 32 bytes.
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n";
const OTHER_KEY: &str = "HxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo=\n";

fn twofold(command: &str, folder: &Path, flags: &[&str]) -> Output {
    let mut program = Command::new(env!("CARGO_BIN_EXE_twofold"));
    program.env_clear().arg(command).arg("--data-dir").arg(folder.join("data")).args(flags);
    program.output().expect("the program runs")
}

/// As in production, with this key.
fn with_key(command: &str, folder: &Path) -> Output {
    let key = folder.join("key");
    twofold(command, folder, &["--public-url=https://twofold.test", "--master-key-file", key.to_str().expect("a path")])
}

fn write_key(folder: &Path, text: &str, mode: u32) {
    let path = folder.join("key");
    fs::write(&path, text).expect("a key");
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
}

fn assert_refused(output: &Output, reason: &str) {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && error.contains(reason), "{reason}: {error}");
    assert!(!error.contains(KEY.trim()) && !error.contains(OTHER_KEY.trim()), "{error}");
}

#[test]
fn another_master_key_is_refused_and_the_old_one_still_works() {
    let folder = tempfile::tempdir().expect("a folder");
    write_key(folder.path(), KEY, 0o600);
    assert!(with_key("migrate", folder.path()).status.success());
    assert!(with_key("check", folder.path()).status.success());
    write_key(folder.path(), OTHER_KEY, 0o600);
    for command in ["migrate", "check"] {
        assert_refused(&with_key(command, folder.path()), "master key");
    }
    write_key(folder.path(), KEY, 0o600);
    let output = with_key("check", folder.path());
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_master_key_that_is_missing_short_or_open_to_others_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_refused(&with_key("check", folder.path()), "master key");
    for text in ["", "c2hvcnQ=\n", "not base64 at all, but as long as a key would be\n"] {
        write_key(folder.path(), text, 0o600);
        assert_refused(&with_key("check", folder.path()), "32 bytes");
    }
    for mode in [0o644, 0o640, 0o604] {
        write_key(folder.path(), KEY, mode);
        assert_refused(&with_key("check", folder.path()), "readable by others");
    }
    assert!(!folder.path().join("data/twofold.db").exists(), "no database was touched");
}

#[test]
fn outside_of_development_nothing_important_is_assumed() {
    let folder = tempfile::tempdir().expect("a folder");
    write_key(folder.path(), KEY, 0o600);
    let key = format!("--master-key-file={}", folder.path().join("key").display());
    for (flags, reason) in [
        (vec!["--public-url=https://twofold.test"], "--master-key-file"),
        (vec![key.as_str()], "--public-url"),
        (vec![key.as_str(), "--public-url=http://twofold.test"], "https://"),
        (vec![key.as_str(), "--public-url=https://twofold.test/path"], "--public-url"),
    ] {
        for command in ["serve", "migrate", "check"] {
            assert_refused(&twofold(command, folder.path(), &flags), reason);
        }
    }
}

#[test]
fn development_makes_its_own_key_for_its_owner_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(twofold("migrate", folder.path(), &["--dev"]).status.success());
    let mode = |path: &str| fs::metadata(folder.path().join(path)).expect(path).permissions().mode() & 0o777;
    assert_eq!((mode("data"), mode("data/master.key")), (0o700, 0o600));
    assert!(twofold("check", folder.path(), &["--dev"]).status.success());
}

#[test]
fn flags_go_before_the_environment_and_the_environment_before_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("twofold.toml");
    fs::write(&file, "public-url = \"https://file.test\"\n").expect("a file");
    write_key(folder.path(), KEY, 0o600);
    let public_url = |variable: Option<&str>, flags: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_twofold"));
        program.env_clear().env("TWOFOLD_CONFIG", &file).env("TWOFOLD_MASTER_KEY_FILE", folder.path().join("key"));
        program.envs(variable.map(|value| ("TWOFOLD_PUBLIC_URL", value)));
        program.arg("check").arg("--data-dir").arg(folder.path().join("data")).args(flags);
        // Its first line names the address; what else it finds is not asked here.
        String::from_utf8(program.output().expect("the program runs").stdout).expect("text")
    };
    assert!(public_url(None, &[]).contains("https://file.test"));
    assert!(public_url(Some("https://environment.test"), &[]).contains("https://environment.test"));
    let flag = public_url(Some("https://environment.test"), &["--public-url=https://flag.test"]);
    assert!(flag.contains("https://flag.test"), "{flag}");
}

/// The sample practice, in which somebody types wrong passwords.
async fn leave_a_trail(data: &Path) {
    leave_a_trail_at(data, Arc::new(SystemClock)).await;
}

/// The same, when the clock says so.
async fn leave_a_trail_at(data: &Path, clock: Arc<dyn Clock>) -> Authority {
    let authority = open(data, clock).await;
    authority::sample::plant(&authority).await.expect("the sample");
    for _ in 0..3 {
        sign_in(&authority, "thomas", "wrong").await.expect_err("wrong");
    }
    authority
}

/// The authority of the database that a program in development has made.
async fn open(data: &Path, clock: Arc<dyn Clock>) -> Authority {
    let settings = Settings {
        database_url: format!("sqlite://{}", data.join("twofold.db").display()),
        migrate: Migrate::No,
        master_keys: KeyRing::from_file(&data.join("master.key")).expect("the key"),
        public_host: "twofold.test".to_owned(),
        public_url: "https://twofold.test".to_owned(),
        clock,
        entropy: Arc::new(SystemEntropy),
        gateways: Gateways::outboxed(),
        hashing_slots: 1,
    };
    Authority::open(settings).await.expect("an authority")
}

/// The session of somebody who needs no token.
async fn sign_in(authority: &Authority, name: &str, password: &str) -> Result<SessionKey, PasswordRefused> {
    let visitor = Visitor {
        address: IpAddr::V4(Ipv4Addr::LOCALHOST),
        user_agent: String::new(),
        request_id: "test".to_owned(),
        browser: None,
        remembered: None,
    };
    match sign_in::with_password(authority, &visitor, name, password.to_owned(), None).await? {
        PasswordStep::SignedIn(opened) => Ok(opened.session),
        PasswordStep::TokenNeeded(_) => panic!("{name} has a factor"),
    }
}

#[tokio::test]
async fn the_operator_creates_an_account_unlocks_it_and_resets_it() {
    const PASSWORD: &str = "correct horse battery staple";
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let run = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_twofold"));
        program.env_clear().args(arguments).arg("--dev").arg("--data-dir").arg(&data);
        program.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut program = program.spawn().expect("the program starts");
        let mut input = program.stdin.take().expect("an input");
        // Only one of them reads it.
        let _ = writeln!(input, "{PASSWORD}");
        drop(input);
        let output = program.wait_with_output().expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.success(), text(&output.stdout) + &text(&output.stderr))
    };
    let names = ["--practice=Oak Clinic", "--first-name=Olga", "--last-name=Oak", "--email=olga@oak.test"];
    let create = [&["account", "create", "--username=olga"], &names[..]].concat();
    assert!(run(&["migrate"]).0);
    assert_eq!(run(&create), (true, "The account olga is there.\n".to_owned()));
    assert!(!run(&create).0, "there is one already");
    let authority = open(&data, Arc::new(SystemClock)).await;
    let session = sign_in(&authority, "olga", PASSWORD).await.expect("the password of the input");
    let signed_in = sessions::find(&authority, &session).await.expect("a database").expect("a session");
    assert!(signed_in.administrator().is_some(), "the owner of a new practice");

    for _ in 0..6 {
        sign_in(&authority, "olga", "wrong").await.expect_err("wrong");
    }
    sign_in(&authority, "olga", PASSWORD).await.expect_err("delayed");
    assert_eq!(run(&["account", "unlock", "olga"]), (true, "olga is unlocked.\n".to_owned()));
    sign_in(&authority, "olga", PASSWORD).await.expect("no delay any more");

    let (is_done, text) = run(&["account", "reset-two-factor", "olga@oak.test"]);
    assert!(is_done && text.contains("the next sign-in leads into set-up"), "{text}");
    assert!(sessions::recognise(&authority, &session).await.expect("a database").is_none(), "it is signed out");
    let session = sign_in(&authority, "olga", PASSWORD).await.expect("the password stays");
    let session = sessions::recognise(&authority, &session).await.expect("a database");
    assert!(matches!(session, Some(Session::MustEnrol(_))));
    for command in ["unlock", "reset-two-factor"] {
        assert!(!run(&["account", command, "nobody"]).0, "{command} of nobody");
    }

    let (_, trail) = run(&["audit", "export", "--practice", "Oak Clinic"]);
    let by_operator =
        |event: &str| trail.lines().any(|row| row.contains(&format!("\"{event}\"")) && row.contains("\"operator\""));
    for event in ["practice-created", "staff-added", "account-unlocked", "two-factor-reset"] {
        assert!(by_operator(event), "{event}: {trail}");
    }
}

#[tokio::test]
async fn a_trail_is_exported_and_verified_by_the_program() {
    let folder = tempfile::tempdir().expect("a folder");
    let export = folder.path().join("export.jsonl");
    let path = export.to_str().expect("a path");
    let run = |arguments: &[&str], needs_settings: bool| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_twofold"));
        program.env_clear().arg("audit").args(arguments);
        if needs_settings {
            program.arg("--dev").arg("--data-dir").arg(folder.path().join("data"));
        }
        let output = program.output().expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    assert!(twofold("migrate", folder.path(), &["--dev"]).status.success());
    let (code, text, _) = run(&["verify"], true);
    assert_eq!((code, text.as_str()), (Some(0), ""), "no practice yet");

    leave_a_trail(&folder.path().join("data")).await;
    let (code, text, error) = run(&["verify"], true);
    assert!(code == Some(0) && text.starts_with("Sample Practice (") && text.ends_with("rows, unbroken.\n"), "{error}");
    let (code, _, error) = run(&["export", "--practice", "Nobody's"], true);
    assert!(code == Some(1) && error.contains("there is no practice Nobody's"), "{error}");
    let (code, _, error) = run(&["export", "--practice", "Sample Practice", "--output", path], true);
    assert_eq!(code, Some(0), "{error}");
    assert_eq!(fs::metadata(&export).expect("a file").permissions().mode() & 0o777, 0o600);

    for (arguments, needs_settings) in
        [(&["verify", "--file", path][..], false), (&["verify", "--file", path, "--practice", "Sample Practice"], true)]
    {
        let (code, text, error) = run(arguments, needs_settings);
        assert!(code == Some(0) && text.contains(" rows, unbroken."), "{text}{error}");
    }
    let head = format!("1:{}", "0".repeat(64));
    let (code, _, error) = run(&["verify", "--practice", "Sample Practice", "--head", &head], true);
    assert!(code == Some(1) && error.contains("does not have row 1 as it is there"), "{error}");

    let text = fs::read_to_string(&export).expect("text");
    fs::write(&export, text.replacen("password-wrong", "password-right", 1)).expect("altered");
    let (code, _, error) = run(&["verify", "--file", path], false);
    assert!(code == Some(1) && error.starts_with("twofold: ") && error.ends_with("was altered.\n"), "{error}");
    assert!(error.contains(": Row 1 ("), "{error}");
}

#[tokio::test]
async fn what_retention_left_verifies_and_says_where_it_begins() {
    const SEVEN_YEARS: Duration = Duration::from_hours(7 * 366 * 24);
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let run = |arguments: &[&str]| {
        let mut program = Command::new(env!("CARGO_BIN_EXE_twofold"));
        program.env_clear().arg("audit").args(arguments).arg("--dev").arg("--data-dir").arg(&data);
        let output = program.output().expect("the program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let practice = ["--practice", "Sample Practice"];
    let export = |name: &str| {
        let path = folder.path().join(name).to_str().expect("a path").to_owned();
        let (code, text) = run(&[&["export", "--output", &path], &practice[..]].concat());
        assert_eq!(code, Some(0), "{text}");
        path
    };
    assert!(twofold("migrate", folder.path(), &["--dev"]).status.success());
    let long_ago = Arc::new(ShiftedClock::standing(SystemClock.now() - SEVEN_YEARS));
    leave_a_trail_at(&data, long_ago.clone()).await;
    let before = export("before.jsonl");
    leave_a_trail_at(&data, long_ago).await;
    let authority = leave_a_trail_at(&data, Arc::new(SystemClock)).await;
    let applied = audit_trail::apply_retention(&authority).await.expect("a database");
    assert!(applied.removed > 0 && applied.blocked.is_empty(), "{applied:?}");

    let begins = format!("begins with row {}: what was before was removed for its age.", applied.removed + 1);
    let after = export("after.jsonl");
    for arguments in
        [vec!["verify"], vec!["verify", "--file", &after], [&["verify", "--file", &after], &practice[..]].concat()]
    {
        let (code, text) = run(&arguments);
        assert!(code == Some(0) && text.contains("rows, unbroken.") && text.contains(&begins), "{arguments:?}: {text}");
    }
    let (code, text) = run(&[&["verify", "--file", &before], &practice[..]].concat());
    assert!(code == Some(0) && text.contains("have been removed from the database for their age"), "{text}");
    let head = format!("1:{}", "0".repeat(64));
    let (code, text) = run(&[&["verify", "--head", &head], &practice[..]].concat());
    assert!(code == Some(1) && text.contains("row 1 was removed for its age"), "{text}");
}

#[test]
fn the_help_tells_every_setting_with_its_variable_and_no_value_of_a_secret() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_twofold"));
    program.env("TWOFOLD_SMS_TOKEN", "hush").env("TWOFOLD_DATABASE_URL", "postgres://u:hush@h/d");
    let output = program.args(["serve", "--help"]).output().expect("the program runs");
    let help = String::from_utf8(output.stdout).expect("text");
    for setting in
        ["listen", "data-dir", "database-url", "public-url", "master-key-file", "trusted-proxies", "hashing-slots"]
    {
        assert!(help.contains(&format!("--{setting} <")), "{setting}");
        let variable = format!("TWOFOLD_{}", setting.replace('-', "_").to_uppercase());
        assert!(help.contains(&variable), "{variable}");
    }
    assert!(help.contains("[default: 127.0.0.1:3000]") && !help.contains("hush"), "{help}");
}
