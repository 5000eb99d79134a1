//! `/account/security/activity`: what the practice's audit trail says about the person who looks.

use std::collections::BTreeMap;

use authority::audit_trail::{self, Cursor, Entry};
use authority::sessions;
use domain::FactorKind;

use super::Page;
use super::address::Address;
use super::audit::{sentence, who};
use crate::browser_name::browser_name;
use crate::error::AppError;
use crate::sheet::Part;
use crate::sheet::part::{
    back, block, cell, cells, heading, hint, info, link, messages, paragraph, row, table, time, warning,
};
use crate::visit::{Call, refuse};

const PATH: &str = "/account/security/activity";

/// A page of it, newest first.
pub(super) async fn show(call: &Call, address: &Address) -> Result<Page, AppError> {
    const TITLE: &str = "Recent activity";
    let signed_in = call.signed_in(PATH).await?;
    let cursor = Cursor::parse(&address.value("before"));
    let found = audit_trail::about(&call.authority, signed_in, cursor.as_ref()).await.map_err(refuse)?;
    let browsers = sessions::list(&call.authority, signed_in).await.map_err(refuse)?;
    // What a browser says of itself is kept for as long as it is signed in.
    let browsers = browsers.into_iter().map(|browser| {
        let name = browser_name(&browser.user_agent);
        (browser.id, if browser.is_this { name + " (this browser)" } else { name })
    });
    let browsers: BTreeMap<_, _> = browsers.collect();
    let mut parts = vec![
        back("/account/security", "Back to Security"),
        heading(TITLE, "What happened at your account, when, and from where. Nobody can change it."),
        messages(),
    ];
    if found.entries.is_empty() {
        parts.push(info(vec!["Nothing yet.".into()]));
    } else {
        let lines = found.entries.iter().map(|entry| line(entry, &browsers));
        parts.push(table("Events", &["Time", "What happened", "Browser", "Network address"], lines.collect()));
    }
    parts.extend(
        found.next.map(|next| {
            paragraph(vec![link(format!("{PATH}?before={next}"), "Older activity").class("btn").external()])
        }),
    );
    parts.push(warning(vec![
        "Something was not you? ".into(),
        link("/account/password", "Change your password"),
        ", and end browsers that you do not know on the ".into(),
        link("/account/security", "Security tab"),
        ".".into(),
    ]));
    Ok((TITLE.to_owned(), vec![block("stack", parts)]))
}

fn line(entry: &Entry, browsers: &BTreeMap<String, String>) -> Part {
    let factor = entry.factor.as_deref().and_then(FactorKind::from_name).map(|factor| by(factor).to_owned());
    let actor = (entry.actor != entry.subject).then(|| format!("By {}.", who(&entry.actor)));
    let more: Vec<_> = factor.into_iter().chain(actor).collect();
    let mut what = vec![Part::from(sentence(entry))];
    if !more.is_empty() {
        what.push(hint(more.join(" ")));
    }
    let browser = entry.session_id.as_ref().and_then(|id| browsers.get(id));
    row(vec![
        cell(time(Some(entry.at))),
        cells(what),
        cell(browser.map_or("–", String::as_str)),
        cell(entry.address.clone()),
    ])
}

const fn by(factor: FactorKind) -> &'static str {
    match factor {
        FactorKind::Sms => "Text message or call.",
        FactorKind::Authenticator => "Twofold Authenticator.",
        FactorKind::Totp => "Authenticator app.",
        FactorKind::RecoveryCode => "Recovery code.",
    }
}
