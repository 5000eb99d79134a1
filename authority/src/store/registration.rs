//! Registrations of devices.

use sqlx::FromRow;

use super::{Store, Write};

/// A registration as stored.
#[derive(Clone, FromRow)]
pub(crate) struct RegistrationRow {
    pub(crate) id: String,
    pub(crate) phone: String,
    pub(crate) email: String,
    pub(crate) state: String,
    pub(crate) code_hash: Vec<u8>,
    pub(crate) code_expires_at: i64,
    pub(crate) wrong_entries: i64,
    pub(crate) expires_at: i64,
    pub(crate) token_account_id: Option<String>,
    pub(crate) device_name: Option<String>,
    pub(crate) proven_at: Option<i64>,
    pub(crate) number: Option<i64>,
    pub(crate) choices: Option<String>,
    pub(crate) answered_by: Option<String>,
    pub(crate) proven_accounts: String,
    pub(crate) device_id: Option<String>,
}

/// A new registration, as it is inserted.
pub(crate) struct NewRegistration<'a> {
    pub(crate) id: &'a str,
    pub(crate) key_hash: &'a [u8],
    pub(crate) phone: &'a str,
    pub(crate) email: &'a str,
    pub(crate) code_hash: &'a [u8],
    pub(crate) code_expires_at: i64,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

/// What a right code makes of a registration.
pub(crate) struct ProvenRegistration<'a> {
    pub(crate) id: &'a str,
    /// The code that was compared: another one may have gone out since.
    pub(crate) code_hash: &'a [u8],
    pub(crate) state: &'static str,
    pub(crate) token_account_id: &'a str,
    pub(crate) device_name: &'a str,
    pub(crate) number: Option<i64>,
    pub(crate) choices: Option<&'a str>,
    pub(crate) now: i64,
    pub(crate) expires_at: i64,
}

const BY_KEY: &str = "SELECT id, phone, email, state, code_hash, code_expires_at, wrong_entries, expires_at,
    token_account_id, device_name, proven_at, number, choices, answered_by, proven_accounts, device_id
    FROM registration WHERE key_hash = $1";
const BY_ID: &str = "SELECT id, phone, email, state, code_hash, code_expires_at, wrong_entries, expires_at,
    token_account_id, device_name, proven_at, number, choices, answered_by, proven_accounts, device_id
    FROM registration WHERE id = $1";

impl Store {
    /// The registration of a key.
    pub(crate) async fn find_registration(&self, key_hash: &[u8]) -> Result<Option<RegistrationRow>, sqlx::Error> {
        sqlx::query_as(BY_KEY).bind(key_hash).fetch_optional(&self.pool).await
    }

    /// The registration of a token account that waits for an answer at `now`.
    pub(crate) async fn waiting_registration(
        &self,
        token_account_id: &str,
        now: i64,
    ) -> Result<Option<RegistrationRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, phone, email, state, code_hash, code_expires_at, wrong_entries, expires_at,
                 token_account_id, device_name, proven_at, number, choices, answered_by, proven_accounts, device_id
             FROM registration WHERE token_account_id = $1 AND state = 'waiting' AND expires_at > $2",
        )
        .bind(token_account_id)
        .bind(now)
        .fetch_optional(&self.pool)
        .await
    }
}

impl Write {
    /// The registration with this id, in this transaction.
    pub(crate) async fn find_registration_by_id(&mut self, id: &str) -> Result<Option<RegistrationRow>, sqlx::Error> {
        sqlx::query_as(BY_ID).bind(id).fetch_optional(self.connection()).await
    }

    /// A new registration that waits for its code.
    pub(crate) async fn insert_registration(&mut self, new: &NewRegistration<'_>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO registration (id, key_hash, phone, email, state, code_hash, code_expires_at, wrong_entries,
                 created_at, expires_at, proven_accounts)
             VALUES ($1, $2, $3, $4, 'open', $5, $6, 0, $7, $8, '')",
        )
        .bind(new.id)
        .bind(new.key_hash)
        .bind(new.phone)
        .bind(new.email)
        .bind(new.code_hash)
        .bind(new.code_expires_at)
        .bind(new.created_at)
        .bind(new.expires_at)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Replaces the code; false if the registration waits for none any more.
    pub(crate) async fn replace_code(
        &mut self,
        id: &str,
        code_hash: &[u8],
        code_expires_at: i64,
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE registration SET code_hash = $2, code_expires_at = $3, wrong_entries = 0
             WHERE id = $1 AND state = 'open' AND expires_at > $4",
        )
        .bind(id)
        .bind(code_hash)
        .bind(code_expires_at)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Counts a code as wrong before it is compared; false if it must not be. The statement is the limit, so parallel
    /// entries cannot exceed it.
    pub(crate) async fn count_code_entry(&mut self, id: &str, most: i64, now: i64) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE registration SET wrong_entries = wrong_entries + 1
             WHERE id = $1 AND state = 'open' AND wrong_entries < $2 AND code_expires_at > $3 AND expires_at > $3",
        )
        .bind(id)
        .bind(most)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Uses the code up, once: the phone is proven. False if it was used, replaced or has run out.
    pub(crate) async fn prove_registration(&mut self, proven: &ProvenRegistration<'_>) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE registration SET state = $3, token_account_id = $4, device_name = $5, number = $6, choices = $7,
                 proven_at = $8, expires_at = $9
             WHERE id = $1 AND state = 'open' AND code_hash = $2 AND code_expires_at > $8 AND expires_at > $8",
        )
        .bind(proven.id)
        .bind(proven.code_hash)
        .bind(proven.state)
        .bind(proven.token_account_id)
        .bind(proven.device_name)
        .bind(proven.number)
        .bind(proven.choices)
        .bind(proven.now)
        .bind(proven.expires_at)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Ends what is under way for a token account, for a newer registration takes its place.
    pub(crate) async fn end_waiting_registrations(&mut self, token_account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE registration SET state = 'over' WHERE token_account_id = $1 AND state = 'waiting'")
            .bind(token_account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Answers a waiting registration of a token account, once; false if there is none, or it has been answered.
    pub(crate) async fn answer_registration(
        &mut self,
        id: &str,
        token_account_id: &str,
        state: &'static str,
        device_id: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE registration SET state = $3, answered_by = $4, expires_at = $6
             WHERE id = $1 AND token_account_id = $2 AND state = 'waiting' AND expires_at > $5",
        )
        .bind(id)
        .bind(token_account_id)
        .bind(state)
        .bind(device_id)
        .bind(now)
        .bind(expires_at)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Notes that a recovery code of a practice account was right; it stands in for an answer. False if it is over.
    pub(crate) async fn recover_registration(
        &mut self,
        id: &str,
        account_id: &str,
        now: i64,
        expires_at: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query(
            "UPDATE registration SET state = 'granted', proven_accounts = proven_accounts || $2 || ' ', expires_at = $4
             WHERE id = $1 AND state IN ('waiting', 'granted') AND expires_at > $3",
        )
        .bind(id)
        .bind(account_id)
        .bind(now)
        .bind(expires_at)
        .execute(self.connection())
        .await
        .map(|done| done.rows_affected() == 1)
    }

    /// Notes the pending device that has the secrets; false if the registration is not granted any more.
    pub(crate) async fn set_registration_device(
        &mut self,
        id: &str,
        device_id: &str,
        now: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query("UPDATE registration SET device_id = $2 WHERE id = $1 AND state = 'granted' AND expires_at > $3")
            .bind(id)
            .bind(device_id)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Ends the registration by which a device got its secrets, once; false if it was ended otherwise.
    pub(crate) async fn finish_registration(&mut self, device_id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query("UPDATE registration SET state = 'over' WHERE device_id = $1 AND state = 'granted'")
            .bind(device_id)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Ends what nobody but the phone speaks for: from its first device on a token account asks for more.
    pub(crate) async fn end_unapproved_registrations(&mut self, token_account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE registration SET state = 'over'
             WHERE token_account_id = $1 AND state = 'granted' AND answered_by IS NULL AND proven_accounts = ''",
        )
        .bind(token_account_id)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Ends all that is under way for a token account: its phone is another one now.
    pub(crate) async fn end_registrations(&mut self, token_account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE registration SET state = 'over' WHERE token_account_id = $1 AND state <> 'over'")
            .bind(token_account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Ends what a device has approved and is not through: its word counts no more.
    pub(crate) async fn end_registrations_approved_by(&mut self, device_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE registration SET state = 'over' WHERE answered_by = $1 AND state = 'granted'")
            .bind(device_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Deletes registrations that ran out before `before`.
    pub(crate) async fn sweep_registrations(&mut self, before: i64) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM registration WHERE expires_at < $1")
            .bind(before)
            .execute(self.connection())
            .await
            .map(|_| ())
    }
}
