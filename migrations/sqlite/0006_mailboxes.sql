-- How far each mailbox on a server was read, and whether it still is.
CREATE TABLE mailboxes (
    name           TEXT PRIMARY KEY NOT NULL,
    -- The server's numbering; NULL until the mailbox was opened for the first time.
    uid_validity   INTEGER,
    -- New mail: everything up to this UID is with us.
    last_uid       INTEGER NOT NULL,
    -- Mail that was there already: taken up to the one UID, there is some up to the other.
    backlog_uid    INTEGER NOT NULL,
    backlog_until  INTEGER NOT NULL,
    -- The server numbered anew, so the backlog may hold what was taken before.
    is_reread      INTEGER NOT NULL CHECK (is_reread IN (0, 1)),
    -- What the server dated the newest mail when the mailbox was opened for the first time.
    start_date     INTEGER,
    -- UIDs that are with us and not yet flagged or moved, as an IMAP set.
    to_mark        TEXT NOT NULL,
    watched_since  INTEGER NOT NULL,
    last_ok_at     INTEGER,
    last_error     TEXT,
    alarmed_at     INTEGER,
    version        INTEGER NOT NULL
) STRICT;

-- What a provider granted us: the refresh token, sealed.
CREATE TABLE oauth_grants (
    provider      TEXT NOT NULL CHECK (provider IN ('microsoft', 'google')),
    account       TEXT NOT NULL,
    key_id        BLOB NOT NULL REFERENCES blob_keys (id),
    sealed        BLOB NOT NULL,
    scope         TEXT NOT NULL,
    granted_at    INTEGER NOT NULL,
    refreshed_at  INTEGER NOT NULL,
    refused       TEXT,
    PRIMARY KEY (provider, account)
) STRICT;
