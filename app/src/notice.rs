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
    Confirmed,
}

impl Notice {
    const ALL: [Self; 10] = [
        Self::ProfileSaved,
        Self::PasswordChanged,
        Self::LoggedOut,
        Self::PracticeCreated,
        Self::CodesStored,
        Self::AppAdded,
        Self::FactorRemoved,
        Self::Disabled,
        Self::BrowserEnded,
        Self::Confirmed,
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
            Self::Confirmed => "confirmed",
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
            Self::Confirmed => "Thank you. Go on with what you wanted to do.",
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
        format!("{path}?done={}", self.name())
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
