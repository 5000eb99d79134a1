//! What the practice's pages, the screen lock and the ways back in call their parts: programs of others rely on it.

use crate::access::{Town, log_in};
use crate::support::{Actor, Answer};

/// A page, and the names that it has at least.
struct Named {
    path: String,
    heading: &'static str,
    fields: &'static [&'static str],
    /// Buttons and links.
    presses: &'static [&'static str],
}

fn named(
    path: impl Into<String>,
    heading: &'static str,
    fields: &'static [&'static str],
    presses: &'static [&'static str],
) -> Named {
    Named { path: path.into(), heading, fields, presses }
}

async fn check(browser: &mut Actor, page: &Named) -> Answer {
    let answer = browser.get(&page.path).await;
    assert_eq!(answer.names("h1"), [page.heading], "{}", page.path);
    let labels = answer.names("label");
    for field in page.fields {
        assert_eq!(labels.iter().filter(|label| label == field).count(), 1, "{}: {field} in {labels:?}", page.path);
    }
    let presses = [answer.names("button"), answer.names("a")].concat();
    for name in page.presses {
        assert!(presses.iter().any(|present| present == name), "{}: {name} in {presses:?}", page.path);
    }
    answer
}

#[tokio::test]
async fn the_practices_pages_have_their_names() {
    let town = Town::new().await;
    let member = format!("/practice/staff/{}", town.member_id);
    let lost = format!("/practice/staff/{}", town.lost_id);
    let pages = [
        named("/practice/staff", "Staff", &[], &["Add Staff Member", "View", "Export CSV"]),
        named(
            "/practice/staff/new",
            "Add staff member",
            &["First name", "Last name", "Email", "Username", "Password", "Cell phone", "Role"],
            &["Create Staff Account"],
        ),
        named(&lost, "Nina Cole", &[], &["Edit", "Reset Two-Factor Authentication"]),
        named(
            format!("{member}/two-factor"),
            "Enable 2-factor authentication",
            &["Your password"],
            &["Enable 2-Factor Authentication"],
        ),
        named(
            format!("{lost}/reset"),
            "Reset two-factor authentication",
            &["Reason", "Your password", "Authorization token"],
            &["Ask for Reset"],
        ),
        named("/practice/approvals", "Approvals", &["Your password", "Authorization token"], &["Approve", "Reject"]),
        named(
            "/practice/policy",
            "Security policy",
            &[
                "Provider: two-factor authentication",
                "Provider: required from",
                "Office manager: two-factor authentication",
                "Office manager: required from",
                "Nurse: two-factor authentication",
                "Nurse: required from",
                "Billing: two-factor authentication",
                "Billing: required from",
                "Staff: two-factor authentication",
                "Staff: required from",
                "SMS token life",
                "Idle minutes",
                "Lock after minutes",
                "Allow remembered browsers",
            ],
            &["Preview", "Save Policy"],
        ),
        named("/practice/coverage", "Coverage", &[], &["Export CSV"]),
        named("/practice/audit", "Audit trail", &["From", "To", "Account", "Event"], &["Search", "Export CSV"]),
    ];
    let mut browser = town.app.browser_of(&town.owner);
    for page in &pages {
        check(&mut browser, page).await;
    }
    let staff = check(&mut browser, &pages[0]).await;
    assert!(staff.names("th").contains(&"2-Factor Auth".to_owned()));
    let marks = staff.names("span");
    assert!(["On", "Off"].iter().all(|mark| marks.iter().any(|present| present == mark)), "{marks:?}");
    let page = check(&mut browser, &pages[2]).await;
    assert!(page.names("h2").contains(&"2-Factor Authentication".to_owned()));
}

#[tokio::test]
async fn the_lock_and_the_ways_back_in_have_their_names() {
    let mut town = Town::new().await;
    check(&mut town.locked, &named("/locked", "Screen locked", &["App unlock PIN"], &["Unlock", "Log Out"])).await;
    let mut late = log_in(&town.app, "late").await;
    check(&mut late, &named("/login/enrol", "Set up two-factor authentication", &[], &[])).await;
    let lost = named(
        "/login/reset",
        "I lost my phone",
        &["Username or email", "Password"],
        &["Send Reset Link", "Cancel Reset"],
    );
    check(&mut town.app.anon(), &lost).await;
}
