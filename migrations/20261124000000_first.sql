-- One lineage for SQLite and PostgreSQL: TEXT, BIGINT and BYTEA only. Times are unix milliseconds, flags 0 or 1.
-- Keys of sessions, challenges and browsers, tokens and recovery codes are stored as keyed hashes; what must be read
-- again (TOTP secrets, messages, codes not yet stored) is sealed, with the id of its key beside it.

-- Random keys that the server made for itself, sealed under the master key. Opening one proves the right master key.
CREATE TABLE sealed_key (
    name TEXT NOT NULL,
    key_id TEXT NOT NULL,
    sealed BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT sealed_key_pk PRIMARY KEY (name)
);

-- A clinic.
CREATE TABLE practice (
    id TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT practice_pk PRIMARY KEY (id)
);

-- The authenticator identity: one verified cell phone and e-mail, one token account per phone and per e-mail.
CREATE TABLE token_account (
    id TEXT NOT NULL,
    phone TEXT NOT NULL,
    email TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT token_account_pk PRIMARY KEY (id),
    CONSTRAINT token_account_phone_once UNIQUE (phone),
    CONSTRAINT token_account_email_once UNIQUE (email)
);

-- A person's login.
CREATE TABLE account (
    id TEXT NOT NULL,
    practice_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    manages_accounts BIGINT NOT NULL,
    username TEXT NOT NULL,
    email TEXT NOT NULL,
    first_name TEXT NOT NULL,
    last_name TEXT NOT NULL,
    specialty TEXT NOT NULL,
    timezone TEXT NOT NULL,
    salutation TEXT NOT NULL,
    suffix TEXT NOT NULL,
    website TEXT NOT NULL,
    home_phone TEXT NOT NULL,
    office_phone TEXT NOT NULL,
    -- E.164; empty while none is on file.
    cell_phone TEXT NOT NULL,
    -- The App unlock PIN as an argon2id hash.
    pin_hash TEXT,
    password_hash TEXT NOT NULL,
    -- Code points of the password, capped at 15: whether it may sign in alone (63B §3.1.1.2).
    password_length BIGINT NOT NULL,
    token_account_id TEXT,
    -- Wrong tokens since the last right one, and when that run began.
    consecutive_failures BIGINT NOT NULL,
    run_began_at BIGINT NOT NULL,
    -- The last notice that a password was right and a token wrong: one an hour at most.
    wrong_token_told_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    deactivated_at BIGINT,
    CONSTRAINT account_pk PRIMARY KEY (id),
    CONSTRAINT account_practice FOREIGN KEY (practice_id) REFERENCES practice (id),
    CONSTRAINT account_token_account FOREIGN KEY (token_account_id) REFERENCES token_account (id),
    CONSTRAINT account_username_once UNIQUE (username),
    CONSTRAINT account_email_once_a_practice UNIQUE (practice_id, email)
);
CREATE INDEX account_by_email ON account (email);
CREATE INDEX account_by_token_account ON account (token_account_id);

-- Wrong passwords, by account, by name that no account has, by known browser, by network address.
CREATE TABLE password_failure (
    subject TEXT NOT NULL,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    CONSTRAINT password_failure_pk PRIMARY KEY (subject)
);

-- Browsers that once completed a sign-in of an account: a stranger's guesses do not slow them down.
CREATE TABLE known_browser (
    key_hash BYTEA NOT NULL,
    account_id TEXT NOT NULL,
    last_used_at BIGINT NOT NULL,
    CONSTRAINT known_browser_pk PRIMARY KEY (key_hash, account_id),
    CONSTRAINT known_browser_account FOREIGN KEY (account_id) REFERENCES account (id)
);

-- A way to get a token: pending, confirmed, or disabled after a hundred failures in a row.
CREATE TABLE factor (
    id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    name TEXT NOT NULL,
    -- For text messages and calls: E.164.
    phone TEXT,
    -- For TOTP.
    secret BYTEA,
    key_id TEXT,
    algorithm TEXT,
    digits BIGINT,
    period BIGINT,
    -- The latest step ever accepted; no token of it or of an earlier one is accepted again (RFC 6238 §5.2).
    last_step BIGINT,
    -- A pending one belongs to the session that started it.
    session_id TEXT,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    confirmed_at BIGINT,
    last_used_at BIGINT,
    diagnosed_at BIGINT,
    CONSTRAINT factor_pk PRIMARY KEY (id),
    CONSTRAINT factor_account FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE INDEX factor_by_account ON factor (account_id);
CREATE UNIQUE INDEX factor_pending_once ON factor (account_id, kind) WHERE state = 'pending';
CREATE UNIQUE INDEX factor_sms_once ON factor (account_id) WHERE kind = 'sms' AND state <> 'pending';

-- A set of recovery codes. The codes stay sealed beside their hashes until the person says that they are stored.
CREATE TABLE recovery_set (
    id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    codes BYTEA,
    key_id TEXT,
    created_at BIGINT NOT NULL,
    disabled_at BIGINT,
    CONSTRAINT recovery_set_pk PRIMARY KEY (id),
    CONSTRAINT recovery_set_account FOREIGN KEY (account_id) REFERENCES account (id),
    CONSTRAINT recovery_set_once UNIQUE (account_id)
);
CREATE TABLE recovery_code (
    code_hash BYTEA NOT NULL,
    set_id TEXT NOT NULL,
    used_at BIGINT,
    CONSTRAINT recovery_code_pk PRIMARY KEY (set_id, code_hash),
    CONSTRAINT recovery_code_set FOREIGN KEY (set_id) REFERENCES recovery_set (id) ON DELETE CASCADE
);

-- The pending sign-in: what a right password opens and a right token closes.
CREATE TABLE challenge (
    id TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    account_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    failures BIGINT NOT NULL,
    -- Why it takes no token any more; NULL while it does.
    over TEXT,
    -- The page first asked for.
    next_path TEXT,
    CONSTRAINT challenge_pk PRIMARY KEY (id),
    CONSTRAINT challenge_key_once UNIQUE (key_hash),
    CONSTRAINT challenge_account FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE INDEX challenge_by_account ON challenge (account_id);

-- One row per evaluated token of any factor, at any place: the failure budget. Written as failed before the check.
CREATE TABLE attempt (
    id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    -- Ids of the factors that it was compared with, separated by blanks.
    tried TEXT NOT NULL,
    CONSTRAINT attempt_pk PRIMARY KEY (id),
    CONSTRAINT attempt_account FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE INDEX attempt_by_account ON attempt (account_id, at);

-- A token that went out in a message. At most one lives per account.
CREATE TABLE message_token (
    id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    -- What it is good for: one challenge, one session's step-up, or one enrolment.
    binding TEXT NOT NULL,
    token_hash BYTEA NOT NULL,
    channel TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    wrong_entries BIGINT NOT NULL,
    ended_at BIGINT,
    CONSTRAINT message_token_pk PRIMARY KEY (id),
    CONSTRAINT message_token_account FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE UNIQUE INDEX message_token_live_once ON message_token (account_id) WHERE ended_at IS NULL;

-- One row per message that went out, for the send limits.
CREATE TABLE message_send (
    id TEXT NOT NULL,
    phone TEXT NOT NULL,
    address TEXT NOT NULL,
    at BIGINT NOT NULL,
    CONSTRAINT message_send_pk PRIMARY KEY (id)
);
CREATE INDEX message_send_by_phone ON message_send (phone, at);
CREATE INDEX message_send_by_address ON message_send (address, at);
CREATE INDEX message_send_by_time ON message_send (at);

-- Senders pass one at a time per subject, so that parallel requests cannot exceed a limit.
CREATE TABLE send_gate (
    subject TEXT NOT NULL,
    passed_at BIGINT NOT NULL,
    CONSTRAINT send_gate_pk PRIMARY KEY (subject)
);

-- A signed-in browser. Ended sessions are deleted; the audit trail remembers them.
CREATE TABLE session (
    id TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    account_id TEXT NOT NULL,
    assurance TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    active_at BIGINT NOT NULL,
    stepped_up_at BIGINT,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    CONSTRAINT session_pk PRIMARY KEY (id),
    CONSTRAINT session_key_once UNIQUE (key_hash),
    CONSTRAINT session_account FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE INDEX session_by_account ON session (account_id);

-- Messages to deliver. The recipient and the text are sealed, and wiped once a gateway has taken them.
CREATE TABLE outbox (
    id TEXT NOT NULL,
    channel TEXT NOT NULL,
    sealed BYTEA,
    key_id TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    next_try_at BIGINT NOT NULL,
    tries BIGINT NOT NULL,
    delivered_at BIGINT,
    CONSTRAINT outbox_pk PRIMARY KEY (id)
);
CREATE INDEX outbox_by_time ON outbox (created_at);

-- Who did what to whom, in the transaction that did it. Rows are inserted and read, never changed or deleted.
CREATE TABLE audit (
    id TEXT NOT NULL,
    practice_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    event TEXT NOT NULL,
    actor_id TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    factor TEXT,
    address TEXT NOT NULL,
    session_id TEXT,
    request_id TEXT NOT NULL,
    CONSTRAINT audit_pk PRIMARY KEY (id),
    CONSTRAINT audit_practice FOREIGN KEY (practice_id) REFERENCES practice (id)
);
CREATE INDEX audit_by_practice ON audit (practice_id, at);
