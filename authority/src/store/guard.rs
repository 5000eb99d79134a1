//! The database itself refuses to change rows of the trail, its links and its heads, and to delete them unless retention may
//! (requirements.md ST-8), and queues each new row for the sealer.
//!
//! It cannot check a signature. It can see to it that a mark moves forward only, onto a link that is there, whose row is six
//! years older than the youngest event of the practice; that a row goes only if it lies before the mark and is six years
//! older than it; and that a link goes only after its row. Who drops the triggers is found by the chain.

use sqlx::Executor as _;

use super::{Backend, Store};

/// No year has fewer days than 365, so that nothing here is in the way of what the authority counts more precisely. In
/// milliseconds: `6 * 365 * 24 * 60 * 60 * 1000`.
macro_rules! six_years {
    () => {
        "189216000000"
    };
}

/// Whether `NEW` may be a mark.
macro_rules! is_mark {
    () => {
        concat!(
            "(NEW.at <= (SELECT MAX(at) FROM audit WHERE practice_id = NEW.practice_id) AND EXISTS (
                 SELECT 1 FROM audit_link l JOIN audit a ON a.id = l.audit_id
                 WHERE l.practice_id = NEW.practice_id AND l.seq = NEW.seq AND l.hash = NEW.hash
                   AND a.at + ",
            six_years!(),
            " <= NEW.at))"
        )
    };
}

/// Whether the row `OLD` may go.
macro_rules! is_old_row {
    () => {
        concat!(
            "EXISTS (SELECT 1 FROM audit_link l JOIN audit_mark m ON m.practice_id = l.practice_id
                 WHERE l.audit_id = OLD.id AND l.practice_id = OLD.practice_id AND l.seq <= m.seq AND OLD.at + ",
            six_years!(),
            " <= m.at)"
        )
    };
}

/// Whether the link or the head `OLD` lies before the mark.
macro_rules! is_before_mark {
    () => {
        "EXISTS (SELECT 1 FROM audit_mark m WHERE m.practice_id = OLD.practice_id AND OLD.seq <= m.seq)"
    };
}

/// Whether the row of the link `OLD` is gone.
macro_rules! is_row_gone {
    () => {
        "NOT EXISTS (SELECT 1 FROM audit a WHERE a.id = OLD.audit_id)"
    };
}

const SQLITE: &[&str] = &[
    // Of releases that removed nothing.
    "DROP TRIGGER IF EXISTS audit_no_delete",
    "DROP TRIGGER IF EXISTS audit_link_no_delete",
    "DROP TRIGGER IF EXISTS audit_head_no_delete",
    "CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
     BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END",
    concat!(
        "CREATE TRIGGER IF NOT EXISTS audit_delete_old BEFORE DELETE ON audit WHEN NOT ",
        is_old_row!(),
        " BEGIN SELECT RAISE(ABORT, 'audit rows are kept'); END"
    ),
    "CREATE TRIGGER IF NOT EXISTS audit_link_no_update BEFORE UPDATE ON audit_link
     BEGIN SELECT RAISE(ABORT, 'audit links are never changed'); END",
    concat!(
        "CREATE TRIGGER IF NOT EXISTS audit_link_delete_old BEFORE DELETE ON audit_link WHEN NOT (",
        is_before_mark!(),
        " AND ",
        is_row_gone!(),
        ") BEGIN SELECT RAISE(ABORT, 'audit links are kept'); END"
    ),
    "CREATE TRIGGER IF NOT EXISTS audit_head_no_update BEFORE UPDATE ON audit_head
     BEGIN SELECT RAISE(ABORT, 'audit heads are never changed'); END",
    concat!(
        "CREATE TRIGGER IF NOT EXISTS audit_head_delete_old BEFORE DELETE ON audit_head WHEN NOT ",
        is_before_mark!(),
        " BEGIN SELECT RAISE(ABORT, 'audit heads are kept'); END"
    ),
    concat!(
        "CREATE TRIGGER IF NOT EXISTS audit_mark_insert_old BEFORE INSERT ON audit_mark WHEN NOT ",
        is_mark!(),
        " BEGIN SELECT RAISE(ABORT, 'no audit trail begins there'); END"
    ),
    concat!(
        "CREATE TRIGGER IF NOT EXISTS audit_mark_update_forward BEFORE UPDATE ON audit_mark
         WHEN NEW.practice_id <> OLD.practice_id OR NEW.seq <= OLD.seq OR NOT ",
        is_mark!(),
        " BEGIN SELECT RAISE(ABORT, 'no audit trail begins there'); END"
    ),
    "CREATE TRIGGER IF NOT EXISTS audit_mark_no_delete BEFORE DELETE ON audit_mark
     BEGIN SELECT RAISE(ABORT, 'audit marks are never deleted'); END",
    "CREATE TRIGGER IF NOT EXISTS audit_to_seal AFTER INSERT ON audit
     BEGIN INSERT INTO audit_unsealed (practice_id, at, audit_id) VALUES (NEW.practice_id, NEW.at, NEW.id); END",
];

const POSTGRES: &[&str] = &[
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN RAISE EXCEPTION 'audit rows are never changed or deleted'; END $$",
    "CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR TRUNCATE ON audit
     FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    concat!(
        "CREATE OR REPLACE FUNCTION audit_delete_old() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT ",
        is_old_row!(),
        " THEN RAISE EXCEPTION 'audit rows are kept'; END IF; RETURN OLD; END $$"
    ),
    "CREATE OR REPLACE TRIGGER audit_delete_old BEFORE DELETE ON audit
     FOR EACH ROW EXECUTE FUNCTION audit_delete_old()",
    "CREATE OR REPLACE TRIGGER audit_link_no_change BEFORE UPDATE OR TRUNCATE ON audit_link
     FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    concat!(
        "CREATE OR REPLACE FUNCTION audit_link_delete_old() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT (",
        is_before_mark!(),
        " AND ",
        is_row_gone!(),
        ") THEN RAISE EXCEPTION 'audit links are kept'; END IF; RETURN OLD; END $$"
    ),
    "CREATE OR REPLACE TRIGGER audit_link_delete_old BEFORE DELETE ON audit_link
     FOR EACH ROW EXECUTE FUNCTION audit_link_delete_old()",
    "CREATE OR REPLACE TRIGGER audit_head_no_change BEFORE UPDATE OR TRUNCATE ON audit_head
     FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    concat!(
        "CREATE OR REPLACE FUNCTION audit_head_delete_old() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NOT ",
        is_before_mark!(),
        " THEN RAISE EXCEPTION 'audit heads are kept'; END IF; RETURN OLD; END $$"
    ),
    "CREATE OR REPLACE TRIGGER audit_head_delete_old BEFORE DELETE ON audit_head
     FOR EACH ROW EXECUTE FUNCTION audit_head_delete_old()",
    concat!(
        "CREATE OR REPLACE FUNCTION audit_mark_forward() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
         IF TG_OP = 'UPDATE' AND (NEW.practice_id <> OLD.practice_id OR NEW.seq <= OLD.seq) OR NOT ",
        is_mark!(),
        " THEN RAISE EXCEPTION 'no audit trail begins there'; END IF; RETURN NEW; END $$"
    ),
    "CREATE OR REPLACE TRIGGER audit_mark_forward BEFORE INSERT OR UPDATE ON audit_mark
     FOR EACH ROW EXECUTE FUNCTION audit_mark_forward()",
    "CREATE OR REPLACE TRIGGER audit_mark_no_delete BEFORE DELETE OR TRUNCATE ON audit_mark
     FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
    "CREATE OR REPLACE FUNCTION audit_to_seal() RETURNS trigger LANGUAGE plpgsql AS
     $$ BEGIN INSERT INTO audit_unsealed (practice_id, at, audit_id)
     VALUES (NEW.practice_id, NEW.at, NEW.id); RETURN NULL; END $$",
    "CREATE OR REPLACE TRIGGER audit_to_seal AFTER INSERT ON audit
     FOR EACH ROW EXECUTE FUNCTION audit_to_seal()",
];

impl Store {
    /// Puts the triggers in place. Their language differs, so they are no migration.
    pub(super) async fn guard_audit(&self) -> Result<(), sqlx::Error> {
        let statements = match self.backend {
            Backend::Sqlite => SQLITE,
            Backend::Postgres => POSTGRES,
        };
        let mut connection = self.pool.acquire().await?;
        for statement in statements {
            connection.execute(*statement).await?;
        }
        Ok(())
    }
}
