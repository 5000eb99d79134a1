//! Good news: what the page before has done, as a word in the address (`?done=profile-saved`).

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Notice {
    ProfileSaved,
    PasswordChanged,
    LoggedOut,
    PracticeCreated,
    CodesStored,
    AppAdded,
    FactorRemoved,
    Disabled,
    BrowserEnded,
    DeviceWaits,
    EnrolmentCancelled,
    Confirmed,
    StaffAdded,
    StaffChanged,
    StaffLoggedOut,
    StaffClosed,
    StaffOpened,
    EnabledForMember,
    NotRequired,
    PolicySaved,
    ResetAsked,
    ResetApproved,
    ResetRejected,
    ResetLinkSent,
    ResetStarted,
    ResetStopped,
    CheckedUp,
    CheckUpPutOff,
}

impl Notice {
    const ALL: [Self; 28] = [
        Self::ProfileSaved,
        Self::PasswordChanged,
        Self::LoggedOut,
        Self::PracticeCreated,
        Self::CodesStored,
        Self::AppAdded,
        Self::FactorRemoved,
        Self::Disabled,
        Self::BrowserEnded,
        Self::DeviceWaits,
        Self::EnrolmentCancelled,
        Self::Confirmed,
        Self::StaffAdded,
        Self::StaffChanged,
        Self::StaffLoggedOut,
        Self::StaffClosed,
        Self::StaffOpened,
        Self::EnabledForMember,
        Self::NotRequired,
        Self::PolicySaved,
        Self::ResetAsked,
        Self::ResetApproved,
        Self::ResetRejected,
        Self::ResetLinkSent,
        Self::ResetStarted,
        Self::ResetStopped,
        Self::CheckedUp,
        Self::CheckUpPutOff,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::ProfileSaved => "profile-saved",
            Self::PasswordChanged => "password-changed",
            Self::LoggedOut => "logged-out",
            Self::PracticeCreated => "practice-created",
            Self::CodesStored => "codes-stored",
            Self::AppAdded => "app-added",
            Self::FactorRemoved => "factor-removed",
            Self::Disabled => "disabled",
            Self::BrowserEnded => "browser-ended",
            Self::DeviceWaits => "device-waits",
            Self::EnrolmentCancelled => "enrolment-cancelled",
            Self::Confirmed => "confirmed",
            Self::StaffAdded => "staff-added",
            Self::StaffChanged => "staff-changed",
            Self::StaffLoggedOut => "staff-logged-out",
            Self::StaffClosed => "staff-closed",
            Self::StaffOpened => "staff-opened",
            Self::EnabledForMember => "enabled-for-member",
            Self::NotRequired => "not-required",
            Self::PolicySaved => "policy-saved",
            Self::ResetAsked => "reset-asked",
            Self::ResetApproved => "reset-approved",
            Self::ResetRejected => "reset-rejected",
            Self::ResetLinkSent => "reset-link-sent",
            Self::ResetStarted => "reset-started",
            Self::ResetStopped => "reset-stopped",
            Self::CheckedUp => "checked-up",
            Self::CheckUpPutOff => "check-up-put-off",
        }
    }

    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::ProfileSaved => "Profile saved.",
            Self::PasswordChanged => "Password changed. Your other browsers are logged out.",
            Self::LoggedOut => "You are logged out.",
            Self::PracticeCreated => {
                "Your practice is ready. Add your cell phone, then turn on two-factor authentication."
            }
            Self::CodesStored => "Two-factor authentication is on, and your recovery codes are stored.",
            Self::AppAdded => "Authenticator app added.",
            Self::FactorRemoved => "Removed.",
            Self::Disabled => "Two-factor authentication is off.",
            Self::BrowserEnded => "That browser is logged out.",
            Self::DeviceWaits => "Now open the authenticator on that device.",
            Self::EnrolmentCancelled => "Cancelled. Nothing was changed.",
            Self::Confirmed => "Thank you. Go on with what you wanted to do.",
            Self::StaffAdded => "Staff account created.",
            Self::StaffChanged => "Details saved.",
            Self::StaffLoggedOut => "They are logged out everywhere.",
            Self::StaffClosed => "Account deactivated. They are logged out everywhere.",
            Self::StaffOpened => "Account reactivated.",
            Self::NotRequired => "It is left to the rule of their role again.",
            Self::PolicySaved => "Policy saved. It holds from now on.",
            Self::ResetAsked => "Asked. Another administrator has to approve it.",
            Self::ResetApproved => "Reset. They set it up anew at their next log-in.",
            Self::ResetRejected => "Rejected. Nothing was changed.",
            Self::ResetLinkSent => "If username and password are right, a link is on its way to the e-mail address.",
            Self::ResetStarted => "The 24 hours have begun. We have told every address and phone of yours.",
            Self::CheckedUp => "It works. We ask again when you have not typed a token for four weeks.",
            Self::CheckUpPutOff => "We ask again in a week.",
            Self::ResetStopped => "If a reset was waiting, it is cancelled.",
            Self::EnabledForMember => "Two-factor authentication is on for them. Their next log-in asks for a token.",
        }
    }

    /// The notice that a query string names, if it names one.
    pub(crate) fn of_query(query: &str) -> Option<Self> {
        let name = query.split('&').find_map(|pair| pair.strip_prefix("done="))?;
        Self::ALL.into_iter().find(|notice| notice.name() == name)
    }

    /// The address of `path` with this notice.
    #[cfg(feature = "ssr")]
    pub(crate) fn at(self, path: &str) -> String {
        let separator = if path.contains('?') { '&' } else { '?' };
        format!("{path}{separator}done={}", self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_the_set_are_read() {
        for notice in Notice::ALL {
            assert_eq!(Notice::of_query(&format!("a=b&done={}", notice.name())), Some(notice));
        }
        for query in ["", "done=", "done=hacked", "undone=profile-saved"] {
            assert_eq!(Notice::of_query(query), None, "{query:?}");
        }
    }
}
