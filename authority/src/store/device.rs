//! Devices, and the practice accounts behind a token account.

use sqlx::FromRow;

use super::{Store, Write};

/// A device as stored.
#[derive(Clone, FromRow)]
pub(crate) struct DeviceRow {
    pub(crate) id: String,
    pub(crate) token_account_id: String,
    pub(crate) name: String,
    pub(crate) may_restore: i64,
    pub(crate) expires_at: Option<i64>,
    pub(crate) activated_at: Option<i64>,
    pub(crate) revoked_at: Option<i64>,
    /// When a token of it was last accepted, by any practice account.
    pub(crate) last_used_at: Option<i64>,
}

/// A new, pending device, as it is inserted.
pub(crate) struct NewDevice<'a> {
    pub(crate) id: &'a str,
    pub(crate) token_account_id: &'a str,
    pub(crate) key_hash: &'a [u8],
    pub(crate) name: &'a str,
    pub(crate) may_restore: bool,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

/// A practice account that is linked with a token account.
#[derive(Clone, FromRow)]
pub(crate) struct LinkedAccountRow {
    pub(crate) id: String,
    pub(crate) practice_id: String,
    pub(crate) practice_name: String,
    pub(crate) username: String,
    pub(crate) email: String,
    /// Since when it is linked.
    pub(crate) linked_at: i64,
    /// 1 where the role takes tokens of authenticators only.
    pub(crate) apps_only: i64,
    /// 1 where the practice wants devices to be phones.
    pub(crate) phones_only: i64,
}

/// A factor of a device, with the practice account that it is of.
#[derive(Clone, FromRow)]
pub(crate) struct DeviceFactorRow {
    pub(crate) id: String,
    pub(crate) account_id: String,
    pub(crate) practice_id: String,
    pub(crate) state: String,
    /// The session that asked for it, while it is pending.
    pub(crate) session_id: Option<String>,
    pub(crate) practice_name: String,
    pub(crate) username: String,
    /// 1 where the practice wants devices to be phones.
    pub(crate) phones_only: i64,
}

const BY_KEY: &str =
    "SELECT d.id, d.token_account_id, d.name, d.may_restore, d.expires_at, d.activated_at, d.revoked_at,
    (SELECT MAX(f.last_used_at) FROM factor f WHERE f.device_id = d.id) AS last_used_at
    FROM device d WHERE d.key_hash = $1";
const ACTIVE: &str =
    "SELECT d.id, d.token_account_id, d.name, d.may_restore, d.expires_at, d.activated_at, d.revoked_at,
    (SELECT MAX(f.last_used_at) FROM factor f WHERE f.device_id = d.id) AS last_used_at
    FROM device d WHERE d.token_account_id = $1 AND d.activated_at IS NOT NULL AND d.revoked_at IS NULL
    ORDER BY d.activated_at, d.id";
const LINKED: &str = "SELECT a.id, a.practice_id, p.name AS practice_name, a.username, a.email,
    COALESCE(a.linked_at, a.created_at) AS linked_at, COALESCE(r.apps_only, 0) AS apps_only, p.phones_only
    FROM account a JOIN practice p ON p.id = a.practice_id
        LEFT JOIN role_rule r ON r.practice_id = a.practice_id AND r.role = a.role
    WHERE a.token_account_id = $1 AND a.deactivated_at IS NULL ORDER BY a.id";
const FACTORS: &str = "SELECT f.id, f.account_id, a.practice_id, f.state, f.session_id,
    p.name AS practice_name, a.username, p.phones_only
    FROM factor f JOIN account a ON a.id = f.account_id JOIN practice p ON p.id = a.practice_id
    WHERE f.device_id = $1 AND a.deactivated_at IS NULL ORDER BY f.account_id, f.id";

impl Store {
    /// The device of a key, whatever its state.
    pub(crate) async fn find_device(&self, key_hash: &[u8]) -> Result<Option<DeviceRow>, sqlx::Error> {
        sqlx::query_as(BY_KEY).bind(key_hash).fetch_optional(&self.pool).await
    }

    /// The active devices of a token account, oldest first.
    pub(crate) async fn active_devices(&self, token_account_id: &str) -> Result<Vec<DeviceRow>, sqlx::Error> {
        sqlx::query_as(ACTIVE).bind(token_account_id).fetch_all(&self.pool).await
    }

    /// The practice accounts that are linked with a token account, by id.
    pub(crate) async fn linked_accounts(&self, token_account_id: &str) -> Result<Vec<LinkedAccountRow>, sqlx::Error> {
        sqlx::query_as(LINKED).bind(token_account_id).fetch_all(&self.pool).await
    }

    /// The factors of a device, by practice account.
    pub(crate) async fn device_factors(&self, device_id: &str) -> Result<Vec<DeviceFactorRow>, sqlx::Error> {
        sqlx::query_as(FACTORS).bind(device_id).fetch_all(&self.pool).await
    }
}

impl Write {
    /// Locks every practice account of a token account, always in the order of their ids, and then the token account.
    pub(crate) async fn lock_linked_accounts(
        &mut self,
        token_account_id: &str,
    ) -> Result<Vec<LinkedAccountRow>, sqlx::Error> {
        for account in self.linked_accounts(token_account_id).await? {
            self.lock_account(&account.id).await?;
        }
        self.lock_token_account(token_account_id).await?;
        // Who left meanwhile is not among them any more.
        self.linked_accounts(token_account_id).await
    }

    /// The practice accounts that are linked with a token account, by id, in this transaction.
    pub(crate) async fn linked_accounts(
        &mut self,
        token_account_id: &str,
    ) -> Result<Vec<LinkedAccountRow>, sqlx::Error> {
        sqlx::query_as(LINKED).bind(token_account_id).fetch_all(self.connection()).await
    }

    /// The active devices of a token account, oldest first, under its lock.
    pub(crate) async fn active_devices(&mut self, token_account_id: &str) -> Result<Vec<DeviceRow>, sqlx::Error> {
        sqlx::query_as(ACTIVE).bind(token_account_id).fetch_all(self.connection()).await
    }

    /// The factors of a device, by practice account, under their locks.
    pub(crate) async fn device_factors(&mut self, device_id: &str) -> Result<Vec<DeviceFactorRow>, sqlx::Error> {
        sqlx::query_as(FACTORS).bind(device_id).fetch_all(self.connection()).await
    }

    /// A new pending device.
    pub(crate) async fn insert_device(&mut self, new: &NewDevice<'_>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO device (id, token_account_id, key_hash, name, may_restore, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind(new.id)
        .bind(new.token_account_id)
        .bind(new.key_hash)
        .bind(new.name)
        .bind(i64::from(new.may_restore))
        .bind(new.created_at)
        .bind(new.expires_at)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Makes a pending device active, once; false if it is active, revoked or has run out.
    pub(crate) async fn activate_device(&mut self, id: &str, now: i64) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE device SET activated_at = $2, expires_at = NULL
             WHERE id = $1 AND activated_at IS NULL AND revoked_at IS NULL AND expires_at > $2",
        )
        .bind(id)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Revokes an active device, once; false if it is not active.
    pub(crate) async fn revoke_device(&mut self, id: &str, now: i64) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE device SET revoked_at = $2 WHERE id = $1 AND activated_at IS NOT NULL AND revoked_at IS NULL",
        )
        .bind(id)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Whether the device is active, in this transaction.
    pub(crate) async fn is_device_active(&mut self, id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM device WHERE id = $1 AND activated_at IS NOT NULL AND revoked_at IS NULL",
        )
        .bind(id)
        .fetch_one(self.connection())
        .await
        .map(|count| count == 1)
    }

    /// Allows an active device to load the backup; false if it is not active.
    pub(crate) async fn allow_restore(&mut self, id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE device SET may_restore = 1 WHERE id = $1 AND activated_at IS NOT NULL AND revoked_at IS NULL",
        )
        .bind(id)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Deletes a pending device with its secrets.
    pub(crate) async fn delete_pending_device(&mut self, id: &str) -> Result<(), sqlx::Error> {
        for statement in [
            "DELETE FROM factor WHERE device_id = $1 AND state = 'pending'",
            "DELETE FROM device WHERE id = $1 AND activated_at IS NULL",
        ] {
            sqlx::query(statement).bind(id).execute(self.connection()).await?;
        }
        Ok(())
    }

    /// Deletes the secrets of a device, whatever their state.
    pub(crate) async fn delete_device_factors(&mut self, device_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM factor WHERE device_id = $1")
            .bind(device_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Deletes devices that never became active, and those revoked before `before`: an unknown key is answered alike.
    pub(crate) async fn sweep_devices(&mut self, before: i64) -> Result<(), sqlx::Error> {
        for statement in [
            "DELETE FROM device WHERE activated_at IS NULL AND expires_at < $1",
            "DELETE FROM device WHERE revoked_at < $1",
        ] {
            sqlx::query(statement).bind(before).execute(self.connection()).await?;
        }
        Ok(())
    }
}
