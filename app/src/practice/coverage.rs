//! `/practice/coverage`: who is covered by what, now and over time.

use authority::coverage::{self, Day};
use authority::staff::{self, Member};
use domain::Role;

use super::{Page, page};
use crate::error::AppError;
use crate::sheet::Part;
use crate::sheet::part::{block, cell, heading, hint, link, messages, meter, row, section, table};
use crate::visit::{Call, refuse};

const PATH: &str = "/practice/coverage";

/// Figures of now by role, and of the last days.
pub(super) async fn show(call: &Call) -> Result<Page, AppError> {
    let administrator = call.administrator(PATH).await?;
    let mut staff = staff::list(&call.authority, administrator).await.map_err(refuse)?;
    staff.retain(|member| member.is_active);
    let days = coverage::trend(&call.authority, administrator).await.map_err(refuse)?;
    let count = |is: fn(&Member) -> bool| staff.iter().filter(|member| is(member)).count();
    let summary = format!(
        "{} of {} people are protected: {} by an authenticator, {} by text messages alone. {} of them have no recovery codes left.",
        count(Member::is_protected),
        staff.len(),
        count(Member::has_app),
        count(|member| member.has_sms && !member.has_app()),
        count(|member| member.is_protected() && member.codes_left == 0),
    );
    let export = link("/practice/coverage.csv", "Export CSV").class("btn").external();
    let roles: Vec<_> = Role::ALL.into_iter().filter_map(|role| role_line(role, &staff)).collect();
    let headings = ["Role", "People", "Protected", "Authenticator", "Text messages only", "Not protected"];
    let parts = vec![
        heading("Coverage", "Who needs a token to sign in, and where it comes from."),
        messages(),
        section(
            "now",
            "Now",
            vec![hint(summary), table("Coverage by role", &headings, roles), block("row", vec![export])],
        ),
        section("trend", "Over time", vec![trend(&days)]),
    ];
    Ok(page("Coverage", PATH, parts))
}

fn role_line(role: Role, staff: &[Member]) -> Option<Part> {
    let of_role: Vec<_> = staff.iter().filter(|member| member.role == role).collect();
    let count = |is: fn(&Member) -> bool| of_role.iter().filter(|member| is(member)).count().to_string();
    (!of_role.is_empty()).then(|| {
        row(vec![
            cell(role.label()),
            cell(of_role.len().to_string()),
            cell(count(Member::is_protected)),
            cell(count(Member::has_app)),
            cell(count(|member| member.has_sms && !member.has_app())),
            cell(count(|member| !member.is_protected())),
        ])
    })
}

/// A bar for each day, which is a table for who cannot see it.
fn trend(days: &[Day]) -> Part {
    let line = |day: &Day| {
        let date = day.date.long();
        let bar = meter(format!("{date}: {} percent protected", day.percent()), day.percent());
        row(vec![
            cell(date),
            cell(bar),
            cell(format!("{} %", day.percent())),
            cell(format!("{} of {}", day.protected, day.members)),
            cell(day.with_app.to_string()),
        ])
    };
    let headings = ["Day", "Share", "Percent", "Protected", "Authenticator"];
    table("Coverage over time", &headings, days.iter().map(line).collect())
}
