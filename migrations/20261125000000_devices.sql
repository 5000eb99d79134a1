-- The authenticator: its devices, how one is registered, and the backup that they share.

-- One installation of the authenticator. Pending until it has proven its secrets; then active until it is revoked.
CREATE TABLE device (
    id TEXT NOT NULL,
    token_account_id TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    name TEXT NOT NULL,
    -- 1 once another device's approval or a recovery code has shown whose it is: then it may load the backup.
    may_restore BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    -- NULL once it is active.
    expires_at BIGINT,
    activated_at BIGINT,
    revoked_at BIGINT,
    CONSTRAINT device_pk PRIMARY KEY (id),
    CONSTRAINT device_key_once UNIQUE (key_hash),
    CONSTRAINT device_token_account FOREIGN KEY (token_account_id) REFERENCES token_account (id)
);
CREATE INDEX device_by_token_account ON device (token_account_id);

-- The way of a new device to its secrets. Rows for phones that nobody has look like all others until a code is right.
CREATE TABLE registration (
    id TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    -- As typed, in E.164.
    phone TEXT NOT NULL,
    email TEXT NOT NULL,
    state TEXT NOT NULL,
    -- The live code: replaced by a resend.
    code_hash BYTEA NOT NULL,
    code_expires_at BIGINT NOT NULL,
    wrong_entries BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- From here on set when the phone is proven.
    token_account_id TEXT,
    device_name TEXT,
    proven_at BIGINT,
    -- While another device is asked: the number that the new one shows, and the three that the other offers.
    number BIGINT,
    choices TEXT,
    answered_by TEXT,
    -- Ids of practice accounts of which a recovery code was typed, separated by blanks.
    proven_accounts TEXT NOT NULL,
    -- The pending device that has the secrets.
    device_id TEXT,
    CONSTRAINT registration_pk PRIMARY KEY (id),
    CONSTRAINT registration_key_once UNIQUE (key_hash),
    CONSTRAINT registration_token_account FOREIGN KEY (token_account_id) REFERENCES token_account (id)
);
CREATE UNIQUE INDEX registration_waiting_once ON registration (token_account_id) WHERE state = 'waiting';

-- The encrypted backup of a token account, the newest only. What it says is known to the devices alone.
CREATE TABLE backup (
    token_account_id TEXT NOT NULL,
    version BIGINT NOT NULL,
    -- Of the bytes as the device sent them; the one before is what a new version has to name.
    digest TEXT NOT NULL,
    -- Those bytes, sealed once more.
    sealed BYTEA NOT NULL,
    key_id TEXT NOT NULL,
    device_id TEXT NOT NULL,
    saved_at BIGINT NOT NULL,
    CONSTRAINT backup_pk PRIMARY KEY (token_account_id),
    CONSTRAINT backup_token_account FOREIGN KEY (token_account_id) REFERENCES token_account (id)
);

-- A device's secret for one practice account is a factor of that account.
ALTER TABLE factor ADD COLUMN device_id TEXT;
CREATE INDEX factor_by_device ON factor (device_id);
