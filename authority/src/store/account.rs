//! Practices, accounts, and what is counted against wrong passwords.

use domain::Timestamp;
use domain::backoff::Failures;
use sqlx::FromRow;

use super::{Store, Write};

/// What the sign-in needs of an account.
#[derive(FromRow)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) practice_id: String,
    pub(crate) password_hash: String,
    pub(crate) password_length: i64,
    pub(crate) password_changes: i64,
}

/// What rules and notices need of an account.
#[derive(Clone, FromRow)]
pub(crate) struct AccountRow {
    pub(crate) id: String,
    pub(crate) practice_id: String,
    pub(crate) email: String,
    pub(crate) cell_phone: String,
    pub(crate) token_account_id: Option<String>,
    /// What the practice says of tokens in messages: 1 where they live until they are used.
    pub(crate) sms_until_used: i64,
    /// 1 where the role takes tokens of authenticators only.
    pub(crate) apps_only: i64,
    /// Days for which the practice lets browsers be remembered.
    pub(crate) remember_days: i64,
}

/// The Profile tab.
#[derive(FromRow)]
pub(crate) struct ProfileRow {
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) specialty: String,
    pub(crate) timezone: String,
    pub(crate) salutation: String,
    pub(crate) suffix: String,
    pub(crate) website: String,
    pub(crate) home_phone: String,
    pub(crate) office_phone: String,
    pub(crate) cell_phone: String,
    pub(crate) pin_hash: Option<String>,
}

/// A new account, as it is inserted.
pub(crate) struct NewAccount<'a> {
    pub(crate) id: &'a str,
    pub(crate) practice_id: &'a str,
    pub(crate) kind: &'static str,
    pub(crate) role: &'static str,
    /// Since when it manages others, if it does.
    pub(crate) manages_since: Option<i64>,
    pub(crate) username: &'a str,
    pub(crate) email: &'a str,
    pub(crate) first_name: &'a str,
    pub(crate) last_name: &'a str,
    pub(crate) cell_phone: &'a str,
    pub(crate) password_hash: &'a str,
    pub(crate) password_length: i64,
}

impl Store {
    /// The credentials behind a user name.
    pub(crate) async fn find_credentials_by_username(
        &self,
        username: &str,
    ) -> Result<Option<Credentials>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, practice_id, password_hash, password_length, password_changes FROM account
             WHERE username = $1 AND deactivated_at IS NULL",
        )
        .bind(username)
        .fetch_optional(&self.pool)
        .await
    }

    /// The credentials behind an e-mail address, if exactly one account has it; accounts of several practices may.
    pub(crate) async fn find_credentials_by_email(&self, email: &str) -> Result<Option<Credentials>, sqlx::Error> {
        let mut found: Vec<Credentials> = sqlx::query_as(
            "SELECT id, practice_id, password_hash, password_length, password_changes FROM account
             WHERE email = $1 AND deactivated_at IS NULL LIMIT 2",
        )
        .bind(email)
        .fetch_all(&self.pool)
        .await?;
        Ok(if found.len() == 1 { found.pop() } else { None })
    }

    /// The credentials of an account.
    pub(crate) async fn find_credentials(&self, account_id: &str) -> Result<Option<Credentials>, sqlx::Error> {
        sqlx::query_as(
            "SELECT id, practice_id, password_hash, password_length, password_changes FROM account
             WHERE id = $1 AND deactivated_at IS NULL",
        )
        .bind(account_id)
        .fetch_optional(&self.pool)
        .await
    }

    /// An account that has not been deactivated.
    pub(crate) async fn find_account(&self, account_id: &str) -> Result<Option<AccountRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT a.id, a.practice_id, a.email, a.cell_phone, a.token_account_id, p.sms_until_used, p.remember_days,
                    COALESCE(r.apps_only, 0) AS apps_only
             FROM account a JOIN practice p ON p.id = a.practice_id
                 LEFT JOIN role_rule r ON r.practice_id = a.practice_id AND r.role = a.role
             WHERE a.id = $1 AND a.deactivated_at IS NULL",
        )
        .bind(account_id)
        .fetch_optional(&self.pool)
        .await
    }

    /// The profile of an account.
    pub(crate) async fn find_profile(&self, account_id: &str) -> Result<Option<ProfileRow>, sqlx::Error> {
        sqlx::query_as(
            "SELECT username, email, first_name, last_name, specialty, timezone, salutation, suffix, website,
                    home_phone, office_phone, cell_phone, pin_hash FROM account WHERE id = $1",
        )
        .bind(account_id)
        .fetch_optional(&self.pool)
        .await
    }

    /// Whether the user name is taken.
    pub(crate) async fn is_username_taken(&self, username: &str) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM account WHERE username = $1")
            .bind(username)
            .fetch_one(&self.pool)
            .await
            .map(|count| count > 0)
    }

    /// Failures remembered against `subject`.
    pub(crate) async fn password_failures(&self, subject: &str) -> Result<Failures, sqlx::Error> {
        let row: Option<(i64, i64)> =
            sqlx::query_as("SELECT failures, last_at FROM password_failure WHERE subject = $1")
                .bind(subject)
                .fetch_optional(&self.pool)
                .await?;
        Ok(failures(row))
    }

    /// Whether this browser once completed a sign-in of the account.
    pub(crate) async fn is_browser_known(&self, key_hash: &[u8], account_id: &str) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar::<_, i64>("SELECT COUNT(*) FROM known_browser WHERE key_hash = $1 AND account_id = $2")
            .bind(key_hash)
            .bind(account_id)
            .fetch_one(&self.pool)
            .await
            .map(|count| count > 0)
    }
}

fn failures(row: Option<(i64, i64)>) -> Failures {
    row.map_or_else(Failures::default, |(count, last_at)| Failures {
        count: u32::try_from(count).unwrap_or(u32::MAX),
        last_at: Timestamp::from_millis(last_at),
    })
}

impl Write {
    /// Notes that the person has put the check-up off.
    pub(crate) async fn put_check_up_off(&mut self, id: &str, now: i64) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET check_up_put_off_at = $2 WHERE id = $1")
            .bind(id)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// A new account. Fails with a unique violation if its user name, or its e-mail in the practice, is taken.
    pub(crate) async fn insert_account(&mut self, new: &NewAccount<'_>, now: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO account (id, practice_id, kind, role, manages_accounts, username, email, first_name, last_name,
                 specialty, timezone, salutation, suffix, website, home_phone, office_phone, cell_phone,
                 password_hash, password_length, consecutive_failures, run_began_at, wrong_token_told_at, created_at,
                 manages_since)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, '', '', '', '', '', '', '', $10, $11, $12, 0, 0, 0, $13, $14)",
        )
        .bind(new.id)
        .bind(new.practice_id)
        .bind(new.kind)
        .bind(new.role)
        .bind(i64::from(new.manages_since.is_some()))
        .bind(new.username)
        .bind(new.email)
        .bind(new.first_name)
        .bind(new.last_name)
        .bind(new.cell_phone)
        .bind(new.password_hash)
        .bind(new.password_length)
        .bind(now)
        .bind(new.manages_since.unwrap_or(0))
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Locks the account's row until the transaction ends, so that what is counted next cannot change meanwhile.
    /// Everything that locks rows of an account locks this one first, and the practice's before it, if at all.
    pub(crate) async fn lock_account(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET id = id WHERE id = $1")
            .bind(account_id)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Replaces all fields of the Profile tab; a PIN only if there is a new one.
    pub(crate) async fn update_profile(&mut self, account_id: &str, profile: &ProfileRow) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE account SET first_name = $2, last_name = $3, specialty = $4, timezone = $5, salutation = $6,
                 suffix = $7, website = $8, home_phone = $9, office_phone = $10, cell_phone = $11,
                 pin_hash = COALESCE($12, pin_hash) WHERE id = $1",
        )
        .bind(account_id)
        .bind(&profile.first_name)
        .bind(&profile.last_name)
        .bind(&profile.specialty)
        .bind(&profile.timezone)
        .bind(&profile.salutation)
        .bind(&profile.suffix)
        .bind(&profile.website)
        .bind(&profile.home_phone)
        .bind(&profile.office_phone)
        .bind(&profile.cell_phone)
        .bind(&profile.pin_hash)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Sets the cell phone; empty for none.
    pub(crate) async fn set_cell_phone(&mut self, account_id: &str, cell_phone: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET cell_phone = $2 WHERE id = $1")
            .bind(account_id)
            .bind(cell_phone)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Whether the open account's password is still the one after so many changes, under the account's lock.
    pub(crate) async fn is_password_unchanged(&mut self, account_id: &str, changes: i64) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar::<_, i64>(
            "SELECT COUNT(*) FROM account WHERE id = $1 AND password_changes = $2 AND deactivated_at IS NULL",
        )
        .bind(account_id)
        .bind(changes)
        .fetch_one(self.connection())
        .await
        .map(|count| count > 0)
    }

    /// Replaces the hash of the same password, unless it was replaced before.
    pub(crate) async fn rehash_password(
        &mut self,
        account_id: &str,
        (old, new): (&str, &str),
        password_length: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE account SET password_hash = $3, password_length = $4 WHERE id = $1 AND password_hash = $2")
            .bind(account_id)
            .bind(old)
            .bind(new)
            .bind(password_length)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Sets another password.
    pub(crate) async fn change_password(
        &mut self,
        account_id: &str,
        password_hash: &str,
        password_length: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE account SET password_hash = $2, password_length = $3, password_changes = password_changes + 1
             WHERE id = $1",
        )
        .bind(account_id)
        .bind(password_hash)
        .bind(password_length)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Failures remembered against `subject`, read where they are about to be replaced.
    pub(crate) async fn password_failures(&mut self, subject: &str) -> Result<Failures, sqlx::Error> {
        let row: Option<(i64, i64)> =
            sqlx::query_as("SELECT failures, last_at FROM password_failure WHERE subject = $1")
                .bind(subject)
                .fetch_optional(self.connection())
                .await?;
        Ok(failures(row))
    }

    /// Makes sure that `subject` has a row, and locks it.
    pub(crate) async fn lock_password_failures(&mut self, subject: &str) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO password_failure (subject, failures, last_at) VALUES ($1, 0, 0)
             ON CONFLICT (subject) DO UPDATE SET subject = excluded.subject",
        )
        .bind(subject)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Remembers failures against `subject`.
    pub(crate) async fn set_password_failures(&mut self, subject: &str, failures: Failures) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE password_failure SET failures = $2, last_at = $3 WHERE subject = $1")
            .bind(subject)
            .bind(i64::from(failures.count))
            .bind(failures.last_at.millis())
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Forgets failures against `subject`.
    pub(crate) async fn clear_password_failures(&mut self, subject: &str) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM password_failure WHERE subject = $1")
            .bind(subject)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Forgets failures older than `before`, a thousand at a time, in the order of their keys: whoever notes a failure locks
    /// two of these rows, in this order.
    pub(crate) async fn sweep_password_failures(&mut self, before: i64) -> Result<(), sqlx::Error> {
        let subjects: Vec<String> =
            sqlx::query_scalar("SELECT subject FROM password_failure WHERE last_at < $1 ORDER BY subject LIMIT 1000")
                .bind(before)
                .fetch_all(self.connection())
                .await?;
        for subject in subjects {
            sqlx::query("DELETE FROM password_failure WHERE subject = $1 AND last_at < $2")
                .bind(subject)
                .bind(before)
                .execute(self.connection())
                .await?;
        }
        Ok(())
    }

    /// Notes that the browser completed a sign-in of the account.
    pub(crate) async fn note_known_browser(
        &mut self,
        key_hash: &[u8],
        account_id: &str,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO known_browser (key_hash, account_id, last_used_at) VALUES ($1, $2, $3)
             ON CONFLICT (key_hash, account_id) DO UPDATE SET last_used_at = excluded.last_used_at",
        )
        .bind(key_hash)
        .bind(account_id)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Forgets browsers that were not used since `before`.
    pub(crate) async fn sweep_known_browsers(&mut self, before: i64) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM known_browser WHERE last_used_at < $1")
            .bind(before)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Claims the right to tell the account about wrong tokens, once per hour; false if it was told since `before`.
    pub(crate) async fn claim_wrong_token_notice(
        &mut self,
        account_id: &str,
        now: i64,
        before: i64,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query("UPDATE account SET wrong_token_told_at = $2 WHERE id = $1 AND wrong_token_told_at <= $3")
            .bind(account_id)
            .bind(now)
            .bind(before)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }
}
