//! A lost phone without recovery codes: two-factor authentication is reset, so that it is set up anew at the next sign-in.
//!
//! Two ways lead there, and neither is quick for one person alone: two administrators ([`four_eyes`]), or the mailbox, the
//! password and a day of notices ([`own`]). Whichever it is, [`execute`] does the same in one transaction.

pub mod four_eyes;
pub mod own;

use std::time::Duration;

use domain::message::Channel;
use domain::{FactorKind, Phone};

use crate::audit::{self, Event, Subject};
use crate::notice::{self, Notice};
use crate::store::{AccountRow, FactorRow, ResetRow, Write};
use crate::{Authority, Unavailable, Visitor, factors, outbox, staff};

/// How long one person alone has to wait (requirements.md RC-8).
pub const WAIT: Duration = Duration::from_hours(24);
/// How long a request of an administrator's may be approved.
pub const REQUEST_LIFE: Duration = Duration::from_hours(7 * 24);

const ADMINISTRATORS: &str = "administrators";
const OWN: &str = "own";
const DONE: &str = "done";
const REJECTED: &str = "rejected";
const CANCELLED: &str = "cancelled";

/// Resets an account, under its lock: factors, devices, recovery codes, sessions, pending sign-ins and known browsers go in
/// one commit, and the next sign-in leads into set-up and nowhere else. The person is told at every address.
pub(crate) async fn execute(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    subject: Subject<'_>,
    account: &AccountRow,
) -> Result<(), Unavailable> {
    const TEXT: &str = "Twofold: two-factor authentication of your account was reset. If this was not you, ask your administrator at once.";
    let now = authority.now().millis();
    tell_phones(authority, write, account, TEXT).await?;
    factors::remove_all(write, account, now).await?;
    write.forget_known_browsers(&account.id).await?;
    staff::end_everything(write, &account.id, now).await?;
    write.end_failure_run(&account.id).await?;
    write.require_from(&account.id, now).await?;
    audit::record(authority, write, visitor, subject, Event::TwoFactorReset, None).await?;
    notice::queue(authority, write, &account.email, Notice::TwoFactorReset).await
}

/// Takes back whatever reset waits for the account, under its lock, and makes links worthless that would begin one: the
/// person has a way in, or what was to be reset is another thing now.
pub(crate) async fn take_back(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    subject: Subject<'_>,
    email: &str,
) -> Result<(), Unavailable> {
    write.delete_reset_links(subject.account_id).await?;
    lapse(authority, write, subject.account_id).await?;
    match write.find_waiting_reset(subject.account_id).await? {
        Some(row) => cancel(authority, write, visitor, subject, email, &row).await,
        None => Ok(()),
    }
}

/// Ends a request of an administrator's that nobody has decided for too long.
async fn lapse(authority: &Authority, write: &mut Write, account_id: &str) -> Result<(), Unavailable> {
    Ok(write.lapse_resets(account_id, (authority.now() - REQUEST_LIFE).millis()).await?)
}

/// Cancels a reset that waits, and tells its person so.
async fn cancel(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    subject: Subject<'_>,
    email: &str,
    row: &ResetRow,
) -> Result<(), Unavailable> {
    if write.decide_reset(&row.id, CANCELLED, subject.account_id, authority.now().millis()).await? {
        audit::record(authority, write, visitor, subject, Event::ResetCancelled, None).await?;
        notice::queue(authority, write, email, Notice::ResetCancelled).await?;
    }
    Ok(())
}

/// Sends a text to every number that knows of the account.
pub(crate) async fn tell_phones(
    authority: &Authority,
    write: &mut Write,
    account: &AccountRow,
    text: &str,
) -> Result<(), Unavailable> {
    for phone in phones(account, &write.factors(&account.id).await?) {
        outbox::queue(authority, write, Channel::Sms, phone.e164(), text).await?;
    }
    Ok(())
}

/// The numbers that know of the account: the one on file, and the one that gets tokens.
fn phones(account: &AccountRow, rows: &[FactorRow]) -> Vec<Phone> {
    let bound = rows.iter().filter(|row| row.kind() == Some(FactorKind::Sms) && row.counts());
    let mut phones: Vec<_> = bound.filter_map(FactorRow::phone).collect();
    phones.extend(Phone::parse(&account.cell_phone).ok().filter(|phone| !phones.contains(phone)));
    phones
}
