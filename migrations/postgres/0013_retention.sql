-- Removing what was written, and what keeps it from being removed.
CREATE TABLE legal_holds (
    id           UUID PRIMARY KEY,
    customer_id  UUID REFERENCES customers (id),
    ticket_id    UUID REFERENCES tickets (id),
    reason       TEXT NOT NULL,
    set_at       TIMESTAMPTZ NOT NULL,
    set_by       TEXT NOT NULL,
    lifted_at    TIMESTAMPTZ,
    lifted_by    TEXT,
    lift_reason  TEXT,
    CHECK ((customer_id IS NULL) <> (ticket_id IS NULL))
);
CREATE INDEX legal_holds_by_customer ON legal_holds (customer_id) WHERE lifted_at IS NULL;
CREATE INDEX legal_holds_by_ticket ON legal_holds (ticket_id) WHERE lifted_at IS NULL;

-- When a message's text was removed; what it was is nowhere any more.
ALTER TABLE messages ADD COLUMN removed_at TIMESTAMPTZ;
-- When everything that was written on a ticket was removed because its time was over.
ALTER TABLE tickets ADD COLUMN removed_at TIMESTAMPTZ;
CREATE INDEX tickets_over ON tickets (COALESCE(tier, ''), updated_at, id) WHERE status IN ('resolved', 'closed');
CREATE INDEX ticket_participants_by_address ON ticket_participants (address);
CREATE INDEX outgoing_by_recipient ON outgoing (recipient);
CREATE INDEX inbox_by_message ON inbox (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX messages_by_author ON messages (author);
CREATE INDEX audit_entries_by_time ON audit_entries (at);

ALTER TABLE legal_holds ENABLE ROW LEVEL SECURITY;
ALTER TABLE legal_holds FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON legal_holds USING ((SELECT tierdesk_scope()) = 'desk');
