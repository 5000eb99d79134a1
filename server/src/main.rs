//! The program `twofold`.

use std::process::ExitCode;

fn main() -> ExitCode {
    server::commands::run()
}
