//! `/practice/audit`: the practice's audit trail.

use std::time::Duration;

use authority::audit_trail::{self, Cursor, Entry, Filter, MAX_YEARS, MIN_YEARS, Person, RetentionError};
use authority::{Administrator, Authority, Unavailable, sessions, staff};
use domain::Date;
use leptos::prelude::*;
use server_fn::ServerFn;

use super::address::Address;
use super::{Page, page};
use crate::error::AppError;
use crate::notice::Notice;
use crate::pages::Then;
use crate::sheet::Part;
use crate::sheet::part::{
    block, button, cell, cells, field, form, heading, hint, info, link, messages, paragraph, row, search, section,
    select, table, time,
};
use crate::visit::{Call, redirect, refuse};

const PATH: &str = "/practice/audit";
const DAY: Duration = Duration::from_hours(24);

/// What the fields of the search say.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
pub struct Searched {
    /// The first day.
    pub from: String,
    /// The last day.
    pub to: String,
    /// A user name.
    pub account: String,
    /// The name of an event.
    pub event: String,
}

impl Searched {
    fn of(address: &Address) -> Self {
        let value = |name| address.value(name).trim().to_owned();
        Self { from: value("from"), to: value("to"), account: value("account"), event: value("event") }
    }

    /// Which events are meant; `None` if nobody of the practice has the user name.
    ///
    /// # Errors
    /// [`Unavailable`].
    pub async fn filter(
        &self,
        authority: &Authority,
        administrator: Administrator<'_>,
    ) -> Result<Option<Filter>, Unavailable> {
        let account = self.account.trim().to_lowercase();
        let account_id = if account.is_empty() {
            None
        } else {
            let everybody = staff::list(authority, administrator).await?;
            let Some(found) = everybody.into_iter().find(|member| member.username == account) else { return Ok(None) };
            Some(found.id)
        };
        Ok(Some(Filter {
            from: Date::parse(&self.from).ok().map(Date::start),
            // The last day counts as a whole.
            to: Date::parse(&self.to).ok().map(|day| day.start() + DAY),
            account_id,
            event: Some(self.event.clone()).filter(|event| !event.is_empty()),
        }))
    }

    /// As a query.
    fn query(&self) -> String {
        let fields = [("from", &self.from), ("to", &self.to), ("account", &self.account), ("event", &self.event)];
        fields.map(|(name, value)| [name, "=", &plain(value)].concat()).join("&")
    }
}

/// The text without what an address would have to escape; no day, user name or event has any of it.
fn plain(value: &str) -> String {
    value.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.@".contains(*c)).collect()
}

/// A page of the trail, newest first.
pub(super) async fn show(call: &Call, address: &Address) -> Result<Page, AppError> {
    let administrator = call.administrator(PATH).await?;
    let searched = Searched::of(address);
    let filter = searched.filter(&call.authority, administrator).await.map_err(refuse)?;
    let cursor = Cursor::parse(&address.value("before"));
    let found = match &filter {
        Some(filter) => {
            let practice_id = administrator.practice_id();
            let found = audit_trail::search(&call.authority, practice_id, filter, cursor.as_ref()).await;
            Some(found.map_err(refuse)?)
        }
        None => None,
    };
    let years = audit_trail::retention_years(&call.authority, administrator.practice_id()).await.map_err(refuse)?;
    let query = searched.query();
    let mut parts = vec![
        heading(
            "Audit trail",
            "Who did what to whom, from where. Nothing in it can be changed, or removed before its time.",
        ),
        messages(),
        search_form(&searched),
    ];
    match found {
        Some(found) if !found.entries.is_empty() => {
            let headings = ["Time", "Event", "By", "About", "Factor", "Address"];
            parts.push(table("Events", &headings, found.entries.iter().map(line).collect()));
            parts.extend(found.next.map(|next| {
                paragraph(vec![link(format!("{PATH}?{query}&before={next}"), "Older events").class("btn").external()])
            }));
        }
        _ => parts.push(info(vec!["No event was found.".into()])),
    }
    parts.push(block(
        "row",
        vec![
            link(format!("/practice/audit.csv?{query}"), "Export CSV").class("btn").external(),
            link("/practice/audit.jsonl", "Export for Verification").class("btn").external(),
            link("/practice/audit/verify", "Verify an export").external(),
        ],
    ));
    parts.push(section(
        "retention",
        "Retention",
        vec![
            hint(
                "The law asks for six years. What is older is removed day by day, and nobody can bring it back: export it \
                 before if you want to keep it. An event in the trail says that it was removed.",
            ),
            form(
                SetRetention::PATH,
                vec![
                    field("Keep for years", "years")
                        .class("number")
                        .hint(format!("{MIN_YEARS} to {MAX_YEARS}."))
                        .value(years.to_string()),
                    button("Save").class("btn"),
                ],
            ),
        ],
    ));
    Ok(page("Audit trail", PATH, parts))
}

fn search_form(searched: &Searched) -> Part {
    let events = audit_trail::events();
    let options = std::iter::once(("", "Any")).chain(events.iter().map(|event| (event.name, event.description)));
    search(
        PATH,
        vec![
            field("From", "from").class("date").value(searched.from.clone()),
            field("To", "to").class("date").value(searched.to.clone()),
            field("Account", "account").value(searched.account.clone()).hint("A username"),
            select("Event", "event", options, &searched.event),
            button("Search"),
        ],
    )
}

/// What happened, in a sentence.
pub(super) fn sentence(entry: &Entry) -> &str {
    entry.description.unwrap_or(&entry.event)
}

/// Somebody's user name; of who is no account of this practice, what the trail calls them.
pub(super) fn who(person: &Person) -> String {
    person.username.clone().unwrap_or_else(|| person.id.clone())
}

fn line(entry: &Entry) -> Part {
    row(vec![
        cell(time(Some(entry.at))),
        cells(vec![sentence(entry).into(), hint(entry.event.clone())]),
        cell(who(&entry.actor)),
        cell(who(&entry.subject)),
        cell(entry.factor.clone().unwrap_or_else(|| "–".to_owned())),
        cell(entry.address.clone()),
    ])
}

/// Sets how long the practice keeps its trail.
#[server(prefix = "/api", endpoint = "set_retention")]
pub(crate) async fn set_retention(#[server(default)] years: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let years = years.trim().parse().map_err(|_| refuse(AppError::RetentionYears))?;
    if !sessions::is_stepped_up(&call.authority, administrator.signed_in()) {
        redirect(&Then::practice(PATH));
        return Ok(());
    }
    match audit_trail::set_retention_years(&call.authority, administrator, call.visitor(), years).await {
        Ok(()) => redirect(&Notice::PolicySaved.at(PATH)),
        Err(RetentionError::InvalidYears) => return Err(refuse(AppError::RetentionYears)),
        Err(RetentionError::Unavailable) => return Err(refuse(AppError::Unavailable)),
    }
    Ok(())
}
