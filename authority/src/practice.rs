//! Practices: creating one, with its first account.

use domain::email::InvalidEmail;
use domain::password::{InvalidPassword, MIN_ALONE};
use domain::person::{InvalidText, Name};
use domain::session::Assurance;
use domain::username::InvalidUsername;
use domain::{Email, Role, Username};

use crate::audit::{self, Event, Subject};
use crate::store::NewAccount;
use crate::{Authority, OpenedSession, Visitor, password, sessions, store};

/// What the form says.
pub struct NewPractice {
    /// The practice's name.
    pub practice_name: String,
    /// The provider's first name.
    pub first_name: String,
    /// The provider's last name.
    pub last_name: String,
    /// The provider's e-mail address.
    pub email: String,
    /// The provider's user name.
    pub username: String,
    /// The provider's password.
    pub password: String,
}

/// Why no practice is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CreateError {
    /// The practice's name.
    #[error(transparent)]
    PracticeName(InvalidText),
    /// The first name.
    #[error("first name: {0}")]
    FirstName(InvalidText),
    /// The last name.
    #[error("last name: {0}")]
    LastName(InvalidText),
    /// The e-mail address.
    #[error(transparent)]
    Email(InvalidEmail),
    /// The user name.
    #[error(transparent)]
    Username(InvalidUsername),
    /// Another account has the user name.
    #[error("the user name is taken")]
    UsernameTaken,
    /// The password.
    #[error(transparent)]
    Password(InvalidPassword),
    /// Too many passwords are being checked.
    #[error("busy")]
    Busy,
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// Creates a practice and its first account: a provider who manages accounts, signed in at once.
///
/// # Errors
/// [`CreateError`] names the first field to mend.
pub async fn create(authority: &Authority, visitor: &Visitor, form: NewPractice) -> Result<OpenedSession, CreateError> {
    let practice_name = Name::parse(&form.practice_name).map_err(CreateError::PracticeName)?;
    let first_name = Name::parse(&form.first_name).map_err(CreateError::FirstName)?;
    let last_name = Name::parse(&form.last_name).map_err(CreateError::LastName)?;
    let email = Email::parse(&form.email).map_err(CreateError::Email)?;
    let username = Username::parse(&form.username).map_err(CreateError::Username)?;
    let about = [username.as_str(), practice_name.as_str(), email.as_str()];
    let password = password::accept_new(form.password, MIN_ALONE, &about).map_err(CreateError::Password)?;
    if authority.store.is_username_taken(username.as_str()).await? {
        return Err(CreateError::UsernameTaken);
    }
    let password_hash = authority.hasher.slot().await?.hash(password.expose(), &*authority.entropy).await?;

    let now = authority.now().millis();
    let (practice_id, account_id) = (authority.entropy.id(), authority.entropy.id());
    let mut write = authority.store.write().await?;
    write.insert_practice(&authority.signer.beginning(&practice_id), practice_name.as_str(), now).await?;
    let new = NewAccount {
        id: &account_id,
        practice_id: &practice_id,
        kind: Role::Provider.kind().name(),
        role: Role::Provider.name(),
        manages_since: Some(now),
        username: username.as_str(),
        email: email.as_str(),
        first_name: first_name.as_str(),
        last_name: last_name.as_str(),
        cell_phone: "",
        password_hash: &password_hash,
        password_length: password::stored_length(&password),
    };
    // In a new practice the e-mail is free, so a unique violation can only be the user name: somebody was faster.
    write
        .insert_account(&new, now)
        .await
        .map_err(|error| if store::is_taken(&error) { CreateError::UsernameTaken } else { error.into() })?;
    write.set_owner(&practice_id, &account_id).await?;
    let subject = Subject::own(&practice_id, &account_id);
    audit::record(authority, &mut write, visitor, subject, Event::PracticeCreated, None).await?;
    let opened = sessions::open(authority, &mut write, visitor, subject, Assurance::Password, None).await?;
    let subject = Subject { session_id: Some(&opened.id), ..subject };
    audit::record(authority, &mut write, visitor, subject, Event::SignedIn, None).await?;
    write.commit().await?;
    Ok(opened)
}
