-- The desk: directory, mail, tickets, staff, jobs, audit. Same tables and columns as the SQLite
-- chain; README.md in the parent folder names what may differ.

CREATE TABLE staff (
    id          UUID PRIMARY KEY,
    name        TEXT COLLATE "C" NOT NULL UNIQUE,
    os_user     TEXT COLLATE "C" UNIQUE,
    role        TEXT NOT NULL CHECK (role IN ('viewer', 'agent', 'provisioner', 'approver', 'auditor', 'admin')),
    status      TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at  TIMESTAMPTZ NOT NULL
);

CREATE TABLE customers (
    id                  UUID PRIMARY KEY,
    slug                TEXT COLLATE "C" NOT NULL UNIQUE,
    name                TEXT NOT NULL,
    search_text         TEXT NOT NULL,
    tier                TEXT COLLATE "C" NOT NULL,
    framework           TEXT,
    status              TEXT NOT NULL CHECK (status IN ('prospect', 'onboarding', 'active', 'suspended', 'closed')),
    prefix              TEXT COLLATE "C" UNIQUE,
    account_id          TEXT COLLATE "C" UNIQUE,
    ou                  TEXT,
    monthly_price_cents BIGINT,
    include_subdomains  BOOLEAN NOT NULL,
    tags                TEXT NOT NULL,
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    version             BIGINT NOT NULL
);
CREATE INDEX customers_by_tier ON customers (tier);

CREATE TABLE customer_domains (
    domain       TEXT COLLATE "C" PRIMARY KEY,
    customer_id  UUID NOT NULL REFERENCES customers (id),
    created_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX customer_domains_by_customer ON customer_domains (customer_id);

-- The deletion neighbourhood of each domain's confusable skeleton: two strings at most one edit
-- apart share an entry, so a look-alike is found by equality, among any number of customers.
CREATE TABLE domain_variants (
    variant  TEXT COLLATE "C" NOT NULL,
    domain   TEXT COLLATE "C" NOT NULL REFERENCES customer_domains (domain) ON DELETE CASCADE,
    PRIMARY KEY (variant, domain)
);
CREATE INDEX domain_variants_by_domain ON domain_variants (domain);

CREATE TABLE contacts (
    id           UUID PRIMARY KEY,
    customer_id  UUID NOT NULL REFERENCES customers (id),
    address      TEXT COLLATE "C" NOT NULL UNIQUE,
    name         TEXT,
    role         TEXT,
    created_at   TIMESTAMPTZ NOT NULL
);
CREATE INDEX contacts_by_customer ON contacts (customer_id);

CREATE TABLE blob_keys (
    id            UUID PRIMARY KEY,
    customer_id   UUID REFERENCES customers (id),
    wrapped       BYTEA,
    created_at    TIMESTAMPTZ NOT NULL,
    destroyed_at  TIMESTAMPTZ
);
CREATE INDEX blob_keys_by_customer ON blob_keys (customer_id);

CREATE TABLE blobs (
    id           UUID PRIMARY KEY,
    customer_id  UUID REFERENCES customers (id),
    sha256       BYTEA NOT NULL,
    key_id       UUID REFERENCES blob_keys (id),
    size         BIGINT NOT NULL,
    content      BYTEA NOT NULL,
    created_at   TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX blobs_by_content ON blobs (sha256, customer_id);

CREATE TABLE inbox (
    id               UUID PRIMARY KEY,
    received_at      TIMESTAMPTZ NOT NULL,
    road             TEXT NOT NULL CHECK (road IN ('deliver', 'maildir', 'mbox', 'eml', 'imap', 'lmtp', 'smtp')),
    origin           TEXT,
    envelope_from    TEXT,
    recipients       TEXT NOT NULL,
    is_silent        BOOLEAN NOT NULL,
    sha256           BYTEA NOT NULL,
    blob_id          UUID REFERENCES blobs (id),
    message_id_hint  TEXT COLLATE "C",
    state            TEXT NOT NULL CHECK (state IN ('waiting', 'processed')),
    outcome          TEXT CHECK (outcome IN ('opened', 'appended', 'duplicate', 'recorded', 'triaged')),
    message_id       UUID,
    processed_at     TIMESTAMPTZ
);
CREATE INDEX inbox_waiting ON inbox (received_at, id) WHERE state = 'waiting';
CREATE INDEX inbox_waiting_hint ON inbox (message_id_hint) WHERE state = 'waiting';

CREATE SEQUENCE ticket_numbers;

CREATE TABLE tickets (
    id                           UUID PRIMARY KEY,
    number                       BIGINT NOT NULL UNIQUE,
    customer_id                  UUID REFERENCES customers (id),
    tier                         TEXT COLLATE "C",
    framework                    TEXT,
    tier_rank                    BIGINT NOT NULL,
    subject                      TEXT NOT NULL,
    status                       TEXT NOT NULL CHECK (status IN ('new', 'open', 'waiting-customer', 'on-hold', 'resolved', 'closed')),
    severity                     TEXT COLLATE "C" NOT NULL CHECK (severity IN ('sev1', 'sev2', 'sev3', 'sev4')),
    priority                     TEXT COLLATE "C" NOT NULL CHECK (priority IN ('p1', 'p2', 'p3', 'p4')),
    trust                        TEXT NOT NULL CHECK (trust IN ('known', 'proven', 'unproven', 'contradicted')),
    trust_reasons                TEXT NOT NULL,
    requester                    TEXT COLLATE "C" NOT NULL,
    requester_name               TEXT,
    assignee_id                  UUID REFERENCES staff (id),
    is_silent                    BOOLEAN NOT NULL,
    is_provisional               BOOLEAN NOT NULL,
    close_reason                 TEXT CHECK (close_reason IN ('done', 'spam', 'duplicate', 'no_answer')),
    opened_at                    TIMESTAMPTZ NOT NULL,
    updated_at                   TIMESTAMPTZ NOT NULL,
    first_response_due           TIMESTAMPTZ,
    first_response_internal_due  TIMESTAMPTZ,
    first_response_met_at        TIMESTAMPTZ,
    next_response_due            TIMESTAMPTZ,
    next_response_internal_due   TIMESTAMPTZ,
    next_response_met_at         TIMESTAMPTZ,
    resolution_due               TIMESTAMPTZ,
    resolution_internal_due      TIMESTAMPTZ,
    resolution_met_at            TIMESTAMPTZ,
    version                      BIGINT NOT NULL,
    CHECK (customer_id IS NULL OR tier IS NOT NULL)
);
CREATE INDEX tickets_queue ON tickets (priority, tier_rank, first_response_due, number)
    WHERE status IN ('new', 'open', 'waiting-customer', 'on-hold');
CREATE INDEX tickets_by_customer ON tickets (customer_id, status);
CREATE INDEX tickets_by_requester ON tickets (requester);

CREATE TABLE messages (
    id               UUID PRIMARY KEY,
    ticket_id        UUID REFERENCES tickets (id),
    customer_id      UUID REFERENCES customers (id),
    direction        TEXT NOT NULL CHECK (direction IN ('in', 'out', 'note')),
    kind             TEXT NOT NULL CHECK (kind IN ('person', 'auto_reply', 'bounce', 'bulk', 'list', 'own')),
    fingerprint      BYTEA UNIQUE,
    header_id        TEXT COLLATE "C",
    in_reply_to      TEXT COLLATE "C",
    author           TEXT COLLATE "C" NOT NULL,
    author_name      TEXT,
    recipients       TEXT NOT NULL,
    subject          TEXT NOT NULL,
    body             TEXT NOT NULL,
    reply_text       TEXT NOT NULL,
    sent_at          TIMESTAMPTZ,
    received_at      TIMESTAMPTZ NOT NULL,
    trust            TEXT CHECK (trust IN ('known', 'proven', 'unproven', 'contradicted')),
    findings         TEXT NOT NULL,
    is_truncated     BOOLEAN NOT NULL,
    blob_id          UUID REFERENCES blobs (id),
    delivery         TEXT NOT NULL CHECK (delivery IN ('none', 'queued', 'sent', 'failed'))
);
CREATE INDEX messages_by_ticket ON messages (ticket_id, received_at, id);
CREATE INDEX messages_by_header_id ON messages (header_id) WHERE header_id IS NOT NULL;
CREATE INDEX messages_by_in_reply_to ON messages (in_reply_to) WHERE in_reply_to IS NOT NULL;

CREATE TABLE attachments (
    id            UUID PRIMARY KEY,
    message_id    UUID NOT NULL REFERENCES messages (id),
    position      BIGINT NOT NULL,
    name          TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    size          BIGINT NOT NULL,
    is_inline     BOOLEAN NOT NULL,
    blob_id       UUID REFERENCES blobs (id)
);
CREATE UNIQUE INDEX attachments_by_message ON attachments (message_id, position);

CREATE TABLE ticket_participants (
    ticket_id  UUID NOT NULL REFERENCES tickets (id),
    address    TEXT COLLATE "C" NOT NULL,
    name       TEXT,
    role       TEXT NOT NULL CHECK (role IN ('requester', 'colleague', 'added')),
    added_at   TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (ticket_id, address)
);

CREATE TABLE ticket_events (
    id         UUID PRIMARY KEY,
    ticket_id  UUID NOT NULL REFERENCES tickets (id),
    at         TIMESTAMPTZ NOT NULL,
    actor      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    detail     TEXT NOT NULL
);
CREATE INDEX ticket_events_by_ticket ON ticket_events (ticket_id, at, id);

CREATE TABLE jobs (
    id            UUID PRIMARY KEY,
    kind          TEXT COLLATE "C" NOT NULL,
    payload       TEXT NOT NULL,
    lane          TEXT COLLATE "C",
    dedup_key     TEXT COLLATE "C",
    state         TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'done', 'dead')),
    attempts      BIGINT NOT NULL,
    max_attempts  BIGINT NOT NULL,
    run_at        TIMESTAMPTZ NOT NULL,
    leased_by     TEXT,
    leased_until  TIMESTAMPTZ,
    generation    BIGINT NOT NULL,
    created_at    TIMESTAMPTZ NOT NULL,
    finished_at   TIMESTAMPTZ,
    last_error    TEXT
);
CREATE UNIQUE INDEX jobs_unfinished_once ON jobs (kind, dedup_key) WHERE state IN ('queued', 'leased');
CREATE UNIQUE INDEX jobs_one_at_a_time_per_lane ON jobs (lane) WHERE state = 'leased';
CREATE INDEX jobs_lane_order ON jobs (lane, created_at, id) WHERE state IN ('queued', 'leased');
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state IN ('queued', 'leased');

CREATE TABLE leases (
    name        TEXT COLLATE "C" PRIMARY KEY,
    holder      TEXT NOT NULL,
    until       TIMESTAMPTZ NOT NULL,
    generation  BIGINT NOT NULL
);

CREATE TABLE audit_entries (
    id            UUID PRIMARY KEY,
    seq           BIGINT UNIQUE,
    at            TIMESTAMPTZ NOT NULL,
    actor         TEXT NOT NULL,
    action        TEXT NOT NULL,
    subject       TEXT COLLATE "C" NOT NULL,
    fields        TEXT NOT NULL,
    content_hash  BYTEA NOT NULL,
    chain_hash    BYTEA
);
CREATE INDEX audit_entries_unsealed ON audit_entries (id) WHERE seq IS NULL;
CREATE INDEX audit_entries_by_subject ON audit_entries (subject);

CREATE TABLE audit_head (
    id           BIGINT PRIMARY KEY CHECK (id = 1),
    seq          BIGINT NOT NULL,
    chain_hash   BYTEA NOT NULL,
    sealed_at    TIMESTAMPTZ,
    anchored_at  TIMESTAMPTZ
);
INSERT INTO audit_head (id, seq, chain_hash, sealed_at, anchored_at)
VALUES (1, 0, '\x0000000000000000000000000000000000000000000000000000000000000000', NULL, NULL);

-- Row-level security: a unit of work names its scope when it begins, 'desk' or one customer's id.
-- A connection that names none sees nothing. FORCE makes it hold for the owner of the tables too;
-- only a superuser passes it by, which `tierdesk` warns about.
CREATE FUNCTION tierdesk_scope() RETURNS TEXT LANGUAGE SQL STABLE PARALLEL SAFE
    AS $$ SELECT current_setting('tierdesk.scope', true) $$;

ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
ALTER TABLE customers FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON customers
    USING ((SELECT tierdesk_scope()) = 'desk' OR id::TEXT = (SELECT tierdesk_scope()));

ALTER TABLE customer_domains ENABLE ROW LEVEL SECURITY;
ALTER TABLE customer_domains FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON customer_domains
    USING ((SELECT tierdesk_scope()) = 'desk' OR customer_id::TEXT = (SELECT tierdesk_scope()));

ALTER TABLE contacts ENABLE ROW LEVEL SECURITY;
ALTER TABLE contacts FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON contacts
    USING ((SELECT tierdesk_scope()) = 'desk' OR customer_id::TEXT = (SELECT tierdesk_scope()));

ALTER TABLE tickets ENABLE ROW LEVEL SECURITY;
ALTER TABLE tickets FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON tickets
    USING ((SELECT tierdesk_scope()) = 'desk' OR customer_id::TEXT = (SELECT tierdesk_scope()));

ALTER TABLE messages ENABLE ROW LEVEL SECURITY;
ALTER TABLE messages FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON messages
    USING ((SELECT tierdesk_scope()) = 'desk' OR customer_id::TEXT = (SELECT tierdesk_scope()));

ALTER TABLE blobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE blobs FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON blobs
    USING ((SELECT tierdesk_scope()) = 'desk' OR customer_id::TEXT = (SELECT tierdesk_scope()));

ALTER TABLE inbox ENABLE ROW LEVEL SECURITY;
ALTER TABLE inbox FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON inbox USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE attachments ENABLE ROW LEVEL SECURITY;
ALTER TABLE attachments FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON attachments
    USING ((SELECT tierdesk_scope()) = 'desk'
        OR EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id AND m.customer_id::TEXT = (SELECT tierdesk_scope())));

ALTER TABLE ticket_participants ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket_participants FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON ticket_participants
    USING ((SELECT tierdesk_scope()) = 'desk'
        OR EXISTS (SELECT 1 FROM tickets t WHERE t.id = ticket_id AND t.customer_id::TEXT = (SELECT tierdesk_scope())));

ALTER TABLE ticket_events ENABLE ROW LEVEL SECURITY;
ALTER TABLE ticket_events FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON ticket_events USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE jobs ENABLE ROW LEVEL SECURITY;
ALTER TABLE jobs FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON jobs USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_entries FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON audit_entries USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE domain_variants ENABLE ROW LEVEL SECURITY;
ALTER TABLE domain_variants FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON domain_variants USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE staff ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON staff USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE blob_keys ENABLE ROW LEVEL SECURITY;
ALTER TABLE blob_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON blob_keys USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE leases ENABLE ROW LEVEL SECURITY;
ALTER TABLE leases FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON leases USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE audit_head ENABLE ROW LEVEL SECURITY;
ALTER TABLE audit_head FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON audit_head USING ((SELECT tierdesk_scope()) = 'desk');
