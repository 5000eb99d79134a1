//! The router, and the layers in front of it.
//!
//! From the outside in, as a request meets them:
//!
//! 1. `log`: a name for the request, the client's address, one line when it is answered;
//! 2. `headers`: what the browser is told to forbid, on every answer;
//! 3. a panic becomes a 500;
//! 4. `limits`: methods, framing, time;
//! 5. `csrf`: what changes something comes from our own pages;
//! 6. health, the two documents that are the same for everybody, development routes and the site's files, which know nobody;
//! 7. `limits` again: a form is here as a whole and has one meaning;
//! 8. `function_status`: an error that the framework calls 500 gets the status it means;
//! 9. `visit`: who the visitor is, by the cookies;
//! 10. pages and server functions of the app, and exports.
//!
//! Pages are not compressed. They mix what the visitor typed with what only they may see, and the length of a compressed
//! page tells an observer who can choose the one something about the other (BREACH). Files, which are the same for
//! everybody, are compressed at build time.

mod address;
mod audit_verify;
mod authenticator;
mod csrf;
mod exports;
mod form;
mod function_status;
mod headers;
mod health;
mod limits;
pub mod listen;
mod log;
mod pages;
pub(crate) mod refusal;
mod visit;

use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use authority::Authority;
use authority::entropy::Entropy;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::Response;
use tower_http::catch_panic::CatchPanicLayer;

pub use address::TrustedProxies;
pub use limits::MAX_BODY_BYTES;

use crate::assets::Site;
use crate::dev::{self, Development};
use csrf::OwnPages;

/// What the router is built from.
pub struct Web {
    /// Who decides.
    pub authority: Authority,
    /// The site's files.
    pub site: Site,
    /// For the names of requests.
    pub entropy: Arc<dyn Entropy>,
    /// The origins of our own pages, as browsers write them.
    pub origins: Vec<String>,
    /// How the address of a client is found out.
    pub trusted_proxies: TrustedProxies,
    /// Development mode, and nothing else.
    pub development: Option<Development>,
}

/// The whole server, but for the socket.
pub fn router(web: Web) -> Router {
    let Web { authority, site, entropy, origins, trusted_proxies, development } = web;
    let mut own_pages = OwnPages::at(origins);
    let mut strangers = health::routes(authority.clone())
        .merge(authenticator::routes(site.paths()))
        .merge(audit_verify::routes(site.paths()));
    if let Some(development) = development {
        // The clock is moved by test programs, which send neither of the headers; outside of development there is none.
        own_pages = own_pages.and_programs_at(dev::CLOCK);
        strangers = strangers.merge(dev::routes(development, authority.clone(), &site.paths().css));
    }
    let pages = pages::routes(authority.clone(), site.paths())
        .merge(exports::routes(authority.clone()))
        .layer(from_fn_with_state(authority, visit::recognise))
        .layer(from_fn(function_status::settle))
        .layer(from_fn(limits::read_form))
        .layer(from_fn_with_state(site, files));
    strangers
        .layer(from_fn(limits::read_form))
        .merge(pages)
        .layer(from_fn_with_state(own_pages, csrf::check))
        .layer(from_fn(limits::check))
        .layer(CatchPanicLayer::custom(after_panic))
        .layer(from_fn(headers::add))
        .layer(from_fn_with_state(log::Log { entropy, trusted_proxies }, log::record))
}

/// A file of the site where the path is one, else whatever comes next.
async fn files(State(site): State<Site>, request: Request, next: Next) -> Response {
    match site.respond(request.method(), request.uri().path(), request.headers()) {
        Some(mut file) => {
            if Path::new(request.uri().path()).extension().is_some_and(|extension| extension == "js") {
                headers::add_to_script(file.headers_mut());
            }
            file
        }
        None => next.run(request).await,
    }
}

/// The panic itself is in the log already; the visitor learns nothing of it.
fn after_panic(_: Box<dyn Any + Send>) -> Response {
    refusal::page(StatusCode::INTERNAL_SERVER_ERROR)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::header::{CONTENT_SECURITY_POLICY, RETRY_AFTER};
    use axum::routing::get;
    use tower::ServiceExt;

    use super::*;

    /// The layers that every answer passes, around a handler that is not ours.
    fn layered(routes: Router) -> Router {
        routes.layer(from_fn(limits::check)).layer(CatchPanicLayer::custom(after_panic)).layer(from_fn(headers::add))
    }

    async fn ask(router: &Router) -> Response {
        let request = Request::builder().uri("/").body(Body::empty()).expect("a request");
        router.clone().oneshot(request).await.expect("an answer")
    }

    #[tokio::test]
    async fn a_panic_is_a_page_that_tells_nothing_and_the_next_request_works() {
        let broken = layered(Router::new().route("/", get(async || -> () { panic!("secret") })));
        for _ in 0..2 {
            let answer = ask(&broken).await;
            assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
            assert!(answer.headers().contains_key(CONTENT_SECURITY_POLICY));
            let body = to_bytes(answer.into_body(), 10_000).await.expect("a body");
            assert!(!String::from_utf8_lossy(&body).contains("secret"));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_does_not_come_is_not_waited_for() {
        let stuck = layered(Router::new().route("/", get(std::future::pending::<()>)));
        let answer = ask(&stuck).await;
        assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
        assert!(answer.headers().contains_key(RETRY_AFTER));
    }
}
