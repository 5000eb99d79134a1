//! What the operator does from the command line, for people who are locked out of everything else. Each act is in the
//! practice's audit trail, and whom it concerns is told.

use domain::Countries;
use domain::person::{InvalidText, Name};

use crate::audit::{self, Event, Subject};
use crate::notice::{self, Notice};
use crate::staff::{NewMember, Parsed, StaffError};
use crate::store::AccountRow;
use crate::{Authority, Visitor, password, policy, reset, sign_in};

/// Who acted, in the audit trail.
const OPERATOR: &str = "operator";

/// Why the operator's command does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    /// There is no such account, or it is closed.
    #[error("there is no open account of that name")]
    NotFound,
    /// Several practices have that name.
    #[error("several practices have that name; name one by its id")]
    SeveralPractices,
    /// The practice's name.
    #[error("the practice's name: {0}")]
    PracticeName(InvalidText),
    /// What is wrong with the new account.
    #[error(transparent)]
    Account(#[from] StaffError),
    /// The authority cannot decide right now.
    #[error("unavailable")]
    Unavailable,
}

/// The command line as a visitor: from this machine, in no browser.
fn visitor(authority: &Authority) -> Visitor {
    Visitor {
        address: [127, 0, 0, 1].into(),
        user_agent: "twofold".to_owned(),
        request_id: authority.entropy.id(),
        browser: None,
        remembered: None,
    }
}

fn subject(account: &AccountRow) -> Subject<'_> {
    Subject { actor_id: OPERATOR, ..Subject::from(account) }
}

/// Creates an account in the practice of that name or id. Where there is none of the name, it is created too, and the
/// account owns it and manages its accounts.
///
/// # Errors
/// [`OperatorError`].
pub async fn create_account(authority: &Authority, practice: &str, form: NewMember) -> Result<(), OperatorError> {
    let name = Name::parse(practice).map_err(OperatorError::PracticeName)?;
    let found = authority.store.find_practices(name.as_str()).await?;
    let (practice_id, is_new, countries) = match found.as_slice() {
        [] => (authority.entropy.id(), true, Countries::default()),
        [id] => (id.clone(), false, policy::countries(authority, id).await?),
        _ => return Err(OperatorError::SeveralPractices),
    };
    let manages_accounts = form.manages_accounts || is_new;
    let form = NewMember { manages_accounts, ..form };
    let new = Parsed::read(form, name.as_str(), &countries)?;
    let hash = new.hash(authority).await?;
    let mut write = authority.store.write().await?;
    if is_new {
        let chain = authority.signer.beginning(&practice_id);
        write.insert_practice(&chain, name.as_str(), authority.now().millis()).await?;
    }
    write.lock_practice(&practice_id).await?;
    let id = new.insert(authority, &mut write, &practice_id, &hash).await?;
    let subject = Subject { actor_id: OPERATOR, ..Subject::own(&practice_id, &id) };
    let visitor = visitor(authority);
    if is_new {
        write.set_owner(&practice_id, &id).await?;
        audit::record(authority, &mut write, &visitor, subject, Event::PracticeCreated, None).await?;
    }
    audit::record(authority, &mut write, &visitor, subject, Event::StaffAdded, None).await?;
    for member in write.staff(&practice_id).await? {
        if member.id == id {
            notice::queue(authority, &mut write, &member.email, Notice::AccountCreated).await?;
        } else if manages_accounts && member.is_administrator() {
            // Whoever manages accounts is one of the two that a reset takes.
            notice::queue(authority, &mut write, &member.email, Notice::AdministratorAdded).await?;
        }
    }
    Ok(write.commit().await?)
}

/// Resets two-factor authentication of an account: its next sign-in leads into set-up.
///
/// # Errors
/// [`OperatorError`].
pub async fn reset_two_factor(authority: &Authority, name: &str) -> Result<(), OperatorError> {
    let account = find(authority, name).await?;
    let mut write = authority.store.write().await?;
    write.lock_account(&account.id).await?;
    reset::execute(authority, &mut write, &visitor(authority), subject(&account), &account).await?;
    Ok(write.commit().await?)
}

/// Lifts what wrong passwords and tokens have led to: delays, and the lock of token checks. It is the one way around the
/// failure budget, for who has the machine.
///
/// # Errors
/// [`OperatorError`].
pub async fn unlock(authority: &Authority, name: &str) -> Result<(), OperatorError> {
    let account = find(authority, name).await?;
    let mut write = authority.store.write().await?;
    write.lock_account(&account.id).await?;
    write.forgive_failures(&account.id).await?;
    write.end_failure_run(&account.id).await?;
    write.clear_password_failures(&password::account_subject(&account.id)).await?;
    audit::record(authority, &mut write, &visitor(authority), subject(&account), Event::AccountUnlocked, None).await?;
    notice::queue(authority, &mut write, &account.email, Notice::AccountUnlocked).await?;
    Ok(write.commit().await?)
}

/// The open account of a user name or an e-mail address.
async fn find(authority: &Authority, name: &str) -> Result<AccountRow, OperatorError> {
    let found = sign_in::find_credentials(authority, &name.trim().to_lowercase()).await?;
    let credentials = found.ok_or(OperatorError::NotFound)?;
    authority.store.find_account(&credentials.id).await?.ok_or(OperatorError::NotFound)
}
