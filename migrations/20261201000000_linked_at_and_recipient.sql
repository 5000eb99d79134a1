-- Since when a practice account is linked with its token account: what joins later than a device does not speak for the
-- backup. NULL for links of older releases, which count from the account's beginning.
ALTER TABLE account ADD COLUMN linked_at BIGINT;

-- Whose number a message went to: the owner's, who has proven it for an account; or anybody's, typed at an enrolment or at
-- a registration. The latter have a share of each limit only.
ALTER TABLE message_send ADD COLUMN recipient TEXT NOT NULL DEFAULT 'owner';
CREATE INDEX message_send_unproven ON message_send (at) WHERE recipient <> 'owner';
