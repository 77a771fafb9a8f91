-- Working a ticket: it sleeps until a time, becomes a part of another, is told from others by words.
ALTER TABLE tickets ADD COLUMN snoozed_until INTEGER;

CREATE TABLE ticket_tags (
    ticket_id  BLOB NOT NULL REFERENCES tickets (id),
    tag        TEXT NOT NULL,
    PRIMARY KEY (ticket_id, tag)
) STRICT;
CREATE INDEX ticket_tags_by_tag ON ticket_tags (tag);

-- More kinds of ties: merged (the earlier has all of it), split (it was a part of the earlier), related.
CREATE TABLE new_ticket_links (
    ticket_id  BLOB NOT NULL REFERENCES tickets (id),
    other_id   BLOB NOT NULL REFERENCES tickets (id),
    kind       TEXT NOT NULL CHECK (kind IN ('follow_up', 'same_person', 'merged', 'split', 'related')),
    at         INTEGER NOT NULL,
    PRIMARY KEY (ticket_id, other_id, kind)
) STRICT;
INSERT INTO new_ticket_links (ticket_id, other_id, kind, at)
    SELECT ticket_id, other_id, kind, at FROM ticket_links;
DROP TABLE ticket_links;
ALTER TABLE new_ticket_links RENAME TO ticket_links;
CREATE INDEX ticket_links_by_other ON ticket_links (other_id);
