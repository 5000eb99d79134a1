-- The audit trail as a chain of hashes, one for each practice: who writes an event waits for no chain, a sealer links the
-- rows afterwards. Hashes and signatures are hexadecimal text, so that many rows can be read as one text.

-- The server's keyed hash of the row; NULL in rows of releases before this one.
ALTER TABLE audit ADD COLUMN mac TEXT;

-- How long the practice keeps its trail. Nothing is removed yet, before or after.
ALTER TABLE practice ADD COLUMN audit_retention_years BIGINT NOT NULL DEFAULT 6
    CONSTRAINT practice_audit_retention CHECK (audit_retention_years BETWEEN 6 AND 100);

-- Rows that have no link yet. A trigger on `audit` fills it (authority/src/store/guard.rs), so that a row from elsewhere
-- gets here too.
CREATE TABLE audit_unsealed (
    practice_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    audit_id TEXT NOT NULL,
    -- When the sealer found the row altered, forged or gone. It stays here as evidence.
    refused_at BIGINT,
    CONSTRAINT audit_unsealed_pk PRIMARY KEY (practice_id, at, audit_id)
);

-- A link of a practice's chain: which row stands at that place, and the state of the chain after it. Never changed.
-- No foreign key: that the row is there is what verifying is about.
CREATE TABLE audit_link (
    practice_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    audit_id TEXT NOT NULL,
    hash TEXT NOT NULL,
    CONSTRAINT audit_link_pk PRIMARY KEY (practice_id, seq),
    CONSTRAINT audit_link_once UNIQUE (audit_id)
);

-- The end of each chain, moved on by whoever seals: an update that names the end it builds on.
CREATE TABLE audit_chain (
    practice_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    -- When the last head was signed; NULL before the first.
    head_at BIGINT,
    -- The server's keyed hash of all of that.
    mac TEXT NOT NULL,
    CONSTRAINT audit_chain_pk PRIMARY KEY (practice_id)
);

-- Ends of chains from time to time, signed. Never changed.
CREATE TABLE audit_head (
    practice_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    signature TEXT NOT NULL,
    CONSTRAINT audit_head_pk PRIMARY KEY (practice_id, seq)
);
