-- Retention removes the oldest rows of an audit trail. What was before the first row that is left is told twice: by a mark that
-- the server signs, and by a row of the chain itself.

-- Where retention was applied: the place of the last row that was removed. NULL for every other event.
ALTER TABLE audit ADD COLUMN removed_to BIGINT;

-- Where the chain of a practice begins, once rows were removed: the place of the last one, and the state of the chain there.
-- It moves forward only, to a row that is old enough; triggers see to that (authority/src/store/guard.rs).
CREATE TABLE audit_mark (
    practice_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    hash TEXT NOT NULL,
    at BIGINT NOT NULL,
    -- The server's keyed hash of all of that.
    signature TEXT NOT NULL,
    CONSTRAINT audit_mark_pk PRIMARY KEY (practice_id)
);

-- What a person's own page of recent activity reads.
CREATE INDEX audit_by_subject ON audit (subject_id, at);

-- When the person last put the check-up off, whether the way to a token is still at hand. NULL: never.
ALTER TABLE account ADD COLUMN check_up_put_off_at BIGINT;
