//! The development server: built, started, and left in charge of the terminal.

use std::process::Command;

use anyhow::Result;

use crate::project::{cargo, command, run, say, target_dir};
use crate::setup;
use crate::site::{self, Flavour};

/// Builds the development site and the server, and becomes the server.
pub(crate) fn serve(arguments: &[String]) -> Result<()> {
    setup::setup(setup::SERVE)?;
    site::build(Flavour::Dev)?;
    say("server");
    build_server()?;
    become_program(command(server_program()?).args(flags(arguments)))
}

/// Compiles the development server.
pub(crate) fn build_server() -> Result<()> {
    run(cargo().args(["build", "--package", "server"]))
}

/// Where [`build_server`] leaves it.
pub(crate) fn server_program() -> Result<std::path::PathBuf> {
    Ok(target_dir()?.join("debug").join(format!("twofold{}", std::env::consts::EXE_SUFFIX)))
}

/// The server's flags: ours, unless the person chose otherwise.
fn flags(arguments: &[String]) -> Vec<String> {
    let is_given = |flag: &str| {
        arguments
            .iter()
            .any(|argument| argument.strip_prefix(flag).is_some_and(|rest| rest.is_empty() || rest.starts_with('=')))
    };
    let mut flags = vec!["serve".to_owned()];
    if !is_given("--dev") {
        flags.push("--dev".to_owned());
    }
    for (flag, value) in [("--listen", "127.0.0.1:3000"), ("--data-dir", "target/dev-data")] {
        if !is_given(flag) {
            flags.extend([flag.to_owned(), value.to_owned()]);
        }
    }
    flags.extend_from_slice(arguments);
    flags
}

/// Replaces this process, so that the terminal's signals reach the server alone and it can stop in its own time.
#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<()> {
    use std::os::unix::process::CommandExt;
    Err(anyhow::Error::new(command.exec()).context("cannot start the server"))
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<()> {
    run(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags_for(arguments: &[&str]) -> String {
        flags(&arguments.iter().map(|&argument| argument.to_owned()).collect::<Vec<_>>()).join(" ")
    }

    #[test]
    fn a_newcomer_types_nothing() {
        assert_eq!(flags_for(&[]), "serve --dev --listen 127.0.0.1:3000 --data-dir target/dev-data");
    }

    #[test]
    fn what_the_person_chooses_is_not_given_twice() {
        assert_eq!(
            flags_for(&["--listen=127.0.0.1:4000", "--data-dir", "/tmp/x"]),
            "serve --dev --listen=127.0.0.1:4000 --data-dir /tmp/x"
        );
    }
}
