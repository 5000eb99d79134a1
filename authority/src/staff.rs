//! The people of a practice: added, changed, closed and opened again by its administrators, who may turn two-factor
//! authentication on for others with their own password, and never see or make a token of theirs.

use domain::email::InvalidEmail;
use domain::password::{InvalidPassword, MIN_ALONE};
use domain::person::{InvalidText, Name};
use domain::phone::InvalidPhone;
use domain::policy::{Member as PolicyMember, Standing};
use domain::username::InvalidUsername;
use domain::{Countries, Email, FactorKind, Password, Phone, Role, Timestamp, Username};

use crate::account_phone::{self, PhoneRefused};
use crate::audit::{self, Event, Subject};
use crate::notice::{self, Notice};
use crate::password::PasswordRefused;
use crate::store::{NewAccount, StaffDetails, StaffRow, Write};
use crate::{Administrator, Authority, Unavailable, Visitor, enrol_sms, moment, password, policy, sessions, store};

/// A member of the practice.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a column of the list")]
pub struct Member {
    /// The account's id.
    pub id: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// User name.
    pub username: String,
    /// E-mail address.
    pub email: String,
    /// Cell phone in E.164; empty while none is on file.
    pub cell_phone: String,
    /// The role.
    pub role: Role,
    /// Whether the member is an administrator.
    pub manages_accounts: bool,
    /// Whether it is the one who asks.
    pub is_self: bool,
    /// Whether the member made the practice.
    pub is_owner: bool,
    /// Whether the account is open.
    pub is_active: bool,
    /// Text messages or calls are a way to get a token.
    pub has_sms: bool,
    /// Apps of other vendors.
    pub apps: u32,
    /// Devices with Twofold's own authenticator.
    pub devices: u32,
    /// Recovery codes that still work.
    pub codes_left: u32,
    /// The last sign-in, if there was one.
    pub last_signed_in_at: Option<Timestamp>,
    /// How the member stands to the policy.
    pub standing: Standing,
    /// Whether an administrator requires it of this member, whatever the role's rule says.
    pub is_required: bool,
}

impl Member {
    /// First and last name.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// Whether signing in needs a token.
    #[must_use]
    pub const fn is_protected(&self) -> bool {
        self.has_sms || self.has_app()
    }

    /// Whether an authenticator makes tokens.
    #[must_use]
    pub const fn has_app(&self) -> bool {
        self.apps > 0 || self.devices > 0
    }
}

/// What the form for a new member says.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "named as the labels")]
pub struct NewMember {
    pub first_name: String,
    pub last_name: String,
    pub email: String,
    pub username: String,
    pub password: String,
    pub cell_phone: String,
    pub role: String,
    pub manages_accounts: bool,
}

/// What the form for a member's details says.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "named as the labels")]
pub struct Details {
    pub first_name: String,
    pub last_name: String,
    pub cell_phone: String,
    pub role: String,
    pub manages_accounts: bool,
}

/// Why nothing is changed about a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StaffError {
    /// The practice has no such member.
    #[error("no such member")]
    NotFound,
    /// First name.
    #[error("first name: {0}")]
    FirstName(InvalidText),
    /// Last name.
    #[error("last name: {0}")]
    LastName(InvalidText),
    /// E-mail address.
    #[error(transparent)]
    Email(InvalidEmail),
    /// Another member has the e-mail address.
    #[error("the e-mail address is taken")]
    EmailTaken,
    /// User name.
    #[error(transparent)]
    Username(InvalidUsername),
    /// Another account has the user name.
    #[error("the user name is taken")]
    UsernameTaken,
    /// Password.
    #[error(transparent)]
    Password(InvalidPassword),
    /// Cell phone.
    #[error("cell phone: {0}")]
    CellPhone(InvalidPhone),
    /// Messages are not sent to numbers of this kind.
    #[error("messages are not sent to numbers of this kind")]
    CellPhoneNotAllowed,
    /// There is no such role.
    #[error("no such role")]
    Role,
    /// The practice would be left without an administrator who can sign in.
    #[error("the last administrator")]
    LastAdministrator,
    /// A step-up is needed.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// Too many passwords are being checked.
    #[error("busy")]
    Busy,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Why two-factor authentication is not turned on for a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnableError {
    /// The practice has no such member, or it is the administrator, who has the Security tab.
    #[error("no such member")]
    NotFound,
    /// The member has no cell phone on file.
    #[error("no cell phone is on file")]
    PhoneMissing,
    /// The practice takes no numbers of that country any more.
    #[error("the practice takes no numbers of that country")]
    PhoneNotAllowed,
    /// It is on already.
    #[error("on already")]
    AlreadyEnabled,
    /// The administrator's own password is not right.
    #[error("the password is not right")]
    PasswordWrong,
    /// Wrong passwords slow further ones down.
    #[error("too many tries")]
    TooManyTries {
        /// When the next one is looked at.
        until: Timestamp,
    },
    /// Too many passwords are being checked.
    #[error("busy")]
    Busy,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

impl From<PhoneRefused> for StaffError {
    fn from(refused: PhoneRefused) -> Self {
        match refused {
            PhoneRefused::Invalid(invalid) => Self::CellPhone(invalid),
            PhoneRefused::NotAllowed => Self::CellPhoneNotAllowed,
        }
    }
}

impl From<PasswordRefused> for EnableError {
    fn from(refused: PasswordRefused) -> Self {
        match refused {
            PasswordRefused::Wrong => Self::PasswordWrong,
            PasswordRefused::TooManyTries { until } => Self::TooManyTries { until },
            PasswordRefused::Busy => Self::Busy,
            PasswordRefused::Unavailable => Self::Unavailable,
        }
    }
}

/// What an administrator does to a member, for the audit trail.
pub(crate) fn subject<'a>(administrator: Administrator<'a>, member_id: &'a str) -> Subject<'a> {
    let own = Subject::from(administrator.signed_in());
    Subject { account_id: member_id, ..own }
}

impl StaffRow {
    /// First and last name.
    pub(crate) fn full_name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name)
    }

    /// The role; one that no release writes counts as the plainest.
    fn role(&self) -> Role {
        Role::from_name(&self.role).unwrap_or(Role::Staff)
    }

    /// Whether an authenticator makes tokens.
    pub(crate) fn has_app(&self) -> bool {
        self.totp_factors + self.devices > 0
    }

    /// Whether signing in needs a token.
    pub(crate) fn is_protected(&self) -> bool {
        self.sms_factors > 0 || self.has_app()
    }

    /// Whether a factor makes tokens that are accepted. One that failures switched off does not, and still is asked for.
    fn has_tokens(&self) -> bool {
        self.working_factors > 0
    }

    /// Whether there is a way to sign in.
    fn can_sign_in(&self) -> bool {
        self.has_tokens() || !self.is_protected()
    }

    /// Whether the account is open and manages others.
    pub(crate) fn is_administrator(&self) -> bool {
        self.manages_accounts == 1 && self.deactivated_at.is_none()
    }

    /// The member as far as a policy goes.
    pub(crate) fn policy_member(&self) -> PolicyMember {
        PolicyMember {
            role: self.role(),
            required_from: self.required_from.map(moment),
            enrol_by: self.enrol_by.map(moment),
            has_sms: self.sms_factors > 0,
            has_app: self.has_app(),
        }
    }
}

/// Everybody of the practice, by name.
///
/// # Errors
/// [`Unavailable`].
pub async fn list(authority: &Authority, administrator: Administrator<'_>) -> Result<Vec<Member>, Unavailable> {
    let look = Look::of(authority, administrator).await?;
    let rows = authority.store.staff(administrator.practice_id()).await?;
    Ok(rows.into_iter().map(|row| look.member(row)).collect())
}

/// One member; `None` if the practice has none of that id.
///
/// # Errors
/// [`Unavailable`].
pub async fn find(
    authority: &Authority,
    administrator: Administrator<'_>,
    id: &str,
) -> Result<Option<Member>, Unavailable> {
    let look = Look::of(authority, administrator).await?;
    let row = authority.store.find_member(administrator.practice_id(), id).await?;
    Ok(row.map(|row| look.member(row)))
}

/// What it takes to show members.
struct Look<'a> {
    policy: domain::Policy,
    owner_id: Option<String>,
    self_id: &'a str,
    now: Timestamp,
}

impl<'a> Look<'a> {
    async fn of(authority: &Authority, administrator: Administrator<'a>) -> Result<Self, Unavailable> {
        let practice_id = administrator.practice_id();
        let practice = authority.store.find_practice(practice_id).await?.ok_or(Unavailable)?;
        let rules = authority.store.rules(practice_id).await?;
        Ok(Self {
            policy: policy::from_rows(&practice, &rules),
            owner_id: practice.owner_id,
            self_id: administrator.signed_in().account_id(),
            now: authority.now(),
        })
    }

    fn member(&self, row: StaffRow) -> Member {
        let count = |number: i64| u32::try_from(number).unwrap_or(0);
        Member {
            role: row.role(),
            manages_accounts: row.manages_accounts == 1,
            is_self: row.id == self.self_id,
            is_owner: self.owner_id.as_deref() == Some(row.id.as_str()),
            is_active: row.deactivated_at.is_none(),
            has_sms: row.sms_factors > 0,
            apps: count(row.totp_factors),
            devices: count(row.devices),
            codes_left: count(row.codes_left),
            last_signed_in_at: row.last_signed_in_at.map(moment),
            is_required: row.required_from.is_some(),
            standing: self.policy.standing(row.policy_member(), self.now),
            id: row.id,
            first_name: row.first_name,
            last_name: row.last_name,
            username: row.username,
            email: row.email,
            cell_phone: row.cell_phone,
        }
    }
}

fn parse_name(raw: &str, error: fn(InvalidText) -> StaffError) -> Result<Name, StaffError> {
    Name::parse(raw).map_err(error)
}

/// A new member whose form has been read.
pub(crate) struct Parsed {
    first_name: Name,
    last_name: Name,
    email: Email,
    username: Username,
    password: Password,
    cell_phone: String,
    role: Role,
    manages_accounts: bool,
}

impl Parsed {
    /// Reads the form of a new member of the practice of that name.
    pub(crate) fn read(form: NewMember, practice_name: &str, countries: &Countries) -> Result<Self, StaffError> {
        let first_name = parse_name(&form.first_name, StaffError::FirstName)?;
        let last_name = parse_name(&form.last_name, StaffError::LastName)?;
        let email = Email::parse(&form.email).map_err(StaffError::Email)?;
        let username = Username::parse(&form.username).map_err(StaffError::Username)?;
        let about = [username.as_str(), practice_name, email.as_str()];
        let password = password::accept_new(form.password, MIN_ALONE, &about).map_err(StaffError::Password)?;
        let cell_phone = account_phone::parse_cell_field(&form.cell_phone, "", countries)?;
        let role = Role::from_name(&form.role).ok_or(StaffError::Role)?;
        let manages_accounts = form.manages_accounts;
        Ok(Self { first_name, last_name, email, username, password, cell_phone, role, manages_accounts })
    }

    /// The hash of the password; it takes a while, so no transaction is open meanwhile.
    pub(crate) async fn hash(&self, authority: &Authority) -> Result<String, StaffError> {
        if authority.store.is_username_taken(self.username.as_str()).await? {
            return Err(StaffError::UsernameTaken);
        }
        Ok(authority.hasher.slot().await?.hash(self.password.expose(), &*authority.entropy).await?)
    }

    /// Inserts the account, under the practice's lock, and returns its id.
    pub(crate) async fn insert(
        &self,
        authority: &Authority,
        write: &mut Write,
        practice_id: &str,
        password_hash: &str,
    ) -> Result<String, StaffError> {
        // Looked at under the lock, so that a unique violation below can only be the user name.
        if write.staff(practice_id).await?.iter().any(|member| member.email == self.email.as_str()) {
            return Err(StaffError::EmailTaken);
        }
        let (id, now) = (authority.entropy.id(), authority.now().millis());
        let new = NewAccount {
            id: &id,
            practice_id,
            kind: self.role.kind().name(),
            role: self.role.name(),
            manages_since: self.manages_accounts.then_some(now),
            username: self.username.as_str(),
            email: self.email.as_str(),
            first_name: self.first_name.as_str(),
            last_name: self.last_name.as_str(),
            cell_phone: &self.cell_phone,
            password_hash,
            password_length: password::stored_length(&self.password),
        };
        write
            .insert_account(&new, now)
            .await
            .map_err(|error| if store::is_taken(&error) { StaffError::UsernameTaken } else { error.into() })?;
        policy::announce_to(write, practice_id, &id).await?;
        Ok(id)
    }
}

/// Adds a member and returns the account's id. To make another administrator takes a step-up.
///
/// # Errors
/// [`StaffError`] names the first field to mend.
pub async fn add(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    form: NewMember,
) -> Result<String, StaffError> {
    let practice_id = administrator.practice_id();
    let countries = &policy::countries(authority, practice_id).await?;
    let new = Parsed::read(form, administrator.signed_in().practice_name(), countries)?;
    if new.manages_accounts {
        demand_step_up(authority, administrator)?;
    }
    let hash = new.hash(authority).await?;
    let mut write = authority.store.write().await?;
    write.lock_practice(practice_id).await?;
    let id = new.insert(authority, &mut write, practice_id, &hash).await?;
    audit::record(authority, &mut write, visitor, subject(administrator, &id), Event::StaffAdded, None).await?;
    write.commit().await?;
    Ok(id)
}

/// Changes a member's details. A step-up is needed for another role, whose rule may ask for less, for the permission, and
/// for another cell phone of somebody who gets tokens.
///
/// # Errors
/// [`StaffError`] names the first field to mend.
pub async fn change(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    id: &str,
    form: &Details,
) -> Result<(), StaffError> {
    let practice_id = administrator.practice_id();
    let countries = &policy::countries(authority, practice_id).await?;
    let first_name = parse_name(&form.first_name, StaffError::FirstName)?;
    let last_name = parse_name(&form.last_name, StaffError::LastName)?;

    let (mut write, before) = lock_member(authority, administrator, id).await?;
    let cell_phone = account_phone::parse_cell_field(&form.cell_phone, &before.cell_phone, countries)?;
    let role = Role::from_name(&form.role).ok_or(StaffError::Role)?;
    let permission_changes = (before.manages_accounts == 1) != form.manages_accounts;
    let role_changes = before.role != role.name();
    let reroutes = before.is_protected() && before.cell_phone != cell_phone;
    if permission_changes || role_changes || reroutes {
        demand_step_up(authority, administrator)?;
    }
    if permission_changes && !form.manages_accounts {
        keep_an_administrator(&mut write, practice_id, id).await?;
    }
    write
        .update_member(
            id,
            &StaffDetails {
                first_name: first_name.as_str(),
                last_name: last_name.as_str(),
                cell_phone: &cell_phone,
                kind: role.kind().name(),
                role: role.name(),
                manages_accounts: form.manages_accounts,
            },
            authority.now().millis(),
        )
        .await?;
    if role_changes {
        policy::announce_to(&mut write, practice_id, id).await?;
        write.delete_all_remembered(id).await?;
    }
    if permission_changes {
        // What the person may do is another thing now, and so is the session.
        write.delete_sessions(id).await?;
    }
    audit::record(authority, &mut write, visitor, subject(administrator, id), Event::StaffChanged, None).await?;
    Ok(write.commit().await?)
}

/// Closes a member's account, after a step-up: every session and every pending sign-in ends in the same commit.
///
/// # Errors
/// [`StaffError`].
pub async fn deactivate(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    id: &str,
) -> Result<(), StaffError> {
    let now = authority.now().millis();
    let (mut write, member) = lock_member(authority, administrator, id).await?;
    if member.deactivated_at.is_some() {
        return Ok(());
    }
    demand_step_up(authority, administrator)?;
    keep_an_administrator(&mut write, administrator.practice_id(), id).await?;
    write.set_deactivated(id, Some(now)).await?;
    end_everything(&mut write, id, now).await?;
    audit::record(authority, &mut write, visitor, subject(administrator, id), Event::StaffDeactivated, None).await?;
    Ok(write.commit().await?)
}

/// Opens a closed account again, after a step-up.
///
/// # Errors
/// [`StaffError`].
pub async fn reactivate(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    id: &str,
) -> Result<(), StaffError> {
    let (mut write, member) = lock_member(authority, administrator, id).await?;
    if member.deactivated_at.is_none() {
        return Ok(());
    }
    demand_step_up(authority, administrator)?;
    write.set_deactivated(id, None).await?;
    audit::record(authority, &mut write, visitor, subject(administrator, id), Event::StaffReactivated, None).await?;
    Ok(write.commit().await?)
}

/// Ends every session and every pending sign-in of a member, after a step-up (requirements.md SE-7). The account stays open.
///
/// # Errors
/// [`StaffError`].
pub async fn log_out_everywhere(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    id: &str,
) -> Result<(), StaffError> {
    let (mut write, _) = lock_member(authority, administrator, id).await?;
    demand_step_up(authority, administrator)?;
    end_everything(&mut write, id, authority.now().millis()).await?;
    audit::record(authority, &mut write, visitor, subject(administrator, id), Event::SessionEnded, None).await?;
    Ok(write.commit().await?)
}

/// Refuses what the administrator has not just proven to be meant.
fn demand_step_up(authority: &Authority, administrator: Administrator<'_>) -> Result<(), StaffError> {
    if sessions::is_stepped_up(authority, administrator.signed_in()) { Ok(()) } else { Err(StaffError::StepUpNeeded) }
}

/// Opens a transaction that holds the locks of the practice and of the member, in this order.
async fn lock_member(
    authority: &Authority,
    administrator: Administrator<'_>,
    id: &str,
) -> Result<(Write, StaffRow), StaffError> {
    let practice_id = administrator.practice_id();
    let mut write = authority.store.write().await?;
    write.lock_practice(practice_id).await?;
    let member = write.find_member(practice_id, id).await?.ok_or(StaffError::NotFound)?;
    write.lock_account(id).await?;
    Ok((write, member))
}

/// Ends what a member has open: sessions, pending sign-ins, tokens under way.
pub(crate) async fn end_everything(write: &mut Write, account_id: &str, now: i64) -> Result<(), Unavailable> {
    write.delete_sessions(account_id).await?;
    write.cancel_challenges(account_id).await?;
    Ok(write.end_message_tokens(account_id, now).await?)
}

/// Refuses to take `id` away as an administrator if no other one could sign in, and, where `id` gets tokens, if no other
/// one does (capabilities.md 25). Under the practice's lock.
async fn keep_an_administrator(write: &mut Write, practice_id: &str, id: &str) -> Result<(), StaffError> {
    let staff = write.staff(practice_id).await?;
    let mut administrators = staff.iter().filter(|row| row.is_administrator());
    let Some(this) = administrators.clone().find(|row| row.id == id) else { return Ok(()) };
    let is_kept =
        administrators.any(|row| row.id != id && row.can_sign_in() && (row.has_tokens() || !this.has_tokens()));
    if is_kept { Ok(()) } else { Err(StaffError::LastAdministrator) }
}

/// Leaves it to the role's rule again whether a member needs two-factor authentication. What is set up stays.
///
/// # Errors
/// [`StaffError`].
pub async fn stop_requiring(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    id: &str,
) -> Result<(), StaffError> {
    let (mut write, member) = lock_member(authority, administrator, id).await?;
    demand_step_up(authority, administrator)?;
    if member.required_from.is_some() {
        write.stop_requiring(id).await?;
        audit::record(authority, &mut write, visitor, subject(administrator, id), Event::EnforcementOff, None).await?;
    }
    Ok(write.commit().await?)
}

/// Turns two-factor authentication on for a member, with the administrator's own password: the next sign-in asks for a
/// token, which is sent to the cell phone on file by request. The first such token confirms the number, links the token
/// account, and brings the recovery codes.
///
/// # Errors
/// [`EnableError`].
pub async fn enable_two_factor(
    authority: &Authority,
    administrator: Administrator<'_>,
    visitor: &Visitor,
    id: &str,
    password: String,
) -> Result<(), EnableError> {
    let practice_id = administrator.practice_id();
    let signed_in = administrator.signed_in();
    let member = authority.store.find_member(practice_id, id).await?.ok_or(EnableError::NotFound)?;
    if member.deactivated_at.is_some() || id == signed_in.account_id() {
        return Err(EnableError::NotFound);
    }
    let phone = Phone::parse(&member.cell_phone).map_err(|_| EnableError::PhoneMissing)?;
    if !account_phone::is_of(&phone, &policy::countries(authority, practice_id).await?) {
        return Err(EnableError::PhoneNotAllowed);
    }
    let proven = password::prove_signed_in(authority, visitor, signed_in, password).await?;
    let account = authority.store.find_account(id).await?.ok_or(EnableError::NotFound)?;

    let now = authority.now().millis();
    let mut write = authority.store.write().await?;
    write.lock_practice(practice_id).await?;
    proven.settle(&mut write, signed_in.account_id()).await?;
    write.lock_account(id).await?;
    let member = write.find_member(practice_id, id).await?.ok_or(EnableError::NotFound)?;
    if member.is_protected() {
        return Err(EnableError::AlreadyEnabled);
    }
    write.require_from(id, now).await?;
    write.insert_assigned_phone(&authority.entropy.id(), id, enrol_sms::NAME, phone.e164(), now).await?;
    end_everything(&mut write, id, now).await?;
    let kind = Some(FactorKind::Sms);
    audit::record(authority, &mut write, visitor, subject(administrator, id), Event::EnforcementOn, kind).await?;
    notice::queue(authority, &mut write, &account.email, Notice::EnabledByAdministrator).await?;
    Ok(write.commit().await?)
}
