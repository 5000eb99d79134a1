//! `/practice/staff`: who works here, and what protects their accounts.
#![expect(clippy::too_many_arguments, reason = "a server function has one for each field of its form")]

use authority::staff::{self, Details, Member, NewMember, StaffError};
use domain::policy::Standing;
use domain::{Date, Role};
use leptos::prelude::*;
use server_fn::ServerFn;

use super::address::Address;
use super::{Page, page};
use crate::error::AppError;
use crate::notice::Notice;
use crate::pages::Then;
use crate::sheet::Part;
use crate::sheet::part::{
    back, block, button, cell, cells, check, field, form, heading, hidden, hint, info, link, list as items, messages,
    row, search, section, select, table, tag, time, warning,
};
use crate::visit::{Call, redirect, refuse};

const PATH: &str = "/practice/staff";

/// The page of a member.
pub(super) fn path_of(id: &str) -> String {
    format!("{PATH}/{id}")
}

/// The list, or those of it that a search finds.
pub(super) async fn list(call: &Call, address: &Address) -> Result<Page, AppError> {
    let administrator = call.administrator(PATH).await?;
    let searched = address.value("search");
    let only_unprotected = address.value("show") == "unprotected";
    let everybody = staff::list(&call.authority, administrator).await.map_err(refuse)?;
    let found: Vec<_> = everybody
        .iter()
        .filter(|member| {
            is_found(member, &searched) && !(only_unprotected && (member.is_protected() || !member.is_active))
        })
        .collect();
    let filters = [("", "Everybody"), ("unprotected", "Not protected")];
    let mut parts = vec![
        heading("Staff", "Who works here, and what protects their accounts."),
        messages(),
        block(
            "row spread",
            vec![
                search(
                    PATH,
                    vec![
                        field("Search", "search").class("search").value(searched.clone()),
                        select("Show", "show", filters, if only_unprotected { "unprotected" } else { "" }),
                        button("Search").class("btn"),
                    ],
                ),
                block(
                    "row",
                    vec![
                        link("/practice/staff.csv", "Export CSV").class("btn").external(),
                        link("/practice/staff/new", "Add Staff Member").class("btn primary"),
                    ],
                ),
            ],
        ),
    ];
    if found.is_empty() {
        parts.push(info(vec!["Nobody was found.".into()]));
    } else {
        let headings = ["Name", "Role", "2-Factor Auth", "Ways to sign in", "Recovery codes", "Last sign-in", "Open"];
        parts.push(table("Staff", &headings, found.into_iter().map(line).collect()));
    }
    Ok(page("Staff", PATH, parts))
}

fn is_found(member: &Member, searched: &str) -> bool {
    let all = format!("{} {} {} {}", member.first_name, member.last_name, member.username, member.email).to_lowercase();
    searched.to_lowercase().split_whitespace().all(|word| all.contains(word))
}

fn line(member: &Member) -> Part {
    let mut who = vec![link(path_of(&member.id), member.full_name()), hint(member.username.clone())];
    who.extend((!member.is_active).then(|| tag("off", "Deactivated")));
    who.extend(member.manages_accounts.then(|| tag("off", "Manages accounts")));
    row(vec![
        cells(who),
        cell(member.role.label()),
        cells(protection(member)),
        cell(ways(member)),
        cell(if member.is_protected() { member.codes_left.to_string() } else { "–".to_owned() }),
        cell(time(member.last_signed_in_at)),
        cell(link(path_of(&member.id), "View").class("btn small")),
    ])
}

/// Whether it is on, and by when it has to be.
fn protection(member: &Member) -> Vec<Part> {
    let state = if member.is_protected() { tag("ok", "On") } else { tag("off", "Off") };
    let due = match member.standing {
        Standing::Free => None,
        Standing::Due { by } => Some(hint(format!("Needed by {}", Date::of(by).long()))),
        Standing::MustEnrol => Some(tag("warn", "Must set up")),
    };
    [Some(state), due].into_iter().flatten().collect()
}

/// The ways to get a token, in words.
fn ways(member: &Member) -> String {
    let some = |number: u32, one: &str, more: &str| match number {
        0 => None,
        1 => Some(one.to_owned()),
        number => Some(format!("{number} {more}")),
    };
    let ways = [
        some(member.devices, "Twofold Authenticator", "devices with Twofold Authenticator"),
        some(member.apps, "Authenticator app", "authenticator apps"),
        member.has_sms.then(|| "Text message or call".to_owned()),
    ];
    let ways: Vec<_> = ways.into_iter().flatten().collect();
    if ways.is_empty() { "–".to_owned() } else { ways.join(", ") }
}

fn roles() -> impl Iterator<Item = (&'static str, &'static str)> {
    Role::ALL.into_iter().map(|role| (role.name(), role.label()))
}

/// The form for a new member.
pub(super) async fn new(call: &Call) -> Result<Page, AppError> {
    call.administrator("/practice/staff/new").await?;
    let parts = vec![
        back(PATH, "Back to Staff"),
        heading("Add staff member", "They sign in with what you enter here, and can change it."),
        messages(),
        form(
            AddStaffMember::PATH,
            vec![
                block(
                    "pair",
                    vec![
                        field("First name", "first_name").class("words").required(),
                        field("Last name", "last_name").class("words").required(),
                    ],
                ),
                field("Email", "email").class("email").required(),
                field("Username", "username").required(),
                field("Password", "new_password")
                    .class("new-password")
                    .hint("At least 15 characters. Several unrelated words are best.")
                    .required(),
                field("Cell phone", "cell_phone").class("phone").hint(
                    "With country code, as in +1 202 555 0123. Needed to turn two-factor authentication on for them.",
                ),
                select("Role", "role", roles(), Role::Staff.name()),
                check("Manages accounts: an administrator, like you", "manages_accounts", false),
                button("Create Staff Account"),
            ],
        ),
    ];
    Ok(page("Add staff member", PATH, vec![block("medium card stack", parts)]))
}

/// Adds a member.
#[server(prefix = "/api", endpoint = "add_staff_member")]
pub(crate) async fn add_staff_member(
    #[server(default)] first_name: String,
    #[server(default)] last_name: String,
    #[server(default)] email: String,
    #[server(default)] username: String,
    #[server(default)] new_password: String,
    #[server(default)] cell_phone: String,
    #[server(default)] role: String,
    #[server(default)] manages_accounts: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator("/practice/staff/new").await?;
    let new = NewMember {
        first_name,
        last_name,
        email,
        username,
        password: new_password,
        cell_phone,
        role,
        manages_accounts: manages_accounts == "on",
    };
    match staff::add(&call.authority, administrator, call.visitor(), new).await {
        Ok(_) => redirect(&Notice::StaffAdded.at(PATH)),
        Err(StaffError::StepUpNeeded) => redirect(&Then::practice("/practice/staff/new")),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// The member of that id, for an administrator who asks for `page`.
pub(super) async fn find(call: &Call, page: &str, id: &str) -> Result<Member, AppError> {
    let administrator = call.administrator(page).await?;
    let found = staff::find(&call.authority, administrator, id).await.map_err(refuse)?;
    found.ok_or_else(|| refuse(AppError::NotFound))
}

/// One member.
pub(super) async fn member(call: &Call, id: &str) -> Result<Page, AppError> {
    let path = path_of(id);
    let member = find(call, &path, id).await?;
    let parts = vec![
        back(PATH, "Back to Staff"),
        heading(member.full_name(), format!("{}, {}", member.role.label(), member.username)),
        messages(),
        block(
            "columns",
            vec![
                block("stack", vec![two_factor_section(&member), account_section(&member)]),
                block("stack", vec![details_section(&member)]),
            ],
        ),
    ];
    Ok(page(member.full_name(), PATH, parts))
}

fn two_factor_section(member: &Member) -> Part {
    let mut parts = vec![block("row", protection(member)), hint(format!("Ways to sign in: {}", ways(member)))];
    if member.is_protected() {
        parts.push(hint(format!("Recovery codes left: {}", member.codes_left)));
    }
    if member.is_self {
        parts.push(info(vec![
            "This is you. ".into(),
            link("/account/security", "Your Security tab"),
            " has what you need.".into(),
        ]));
    } else if member.is_active {
        let edit = link(format!("{}/two-factor", path_of(&member.id)), "Edit").class("btn");
        let reset = member.is_protected().then(|| {
            link(format!("{}/reset", path_of(&member.id)), "Reset Two-Factor Authentication").class("btn danger")
        });
        parts.push(block("row", [Some(edit), reset].into_iter().flatten().collect()));
    }
    section("two-factor", "2-Factor Authentication", parts)
}

fn details_section(member: &Member) -> Part {
    let phone = if member.cell_phone.is_empty() { "none on file" } else { &member.cell_phone };
    let permission = if member.manages_accounts { "Manages accounts" } else { "Does not manage accounts" };
    let owner = member.is_owner.then_some("Owner of the practice");
    let lines = [
        Some(format!("Email: {}", member.email)),
        Some(format!("Cell phone: {phone}")),
        Some(permission.to_owned()),
        owner.map(str::to_owned),
    ];
    let details = items(lines.into_iter().flatten().map(Part::from).collect());
    let change = link(format!("{}/details", path_of(&member.id)), "Change Details").class("btn");
    section("details", "Details", vec![details, change])
}

fn account_section(member: &Member) -> Part {
    let last = block("row", vec!["Last sign-in: ".into(), time(member.last_signed_in_at)]);
    let act = |action: &str, label: &str, class: &str| {
        form(action, vec![hidden("member", &member.id), button(label).class(class)])
    };
    let mut parts = vec![last];
    if !member.is_active {
        parts.push(warning(vec!["This account is closed: nobody can sign in to it.".into()]));
        parts.push(act(ReactivateMember::PATH, "Reactivate Account", "btn"));
    } else if !member.is_self {
        parts.push(act(LogOutMember::PATH, "Log Out Everywhere", "btn"));
        parts.push(hint("Deactivating signs them out everywhere at once. You can reactivate the account later."));
        parts.push(act(DeactivateMember::PATH, "Deactivate Account", "btn danger"));
    }
    section("account", "Account", parts)
}

/// Ends what a member has open.
#[server(prefix = "/api", endpoint = "log_out_member")]
pub(crate) async fn log_out_member(#[server(default)] member: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let done = staff::log_out_everywhere(&call.authority, administrator, call.visitor(), &member).await;
    finish(done, &path_of(&member), Notice::StaffLoggedOut)
}

/// Closes a member's account.
#[server(prefix = "/api", endpoint = "deactivate_member")]
pub(crate) async fn deactivate_member(#[server(default)] member: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let done = staff::deactivate(&call.authority, administrator, call.visitor(), &member).await;
    finish(done, &path_of(&member), Notice::StaffClosed)
}

/// Opens a member's account again.
#[server(prefix = "/api", endpoint = "reactivate_member")]
pub(crate) async fn reactivate_member(#[server(default)] member: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let done = staff::reactivate(&call.authority, administrator, call.visitor(), &member).await;
    finish(done, &path_of(&member), Notice::StaffOpened)
}

/// Says on `page` what was done, or asks for a step-up that leads back to it.
fn finish(done: Result<(), StaffError>, page: &str, notice: Notice) -> Result<(), AppError> {
    match done {
        Ok(()) => redirect(&notice.at(page)),
        Err(StaffError::StepUpNeeded) => redirect(&Then::practice(page)),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// The form for a member's details.
pub(super) async fn details(call: &Call, id: &str) -> Result<Page, AppError> {
    let path = path_of(id);
    let member = find(call, &format!("{path}/details"), id).await?;
    let title = format!("Details of {}", member.full_name());
    let parts = vec![
        back(path, member.full_name()),
        heading(title.clone(), "E-mail and username stay as they were created."),
        messages(),
        form(
            ChangeMember::PATH,
            vec![
                hidden("member", &member.id),
                block(
                    "pair",
                    vec![
                        field("First name", "first_name").class("words").value(member.first_name).required(),
                        field("Last name", "last_name").class("words").value(member.last_name).required(),
                    ],
                ),
                field("Cell phone", "cell_phone")
                    .class("phone")
                    .hint("With country code, as in +1 202 555 0123.")
                    .value(member.cell_phone),
                select("Role", "role", roles(), member.role.name()),
                check("Manages accounts", "manages_accounts", member.manages_accounts),
                button("Save Details"),
            ],
        ),
    ];
    Ok(page(title, PATH, vec![block("medium card stack", parts)]))
}

/// Changes a member's details.
#[server(prefix = "/api", endpoint = "change_member")]
pub(crate) async fn change_member(
    #[server(default)] member: String,
    #[server(default)] first_name: String,
    #[server(default)] last_name: String,
    #[server(default)] cell_phone: String,
    #[server(default)] role: String,
    #[server(default)] manages_accounts: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let details = Details { first_name, last_name, cell_phone, role, manages_accounts: manages_accounts == "on" };
    match staff::change(&call.authority, administrator, call.visitor(), &member, &details).await {
        Ok(()) => redirect(&Notice::StaffChanged.at(&path_of(&member))),
        Err(StaffError::StepUpNeeded) => redirect(&Then::practice(&format!("{}/details", path_of(&member)))),
        Err(error) => return Err(refuse(error)),
    }
    Ok(())
}

/// The page that turns two-factor authentication on for a member.
pub(super) async fn two_factor(call: &Call, id: &str) -> Result<Page, AppError> {
    const TITLE: &str = "Enable 2-factor authentication";
    let path = path_of(id);
    let member = find(call, &format!("{path}/two-factor"), id).await?;
    let mut parts = vec![
        back(path.clone(), member.full_name()),
        heading(TITLE, format!("For {}, {}.", member.full_name(), member.email)),
        messages(),
    ];
    let change = || link(format!("{path}/details"), "Enter it in their details");
    if member.is_self {
        parts.push(info(vec!["This is you: use ".into(), link("/account/security", "your Security tab"), ".".into()]));
    } else if member.is_protected() {
        parts.push(info(vec![format!("It is on. {}.", ways(&member)).into()]));
        if member.is_required {
            parts.push(hint(
                "You require it of them in person. What is set up stays if you leave it to the rule of their role.",
            ));
            let parts_of_form = vec![hidden("member", &member.id), button("Leave It to the Role").class("btn")];
            parts.push(form(StopRequiring::PATH, parts_of_form));
        }
    } else if member.cell_phone.is_empty() {
        parts.push(warning(vec![
            format!("{} has no cell phone on file, and tokens have to go somewhere. ", member.first_name).into(),
            change(),
            ", then come back.".into(),
        ]));
    } else {
        let ending = &member.cell_phone[member.cell_phone.len().saturating_sub(2)..];
        parts.push(items(vec![
            format!("From now on {} needs a token to sign in.", member.first_name).into(),
            format!("It goes to the cell phone ending {ending} when they press \"Request Token via SMS\".").into(),
            "They are signed out everywhere, get recovery codes at that sign-in, and are told by e-mail.".into(),
        ]));
        parts.push(form(
            EnableForMember::PATH,
            vec![
                hidden("member", &member.id),
                field("Your password", "current_password").class("password").required(),
                button("Enable 2-Factor Authentication"),
            ],
        ));
    }
    Ok(page(TITLE, PATH, vec![block("medium card stack", parts)]))
}

/// Leaves it to the rule of the role whether a member needs two-factor authentication.
#[server(prefix = "/api", endpoint = "stop_requiring")]
pub(crate) async fn stop_requiring(#[server(default)] member: String) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let page = format!("{}/two-factor", path_of(&member));
    let done = staff::stop_requiring(&call.authority, administrator, call.visitor(), &member).await;
    finish(done, &page, Notice::NotRequired)
}

/// Turns two-factor authentication on for a member.
#[server(prefix = "/api", endpoint = "enable_for_member")]
pub(crate) async fn enable_for_member(
    #[server(default)] member: String,
    #[server(default)] current_password: String,
) -> Result<(), AppError> {
    let call = Call::current()?;
    let administrator = call.administrator(PATH).await?;
    let enabled = staff::enable_two_factor(&call.authority, administrator, call.visitor(), &member, current_password);
    enabled.await.map_err(refuse)?;
    redirect(&Notice::EnabledForMember.at(PATH));
    Ok(())
}
