//! Rules about words in the source.

use anyhow::Result;

use super::{Findings, Source, code_lines, has_word, sources};

/// The crates of the product.
const PRODUCT: [&str; 9] = [
    "domain/src",
    "vault/src",
    "trail/src",
    "authority/src",
    "app/src",
    "frontend/src",
    "authenticator/src",
    "verifier/src",
    "server/src",
];

/// SQL stands in the store, behind which the two databases look the same.
pub(super) fn sql() -> Result<Findings> {
    Ok(sources(&PRODUCT, &[".rs"])?.iter().filter(|source| !is_store(&source.path)).flat_map(sql_in).collect())
}

fn is_store(path: &str) -> bool {
    path == "authority/src/store.rs" || path.starts_with("authority/src/store/")
}

fn sql_in(source: &Source) -> Findings {
    const STATEMENTS: [&str; 6] =
        ["\"SELECT ", "\"INSERT INTO ", "\"UPDATE ", "\"DELETE FROM ", "\"CREATE TABLE ", "\"BEGIN"];
    found_in(source, |line| {
        if has_word(line, "sqlx") {
            return Some("sqlx");
        }
        STATEMENTS.into_iter().find(|statement| line.contains(statement)).map(|statement| &statement[1..])
    })
}

/// The rules and the use cases know no HTTP, so that they can be told in a test without it. Gateways call others by
/// `reqwest`, which is another matter.
pub(super) fn http() -> Result<Findings> {
    let places =
        ["domain/src", "vault/src", "trail/src", "authority/src", "frontend/src", "authenticator/src", "verifier/src"];
    Ok(sources(&places, &[".rs"])?.iter().flat_map(http_in).collect())
}

fn http_in(source: &Source) -> Findings {
    const CRATES: [&str; 9] =
        ["axum", "axum_extra", "http::", "hyper", "hyper_util", "leptos_axum", "tower", "tower_http", "cookie::"];
    found_in(source, |line| {
        CRATES.into_iter().find(|name| has_word(line, name.trim_end_matches(':')) && line.contains(name))
    })
}

/// A function that reads its arguments from a GET is reachable by a link, which no same-site cookie stops.
pub(super) fn get_functions() -> Result<Findings> {
    Ok(sources(&["app/src", "app/tests"], &[".rs"])?.iter().flat_map(get_functions_in).collect())
}

fn get_functions_in(source: &Source) -> Findings {
    found_in(source, |line| ["GetUrl", "GetCbor", "GetJson"].into_iter().find(|input| has_word(line, input)))
}

/// What is not finished is an issue, not a note in the source; a test that does not run is none.
pub(super) fn unfinished() -> Result<Findings> {
    let places = [
        "domain",
        "vault",
        "trail",
        "authority",
        "app",
        "frontend",
        "authenticator",
        "verifier",
        "server",
        "xtask/src",
        "style",
        "migrations",
        "end2end",
        "public",
    ];
    let endings = [".rs", ".ts", ".js", ".mjs", ".css", ".sql", ".toml"];
    // This file has to name what it looks for.
    let this_file = "xtask/src/tidy/sources.rs";
    Ok(sources(&places, &endings)?.iter().filter(|source| source.path != this_file).flat_map(unfinished_in).collect())
}

fn unfinished_in(source: &Source) -> Findings {
    const IN_RUST: [&str; 6] = ["todo!(", "unimplemented!(", "#[ignore", "dbg!(", "#[allow(", "FIXME"];
    const ELSEWHERE: [&str; 6] = ["test.skip", "test.fixme", "describe.skip", ".only(", "waitForTimeout", "FIXME"];
    let is_rust = std::path::Path::new(&source.path).extension().is_some_and(|extension| extension == "rs");
    let words = if is_rust { IN_RUST } else { ELSEWHERE };
    let mut findings = Findings::new();
    for (index, line) in source.text.lines().enumerate() {
        for word in words.iter().filter(|word| line.contains(**word)) {
            findings.push(format!("{}:{}: {word}", source.path, index + 1));
        }
    }
    findings
}

/// Each line of code in which a word is found, with its place.
fn found_in<'a>(source: &Source, find: impl Fn(&str) -> Option<&'a str>) -> Findings {
    code_lines(&source.text)
        .filter_map(|(number, line)| find(line).map(|word| format!("{}:{number}: {}", source.path, word.trim())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn sql_outside_the_store_is_found() {
        let text = "// sqlx is far away\nuse sqlx::Any;\nlet text = \"SELECT 1\";\n";
        assert_eq!(sql_in(&source("app/src/a.rs", text)), ["app/src/a.rs:2: sqlx", "app/src/a.rs:3: SELECT"]);
        assert!(is_store("authority/src/store/challenges.rs"));
        assert!(!is_store("authority/src/storekeeper.rs"));
    }

    #[test]
    fn http_in_the_authority_is_found_and_addresses_are_not() {
        let text = "use http::StatusCode;\nlet url = \"http://gateway\";\nuse axum::Router;\n";
        assert_eq!(
            http_in(&source("authority/src/a.rs", text)),
            ["authority/src/a.rs:1: http::", "authority/src/a.rs:3: axum"]
        );
    }

    #[test]
    fn a_get_function_is_found() {
        let text = "#[server(input = GetUrl)]\n";
        assert_eq!(get_functions_in(&source("app/src/a.rs", text)), ["app/src/a.rs:1: GetUrl"]);
    }

    #[test]
    fn unfinished_work_is_found_by_the_language_it_is_in() {
        let rust = source("app/src/a.rs", "fn a() { todo!() }\n#[ignore]\n");
        assert_eq!(unfinished_in(&rust), ["app/src/a.rs:1: todo!(", "app/src/a.rs:2: #[ignore"]);
        let script = source("end2end/a.spec.ts", "test.only('x')\ntest.skip('y')\n");
        assert_eq!(unfinished_in(&script), ["end2end/a.spec.ts:1: .only(", "end2end/a.spec.ts:2: test.skip"]);
    }
}
