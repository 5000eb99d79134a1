//! The document that verifies an audit export in the browser. It holds no data and needs no session.

use app::{AssetPaths, audit_verify_document};
use axum::Router;
use axum::response::Html;
use axum::routing::get;

use super::headers;

/// The route of the document.
pub(super) fn routes(assets: &AssetPaths) -> Router {
    let html = audit_verify_document(assets);
    let headers = headers::of_audit_verify();
    Router::new().route("/practice/audit/verify", get(async move || (headers.clone(), Html(html.clone()))))
}
