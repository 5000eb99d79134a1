//! The Security tab: what is on, and by what.

use domain::enrolment::Enrolment;
use domain::policy::Requirement;
use domain::{FactorKind, Phone, Timestamp};

use crate::devices::{self, IdleDevice};
use crate::store::FactorRow;
use crate::{Authority, SignedIn, Unavailable, moment, sessions};

/// What the Security tab shows.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent fact that the page shows")]
pub struct Overview {
    /// Whether two-factor authentication is on.
    pub enabled: bool,
    /// The e-mail address of the token account.
    pub email: String,
    /// The cell phone as entered on the Profile tab, in E.164.
    pub cell_phone: Option<String>,
    /// What is set up, oldest first.
    pub factors: Vec<FactorView>,
    /// Devices of the token account that make no tokens for this account, oldest first.
    pub idle_devices: Vec<IdleDevice>,
    /// Recovery codes that still work.
    pub recovery_codes_left: u32,
    /// A set of codes has been made and not been stored.
    pub codes_to_store: bool,
    /// A number waits for its token in this session.
    pub pending_phone: bool,
    /// An app waits for its first token in this session.
    pub pending_app: bool,
    /// The cell phone on the Profile tab is not the one that messages go to.
    pub phone_to_confirm: bool,
    /// The number that messages go to, or the e-mail address, belongs to another token account: no device is registered by
    /// them for this account.
    pub phone_elsewhere: bool,
    /// Nothing but text messages and calls is set up.
    pub only_sms: bool,
    /// The practice offers it to the account's role, so it may be turned on.
    pub is_offered: bool,
    /// Tokens in text messages live until they are used, which is less secure (requirements.md D2).
    pub sms_until_used: bool,
    /// The minutes after which the screen would lock, if an App unlock PIN were set.
    pub locks_with_pin: Option<u32>,
    /// The step-up still counts.
    pub stepped_up: bool,
    /// The server's time.
    pub now: Timestamp,
}

/// A factor in the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FactorView {
    /// Its id, to remove it by.
    pub id: String,
    /// Its kind.
    pub kind: FactorKind,
    /// Its name.
    pub name: String,
    /// For messages: the last two digits of the number.
    pub ending: Option<String>,
    /// When it was confirmed.
    pub confirmed_at: Timestamp,
    /// When a token of it was last accepted.
    pub last_used_at: Option<Timestamp>,
    /// For Twofold's own authenticator: the id of the device, to revoke it by.
    pub device: Option<String>,
    /// Switched off after a hundred failures in a row.
    pub is_disabled: bool,
}

/// What the Security tab shows.
///
/// # Errors
/// [`Unavailable`].
pub async fn overview(authority: &Authority, signed_in: &SignedIn) -> Result<Overview, Unavailable> {
    let account_id = signed_in.account_id();
    let account = authority.store.find_account(account_id).await?.ok_or(Unavailable)?;
    let practice = authority.store.find_practice(signed_in.practice_id()).await?.ok_or(Unavailable)?;
    let rows = authority.store.factors(account_id).await?;
    let set = authority.store.find_recovery_set(account_id).await?;
    let left = authority.store.recovery_codes_left(account_id).await?;
    let now = authority.now();
    let is_pending = |kind| {
        rows.iter().any(|row| {
            row.kind() == Some(kind)
                && row.session_id.as_deref() == Some(signed_in.session_id())
                && matches!(row.enrolment().at(now), Enrolment::Pending { .. })
        })
    };
    let factors: Vec<FactorView> = rows.iter().filter(|row| row.counts()).filter_map(view).collect();
    let idle_devices = match &account.token_account_id {
        Some(token_account_id) => devices::list_idle(authority, token_account_id, &rows).await?,
        None => Vec::new(),
    };
    let cell_phone = Phone::parse(&account.cell_phone).ok();
    let confirmed_phone = rows.iter().filter(|row| row.counts()).find_map(FactorRow::phone);
    let phone_elsewhere = match &confirmed_phone {
        Some(phone) => {
            let found = authority.store.find_token_account(phone.e164()).await?.map(|row| row.id);
            account.token_account_id.is_none() || found != account.token_account_id
        }
        None => false,
    };
    Ok(Overview {
        enabled: !factors.is_empty(),
        only_sms: !factors.is_empty() && factors.iter().all(|factor| factor.kind == FactorKind::Sms),
        phone_elsewhere,
        phone_to_confirm: !factors.is_empty() && cell_phone.is_some() && confirmed_phone != cell_phone,
        factors,
        idle_devices,
        email: account.email,
        cell_phone: cell_phone.map(|phone| phone.e164().to_owned()),
        recovery_codes_left: u32::try_from(left).unwrap_or(0),
        codes_to_store: set.is_some_and(|set| set.codes.is_some()),
        pending_phone: is_pending(FactorKind::Sms),
        pending_app: is_pending(FactorKind::Totp),
        is_offered: signed_in.rule().requirement != Requirement::Off,
        sms_until_used: practice.sms_until_used == 1,
        locks_with_pin: signed_in.locks_with_pin(),
        stepped_up: sessions::is_stepped_up(authority, signed_in),
        now,
    })
}

fn view(row: &FactorRow) -> Option<FactorView> {
    Some(FactorView {
        id: row.id.clone(),
        kind: row.kind()?,
        name: row.name.clone(),
        ending: row.phone().map(|phone| phone.ending().to_owned()),
        confirmed_at: moment(row.confirmed_at?),
        last_used_at: row.last_used_at.map(moment),
        device: row.device_id.clone(),
        is_disabled: !row.is_confirmed(),
    })
}
