-- Mail out: what is to leave, one row a recipient, rendered once and kept until it is known what became
-- of it.
CREATE TABLE outgoing (
    id           UUID PRIMARY KEY,
    message_id   UUID NOT NULL REFERENCES messages (id),
    ticket_id    UUID NOT NULL REFERENCES tickets (id),
    customer_id  UUID REFERENCES customers (id),
    kind         TEXT NOT NULL CHECK (kind IN ('reply', 'receipt')),
    sender       TEXT NOT NULL,
    recipient    TEXT COLLATE "C" NOT NULL,
    domain       TEXT COLLATE "C" NOT NULL,
    blob_id      UUID NOT NULL REFERENCES blobs (id),
    state        TEXT NOT NULL CHECK (state IN ('held', 'waiting', 'sending', 'sent', 'failed', 'undone')),
    reason       TEXT,
    attempts     BIGINT NOT NULL,
    doubts       BIGINT NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL,
    leave_at     TIMESTAMPTZ NOT NULL,
    tried_at     TIMESTAMPTZ,
    ended_at     TIMESTAMPTZ
);
CREATE INDEX outgoing_by_message ON outgoing (message_id, recipient);
CREATE INDEX outgoing_by_ticket ON outgoing (ticket_id, created_at, id);
CREATE INDEX outgoing_open ON outgoing (created_at, id) WHERE state IN ('held', 'waiting', 'sending');
CREATE INDEX outgoing_receipts_by_recipient ON outgoing (recipient, created_at) WHERE kind = 'receipt';
CREATE INDEX outgoing_receipts_by_domain ON outgoing (domain, created_at) WHERE kind = 'receipt';
CREATE INDEX outgoing_by_blob ON outgoing (blob_id);

-- What a reply did to its ticket, so that it can be taken back until it leaves.
CREATE TABLE replies (
    message_id      UUID PRIMARY KEY REFERENCES messages (id),
    ticket_id       UUID NOT NULL REFERENCES tickets (id),
    leave_at        TIMESTAMPTZ NOT NULL,
    ticket_before   TEXT NOT NULL,
    ticket_version  BIGINT NOT NULL,
    undone_at       TIMESTAMPTZ
);
CREATE INDEX replies_by_ticket ON replies (ticket_id, leave_at);

-- Whoever speaks for a customer said that the mail servers of this domain take mail over verified TLS.
ALTER TABLE customer_domains ADD COLUMN tls_attested_by TEXT;
ALTER TABLE customer_domains ADD COLUMN tls_attested_at TIMESTAMPTZ;

ALTER TABLE outgoing ENABLE ROW LEVEL SECURITY;
ALTER TABLE outgoing FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON outgoing
    USING ((SELECT tierdesk_scope()) = 'desk' OR customer_id::TEXT = (SELECT tierdesk_scope()));

ALTER TABLE replies ENABLE ROW LEVEL SECURITY;
ALTER TABLE replies FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON replies USING ((SELECT tierdesk_scope()) = 'desk');
