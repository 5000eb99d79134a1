//! Remembered browsers: where the practice allows it, a browser that has completed a sign-in may ask for no token for some
//! days (requirements.md SE-9).
//!
//! It is no authentication (63B §5.1): its sessions are marked so, and a step-up takes a token in them too. Each use gives
//! the browser a new key, so that a copied cookie shows: whoever comes second has an earlier key, and the browser is
//! forgotten. Whatever ends the other sessions of an account forgets its remembered browsers in the same commit.

use std::time::Duration;

use domain::session::Assurance;
use domain::{LocalPath, Timestamp};

use crate::audit::{self, Event, Subject};
use crate::keys::{BrowserKey, RememberKey};
use crate::notice::{self, Notice};
use crate::sessions::{self, EndError};
use crate::store::{AccountRow, NewRemembered, RememberedRow, Write};
use crate::{Authority, OpenedSession, SignedIn, Unavailable, Visitor, moment};

/// Browsers that an account may have remembered; one more forgets the one that was used least recently.
const MAX_REMEMBERED: i64 = 10;
/// Ids are 32 digits long.
const MAX_ID: usize = 32;
const DAY: Duration = Duration::from_hours(24);

/// The cookie of a remembered browser: which one it is, and its present key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberCookie {
    id: String,
    key: RememberKey,
}

impl RememberCookie {
    /// Reads what a browser sent; `None` for what was never one of ours.
    #[must_use]
    pub fn from_cookie(text: &str) -> Option<Self> {
        let (id, key) = text.split_once('.')?;
        let is_plain = !id.is_empty() && id.len() <= MAX_ID && id.bytes().all(|b| b.is_ascii_hexdigit());
        is_plain.then_some(())?;
        Some(Self { id: id.to_owned(), key: RememberKey::from_cookie(key)? })
    }

    /// The value, for the browser.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}.{}", self.id, self.key.expose())
    }
}

/// What a sign-in leaves with a remembered browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Its cookie.
    pub cookie: RememberCookie,
    /// How long it is remembered from now on.
    pub lifetime: Duration,
}

/// A remembered browser in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedBrowser {
    /// Its name, to forget it by.
    pub id: String,
    /// What the browser said of itself.
    pub user_agent: String,
    /// The network address at that time.
    pub address: String,
    /// The last sign-in without a token.
    pub used_at: Timestamp,
    /// When it asks for a token again.
    pub until: Timestamp,
}

/// Days for which the account's practice lets browsers be remembered; 0 for not at all.
pub(crate) fn days(account: &AccountRow) -> u32 {
    u32::try_from(account.remember_days).unwrap_or(0)
}

/// When a browser is remembered no longer: what was told to the person, or earlier where the practice says less now.
fn until(row: &RememberedRow, days: u32) -> Timestamp {
    moment(row.expires_at).min(moment(row.created_at) + DAY * days)
}

/// Signs in without a token, in the transaction that settled the password, if the visitor's browser is remembered.
///
/// # Errors
/// [`Unavailable`].
pub(crate) async fn enter(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    account: &AccountRow,
    next: Option<LocalPath>,
) -> Result<Option<OpenedSession>, Unavailable> {
    let (Some(shown), Some(browser)) = (&visitor.remembered, &visitor.browser) else { return Ok(None) };
    // A cookie of somebody else's, on a shared computer, says nothing of this account.
    let Some(row) = write.find_remembered(&shown.id).await?.filter(|row| row.account_id == account.id) else {
        return Ok(None);
    };
    let now = authority.now();
    let until = until(&row, days(account));
    if now >= until {
        return Ok(None);
    }
    let key = RememberKey::generate(authority);
    let before = (shown.key.hash(authority), browser.hash(authority));
    let turned = write.turn_remembered(&row.id, (&before.0, &before.1), &key.hash(authority), now.millis()).await?;
    if !turned {
        write.delete_remembered(&account.id, &row.id).await?;
        audit::record(authority, write, visitor, account.into(), Event::RememberedCopied, None).await?;
        notice::queue(authority, write, &account.email, Notice::RememberedCopied).await?;
        return Ok(None);
    }
    let subject = Subject::from(account);
    let mut opened = sessions::open(authority, write, visitor, subject, Assurance::Remembered, next).await?;
    let subject = Subject { session_id: Some(&opened.id), ..subject };
    audit::record(authority, write, visitor, subject, Event::SignedInRemembered, None).await?;
    let cookie = RememberCookie { id: row.id, key };
    opened.remembered = Some(Remembered { cookie, lifetime: until.since(now) });
    Ok(Some(opened))
}

/// Remembers the browser of a session that a token has opened, in its transaction; `None` where the practice does not allow
/// it.
pub(crate) async fn remember(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    account: &AccountRow,
    browser: &BrowserKey,
) -> Result<Option<Remembered>, Unavailable> {
    let days = days(account);
    if days == 0 {
        return Ok(None);
    }
    let (now, lifetime) = (authority.now(), DAY * days);
    let cookie = RememberCookie { id: authority.entropy.id(), key: RememberKey::generate(authority) };
    write
        .insert_remembered(&NewRemembered {
            id: &cookie.id,
            account_id: &account.id,
            key_hash: &cookie.key.hash(authority),
            browser_hash: &browser.hash(authority),
            created_at: now.millis(),
            expires_at: (now + lifetime).millis(),
            address: &visitor.address.to_string(),
            user_agent: &visitor.user_agent,
        })
        .await?;
    write.delete_remembered_beyond(&account.id, MAX_REMEMBERED).await?;
    audit::record(authority, write, visitor, account.into(), Event::BrowserRemembered, None).await?;
    Ok(Some(Remembered { cookie, lifetime }))
}

/// The account's remembered browsers, the most recently used first.
///
/// # Errors
/// [`Unavailable`].
pub async fn list(authority: &Authority, signed_in: &SignedIn) -> Result<Vec<RememberedBrowser>, Unavailable> {
    let account = authority.store.find_account(signed_in.account_id()).await?.ok_or(Unavailable)?;
    let (now, days) = (authority.now(), days(&account));
    let rows = authority.store.remembered_browsers(&account.id).await?;
    let browsers = rows.into_iter().map(|row| RememberedBrowser {
        used_at: moment(row.used_at),
        until: until(&row, days),
        id: row.id,
        user_agent: row.user_agent,
        address: row.address,
    });
    Ok(browsers.filter(|browser| now < browser.until).collect())
}

/// Forgets one of the account's remembered browsers: its next sign-in takes a token.
///
/// # Errors
/// [`EndError`].
pub async fn forget(authority: &Authority, signed_in: &SignedIn, visitor: &Visitor, id: &str) -> Result<(), EndError> {
    if !sessions::is_stepped_up(authority, signed_in) {
        return Err(EndError::StepUpNeeded);
    }
    let mut write = authority.store.write().await?;
    if !write.delete_remembered(signed_in.account_id(), id).await? {
        return Err(EndError::NotFound);
    }
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::BrowserForgotten, None).await?;
    Ok(write.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_cookies_of_ours_are_read() {
        let key = "a".repeat(43);
        let cookie = RememberCookie::from_cookie(&format!("01ab.{key}")).expect("one of ours");
        assert_eq!(cookie.expose(), format!("01ab.{key}"));
        for text in
            ["", ".", &key, &format!(".{key}"), &format!("a b.{key}"), &format!("a.{key}x"), &format!("a.{key}.b")]
        {
            assert!(RememberCookie::from_cookie(text).is_none(), "{text}");
        }
    }
}
