//! The server's own random keys, sealed under the master key.

use super::{Store, Write};

impl Store {
    /// The key of that name as `(key id, sealed bytes)`.
    pub(crate) async fn find_sealed_key(&self, name: &str) -> Result<Option<(String, Vec<u8>)>, sqlx::Error> {
        sqlx::query_as("SELECT key_id, sealed FROM sealed_key WHERE name = $1")
            .bind(name)
            .fetch_optional(&self.pool)
            .await
    }
}

impl Write {
    /// Keeps a new key; false if another process was first, whose key counts.
    pub(crate) async fn insert_sealed_key(
        &mut self,
        name: &str,
        key_id: &str,
        sealed: &[u8],
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "INSERT INTO sealed_key (name, key_id, sealed, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
        )
        .bind(name)
        .bind(key_id)
        .bind(sealed)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }
}
