//! The authenticator's two scripts without a page: the service worker, which keeps the app for a phone without network,
//! and the worker that derives keys beside the page. Both name files by their hashes, so the build writes them.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::project::root;
use crate::site::hexadecimal;

/// Where the service worker is served. Its scope is wider than its folder; the server allows that by a header.
pub(crate) const PATH: &str = "authenticator/service_worker.js";
/// Where the worker is served, but for its hash. Browsers let a service worker answer for a worker, and for what that one
/// imports, only if the worker's own address lies in the scope.
pub(crate) const WORKER: &str = "authenticator/worker";
/// The folder of the files that belong to the authenticator alone: the worker, icons and the web manifest.
const FOLDER: &str = "authenticator/";

/// The worker, with the names of the program that it starts.
pub(crate) fn worker(js: &str, wasm: &str) -> Result<String> {
    Ok(template("worker.js")?.replace("AUTHENTICATOR_JS", js).replace("AUTHENTICATOR_WASM", wasm))
}

/// The service worker, with the list of what it keeps: `named`, what is in the authenticator's folder, and the page.
pub(crate) fn build(named: &[&String], files: &BTreeMap<String, Vec<u8>>) -> Result<String> {
    let template = template("service_worker.js")?;
    let own = files.iter().filter(|(name, _)| name.starts_with(FOLDER));
    let mut kept: Vec<String> = named.iter().map(|&name| name.clone()).collect();
    kept.extend(own.clone().map(|(name, _)| format!("/{name}")));
    // The page is the same as long as what it names is, so its version is the version of all.
    kept.push("/authenticator".to_owned());
    let mut hash = Sha256::new_with_prefix(&template);
    for name in &kept {
        hash.update(name);
    }
    for (_, content) in own {
        hash.update(Sha256::digest(content));
    }
    let version = &hexadecimal(&hash.finalize())[..16];
    let list = serde_json::to_string(&kept).context("names are text")?;
    Ok(template.replace("\"VERSION\"", &format!("\"{version}\"")).replace("[\"FILES\"]", &list))
}

fn template(name: &str) -> Result<String> {
    let path = root().join("authenticator/js").join(name);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(icon: &str) -> BTreeMap<String, Vec<u8>> {
        BTreeMap::from([
            ("favicon.svg".to_owned(), b"<svg/>".to_vec()),
            ("authenticator/icon.svg".to_owned(), icon.into()),
        ])
    }

    #[test]
    fn the_service_worker_keeps_the_page_and_all_that_it_loads() {
        let css = "/pkg/twofold.1.css".to_owned();
        let built = build(&[&css], &files("<svg/>")).expect("a script");
        assert!(built.contains(r#"["/pkg/twofold.1.css","/authenticator/icon.svg","/authenticator"]"#), "{built}");
        assert!(!built.contains("\"VERSION\""));
    }

    #[test]
    fn anything_new_is_a_new_version() {
        let named = ["/pkg/twofold.1.css".to_owned(), "/pkg/twofold.2.css".to_owned()];
        let first = build(&[&named[0]], &files("<svg/>")).expect("a script");
        assert_eq!(build(&[&named[0]], &files("<svg/>")).expect("a script"), first);
        assert_ne!(build(&[&named[1]], &files("<svg/>")).expect("a script"), first);
        assert_ne!(build(&[&named[0]], &files("<svg></svg>")).expect("a script"), first);
    }

    #[test]
    fn the_worker_starts_the_program() {
        let built = worker("/pkg/a.js", "/pkg/a.wasm").expect("a script");
        assert!(built.contains(r#"from "/pkg/a.js""#) && built.contains(r#""/pkg/a.wasm""#), "{built}");
    }
}
