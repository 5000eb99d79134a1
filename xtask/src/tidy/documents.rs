//! What the documents name in backticks exists: paths, crates and what is in them, and commands.

use std::collections::BTreeSet;

use anyhow::Result;

use super::{Findings, has_word, sources};
use crate::{COMMANDS, project};

/// The first parts of paths that are ours to keep true. `target/` is not: it is made by the build.
const TOP: [&str; 18] = [
    ".cargo",
    ".ci",
    "app",
    "authenticator",
    "authority",
    "docs",
    "domain",
    "end2end",
    "frontend",
    "migrations",
    "public",
    "server",
    "style",
    "trail",
    "vault",
    "verifier",
    "xtask",
    "README.md",
];

pub(super) fn check() -> Result<Findings> {
    let mut findings = Findings::new();
    let workspace = Workspace::read()?;
    let documents = [
        "docs",
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "SECURITY.md",
        "authority/README.md",
        "end2end/README.md",
    ];
    for document in sources(&documents, &[".md"])? {
        for (number, mention) in mentions(&document.text) {
            if let Some(wrong) = workspace.objection_to(mention) {
                findings.push(format!("{}:{number}: {wrong}", document.path));
            }
        }
    }
    Ok(findings)
}

/// What the documents are held against.
struct Workspace {
    /// Our crates and, one text each, all their source.
    ours: Vec<(&'static str, String)>,
    /// The names of all crates in the lock file.
    locked: BTreeSet<String>,
}

impl Workspace {
    fn read() -> Result<Self> {
        let mut ours = Vec::new();
        for name in
            ["domain", "vault", "trail", "authority", "app", "frontend", "authenticator", "verifier", "server", "xtask"]
        {
            let mut text = String::new();
            for source in sources(&[name], &[".rs"])? {
                // A module's name is in its path, where its parent may be written by a macro.
                text.push_str(&source.path);
                text.push('\n');
                text.push_str(&source.text);
            }
            ours.push((name, text));
        }
        let lock = std::fs::read_to_string(project::root().join("Cargo.lock"))?;
        let locked = lock
            .lines()
            .filter_map(|line| line.strip_prefix("name = \""))
            .map(|name| name.trim_end_matches('"').replace('-', "_"))
            .collect();
        Ok(Self { ours, locked })
    }

    /// What is wrong with a mention, if it is one of those we can judge.
    fn objection_to(&self, mention: &str) -> Option<String> {
        if let Some(words) = mention.strip_prefix("cargo xtask ") {
            let command = words.split_whitespace().next().unwrap_or_default();
            let is_known = COMMANDS.contains(&command) || !command.bytes().all(|byte| byte.is_ascii_lowercase());
            return (!is_known).then(|| format!("there is no `cargo xtask {command}`"));
        }
        if let Some(path) = repository_path(mention) {
            return (!project::root().join(path).exists()).then(|| format!("there is no `{path}`"));
        }
        let (name, inside) = crate_path(mention)?;
        if let Some((_, text)) = self.ours.iter().find(|(ours, _)| *ours == name) {
            let missing = inside.split("::").find(|word| !has_word(text, word))?;
            return Some(format!("`{mention}`: `{missing}` is not in {name}"));
        }
        let is_known = self.locked.contains(name) || ["std", "core", "alloc", "crate"].contains(&name);
        // A type may have a path too: `Challenge::open`.
        let is_crate = name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_' || byte.is_ascii_digit());
        (is_crate && !is_known && !self.is_module(name)).then(|| format!("`{mention}`: there is no crate {name}"))
    }

    /// Whether one of our crates has this word, as `sign_in::with_token` names a module and no crate.
    fn is_module(&self, name: &str) -> bool {
        self.ours.iter().any(|(_, text)| text.contains(&format!("mod {name};")))
    }
}

/// The texts in single backticks, with the numbers of their lines. Fenced blocks are left out: they show, they do not name.
fn mentions(document: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut fenced = false;
    for (index, line) in document.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if !fenced {
            found.extend(line.split('`').skip(1).step_by(2).map(|mention| (index + 1, mention.trim())));
        }
    }
    found
}

/// The mention as a path of ours, if it looks like one: `domain/src/totp.rs`, `style/`.
fn repository_path(mention: &str) -> Option<&str> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/".contains(&byte);
    let (first, _) = mention.split_once('/').unwrap_or((mention, ""));
    let is_path = mention.contains('/') || mention.contains('.');
    (is_path && TOP.contains(&first) && mention.bytes().all(is_plain)).then_some(mention)
}

/// The mention as a path into a crate: `domain::totp`, `leptos::mount`. A call's parentheses are no part of it.
fn crate_path(mention: &str) -> Option<(&str, &str)> {
    let path = mention.split('(').next()?.trim_end_matches('!');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_:".contains(&byte);
    let (name, inside) = path.split_once("::")?;
    let is_path = !name.is_empty() && !inside.is_empty() && !inside.ends_with(':') && path.bytes().all(is_plain);
    is_path.then_some((name, inside))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace() -> Workspace {
        Workspace {
            ours: vec![("domain", "pub mod totp;\npub fn matched_step() {}".to_owned())],
            locked: BTreeSet::from(["leptos".to_owned()]),
        }
    }

    #[test]
    fn mentions_are_what_stands_in_backticks_outside_of_blocks() {
        let document = "See `a` and `b`.\n```\n`c`\n```\n`d`\n";
        assert_eq!(mentions(document), [(1, "a"), (1, "b"), (5, "d")]);
    }

    #[test]
    fn a_path_that_is_gone_is_found() {
        let workspace = workspace();
        assert_eq!(workspace.objection_to("xtask/src/main.rs"), None);
        assert_eq!(workspace.objection_to("xtask/src/gone.rs").as_deref(), Some("there is no `xtask/src/gone.rs`"));
    }

    #[test]
    fn what_is_no_path_of_ours_is_left_alone() {
        let workspace = workspace();
        for mention in ["target/release/twofold", "/login/token", "text/html", "app", "server.listen = x", "*.md"] {
            assert_eq!(workspace.objection_to(mention), None, "{mention}");
        }
    }

    #[test]
    fn names_in_our_crates_exist() {
        let workspace = workspace();
        assert_eq!(workspace.objection_to("domain::totp::matched_step()"), None);
        assert_eq!(workspace.objection_to("totp::matched_step"), None);
        assert_eq!(
            workspace.objection_to("domain::totp::gone").as_deref(),
            Some("`domain::totp::gone`: `gone` is not in domain")
        );
    }

    #[test]
    fn crates_are_in_the_lock_file() {
        let workspace = workspace();
        assert_eq!(workspace.objection_to("leptos::mount"), None);
        assert_eq!(workspace.objection_to("std::time"), None);
        assert_eq!(workspace.objection_to("Challenge::open"), None);
        assert_eq!(workspace.objection_to("react::mount").as_deref(), Some("`react::mount`: there is no crate react"));
    }

    #[test]
    fn commands_exist() {
        let workspace = workspace();
        assert_eq!(workspace.objection_to("cargo xtask test tidy"), None);
        assert_eq!(workspace.objection_to("cargo xtask COMMAND"), None);
        assert_eq!(workspace.objection_to("cargo xtask deploy").as_deref(), Some("there is no `cargo xtask deploy`"));
    }
}
