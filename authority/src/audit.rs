//! The audit trail: one row per event, in the transaction of the change that it tells of.

mod signer;

use domain::FactorKind;
use trail::Row;

use crate::store::{AccountRow, Credentials, DeviceFactorRow, LinkedAccountRow, StoreError, Write};
use crate::{Authority, SignedIn, Visitor};

pub(crate) use signer::Signer;

/// Who acted, where nobody did.
const SERVER: &str = "twofold";

macro_rules! events {
    ($($variant:ident = $name:literal: $description:literal,)+) => {
        /// What happened (requirements.md AU-1).
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Event {
            $($variant,)+
        }

        impl Event {
            /// Every event.
            pub(crate) const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in the trail.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The same for people.
            pub(crate) const fn description(self) -> &'static str {
                match self {
                    $(Self::$variant => $description,)+
                }
            }
        }
    };
}

// Variant, name in the trail, sentence for people. A name stays for as long as rows have it.
events! {
    PracticeCreated = "practice-created": "The practice was created.",
    PasswordWrong = "password-wrong": "A wrong password was typed.",
    PasswordDelayed = "password-delayed": "A password was not looked at: too many wrong ones before.",
    ChallengeOpened = "challenge-opened": "A right password was typed; a token was asked for.",
    SignedIn = "signed-in": "Somebody signed in.",
    SignedInRemembered = "signed-in-remembered": "Somebody signed in without a token, in a remembered browser.",
    BrowserRemembered = "browser-remembered": "A browser was remembered: it asks for no token for some days.",
    BrowserForgotten = "browser-forgotten": "A remembered browser was forgotten.",
    RememberedCopied = "authn_remember_copied": "The cookie of a remembered browser came a second time; the browser was forgotten.",
    TokenWrong = "token-wrong": "A wrong token was typed.",
    TokenRefused = "token-refused": "A token was not looked at, because of too many wrong ones.",
    TokenReused = "authn_token_reuse": "A right token came a second time.",
    TokensLocked = "tokens-locked": "An account's tokens were locked after too many wrong ones.",
    FactorDisabled = "factor-disabled": "A way to get tokens was disabled after too many wrong ones.",
    StepSkipped = "step-skipped": "Somebody tried to get past the token.",
    MessageSent = "message-sent": "A token was sent by text message or call.",
    MessageRefused = "message-refused": "A token was asked for and not sent, because of a limit.",
    MessageFailed = "message-failed": "A token was sent by text message or call, and no gateway took it.",
    SmsRiskShown = "sms-risk-shown": "The risk of text messages was shown.",
    EnrolmentStarted = "enrolment-started": "Setting up a way to get tokens was begun.",
    EnrolmentConfirmed = "enrolment-confirmed": "A new way to get tokens was confirmed.",
    EnrolmentFailed = "enrolment-failed": "Setting up failed: a wrong token was typed.",
    EnrolmentCancelled = "enrolment-cancelled": "Setting up was cancelled.",
    FactorRemoved = "factor-removed": "A way to get tokens was removed.",
    TwoFactorDisabled = "two-factor-disabled": "Two-factor authentication was disabled.",
    PhoneChanged = "phone-changed": "A cell phone was changed.",
    ProfileChanged = "profile-changed": "A profile was changed.",
    PasswordChanged = "password-changed": "A password was changed.",
    RecoveryCodeUsed = "recovery-code-used": "A recovery code was used.",
    RecoveryCodesMade = "recovery-codes-made": "New recovery codes were made.",
    RecoveryCodesStored = "recovery-codes-stored": "Somebody said that the recovery codes are stored.",
    CheckUpPassed = "check-up-passed": "A way to get tokens was checked, and is still at hand.",
    CheckUpPutOff = "check-up-put-off": "The check of the way to get tokens was put off.",
    SteppedUp = "stepped-up": "Somebody confirmed password and token again.",
    SessionEnded = "session-ended": "A signed-in browser was ended from elsewhere.",
    LoggedOut = "logged-out": "Somebody logged out.",
    SignInCancelled = "sign-in-cancelled": "A sign-in was cancelled before its token.",
    SecretDoesNotOpen = "crypt_decrypt_fail": "A stored secret could not be decrypted: the key is wrong, or the database was altered.",
    DevicePhoneProven = "device-phone-proven": "A new device proved its cell phone.",
    DeviceApproved = "device-approved": "A new device was approved on another.",
    DeviceDenied = "device-denied": "A new device was denied on another.",
    BackupSaved = "backup-saved": "A device saved its encrypted backup.",
    BackupLoaded = "backup-loaded": "A device loaded the encrypted backup.",
    StaffAdded = "staff-added": "A staff member was added.",
    StaffChanged = "staff-changed": "A staff member's account was changed.",
    StaffDeactivated = "staff-deactivated": "A staff member was deactivated.",
    StaffReactivated = "staff-reactivated": "A staff member was reactivated.",
    EnforcementOn = "enforcement-on": "Two-factor authentication was required of somebody, or of a role.",
    EnforcementOff = "enforcement-off": "Two-factor authentication is not required of somebody, or of a role, any more.",
    PolicyChanged = "policy-changed": "The practice's security policy was changed.",
    ResetLinkSent = "reset-link-sent": "A link to reset two-factor authentication was sent.",
    ResetAsked = "reset-asked": "A reset of two-factor authentication was asked for.",
    ResetApproved = "reset-approved": "A reset of two-factor authentication was approved.",
    ResetRejected = "reset-rejected": "A reset of two-factor authentication was rejected.",
    ResetCancelled = "reset-cancelled": "A reset of two-factor authentication was cancelled.",
    TwoFactorReset = "two-factor-reset": "Two-factor authentication was reset.",
    ScreenUnlocked = "screen-unlocked": "A locked screen was unlocked.",
    PinWrong = "pin-wrong": "A wrong App unlock PIN was typed.",
    AccountUnlocked = "account-unlocked": "The operator unlocked an account.",
    AuditRetentionChanged = "audit-retention-changed": "How long the audit trail is kept was changed.",
    Exported = "exported": "A file was exported.",
    AuditRetentionApplied = "audit-retention-applied": "Events older than the practice keeps were removed from the audit trail.",
}

/// Whom an event is about, and who acted: the same person, unless an administrator or the operator did it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "each is an id of another table")]
pub(crate) struct Subject<'a> {
    pub(crate) practice_id: &'a str,
    /// An account; or what else it is about: the name of a role, or of an exported file.
    pub(crate) account_id: &'a str,
    /// Who acted; an account of the same practice.
    pub(crate) actor_id: &'a str,
    /// The session in which it was done.
    pub(crate) session_id: Option<&'a str>,
}

impl<'a> Subject<'a> {
    /// Somebody who acts on the own account, outside of a session.
    pub(crate) fn own(practice_id: &'a str, account_id: &'a str) -> Self {
        Self { practice_id, account_id, actor_id: account_id, session_id: None }
    }
}

impl<'a> From<&'a SignedIn> for Subject<'a> {
    fn from(signed_in: &'a SignedIn) -> Self {
        Self {
            practice_id: signed_in.practice_id(),
            account_id: signed_in.account_id(),
            actor_id: signed_in.account_id(),
            session_id: Some(signed_in.session_id()),
        }
    }
}

impl<'a> From<&'a AccountRow> for Subject<'a> {
    fn from(account: &'a AccountRow) -> Self {
        Self::own(&account.practice_id, &account.id)
    }
}

impl<'a> From<&'a LinkedAccountRow> for Subject<'a> {
    fn from(account: &'a LinkedAccountRow) -> Self {
        Self::own(&account.practice_id, &account.id)
    }
}

impl<'a> From<&'a DeviceFactorRow> for Subject<'a> {
    fn from(factor: &'a DeviceFactorRow) -> Self {
        Self::own(&factor.practice_id, &factor.account_id)
    }
}

impl<'a> From<&'a Credentials> for Subject<'a> {
    fn from(credentials: &'a Credentials) -> Self {
        Self::own(&credentials.practice_id, &credentials.id)
    }
}

/// Writes an event into the transaction of its change.
pub(crate) async fn record(
    authority: &Authority,
    write: &mut Write,
    visitor: &Visitor,
    subject: Subject<'_>,
    event: Event,
    factor: Option<FactorKind>,
) -> Result<(), StoreError> {
    let row = Row {
        id: authority.entropy.id(),
        practice_id: subject.practice_id.to_owned(),
        at: authority.now().millis(),
        event: event.name().to_owned(),
        actor_id: subject.actor_id.to_owned(),
        subject_id: subject.account_id.to_owned(),
        factor: factor.map(|factor| factor.name().to_owned()),
        address: visitor.address.to_string(),
        session_id: subject.session_id.map(str::to_owned),
        request_id: visitor.request_id.clone(),
        removed_to: None,
        mac: None,
    };
    sign_and_insert(authority, write, row).await
}

/// Writes what the server found by itself about an account. Nobody asked for it, from nowhere.
pub(crate) async fn record_by_server(
    authority: &Authority,
    write: &mut Write,
    practice_id: &str,
    account_id: &str,
    event: Event,
    factor: Option<FactorKind>,
) -> Result<(), StoreError> {
    let factor = factor.map(|factor| factor.name().to_owned());
    let row = Row { subject_id: account_id.to_owned(), factor, ..row_by_server(authority, practice_id, event) };
    sign_and_insert(authority, write, row).await
}

/// Writes that retention was applied up to that place of the practice's chain. Returns when it was.
pub(crate) async fn record_removal(
    authority: &Authority,
    write: &mut Write,
    practice_id: &str,
    removed_to: i64,
) -> Result<i64, StoreError> {
    let row = row_by_server(authority, practice_id, Event::AuditRetentionApplied);
    let at = row.at;
    sign_and_insert(authority, write, Row { removed_to: Some(removed_to), ..row }).await?;
    Ok(at)
}

fn row_by_server(authority: &Authority, practice_id: &str, event: Event) -> Row {
    Row {
        id: authority.entropy.id(),
        practice_id: practice_id.to_owned(),
        at: authority.now().millis(),
        event: event.name().to_owned(),
        actor_id: SERVER.to_owned(),
        subject_id: SERVER.to_owned(),
        factor: None,
        address: String::new(),
        session_id: None,
        request_id: authority.entropy.id(),
        removed_to: None,
        mac: None,
    }
}

async fn sign_and_insert(authority: &Authority, write: &mut Write, mut row: Row) -> Result<(), StoreError> {
    row.mac = Some(authority.signer.row(&row));
    write.insert_audit(&row).await
}

/// Writes an event that changes nothing else.
pub(crate) async fn record_alone(
    authority: &Authority,
    visitor: &Visitor,
    subject: Subject<'_>,
    event: Event,
    factor: Option<FactorKind>,
) -> Result<(), StoreError> {
    let mut write = authority.store.write().await?;
    record(authority, &mut write, visitor, subject, event, factor).await?;
    write.commit().await
}
