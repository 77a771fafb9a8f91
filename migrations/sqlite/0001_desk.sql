-- The desk: directory, mail, tickets, staff, jobs, audit. Same tables and columns as the PostgreSQL
-- chain; README.md in the parent folder names what may differ.

CREATE TABLE staff (
    id          BLOB PRIMARY KEY NOT NULL,
    name        TEXT NOT NULL UNIQUE,
    os_user     TEXT UNIQUE,
    role        TEXT NOT NULL CHECK (role IN ('viewer', 'agent', 'provisioner', 'approver', 'auditor', 'admin')),
    status      TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
    created_at  INTEGER NOT NULL
) STRICT;

CREATE TABLE customers (
    id                  BLOB PRIMARY KEY NOT NULL,
    slug                TEXT NOT NULL UNIQUE,
    name                TEXT NOT NULL,
    search_text         TEXT NOT NULL,
    tier                TEXT NOT NULL,
    framework           TEXT,
    status              TEXT NOT NULL CHECK (status IN ('prospect', 'onboarding', 'active', 'suspended', 'closed')),
    prefix              TEXT UNIQUE,
    account_id          TEXT UNIQUE,
    ou                  TEXT,
    monthly_price_cents INTEGER,
    include_subdomains  INTEGER NOT NULL CHECK (include_subdomains IN (0, 1)),
    tags                TEXT NOT NULL,
    created_at          INTEGER NOT NULL,
    updated_at          INTEGER NOT NULL,
    version             INTEGER NOT NULL
) STRICT;
CREATE INDEX customers_by_tier ON customers (tier);

CREATE TABLE customer_domains (
    domain       TEXT PRIMARY KEY NOT NULL,
    customer_id  BLOB NOT NULL REFERENCES customers (id),
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX customer_domains_by_customer ON customer_domains (customer_id);

-- The deletion neighbourhood of each domain's confusable skeleton: two strings at most one edit
-- apart share an entry, so a look-alike is found by equality, among any number of customers.
CREATE TABLE domain_variants (
    variant  TEXT NOT NULL,
    domain   TEXT NOT NULL REFERENCES customer_domains (domain) ON DELETE CASCADE,
    PRIMARY KEY (variant, domain)
) STRICT;
CREATE INDEX domain_variants_by_domain ON domain_variants (domain);

CREATE TABLE contacts (
    id           BLOB PRIMARY KEY NOT NULL,
    customer_id  BLOB NOT NULL REFERENCES customers (id),
    address      TEXT NOT NULL UNIQUE,
    name         TEXT,
    role         TEXT,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE INDEX contacts_by_customer ON contacts (customer_id);

CREATE TABLE blob_keys (
    id            BLOB PRIMARY KEY NOT NULL,
    customer_id   BLOB REFERENCES customers (id),
    wrapped       BLOB,
    created_at    INTEGER NOT NULL,
    destroyed_at  INTEGER
) STRICT;
CREATE INDEX blob_keys_by_customer ON blob_keys (customer_id);

CREATE TABLE blobs (
    id           BLOB PRIMARY KEY NOT NULL,
    customer_id  BLOB REFERENCES customers (id),
    sha256       BLOB NOT NULL,
    key_id       BLOB REFERENCES blob_keys (id),
    size         INTEGER NOT NULL,
    content      BLOB NOT NULL,
    created_at   INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX blobs_by_content ON blobs (sha256, customer_id);

CREATE TABLE inbox (
    id               BLOB PRIMARY KEY NOT NULL,
    received_at      INTEGER NOT NULL,
    road             TEXT NOT NULL CHECK (road IN ('deliver', 'maildir', 'mbox', 'eml', 'imap', 'lmtp', 'smtp')),
    origin           TEXT,
    envelope_from    TEXT,
    recipients       TEXT NOT NULL,
    is_silent        INTEGER NOT NULL CHECK (is_silent IN (0, 1)),
    sha256           BLOB NOT NULL,
    blob_id          BLOB REFERENCES blobs (id),
    message_id_hint  TEXT,
    state            TEXT NOT NULL CHECK (state IN ('waiting', 'processed')),
    outcome          TEXT CHECK (outcome IN ('opened', 'appended', 'duplicate', 'recorded', 'triaged')),
    message_id       BLOB,
    processed_at     INTEGER
) STRICT;
CREATE INDEX inbox_waiting ON inbox (received_at, id) WHERE state = 'waiting';
CREATE INDEX inbox_waiting_hint ON inbox (message_id_hint) WHERE state = 'waiting';

-- Only here: what a sequence and the server's clock are in PostgreSQL.
CREATE TABLE counters (
    name   TEXT PRIMARY KEY NOT NULL,
    value  INTEGER NOT NULL
) STRICT;
INSERT INTO counters (name, value) VALUES ('ticket_number', 0), ('clock', 0);

CREATE TABLE tickets (
    id                           BLOB PRIMARY KEY NOT NULL,
    number                       INTEGER NOT NULL UNIQUE,
    customer_id                  BLOB REFERENCES customers (id),
    tier                         TEXT,
    framework                    TEXT,
    tier_rank                    INTEGER NOT NULL,
    subject                      TEXT NOT NULL,
    status                       TEXT NOT NULL CHECK (status IN ('new', 'open', 'waiting-customer', 'on-hold', 'resolved', 'closed')),
    severity                     TEXT NOT NULL CHECK (severity IN ('sev1', 'sev2', 'sev3', 'sev4')),
    priority                     TEXT NOT NULL CHECK (priority IN ('p1', 'p2', 'p3', 'p4')),
    trust                        TEXT NOT NULL CHECK (trust IN ('known', 'proven', 'unproven', 'contradicted')),
    trust_reasons                TEXT NOT NULL,
    requester                    TEXT NOT NULL,
    requester_name               TEXT,
    assignee_id                  BLOB REFERENCES staff (id),
    is_silent                    INTEGER NOT NULL CHECK (is_silent IN (0, 1)),
    is_provisional               INTEGER NOT NULL CHECK (is_provisional IN (0, 1)),
    close_reason                 TEXT CHECK (close_reason IN ('done', 'spam', 'duplicate', 'no_answer')),
    opened_at                    INTEGER NOT NULL,
    updated_at                   INTEGER NOT NULL,
    first_response_due           INTEGER,
    first_response_internal_due  INTEGER,
    first_response_met_at        INTEGER,
    next_response_due            INTEGER,
    next_response_internal_due   INTEGER,
    next_response_met_at         INTEGER,
    resolution_due               INTEGER,
    resolution_internal_due      INTEGER,
    resolution_met_at            INTEGER,
    version                      INTEGER NOT NULL,
    CHECK (customer_id IS NULL OR tier IS NOT NULL)
) STRICT;
CREATE INDEX tickets_queue ON tickets (priority, tier_rank, first_response_due, number)
    WHERE status IN ('new', 'open', 'waiting-customer', 'on-hold');
CREATE INDEX tickets_by_customer ON tickets (customer_id, status);
CREATE INDEX tickets_by_requester ON tickets (requester);

CREATE TABLE messages (
    id               BLOB PRIMARY KEY NOT NULL,
    ticket_id        BLOB REFERENCES tickets (id),
    customer_id      BLOB REFERENCES customers (id),
    direction        TEXT NOT NULL CHECK (direction IN ('in', 'out', 'note')),
    kind             TEXT NOT NULL CHECK (kind IN ('person', 'auto_reply', 'bounce', 'bulk', 'list', 'own')),
    fingerprint      BLOB UNIQUE,
    header_id        TEXT,
    in_reply_to      TEXT,
    author           TEXT NOT NULL,
    author_name      TEXT,
    recipients       TEXT NOT NULL,
    subject          TEXT NOT NULL,
    body             TEXT NOT NULL,
    reply_text       TEXT NOT NULL,
    sent_at          INTEGER,
    received_at      INTEGER NOT NULL,
    trust            TEXT CHECK (trust IN ('known', 'proven', 'unproven', 'contradicted')),
    findings         TEXT NOT NULL,
    is_truncated     INTEGER NOT NULL CHECK (is_truncated IN (0, 1)),
    blob_id          BLOB REFERENCES blobs (id),
    delivery         TEXT NOT NULL CHECK (delivery IN ('none', 'queued', 'sent', 'failed'))
) STRICT;
CREATE INDEX messages_by_ticket ON messages (ticket_id, received_at, id);
CREATE INDEX messages_by_header_id ON messages (header_id) WHERE header_id IS NOT NULL;
CREATE INDEX messages_by_in_reply_to ON messages (in_reply_to) WHERE in_reply_to IS NOT NULL;

CREATE TABLE attachments (
    id            BLOB PRIMARY KEY NOT NULL,
    message_id    BLOB NOT NULL REFERENCES messages (id),
    position      INTEGER NOT NULL,
    name          TEXT NOT NULL,
    content_type  TEXT NOT NULL,
    size          INTEGER NOT NULL,
    is_inline     INTEGER NOT NULL CHECK (is_inline IN (0, 1)),
    blob_id       BLOB REFERENCES blobs (id)
) STRICT;
CREATE UNIQUE INDEX attachments_by_message ON attachments (message_id, position);

CREATE TABLE ticket_participants (
    ticket_id  BLOB NOT NULL REFERENCES tickets (id),
    address    TEXT NOT NULL,
    name       TEXT,
    role       TEXT NOT NULL CHECK (role IN ('requester', 'colleague', 'added')),
    added_at   INTEGER NOT NULL,
    PRIMARY KEY (ticket_id, address)
) STRICT;

CREATE TABLE ticket_events (
    id         BLOB PRIMARY KEY NOT NULL,
    ticket_id  BLOB NOT NULL REFERENCES tickets (id),
    at         INTEGER NOT NULL,
    actor      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    detail     TEXT NOT NULL
) STRICT;
CREATE INDEX ticket_events_by_ticket ON ticket_events (ticket_id, at, id);

CREATE TABLE jobs (
    id            BLOB PRIMARY KEY NOT NULL,
    kind          TEXT NOT NULL,
    payload       TEXT NOT NULL,
    lane          TEXT,
    dedup_key     TEXT,
    state         TEXT NOT NULL CHECK (state IN ('queued', 'leased', 'done', 'dead')),
    attempts      INTEGER NOT NULL,
    max_attempts  INTEGER NOT NULL,
    run_at        INTEGER NOT NULL,
    leased_by     TEXT,
    leased_until  INTEGER,
    generation    INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    finished_at   INTEGER,
    last_error    TEXT
) STRICT;
CREATE UNIQUE INDEX jobs_unfinished_once ON jobs (kind, dedup_key) WHERE state IN ('queued', 'leased');
CREATE UNIQUE INDEX jobs_one_at_a_time_per_lane ON jobs (lane) WHERE state = 'leased';
CREATE INDEX jobs_lane_order ON jobs (lane, created_at, id) WHERE state IN ('queued', 'leased');
CREATE INDEX jobs_due ON jobs (run_at, id) WHERE state IN ('queued', 'leased');

CREATE TABLE leases (
    name        TEXT PRIMARY KEY NOT NULL,
    holder      TEXT NOT NULL,
    until       INTEGER NOT NULL,
    generation  INTEGER NOT NULL
) STRICT;

CREATE TABLE audit_entries (
    id            BLOB PRIMARY KEY NOT NULL,
    seq           INTEGER UNIQUE,
    at            INTEGER NOT NULL,
    actor         TEXT NOT NULL,
    action        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    fields        TEXT NOT NULL,
    content_hash  BLOB NOT NULL,
    chain_hash    BLOB
) STRICT;
CREATE INDEX audit_entries_unsealed ON audit_entries (id) WHERE seq IS NULL;
CREATE INDEX audit_entries_by_subject ON audit_entries (subject);

CREATE TABLE audit_head (
    id           INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
    seq          INTEGER NOT NULL,
    chain_hash   BLOB NOT NULL,
    sealed_at    INTEGER,
    anchored_at  INTEGER
) STRICT;
INSERT INTO audit_head (id, seq, chain_hash, sealed_at, anchored_at)
VALUES (1, 0, zeroblob(32), NULL, NULL);

