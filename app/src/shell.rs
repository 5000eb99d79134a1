//! The document around the app.

use authority::Authority;
use axum::http::request::Parts;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::App;
use crate::visit::Visit;

/// Which files a page loads, as paths from the root of the site.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct AssetPaths {
    /// The style sheet.
    pub css: String,
    /// The module that starts the WASM.
    pub js: String,
    /// The program.
    pub wasm: String,
    /// The authenticator's style sheet.
    pub authenticator_css: String,
    /// The module that starts the authenticator's WASM.
    pub authenticator_js: String,
    /// The authenticator's program.
    pub authenticator_wasm: String,
    /// The worker that derives the authenticator's keys.
    pub authenticator_worker: String,
    /// The module around the verifier of audit exports.
    pub verifier_js: String,
    /// The verifier's program.
    pub verifier_wasm: String,
    /// The module that verifies the file chosen in `#audit-file` and says so in `#audit-verdict`.
    pub verifier_page: String,
}

impl AssetPaths {
    /// All of them.
    pub fn all(&self) -> [&String; 10] {
        [
            &self.css,
            &self.js,
            &self.wasm,
            &self.authenticator_css,
            &self.authenticator_js,
            &self.authenticator_wasm,
            &self.authenticator_worker,
            &self.verifier_js,
            &self.verifier_wasm,
            &self.verifier_page,
        ]
    }
}

/// The document.
///
/// It writes its own start script, since `HydrationScripts` of Leptos 0.8.23 puts the nonce where `crossorigin` belongs
/// (leptos#4844). Under a policy with a nonce, a preload is only used if it carries the nonce too.
pub fn shell(assets: &AssetPaths) -> impl IntoView + use<> {
    let AssetPaths { css, js, wasm, .. } = assets.clone();
    let nonce = use_nonce();
    let start = format!(r#"import start,{{hydrate}} from "{js}";start({{module_or_path:"{wasm}"}}).then(hydrate)"#);
    view! {
        <!DOCTYPE html>
        <html lang="en" dir="ltr">
            <head>
                {head(css)}
                {lock_without_scripts()}
                <link rel="modulepreload" href=js nonce=nonce.clone()/>
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="" nonce=nonce.clone()/>
                <script type="module" nonce=nonce>{start}</script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
}

/// Takes what is on a page away once its screen locks, where no script does it.
fn lock_without_scripts() -> Option<impl IntoView> {
    let (parts, authority) = (use_context::<Parts>()?, use_context::<Authority>()?);
    let visit = parts.extensions.get::<Visit>()?;
    let locks_at = visit.signed_in.as_ref().or(visit.must_enrol.as_ref())?.locks_at()?;
    // A second later, so that the server agrees.
    let seconds = locks_at.since(authority.now()).as_secs() + 1;
    let leave = format!("{seconds}; url=/locked?next={}", parts.uri.path());
    Some(view! { <noscript><meta http-equiv="refresh" content=leave/></noscript> })
}

/// What every document says first.
fn head(css: String) -> impl IntoView {
    view! {
        <meta charset="utf-8"/>
        <meta name="viewport" content="width=device-width, initial-scale=1"/>
        <meta name="color-scheme" content="light dark"/>
        <meta name="format-detection" content="telephone=no"/>
        <link rel="stylesheet" href=css/>
        <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
    }
}

/// The document of `/authenticator`: the same for everybody, so that a phone can keep it.
///
/// Its one script is allowed by its hash in place of a nonce, hence it comes separately too.
pub struct AuthenticatorDocument {
    /// The HTML.
    pub html: String,
    /// The text of the inline script.
    pub script: String,
}

/// The document around the authenticator, which draws itself in the browser.
pub fn authenticator_document(assets: &AssetPaths) -> AuthenticatorDocument {
    let assets = assets.clone();
    let (js, wasm, worker) = (assets.authenticator_js, assets.authenticator_wasm, assets.authenticator_worker);
    let script =
        format!(r#"import start,{{open}} from "{js}";start({{module_or_path:"{wasm}"}}).then(()=>open("{worker}"))"#);
    let document = view! {
        <!DOCTYPE html>
        <html lang="en" dir="ltr">
            <head>
                {head(assets.authenticator_css)}
                <meta name="theme-color" content="#ffffff" media="(prefers-color-scheme: light)"/>
                <meta name="theme-color" content="#0f1720" media="(prefers-color-scheme: dark)"/>
                <title>"Authenticator – Twofold"</title>
                <link rel="apple-touch-icon" href="/authenticator/icon-180.png"/>
                <link rel="manifest" href="/authenticator/manifest.webmanifest"/>
                <link rel="modulepreload" href=js/>
                <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin=""/>
                <script type="module">{script.clone()}</script>
            </head>
            <body id="authenticator">
                <noscript>
                    <main class="narrow card stack">
                        <h1>"Authenticator"</h1>
                        <p>
                            "The authenticator makes its tokens in your browser, and needs JavaScript for that. Turn it on and \
                            load the page again."
                        </p>
                        <p>
                            "Without JavaScript you sign in with a token from a text message, from another authenticator app, or \
                            with a recovery code. "
                            <a href="/help/two-factor">"How two-factor authentication works"</a>
                        </p>
                    </main>
                </noscript>
            </body>
        </html>
    };
    AuthenticatorDocument { html: document.to_html(), script }
}

/// The document of `/practice/audit/verify`, the same for everybody: it asks the server nothing.
pub fn audit_verify_document(assets: &AssetPaths) -> String {
    let AssetPaths { css, verifier_js, verifier_wasm, verifier_page, .. } = assets.clone();
    let document = view! {
        <!DOCTYPE html>
        <html lang="en" dir="ltr">
            <head>
                {head(css)}
                <title>"Verify an audit export – Twofold"</title>
                <link rel="modulepreload" href=verifier_js/>
                <link rel="preload" href=verifier_wasm r#as="fetch" r#type="application/wasm" crossorigin=""/>
                <script type="module" src=verifier_page></script>
            </head>
            <body>
                <main id="main" class="narrow card stack">
                    <h1>"Verify an audit export"</h1>
                    <p>
                        "Whether every row of the file is as it was sealed, and where. The file stays in this browser: nothing \
                        of it is sent."
                    </p>
                    <noscript>
                        <p>
                            "This page needs JavaScript. Without it, verify the file where Twofold is installed: "
                            <code>"twofold audit verify --file EXPORT"</code>
                        </p>
                    </noscript>
                    <div class="field">
                        <label for="audit-file">"Audit export"</label>
                        // Until its script listens, a choice would come to nothing.
                        <input type="file" id="audit-file" accept=".jsonl,.json,.txt" disabled=true/>
                    </div>
                    <p id="audit-verdict" role="status"></p>
                    <p>
                        "A chain that was computed anew from its first row on is whole too. Whether the server signed this one, \
                        its operator finds out by "
                        <code>"twofold audit verify --file EXPORT --practice PRACTICE"</code> "."
                    </p>
                </main>
            </body>
        </html>
    };
    document.to_html()
}
