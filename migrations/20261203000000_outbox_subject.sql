-- Whose token a message carries, for the audit trail if no gateway takes it. NULL where it is nobody's account, as before a
-- device has proven its phone, and for notices.
ALTER TABLE outbox ADD COLUMN practice_id TEXT;
ALTER TABLE outbox ADD COLUMN account_id TEXT;
