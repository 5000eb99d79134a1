//! Development mode: the messages that would have gone out, and a clock that can be moved.
//!
//! The routes exist only in a router that was given a [`Development`], which `serve` does for `--dev` alone; anywhere else
//! these paths are as unknown as any other. What they show opens every account, so they are not for real people.

use std::sync::Arc;

use authority::clock::ShiftedClock;
use authority::outbox::OutboxMessage;
use authority::{Authority, Unavailable};
use axum::extract::{Form, Query, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use crate::http::refusal;

/// Where the clock is moved. Programs may post to it without saying where they come from.
pub const CLOCK: &str = "/dev/clock";
/// Where the messages are.
pub const OUTBOX: &str = "/dev/outbox";

/// A page without scripts: only the site's style sheet.
const OUTBOX_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// What the development routes need.
#[derive(Clone)]
pub struct Development {
    /// The server's clock.
    pub clock: Arc<ShiftedClock>,
}

#[derive(Clone)]
struct Dev {
    authority: Authority,
    clock: Arc<ShiftedClock>,
    css: Arc<str>,
}

/// The routes.
pub(crate) fn routes(development: Development, authority: Authority, css: &str) -> Router {
    Router::new()
        .route(OUTBOX, get(outbox_page))
        .route("/dev/outbox.json", get(outbox_json))
        .route(CLOCK, post(move_clock))
        .with_state(Dev { authority, clock: development.clock, css: css.into() })
}

#[derive(Deserialize)]
struct Wanted {
    to: Option<String>,
}

impl Wanted {
    fn to(&self) -> Option<&str> {
        self.to.as_deref().filter(|to| !to.is_empty())
    }
}

/// A message, as tests read it.
#[derive(Serialize)]
struct Message {
    id: String,
    channel: &'static str,
    to: String,
    body: String,
    /// Unix seconds.
    created_at: u64,
}

impl From<OutboxMessage> for Message {
    fn from(message: OutboxMessage) -> Self {
        Self {
            id: message.id,
            channel: message.channel.name(),
            to: message.to,
            body: message.body,
            created_at: message.created_at.unix_seconds(),
        }
    }
}

async fn messages(authority: &Authority, to: Option<&str>) -> Result<Vec<Message>, Unavailable> {
    Ok(authority::outbox::list(authority, to).await?.into_iter().map(Message::from).collect())
}

async fn outbox_json(State(dev): State<Dev>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    match messages(&dev.authority, wanted.to()).await {
        Ok(messages) => Json(messages).into_response(),
        Err(Unavailable) => refusal::answer(StatusCode::SERVICE_UNAVAILABLE, &headers),
    }
}

async fn outbox_page(State(dev): State<Dev>, Query(wanted): Query<Wanted>, headers: HeaderMap) -> Response {
    match messages(&dev.authority, wanted.to()).await {
        Ok(messages) => {
            let now = dev.authority.now().unix_seconds();
            let to = wanted.to.unwrap_or_default();
            let page = format!("<!DOCTYPE html>{}", page(&dev.css, messages, now, to).to_html());
            ([(CONTENT_SECURITY_POLICY, OUTBOX_POLICY)], Html(page)).into_response()
        }
        Err(Unavailable) => refusal::answer(StatusCode::SERVICE_UNAVAILABLE, &headers),
    }
}

/// The page. `view!` escapes every value, for what stands in a message may come from anybody.
fn page(css: &str, messages: Vec<Message>, now: u64, to: String) -> impl IntoView {
    let count = messages.len();
    view! {
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <title>"Outbox - Twofold"</title>
                <link rel="stylesheet" href=css.to_owned() />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
            </head>
            <body>
                <main class="stack">
                    <h1>"Outbox"</h1>
                    <p>"Development mode: what would have gone out by text message, call and e-mail. Newest first."</p>
                    <form method="get" action=OUTBOX class="stack">
                        <div class="field">
                            <label for="to">"Only to this number or address"</label>
                            <input id="to" name="to" type="text" autocomplete="off" value=to />
                        </div>
                        <button type="submit" class="btn">"Show"</button>
                    </form>
                    <h2>{format!("Messages: {count}")}</h2>
                    {messages.into_iter().map(|message| article(message, now)).collect_view()}
                </main>
            </body>
        </html>
    }
}

fn article(message: Message, now: u64) -> impl IntoView {
    let kind = match message.channel {
        "sms" => "Text message",
        "voice" => "Call",
        _ => "E-mail",
    };
    let age = now.saturating_sub(message.created_at);
    view! {
        <article class="card stack">
            <h3>{format!("{kind} to {}, {age} s ago", message.to)}</h3>
            <pre tabindex="0" aria-label="Text">{message.body}</pre>
        </article>
    }
}

#[derive(Deserialize)]
struct Shift {
    /// Seconds; negative ones go back.
    advance: i64,
}

#[derive(Serialize)]
struct Now {
    /// Unix seconds.
    now: u64,
}

async fn move_clock(State(dev): State<Dev>, Form(shift): Form<Shift>) -> Json<Now> {
    let now = dev.clock.advance(shift.advance);
    tracing::info!(seconds = shift.advance, "the clock was moved");
    Json(Now { now: now.unix_seconds() })
}
