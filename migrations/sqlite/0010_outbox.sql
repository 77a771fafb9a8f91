-- Mail out: what is to leave, one row a recipient, rendered once and kept until it is known what became
-- of it.
CREATE TABLE outgoing (
    id           BLOB PRIMARY KEY NOT NULL,
    message_id   BLOB NOT NULL REFERENCES messages (id),
    ticket_id    BLOB NOT NULL REFERENCES tickets (id),
    customer_id  BLOB REFERENCES customers (id),
    kind         TEXT NOT NULL CHECK (kind IN ('reply', 'receipt')),
    sender       TEXT NOT NULL,
    recipient    TEXT NOT NULL,
    domain       TEXT NOT NULL,
    blob_id      BLOB NOT NULL REFERENCES blobs (id),
    state        TEXT NOT NULL CHECK (state IN ('held', 'waiting', 'sending', 'sent', 'failed', 'undone')),
    reason       TEXT,
    attempts     INTEGER NOT NULL,
    doubts       INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    leave_at     INTEGER NOT NULL,
    tried_at     INTEGER,
    ended_at     INTEGER
) STRICT;
CREATE INDEX outgoing_by_message ON outgoing (message_id, recipient);
CREATE INDEX outgoing_by_ticket ON outgoing (ticket_id, created_at, id);
CREATE INDEX outgoing_open ON outgoing (created_at, id) WHERE state IN ('held', 'waiting', 'sending');
CREATE INDEX outgoing_receipts_by_recipient ON outgoing (recipient, created_at) WHERE kind = 'receipt';
CREATE INDEX outgoing_receipts_by_domain ON outgoing (domain, created_at) WHERE kind = 'receipt';
CREATE INDEX outgoing_by_blob ON outgoing (blob_id);

-- What a reply did to its ticket, so that it can be taken back until it leaves.
CREATE TABLE replies (
    message_id      BLOB PRIMARY KEY NOT NULL REFERENCES messages (id),
    ticket_id       BLOB NOT NULL REFERENCES tickets (id),
    leave_at        INTEGER NOT NULL,
    ticket_before   TEXT NOT NULL,
    ticket_version  INTEGER NOT NULL,
    undone_at       INTEGER
) STRICT;
CREATE INDEX replies_by_ticket ON replies (ticket_id, leave_at);

-- Whoever speaks for a customer said that the mail servers of this domain take mail over verified TLS.
ALTER TABLE customer_domains ADD COLUMN tls_attested_by TEXT;
ALTER TABLE customer_domains ADD COLUMN tls_attested_at INTEGER;
