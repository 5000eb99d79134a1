//! The ways to get a token that an account has right now: what the token pages show.

use domain::lockout::{Lockout, MAX_IN_LONG_WINDOW};
use domain::message::Channel;
use domain::{FactorKind, Timestamp, TokenLengths};

use crate::message_token::{self, Binding};
use crate::store::FactorRow;
use crate::{Authority, Unavailable, factors, moment};

/// What a token page shows. Nothing in it depends on any token that was typed, only on how many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Methods {
    /// Lengths of tokens that the factors make.
    pub lengths: TokenLengths,
    /// Names of other vendors' apps.
    pub totp: Vec<String>,
    /// Names of devices with Twofold's own authenticator.
    pub devices: Vec<String>,
    /// The cell phone, if messages go to it.
    pub sms: Option<SmsMethod>,
    /// Recovery codes that still work.
    pub recovery_codes_left: u32,
    /// Tokens that may still be tried here.
    pub tries_left: u32,
    /// Tokens that were tried here.
    pub failures: u32,
    /// Tokens are not checked until then.
    pub locked_until: Option<Timestamp>,
    /// The kind that worked last.
    pub last_used: Option<FactorKind>,
    /// The server's time.
    pub now: Timestamp,
}

/// The cell phone as a way to get a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsMethod {
    /// The last two digits of the number.
    pub ending: String,
    /// When the next message may go out.
    pub next_send_at: Timestamp,
    /// The token that went out for this page and still lives.
    pub sent: Option<Sent>,
}

/// A token that went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sent {
    /// By which channel.
    pub channel: Channel,
    /// When.
    pub at: Timestamp,
}

/// The ways that `account_id` has; `tries` are those left and used at the place that asks.
pub(crate) async fn of(
    authority: &Authority,
    account_id: &str,
    apps_only: bool,
    binding: &Binding,
    tries: (u32, u32),
) -> Result<Methods, Unavailable> {
    let all = factors::usable(authority.store.factors(account_id).await?, apps_only);
    let confirmed: Vec<&FactorRow> = all.iter().filter(|factor| factor.is_confirmed()).collect();
    let names = |kind| {
        confirmed.iter().filter(|factor| factor.kind() == Some(kind)).map(|factor| factor.name.clone()).collect()
    };
    let last_used =
        confirmed.iter().filter(|factor| factor.last_used_at.is_some()).max_by_key(|factor| factor.last_used_at);
    let left = authority.store.recovery_codes_left(account_id).await?;
    Ok(Methods {
        lengths: factors::token_lengths(&all),
        totp: names(FactorKind::Totp),
        devices: names(FactorKind::Authenticator),
        sms: sms(authority, account_id, &all, binding).await?,
        recovery_codes_left: u32::try_from(left).unwrap_or(0),
        tries_left: tries.0,
        failures: tries.1,
        locked_until: locked_until(authority, account_id).await?,
        last_used: last_used.and_then(|factor| factor.kind()),
        now: authority.now(),
    })
}

async fn sms(
    authority: &Authority,
    account_id: &str,
    all: &[FactorRow],
    binding: &Binding,
) -> Result<Option<SmsMethod>, Unavailable> {
    let Some(recipient) = factors::message_recipient(all) else {
        return Ok(None);
    };
    let live = authority.store.live_message_token(account_id).await?;
    let sent = live
        .filter(|row| binding.is_of(row) && authority.now() < moment(row.expires_at))
        .and_then(|row| Some(Sent { channel: Channel::from_name(&row.channel)?, at: moment(row.created_at) }));
    Ok(Some(SmsMethod {
        ending: recipient.phone.ending().to_owned(),
        next_send_at: message_token::next_send_at(authority, &recipient).await?,
        sent,
    }))
}

/// Until when the account's tokens are not checked, if they are not.
pub(crate) async fn locked_until(authority: &Authority, account_id: &str) -> Result<Option<Timestamp>, Unavailable> {
    let most = i64::try_from(MAX_IN_LONG_WINDOW).unwrap_or(i64::MAX);
    let failures = authority.store.latest_failures(account_id, most).await?;
    Ok(match Lockout::of(&failures, authority.now()) {
        Lockout::Open => None,
        Lockout::Locked { until } => Some(until),
    })
}
