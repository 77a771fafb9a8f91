-- Search: which document of words stands for which message, and the words. A document's number is its
-- ticket's, times 1,048,576, plus 0 for the ticket itself, 1 for its tags, from 2 for its messages.
SELECT set_config('tierdesk.scope', 'desk', true);

CREATE TABLE search_entries (
    doc         BIGINT PRIMARY KEY,
    ticket_id   UUID NOT NULL REFERENCES tickets (id),
    message_id  UUID UNIQUE REFERENCES messages (id)
);
CREATE INDEX search_entries_by_ticket ON search_entries (ticket_id);

-- What filters ask, so that walking tickets from the newest reads this and not the tickets.
CREATE INDEX tickets_for_search ON tickets
    (number, opened_at, status, tier, severity, priority, customer_id, assignee_id, is_provisional, snoozed_until);

-- Vectors stay in their rows, as long as a page holds them, and are not packed: every search looks into more
-- than a thousand of them.
CREATE TABLE search_terms (
    rowid  BIGINT PRIMARY KEY,
    terms  TSVECTOR NOT NULL
) WITH (toast_tuple_target = 8160);
ALTER TABLE search_terms ALTER COLUMN terms SET STORAGE MAIN;
CREATE INDEX search_terms_by_term ON search_terms USING GIN (terms);

-- What was stored before is indexed by the program, which knows how, and then says so here.
CREATE TABLE search_state (
    id           BIGINT PRIMARY KEY CHECK (id = 1),
    is_complete  BOOLEAN NOT NULL
);
INSERT INTO search_state (id, is_complete) SELECT 1, NOT EXISTS (SELECT 1 FROM tickets);

ALTER TABLE search_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE search_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON search_entries
    USING ((SELECT tierdesk_scope()) = 'desk'
        OR EXISTS (SELECT 1 FROM tickets t WHERE t.id = ticket_id AND t.customer_id::TEXT = (SELECT tierdesk_scope())));

-- search_terms has no policy: under one PostgreSQL uses no GIN index, because `@@` is not leakproof. It
-- holds words and numbers; whoever reads it reads on in `tickets`, which has one.
