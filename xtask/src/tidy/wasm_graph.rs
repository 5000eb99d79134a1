//! What may not reach the browser, because of its size or because it belongs to the server.

use std::collections::BTreeSet;

use anyhow::Result;

use super::Findings;
use crate::project::{cargo, output};
use crate::wasm::{self, Program};

/// Crates that are never part of a program of the browser's half.
const BARRED: [&str; 16] = [
    "authority",
    "axum",
    "chrono",
    "chrono-tz",
    "garde",
    "image",
    "jiff",
    "qrcode",
    "reqwest",
    "rlibphonenumber",
    "server",
    "sqlx",
    "tokio",
    "tracing-subscriber",
    "validator",
    "zxcvbn",
];

/// Listed although the linker drops it, because Leptos's configuration asks for it on the server: allowed below that crate
/// alone.
const REGEX: (&str, &str) = ("regex", "leptos_config");

/// What the authenticator brings for its vault, and the practice app does without.
const OF_AUTHENTICATOR: [&str; 4] = ["argon2", "chacha20poly1305", "quircs", "vault"];

pub(super) fn check() -> Result<Findings> {
    let mut findings = check_program(Program::Practice, &[&BARRED[..], &OF_AUTHENTICATOR].concat())?;
    findings.append(&mut check_program(Program::Authenticator, &BARRED)?);
    findings
        .append(&mut check_program(Program::Verifier, &[&BARRED[..], &OF_AUTHENTICATOR, &["app", "leptos"]].concat())?);
    Ok(findings)
}

fn check_program(program: Program, barred: &[&str]) -> Result<Findings> {
    // Macros run on the developer's machine, so what they are made of is not in the WASM.
    let graph = tree(program, &["--prefix=none", "--format={p}"])?;
    let mut findings = barred_in(&graph, barred);
    let (guarded, only_parent) = REGEX;
    if names(&graph).contains(guarded) {
        let parents = tree(program, &["--prefix=depth", "--format= {p}", "--invert", guarded])?;
        findings.extend(
            direct_parents(&parents)
                .into_iter()
                .filter(|parent| parent != only_parent)
                .map(|parent| format!("{guarded} comes in through {parent}")),
        );
    }
    Ok(findings)
}

fn tree(program: Program, arguments: &[&str]) -> Result<String> {
    output(
        cargo()
            .args(["tree", "--locked", "--edges=normal,no-proc-macro", "--package", program.package()])
            .args(["--target", wasm::TARGET])
            .args(arguments),
    )
}

/// The names in a tree without prefixes.
fn names(tree: &str) -> BTreeSet<&str> {
    tree.lines().filter_map(|line| line.split_whitespace().next()).collect()
}

fn barred_in(tree: &str, barred: &[&str]) -> Findings {
    let present = names(tree);
    barred
        .iter()
        .filter(|name| present.contains(*name))
        .map(|name| format!("{name} is in the browser's half"))
        .collect()
}

/// The crates of depth 1 in an inverted tree whose lines are `DEPTH NAME VERSION`.
fn direct_parents(inverted: &str) -> BTreeSet<String> {
    inverted
        .lines()
        .filter_map(|line| line.strip_prefix("1 "))
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_barred_crate_is_found() {
        let graph = "frontend v0.1.0 (/x)\ntokio v1.2.3\nserde v1.0.0\n";
        assert_eq!(barred_in(graph, &BARRED), ["tokio is in the browser's half"]);
        assert!(barred_in("tokio-stream v0.1.0\n", &BARRED).is_empty());
    }

    #[test]
    fn parents_are_the_crates_right_above() {
        let inverted = "0 regex v1\n1 leptos_config v0.8\n2 leptos v0.8\n1 validator v0.2\n";
        assert_eq!(direct_parents(inverted), ["leptos_config", "validator"].map(str::to_owned).into());
    }
}
