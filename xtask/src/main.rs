//! The project's chores behind one command: `cargo xtask setup | serve | build | test | size | bench`.
//!
//! Each chore is one file; what they share is in [`project`]. Continuous integration calls the same commands, so what is
//! green here is green there.
#![forbid(unsafe_code)]

mod bench;
mod compress;
mod css;
mod postgres;
mod project;
mod release;
mod serve;
mod service_worker;
mod setup;
mod site;
mod size;
mod test;
mod tidy;
mod wasm;

use std::process::ExitCode;

use anyhow::{Result, bail};

/// The commands of `cargo xtask`, which the documents are checked against.
const COMMANDS: [&str; 6] = ["setup", "serve", "build", "test", "size", "bench"];

const HELP: &str = "\
cargo xtask COMMAND

  setup              bring what the other commands need; they call it by themselves
  serve [FLAGS]      build and start the development server on 127.0.0.1:3000;
                     FLAGS go to the server (`cargo xtask serve --help` lists them)
  build              the release binary with the site inside: target/release/twofold
  test [PART…]       everything continuous integration runs, or only these parts:
                       tidy     format, lints, documents, rules of the house
                       unit     unit, contract and route tests, on SQLite and PostgreSQL
                       size     the release site against its size budgets
                       browser  Playwright with Chromium, with and without JavaScript
  size               bytes per file and per route; fails above the budget
  bench              token checks and password steps per second on both databases, and
                     memory, beside plain loops of the same commits and hashes

TWOFOLD_TEST_POSTGRES_URL names a PostgreSQL for the tests where `pg_virtualenv` is missing.
TWOFOLD_CHROMIUM names the Chromium for the browser tests where it is not on PATH.
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nxtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Result<()> {
    let Some((command, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    match command.as_str() {
        "serve" => return serve::serve(rest),
        "test" => return test::test(rest),
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            return Ok(());
        }
        _ => {}
    }
    if let Some(extra) = rest.first() {
        bail!("`cargo xtask {command}` takes no argument `{extra}`");
    }
    match command.as_str() {
        "setup" => setup::setup(setup::EVERYTHING),
        "build" => release::build(),
        "size" => size::size(),
        "bench" => bench::bench(),
        _ => bail!("there is no command `{command}`\n\n{HELP}"),
    }
}
