-- The practice: roles, and what it asks of its people.

ALTER TABLE account ADD COLUMN role TEXT NOT NULL DEFAULT 'staff';
UPDATE account SET role = 'provider' WHERE kind = 'provider';
ALTER TABLE account ADD COLUMN last_signed_in_at BIGINT;
-- By when two-factor authentication has to be set up, as it was told first; NULL while the role needs none.
ALTER TABLE account ADD COLUMN enrol_by BIGINT;
-- Reminders of that date that went out: a bit each.
ALTER TABLE account ADD COLUMN reminded BIGINT NOT NULL DEFAULT 0;

-- Who made the practice. Alone, the owner may do after a wait what else takes two administrators.
ALTER TABLE practice ADD COLUMN owner_id TEXT;
UPDATE practice SET owner_id = (SELECT a.id FROM account a WHERE a.practice_id = practice.id
    AND a.manages_accounts = 1 ORDER BY a.created_at, a.id LIMIT 1);
ALTER TABLE practice ADD COLUMN idle_minutes BIGINT NOT NULL DEFAULT 15;
-- 0: the screen does not lock.
ALTER TABLE practice ADD COLUMN lock_minutes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE practice ADD COLUMN sms_until_used BIGINT NOT NULL DEFAULT 0;

-- What a practice asks of a role; a role without a row may set two-factor authentication up and need not.
CREATE TABLE role_rule (
    practice_id TEXT NOT NULL,
    role TEXT NOT NULL,
    requirement TEXT NOT NULL,
    -- For 'required': from when.
    required_from BIGINT NOT NULL,
    apps_only BIGINT NOT NULL,
    CONSTRAINT role_rule_pk PRIMARY KEY (practice_id, role),
    CONSTRAINT role_rule_practice FOREIGN KEY (practice_id) REFERENCES practice (id)
);

-- From when an administrator requires two-factor authentication of this person, whatever the role's rule says.
ALTER TABLE account ADD COLUMN required_from BIGINT;
