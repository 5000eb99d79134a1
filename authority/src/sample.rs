//! Sample data for development: a practice to walk through at once.

use domain::Role;

use crate::audit::{self, Event, Subject};
use crate::store::NewAccount;
use crate::{Authority, Unavailable, Visitor};

/// The password of every sample account.
const PASSWORD: &str = "sample-password-1";

/// User name, first name, last name, role, whether it manages accounts, cell phone.
const PEOPLE: [(&str, &str, &str, Role, bool, &str); 4] = [
    ("thomas", "Thomas", "Ward", Role::Provider, false, "+12025550101"),
    ("olivia", "Olivia", "Marsh", Role::OfficeManager, true, "+12025550102"),
    ("sam", "Sam", "Reyes", Role::Staff, false, "+12025550103"),
    ("nina", "Nina", "Cole", Role::Nurse, false, "+12025550104"),
];

/// Plants "Sample Practice" with its four accounts, unless it is there.
///
/// # Errors
/// [`Unavailable`].
pub async fn plant(authority: &Authority) -> Result<(), Unavailable> {
    if authority.store.is_username_taken(PEOPLE[0].0).await? {
        return Ok(());
    }
    let mut slot = authority.hasher.slot().await.map_err(|_| Unavailable)?;
    let now = authority.now().millis();
    let practice_id = authority.entropy.id();
    let mut write = authority.store.write().await?;
    write.insert_practice(&authority.signer.beginning(&practice_id), "Sample Practice", now).await?;
    for (username, first_name, last_name, role, manages_accounts, cell_phone) in PEOPLE {
        let password_hash = slot.hash(PASSWORD, &*authority.entropy).await.map_err(|_| Unavailable)?;
        let id = authority.entropy.id();
        let new = NewAccount {
            id: &id,
            practice_id: &practice_id,
            kind: role.kind().name(),
            role: role.name(),
            // She has been there for long: whom she adds may wait, she does not.
            manages_since: manages_accounts.then_some(0),
            username,
            email: &format!("{username}@sample.test"),
            first_name,
            last_name,
            cell_phone,
            password_hash: &password_hash,
            password_length: i64::try_from(PASSWORD.len().min(domain::password::MIN_ALONE)).unwrap_or(0),
        };
        write.insert_account(&new, now).await?;
        if manages_accounts {
            write.set_owner(&practice_id, &id).await?;
        }
    }
    Ok(write.commit().await?)
}

/// Writes so many events into the trail of one account's practice, many in one commit. For measuring.
///
/// # Errors
/// [`Unavailable`].
pub async fn fill_trail(
    authority: &Authority,
    visitor: &Visitor,
    practice_id: &str,
    account_id: &str,
    rows: usize,
) -> Result<(), Unavailable> {
    const OF_ONE_COMMIT: usize = 1_000;
    let subject = Subject { session_id: Some(account_id), ..Subject::own(practice_id, account_id) };
    for first in (0..rows).step_by(OF_ONE_COMMIT) {
        let mut write = authority.store.write().await?;
        for _ in first..rows.min(first + OF_ONE_COMMIT) {
            let factor = Some(domain::FactorKind::Totp);
            audit::record(authority, &mut write, visitor, subject, Event::SignedIn, factor).await?;
        }
        write.commit().await?;
    }
    Ok(())
}
