-- Pages: who was told of what, and what comes next. The instant of a page's next step is a column, so
-- that an engine that stopped and starts again finds it.
CREATE TABLE pages (
    id               BLOB PRIMARY KEY NOT NULL,
    kind             TEXT NOT NULL CHECK (kind IN ('ticket', 'unverified', 'test', 'alarm', 'news', 'digest')),
    ticket_id        BLOB REFERENCES tickets (id),
    customer_id      BLOB REFERENCES customers (id),
    staff_id         BLOB REFERENCES staff (id),
    tier             TEXT,
    severity         TEXT NOT NULL,
    urgency          TEXT NOT NULL CHECK (urgency IN ('high', 'low')),
    schedule         TEXT NOT NULL,
    plan             TEXT NOT NULL,
    reason           TEXT NOT NULL,
    state            TEXT NOT NULL CHECK (state IN ('waiting', 'open', 'acknowledged', 'exhausted', 'resolved')),
    round            INTEGER NOT NULL,
    step             INTEGER NOT NULL,
    next_at          INTEGER,
    tickets          INTEGER NOT NULL,
    cycle            INTEGER NOT NULL,
    opened_at        INTEGER NOT NULL,
    due_at           INTEGER NOT NULL,
    acknowledged_at  INTEGER,
    acknowledged_by  TEXT,
    acknowledged_via TEXT,
    ended_at         INTEGER,
    ended_by         TEXT,
    ending           TEXT,
    CHECK (state NOT IN ('waiting', 'open') OR next_at IS NOT NULL),
    CHECK (state NOT IN ('exhausted', 'resolved') OR next_at IS NULL),
    CHECK (state <> 'resolved' OR ended_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX pages_one_a_ticket ON pages (ticket_id) WHERE state <> 'resolved' AND kind = 'ticket';
CREATE UNIQUE INDEX pages_one_alarm ON pages (schedule) WHERE state <> 'resolved' AND kind = 'alarm';
CREATE INDEX pages_by_ticket ON pages (ticket_id, opened_at);
CREATE INDEX pages_next ON pages (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX pages_unresolved ON pages (opened_at, id) WHERE state <> 'resolved';
CREATE INDEX pages_unverified ON pages (due_at) WHERE kind = 'unverified';
CREATE INDEX pages_by_time ON pages (opened_at, id);

-- The tickets that one page stands for, where it stands for more than its own.
CREATE TABLE page_tickets (
    page_id    BLOB NOT NULL REFERENCES pages (id),
    ticket_id  BLOB NOT NULL REFERENCES tickets (id),
    at         INTEGER NOT NULL,
    PRIMARY KEY (page_id, ticket_id)
) STRICT;
CREATE INDEX page_tickets_by_ticket ON page_tickets (ticket_id);

-- What one person, or one webhook, gets of a page on one channel.
CREATE TABLE page_notices (
    id          BLOB PRIMARY KEY NOT NULL,
    page_id     BLOB NOT NULL REFERENCES pages (id),
    round       INTEGER NOT NULL,
    step        INTEGER NOT NULL,
    signal      TEXT NOT NULL CHECK (signal IN ('trigger', 'acknowledge', 'resolve')),
    staff_id    BLOB REFERENCES staff (id),
    channel     TEXT NOT NULL CHECK (channel IN ('thread', 'direct', 'mail', 'webhook')),
    target      TEXT NOT NULL,
    code        TEXT,
    key         TEXT NOT NULL,
    job_kind    TEXT NOT NULL,
    job_key     TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('due', 'sending', 'sent', 'failed', 'cancelled')),
    reason      TEXT,
    proof       TEXT,
    attempts    INTEGER NOT NULL,
    doubts      INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    tried_at    INTEGER,
    ended_at    INTEGER
) STRICT;
CREATE INDEX page_notices_by_page ON page_notices (page_id, created_at, id);
CREATE INDEX page_notices_pending ON page_notices (page_id) WHERE state IN ('due', 'sending');
CREATE UNIQUE INDEX page_notices_by_code ON page_notices (code) WHERE code IS NOT NULL;

-- What the buttons of a page mean. In the chat stands only the handle.
CREATE TABLE page_handles (
    handle      TEXT PRIMARY KEY NOT NULL,
    page_id     BLOB NOT NULL REFERENCES pages (id),
    notice_id   BLOB REFERENCES page_notices (id),
    verb        TEXT NOT NULL,
    staff_id    BLOB REFERENCES staff (id),
    expires_at  INTEGER NOT NULL,
    used_at     INTEGER,
    used_by     TEXT
) STRICT;
CREATE INDEX page_handles_by_page ON page_handles (page_id);

-- How a member of staff can be reached. What is secret of it is sealed.
CREATE TABLE staff_channels (
    id          BLOB PRIMARY KEY NOT NULL,
    staff_id    BLOB NOT NULL REFERENCES staff (id),
    kind        TEXT NOT NULL CHECK (kind IN ('direct', 'mail', 'webhook')),
    target      TEXT NOT NULL,
    format      TEXT,
    key_id      BLOB REFERENCES blob_keys (id),
    sealed      BLOB,
    wakes       INTEGER NOT NULL CHECK (wakes IN (0, 1)),
    added_at    INTEGER NOT NULL,
    added_by    TEXT NOT NULL,
    proven_at   INTEGER,
    removed_at  INTEGER,
    removed_by  TEXT
) STRICT;
CREATE UNIQUE INDEX staff_channels_once ON staff_channels (staff_id, kind, target) WHERE removed_at IS NULL;
