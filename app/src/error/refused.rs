//! What the authority refuses, as the error that people see.

use authority::{
    SendRefused, Unavailable, backup, devices,
    disable::DisableError,
    enrol_sms, enrol_totp,
    lock::UnlockError,
    password::ChangeError,
    policy::PolicyError,
    practice::CreateError,
    profile::ProfileError,
    recovery::{ReplaceError, ShowError},
    reset::{four_eyes::ResetError, own},
    sessions::EndError,
    sign_in, staff,
    step_up::ProofRefused,
};

use super::{AppError, DeviceError, PhoneField, TextField};

impl From<Unavailable> for AppError {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

impl From<CreateError> for AppError {
    fn from(error: CreateError) -> Self {
        match error {
            CreateError::PracticeName(reason) => Self::Text { field: TextField::PracticeName, reason },
            CreateError::FirstName(reason) => Self::Text { field: TextField::FirstName, reason },
            CreateError::LastName(reason) => Self::Text { field: TextField::LastName, reason },
            CreateError::Email(reason) => Self::Email(reason),
            CreateError::Username(reason) => Self::Username(reason),
            CreateError::UsernameTaken => Self::UsernameTaken,
            CreateError::Password(reason) => Self::NewPassword(reason),
            CreateError::Busy => Self::Busy,
            CreateError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<sign_in::PasswordRefused> for AppError {
    fn from(error: sign_in::PasswordRefused) -> Self {
        match error {
            sign_in::PasswordRefused::Wrong => Self::SignInRefused,
            sign_in::PasswordRefused::TooManyTries { until } => Self::TooManyTries { until },
            sign_in::PasswordRefused::Busy => Self::Busy,
            sign_in::PasswordRefused::Unavailable => Self::Unavailable,
        }
    }
}

impl From<sign_in::TokenRefused> for AppError {
    fn from(error: sign_in::TokenRefused) -> Self {
        match error {
            sign_in::TokenRefused::Malformed(reason) => Self::Token(reason),
            sign_in::TokenRefused::NotRight => Self::TokenNotRight,
            sign_in::TokenRefused::Unavailable => Self::TokensUnavailable,
        }
    }
}

impl From<sign_in::RecoveryRefused> for AppError {
    fn from(error: sign_in::RecoveryRefused) -> Self {
        match error {
            sign_in::RecoveryRefused::Malformed(reason) => Self::RecoveryCode(reason),
            sign_in::RecoveryRefused::NotRight => Self::RecoveryCodeNotRight,
            sign_in::RecoveryRefused::Unavailable => Self::TokensUnavailable,
        }
    }
}

impl From<SendRefused> for AppError {
    fn from(error: SendRefused) -> Self {
        match error {
            SendRefused::NoPhone => Self::PhoneMissing,
            SendRefused::TooSoon { until } => Self::TooSoon { until },
            SendRefused::NotSendable => Self::NotSendable,
            SendRefused::Over => Self::Ended,
            SendRefused::Unavailable => Self::Unavailable,
        }
    }
}

impl From<ProfileError> for AppError {
    fn from(error: ProfileError) -> Self {
        match error {
            ProfileError::FirstName(reason) => Self::Text { field: TextField::FirstName, reason },
            ProfileError::LastName(reason) => Self::Text { field: TextField::LastName, reason },
            ProfileError::Specialty(reason) => Self::Text { field: TextField::Specialty, reason },
            ProfileError::Timezone(reason) => Self::Text { field: TextField::Timezone, reason },
            ProfileError::Salutation(reason) => Self::Text { field: TextField::Salutation, reason },
            ProfileError::Suffix(reason) => Self::Text { field: TextField::Suffix, reason },
            ProfileError::Website(reason) => Self::Text { field: TextField::Website, reason },
            ProfileError::HomePhone(reason) => Self::Phone { field: PhoneField::HomePhone, reason },
            ProfileError::OfficePhone(reason) => Self::Phone { field: PhoneField::OfficePhone, reason },
            ProfileError::CellPhone(reason) => Self::Phone { field: PhoneField::CellPhone, reason },
            ProfileError::CellPhoneNotAllowed => Self::CellPhoneNotAllowed,
            ProfileError::Pin(reason) => Self::Pin(reason),
            ProfileError::StepUpNeeded => Self::StepUpNeeded,
            ProfileError::Busy => Self::Busy,
            ProfileError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<ChangeError> for AppError {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::CurrentWrong => Self::CurrentPasswordWrong,
            ChangeError::TooManyTries { until } => Self::TooManyTries { until },
            ChangeError::New(reason) => Self::NewPassword(reason),
            ChangeError::ConfirmationMismatch => Self::ConfirmationMismatch,
            ChangeError::StepUpNeeded => Self::StepUpNeeded,
            ChangeError::Busy => Self::Busy,
            ChangeError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<enrol_sms::StartError> for AppError {
    fn from(error: enrol_sms::StartError) -> Self {
        match error {
            enrol_sms::StartError::PhoneMissing => Self::PhoneMissing,
            enrol_sms::StartError::PhoneNotAllowed => Self::CellPhoneNotAllowed,
            enrol_sms::StartError::PasswordWrong => Self::CurrentPasswordWrong,
            enrol_sms::StartError::TooManyTries { until } => Self::TooManyTries { until },
            enrol_sms::StartError::AlreadyEnabled => Self::AlreadyEnabled,
            enrol_sms::StartError::Send(refused) => refused.into(),
            enrol_sms::StartError::NotOffered => Self::NotOffered,
            enrol_sms::StartError::StepUpNeeded => Self::StepUpNeeded,
            enrol_sms::StartError::Busy => Self::Busy,
            enrol_sms::StartError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<enrol_sms::ConfirmError> for AppError {
    fn from(error: enrol_sms::ConfirmError) -> Self {
        match error {
            enrol_sms::ConfirmError::Malformed(reason) => Self::Token(reason),
            enrol_sms::ConfirmError::NotRight => Self::TokenNotRight,
            enrol_sms::ConfirmError::Ended => Self::Ended,
            enrol_sms::ConfirmError::Unavailable => Self::TokensUnavailable,
        }
    }
}

impl From<enrol_totp::StartError> for AppError {
    fn from(error: enrol_totp::StartError) -> Self {
        match error {
            enrol_totp::StartError::StepUpNeeded => Self::StepUpNeeded,
            enrol_totp::StartError::NotEnabled => Self::NotEnabled,
            enrol_totp::StartError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<enrol_totp::ConfirmError> for AppError {
    fn from(error: enrol_totp::ConfirmError) -> Self {
        match error {
            enrol_totp::ConfirmError::Malformed(reason) => Self::Token(reason),
            enrol_totp::ConfirmError::Name(reason) => Self::Text { field: TextField::AppName, reason },
            enrol_totp::ConfirmError::NotRight(Some(diagnosis)) => Self::Diagnosed(diagnosis),
            enrol_totp::ConfirmError::NotRight(None) => Self::TokenNotRight,
            enrol_totp::ConfirmError::Ended => Self::Ended,
            enrol_totp::ConfirmError::Unavailable => Self::TokensUnavailable,
        }
    }
}

impl From<enrol_totp::RemoveError> for AppError {
    fn from(error: enrol_totp::RemoveError) -> Self {
        match error {
            enrol_totp::RemoveError::NotFound => Self::NotFound,
            enrol_totp::RemoveError::StepUpNeeded => Self::StepUpNeeded,
            enrol_totp::RemoveError::LastFactor => Self::LastFactor,
            enrol_totp::RemoveError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<ShowError> for AppError {
    fn from(error: ShowError) -> Self {
        match error {
            ShowError::StepUpNeeded => Self::StepUpNeeded,
            ShowError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<ReplaceError> for AppError {
    fn from(error: ReplaceError) -> Self {
        match error {
            ReplaceError::StepUpNeeded => Self::StepUpNeeded,
            ReplaceError::NotEnabled => Self::NotEnabled,
            ReplaceError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<EndError> for AppError {
    fn from(error: EndError) -> Self {
        match error {
            EndError::NotFound => Self::NotFound,
            EndError::StepUpNeeded => Self::StepUpNeeded,
            EndError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<ProofRefused> for AppError {
    fn from(error: ProofRefused) -> Self {
        match error {
            ProofRefused::Malformed(reason) => Self::Token(reason),
            ProofRefused::NotRight => Self::ProofNotRight,
            ProofRefused::TooManyTries { until } => Self::TooManyTries { until },
            ProofRefused::Busy => Self::Busy,
            ProofRefused::Unavailable => Self::TokensUnavailable,
        }
    }
}

impl From<DisableError> for AppError {
    fn from(error: DisableError) -> Self {
        match error {
            DisableError::Proof(refused) => refused.into(),
            DisableError::PasswordTooShort => Self::PasswordTooShortAlone,
            DisableError::Required => Self::Required,
            DisableError::NotEnabled => Self::NotEnabled,
            DisableError::Unavailable => Self::TokensUnavailable,
        }
    }
}

impl From<devices::RegistrationError> for AppError {
    fn from(error: devices::RegistrationError) -> Self {
        use devices::RegistrationError as Error;
        match error {
            Error::Phone(reason) => Self::Phone { field: PhoneField::CellPhone, reason },
            Error::PhoneNotAllowed => Self::CellPhoneNotAllowed,
            Error::Email(reason) => Self::Email(reason),
            Error::Name(reason) => Self::Text { field: TextField::AppName, reason },
            Error::TooSoon { until } => Self::TooSoon { until },
            Error::Malformed(reason) => Self::Token(reason),
            Error::NotRight => Self::TokenNotRight,
            Error::MalformedRecoveryCode(reason) => Self::RecoveryCode(reason),
            Error::RecoveryCodeNotRight => Self::RecoveryCodeNotRight,
            Error::Over => Self::Device(DeviceError::RegistrationOver),
            Error::NoTokenAccount => Self::Device(DeviceError::NoTokenAccount),
            Error::EmailOfAnother => Self::Device(DeviceError::EmailOfAnother),
            Error::PhonesOnly => Self::Device(DeviceError::PhonesOnly),
            Error::RecoveryCodeNeeded => Self::Device(DeviceError::RecoveryCodeNeeded),
            Error::Unavailable => Self::Unavailable,
        }
    }
}

impl From<devices::ActivationError> for AppError {
    fn from(error: devices::ActivationError) -> Self {
        use devices::ActivationError as Error;
        match error {
            Error::Malformed(reason) => Self::Token(reason),
            Error::NotRight(Some(diagnosis)) => Self::Diagnosed(diagnosis),
            Error::NotRight(None) => Self::TokenNotRight,
            Error::Revoked => Self::Device(DeviceError::Revoked),
            Error::Over => Self::Device(DeviceError::RegistrationOver),
            Error::Unavailable => Self::Unavailable,
        }
    }
}

impl From<devices::AnswerError> for AppError {
    fn from(error: devices::AnswerError) -> Self {
        match error {
            devices::AnswerError::Gone => Self::NotFound,
            devices::AnswerError::WrongNumber => Self::Device(DeviceError::WrongNumber),
            devices::AnswerError::Revoked => Self::Device(DeviceError::Revoked),
            devices::AnswerError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<devices::EnrolError> for AppError {
    fn from(error: devices::EnrolError) -> Self {
        match error {
            devices::EnrolError::NotFound => Self::NotFound,
            devices::EnrolError::StepUpNeeded => Self::StepUpNeeded,
            devices::EnrolError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<devices::RevokeError> for AppError {
    fn from(error: devices::RevokeError) -> Self {
        match error {
            devices::RevokeError::NotFound => Self::NotFound,
            devices::RevokeError::StepUpNeeded => Self::StepUpNeeded,
            devices::RevokeError::LastFactor => Self::LastFactor,
            devices::RevokeError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<backup::SaveError> for AppError {
    fn from(error: backup::SaveError) -> Self {
        match error {
            backup::SaveError::Malformed => Self::BadRequest,
            backup::SaveError::TooLarge => Self::Device(DeviceError::BackupTooLarge),
            backup::SaveError::Conflict => Self::Device(DeviceError::BackupConflict),
            backup::SaveError::RecoveryCodeNeeded => Self::Device(DeviceError::RecoveryCodeNeeded),
            backup::SaveError::Revoked => Self::Device(DeviceError::Revoked),
            backup::SaveError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<backup::LoadError> for AppError {
    fn from(error: backup::LoadError) -> Self {
        match error {
            backup::LoadError::NotFound => Self::NotFound,
            backup::LoadError::RecoveryCodeNeeded => Self::Device(DeviceError::RecoveryCodeNeeded),
            backup::LoadError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<staff::StaffError> for AppError {
    fn from(error: staff::StaffError) -> Self {
        match error {
            staff::StaffError::NotFound => Self::NotFound,
            staff::StaffError::FirstName(reason) => Self::Text { field: TextField::FirstName, reason },
            staff::StaffError::LastName(reason) => Self::Text { field: TextField::LastName, reason },
            staff::StaffError::Email(reason) => Self::Email(reason),
            staff::StaffError::EmailTaken => Self::EmailTaken,
            staff::StaffError::Username(reason) => Self::Username(reason),
            staff::StaffError::UsernameTaken => Self::UsernameTaken,
            staff::StaffError::Password(reason) => Self::NewPassword(reason),
            staff::StaffError::CellPhone(reason) => Self::Phone { field: PhoneField::CellPhone, reason },
            staff::StaffError::CellPhoneNotAllowed => Self::CellPhoneNotAllowed,
            staff::StaffError::Role => Self::BadRequest,
            staff::StaffError::LastAdministrator => Self::LastAdministrator,
            staff::StaffError::StepUpNeeded => Self::StepUpNeeded,
            staff::StaffError::Busy => Self::Busy,
            staff::StaffError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<staff::EnableError> for AppError {
    fn from(error: staff::EnableError) -> Self {
        match error {
            staff::EnableError::NotFound => Self::NotFound,
            staff::EnableError::PhoneMissing => Self::MemberPhoneMissing,
            staff::EnableError::PhoneNotAllowed => Self::CellPhoneNotAllowed,
            staff::EnableError::AlreadyEnabled => Self::AlreadyEnabled,
            staff::EnableError::PasswordWrong => Self::CurrentPasswordWrong,
            staff::EnableError::TooManyTries { until } => Self::TooManyTries { until },
            staff::EnableError::Busy => Self::Busy,
            staff::EnableError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<PolicyError> for AppError {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Invalid(reason) => Self::Policy(reason),
            PolicyError::StepUpNeeded => Self::StepUpNeeded,
            PolicyError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<ResetError> for AppError {
    fn from(error: ResetError) -> Self {
        match error {
            ResetError::NotFound => Self::NotFound,
            ResetError::AboutThemselves => Self::AboutThemselves,
            ResetError::NotEnabled => Self::NotEnabled,
            ResetError::AlreadyAsked => Self::AlreadyAsked,
            ResetError::Reason(reason) => Self::Reason(reason),
            ResetError::SecondPersonNeeded => Self::SecondPersonNeeded,
            ResetError::TooSoon { until } => Self::NotYet { until },
            ResetError::Proof(refused) => refused.into(),
            ResetError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<own::LinkError> for AppError {
    fn from(error: own::LinkError) -> Self {
        match error {
            own::LinkError::TooManyTries { until } => Self::TooManyTries { until },
            own::LinkError::Busy => Self::Busy,
            own::LinkError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<own::StartError> for AppError {
    fn from(error: own::StartError) -> Self {
        match error {
            own::StartError::Ended => Self::Ended,
            own::StartError::Unavailable => Self::Unavailable,
        }
    }
}

impl From<UnlockError> for AppError {
    fn from(error: UnlockError) -> Self {
        match error {
            UnlockError::Malformed(reason) => Self::Pin(reason),
            UnlockError::NotRight => Self::PinNotRight,
            UnlockError::Ended => Self::SignedOut,
            UnlockError::Busy => Self::Busy,
            UnlockError::Unavailable => Self::Unavailable,
        }
    }
}
