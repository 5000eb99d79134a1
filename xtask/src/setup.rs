//! Brings what is missing on this machine. Cheap when everything is there, so that the other chores call it each time.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::project::{command, find_program, output, root, run, say};
use crate::{postgres, wasm};

/// One thing that a chore relies on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Need {
    /// The standard library for WASM.
    WasmTarget,
    /// The source of the standard library, which the release WASM compiles for size. The only need that may stay unmet.
    RustSource,
    /// `wasm-opt`, from npm.
    WasmOpt,
    /// Playwright, axe and a TOTP library of another hand, from npm.
    BrowserTests,
    /// A browser.
    Chromium,
    /// A server to start for the tests, or the address of one.
    Postgres,
    /// A TOTP tool of another hand.
    Oathtool,
}

/// What the development server takes.
pub(crate) const SERVE: &[Need] = &[Need::WasmTarget];
/// What the release takes.
pub(crate) const BUILD: &[Need] = &[Need::WasmTarget, Need::RustSource, Need::WasmOpt];
/// What format, lints and rules of the house take.
pub(crate) const TIDY: &[Need] = &[Need::WasmTarget];
/// What unit, contract and route tests take.
pub(crate) const UNIT: &[Need] = &[Need::Postgres, Need::Oathtool];
/// What browser tests take, the release site included.
pub(crate) const BROWSER: &[Need] = &[
    Need::WasmTarget,
    Need::RustSource,
    Need::WasmOpt,
    Need::BrowserTests,
    Need::Chromium,
    Need::Postgres,
    Need::Oathtool,
];
/// All of it.
pub(crate) const EVERYTHING: &[Need] = BROWSER;

/// Meets the needs, or says precisely what a person has to install.
pub(crate) fn setup(needs: &[Need]) -> Result<()> {
    install_system_packages(needs)?;
    if needs.contains(&Need::WasmTarget) {
        add_wasm_target()?;
    }
    if needs.contains(&Need::RustSource) && !wasm::has_rust_source()? {
        add_rust_source();
    }
    if needs.contains(&Need::WasmOpt) {
        install_npm_packages(&root().join("xtask"))?;
    }
    if needs.contains(&Need::BrowserTests) {
        install_npm_packages(&root().join("end2end"))?;
    }
    Ok(())
}

fn add_wasm_target() -> Result<()> {
    let library = output(command("rustc").args(["--print=target-libdir", "--target", wasm::TARGET]))?;
    if Path::new(library.trim()).is_dir() {
        return Ok(());
    }
    say("Rust's standard library for WASM");
    if find_program("rustup").is_none() {
        bail!(
            "this Rust lacks the target {} and there is no rustup to add it: install Rust from https://rustup.rs, or \
             your distribution's package with the standard library for {0}",
            wasm::TARGET
        );
    }
    run(command("rustup").args(["target", "add", wasm::TARGET]))
}

/// Tries to add the source; without it the release WASM is larger, which the build says and the size budget judges.
fn add_rust_source() {
    say("Rust's library source, to build the WASM's standard library for size");
    if let Err(error) = run(command("rustup").args(["component", "add", "rust-src"])) {
        eprintln!("going on without it: {error:#}");
    }
}

/// `npm ci` where the lock file changed since the last time.
fn install_npm_packages(folder: &Path) -> Result<()> {
    let lock = std::fs::read(folder.join("package-lock.json"))
        .with_context(|| format!("cannot read {}/package-lock.json", folder.display()))?;
    // Kept inside the folder that `npm ci` deletes first, so that an interrupted installation is not taken for a whole one.
    let installed = folder.join("node_modules/.installed-lock.json");
    if std::fs::read(&installed).is_ok_and(|stamp| stamp == lock) {
        return Ok(());
    }
    say(&format!("npm packages of {}", folder.strip_prefix(root()).unwrap_or(folder).display()));
    run(command(npm()?)
        .current_dir(folder)
        .args(["ci", "--no-audit", "--no-fund"])
        // The browser is the system's.
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1"))?;
    std::fs::write(&installed, lock).with_context(|| format!("cannot write {}", installed.display()))
}

/// npm, once it is sure that the Node.js beside it is new enough for what it shall install.
fn npm() -> Result<PathBuf> {
    const OLDEST: u32 = 20;
    let version = output(command("node").arg("--version")).context("Node.js is needed")?;
    let major = version.trim().trim_start_matches('v').split('.').next().and_then(|major| major.parse().ok());
    if major.is_none_or(|major: u32| major < OLDEST) {
        bail!("Node.js {} is too old, {OLDEST} or newer is needed: https://nodejs.org/en/download", version.trim());
    }
    find_program("npm").or_else(|| find_program("npm.cmd")).context("npm is needed beside Node.js")
}

/// The Chromium for the browser tests.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TWOFOLD_CHROMIUM") {
        return Some(PathBuf::from(named));
    }
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(find_program)
}

/// A program of the system and the packages that bring it.
struct SystemProgram {
    name: &'static str,
    is_there: fn() -> bool,
    /// Packages by package manager, in the order of [`MANAGERS`]; empty where there is none that helps.
    packages: [&'static [&'static str]; MANAGERS.len()],
    otherwise: &'static str,
}

/// The package managers we know: program, arguments to install.
const MANAGERS: [(&str, &[&str]); 4] = [
    ("apt-get", &["install", "--yes", "--no-install-recommends"]),
    ("dnf", &["install", "--assumeyes"]),
    ("pacman", &["--sync", "--needed", "--noconfirm"]),
    ("brew", &["install"]),
];

/// Homebrew is the one that must not run as root.
const ROOTLESS_MANAGER: &str = "brew";

const NODE: SystemProgram = SystemProgram {
    name: "Node.js with npm",
    is_there: || find_program("node").is_some() && (find_program("npm").or_else(|| find_program("npm.cmd"))).is_some(),
    packages: [&["nodejs", "npm"], &["nodejs", "npm"], &["nodejs", "npm"], &["node"]],
    otherwise: "https://nodejs.org/en/download, version 20 or newer",
};

const CHROMIUM: SystemProgram = SystemProgram {
    name: "Chromium",
    is_there: || chromium().is_some(),
    packages: [&["chromium"], &["chromium"], &["chromium"], &["chromium"]],
    otherwise: "any recent Chromium or Chrome, on PATH or named by TWOFOLD_CHROMIUM",
};

const POSTGRES: SystemProgram = SystemProgram {
    name: "PostgreSQL",
    is_there: postgres::is_available,
    packages: [&["postgresql", "postgresql-common"], &[], &[], &[]],
    otherwise: postgres::REMEDY,
};

const OATHTOOL: SystemProgram = SystemProgram {
    name: "oathtool",
    is_there: || find_program("oathtool").is_some(),
    packages: [&["oathtool"], &["oathtool"], &["oath-toolkit"], &["oath-toolkit"]],
    otherwise: "OATH Toolkit, https://oath-toolkit.codeberg.page",
};

fn install_system_packages(needs: &[Need]) -> Result<()> {
    let mut programs = Vec::new();
    if needs.iter().any(|need| matches!(need, Need::WasmOpt | Need::BrowserTests)) {
        programs.push(NODE);
    }
    for (need, program) in [(Need::Chromium, CHROMIUM), (Need::Postgres, POSTGRES), (Need::Oathtool, OATHTOOL)] {
        if needs.contains(&need) {
            programs.push(program);
        }
    }
    programs.retain(|program| !(program.is_there)());
    if programs.is_empty() {
        return Ok(());
    }

    let names: Vec<_> = programs.iter().map(|program| program.name).collect();
    say(&format!("missing on this system: {}", names.join(", ")));
    let manager = MANAGERS.iter().position(|(program, _)| find_program(program).is_some());
    if let Some(manager) = manager {
        let packages: Vec<_> = programs.iter().flat_map(|program| program.packages[manager]).copied().collect();
        if !packages.is_empty() {
            install_with(manager, &packages)?;
        }
    }

    programs.retain(|program| !(program.is_there)());
    if programs.is_empty() {
        return Ok(());
    }
    bail!(advice(&programs, manager))
}

/// What a person has to do, a line for each program.
fn advice(programs: &[SystemProgram], manager: Option<usize>) -> String {
    let mut advice = String::from("please install:");
    for program in programs {
        let how = match manager.map(|manager| (MANAGERS[manager], program.packages[manager])) {
            Some(((tool, arguments), packages @ [_, ..])) => {
                let sudo = if tool == ROOTLESS_MANAGER { "" } else { "sudo " };
                format!("{sudo}{tool} {} {}", arguments.join(" "), packages.join(" "))
            }
            _ => program.otherwise.to_owned(),
        };
        advice.extend(["\n  ", program.name, ": ", &how]);
    }
    advice
}

/// Installs packages where we may: as root, through a `sudo` that asks nothing, or with Homebrew.
fn install_with(manager: usize, packages: &[&str]) -> Result<()> {
    let (tool, arguments) = MANAGERS[manager];
    let prefix: &[&str] = if tool == ROOTLESS_MANAGER || is_root() {
        &[]
    } else if find_program("sudo").is_some() && run(command("sudo").args(["-n", "true"])).is_ok() {
        &["sudo", "-n"]
    } else {
        return Ok(());
    };
    let tool_command = |arguments: &[&str]| {
        let mut words = prefix.iter().chain([&tool]).chain(arguments);
        let mut command = command(words.next().unwrap_or(&tool));
        command.args(words).env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let install: Vec<_> = arguments.iter().chain(packages).copied().collect();
    if run(&mut tool_command(&install)).is_ok() {
        return Ok(());
    }
    // A fresh Debian knows no packages before the first update.
    if tool == "apt-get" {
        run(&mut tool_command(&["update"]))?;
        return run(&mut tool_command(&install));
    }
    bail!("{tool} could not install {}", packages.join(", "))
}

fn is_root() -> bool {
    output(command("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manager(name: &str) -> Option<usize> {
        MANAGERS.iter().position(|(program, _)| *program == name)
    }

    #[test]
    fn the_advice_is_a_command_where_there_is_one() {
        assert_eq!(
            advice(&[OATHTOOL], manager("apt-get")),
            "please install:\n  oathtool: sudo apt-get install --yes --no-install-recommends oathtool"
        );
        assert_eq!(advice(&[NODE], manager("brew")), "please install:\n  Node.js with npm: brew install node");
    }

    #[test]
    fn the_advice_is_a_description_where_no_package_helps() {
        let advice_on_postgres = advice(&[POSTGRES], manager("pacman"));
        assert!(advice_on_postgres.contains("TWOFOLD_TEST_POSTGRES_URL"), "{advice_on_postgres}");
        assert!(advice_on_postgres.contains("pg_virtualenv"), "{advice_on_postgres}");
        assert!(advice(&[CHROMIUM], None).contains("TWOFOLD_CHROMIUM"));
    }
}
