//! The vault: opened, changed, and on the disk again before anybody is told.

use leptos::prelude::*;
use vault::contents::{NotAdded, Removed, UnknownAccount};
use vault::lock::{Closed, Damaged, NotOpened};
use vault::pin::InvalidPin;
use vault::{AccountId, Contents, Pin, Vault, VaultKey};

use super::sync;
use crate::browser::deriver::{self, DerivationFails};
use crate::browser::storage::{self, StorageFails};
use crate::browser::{self, platform};
use crate::model::{Model, Registration, Screen, Turn};

/// The vault while it is unlocked.
pub(crate) struct OpenVault {
    vault: Vault,
    key: VaultKey,
    contents: Contents,
    /// The account that was deleted last, to be brought back.
    removed: Option<Removed>,
    /// The newest version of the backup that was looked at because another device had saved it.
    looked_at: u32,
}

impl OpenVault {
    /// Takes in what lies on the disk now. Whether it is something else than before.
    fn take_in(&mut self, written: Option<Vault>) -> Result<bool, KeepError> {
        let written = written.ok_or(KeepError::Erased)?;
        if written == self.vault {
            return Ok(false);
        }
        // It may be another vault, made after this one was erased.
        self.contents = written.open_again(&self.key).map_err(|_| KeepError::Erased)?;
        self.vault = written;
        Ok(true)
    }
}

/// Why the vault does not do what was asked. `Display` is what a person reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KeepError {
    #[error("The browser keeps no data of this site. Leave private browsing, or free some space, and try again.")]
    Storage,
    #[error("This device has not enough free memory. Close other pages and try again.")]
    Memory,
    #[error("The data on this device are damaged. Restore your backup: add your account again.")]
    Damaged,
    #[error("The data on this device were written by a newer version. Update the authenticator.")]
    Newer,
    #[error("Enter a PIN of at least 6 digits")]
    PinMissing,
    #[error("The PIN needs at least 6 digits")]
    PinTooShort,
    #[error("The PIN is too long")]
    PinTooLong,
    #[error("That PIN is not right. You have {0} tries left.")]
    WrongPin(u8),
    #[error("Too many wrong PINs. The PIN opens the authenticator no more.")]
    LockedOut,
    #[error("That password is not right.")]
    WrongPassword,
    #[error("The phone's own lock did not open the authenticator. Use the PIN.")]
    PlatformRefused,
    #[error(
        "This phone's lock could not be set up: you said no, or this phone cannot do it. The PIN opens the authenticator."
    )]
    PlatformNotSet,
    #[error("The authenticator is locked.")]
    Locked,
    #[error("Everything in this browser was erased in another window.")]
    Erased,
    #[error("This browser has an authenticator already, from another window. Unlock it, then add your account again.")]
    Present,
    #[error("This account is here already.")]
    Known,
    #[error("There are too many accounts.")]
    Full,
}

impl KeepError {
    /// The field that it is about.
    const fn field(self) -> Option<&'static str> {
        match self {
            Self::PinMissing | Self::PinTooShort | Self::PinTooLong | Self::WrongPin(_) => Some("pin"),
            Self::WrongPassword => Some("backup-password"),
            _ => None,
        }
    }
}

/// Says why the vault does not do what was asked.
pub(crate) fn refuse(model: Model, error: KeepError) {
    match error.field() {
        Some(field) => model.fail_in(field, error.to_string()),
        None => model.fail(error.to_string()),
    }
}

impl From<StorageFails> for KeepError {
    fn from(_: StorageFails) -> Self {
        Self::Storage
    }
}

impl From<DerivationFails> for KeepError {
    fn from(_: DerivationFails) -> Self {
        Self::Memory
    }
}

impl From<Damaged> for KeepError {
    fn from(damaged: Damaged) -> Self {
        match damaged {
            Damaged::Malformed => Self::Damaged,
            Damaged::UnknownFormat => Self::Newer,
        }
    }
}

impl From<InvalidPin> for KeepError {
    fn from(invalid: InvalidPin) -> Self {
        match invalid {
            InvalidPin::Empty => Self::PinMissing,
            InvalidPin::TooShort => Self::PinTooShort,
            InvalidPin::TooLong => Self::PinTooLong,
        }
    }
}

impl From<Closed> for KeepError {
    fn from(_: Closed) -> Self {
        Self::LockedOut
    }
}

impl From<NotAdded> for KeepError {
    fn from(not_added: NotAdded) -> Self {
        match not_added {
            NotAdded::Known(_) => Self::Known,
            NotAdded::Full => Self::Full,
        }
    }
}

impl From<UnknownAccount> for KeepError {
    fn from(_: UnknownAccount) -> Self {
        Self::Damaged
    }
}

/// The sealed vault on the disk, if there is one.
pub(crate) async fn load() -> Result<Option<Vault>, KeepError> {
    let file = storage::load_file().await?;
    file.map(|bytes| Vault::parse(&bytes)).transpose().map_err(KeepError::from)
}

/// The vault that was there when its lock was shown.
async fn load_present(model: Model) -> Result<Vault, KeepError> {
    let present = load().await?;
    if present.is_none() {
        model.go(Screen::Empty);
    }
    present.ok_or(KeepError::Erased)
}

/// Makes the vault of this device, under its first PIN. Whoever chose that has it.
pub(crate) async fn create(model: Model, pin: String) -> Result<Proven, KeepError> {
    let pin = Pin::parse(pin)?;
    let (kdf, pin_key) = deriver::derive_fresh(&model.worker(), pin.expose()).await?;
    let _turn = model.turn().await;
    match load().await {
        // Nobody opens what is damaged.
        Ok(None) | Err(KeepError::Damaged) => {}
        Ok(Some(_)) => return Err(KeepError::Present),
        Err(error) => return Err(error),
    }
    let contents = Contents::default();
    let (vault, key) = Vault::create(&contents, kdf, &pin_key, &mut browser::fill_random);
    storage::save_file(&vault.to_bytes()).await?;
    // Refused, the backup is what saves the accounts; the person is told where it is offered.
    model.is_persisted.set(storage::persist().await);
    remember_kind(model, &pin).await;
    hold(model, vault, key, contents);
    Ok(Proven(()))
}

/// Remembers whether a keypad does for the PIN. Whoever copies the storage reads it too, and learns what they would have
/// tried first.
async fn remember_kind(model: Model, pin: &Pin) {
    model.has_numeric_pin.set(pin.is_numeric());
    // Not kept, the whole keyboard is offered.
    let _ = storage::save_has_numeric_pin(pin.is_numeric()).await;
}

/// Opens the vault by the PIN.
pub(crate) async fn open_by_pin(model: Model, pin: &str) -> Result<(), KeepError> {
    let _turn = model.turn().await;
    let mut vault = load_present(model).await?;
    let (key, contents) = try_pin(model, &mut vault, pin).await?;
    hold(model, vault, key, contents);
    Ok(())
}

/// Tries a PIN. The try is on the disk before it is evaluated.
async fn try_pin(model: Model, vault: &mut Vault, pin: &str) -> Result<(VaultKey, Contents), KeepError> {
    let counted = vault.count_try()?;
    storage::save_file(&vault.to_bytes()).await?;
    let pin_key = deriver::derive(&model.worker(), pin, vault.pin_kdf()).await?;
    match vault.open_by_pin(counted, &pin_key) {
        Ok(opened) => {
            storage::save_file(&vault.to_bytes()).await?;
            Ok(opened)
        }
        Err(NotOpened::Wrong | NotOpened::NoSuchSlot) => Err(match vault.tries_left() {
            0 => KeepError::LockedOut,
            left => KeepError::WrongPin(left),
        }),
        Err(NotOpened::Damaged) => Err(KeepError::Damaged),
    }
}

/// Whoever has the open vault before them has shown that it is theirs, a moment ago.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Proven(());

/// Has the owner of the open vault prove it by the PIN. A try counts as it does at the lock.
pub(crate) async fn prove_by_pin(model: Model, pin: &str) -> Result<Proven, KeepError> {
    let _turn = turn_with_open(model).await?;
    let mut vault = open_vault(model)?;
    let tried = try_pin(model, &mut vault, pin).await;
    // The count goes on in memory too, or the next change would write the old one.
    model.vault.update_value(|open| {
        if let Some(open) = open {
            open.vault = vault;
        }
    });
    tried.and_then(|_| proven(model))
}

/// Has the owner of the open vault prove it by the platform's own lock.
pub(crate) async fn prove_by_platform(model: Model) -> Result<Proven, KeepError> {
    let vault = open_vault(model)?;
    ask_platform(&vault).await.and_then(|_| proven(model))
}

/// The vault may have been locked while its owner proved it.
fn proven(model: Model) -> Result<Proven, KeepError> {
    open_vault(model).map(|_| Proven(()))
}

fn open_vault(model: Model) -> Result<Vault, KeepError> {
    model.vault.with_value(|open| open.as_ref().map(|open| open.vault.clone())).ok_or(KeepError::Locked)
}

/// Opens the vault by the backup password, which proves its owner as the PIN does.
pub(crate) async fn open_by_backup_password(model: Model, password: &str) -> Result<Proven, KeepError> {
    let _turn = model.turn().await;
    let mut vault = load_present(model).await?;
    let kdf = *vault.backup_password_kdf().ok_or(KeepError::WrongPassword)?;
    let password_key = deriver::derive(&model.worker(), password, &kdf).await?;
    match vault.open_by_backup_password(&password_key) {
        Ok((key, mut contents)) => {
            contents.password_typed(model.now());
            vault.reseal(&key, &contents, &mut browser::fill_random);
            storage::save_file(&vault.to_bytes()).await?;
            hold(model, vault, key, contents);
            Ok(Proven(()))
        }
        Err(NotOpened::Wrong | NotOpened::NoSuchSlot) => Err(KeepError::WrongPassword),
        Err(NotOpened::Damaged) => Err(KeepError::Damaged),
    }
}

/// Opens the vault by the platform's own lock.
pub(crate) async fn open_by_platform(model: Model) -> Result<(), KeepError> {
    let _turn = model.turn().await;
    let vault = load_present(model).await?;
    let (key, contents) = ask_platform(&vault).await?;
    hold(model, vault, key, contents);
    Ok(())
}

async fn ask_platform(vault: &Vault) -> Result<(VaultKey, Contents), KeepError> {
    let asked = vault.platform().ok_or(KeepError::PlatformRefused)?;
    let prf = platform::evaluate(asked).await.map_err(|_| KeepError::PlatformRefused)?;
    vault.open_by_platform(&prf).map_err(|_| KeepError::PlatformRefused)
}

/// Lets the platform's own lock open this vault too.
pub(crate) async fn add_platform(model: Model, _: Proven) -> Result<(), KeepError> {
    let (asked, prf) = platform::create("Twofold Authenticator").await.map_err(|_| KeepError::PlatformNotSet)?;
    change_slots(model, |vault, key| {
        // Refused only for a credential id of a length that no platform makes.
        let _ = vault.set_platform(key, asked, &prf, &mut browser::fill_random);
    })
    .await
}

/// Lets the platform's own lock no longer open this vault.
pub(crate) async fn remove_platform(model: Model) -> Result<(), KeepError> {
    change_slots(model, |vault, _| vault.remove_platform()).await
}

/// Whether the platform's own lock opens the open vault.
pub(crate) fn has_platform(model: Model) -> bool {
    model.vault.with_value(|open| open.as_ref().is_some_and(|open| open.vault.platform().is_some()))
}

/// Whether the platform's own lock opens the vault on the disk.
pub(crate) async fn may_ask_platform() -> bool {
    platform::is_known().await && load().await.ok().flatten().is_some_and(|vault| vault.platform().is_some())
}

fn hold(model: Model, vault: Vault, key: VaultKey, contents: Contents) {
    model.show(&contents);
    model.vault.set_value(Some(OpenVault { vault, key, contents, removed: None, looked_at: 0 }));
    sync::show(model);
}

/// Forgets what is open, and a registration with its secrets.
pub(crate) fn close(model: Model) {
    model.vault.set_value(None);
    model.registration.set_value(Registration::default());
    model.accounts.set(Vec::new());
    model.deleted.set(None);
    model.device.set(None);
}

/// Looks at the open vault; `None` while it is locked.
pub(crate) fn with<T>(model: Model, look: impl FnOnce(&Contents) -> T) -> Option<T> {
    model.vault.with_value(|open| open.as_ref().map(|open| look(&open.contents)))
}

/// Whether this version of the backup has not been looked at yet. It is from now on: one that cannot be taken in now stays
/// so until there is something to save.
pub(crate) fn looks_at(model: Model, version: u32) -> bool {
    let look = |open: &mut Option<OpenVault>| {
        open.as_mut().is_some_and(|open| std::mem::replace(&mut open.looked_at, version) < version)
    };
    model.vault.try_update_value(look) == Some(true)
}

/// Waits for one's turn with the open vault, as it lies on the disk then: another page of this browser may have written it
/// since.
async fn turn_with_open(model: Model) -> Result<Turn, KeepError> {
    let turn = model.turn().await;
    if model.vault.with_value(Option::is_none) {
        return Err(KeepError::Locked);
    }
    let written = load().await?;
    let is_erased = written.is_none();
    let taken = model.vault.try_update_value(|open| open.as_mut().map(|open| open.take_in(written))).flatten();
    match taken {
        Some(Ok(false)) => {}
        Some(Ok(true)) => {
            if let Some(contents) = with(model, Clone::clone) {
                model.show(&contents);
            }
            sync::show(model);
        }
        Some(Err(error)) => {
            close(model);
            model.go(if is_erased { Screen::Empty } else { Screen::Unlock });
            return Err(error);
        }
        None => return Err(KeepError::Locked),
    }
    Ok(turn)
}

/// Shows what another page of this browser has changed.
pub(crate) async fn follow(model: Model) {
    if let Err(error @ KeepError::Erased) = turn_with_open(model).await.map(drop) {
        model.fail(error.to_string());
    }
}

/// Changes what the vault holds, after each change that was asked for before. It is on the disk when this returns; if it
/// could not be kept, nothing has changed.
pub(crate) async fn change<T>(model: Model, change: impl FnOnce(&mut Contents) -> T) -> Result<T, KeepError> {
    let (mut change, mut result) = (Some(change), None);
    change_file(model, &mut |_, _, contents| result = change.take().map(|change| change(contents))).await?;
    result.ok_or(KeepError::Locked)
}

/// Changes who opens the vault.
async fn change_slots(model: Model, change: impl FnOnce(&mut Vault, &VaultKey)) -> Result<(), KeepError> {
    let mut change = Some(change);
    change_file(model, &mut |vault, key, _| {
        if let Some(change) = change.take() {
            change(vault, key);
        }
    })
    .await
}

/// Changes the file, once; without the type of the change, or all of this would be in the program once for each.
async fn change_file(
    model: Model,
    change: &mut dyn FnMut(&mut Vault, &VaultKey, &mut Contents),
) -> Result<(), KeepError> {
    let _turn = turn_with_open(model).await?;
    let (vault, contents) = model.vault.with_value(|open| {
        let open = open.as_ref().ok_or(KeepError::Locked)?;
        let (mut vault, mut contents) = (open.vault.clone(), open.contents.clone());
        change(&mut vault, &open.key, &mut contents);
        vault.reseal(&open.key, &contents, &mut browser::fill_random);
        Ok::<_, KeepError>((vault, contents))
    })?;
    store(model, vault, contents).await
}

async fn store(model: Model, vault: Vault, contents: Contents) -> Result<(), KeepError> {
    storage::save_file(&vault.to_bytes()).await?;
    // Locked in the meantime, it stays so: the change is kept, and nothing of it is shown.
    if model.vault.with_value(Option::is_none) {
        return Err(KeepError::Locked);
    }
    model.show(&contents);
    model.vault.update_value(|open| {
        if let Some(open) = open {
            open.vault = vault;
            open.contents = contents;
        }
    });
    Ok(())
}

/// Takes an account out and tells its title. It can be brought back until the next one goes.
pub(crate) async fn remove(model: Model, id: AccountId) -> Result<String, KeepError> {
    let now = model.now();
    let removed = change(model, |contents| contents.remove(id, now)).await??;
    let account = removed.account();
    let title = [account.issuer.as_str(), account.name.as_str()].into_iter().find(|name| !name.is_empty());
    let title = title.unwrap_or_default().to_owned();
    model.vault.update_value(|open| {
        if let Some(open) = open {
            open.removed = Some(removed);
        }
    });
    Ok(title)
}

/// Brings the account back that was taken out last.
pub(crate) async fn undo(model: Model) -> Result<(), KeepError> {
    let removed = model.vault.try_update_value(|open| open.as_mut().and_then(|open| open.removed.take())).flatten();
    let Some(removed) = removed else { return Ok(()) };
    let now = model.now();
    change(model, |contents| contents.undo(removed, now)).await??;
    Ok(())
}

/// Lets the backup password open this vault too, for whom the PIN is lost.
pub(crate) async fn open_also_by(model: Model, password: &str) {
    let kept = async {
        let (kdf, password_key) = deriver::derive_fresh(&model.worker(), password).await?;
        change_slots(model, |vault, key| vault.set_backup_password(key, kdf, &password_key, &mut browser::fill_random))
            .await
    };
    if let Err(error) = kept.await {
        model.fail(error.to_string());
    }
}

/// Sets another PIN, and the count of wrong ones back.
pub(crate) async fn change_pin(model: Model, _: Proven, pin: String) -> Result<(), KeepError> {
    let pin = Pin::parse(pin)?;
    let (kdf, pin_key) = deriver::derive_fresh(&model.worker(), pin.expose()).await?;
    change_slots(model, |vault, key| vault.change_pin(key, kdf, &pin_key, &mut browser::fill_random)).await?;
    remember_kind(model, &pin).await;
    Ok(())
}

/// What opens a vault that is locked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct WaysIn {
    pub(crate) pin: bool,
    pub(crate) backup_password: bool,
}

/// What opens this device's vault.
pub(crate) async fn ways_in() -> WaysIn {
    load().await.ok().flatten().map_or_else(WaysIn::default, |vault| WaysIn {
        pin: vault.tries_left() > 0,
        backup_password: vault.backup_password_kdf().is_some(),
    })
}

/// Forgets everything on this device, and begins anew.
pub(crate) fn erase(model: Model) {
    model.run(async move {
        close(model);
        // What was still being written would be there again after it.
        let _turn = model.turn().await;
        match storage::clear().await {
            Ok(()) => model.go(Screen::Empty),
            Err(error) => model.fail(KeepError::from(error).to_string()),
        }
    });
}
