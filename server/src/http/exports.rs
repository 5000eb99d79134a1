//! What administrators take away as files: the staff, coverage, and the audit trail. Each takes a step-up (requirements.md SE-8).
//!
//! Files come in pieces as they are read, so that a long trail is never in memory as a whole.

use std::fmt::Write as _;

use app::{Searched, Visit};
use authority::audit_trail::{self, Cursor, Entry, Filter};
use authority::{Administrator, Authority, Unavailable, sessions, staff};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Extension, Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use domain::{Date, Timestamp};
use futures_util::stream::{self, Stream};

use super::refusal;

/// The routes of all exports.
pub(super) fn routes(authority: Authority) -> Router {
    Router::new()
        .route("/practice/coverage.csv", get(coverage))
        .route("/practice/staff.csv", get(everybody))
        .route("/practice/audit.csv", get(audit))
        .route("/practice/audit.jsonl", get(audit_for_verification))
        .with_state(authority)
}

/// Lets an administrator pass who has proven who they are within the last minutes, and writes down that the file goes;
/// sends everybody else where they can.
async fn admit<'a>(
    authority: &Authority,
    visit: &'a Visit,
    page: &str,
    name: &'static str,
    headers: &HeaderMap,
) -> Result<Administrator<'a>, Box<Response>> {
    let elsewhere = |path: &str| Box::new(Redirect::to(path).into_response());
    let Some(signed_in) = &visit.signed_in else {
        return Err(elsewhere(&visit.sent_from(page).unwrap_or_default()));
    };
    let administrator =
        signed_in.administrator().ok_or_else(|| Box::new(refusal::answer(StatusCode::FORBIDDEN, headers)))?;
    if !sessions::is_stepped_up(authority, signed_in) {
        return Err(elsewhere(&format!("/account/step-up?then={page}")));
    }
    match audit_trail::note_export(authority, administrator, &visit.visitor, name).await {
        Ok(()) => Ok(administrator),
        Err(Unavailable) => Err(Box::new(unavailable(headers))),
    }
}

/// A file to store.
fn file(kind: &'static str, name: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Ok(disposition) = HeaderValue::try_from(format!("attachment; filename=\"{name}\"")) {
        headers.insert(CONTENT_DISPOSITION, disposition);
    }
    response
}

const CSV: &str = "text/csv; charset=utf-8";

/// One line. What a spreadsheet would take for a formula gets a quote before it (OWASP, CSV injection).
fn line<'a>(cells: impl IntoIterator<Item = &'a str>) -> String {
    let mut line = String::new();
    for cell in cells {
        if !line.is_empty() {
            line.push(',');
        }
        let is_formula = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
        let guard = if is_formula { "'" } else { "" };
        // Writing to a text does not fail.
        let _ = write!(line, "\"{guard}{}\"", cell.replace('"', "\"\""));
    }
    line.push_str("\r\n");
    line
}

/// `2026-12-01T14:47:05Z`.
fn moment(at: Timestamp) -> String {
    let seconds = at.unix_seconds();
    format!("{}T{:02}:{:02}:{:02}Z", Date::of(at), seconds / 3600 % 24, seconds / 60 % 60, seconds % 60)
}

async fn coverage(
    State(authority): State<Authority>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
) -> Response {
    members(&authority, &visit, "/practice/coverage", "coverage.csv", &headers).await
}

async fn everybody(
    State(authority): State<Authority>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
) -> Response {
    members(&authority, &visit, "/practice/staff", "staff.csv", &headers).await
}

/// Who works at the practice and what protects them: the file of that name, for `page`.
async fn members(
    authority: &Authority,
    visit: &Visit,
    page: &str,
    name: &'static str,
    headers: &HeaderMap,
) -> Response {
    let administrator = match admit(authority, visit, page, name, headers).await {
        Ok(administrator) => administrator,
        Err(elsewhere) => return *elsewhere,
    };
    let Ok(everybody) = staff::list(authority, administrator).await else { return unavailable(headers) };
    let mut text = line([
        "Last name",
        "First name",
        "Username",
        "Role",
        "Active",
        "2-Factor Auth",
        "Twofold Authenticator devices",
        "Authenticator apps",
        "Text messages",
        "Recovery codes",
        "Last sign-in",
    ]);
    let yes = |is: bool| if is { "yes" } else { "no" };
    for member in everybody {
        text.push_str(&line([
            member.last_name.as_str(),
            &member.first_name,
            &member.username,
            member.role.label(),
            yes(member.is_active),
            if member.is_protected() { "On" } else { "Off" },
            &member.devices.to_string(),
            &member.apps.to_string(),
            yes(member.has_sms),
            &member.codes_left.to_string(),
            &member.last_signed_in_at.map(moment).unwrap_or_default(),
        ]));
    }
    file(CSV, name, Body::from(text))
}

fn unavailable(headers: &HeaderMap) -> Response {
    refusal::answer(StatusCode::SERVICE_UNAVAILABLE, headers)
}

async fn audit(
    State(authority): State<Authority>,
    Extension(visit): Extension<Visit>,
    Query(searched): Query<Searched>,
    headers: HeaderMap,
) -> Response {
    let administrator = match admit(&authority, &visit, "/practice/audit", "audit.csv", &headers).await {
        Ok(administrator) => administrator,
        Err(elsewhere) => return *elsewhere,
    };
    let Ok(filter) = searched.filter(&authority, administrator).await else { return unavailable(&headers) };
    let practice_id = administrator.practice_id().to_owned();
    file(CSV, "audit.csv", Body::from_stream(audit_lines(authority, practice_id, filter)))
}

/// How far an export of the trail has come.
enum Place {
    Start(Filter),
    Next(Filter, Cursor),
    End,
}

/// The trail as CSV, page by page.
fn audit_lines(
    authority: Authority,
    practice_id: String,
    filter: Option<Filter>,
) -> impl Stream<Item = Result<Bytes, Unavailable>> {
    let headings = line(["Time", "Event", "By", "About", "Factor", "Address", "Session", "Request", "Id"]);
    let start = (Some(headings), filter.map_or(Place::End, Place::Start));
    stream::try_unfold(start, move |(headings, place)| {
        let (authority, practice_id) = (authority.clone(), practice_id.clone());
        async move {
            let (filter, cursor) = match place {
                Place::Start(filter) => (filter, None),
                Place::Next(filter, cursor) => (filter, Some(cursor)),
                Place::End => return Ok(headings.map(|headings| (Bytes::from(headings), (None, Place::End)))),
            };
            let page = audit_trail::search(&authority, &practice_id, &filter, cursor.as_ref()).await?;
            let mut text = headings.unwrap_or_default();
            page.entries.iter().for_each(|entry| text.push_str(&audit_line(entry)));
            let next = page.next.map_or(Place::End, |cursor| Place::Next(filter, cursor));
            Ok(Some((Bytes::from(text), (None, next))))
        }
    })
}

fn audit_line(entry: &Entry) -> String {
    line([
        moment(entry.at).as_str(),
        &entry.event,
        entry.actor.username.as_deref().unwrap_or(&entry.actor.id),
        entry.subject.username.as_deref().unwrap_or(&entry.subject.id),
        entry.factor.as_deref().unwrap_or_default(),
        &entry.address,
        entry.session_id.as_deref().unwrap_or_default(),
        &entry.request_id,
        &entry.id,
    ])
}

/// The whole trail with its chain, for the verifier.
async fn audit_for_verification(
    State(authority): State<Authority>,
    Extension(visit): Extension<Visit>,
    headers: HeaderMap,
) -> Response {
    let administrator = match admit(&authority, &visit, "/practice/audit", "audit.jsonl", &headers).await {
        Ok(administrator) => administrator,
        Err(elsewhere) => return *elsewhere,
    };
    let Ok(Some(export)) = audit_trail::export(&authority, administrator.practice_id()).await else {
        return unavailable(&headers);
    };
    let lines = stream::try_unfold(export, move |mut export| {
        let authority = authority.clone();
        async move {
            let lines = export.next_lines(&authority).await?;
            Ok::<_, Unavailable>(lines.map(|lines| (Bytes::from(lines), export)))
        }
    });
    file("application/jsonl", "audit.jsonl", Body::from_stream(lines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_ends_no_cell_and_starts_no_formula() {
        assert_eq!(line(["a", "b,c", "d\"e", "=1+1", "-x"]), "\"a\",\"b,c\",\"d\"\"e\",\"'=1+1\",\"'-x\"\r\n");
    }

    #[test]
    fn times_are_of_iso_8601() {
        assert_eq!(moment(Timestamp::from_seconds(1_234_567_890)), "2009-02-13T23:31:30Z");
    }
}
