//! The site: everything the browser loads besides pages, in `target/site`, where the server finds it.
//!
//! ```text
//! target/site/manifest.json           which files the pages name, and a digest of them all
//! target/site/pkg/twofold.HASH.css    named after their content, so they may be kept for ever
//! target/site/pkg/twofold.HASH.js
//! target/site/pkg/twofold.HASH.wasm
//! target/site/pkg/authenticator.HASH.…         the second program
//! target/site/authenticator/worker.HASH.js     which derives its keys
//! target/site/pkg/verifier.HASH.…, verify.HASH.js  the third, and the script that feeds it
//! target/site/authenticator/service_worker.js  which keeps the authenticator's files for a phone without network
//! target/site/…                       the files of public/
//! ```
//!
//! In the release flavour each file that shrinks has a `.br` and a `.gz` beside it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::project::{cache_dir, files_below, root, say, site_dir, write_atomically};
use crate::wasm::{self, Program};
use crate::{compress, css, service_worker};

/// What every document names as its icon.
const FAVICON: &str = "/favicon.svg";

/// For whom the site is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// For the developer: quick to build, with readable panics.
    Dev,
    /// For clinics: small.
    Release,
}

impl Flavour {
    /// The name of its folder in the cache.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Dev => "dev",
            Self::Release => "release",
        }
    }
}

/// Which files a page names, as paths from the root of the site.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// The style sheet.
    pub(crate) css: String,
    /// The module that starts the WASM.
    pub(crate) js: String,
    /// The program.
    pub(crate) wasm: String,
    /// The authenticator's style sheet.
    pub(crate) authenticator_css: String,
    /// The module that starts the authenticator's WASM.
    pub(crate) authenticator_js: String,
    /// The authenticator's program.
    pub(crate) authenticator_wasm: String,
    /// The worker of the authenticator, which runs the same program.
    pub(crate) authenticator_worker: String,
    /// The module around the verifier's WASM.
    pub(crate) verifier_js: String,
    /// The verifier's program.
    pub(crate) verifier_wasm: String,
    /// The module that feeds the verifier what somebody chooses.
    pub(crate) verifier_page: String,
    /// Changes with any file of the site, so that cargo sees that the release binary is out of date.
    pub(crate) digest: String,
}

impl Manifest {
    fn json(&self) -> String {
        let json = serde_json::json!({
            "css": self.css,
            "js": self.js,
            "wasm": self.wasm,
            "authenticator_css": self.authenticator_css,
            "authenticator_js": self.authenticator_js,
            "authenticator_wasm": self.authenticator_wasm,
            "authenticator_worker": self.authenticator_worker,
            "verifier_js": self.verifier_js,
            "verifier_wasm": self.verifier_wasm,
            "verifier_page": self.verifier_page,
            "digest": self.digest,
        });
        format!("{json:#}\n")
    }
}

/// Files of the site by their paths below `target/site`.
type Files = BTreeMap<String, Vec<u8>>;

/// Builds the site and puts it in place.
pub(crate) fn build(flavour: Flavour) -> Result<Manifest> {
    let _lock = lock()?;
    let practice = wasm::build(Program::Practice, flavour)?;
    let authenticator = wasm::build(Program::Authenticator, flavour)?;
    let verifier = wasm::build(Program::Verifier, flavour)?;
    let css = css::bundle(&root().join("style/main.css"), flavour)?;
    let authenticator_css = css::bundle(&root().join("style/authenticator.css"), flavour)?;

    let mut files = public_files(&root().join("public"))?;
    let mut add_at = |place: &str, extension: &str, content: Vec<u8>| {
        let name = format!("{place}.{}.{extension}", &hexadecimal(&Sha256::digest(&content))[..16]);
        files.insert(name.clone(), content);
        format!("/{name}")
    };
    let mut add = |name: &str, extension: &str, content: Vec<u8>| add_at(&format!("pkg/{name}"), extension, content);
    let css = add("twofold", "css", css.into_bytes());
    let (js, wasm) = (add("twofold", "js", practice.js), add("twofold", "wasm", practice.wasm));
    let authenticator_css = add("authenticator", "css", authenticator_css.into_bytes());
    let authenticator_js = add("authenticator", "js", authenticator.js);
    let authenticator_wasm = add("authenticator", "wasm", authenticator.wasm);
    let (verifier_js, verifier_wasm) = (add("verifier", "js", verifier.js), add("verifier", "wasm", verifier.wasm));
    let verifier_page = add("verify", "js", verify_script(&verifier_js, &verifier_wasm)?.into_bytes());
    let worker = service_worker::worker(&authenticator_js, &authenticator_wasm)?;
    let authenticator_worker = add_at(service_worker::WORKER, "js", worker.into_bytes());
    let kept = [&authenticator_css, &authenticator_js, &authenticator_wasm, &FAVICON.to_owned()];
    files.insert(service_worker::PATH.to_owned(), service_worker::build(&kept, &files)?.into_bytes());
    let digest = digest(&files);
    let manifest = Manifest {
        css,
        js,
        wasm,
        authenticator_css,
        authenticator_js,
        authenticator_wasm,
        authenticator_worker,
        verifier_js,
        verifier_wasm,
        verifier_page,
        digest,
    };
    if flavour == Flavour::Release {
        say("compression");
        add_compressed(&mut files)?;
    }
    put_in_place(&site_dir(), &files, &manifest)?;
    Ok(manifest)
}

/// The script that feeds the verifier, with the names of the program.
fn verify_script(js: &str, wasm: &str) -> Result<String> {
    let path = root().join("verifier/js/verify.js");
    let script = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(script.replace("VERIFIER_JS", js).replace("VERIFIER_WASM", wasm))
}

/// Held while the site is built, so that two commands at once do not remove each other's files.
fn lock() -> Result<File> {
    let path = cache_dir().join("lock");
    std::fs::create_dir_all(cache_dir())
        .and_then(|()| File::create(&path))
        .and_then(|file| file.lock().map(|()| file))
        .with_context(|| format!("cannot lock {}", path.display()))
}

/// The files of `public/`, hidden ones left out.
fn public_files(folder: &Path) -> Result<Files> {
    let mut files = Files::new();
    for relative in files_below(folder)? {
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        if parts.iter().any(|part| part.starts_with('.')) {
            continue;
        }
        let path = folder.join(&relative);
        let content = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        files.insert(parts.join("/"), content);
    }
    Ok(files)
}

/// One value for all names and contents.
fn digest(files: &Files) -> String {
    let mut hash = Sha256::new();
    for (name, content) in files {
        hash.update(name);
        hash.update([0]);
        hash.update(Sha256::digest(content));
    }
    hexadecimal(&hash.finalize())
}

/// Adds `.br` and `.gz` where they are smaller. What was compressed the last time is taken from the cache.
fn add_compressed(files: &mut Files) -> Result<()> {
    let cache = cache_dir().join("compressed");
    let mut compressed = Files::new();
    let mut kept: Vec<PathBuf> = Vec::new();
    for (name, content) in files.iter().filter(|(name, _)| compress::is_worthwhile(name)) {
        let hash = hexadecimal(&Sha256::digest(content));
        for (extension, compressor) in
            [("br", compress::brotli as fn(&[u8]) -> Result<Vec<u8>>), ("gz", compress::gzip)]
        {
            let cached = PathBuf::from(format!("{hash}.{extension}"));
            let smaller = if let Ok(smaller) = std::fs::read(cache.join(&cached)) {
                smaller
            } else {
                let smaller = compressor(content)?;
                write_atomically(&cache.join(&cached), &smaller)?;
                smaller
            };
            kept.push(cached);
            if smaller.len() < content.len() {
                compressed.insert(format!("{name}.{extension}"), smaller);
            }
        }
    }
    remove_all_but(&cache, &kept)?;
    files.append(&mut compressed);
    Ok(())
}

/// Writes what changed, then the manifest that names it, then removes what no longer belongs.
fn put_in_place(site: &Path, files: &Files, manifest: &Manifest) -> Result<()> {
    for (name, content) in files {
        write_where_changed(&site.join(name), content)?;
    }
    write_where_changed(&site.join("manifest.json"), manifest.json().as_bytes())?;
    let mut kept: Vec<_> = files.keys().map(PathBuf::from).collect();
    kept.push(PathBuf::from("manifest.json"));
    remove_all_but(site, &kept)
}

/// An unchanged file keeps its time, by which cargo decides whether to build the release binary anew.
fn write_where_changed(path: &Path, content: &[u8]) -> Result<()> {
    if std::fs::read(path).is_ok_and(|present| present == content) {
        return Ok(());
    }
    write_atomically(path, content)
}

fn remove_all_but(folder: &Path, kept: &[PathBuf]) -> Result<()> {
    for relative in files_below(folder)? {
        if !kept.contains(&relative) {
            let path = folder.join(relative);
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(nibble.into(), 16).unwrap_or_default());
        }
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(digest: &str) -> Manifest {
        Manifest {
            css: "/pkg/twofold.1.css".into(),
            js: "/pkg/twofold.2.js".into(),
            wasm: "/pkg/twofold.3.wasm".into(),
            authenticator_css: "/pkg/authenticator.0.css".into(),
            authenticator_js: "/pkg/authenticator.1.js".into(),
            authenticator_wasm: "/pkg/authenticator.2.wasm".into(),
            authenticator_worker: "/authenticator/worker.3.js".into(),
            verifier_js: "/pkg/verifier.1.js".into(),
            verifier_wasm: "/pkg/verifier.2.wasm".into(),
            verifier_page: "/pkg/verify.3.js".into(),
            digest: digest.into(),
        }
    }

    #[test]
    fn a_new_site_replaces_the_old_one_and_leaves_nothing_stale() {
        let site = std::env::temp_dir().join(format!("twofold-site-{}", std::process::id()));
        let old = Files::from([("pkg/twofold.1.css".into(), b"old".to_vec()), ("icon.svg".into(), b"<svg/>".to_vec())]);
        put_in_place(&site, &old, &manifest("old")).expect("the first site");
        let new = Files::from([("pkg/twofold.4.css".into(), b"new".to_vec()), ("icon.svg".into(), b"<svg/>".to_vec())]);
        put_in_place(&site, &new, &manifest("new")).expect("the second site");

        let names = files_below(&site).expect("a list");
        let written = std::fs::read_to_string(site.join("manifest.json")).expect("a manifest");
        std::fs::remove_dir_all(&site).expect("the folder");
        assert_eq!(names, ["icon.svg", "manifest.json", "pkg/twofold.4.css"].map(PathBuf::from));
        assert!(written.contains(r#""digest": "new""#), "{written}");
    }

    #[test]
    fn the_digest_tells_names_and_contents_apart() {
        let one = Files::from([("a".into(), b"bc".to_vec())]);
        let other_name = Files::from([("ab".into(), b"c".to_vec())]);
        let other_content = Files::from([("a".into(), b"bd".to_vec())]);
        assert_ne!(digest(&one), digest(&other_name));
        assert_ne!(digest(&one), digest(&other_content));
        assert_eq!(digest(&one), digest(&one.clone()));
    }

    #[test]
    fn hexadecimal_keeps_leading_zeros() {
        assert_eq!(hexadecimal(&[0x00, 0x0f, 0xa5]), "000fa5");
    }
}
