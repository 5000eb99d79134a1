//! All that can go wrong, with its words.
//!
//! An [`AppError`] travels to the browser as JSON and, after a plain form post, in the address of the page. Anybody can
//! craft such an address, so the set is closed and carries no text: what a page shows is always one of the sentences
//! below.

mod code;
#[cfg(feature = "authenticator")]
mod device;
#[cfg(feature = "ssr")]
mod refused;

use domain::Timestamp;
use domain::diagnosis::Diagnosis;
use domain::email::InvalidEmail;
use domain::password::InvalidPassword;
use domain::person::{InvalidPin, InvalidText};
use domain::phone::InvalidPhone;
use domain::policy::InvalidPolicy;
use domain::recovery_code::InvalidRecoveryCode;
use domain::token::InvalidToken;
use domain::username::InvalidUsername;
use serde::{Deserialize, Serialize};
use server_fn::codec::JsonEncoding;
use server_fn::error::{FromServerFnError, ServerFnErrorErr};

#[cfg(feature = "authenticator")]
pub use self::device::DeviceError;
use crate::time::{self, Zone};

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum AppError {
    /// The server, or its database, does not answer.
    Unavailable,
    /// The same where a token was typed: it says that the token still counts.
    TokensUnavailable,
    /// The server has as many passwords to check as it can.
    Busy,
    /// Not a request that our pages send.
    BadRequest,
    /// The session is over, or there was none.
    SignedOut,
    /// The password and, where a factor is active, a token have to be proven again first.
    StepUpNeeded,
    /// A wrong password or an unknown name at sign-in; never which.
    SignInRefused,
    /// Too many wrong passwords.
    TooManyTries {
        /// When the next one is looked at.
        until: Timestamp,
    },
    /// The current password is wrong.
    CurrentPasswordWrong,
    /// The password or the token is not right; never which.
    ProofNotRight,
    /// The token is wrong, used or expired, or the account is locked; never which.
    TokenNotRight,
    /// The token is wrong, and this is why.
    Diagnosed(Diagnosis),
    /// The token cannot be one.
    Token(InvalidToken),
    /// The recovery code is wrong or used, or the account is locked; never which.
    RecoveryCodeNotRight,
    /// The recovery code cannot be one.
    RecoveryCode(InvalidRecoveryCode),
    /// A line of text is refused.
    Text {
        /// Where it was typed.
        field: TextField,
        /// Why.
        reason: InvalidText,
    },
    /// A phone number is refused.
    Phone {
        /// Where it was typed.
        field: PhoneField,
        /// Why.
        reason: InvalidPhone,
    },
    /// Messages are not sent to numbers of this kind.
    CellPhoneNotAllowed,
    /// The e-mail address is refused.
    Email(InvalidEmail),
    /// The user name is refused.
    Username(InvalidUsername),
    /// Somebody else has the user name.
    UsernameTaken,
    /// The new password is refused.
    NewPassword(InvalidPassword),
    /// The new password and its confirmation differ.
    ConfirmationMismatch,
    /// Without a second factor the password would be too short.
    PasswordTooShortAlone,
    /// The PIN is refused.
    Pin(InvalidPin),
    /// No cell phone is on file.
    PhoneMissing,
    /// The gateway does not send to this number.
    NotSendable,
    /// Messages are sent again later.
    TooSoon {
        /// When.
        until: Timestamp,
    },
    /// A set-up has expired, or was cancelled in another window.
    Ended,
    /// Two-factor authentication is on already.
    AlreadyEnabled,
    /// Two-factor authentication is off.
    NotEnabled,
    /// The only factor cannot be removed.
    LastFactor,
    /// What was to be ended or removed is gone.
    NotFound,
    /// "I have stored these codes" is not checked.
    CodesNotStored,
    /// Only administrators of the practice may.
    Forbidden,
    /// Another member of the practice has the e-mail address.
    EmailTaken,
    /// The practice would be left without an administrator who can sign in.
    LastAdministrator,
    /// It can be approved later.
    NotYet {
        /// When.
        until: Timestamp,
    },
    /// Nobody resets their own two-factor authentication.
    AboutThemselves,
    /// Another administrator has to approve.
    SecondPersonNeeded,
    /// A reset waits for the member already.
    AlreadyAsked,
    /// The reason for a reset is refused.
    Reason(InvalidText),
    /// The App unlock PIN is not right.
    PinNotRight,
    /// The practice requires two-factor authentication of the account.
    Required,
    /// The practice does not offer two-factor authentication to the role.
    NotOffered,
    /// A figure of the policy is refused.
    Policy(InvalidPolicy),
    /// A trail is kept for six years or more.
    RetentionYears,
    /// What was typed as a day is none.
    DateInvalid,
    /// The member has no cell phone on file.
    MemberPhoneMissing,
    /// What only a device hears.
    #[cfg(feature = "authenticator")]
    Device(DeviceError),
}

/// Fields of one line of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as their labels")]
pub enum TextField {
    PracticeName,
    FirstName,
    LastName,
    Specialty,
    Timezone,
    Salutation,
    Suffix,
    Website,
    AppName,
}

/// Fields that hold a phone number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "named as their labels")]
pub enum PhoneField {
    HomePhone,
    OfficePhone,
    CellPhone,
}

impl TextField {
    const ALL: [Self; 9] = [
        Self::PracticeName,
        Self::FirstName,
        Self::LastName,
        Self::Specialty,
        Self::Timezone,
        Self::Salutation,
        Self::Suffix,
        Self::Website,
        Self::AppName,
    ];

    /// The field of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::PracticeName => "practice_name",
            Self::FirstName => "first_name",
            Self::LastName => "last_name",
            Self::Specialty => "specialty",
            Self::Timezone => "timezone",
            Self::Salutation => "salutation",
            Self::Suffix => "suffix",
            Self::Website => "website",
            Self::AppName => "app_name",
        }
    }
}

impl PhoneField {
    const ALL: [Self; 3] = [Self::HomePhone, Self::OfficePhone, Self::CellPhone];

    /// The field of that name.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    const fn name(self) -> &'static str {
        match self {
            Self::HomePhone => "home_phone",
            Self::OfficePhone => "office_phone",
            Self::CellPhone => "cell_phone",
        }
    }
}

impl AppError {
    /// The name of the field that has to be mended, if it is one.
    pub const fn field(self) -> Option<&'static str> {
        Some(match self {
            Self::TokenNotRight | Self::Diagnosed(_) | Self::Token(_) => "token",
            Self::RecoveryCodeNotRight | Self::RecoveryCode(_) => "recovery_code",
            Self::SignInRefused => "password",
            Self::CurrentPasswordWrong | Self::ProofNotRight | Self::PasswordTooShortAlone => "current_password",
            Self::Text { field, .. } => field.name(),
            Self::Phone { field, .. } => field.name(),
            Self::CellPhoneNotAllowed => PhoneField::CellPhone.name(),
            Self::Email(_) | Self::EmailTaken => "email",
            Self::Username(_) | Self::UsernameTaken => "username",
            Self::NewPassword(_) => "new_password",
            Self::ConfirmationMismatch => "confirmation",
            Self::Pin(_) | Self::PinNotRight => "pin",
            Self::Reason(_) => "reason",
            Self::CodesNotStored => "stored",
            _ => return None,
        })
    }

    /// Whether the token field has to be mended.
    pub(crate) fn is_of_token(self) -> bool {
        self.field() == Some("token")
    }

    /// Whether the field says it too, and not only the alert: on a page with few fields that would be the same twice.
    pub(crate) const fn is_said_at_field(self) -> bool {
        !matches!(self, Self::SignInRefused | Self::ProofNotRight | Self::RecoveryCodeNotRight)
    }

    /// The sentence that people read. Times in it are of `zone`.
    pub fn text(self, zone: Zone) -> String {
        let sentence = match self {
            Self::Text { reason, .. } => return reason.to_string(),
            Self::Phone { reason, .. } => return reason.to_string(),
            Self::Email(reason) => return reason.to_string(),
            Self::Username(reason) => return reason.to_string(),
            Self::NewPassword(reason) => return reason.to_string(),
            Self::Pin(reason) => return reason.to_string(),
            Self::Token(reason) => return reason.to_string(),
            Self::RecoveryCode(reason) => return reason.to_string(),
            Self::Diagnosed(diagnosis) => return diagnosis_text(diagnosis),
            Self::TooManyTries { until } => {
                return ["Too many wrong passwords. Try again after ", &time::clock(until, zone), "."].concat();
            }
            Self::TooSoon { until } => {
                return ["You can request a new token after ", &time::clock(until, zone), "."].concat();
            }
            Self::NotYet { until } => {
                let time = time::date_and_clock(until, zone);
                return ["There is no second administrator of a day's standing: you can approve after ", &time, "."]
                    .concat();
            }
            Self::Unavailable => "We can't do this right now. Nothing was changed. Try again in a minute.",
            Self::TokensUnavailable => "We can't check tokens right now. Yours was not used. Try again in a minute.",
            Self::Busy => "We are very busy right now. Nothing was changed. Try again in a few seconds.",
            Self::BadRequest => "We could not read what was sent. Load the page again and retry.",
            Self::SignedOut => "You are not logged in any more. Log in again.",
            Self::StepUpNeeded => "Confirm it is you first.",
            Self::SignInRefused => "Username or password is not right.",
            Self::CurrentPasswordWrong => "The current password is not right.",
            Self::ProofNotRight => {
                "The password or the token is not right, or the token has been used or has expired. Wait for the next one \
                 in your app, or request a new one."
            }
            Self::TokenNotRight => {
                "That token is not right, or it has been used or has expired. Wait for the next one in your app, or \
                 request a new one."
            }
            Self::RecoveryCodeNotRight => {
                "That recovery code is not right, or it has been used. Take the next one on your list."
            }
            Self::CellPhoneNotAllowed => {
                "We can't send tokens to numbers of this kind or country. Enter a cell phone that gets text messages."
            }
            Self::UsernameTaken => "This username is taken. Choose another one.",
            Self::ConfirmationMismatch => "The two new passwords differ. Type the same one twice.",
            Self::PasswordTooShortAlone => {
                "Without two-factor authentication a password needs at least 15 characters. Change your password first."
            }
            Self::PhoneMissing => "Enter your cell phone on the Profile tab first.",
            Self::NotSendable => {
                "We can't send text messages to this number. Ask for a call, or use your app or a recovery code."
            }
            Self::Ended => "This set-up has ended, and nothing was changed. Start again.",
            Self::AlreadyEnabled => "Two-factor authentication is on already.",
            Self::NotEnabled => "Two-factor authentication is off. Enable it first.",
            Self::LastFactor => "This is your only way to get a token. Add another one before you remove it.",
            Self::NotFound => "It is gone already.",
            Self::CodesNotStored => "Store the codes, then check the box. You will not see them again.",
            Self::Forbidden => "Only people who manage accounts can open this page.",
            Self::EmailTaken => "Somebody at your practice has this e-mail address already.",
            Self::LastAdministrator => {
                "Your practice would have no administrator left who can sign in. Let somebody else manage accounts first."
            }
            Self::AboutThemselves => "This is about you. Somebody else has to do it.",
            Self::SecondPersonNeeded => "You asked for this reset. Another administrator has to approve it.",
            Self::AlreadyAsked => "A reset waits for this person already. Look under Approvals.",
            Self::Reason(reason) => return reason.to_string(),
            Self::PinNotRight => "That PIN is not right. After five wrong ones you are logged out.",
            Self::Required => "Your practice requires two-factor authentication. Ask your administrator.",
            Self::NotOffered => "Your practice does not use two-factor authentication for your role.",
            Self::Policy(reason) => return reason.to_string(),
            Self::RetentionYears => "A trail is kept for 6 to 100 years.",
            Self::DateInvalid => "Enter the day from which it is required.",
            Self::MemberPhoneMissing => "Enter a cell phone in their details first.",
            #[cfg(feature = "authenticator")]
            Self::Device(error) => error.text(),
        };
        sentence.to_owned()
    }

    /// The HTTP status for clients that are no browser window; a browser's form is answered with a redirect.
    #[cfg(feature = "ssr")]
    pub(crate) const fn status(self) -> axum::http::StatusCode {
        use axum::http::StatusCode;
        match self {
            Self::Unavailable | Self::TokensUnavailable | Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::BadRequest => StatusCode::BAD_REQUEST,
            Self::SignedOut => StatusCode::UNAUTHORIZED,
            Self::StepUpNeeded
            | Self::SignInRefused
            | Self::CurrentPasswordWrong
            | Self::ProofNotRight
            | Self::TokenNotRight
            | Self::Diagnosed(_)
            | Self::RecoveryCodeNotRight
            | Self::Forbidden
            | Self::Required
            | Self::AboutThemselves
            | Self::SecondPersonNeeded
            | Self::PinNotRight
            | Self::NotOffered => StatusCode::FORBIDDEN,
            Self::TooManyTries { .. } | Self::TooSoon { .. } | Self::NotYet { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::UsernameTaken
            | Self::PhoneMissing
            | Self::Ended
            | Self::AlreadyEnabled
            | Self::NotEnabled
            | Self::LastFactor
            | Self::EmailTaken
            | Self::AlreadyAsked
            | Self::LastAdministrator
            | Self::MemberPhoneMissing => StatusCode::CONFLICT,
            Self::Device(error) => error.status(),
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        }
    }
}

/// What an app did otherwise than its setup key says, and what to do about it.
fn diagnosis_text(diagnosis: Diagnosis) -> String {
    match diagnosis {
        Diagnosis::ClockOff { seconds } => {
            let direction = if seconds < 0 { "slow" } else { "fast" };
            let seconds = seconds.unsigned_abs();
            format!(
                "Your device's clock is about {seconds} s {direction}. Let it set its clock automatically, then type the next \
                 token."
            )
        }
        Diagnosis::IgnoredDigits { made, needed } => {
            format!(
                "Your app made a {made}-digit token; this key needs {needed}. Add the key by hand with {needed} digits, or \
                 use another app."
            )
        }
        Diagnosis::IgnoredAlgorithm { used, needed } => {
            let (used, needed) = (used.name(), needed.name());
            format!(
                "Your app used {used}; this key needs {needed}. Add the key by hand with {needed}, or use another app."
            )
        }
        Diagnosis::IgnoredPeriod { used, needed } => {
            format!(
                "Your app makes a token every {used} s; this key needs {needed} s. Add the key by hand with {needed} s, or \
                 use another app."
            )
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = JsonEncoding;

    /// What the framework reports is folded into two cases; its words are not for people.
    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Args(_) | ServerFnErrorErr::MissingArg(_) | ServerFnErrorErr::Deserialization(_) => {
                Self::BadRequest
            }
            _ => Self::Unavailable,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_error_has_a_sentence_that_ends() {
        for error in code::samples() {
            let text = error.text(Zone::Utc);
            assert!(text.len() > 10 && text.starts_with(char::is_uppercase), "{error:?}: {text:?}");
        }
    }

    #[test]
    fn wrong_used_expired_and_locked_read_alike() {
        let text = AppError::TokenNotRight.text(Zone::Utc);
        assert!(text.contains("not right, or it has been used or has expired"));
    }

    #[test]
    fn times_are_said_with_their_zone() {
        let until = Timestamp::from_seconds(1_234_567_890);
        assert_eq!(
            AppError::TooSoon { until }.text(Zone::Utc),
            "You can request a new token after 23:31 UTC.",
            "design.md: without JavaScript the answer names the time"
        );
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn no_error_looks_like_success() {
        for error in code::samples() {
            assert!(error.status().is_client_error() || error.status().is_server_error(), "{error:?}");
        }
    }
}
