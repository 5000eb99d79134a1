//! The one way to the server.

use leptos::prelude::window;
use server_fn::redirect::REDIRECT_HEADER;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestInit, Response, UrlSearchParams};

use crate::error::AppError;
use crate::wire;

/// What the server answered.
pub(crate) enum Reply {
    /// The function's result, as JSON.
    #[cfg_attr(feature = "ssr", expect(dead_code, reason = "pages are fetched by the browser's half only"))]
    Done(String),
    /// Go to this path.
    Elsewhere(String),
    /// The function's error.
    Refused(AppError),
    /// No answer, or one that is not ours.
    Unreachable,
}

/// Calls a server function.
pub(crate) async fn post(url: &str, fields: Option<UrlSearchParams>) -> Reply {
    try_post(url, fields).await.unwrap_or(Reply::Unreachable)
}

async fn try_post(url: &str, fields: Option<UrlSearchParams>) -> Result<Reply, JsValue> {
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_headers(&headers);
    let fields = match fields {
        Some(fields) => fields,
        None => UrlSearchParams::new()?,
    };
    request.set_body(&fields);
    let response: Response = JsFuture::from(window().fetch_with_str_and_init(url, &request)).await?.dyn_into()?;
    // Read in any case: an answer whose body nobody takes counts as broken off.
    let text = JsFuture::from(response.text()?).await?.as_string().unwrap_or_default();
    let headers = response.headers();
    if headers.has(REDIRECT_HEADER)?
        && let Some(location) = headers.get("location")?
    {
        return Ok(Reply::Elsewhere(location));
    }
    Ok(if response.ok() { Reply::Done(text) } else { wire::parse(&text).map_or(Reply::Unreachable, Reply::Refused) })
}
