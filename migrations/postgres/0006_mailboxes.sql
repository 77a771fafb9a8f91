-- How far each mailbox on a server was read, and whether it still is.
CREATE TABLE mailboxes (
    name           TEXT COLLATE "C" PRIMARY KEY,
    -- The server's numbering; NULL until the mailbox was opened for the first time.
    uid_validity   BIGINT,
    -- New mail: everything up to this UID is with us.
    last_uid       BIGINT NOT NULL,
    -- Mail that was there already: taken up to the one UID, there is some up to the other.
    backlog_uid    BIGINT NOT NULL,
    backlog_until  BIGINT NOT NULL,
    -- The server numbered anew, so the backlog may hold what was taken before.
    is_reread      BOOLEAN NOT NULL,
    -- What the server dated the newest mail when the mailbox was opened for the first time.
    start_date     TIMESTAMPTZ,
    -- UIDs that are with us and not yet flagged or moved, as an IMAP set.
    to_mark        TEXT NOT NULL,
    watched_since  TIMESTAMPTZ NOT NULL,
    last_ok_at     TIMESTAMPTZ,
    last_error     TEXT,
    alarmed_at     TIMESTAMPTZ,
    version        BIGINT NOT NULL
);

-- What a provider granted us: the refresh token, sealed.
CREATE TABLE oauth_grants (
    provider      TEXT COLLATE "C" NOT NULL CHECK (provider IN ('microsoft', 'google')),
    account       TEXT COLLATE "C" NOT NULL,
    key_id        UUID NOT NULL REFERENCES blob_keys (id),
    sealed        BYTEA NOT NULL,
    scope         TEXT NOT NULL,
    granted_at    TIMESTAMPTZ NOT NULL,
    refreshed_at  TIMESTAMPTZ NOT NULL,
    refused       TEXT,
    PRIMARY KEY (provider, account)
);

ALTER TABLE mailboxes ENABLE ROW LEVEL SECURITY;
ALTER TABLE mailboxes FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON mailboxes USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE oauth_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE oauth_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON oauth_grants USING ((SELECT tierdesk_scope()) = 'desk');
