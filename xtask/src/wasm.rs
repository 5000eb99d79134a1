//! The browser's half of the product: cargo, wasm-bindgen and wasm-opt, in this order.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use wasm_bindgen_cli_support::Bindgen;

use crate::project::{cache_dir, cargo, command, output, root, run, say, target_dir, write_atomically};
use crate::site::{Flavour, hexadecimal};

/// Cargo's name for the browser.
pub(crate) const TARGET: &str = "wasm32-unknown-unknown";

/// What rustc 1.95 emits by default, so that wasm-opt accepts it; nothing here is younger than the browsers in `css.rs`.
const FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// What counts is the size after brotli. Inlining makes the file smaller and its compressed form 5 % larger, because
/// copies in new surroundings no longer look alike; functions sorted by name stand beside their likes, which is worth 2 %.
const PASSES: [&str; 5] =
    ["-Oz", "--skip-pass=inlining", "--skip-pass=inlining-optimizing", "--reorder-functions-by-name", "--strip-debug"];

/// For the compiler, in every release: hash functions as loops, not unrolled (18 kB of code).
const SMALL_HASHES: [&str; 2] = ["--cfg", "sha2_backend_soft=\"compact\""];

/// For the compiler, where the standard library is built too: panics that stop at once, and no places of panics, which
/// nobody is told. `-Zfmt-debug=none` would save more, but the router compares types by what `{:?}` prints of them.
const SILENT_PANICS: [&str; 3] = ["-Zunstable-options", "-Cpanic=immediate-abort", "-Zlocation-detail=none"];

/// A program of the browser's half.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// The practice app.
    Practice,
    /// The authenticator.
    Authenticator,
    /// The verifier of audit exports.
    Verifier,
}

impl Program {
    /// Its crate.
    pub(crate) const fn package(self) -> &'static str {
        match self {
            Self::Practice => "frontend",
            Self::Authenticator => "authenticator",
            Self::Verifier => "verifier",
        }
    }

    /// What its files are called.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Practice => "twofold",
            Self::Authenticator => "authenticator",
            Self::Verifier => "verifier",
        }
    }
}

/// The two files that a page loads.
pub(crate) struct Bundle {
    /// The module that starts the WASM.
    pub(crate) js: Vec<u8>,
    /// The program.
    pub(crate) wasm: Vec<u8>,
}

/// Builds a program.
pub(crate) fn build(program: Program, flavour: Flavour) -> Result<Bundle> {
    let Bundle { js, wasm } = build_whole(program, flavour)?;
    let js = if flavour == Flavour::Release { terse(&js)? } else { js };
    Ok(Bundle { js, wasm })
}

/// Leaves out what people read in a script: comments and indentation, a tenth of it after brotli. Names and lines stay.
fn terse(js: &[u8]) -> Result<Vec<u8>> {
    let mut lines = Vec::new();
    let mut is_comment = false;
    for line in str::from_utf8(js).context("a script is UTF-8")?.lines().map(str::trim) {
        // In a text of several lines what looks like a comment or an indentation is none.
        ensure!(is_comment || line.matches('`').count() % 2 == 0, "a text of several lines in the bindings: {line}");
        is_comment |= line.starts_with("/*");
        if !is_comment && !line.is_empty() && !line.starts_with("//") {
            lines.push(line);
        }
        is_comment &= !line.ends_with("*/");
    }
    Ok([lines.join("\n").as_bytes(), b"\n"].concat())
}

/// What follows cargo is skipped when cargo made the same bytes as the last time.
fn build_whole(program: Program, flavour: Flavour) -> Result<Bundle> {
    let compiled = compile(program, flavour)?;
    let compiled = std::fs::read(&compiled).with_context(|| format!("cannot read {}", compiled.display()))?;

    let cache = cache_dir().join(flavour.name());
    let key = key(&compiled, flavour)?;
    let [key_file, js_file, wasm_file] =
        ["key", "js", "wasm"].map(|extension| cache.join(program.name()).with_extension(extension));
    if std::fs::read_to_string(&key_file).is_ok_and(|known| known == key)
        && let (Ok(js), Ok(wasm)) = (std::fs::read(&js_file), std::fs::read(&wasm_file))
    {
        return Ok(Bundle { js, wasm });
    }

    let (js, wasm) = bind(program, compiled, flavour)?;
    // The key is written last and removed first: a run that was stopped leaves no pair of files that do not belong together.
    let _ = std::fs::remove_file(&key_file);
    write_atomically(&js_file, &js)?;
    write_atomically(&wasm_file, &wasm)?;
    if flavour == Flavour::Release {
        say(&format!("wasm-opt: {}", program.name()));
        run(wasm_opt().args(FEATURES).arg(&wasm_file).args(PASSES).arg("-o").arg(&wasm_file))?;
    }
    write_atomically(&key_file, key.as_bytes())?;
    let wasm = std::fs::read(&wasm_file).with_context(|| format!("cannot read {}", wasm_file.display()))?;
    Ok(Bundle { js, wasm })
}

/// Runs cargo and returns where the WASM is. Each program has a run of its own: only one of them takes over what a server
/// rendered, and the code for that is a sixth of it.
fn compile(program: Program, flavour: Flavour) -> Result<PathBuf> {
    let mut build = cargo();
    build.args(["build", "--package", program.package(), "--lib", "--target", TARGET]);
    let profile_dir = match flavour {
        Flavour::Dev => {
            say("WASM for development");
            "debug"
        }
        Flavour::Release => {
            build.args(["--profile", "wasm-release"]);
            if has_rust_source()? {
                say("WASM for release, its standard library built for size");
                build_standard_library(&mut build);
                set_flags(&mut build, &[&SILENT_PANICS[..], &SMALL_HASHES].concat());
            } else {
                say("WASM for release, with Rust's ready-made standard library: rust-src is missing, so it is larger");
                set_flags(&mut build, &SMALL_HASHES);
            }
            "wasm-release"
        }
    };
    run(&mut build)?;
    Ok(target_dir()?.join(TARGET).join(profile_dir).join(program.package()).with_extension("wasm"))
}

/// Compiles the standard library too, for size: a seventh of the download. The means are unstable, hence the permission;
/// nothing but the browser's half is built so.
fn build_standard_library(build: &mut Command) {
    build.args(["-Zbuild-std=std,panic_abort", "-Zbuild-std-features=optimize_for_size"]).env("RUSTC_BOOTSTRAP", "1");
}

/// Flags for the compiler, in the place of any the person has set.
fn set_flags(build: &mut Command, flags: &[&str]) {
    build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}"));
}

/// Whether rustup put the source of the standard library beside the compiler.
pub(crate) fn has_rust_source() -> Result<bool> {
    let sysroot = output(command("rustc").args(["--print", "sysroot"]))?;
    Ok(PathBuf::from(sysroot.trim()).join("lib/rustlib/src/rust/library/Cargo.lock").is_file())
}

/// The JavaScript around the WASM, and the WASM made to fit it.
fn bind(program: Program, compiled: Vec<u8>, flavour: Flavour) -> Result<(Vec<u8>, Vec<u8>)> {
    say(&format!("wasm-bindgen: {}", program.name()));
    let mut output = Bindgen::new()
        .input_bytes(program.name(), compiled)
        .remove_producers_section(flavour == Flavour::Release)
        .web(true)?
        .typescript(false)
        // The page names the WASM, because only the page knows its hash.
        .omit_default_module_path(true)
        .generate_output()?;
    ensure!(
        output.snippets().values().all(Vec::is_empty) && output.local_modules().is_empty(),
        "a crate brings JavaScript files of its own, which the site does not serve yet"
    );
    Ok((output.js().as_bytes().to_vec(), output.wasm_mut().emit_wasm()))
}

/// wasm-opt is a JavaScript program here; Debian's is too old for what rustc emits.
fn wasm_opt() -> Command {
    let mut node = command("node");
    node.arg(root().join("xtask/node_modules/binaryen/bin/wasm-opt"));
    node
}

/// Everything that the two files depend on. `Cargo.lock` stands for the version of wasm-bindgen.
fn key(compiled: &[u8], flavour: Flavour) -> Result<String> {
    let mut hash = Sha256::new_with_prefix(compiled);
    let mut lock_files = vec!["Cargo.lock"];
    if flavour == Flavour::Release {
        lock_files.push("xtask/package-lock.json");
        hash.update(FEATURES.join(" "));
        hash.update(PASSES.join(" "));
    }
    for lock_file in lock_files {
        let path = root().join(lock_file);
        hash.update(std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(hexadecimal(&hash.finalize()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terse_script_has_its_statements_and_no_comment() {
        let js =
            "// Cast `a`\n/**\n * @returns {number}\n */\nget() {\n    return `${1}`; // one\n\n    /* two */\n}\n";
        assert_eq!(terse(js.as_bytes()).unwrap(), b"get() {\nreturn `${1}`; // one\n}\n");
        assert!(terse(b"const text = `one\n  two`;\n").is_err());
    }
}
