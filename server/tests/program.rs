//! The program itself: it starts with the right master key or not at all (ST-4, faults F-16 and F-17).

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

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
