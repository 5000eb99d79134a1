-- When a stranger with a new device asked for a message. Limits that such a stranger sees go by this and nothing else, whatever
-- else goes to the number; `at` is when the message goes out, for everybody else's.
ALTER TABLE message_send ADD COLUMN asked_at BIGINT;
