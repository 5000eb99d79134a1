//! The practice's policy: loaded, tried out, and saved.

use std::time::Duration;

use domain::policy::{InvalidPolicy, Member, REMINDERS, Requirement, Rule, SmsLife, Standing};
use domain::{Countries, Phone, Policy, Role, Timestamp};

use crate::audit::{self, Event, Subject};
use crate::notice::{self, Notice};
use crate::store::{FactorRow, PracticeRow, PracticeRules, RuleRow, StaffRow, Write};
use crate::{Administrator, Authority, Unavailable, Visitor, account_phone, message_token, sessions};

/// What saving a policy would do to one person.
#[expect(clippy::struct_excessive_bools, reason = "each is one independent list of the preview")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// First and last name.
    pub name: String,
    /// The role.
    pub role: Role,
    /// How the person stands once it is saved.
    pub standing: Standing,
    /// Nothing but text messages and calls is set up.
    pub sms_only: bool,
    /// No recovery code is left, though tokens are asked for.
    pub no_codes: bool,
    /// The cell phone on file is of none of the countries: no message is sent to it to set it up.
    pub phone_refused: bool,
    /// The screen is to lock, and never does: no App unlock PIN is set.
    pub no_pin: bool,
}

/// Why a policy is not saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A figure is out of range.
    #[error(transparent)]
    Invalid(InvalidPolicy),
    /// The step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// A policy as the database holds it. A figure out of range, which no release writes, becomes the usual one.
pub(crate) fn from_rows(practice: &PracticeRow, rules: &[RuleRow]) -> Policy {
    let figure = |number: i64| u32::try_from(number).unwrap_or(u32::MAX);
    let mut policy = Policy {
        sms_life: if practice.sms_until_used == 1 { SmsLife::UntilUsed } else { SmsLife::FiveMinutes },
        idle_minutes: figure(practice.idle_minutes),
        lock_minutes: figure(practice.lock_minutes),
        remember_days: figure(practice.remember_days),
        countries: countries_of(practice),
        phones_only: practice.phones_only == 1,
        ..Policy::default()
    };
    if policy.check().is_err() {
        let Policy { idle_minutes, lock_minutes, remember_days, .. } = Policy::default();
        policy = Policy { idle_minutes, lock_minutes, remember_days, ..policy };
    }
    for row in rules {
        if let Some(role) = Role::from_name(&row.role) {
            policy.set_rule(role, rule(&row.requirement, row.required_from, row.apps_only));
        }
    }
    policy
}

/// A rule as the database holds it.
pub(crate) fn rule(requirement: &str, required_from: i64, apps_only: i64) -> Rule {
    Rule {
        requirement: Requirement::from_name(requirement, crate::moment(required_from)).unwrap_or_default(),
        apps_only: apps_only == 1,
    }
}

async fn load_in(write: &mut Write, practice_id: &str) -> Result<Policy, Unavailable> {
    let practice = write.find_practice(practice_id).await?.ok_or(Unavailable)?;
    Ok(from_rows(&practice, &write.rules(practice_id).await?))
}

/// Whose cell phones the practice takes.
pub(crate) async fn countries(authority: &Authority, practice_id: &str) -> Result<Countries, Unavailable> {
    let practice = authority.store.find_practice(practice_id).await?.ok_or(Unavailable)?;
    Ok(countries_of(&practice))
}

/// What no release writes takes numbers of every country, as before there was a choice.
fn countries_of(practice: &PracticeRow) -> Countries {
    Countries::parse(&practice.countries).unwrap_or_default()
}

/// The policy of the administrator's practice.
///
/// # Errors
/// [`Unavailable`].
pub async fn load(authority: &Authority, administrator: Administrator<'_>) -> Result<Policy, Unavailable> {
    let practice_id = administrator.practice_id();
    let practice = authority.store.find_practice(practice_id).await?.ok_or(Unavailable)?;
    Ok(from_rows(&practice, &authority.store.rules(practice_id).await?))
}

/// What saving `policy` would do to everybody whose account is open, by name. It computes what [`save`] stores and what
/// every request asks, so that it cannot differ from what happens.
///
/// # Errors
/// [`PolicyError`], but for the step-up.
pub async fn preview(
    authority: &Authority,
    administrator: Administrator<'_>,
    policy: &Policy,
) -> Result<Vec<Effect>, PolicyError> {
    policy.check().map_err(PolicyError::Invalid)?;
    let now = authority.now();
    let staff = authority.store.staff(administrator.practice_id()).await?;
    Ok(staff.iter().filter(|row| row.deactivated_at.is_none()).map(|row| effect(policy, row, now)).collect())
}

fn effect(policy: &Policy, row: &StaffRow, now: Timestamp) -> Effect {
    let member = row.policy_member();
    let told = Member { enrol_by: policy.announce(member), ..member };
    Effect {
        name: row.full_name(),
        role: member.role,
        standing: policy.standing(told, now),
        sms_only: member.has_sms && !member.has_app,
        no_codes: (member.has_sms || member.has_app) && row.codes_left == 0,
        phone_refused: !takes(policy, &row.cell_phone),
        no_pin: policy.lock_minutes > 0 && row.has_pin == 0,
    }
}

/// Whether the policy takes the cell phone; none at all is nothing to refuse.
fn takes(policy: &Policy, cell_phone: &str) -> bool {
    Phone::parse(cell_phone).ok().is_none_or(|phone| account_phone::is_of(&phone, &policy.countries))
}

/// Saves the policy. It bites at the next request of everybody; who has to set something up is told by when. Countries that
/// leave out the administrator's own cell phone are refused: who may not set it up could be left with no way back.
///
/// # Errors
/// [`PolicyError`].
pub async fn save(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    policy: &Policy,
) -> Result<(), PolicyError> {
    policy.check().map_err(PolicyError::Invalid)?;
    keep_own_phone(authority, administrator, policy).await?;
    if !sessions::is_stepped_up(authority, administrator.signed_in()) {
        return Err(PolicyError::StepUpNeeded);
    }
    let practice_id = administrator.practice_id();
    let mut write = authority.store.write().await?;
    write.lock_practice(practice_id).await?;
    let before = load_in(&mut write, practice_id).await?;
    store(&mut write, practice_id, policy).await?;
    if policy.remember_days == 0 || policy.rules != before.rules {
        // What a browser is remembered for was proven under the rules before.
        write.delete_remembered_of_practice(practice_id).await?;
    }
    if policy.sms_life != before.sms_life {
        // A token that was to live until it is used must not come back to life with the setting.
        message_token::end_until_used(authority, &mut write, practice_id).await?;
    }
    for row in write.staff(practice_id).await? {
        announce(&mut write, policy, &row).await?;
        if row.deactivated_at.is_none() {
            tell(authority, &mut write, &before, policy, &row).await?;
        }
    }
    let subject = Subject::from(administrator.signed_in());
    audit::record(authority, &mut write, visitor, subject, Event::PolicyChanged, None).await?;
    for (role, event) in Role::ALL.into_iter().filter_map(|role| Some((role, enforced(&before, policy, role)?))) {
        let of_role = Subject { account_id: role.name(), ..subject };
        audit::record(authority, &mut write, visitor, of_role, event, None).await?;
    }
    Ok(write.commit().await?)
}

/// Refuses countries that leave out the cell phone of the administrator, as entered or as confirmed.
async fn keep_own_phone(
    authority: &Authority,
    administrator: Administrator<'_>,
    policy: &Policy,
) -> Result<(), PolicyError> {
    let account_id = administrator.signed_in().account_id();
    let account = authority.store.find_account(account_id).await?.ok_or(PolicyError::Unavailable)?;
    let factors = authority.store.factors(account_id).await?;
    let confirmed = factors.iter().filter(|factor| factor.is_confirmed()).find_map(FactorRow::phone);
    let takes_confirmed = confirmed.is_none_or(|phone| account_phone::is_of(&phone, &policy.countries));
    if takes_confirmed && takes(policy, &account.cell_phone) {
        Ok(())
    } else {
        Err(PolicyError::Invalid(InvalidPolicy::OwnCellPhone))
    }
}

/// Stores what the policy says, for everybody and for each role.
async fn store(write: &mut Write, practice_id: &str, policy: &Policy) -> Result<(), Unavailable> {
    let rules = PracticeRules {
        idle_minutes: policy.idle_minutes.into(),
        lock_minutes: policy.lock_minutes.into(),
        sms_until_used: policy.sms_life == SmsLife::UntilUsed,
        remember_days: policy.remember_days.into(),
        countries: &policy.countries.to_string(),
        phones_only: policy.phones_only,
    };
    write.update_practice(practice_id, &rules).await?;
    for role in Role::ALL {
        let rule = policy.rule(role);
        let from = match rule.requirement {
            Requirement::Required { from } => from.millis(),
            Requirement::Off | Requirement::Optional => 0,
        };
        write.set_rule(practice_id, role.name(), rule.requirement.name(), from, rule.apps_only).await?;
    }
    Ok(())
}

/// What the trail says of a role from which something is required now, or is not any more.
fn enforced(before: &Policy, after: &Policy, role: Role) -> Option<Event> {
    let is_required = |policy: &Policy| matches!(policy.rule(role).requirement, Requirement::Required { .. });
    match (is_required(before), is_required(after)) {
        (false, true) => Some(Event::EnforcementOn),
        (true, false) => Some(Event::EnforcementOff),
        (false, false) | (true, true) => None,
    }
}

/// Tells a member who has something to set up how they stand from now on, if that is news.
async fn tell(
    authority: &Authority,
    write: &mut Write,
    before: &Policy,
    policy: &Policy,
    row: &StaffRow,
) -> Result<(), Unavailable> {
    let (member, now) = (row.policy_member(), authority.now());
    let standing = policy.standing(member, now);
    if standing == before.standing(member, now) {
        return Ok(());
    }
    let notice = match standing {
        Standing::Free => return Ok(()),
        Standing::Due { by } => {
            // It says what the reminders do whose time has come.
            write.set_reminded(&row.id, reached(by, now)).await?;
            Notice::EnrolBy { by }
        }
        Standing::MustEnrol => Notice::EnrolNow,
    };
    notice::queue(authority, write, &row.email, notice).await
}

/// Stores the date that holds for a member from now on.
async fn announce(write: &mut Write, policy: &Policy, row: &StaffRow) -> Result<(), Unavailable> {
    let told = policy.announce(row.policy_member()).map(Timestamp::millis);
    if told != row.enrol_by {
        write.set_enrol_by(&row.id, told).await?;
    }
    Ok(())
}

/// As [`save`] does for everybody, for one member: somebody new, or of another role now.
pub(crate) async fn announce_to(write: &mut Write, practice_id: &str, id: &str) -> Result<(), Unavailable> {
    let policy = load_in(write, practice_id).await?;
    let row = write.find_member(practice_id, id).await?.ok_or(Unavailable)?;
    announce(write, &policy, &row).await
}

/// Reminds those whose deadline is near and who have nothing set up: once for each of [`REMINDERS`].
///
/// # Errors
/// [`Unavailable`].
pub async fn remind(authority: &Authority) -> Result<(), Unavailable> {
    let now = authority.now();
    let furthest = REMINDERS.into_iter().max().unwrap_or(Duration::ZERO);
    for due in authority.store.members_due(now.millis(), (now + furthest).millis()).await? {
        let mut write = authority.store.write().await?;
        write.lock_account(&due.id).await?;
        let policy = load_in(&mut write, &due.practice_id).await?;
        let Some(row) = write.find_member(&due.practice_id, &due.id).await? else { continue };
        let Standing::Due { by } = policy.standing(row.policy_member(), now) else { continue };
        let reached = reached(by, now);
        if row.deactivated_at.is_none() && row.reminded < reached && write.set_reminded(&row.id, reached).await? {
            notice::queue(authority, &mut write, &row.email, Notice::EnrolBy { by }).await?;
            write.commit().await?;
        }
    }
    Ok(())
}

/// A bit for each reminder of a deadline whose time has come. A further one that was missed is not made up for.
fn reached(by: Timestamp, now: Timestamp) -> i64 {
    REMINDERS.iter().rposition(|before| now + *before >= by).map_or(0, |index| (1 << (index + 1)) - 1)
}
