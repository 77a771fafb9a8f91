-- Self-tests of the desk: a mail of its own that becomes a ticket, pages, and is heard by the desk itself.
CREATE TABLE watchdog_rounds (
    inbox_id    BLOB PRIMARY KEY NOT NULL REFERENCES inbox (id),
    slot        INTEGER NOT NULL UNIQUE,
    started_at  INTEGER NOT NULL,
    ticket_id   BLOB REFERENCES tickets (id),
    closed_at   INTEGER,
    pinged_at   INTEGER,
    ping_fault  TEXT
) STRICT;
CREATE INDEX watchdog_rounds_closed ON watchdog_rounds (closed_at) WHERE closed_at IS NOT NULL;
