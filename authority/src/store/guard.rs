//! The database itself refuses to change or delete audit rows (requirements.md ST-8).

use sqlx::Executor as _;

use super::{Backend, Store};

impl Store {
    /// Puts the refusing triggers in place. Their language differs, so they are no migration.
    pub(super) async fn guard_audit(&self) -> Result<(), sqlx::Error> {
        let statements: &[&'static str] = match self.backend {
            Backend::Sqlite => &[
                "CREATE TRIGGER IF NOT EXISTS audit_no_update BEFORE UPDATE ON audit
                 BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END",
                "CREATE TRIGGER IF NOT EXISTS audit_no_delete BEFORE DELETE ON audit
                 BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END",
            ],
            Backend::Postgres => &[
                "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'audit rows are never changed or deleted'; END $$",
                "CREATE OR REPLACE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
                 FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
            ],
        };
        let mut connection = self.pool.acquire().await?;
        for statement in statements {
            connection.execute(*statement).await?;
        }
        Ok(())
    }
}
