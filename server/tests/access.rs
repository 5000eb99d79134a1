//! Who reaches what: every page, every export, every document and every server function, as everybody there is. The table
//! is checked in, so that a change of it is read before it is made.
//!
//! After a change that is meant, write it anew: `TWOFOLD_WRITE_ACCESS_MATRIX=1 cargo nextest run -p server access`.

use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use authority::reset::four_eyes;
use authority::staff::{self, NewMember};
use authority::{Administrator, policy};
use axum::http::header::LOCATION;
use domain::policy::{Requirement, Rule};
use domain::{Policy, Role};

use crate::support::{Actor, Answer, Client, PASSWORD, Person, TestApp, visitor};

const FILE: &str = "tests/access_matrix.txt";

/// What the app does not route by itself; metrics are on a listener of their own.
const OTHERS: [&str; 9] = [
    "/practice/staff.csv",
    "/practice/coverage.csv",
    "/practice/audit.csv",
    "/practice/audit.jsonl",
    "/practice/audit/verify",
    "/authenticator",
    "/livez",
    "/readyz",
    "/metrics",
];

/// The one function with an answer for each of its addresses.
const LOAD_SHEET: &str = "/api/load_sheet";

/// Functions that end or renew what the others need, in the order in which they are called after all others. From the
/// first of them on a browser keeps its cookies.
const LAST: [&str; 8] = [
    "/api/log_out_member",
    "/api/deactivate_member",
    "/api/reactivate_member",
    "/api/confirm_identity",
    "/api/change_password",
    "/api/sign_up",
    "/api/log_in",
    "/api/log_out",
];

/// In place of [`PASSWORD`].
const NEW_PASSWORD: &str = "another horse battery staple";

/// A practice with people in every position, and one beside it.
pub(crate) struct Town {
    pub(crate) app: TestApp,
    pub(crate) owner: Person,
    /// An account of the owner's practice, whom everybody asks for.
    pub(crate) member_id: String,
    /// Another one, who is protected, and whose reset waits for a decision.
    pub(crate) lost_id: String,
    /// That reset.
    request_id: String,
    /// The browser of an administrator of the owner's practice, whose screen has locked.
    pub(crate) locked: Actor,
}

impl Town {
    pub(crate) async fn new() -> Self {
        let app = TestApp::sqlite().await;
        let mut owner = app.provider("owner").await;
        app.step_up(&mut owner).await;
        let mut rules = Policy { lock_minutes: 5, ..Policy::default() };
        let required = Requirement::Required { from: app.now() };
        rules.set_rule(Role::Billing, Rule { requirement: required, apps_only: false });
        policy::save(&app.authority, administrator(&owner), &visitor(), &rules).await.expect("saved");
        let member_id = add(&app, &owner, "member", Role::Nurse, false).await;
        add(&app, &owner, "late", Role::Billing, false).await;
        add(&app, &owner, "desk", Role::OfficeManager, true).await;
        let lost_id = add(&app, &owner, "lost", Role::Staff, false).await;
        let request_id = ask_for_reset(&app, &owner, &lost_id).await;
        let mut locked = log_in(&app, "desk").await;
        let profile = [("first_name", "Nina"), ("last_name", "Cole"), ("pin", "4711")];
        assert!(!locked.post(Client::Wasm, "/api/update_profile", &profile).await.is_refused());
        app.wait(Duration::from_mins(6));

        app.step_up(&mut owner).await;
        app.enable_by_sms(&mut owner, "+12025550101").await;
        Self { app, owner, member_id, lost_id, request_id, locked }
    }

    /// The browsers of everybody, by the heading of their column. Who may do something to the others comes last, for it is
    /// done.
    async fn everybody(&self) -> Vec<(&'static str, Actor)> {
        let stranger = self.app.provider("stranger").await;
        vec![
            ("nobody", self.app.anon()),
            ("password only", log_in(&self.app, "owner").await),
            ("must enrol", log_in(&self.app, "late").await),
            ("locked", self.locked.clone()),
            ("member", log_in(&self.app, "member").await),
            ("another's administrator", self.app.browser_of(&stranger)),
            ("administrator", self.app.browser_of(&self.owner)),
        ]
    }

    /// Asks for everything that there is, as the `number`th visitor.
    async fn crawl(&self, number: usize, browser: &Actor) -> Vec<Asked> {
        let mut all = Vec::new();
        for path in pages() {
            let answer = browser.clone().get(&path.replace(":id", &self.member_id)).await;
            all.push(Asked::new(path, answer, &self.member_id));
        }
        for path in app::sheets() {
            let address = path.replace(":id", &self.member_id);
            let answer = browser.clone().post(Client::Wasm, LOAD_SHEET, &[("address", &address)]).await;
            all.push(Asked::new(&format!("{LOAD_SHEET} {path}"), answer, &self.member_id));
        }
        let newcomer = Newcomer::new(number);
        let mut kept = browser.clone();
        for function in functions() {
            let fields = self.fields(function, &newcomer);
            let mut fresh = browser.clone();
            let browser = if LAST.contains(&function) { &mut kept } else { &mut fresh };
            let answer = browser.post(Client::Wasm, function, &fields).await;
            all.push(Asked::new(function, answer, &self.member_id));
        }
        all
    }

    /// The fields that most functions have use for, so that their answer is about who asks. Each reads those that it knows.
    fn fields<'a>(&'a self, function: &str, newcomer: &'a Newcomer) -> Vec<(&'static str, &'a str)> {
        let mut fields = vec![
            ("member", self.member_id.as_str()),
            ("request", &self.request_id),
            ("practice_name", "Another practice"),
            ("first_name", "Nora"),
            ("last_name", "Cole"),
            ("username", &newcomer.username),
            ("email", &newcomer.email),
            ("cell_phone", &newcomer.phone),
            ("phone", &newcomer.other_phone),
            ("name", "late"),
            ("password", PASSWORD),
            ("current_password", PASSWORD),
            ("new_password", NEW_PASSWORD),
            ("confirmation", NEW_PASSWORD),
            ("channel", "sms"),
            ("role", "nurse"),
            ("reason", "Lost"),
            ("years", "7"),
            ("sms", "five-minutes"),
            ("idle", "15"),
            ("lock", "5"),
            ("act", "save"),
        ];
        fields.extend(["provider", "office_manager", "nurse", "billing", "staff"].map(|role| (role, "optional")));
        // A code works once, so only one function gets one.
        fields.extend((function == "/api/decide_reset").then(|| ("token", self.owner.recovery_codes[0].as_str())));
        fields
    }
}

/// Somebody whom no other visitor adds or signs up.
struct Newcomer {
    username: String,
    email: String,
    phone: String,
    other_phone: String,
}

impl Newcomer {
    fn new(number: usize) -> Self {
        let username = format!("newcomer-{number}");
        Self {
            email: format!("{username}@newcomers.test"),
            username,
            phone: format!("+1202555018{number}"),
            other_phone: format!("+1202555019{number}"),
        }
    }
}

fn administrator(person: &Person) -> Administrator<'_> {
    person.signed_in.administrator().expect("an administrator")
}

pub(crate) async fn log_in(app: &TestApp, name: &str) -> Actor {
    let mut browser = app.anon();
    browser.get("/login").await;
    let answer = browser.post(Client::Wasm, "/api/log_in", &[("name", name), ("password", PASSWORD)]).await;
    assert!(!answer.is_refused(), "{answer:?}");
    browser
}

async fn add(app: &TestApp, owner: &Person, username: &str, role: Role, manages_accounts: bool) -> String {
    let new = NewMember {
        first_name: "Nina".into(),
        last_name: "Cole".into(),
        email: format!("{username}@elsewhere.test"),
        username: username.into(),
        password: PASSWORD.into(),
        cell_phone: "+12025550177".into(),
        role: role.name().into(),
        manages_accounts,
    };
    staff::add(&app.authority, administrator(owner), &visitor(), new).await.expect("a member")
}

/// Somebody lost a phone, and an administrator asks for the reset.
async fn ask_for_reset(app: &TestApp, owner: &Person, id: &str) -> String {
    let (authority, administrator, visitor) = (&app.authority, administrator(owner), visitor());
    staff::enable_two_factor(authority, administrator, &visitor, id, PASSWORD.into()).await.expect("enabled");
    four_eyes::ask(authority, administrator, &visitor, id, "Lost", PASSWORD.into(), "").await.expect("asked");
    four_eyes::waiting(authority, administrator).await.expect("a database").remove(0).id
}

/// All that is asked for by its address.
fn pages() -> impl Iterator<Item = &'static str> {
    app::paths().chain(OTHERS)
}

/// All server functions but the one that has a line for each of its pages.
fn functions() -> Vec<&'static str> {
    let mut functions: Vec<_> = server_fn::axum::server_fn_paths().map(|(path, _)| path).collect();
    functions.retain(|path| *path != LOAD_SHEET);
    functions.sort_by_key(|path| (LAST.iter().position(|last| last == path), *path));
    functions
}

/// Something that was asked for, and what came of it.
struct Asked {
    what: String,
    answer: Answer,
    /// The status, and where it leads.
    outcome: String,
}

impl Asked {
    fn new(what: &str, answer: Answer, member_id: &str) -> Self {
        let status = answer.status.as_u16();
        let leads_to = answer.leads_to().replace(member_id, ":id");
        let outcome =
            if answer.headers.contains_key(LOCATION) { format!("{status} {leads_to}") } else { status.to_string() };
        Self { what: what.to_owned(), answer, outcome }
    }
}

/// A line of the table, its cells as wide as their columns.
fn line<'a>(first: &str, cells: impl Iterator<Item = &'a str>) -> String {
    let mut line = format!("{first:<42}");
    for cell in cells {
        // Writing to a text does not fail.
        let _ = write!(line, "  {cell:<25}");
    }
    line.trim_end().to_owned() + "\n"
}

async fn table() -> String {
    let town = Town::new().await;
    let (mut names, mut columns) = (Vec::new(), Vec::new());
    for (number, (name, browser)) in town.everybody().await.into_iter().enumerate() {
        names.push(name);
        columns.push(town.crawl(number, &browser).await);
    }
    let mut table = line("", names.into_iter());
    for (row, asked) in columns[0].iter().enumerate() {
        table += &line(&asked.what, columns.iter().map(|column| column[row].outcome.as_str()));
    }
    table
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

/// Whoever is stopped gets what nobody in particular gets too, the way to the one page that lets them go on, and what is
/// `open` to them. What leads away tells nothing of the practice.
async fn assert_stopped(town: &Town, browser: &Actor, leads_to: &str, open: &[&str]) {
    let nobody = town.crawl(0, &town.app.anon()).await;
    let stopped = town.crawl(1, browser).await;
    for (asked, nobodys) in stopped.iter().zip(&nobody) {
        let (what, answer) = (asked.what.as_str(), &asked.answer);
        let is_led = answer.leads_to() == leads_to;
        assert!(is_led || asked.outcome == nobodys.outcome || open.contains(&what), "{what}: {}", asked.outcome);
        let tells = ["Nina", "555", "@elsewhere"].iter().any(|text| answer.body.contains(text));
        assert!(!(is_led && tells), "{what} tells something: {}", answer.body);
    }
}

#[tokio::test]
async fn who_must_enrol_reaches_set_up_help_and_the_way_out_alone() {
    let town = Town::new().await;
    let late = log_in(&town.app, "late").await;
    // Set-up, and what it asks first.
    let open = [
        "/login/enrol",
        "/api/load_sheet /login/enrol",
        "/account/step-up",
        "/account/security/phone",
        "/account/security/authenticator",
        "/account/security/recovery-codes",
        "/api/load_step_up",
        "/api/load_phone",
        "/api/load_authenticator",
        "/api/load_recovery_codes",
        "/api/confirm_identity",
        "/api/send_token",
        "/api/begin_enrolment",
        "/api/enable_two_factor",
        "/api/confirm_phone",
        "/api/resend_code",
        "/api/cancel_phone",
        "/api/add_app",
        "/api/confirm_app",
        "/api/cancel_app",
        "/api/acknowledge_recovery_codes",
        "/api/stay",
    ];
    assert_stopped(&town, &late, "/login/enrol", &open).await;
}

#[tokio::test]
async fn a_locked_screen_opens_by_the_pin_and_shows_help_and_the_way_out_alone() {
    let town = Town::new().await;
    let open = ["/locked", "/api/load_sheet /locked", "/api/unlock"];
    assert_stopped(&town, &town.locked, "/locked", &open).await;
}
