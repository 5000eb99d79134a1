-- Remembered browsers, and what else a practice may choose.

-- 0: no browser is remembered.
ALTER TABLE practice ADD COLUMN remember_days BIGINT NOT NULL DEFAULT 0;
-- Codes of countries whose cell phones are taken, separated by commas; empty: of every country.
ALTER TABLE practice ADD COLUMN countries TEXT NOT NULL DEFAULT '';
-- Whether Twofold's own authenticator is for browsers of phones only.
ALTER TABLE practice ADD COLUMN phones_only BIGINT NOT NULL DEFAULT 0;

-- A browser that needs no token beside the password. Its key changes at each use: an earlier one shows a copied cookie.
CREATE TABLE remembered_browser (
    id TEXT NOT NULL,
    account_id TEXT NOT NULL,
    key_hash BYTEA NOT NULL,
    -- The browser's own cookie, hashed: the key works in no other one.
    browser_hash BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    address TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    CONSTRAINT remembered_browser_pk PRIMARY KEY (id),
    CONSTRAINT remembered_browser_account FOREIGN KEY (account_id) REFERENCES account (id)
);
CREATE INDEX remembered_browser_by_account ON remembered_browser (account_id);
