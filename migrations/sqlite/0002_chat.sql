-- Chat: who a member of the guild is here, where tickets are posted, what buttons mean. Same tables
-- and columns as the PostgreSQL chain.

ALTER TABLE staff ADD COLUMN discord_user_id TEXT;
CREATE UNIQUE INDEX staff_by_discord_user ON staff (discord_user_id);

-- One row a place in which a ticket stands or stood. A row is written before the place is made, so
-- that a crash in between is noticed. The level says how much was shown there.
CREATE TABLE chat_posts (
    id               BLOB PRIMARY KEY NOT NULL,
    ticket_id        BLOB NOT NULL REFERENCES tickets (id),
    channel_id       TEXT NOT NULL,
    thread_id        TEXT,
    message_id       TEXT,
    state            TEXT NOT NULL CHECK (state IN ('intended', 'posted', 'moved', 'deleted')),
    level            TEXT NOT NULL CHECK (level IN ('alias', 'metadata', 'subject', 'excerpt', 'full')),
    tier             TEXT,
    shown            TEXT NOT NULL,
    shown_version    INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    updated_at       INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX chat_posts_current ON chat_posts (ticket_id) WHERE state IN ('intended', 'posted');
CREATE INDEX chat_posts_by_ticket ON chat_posts (ticket_id, created_at, id);
CREATE INDEX chat_posts_by_thread ON chat_posts (thread_id);

-- What a button, menu or form does. The handle is random and stands in Discord; everything else
-- stands here.
CREATE TABLE chat_handles (
    handle          TEXT PRIMARY KEY NOT NULL,
    verb            TEXT NOT NULL,
    ticket_id       BLOB NOT NULL REFERENCES tickets (id),
    ticket_version  INTEGER NOT NULL,
    staff_id        BLOB REFERENCES staff (id),
    created_at      INTEGER NOT NULL,
    expires_at      INTEGER NOT NULL,
    used_at         INTEGER,
    used_by         TEXT
) STRICT;
CREATE INDEX chat_handles_by_ticket ON chat_handles (ticket_id);
CREATE INDEX chat_handles_by_expiry ON chat_handles (expires_at);

-- Small facts about the other side: which commands are registered, where a run is reported.
CREATE TABLE chat_facts (
    name        TEXT PRIMARY KEY NOT NULL,
    value       TEXT NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;
