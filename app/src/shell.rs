//! The document around the app.

use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::MetaTags;

use crate::App;

/// Which files a page loads, as paths from the root of the site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AssetPaths {
    /// The style sheet.
    pub css: String,
    /// The module that starts the WASM.
    pub js: String,
    /// The program.
    pub wasm: String,
}

/// The document.
///
/// It writes its own start script, since `HydrationScripts` of Leptos 0.8.23 puts the nonce where `crossorigin` belongs
/// (leptos#4844). Under a policy with a nonce, a preload is only used if it carries the nonce too.
pub fn shell(assets: &AssetPaths) -> impl IntoView + use<> {
    let AssetPaths { css, js, wasm } = assets.clone();
    let nonce = use_nonce();
    let start = format!(r#"import start,{{hydrate}} from "{js}";start({{module_or_path:"{wasm}"}}).then(hydrate)"#);
    view! {
        <!DOCTYPE html>
        <html lang="en" dir="ltr">
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <meta name="format-detection" content="telephone=no"/>
                <link rel="stylesheet" href=css/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
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
