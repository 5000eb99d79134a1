//! The Profile tab.

use domain::Countries;
use domain::person::{InvalidPin, InvalidText, Line, Name, Pin};
use domain::phone::InvalidPhone;

use crate::account_phone::{self, PhoneRefused};
use crate::audit::{self, Event};
use crate::store::ProfileRow;
use crate::{Authority, SignedIn, Unavailable, Visitor, factors, policy, sessions};

/// What the Profile tab shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// User name; it stays as it was created.
    pub username: String,
    /// E-mail address; it stays as it was created.
    pub email: String,
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Specialty.
    pub specialty: String,
    /// Timezone, an IANA name.
    pub timezone: String,
    /// Salutation.
    pub salutation: String,
    /// Suffix.
    pub suffix: String,
    /// Website.
    pub website: String,
    /// Home phone.
    pub home_phone: String,
    /// Office phone.
    pub office_phone: String,
    /// Cell phone in E.164; empty while none is on file.
    pub cell_phone: String,
    /// Whether an App unlock PIN is set. The PIN itself is never shown.
    pub has_pin: bool,
}

/// What the Profile form says. An empty PIN leaves the one that is set.
#[derive(Clone, Debug, Default)]
pub struct ProfileForm {
    /// First name.
    pub first_name: String,
    /// Last name.
    pub last_name: String,
    /// Specialty.
    pub specialty: String,
    /// Timezone.
    pub timezone: String,
    /// Salutation.
    pub salutation: String,
    /// Suffix.
    pub suffix: String,
    /// Website.
    pub website: String,
    /// Home phone.
    pub home_phone: String,
    /// Office phone.
    pub office_phone: String,
    /// Cell phone.
    pub cell_phone: String,
    /// App unlock PIN.
    pub pin: String,
}

/// Why the profile is not saved: the first field to mend.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProfileError {
    /// First name.
    #[error("first name: {0}")]
    FirstName(InvalidText),
    /// Last name.
    #[error("last name: {0}")]
    LastName(InvalidText),
    /// Specialty.
    #[error("specialty: {0}")]
    Specialty(InvalidText),
    /// Timezone.
    #[error("timezone: {0}")]
    Timezone(InvalidText),
    /// Salutation.
    #[error("salutation: {0}")]
    Salutation(InvalidText),
    /// Suffix.
    #[error("suffix: {0}")]
    Suffix(InvalidText),
    /// Website.
    #[error("website: {0}")]
    Website(InvalidText),
    /// Home phone.
    #[error("home phone: {0}")]
    HomePhone(InvalidPhone),
    /// Office phone.
    #[error("office phone: {0}")]
    OfficePhone(InvalidPhone),
    /// Cell phone.
    #[error("cell phone: {0}")]
    CellPhone(InvalidPhone),
    /// Messages are not sent to numbers of this kind.
    #[error("messages are not sent to numbers of this kind")]
    CellPhoneNotAllowed,
    /// App unlock PIN.
    #[error(transparent)]
    Pin(InvalidPin),
    /// A factor is active, the cell phone differs, and the step-up is too long ago.
    #[error("a step-up is needed")]
    StepUpNeeded,
    /// Too many passwords are being checked.
    #[error("busy")]
    Busy,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// What the Profile tab shows.
///
/// # Errors
/// [`Unavailable`].
pub async fn load(authority: &Authority, signed_in: &SignedIn) -> Result<Profile, Unavailable> {
    let row = authority.store.find_profile(signed_in.account_id()).await?.ok_or(Unavailable)?;
    Ok(Profile {
        username: row.username,
        email: row.email,
        first_name: row.first_name,
        last_name: row.last_name,
        specialty: row.specialty,
        timezone: row.timezone,
        salutation: row.salutation,
        suffix: row.suffix,
        website: row.website,
        home_phone: row.home_phone,
        office_phone: row.office_phone,
        cell_phone: row.cell_phone,
        has_pin: row.pin_hash.is_some(),
    })
}

/// Saves the whole profile. A new cell phone gets no token before it is confirmed on the Security tab.
///
/// # Errors
/// [`ProfileError`].
pub async fn update(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    form: ProfileForm,
) -> Result<(), ProfileError> {
    let account_id = signed_in.account_id();
    let current = authority.store.find_profile(account_id).await?.ok_or(ProfileError::Unavailable)?;
    let countries = policy::countries(authority, signed_in.practice_id()).await?;
    let mut row = parse(signed_in, &form, &current.cell_phone, &countries)?;
    let factors = authority.store.factors(account_id).await?;
    if row.cell_phone != current.cell_phone
        && factors::are_on(&factors)
        && !sessions::is_stepped_up(authority, signed_in)
    {
        return Err(ProfileError::StepUpNeeded);
    }
    if !form.pin.trim().is_empty() {
        let pin = Pin::parse(&form.pin).map_err(ProfileError::Pin)?;
        row.pin_hash = Some(authority.hasher.slot().await?.hash(pin.expose(), &*authority.entropy).await?);
    }
    let mut write = authority.store.write().await?;
    write.update_profile(account_id, &row).await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::ProfileChanged, None).await?;
    Ok(write.commit().await?)
}

/// Sets the cell phone alone, for who has to set two-factor authentication up and reaches no other page.
///
/// # Errors
/// [`ProfileError`].
pub async fn set_cell_phone(
    authority: &Authority,
    signed_in: &SignedIn,
    visitor: &Visitor,
    raw: &str,
) -> Result<(), ProfileError> {
    let account_id = signed_in.account_id();
    let countries = policy::countries(authority, signed_in.practice_id()).await?;
    let factors = authority.store.factors(account_id).await?;
    let mut write = authority.store.write().await?;
    write.lock_account(account_id).await?;
    let current = authority.store.find_profile(account_id).await?.ok_or(ProfileError::Unavailable)?;
    let phone = account_phone::parse_cell_field(raw, &current.cell_phone, &countries)?;
    if current.cell_phone == phone {
        return Ok(());
    }
    if factors::are_on(&factors) && !sessions::is_stepped_up(authority, signed_in) {
        return Err(ProfileError::StepUpNeeded);
    }
    write.set_cell_phone(account_id, &phone).await?;
    audit::record(authority, &mut write, visitor, signed_in.into(), Event::ProfileChanged, None).await?;
    Ok(write.commit().await?)
}

fn parse(
    signed_in: &SignedIn,
    form: &ProfileForm,
    on_file: &str,
    countries: &Countries,
) -> Result<ProfileRow, ProfileError> {
    type Text<'a> = (&'a str, fn(InvalidText) -> ProfileError);
    let name = |(raw, error): Text| Name::parse(raw).map(|name| name.as_str().to_owned()).map_err(error);
    let line = |(raw, error): Text| Line::parse(raw).map(|line| line.as_str().to_owned()).map_err(error);
    let phone = |raw: &str, error: fn(InvalidPhone) -> ProfileError| match raw.trim() {
        "" => Ok(String::new()),
        raw => account_phone::parse(raw).map(|phone| phone.e164().to_owned()).map_err(error),
    };
    Ok(ProfileRow {
        username: signed_in.username().to_owned(),
        email: signed_in.email().as_str().to_owned(),
        first_name: name((&form.first_name, ProfileError::FirstName))?,
        last_name: name((&form.last_name, ProfileError::LastName))?,
        specialty: line((&form.specialty, ProfileError::Specialty))?,
        timezone: line((&form.timezone, ProfileError::Timezone))?,
        salutation: line((&form.salutation, ProfileError::Salutation))?,
        suffix: line((&form.suffix, ProfileError::Suffix))?,
        website: line((&form.website, ProfileError::Website))?,
        home_phone: phone(&form.home_phone, ProfileError::HomePhone)?,
        office_phone: phone(&form.office_phone, ProfileError::OfficePhone)?,
        cell_phone: account_phone::parse_cell_field(&form.cell_phone, on_file, countries)?,
        pin_hash: None,
    })
}

impl From<PhoneRefused> for ProfileError {
    fn from(refused: PhoneRefused) -> Self {
        match refused {
            PhoneRefused::Invalid(invalid) => Self::CellPhone(invalid),
            PhoneRefused::NotAllowed => Self::CellPhoneNotAllowed,
        }
    }
}
