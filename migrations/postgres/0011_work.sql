-- Working a ticket: it sleeps until a time, becomes a part of another, is told from others by words.
ALTER TABLE tickets ADD COLUMN snoozed_until TIMESTAMPTZ;

CREATE TABLE ticket_tags (
    ticket_id  UUID NOT NULL REFERENCES tickets (id),
    tag        TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (ticket_id, tag)
);
CREATE INDEX ticket_tags_by_tag ON ticket_tags (tag);

-- More kinds of ties: merged (the earlier has all of it), split (it was a part of the earlier), related.
ALTER TABLE ticket_links DROP CONSTRAINT ticket_links_kind_check;
ALTER TABLE ticket_links ADD CONSTRAINT ticket_links_kind_check
    CHECK (kind IN ('follow_up', 'same_person', 'merged', 'split', 'related'));

ALTER TABLE ticket_tags ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket_tags FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON ticket_tags USING ((SELECT tierdesk_scope()) = 'desk');
