//! What only a device hears: no page of the practice app can show it, so its program goes without these words.

/// What went wrong for a device, or for a browser that is about to become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceError {
    /// The device was removed from its token account, or never belonged to one.
    Revoked,
    /// The registration of a device has run out, is through, or another one took its place.
    RegistrationOver,
    /// The phone is proven, and no token account has it any more.
    NoTokenAccount,
    /// The phone is proven, and its token account has another e-mail address.
    EmailOfAnother,
    /// Only a recovery code, or the approval of another device, leads on.
    RecoveryCodeNeeded,
    /// The practice wants the authenticator on phones, and this is none.
    PhonesOnly,
    /// The number that was chosen is not the one on the new device, which was refused.
    WrongNumber,
    /// Another device has saved a newer backup meanwhile.
    BackupConflict,
    /// The backup is larger than the server keeps.
    BackupTooLarge,
}

impl DeviceError {
    /// All of them.
    pub(super) const ALL: [Self; 9] = [
        Self::Revoked,
        Self::RegistrationOver,
        Self::NoTokenAccount,
        Self::EmailOfAnother,
        Self::RecoveryCodeNeeded,
        Self::PhonesOnly,
        Self::WrongNumber,
        Self::BackupConflict,
        Self::BackupTooLarge,
    ];

    /// The word, for the wire.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Revoked => "device-revoked",
            Self::RegistrationOver => "registration-over",
            Self::NoTokenAccount => "no-token-account",
            Self::EmailOfAnother => "email-of-another",
            Self::RecoveryCodeNeeded => "recovery-code-needed",
            Self::PhonesOnly => "phones-only",
            Self::WrongNumber => "wrong-number",
            Self::BackupConflict => "backup-conflict",
            Self::BackupTooLarge => "backup-too-large",
        }
    }

    /// The error of that word.
    pub(super) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.word() == word)
    }

    /// The sentence that people read.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Revoked => "This device was removed. Add your account again to get tokens here.",
            Self::RegistrationOver => {
                "This took too long or was started again elsewhere. Nothing was changed. Start again."
            }
            Self::NoTokenAccount => {
                "No account uses this cell phone. Turn on two-factor authentication in Account Settings first."
            }
            Self::EmailOfAnother => {
                "This cell phone belongs to another e-mail address. Enter the one on the Security tab of your account."
            }
            Self::RecoveryCodeNeeded => "This needs a recovery code, or your approval on another device.",
            Self::PhonesOnly => "Your practice wants the authenticator on phones only. Open this page on your phone.",
            Self::WrongNumber => "That is not the number on the new device. It was refused; start again there.",
            Self::BackupConflict => "Another of your devices has saved a newer backup. Restore that one first.",
            Self::BackupTooLarge => "The backup is too large. Remove accounts that you do not use, then try again.",
        }
    }

    /// The HTTP status.
    #[cfg(feature = "ssr")]
    pub(super) const fn status(self) -> axum::http::StatusCode {
        use axum::http::StatusCode;
        match self {
            Self::Revoked => StatusCode::UNAUTHORIZED,
            Self::RecoveryCodeNeeded | Self::PhonesOnly | Self::WrongNumber => StatusCode::FORBIDDEN,
            Self::RegistrationOver | Self::NoTokenAccount | Self::EmailOfAnother | Self::BackupConflict => {
                StatusCode::CONFLICT
            }
            Self::BackupTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        }
    }
}
