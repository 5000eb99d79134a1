//! Everything continuous integration runs, step by step, with a summary of what ran.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};

use crate::postgres::{Cluster, with_postgres};
use crate::project::{cargo, find_program, moment, root, run, run_and_keep, say};
use crate::setup::{self, Need};
use crate::site::{self, Flavour};
use crate::{serve, size, tidy, wasm};

/// A part of the test run that can be asked for alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Part {
    Tidy,
    Unit,
    Size,
    Browser,
}

impl Part {
    const ALL: [Self; 4] = [Self::Tidy, Self::Unit, Self::Size, Self::Browser];

    fn parse(name: &str) -> Result<Self> {
        match name {
            "tidy" => Ok(Self::Tidy),
            "unit" => Ok(Self::Unit),
            "size" => Ok(Self::Size),
            "browser" => Ok(Self::Browser),
            _ => bail!("there is no part `{name}`: tidy, unit, size, browser"),
        }
    }

    const fn needs(self) -> &'static [Need] {
        match self {
            Self::Tidy => setup::TIDY,
            Self::Unit => setup::UNIT,
            Self::Size => setup::BUILD,
            Self::Browser => setup::BROWSER,
        }
    }
}

/// One thing that is run. Its function returns a few words for the summary.
struct Step {
    part: Part,
    name: &'static str,
    run: fn() -> Result<String>,
}

/// All steps, the quick ones first.
const STEPS: [Step; 9] = [
    Step { part: Part::Tidy, name: "format", run: format },
    Step { part: Part::Tidy, name: "rules of the house", run: tidy::check },
    Step { part: Part::Tidy, name: "lints", run: lints },
    Step { part: Part::Tidy, name: "documentation", run: documentation },
    Step { part: Part::Unit, name: "the build's own tests", run: build_tests },
    Step { part: Part::Unit, name: "the authenticator's own tests", run: authenticator_tests },
    Step { part: Part::Unit, name: "unit, contract and route tests", run: product_tests },
    Step { part: Part::Size, name: "size budgets", run: size::check },
    Step { part: Part::Browser, name: "browser tests", run: browser_tests },
];

/// `cargo xtask test`. Stops at the first step that fails, because the later ones cost minutes.
pub(crate) fn test(arguments: &[String]) -> Result<()> {
    let parts = if arguments.is_empty() {
        Part::ALL.to_vec()
    } else {
        arguments.iter().map(|name| Part::parse(name)).collect::<Result<_>>()?
    };
    let mut needs: Vec<Need> = parts.iter().flat_map(|part| part.needs()).copied().collect();
    needs.sort_unstable();
    needs.dedup();
    setup::setup(&needs)?;

    let steps: Vec<_> = STEPS.iter().filter(|step| parts.contains(&step.part)).collect();
    let started = moment();
    let mut summary = Vec::new();
    let mut failure = None;
    for step in &steps {
        if failure.is_some() {
            summary.push(format!("not run  {:>8}  {}", "", step.name));
            continue;
        }
        say(&format!("test: {}", step.name));
        let step_started = moment();
        let outcome = (step.run)();
        let seconds = seconds(step_started.elapsed());
        match outcome {
            Ok(words) if words.is_empty() => summary.push(format!("ok       {seconds:>8}  {}", step.name)),
            Ok(words) => summary.push(format!("ok       {seconds:>8}  {}: {words}", step.name)),
            Err(error) => {
                summary.push(format!("FAILED   {seconds:>8}  {}: {error:#}", step.name));
                failure = Some(step.name);
            }
        }
    }

    say("what ran");
    for line in summary {
        eprintln!("{line}");
    }
    eprintln!("{:>17}  in all", seconds(started.elapsed()));
    failure.map_or(Ok(()), |name| Err(anyhow!("failed at: {name}")))
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

fn format() -> Result<String> {
    run(cargo().args(["fmt", "--all", "--check"]))?;
    Ok(String::new())
}

/// The programs of the browser's half.
const BROWSER: [&str; 3] = ["frontend", "authenticator", "verifier"];
/// Everything else.
const WITHOUT_BROWSER: [&str; 6] = ["--exclude", "frontend", "--exclude", "authenticator", "--exclude", "verifier"];

/// The native half and the browser's half, each as it is really compiled: together they would switch on both of Leptos's
/// modes at once.
fn lints() -> Result<String> {
    run(cargo().args(["clippy", "--workspace"]).args(WITHOUT_BROWSER).args(["--all-targets", "--", "-Dwarnings"]))?;
    for program in BROWSER {
        let target = ["--target", wasm::TARGET, "--all-targets"];
        run(cargo().args(["clippy", "--package", program]).args(target).args(["--", "-Dwarnings"]))?;
    }
    Ok("native and WASM".to_owned())
}

/// Private items included, for readers of the code are the only readers; so a link to a private item is right.
fn documentation() -> Result<String> {
    run(cargo()
        .args(["doc", "--workspace"])
        .args(WITHOUT_BROWSER)
        .args(["--no-deps", "--document-private-items"])
        // Private items are documented here, so links to them lead somewhere.
        .env("RUSTDOCFLAGS", "-Dwarnings -Arustdoc::private-intra-doc-links"))?;
    Ok(String::new())
}

/// xtask apart from the rest, so that neither is compiled with features that only the other asks for.
fn build_tests() -> Result<String> {
    tests_alone("xtask")
}

/// Natively, and apart from the rest: beside the server it would be compiled for rendering on one, which it never does.
fn authenticator_tests() -> Result<String> {
    tests_alone("authenticator")
}

fn tests_alone(package: &str) -> Result<String> {
    let test = cargo_test(&["--package", package]);
    let mut cargo = cargo();
    cargo.args(&test[1..]);
    Ok(count(&run_and_keep(&mut cargo)?))
}

fn product_tests() -> Result<String> {
    let test = cargo_test(&[&["--workspace", "--exclude", "xtask"], &WITHOUT_BROWSER[..]].concat());
    let words: Vec<_> = test.iter().map(String::as_str).collect();
    Ok(count(&run_and_keep(&mut with_postgres(Cluster::ForTests, &words)?)?))
}

/// nextest where it is, for its speed and its summary; else what comes with cargo.
fn cargo_test(packages: &[&str]) -> Vec<String> {
    let runner: &[&str] =
        if find_program("cargo-nextest").is_some() { &["cargo", "nextest", "run"] } else { &["cargo", "test"] };
    runner.iter().chain(packages).chain(&["--no-fail-fast"]).map(|&word| word.to_owned()).collect()
}

fn browser_tests() -> Result<String> {
    site::build(Flavour::Release)?;
    say("server");
    serve::build_server()?;
    say("Playwright");
    let playwright = root().join("end2end/node_modules/@playwright/test/cli.js");
    let mut tests = with_postgres(Cluster::ForTests, &["node", &playwright.to_string_lossy(), "test"])?;
    tests.current_dir(root().join("end2end"));
    tests.env("TWOFOLD_SERVER", serve::server_program()?);
    if let Some(chromium) = setup::chromium() {
        tests.env("TWOFOLD_CHROMIUM", chromium);
    }
    Ok(count(&run_and_keep(&mut tests)?))
}

/// How many tests ran, from what the runner printed: a line of nextest, the lines of cargo's own runner, or Playwright's.
fn count(printed: &str) -> String {
    if let Some((_, summary)) = printed.lines().rev().find_map(|line| line.split_once(" tests run: ")) {
        return plain(summary);
    }
    let passed: usize = printed
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. "))
        .filter_map(|rest| rest.split_once(" passed"))
        .filter_map(|(count, _)| count.parse::<usize>().ok())
        .sum();
    if passed > 0 {
        return format!("{passed} passed");
    }
    printed.lines().map(plain).filter(|line| line.ends_with(')') && line.contains(" passed (")).collect()
}

/// A line without the terminal's colours.
fn plain(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line.trim();
    while let Some((before, escape)) = rest.split_once('\u{1b}') {
        text.push_str(before);
        rest = escape.split_once('m').map_or("", |(_, after)| after);
    }
    text.push_str(rest);
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_summary_counts_what_each_runner_ran() {
        let nextest = "   Summary [   0.021s] 12 tests run: 12 passed, 1 skipped\n";
        assert_eq!(count(nextest), "12 passed, 1 skipped");
        let cargo = "test result: ok. 3 passed; 0 failed\n\ntest result: ok. 4 passed; 0 failed\n";
        assert_eq!(count(cargo), "7 passed");
        let playwright = "  ok 1 login\n\u{1b}[32m  41 passed\u{1b}[39m\u{1b}[2m (1.2m)\u{1b}[22m\n";
        assert_eq!(count(playwright), "41 passed (1.2m)");
        assert_eq!(count("nothing"), "");
    }

    #[test]
    fn only_known_parts_can_be_asked_for() {
        assert_eq!(Part::parse("unit").expect("a part"), Part::Unit);
        assert!(Part::parse("units").is_err());
    }
}
