//! The document of the authenticator: a page that draws itself, and that a phone keeps.

use app::{AssetPaths, AuthenticatorDocument, authenticator_document};
use axum::Router;
use axum::response::Html;
use axum::routing::get;
use data_encoding::BASE64;
use sha2::{Digest, Sha256};

use super::headers;

/// The route of the document.
pub(super) fn routes(assets: &AssetPaths) -> Router {
    let AuthenticatorDocument { html, script } = authenticator_document(assets);
    let headers = headers::of_authenticator(&BASE64.encode(&Sha256::digest(script)));
    Router::new().route("/authenticator", get(async move || (headers.clone(), Html(html.clone()))))
}
