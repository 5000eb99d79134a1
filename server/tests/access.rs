//! Who reaches what: every page, every export and every server function, as everybody there is. The table is checked in,
//! so that a change of it is read before it is made.
//!
//! After a change that is meant, write it anew: `TWOFOLD_WRITE_ACCESS_MATRIX=1 cargo nextest run -p server access`.

use std::fmt::Write as _;
use std::path::Path;

use authority::policy;
use authority::staff::{self, NewMember};
use axum::http::header::LOCATION;
use domain::policy::{Requirement, Rule};
use domain::{Policy, Role};

use crate::support::{Actor, Answer, Client, PASSWORD, Person, TestApp, visitor};

const FILE: &str = "tests/access_matrix.txt";

/// What the app does not route by itself.
const EXPORTS: [&str; 4] =
    ["/practice/coverage.csv", "/practice/audit.csv", "/practice/audit.jsonl", "/practice/audit/verify"];

/// A practice with people in every position, and one beside it.
struct Town {
    app: TestApp,
    owner: Person,
    /// An account of the owner's practice, whom everybody asks for.
    member_id: String,
}

impl Town {
    async fn new() -> Self {
        let app = TestApp::sqlite().await;
        let mut owner = app.provider("owner").await;
        app.enable_by_sms(&mut owner, "+12025550101").await;
        let member_id = add(&app, &owner, "member", Role::Nurse).await;
        add(&app, &owner, "late", Role::Billing).await;
        let mut rules = Policy::default();
        rules
            .set_rule(Role::Billing, Rule { requirement: Requirement::Required { from: app.now() }, apps_only: false });
        let administrator = owner.signed_in.administrator().expect("an administrator");
        policy::save(&app.authority, administrator, &visitor(), &rules).await.expect("saved");
        Self { app, owner, member_id }
    }

    /// The browsers of everybody, by the heading of their column. Who may do something to the others comes last, for it is
    /// done.
    async fn everybody(&self) -> Vec<(&'static str, Actor)> {
        let stranger = self.app.provider("stranger").await;
        vec![
            ("nobody", self.app.anon()),
            ("password only", self.log_in("owner").await),
            ("must enrol", self.log_in("late").await),
            ("member", self.log_in("member").await),
            ("another's administrator", self.app.browser_of(&stranger)),
            ("administrator", self.app.browser_of(&self.owner)),
        ]
    }

    async fn log_in(&self, name: &str) -> Actor {
        let mut browser = self.app.anon();
        browser.get("/login").await;
        let answer = browser.post(Client::Wasm, "/api/log_in", &[("name", name), ("password", PASSWORD)]).await;
        assert!(!answer.is_refused(), "{answer:?}");
        browser
    }
}

async fn add(app: &TestApp, owner: &Person, username: &str, role: Role) -> String {
    let new = NewMember {
        first_name: "Nina".into(),
        last_name: "Cole".into(),
        email: format!("{username}@elsewhere.test"),
        username: username.into(),
        password: PASSWORD.into(),
        cell_phone: "+12025550177".into(),
        role: role.name().into(),
        manages_accounts: false,
    };
    let administrator = owner.signed_in.administrator().expect("an administrator");
    staff::add(&app.authority, administrator, &visitor(), new).await.expect("a member")
}

/// The status, and where it leads.
fn outcome(answer: &Answer, member_id: &str) -> String {
    let status = answer.status.as_u16();
    let leads_to = answer.leads_to().replace(member_id, ":id");
    if answer.headers.contains_key(LOCATION) { format!("{status} {leads_to}") } else { status.to_string() }
}

/// A line of the table, its cells as wide as their columns.
fn line(first: &str, cells: &[String]) -> String {
    let mut line = format!("{first:<42}");
    for cell in cells {
        // Writing to a text does not fail.
        let _ = write!(line, "  {cell:<25}");
    }
    line.trim_end().to_owned() + "\n"
}

async fn table() -> String {
    let town = Town::new().await;
    let mut functions: Vec<_> = server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    // Log-out ends what the others need.
    functions.sort_by_key(|path| (*path == "/api/log_out", *path));
    let pages: Vec<_> = app::paths().chain(EXPORTS).collect();
    let mut columns = Vec::new();
    for (name, browser) in town.everybody().await {
        let mut cells = vec![name.to_owned()];
        for path in &pages {
            let answer = browser.clone().get(&path.replace(":id", &town.member_id)).await;
            cells.push(outcome(&answer, &town.member_id));
        }
        for function in &functions {
            let fields = [("member", town.member_id.as_str()), ("address", "/practice/staff")];
            let answer = browser.clone().post(Client::Wasm, function, &fields).await;
            cells.push(outcome(&answer, &town.member_id));
        }
        columns.push(cells);
    }
    let rows = [""].iter().chain(&pages).chain(&functions);
    rows.enumerate()
        .map(|(row, path)| line(path, &columns.iter().map(|cells| cells[row].clone()).collect::<Vec<_>>()))
        .collect()
}

#[tokio::test]
async fn everybody_reaches_what_the_table_says() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(FILE);
    let actual = table().await;
    if std::env::var_os("TWOFOLD_WRITE_ACCESS_MATRIX").is_some() {
        std::fs::write(&file, &actual).expect("written");
    }
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    for (actual, expected) in actual.lines().zip(expected.lines()) {
        assert_eq!(actual, expected, "{FILE} says something else");
    }
    assert_eq!(actual.lines().count(), expected.lines().count(), "{FILE} has more lines, or fewer:\n{actual}");
}

/// What the table cannot show: whoever has to enrol gets the way to set-up from everything else.
#[tokio::test]
async fn who_must_enrol_reaches_set_up_help_and_the_way_out_alone() {
    let open = ["/login/enrol", "/help/two-factor", "/login", "/signup", "/login/reset", "/practice/audit/verify"];
    let set_up = ["/account/security/phone", "/account/security/authenticator", "/account/security/recovery-codes"];
    let town = Town::new().await;
    let late = town.log_in("late").await;
    for path in app::paths().chain(EXPORTS) {
        let answer = late.clone().get(&path.replace(":id", &town.member_id)).await;
        if open.contains(&path) || set_up.contains(&path) || path == "/account/step-up" {
            continue;
        }
        let leads = answer.leads_to();
        assert!(leads == "/login/enrol" || leads.starts_with("/login"), "{path}: {answer:?}");
        assert!(!answer.body.contains("Nina") && !answer.body.contains("555"), "{path} tells something");
    }
}
