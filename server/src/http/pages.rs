//! Pages and server functions of the app, as routes.

use app::AssetPaths;
use authority::Authority;
use axum::Router;
use axum::extract::Request;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use leptos::config::LeptosOptions;
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, ResponseOptions};

use super::{headers, refusal};

/// The routes, and the page for every other path.
pub(super) fn routes(authority: Authority, assets: &AssetPaths) -> Router {
    // The name is not used: the app writes its own start script from the paths below.
    let options = LeptosOptions::builder().output_name("twofold").build();
    let assets = assets.clone();
    let shell = move || app::shell(&assets);
    let context = move || {
        provide_context(authority.clone());
        set_policy();
    };
    let (paths, _) =
        leptos_axum::generate_route_list_with_exclusions_and_ssg_and_context(shell.clone(), None, context.clone());
    let not_found = leptos_axum::render_app_async_with_context(context.clone(), shell.clone());
    Router::new()
        .leptos_routes_with_context(&options, paths, context, shell)
        .fallback(move |request: Request| answer_not_found(not_found.clone(), request))
        .with_state(options)
}

/// The content security policy of a page. Only pages have a nonce; answers of server functions do not.
fn set_policy() {
    let policy = use_nonce().and_then(|nonce| headers::policy_of_page(&nonce));
    if let (Some(policy), Some(response)) = (policy, use_context::<ResponseOptions>()) {
        response.insert_header(CONTENT_SECURITY_POLICY, policy);
    }
}

/// The app's own page for a path that is none, with the status that says so.
async fn answer_not_found<F>(render: impl Fn(Request) -> F, request: Request) -> Response
where
    F: Future<Output = Response>,
{
    if request.method() == Method::POST {
        return refusal::answer(StatusCode::NOT_FOUND, request.headers());
    }
    let mut response = render(request).await;
    if response.status() == StatusCode::OK {
        *response.status_mut() = StatusCode::NOT_FOUND;
    }
    response
}
