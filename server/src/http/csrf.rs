//! Requests that change something must come from our own pages.
//!
//! Server functions check neither where a request comes from nor a token in it, so this layer stands before every route.
//! Browsers say in `Sec-Fetch-Site` which site a request was made by, and no page can forge that header; browsers too old
//! for it send `Origin` with every form. A request with neither was made by no page, and is refused as well: a program
//! that wants to post has to say so by sending one of them.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{ORIGIN, REFERER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::Response;

use super::refusal;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What counts as our own.
#[derive(Clone, Debug)]
pub(super) struct OwnPages {
    /// The origins of our pages, as browsers write them. One, except in development.
    origins: Arc<[String]>,
    /// A path that programs may post to without saying where they come from.
    open_to_programs: Option<&'static str>,
}

impl OwnPages {
    /// Pages of these origins, and nothing else.
    pub(super) fn at(origins: impl IntoIterator<Item = String>) -> Self {
        Self { origins: origins.into_iter().collect(), open_to_programs: None }
    }

    /// Lets programs post to one path. A page of another site still cannot, for its browser says where it comes from.
    pub(super) fn and_programs_at(self, path: &'static str) -> Self {
        Self { open_to_programs: Some(path), ..self }
    }

    /// Whether this is the address of one of our own pages.
    fn contain(&self, address: Option<&HeaderValue>) -> bool {
        let address = address.and_then(|address| address.to_str().ok()).unwrap_or_default();
        self.origins.iter().filter_map(|own| address.strip_prefix(own.as_str())).any(|path| path.starts_with('/'))
    }

    /// Whether a request that changes something comes from our own pages.
    fn include(&self, path: &str, headers: &HeaderMap) -> bool {
        let lines = |name| headers.get_all(name).iter().collect::<Vec<_>>();
        match (lines(SEC_FETCH_SITE).as_slice(), lines(ORIGIN).as_slice()) {
            // `none` is the person at the browser's own doing, which no page can cause.
            ([site], _) => ["same-origin", "none"].iter().any(|own| site == own),
            ([], [origin]) => self.origins.iter().any(|own| *origin == own.as_str()),
            ([], []) => self.open_to_programs == Some(path),
            // Several lines of one header were put together by nobody we know.
            _ => false,
        }
    }
}

/// The layer.
pub(super) async fn check(State(own_pages): State<OwnPages>, mut request: Request, next: Next) -> Response {
    let is_safe = [Method::GET, Method::HEAD].contains(request.method());
    if !is_safe && !own_pages.include(request.uri().path(), request.headers()) {
        return refusal::answer(StatusCode::FORBIDDEN, request.headers());
    }
    // The framework answers a plain form by sending the browser back to the page it names. It is one of ours, or none.
    if !own_pages.contain(request.headers().get(REFERER)) {
        request.headers_mut().remove(REFERER);
    }
    next.run(request).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn includes(headers: &[(&'static str, &'static str)]) -> bool {
        let own_pages = OwnPages::at(["https://twofold.test".to_owned()]);
        let headers =
            headers.iter().map(|&(name, value)| (name.parse().expect("a name"), value.parse().expect("a value")));
        own_pages.include("/api/log_in", &headers.collect())
    }

    #[test]
    fn the_browsers_word_on_the_site_decides() {
        assert!(includes(&[("sec-fetch-site", "same-origin")]));
        assert!(includes(&[("sec-fetch-site", "none")]));
        for site in ["cross-site", "same-site", "", "Same-Origin", "same-origin, cross-site", "unheard-of"] {
            assert!(!includes(&[("sec-fetch-site", site), ("origin", "https://twofold.test")]), "{site}");
        }
        assert!(!includes(&[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")]));
    }

    #[test]
    fn without_it_the_origin_decides() {
        assert!(includes(&[("origin", "https://twofold.test")]));
        for origin in [
            "null",
            "",
            "http://twofold.test",
            "https://twofold.test:8443",
            "https://sub.twofold.test",
            "https://twofold.test.evil.test",
            "https://evil.test",
        ] {
            assert!(!includes(&[("origin", origin)]), "{origin}");
        }
        assert!(!includes(&[("origin", "https://twofold.test"), ("origin", "https://evil.test")]));
    }

    #[test]
    fn a_request_that_says_nothing_is_refused() {
        assert!(!includes(&[]));
        assert!(!includes(&[("referer", "https://twofold.test/login")]));
    }

    #[test]
    fn the_page_to_go_back_to_is_one_of_ours() {
        let own_pages = OwnPages::at(["https://twofold.test".to_owned()]);
        let contains = |address: &'static str| own_pages.contain(Some(&HeaderValue::from_static(address)));
        assert!(contains("https://twofold.test/login?next=/a"));
        for address in ["", "/login", "https://twofold.test.evil.test/", "https://twofold.test", "https://evil.test/"] {
            assert!(!contains(address), "{address}");
        }
        assert!(!own_pages.contain(None));
    }

    #[test]
    fn a_path_open_to_programs_is_closed_to_other_sites() {
        let own_pages = OwnPages::at(["https://twofold.test".to_owned()]).and_programs_at("/dev/clock");
        let nothing = HeaderMap::new();
        assert!(own_pages.include("/dev/clock", &nothing));
        assert!(!own_pages.include("/api/log_in", &nothing));
        let elsewhere = HeaderMap::from_iter([(SEC_FETCH_SITE, "cross-site".parse().expect("a value"))]);
        assert!(!own_pages.include("/dev/clock", &elsewhere));
    }
}
