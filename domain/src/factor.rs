//! Kinds of account and of factor.

use serde::{Deserialize, Serialize};

/// Whose login an account is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// A person who treats patients.
    Provider,
    /// Everybody else at the practice.
    Staff,
}

impl Kind {
    /// The name in the database and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::Staff => "staff",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Provider, Self::Staff].into_iter().find(|kind| kind.name() == name)
    }
}

/// A way to get a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum FactorKind {
    /// A text message, or a call, to the cell phone.
    Sms,
    /// Twofold's own authenticator, one factor per device.
    Authenticator,
    /// Another vendor's app.
    Totp,
    /// A code from the list that was stored at enrolment.
    RecoveryCode,
}

impl FactorKind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Sms, Self::Authenticator, Self::Totp, Self::RecoveryCode];

    /// The name in the database, in audit rows and in logs.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Authenticator => "authenticator",
            Self::Totp => "totp",
            Self::RecoveryCode => "recovery-code",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in FactorKind::ALL {
            assert_eq!(FactorKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(Kind::from_name("provider"), Some(Kind::Provider));
        assert_eq!(Kind::from_name("owner"), None);
    }
}
