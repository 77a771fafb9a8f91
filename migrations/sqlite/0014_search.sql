-- Search: which document of words stands for which message, and the words. A document's number is its
-- ticket's, times 1,048,576, plus 0 for the ticket itself, 1 for its tags, from 2 for its messages.
CREATE TABLE search_entries (
    doc         INTEGER NOT NULL PRIMARY KEY,
    ticket_id   BLOB NOT NULL REFERENCES tickets (id),
    message_id  BLOB UNIQUE REFERENCES messages (id)
) STRICT;
CREATE INDEX search_entries_by_ticket ON search_entries (ticket_id);

-- What filters ask, so that walking tickets from the newest reads this and not the tickets.
CREATE INDEX tickets_for_search ON tickets
    (number, opened_at, status, tier, severity, priority, customer_id, assignee_id, is_provisional, snoozed_until);

-- The program cuts and folds; here only blanks and ASCII signs separate.
CREATE VIRTUAL TABLE search_terms USING fts5 (
    terms, content = '', contentless_delete = 1, tokenize = 'ascii'
);

-- What was stored before is indexed by the program, which knows how, and then says so here.
CREATE TABLE search_state (
    id           INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    is_complete  INTEGER NOT NULL CHECK (is_complete IN (0, 1))
) STRICT;
INSERT INTO search_state (id, is_complete) SELECT 1, NOT EXISTS (SELECT 1 FROM tickets);
