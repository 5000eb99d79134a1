//! What a person does at the practice. Policies speak of roles.

use serde::{Deserialize, Serialize};

use crate::factor::Kind;

/// A role. Whether somebody manages accounts is a permission of its own, whatever the role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Role {
    /// A person who treats patients.
    Provider,
    /// Runs the office.
    OfficeManager,
    /// Nurses.
    Nurse,
    /// Writes bills.
    Billing,
    /// Everybody else.
    Staff,
}

impl Role {
    /// All roles, in the order of forms and tables.
    pub const ALL: [Self; 5] = [Self::Provider, Self::OfficeManager, Self::Nurse, Self::Billing, Self::Staff];

    /// The name in the database, in forms and in exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::OfficeManager => "office-manager",
            Self::Nurse => "nurse",
            Self::Billing => "billing",
            Self::Staff => "staff",
        }
    }

    /// What people read.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Provider => "Provider",
            Self::OfficeManager => "Office manager",
            Self::Nurse => "Nurse",
            Self::Billing => "Billing",
            Self::Staff => "Staff",
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The kind of account that goes with it.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::Provider => Kind::Provider,
            Self::OfficeManager | Self::Nurse | Self::Billing | Self::Staff => Kind::Staff,
        }
    }

    /// Its place in [`Self::ALL`].
    pub(crate) const fn index(self) -> usize {
        match self {
            Self::Provider => 0,
            Self::OfficeManager => 1,
            Self::Nurse => 2,
            Self::Billing => 3,
            Self::Staff => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back_and_places_fit() {
        for (index, role) in Role::ALL.into_iter().enumerate() {
            assert_eq!((Role::from_name(role.name()), role.index()), (Some(role), index));
        }
        assert_eq!(Role::from_name("owner"), None);
        assert_eq!((Role::Provider.kind(), Role::Nurse.kind()), (Kind::Provider, Kind::Staff));
    }
}
