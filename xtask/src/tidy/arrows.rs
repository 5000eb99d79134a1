//! `domain <- authority <- app (only with feature ssr) <- server`, `domain <- app <- frontend` and
//! `domain <- vault <- authenticator`, which has the app too; `trail`, which depends on nothing of ours, `<- authority`,
//! `<- server` and `<- verifier`.

use anyhow::Result;
use serde_json::Value;

use super::Findings;

/// Who may depend on whom, of our own crates.
const ARROWS: [(&str, &[&str]); 10] = [
    ("domain", &[]),
    ("vault", &["domain"]),
    ("trail", &[]),
    ("authority", &["domain", "trail"]),
    ("app", &["domain", "authority"]),
    ("frontend", &["domain", "app"]),
    ("authenticator", &["domain", "vault", "app"]),
    ("verifier", &["trail"]),
    ("server", &["domain", "trail", "authority", "app"]),
    ("xtask", &[]),
];

/// Reads the workspace from cargo, which fails here when `Cargo.lock` is behind.
pub(super) fn check() -> Result<Findings> {
    Ok(findings(&crate::project::metadata()?))
}

fn findings(metadata: &Value) -> Findings {
    let mut findings = Findings::new();
    let packages = list(&metadata["packages"]);
    for package in packages {
        let name = text(&package["name"]);
        let Some((_, allowed)) = ARROWS.iter().find(|(known, _)| *known == name) else {
            findings.push(format!("{name} is not in xtask/src/tidy/arrows.rs"));
            continue;
        };
        for dependency in list(&package["dependencies"]).iter().filter(|dependency| dependency["path"].is_string()) {
            let target = text(&dependency["name"]);
            if !allowed.contains(&target) {
                findings.push(format!("{name} depends on {target}"));
            }
            let enabled = list(&dependency["features"]);
            if name == "frontend" && enabled.iter().any(|feature| feature == "ssr") {
                findings.push(format!("frontend switches on {target}/ssr"));
            }
        }
        if name == "app" {
            findings.append(&mut authority_outside_ssr(package));
        }
    }
    findings
}

/// The app may name the authority only where the browser's half never comes: behind the feature `ssr`.
fn authority_outside_ssr(app: &Value) -> Findings {
    let mut findings = Findings::new();
    for dependency in list(&app["dependencies"]) {
        // Tests run on the server side.
        let is_normal = dependency["kind"].is_null();
        if dependency["name"] == "authority" && is_normal && dependency["optional"] != true {
            findings.push("app depends on authority without feature ssr".to_owned());
        }
    }
    for (feature, enables) in app["features"].as_object().into_iter().flatten() {
        let names_authority = |enabled: &Value| {
            let enabled = text(enabled);
            enabled == "dep:authority" || enabled.starts_with("authority/")
        };
        if feature != "ssr" && list(enables).iter().any(names_authority) {
            findings.push(format!("app's feature {feature} brings authority"));
        }
    }
    findings
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(name: &str, dependencies: &[&str]) -> Value {
        let dependencies: Vec<_> = dependencies
            .iter()
            .map(|name| json!({ "name": name, "path": "/x", "kind": null, "optional": false, "features": [] }))
            .collect();
        json!({ "name": name, "dependencies": dependencies, "features": {} })
    }

    #[test]
    fn an_arrow_that_points_outwards_is_found() {
        let metadata =
            json!({ "packages": [package("domain", &["authority"]), package("server", &["app", "domain"])] });
        assert_eq!(findings(&metadata), ["domain depends on authority"]);
    }

    #[test]
    fn nothing_depends_on_the_server() {
        let metadata = json!({ "packages": [package("frontend", &["server"])] });
        assert_eq!(findings(&metadata), ["frontend depends on server"]);
    }

    #[test]
    fn the_authority_stays_behind_ssr() {
        let metadata = json!({ "packages": [package("app", &["authority"])] });
        assert_eq!(findings(&metadata), ["app depends on authority without feature ssr"]);

        let mut app = package("app", &[]);
        app["features"] = json!({ "hydrate": ["dep:authority"], "ssr": ["dep:authority"] });
        assert_eq!(findings(&json!({ "packages": [app] })), ["app's feature hydrate brings authority"]);
    }

    #[test]
    fn the_browser_never_switches_on_the_server_side() {
        let mut frontend = package("frontend", &["app"]);
        frontend["dependencies"][0]["features"] = json!(["ssr"]);
        assert_eq!(findings(&json!({ "packages": [frontend] })), ["frontend switches on app/ssr"]);
    }

    #[test]
    fn a_new_crate_has_to_be_drawn() {
        assert_eq!(
            findings(&json!({ "packages": [package("helpers", &[])] })),
            ["helpers is not in xtask/src/tidy/arrows.rs"]
        );
    }
}
