//! One style sheet out of `style/main.css` and the parts it imports.
//!
//! lightningcss parses and prints; following `@import` is done here, because its own bundler brings a thread pool for
//! what is five small files.

use std::path::Path;

use anyhow::{Context, Result, anyhow, bail};
use lightningcss::rules::CssRule;
use lightningcss::rules::import::ImportRule;
use lightningcss::stylesheet::{MinifyOptions, ParserOptions, PrinterOptions, StyleSheet};
use lightningcss::targets::{Browsers, Targets};
use lightningcss::traits::ToCss;

use crate::site::Flavour;

/// The style sheet of the site. Newer syntax is rewritten for the oldest browsers we serve, in development too, so that
/// what a developer sees is what a clinic gets.
pub(crate) fn bundle(main: &Path, flavour: Flavour) -> Result<String> {
    let text = inline(main, &mut Vec::new())?;
    let targets = Targets::from(Browsers {
        chrome: Some(version(109, 0)),
        firefox: Some(version(115, 0)),
        safari: Some(version(16, 4)),
        ios_saf: Some(version(16, 4)),
        ..Browsers::default()
    });
    let mut sheet = parse(&text, main)?;
    sheet
        .minify(MinifyOptions { targets, ..MinifyOptions::default() })
        .map_err(|error| anyhow!("{}: {error}", main.display()))?;
    let minify = flavour == Flavour::Release;
    let printed = sheet
        .to_css(PrinterOptions { minify, targets, ..PrinterOptions::default() })
        .map_err(|error| anyhow!("{}: {error}", main.display()))?;
    Ok(printed.code)
}

/// A browser's version in the form that lightningcss reads.
const fn version(major: u32, minor: u32) -> u32 {
    major << 16 | minor << 8
}

/// The text of one file with its imports in their places. `open` holds the files that are being read, to find circles.
fn inline(path: &Path, open: &mut Vec<std::path::PathBuf>) -> Result<String> {
    let path = path.canonicalize().with_context(|| format!("cannot read {}", path.display()))?;
    if open.contains(&path) {
        bail!("{} imports itself", path.display());
    }
    let source = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    open.push(path.clone());
    let sheet = parse(&source, &path)?;
    let mut text = String::new();
    for rule in &sheet.rules.0 {
        match rule {
            CssRule::Import(import) => text.push_str(&inline_import(import, &path, open)?),
            rule => text.push_str(&printed(rule, &path)?),
        }
        text.push('\n');
    }
    open.pop();
    Ok(text)
}

/// An imported file, inside its `layer(…)` and its media query where the import names them.
fn inline_import(import: &ImportRule, importer: &Path, open: &mut Vec<std::path::PathBuf>) -> Result<String> {
    if import.supports.is_some() {
        bail!("{}: `@import … supports(…)` is not bundled, write `@supports` in the part", importer.display());
    }
    let mut text = inline(&importer.with_file_name(&*import.url), open)?;
    if let Some(layer) = &import.layer {
        let name = layer.as_ref().map(|name| printed(name, importer)).transpose()?.unwrap_or_default();
        text = format!("@layer {name} {{\n{text}}}\n");
    }
    if !import.media.media_queries.is_empty() {
        text = format!("@media {} {{\n{text}}}\n", printed(&import.media, importer)?);
    }
    Ok(text)
}

fn parse<'a>(source: &'a str, path: &Path) -> Result<StyleSheet<'a>> {
    let options = ParserOptions { filename: path.display().to_string(), ..ParserOptions::default() };
    StyleSheet::parse(source, options).map_err(|error| anyhow!("{error}"))
}

fn printed(node: &impl ToCss, path: &Path) -> Result<String> {
    node.to_css_string(PrinterOptions::default()).map_err(|error| anyhow!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of style sheets that is gone when the test ends.
    struct Folder(std::path::PathBuf);

    impl Folder {
        fn with(name: &str, files: &[(&str, &str)]) -> Self {
            let path = std::env::temp_dir().join(format!("twofold-css-{}-{name}", std::process::id()));
            std::fs::create_dir_all(&path).expect("a temporary folder");
            for (name, content) in files {
                std::fs::write(path.join(name), content).expect("a temporary file");
            }
            Self(path)
        }

        fn bundle(&self, flavour: Flavour) -> Result<String> {
            bundle(&self.0.join("main.css"), flavour)
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn imports_stand_in_their_order_and_layers() {
        let folder = Folder::with(
            "order",
            &[
                (
                    "main.css",
                    "@layer base, parts;\n@import 'base.css' layer(base);\n@import 'parts.css';\nb { color: red }",
                ),
                ("base.css", "@import 'deep.css';\nbody { margin: 0 }"),
                ("deep.css", ":root { --gap: 8px }"),
                ("parts.css", "p { margin: var(--gap) }"),
            ],
        );
        let css = folder.bundle(Flavour::Release).expect("a bundle");
        assert_eq!(css, "@layer base{:root{--gap:8px}body{margin:0}}@layer parts;p{margin:var(--gap)}b{color:red}");
    }

    #[test]
    fn nesting_is_flattened_for_older_browsers() {
        let folder = Folder::with("nesting", &[("main.css", ".card { & > p { margin: 0 } }")]);
        assert_eq!(folder.bundle(Flavour::Release).expect("a bundle"), ".card>p{margin:0}");
    }

    #[test]
    fn a_circle_of_imports_is_an_error() {
        let folder = Folder::with("circle", &[("main.css", "@import 'a.css';"), ("a.css", "@import 'main.css';")]);
        let error = folder.bundle(Flavour::Dev).expect_err("a circle");
        assert!(error.to_string().contains("imports itself"), "{error}");
    }

    #[test]
    fn a_missing_part_is_named() {
        let folder = Folder::with("missing", &[("main.css", "@import 'gone.css';")]);
        let error = folder.bundle(Flavour::Dev).expect_err("a missing part");
        assert!(error.to_string().contains("gone.css"), "{error}");
    }
}
