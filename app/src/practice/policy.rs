//! `/practice/policy`: what the practice asks of its people, and what a change would do to whom.
#![expect(clippy::too_many_arguments, reason = "a server function has one for each field of its form")]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use authority::policy::{self, Effect, PolicyError};
use domain::policy::{
    InvalidPolicy, MAX_IDLE_MINUTES, MAX_REMEMBER_DAYS, MIN_IDLE_MINUTES, Requirement, Rule, SmsLife, Standing,
    USUAL_NOTICE,
};
use domain::session::ABSOLUTE;
use domain::{Countries, Date, Policy, Role, Timestamp};
use leptos::prelude::*;
use server_fn::ServerFn;

use super::address::Address;
use super::{Page, page};
use crate::error::AppError;
use crate::notice::Notice;
use crate::pages::Then;
use crate::sheet::Part;
use crate::sheet::part::{
    block, button, cell, cells, check, field, fieldset, form, heading, hint, info, messages, row, section, select,
    table, tag, warning,
};
use crate::visit::{Call, redirect, refuse};

const PATH: &str = "/practice/policy";
/// A checked box.
const ON: &str = "on";

/// What the form says, by the names of its fields; also how a draft stands in an address.
type Fields = BTreeMap<String, String>;

/// The page: what holds, or a draft with what it would do.
pub(super) async fn show(call: &Call, address: &Address) -> Result<Page, AppError> {
    let administrator = call.administrator(PATH).await?;
    let saved = policy::load(&call.authority, administrator).await.map_err(refuse)?;
    let draft = address.fields(&names());
    let now = call.authority.now();
    let mut parts = vec![
        heading("Security policy", "What your practice asks of its people. It takes effect at everybody's next click."),
        messages(),
    ];
    let shown = if draft.is_empty() {
        saved
    } else {
        let drafted = parse(&draft)?;
        let effects = policy::preview(&call.authority, administrator, &drafted).await.map_err(refuse)?;
        parts.push(preview(&effects));
        drafted
    };
    parts.push(policy_form(&shown, now));
    Ok(page("Security policy", PATH, parts))
}

/// Names of the fields of a role: requirement, date, and whether only apps count. Their order is that of [`save_policy`].
fn names_of(role: Role) -> [String; 3] {
    let name = role.name().replace('-', "_");
    [name.clone(), format!("{name}_from"), format!("{name}_apps")]
}

fn names() -> Vec<String> {
    let mut names: Vec<_> = Role::ALL.into_iter().flat_map(names_of).collect();
    names.extend(["sms", "idle", "lock", "remember", "remember_days", "countries", "phones_only"].map(str::to_owned));
    names
}

fn policy_form(policy: &Policy, now: Timestamp) -> Part {
    let requirements = [("off", "Off"), ("optional", "Optional"), ("required", "Required")];
    let roles = Role::ALL.into_iter().map(|role| {
        let [requirement, from, apps] = names_of(role);
        let rule = policy.rule(role);
        let date = match rule.requirement {
            Requirement::Required { from } => Date::of(from),
            Requirement::Off | Requirement::Optional => Date::of(now + USUAL_NOTICE),
        };
        let label = role.label();
        fieldset(
            label,
            vec![
                select(
                    format!("{label}: two-factor authentication"),
                    &requirement,
                    requirements,
                    rule.requirement.name(),
                ),
                field(format!("{label}: required from"), &from).class("date").value(date.to_string()),
                check(format!("{label}: authenticator apps only, no text messages"), &apps, rule.apps_only),
            ],
        )
    });
    let lives = [(SmsLife::FiveMinutes.name(), "5 minutes"), (SmsLife::UntilUsed.name(), "Until used (less secure)")];
    let figures = fieldset(
        "Sessions and messages",
        vec![
            select("SMS token life", "sms", lives, policy.sms_life.name())
                .hint("Until used: a token that somebody reads on a phone days later still works. Choose it only if messages come late."),
            field("Idle minutes", "idle")
                .class("number")
                .hint(format!(
                    "{MIN_IDLE_MINUTES} to {MAX_IDLE_MINUTES}. After that time without a click people are logged out, and after {} hours in any case.",
                    ABSOLUTE.as_secs() / 3600
                ))
                .value(policy.idle_minutes.to_string()),
            field("Lock after minutes", "lock")
                .class("number")
                .hint("Before that: the screen locks and opens with the App unlock PIN. Who has set none on the Profile tab is not locked. 0: never.")
                .value(policy.lock_minutes.to_string()),
            field("Countries", "countries")
                .hint("Codes of the countries whose cell phones are taken, such as US, CA. Empty: all. Numbers that are set up stay.")
                .value(policy.countries.to_string()),
        ],
    );
    let days = if policy.remember_days == 0 { MAX_REMEMBER_DAYS } else { policy.remember_days };
    let devices = fieldset(
        "Browsers and devices",
        vec![
            check("Allow remembered browsers", "remember", policy.remember_days > 0),
            field("Remember for days", "remember_days")
                .class("number")
                .hint("1 to 30. Such a browser needs the password and no token, so it is less secure. Not for shared or exam-room computers.")
                .value(days.to_string()),
            check("Twofold's authenticator on phones only", "phones_only", policy.phones_only),
            hint("For devices that are added from now on. A browser can claim to be a phone, so this is a reminder, no barrier. An iPad \
                  claims to be a computer unless its Safari asks for the mobile website."),
        ],
    );
    let mut parts: Vec<_> = roles.collect();
    parts.push(hint(
        "Days begin at 00:00 UTC. A date that people were told can be moved earlier, not later; to begin anew, save Optional first.",
    ));
    parts.push(figures);
    parts.push(devices);
    parts.push(block(
        "row",
        vec![button("Preview").acting("preview").class("btn"), button("Save Policy").acting("save")],
    ));
    section("rules", "Rules", vec![form(SavePolicy::PATH, parts)])
}

fn parse(fields: &Fields) -> Result<Policy, AppError> {
    let value = |name: &str| fields.get(name).map_or("", |value| value.trim());
    let number = |name: &str, reason| value(name).parse::<u32>().map_err(|_| refuse(AppError::Policy(reason)));
    let is_remembering = value("remember") == ON;
    let remember_days = if is_remembering { number("remember_days", InvalidPolicy::RememberDays)? } else { 0 };
    if is_remembering && remember_days == 0 {
        return Err(refuse(AppError::Policy(InvalidPolicy::RememberDays)));
    }
    let mut policy = Policy {
        sms_life: SmsLife::from_name(value("sms")).unwrap_or_default(),
        idle_minutes: number("idle", InvalidPolicy::IdleMinutes)?,
        lock_minutes: number("lock", InvalidPolicy::LockMinutes)?,
        remember_days,
        countries: Countries::parse(value("countries"))
            .map_err(|_| refuse(AppError::Policy(InvalidPolicy::Countries)))?,
        phones_only: value("phones_only") == ON,
        ..Policy::default()
    };
    for role in Role::ALL {
        let [requirement, from, apps] = names_of(role);
        let from = Date::parse(value(&from));
        if value(&requirement) == "required" && from.is_err() {
            return Err(refuse(AppError::DateInvalid));
        }
        let from = from.map(Date::start).unwrap_or_default();
        let requirement =
            Requirement::from_name(value(&requirement), from).ok_or_else(|| refuse(AppError::BadRequest))?;
        policy.set_rule(role, Rule { requirement, apps_only: value(&apps) == ON });
    }
    policy.check().map_err(|reason| refuse(AppError::Policy(reason)))?;
    Ok(policy)
}

/// The address of a draft. What goes without saying is left out, so that it stays short.
fn address_of(policy: &Policy) -> String {
    let mut address = format!("{PATH}?idle={}&lock={}", policy.idle_minutes, policy.lock_minutes);
    let mut add = |name: &str, value: &str| {
        // Writing to a text does not fail.
        let _ = write!(address, "&{name}={value}");
    };
    add("sms", policy.sms_life.name());
    if policy.remember_days > 0 {
        add("remember", ON);
        add("remember_days", &policy.remember_days.to_string());
    }
    let countries: Vec<_> = policy.countries.codes().collect();
    if !countries.is_empty() {
        add("countries", &countries.join(","));
    }
    if policy.phones_only {
        add("phones_only", ON);
    }
    for role in Role::ALL {
        let ([requirement, from, apps], rule) = (names_of(role), policy.rule(role));
        add(&requirement, rule.requirement.name());
        if let Requirement::Required { from: at } = rule.requirement {
            add(&from, &Date::of(at).to_string());
        }
        if rule.apps_only {
            add(&apps, ON);
        }
    }
    address
}

/// Previews or saves a policy. Every field is an argument of its own, for forms have plain names only.
#[server(prefix = "/api", endpoint = "save_policy")]
pub(crate) async fn save_policy(
    #[server(default)] provider: String,
    #[server(default)] provider_from: String,
    #[server(default)] provider_apps: String,
    #[server(default)] office_manager: String,
    #[server(default)] office_manager_from: String,
    #[server(default)] office_manager_apps: String,
    #[server(default)] nurse: String,
    #[server(default)] nurse_from: String,
    #[server(default)] nurse_apps: String,
    #[server(default)] billing: String,
    #[server(default)] billing_from: String,
    #[server(default)] billing_apps: String,
    #[server(default)] staff: String,
    #[server(default)] staff_from: String,
    #[server(default)] staff_apps: String,
    #[server(default)] sms: String,
    #[server(default)] idle: String,
    #[server(default)] lock: String,
    #[server(default)] remember: String,
    #[server(default)] remember_days: String,
    #[server(default)] countries: String,
    #[server(default)] phones_only: String,
    #[server(default)] act: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let values = [
        provider,
        provider_from,
        provider_apps,
        office_manager,
        office_manager_from,
        office_manager_apps,
        nurse,
        nurse_from,
        nurse_apps,
        billing,
        billing_from,
        billing_apps,
        staff,
        staff_from,
        staff_apps,
        sms,
        idle,
        lock,
        remember,
        remember_days,
        countries,
        phones_only,
    ];
    let policy = parse(&names().into_iter().zip(values).collect())?;
    if act != "save" {
        redirect(&address_of(&policy));
        return Ok(());
    }
    match policy::save(&call.authority, administrator, call.visitor(), &policy).await {
        Ok(()) => redirect(&Notice::PolicySaved.at(PATH)),
        Err(PolicyError::StepUpNeeded) => redirect(&Then::practice(&address_of(&policy))),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// What a draft would do, to whom.
fn preview(effects: &[Effect]) -> Part {
    let stopped = effects.iter().filter(|effect| effect.standing == Standing::MustEnrol).count();
    let due = effects.iter().filter(|effect| matches!(effect.standing, Standing::Due { .. })).count();
    let sms_only = effects.iter().filter(|effect| effect.sms_only).count();
    let no_codes = effects.iter().filter(|effect| effect.no_codes).count();
    let no_phone = effects.iter().filter(|effect| effect.phone_refused).count();
    let no_pin = effects.iter().filter(|effect| effect.no_pin).count();
    let mut summary = format!(
        "Nothing is saved yet. Stopped at once until they set up: {stopped}. Have until their date: {due}. Text messages only: {sms_only}. No recovery codes: {no_codes}."
    );
    // Writing to a text does not fail.
    if no_phone > 0 {
        let _ = write!(summary, " Cell phone of none of the countries: {no_phone}.");
    }
    if no_pin > 0 {
        let _ = write!(summary, " No App unlock PIN, so their screen never locks: {no_pin}.");
    }
    let mut parts = vec![if stopped > 0 { warning(vec![summary.into()]) } else { info(vec![summary.into()]) }];
    let concerned: Vec<_> = effects
        .iter()
        .filter(|effect| effect.standing != Standing::Free || !remarks(effect).is_empty())
        .map(line)
        .collect();
    if !concerned.is_empty() {
        parts.push(table("Whom it concerns", &["Name", "Role", "Effect", "Remarks"], concerned));
    }
    section("preview", "Preview", parts)
}

fn line(effect: &Effect) -> Part {
    let standing = match effect.standing {
        Standing::Free => tag("off", "Nothing changes"),
        Standing::Due { by } => Part::from(format!("Has until {}", Date::of(by).long())),
        Standing::MustEnrol => tag("warn", "Blocked until set up"),
    };
    let remarks = remarks(effect);
    row(vec![
        cell(effect.name.clone()),
        cell(effect.role.label()),
        cells(vec![standing]),
        cell(if remarks.is_empty() { "–".to_owned() } else { remarks.join(", ") }),
    ])
}

/// What else there is to know about somebody.
fn remarks(effect: &Effect) -> Vec<&'static str> {
    [
        (effect.sms_only, "SMS only"),
        (effect.no_codes, "No recovery codes"),
        (effect.phone_refused, "Cell phone not taken"),
        (effect.no_pin, "No App unlock PIN"),
    ]
    .into_iter()
    .filter_map(|(is, remark)| is.then_some(remark))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::page_of_practice;

    #[test]
    fn a_draft_reads_back_from_its_address_and_fits_in_one() {
        let mut policy = Policy {
            lock_minutes: 10,
            sms_life: SmsLife::UntilUsed,
            remember_days: 14,
            countries: Countries::parse("US, CA").expect("codes"),
            phones_only: true,
            ..Policy::default()
        };
        for role in Role::ALL {
            let from = Date::parse("2026-12-01").expect("a day").start();
            policy.set_rule(role, Rule { requirement: Requirement::Required { from }, apps_only: true });
        }
        let text = address_of(&policy);
        let address = Address::parse(&text).expect("an address of ours");
        assert_eq!(parse(&address.fields(&names())), Ok(policy));
        assert_eq!(page_of_practice(&text).as_ref(), Some(&text), "a step-up leads back to it");
    }
}
