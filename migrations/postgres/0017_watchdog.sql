-- Self-tests of the desk: a mail of its own that becomes a ticket, pages, and is heard by the desk itself.
CREATE TABLE watchdog_rounds (
    inbox_id    UUID PRIMARY KEY REFERENCES inbox (id),
    slot        TIMESTAMPTZ NOT NULL UNIQUE,
    started_at  TIMESTAMPTZ NOT NULL,
    ticket_id   UUID REFERENCES tickets (id),
    closed_at   TIMESTAMPTZ,
    pinged_at   TIMESTAMPTZ,
    ping_fault  TEXT
);
CREATE INDEX watchdog_rounds_closed ON watchdog_rounds (closed_at) WHERE closed_at IS NOT NULL;

ALTER TABLE watchdog_rounds ENABLE ROW LEVEL SECURITY;
ALTER TABLE watchdog_rounds FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON watchdog_rounds USING ((SELECT tierdesk_scope()) = 'desk');
