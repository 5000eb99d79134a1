//! The site's files, from memory: what `cargo xtask` leaves in `target/site`.
//!
//! A release binary carries them inside; a development binary reads them from the folder when it starts. Either way they
//! are held as they were at the start, so a page and the files it names always fit together.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use app::AssetPaths;
use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, IF_NONE_MATCH, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, response};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;
use serde::Deserialize;

/// The folder that `cargo xtask` fills. It may be missing while the code is only checked.
#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Folder;

/// Set by `cargo xtask build`, so that cargo compiles the release binary anew for each new site, and so that a binary
/// notices when it carries another site than it was built for.
const BUILT_FOR: Option<&str> = option_env!("TWOFOLD_SITE_DIGEST");

/// Why the server cannot serve the site.
#[derive(Debug, thiserror::Error)]
pub enum SiteError {
    /// No build of the site is there.
    #[error("the site has not been built: run `cargo xtask build`, or `cargo xtask serve` for development")]
    NotBuilt,
    /// The list of files is damaged.
    #[error("the site's manifest.json cannot be read: run `cargo xtask build`")]
    InvalidManifest(#[source] serde_json::Error),
    /// The list of files does not fit the files.
    #[error("the site lacks {0}, which its manifest.json names: run `cargo xtask build`")]
    FileNotFound(String),
    /// The binary carries an older or younger site.
    #[error("this binary carries another site than it was built for: run `cargo xtask build`")]
    DigestMismatch,
}

/// `manifest.json`, as xtask writes it.
#[derive(Deserialize)]
struct Manifest {
    #[serde(flatten)]
    paths: AssetPaths,
    digest: String,
}

/// The files of the site, loaded once at the start. Cheap to clone.
#[derive(Clone)]
pub struct Site {
    paths: Arc<AssetPaths>,
    files: Arc<HashMap<String, File>>,
}

/// One file, with its compressed forms where the build made them.
struct File {
    plain: Bytes,
    brotli: Option<Bytes>,
    gzip: Option<Bytes>,
    content_type: HeaderValue,
    lifetime: Lifetime,
}

/// How long a browser may keep a file without asking.
enum Lifetime {
    /// A page names it, by the hash of its content: for ever.
    Named,
    /// It must ask each time, with the tag of what it has.
    Asked { tag: HeaderValue },
}

impl Site {
    /// Reads all files of the site.
    ///
    /// # Errors
    /// When the site was not built, or only in part.
    pub fn load() -> Result<Self, SiteError> {
        let manifest = Folder::get("manifest.json").ok_or(SiteError::NotBuilt)?;
        let manifest: Manifest = serde_json::from_slice(&manifest.data).map_err(SiteError::InvalidManifest)?;
        if !cfg!(debug_assertions) && BUILT_FOR.is_some_and(|digest| digest != manifest.digest) {
            return Err(SiteError::DigestMismatch);
        }
        let files = Folder::iter().filter(|name| name != "manifest.json").filter_map(|name| {
            let file = Folder::get(&name)?;
            Some((name.into_owned(), bytes(file.data), file.metadata.sha256_hash()))
        });
        Self::from_files(manifest.paths, files)
    }

    /// Puts each file beside its compressed forms. Names are below the root, contents come with their SHA-256.
    ///
    /// # Errors
    /// [`SiteError::FileNotFound`] when a page would name a file that is missing.
    pub fn from_files(
        paths: AssetPaths,
        files: impl Iterator<Item = (String, Bytes, [u8; 32])>,
    ) -> Result<Self, SiteError> {
        let mut contents: HashMap<String, (Bytes, [u8; 32])> =
            files.map(|(name, content, hash)| (name, (content, hash))).collect();
        let names: Vec<_> = contents.keys().cloned().collect();
        let mut compressed = |name: &str, extension: &str| contents.remove(&format!("{name}.{extension}"));
        let compressed: HashMap<_, _> = names
            .iter()
            .map(|name| {
                (name.clone(), [compressed(name, "br"), compressed(name, "gz")].map(|form| form.map(|it| it.0)))
            })
            .collect();
        let mut site = HashMap::new();
        for (name, (plain, hash)) in contents {
            let [brotli, gzip] = compressed.get(&name).cloned().unwrap_or_default();
            let path = format!("/{name}");
            let is_named = paths.all().contains(&&path);
            let lifetime = if is_named { Lifetime::Named } else { Lifetime::asked(&hash) };
            let file = File { plain, brotli, gzip, content_type: content_type(&name), lifetime };
            site.insert(path, file);
        }
        for path in paths.all() {
            if !site.contains_key(path) {
                return Err(SiteError::FileNotFound(path.clone()));
            }
        }
        Ok(Self { paths: Arc::new(paths), files: Arc::new(site) })
    }

    /// Which files a page names.
    #[must_use]
    pub fn paths(&self) -> &AssetPaths {
        &self.paths
    }

    /// The answer to a request for one of the files; `None` where the path is none of them, so that the caller can answer
    /// with a page. Other methods than GET and HEAD are refused.
    #[must_use]
    pub fn respond(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Response> {
        let file = self.files.get(path)?;
        Some(match *method {
            Method::GET => file.response(headers),
            Method::HEAD => file.response(headers).map(|_| Body::empty()),
            _ => (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response(),
        })
    }
}

impl File {
    fn response(&self, request: &HeaderMap) -> Response {
        let mut response = response::Builder::new().header(CONTENT_TYPE, &self.content_type);
        match &self.lifetime {
            Lifetime::Named => {
                response = response.header(CACHE_CONTROL, "public, max-age=31536000, immutable");
            }
            Lifetime::Asked { tag } => {
                response = response.header(CACHE_CONTROL, "no-cache").header(ETAG, tag);
            }
        }
        if self.brotli.is_some() || self.gzip.is_some() {
            response = response.header(VARY, "Accept-Encoding");
        }
        if let Lifetime::Asked { tag } = &self.lifetime
            && is_known(tag, request)
        {
            return response.status(StatusCode::NOT_MODIFIED).body(Body::empty()).unwrap_or_default();
        }
        let (encoding, content) = self.form_for(request);
        if let Some(encoding) = encoding {
            response = response.header(CONTENT_ENCODING, encoding);
        }
        // Said here, because HEAD has to tell the length of a body that it does not send.
        response.header(CONTENT_LENGTH, content.len()).body(Body::from(content.clone())).unwrap_or_default()
    }

    /// The smallest form that the client reads.
    fn form_for(&self, request: &HeaderMap) -> (Option<&'static str>, &Bytes) {
        for (encoding, form) in [("br", &self.brotli), ("gzip", &self.gzip)] {
            if let Some(form) = form
                && accepts(request, encoding)
            {
                return (Some(encoding), form);
            }
        }
        (None, &self.plain)
    }
}

impl Lifetime {
    fn asked(hash: &[u8; 32]) -> Self {
        // Weak: the compressed forms of one content have the same tag.
        let mut tag = String::from("W/\"");
        for byte in &hash[..16] {
            let _ = write!(tag, "{byte:02x}");
        }
        tag.push('"');
        HeaderValue::try_from(tag).map_or(Self::Named, |tag| Self::Asked { tag })
    }
}

/// Whether `Accept-Encoding` allows an encoding: named, or covered by `*`, and not with the weight zero (RFC 9110 §12.5.3).
fn accepts(request: &HeaderMap, encoding: &str) -> bool {
    let mut by_star = false;
    for value in request.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok()) {
        for choice in value.split(',') {
            let (name, parameters) = choice.split_once(';').unwrap_or((choice, ""));
            let weight = parameters.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
            let is_wanted = weight.is_none_or(|weight| weight > 0.0);
            match name.trim() {
                "*" => by_star = is_wanted,
                name if name.eq_ignore_ascii_case(encoding) => return is_wanted,
                _ => {}
            }
        }
    }
    by_star
}

/// Whether the client has this content already (RFC 9110 §13.1.2).
fn is_known(tag: &HeaderValue, request: &HeaderMap) -> bool {
    let ours = tag.to_str().unwrap_or_default().trim_start_matches("W/");
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|theirs| matches!(theirs.trim(), "*") || theirs.trim().trim_start_matches("W/") == ours)
}

fn content_type(name: &str) -> HeaderValue {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    HeaderValue::from_static(match extension {
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "ico" => "image/x-icon",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "png" => "image/png",
        "svg" => "image/svg+xml",
        "txt" => "text/plain; charset=utf-8",
        "wasm" => "application/wasm",
        "webmanifest" => "application/manifest+json",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    })
}

/// What the binary carries is used where it lies.
fn bytes(content: Cow<'static, [u8]>) -> Bytes {
    match content {
        Cow::Borrowed(content) => Bytes::from_static(content),
        Cow::Owned(content) => Bytes::from(content),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::HeaderName;

    use super::*;

    const CSS: &str = "/pkg/twofold.1.css";

    fn site() -> Site {
        let files = [
            ("pkg/twofold.1.css", "plain css"),
            ("pkg/twofold.1.css.br", "brotli css"),
            ("pkg/twofold.1.css.gz", "gzip css"),
            ("pkg/twofold.2.js", "js"),
            ("pkg/twofold.3.wasm", "wasm"),
            ("pkg/authenticator.0.css", "css"),
            ("pkg/authenticator.1.js", "js"),
            ("pkg/authenticator.2.wasm", "wasm"),
            ("authenticator/worker.3.js", "js"),
            ("pkg/verifier.1.js", "js"),
            ("pkg/verifier.2.wasm", "wasm"),
            ("pkg/verify.3.js", "js"),
            ("icon.svg", "<svg/>"),
        ];
        let files = files.map(|(name, content)| (name.to_owned(), Bytes::from_static(content.as_bytes()), [0xab; 32]));
        Site::from_files(paths(), files.into_iter()).expect("a whole site")
    }

    fn paths() -> AssetPaths {
        AssetPaths {
            css: CSS.into(),
            js: "/pkg/twofold.2.js".into(),
            wasm: "/pkg/twofold.3.wasm".into(),
            authenticator_css: "/pkg/authenticator.0.css".into(),
            authenticator_js: "/pkg/authenticator.1.js".into(),
            authenticator_wasm: "/pkg/authenticator.2.wasm".into(),
            authenticator_worker: "/authenticator/worker.3.js".into(),
            verifier_js: "/pkg/verifier.1.js".into(),
            verifier_wasm: "/pkg/verifier.2.wasm".into(),
            verifier_page: "/pkg/verify.3.js".into(),
        }
    }

    /// What a client sees: status, headers and body.
    async fn ask(method: &str, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, String) {
        let headers = headers.iter().map(|&(name, value)| {
            let name = HeaderName::try_from(name).expect("a name");
            (name, HeaderValue::try_from(value).expect("a value"))
        });
        let method = Method::try_from(method).expect("a method");
        let response = site().respond(&method, path, &headers.collect()).expect("a file");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1000).await.expect("a body");
        (parts.status, parts.headers, String::from_utf8(body.to_vec()).expect("text"))
    }

    #[tokio::test]
    async fn named_files_may_be_kept_for_ever() {
        let (status, headers, body) = ask("GET", CSS, &[]).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
        assert_eq!(headers[CONTENT_TYPE], "text/css; charset=utf-8");
        assert_eq!(headers[VARY], "Accept-Encoding");
        assert!(!headers.contains_key(CONTENT_ENCODING));
        assert_eq!(body, "plain css");
        let (_, headers, _) = ask("GET", "/authenticator/worker.3.js", &[]).await;
        assert_eq!(headers[CACHE_CONTROL], "public, max-age=31536000, immutable");
    }

    #[tokio::test]
    async fn the_browser_gets_the_types_it_insists_on() {
        assert_eq!(ask("GET", "/pkg/twofold.3.wasm", &[]).await.1[CONTENT_TYPE], "application/wasm");
        assert_eq!(ask("GET", "/pkg/twofold.2.js", &[]).await.1[CONTENT_TYPE], "text/javascript; charset=utf-8");
        assert_eq!(ask("GET", "/icon.svg", &[]).await.1[CONTENT_TYPE], "image/svg+xml");
    }

    #[tokio::test]
    async fn the_smallest_accepted_form_is_sent() {
        for (accepted, encoding, expected) in [
            ("gzip, deflate, br, zstd", Some("br"), "brotli css"),
            ("gzip", Some("gzip"), "gzip css"),
            ("br;q=0, gzip;q=0.5", Some("gzip"), "gzip css"),
            ("*", Some("br"), "brotli css"),
            ("*;q=0", None, "plain css"),
            ("br;q=0, *", Some("gzip"), "gzip css"),
            ("identity", None, "plain css"),
        ] {
            let (_, headers, body) = ask("GET", CSS, &[("accept-encoding", accepted)]).await;
            assert_eq!(
                headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes),
                encoding.map(str::as_bytes),
                "{accepted}"
            );
            assert_eq!(body, expected, "{accepted}");
        }
    }

    #[tokio::test]
    async fn a_public_file_is_asked_for_by_its_tag() {
        let (status, headers, body) = ask("GET", "/icon.svg", &[]).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, "<svg/>"));
        assert_eq!(headers[CACHE_CONTROL], "no-cache");
        let tag = headers[ETAG].to_str().expect("a tag").to_owned();

        let (status, headers, body) = ask("GET", "/icon.svg", &[("if-none-match", &format!("\"other\", {tag}"))]).await;
        assert_eq!((status, body.as_str()), (StatusCode::NOT_MODIFIED, ""));
        assert_eq!(headers[ETAG], *tag);
        assert_eq!(ask("GET", "/icon.svg", &[("if-none-match", "\"other\"")]).await.0, StatusCode::OK);
    }

    #[tokio::test]
    async fn head_tells_the_length_and_sends_nothing() {
        let (status, headers, body) = ask("HEAD", CSS, &[("accept-encoding", "gzip")]).await;
        assert_eq!((status, body.as_str()), (StatusCode::OK, ""));
        assert_eq!(headers[CONTENT_LENGTH], "gzip css".len().to_string());
        assert_eq!(headers[CONTENT_ENCODING], "gzip");
    }

    #[tokio::test]
    async fn files_are_only_read() {
        let (status, headers, _) = ask("POST", CSS, &[]).await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(headers[ALLOW], "GET, HEAD");
    }

    #[test]
    fn what_is_no_file_is_left_to_the_caller() {
        let site = site();
        for path in ["/pkg/twofold.0.css", "/pkg/twofold.1.css.br", "/pkg/", "/manifest.json", "/pkg/../icon.svg", "/"]
        {
            assert!(site.respond(&Method::GET, path, &HeaderMap::new()).is_none(), "{path}");
        }
    }

    #[test]
    fn a_site_without_a_named_file_is_refused() {
        let error = Site::from_files(paths(), std::iter::empty()).err().expect("an error");
        assert!(error.to_string().contains(CSS), "{error}");
    }

    #[test]
    fn the_manifest_has_paths_and_a_digest() {
        let text = r#"{
            "css": "/pkg/twofold.1.css", "js": "/pkg/twofold.2.js", "wasm": "/pkg/twofold.3.wasm",
            "authenticator_css": "/pkg/authenticator.0.css", "authenticator_js": "/pkg/authenticator.1.js",
            "authenticator_wasm": "/pkg/authenticator.2.wasm", "authenticator_worker": "/authenticator/worker.3.js",
            "verifier_js": "/pkg/verifier.1.js", "verifier_wasm": "/pkg/verifier.2.wasm",
            "verifier_page": "/pkg/verify.3.js", "digest": "0"
        }"#;
        let manifest: Manifest = serde_json::from_str(text).expect("a manifest");
        assert_eq!(manifest.digest, "0");
        assert_eq!(manifest.paths, paths());
    }
}
