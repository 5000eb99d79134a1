//! The audit trail: one row per event, in the transaction of the change that it tells of.

use domain::FactorKind;

use crate::store::{AccountRow, AuditRow, Credentials, DeviceFactorRow, LinkedAccountRow, StoreError, Write};
use crate::{Authority, SignedIn, Visitor};

/// What happened (requirements.md AU-1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    PracticeCreated,
    PasswordWrong,
    PasswordDelayed,
    ChallengeOpened,
    SignedIn,
    TokenWrong,
    TokenRefused,
    TokenReused,
    TokensLocked,
    FactorDisabled,
    StepSkipped,
    MessageSent,
    MessageRefused,
    EnrolmentStarted,
    EnrolmentConfirmed,
    EnrolmentFailed,
    EnrolmentCancelled,
    FactorRemoved,
    TwoFactorDisabled,
    PhoneChanged,
    ProfileChanged,
    PasswordChanged,
    RecoveryCodeUsed,
    RecoveryCodesMade,
    RecoveryCodesStored,
    SteppedUp,
    SessionEnded,
    LoggedOut,
    SignInCancelled,
    SecretDoesNotOpen,
    DevicePhoneProven,
    DeviceApproved,
    DeviceDenied,
    BackupSaved,
    BackupLoaded,
    StaffAdded,
    StaffChanged,
    StaffDeactivated,
    StaffReactivated,
    EnforcementOn,
    EnforcementOff,
    PolicyChanged,
    ResetLinkSent,
    ResetAsked,
    ResetApproved,
    ResetRejected,
    ResetCancelled,
    TwoFactorReset,
    ScreenUnlocked,
    PinWrong,
    AccountUnlocked,
}

impl Event {
    /// The name in the trail.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::PracticeCreated => "practice-created",
            Self::PasswordWrong => "password-wrong",
            Self::PasswordDelayed => "password-delayed",
            Self::ChallengeOpened => "challenge-opened",
            Self::SignedIn => "signed-in",
            Self::TokenWrong => "token-wrong",
            Self::TokenRefused => "token-refused",
            Self::TokenReused => "authn_token_reuse",
            Self::TokensLocked => "tokens-locked",
            Self::FactorDisabled => "factor-disabled",
            Self::StepSkipped => "step-skipped",
            Self::MessageSent => "message-sent",
            Self::MessageRefused => "message-refused",
            Self::EnrolmentStarted => "enrolment-started",
            Self::EnrolmentConfirmed => "enrolment-confirmed",
            Self::EnrolmentFailed => "enrolment-failed",
            Self::EnrolmentCancelled => "enrolment-cancelled",
            Self::FactorRemoved => "factor-removed",
            Self::TwoFactorDisabled => "two-factor-disabled",
            Self::PhoneChanged => "phone-changed",
            Self::ProfileChanged => "profile-changed",
            Self::PasswordChanged => "password-changed",
            Self::RecoveryCodeUsed => "recovery-code-used",
            Self::RecoveryCodesMade => "recovery-codes-made",
            Self::RecoveryCodesStored => "recovery-codes-stored",
            Self::SteppedUp => "stepped-up",
            Self::SessionEnded => "session-ended",
            Self::LoggedOut => "logged-out",
            Self::SignInCancelled => "sign-in-cancelled",
            Self::SecretDoesNotOpen => "crypt_decrypt_fail",
            Self::DevicePhoneProven => "device-phone-proven",
            Self::DeviceApproved => "device-approved",
            Self::DeviceDenied => "device-denied",
            Self::BackupSaved => "backup-saved",
            Self::BackupLoaded => "backup-loaded",
            Self::StaffAdded => "staff-added",
            Self::StaffChanged => "staff-changed",
            Self::StaffDeactivated => "staff-deactivated",
            Self::StaffReactivated => "staff-reactivated",
            Self::EnforcementOn => "enforcement-on",
            Self::EnforcementOff => "enforcement-off",
            Self::PolicyChanged => "policy-changed",
            Self::ResetLinkSent => "reset-link-sent",
            Self::ResetAsked => "reset-asked",
            Self::ResetApproved => "reset-approved",
            Self::ResetRejected => "reset-rejected",
            Self::ResetCancelled => "reset-cancelled",
            Self::TwoFactorReset => "two-factor-reset",
            Self::ScreenUnlocked => "screen-unlocked",
            Self::PinWrong => "pin-wrong",
            Self::AccountUnlocked => "account-unlocked",
        }
    }
}

/// Whom an event is about, and who acted: the same person, unless an administrator or the operator did it.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_field_names, reason = "each is an id of another table")]
pub(crate) struct Subject<'a> {
    pub(crate) practice_id: &'a str,
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
    let row = AuditRow {
        id: &authority.entropy.id(),
        practice_id: subject.practice_id,
        at: authority.now().millis(),
        event: event.name(),
        actor_id: subject.actor_id,
        subject_id: subject.account_id,
        factor: factor.map(FactorKind::name),
        address: &visitor.address.to_string(),
        session_id: subject.session_id,
        request_id: &visitor.request_id,
    };
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
