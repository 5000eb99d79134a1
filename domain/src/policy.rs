//! What a practice asks of its people: who needs two-factor authentication, from when, and by which factors.
//!
//! Two dates meet in one person: the policy's, and the one that was told to that person first. The earlier one counts
//! ([`deadline`]), so that nothing a person does moves it. What a change would do is computed by the very functions that
//! do it ([`Policy::announce`], [`Policy::standing`]), so that a preview cannot differ from what follows.

use core::time::Duration;

use serde::{Deserialize, Serialize};

use crate::countries::Countries;
use crate::role::Role;
use crate::session::IDLE;
use crate::time::Timestamp;

/// The shortest idle time that a practice may choose, in minutes (requirements.md SE-6).
pub const MIN_IDLE_MINUTES: u32 = 5;
/// The longest.
pub const MAX_IDLE_MINUTES: u32 = 60;
/// The most days that a browser may be remembered (requirements.md SE-9).
pub const MAX_REMEMBER_DAYS: u32 = 30;
/// Before a deadline people are told at these times.
pub const REMINDERS: [Duration; 2] = [Duration::from_hours(7 * 24), Duration::from_hours(24)];
/// What the form proposes as notice before a date.
pub const USUAL_NOTICE: Duration = Duration::from_hours(14 * 24);

/// Whether a role needs two-factor authentication.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Requirement {
    /// It is not offered to those who have not set it up.
    Off,
    /// Everybody may.
    #[default]
    Optional,
    /// Everybody has to, from that moment on.
    Required {
        /// From when.
        from: Timestamp,
    },
}

impl Requirement {
    /// The name in the database and in forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Optional => "optional",
            Self::Required { .. } => "required",
        }
    }

    /// The requirement of that name; `from` counts for `required` alone.
    #[must_use]
    pub fn from_name(name: &str, from: Timestamp) -> Option<Self> {
        match name {
            "off" => Some(Self::Off),
            "optional" => Some(Self::Optional),
            "required" => Some(Self::Required { from }),
            _ => None,
        }
    }

    /// The stricter of two: required before optional before off, and the earlier date before the later.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        match (self, other) {
            (Self::Required { from: a }, Self::Required { from: b }) => Self::Required { from: a.min(b) },
            (required @ Self::Required { .. }, _) | (_, required @ Self::Required { .. }) => required,
            (Self::Off, Self::Off) => Self::Off,
            _ => Self::Optional,
        }
    }
}

/// The rule of one role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// Whether it is needed.
    pub requirement: Requirement,
    /// Only an authenticator counts; text messages and calls do not.
    pub apps_only: bool,
}

impl Rule {
    /// Where two rules meet, whatever either of them asks.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        Self { requirement: self.requirement.stricter(other.requirement), apps_only: self.apps_only || other.apps_only }
    }
}

/// How long a token in a text message lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SmsLife {
    /// Five minutes, for one pending sign-in.
    #[default]
    FiveMinutes,
    /// Until it is used or replaced, for any sign-in of the account. Less secure (requirements.md D2).
    UntilUsed,
}

impl SmsLife {
    /// Both.
    pub const ALL: [Self; 2] = [Self::FiveMinutes, Self::UntilUsed];

    /// The name in forms.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FiveMinutes => "five-minutes",
            Self::UntilUsed => "until-used",
        }
    }

    /// The one of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|life| life.name() == name)
    }
}

/// The policy of a practice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The rule of each role, in the order of [`Role::ALL`].
    pub rules: [Rule; Role::ALL.len()],
    /// How long tokens in text messages live.
    pub sms_life: SmsLife,
    /// Minutes after which an idle session ends; [`MIN_IDLE_MINUTES`] to [`MAX_IDLE_MINUTES`].
    pub idle_minutes: u32,
    /// Minutes after which the screen of an idle session locks; 0 for never, else less than `idle_minutes`.
    pub lock_minutes: u32,
    /// Days for which a browser may be remembered, so that it needs no token; 0 for never, [`MAX_REMEMBER_DAYS`] at most.
    pub remember_days: u32,
    /// Whose cell phones are taken.
    pub countries: Countries,
    /// Twofold's own authenticator is for browsers of phones only. Browsers say themselves what they are, so this is advice.
    pub phones_only: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rules: [Rule::default(); Role::ALL.len()],
            sms_life: SmsLife::default(),
            idle_minutes: minutes(IDLE),
            lock_minutes: 0,
            remember_days: 0,
            countries: Countries::default(),
            phones_only: false,
        }
    }
}

fn minutes(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs() / 60).unwrap_or(MAX_IDLE_MINUTES)
}

/// Why figures are no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum InvalidPolicy {
    /// The idle time.
    #[error("Idle minutes are 5 to 60")]
    IdleMinutes,
    /// The time until the screen locks.
    #[error("The screen locks before the idle minutes are over, or never (0)")]
    LockMinutes,
    /// The days for which a browser is remembered.
    #[error("A browser is remembered for 1 to 30 days")]
    RememberDays,
    /// The countries.
    #[error("Countries are codes of two letters, such as US, CA")]
    Countries,
    /// The countries leave out the cell phone of the administrator who saves.
    #[error("The countries leave out your own cell phone. Add its country, or change your number first")]
    OwnCellPhone,
}

/// A person, as far as a policy goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// The role.
    pub role: Role,
    /// From when an administrator requires it of this person, whatever the role's rule says.
    pub required_from: Option<Timestamp>,
    /// The date that was told first, if there was one.
    pub enrol_by: Option<Timestamp>,
    /// Text messages or calls count as a factor.
    pub has_sms: bool,
    /// An authenticator, Twofold's own or another vendor's, counts as a factor.
    pub has_app: bool,
}

/// How a person stands to the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is missing.
    Free,
    /// Something is missing, and has to be there by then.
    Due {
        /// The deadline.
        by: Timestamp,
    },
    /// The deadline has passed: nothing but set-up, help and log-out can be reached.
    MustEnrol,
}

/// The date that counts: the earlier one of the policy's and the one that was told first.
#[must_use]
pub fn deadline(enrol_by: Option<Timestamp>, from: Timestamp) -> Timestamp {
    enrol_by.map_or(from, |stored| stored.min(from))
}

impl Policy {
    /// The rule of a role.
    #[must_use]
    pub const fn rule(&self, role: Role) -> Rule {
        self.rules[role.index()]
    }

    /// Sets the rule of a role.
    pub const fn set_rule(&mut self, of: Role, rule: Rule) {
        self.rules[of.index()] = rule;
    }

    /// Refuses figures out of range.
    ///
    /// # Errors
    /// [`InvalidPolicy`] names the first one.
    pub fn check(&self) -> Result<(), InvalidPolicy> {
        if !(MIN_IDLE_MINUTES..=MAX_IDLE_MINUTES).contains(&self.idle_minutes) {
            Err(InvalidPolicy::IdleMinutes)
        } else if self.lock_minutes >= self.idle_minutes {
            Err(InvalidPolicy::LockMinutes)
        } else if self.remember_days > MAX_REMEMBER_DAYS {
            Err(InvalidPolicy::RememberDays)
        } else {
            Ok(())
        }
    }

    /// The date to store for a member once this policy is in force: told once, it only moves earlier, and goes when the
    /// role needs nothing any more.
    #[must_use]
    pub fn announce(&self, member: Member) -> Option<Timestamp> {
        match self.rule(member.role).requirement {
            Requirement::Off | Requirement::Optional => None,
            Requirement::Required { from } => Some(deadline(member.enrol_by, from)),
        }
    }

    /// How a member stands at `now`.
    #[must_use]
    pub fn standing(&self, member: Member, now: Timestamp) -> Standing {
        standing(self.rule(member.role), member, now)
    }
}

/// What an administrator requires of one person, as a rule.
fn personal(required_from: Option<Timestamp>) -> Rule {
    let requirement = required_from.map_or(Requirement::Off, |from| Requirement::Required { from });
    Rule { requirement, apps_only: false }
}

/// Whether the factors of a member are what the rule asks for.
#[must_use]
pub const fn satisfies(rule: Rule, has_sms: bool, has_app: bool) -> bool {
    has_app || (has_sms && !rule.apps_only)
}

/// What is asked of a member: by the rule of the role, from the date that counts, or in person, whichever is stricter.
#[must_use]
pub fn asked_of(member: Member, rule: Rule) -> Rule {
    // What was told of the role's date says nothing of what is required of the person.
    let of_role = match rule.requirement {
        Requirement::Required { from } => Requirement::Required { from: deadline(member.enrol_by, from) },
        other => other,
    };
    Rule { requirement: of_role, ..rule }.stricter(personal(member.required_from))
}

/// How a member stands at `now` to what is asked.
#[must_use]
pub fn standing(rule: Rule, member: Member, now: Timestamp) -> Standing {
    let rule = asked_of(member, rule);
    let Requirement::Required { from: by } = rule.requirement else { return Standing::Free };
    if satisfies(rule, member.has_sms, member.has_app) {
        return Standing::Free;
    }
    if now < by { Standing::Due { by } } else { Standing::MustEnrol }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    fn any_requirement() -> impl Strategy<Value = Requirement> {
        prop_oneof![
            Just(Requirement::Off),
            Just(Requirement::Optional),
            (0..100_i64).prop_map(|from| Requirement::Required { from: at(from) }),
        ]
    }

    fn any_rule() -> impl Strategy<Value = Rule> {
        (any_requirement(), any::<bool>()).prop_map(|(requirement, apps_only)| Rule { requirement, apps_only })
    }

    fn any_member() -> impl Strategy<Value = Member> {
        let day = || proptest::option::of(0..100_i64);
        (0..Role::ALL.len(), day(), day(), any::<bool>(), any::<bool>()).prop_map(
            |(role, required_from, enrol_by, has_sms, has_app)| Member {
                role: Role::ALL[role],
                required_from: required_from.map(at),
                enrol_by: enrol_by.map(at),
                has_sms,
                has_app,
            },
        )
    }

    /// How hard a standing is.
    fn weight(standing: Standing) -> (u8, core::cmp::Reverse<i64>) {
        match standing {
            Standing::Free => (0, core::cmp::Reverse(0)),
            Standing::Due { by } => (1, core::cmp::Reverse(by.millis())),
            Standing::MustEnrol => (2, core::cmp::Reverse(0)),
        }
    }

    proptest! {
        #[test]
        fn of_two_rules_the_stricter_one_wins(a in any_rule(), b in any_rule(), member in any_member(), now in 0..120_i64) {
            let both = standing(a.stricter(b), member, at(now));
            for one in [a, b] {
                prop_assert!(weight(both) >= weight(standing(one, member, at(now))), "{both:?}");
            }
            prop_assert_eq!(a.stricter(b), b.stricter(a));
            prop_assert_eq!(a.stricter(a), a);
        }

        #[test]
        fn a_deadline_once_told_never_moves_later_while_the_role_needs_it(
            policies in proptest::collection::vec(any_rule(), 1..8),
            member in any_member(),
        ) {
            let mut member = member;
            for rule in policies {
                let mut policy = Policy::default();
                policy.set_rule(member.role, rule);
                let told = policy.announce(member);
                if let (Some(before), Some(after)) = (member.enrol_by, told) {
                    prop_assert!(after <= before);
                }
                prop_assert_eq!(told.is_none(), !matches!(rule.requirement, Requirement::Required { .. }));
                member.enrol_by = told;
                // Announcing again, as each sign-in could, changes nothing.
                prop_assert_eq!(policy.announce(member), told);
            }
        }

        #[test]
        fn what_is_stored_changes_nothing_about_who_is_stopped(rule in any_rule(), member in any_member(), now in 0..120_i64) {
            let mut policy = Policy::default();
            policy.set_rule(member.role, rule);
            let announced = Member { enrol_by: policy.announce(member), ..member };
            prop_assert_eq!(policy.standing(announced, at(now)), policy.standing(member, at(now)));
        }
    }

    #[test]
    fn a_rule_for_apps_alone_is_not_met_by_text_messages() {
        let rule = Rule { requirement: Requirement::Required { from: at(10) }, apps_only: true };
        let member =
            Member { role: Role::Provider, required_from: None, enrol_by: None, has_sms: true, has_app: false };
        assert_eq!(standing(rule, member, at(9)), Standing::Due { by: at(10) });
        assert_eq!(standing(rule, member, at(10)), Standing::MustEnrol, "the deadline itself is too late");
        assert_eq!(standing(rule, Member { has_app: true, ..member }, at(10)), Standing::Free);
        assert_eq!(standing(Rule { apps_only: false, ..rule }, member, at(10)), Standing::Free);
    }

    #[test]
    fn figures_out_of_range_are_refused() {
        let policy = Policy::default();
        assert_eq!(policy.check(), Ok(()));
        for (wrong, error) in [
            (Policy { idle_minutes: 4, ..policy.clone() }, InvalidPolicy::IdleMinutes),
            (Policy { idle_minutes: 61, ..policy.clone() }, InvalidPolicy::IdleMinutes),
            (Policy { lock_minutes: 15, ..policy.clone() }, InvalidPolicy::LockMinutes),
            (Policy { remember_days: 31, ..policy.clone() }, InvalidPolicy::RememberDays),
        ] {
            assert_eq!(wrong.check(), Err(error));
        }
    }
}
