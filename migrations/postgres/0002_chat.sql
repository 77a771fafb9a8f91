-- Chat: who a member of the guild is here, where tickets are posted, what buttons mean. Same tables
-- and columns as the SQLite chain.

ALTER TABLE staff ADD COLUMN discord_user_id TEXT COLLATE "C";
CREATE UNIQUE INDEX staff_by_discord_user ON staff (discord_user_id);

-- One row a place in which a ticket stands or stood. A row is written before the place is made, so
-- that a crash in between is noticed. The level says how much was shown there.
CREATE TABLE chat_posts (
    id               UUID PRIMARY KEY,
    ticket_id        UUID NOT NULL REFERENCES tickets (id),
    channel_id       TEXT COLLATE "C" NOT NULL,
    thread_id        TEXT COLLATE "C",
    message_id       TEXT COLLATE "C",
    state            TEXT NOT NULL CHECK (state IN ('intended', 'posted', 'moved', 'deleted')),
    level            TEXT NOT NULL CHECK (level IN ('alias', 'metadata', 'subject', 'excerpt', 'full')),
    tier             TEXT COLLATE "C",
    shown            TEXT NOT NULL,
    shown_version    BIGINT NOT NULL,
    created_at       TIMESTAMPTZ NOT NULL,
    updated_at       TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX chat_posts_current ON chat_posts (ticket_id) WHERE state IN ('intended', 'posted');
CREATE INDEX chat_posts_by_ticket ON chat_posts (ticket_id, created_at, id);
CREATE INDEX chat_posts_by_thread ON chat_posts (thread_id);

-- What a button, menu or form does. The handle is random and stands in Discord; everything else
-- stands here.
CREATE TABLE chat_handles (
    handle          TEXT COLLATE "C" PRIMARY KEY,
    verb            TEXT NOT NULL,
    ticket_id       UUID NOT NULL REFERENCES tickets (id),
    ticket_version  BIGINT NOT NULL,
    staff_id        UUID REFERENCES staff (id),
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    used_at         TIMESTAMPTZ,
    used_by         TEXT
);
CREATE INDEX chat_handles_by_ticket ON chat_handles (ticket_id);
CREATE INDEX chat_handles_by_expiry ON chat_handles (expires_at);

-- Small facts about the other side: which commands are registered, where a run is reported.
CREATE TABLE chat_facts (
    name        TEXT COLLATE "C" PRIMARY KEY,
    value       TEXT NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);

ALTER TABLE chat_posts ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_posts FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON chat_posts USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE chat_handles ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_handles FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON chat_handles USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE chat_facts ENABLE ROW LEVEL SECURITY;
ALTER TABLE chat_facts FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON chat_facts USING ((SELECT tierdesk_scope()) = 'desk');
