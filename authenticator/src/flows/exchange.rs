//! Accounts elsewhere: added one by one, exported and imported.

use domain::totp::Parameters;
use leptos::prelude::*;
use vault::account::OtherAccount;
use vault::exchange::{self, EncryptedFile, Import, NotImported};
use vault::{Account, Snapshot};

use super::keeper::Proven;
use super::{backup, keeper};
use crate::browser::{self, deriver, files};
use crate::model::{Model, Screen};

/// The start of a link that a site shows as a QR code.
const LINK: &str = "otpauth:";

/// Adds what was typed: a setup key or a link.
///
/// A link says itself what `parameters` are.
pub(crate) fn add_typed(model: Model, name: &str, key: &str, parameters: Parameters) {
    let key = key.trim();
    let read = if key.get(..LINK.len()).is_some_and(|start| start.eq_ignore_ascii_case(LINK)) {
        exchange::read_link(key).map_err(|error| error.to_string())
    } else if name.trim().is_empty() {
        return model.fail_in("account-name", "The account needs a name.");
    } else {
        exchange::read_key("", name, key, parameters).map_err(|error| error.to_string())
    };
    match read {
        Ok(account) => add(model, account),
        Err(text) => model.fail_in("setup-key", sentence(&text)),
    }
}

/// Adds what a QR code said; an error tells why it is none of ours.
pub(crate) fn add_scanned(model: Model, text: &str) -> Result<(), String> {
    let account = exchange::read_link(text).map_err(|error| sentence(&error.to_string()))?;
    add(model, account);
    Ok(())
}

fn add(model: Model, account: OtherAccount) {
    model.run(async move {
        let now = model.now();
        let added =
            keeper::change(model, |contents| contents.add(Account::other(account, &mut browser::fill_random), now));
        match added.await.and_then(|added| Ok(added?)) {
            Ok(id) => {
                model.chosen.set(Some(id));
                model.go(Screen::Token);
                backup::save_meanwhile(model);
            }
            Err(error) => model.fail(error.to_string()),
        }
    });
}

/// Hands the accounts out as an encrypted file.
pub(crate) fn export_encrypted(model: Model, _: Proven, password: String, again: &str) {
    if let Err(misfit) = backup::check(&password, again) {
        return misfit.tell(model, ["file-password", "file-password-again"]);
    }
    model.run(async move {
        let (kdf, key) = match deriver::derive_fresh(&model.worker(), &password).await {
            Ok(derived) => derived,
            Err(error) => return model.fail(error.to_string()),
        };
        let text =
            keeper::with(model, |contents| exchange::export_encrypted(contents, kdf, &key, &mut browser::fill_random));
        let saved = text.is_some_and(|text| files::save("twofold-accounts.txt", &text).is_ok());
        if saved {
            model.say("The file is saved. Keep its password apart from it.");
        } else {
            model.fail("The file could not be saved.");
        }
    });
}

/// Hands the keys out in clear, once the backup password has been typed.
pub(crate) fn export_links(model: Model, password: String) {
    model.run(async move {
        let Some(kdf) = backup::password_kdf(model) else {
            return model.fail("Turn on the backup first: its password protects this step.");
        };
        let key = match deriver::derive(&model.worker(), &password, &kdf).await {
            Ok(key) => key,
            Err(error) => return model.fail(error.to_string()),
        };
        let text = keeper::with(model, |contents| {
            let is_right = contents.backup.as_ref().is_some_and(|backup| backup.key.is_password(&key));
            is_right.then(|| exchange::export_links(contents))
        });
        match text.flatten() {
            Some(text) if files::save("twofold-accounts-in-clear.txt", &text).is_ok() => {
                model.say("The list is saved. Whoever reads it can make your tokens: delete it as soon as you can.");
            }
            Some(_) => model.fail("The file could not be saved."),
            None => model.fail_in("backup-password", "The backup password is not right."),
        }
    });
}

/// Reads what somebody chose. An encrypted file comes back, for its password has to be asked for.
pub(crate) fn read(model: Model, text: &str) -> Option<EncryptedFile> {
    match exchange::read(text) {
        Ok(Import::Links(accounts)) => model.run(merge(model, accounts)),
        Ok(Import::Encrypted(file)) => return Some(file),
        Err(error) => model.fail(words(&error)),
    }
    None
}

/// Opens an encrypted file and takes its accounts in.
pub(crate) fn open(model: Model, file: EncryptedFile, password: String) {
    model.run(async move {
        match deriver::derive(&model.worker(), &password, file.kdf()).await {
            Ok(key) => match file.open(&key) {
                Ok(snapshot) => merge(model, snapshot).await,
                Err(error) => model.fail(words(&error)),
            },
            Err(error) => model.fail(error.to_string()),
        }
    });
}

async fn merge(model: Model, snapshot: Snapshot) {
    let now = model.now();
    let merged = keeper::change(model, |contents| contents.import(&snapshot, now, &mut browser::fill_random));
    match merged.await {
        Ok(Ok(merged)) => {
            model.home();
            model.say(counted(merged.added, merged.known));
            backup::save_meanwhile(model);
        }
        Ok(Err(_)) => model.fail("There are too many accounts. Nothing was added."),
        Err(error) => model.fail(error.to_string()),
    }
}

fn counted(added: usize, known: usize) -> String {
    let added = match added {
        1 => "1 account was added".to_owned(),
        added => format!("{added} accounts were added"),
    };
    match known {
        0 => format!("{added}."),
        1 => format!("{added}, 1 was here already."),
        known => format!("{added}, {known} were here already."),
    }
}

fn words(error: &NotImported) -> String {
    format!("{} Nothing was imported.", sentence(&error.to_string()))
}

/// A library's words as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().collect::<String>()).unwrap_or_default();
    let end = if text.ends_with('.') { "" } else { "." };
    [first.as_str(), letters.as_str(), end].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_librarys_words_become_a_sentence() {
        assert_eq!(sentence("the file is damaged"), "The file is damaged.");
        assert_eq!(sentence("Écrit."), "Écrit.");
        assert_eq!(words(&NotImported::Empty), "There is no account in it. Nothing was imported.");
    }

    #[test]
    fn what_an_import_did_is_counted_in_words() {
        assert_eq!(counted(1, 0), "1 account was added.");
        assert_eq!(counted(2, 1), "2 accounts were added, 1 was here already.");
        assert_eq!(counted(0, 2), "0 accounts were added, 2 were here already.");
    }
}
