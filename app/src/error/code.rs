//! An error as a short word, for the wire and for the address of a page: `token-not-right`, `token.1.6`.

use domain::Timestamp;
use domain::diagnosis::Diagnosis;
use domain::email::InvalidEmail;
use domain::password::InvalidPassword;
use domain::person::{InvalidPin, InvalidText};
use domain::phone::InvalidPhone;
use domain::policy::InvalidPolicy;
use domain::recovery_code::InvalidRecoveryCode;
use domain::token::InvalidToken;
use domain::totp::Algorithm;
use domain::username::InvalidUsername;

#[cfg(feature = "authenticator")]
use super::DeviceError;
use super::{AppError, PhoneField, TextField};

/// The errors without a figure, each with its word.
const WORDS: [(&str, AppError); 51] = [
    ("unavailable", AppError::Unavailable),
    ("tokens-unavailable", AppError::TokensUnavailable),
    ("busy", AppError::Busy),
    ("bad-request", AppError::BadRequest),
    ("signed-out", AppError::SignedOut),
    ("step-up-needed", AppError::StepUpNeeded),
    ("sign-in-refused", AppError::SignInRefused),
    ("current-password-wrong", AppError::CurrentPasswordWrong),
    ("proof-not-right", AppError::ProofNotRight),
    ("token-not-right", AppError::TokenNotRight),
    ("recovery-code-not-right", AppError::RecoveryCodeNotRight),
    ("recovery-code-empty", AppError::RecoveryCode(InvalidRecoveryCode::Empty)),
    ("recovery-code-shape", AppError::RecoveryCode(InvalidRecoveryCode::Shape)),
    ("cell-phone-not-allowed", AppError::CellPhoneNotAllowed),
    ("email-invalid", AppError::Email(InvalidEmail)),
    ("username-invalid", AppError::Username(InvalidUsername)),
    ("username-taken", AppError::UsernameTaken),
    ("password-empty", AppError::NewPassword(InvalidPassword::Empty)),
    ("password-too-long", AppError::NewPassword(InvalidPassword::TooLong)),
    ("password-guessable", AppError::NewPassword(InvalidPassword::Guessable)),
    ("confirmation-mismatch", AppError::ConfirmationMismatch),
    ("password-too-short-alone", AppError::PasswordTooShortAlone),
    ("pin-invalid", AppError::Pin(InvalidPin)),
    ("phone-missing", AppError::PhoneMissing),
    ("not-sendable", AppError::NotSendable),
    ("ended", AppError::Ended),
    ("already-enabled", AppError::AlreadyEnabled),
    ("not-enabled", AppError::NotEnabled),
    ("last-factor", AppError::LastFactor),
    ("not-found", AppError::NotFound),
    ("codes-not-stored", AppError::CodesNotStored),
    ("forbidden", AppError::Forbidden),
    ("email-taken", AppError::EmailTaken),
    ("last-administrator", AppError::LastAdministrator),
    ("about-themselves", AppError::AboutThemselves),
    ("second-person-needed", AppError::SecondPersonNeeded),
    ("already-asked", AppError::AlreadyAsked),
    ("reason-empty", AppError::Reason(InvalidText::Empty)),
    ("reason-too-long", AppError::Reason(InvalidText::TooLong)),
    ("reason-control-character", AppError::Reason(InvalidText::ControlCharacter)),
    ("pin-not-right", AppError::PinNotRight),
    ("required", AppError::Required),
    ("not-offered", AppError::NotOffered),
    ("idle-minutes", AppError::Policy(InvalidPolicy::IdleMinutes)),
    ("lock-minutes", AppError::Policy(InvalidPolicy::LockMinutes)),
    ("remember-days", AppError::Policy(InvalidPolicy::RememberDays)),
    ("countries", AppError::Policy(InvalidPolicy::Countries)),
    ("own-cell-phone", AppError::Policy(InvalidPolicy::OwnCellPhone)),
    ("retention-years", AppError::RetentionYears),
    ("date-invalid", AppError::DateInvalid),
    ("member-phone-missing", AppError::MemberPhoneMissing),
];

const TEXT_REASONS: [InvalidText; 3] = [InvalidText::Empty, InvalidText::TooLong, InvalidText::ControlCharacter];
const PHONE_REASONS: [InvalidPhone; 2] = [InvalidPhone::CountryCodeMissing, InvalidPhone::Shape];
const TOKEN_REASONS: [fn(u8) -> InvalidToken; 4] =
    [InvalidToken::Empty, InvalidToken::TooShort, InvalidToken::TooLong, InvalidToken::NotDigits];

impl AppError {
    /// The word.
    pub fn code(self) -> String {
        match self {
            Self::TooManyTries { until } => format!("too-many-tries.{}", until.millis()),
            Self::TooSoon { until } => format!("too-soon.{}", until.millis()),
            Self::NotYet { until } => format!("not-yet.{}", until.millis()),
            Self::Text { field, reason } => format!("text.{}.{}", field as u8, reason as u8),
            Self::Phone { field, reason } => format!("phone.{}.{}", field as u8, reason as u8),
            Self::NewPassword(InvalidPassword::TooShort(minimum)) => format!("password-too-short.{minimum}"),
            Self::Token(InvalidToken::Empty(digits)) => format!("token.0.{digits}"),
            Self::Token(InvalidToken::TooShort(digits)) => format!("token.1.{digits}"),
            Self::Token(InvalidToken::TooLong(digits)) => format!("token.2.{digits}"),
            Self::Token(InvalidToken::NotDigits(digits)) => format!("token.3.{digits}"),
            Self::Diagnosed(Diagnosis::ClockOff { seconds }) => format!("clock-off.{seconds}"),
            Self::Diagnosed(Diagnosis::IgnoredDigits { made, needed }) => format!("ignored-digits.{made}.{needed}"),
            Self::Diagnosed(Diagnosis::IgnoredAlgorithm { used, needed }) => {
                format!("ignored-algorithm.{}.{}", used as u8, needed as u8)
            }
            Self::Diagnosed(Diagnosis::IgnoredPeriod { used, needed }) => format!("ignored-period.{used}.{needed}"),
            #[cfg(feature = "authenticator")]
            Self::Device(error) => error.word().to_owned(),
            plain => {
                WORDS.iter().find(|(_, error)| *error == plain).map_or("unavailable", |(word, _)| *word).to_owned()
            }
        }
    }

    /// The error of that word; `None` for anything that [`Self::code`] does not make.
    pub fn from_code(code: &str) -> Option<Self> {
        if let Some((_, error)) = WORDS.iter().find(|(word, _)| *word == code) {
            return Some(*error);
        }
        #[cfg(feature = "authenticator")]
        if let Some(error) = DeviceError::from_word(code) {
            return Some(Self::Device(error));
        }
        let (word, figures) = code.split_once('.')?;
        let (first, second) = figures.split_once('.').unwrap_or((figures, ""));
        let first: i64 = first.parse().ok()?;
        let second: Option<u32> = second.parse().ok();
        let first_small = u32::try_from(first);
        Some(match word {
            "too-many-tries" => Self::TooManyTries { until: Timestamp::from_millis(first) },
            "not-yet" => Self::NotYet { until: Timestamp::from_millis(first) },
            "too-soon" => Self::TooSoon { until: Timestamp::from_millis(first) },
            "text" => Self::Text {
                field: *TextField::ALL.get(first_small.ok()? as usize)?,
                reason: *TEXT_REASONS.get(second? as usize)?,
            },
            "phone" => Self::Phone {
                field: *PhoneField::ALL.get(first_small.ok()? as usize)?,
                reason: *PHONE_REASONS.get(second? as usize)?,
            },
            "password-too-short" => Self::NewPassword(InvalidPassword::TooShort(u8::try_from(first).ok()?)),
            "token" => {
                let reason = TOKEN_REASONS.get(first_small.ok()? as usize)?;
                Self::Token(reason(u8::try_from(second?).ok()?))
            }
            "clock-off" => Self::Diagnosed(Diagnosis::ClockOff { seconds: i32::try_from(first).ok()? }),
            "ignored-digits" => Self::Diagnosed(Diagnosis::IgnoredDigits {
                made: u8::try_from(first).ok()?,
                needed: u8::try_from(second?).ok()?,
            }),
            "ignored-algorithm" => Self::Diagnosed(Diagnosis::IgnoredAlgorithm {
                used: *Algorithm::ALL.get(first_small.ok()? as usize)?,
                needed: *Algorithm::ALL.get(second? as usize)?,
            }),
            "ignored-period" => Self::Diagnosed(Diagnosis::IgnoredPeriod { used: first_small.ok()?, needed: second? }),
            _ => return None,
        })
    }
}

impl From<AppError> for String {
    fn from(error: AppError) -> Self {
        error.code()
    }
}

/// The text is no error of ours.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("unknown error code")]
pub struct UnknownCode;

impl TryFrom<String> for AppError {
    type Error = UnknownCode;

    fn try_from(code: String) -> Result<Self, UnknownCode> {
        Self::from_code(&code).ok_or(UnknownCode)
    }
}

/// Each error at least once, for tests of this and other modules.
#[cfg(test)]
pub(super) fn samples() -> Vec<AppError> {
    let until = Timestamp::from_seconds(1_234_567_890);
    let mut samples: Vec<_> = WORDS.iter().map(|(_, error)| *error).collect();
    samples.extend([AppError::TooManyTries { until }, AppError::TooSoon { until }, AppError::NotYet { until }]);
    samples.push(AppError::NewPassword(InvalidPassword::TooShort(15)));
    samples.extend(TOKEN_REASONS.map(|reason| AppError::Token(reason(7))));
    for field in TextField::ALL {
        samples.extend(TEXT_REASONS.map(|reason| AppError::Text { field, reason }));
    }
    for field in PhoneField::ALL {
        samples.extend(PHONE_REASONS.map(|reason| AppError::Phone { field, reason }));
    }
    samples.extend(
        [
            Diagnosis::ClockOff { seconds: -90 },
            Diagnosis::IgnoredDigits { made: 6, needed: 7 },
            Diagnosis::IgnoredAlgorithm { used: Algorithm::Sha1, needed: Algorithm::Sha256 },
            Diagnosis::IgnoredPeriod { used: 60, needed: 30 },
        ]
        .map(AppError::Diagnosed),
    );
    samples
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_is_read_back_from_its_word() {
        for error in samples() {
            assert_eq!(AppError::from_code(&error.code()), Some(error), "{}", error.code());
        }
    }

    #[test]
    fn a_word_is_plain_and_unlike_the_others() {
        let mut codes: Vec<_> = samples().into_iter().map(AppError::code).collect();
        assert!(codes.iter().all(|code| code.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b))));
        let count = codes.len();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }

    #[test]
    fn other_words_are_no_errors() {
        for code in ["", ".", "text", "text.9.0", "text.0.3", "text.-1.0", "token.4.6", "token.1.256", "token.1", "<b>"]
        {
            assert_eq!(AppError::from_code(code), None, "{code:?}");
        }
    }
}
