-- Who is on call: schedules, what changes them for a time, and who is away.
CREATE TABLE oncall_schedules (
    id          UUID PRIMARY KEY,
    slug        TEXT COLLATE "C" NOT NULL UNIQUE,
    spec        TEXT NOT NULL,
    version     BIGINT NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);

-- An override holds whoever's turn it is. A swap is somebody's shift that changes hands; without staff_id it is
-- offered and nobody has taken it yet.
CREATE TABLE oncall_overrides (
    id           UUID PRIMARY KEY,
    schedule_id  UUID NOT NULL REFERENCES oncall_schedules (id),
    layer        TEXT NOT NULL CHECK (layer IN ('primary', 'secondary')),
    kind         TEXT NOT NULL CHECK (kind IN ('override', 'swap')),
    staff_id     UUID REFERENCES staff (id),
    replaces     UUID REFERENCES staff (id),
    is_offered   BOOLEAN NOT NULL,
    starts       TIMESTAMPTZ NOT NULL,
    ends         TIMESTAMPTZ NOT NULL,
    reason       TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      TIMESTAMPTZ NOT NULL,
    taken_at     TIMESTAMPTZ,
    removed_at   TIMESTAMPTZ,
    removed_by   TEXT,
    CHECK (starts < ends),
    CHECK (kind = 'swap' OR (staff_id IS NOT NULL AND replaces IS NULL)),
    CHECK (kind = 'override' OR replaces IS NOT NULL)
);
CREATE INDEX oncall_overrides_by_schedule ON oncall_overrides (schedule_id, ends) WHERE removed_at IS NULL;

CREATE TABLE oncall_temporaries (
    id           UUID PRIMARY KEY,
    schedule_id  UUID NOT NULL REFERENCES oncall_schedules (id),
    starts       TIMESTAMPTZ NOT NULL,
    ends         TIMESTAMPTZ NOT NULL,
    spec         TEXT NOT NULL,
    reason       TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      TIMESTAMPTZ NOT NULL,
    removed_at   TIMESTAMPTZ,
    removed_by   TEXT,
    CHECK (starts < ends)
);
CREATE INDEX oncall_temporaries_by_schedule ON oncall_temporaries (schedule_id, ends) WHERE removed_at IS NULL;

CREATE TABLE oncall_absences (
    id           UUID PRIMARY KEY,
    staff_id     UUID NOT NULL REFERENCES staff (id),
    starts       TIMESTAMPTZ NOT NULL,
    ends         TIMESTAMPTZ NOT NULL,
    reason       TEXT NOT NULL,
    made_by      TEXT NOT NULL,
    made_at      TIMESTAMPTZ NOT NULL,
    removed_at   TIMESTAMPTZ,
    removed_by   TEXT,
    CHECK (starts < ends)
);
CREATE INDEX oncall_absences_by_end ON oncall_absences (ends) WHERE removed_at IS NULL;

-- Secret addresses of people's calendars: what is kept of a secret is its hash.
CREATE TABLE oncall_feeds (
    token_hash  BYTEA PRIMARY KEY,
    staff_id    UUID NOT NULL REFERENCES staff (id),
    made_at     TIMESTAMPTZ NOT NULL,
    removed_at  TIMESTAMPTZ
);
CREATE UNIQUE INDEX oncall_feeds_once ON oncall_feeds (staff_id) WHERE removed_at IS NULL;

ALTER TABLE oncall_schedules ENABLE ROW LEVEL SECURITY;
ALTER TABLE oncall_schedules FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON oncall_schedules USING ((SELECT tierdesk_scope()) = 'desk');
ALTER TABLE oncall_overrides ENABLE ROW LEVEL SECURITY;
ALTER TABLE oncall_overrides FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON oncall_overrides USING ((SELECT tierdesk_scope()) = 'desk');
ALTER TABLE oncall_temporaries ENABLE ROW LEVEL SECURITY;
ALTER TABLE oncall_temporaries FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON oncall_temporaries USING ((SELECT tierdesk_scope()) = 'desk');
ALTER TABLE oncall_absences ENABLE ROW LEVEL SECURITY;
ALTER TABLE oncall_absences FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON oncall_absences USING ((SELECT tierdesk_scope()) = 'desk');
ALTER TABLE oncall_feeds ENABLE ROW LEVEL SECURITY;
ALTER TABLE oncall_feeds FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON oncall_feeds USING ((SELECT tierdesk_scope()) = 'desk');
