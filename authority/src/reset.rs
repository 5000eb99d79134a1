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
use crate::store::{AccountRow, FactorRow, Write};
use crate::{Authority, Unavailable, Visitor, factors, outbox, staff};

/// How long one person alone has to wait (requirements.md RC-8).
pub const WAIT: Duration = Duration::from_hours(24);

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
    let now = authority.now().millis();
    let phones = phones(account, &write.factors(&account.id).await?);
    factors::remove_all(write, account, now).await?;
    write.forget_known_browsers(&account.id).await?;
    staff::end_everything(write, &account.id, now).await?;
    write.end_failure_run(&account.id).await?;
    write.set_required_from(&account.id, Some(now)).await?;
    audit::record(authority, write, visitor, subject, Event::TwoFactorReset, None).await?;
    notice::queue(authority, write, &account.email, Notice::TwoFactorReset).await?;
    for phone in phones {
        const TEXT: &str = "Twofold: two-factor authentication of your account was reset. If this was not you, ask your administrator at once.";
        outbox::queue(authority, write, Channel::Sms, phone.e164(), TEXT).await?;
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
