-- What ties two tickets: the later one follows the other, or may be of the same person.
CREATE TABLE ticket_links (
    ticket_id  UUID NOT NULL REFERENCES tickets (id),
    other_id   UUID NOT NULL REFERENCES tickets (id),
    kind       TEXT NOT NULL CHECK (kind IN ('follow_up', 'same_person')),
    at         TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (ticket_id, other_id, kind)
);
CREATE INDEX ticket_links_by_other ON ticket_links (other_id);

ALTER TABLE ticket_links ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket_links FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON ticket_links USING ((SELECT tierdesk_scope()) = 'desk');
