-- What was given to whom, by whom, why and until when: roles, and what is attested of people. Rows stay
-- after something was taken away.
CREATE TABLE staff_grants (
    id              UUID PRIMARY KEY,
    staff_id        UUID NOT NULL REFERENCES staff (id),
    kind            TEXT NOT NULL CHECK (kind IN ('role', 'attribute')),
    name            TEXT COLLATE "C" NOT NULL,
    granted_at      TIMESTAMPTZ NOT NULL,
    granted_by      TEXT NOT NULL,
    reason          TEXT,
    until           TIMESTAMPTZ,
    removed_at      TIMESTAMPTZ,
    removed_by      TEXT,
    removal_reason  TEXT,
    CHECK (kind = 'role' OR until IS NOT NULL)
);
CREATE UNIQUE INDEX staff_grants_once ON staff_grants (staff_id, kind, name) WHERE removed_at IS NULL;
CREATE INDEX staff_grants_by_staff ON staff_grants (staff_id, granted_at, id);
INSERT INTO staff_grants (id, staff_id, kind, name, granted_at, granted_by, reason)
    SELECT id, id, 'role', role, created_at, 'unknown', 'given before reasons were kept'
    FROM staff WHERE status = 'active';

-- What a customer's contract demands of staff, besides what its tier does.
ALTER TABLE customers ADD COLUMN staff_attributes TEXT NOT NULL DEFAULT '[]';

ALTER TABLE staff_grants ENABLE ROW LEVEL SECURITY;
ALTER TABLE staff_grants FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON staff_grants USING ((SELECT tierdesk_scope()) = 'desk');
