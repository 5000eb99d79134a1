//! The database itself refuses to change or delete rows of the trail, its links and its heads (requirements.md ST-8), and
//! queues each new row for the sealer.

use sqlx::Executor as _;

use super::{Backend, Store};

impl Store {
    /// Puts the triggers in place. Their language differs, so they are no migration.
    pub(super) async fn guard_audit(&self) -> Result<(), sqlx::Error> {
        let statements: &[&'static str] = match self.backend {
            Backend::Sqlite => &[
                "CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
                 BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END",
                "CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit
                 BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END",
                "CREATE TRIGGER IF NOT EXISTS audit_link_no_update BEFORE UPDATE ON audit_link
                 BEGIN SELECT RAISE(ABORT, 'audit links are never changed'); END",
                "CREATE TRIGGER IF NOT EXISTS audit_link_no_delete BEFORE DELETE ON audit_link
                 BEGIN SELECT RAISE(ABORT, 'audit links are never deleted'); END",
                "CREATE TRIGGER IF NOT EXISTS audit_head_no_update BEFORE UPDATE ON audit_head
                 BEGIN SELECT RAISE(ABORT, 'audit heads are never changed'); END",
                "CREATE TRIGGER IF NOT EXISTS audit_head_no_delete BEFORE DELETE ON audit_head
                 BEGIN SELECT RAISE(ABORT, 'audit heads are never deleted'); END",
                "CREATE TRIGGER IF NOT EXISTS audit_to_seal AFTER INSERT ON audit
                 BEGIN INSERT INTO audit_unsealed (practice_id, at, audit_id) VALUES (NEW.practice_id, NEW.at, NEW.id); END",
            ],
            Backend::Postgres => &[
                "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'audit rows are never changed or deleted'; END $$",
                "CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
                 FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
                "CREATE OR REPLACE TRIGGER audit_link_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_link
                 FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
                "CREATE OR REPLACE TRIGGER audit_head_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_head
                 FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
                "CREATE OR REPLACE FUNCTION audit_to_seal() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN INSERT INTO audit_unsealed (practice_id, at, audit_id)
                 VALUES (NEW.practice_id, NEW.at, NEW.id); RETURN NULL; END $$",
                "CREATE OR REPLACE TRIGGER audit_to_seal AFTER INSERT ON audit
                 FOR EACH ROW EXECUTE FUNCTION audit_to_seal()",
            ],
        };
        let mut connection = self.pool.acquire().await?;
        for statement in statements {
            connection.execute(*statement).await?;
        }
        Ok(())
    }
}
