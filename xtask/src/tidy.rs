//! The rules of the house that no compiler checks. Each is a function from text to findings, with tests of its own.

mod arrows;
mod dependencies;
mod documents;
mod sources;
mod wasm_graph;

use anyhow::{Result, ensure};

use crate::project;

/// Folders of what others wrote, and of what a run leaves behind. Git ignores them too.
const NOT_OURS: [&str; 4] = ["node_modules", "target", "playwright-report", "test-results"];

/// What a rule has against the tree: one line each, with the place in it.
type Findings = Vec<String>;

/// A rule's name and what it found.
type Rule = (&'static str, fn() -> Result<Findings>);

const RULES: [Rule; 8] = [
    ("crates depend on each other only along the arrows", arrows::check),
    ("every dependency tells its purpose", dependencies::check),
    ("SQL only in the store", sources::sql),
    ("HTTP only in server and app", sources::http),
    ("no server function reads its arguments from a GET", sources::get_functions),
    ("nothing unfinished, skipped or ignored", sources::unfinished),
    ("documents name only what exists", documents::check),
    ("nothing heavy in the browser's half", wasm_graph::check),
];

/// Runs every rule and prints what was checked.
pub(crate) fn check() -> Result<String> {
    let mut broken = 0;
    for (name, rule) in RULES {
        let findings = rule()?;
        println!("{} {name}", if findings.is_empty() { "ok    " } else { "BROKEN" });
        for finding in &findings {
            println!("       {finding}");
        }
        broken += usize::from(!findings.is_empty());
    }
    ensure!(broken == 0, "{broken} of {} rules broken", RULES.len());
    Ok(format!("{} rules", RULES.len()))
}

/// A text file of the repository.
struct Source {
    /// From the root, with slashes.
    path: String,
    text: String,
}

fn is_ours(path: &str) -> bool {
    !path.split('/').any(|part| NOT_OURS.contains(&part))
}

/// The files below the given folders (or the files of that name) that have one of the endings, in a stable order.
fn sources(places: &[&str], endings: &[&str]) -> Result<Vec<Source>> {
    let mut found = Vec::new();
    for place in places {
        let here = project::root().join(place);
        let below = if here.is_file() { vec![std::path::PathBuf::new()] } else { project::files_below(&here)? };
        for relative in below {
            let path = if relative.as_os_str().is_empty() { here.clone() } else { here.join(&relative) };
            let shown = path.strip_prefix(project::root()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            if is_ours(&shown) && endings.iter().any(|ending| shown.ends_with(ending)) {
                found.push(Source { text: std::fs::read_to_string(&path)?, path: shown });
            }
        }
    }
    Ok(found)
}

/// The lines of a Rust file with their numbers, comments cut off. A `//` inside a string is taken for a comment unless a
/// colon stands before it, which is enough for rules that look for paths and calls.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines().enumerate().map(|(index, line)| {
        let comment = line.match_indices("//").map(|(at, _)| at).find(|&at| !line[..at].ends_with(':'));
        (index + 1, &line[..comment.unwrap_or(line.len())])
    })
}

/// Whether `word` stands in the line as a whole identifier.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    line.match_indices(word).any(|(at, _)| {
        !line[..at].chars().next_back().is_some_and(is_part)
            && !line[at + word.len()..].chars().next().is_some_and(is_part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_or_a_run_left_is_not_ours() {
        assert!(is_ours("end2end/specs/target_page.spec.ts"));
        for path in ["end2end/playwright-report/trace/a.js", "end2end/test-results/a.ts", "a/node_modules/b.ts"] {
            assert!(!is_ours(path), "{path}");
        }
    }

    #[test]
    fn comments_are_no_code_and_addresses_are_no_comments() {
        let lines: Vec<_> = code_lines("let a = 1; // sqlx\n// sqlx\nlet b = \"https://x\";").collect();
        assert_eq!(lines, [(1, "let a = 1; "), (2, ""), (3, "let b = \"https://x\";")]);
    }

    #[test]
    fn a_word_is_whole() {
        assert!(has_word("use sqlx::Any;", "sqlx"));
        assert!(has_word("sqlx", "sqlx"));
        assert!(!has_word("use my_sqlx::Any;", "sqlx"));
        assert!(!has_word("sqlx2", "sqlx"));
    }
}
