//! Two administrators: one asks with a reason, another one approves, each with fresh proof. Nobody resets themselves.
//!
//! Where the owner of the practice is its only administrator, or whoever is its only one without an owner, a day takes the
//! place of the second person. It does so too while one of the two is new to managing accounts: whoever manages accounts can
//! make the second person up.

use domain::Timestamp;
use domain::person::{InvalidText, Name};

use super::{ADMINISTRATORS, DONE, OWN, REJECTED, REQUEST_LIFE, WAIT, execute, lapse};
use crate::audit::{self, Event};
use crate::notice::{self, Notice};
use crate::step_up::{self, ProofRefused};
use crate::store::{NewReset, ResetRow, StaffRow};
use crate::{Administrator, Authority, Unavailable, Visitor, moment, staff};

/// A reset that waits for an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// Whose two-factor authentication it is: first and last name.
    pub member: String,
    /// Who asked.
    pub asked_by: String,
    /// Why; empty where somebody asked for their own.
    pub reason: String,
    /// When.
    pub asked_at: Timestamp,
    /// Whether the administrator who looks may approve it now.
    pub may_approve: MayApprove,
}

/// Whether an administrator may approve a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MayApprove {
    /// Yes.
    Yes,
    /// No: it is theirs, and somebody else has to.
    OwnRequest,
    /// Not before then: it is theirs, and there is nobody else.
    NotBefore(Timestamp),
    /// Not before then: one of the two has managed accounts for less than a day.
    TooNew(Timestamp),
    /// No: the person has asked for it, and it happens from then on without anybody's help. It may be rejected.
    AskedByThemselves(Timestamp),
    /// No: it is about them.
    AboutThemselves,
}

/// Why nothing is asked for or decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResetError {
    /// The practice has no such member or request.
    #[error("not found")]
    NotFound,
    /// Nobody asks for a reset of their own here.
    #[error("it is about the administrator")]
    AboutThemselves,
    /// There is nothing to reset.
    #[error("two-factor authentication is off")]
    NotEnabled,
    /// A reset waits for the member already.
    #[error("asked for already")]
    AlreadyAsked,
    /// The reason.
    #[error(transparent)]
    Reason(InvalidText),
    /// Somebody else has to approve.
    #[error("somebody else has to approve")]
    SecondPersonNeeded,
    /// Nobody else can approve, or one of the two is too new, and the day is not over.
    #[error("too soon")]
    TooSoon {
        /// When it is.
        until: Timestamp,
    },
    /// The administrator's own password or token.
    #[error(transparent)]
    Proof(#[from] ProofRefused),
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Asks for the reset of a member, with a reason.
///
/// # Errors
/// [`ResetError`].
pub async fn ask(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    member_id: &str,
    reason: &str,
    password: String,
    raw_token: &str,
) -> Result<(), ResetError> {
    let (signed_in, practice_id) = (administrator.signed_in(), administrator.practice_id());
    let member = authority.store.find_member(practice_id, member_id).await?.ok_or(ResetError::NotFound)?;
    if member.deactivated_at.is_some() {
        return Err(ResetError::NotFound);
    }
    if member.id == signed_in.account_id() {
        return Err(ResetError::AboutThemselves);
    }
    if !member.is_protected() {
        return Err(ResetError::NotEnabled);
    }
    let reason = Name::parse(reason).map_err(ResetError::Reason)?;
    let proof = step_up::prove_anew(authority, signed_in, visitor, password, raw_token).await?;

    let now = authority.now();
    let id = authority.entropy.id();
    let mut write = authority.store.write().await?;
    write.lock_practice(practice_id).await?;
    let mut write = proof.claim(authority, signed_in, visitor, write).await?;
    let new = NewReset {
        id: &id,
        practice_id,
        account_id: &member.id,
        kind: ADMINISTRATORS,
        reason: reason.as_str(),
        asked_by: signed_in.account_id(),
        asked_at: now.millis(),
        ready_at: (now + WAIT).millis(),
        cancel_hash: None,
    };
    lapse(authority, &mut write, &member.id).await?;
    if !write.insert_reset(&new).await? {
        return Err(ResetError::AlreadyAsked);
    }
    let subject = staff::subject(administrator, &member.id);
    audit::record(authority, &mut write, visitor, subject, Event::ResetAsked, None).await?;
    notice::queue(authority, &mut write, &member.email, Notice::ResetAsked).await?;
    for other in write.staff(practice_id).await? {
        if other.is_administrator() && other.id != member.id && other.id != signed_in.account_id() {
            notice::queue(authority, &mut write, &other.email, Notice::ResetToApprove).await?;
        }
    }
    Ok(write.commit().await?)
}

/// The requests that wait, the oldest first.
///
/// # Errors
/// [`Unavailable`].
pub async fn waiting(authority: &Authority, administrator: Administrator<'_>) -> Result<Vec<Request>, Unavailable> {
    let practice_id = administrator.practice_id();
    let rows = authority.store.waiting_resets(practice_id).await?;
    let staff = authority.store.staff(practice_id).await?;
    let owner_id = authority.store.find_practice(practice_id).await?.and_then(|practice| practice.owner_id);
    let name = |id: &str| {
        let member = staff.iter().find(|member| member.id == id);
        member.map(StaffRow::full_name).unwrap_or_default()
    };
    let asks = administrator.signed_in().account_id();
    Ok(rows
        .into_iter()
        .filter(|row| is_open(row, authority.now()))
        .map(|row| Request {
            may_approve: may_approve(&row, asks, owner_id.as_deref(), &staff, authority.now()),
            member: name(&row.account_id),
            asked_by: name(&row.asked_by),
            asked_at: moment(row.asked_at),
            reason: row.reason,
            id: row.id,
        })
        .collect())
}

/// Whether a request that waits has not been left alone for too long.
fn is_open(row: &ResetRow, now: Timestamp) -> bool {
    row.kind == OWN || now < moment(row.asked_at) + REQUEST_LIFE
}

/// Whether the administrator `asks` may approve `row` at `now`.
fn may_approve(row: &ResetRow, asks: &str, owner_id: Option<&str>, staff: &[StaffRow], now: Timestamp) -> MayApprove {
    let ready_at = moment(row.ready_at);
    if row.kind == OWN {
        return MayApprove::AskedByThemselves(ready_at);
    }
    if row.account_id == asks {
        return MayApprove::AboutThemselves;
    }
    if row.asked_by != asks {
        let both_served = has_served(row, &row.asked_by, staff) && has_served(row, asks, staff);
        return if both_served || now >= ready_at { MayApprove::Yes } else { MayApprove::TooNew(ready_at) };
    }
    if !stands_alone(row, asks, owner_id, staff) {
        MayApprove::OwnRequest
    } else if now < ready_at {
        MayApprove::NotBefore(ready_at)
    } else {
        MayApprove::Yes
    }
}

/// Whether somebody is an administrator, and had been one for a day when the request was made.
fn has_served(row: &ResetRow, id: &str, staff: &[StaffRow]) -> bool {
    let asked_at = moment(row.asked_at);
    staff.iter().any(|one| one.id == id && one.is_administrator() && moment(one.manages_since) + WAIT <= asked_at)
}

/// Whether nobody but `asks` could approve: the owner without another administrator, or, where the owner is one no longer,
/// the only administrator there is.
fn stands_alone(row: &ResetRow, asks: &str, owner_id: Option<&str>, staff: &[StaffRow]) -> bool {
    let mut others = staff.iter().filter(|one| one.is_administrator() && one.id != asks);
    if owner_id == Some(asks) { others.all(|other| other.id == row.account_id) } else { others.next().is_none() }
}

/// Approves a request: the reset happens in this very commit.
///
/// # Errors
/// [`ResetError`].
pub async fn approve(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    id: &str,
    password: String,
    raw_token: &str,
) -> Result<(), ResetError> {
    let (practice_id, signed_in) = (administrator.practice_id(), administrator.signed_in());
    let asks = signed_in.account_id();
    let row = find(authority, practice_id, id).await?;
    // Looked at again below: this one spares who may not a token.
    let refused = |row: &ResetRow, owner_id: Option<&str>, staff: &[StaffRow]| match may_approve(
        row,
        asks,
        owner_id,
        staff,
        authority.now(),
    ) {
        MayApprove::Yes => Ok(()),
        MayApprove::OwnRequest => Err(ResetError::SecondPersonNeeded),
        MayApprove::NotBefore(until) | MayApprove::TooNew(until) => Err(ResetError::TooSoon { until }),
        MayApprove::AskedByThemselves(_) => Err(ResetError::NotFound),
        MayApprove::AboutThemselves => Err(ResetError::AboutThemselves),
    };
    let practice = authority.store.find_practice(practice_id).await?.ok_or(ResetError::Unavailable)?;
    refused(&row, practice.owner_id.as_deref(), &authority.store.staff(practice_id).await?)?;
    let proof = step_up::prove_anew(authority, signed_in, visitor, password, raw_token).await?;
    let account = authority.store.find_account(&row.account_id).await?.ok_or(ResetError::NotFound)?;

    let now = authority.now().millis();
    let mut write = authority.store.write().await?;
    write.lock_practice(practice_id).await?;
    refused(&row, practice.owner_id.as_deref(), &write.staff(practice_id).await?)?;
    let mut write = proof.claim(authority, signed_in, visitor, write).await?;
    write.lock_account(&account.id).await?;
    if !write.decide_reset(id, DONE, asks, now).await? {
        return Err(ResetError::NotFound);
    }
    let subject = staff::subject(administrator, &account.id);
    audit::record(authority, &mut write, visitor, subject, Event::ResetApproved, None).await?;
    execute(authority, &mut write, visitor, subject, &account).await?;
    Ok(write.commit().await?)
}

/// Rejects a request, be it the person's own; who asked may take it back so too.
///
/// # Errors
/// [`ResetError`].
pub async fn reject(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    id: &str,
    password: String,
    raw_token: &str,
) -> Result<(), ResetError> {
    let signed_in = administrator.signed_in();
    let row = find(authority, administrator.practice_id(), id).await?;
    let proof = step_up::prove_anew(authority, signed_in, visitor, password, raw_token).await?;
    let account = authority.store.find_account(&row.account_id).await?;
    let write = authority.store.write().await?;
    let mut write = proof.claim(authority, signed_in, visitor, write).await?;
    let now = authority.now().millis();
    if !write.decide_reset(id, REJECTED, signed_in.account_id(), now).await? {
        return Err(ResetError::NotFound);
    }
    let subject = staff::subject(administrator, &row.account_id);
    audit::record(authority, &mut write, visitor, subject, Event::ResetRejected, None).await?;
    if let Some(account) = account {
        notice::queue(authority, &mut write, &account.email, Notice::ResetCancelled).await?;
    }
    Ok(write.commit().await?)
}

async fn find(authority: &Authority, practice_id: &str, id: &str) -> Result<ResetRow, ResetError> {
    let rows = authority.store.waiting_resets(practice_id).await?;
    rows.into_iter().find(|row| row.id == id && is_open(row, authority.now())).ok_or(ResetError::NotFound)
}
