//! Short answers of the layers themselves, where no page of the app is rendered.

use app::AppError;
use axum::Json;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// A refusal: a plain page for a browser that asks for one, and for a program the app's error as JSON, so that our own
/// pages know it. Nothing of the request is repeated in it.
pub(crate) fn answer(status: StatusCode, request: &HeaderMap) -> Response {
    if accepts_html(request) {
        page(status)
    } else {
        let error = if status.is_server_error() { AppError::Unavailable } else { AppError::BadRequest };
        (status, Json(error)).into_response()
    }
}

/// The refusal as a page.
pub(crate) fn page(status: StatusCode) -> Response {
    let (title, advice) = (status.canonical_reason().unwrap_or("Error"), advice(status));
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title} - Twofold</title>\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head>\
         <body><main><h1>{title}</h1><p role=\"alert\">{advice}</p><p><a href=\"/\">Go to the first page</a></p>\
         </main></body></html>\n"
    );
    (status, [(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

/// Whether the request is a browser's own: a visited link or a posted form.
fn accepts_html(request: &HeaderMap) -> bool {
    request.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|value| value.contains("text/html"))
}

fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::BAD_REQUEST => "The request could not be understood. Go back, reload the page and try again.",
        StatusCode::FORBIDDEN => "The request did not come from a page of this site. Open the page here and try again.",
        StatusCode::NOT_FOUND => "There is nothing at this address.",
        StatusCode::METHOD_NOT_ALLOWED => "This address cannot be used that way.",
        StatusCode::REQUEST_TIMEOUT => "The request took too long to arrive. Check the connection and try again.",
        StatusCode::PAYLOAD_TOO_LARGE => "The request was too large. Shorten what you typed and try again.",
        StatusCode::UNSUPPORTED_MEDIA_TYPE => "This address takes forms only.",
        StatusCode::SERVICE_UNAVAILABLE => "The service is not available at the moment. Try again in a few seconds.",
        _ => "Something went wrong on our side. Try again; if it goes on, tell whoever runs this service.",
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_browser_gets_a_page_and_a_program_an_error_that_it_can_read() {
        let browser = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("text/html,*/*;q=0.8"))]);
        let kind = |headers| answer(StatusCode::FORBIDDEN, headers).headers()[CONTENT_TYPE].clone();
        assert_eq!(kind(&browser), "text/html; charset=utf-8");
        assert_eq!(kind(&HeaderMap::new()), "application/json");
    }
}
