//! The backup: switched on, saved after each change, restored, put under another password or another key.

use app::authenticator::{BackupView, DeviceView, api};
use app::error::{AppError, DeviceError};
use domain::password::InvalidPassword;
use domain::{Password, Timestamp};
use leptos::prelude::*;
use leptos::task::spawn_local;
use vault::account::ServerId;
use vault::backup::Outgoing;
use vault::contents::Merged;
use vault::{BackupKey, Blob, Contents, KdfParameters, Refused};

use super::keeper::Proven;
use super::{keeper, sync};
use crate::browser::{self, deriver};
use crate::model::{Model, Screen, Sync};
use crate::parts::RECOVERY_CODE;

/// Characters that a backup password has at least: it stands alone between a thief of the server's data and the keys.
const MIN_PASSWORD: usize = 10;

/// Characters of a password that are looked at for its strength.
const LOOKED_AT: usize = 64;
/// The fields of a new backup password.
const NEW_PASSWORD: [&str; 2] = ["backup-password", "backup-password-again"];

/// How strong a backup password is, by the characters that a guesser has to guess: no word list fits into this program.
pub(crate) fn strength(password: &str) -> (&'static str, u32) {
    match (password.chars().count(), unforeseen(password)) {
        (0, _) => ("", 0),
        (1..MIN_PASSWORD, _) => ("Too short", 1),
        (_, 0..6) => ("Too simple", 1),
        (_, 6..12) => ("Fair", 2),
        (_, 12..17) => ("Good", 3),
        _ => ("Strong", 4),
    }
}

/// Characters that do not follow from those before: neither the same once more, nor the next of a row such as "abc" or
/// "321", nor the second of a pair that was there already, as in "abcabc".
fn unforeseen(password: &str) -> usize {
    let codes: Vec<i64> = password.to_lowercase().chars().take(LOOKED_AT).map(|c| i64::from(u32::from(c))).collect();
    let is_foreseen = |end: &usize| match codes[..=*end] {
        [.., before, last] if before == last => true,
        [.., first, before, last] if (last - before).abs() == 1 && last - before == before - first => true,
        [.., before, last] => codes[..*end].windows(2).any(|pair| pair == [before, last]),
        _ => false,
    };
    (0..codes.len()).filter(|end| !is_foreseen(end)).count()
}

/// Why a new password will not do. `Display` is what a person reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Misfit {
    #[error("This password is too long.")]
    TooLong,
    #[error("Use at least 10 characters. Several unrelated words are best.")]
    TooShort,
    #[error("This password repeats itself or counts on. Several unrelated words are best.")]
    TooSimple,
    #[error("The two passwords are not the same. Type them again.")]
    Differs,
}

impl Misfit {
    /// Says it, of the field for the password or of the one where it is typed again.
    pub(crate) fn tell(self, model: Model, [password, again]: [&'static str; 2]) {
        model.fail_in(if self == Self::Differs { again } else { password }, self.to_string());
    }
}

/// Whether a password will do for what leaves this device.
pub(crate) fn check(password: &str, again: &str) -> Result<(), Misfit> {
    match Password::new(password.to_owned(), MIN_PASSWORD) {
        Err(InvalidPassword::TooLong) => Err(Misfit::TooLong),
        Err(_) => Err(Misfit::TooShort),
        Ok(_) if strength(password).1 < 2 => Err(Misfit::TooSimple),
        Ok(_) if password != again => Err(Misfit::Differs),
        Ok(_) => Ok(()),
    }
}

/// Switches the backup on. Its password opens the vault too.
pub(crate) fn turn_on(model: Model, _: Proven, password: String, again: &str) {
    if let Err(misfit) = check(&password, again) {
        return misfit.tell(model, NEW_PASSWORD);
    }
    model.run(async move {
        let Some(Some(token_account)) = keeper::with(model, |contents| contents.token_account.clone()) else {
            return model.fail("Add your practice account first: the backup belongs to it.");
        };
        let key = match deriver::derive_fresh(&model.worker(), &password).await {
            Ok((kdf, derived)) => BackupKey::create(token_account, kdf, &derived, &mut browser::fill_random),
            Err(error) => return model.fail(error.to_string()),
        };
        let now = model.now();
        let switched = keeper::change(model, |contents| {
            contents.switch_backup_on(key);
            contents.password_typed(now);
        });
        match switched.await {
            Ok(()) => {
                keeper::open_also_by(model, &password).await;
                let state = match save_changes(model).await {
                    Saved::Yes => "The backup is on.",
                    Saved::Later => "The backup is on, and will be saved as soon as the server can be reached.",
                    Saved::Refused => return,
                };
                model.go(Screen::Token);
                model.say([state, " Keep its password: without it nobody can read the backup, not even we."].concat());
            }
            Err(error) => model.fail(error.to_string()),
        }
    });
}

/// Puts the backup under another password. The one before has to be known.
pub(crate) fn change_password(model: Model, old: String, password: String, again: &str) {
    if let Err(misfit) = check(&password, again) {
        return misfit.tell(model, NEW_PASSWORD);
    }
    model.run(async move {
        let Some(old_kdf) = password_kdf(model) else { return model.fail("The backup is off.") };
        let derived = async {
            let worker = model.worker();
            Ok::<_, deriver::DerivationFails>((
                deriver::derive(&worker, &old, &old_kdf).await?,
                deriver::derive_fresh(&worker, &password).await?,
            ))
        };
        let (old_key, (kdf, new_key)) = match derived.await {
            Ok(keys) => keys,
            Err(error) => return model.fail(error.to_string()),
        };
        let now = model.now();
        let changed = keeper::change(model, |contents| {
            let backup = contents.backup.as_mut().filter(|backup| backup.key.is_password(&old_key))?;
            backup.key.change_password(kdf, &new_key, &mut browser::fill_random);
            contents.password_typed(now);
            Some(())
        });
        match changed.await {
            Ok(Some(())) => {
                keeper::open_also_by(model, &password).await;
                let text = match save_changes(model).await {
                    Saved::Yes => "The backup has its new password.",
                    Saved::Later => {
                        "The new password holds on this device. The backup gets it as soon as the server can be reached; \
                         until then the old one restores it."
                    }
                    Saved::Refused => return,
                };
                model.go(Screen::Settings);
                model.say(text);
            }
            Ok(None) => model.fail_in("old-backup-password", "The present backup password is not right."),
            Err(error) => model.fail(error.to_string()),
        }
    });
}

/// Puts the backup under a new key and password, for whoever has forgotten the one before.
///
/// A new key, for the old password opens the old one in every version that somebody has kept.
pub(crate) fn replace_password(model: Model, _: Proven, password: String, again: &str) {
    if let Err(misfit) = check(&password, again) {
        return misfit.tell(model, NEW_PASSWORD);
    }
    model.run(async move {
        let Some(device_key) = sync::device_key(model) else { return };
        let token_account = keeper::with(model, |contents| contents.token_account.clone()).flatten();
        let Some(token_account) = token_account else { return };
        let key = match deriver::derive_fresh(&model.worker(), &password).await {
            Ok((kdf, derived)) => BackupKey::create(token_account, kdf, &derived, &mut browser::fill_random),
            Err(error) => return model.fail(error.to_string()),
        };
        if model.saving.try_update_value(Saving::begin) != Some(true) {
            return model.fail("A backup is on its way just now. Try again in a moment.");
        }
        let is_saved = save_under(model, &device_key, key).await;
        model.saving.set_value(Saving::Idle);
        if is_saved {
            keeper::open_also_by(model, &password).await;
            model.go(Screen::Settings);
            model
                .say("The backup has its new password. Versions that were saved before stay sealed under the old one.");
        }
        save_meanwhile(model);
    });
}

/// Saves a version under a new key; whether the server has it. Only then the key counts here, so that versions of other
/// devices that come in between still open. What went wrong was said.
async fn save_under(model: Model, device_key: &str, key: BackupKey) -> bool {
    loop {
        let sealed = keeper::with(model, |contents| {
            (contents.chain.version(), contents.seal_backup_under(&key, &mut browser::fill_random))
        });
        let (seen, outgoing) = match sealed {
            Some((seen, Ok(outgoing))) => (seen, outgoing),
            Some((_, Err(error))) => {
                model.fail(error.to_string());
                return false;
            }
            None => return false,
        };
        match send(device_key, &outgoing).await {
            Ok(device) => {
                let now = device.now;
                model.device.set(Some(device));
                let kept = keeper::change(model, |contents| {
                    contents.switch_backup_on(key);
                    contents.backup_saved(&outgoing, now);
                    contents.password_typed(now);
                });
                // Not kept, this device asks for the new password at its next look.
                return kept.await.map_err(|error| model.fail(error.to_string())).is_ok();
            }
            Err(AppError::Device(DeviceError::BackupConflict)) => {
                catch_up(model, device_key).await;
                if keeper::with(model, |contents| contents.chain.version() > seen) != Some(true) {
                    return false;
                }
            }
            Err(error) => {
                not_saved(model, error).await;
                return false;
            }
        }
    }
}

async fn send(device_key: &str, outgoing: &Outgoing) -> Result<DeviceView, AppError> {
    let blob = outgoing.blob();
    let previous = blob.previous().map(|digest| digest.to_string()).unwrap_or_default();
    api::save_backup(device_key, blob.version(), &previous, &blob.to_text()).await
}

/// Whether there is a backup of what is here, or will be.
pub(crate) fn is_on(model: Model) -> bool {
    keeper::with(model, |contents| contents.backup.is_some()) == Some(true)
}

/// Whether to ask now if the backup password is still known.
pub(crate) fn asks_for_password(model: Model) -> bool {
    keeper::with(model, |contents| contents.asks_for_password(model.now())) == Some(true)
}

/// Not now.
pub(crate) fn put_off(model: Model) {
    model.run(async move {
        let now = model.now();
        match keeper::change(model, |contents| contents.put_off(now)).await {
            Ok(()) => model.home(),
            Err(error) => model.fail(error.to_string()),
        }
    });
}

/// Whether the backup password is still known. The key that is here tells; no server is asked.
pub(crate) fn recall(model: Model, password: String) {
    model.run(async move {
        let Some(kdf) = password_kdf(model) else { return model.home() };
        let key = match deriver::derive(&model.worker(), &password, &kdf).await {
            Ok(key) => key,
            Err(error) => return model.fail(error.to_string()),
        };
        let now = model.now();
        let is_right = keeper::change(model, |contents| {
            let is_right = contents.backup.as_ref().is_some_and(|backup| backup.key.is_password(&key));
            if is_right {
                contents.password_typed(now);
            }
            is_right
        });
        match is_right.await {
            Ok(true) => {
                // It may have been changed on another device; then it does not open this one yet.
                keeper::open_also_by(model, &password).await;
                model.home();
                model.say("That is your backup password. You will be asked again in a month.");
            }
            Ok(false) => model.fail_in(
                "backup-password",
                "That is not your backup password. Try again, or set another one: I forgot the backup password.",
            ),
            Err(error) => model.fail(error.to_string()),
        }
    });
}

/// How the key of the present backup password is derived; none while the backup is off.
pub(crate) fn password_kdf(model: Model) -> Option<KdfParameters> {
    keeper::with(model, |contents| contents.backup.as_ref().map(|backup| *backup.key.kdf())).flatten()
}

/// Whether a backup is on its way to the server. Two at once would both be the next version, and the server keeps one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Saving {
    /// None is.
    #[default]
    Idle,
    /// One is.
    UnderWay,
    /// One is, and it may lack what was asked to be saved since: another look follows.
    Again,
}

impl Saving {
    /// Asks for a look. Whether the asker is the one to do it.
    fn begin(&mut self) -> bool {
        let is_idle = *self == Self::Idle;
        *self = if is_idle { Self::UnderWay } else { Self::Again };
        is_idle
    }

    /// A look is through. Whether another one follows.
    fn goes_on(&mut self) -> bool {
        let goes_on = *self == Self::Again;
        *self = if goes_on { Self::UnderWay } else { Self::Idle };
        goes_on
    }
}

/// Whether the server has all that is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Saved {
    /// It has.
    Yes,
    /// Not yet: it did not answer, or another look is under way, or follows.
    Later,
    /// Nothing more is done about it, and why was said. Another screen may be there.
    Refused,
}

/// Sends the backup to the server if anything has changed since it has it, one after the other.
pub(crate) async fn save_changes(model: Model) -> Saved {
    if model.saving.try_update_value(Saving::begin) != Some(true) {
        return Saved::Later;
    }
    loop {
        let saved = save_once(model).await;
        if model.saving.try_update_value(Saving::goes_on) != Some(true) {
            return saved;
        }
    }
}

/// The same, while the person goes on.
pub(crate) fn save_meanwhile(model: Model) {
    spawn_local(async move {
        save_changes(model).await;
    });
}

async fn save_once(model: Model) -> Saved {
    if keeper::with(model, Contents::needs_backup) == Some(false) {
        sync::show(model);
        return Saved::Yes;
    }
    // Locked in the meantime, it is saved once it is open again; nothing is shown of it before.
    let Some(device_key) = sync::device_key(model) else { return Saved::Refused };
    let sealed = keeper::with(model, |contents| contents.seal_backup(&mut browser::fill_random));
    let outgoing = match sealed {
        Some(Ok(outgoing)) => outgoing,
        Some(Err(error)) => {
            model.fail(error.to_string());
            return Saved::Refused;
        }
        None => return Saved::Refused,
    };
    model.sync.set(Sync::UnderWay);
    match send(&device_key, &outgoing).await {
        Ok(device) => {
            let now = device.now;
            model.device.set(Some(device));
            let kept = keeper::change(model, |contents| contents.backup_saved(&outgoing, now)).await;
            sync::show(model);
            if let Err(error) = kept {
                model.fail(error.to_string());
                return Saved::Refused;
            }
            Saved::Yes
        }
        Err(AppError::Device(DeviceError::BackupConflict)) => catch_up(model, &device_key).await,
        Err(AppError::Unavailable) => {
            model.sync.set(Sync::Offline);
            Saved::Later
        }
        Err(error) => {
            model.sync.set(Sync::Unsaved);
            not_saved(model, error).await;
            Saved::Refused
        }
    }
}

/// Says why the server does not take a version. Where it has one that this device may not read, that comes first: none is
/// written over it. A key under which nothing was ever saved is of no use then, and would only be refused again.
async fn not_saved(model: Model, error: AppError) {
    if error == AppError::Device(DeviceError::RecoveryCodeNeeded) {
        let switched = keeper::change(model, |contents| {
            if contents.backup.as_ref().is_some_and(|backup| backup.saved_at().is_none()) {
                contents.switch_backup_off();
            }
        });
        if let Err(error) = switched.await {
            return model.fail(error.to_string());
        }
        sync::show(model);
        model.go(Screen::Restore);
    }
    not_given(model, error);
}

/// Says why the server does not give its backup, and asks for a recovery code where one is missing.
fn not_given(model: Model, error: AppError) {
    if error == AppError::Device(DeviceError::RecoveryCodeNeeded) {
        model.device.update(|device| {
            if let Some(device) = device {
                device.may_restore = false;
            }
        });
    }
    model.refused(error);
}

/// Takes in what another device has saved since the last look; each version once, and only where nothing else is being done.
pub(crate) async fn follow(model: Model, device_key: &str) {
    let offered = model.device.with_untracked(|device| Some(device.as_ref()?.backup.as_ref()?.version));
    let seen = keeper::with(model, |contents| contents.backup.as_ref().map(|_| contents.chain.version())).flatten();
    if let (Some(offered), Some(seen), Screen::Token) = (offered, seen, model.screen.get_untracked())
        && offered > seen
        && keeper::looks_at(model, offered)
    {
        catch_up(model, device_key).await;
    }
}

/// Another device has saved meanwhile: its changes come in, and the next look saves ours on top of them.
async fn catch_up(model: Model, device_key: &str) -> Saved {
    model.sync.set(Sync::Unsaved);
    let view = match api::load_backup(device_key).await {
        Ok(view) => view,
        Err(error) => {
            model.refused(error);
            return Saved::Refused;
        }
    };
    let now = model.now();
    let taken = keeper::change(model, |contents| {
        let (token_account, key) =
            contents.token_account.clone().zip(contents.backup.as_ref().map(|it| it.key.clone()))?;
        Some(take_by_key(contents, &view, &token_account, &key, now))
    });
    match taken.await {
        Ok(Some(Ok(merged))) => {
            tell_of_deleted(model, merged);
            sync::show(model);
            return Saved::Later;
        }
        Ok(Some(Err(Refused::OtherKey))) => {
            model.go(Screen::Restore);
            model.fail("Another device has given the backup a new key. Enter its new password.");
        }
        Ok(Some(Err(refused))) => model.fail(words(refused)),
        Ok(None) => {}
        Err(error) => model.fail(error.to_string()),
    }
    Saved::Refused
}

fn take_by_key(
    contents: &mut Contents,
    view: &BackupView,
    token_account: &ServerId,
    key: &BackupKey,
    now: Timestamp,
) -> Result<Merged, Refused> {
    let blob = Blob::from_text(&view.blob)?;
    let opened = blob.accept(token_account, &contents.chain)?.open_by_key(key)?;
    contents.restore(opened, now, &mut browser::fill_random).map_err(|_| Refused::Damaged)
}

/// Nobody should miss an account without knowing where it went.
fn tell_of_deleted(model: Model, merged: Merged) {
    if merged.deleted > 0 {
        model.news.update(|news| news.deleted += merged.deleted);
    }
}

/// Takes in the backup that the server has.
pub(crate) fn restore(model: Model, password: String) {
    let Some(device_key) = sync::device_key(model) else { return };
    model.run(async move {
        let view = match api::load_backup(&device_key).await {
            Ok(view) => view,
            Err(error) => return not_given(model, error),
        };
        let blob = match Blob::from_text(&view.blob) {
            Ok(blob) => blob,
            Err(refused) => return model.fail(words(refused)),
        };
        let key = match deriver::derive(&model.worker(), &password, blob.kdf()).await {
            Ok(key) => key,
            Err(error) => return model.fail(error.to_string()),
        };
        let now = model.now();
        let restored = keeper::change(model, |contents| {
            let token_account = contents.token_account.clone().ok_or(Refused::OtherTokenAccount)?;
            let opened = blob.accept(&token_account, &contents.chain)?.open_by_password(&key)?;
            let merged = contents.restore(opened, now, &mut browser::fill_random).map_err(|_| Refused::Damaged)?;
            contents.password_typed(now);
            Ok(merged)
        });
        match restored.await {
            Ok(Ok(merged)) => {
                keeper::open_also_by(model, &password).await;
                tell_of_deleted(model, merged);
                sync::show(model);
                model.home();
                model.say(match merged.added {
                    0 => "The backup is restored. It holds no other accounts.".to_owned(),
                    1 => "The backup is restored: 1 account came back.".to_owned(),
                    added => format!("The backup is restored: {added} accounts came back."),
                });
            }
            Ok(Err(refused @ Refused::WrongPassword)) => model.fail_in("backup-password", words(refused)),
            Ok(Err(refused)) => model.fail(words(refused)),
            Err(error) => model.fail(error.to_string()),
        }
    });
}

/// Proves the person by a recovery code, so that the backup may be loaded.
pub(crate) fn prove(model: Model, code: String) {
    let Some(device_key) = sync::device_key(model) else { return };
    model.run(async move {
        match api::prove_device(&device_key, &code).await {
            Ok(device) => {
                sync::take_in(model, device).await;
                model.say("Now enter the backup password.");
            }
            Err(error) => model.refused_in(RECOVERY_CODE, error),
        }
    });
}

/// What is said of a backup that is not taken. Nothing of it was.
fn words(refused: Refused) -> String {
    match refused {
        Refused::Damaged => "The backup is damaged, so nothing of it was taken.".to_owned(),
        Refused::UnknownFormat => "The backup was made by a newer version. Update the authenticator first.".to_owned(),
        Refused::OtherTokenAccount => {
            "This is the backup of another token account. Nothing of it was taken.".to_owned()
        }
        Refused::Older { offered, seen } => format!(
            "The server offers an old backup (version {offered}), but this device has seen version {seen}. Nothing of it \
             was taken. Tell your administrator."
        ),
        Refused::Forked => {
            "This backup does not continue the one that this device has seen. Nothing of it was taken. Tell your \
             administrator."
                .to_owned()
        }
        Refused::WrongPassword => "The backup password is not right.".to_owned(),
        Refused::OtherKey => "The backup has a new key. Enter its new password.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_is_called_fair_is_taken_and_one_that_is_too_short_is_not() {
        for (password, word) in
            [("", ""), ("nine char", "Too short"), ("ten letter", "Fair"), ("four words nobody guesses", "Strong")]
        {
            assert_eq!(strength(password).0, word, "{password}");
            assert_eq!(check(password, password).is_ok(), strength(password).1 > 1, "{password}");
        }
        assert!(check("ten letter", "ten lettex").is_err());
        let long = "x".repeat(10_000);
        assert_eq!(check(&long, &long), Err(Misfit::TooLong));
    }

    #[test]
    fn what_repeats_itself_or_counts_on_is_not_strong_however_long_it_is() {
        for (password, word) in [
            ("aaaaaaaaaaaaaaaaaaaa", "Too simple"),
            ("AaAaAaAaAaAaAaAaAaAa", "Too simple"),
            ("abababababababababab", "Too simple"),
            ("abcabcabcabcabcabcabc", "Too simple"),
            ("abcdefghijklmnopqrstuvwxyz", "Too simple"),
            ("1234567890987654321", "Too simple"),
            ("passwordpasswordpassword", "Fair"),
            ("2026-11-29 2026-11-29", "Fair"),
            ("fourteen letters", "Good"),
            ("three unrelated words", "Strong"),
            ("kT9$wq2!Lp7&zX4#mB8@", "Strong"),
        ] {
            assert_eq!(strength(password).0, word, "{password}");
        }
        assert_eq!(check("abcdefghijkl", "abcdefghijkl"), Err(Misfit::TooSimple));
        assert_eq!(check("three unrelated words", "two"), Err(Misfit::Differs));
    }

    #[test]
    fn one_saves_at_a_time_and_what_was_asked_meanwhile_follows_once() {
        let mut saving = Saving::default();
        assert!(saving.begin());
        assert!(!saving.begin() && !saving.begin(), "one is under way");
        assert!(saving.goes_on(), "something was asked meanwhile");
        assert!(!saving.goes_on(), "nothing was asked since");
        assert!(saving.begin(), "it is through");
        assert!(!saving.goes_on());
    }
}
