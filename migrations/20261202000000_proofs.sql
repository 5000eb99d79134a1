-- What a proof is worth while the account changes, and how long somebody has managed accounts.

-- How often the password was changed: what was compared with the one before is proof of nothing.
ALTER TABLE account ADD COLUMN password_changes BIGINT NOT NULL DEFAULT 0;
-- Since when the account manages others; 0 for longer than is known.
ALTER TABLE account ADD COLUMN manages_since BIGINT NOT NULL DEFAULT 0;
