//! Looking through a practice's trail, and one's own part of it.

use std::fmt;

use domain::Timestamp;

use crate::audit::Event;
use crate::store::{AuditFilter, FoundRow};
use crate::{Authority, SignedIn, Unavailable, moment};

/// Events of one page.
pub const PAGE: usize = 50;

/// Which events are looked for. `None` stands for any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// From this moment on.
    pub from: Option<Timestamp>,
    /// Before this moment.
    pub to: Option<Timestamp>,
    /// Of this account, whether it acted or it is the one that the event is about.
    pub account_id: Option<String>,
    /// Of this name; see [`events`].
    pub event: Option<String>,
}

/// Where a page ended, for the address of the next. Says nothing that the page does not show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    at: i64,
    id: String,
}

impl Cursor {
    /// From its text; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('.')?;
        Some(Self { at: at.parse().ok()?, id: id.to_owned() })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.at, self.id)
    }
}

/// Who acted, or whom an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The account's id.
    pub id: String,
    /// Its user name; `None` if it is no account of this practice.
    pub username: Option<String>,
}

/// An event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The row's id.
    pub id: String,
    /// When it happened.
    pub at: Timestamp,
    /// Its name.
    pub event: String,
    /// The same in a sentence; `None` for a name of another release.
    pub description: Option<&'static str>,
    /// Who acted.
    pub actor: Person,
    /// Whom it is about.
    pub subject: Person,
    /// The kind of the factor, where there was one.
    pub factor: Option<String>,
    /// The client's address.
    pub address: String,
    /// The session's name in the trail, by which [`crate::sessions::list`] names it too.
    pub session_id: Option<String>,
    /// The request, as the log names it.
    pub request_id: String,
}

/// A page of events, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// At most [`PAGE`].
    pub entries: Vec<Entry>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

/// A kind of event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventName {
    /// Its name in the trail.
    pub name: &'static str,
    /// The same in a sentence.
    pub description: &'static str,
}

/// Every kind of event, in the order in which the code has them.
#[must_use]
pub fn events() -> Vec<EventName> {
    Event::ALL.iter().map(|event| EventName { name: event.name(), description: event.description() }).collect()
}

/// A page of a practice's trail, newest first; from the cursor on, or from the newest event on.
///
/// `practice_id` is that of the caller's proof: nobody reads another practice's trail (requirements.md AU-7).
///
/// # Errors
/// [`Unavailable`].
pub async fn search(
    authority: &Authority,
    practice_id: &str,
    filter: &Filter,
    cursor: Option<&Cursor>,
) -> Result<Page, Unavailable> {
    let filter = AuditFilter {
        practice_id,
        from: filter.from.map_or(i64::MIN, Timestamp::millis),
        to: filter.to.map_or(i64::MAX, Timestamp::millis),
        account_id: filter.account_id.as_deref().unwrap_or_default(),
        event: filter.event.as_deref().unwrap_or_default(),
        before_at: cursor.map_or(i64::MAX, |cursor| cursor.at),
        before_id: cursor.map_or("", |cursor| &cursor.id),
    };
    let rows = authority.store.search_audit(&filter, one_more()?).await?;
    Ok(page(rows))
}

/// A page of what the practice's trail says about the person who asks, newest first; from the cursor on, or from the newest
/// event on. Nothing about anybody else, whoever acted.
///
/// # Errors
/// [`Unavailable`].
pub async fn about(authority: &Authority, signed_in: &SignedIn, cursor: Option<&Cursor>) -> Result<Page, Unavailable> {
    let before = cursor.map_or((i64::MAX, ""), |cursor| (cursor.at, cursor.id.as_str()));
    let (practice_id, account_id) = (signed_in.practice_id(), signed_in.account_id());
    Ok(page(authority.store.audit_about(practice_id, account_id, before, one_more()?).await?))
}

/// One more than a page shows tells whether there is a next one.
fn one_more() -> Result<i64, Unavailable> {
    i64::try_from(PAGE + 1).map_err(|_| Unavailable)
}

fn page(mut rows: Vec<FoundRow>) -> Page {
    let has_more = rows.len() > PAGE;
    rows.truncate(PAGE);
    let next = rows.last().filter(|_| has_more).map(|row| Cursor { at: row.at, id: row.id.clone() });
    Page { entries: rows.into_iter().map(entry).collect(), next }
}

fn entry(row: FoundRow) -> Entry {
    Entry {
        description: Event::ALL.iter().find(|event| event.name() == row.event).map(|event| event.description()),
        id: row.id,
        at: moment(row.at),
        event: row.event,
        actor: Person { id: row.actor_id, username: row.actor_username },
        subject: Person { id: row.subject_id, username: row.subject_username },
        factor: row.factor,
        address: row.address,
        session_id: row.session_id,
        request_id: row.request_id,
    }
}
