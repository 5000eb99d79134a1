use authority::audit_trail::{self, Applied, Compared, Fault, Filter, Finding, Hash, RetentionError, Verdict};
use authority::{sessions, sign_in};
use sqlx::AssertSqlSafe;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::task::JoinSet;
use trail::export::{Header, Line, Mark, Stream};

use crate::support::{Actor, PASSWORD, PHONE, World, on_both_databases, reopen_with, visitor};

/// Event, actor, address, factor, session, request.
type Row = (String, String, String, Option<String>, Option<String>, String);

on_both_databases!(
    rows_are_never_changed_or_deleted,
    a_row_says_who_what_where_and_nothing_secret,
    a_skipped_step_is_written_down,
    every_altered_column_of_every_row_is_named,
    every_missing_row_is_named,
    every_altered_or_missing_link_is_named,
    two_rows_or_links_exchanged_are_named,
    a_tail_that_was_cut_off_is_missing,
    a_chain_computed_anew_is_found_by_the_key,
    a_chain_begun_anew_is_found_by_the_key,
    what_was_altered_before_it_was_sealed_is_never_sealed,
    a_value_that_no_release_writes_is_named,
    rows_of_an_older_release_are_sealed_as_they_are,
    writers_and_two_sealers_make_one_chain,
    heads_are_signed_every_hour_and_with_an_export,
    pages_show_every_event_once_newest_first,
    nobody_reads_another_practices_trail,
    everybody_reads_what_is_about_them_alone,
    a_trail_is_kept_for_six_years_at_least,
    what_is_older_than_the_practice_keeps_is_removed_and_the_rest_verifies,
    every_altered_column_that_retention_left_is_named,
    every_row_and_link_that_retention_left_is_named,
    without_the_key_no_trail_begins_later,
    the_database_lets_go_what_retention_marked_and_nothing_else,
    of_a_trail_that_is_not_whole_nothing_is_removed,
    processes_that_remove_at_once_remove_what_is_old_once,
);

async fn rows_are_never_changed_or_deleted(world: World) {
    let _ada = world.provider("ada", PHONE).await;
    let rows = world.number("SELECT COUNT(*) FROM audit").await;
    assert!(rows > 0);
    assert!(world.run("UPDATE audit SET event = 'nothing'").await.is_err());
    assert!(world.run("DELETE FROM audit").await.is_err());
    assert_eq!(world.number("SELECT COUNT(*) FROM audit WHERE event <> 'nothing'").await, rows);
}

async fn a_row_says_who_what_where_and_nothing_secret(world: World) {
    let (mut ada, codes) = world.enrolled("ada", PHONE).await;
    let totp = ada.add_app().await;
    let token = totp.token_at(world.authority.now()).expose_digits().to_owned();
    let opened = ada.sign_in_with(&token).await.unwrap();
    let account_id = ada.signed_in().await.account_id().to_owned();
    let rows: Vec<Row> = sqlx::query_as("SELECT event, actor_id, address, factor, session_id, request_id FROM audit")
        .fetch_all(&world.pool)
        .await
        .unwrap();
    assert!(rows.iter().all(|row| row.2 == "192.0.2.1" && row.5 == "test" && row.1 == account_id));
    assert!(rows.iter().any(|row| row.0 == "signed-in" && row.3.as_deref() == Some("totp")));
    let text = format!("{rows:?}");
    for secret in [PASSWORD, &token, &codes[0], opened.session.expose(), PHONE] {
        assert!(!text.contains(secret));
    }
}

async fn a_skipped_step_is_written_down(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let challenge = ada.challenge().await;
    sign_in::note_skipped_step(&world.authority, &visitor(), &challenge).await.unwrap();
    assert_eq!(world.events("step-skipped").await, 1);
}

/// A trail of two practices, all sealed; the first has these places, from the first that is there to the last.
struct Trail {
    world: World,
    practice_id: String,
    first: i64,
    rows: i64,
}

const DAY: i64 = 24 * 60 * 60;
const YEAR: i64 = 365 * DAY;
/// So many days more than ten years at most.
const TEN_LEAP_DAYS: i64 = 11 * DAY;
/// A bit more than six years.
const SIX_YEARS: i64 = 6 * YEAR + 7 * DAY;

impl Trail {
    async fn of(world: World) -> Self {
        let ada = world.provider("ada", PHONE).await;
        let _bob = world.provider("bob", "+12025550177").await;
        let practice_id = ada.signed_in().await.practice_id().to_owned();
        for _ in 0..3 {
            world.advance(1);
            fail_password(&ada).await;
        }
        let rows = audit_trail::seal(&world.authority).await.unwrap();
        assert!(rows.blocked.is_empty());
        let trail = Self { first: 1, rows: 0, practice_id, world };
        let rows = trail.number("SELECT COUNT(*) FROM audit WHERE practice_id = '{practice}'").await;
        let trail = Self { rows, ..trail };
        for verdict in trail.verdicts().await {
            assert_eq!(verdict, Verdict::Unbroken { rows, removed: 0 });
        }
        trail.unguard().await;
        trail
    }

    /// The same, seven years later: the first rows are removed, and there are some new ones.
    async fn pruned(world: World) -> Self {
        let trail = Self::guarded_and_pruned(world).await;
        trail.unguard().await;
        trail
    }

    async fn guarded_and_pruned(world: World) -> Self {
        let ada = world.provider("ada", PHONE).await;
        let _bob = world.provider("bob", "+12025550177").await;
        let practice_id = ada.signed_in().await.practice_id().to_owned();
        fail_password(&ada).await;
        let trail = Self { first: 1, rows: 0, practice_id, world };
        assert!(audit_trail::seal(&trail.world.authority).await.unwrap().blocked.is_empty());
        let removed = trail.last_seq().await;
        trail.world.advance(SIX_YEARS);
        fail_password(&actor(&trail.world).await).await;
        let applied = audit_trail::apply_retention(&trail.world.authority).await.unwrap();
        assert!(applied.removed > removed && applied.blocked.is_empty(), "bob's practice too: {applied:?}");
        let trail = Self { first: removed + 1, ..trail };
        let left = trail.number("SELECT COUNT(*) FROM audit WHERE practice_id = '{practice}'").await;
        let trail = Self { rows: removed + left, ..trail };
        for verdict in trail.verdicts().await {
            assert_eq!(verdict, Verdict::Unbroken { rows: left, removed });
        }
        trail
    }

    async fn last_seq(&self) -> i64 {
        self.number("SELECT seq FROM audit_chain WHERE practice_id = '{practice}'").await
    }

    /// What an attacker does first.
    async fn unguard(&self) {
        let sqlite = [
            "audit_no_update",
            "audit_delete_old",
            "audit_link_no_update",
            "audit_link_delete_old",
            "audit_head_no_update",
            "audit_head_delete_old",
            "audit_mark_insert_old",
            "audit_mark_update_forward",
            "audit_mark_no_delete",
        ];
        let postgres = [
            ("audit", ["audit_no_change", "audit_delete_old"]),
            ("audit_link", ["audit_link_no_change", "audit_link_delete_old"]),
            ("audit_head", ["audit_head_no_change", "audit_head_delete_old"]),
            ("audit_mark", ["audit_mark_forward", "audit_mark_no_delete"]),
        ];
        if self.world.url.starts_with("sqlite:") {
            for trigger in sqlite {
                self.run(&format!("DROP TRIGGER {trigger}")).await;
            }
        } else {
            for (table, triggers) in postgres {
                for trigger in triggers {
                    self.run(&format!("DROP TRIGGER {trigger} ON {table}")).await;
                }
            }
        }
    }

    fn sql(&self, sql: &str) -> AssertSqlSafe<String> {
        AssertSqlSafe(sql.replace("{practice}", &self.practice_id))
    }

    async fn run(&self, sql: &str) {
        sqlx::query(self.sql(sql)).execute(&self.world.pool).await.unwrap();
    }

    async fn number(&self, sql: &str) -> i64 {
        sqlx::query_scalar(self.sql(sql)).fetch_one(&self.world.pool).await.unwrap()
    }

    async fn text(&self, sql: &str) -> String {
        sqlx::query_scalar(self.sql(sql)).fetch_one(&self.world.pool).await.unwrap()
    }

    async fn row_id(&self, seq: i64) -> String {
        self.text(&format!("SELECT audit_id FROM audit_link WHERE practice_id = '{{practice}}' AND seq = {seq}")).await
    }

    async fn verify(&self) -> Verdict {
        audit_trail::verify(&self.world.authority, &self.practice_id).await.unwrap()
    }

    async fn export(&self) -> String {
        let authority = &self.world.authority;
        let mut export = audit_trail::export(authority, &self.practice_id).await.unwrap().expect("the practice");
        let mut text = String::new();
        while let Some(lines) = export.next_lines(authority).await.unwrap() {
            text.push_str(&lines);
        }
        text
    }

    /// In the database, and of an export without the key.
    async fn verdicts(&self) -> [Verdict; 2] {
        let mut stream = Stream::default();
        stream.push(&self.export().await);
        [self.verify().await, stream.finish().unwrap().0]
    }

    /// Both verifiers name that place.
    async fn expect(&self, faults: &[Fault], seq: i64, what: &str) {
        for verdict in self.verdicts().await {
            let Verdict::Broken(finding) = &verdict else { panic!("{what}: {verdict}") };
            assert!(faults.contains(&finding.fault) && finding.seq == seq, "{what}: {finding:?}");
        }
    }
}

async fn fail_password(actor: &Actor<'_>) {
    let step = sign_in::with_password(&actor.world.authority, &visitor(), &actor.username, "wrong".into(), None).await;
    assert!(step.is_err());
}

fn broken(fault: Fault, seq: i64, row_id: &str) -> Verdict {
    Verdict::Broken(Finding { fault, seq, row_id: Some(row_id.to_owned()) })
}

async fn every_altered_column_of_every_row_is_named(world: World) {
    alter_columns(Trail::of(world).await).await;
}

async fn alter_columns(trail: Trail) {
    let bobs = trail.text("SELECT id FROM practice WHERE id <> '{practice}'").await;
    let bobs = format!("'{bobs}'");
    // Column, what is written, and what was there.
    let alterations = [
        ("practice_id", bobs.as_str()),
        ("at", "at + 1"),
        ("event", "event || 'x'"),
        ("event", "''"),
        ("actor_id", "actor_id || 'x'"),
        ("subject_id", "subject_id || 'x'"),
        ("factor", "COALESCE(factor, '') || 'x'"),
        ("factor", "''"),
        ("address", "'198.51.100.1'"),
        ("session_id", "COALESCE(session_id, '') || 'x'"),
        ("session_id", "''"),
        ("request_id", "''"),
        // What stands between values when many rows are read as one text.
        ("factor", "'-'"),
        ("event", "event || '\u{1f}'"),
        ("event", "event || '\u{1e}'"),
        ("removed_to", "COALESCE(removed_to, 0) + 1"),
        ("removed_to", "CASE WHEN removed_to IS NULL THEN 0 END"),
        ("mac", "NULL"),
        ("mac", "hash"),
    ];
    for seq in trail.first..=trail.rows {
        let id = trail.row_id(seq).await;
        for (column, value) in alterations {
            let value =
                if value == "hash" { "(SELECT hash FROM audit_chain WHERE practice_id = '{practice}')" } else { value };
            trail.run("CREATE TABLE kept AS SELECT * FROM audit").await;
            trail.run(&format!("UPDATE audit SET {column} = {value} WHERE id = '{id}'")).await;
            let what = format!("{column} of row {seq}: {value}");
            trail.expect(&[Fault::Altered], seq, &what).await;
            assert_eq!(trail.verify().await, broken(Fault::Altered, seq, &id), "{what}");
            trail
                .run(&format!(
                    "UPDATE audit SET {column} = (SELECT {column} FROM kept WHERE kept.id = audit.id) WHERE id = '{id}'"
                ))
                .await;
            trail.run("DROP TABLE kept").await;
        }
        trail.run(&format!("UPDATE audit SET id = 'another' WHERE id = '{id}'")).await;
        trail.expect(&[Fault::Missing], seq, "id").await;
        trail.run(&format!("UPDATE audit SET id = '{id}' WHERE id = 'another'")).await;
    }
    assert!(trail.verify().await.is_unbroken());
}

async fn every_missing_row_is_named(world: World) {
    remove_rows(Trail::of(world).await).await;
}

async fn remove_rows(trail: Trail) -> Trail {
    for seq in trail.first..=trail.rows {
        let id = trail.row_id(seq).await;
        trail.run(&format!("CREATE TABLE kept AS SELECT * FROM audit WHERE id = '{id}'")).await;
        trail.run(&format!("DELETE FROM audit WHERE id = '{id}'")).await;
        trail.expect(&[Fault::Missing], seq, "a row").await;
        assert_eq!(trail.verify().await, broken(Fault::Missing, seq, &id));
        trail.run("INSERT INTO audit SELECT * FROM kept").await;
        trail.run("DELETE FROM audit_unsealed").await;
        trail.run("DROP TABLE kept").await;
    }
    assert!(trail.verify().await.is_unbroken());
    trail
}

async fn every_altered_or_missing_link_is_named(world: World) {
    alter_links(Trail::of(world).await).await;
}

async fn alter_links(trail: Trail) {
    for seq in trail.first..=trail.rows {
        let id = trail.row_id(seq).await;
        let of = format!("WHERE practice_id = '{{practice}}' AND seq = {seq}");
        trail.run("CREATE TABLE kept AS SELECT * FROM audit_link").await;
        let back = "INSERT INTO audit_link SELECT * FROM kept";

        trail
            .run(&format!(
                "UPDATE audit_link SET hash = (SELECT mac FROM audit_chain WHERE practice_id = '{{practice}}') {of}"
            ))
            .await;
        trail.expect(&[Fault::Altered], seq, "a hash").await;
        assert_eq!(trail.verify().await, broken(Fault::Altered, seq, &id));

        trail.run(&format!("DELETE FROM audit_link {of}")).await;
        trail.expect(&[Fault::Missing], seq, "a link").await;
        // Its row too.
        trail.run("CREATE TABLE kept_rows AS SELECT * FROM audit").await;
        trail.run(&format!("DELETE FROM audit WHERE id = '{id}'")).await;
        trail.expect(&[Fault::Missing], seq, "a link with its row").await;
        trail.run(&format!("INSERT INTO audit SELECT * FROM kept_rows WHERE id = '{id}'")).await;
        trail.run("DELETE FROM audit_unsealed").await;
        trail.run("DROP TABLE kept_rows").await;
        trail.run("DELETE FROM audit_link").await;
        trail.run(back).await;

        trail.run(&format!("UPDATE audit_link SET seq = seq + 1000 {of}")).await;
        trail.expect(&[Fault::Missing], seq, "a place").await;
        trail.run("DELETE FROM audit_link").await;
        trail.run(back).await;
        trail.run("DROP TABLE kept").await;
    }
    assert!(trail.verify().await.is_unbroken());

    // One more than there should be.
    let last = trail.rows;
    trail
        .run(&format!(
            "INSERT INTO audit_link SELECT practice_id, seq + 1, 'another', hash FROM audit_link
             WHERE practice_id = '{{practice}}' AND seq = {last}"
        ))
        .await;
    assert_eq!(trail.verify().await, broken(Fault::Missing, last + 1, "another"));
}

async fn two_rows_or_links_exchanged_are_named(world: World) {
    exchange_rows(Trail::of(world).await).await;
}

async fn exchange_rows(trail: Trail) -> Trail {
    for seq in trail.first..=trail.rows {
        for other in seq + 1..=trail.rows {
            let (one, two) = (trail.row_id(seq).await, trail.row_id(other).await);
            let exchange = |table: &str, column: &str, one: &str, two: &str| {
                let step = |from: &str, to: &str| format!("UPDATE {table} SET {column} = {to} WHERE {column} = {from}");
                let mine = if column == "seq" { " AND practice_id = '{practice}'" } else { "" };
                let away = if column == "seq" { "-1" } else { "'away'" };
                [step(one, away) + mine, step(two, one) + mine, step(away, two) + mine]
            };
            let (one, two) = (format!("'{one}'"), format!("'{two}'"));
            for (what, statements, fault) in [
                ("rows", exchange("audit", "id", &one, &two), Fault::Altered),
                ("the rows of links", exchange("audit_link", "audit_id", &one, &two), Fault::Reordered),
                ("links", exchange("audit_link", "seq", &seq.to_string(), &other.to_string()), Fault::Altered),
            ] {
                for statement in &statements {
                    trail.run(statement).await;
                }
                trail.expect(&[fault], seq, &format!("{what} {seq} and {other}")).await;
                for statement in &statements {
                    trail.run(statement).await;
                }
            }
        }
    }
    assert!(trail.verify().await.is_unbroken());
    trail
}

async fn a_tail_that_was_cut_off_is_missing(world: World) {
    let trail = Trail::of(world).await;
    let of = "WHERE practice_id = '{practice}'";
    for left in (0..trail.rows).rev() {
        trail
            .run(&format!("DELETE FROM audit WHERE id IN (SELECT audit_id FROM audit_link {of} AND seq > {left})"))
            .await;
        trail.expect(&[Fault::Missing], left + 1, "rows without their links").await;
        trail.run(&format!("DELETE FROM audit_link {of} AND seq > {left}")).await;
        trail.expect(&[Fault::Missing], left + 1, "rows and links").await;
    }
    // With the end set back to the beginning, and without the heads, only the key tells.
    trail.run(&format!("DELETE FROM audit_head {of}")).await;
    trail.run(&format!("UPDATE audit_chain SET seq = 0 {of}")).await;
    let [verdict, of_export] = trail.verdicts().await;
    assert_eq!(verdict, Verdict::Broken(Finding { fault: Fault::Rewritten, seq: 0, row_id: None }));
    assert!(!of_export.is_unbroken(), "nothing signs an end that the server did not write");
}

/// Computes the hashes of every link anew, and the end, as whoever knows the format can.
async fn link_anew(trail: &Trail) {
    let text = trail.export().await;
    let mut hash = Hash::beginning(&trail.practice_id);
    let mut seq = 0;
    for line in text.lines() {
        let Ok(Line::Row(sealed)) = Line::parse(line) else { continue };
        hash = hash.then(&sealed.columns);
        seq += 1;
        sqlx::query("UPDATE audit_link SET seq = $1, hash = $2 WHERE audit_id = $3")
            .bind(seq)
            .bind(hash.to_string())
            .bind(&sealed.columns.id)
            .execute(&trail.world.pool)
            .await
            .unwrap();
    }
    sqlx::query("UPDATE audit_chain SET seq = $1, hash = $2 WHERE practice_id = $3")
        .bind(seq)
        .bind(hash.to_string())
        .bind(&trail.practice_id)
        .execute(&trail.world.pool)
        .await
        .unwrap();
}

async fn a_chain_computed_anew_is_found_by_the_key(world: World) {
    let trail = Trail::of(world).await;
    let id = trail.row_id(2).await;
    trail.run(&format!("UPDATE audit SET event = 'nothing' WHERE id = '{id}'")).await;
    link_anew(&trail).await;
    assert_eq!(trail.verify().await, broken(Fault::Forged, 2, &id));
    assert_eq!(audit_trail::seal(&trail.world.authority).await.unwrap().sealed, 0);

    // Without the row every other one is genuine, but the end and the head are not.
    trail.run(&format!("DELETE FROM audit_link WHERE audit_id = '{id}'")).await;
    trail.run(&format!("DELETE FROM audit WHERE id = '{id}'")).await;
    link_anew(&trail).await;
    let Verdict::Broken(finding) = trail.verify().await else { panic!("unbroken") };
    assert!(matches!(finding.fault, Fault::Missing | Fault::Rewritten), "{finding:?}");
    trail.run("DELETE FROM audit_head").await;
    let rewritten = Finding { fault: Fault::Rewritten, seq: trail.rows - 1, row_id: None };
    assert_eq!(trail.verify().await, Verdict::Broken(rewritten));
    let of_export = trail.verdicts().await[1].clone();
    assert!(!of_export.is_unbroken(), "an end that the server did not write is not signed");

    // Nor is anything built on it.
    trail.world.run("INSERT INTO audit_unsealed SELECT practice_id, at, id, NULL FROM audit").await.unwrap();
    let blocked = audit_trail::seal(&trail.world.authority).await.unwrap().blocked;
    assert!(blocked.contains(&trail.practice_id));
}

async fn a_chain_begun_anew_is_found_by_the_key(world: World) {
    let trail = Trail::of(world).await;
    let id = trail.row_id(2).await;
    for table in ["audit_link", "audit_head", "audit_chain", "audit_unsealed", "audit"] {
        let which = if table == "audit" { format!("WHERE id = '{id}'") } else { String::new() };
        trail.run(&format!("DELETE FROM {table} {which}")).await;
    }
    let found = trail.verify().await;
    assert_eq!(found, Verdict::Broken(Finding { fault: Fault::Rewritten, seq: 0, row_id: None }));
    // With the key of the trail gone too, a new start makes another, which no row fits.
    trail.run("DELETE FROM sealed_key WHERE name = 'audit'").await;
    let authority = reopen_with(&trail.world, &trail.world.keys).await.unwrap();
    let verdict = audit_trail::verify(&authority, &trail.practice_id).await.unwrap();
    let Verdict::Broken(Finding { fault: Fault::Unsealed, .. }) = verdict else { panic!("{verdict}") };
}

async fn what_was_altered_before_it_was_sealed_is_never_sealed(world: World) {
    let trail = Trail::of(world).await;
    let ada = actor(&trail.world).await;
    for (what, statement) in [
        ("altered", "UPDATE audit SET event = 'nothing' WHERE id = '{row}'"),
        ("stripped", "UPDATE audit SET mac = NULL WHERE id = '{row}'"),
        ("removed", "DELETE FROM audit WHERE id = '{row}'"),
    ] {
        fail_password(&ada).await;
        fail_password(&ada).await;
        let id =
            trail.text("SELECT audit_id FROM audit_unsealed WHERE refused_at IS NULL ORDER BY audit_id LIMIT 1").await;
        trail.run(&statement.replace("{row}", &id)).await;
        assert_eq!(audit_trail::seal(&trail.world.authority).await.unwrap().sealed, 1, "the other row");
        assert_eq!(trail.verify().await, broken(Fault::Unsealed, 0, &id), "{what}");
        // Also if nothing waits for the sealer any more.
        if what == "removed" {
            trail.run("DELETE FROM audit_unsealed").await;
            assert!(trail.verify().await.is_unbroken(), "nothing is left to tell of it");
        } else {
            trail.run("DELETE FROM audit_unsealed").await;
            assert_eq!(trail.verify().await, broken(Fault::Unsealed, 0, &id), "{what}");
            trail.run(&format!("DELETE FROM audit WHERE id = '{id}'")).await;
        }
    }
    // A row of somebody else's making.
    trail
        .run(
            "INSERT INTO audit (id, practice_id, at, event, actor_id, subject_id, address, request_id)
             VALUES ('forged', '{practice}', 0, 'signed-in', '', '', '', '')",
        )
        .await;
    assert_eq!(trail.verify().await, broken(Fault::Unsealed, 0, "forged"));
}

async fn actor(world: &World) -> Actor<'_> {
    let opened = match sign_in::with_password(&world.authority, &visitor(), "ada", PASSWORD.into(), None).await {
        Ok(sign_in::PasswordStep::SignedIn(opened)) => opened,
        other => panic!("{other:?}"),
    };
    audit_trail::seal(&world.authority).await.unwrap();
    Actor { world, username: "ada".into(), phone: PHONE.into(), opened }
}

async fn a_value_that_no_release_writes_is_named(world: World) {
    let trail = Trail::of(world).await;
    let id = trail.row_id(1).await;
    if trail.world.url.starts_with("sqlite:") {
        trail.run(&format!("UPDATE audit SET at = 'never' WHERE id = '{id}'")).await;
        trail.expect(&[Fault::Altered, Fault::Missing], 1, "a text in place of a number").await;
        let trail = Trail::of(World::sqlite().await).await;
        let id = trail.row_id(2).await;
        trail.run(&format!("UPDATE audit SET event = CAST(event AS BLOB) WHERE id = '{id}'")).await;
        assert_eq!(trail.verify().await, broken(Fault::Altered, 2, &id), "the same bytes, and no text");
    } else {
        trail.run("UPDATE audit_link SET hash = '' WHERE seq = 1").await;
        trail.expect(&[Fault::Altered, Fault::Missing], 1, "no hash").await;
    }
}

async fn rows_of_an_older_release_are_sealed_as_they_are(world: World) {
    let trail = Trail::of(world).await;
    for statement in [
        "DELETE FROM audit_link",
        "DELETE FROM audit_head",
        "DELETE FROM audit_chain",
        "DELETE FROM sealed_key WHERE name = 'audit'",
        "UPDATE audit SET mac = NULL",
    ] {
        trail.run(statement).await;
    }
    let authority = reopen_with(&trail.world, &trail.world.keys).await.unwrap();
    let verify = async || audit_trail::verify(&authority, &trail.practice_id).await.unwrap();
    assert_eq!(verify().await, Verdict::Unbroken { rows: trail.rows, removed: 0 });
    let insert = async |id: &str, at: i64| {
        trail
            .run(&format!(
                "INSERT INTO audit (id, practice_id, at, event, actor_id, subject_id, address, request_id)
                 VALUES ('{id}', '{{practice}}', {at}, 'signed-in', '', '', '', '')"
            ))
            .await;
    };
    // A program of that release may go on for a day.
    insert("theirs", authority.now().millis()).await;
    assert_eq!(verify().await, Verdict::Unbroken { rows: trail.rows + 1, removed: 0 });
    trail.world.advance(24 * 60 * 60);
    insert("too-late", authority.now().millis() - 1000).await;
    assert_eq!(verify().await, broken(Fault::Unsealed, 0, "too-late"));
}

async fn writers_and_two_sealers_make_one_chain(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let practice_id = ada.signed_in().await.practice_id().to_owned();
    let challenge = Arc::new(ada.challenge().await);
    let is_done = Arc::new(AtomicBool::new(false));
    let mut sealers = JoinSet::new();
    for authority in [world.replica().await, world.replica().await] {
        let is_done = Arc::clone(&is_done);
        sealers.spawn(async move {
            while !is_done.load(Ordering::SeqCst) {
                assert!(audit_trail::seal(&authority).await.unwrap().blocked.is_empty());
                tokio::task::yield_now().await;
            }
        });
    }
    let mut writers = JoinSet::new();
    for _ in 0..8 {
        let (authority, challenge) = (world.authority.clone(), Arc::clone(&challenge));
        writers.spawn(async move {
            for _ in 0..25 {
                sign_in::note_skipped_step(&authority, &visitor(), &challenge).await.unwrap();
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    is_done.store(true, Ordering::SeqCst);
    while let Some(done) = sealers.join_next().await {
        done.unwrap();
    }
    let rows = world.number("SELECT COUNT(*) FROM audit").await;
    assert!(rows > 200);
    assert_eq!(
        audit_trail::verify(&world.authority, &practice_id).await.unwrap(),
        Verdict::Unbroken { rows, removed: 0 }
    );
    assert_eq!(world.number("SELECT COUNT(*) FROM audit_unsealed").await, 0);
    assert_eq!(world.number("SELECT MAX(seq) FROM audit_link").await, rows);
}

async fn heads_are_signed_every_hour_and_with_an_export(world: World) {
    let trail = Trail::of(world).await;
    let ada = actor(&trail.world).await;
    let heads = async || trail.number("SELECT COUNT(*) FROM audit_head WHERE practice_id = '{practice}'").await;
    let before = heads().await;
    assert_eq!(before, 1, "the first sealing; its export has the same end");
    trail.world.advance(3_500);
    fail_password(&ada).await;
    audit_trail::seal(&trail.world.authority).await.unwrap();
    assert_eq!(heads().await, before);
    trail.world.advance(100);
    fail_password(&ada).await;
    audit_trail::seal(&trail.world.authority).await.unwrap();
    assert_eq!(heads().await, before + 1);
    fail_password(&ada).await;
    let mut stream = Stream::default();
    stream.push(&trail.export().await);
    assert_eq!(heads().await, before + 2);

    let header = stream.header().expect("a header").clone();
    let (_, head) = stream.finish().unwrap();
    let head = head.expect("a head");
    let (authority, practice_id) = (&trail.world.authority, trail.practice_id.as_str());
    assert!(audit_trail::has_signed(authority, &header, &head));
    assert!(!audit_trail::has_signed(authority, &Header { practice_id: "another".into(), ..header.clone() }, &head));
    assert!(!audit_trail::has_signed(authority, &header, &audit_trail::Head { at: head.at + 1, ..head.clone() }));
    let compare = async |seq| audit_trail::compare_head(authority, practice_id, seq, &head.hash).await.unwrap();
    assert_eq!(compare(head.seq).await, Compared::Same);
    assert_eq!(compare(head.seq - 1).await, Compared::Other);
    assert_eq!(compare(head.seq + 1).await, Compared::Other);
    // A head that was altered is named where it stands.
    trail.run("UPDATE audit_head SET signature = hash WHERE practice_id = '{practice}'").await;
    let Verdict::Broken(finding) = trail.verify().await else { panic!("unbroken") };
    assert_eq!((finding.fault, finding.seq), (Fault::Rewritten, trail.rows));
}

async fn pages_show_every_event_once_newest_first(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let practice_id = ada.signed_in().await.practice_id().to_owned();
    let challenge = ada.challenge().await;
    for number in 0..120 {
        // Three at a time have one moment.
        world.advance(i64::from(number % 3 == 0));
        sign_in::note_skipped_step(&world.authority, &visitor(), &challenge).await.unwrap();
    }
    let search = async |filter: &Filter| {
        let (mut entries, mut cursor, mut pages) = (Vec::new(), None, 0);
        loop {
            let page = audit_trail::search(&world.authority, &practice_id, filter, cursor.as_ref()).await.unwrap();
            assert!(page.entries.len() <= audit_trail::PAGE);
            entries.extend(page.entries);
            pages += 1;
            let Some(next) = page.next else { return (entries, pages) };
            cursor = audit_trail::Cursor::parse(&next.to_string());
            assert_eq!(cursor.as_ref(), Some(&next));
        }
    };
    let (all, _) = search(&Filter::default()).await;
    let count = usize::try_from(world.number("SELECT COUNT(*) FROM audit").await).unwrap();
    assert_eq!(all.len(), count);
    assert_eq!(all.iter().map(|entry| &entry.id).collect::<BTreeSet<_>>().len(), count);
    assert!(all.is_sorted_by(|one, next| (one.at, &one.id) > (next.at, &next.id)));
    assert!(all.iter().all(|entry| entry.actor.username.as_deref() == Some("ada") && entry.description.is_some()));

    let skipped = Filter { event: Some("step-skipped".into()), ..Filter::default() };
    let (found, pages) = search(&skipped).await;
    assert_eq!((found.len(), pages), (120, 3));
    let middle = found[60].at;
    let (since, _) = search(&Filter { from: Some(middle), ..skipped.clone() }).await;
    let (before, _) = search(&Filter { to: Some(middle), ..skipped.clone() }).await;
    assert!(since.iter().all(|entry| entry.at >= middle) && before.iter().all(|entry| entry.at < middle));
    assert_eq!(since.len() + before.len(), 120);
    let account_id = ada.signed_in().await.account_id().to_owned();
    assert_eq!(search(&Filter { account_id: Some(account_id), ..skipped.clone() }).await.0.len(), 120);
    assert_eq!(search(&Filter { account_id: Some("another".into()), ..skipped }).await.0, []);

    let names: BTreeSet<_> = audit_trail::events().into_iter().map(|event| event.name).collect();
    assert_eq!(names.len(), audit_trail::events().len());
    assert!(all.iter().all(|entry| names.contains(entry.event.as_str())));
}

async fn nobody_reads_another_practices_trail(world: World) {
    let trail = Trail::of(world).await;
    let authority = &trail.world.authority;
    let bobs = trail.text("SELECT id FROM practice WHERE id <> '{practice}'").await;
    let account_id = trail.text("SELECT id FROM account WHERE practice_id = '{practice}'").await;
    let of_ada = Filter { account_id: Some(account_id.clone()), ..Filter::default() };
    assert_eq!(audit_trail::search(authority, &bobs, &of_ada, None).await.unwrap().entries, []);
    assert_eq!(audit_trail::search(authority, "nobody", &Filter::default(), None).await.unwrap().entries, []);
    assert!(audit_trail::export(authority, "nobody").await.unwrap().is_none());
    let mut export = audit_trail::export(authority, &bobs).await.unwrap().unwrap();
    while let Some(lines) = export.next_lines(authority).await.unwrap() {
        assert!(!lines.contains(&trail.practice_id) && !lines.contains(&account_id));
    }
}

async fn everybody_reads_what_is_about_them_alone(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let bob = world.provider("bob", "+12025550177").await;
    fail_password(&bob).await;
    let challenge = ada.challenge().await;
    for _ in 0..60 {
        world.advance(1);
        sign_in::note_skipped_step(&world.authority, &visitor(), &challenge).await.unwrap();
    }
    let signed_in = ada.signed_in().await;
    let (mut entries, mut cursor) = (Vec::new(), None);
    loop {
        let page = audit_trail::about(&world.authority, &signed_in, cursor.as_ref()).await.unwrap();
        assert!(page.entries.len() <= audit_trail::PAGE);
        entries.extend(page.entries);
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert!(entries.is_sorted_by(|one, next| (one.at, &one.id) > (next.at, &next.id)));
    assert!(entries.iter().all(|entry| entry.subject.id == signed_in.account_id()));
    let adas =
        world.number("SELECT COUNT(*) FROM audit WHERE subject_id = (SELECT id FROM account WHERE username = 'ada')");
    assert_eq!(i64::try_from(entries.len()).unwrap(), adas.await);
    // A sign-in names the session that it opened.
    let sessions = sessions::list(&world.authority, &signed_in).await.unwrap();
    let opened = entries.iter().find(|entry| entry.event == "signed-in").expect("a sign-in");
    assert!(sessions.iter().any(|session| Some(&session.id) == opened.session_id.as_ref()));
}

async fn a_trail_is_kept_for_six_years_at_least(world: World) {
    let ada = world.provider("ada", PHONE).await;
    let signed_in = ada.signed_in().await;
    let administrator = signed_in.administrator().expect("who made the practice");
    let set = async |years| audit_trail::set_retention_years(&world.authority, administrator, &visitor(), years).await;
    assert_eq!(audit_trail::retention_years(&world.authority, signed_in.practice_id()).await.unwrap(), 6);
    assert_eq!(set(5).await, Err(RetentionError::InvalidYears));
    assert_eq!(set(10).await, Ok(()));
    assert_eq!(audit_trail::retention_years(&world.authority, signed_in.practice_id()).await.unwrap(), 10);
    assert_eq!(world.events("audit-retention-changed").await, 1);

    let apply = async || audit_trail::apply_retention(&world.authority).await.unwrap();
    audit_trail::seal(&world.authority).await.unwrap();
    world.advance(10 * YEAR);
    assert_eq!(apply().await, Applied::default());
    world.advance(TEN_LEAP_DAYS);
    let applied = apply().await;
    assert!(applied.removed > 0 && applied.blocked.is_empty());
}

async fn what_is_older_than_the_practice_keeps_is_removed_and_the_rest_verifies(world: World) {
    let trail = Trail::guarded_and_pruned(world).await;
    let authority = &trail.world.authority;
    assert_eq!(audit_trail::apply_retention(authority).await.unwrap(), Applied::default());
    assert_eq!(trail.world.events("audit-retention-applied").await, 2, "of each practice");
    let removed_to = "SELECT removed_to FROM audit WHERE practice_id = '{practice}' AND removed_to IS NOT NULL";
    assert_eq!(trail.number(removed_to).await, trail.first - 1);
    for table in ["audit_link", "audit_head"] {
        let first = trail.number(&format!("SELECT MIN(seq) FROM {table} WHERE practice_id = '{{practice}}'")).await;
        assert!(first >= trail.first, "{table}");
    }
    let page = audit_trail::search(authority, &trail.practice_id, &Filter::default(), None).await.unwrap();
    assert_eq!(i64::try_from(page.entries.len()).unwrap(), trail.rows - trail.first + 1);

    let mut stream = Stream::default();
    stream.push(&trail.export().await);
    let header = stream.header().expect("a header").clone();
    let head = stream.finish().unwrap().1.expect("a head");
    assert!(audit_trail::has_signed(authority, &header, &head));
    let mark = header.mark.clone().expect("a mark");
    let later = Header { mark: Some(Mark { at: mark.at + 1, ..mark.clone() }), ..header.clone() };
    assert!(!audit_trail::has_signed(authority, &later, &head));
    assert!(!audit_trail::has_signed(authority, &Header { from_seq: header.from_seq + 1, ..header.clone() }, &head));
    let compare = async |seq| audit_trail::compare_head(authority, &trail.practice_id, seq, &header.previous).await;
    assert_eq!(compare(trail.first - 2).await.unwrap(), Compared::Removed);
    assert_eq!(compare(trail.first - 1).await.unwrap(), Compared::Same);
    assert_eq!(compare(trail.first).await.unwrap(), Compared::Other);

    // As the rest grows old, the chain begins later, and what told of the first removal goes with it.
    trail.world.advance(SIX_YEARS);
    let applied = audit_trail::apply_retention(authority).await.unwrap();
    assert!(applied.removed > 0 && applied.blocked.is_empty());
    for verdict in trail.verdicts().await {
        assert_eq!(verdict, Verdict::Unbroken { rows: 1, removed: trail.rows }, "the row that tells of it is left");
    }
}

async fn every_altered_column_that_retention_left_is_named(world: World) {
    alter_columns(Trail::pruned(world).await).await;
}

async fn every_row_and_link_that_retention_left_is_named(world: World) {
    let trail = Trail::pruned(world).await;
    let trail = remove_rows(trail).await;
    let trail = exchange_rows(trail).await;
    alter_links(trail).await;
}

async fn without_the_key_no_trail_begins_later(world: World) {
    let trail = Trail::pruned(world).await;
    let first = trail.first;
    let of = "WHERE practice_id = '{practice}'";
    // The head of its last export, as the database keeps it.
    let head = trail.number(&format!("SELECT MAX(seq) FROM audit_head {of}")).await;
    assert!(head > first);
    trail.run("CREATE TABLE kept_mark AS SELECT * FROM audit_mark").await;
    trail.run("CREATE TABLE kept_head AS SELECT * FROM audit_head").await;
    trail.run(&format!("DELETE FROM audit WHERE id IN (SELECT audit_id FROM audit_link {of} AND seq = {first})")).await;
    trail.run(&format!("DELETE FROM audit_link {of} AND seq = {first}")).await;
    trail.expect(&[Fault::Missing], first, "the oldest row that is left").await;
    trail.run(&format!("DELETE FROM audit_head {of}")).await;
    trail.expect(&[Fault::Missing], first, "and every head").await;

    let begun_elsewhere = Verdict::Broken(Finding { fault: Fault::Rewritten, seq: 0, row_id: None });
    let set_mark = |seq: i64, table: &str| {
        let value = |column: &str| format!("{column} = (SELECT {column} FROM {table} {of} AND seq = {seq})");
        [format!("UPDATE audit_mark SET seq = {seq} {of}"), format!("UPDATE audit_mark SET {} {of}", value("hash"))]
    };
    let next = first + 1;
    trail.run(&format!("DELETE FROM audit WHERE id IN (SELECT audit_id FROM audit_link {of} AND seq = {next})")).await;
    for statement in set_mark(next, "audit_link") {
        trail.run(&statement).await;
    }
    trail.run(&format!("DELETE FROM audit_link {of} AND seq = {next}")).await;
    let [in_database, of_export] = trail.verdicts().await;
    assert_eq!(in_database, begun_elsewhere, "a mark that nobody signed");
    assert!(!of_export.is_unbroken());

    // A head is signed too, for another purpose.
    for statement in set_mark(head, "kept_head") {
        trail.run(&statement).await;
    }
    for column in ["at", "signature"] {
        trail
            .run(&format!(
                "UPDATE audit_mark SET {column} = (SELECT {column} FROM kept_head {of} AND seq = {head}) {of}"
            ))
            .await;
    }
    let upto = format!("(SELECT audit_id FROM audit_link {of} AND seq <= {head})");
    trail.run(&format!("DELETE FROM audit WHERE id IN {upto}")).await;
    trail.run(&format!("DELETE FROM audit_link {of} AND seq <= {head}")).await;
    assert_eq!(trail.verify().await, begun_elsewhere, "a head in the place of a mark");
    let blocked = audit_trail::apply_retention(&trail.world.authority).await.unwrap();
    assert_eq!(blocked, Applied::default(), "what is left is young");

    trail.run(&format!("DELETE FROM audit_mark {of}")).await;
    let [in_database, of_export] = trail.verdicts().await;
    assert!(!in_database.is_unbroken() && !of_export.is_unbroken(), "no mark");
    trail.run(&format!("INSERT INTO audit_mark SELECT * FROM kept_mark {of}")).await;
    assert!(!trail.verify().await.is_unbroken(), "the mark that the server signed, and too few rows");
}

async fn the_database_lets_go_what_retention_marked_and_nothing_else(world: World) {
    let trail = Trail::guarded_and_pruned(world).await;
    let next = "(SELECT MIN(seq) FROM audit_link WHERE practice_id = '{practice}')";
    let its_hash = format!("(SELECT hash FROM audit_link WHERE practice_id = '{{practice}}' AND seq = {next})");
    let of = "WHERE practice_id = '{practice}'";
    let carols = trail.world.provider("carol", "+12025550188").await.signed_in().await.practice_id().to_owned();
    audit_trail::seal(&trail.world.authority).await.unwrap();
    for statement in [
        "DELETE FROM audit".to_owned(),
        format!("DELETE FROM audit {of} AND at = (SELECT MIN(at) FROM audit {of})"),
        "DELETE FROM audit_link".to_owned(),
        "DELETE FROM audit_head".to_owned(),
        "DELETE FROM audit_mark".to_owned(),
        "UPDATE audit SET event = ''".to_owned(),
        "UPDATE audit_link SET seq = 0 WHERE seq = 1".to_owned(),
        "UPDATE audit_head SET seq = 0".to_owned(),
        format!("UPDATE audit_mark SET seq = seq - 1 {of}"),
        format!("UPDATE audit_mark SET signature = '' {of}"),
        format!("UPDATE audit_mark SET practice_id = '{carols}' {of}"),
        format!("UPDATE audit_mark SET seq = {next}, hash = {its_hash} {of}"),
        format!("UPDATE audit_mark SET seq = {next}, hash = {its_hash}, at = at * 2 {of}"),
        format!(
            "INSERT INTO audit_mark SELECT practice_id, seq, hash, {}, '' FROM audit_link
             WHERE practice_id = '{carols}' AND seq = 1",
            trail.world.authority.now().millis()
        ),
    ] {
        let refused = sqlx::query(trail.sql(&statement)).execute(&trail.world.pool).await;
        assert!(refused.is_err(), "{statement}");
    }
    assert!(trail.verify().await.is_unbroken());
}

async fn of_a_trail_that_is_not_whole_nothing_is_removed(world: World) {
    let trail = Trail::of(world).await;
    let apply = async || audit_trail::apply_retention(&trail.world.authority).await.unwrap();
    let count = async || trail.number("SELECT COUNT(*) FROM audit WHERE practice_id = '{practice}'").await;
    let id = trail.row_id(2).await;
    let rows = count().await;
    trail.run(&format!("UPDATE audit SET event = event || 'x' WHERE id = '{id}'")).await;
    trail.world.advance(SIX_YEARS);
    let applied = apply().await;
    assert_eq!(applied.blocked, [trail.practice_id.as_str()]);
    assert!(applied.removed > 0, "of the other practice");
    assert_eq!(count().await, rows);
    let event = "SUBSTR(event, 1, LENGTH(event) - 1)";
    trail.run(&format!("UPDATE audit SET event = {event} WHERE id = '{id}'")).await;
    assert_eq!(apply().await, Applied { removed: rows, blocked: Vec::new() });
    // A row that somebody made old is no reason to remove it.
    fail_password(&actor(&trail.world).await).await;
    audit_trail::seal(&trail.world.authority).await.unwrap();
    trail.run("UPDATE audit SET at = 0 WHERE practice_id = '{practice}'").await;
    assert_eq!(apply().await.blocked, [trail.practice_id.as_str()]);
}

async fn processes_that_remove_at_once_remove_what_is_old_once(world: World) {
    let (ada, _) = world.enrolled("ada", PHONE).await;
    let practice_id = ada.signed_in().await.practice_id().to_owned();
    let challenge = ada.challenge().await;
    for _ in 0..520 {
        sign_in::note_skipped_step(&world.authority, &visitor(), &challenge).await.unwrap();
    }
    audit_trail::seal(&world.authority).await.unwrap();
    let rows = world.number("SELECT COUNT(*) FROM audit").await;
    world.advance(SIX_YEARS);
    let mut processes = JoinSet::new();
    for _ in 0..6 {
        let authority = world.replica().await;
        processes.spawn(async move { audit_trail::apply_retention(&authority).await.unwrap() });
    }
    let mut removed = 0;
    while let Some(applied) = processes.join_next().await {
        let applied = applied.unwrap();
        assert_eq!(applied.blocked, [""; 0]);
        removed += applied.removed;
    }
    assert_eq!(removed, rows);
    assert_eq!(world.events("audit-retention-applied").await, 2, "500 rows to a transaction");
    let verdict = audit_trail::verify(&world.authority, &practice_id).await.unwrap();
    assert_eq!(verdict, Verdict::Unbroken { rows: 2, removed: rows });
}
