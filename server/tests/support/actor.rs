//! Somebody at a browser: keeps cookies, and posts forms with JavaScript and without.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::SocketAddr;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, REFERER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderName, Method, Request, StatusCode};
use tower::ServiceExt;

use super::{Form, ORIGIN};

/// How a form is posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    /// By the browser itself, which then shows the answer.
    PlainForm,
    /// By our own WASM, which reads JSON.
    Wasm,
}

impl Client {
    pub(crate) const BOTH: [Self; 2] = [Self::PlainForm, Self::Wasm];

    fn accept(self) -> &'static str {
        match self {
            Self::PlainForm => "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            Self::Wasm => "application/json",
        }
    }
}

#[derive(Clone)]
pub(crate) struct Actor {
    router: Router,
    cookies: BTreeMap<String, String>,
    address: SocketAddr,
    /// The page whose forms are posted.
    page: String,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Actor {
    pub(super) fn new(router: Router) -> Self {
        Self { router, cookies: BTreeMap::new(), address: ([192, 0, 2, 1], 50_000).into(), page: "/login".to_owned() }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies.get(name).map(String::as_str)
    }

    pub(crate) fn set_cookie(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn forget_cookie(&mut self, name: &str) {
        self.cookies.remove(name);
    }

    /// A request as this browser sends it, with its cookies and where it comes from.
    pub(crate) fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        let mut request = Request::builder().method(method).uri(path).extension(ConnectInfo(self.address));
        if !self.cookies.is_empty() {
            let mut line = String::new();
            for (name, value) in &self.cookies {
                let _ = write!(line, "{}{name}={value}", if line.is_empty() { "" } else { "; " });
            }
            request = request.header(COOKIE, line);
        }
        request
    }

    /// Sends a request, and keeps the cookies of the answer.
    pub(crate) async fn send(&mut self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("the router always answers");
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, 1 << 20).await.expect("a whole body");
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let cookie = cookie.to_str().expect("plain text");
            let (name, rest) = cookie.split_once('=').expect("a name and a value");
            let value = rest.split(';').next().unwrap_or_default();
            if cookie.contains("Max-Age=0") {
                self.forget_cookie(name);
            } else {
                self.set_cookie(name, value);
            }
        }
        Answer { status: parts.status, headers: parts.headers, body: String::from_utf8_lossy(&body).into_owned() }
    }

    /// Opens a page.
    pub(crate) async fn get(&mut self, path: &str) -> Answer {
        let request = self.request(Method::GET, path).header(ACCEPT, Client::PlainForm.accept());
        let request = request.header("sec-fetch-site", "none").body(Body::empty()).expect("a request");
        let answer = self.send(request).await;
        if answer.status == StatusCode::OK {
            path.clone_into(&mut self.page);
        }
        answer
    }

    /// Posts fields to a server function, from the page opened last.
    pub(crate) async fn post(&mut self, client: Client, function: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_body(client, function, encode(fields).into_bytes()).await
    }

    /// Fills in and posts a form of the page opened last.
    pub(crate) async fn submit(&mut self, client: Client, form: &Form) -> Answer {
        let fields: Vec<_> = form.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.post(client, &form.action, &fields).await
    }

    /// Opens the page that an answer leads to.
    pub(crate) async fn follow(&mut self, answer: &Answer) -> Answer {
        let location = answer.header(LOCATION);
        let path = location.strip_prefix(ORIGIN).unwrap_or(location).to_owned();
        assert!(path.starts_with('/'), "leads nowhere: {answer:?}");
        self.get(&path).await
    }

    /// Posts a body that no form makes.
    pub(crate) async fn post_body(&mut self, client: Client, function: &str, body: Vec<u8>) -> Answer {
        let request = self
            .request(Method::POST, function)
            .header(ACCEPT, client.accept())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(REFERER, format!("{ORIGIN}{}", self.page))
            .header("sec-fetch-site", "same-origin");
        self.send(request.body(Body::from(body)).expect("a request")).await
    }
}

/// The fields as a browser encodes them.
pub(crate) fn encode(fields: &[(&str, &str)]) -> String {
    let mut form = String::new();
    for (name, value) in fields {
        if !form.is_empty() {
            form.push('&');
        }
        let _ = write!(form, "{name}=");
        for byte in value.bytes() {
            if byte.is_ascii_alphanumeric() {
                form.push(char::from(byte));
            } else {
                let _ = write!(form, "%{byte:02X}");
            }
        }
    }
    form
}

impl Answer {
    pub(crate) fn header(&self, name: impl TryInto<HeaderName>) -> &str {
        let name = name.try_into().ok().expect("a header's name");
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Where it leads, without the query; empty if nowhere. A plain form is redirected to a whole address.
    pub(crate) fn leads_to(&self) -> &str {
        let location = self.header(LOCATION);
        let path = location.strip_prefix(ORIGIN).unwrap_or(location);
        path.split('?').next().unwrap_or_default()
    }

    /// The error that the form's page will show: in the body for our own client, in the address for a plain form.
    pub(crate) fn is_refused(&self) -> bool {
        self.headers.contains_key("serverfnerror") || self.header(LOCATION).contains("__err=")
    }

    /// What an outsider can tell answers apart by: all but the date and the name of the request.
    pub(crate) fn observable(&self) -> (StatusCode, Vec<(String, String)>, String) {
        let ignored = ["date", "x-request-id"];
        let mut headers: Vec<_> = self
            .headers
            .iter()
            .filter(|(name, _)| !ignored.contains(&name.as_str()))
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        headers.sort();
        (self.status, headers, self.body.clone())
    }
}
