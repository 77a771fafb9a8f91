-- What ties two tickets: the later one follows the other, or may be of the same person.
CREATE TABLE ticket_links (
    ticket_id  BLOB NOT NULL REFERENCES tickets (id),
    other_id   BLOB NOT NULL REFERENCES tickets (id),
    kind       TEXT NOT NULL CHECK (kind IN ('follow_up', 'same_person')),
    at         INTEGER NOT NULL,
    PRIMARY KEY (ticket_id, other_id, kind)
) STRICT;
CREATE INDEX ticket_links_by_other ON ticket_links (other_id);
