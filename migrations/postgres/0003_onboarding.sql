-- Onboarding: runs, their steps and approvals, and the simulated cloud's state. Same tables and
-- columns as the SQLite chain.

CREATE TABLE onboarding_runs (
    id                    UUID PRIMARY KEY,
    customer_id           UUID REFERENCES customers (id),
    slug                  TEXT COLLATE "C" NOT NULL,
    name                  TEXT NOT NULL,
    tier                  TEXT COLLATE "C" NOT NULL,
    contact               TEXT COLLATE "C" NOT NULL,
    domain                TEXT COLLATE "C" NOT NULL,
    prefix                TEXT COLLATE "C",
    root_email            TEXT COLLATE "C" NOT NULL,
    state                 TEXT NOT NULL CHECK (state IN ('planning', 'planned', 'awaiting_approval', 'running', 'done', 'failed', 'cancelled')),
    hash                  TEXT COLLATE "C",
    cloud                 TEXT NOT NULL CHECK (cloud IN ('simulated', 'aws')),
    organization          TEXT,
    requested_by          TEXT NOT NULL,
    requester_id          UUID REFERENCES staff (id),
    sole_operator_reason  TEXT,
    chat_channel          TEXT,
    account_id            TEXT COLLATE "C",
    ou                    TEXT,
    note                  TEXT,
    estimate_low          BIGINT,
    estimate_likely       BIGINT,
    estimate_high         BIGINT,
    created_at            TIMESTAMPTZ NOT NULL,
    updated_at            TIMESTAMPTZ NOT NULL,
    generation            BIGINT NOT NULL
);
-- One open onboarding a customer, and a root address.
CREATE UNIQUE INDEX onboarding_runs_open ON onboarding_runs (slug)
    WHERE state IN ('planning', 'planned', 'awaiting_approval', 'running', 'failed');
CREATE UNIQUE INDEX onboarding_runs_open_root ON onboarding_runs (root_email)
    WHERE state IN ('planning', 'planned', 'awaiting_approval', 'running', 'failed');
CREATE INDEX onboarding_runs_by_slug ON onboarding_runs (slug, created_at, id);
CREATE INDEX onboarding_runs_by_hash ON onboarding_runs (hash);

CREATE TABLE onboarding_steps (
    run_id        UUID NOT NULL REFERENCES onboarding_runs (id) ON DELETE CASCADE,
    name          TEXT COLLATE "C" NOT NULL,
    position      BIGINT NOT NULL,
    verdict       TEXT NOT NULL CHECK (verdict IN ('create', 'adopt', 'already', 'blocked', 'skipped')),
    detail        TEXT NOT NULL,
    state         TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'failed', 'skipped')),
    attempts      BIGINT NOT NULL,
    intent_at     TIMESTAMPTZ,
    external_ref  TEXT COLLATE "C",
    error_class   TEXT CHECK (error_class IN ('wait', 'already', 'person', 'unknown')),
    started_at    TIMESTAMPTZ,
    finished_at   TIMESTAMPTZ,
    PRIMARY KEY (run_id, name)
);
-- Accounts being made: AWS makes five at once.
CREATE INDEX onboarding_steps_intended ON onboarding_steps (name, intent_at) WHERE state = 'running';

CREATE TABLE onboarding_approvals (
    run_id    UUID NOT NULL REFERENCES onboarding_runs (id) ON DELETE CASCADE,
    staff_id  UUID NOT NULL REFERENCES staff (id),
    hash      TEXT COLLATE "C" NOT NULL,
    at        TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (run_id, staff_id)
);

CREATE TABLE simulated_cloud (
    name        TEXT COLLATE "C" PRIMARY KEY,
    version     BIGINT NOT NULL,
    state       TEXT NOT NULL,
    updated_at  TIMESTAMPTZ NOT NULL
);

ALTER TABLE onboarding_runs ENABLE ROW LEVEL SECURITY;
ALTER TABLE onboarding_runs FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON onboarding_runs USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE onboarding_steps ENABLE ROW LEVEL SECURITY;
ALTER TABLE onboarding_steps FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON onboarding_steps USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE onboarding_approvals ENABLE ROW LEVEL SECURITY;
ALTER TABLE onboarding_approvals FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON onboarding_approvals USING ((SELECT tierdesk_scope()) = 'desk');

ALTER TABLE simulated_cloud ENABLE ROW LEVEL SECURITY;
ALTER TABLE simulated_cloud FORCE ROW LEVEL SECURITY;
CREATE POLICY scope ON simulated_cloud USING ((SELECT tierdesk_scope()) = 'desk');
