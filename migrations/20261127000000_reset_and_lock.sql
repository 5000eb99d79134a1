-- Lost phones, and the screen lock.

-- Somebody's two-factor authentication is to be set up anew: asked for by an administrator, or by the person. At most one
-- waits for each account.
CREATE TABLE reset (
    id TEXT NOT NULL,
    practice_id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    -- 'administrators' or 'own'.
    kind TEXT NOT NULL,
    -- 'waiting', 'done', 'rejected' or 'cancelled'.
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    asked_by TEXT NOT NULL,
    asked_at BIGINT NOT NULL,
    -- From then on one person suffices: the owner of the practice, or the password at the next sign-in.
    ready_at BIGINT NOT NULL,
    decided_by TEXT,
    decided_at BIGINT,
    -- What the link in the notices carries, hashed.
    cancel_hash BYTEA,
    CONSTRAINT reset_pk PRIMARY KEY (id),
    CONSTRAINT reset_account FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE UNIQUE INDEX reset_waiting_once ON reset (account_id) WHERE state = 'waiting';
CREATE INDEX reset_by_practice ON reset (practice_id, state);

-- The proof that a person reads the mail of the account: what an e-mailed link carries, hashed.
CREATE TABLE reset_link (
    key_hash BYTEA NOT NULL,
    account_id TEXT NOT NULL,
    expires_at BIGINT NOT NULL,
    CONSTRAINT reset_link_pk PRIMARY KEY (key_hash),
    CONSTRAINT reset_link_account FOREIGN KEY (account_id) REFERENCES account (id)
);

-- Wrong App unlock PINs since the screen locked.
ALTER TABLE session ADD COLUMN pin_failures BIGINT NOT NULL DEFAULT 0;

-- How many of a practice's people were protected by what, day by day (days since 1970-01-01).
CREATE TABLE coverage (
    practice_id TEXT NOT NULL,
    day BIGINT NOT NULL,
    members BIGINT NOT NULL,
    protected BIGINT NOT NULL,
    with_app BIGINT NOT NULL,
    CONSTRAINT coverage_pk PRIMARY KEY (practice_id, day),
    CONSTRAINT coverage_practice FOREIGN KEY (practice_id) REFERENCES practice (id)
);
