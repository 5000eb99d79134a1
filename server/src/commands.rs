//! The commands of the program.

mod account;
mod audit;
mod check;
mod migrate;
mod open;
mod serve;

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Arguments, Config, ConfigError, LogFormat};

/// Two-factor authentication for medical practices.
#[derive(Parser)]
#[command(name = "twofold", version, max_term_width = 100)]
struct Program {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the practice app.
    Serve(Arguments),
    /// Bring the database to this version, and stop.
    Migrate(Arguments),
    /// Check configuration, master key, database and clock, and stop.
    Check(Arguments),
    /// Create an account, reset its two-factor authentication, or unlock it.
    #[command(subcommand)]
    Account(account::AccountCommand),
    /// Verify or export a practice's audit trail.
    #[command(subcommand)]
    Audit(audit::Command),
}

/// Why a command ended without doing what it is for.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Open(#[from] open::OpenError),
    #[error(transparent)]
    Serve(#[from] serve::ServeError),
    #[error(transparent)]
    Check(#[from] check::CheckError),
    #[error(transparent)]
    Account(#[from] account::AccountError),
    #[error(transparent)]
    Audit(#[from] audit::AuditError),
    #[error("the runtime does not start: {0}")]
    Runtime(#[source] std::io::Error),
}

/// Runs the command that the program was called with.
#[must_use]
pub fn run() -> ExitCode {
    match execute(&Program::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("twofold: {error}");
            ExitCode::FAILURE
        }
    }
}

fn execute(command: &Command) -> Result<(), CommandError> {
    match command {
        Command::Serve(arguments) => with_settings(arguments, async |config| Ok(serve::serve(config).await?)),
        Command::Migrate(arguments) => with_settings(arguments, async |config| Ok(migrate::migrate(config).await?)),
        Command::Check(arguments) => with_settings(arguments, async |config| Ok(check::check(config).await?)),
        Command::Account(command) => {
            with_settings(command.arguments(), async |config| Ok(account::account(config, command).await?))
        }
        Command::Audit(audit::Command::Verify(verify)) => match verify.file_alone() {
            Some(file) => Ok(audit::verify_file(file)?),
            None => with_settings(&verify.arguments, async |config| Ok(audit::verify(config, verify).await?)),
        },
        Command::Audit(audit::Command::Export(export)) => {
            with_settings(&export.arguments, async |config| Ok(audit::export(config, export).await?))
        }
    }
}

/// Checks the settings, starts the log, and does the work.
fn with_settings(
    arguments: &Arguments,
    work: impl AsyncFnOnce(&Config) -> Result<(), CommandError>,
) -> Result<(), CommandError> {
    let config = Config::from_arguments(arguments)?;
    start_log(&config);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(CommandError::Runtime)?;
    runtime.block_on(work(&config))
}

/// From here on everything that happens goes to standard error, our own crates from the chosen level on. The libraries
/// are heard from `warn` on only: below that they tell the headers they read, and cookies are among them.
fn start_log(config: &Config) {
    let level = config.log_level.name();
    let filter = format!("warn,server={level},app={level},authority={level}");
    let log = tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new(filter))
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match config.log_format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        // A formatted message may hold what somebody typed; one that stands in the source cannot.
        let message = panic.payload().downcast_ref::<&str>().copied().unwrap_or("(message withheld)");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, message, "a panic");
    }));
}
