//! Tokens in messages, and the send limits.

use domain::Timestamp;
use domain::message::RANGE_DIGITS;
use sqlx::FromRow;

use super::{Store, Write};

/// A token that went out in a message and still lives.
#[derive(Clone, FromRow)]
pub(crate) struct MessageTokenRow {
    pub(crate) id: String,
    pub(crate) binding: String,
    pub(crate) token_hash: Vec<u8>,
    pub(crate) channel: String,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
    pub(crate) wrong_entries: i64,
}

/// A new token in a message, as it is inserted.
pub(crate) struct NewMessageToken<'a> {
    pub(crate) id: &'a str,
    pub(crate) account_id: &'a str,
    pub(crate) binding: &'a str,
    pub(crate) token_hash: &'a [u8],
    pub(crate) channel: &'static str,
    pub(crate) created_at: i64,
    pub(crate) expires_at: i64,
}

/// A message that goes out, as the limits remember it.
pub(crate) struct NewMessageSend<'a> {
    pub(crate) id: &'a str,
    pub(crate) phone: &'a str,
    pub(crate) address: &'a str,
    /// Whose number it is; `owner` if it is proven.
    pub(crate) recipient: &'static str,
    /// When it goes out; 0 where it does not.
    pub(crate) at: i64,
    /// When a stranger with a new device asked for it.
    pub(crate) asked_at: Option<i64>,
}

const LIVE: &str = "SELECT id, binding, token_hash, channel, created_at, expires_at, wrong_entries
    FROM message_token WHERE account_id = $1 AND ended_at IS NULL";
const SENT_TO_PHONE: &str = "SELECT at FROM message_send WHERE phone = $1 ORDER BY at DESC LIMIT $2";
const ASKED_FOR_PHONE: &str =
    "SELECT asked_at FROM message_send WHERE phone = $1 AND asked_at IS NOT NULL ORDER BY asked_at DESC LIMIT $2";
const SENT_UNPROVEN_TO_PHONE: &str =
    "SELECT at FROM message_send WHERE phone = $1 AND recipient <> 'owner' ORDER BY at DESC LIMIT $2";

fn timestamps(rows: Vec<i64>) -> Vec<Timestamp> {
    rows.into_iter().map(Timestamp::from_millis).collect()
}

impl Store {
    /// The account's live token, expired or not.
    pub(crate) async fn live_message_token(&self, account_id: &str) -> Result<Option<MessageTokenRow>, sqlx::Error> {
        sqlx::query_as(LIVE).bind(account_id).fetch_optional(&self.pool).await
    }

    /// When messages went to a number, newest first.
    pub(crate) async fn sent_to_phone(&self, phone: &str, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(SENT_TO_PHONE).bind(phone).bind(most).fetch_all(&self.pool).await.map(timestamps)
    }

    /// When strangers with new devices asked for messages to a number, newest first.
    pub(crate) async fn asked_for_phone(&self, phone: &str, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(ASKED_FOR_PHONE).bind(phone).bind(most).fetch_all(&self.pool).await.map(timestamps)
    }

    /// When messages went to a number that nobody had proven, newest first.
    pub(crate) async fn sent_unproven_to_phone(&self, phone: &str, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(SENT_UNPROVEN_TO_PHONE).bind(phone).bind(most).fetch_all(&self.pool).await.map(timestamps)
    }
}

impl Write {
    /// Replaces the account's live token by a new one.
    pub(crate) async fn insert_message_token(&mut self, new: &NewMessageToken<'_>) -> Result<(), sqlx::Error> {
        self.end_message_tokens(new.account_id, new.created_at).await?;
        sqlx::query(
            "INSERT INTO message_token (id, account_id, binding, token_hash, channel, created_at, expires_at, wrong_entries)
             VALUES ($1, $2, $3, $4, $5, $6, $7, 0)",
        )
        .bind(new.id)
        .bind(new.account_id)
        .bind(new.binding)
        .bind(new.token_hash)
        .bind(new.channel)
        .bind(new.created_at)
        .bind(new.expires_at)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Counts an entry as wrong before it is checked.
    pub(crate) async fn count_message_token_entry(&mut self, account_id: &str) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE message_token SET wrong_entries = wrong_entries + 1 WHERE account_id = $1 AND ended_at IS NULL",
        )
        .bind(account_id)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Uses a token up, once; false if it was used, replaced or has run out.
    pub(crate) async fn claim_message_token(&mut self, id: &str, now: i64) -> Result<bool, sqlx::Error> {
        sqlx::query("UPDATE message_token SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL AND expires_at > $2")
            .bind(id)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|done| done.rows_affected() == 1)
    }

    /// Ends the account's live token.
    pub(crate) async fn end_message_tokens(&mut self, account_id: &str, now: i64) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE message_token SET ended_at = $2 WHERE account_id = $1 AND ended_at IS NULL")
            .bind(account_id)
            .bind(now)
            .execute(self.connection())
            .await
            .map(|_| ())
    }

    /// Ends the live tokens of that binding of everybody in a practice.
    pub(crate) async fn end_message_tokens_of(
        &mut self,
        practice_id: &str,
        binding: &str,
        now: i64,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE message_token SET ended_at = $3 WHERE binding = $2 AND ended_at IS NULL
                 AND account_id IN (SELECT id FROM account WHERE practice_id = $1)",
        )
        .bind(practice_id)
        .bind(binding)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Passes the gate of a subject, or waits until the sender in it is done.
    pub(crate) async fn pass_send_gate(&mut self, subject: &str, now: i64) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO send_gate (subject, passed_at) VALUES ($1, $2)
             ON CONFLICT (subject) DO UPDATE SET passed_at = excluded.passed_at",
        )
        .bind(subject)
        .bind(now)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// When messages went to a number, newest first.
    pub(crate) async fn sent_to_phone(&mut self, phone: &str, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(SENT_TO_PHONE).bind(phone).bind(most).fetch_all(self.connection()).await.map(timestamps)
    }

    /// When strangers with new devices asked for messages to a number, newest first.
    pub(crate) async fn asked_for_phone(&mut self, phone: &str, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(ASKED_FOR_PHONE).bind(phone).bind(most).fetch_all(self.connection()).await.map(timestamps)
    }

    /// When messages were asked for from a network address, newest first.
    pub(crate) async fn sent_from_address(&mut self, address: &str, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT COALESCE(asked_at, at) FROM message_send WHERE address = $1 ORDER BY 1 DESC LIMIT $2",
        )
        .bind(address)
        .bind(most)
        .fetch_all(self.connection())
        .await
        .map(timestamps)
    }

    /// When messages were asked for at all, newest first.
    pub(crate) async fn sent_in_all(&mut self, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar("SELECT COALESCE(asked_at, at) FROM message_send ORDER BY 1 DESC LIMIT $1")
            .bind(most)
            .fetch_all(self.connection())
            .await
            .map(timestamps)
    }

    /// When messages went to a number that nobody had proven, newest first.
    pub(crate) async fn sent_unproven_to_phone(
        &mut self,
        phone: &str,
        most: i64,
    ) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(SENT_UNPROVEN_TO_PHONE)
            .bind(phone)
            .bind(most)
            .fetch_all(self.connection())
            .await
            .map(timestamps)
    }

    /// When messages to numbers that nobody had proven were asked for, newest first.
    pub(crate) async fn sent_unproven(&mut self, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT COALESCE(asked_at, at) FROM message_send WHERE recipient <> 'owner' ORDER BY 1 DESC LIMIT $1",
        )
        .bind(most)
        .fetch_all(self.connection())
        .await
        .map(timestamps)
    }

    /// For each other number that differs from this one in its last digits only, was set up and has not been proven: when a
    /// message went there last, newest first.
    pub(crate) async fn unproven_in_range(&mut self, phone: &str, most: i64) -> Result<Vec<Timestamp>, sqlx::Error> {
        let prefix = phone.get(..phone.len().saturating_sub(RANGE_DIGITS)).unwrap_or_default();
        sqlx::query_scalar(
            "SELECT MAX(m.at) FROM message_send m
             WHERE m.recipient = 'enrolment' AND m.phone LIKE $1 AND m.phone <> $2 AND NOT EXISTS
                 (SELECT 1 FROM factor f WHERE f.kind = 'sms' AND f.state = 'confirmed' AND f.phone = m.phone)
             GROUP BY m.phone ORDER BY MAX(m.at) DESC LIMIT $3",
        )
        .bind(format!("{prefix}{}", "_".repeat(RANGE_DIGITS)))
        .bind(phone)
        .bind(most)
        .fetch_all(self.connection())
        .await
        .map(timestamps)
    }

    /// Records a message that goes out.
    pub(crate) async fn insert_message_send(&mut self, new: &NewMessageSend<'_>) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO message_send (id, phone, address, at, recipient, asked_at) VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(new.id)
        .bind(new.phone)
        .bind(new.address)
        .bind(new.at)
        .bind(new.recipient)
        .bind(new.asked_at)
        .execute(self.connection())
        .await
        .map(|_| ())
    }

    /// Deletes what no limit looks at any more.
    pub(crate) async fn sweep_messages(&mut self, before: i64) -> Result<(), sqlx::Error> {
        for statement in [
            "DELETE FROM message_send WHERE COALESCE(asked_at, at) < $1",
            "DELETE FROM message_token WHERE expires_at < $1 OR ended_at < $1",
            "DELETE FROM send_gate WHERE passed_at < $1",
        ] {
            sqlx::query(statement).bind(before).execute(self.connection()).await?;
        }
        Ok(())
    }
}
