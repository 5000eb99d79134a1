//! Each line of `[workspace.dependencies]` says what the crate is for, and the members take their versions from there.

use anyhow::Result;

use super::{Findings, sources};

pub(super) fn check() -> Result<Findings> {
    let mut findings = Findings::new();
    for manifest in sources(&["Cargo.toml"], &["Cargo.toml"])? {
        findings.append(&mut without_purpose(&manifest.text));
    }
    let members =
        ["domain", "vault", "trail", "authority", "app", "frontend", "authenticator", "verifier", "server", "xtask"];
    for manifest in sources(&members, &["/Cargo.toml"])? {
        findings.extend(own_versions(&manifest.text).into_iter().map(|line| format!("{}: {line}", manifest.path)));
    }
    Ok(findings)
}

/// Dependencies without a purpose. Our own crates have theirs in their own manifests.
fn without_purpose(manifest: &str) -> Findings {
    section_lines(manifest, |section| section == "workspace.dependencies")
        .filter(|line| !line.contains("path = "))
        .filter(|line| line.rsplit_once("# ").is_none_or(|(_, purpose)| purpose.trim().is_empty()))
        .map(|line| format!("Cargo.toml: no purpose beside `{line}`"))
        .collect()
}

/// Dependencies of a member that do not come from the workspace.
fn own_versions(manifest: &str) -> Findings {
    section_lines(manifest, |section| section.ends_with("dependencies"))
        .filter(|line| !line.contains("workspace = true"))
        .map(|line| format!("`{line}` is not taken from the workspace"))
        .collect()
}

/// The lines that hold something in the sections whose names are wanted.
fn section_lines(manifest: &str, is_wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = &str> {
    let mut inside = false;
    manifest.lines().map(str::trim).filter(move |line| {
        if let Some(section) = line.strip_prefix('[').filter(|_| !line.contains('=')) {
            inside = is_wanted(section.trim_end_matches(']'));
            return false;
        }
        inside && !line.is_empty() && !line.starts_with('#')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_without_a_purpose_is_found() {
        let manifest = "[workspace.dependencies]\n# Ours.\ndomain = { path = \"domain\" }\na = \"1\" # does a\nb = \"1\"\n\n[profile.dev]\ndebug = 1\n";
        assert_eq!(without_purpose(manifest), ["Cargo.toml: no purpose beside `b = \"1\"`"]);
    }

    #[test]
    fn members_take_versions_from_the_workspace() {
        let manifest = "[package]\nname = \"x\"\n[dependencies]\na.workspace = true\nb = { workspace = true, optional = true }\n[dev-dependencies]\nc = \"1\"\n[target.'cfg(unix)'.dependencies]\nd = \"2\"\n";
        assert_eq!(
            own_versions(manifest),
            ["`c = \"1\"` is not taken from the workspace", "`d = \"2\"` is not taken from the workspace"]
        );
    }
}
