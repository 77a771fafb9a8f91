-- Who is on call: schedules, what changes them for a time, and who is away.
CREATE TABLE oncall_schedules (
    id          BLOB PRIMARY KEY NOT NULL,
    slug        TEXT NOT NULL UNIQUE,
    spec        TEXT NOT NULL,
    version     INTEGER NOT NULL,
    updated_at  INTEGER NOT NULL
) STRICT;

-- An override holds whoever's turn it is. A swap is somebody's shift that changes hands; without staff_id it is
-- offered and nobody has taken it yet.
CREATE TABLE oncall_overrides (
    id           BLOB PRIMARY KEY NOT NULL,
    schedule_id  BLOB NOT NULL REFERENCES oncall_schedules (id),
    layer        TEXT NOT NULL CHECK (layer IN ('primary', 'secondary')),
    kind         TEXT NOT NULL CHECK (kind IN ('override', 'swap')),
    staff_id     BLOB REFERENCES staff (id),
    replaces     BLOB REFERENCES staff (id),
    is_offered   INTEGER NOT NULL CHECK (is_offered IN (0, 1)),
    starts       INTEGER NOT NULL,
    ends         INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      INTEGER NOT NULL,
    taken_at     INTEGER,
    removed_at   INTEGER,
    removed_by   TEXT,
    CHECK (starts < ends),
    CHECK (kind = 'swap' OR (staff_id IS NOT NULL AND replaces IS NULL)),
    CHECK (kind = 'override' OR replaces IS NOT NULL)
) STRICT;
CREATE INDEX oncall_overrides_by_schedule ON oncall_overrides (schedule_id, ends) WHERE removed_at IS NULL;

CREATE TABLE oncall_temporaries (
    id           BLOB PRIMARY KEY NOT NULL,
    schedule_id  BLOB NOT NULL REFERENCES oncall_schedules (id),
    starts       INTEGER NOT NULL,
    ends         INTEGER NOT NULL,
    spec         TEXT NOT NULL,
    reason       TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      INTEGER NOT NULL,
    removed_at   INTEGER,
    removed_by   TEXT,
    CHECK (starts < ends)
) STRICT;
CREATE INDEX oncall_temporaries_by_schedule ON oncall_temporaries (schedule_id, ends) WHERE removed_at IS NULL;

CREATE TABLE oncall_absences (
    id           BLOB PRIMARY KEY NOT NULL,
    staff_id     BLOB NOT NULL REFERENCES staff (id),
    starts       INTEGER NOT NULL,
    ends         INTEGER NOT NULL,
    reason       TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      INTEGER NOT NULL,
    removed_at   INTEGER,
    removed_by   TEXT,
    CHECK (starts < ends)
) STRICT;
CREATE INDEX oncall_absences_by_end ON oncall_absences (ends) WHERE removed_at IS NULL;

-- Secret addresses of people's calendars: what is kept of a secret is its hash.
CREATE TABLE oncall_feeds (
    token_hash  BLOB PRIMARY KEY NOT NULL,
    staff_id    BLOB NOT NULL REFERENCES staff (id),
    made_at     INTEGER NOT NULL,
    removed_at  INTEGER
) STRICT;
CREATE UNIQUE INDEX oncall_feeds_once ON oncall_feeds (staff_id) WHERE removed_at IS NULL;
